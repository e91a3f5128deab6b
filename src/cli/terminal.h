#ifndef QOSMARK_CLI_TERMINAL_H
#define QOSMARK_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdint.h>

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

bool color_parse(const char *text, enum color_choice *ret);

/* What standard output is, for the text report. */
bool terminal_color(enum color_choice choice, bool to_file); /* honours NO_COLOR and TERM=dumb */
bool terminal_utf8(void);
unsigned terminal_width(void); /* columns; 80 where it is no terminal, COLUMNS where that is set */

/* A progress bar on standard error, only when that is a terminal and the work takes more than a second. */
struct progress {
    bool enabled, shown;
    int64_t begin_ms, last_ms;
};
void progress_init(struct progress *p);
void progress_update(void *progress, uint64_t done, uint64_t total); /* an audit_progress */
void progress_step(struct progress *p, const char *what, uint64_t done, uint64_t total); /* so many of so many */
void progress_done(struct progress *p);                              /* wipes the bar */

#endif

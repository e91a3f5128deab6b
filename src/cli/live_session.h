#ifndef QOSMARK_CLI_LIVE_SESSION_H
#define QOSMARK_CLI_LIVE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "anonymize/anonymize.h"
#include "cli/live_arguments.h"
#include "cli/output.h"
#include "cli/screen/screen.h"
#include "engine/evidence.h"
#include "live/notify.h"
#include "live/pages.h"
#include "live/run.h"

/* Everything that runs while `qosmark live` does. What it is made of lies in live_*.c; cmd_live.c puts it in order. */
struct live_session {
    const struct live_arguments *arguments;
    const char *user; /* whom root becomes */
    struct policy *policy;
    struct policy *policy_before; /* is still looked at until the next look */
    struct live_run *run;
    struct evidence *evidence;
    struct anonymizer *anonymizer;
    struct notify *notify;
    struct live_pages *pages;
    struct live_publish *publish;             /* NULL: nothing is published */
    struct live_publishing_parts *publishing; /* what goes with it: live_publishing.c */
    struct screen *screen; /* NULL: lines */
    struct output stream;  /* -f jsonl: records as they come */
    bool streaming;
    int signals, timer, wake; /* `wake` is readable when one of the others, or a key, is */
    bool has_terminal;        /* at the start, and SIGHUP was not ignored: SIGHUP without it is its end */
    bool read_policy;         /* as soon as the one before is out of use: SIGHUP */
    bool write_report;        /* at the next look: SIGUSR1 */
    bool write_page;          /* at the next look: the key w */
    bool ended;               /* finish now */
    bool lines_written;       /* on standard output */
    bool output_failed;       /* standard output has nobody who reads it: said once */
    bool evidence_failed;     /* no more wrong packets can be kept: said once */
    int status;               /* EXIT_INPUT where something failed beside the capture; 0 */
};

/* A sentence for the user where he looks: the screen's last row, or standard error. */
void live_say(struct live_session *s, bool bad, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- live_events.c: signals, the end of --duration, keys ---- */
int live_events_open(struct live_session *s); /* an exit status, said */
int live_events_begin(
    struct live_session *s); /* --duration begins to count, and keys are waited for where there is a screen */
void live_events_take(struct live_session *s);                   /* what has come; does not wait */
void live_events_second_interrupt(void);                        /* from now on an interrupt ends the process at once */
void live_events_close(struct live_session *s);
int64_t live_clock_ms(void); /* only goes forward */

/* ---- live_publishing.c: messages to the collectors of a fleet; an exit status, said ---- */
int live_publishing_open(struct live_session *s);  /* what takes rights: files */
int live_publishing_begin(struct live_session *s); /* its threads, after rights were given up */
void live_publishing_tell(struct live_session *s); /* what the bus says, where that has changed */
void live_publishing_last(struct live_session *s);   /* what comes now is the last */
void live_publishing_finish(struct live_session *s); /* the last messages, and what became of them */
void live_publishing_close(struct live_session *s);

/* ---- live_policy.c ---- */
void live_policy_again(struct live_session *s); /* where that was asked for */

/* ---- live_report.c ---- */
int live_report_check(const struct live_session *s); /* that -o can be written; an exit status, said */
int live_report_begin(struct live_session *s);       /* opens what is written as it goes; an exit status, said */
void live_report_interval(struct live_session *s, const struct live_view *view); /* where an interval has ended */
void live_report_leaving(struct live_session *s,
                         const struct live_view *view); /* -f jsonl: streams that will not be listed again */
void live_report_wanted(struct live_session *s, const struct live_view *view); /* SIGUSR1 and w */
int live_report_final(struct live_session *s, const struct live_view *view);   /* an exit status */
void live_report_abandon(struct live_session *s);

/* ---- live_screen.c ---- */
int live_screen_open(struct live_session *s); /* where there is a terminal for it; an exit status, said */
void live_screen_look(struct live_session *s, const struct live_view *view);
void live_screen_keys(struct live_session *s);
void live_screen_resized(struct live_session *s);
void live_screen_draw(struct live_session *s);
void live_screen_close(struct live_session *s);

#endif

#ifndef QOSMARK_REPORT_REPORT_TEXT_H
#define QOSMARK_REPORT_REPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/document.h"
#include "report/out.h"

/* The report for people, made of lines. report_text.c puts the sections in order, each in a file of its own. */

enum style { STYLE_PLAIN = 0, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD, STYLE_UNSURE, STYLE_CODE, STYLE_COUNT };

/* What is written small, so that no table breaks when numbers are large. */
#define SMALL_TEXT_MAX 48

struct text {
    struct out *out;
    const struct document *document;
    const struct report_options *options;
    size_t width;
    struct strbuf line; /* the line being made, with its colours */
    size_t columns;     /* that it takes so far */
    enum style style;   /* of the last coloured piece, which ends at byte style_end of the line */
    size_t style_end;
    struct strbuf escaped;
};

/* Signs, in characters that the terminal has. */
const char *sign_of(const struct text *t, enum verdict v);
const char *sign_wrong(const struct text *t);
const char *sign_arrow(const struct text *t);
const char *sign_more(const struct text *t);
enum style style_of(enum verdict v);

/* Escaped for this terminal: no control characters, and nothing beyond ASCII where it has no UTF-8. Valid until the
 * next call. */
const char *text_escape(struct text *t, const char *text);

/* Adds to the line. text_put() takes words of our own, text_net() any: it escapes, and cuts to `max` columns. */
void text_put(struct text *t, enum style style, const char *text);
void text_putf(struct text *t, enum style style, const char *format, ...) __attribute__((format(printf, 3, 4)));
void text_net(struct text *t, enum style style, const char *text, size_t max);
void text_to(struct text *t, size_t column);                                     /* spaces up to that column */
void text_right(struct text *t, enum style style, size_t end, const char *text); /* ends before column `end` */
void text_end(struct text *t);                                                   /* the line is complete */
void text_heading(struct text *t, const char *title);                            /* after an empty line */

/* Adds words (escaped), beginning new lines at `indent` where the width asks for it. What stands between backticks is
 * a command to be copied: it stays in one piece, and on a line of its own where it is wider than the rest. */
void text_wrap(struct text *t, enum style style, size_t indent, const char *text);
/* What to do about a finding, behind an arrow; nothing where there is nothing ("" or NULL). */
void text_advice(struct text *t, size_t indent, const char *advice);

/* A section of sentences; nothing where there are none. */
void text_notes(struct text *t, const char *const *notes, size_t count);

/* The first line: PASS, FAIL or NOTHING CHECKED, with (INCOMPLETE) where something was not looked at, and why. With -q
 * not broken, and after `about`, where that is not "". */
void text_verdict(struct text *t, enum summary_verdict verdict, bool incomplete, const char *about,
                  const char *sentence);
/* Adds a piece that must not be broken, on the next line (at `indent`) where it does not fit on this one. */
void text_piece(struct text *t, enum style style, size_t indent, const char *text);

/* Small texts. */
void small_count(uint64_t n, char text[static SMALL_TEXT_MAX]);                       /* 48,000 */
void small_share(uint64_t n, uint64_t total, char text[static SMALL_TEXT_MAX]);       /* 12%, <0.1%, >99.9% */
void small_bytes(uint64_t n, char text[static SMALL_TEXT_MAX]);                       /* 12.3 MB */
void small_duration(int64_t ns, char text[static SMALL_TEXT_MAX]);                    /* 0.4s, 12m03s, 3h05m */
void small_date(int64_t ns, char text[static SMALL_TEXT_MAX]);                        /* 2026-11-22, UTC */
void small_time(int64_t ns, char text[static SMALL_TEXT_MAX]);                        /* 09:00:00, UTC */
void small_marks(dscp_set_t set, dscp_t preferred, char text[static SMALL_TEXT_MAX]); /* AF31/CS3, "-" for none */
const char *plural(uint64_t n, const char *one, const char *many);

/* How many rows of a list of `n` are shown with this many -v: `few`, `some` with -v, all with -vv. */
size_t rows_shown(const struct text *t, size_t n, size_t few, size_t some);
void text_rest(struct text *t, size_t indent, uint64_t rest, const char *what); /* "... and 480 more calls (-vv ...)" */

/* The sections, in the order of the report. */
void section_verdict(struct text *t);
void section_classes(struct text *t);
void section_sites(struct text *t);
void section_findings(struct text *t);
void section_calls(struct text *t);
void section_quality(struct text *t);
void section_streams(struct text *t);
void section_nodes(struct text *t);
void section_unjudged(struct text *t);
void section_notes(struct text *t);
void section_inputs(struct text *t);

/* Packets by mark: all, those of judged streams that are not what was expected of them, and those of streams that
 * could not be judged which would not be. */
struct mark_counts {
    uint64_t packets[DSCP_COUNT], wrong[DSCP_COUNT], unsure[DSCP_COUNT];
};

/* Marks with their shares, wrong and unsure ones with a sign; about `limit` of them, continued at column `indent`. */
void text_marks(struct text *t, size_t indent, const struct mark_counts *m, size_t limit);

#endif

#ifndef QOSMARK_REPORT_REPORT_H
#define QOSMARK_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/document.h"

/* Documents to text, JSON, JSON lines, CSV and HTML. Nothing here sees a packet or prints by itself: bytes go to a
 * sink. */
enum report_format { REPORT_TEXT = 0, REPORT_JSON, REPORT_JSONL, REPORT_CSV, REPORT_HTML, REPORT_FORMAT_COUNT };

/* Writes all of `len` bytes; false when it could not (the writer stops and returns ERR_IO). */
typedef bool (*report_sink)(void *user, const char *bytes, size_t len);

struct report_options {
    enum report_format format;
    bool quiet;     /* -q: the verdict line alone (text) */
    bool separate;  /* one of several reports: it begins with the file that it is about (text) */
    int verbose;    /* -v: streams too (text) */
    bool color;     /* ANSI colours (text) */
    bool utf8;      /* box and bar characters allowed (text) */
    unsigned width; /* columns of the terminal (text), at least 80 */
    int64_t live_since_ns, live_now_ns; /* of a live check (HTML): when it began, as of when the report is; else 0 */
};

int report_write(const struct document *d, const struct report_options *o, report_sink sink, void *user,
                 struct error *error);

bool report_format_parse(const char *name, enum report_format *ret);
const char *report_format_name(enum report_format f);

#endif

#ifndef QOSMARK_REPORT_REPORT_METRICS_TEXT_H
#define QOSMARK_REPORT_REPORT_METRICS_TEXT_H

#include <stdint.h>

#include "base/text.h"

/* The text format 0.0.4 of Prometheus, for whoever writes metrics here. */

/* The two lines that introduce a metric; `help` is ours and without a backslash or a line end. */
void metrics_head(struct strbuf *to, const char *name, const char *type, const char *help);

/* A label's value: printable, and with backslash, quote and line end escaped as the format wants. */
void metrics_label(struct strbuf *to, const char *value);

struct metrics_pair {
    const char *name, *value; /* value NULL: the label is left out */
};

/* One sample: `name{a="b",...} `, to be followed by its value and a line end. */
void metrics_sample(struct strbuf *to, const char *name, const struct metrics_pair *labels, size_t count);
void metrics_count(struct strbuf *to, uint64_t value);
void metrics_number(struct strbuf *to, double value);

#endif

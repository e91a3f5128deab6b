#ifndef QOSMARK_REPORT_FORMATS_H
#define QOSMARK_REPORT_FORMATS_H

#include "report/out.h"
#include "report/report.h"

/* One writer a format. They leave their failure in `out`. */
void report_text(struct out *out, const struct document *d, const struct report_options *o);
void report_json(struct out *out, const struct document *d, const struct report_options *o);
void report_jsonl(struct out *out, const struct document *d, const struct report_options *o);
void report_csv(struct out *out, const struct document *d, const struct report_options *o);
void report_html(struct out *out, const struct document *d, const struct report_options *o);

#endif

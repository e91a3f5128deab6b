#ifndef QOSMARK_REPORT_REPORT_COMPARE_H
#define QOSMARK_REPORT_REPORT_COMPARE_H

#include "model/compare_document.h"
#include "report/out.h"
#include "report/report.h"

/* `options.format` is not used. */
int report_compare_write(const struct compare_document *d, enum report_format format,
                         const struct report_options *options, report_sink sink, void *user, struct error *error);

/* ---- what the formats share ---- */

/* Whether there is anything to say of a class. */
bool report_compare_has(const struct compare_class *c);

/* A stream's name for people: "10.1.1.11:34904 > 10.2.0.7:20000 0x1234abcd", and behind NAT both names. */
void report_compare_stream_name(const struct compare_stream *s, struct strbuf *to);

/* "12 outside the common time, 3 alike": what of a class could not be compared; "" where all was. */
void report_compare_unresolved(const struct compare_class *c, struct strbuf *to);

/* One writer a format. They leave their failure in `out`. */
void report_compare_text(struct out *out, const struct compare_document *d, const struct report_options *o);
void report_compare_json(struct out *out, const struct compare_document *d, const struct report_options *o);
void report_compare_jsonl(struct out *out, const struct compare_document *d, const struct report_options *o);
void report_compare_csv(struct out *out, const struct compare_document *d, const struct report_options *o);
void report_compare_html(struct out *out, const struct compare_document *d, const struct report_options *o);

#endif

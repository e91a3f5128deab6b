#ifndef QOSMARK_REPORT_REPORT_TRACE_H
#define QOSMARK_REPORT_REPORT_TRACE_H

#include "model/trace_document.h"
#include "report/out.h"
#include "report/report.h"

/* `options.format` is not used. */
int report_trace_write(const struct trace_document *d, enum report_format format, const struct report_options *options,
                       report_sink sink, void *user, struct error *error);

/* ---- what the formats share ---- */

/* Of two paths of one mark, whether flow by flow nothing is different: to be shown once. */
bool report_trace_same_way(const struct trace_path *a, const struct trace_path *b);

/* The range of paths [*ret_begin, *ret_end) of a flow. */
void report_trace_flow(const struct trace_document *d, uint16_t flow, size_t *ret_begin, size_t *ret_end);

/* Names of the classes that sent the mark: "multimedia, multimedia-streaming". */
void report_trace_class_names(const struct trace_document *d, dscp_t dscp, struct strbuf *to);

/* How a hop answered, for people: "", "target", "target (port unreachable)", "unreachable, code 13". */
void report_trace_answer(const struct trace_document *d, const struct trace_reply *r, struct strbuf *to);

/* One writer a format. They leave their failure in `out`. */
void report_trace_text(struct out *out, const struct trace_document *d, const struct report_options *o);
void report_trace_json(struct out *out, const struct trace_document *d, const struct report_options *o);
void report_trace_jsonl(struct out *out, const struct trace_document *d, const struct report_options *o);
void report_trace_csv(struct out *out, const struct trace_document *d, const struct report_options *o);
void report_trace_html(struct out *out, const struct trace_document *d, const struct report_options *o);

#endif

#include "report/report_trace.h"

/* One line a class, flow and hop. All of it is numbers, addresses and words of our own, so nothing needs quoting; an
 * unknown value is empty. */
static void add_hop(struct strbuf *row, const struct trace_class *c, const struct trace_path *p,
                    const struct trace_hop *h)
{
    const struct trace_reply *r = h->reply_count ? &h->replies[0] : NULL;
    char address[ADDR_TEXT_MAX] = "";
    int mark = trace_hop_mark(h);
    if (r)
        addr_format(&r->addr, address);
    strbuf_addf(row, "%s,%u,%u,%u,%u,%s,", c->name, c->sent_dscp, p->flow + 1U, p->src_port, h->ttl, address);
    if (mark != TRACE_MARK_UNKNOWN)
        strbuf_addf(row, "%d,%s", mark, dscp_name((dscp_t)mark));
    else
        strbuf_adds(row, ",");
    strbuf_adds(row, ",");
    if (r && r->quoted_ecn >= 0)
        strbuf_addf(row, "%d", r->quoted_ecn);
    strbuf_adds(row, ",");
    if (r && r->rtt_ms >= 0)
        strbuf_addf(row, "%.3f", r->rtt_ms);
    strbuf_addf(row, ",%s,", r ? trace_answer_name(r->answer) : "");
    for (size_t i = 0; r && i < r->label_count; i++)
        strbuf_addf(row, "%s%u:%u", i ? " " : "", r->labels[i].label, r->labels[i].tc);
    strbuf_addf(row, ",%u,%u\n", h->sent, h->answered);
}

void report_trace_csv(struct out *out, const struct trace_document *d, const struct report_options *o)
{
    struct strbuf row = {0};
    (void)o;
    out_adds(out, "class,sent_dscp,flow,source_port,ttl,addr,quoted_dscp,quoted_name,quoted_ecn,rtt_ms,answer,mpls_"
                  "label_tc,sent,answered\n");
    for (uint16_t flow = 0; flow < d->flow_count; flow++)
        for (size_t i = 0; i < d->class_count; i++) {
            const struct trace_path *p = trace_document_path(d, &d->classes[i], flow);
            for (size_t k = 0; p && k < p->hop_count; k++) {
                row.len = 0;
                add_hop(&row, &d->classes[i], p, &p->hops[k]);
                if (!strbuf_ok(&row))
                    out_fail(out, ERR_MEMORY);
                out_add(out, row.at, strbuf_ok(&row) ? row.len : 0);
            }
        }
    strbuf_done(&row);
}

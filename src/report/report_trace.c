#include "report/report_trace.h"

#include <string.h>

static void (*const writers[REPORT_FORMAT_COUNT])(struct out *out, const struct trace_document *d,
                                                  const struct report_options *o) = {
    [REPORT_TEXT] = report_trace_text, [REPORT_JSON] = report_trace_json, [REPORT_JSONL] = report_trace_jsonl,
    [REPORT_CSV] = report_trace_csv,   [REPORT_HTML] = report_trace_html,
};

int report_trace_write(const struct trace_document *d, enum report_format format, const struct report_options *options,
                       report_sink sink, void *user, struct error *error)
{
    struct out out;
    if ((unsigned)format >= REPORT_FORMAT_COUNT)
        return error_set(error, ERR_USAGE, "unknown report format %d", (int)format);
    out_init(&out, sink, user);
    if (d->arena.failed)
        out_fail(&out, ERR_MEMORY);
    else
        writers[format](&out, d, options);
    return out_conclude(&out, error);
}

bool report_trace_same_way(const struct trace_path *a, const struct trace_path *b)
{
    if (a->verdict != b->verdict || a->change_count != b->change_count || a->hop_count != b->hop_count)
        return false;
    for (size_t i = 0; i < a->hop_count; i++) {
        const struct trace_hop *x = &a->hops[i], *y = &b->hops[i];
        if (x->reply_count && y->reply_count &&
            (!addr_equal(&x->replies[0].addr, &y->replies[0].addr) ||
             x->replies[0].quoted_dscp != y->replies[0].quoted_dscp))
            return false;
    }
    return true;
}

void report_trace_flow(const struct trace_document *d, uint16_t flow, size_t *ret_begin, size_t *ret_end)
{
    size_t begin = 0;
    while (begin < d->path_count && d->paths[begin].flow != flow)
        begin++;
    size_t end = begin;
    while (end < d->path_count && d->paths[end].flow == flow)
        end++;
    *ret_begin = begin;
    *ret_end = end;
}

void report_trace_class_names(const struct trace_document *d, dscp_t dscp, struct strbuf *to)
{
    bool any = false;
    for (size_t i = 0; i < d->class_count; i++) {
        if (d->classes[i].sent_dscp != dscp)
            continue;
        strbuf_adds(to, any ? ", " : "");
        strbuf_adds(to, d->classes[i].name);
        any = true;
    }
}

void report_trace_answer(const struct trace_document *d, const struct trace_reply *r, struct strbuf *to)
{
    static const char *const words[TRACE_ANSWER_COUNT] = {
        [TRACE_TIME_EXCEEDED] = "",          [TRACE_PORT_UNREACHABLE] = "port unreachable",
        [TRACE_UNREACHABLE] = "unreachable", [TRACE_ECHO_REPLY] = "echo reply",
        [TRACE_SYN_ACK] = "SYN-ACK",         [TRACE_RESET] = "RST",
        [TRACE_UDP_REPLY] = "reply",
    };
    bool target = addr_equal(&r->addr, &d->target.addr);
    strbuf_adds(to, target ? "target" : "");
    if (!*words[r->answer])
        return;
    strbuf_addf(to, target ? " (%s" : "%s", words[r->answer]);
    if (r->answer == TRACE_UNREACHABLE)
        strbuf_addf(to, ", code %u", r->code);
    strbuf_adds(to, target ? ")" : "");
}

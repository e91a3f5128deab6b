#include <string.h>

#include "report/report_json.h"
#include "report/report_trace.h"

static json_t *number_or_null(int n)
{
    return n < 0 ? json_null() : json_integer(n);
}

static void set_address(struct js *js, json_t *o, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];
    addr_format(a, text);
    js_text_or_null(js, o, key, text);
}

static json_t *make_labels(struct js *js, const struct trace_reply *r)
{
    json_t *array = js_check(js, json_array());
    for (size_t i = 0; r && i < r->label_count; i++) {
        json_t *o = js_check(js, json_object());
        js_count(js, o, "label", r->labels[i].label);
        js_count(js, o, "tc", r->labels[i].tc);
        js_bool(js, o, "bottom", r->labels[i].bottom);
        js_count(js, o, "ttl", r->labels[i].ttl);
        js_append(js, array, o);
    }
    return array;
}

static void set_reply(struct js *js, json_t *o, const struct trace_document *d, const struct trace_reply *r)
{
    js_set(js, o, "addr", json_null());
    if (r)
        set_address(js, o, "addr", &r->addr);
    js_set(js, o, "quoted_dscp", number_or_null(r ? r->quoted_dscp : -1));
    js_set(js, o, "quoted_ecn", number_or_null(r ? r->quoted_ecn : -1));
    js_ms(js, o, "rtt_ms", r ? r->rtt_ms : -1);
    js_set(js, o, "mpls", make_labels(js, r));
    js_text_or_null(js, o, "answer", r ? trace_answer_name(r->answer) : NULL);
    js_set(js, o, "icmp_code", r && r->answer == TRACE_UNREACHABLE ? json_integer(r->code) : json_null());
    js_bool(js, o, "target", r && addr_equal(&r->addr, &d->target.addr));
    js_bool(js, o, "translated", r && r->translated);
    js_count(js, o, "answers", r ? r->count : 0);
}

/* A hop whose answers differ has the most frequent one in its own keys and the others in `others`; its mark is then
 * null. */
static json_t *make_hop(struct js *js, const struct trace_document *d, const struct trace_hop *h)
{
    json_t *o = js_check(js, json_object()), *others = js_check(js, json_array());
    js_count(js, o, "ttl", h->ttl);
    set_reply(js, o, d, h->reply_count ? &h->replies[0] : NULL);
    js_set(js, o, "quoted_dscp", number_or_null(trace_hop_mark(h)));
    js_count(js, o, "sent", h->sent);
    js_count(js, o, "answered", h->answered);
    for (size_t i = 0; h->reply_count > 1 && i < h->reply_count; i++) {
        json_t *other = js_check(js, json_object());
        set_reply(js, other, d, &h->replies[i]);
        js_append(js, others, other);
    }
    js_set(js, o, "replies", others);
    return o;
}

static json_t *make_change(struct js *js, const struct trace_change *c)
{
    json_t *o = js_check(js, json_object());
    js_count(js, o, "after_hop", c->after_ttl);
    js_count(js, o, "by_hop", c->by_ttl);
    set_address(js, o, "after_addr", &c->after);
    set_address(js, o, "by_addr", &c->by);
    js_count(js, o, "from", c->from);
    js_count(js, o, "to", c->to);
    js_text(js, o, "behaviour", c->behaviour);
    js_bool(js, o, "tunnel", c->tunnel);
    js_set(js, o, "until_hop", c->tunnel ? json_integer(c->until_ttl) : json_null());
    return o;
}

static json_t *make_class(struct js *js, const struct trace_document *d, const struct trace_class *c,
                          const struct trace_path *p)
{
    json_t *o = js_check(js, json_object()), *hops = js_check(js, json_array()), *changes = js_check(js, json_array());
    js_text(js, o, "class", c->name);
    js_bool(js, o, "control", c->control);
    js_count(js, o, "sent_dscp", c->sent_dscp);
    js_text(js, o, "sent_name", dscp_name(c->sent_dscp));
    js_count(js, o, "flow", p->flow + 1U);
    js_count(js, o, d->target.port ? "source_port" : "echo_id", p->src_port);
    js_text(js, o, "verdict", trace_verdict_name(p->verdict));
    js_bool(js, o, "reached", p->reached);
    js_set(js, o, "last_dscp", number_or_null(p->last_dscp));
    js_set(js, o, "last_hop", p->last_dscp == TRACE_MARK_UNKNOWN ? json_null() : json_integer(p->last_ttl));
    for (size_t i = 0; i < p->hop_count; i++)
        js_append(js, hops, make_hop(js, d, &p->hops[i]));
    js_set(js, o, "hops", hops);
    for (size_t i = 0; i < p->change_count; i++)
        js_append(js, changes, make_change(js, &p->changes[i]));
    js_set(js, o, "changes", changes);
    return o;
}

static json_t *make_finding(struct js *js, const struct trace_document *d, const struct trace_finding *f)
{
    json_t *o = js_check(js, json_object()), *classes = js_check(js, json_array()), *flows = js_check(js, json_array());
    js_text(js, o, "code", f->code);
    js_text(js, o, "message", f->message);
    js_text(js, o, "advice", f->advice);
    js_bool(js, o, "violation", f->violation);
    js_text(js, o, "confidence", confidence_name(f->confidence));
    js_set(js, o, "after_hop", f->by_ttl ? json_integer(f->after_ttl) : json_null());
    js_set(js, o, "by_hop", f->by_ttl ? json_integer(f->by_ttl) : json_null());
    set_address(js, o, "after_addr", &f->after);
    set_address(js, o, "by_addr", &f->by);
    js_text_or_null(js, o, "behaviour", f->behaviour);
    for (size_t i = 0; i < d->class_count && i < 64; i++)
        if (f->classes >> i & 1)
            js_append(js, classes, js_string(js, slice_make(d->classes[i].name, strlen(d->classes[i].name))));
    js_set(js, o, "classes", classes);
    for (unsigned i = 0; i < 32; i++)
        if (f->flows >> i & 1)
            js_append(js, flows, json_integer(i + 1));
    js_set(js, o, "flows", flows);
    return o;
}

static json_t *make_target(struct js *js, const struct trace_document *d)
{
    json_t *o = js_check(js, json_object());
    js_text(js, o, "name", d->target.name);
    set_address(js, o, "addr", &d->target.addr);
    js_set(js, o, "port", d->target.port ? json_integer(d->target.port) : json_null());
    set_address(js, o, "source", &d->target.source);
    return o;
}

static json_t *make_summary(struct js *js, const struct trace_document *d)
{
    json_t *o = js_check(js, json_object());
    bool reached = false;
    for (size_t i = 0; i < d->path_count; i++)
        reached |= d->paths[i].reached;
    js_text(js, o, "verdict", summary_verdict_name(d->verdict));
    js_bool(js, o, "complete", !d->interrupted && !*d->problem);
    js_count(js, o, "checked", d->checked);
    js_count(js, o, "changed", d->changed);
    js_count(js, o, "unknown", d->unknown);
    js_bool(js, o, "reached", reached);
    js_text(js, o, "text", d->verdict_text);
    js_text_or_null(js, o, "known_until", d->arrived_text);
    js_text_or_null(js, o, "problem", d->problem);
    return o;
}

static json_t *make_document(struct js *js, const struct trace_document *d)
{
    json_t *o = js_check(js, json_object()), *classes = js_check(js, json_array()),
           *findings = js_check(js, json_array()), *notes = js_check(js, json_array()),
           *policy = js_check(js, json_object()), *packets = js_check(js, json_object());
    js_text(js, o, "schema", "qosmark.trace/1");
    js_set(js, o, "target", make_target(js, d));
    js_text(js, policy, "name", d->policy_name);
    js_text(js, policy, "source", d->policy_source);
    js_set(js, o, "policy", policy);
    js_text(js, o, "proto", d->proto);
    js_text(js, o, "engine", d->engine);
    js_time(js, o, "begin", d->begin_ns != 0, d->begin_ns);
    js_time(js, o, "end", d->end_ns != 0, d->end_ns);
    for (uint16_t flow = 0; flow < d->flow_count; flow++)
        for (size_t i = 0; i < d->class_count; i++) {
            const struct trace_path *p = trace_document_path(d, &d->classes[i], flow);
            if (p)
                js_append(js, classes, make_class(js, d, &d->classes[i], p));
        }
    js_set(js, o, "classes", classes);
    js_text(js, o, "behaviour", d->behaviour);
    for (size_t i = 0; i < d->finding_count; i++)
        js_append(js, findings, make_finding(js, d, &d->findings[i]));
    js_set(js, o, "findings", findings);
    js_set(js, o, "summary", make_summary(js, d));
    js_count(js, packets, "sent", d->sent);
    js_count(js, packets, "answered", d->answered);
    js_count(js, packets, "strays", d->strays);
    js_count(js, packets, "not_sent", d->not_sent);
    js_set(js, o, "packets", packets);
    for (size_t i = 0; i < d->note_count; i++)
        js_append(js, notes, js_string(js, slice_make(d->notes[i], strlen(d->notes[i]))));
    js_set(js, o, "notes", notes);
    return o;
}

static void write_document(struct out *out, const struct trace_document *d, bool one_line)
{
    struct js js = {0};
    js_write(out, &js, make_document(&js, d), one_line);
    js_done(&js);
    out_adds(out, "\n");
}

void report_trace_json(struct out *out, const struct trace_document *d, const struct report_options *o)
{
    (void)o;
    write_document(out, d, false);
}

void report_trace_jsonl(struct out *out, const struct trace_document *d, const struct report_options *o)
{
    (void)o;
    write_document(out, d, true);
}

#include <math.h>
#include <string.h>

#include "report/report_json.h"
#include "report/report_probe.h"

static json_t *mark_or_null(int8_t mark)
{
    return mark == PROBE_MARK_UNKNOWN ? json_null() : json_integer(mark);
}

static json_t *count_or_null(int64_t n)
{
    return n < 0 ? json_null() : json_integer(n);
}

/* A number that may be negative, to the microsecond. */
static json_t *signed_number(bool known, double v)
{
    return known && fabs(v) < 1e12 ? json_real(round(v * 1e6) / 1e6) : json_null();
}

static json_t *make_endpoint(struct js *js, const struct endpoint *e, bool with_port)
{
    char text[ADDR_TEXT_MAX];
    json_t *o = js_check(js, json_object());
    addr_format(&e->addr, text);
    js_text_or_null(js, o, "addr", text);
    js_set(js, o, "port", with_port ? json_integer(e->port) : json_null());
    return o;
}

static json_t *make_target(struct js *js, const struct probe_target *t)
{
    json_t *o = make_endpoint(js, &t->endpoint, true);
    js_text(js, o, "name", t->name);
    js_text_or_null(js, o, "node", t->node);
    js_set(js, o, "source", make_endpoint(js, &t->source, t->source.port != 0));
    js_text_or_null(js, o, "interface", t->interface);
    return o;
}

static json_t *make_fact(enum probe_fact f)
{
    return f == PROBE_FACT_UNKNOWN ? json_null() : json_boolean(f == PROBE_FACT_YES);
}

static json_t *make_reflector(struct js *js, const struct probe_reflector *r)
{
    json_t *o = js_check(js, json_object());
    js_set(js, o, "stateful", make_fact(r->stateful));
    js_set(js, o, "tlvs", make_fact(r->tlvs));
    js_set(js, o, "obeys_dscp1", make_fact(r->obeys));
    js_set(js, o, "reads_marks", make_fact(r->reads));
    js_bool(js, o, "authenticated", r->authenticated);
    js_count(js, o, "rfc7750_marks", r->twamp_marks);
    return o;
}

/* Unknown marks come as a row with a null. */
static json_t *make_marks(struct js *js, const struct probe_marks *m)
{
    json_t *array = js_check(js, json_array());
    for (;;) {
        int best = -1;
        for (int i = 0; i < DSCP_COUNT; i++) {
            bool done = false;
            for (size_t k = 0; k < json_array_size(array); k++)
                done |= json_integer_value(json_object_get(json_array_get(array, k), "dscp")) == i;
            if (!done && m->packets[i] && (best < 0 || m->packets[i] > m->packets[best]))
                best = i;
        }
        if (best < 0)
            break;
        json_t *o = js_check(js, json_object());
        js_count(js, o, "dscp", (uint64_t)best);
        js_text(js, o, "name", dscp_name((dscp_t)best));
        js_count(js, o, "packets", m->packets[best]);
        js_append(js, array, o);
        if (js->failed)
            break;
    }
    if (m->unknown) {
        json_t *o = js_check(js, json_object());
        js_set(js, o, "dscp", json_null());
        js_set(js, o, "name", json_null());
        js_count(js, o, "packets", m->unknown);
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_matrix(struct js *js, const struct probe_class *c)
{
    json_t *array = js_check(js, json_array());
    for (size_t i = 0; i < c->matrix_count; i++) {
        const struct probe_matrix_row *row = &c->matrix[i];
        json_t *o = js_check(js, json_object());
        js_count(js, o, "sent", c->sent_dscp);
        js_set(js, o, "arrived", mark_or_null(row->arrived));
        js_set(js, o, "returned", mark_or_null(row->returned));
        js_bool(js, o, "answered", row->answered);
        js_count(js, o, "packets", row->packets);
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_spread(struct js *js, const struct probe_spread *s)
{
    bool known = s->count > 0;
    json_t *o = js_check(js, json_object());
    js_ms(js, o, "min", known ? s->min : -1);
    js_ms(js, o, "median", known ? s->median : -1);
    js_ms(js, o, "p95", known ? s->p95 : -1);
    js_ms(js, o, "p99", known ? s->p99 : -1);
    js_ms(js, o, "max", known ? s->max : -1);
    return o;
}

static json_t *make_interval(struct js *js, const struct probe_interval *x)
{
    if (!x->known)
        return json_null();
    json_t *o = js_check(js, json_object());
    js_set(js, o, "estimate", signed_number(true, x->estimate));
    js_set(js, o, "low", signed_number(true, x->low));
    js_set(js, o, "high", signed_number(true, x->high));
    return o;
}

static json_t *make_comparison(struct js *js, const struct probe_class *c)
{
    if (!c->delay_ms.known && !c->loss_share.known)
        return json_null();
    json_t *o = js_check(js, json_object());
    js_set(js, o, "delay_ms", make_interval(js, &c->delay_ms));
    js_set(js, o, "loss_share", make_interval(js, &c->loss_share));
    js_ms(js, o, "control_queue_ms", c->control_queue_ms);
    js_set(js, o, "control_loss_share", signed_number(c->control_loss_share >= 0, c->control_loss_share));
    js_text(js, o, "reason", c->benefit_reason);
    return o;
}

static json_t *make_packets(struct js *js, const struct probe_document *d, size_t class_index)
{
    json_t *array = js_check(js, json_array());
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (p->class_index != class_index || p->witness)
            continue;
        json_t *o = js_check(js, json_object());
        js_time(js, o, "sent", !p->extra, p->sent_ns);
        js_count(js, o, "flow", p->flow);
        js_count(js, o, "sequence", p->sequence);
        js_bool(js, o, "answered", p->answered);
        js_set(js, o, "arrived", mark_or_null(p->arrived));
        js_set(js, o, "arrived_ecn", mark_or_null(p->arrived_ecn));
        js_set(js, o, "returned", mark_or_null(p->returned));
        js_set(js, o, "returned_ecn", mark_or_null(p->returned_ecn));
        js_set(js, o, "rtt_ms", signed_number(p->rtt_ns >= 0, (double)p->rtt_ns / 1e6));
        js_text_or_null(js, o, "phase", p->phase);
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_lost(struct js *js, const struct probe_loss *lost)
{
    json_t *o = js_check(js, json_object());
    js_set(js, o, "forward", count_or_null(lost->forward));
    js_set(js, o, "reverse", count_or_null(lost->reverse));
    js_set(js, o, "round_trip", count_or_null(lost->round_trip));
    return o;
}

static void set_loss_and_delay(struct js *js, json_t *o, const struct probe_class *c)
{
    json_t *jitter = js_check(js, json_object());
    js_set(js, o, "lost", make_lost(js, &c->lost));
    js_set(js, o, "rtt_ms", make_spread(js, &c->rtt_ms));
    js_ms(js, jitter, "forward", c->forward_jitter_ms);
    js_ms(js, jitter, "reverse", c->reverse_jitter_ms);
    js_set(js, o, "jitter_ms", jitter);
    js_text_or_null(js, o, "benefit", probe_benefit_name(c->benefit));
    json_t *variation = js_check(js, json_object());
    js_set(js, variation, "forward", make_spread(js, &c->forward_ms));
    js_set(js, variation, "reverse", make_spread(js, &c->reverse_ms));
    js_set(js, o, "delay_variation_ms", variation);
    js_set(js, o, "comparison", make_comparison(js, c));
}

static json_t *make_class(struct js *js, const struct probe_document *d, size_t index, bool packets)
{
    const struct probe_class *c = &d->classes[index];
    json_t *o = js_check(js, json_object());
    js_text(js, o, "class", c->name);
    js_bool(js, o, "control", c->control);
    js_count(js, o, "sent_dscp", c->sent_dscp);
    js_text(js, o, "sent_name", dscp_name(c->sent_dscp));
    js_marks(js, o, "expected_return", c->expected_return, c->preferred_return);
    js_set(js, o, "size_bytes", c->size_bytes ? json_integer(c->size_bytes) : json_null());
    js_count(js, o, "sent", c->sent);
    js_count(js, o, "answered", c->answered);
    js_set(js, o, "arrived", make_marks(js, &c->arrived));
    js_set(js, o, "returned", make_marks(js, &c->returned));
    js_set(js, o, "matrix", make_matrix(js, c));
    js_text(js, o, "forward", probe_change_name(c->forward));
    js_text(js, o, "forward_reason", c->forward_reason);
    js_text(js, o, "reverse", probe_change_name(c->reverse));
    js_text(js, o, "reverse_reason", c->reverse_reason);
    set_loss_and_delay(js, o, c);
    js_count(js, o, "late", c->late);
    js_count(js, o, "reordered", c->reordered);
    js_count(js, o, "duplicates", c->duplicates);
    js_bool(js, o, "violating", c->violating);
    if (packets)
        js_set(js, o, "packets", make_packets(js, d, index));
    return o;
}

static json_t *make_finding(struct js *js, const struct probe_document *d, const struct probe_finding *f)
{
    json_t *o = js_check(js, json_object()), *classes = js_check(js, json_array());
    js_text(js, o, "code", f->code);
    js_text(js, o, "message", f->message);
    js_text(js, o, "advice", f->advice);
    js_text_or_null(js, o, "direction", f->direction);
    js_count(js, o, "packets", f->packets);
    for (size_t i = 0; i < f->class_count; i++)
        js_append(js, classes,
                  js_string(js, slice_make(d->classes[f->classes[i]].name, strlen(d->classes[f->classes[i]].name))));
    js_set(js, o, "classes", classes);
    js_text(js, o, "confidence", confidence_name(f->confidence));
    js_bool(js, o, "violation", f->violation);
    return o;
}

static json_t *make_limits(struct js *js, const struct probe_limits *l)
{
    json_t *o = js_check(js, json_object());
    js_ms(js, o, "max_rtt_ms", l->max_rtt_ms);
    js_set(js, o, "max_loss", signed_number(l->max_loss >= 0, l->max_loss));
    js_ms(js, o, "max_jitter_ms", l->max_jitter_ms);
    return o;
}

static json_t *make_strays(struct js *js, const struct probe_document *d)
{
    json_t *o = js_check(js, json_object());
    uint64_t witnesses = 0;
    for (size_t i = 0; i < d->packet_count; i++)
        witnesses += d->packets[i].witness;
    js_count(js, o, "foreign", d->strays.foreign);
    js_count(js, o, "malformed", d->strays.malformed);
    js_count(js, o, "bad_hmac", d->strays.bad_hmac);
    js_count(js, o, "icmp_errors", d->strays.icmp);
    js_count(js, o, "not_sent", d->strays.not_sent);
    js_count(js, o, "witnesses_sent", witnesses);
    return o;
}

static json_t *make_words(struct js *js, const char *text)
{
    json_t *array = js_check(js, json_array());
    struct slice rest = slice_make(text, strlen(text));
    while (rest.len)
        js_append(js, array, js_string(js, slice_next(&rest, ' ')));
    return array;
}

static json_t *make_document(struct js *js, const struct probe_document *d, bool packets)
{
    json_t *o = js_check(js, json_object());
    js_text(js, o, "schema", "qosmark.probe/1");
    json_t *policy = js_check(js, json_object());
    js_text(js, policy, "name", d->policy_name);
    js_text(js, policy, "source", d->policy_source);
    js_set(js, o, "policy", policy);
    js_set(js, o, "target", make_target(js, &d->target));
    js_text(js, o, "method", d->method);
    js_text(js, o, "engine", d->engine);
    js_set(js, o, "reflector", make_reflector(js, &d->reflector));
    js_time(js, o, "begin", d->begin_ns != 0, d->begin_ns);
    js_time(js, o, "end", d->end_ns != 0, d->end_ns);
    js_set(js, o, "load_bps", d->load_bps > 0 ? json_integer((json_int_t)d->load_bps) : json_null());
    js_set(js, o, "limits", make_limits(js, &d->limits));
    json_t *classes = js_check(js, json_array()), *findings = js_check(js, json_array()),
           *notes = js_check(js, json_array());
    for (size_t i = 0; i < d->class_count; i++)
        js_append(js, classes, make_class(js, d, i, packets));
    js_set(js, o, "classes", classes);
    json_t *behaviour = js_check(js, json_object());
    js_text(js, behaviour, "forward", d->forward_behaviour);
    js_text(js, behaviour, "reverse", d->reverse_behaviour);
    js_set(js, behaviour, "forward_consistent", make_words(js, d->forward_consistent));
    js_set(js, behaviour, "reverse_consistent", make_words(js, d->reverse_consistent));
    js_set(js, o, "behaviour", behaviour);
    for (size_t i = 0; i < d->finding_count; i++)
        js_append(js, findings, make_finding(js, d, &d->findings[i]));
    js_set(js, o, "findings", findings);
    json_t *summary = js_check(js, json_object());
    js_text(js, summary, "verdict", summary_verdict_name(d->verdict));
    js_text(js, summary, "text", d->verdict_text);
    js_text(js, summary, "problem", d->problem);
    js_set(js, summary, "lost", make_lost(js, &d->lost));
    js_set(js, o, "summary", summary);
    js_set(js, o, "strays", make_strays(js, d));
    for (size_t i = 0; i < d->note_count; i++)
        js_append(js, notes, js_string(js, slice_make(d->notes[i], strlen(d->notes[i]))));
    js_set(js, o, "notes", notes);
    return o;
}

void report_probe_json(struct out *out, const struct probe_report *r)
{
    struct js js = {0};
    if (r->set) {
        out_adds(out, "{\"schema\": \"qosmark.probe-set/1\",\n\"summary\": {\"verdict\": \"");
        out_adds(out,
                 summary_verdict_name(r->verdict ? *r->verdict : report_probe_verdict(r->documents, r->count)));
        out_adds(out, "\"},\n\"probes\": [");
    }
    for (size_t i = 0; i < r->count && out_ok(out); i++) {
        if (r->set)
            out_adds(out, i ? ",\n" : "\n");
        js_write(out, &js, make_document(&js, r->documents[i], r->packets), true);
    }
    out_adds(out, r->set ? "]}\n" : "\n");
    js_done(&js);
}

void report_probe_jsonl(struct out *out, const struct probe_report *r)
{
    struct js js = {0};
    for (size_t i = 0; i < r->count && out_ok(out); i++) {
        js_write(out, &js, make_document(&js, r->documents[i], r->packets), true);
        out_adds(out, "\n");
    }
    js_done(&js);
}

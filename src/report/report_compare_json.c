#include <string.h>

#include "report/report_compare.h"
#include "report/report_json.h"

static json_t *count_or_null(bool known, uint64_t n)
{
    return known ? json_integer((json_int_t)n) : json_null();
}

static void set_endpoint(struct js *js, json_t *o, const char *key, const struct endpoint *e)
{
    char text[ADDR_TEXT_MAX];
    json_t *end = js_check(js, json_object());
    addr_format(&e->addr, text);
    js_text_or_null(js, end, "addr", text);
    js_count(js, end, "port", e->port);
    js_set(js, o, key, end);
}

static void set_proto(struct js *js, json_t *o, uint8_t proto)
{
    const char *name = proto == 17 ? "udp" : proto == 6 ? "tcp" : proto == 1 ? "icmp" : proto == 58 ? "icmp6" : NULL;
    if (name)
        js_text(js, o, "proto", name);
    else
        js_count(js, o, "proto", proto);
}

static void set_ssrc(struct js *js, json_t *o, bool has, uint32_t ssrc)
{
    struct strbuf text = {0};
    if (has)
        strbuf_addf(&text, "0x%08x", ssrc);
    js_text_or_null(js, o, "ssrc", strbuf_text(&text));
    strbuf_done(&text);
}

static json_t *make_marks(struct js *js, const uint64_t *by_dscp)
{
    json_t *array = js_check(js, json_array());
    for (int i = 0; i < DSCP_COUNT; i++) {
        if (!by_dscp[i])
            continue;
        json_t *o = js_check(js, json_object());
        js_count(js, o, "dscp", (uint64_t)i);
        js_text(js, o, "name", dscp_name((dscp_t)i));
        js_count(js, o, "packets", by_dscp[i]);
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_matrix(struct js *js, const struct compare_class *c)
{
    json_t *array = js_check(js, json_array());
    for (size_t i = 0; i < c->cell_count; i++) {
        const struct compare_cell *cell = &c->cells[i];
        json_t *o = js_check(js, json_object());
        js_count(js, o, "before", cell->before);
        js_count(js, o, "after", cell->after);
        js_count(js, o, "packets", cell->packets);
        js_count(js, o, "wanted", cell->wanted);
        if (cell->streams)
            js_count(js, o, "streams", cell->streams);
        js_text(js, o, "before_name", dscp_name(cell->before));
        js_text(js, o, "after_name", dscp_name(cell->after));
        js_count(js, o, "first_frame_before", cell->first_before);
        js_count(js, o, "first_frame_after", cell->first_after);
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_delay(struct js *js, const struct compare_spread *s)
{
    if (s->packets == 0)
        return json_null();
    json_t *o = js_check(js, json_object());
    js_count(js, o, "packets", s->packets);
    js_ms(js, o, "median", s->median);
    js_ms(js, o, "p95", s->p95);
    js_ms(js, o, "p99", s->p99);
    js_ms(js, o, "max", s->max);
    js_ms(js, o, "jitter", s->jitter);
    return o;
}

static json_t *make_test(struct js *js, const struct compare_loss_test *t)
{
    if (!t->done)
        return json_null();
    json_t *o = js_check(js, json_object());
    js_set(js, o, "difference_low", json_real(t->low));
    js_set(js, o, "difference_high", json_real(t->high));
    js_count(js, o, "slices_more", t->slices_more);
    js_count(js, o, "slices_less", t->slices_less);
    js_set(js, o, "sign_test", json_real(t->chance));
    js_count(js, o, "lost", t->lost);
    js_count(js, o, "sent", t->sent);
    js_count(js, o, "other_lost", t->other_lost);
    js_count(js, o, "other_sent", t->other_sent);
    js_bool(js, o, "differs", t->differs);
    return o;
}

/* The figures of a class, of one row. `missing` is what the capture after does not have; `lost` is that where it is
 * known that those were lost. */
static void set_figures(struct js *js, json_t *o, const struct compare_row *row, const struct compare_class *c)
{
    static const uint64_t none[DSCP_COUNT];
    json_t *unresolved = js_check(js, json_object());
    js_count(js, o, "streams", c->streams);
    js_count(js, o, "matched", c->matched);
    js_count(js, o, "changed", c->changed);
    js_count(js, o, "wanted", c->wanted);
    bool known = row->loss_known && !c->loss_unknown;
    js_set(js, o, "lost", count_or_null(known, c->lost));
    js_set(js, o, "lost_by_mark", make_marks(js, known ? c->lost_by_dscp : none));
    js_count(js, o, "missing", c->lost);
    js_set(js, o, "missing_by_mark", make_marks(js, c->lost_by_dscp));
    js_count(js, o, "appeared", c->appeared);
    js_count(js, o, "reordered", c->reordered);
    for (int i = 0; i < COMPARE_WHY_COUNT; i++)
        js_count(js, unresolved, compare_why_name((enum compare_why)i), c->unresolved[i]);
    js_set(js, o, "not_compared", unresolved);
    js_set(js, o, "matrix", make_matrix(js, c));
    js_set(js, o, "delay_variation_ms", make_delay(js, &c->delay));
    js_count(js, o, "ecn_marked", c->ecn_marked);
    js_count(js, o, "ecn_cleared", c->ecn_cleared);
}

static void set_class_name(struct js *js, json_t *o, enum traffic_class c)
{
    js_text(js, o, "class", compare_class_name(c));
}

static json_t *make_ways(struct js *js, const struct compare_segment *s, int class)
{
    json_t *array = js_check(js, json_array());
    for (int way = 0; way < COMPARE_BOTH; way++) {
        const struct compare_class *c = &s->rows[way].classes[class];
        if (!report_compare_has(c))
            continue;
        json_t *o = js_check(js, json_object());
        js_text(js, o, "direction", compare_way_name((enum compare_way)way));
        set_figures(js, o, &s->rows[way], c);
        js_set(js, o, "loss_test", make_test(js, &c->test));
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_classes(struct js *js, const struct compare_segment *s)
{
    json_t *array = js_check(js, json_array());
    const struct compare_row *row = &s->rows[COMPARE_BOTH];
    for (int i = 1; i <= CLASS_COUNT; i++) {
        int class = i % CLASS_COUNT; /* what has no class comes last */
        if (!report_compare_has(&row->classes[class]))
            continue;
        json_t *o = js_check(js, json_object());
        set_class_name(js, o, (enum traffic_class) class);
        set_figures(js, o, row, &row->classes[class]);
        js_set(js, o, "by_direction", make_ways(js, s, class));
        js_append(js, array, o);
    }
    return array;
}

static json_t *make_stream(struct js *js, const struct compare_stream *s)
{
    json_t *o = js_check(js, json_object()), *before = js_check(js, json_object()),
           *after = js_check(js, json_object());
    int at = s->way == COMPARE_BACKWARD;
    set_proto(js, o, s->proto);
    set_endpoint(js, before, "src", &s->src[at]);
    set_endpoint(js, before, "dst", &s->dst[at]);
    set_endpoint(js, after, "src", &s->src[!at]);
    set_endpoint(js, after, "dst", &s->dst[!at]);
    js_set(js, o, "before", before);
    js_set(js, o, "after", after);
    set_ssrc(js, o, s->has_ssrc, s->ssrc);
    js_text(js, o, "kind", kind_name(s->kind));
    set_class_name(js, o, s->traffic_class);
    js_text(js, o, "direction", compare_way_name(s->way));
    js_text(js, o, "direction_by", compare_way_by_name(s->way_by));
    js_bool(js, o, "translated", s->translated);
    js_count(js, o, "matched", s->matched);
    js_count(js, o, "changed", s->changed);
    js_count(js, o, "wanted", s->wanted);
    js_count(js, o, "missing", s->lost);
    return o;
}

static json_t *make_clock(struct js *js, const struct compare_segment *s, int way)
{
    if (!s->clock_known[way])
        return json_null();
    json_t *o = js_check(js, json_object());
    js_set(js, o, "offset_ms", json_real((double)s->offset_ns[way] / 1e6));
    js_set(js, o, "drift_ppm", json_real(s->drift_ppm[way]));
    return o;
}

/* What a topology says of the segment. */
static json_t *make_declared(struct js *js, const struct compare_segment *s)
{
    json_t *array = js_check(js, json_array());
    for (int way = 0; way < COMPARE_BOTH; way++)
        for (int m = 0; s->wanted[way] && m < DSCP_COUNT; m++) {
            if (!(s->wanted[way][m] & ~dscp_set_of((dscp_t)m)))
                continue;
            json_t *o = js_check(js, json_object()), *after = js_check(js, json_array());
            js_text(js, o, "direction", compare_way_name((enum compare_way)way));
            js_count(js, o, "before", (uint64_t)m);
            for (int to = 0; to < DSCP_COUNT; to++)
                if (dscp_set_has(s->wanted[way][m], (dscp_t)to))
                    js_append(js, after, json_integer(to));
            js_set(js, o, "after", after);
            js_append(js, array, o);
        }
    return array;
}

static json_t *make_segment(struct js *js, const struct compare_document *d, const struct compare_segment *s)
{
    json_t *o = js_check(js, json_object()), *behaviours = js_check(js, json_object()),
           *clocks = js_check(js, json_object()), *streams = js_check(js, json_array());
    js_text(js, o, "before", d->captures[s->first].input.file);
    js_text(js, o, "after", d->captures[s->second].input.file);
    js_set(js, o, "classes", make_classes(js, s));
    js_text(js, o, "behaviour", s->rows[COMPARE_BOTH].behaviour);
    for (int way = 0; way < COMPARE_BOTH; way++) {
        js_text(js, behaviours, compare_way_name((enum compare_way)way), s->rows[way].behaviour);
        js_set(js, clocks, compare_way_name((enum compare_way)way), make_clock(js, s, way));
    }
    js_set(js, o, "behaviours", behaviours);
    js_set(js, o, "clocks", clocks);
    js_set(js, o, "declared", make_declared(js, s));
    js_bool(js, o, "loss_known", s->rows[COMPARE_BOTH].loss_known);
    js_text_or_null(js, o, "loss_reason", s->rows[COMPARE_BOTH].loss_reason);
    js_count(js, o, "assumed_streams", s->rows[COMPARE_BOTH].assumed_streams);
    for (size_t i = 0; i < s->stream_count; i++)
        js_append(js, streams, make_stream(js, &s->streams[i]));
    js_set(js, o, "streams", streams);
    js_count(js, o, "streams_left_out", s->streams_left_out);
    return o;
}

static json_t *make_capture(struct js *js, const struct compare_capture *c)
{
    json_t *o = js_check(js, json_object()), *skipped = js_check(js, json_object());
    const struct input *in = &c->input;
    js_text(js, o, "file", in->file);
    js_count(js, o, "packets", in->packets);
    js_count(js, o, "bytes", in->bytes);
    js_time(js, o, "first", in->packets > 0, in->first_ns);
    js_time(js, o, "last", in->packets > 0, in->last_ns);
    js_count(js, skipped, "truncated", in->truncated);
    js_count(js, skipped, "malformed", in->malformed);
    js_count(js, skipped, "unsupported", in->unsupported);
    js_set(js, o, "skipped", skipped);
    js_count(js, o, "dropped", in->dropped);
    js_bool(js, o, "complete", in->complete);
    js_text_or_null(js, o, "problem", in->problem);
    js_count(js, o, "compared", c->taken);
    js_count(js, o, "beyond_cap", c->left_out);
    return o;
}

static json_t *make_unmatched(struct js *js, const struct compare_document *d, const struct compare_unmatched *u)
{
    json_t *o = js_check(js, json_object());
    js_text(js, o, "capture", d->captures[u->capture].input.file);
    js_text(js, o, "other", d->captures[u->other].input.file);
    set_proto(js, o, u->proto);
    set_endpoint(js, o, "src", &u->src);
    set_endpoint(js, o, "dst", &u->dst);
    set_ssrc(js, o, u->has_ssrc, u->ssrc);
    js_text(js, o, "kind", kind_name(u->kind));
    set_class_name(js, o, u->traffic_class);
    js_count(js, o, "packets", u->packets);
    js_count(js, o, "first_frame", u->first_frame);
    js_text(js, o, "reason", compare_unpaired_name(u->why));
    js_text(js, o, "explanation", compare_unpaired_text(u->why));
    return o;
}

static json_t *make_finding(struct js *js, const struct compare_document *d, const struct compare_finding *f)
{
    const struct compare_segment *s = &d->segments[f->segment];
    json_t *o = js_check(js, json_object()), *classes = js_check(js, json_array());
    js_text(js, o, "code", f->code);
    js_text(js, o, "message", f->message);
    js_text(js, o, "advice", f->advice);
    js_bool(js, o, "violation", f->violation);
    js_text(js, o, "confidence", confidence_name(f->confidence));
    js_text(js, o, "before", d->captures[compare_before(s, f->way)].input.file);
    js_text(js, o, "after", d->captures[compare_after(s, f->way)].input.file);
    js_text(js, o, "direction", compare_way_name(f->way));
    js_count(js, o, "packets", f->packets);
    if (f->streams)
        js_count(js, o, "streams", f->streams);
    js_set(js, o, "first_frame_before", count_or_null(f->first_before != 0, f->first_before));
    js_set(js, o, "first_frame_after", count_or_null(f->first_after != 0, f->first_after));
    js_text(js, o, "wireshark", f->wireshark);
    for (int c = 0; c < CLASS_COUNT; c++)
        if (f->classes >> c & 1) {
            const char *name = compare_class_name((enum traffic_class)c);
            js_append(js, classes, js_string(js, slice_make(name, strlen(name))));
        }
    js_set(js, o, "classes", classes);
    return o;
}

static json_t *make_summary(struct js *js, const struct compare_document *d)
{
    json_t *o = js_check(js, json_object());
    const struct compare_row *row = &d->whole->rows[COMPARE_BOTH];
    uint64_t changed = 0, wanted = 0, classed = 0;
    for (size_t i = 0; i < d->segment_count; i++) {
        changed += d->segments[i].rows[COMPARE_BOTH].changed;
        wanted += d->segments[i].rows[COMPARE_BOTH].wanted;
    }
    for (size_t i = 0; i < d->unmatched_count; i++)
        classed += d->unmatched[i].traffic_class != CLASS_NONE;
    js_text(js, o, "verdict", summary_verdict_name(d->verdict));
    js_bool(js, o, "complete", d->complete);
    js_text(js, o, "text", d->verdict_text);
    js_count(js, o, "streams", row->streams);
    js_count(js, o, "matched", row->matched);
    js_count(js, o, "changed", changed);
    js_count(js, o, "wanted", wanted);
    js_set(js, o, "lost", count_or_null(row->loss_known, row->lost));
    js_count(js, o, "unmatched_streams", d->unmatched_count + d->unmatched_left_out);
    js_count(js, o, "unmatched_streams_with_class", classed);
    return o;
}

static json_t *make_document(struct js *js, const struct compare_document *d)
{
    json_t *o = js_check(js, json_object()), *captures = js_check(js, json_array()),
           *segments = js_check(js, json_array()), *unmatched = js_check(js, json_array()),
           *findings = js_check(js, json_array()), *notes = js_check(js, json_array()),
           *policy = js_check(js, json_object());
    js_text(js, o, "schema", d->points ? "qosmark.fleet/1" : "qosmark.compare/1");
    js_text(js, policy, "name", d->policy_name);
    js_text(js, policy, "source", d->policy_source);
    js_set(js, o, "policy", policy);
    for (size_t i = 0; i < d->capture_count; i++)
        js_append(js, captures, make_capture(js, &d->captures[i]));
    js_set(js, o, "captures", captures);
    js_set(js, o, "classes", make_classes(js, d->whole));
    for (size_t i = 0; i < d->unmatched_count; i++)
        js_append(js, unmatched, make_unmatched(js, d, &d->unmatched[i]));
    js_set(js, o, "unmatched", unmatched);
    js_count(js, o, "unmatched_left_out", d->unmatched_left_out);
    js_text(js, o, "behaviour", d->whole->rows[COMPARE_BOTH].behaviour);
    for (size_t i = 0; i < d->finding_count; i++)
        js_append(js, findings, make_finding(js, d, &d->findings[i]));
    js_set(js, o, "findings", findings);
    js_set(js, o, "summary", make_summary(js, d));
    for (size_t i = 0; i < d->segment_count; i++)
        js_append(js, segments, make_segment(js, d, &d->segments[i]));
    js_set(js, o, "segments", segments);
    for (size_t i = 0; i < d->note_count; i++)
        js_append(js, notes, js_string(js, slice_make(d->notes[i], strlen(d->notes[i]))));
    js_set(js, o, "notes", notes);
    return o;
}

static void write_document(struct out *out, const struct compare_document *d, bool one_line)
{
    struct js js = {0};
    js_write(out, &js, make_document(&js, d), one_line);
    js_done(&js);
    out_adds(out, "\n");
}

void report_compare_json(struct out *out, const struct compare_document *d, const struct report_options *o)
{
    (void)o;
    write_document(out, d, false);
}

void report_compare_jsonl(struct out *out, const struct compare_document *d, const struct report_options *o)
{
    (void)o;
    write_document(out, d, true);
}

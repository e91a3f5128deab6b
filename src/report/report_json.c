#include "report/report_json.h"

#include <string.h>

#include "report/formats.h"
#include "report/view.h"

/* Fifteen digits bring back a number of three decimals as it was rounded; seventeen would show its binary error. */
#define DUMP_FLAGS (JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY)

/* A document on its way out, one value at a time: half a million streams are never all in memory as JSON. */
struct writer {
    struct out *out;
    struct js js;
};

static int dump_piece(const char *bytes, size_t len, void *user)
{
    struct out *out = user;
    out_add(out, bytes, len);
    return out_ok(out) ? 0 : -1;
}

/* Writes the value and gives it back. */
static void write_value(struct writer *w, json_t *value)
{
    bool dumped =
        value && !w->js.failed && out_ok(w->out) && json_dump_callback(value, dump_piece, w->out, DUMP_FLAGS) == 0;
    if (!dumped)
        out_fail(w->out, ERR_MEMORY); /* keeps ERR_IO where the sink was the cause */
    json_decref(value);
}

typedef json_t *make_item(struct js *js, const struct document *d, size_t i);

/* `"key": [` with one item a line, so that the file can be read and searched by line. */
static void write_array(struct writer *w, const char *key, size_t n, make_item *make)
{
    out_adds(w->out, ",\n\"");
    out_adds(w->out, key);
    out_adds(w->out, "\": [");
    for (size_t i = 0; i < n && out_ok(w->out); i++) {
        out_adds(w->out, i ? ",\n  " : "\n  ");
        write_value(w, make(&w->js, w->js.document, i));
    }
    out_adds(w->out, "]");
}

static void write_member(struct writer *w, const char *key, json_t *value)
{
    out_adds(w->out, ",\n\"");
    out_adds(w->out, key);
    out_adds(w->out, "\": ");
    write_value(w, value);
}

static json_t *make_policy(struct js *js, const struct document *d)
{
    json_t *o = js_check(js, json_object());
    js_text(js, o, "name", d->policy_name);
    js_text(js, o, "source", d->policy_source);
    json_t *expect = json_object();
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        if (d->expect[c].marks)
            js_marks(js, expect, class_name((enum traffic_class)c), d->expect[c].marks, d->expect[c].preferred);
    js_set(js, o, "expect", expect);
    return o;
}

static json_t *make_input(struct js *js, const struct document *d, size_t i)
{
    const struct input *in = &d->inputs[i];
    json_t *o = js_check(js, json_object());
    js_text(js, o, "file", in->file);
    js_count(js, o, "packets", in->packets);
    js_count(js, o, "bytes", in->bytes);
    js_time(js, o, "first", in->packets > 0, in->first_ns);
    js_time(js, o, "last", in->packets > 0, in->last_ns);
    json_t *skipped = json_object();
    js_count(js, skipped, "truncated", in->truncated);
    js_count(js, skipped, "malformed", in->malformed);
    js_count(js, skipped, "unsupported", in->unsupported);
    js_set(js, o, "skipped", skipped);
    js_count(js, o, "dropped", in->dropped);
    js_bool(js, o, "complete", in->complete);
    js_text(js, o, "problem", in->problem);
    return o;
}

static json_t *make_summary(struct js *js, const struct document *d)
{
    static const char *const verdicts[] = {
        [SUMMARY_NOTHING_CHECKED] = "nothing-checked",
        [SUMMARY_PASS] = "pass",
        [SUMMARY_FAIL] = "fail",
    };
    const struct summary *s = &d->summary;
    json_t *o = js_check(js, json_object());
    js_text(js, o, "verdict", verdicts[s->verdict]);
    js_bool(js, o, "complete", s->complete);
    js_count(js, o, "streams", s->streams);
    js_count(js, o, "checked", s->checked);
    js_count(js, o, "conforming", s->conforming);
    js_count(js, o, "violating", s->violating);
    js_count(js, o, "undetermined", s->undetermined);
    js_count(js, o, "packets_checked", s->packets_checked);
    js_count(js, o, "packets_violating", s->packets_violating);
    js_count(js, o, "unchecked", s->unchecked);
    return o;
}

static void set_row_counts(struct js *js, json_t *o, const struct summary_row *row)
{
    js_count(js, o, "streams", row->streams);
    js_count(js, o, "packets", row->packets);
    js_count(js, o, "violating_packets", row->violating_packets);
    dscp_t marks[DSCP_COUNT];
    size_t n = view_by_packets(row->by_dscp, marks);
    json_t *dscp = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *mark = json_object();
        js_count(js, mark, "dscp", marks[i]);
        js_text(js, mark, "name", dscp_name(marks[i]));
        js_count(js, mark, "packets", row->by_dscp[marks[i]]);
        js_append(js, dscp, mark);
    }
    js_set(js, o, "dscp", dscp);
    js_count(js, o, "violating_streams", row->violating_streams);
    js_count(js, o, "undetermined_streams", row->undetermined_streams);
}

static json_t *make_class_row(struct js *js, const struct document *d, size_t i)
{
    const struct summary_row *row = &d->by_class[i];
    json_t *o = js_check(js, json_object());
    js_text_or_null(js, o, "class", class_name(row->traffic_class));
    js_text(js, o, "direction", direction_name(row->direction));
    js_text_or_null(js, o, "node", view_node(d, row->node));
    set_row_counts(js, o, row);
    return o;
}

static json_t *make_site_row(struct js *js, const struct document *d, size_t i)
{
    const struct summary_row *row = &d->by_site[i];
    json_t *o = js_check(js, json_object());
    js_text_or_null(js, o, "site", view_site(d, row->site));
    js_text(js, o, "direction", direction_name(row->direction));
    set_row_counts(js, o, row);
    return o;
}

static json_t *make_call(struct js *js, const struct document *d, size_t i)
{
    const struct call *c = &d->calls[i];
    json_t *o = js_check(js, json_object());
    js_text(js, o, "id", c->id);
    js_text_or_null(js, o, "call_id", c->call_id);
    js_text_or_null(js, o, "from", c->from);
    js_text_or_null(js, o, "to", c->to);
    js_time(js, o, "first", c->first_ns || c->last_ns, c->first_ns);
    js_time(js, o, "last", c->first_ns || c->last_ns, c->last_ns);
    js_text(js, o, "verdict", verdict_name(c->verdict));
    json_t *streams = json_array();
    for (size_t n = 0; n < c->stream_count; n++)
        js_append(js, streams, json_integer((json_int_t)c->streams[n]));
    js_set(js, o, "streams", streams);
    js_text_or_null(js, o, "user_agent", c->user_agent);
    return o;
}

static json_t *make_finding(struct js *js, const struct document *d, size_t i)
{
    return json_finding(js, &d->findings[i], true);
}

static json_t *make_node(struct js *js, const struct document *d, size_t i)
{
    const struct node *n = &d->nodes[i];
    json_t *o = js_check(js, json_object());
    js_text(js, o, "name", n->name);
    json_t *addresses = json_array(), *roles = json_array();
    for (size_t a = 0; a < n->address_count; a++) {
        char text[ADDR_TEXT_MAX];
        addr_format(&n->addresses[a], text);
        js_append(js, addresses, json_string(text));
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *role = role_name((enum node_role)(n->roles & 1u << bit));
        if (*role)
            js_append(js, roles, json_string(role));
    }
    js_set(js, o, "addresses", addresses);
    js_set(js, o, "roles", roles);
    js_bool(js, o, "inferred", n->inferred);
    js_text(js, o, "evidence", n->evidence);
    return o;
}

static json_t *make_site(struct js *js, const struct document *d, size_t i)
{
    const struct site *s = &d->sites[i];
    json_t *o = js_check(js, json_object());
    js_text(js, o, "name", s->name);
    json_t *prefixes = json_array();
    for (size_t p = 0; p < s->prefix_count; p++) {
        char text[ADDR_TEXT_MAX];
        addr_format(&s->prefixes[p].addr, text);
        js_append(js, prefixes, json_sprintf("%s/%u", text, (unsigned)s->prefixes[p].len));
    }
    js_set(js, o, "prefixes", prefixes);
    return o;
}

static json_t *make_side(struct js *js, const struct quality *q)
{
    json_t *o = json_object();
    js_count(js, o, "streams", q->streams);
    js_count(js, o, "packets_expected", q->packets_expected);
    js_count(js, o, "packets_lost", q->packets_lost);
    js_ms(js, o, "jitter_ms", q->jitter_ms);
    return o;
}

static json_t *make_quality(struct js *js, const struct document *d)
{
    if (!view_has_quality(d))
        return json_null();
    json_t *o = js_check(js, json_object());
    js_set(js, o, "right", make_side(js, &d->right_quality));
    js_set(js, o, "wrong", make_side(js, &d->wrong_quality));
    return o;
}

static json_t *make_note(struct js *js, const struct document *d, size_t i)
{
    return js_check(js, js_string(js, slice_make(d->notes[i], strlen(d->notes[i]))));
}

static json_t *make_record(struct js *js, const struct document *d, size_t i)
{
    return json_record(js, &d->records[i]);
}

void report_json(struct out *out, const struct document *d, const struct report_options *o)
{
    (void)o;
    struct writer w = {.out = out, .js = {.document = d}};
    out_adds(out, "{\"schema\": \"qosmark.audit/1\"");
    write_member(&w, "policy", make_policy(&w.js, d));
    write_array(&w, "inputs", d->input_count, make_input);
    write_member(&w, "summary", make_summary(&w.js, d));
    write_array(&w, "by_class", d->by_class_count, make_class_row);
    write_array(&w, "by_site", d->by_site_count, make_site_row);
    write_array(&w, "calls", d->call_count, make_call);
    write_array(&w, "findings", d->finding_count, make_finding);
    write_array(&w, "nodes", d->node_count, make_node);
    write_array(&w, "sites", d->site_count, make_site);
    write_member(&w, "quality", make_quality(&w.js, d));
    write_array(&w, "notes", d->note_count, make_note);
    write_array(&w, "streams", d->record_count, make_record);
    out_adds(out, "}\n");
    js_done(&w.js);
}

void report_jsonl(struct out *out, const struct document *d, const struct report_options *o)
{
    (void)o;
    struct writer w = {.out = out, .js = {.document = d}};
    for (size_t i = 0; i < d->record_count && out_ok(out); i++) {
        write_value(&w, json_record(&w.js, &d->records[i]));
        out_adds(out, "\n");
    }
    js_done(&w.js);
}

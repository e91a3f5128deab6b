#include "report/report_json.h"

#include "report/formats.h"
#include "report/view.h"

/* A document of half a million streams is a gigabyte of JSON: written value by value, nothing of it is kept. */
struct writer {
    struct emit e;
    const struct document *d;
    struct record_scratch record;
    struct finding_scratch finding;
    struct call_scratch call;
    struct call_words words;
};

static void writer_done(struct writer *w)
{
    if (w->record.failed)
        out_fail(w->e.out, ERR_MEMORY);
    emit_done(&w->e);
    record_scratch_done(&w->record);
    finding_scratch_done(&w->finding);
    call_scratch_done(&w->call);
    call_words_done(&w->words);
}

void emit_call_id(struct emit *e, const struct document *d, uint32_t call)
{
    char text[VIEW_CALL_MAX];
    emit_text_or_null(e, view_call(d, call, text));
}

typedef void emit_item(struct writer *w, size_t i);

/* `"key": [` with one item a line, so that the file can be read and searched by line. */
static void write_array(struct writer *w, const char *key, size_t n, emit_item *item)
{
    struct out *out = w->e.out;
    out_adds(out, ",\n\"");
    out_adds(out, key);
    out_adds(out, "\": [");
    for (size_t i = 0; i < n && out_ok(out); i++) {
        out_adds(out, i ? ",\n  " : "\n  ");
        w->e.comma = false;
        item(w, i);
    }
    out_adds(out, "]");
}

static void write_member(struct writer *w, const char *key, void (*value)(struct writer *w))
{
    out_adds(w->e.out, ",\n\"");
    out_adds(w->e.out, key);
    out_adds(w->e.out, "\": ");
    w->e.comma = false;
    value(w);
}

static void put_policy(struct writer *w)
{
    emit_policy(&w->e, w->d);
}

static void put_input(struct writer *w, size_t i)
{
    emit_input(&w->e, &w->d->inputs[i]);
}

void emit_summary(struct emit *e, const struct summary *s)
{
    emit_open(e, '{');
    emit_key(e, "verdict");
    emit_text(e, summary_verdict_name(s->verdict));
    emit_key(e, "complete");
    emit_bool(e, s->complete);
    emit_key(e, "streams");
    emit_count(e, s->streams);
    emit_key(e, "checked");
    emit_count(e, s->checked);
    emit_key(e, "conforming");
    emit_count(e, s->conforming);
    emit_key(e, "violating");
    emit_count(e, s->violating);
    emit_key(e, "undetermined");
    emit_count(e, s->undetermined);
    emit_key(e, "packets_checked");
    emit_count(e, s->packets_checked);
    emit_key(e, "packets_violating");
    emit_count(e, s->packets_violating);
    emit_key(e, "unchecked");
    emit_count(e, s->unchecked);
    emit_close(e, '}');
}

static void put_row_counts(struct emit *e, const struct summary_row *row)
{
    dscp_t marks[DSCP_COUNT];
    size_t n = view_by_packets(row->by_dscp, marks);
    emit_key(e, "streams");
    emit_count(e, row->streams);
    emit_key(e, "packets");
    emit_count(e, row->packets);
    emit_key(e, "violating_packets");
    emit_count(e, row->violating_packets);
    emit_key(e, "dscp");
    emit_open(e, '[');
    for (size_t i = 0; i < n; i++) {
        emit_open(e, '{');
        emit_key(e, "dscp");
        emit_count(e, marks[i]);
        emit_key(e, "name");
        emit_text(e, dscp_name(marks[i]));
        emit_key(e, "packets");
        emit_count(e, row->by_dscp[marks[i]]);
        emit_close(e, '}');
    }
    emit_close(e, ']');
    emit_key(e, "violating_streams");
    emit_count(e, row->violating_streams);
    emit_key(e, "undetermined_streams");
    emit_count(e, row->undetermined_streams);
}

void emit_class_row(struct emit *e, const struct document *d, const struct summary_row *row)
{
    emit_open(e, '{');
    emit_key(e, "class");
    emit_text_or_null(e, class_name(row->traffic_class));
    emit_key(e, "direction");
    emit_text(e, direction_name(row->direction));
    emit_key(e, "node");
    emit_text_or_null(e, view_node(d, row->node));
    put_row_counts(e, row);
    emit_close(e, '}');
}

void emit_site_row(struct emit *e, const struct document *d, const struct summary_row *row)
{
    emit_open(e, '{');
    emit_key(e, "site");
    emit_text_or_null(e, view_site(d, row->site));
    emit_key(e, "direction");
    emit_text(e, direction_name(row->direction));
    put_row_counts(e, row);
    emit_close(e, '}');
}

static void put_summary(struct writer *w)
{
    emit_summary(&w->e, &w->d->summary);
}

static void put_class_row(struct writer *w, size_t i)
{
    emit_class_row(&w->e, w->d, &w->d->by_class[i]);
}

static void put_site_row(struct writer *w, size_t i)
{
    emit_site_row(&w->e, w->d, &w->d->by_site[i]);
}

static void put_call(struct writer *w, size_t i)
{
    struct emit *e = &w->e;
    const struct call *c = document_call(w->d, i, &w->call);
    emit_open(e, '{');
    emit_key(e, "id");
    emit_text(e, c->id);
    emit_key(e, "call_id");
    emit_text_or_null(e, c->call_id);
    emit_key(e, "from");
    emit_text_or_null(e, c->from);
    emit_key(e, "to");
    emit_text_or_null(e, c->to);
    emit_key(e, "first");
    emit_time(e, c->first_ns || c->last_ns, c->first_ns);
    emit_key(e, "last");
    emit_time(e, c->first_ns || c->last_ns, c->last_ns);
    emit_key(e, "verdict");
    emit_text(e, verdict_name(c->verdict));
    emit_key(e, "streams");
    emit_open(e, '[');
    for (size_t n = 0; n < c->stream_count; n++)
        emit_count(e, c->streams[n]);
    emit_close(e, ']');
    emit_key(e, "user_agent");
    emit_text_or_null(e, c->user_agent);
    emit_close(e, '}');
}

static void put_finding(struct writer *w, size_t i)
{
    emit_finding(&w->e, w->d, document_finding(w->d, i, &w->finding), true);
    if (w->finding.failed)
        out_fail(w->e.out, ERR_MEMORY);
}

static void put_node(struct writer *w, size_t i)
{
    emit_node(&w->e, &w->d->nodes[i]);
}

static void put_site(struct writer *w, size_t i)
{
    emit_site(&w->e, &w->d->sites[i]);
}

static void put_side(struct emit *e, const struct quality *q)
{
    emit_open(e, '{');
    emit_key(e, "streams");
    emit_count(e, q->streams);
    emit_key(e, "packets_expected");
    emit_count(e, q->packets_expected);
    emit_key(e, "packets_lost");
    emit_count(e, q->packets_lost);
    emit_key(e, "jitter_ms");
    emit_ms(e, q->jitter_ms);
    emit_close(e, '}');
}

static void put_quality(struct writer *w)
{
    struct emit *e = &w->e;
    if (!view_has_quality(w->d)) {
        emit_null(e);
        return;
    }
    emit_open(e, '{');
    emit_key(e, "right");
    put_side(e, &w->d->right_quality);
    emit_key(e, "wrong");
    put_side(e, &w->d->wrong_quality);
    emit_close(e, '}');
}

static void put_limited(struct writer *w)
{
    emit_bool(&w->e, w->d->limited);
}

static void put_note(struct writer *w, size_t i)
{
    emit_text(&w->e, w->d->notes[i]);
}

static void put_record(struct writer *w, size_t i)
{
    emit_record_of(&w->e, w->d, i, document_record(w->d, i, RECORD_ALL, &w->record), &w->words, false);
}

/* The first line tells of the run as well, so that lines are all that `qosmark report` needs. */
static void put_line(struct writer *w, size_t i)
{
    emit_record_of(&w->e, w->d, i, document_record(w->d, i, RECORD_ALL, &w->record), &w->words, i == 0);
}

void report_json(struct out *out, const struct document *d, const struct report_options *o)
{
    (void)o;
    struct writer w = {.e = {.out = out}, .d = d};
    out_adds(out, "{\"schema\": \"qosmark.audit/1\"");
    write_member(&w, "policy", put_policy);
    write_array(&w, "inputs", d->input_count, put_input);
    write_member(&w, "summary", put_summary);
    write_array(&w, "by_class", d->by_class_count, put_class_row);
    write_array(&w, "by_site", d->by_site_count, put_site_row);
    write_array(&w, "calls", d->call_count, put_call);
    write_array(&w, "findings", d->finding_count, put_finding);
    write_array(&w, "nodes", d->node_count, put_node);
    write_array(&w, "sites", d->site_count, put_site);
    write_member(&w, "quality", put_quality);
    write_array(&w, "notes", d->note_count, put_note);
    write_member(&w, "limited", put_limited);
    write_array(&w, "streams", d->record_count, put_record);
    out_adds(out, "}\n");
    writer_done(&w);
}

void report_jsonl(struct out *out, const struct document *d, const struct report_options *o)
{
    (void)o;
    struct writer w = {.e = {.out = out}, .d = d};
    for (size_t i = 0; i < d->record_count && out_ok(out); i++) {
        w.e.comma = false;
        put_line(&w, i);
        out_adds(out, "\n");
    }
    writer_done(&w);
}

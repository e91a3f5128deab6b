#include "report/report_json.h"

#include "report/records_saved.h"

/* What is known beside a record: the call it belongs to, whether its input is whole, what it was joined from. */

void call_words_done(struct call_words *w)
{
    record_scratch_done(&w->record);
}

/* A session without readable signalling: the ends and the time of its first stream, as document_call() has it. */
static void find_session(struct call_words *w, const struct document *d, uint32_t call)
{
    if (w->call == call)
        return;
    w->call = call;
    uint32_t first = d->call_streams[d->call_start[call - 1]];
    const struct record *r = document_record(d, first, RECORD_PLAIN, &w->record);
    endpoint_format(r->from_initiator ? &r->src : &r->dst, w->from);
    endpoint_format(r->from_initiator ? &r->dst : &r->src, w->to);
    w->first_ns = r->first_ns;
}

static void add_given_call(struct emit *e, const struct call *c)
{
    bool timed = c->first_ns || c->last_ns;
    emit_key(e, "call_id");
    emit_text_or_null(e, c->call_id);
    emit_key(e, "from");
    emit_text_or_null(e, c->from);
    emit_key(e, "to");
    emit_text_or_null(e, c->to);
    if (c->call_id && *c->call_id) {
        emit_key(e, "user_agent");
        emit_text_or_null(e, c->user_agent);
    }
    emit_key(e, "call_first");
    emit_time(e, timed, c->first_ns);
    if (c->call_id && *c->call_id) {
        emit_key(e, "call_last");
        emit_time(e, timed, c->last_ns);
    }
}

static void add_call(struct emit *e, const struct document *d, uint32_t call, struct call_words *w)
{
    if (call == 0 || call > d->call_count)
        return;
    if (call <= d->calls_given) {
        add_given_call(e, &d->calls[call - 1]);
        return;
    }
    if (!d->call_start || d->call_start[call] == d->call_start[call - 1])
        return;
    find_session(w, d, call);
    emit_key(e, "call_id");
    emit_null(e);
    emit_key(e, "from");
    emit_text(e, w->from);
    emit_key(e, "to");
    emit_text(e, w->to);
    emit_key(e, "call_first");
    emit_time(e, true, w->first_ns);
}

static void add_overlap(struct emit *e, const struct record *r, const struct saved_extra *x)
{
    bool outvoted = x->outvoted && r->verdict != VERDICT_VIOLATING;
    bool alone = x->cover_first_ns == r->first_ns && x->latest_first_ns == r->first_ns &&
                 x->cover_last_ns == r->last_ns && x->earliest_last_ns == r->last_ns;
    if (x->part_count || (alone && !outvoted))
        return;
    emit_key(e, "overlap");
    emit_open(e, '{');
    emit_key(e, "first");
    emit_time(e, true, x->cover_first_ns);
    emit_key(e, "last");
    emit_time(e, true, x->cover_last_ns);
    emit_key(e, "violating");
    emit_bool(e, outvoted);
    emit_key(e, "latest_first");
    emit_time(e, true, x->latest_first_ns);
    emit_key(e, "earliest_last");
    emit_time(e, true, x->earliest_last_ns);
    emit_close(e, '}');
}

static void add_extra(struct emit *e, const struct document *d, const struct record *r, const struct saved_extra *x,
                      struct call_words *words)
{
    if (x->incomplete) {
        emit_key(e, "input_complete");
        emit_bool(e, false);
    }
    add_overlap(e, r, x);
    if (x->part_count == 0)
        return;
    emit_key(e, "parts");
    emit_open(e, '[');
    for (uint32_t i = 0; i < x->part_count; i++) {
        emit_open(e, '{');
        emit_record_members(e, d, &x->parts[i]);
        add_call(e, d, x->parts[i].call, words);
        add_extra(e, d, &x->parts[i], &x->part_extras[i], words);
        emit_close(e, '}');
    }
    emit_close(e, ']');
}

void emit_record_of(struct emit *e, const struct document *d, size_t i, const struct record *r,
                    struct call_words *words, bool with_run)
{
    const struct saved_origin *o = saved_origin_of(d);
    emit_open(e, '{');
    emit_record_members(e, d, r);
    add_call(e, d, r->call, words);
    if (o) {
        add_extra(e, d, r, &o->extras[i], words);
    } else if (!d->summary.complete) {
        emit_key(e, "input_complete");
        emit_bool(e, false);
    }
    if (with_run) {
        emit_key(e, "audit");
        emit_run(e, d);
    }
    emit_close(e, '}');
}

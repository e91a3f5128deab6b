/* The table as a document: its records, and of which call each is. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/look.h"
#include "stream/records.h"
#include "stream/session.h"

struct export {
    struct stream_table *t;
    struct document *d;
    struct records *records;
    struct sessions sessions;
    struct scope scope; /* streams at present, where they are in it */
    bool ended_only;

    uint32_t *cards;      /* SIP calls, by first message */
    size_t card_count;
    uint32_t *card_place; /* index + 1 into `cards`, by card */
    uint32_t *call_of;    /* index + 1 into document.calls, by part that stands for a session */
    uint32_t *number_of;  /* of calls in documents: by part that stands for a session */
    uint32_t *numbers;    /* the same, by index into document.calls */
    size_t session_count;
};

/* --- calls that SIP set up ---------------------------------------------------------------------------------------- */

/* All there are; of ended streams alone, those that they belong to. */
static bool find_cards(struct export *e)
{
    const struct cards *cards = expect_table_cards(e->t->expect);
    struct records *r = e->records;
    e->card_place = calloc(cards->pool.count + (size_t)1, sizeof *e->card_place);
    e->cards = cards_list(cards, &e->card_count);
    if (!e->cards || !e->card_place)
        return false;
    if (e->t->options.ignore_signalling)
        e->card_count = 0;
    if (e->ended_only) {
        for (size_t i = 0; i < r->count; i++)
            if (r->call[i])
                e->card_place[r->call[i] - 1] = 1;
        size_t kept = 0;
        for (size_t i = 0; i < e->card_count; i++)
            if (e->card_place[e->cards[i]])
                e->cards[kept++] = e->cards[i];
        e->card_count = kept;
    }
    for (size_t i = 0; i < e->card_count; i++)
        e->card_place[e->cards[i]] = (uint32_t)i + 1;
    return true;
}

/* From what streams know to places in the document. */
static void place_calls(struct export *e)
{
    struct records *r = e->records;
    uint64_t place;
    for (size_t i = 0; i < r->count && r->any_call; i++) {
        if (!r->call[i])
            continue;
        uint32_t card = r->call[i] - 1;
        if (records_stream(r, i, &place))
            card = expect_table_card(e->t->expect, card);
        r->call[i] = e->card_place[card];
    }
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

static uint32_t session_of_record(struct export *e, size_t i, bool *ret_plain)
{
    uint64_t place;
    struct ended_head head;
    const struct stream *s = records_stream(e->records, i, &place);
    if (s) {
        *ret_plain = s->family == FAMILY_PLAIN;
        return session_of(&e->sessions, session_part(&e->sessions, stream_flow(e->t, s)));
    }
    ended_head_read(&e->t->ended, place, &head);
    *ret_plain = head.flags & ENDED_PLAIN;
    return session_of(&e->sessions, session_ended_part(&e->sessions, &head));
}

/* Streams of a session that has one SIP call belong to that call; a session without one becomes a call of its own. */
static bool find_calls(struct export *e)
{
    struct records *r = e->records;
    bool plain;
    e->call_of = calloc(e->sessions.count + 1, sizeof *e->call_of);
    if (!e->call_of)
        return false;
    for (size_t i = 0; i < r->count && r->any_call; i++) {
        if (!r->call[i])
            continue;
        uint32_t session = session_of_record(e, i, &plain);
        if (!e->call_of[session])
            e->call_of[session] = r->call[i];
    }
    for (size_t i = 0; i < r->count; i++) {
        if (!kind_is_rtp((enum kind)r->kind[i])) /* as only RTP is */
            continue;
        uint32_t session = session_of_record(e, i, &plain);
        if (!e->call_of[session])
            e->call_of[session] = (uint32_t)(e->card_count + ++e->session_count);
        if (!r->call[i])
            r->call[i] = e->call_of[session];
    }
    for (size_t i = 0; i < r->count && (!r->only_rtp || r->place_count); i++) {
        if (r->call[i])
            continue;
        uint32_t session = session_of_record(e, i, &plain);
        if (!plain)
            r->call[i] = e->call_of[session];
    }
    return true;
}

/* --- what calls are called ---------------------------------------------------------------------------------------- */

/* "call-7" stays that as long as packets come: numbers are given when a call is in a document for the first time. */

static void remember_number(struct export *e, uint32_t session, uint32_t number)
{
    uint32_t *known = &e->number_of[session];
    if (number && (*known == 0 || number < *known))
        *known = number;
}

static void recall_numbers(struct export *e)
{
    const struct records *r = e->records;
    struct ended_head head;
    for (uint32_t i = 0; i < e->t->flows.count; i++)
        if (!flow_at(e->t, i)->free)
            remember_number(e, session_of(&e->sessions, i), flow_at(e->t, i)->call);
    for (size_t i = 0; i < r->place_count; i++) {
        ended_head_read(&e->t->ended, r->places[i], &head);
        remember_number(e, session_of(&e->sessions, session_ended_part(&e->sessions, &head)), head.session);
    }
}

static void keep_numbers(struct export *e)
{
    const struct records *r = e->records;
    struct ended_head head;
    for (uint32_t i = 0; i < e->t->flows.count && e->session_count; i++)
        if (!flow_at(e->t, i)->free)
            flow_at(e->t, i)->call = e->number_of[session_of(&e->sessions, i)];
    for (size_t i = 0; i < r->place_count && e->session_count; i++) {
        ended_head_read(&e->t->ended, r->places[i], &head);
        uint32_t number = e->number_of[session_of(&e->sessions, session_ended_part(&e->sessions, &head))];
        if (number && number != head.session)
            ended_head_session(&e->t->ended, r->places[i], number);
    }
}

/* False without memory. */
static bool number_calls(struct export *e)
{
    const struct cards *cards = expect_table_cards(e->t->expect);
    e->number_of = calloc(e->sessions.count + 1, sizeof *e->number_of);
    e->numbers = calloc(e->card_count + e->session_count + 1, sizeof *e->numbers);
    if (!e->number_of || !e->numbers)
        return false;
    recall_numbers(e);
    for (size_t i = 0; i < e->card_count; i++) {
        struct card *card = cards_at(cards, e->cards[i]);
        if (card->number == 0)
            card->number = ++e->t->call_numbers;
        e->numbers[i] = card->number;
    }
    for (uint32_t part = 0; part < e->sessions.count; part++)
        if (e->call_of[part] > e->card_count)
            e->numbers[e->call_of[part] - 1] = e->number_of[part];
    for (size_t i = e->card_count; i < e->card_count + e->session_count; i++)
        if (e->numbers[i] == 0)
            e->numbers[i] = ++e->t->call_numbers;
    for (uint32_t part = 0; part < e->sessions.count; part++)
        if (e->call_of[part] > e->card_count)
            e->number_of[part] = e->numbers[e->call_of[part] - 1];
    keep_numbers(e);
    return true;
}

/* Where each call's number is its place in the list, the document makes those of sessions by itself. */
static bool numbers_are_places(const struct export *e)
{
    for (size_t i = 0; i < e->card_count + e->session_count; i++)
        if (e->numbers[i] != i + 1)
            return false;
    return true;
}

/* --- the calls of the document ------------------------------------------------------------------------------------ */

static bool give_cards(struct export *e)
{
    const struct cards *cards = expect_table_cards(e->t->expect);
    struct document *d = e->d;
    for (size_t i = 0; i < e->card_count; i++)
        if (!expect_card_call(cards, e->cards[i], &d->arena, &d->calls[i]) ||
            !(d->calls[i].id = arena_printf(&d->arena, "call-%u", e->numbers[i])))
            return false;
    return true;
}

/* A session's ends are those of its first stream, from who opened the conversation. */
static bool give_session(struct document *d, struct call *c, const struct record *r, uint32_t number)
{
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
    endpoint_format(r->from_initiator ? &r->src : &r->dst, from);
    endpoint_format(r->from_initiator ? &r->dst : &r->src, to);
    *c = (struct call){.id = arena_printf(&d->arena, "call-%u", number),
                       .call_id = "",
                       .user_agent = "",
                       .from = arena_copy(&d->arena, from, strlen(from)),
                       .to = arena_copy(&d->arena, to, strlen(to)),
                       .first_ns = r->first_ns,
                       .last_ns = r->last_ns};
    return c->id && c->from && c->to;
}

static bool give_sessions(struct export *e)
{
    struct document *d = e->d;
    struct records *records = e->records;
    struct record_scratch scratch = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < records->count; i++) {
        uint32_t call = records->call[i];
        if (call <= e->card_count)
            continue;
        struct call *c = &d->calls[call - 1];
        records_fill(records, d, i, RECORD_PLAIN, &scratch);
        if (!c->id)
            ok = give_session(d, c, &scratch.record, e->numbers[call - 1]);
        c->last_ns = scratch.record.last_ns > c->last_ns ? scratch.record.last_ns : c->last_ns;
    }
    record_scratch_done(&scratch);
    return ok;
}

static bool export_calls(struct export *e)
{
    struct document *d = e->d;
    if (!find_cards(e))
        return false;
    place_calls(e);
    if (!find_calls(e) || !number_calls(e))
        return false;
    bool places = numbers_are_places(e);
    d->call_count = e->card_count + e->session_count;
    d->calls_given = places ? e->card_count : d->call_count;
    d->calls = arena_alloc(&d->arena, (d->calls_given + 1) * sizeof *d->calls);
    return d->calls && give_cards(e) && (places || give_sessions(e));
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

/* Whose stream a token is of is asked of the newest document. False without memory. */
static bool remember_records(struct stream_table *t, const struct document *d, const struct records *r)
{
    struct newest *n = &t->newest;
    uint64_t place;
    free(n->record_of);
    *n = (struct newest){.document = d, .records = r, .ended = r->place_count, .unanswered = r->unanswered};
    if (!t->tokens)
        return true;
    n->record_of = calloc(t->streams.count + (size_t)1, sizeof *n->record_of);
    if (!n->record_of)
        return false;
    for (size_t i = 0; i < r->count; i++)
        if (records_stream(r, i, &place))
            n->record_of[r->order[i]] = (uint32_t)i + 1;
    n->count = t->streams.count;
    return true;
}

static int export_run(struct export *e, size_t ended)
{
    struct document *d = e->d;
    e->records = records_new(e->t, &e->scope, ended);
    bool ok = e->records &&
              sessions_init(&e->sessions, e->t, &e->scope, e->records->places, e->records->place_count) &&
              export_calls(e) && (e->ended_only || remember_records(e->t, d, e->records));
    sessions_done(&e->sessions);
    free(e->cards);
    free(e->card_place);
    free(e->call_of);
    free(e->number_of);
    free(e->numbers);
    free(e->scope.at);
    if (!ok) {
        records_free(e->records);
        return ERR_MEMORY;
    }
    d->key = e->t->options.key;
    d->record_count = e->records->count;
    d->kinds = e->records->kind;
    d->call_of = e->records->call;
    d->unknown = e->records->unknown;
    d->streams = (struct record_layer){.own = e->records, .fill = records_fill, .free = records_free};
    return 0;
}

/* As if no packet came any more, until look_undo(). */
static bool settle_for_now(struct stream_table *t, const struct scope *scope)
{
    if (!look_begin(t, scope))
        return false;
    t->finishing = true;
    stream_settle(t, scope);
    t->finishing = false;
    if (!look_failed(t))
        return true;
    look_undo(t);
    return false;
}

int stream_table_export(struct stream_table *t, struct document *d)
{
    struct export e = {.t = t, .d = d};
    look_undo(t);
    if (!scope_all(t, &e.scope) || (!t->finishing && !settle_for_now(t, &e.scope))) {
        free(e.scope.at);
        return ERR_MEMORY;
    }
    return export_run(&e, SIZE_MAX);
}

int stream_table_export_ended(struct stream_table *t, size_t n, struct document *d)
{
    struct export e = {.t = t, .d = d, .ended_only = true};
    return export_run(&e, ended_whole(&t->ended, n));
}

size_t stream_table_ended_rank(const struct stream_table *t, const struct document *d, size_t i)
{
    const struct newest *n = &t->newest;
    if (n->document != d || i >= n->records->count || !(n->records->order[i] & RECORDS_ENDED))
        return SIZE_MAX;
    return n->records->order[i] & ~RECORDS_ENDED;
}

bool stream_table_is_ended(const struct stream_table *t, const struct document *d, size_t i)
{
    return stream_table_ended_rank(t, d, i) < SIZE_MAX;
}

size_t stream_table_ended_whole(const struct stream_table *t, size_t n)
{
    size_t whole = ended_whole(&t->ended, n);
    return whole < t->newest.ended ? whole : t->newest.ended;
}

/* --- tokens ------------------------------------------------------------------------------------------------------- */

/* What a stream was merged into: see settle.c. */
static const struct stream *merged_into(const struct stream_table *t, const struct stream *s)
{
    const struct flow *f = stream_flow(t, s);
    const struct stream *first = NULL;
    for (const struct stream *m = s->family == FAMILY_UNPROVEN ? flow_media(t, f, s->side) : NULL; m; m = stream_next(t, m))
        if (!first || stream_made_before(t, m, first))
            first = m;
    return first ? first : stream_find(t, f, s->side, FAMILY_PLAIN, 0);
}

size_t stream_table_record(const struct stream_table *t, const struct document *d, uint32_t token)
{
    const struct newest *n = &t->newest;
    if (!d || n->document != d || token >= n->count)
        return SIZE_MAX;
    const struct stream *s = stream_at(t, token);
    if (s->family == FAMILY_FREE)
        return SIZE_MAX;
    if (s->merged)
        s = merged_into(t, s);
    uint32_t record = s ? n->record_of[stream_number(s)] : 0;
    return record ? record - 1 : SIZE_MAX;
}

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "stream/association.h"
#include "stream/decide.h"
#include "stream/flow.h"
#include "stream/session.h"

struct export {
    struct stream_table *t;
    struct document *d;
    struct association association;
    struct sessions sessions;
    struct stream **order;      /* the streams that become records, by first frame */
    struct decision *decisions; /* by record index */
    uint8_t *kinds;             /* of RTP streams, by stream number */
    size_t count;
};

static int by_first_packet(const void *x, const void *y)
{
    const struct stream *a = *(struct stream *const *)x, *b = *(struct stream *const *)y;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    /* not the frame numbers, which begin anew in each file of a series */
    return (a->arrival > b->arrival) - (a->arrival < b->arrival);
}

static bool export_order(struct export *e)
{
    struct stream_table *t = e->t;
    e->order = malloc((t->stream_count + 1) * sizeof(struct stream *));
    e->kinds = calloc(t->stream_count + 1, 1);
    if (!e->order || !e->kinds)
        return false;
    for (size_t i = 0; i < t->stream_count; i++)
        if (!t->streams[i]->merged && t->streams[i]->packets)
            e->order[e->count++] = t->streams[i];
    qsort(e->order, e->count, sizeof(struct stream *), by_first_packet);
    e->decisions = calloc(e->count + 1, sizeof *e->decisions);
    return e->decisions != NULL;
}

static void export_decide(struct export *e)
{
    for (size_t i = 0; i < e->t->flow_count; i++)
        for (int side = 0; side < 2; side++)
            e->t->flows[i]->sides[side].media_kinds = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (e->order[i]->family == FAMILY_RTP) {
            decide_rtp(e->t, e->order[i], &e->decisions[i]);
            enum kind kind = e->decisions[i].judgement.kind;
            e->kinds[e->order[i]->number] = (uint8_t)kind;
            e->order[i]->flow->sides[e->order[i]->side].media_kinds |= 1u << kind;
        }
    }
    for (size_t i = 0; i < e->count; i++)
        if (e->order[i]->family != FAMILY_RTP)
            decide_other(e->t, &e->association, e->order[i], e->kinds, &e->decisions[i]);
    for (size_t i = 0; i < e->count; i++)
        e->order[i]->flow->announced |= e->decisions[i].call != 0;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* Streams of a session that has one SIP call belong to that call; a session without one becomes a call of its own. */
static bool export_calls(struct export *e)
{
    struct document *d = e->d;
    size_t sip_calls = e->t->options.ignore_signalling ? 0 : expect_table_call_count(e->t->expect);
    uint32_t *call_of = calloc(e->t->flow_count + 1, sizeof *call_of);
    size_t sessions = 0;
    bool ok = false;
    if (!call_of)
        return false;

    for (size_t i = 0; i < e->count; i++) {
        uint32_t session = session_of(&e->sessions, e->order[i]->flow);
        if (e->decisions[i].call && !call_of[session])
            call_of[session] = e->decisions[i].call;
    }
    for (size_t i = 0; i < e->count; i++) {
        uint32_t session = session_of(&e->sessions, e->order[i]->flow);
        if (e->order[i]->family == FAMILY_RTP && !call_of[session])
            call_of[session] = (uint32_t)(sip_calls + ++sessions);
    }
    d->call_count = sip_calls + sessions;
    d->calls = arena_alloc(&d->arena, (d->call_count + 1) * sizeof *d->calls);
    if (!d->calls)
        goto out;
    for (size_t i = 0; i < sip_calls; i++)
        if (!expect_table_call(e->t->expect, i, &d->arena, &d->calls[i]))
            goto out;
    for (size_t i = 0; i < e->count; i++) {
        const struct stream *s = e->order[i];
        if (!e->decisions[i].call && s->family != FAMILY_PLAIN)
            e->decisions[i].call = call_of[session_of(&e->sessions, s->flow)];
        uint32_t number = e->decisions[i].call;
        if (number <= sip_calls)
            continue;
        struct call *c = &d->calls[number - 1];
        if (!c->call_id) {
            const struct flow *f = s->flow;
            uint8_t from = f->initiator == 1 ? 1 : 0;
            char text[2][ENDPOINT_TEXT_MAX];
            endpoint_format(&f->ends[from], text[0]);
            endpoint_format(&f->ends[!from], text[1]);
            c->call_id = "";
            c->user_agent = "";
            c->from = arena_copy(&d->arena, text[0], strlen(text[0]));
            c->to = arena_copy(&d->arena, text[1], strlen(text[1]));
            if (!c->from || !c->to)
                goto out;
            c->first_ns = s->first_ns;
            c->last_ns = s->last_ns;
        }
        if (s->first_ns < c->first_ns)
            c->first_ns = s->first_ns;
        if (s->last_ns > c->last_ns)
            c->last_ns = s->last_ns;
    }
    for (size_t i = 0; i < d->call_count; i++)
        if (!(d->calls[i].id = arena_printf(&d->arena, "call-%zu", i + 1)))
            goto out;
    ok = true;
out:
    free(call_of);
    return ok;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

/* True where the connection carries more than one stream of media in this direction, or could: TURN. */
static bool shares_connection(const struct stream *s)
{
    if (s->flow->proto != PROTO_TCP)
        return false;
    const struct stream *media = s->flow->sides[s->side].media;
    return media && (media->flow_next || s->flow->has_turn);
}

static bool record_marks(struct document *d, const struct stream *s, struct record *r)
{
    r->mark_count = (uint32_t)histogram_count(&s->marks);
    struct record_mark *marks = arena_alloc(&d->arena, (r->mark_count + 1) * sizeof *marks);
    if (!marks)
        return false;
    histogram_copy(&s->marks, marks);
    r->marks = marks;
    r->mark_changes = s->marks.changes;
    r->copies_differ = s->copies.differ;
    memcpy(r->ecn, s->marks.ecn, sizeof r->ecn);
    if (!s->outer)
        return true;
    r->outer_count = (uint32_t)histogram_count(&s->outer->marks);
    struct record_mark *outer = arena_alloc(&d->arena, (r->outer_count + 1) * sizeof *outer);
    if (!outer)
        return false;
    histogram_copy(&s->outer->marks, outer);
    r->outer = outer;
    r->outer_differs = s->outer->differs;
    r->outer_differs_first = s->outer->differs_first;
    return true;
}

static bool record_rtp(struct document *d, const struct stream *s, const struct decision *decision, struct record *r)
{
    struct rtp_part *rtp = s->rtp;
    struct rtp_figures *figures = arena_alloc(&d->arena, sizeof *figures);
    if (!figures)
        return false;
    rtp_stats_figures(&rtp->stats, figures);
    /* jitter that was counted with a clock which turned out to be another's is not the stream's */
    if (decision->clock_rate != figures->clock_rate) {
        figures->clock_rate = decision->clock_rate;
        figures->jitter_ms = -1.0;
    }
    r->rtp = figures;
    r->has_ssrc = true;
    r->ssrc = s->ssrc;
    if (decision->judgement.confidence > CONFIDENCE_NONE && rtp->first_kind == (uint8_t)decision->judgement.kind)
        r->decided_after_packets = rtp->decided_after;
    r->payload_type_count = rtp->type_count < sizeof r->payload_types ? rtp->type_count : (uint8_t)sizeof r->payload_types;
    for (uint8_t i = 0; i < r->payload_type_count; i++)
        r->payload_types[i] = rtp->types[i].payload_type;
    return true;
}

static bool record_fill(struct export *e, const struct stream *s, const struct decision *decision, struct record *r)
{
    struct document *d = e->d;
    const struct flow *f = s->flow;
    bool unsure = decision->judgement.confidence == CONFIDENCE_NONE;

    r->proto = f->proto;
    r->src = f->ends[s->side];
    r->dst = f->ends[!s->side];
    r->input = s->first.input;
    r->conversation = f->number;
    r->from_initiator = f->initiator == (int8_t)s->side;
    r->kind = decision->judgement.kind;
    r->confidence = decision->judgement.confidence;
    r->evidence = arena_copy(&d->arena, decision->judgement.evidence, strlen(decision->judgement.evidence));
    r->unknown_reason = unsure ? r->evidence : "";
    r->codec = arena_copy(&d->arena, decision->codec, strlen(decision->codec));
    r->repairs = decision->repairs;
    r->media_kinds = decision->media_kinds;
    r->over_turn = s->over_turn;
    r->turn_channels = s->has_channels;
    r->shares_connection = shares_connection(s);
    r->webrtc = f->has_ice && f->has_dtls && !f->announced;
    r->server_name = f->service ? arena_copy(&d->arena, f->service->server_name, strlen(f->service->server_name)) : "";
    r->packets = s->packets;
    r->bytes = s->bytes;
    r->first_ns = s->first_ns;
    r->last_ns = s->last_ns;
    r->first = s->first;
    r->vlan_pcp = s->vlan_pcp;
    r->mpls_tc = s->mpls_tc;
    r->fragmented = s->fragmented;
    r->tunnel_depth = s->tunnel_depth;
    r->judged_version = s->judged_version;
    r->judged_at = s->judged_at;
    r->call = decision->call;
    r->reason = "";
    if (s->family == FAMILY_RTCP) {
        r->has_ssrc = true;
        r->ssrc = s->ssrc;
    }
    return r->evidence && r->codec && r->server_name && record_marks(d, s, r) && (!s->rtp || record_rtp(d, s, decision, r));
}

static bool export_records(struct export *e)
{
    struct document *d = e->d;
    d->records = calloc(e->count + 1, sizeof *d->records);
    free(e->t->exported);
    e->t->exported_count = 0;
    e->t->exported = malloc((e->count + 1) * sizeof *e->t->exported);
    if (!d->records || !e->t->exported)
        return false;
    for (size_t i = 0; i < e->count; i++) {
        e->t->exported[i] = e->order[i]->number;
        if (!record_fill(e, e->order[i], &e->decisions[i], &d->records[i]))
            return false;
    }
    d->record_count = e->count;
    e->t->exported_count = e->count;
    return true;
}

int stream_table_export(struct stream_table *t, struct document *d)
{
    struct export e = {.t = t, .d = d};
    int r = ERR_MEMORY;
    if (!association_init(&e.association, t) || !sessions_init(&e.sessions, t, &e.association) || !export_order(&e))
        goto out;
    export_decide(&e);
    if (export_calls(&e) && export_records(&e))
        r = 0;
out:
    free(e.order);
    free(e.decisions);
    free(e.kinds);
    sessions_done(&e.sessions);
    association_done(&e.association);
    return r;
}

void stream_table_explain(const struct stream_table *t, size_t index, struct strbuf *to)
{
    if (index >= t->exported_count)
        return;
    const struct stream *s = t->streams[t->exported[index]];
    if (s->family == FAMILY_RTP)
        decide_explain(t, s, to);
}

/*
 * The table as a document: which streams become records, in which order, what each was decided to be, and which call it
 * is of. That is kept, fifteen bytes a stream; the records are made from the table when they are looked at.
 *
 * There may be half a million streams, and each look at one misses the cache: the walks over all of them are few.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/order.h"
#include "stream/association.h"
#include "stream/decide.h"
#include "stream/flow.h"
#include "stream/session.h"

/* There is a handful of them. */
enum { UNKNOWN_TEXTS_MAX = 16 };

/* What is kept, by record. */
struct records {
    const struct stream_table *t;
    uint32_t *order;      /* stream numbers, by first packet */
    uint32_t *call;       /* index + 1 */
    uint32_t *detail;     /* of RTP the clock rate in Hz, of the rest the kinds of media on its 5-tuple */
    uint8_t *kind;        /* enum kind */
    uint8_t *confidence;  /* enum confidence */
    uint8_t *unknown;     /* 1 + which of the texts says why it is not known, 0 where it is, or UNKNOWN_OTHER */
    char texts[UNKNOWN_TEXTS_MAX][EVIDENCE_MAX];
    size_t text_count;
    size_t count;
};

/* What is needed while that is found out. */
struct export {
    struct stream_table *t;
    struct document *d;
    struct records *records;
    struct association association;
    struct sessions sessions;
    uint8_t *kinds; /* of RTP streams, by stream number */
    bool only_rtp, any_call;
};

static void records_free(void *own)
{
    struct records *r = own;
    if (!r)
        return;
    free(r->order);
    free(r->call);
    free(r->detail);
    free(r->kind);
    free(r->confidence);
    free(r->unknown);
    free(r);
}

static const struct stream *stream_of(const struct records *r, size_t i)
{
    return stream_at(r->t, r->order[i]);
}

static int by_first_packet(const void *context, uint32_t x, uint32_t y)
{
    const struct stream_table *t = context;
    const struct stream *a = stream_at(t, x), *b = stream_at(t, y);
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    /* not the frame numbers, which begin anew in each file of a series */
    return stream_arrived_before(t, a, b) ? -1 : 1;
}

static bool records_order(struct records *r)
{
    const struct stream_table *t = r->t;
    r->order = malloc((t->stream_count + (size_t)1) * sizeof *r->order);
    if (!r->order)
        return false;
    for (uint32_t i = 0; i < t->stream_count; i++)
        if (!stream_at(t, i)->merged && stream_at(t, i)->packets)
            r->order[r->count++] = i;
    r->call = calloc(r->count + 1, sizeof *r->call);
    r->detail = calloc(r->count + 1, sizeof *r->detail);
    r->kind = calloc(r->count + 1, sizeof *r->kind);
    r->confidence = calloc(r->count + 1, sizeof *r->confidence);
    r->unknown = calloc(r->count + 1, sizeof *r->unknown);
    return r->call && r->detail && r->kind && r->confidence && r->unknown && order_sort(r->order, r->count, by_first_packet, t);
}

/* --- decisions ---------------------------------------------------------------------------------------------------- */

/* Why a stream is not known is said in one of a few fixed texts. */
static uint8_t text_number(struct records *r, const char *text)
{
    for (size_t i = 0; i < r->text_count; i++)
        if (strcmp(r->texts[i], text) == 0)
            return (uint8_t)(i + 1);
    if (r->text_count == UNKNOWN_TEXTS_MAX)
        return UNKNOWN_OTHER;
    memcpy(r->texts[r->text_count], text, strlen(text) + 1);
    return (uint8_t)++r->text_count;
}

static void keep(struct export *e, size_t i, const struct decision *decision, uint32_t detail)
{
    struct records *r = e->records;
    r->kind[i] = (uint8_t)decision->judgement.kind;
    r->confidence[i] = (uint8_t)decision->judgement.confidence;
    r->call[i] = decision->call;
    r->detail[i] = detail;
    if (decision->judgement.confidence == CONFIDENCE_NONE)
        r->unknown[i] = text_number(r, decision->judgement.evidence);
    e->any_call |= decision->call != 0;
}

static void export_decide(struct export *e)
{
    struct records *r = e->records;
    struct decision decision;
    for (uint32_t i = 0; i < e->t->flow_count; i++)
        for (int side = 0; side < 2; side++)
            flow_at(e->t, i)->sides[side].media_kinds = 0;
    e->only_rtp = true;
    for (size_t i = 0; i < r->count; i++) {
        const struct stream *s = stream_of(r, i);
        if (s->family != FAMILY_RTP) {
            e->only_rtp = false;
            continue;
        }
        decide_rtp(e->t, s, false, &decision);
        keep(e, i, &decision, decision.clock_rate);
        e->kinds[r->order[i]] = r->kind[i];
        uint8_t *kinds = &stream_flow(e->t, s)->sides[s->side].media_kinds;
        *kinds = (uint8_t)(*kinds | 1u << r->kind[i]);
    }
    for (size_t i = 0; i < r->count && !e->only_rtp; i++) {
        const struct stream *s = stream_of(r, i);
        if (s->family == FAMILY_RTP)
            continue;
        decide_other(e->t, &e->association, s, e->kinds, &decision);
        keep(e, i, &decision, decision.media_kinds);
    }
    for (size_t i = 0; i < r->count && e->any_call; i++)
        stream_flow(e->t, stream_of(r, i))->announced |= r->call[i] != 0;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* Streams of a session that has one SIP call belong to that call; a session without one becomes a call of its own. */
static bool export_calls(struct export *e)
{
    struct document *d = e->d;
    struct records *r = e->records;
    size_t sip_calls = e->t->options.ignore_signalling ? 0 : expect_table_call_count(e->t->expect), sessions = 0;
    uint32_t *call_of = calloc(e->t->flow_count + (size_t)1, sizeof *call_of);
    if (!call_of)
        return false;
    for (size_t i = 0; i < r->count && e->any_call; i++) {
        uint32_t session = session_of(&e->sessions, stream_flow(e->t, stream_of(r, i)));
        if (r->call[i] && !call_of[session])
            call_of[session] = r->call[i];
    }
    for (size_t i = 0; i < r->count; i++) {
        if (!kind_is_rtp((enum kind)r->kind[i])) /* as only RTP is */
            continue;
        uint32_t session = session_of(&e->sessions, stream_flow(e->t, stream_of(r, i)));
        if (!call_of[session])
            call_of[session] = (uint32_t)(sip_calls + ++sessions);
        if (!r->call[i])
            r->call[i] = call_of[session];
    }
    for (size_t i = 0; i < r->count && !e->only_rtp; i++)
        if (!r->call[i] && stream_of(r, i)->family != FAMILY_PLAIN)
            r->call[i] = call_of[session_of(&e->sessions, stream_flow(e->t, stream_of(r, i)))];
    free(call_of);
    d->call_count = sip_calls + sessions;
    d->calls_given = sip_calls;
    d->calls = arena_alloc(&d->arena, (sip_calls + 1) * sizeof *d->calls);
    for (size_t i = 0; d->calls && i < sip_calls; i++)
        if (!expect_table_call(e->t->expect, i, &d->arena, &d->calls[i]) ||
            !(d->calls[i].id = arena_printf(&d->arena, "call-%zu", i + 1)))
            return false;
    return d->calls != NULL;
}

/* --- a record ----------------------------------------------------------------------------------------------------- */

/* True where the connection carries more than one stream of media in this direction, or could: TURN. */
static bool shares_connection(const struct stream_table *t, const struct flow *f, uint8_t side)
{
    if (f->proto != PROTO_TCP)
        return false;
    const struct stream *media = flow_media(t, f, side);
    return media && (media->next || f->has_turn);
}

static void fill_marks(const struct stream_table *t, const struct stream *s, struct record_scratch *to)
{
    const struct outer_part *outer = stream_outer(t, s);
    struct record *r = &to->record;
    r->mark_count = (uint32_t)stream_mark_count(t, s);
    stream_marks_copy(t, s, to->marks);
    r->marks = to->marks;
    r->mark_changes = stream_mark_changes(t, s);
    r->copies_differ = stream_copies_differ(t, s);
    stream_ecn(t, s, r->ecn);
    if (!outer)
        return;
    r->outer_count = (uint32_t)histogram_count(&outer->marks);
    histogram_copy(&outer->marks, to->outer);
    r->outer = to->outer;
    r->outer_differs = outer->differs;
    r->outer_differs_first = outer->differs_first;
}

static void fill_rtp(const struct stream_table *t, const struct stream *s, uint32_t clock_rate, struct record_scratch *to)
{
    const struct rtp_part *rtp = stream_rtp(t, s);
    struct type_count types[RTP_TYPES_MAX];
    struct record *r = &to->record;
    rtp_stats_figures(&rtp->stats, &to->rtp);
    /* jitter that was counted with a clock which turned out to be another's is not the stream's */
    if (clock_rate != to->rtp.clock_rate) {
        to->rtp.clock_rate = clock_rate;
        to->rtp.jitter_ms = -1.0;
    }
    r->rtp = &to->rtp;
    if (r->confidence > CONFIDENCE_NONE && rtp->first_kind == (uint8_t)r->kind)
        r->decided_after_packets = rtp_decided_after(rtp);
    r->payload_type_count = rtp_types(t, s, types);
    for (uint8_t i = 0; i < r->payload_type_count; i++)
        r->payload_types[i] = types[i].payload_type;
}

static void fill_stream(const struct stream_table *t, const struct stream *s, struct record *r)
{
    const struct flow *f = stream_flow(t, s);
    r->proto = f->proto;
    r->src = flow_end(t, f, s->side);
    r->dst = flow_end(t, f, !s->side);
    r->input = stream_first(s).input;
    r->conversation = s->flow;
    r->from_initiator = f->initiator == (int8_t)s->side;
    r->has_ssrc = s->family == FAMILY_RTP || s->family == FAMILY_RTCP;
    r->ssrc = r->has_ssrc ? s->ssrc : 0;
    r->over_turn = s->over_turn;
    r->turn_channels = s->has_channels;
    r->shares_connection = shares_connection(t, f, s->side);
    r->webrtc = f->has_ice && f->has_dtls && !f->announced;
    r->packets = s->packets;
    r->bytes = s->bytes;
    r->first_ns = s->first_ns;
    r->last_ns = s->last_ns;
    r->first = stream_first(s);
    r->vlan_pcp = stream_vlan_pcp(s);
    r->mpls_tc = stream_mpls_tc(s);
    r->fragmented = s->fragmented;
    r->tunnel_depth = s->tunnel_depth;
    r->judged_version = s->judged_version;
    r->judged_at = s->judged_at;
}

/* The decision is made once more, for its words. */
static void fill_words(const struct records *own, const struct document *d, size_t i, struct record_scratch *to)
{
    const struct stream *s = stream_of(own, i);
    struct record *r = &to->record;
    struct decision decision;
    if (s->family == FAMILY_RTP)
        decide_rtp(own->t, s, true, &decision);
    else
        decide_other(own->t, NULL, s, NULL, &decision);
    memcpy(to->evidence, decision.judgement.evidence, sizeof to->evidence);
    r->evidence = to->evidence;
    if (own->unknown[i] == UNKNOWN_OTHER)
        r->unknown_reason = to->evidence;
    r->codec = decision.codec;
    r->repairs = decision.repairs;
    const struct service_result *service = flow_service(own->t, stream_flow(own->t, s));
    r->server_name = service ? service->server_name : "";
    if (!d->explain || s->family != FAMILY_RTP)
        return;
    to->explanation.len = 0;
    decide_explain(own->t, s, &to->explanation);
    to->failed = to->failed || !strbuf_ok(&to->explanation);
    r->explanation = to->explanation.len ? to->explanation.at : NULL;
}

static void record_fill(void *layer, const struct document *d, size_t i, unsigned parts, struct record_scratch *to)
{
    const struct records *own = layer;
    const struct stream *s = stream_of(own, i);
    struct record *r = &to->record;
    *r = (struct record){.kind = (enum kind)own->kind[i],
                         .confidence = (enum confidence)own->confidence[i],
                         .call = own->call[i],
                         .evidence = "",
                         .unknown_reason = "",
                         .codec = "",
                         .repairs = "",
                         .server_name = "",
                         .reason = ""};
    fill_stream(own->t, s, r);
    fill_marks(own->t, s, to);
    if (s->family == FAMILY_RTP)
        fill_rtp(own->t, s, own->detail[i], to);
    else
        r->media_kinds = own->detail[i];
    if (own->unknown[i] && own->unknown[i] != UNKNOWN_OTHER)
        r->unknown_reason = own->texts[own->unknown[i] - 1];
    if ((parts & RECORD_WORDS) || ((parts & RECORD_REASON) && own->unknown[i] == UNKNOWN_OTHER))
        fill_words(own, d, i, to);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static bool export_init(struct export *e)
{
    e->records = calloc(1, sizeof *e->records);
    e->kinds = calloc(e->t->stream_count + (size_t)1, 1);
    if (!e->records || !e->kinds)
        return false;
    e->records->t = e->t;
    /* only RTCP is associated with anything */
    e->association.t = e->t;
    if (e->t->has_rtcp && !association_init(&e->association, e->t))
        return false;
    return sessions_init(&e->sessions, e->t, &e->association) && records_order(e->records);
}

int stream_table_export(struct stream_table *t, struct document *d)
{
    struct export e = {.t = t, .d = d};
    bool ok = export_init(&e);
    if (ok)
        export_decide(&e);
    ok = ok && export_calls(&e);
    free(e.kinds);
    sessions_done(&e.sessions);
    association_done(&e.association);
    if (!ok) {
        records_free(e.records);
        return ERR_MEMORY;
    }
    d->key = t->options.key;
    d->record_count = e.records->count;
    d->kinds = e.records->kind;
    d->call_of = e.records->call;
    d->unknown = e.records->unknown;
    d->streams = (struct record_layer){.own = e.records, .fill = record_fill, .free = records_free};
    return 0;
}

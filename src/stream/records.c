#include "stream/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "stream/decide.h"

void records_free(void *records)
{
    struct records *r = records;
    if (!r)
        return;
    free(r->order);
    free(r->places);
    free(r->call);
    free(r->detail);
    free(r->kind);
    free(r->confidence);
    free(r->unknown);
    free(r);
}

/* --- order -------------------------------------------------------------------------------------------------------- */

/* Of an ended stream, to be compared by. */
struct beginning {
    int64_t first_ns;
    uint64_t first;
};

struct ordering {
    const struct records *records;
    const struct beginning *ended;
};

static struct beginning beginning_of(const struct ordering *o, uint32_t number)
{
    if (number & RECORDS_ENDED)
        return o->ended[number & ~RECORDS_ENDED];
    const struct stream *s = stream_at(o->records->t, number);
    return (struct beginning){s->first_ns, s->first};
}

static int by_first_packet(const void *context, uint32_t x, uint32_t y)
{
    const struct ordering *o = context;
    struct beginning a = beginning_of(o, x), b = beginning_of(o, y);
    if (a.first_ns != b.first_ns)
        return a.first_ns < b.first_ns ? -1 : 1;
    /* not the frame numbers, which begin anew in each file of a series, unless there is nothing else */
    if (!((x | y) & RECORDS_ENDED))
        return stream_arrived_before(o->records->t, stream_at(o->records->t, x), stream_at(o->records->t, y)) ? -1 : 1;
    return (a.first > b.first) - (a.first < b.first);
}

/* Finds the ended streams, and when each began. False without memory. */
static bool add_ended(struct records *r, size_t ended, struct beginning **ret)
{
    const struct tape *tape = &r->t->ended.tape;
    uint64_t place;
    if (ended == 0)
        return true;
    r->places = malloc(ended * sizeof *r->places);
    *ret = malloc(ended * sizeof **ret);
    if (!r->places || !*ret)
        return false;
    for (bool more = tape_first(tape, &place); more && r->place_count < ended; more = tape_next(tape, &place)) {
        struct ended_head head;
        ended_head_read(&r->t->ended, place, &head);
        if (r->place_count == 0)
            r->first_ended_flow = head.flow;
        (*ret)[r->place_count] = (struct beginning){head.first_ns, head.first};
        r->order[r->count++] = (uint32_t)r->place_count | RECORDS_ENDED;
        r->places[r->place_count++] = place;
    }
    return true;
}

static bool records_order(struct records *r, const struct scope *scope, size_t ended)
{
    struct beginning *beginnings = NULL;
    const struct stream_table *t = r->t;
    r->order = malloc((scope->count + ended + 1) * sizeof *r->order);
    bool ok = r->order && add_ended(r, ended, &beginnings);
    for (size_t i = 0; ok && i < scope->count; i++) {
        const struct stream *s = stream_at(t, scope->at[i]);
        if (!s->merged && s->packets)
            r->order[r->count++] = scope->at[i];
    }
    r->call = calloc(r->count + 1, sizeof *r->call);
    r->detail = calloc(r->count + 1, sizeof *r->detail);
    r->kind = calloc(r->count + 1, sizeof *r->kind);
    r->confidence = calloc(r->count + 1, sizeof *r->confidence);
    r->unknown = calloc(r->count + 1, sizeof *r->unknown);
    struct ordering o = {r, beginnings};
    ok = ok && r->call && r->detail && r->kind && r->confidence && r->unknown &&
         order_sort(r->order, r->count, by_first_packet, &o);
    free(beginnings);
    return ok;
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

static void keep(struct records *r, size_t i, const struct decision *decision, uint32_t detail)
{
    r->kind[i] = (uint8_t)decision->judgement.kind;
    r->confidence[i] = (uint8_t)decision->judgement.confidence;
    r->call[i] = decision->call;
    r->detail[i] = detail;
    if (decision->judgement.confidence == CONFIDENCE_NONE)
        r->unknown[i] = text_number(r, decision->judgement.evidence);
    r->any_call |= decision->call != 0;
    r->unanswered += decision->unanswered;
}

static void keep_ended(struct records *r, size_t i, uint64_t place)
{
    const struct ended *e = &r->t->ended;
    struct ended_head head;
    ended_head_read(e, place, &head);
    r->kind[i] = head.kind;
    r->confidence[i] = head.confidence;
    r->call[i] = head.call;
    r->unknown[i] =
        head.unknown && head.unknown != UNKNOWN_OTHER ? text_number(r, e->unknown[head.unknown - 1]) : head.unknown;
    r->any_call |= head.call != 0;
}

/* RTP first: what goes with it depends on what it is. `kinds`: of RTP streams, by stream number. */
static void decide_media(struct records *r, uint8_t *kinds)
{
    struct decision decision;
    uint64_t place;
    r->only_rtp = true;
    for (size_t i = 0; i < r->count; i++) {
        const struct stream *s = records_stream(r, i, &place);
        if (!s)
            keep_ended(r, i, place);
        else if (s->family != FAMILY_RTP)
            r->only_rtp = false;
        if (!s || s->family != FAMILY_RTP)
            continue;
        decide_rtp(r->t, s, false, &decision);
        keep(r, i, &decision, decision.clock_rate);
        kinds[r->order[i]] = r->kind[i];
        uint8_t *on_flow = &stream_flow(r->t, s)->sides[s->side].media_kinds;
        *on_flow = (uint8_t)(*on_flow | 1u << r->kind[i]);
    }
}

static void decide_others(struct records *r, const struct association *a, const uint8_t *kinds)
{
    struct decision decision;
    uint64_t place;
    for (size_t i = 0; i < r->count; i++) {
        const struct stream *s = records_stream(r, i, &place);
        if (!s || s->family == FAMILY_RTP)
            continue;
        decide_other(r->t, a, s, kinds, &decision);
        keep(r, i, &decision, decision.media_kinds);
    }
}

/* What was decided about another document is nothing to this one. */
static void undecide(const struct stream_table *t, const struct scope *scope)
{
    for (size_t i = 0; i < scope->count; i++) {
        struct flow *f = stream_flow(t, stream_at(t, scope->at[i]));
        f->sides[0].media_kinds = f->sides[1].media_kinds = 0;
        f->announced = false;
    }
}

static bool records_decide(struct records *r, const struct scope *scope)
{
    struct association a = {.t = r->t};
    uint64_t place;
    uint8_t *kinds = calloc(r->t->streams.count + (size_t)1, 1);
    /* only RTCP is associated with anything */
    bool ok = kinds && (pool_used(&r->t->rtcp_parts) == 0 || association_init(&a, r->t, scope));
    if (ok) {
        undecide(r->t, scope);
        decide_media(r, kinds);
        if (!r->only_rtp)
            decide_others(r, &a, kinds);
    }
    for (size_t i = 0; ok && i < r->count && r->any_call; i++) {
        const struct stream *s = records_stream(r, i, &place);
        if (s)
            stream_flow(r->t, s)->announced |= r->call[i] != 0;
    }
    association_done(&a);
    free(kinds);
    return ok;
}

struct records *records_new(struct stream_table *t, const struct scope *scope, size_t ended)
{
    struct records *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->t = t;
    r->flows = t->flows.count;
    ended = ended < t->ended.tape.entries ? ended : t->ended.tape.entries;
    if (records_order(r, scope, ended) && records_decide(r, scope))
        return r;
    records_free(r);
    return NULL;
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
    r->copies = stream_copies_marks(t, s);
    dscp_set_t data_marks = stream_data_marks(t, s);
    r->data_marks = r->mark_count > 1 ? data_marks : 0;
    r->no_data = r->proto == PROTO_TCP && r->packets > 0 && data_marks == 0;
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
    const struct stream *s = stream_at(own->t, own->order[i]); /* of one that ended the words are kept */
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
    const struct protocol_result *protocol = flow_protocol(own->t, stream_flow(own->t, s));
    r->server_name = protocol ? protocol->server_name : "";
    if (!d->explain || s->family != FAMILY_RTP)
        return;
    to->explanation.len = 0;
    decide_explain(own->t, s, &to->explanation);
    to->failed = to->failed || !strbuf_ok(&to->explanation);
    r->explanation = to->explanation.len ? to->explanation.at : NULL;
}

/* Those at present have the numbers of their flows for their conversations; ended ones come after. */
static void fill_ended(const struct records *own, size_t i, uint64_t place, unsigned parts, struct record_scratch *to)
{
    struct ended_head head;
    ended_head_read(&own->t->ended, place, &head);
    ended_read(&own->t->ended, place, parts, to);
    to->record.conversation = own->flows + (head.flow - own->first_ended_flow);
    to->record.call = own->call[i];
}

void records_fill(void *layer, const struct document *d, size_t i, unsigned parts, struct record_scratch *to)
{
    const struct records *own = layer;
    uint64_t place;
    const struct stream *s = records_stream(own, i, &place);
    struct record *r = &to->record;
    if (!s) {
        fill_ended(own, i, place, parts, to);
        return;
    }
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

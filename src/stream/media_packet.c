#include <stdlib.h>
#include <string.h>

#include "classify/dtls.h"
#include "classify/rtcp.h"
#include "classify/rtp.h"
#include "classify/stun.h"
#include "stream/flow.h"

static struct cursor media_cursor(const struct media_bytes *m)
{
    return cur_make(m->bytes, m->captured, m->cut);
}

/* --- RTP ---------------------------------------------------------------------------------------------------------- */

/* The first payload type has all packets until there is a second one. */
static void rtp_count_other_type(struct stream_table *t, struct stream *s, struct rtp_part *rtp, uint8_t payload_type)
{
    struct stream_more *more = stream_more_get(t, s);
    if (!more || (!more->types && !(more->types = calloc(1, sizeof *more->types)))) {
        t->memory_failed = true;
        return;
    }
    struct type_counts *types = more->types;
    if (types->count == 0)
        types->at[types->count++] = (struct type_count){rtp->payload_type, rtp->features.packets};
    for (uint8_t i = 0; i < types->count; i++) {
        if (types->at[i].payload_type == payload_type) {
            types->at[i].packets += types->at[i].packets < UINT32_MAX;
            return;
        }
    }
    if (types->count < RTP_TYPES_MAX)
        types->at[types->count++] = (struct type_count){payload_type, 1};
}

static void rtp_count_type(struct stream_table *t, struct stream *s, struct rtp_part *rtp, uint8_t payload_type)
{
    if (rtp->features.packets == 0)
        rtp->payload_type = payload_type;
    const struct stream_more *more = stream_more(t, s);
    if (rtp->payload_type != payload_type || (more && more->types))
        rtp_count_other_type(t, s, rtp, payload_type);
}

uint8_t rtp_types(const struct stream_table *t, const struct stream *s, struct type_count ret[static RTP_TYPES_MAX])
{
    const struct rtp_part *rtp = stream_rtp(t, s);
    const struct stream_more *more = stream_more(t, s);
    if (more && more->types) {
        memcpy(ret, more->types->at, more->types->count * sizeof *ret);
        return more->types->count;
    }
    ret[0] = (struct type_count){rtp->payload_type, rtp->features.packets};
    return ret[0].packets > 0;
}

uint8_t rtp_types_by_count(const struct stream_table *t, const struct stream *s, uint8_t types[static RTP_TYPES_MAX])
{
    struct type_count all[RTP_TYPES_MAX];
    bool taken[RTP_TYPES_MAX] = {false};
    uint8_t count = rtp_types(t, s, all);
    for (uint8_t n = 0; n < count; n++) {
        int best = -1;
        for (uint8_t i = 0; i < count; i++)
            if (!taken[i] && (best < 0 || all[i].packets > all[best].packets))
                best = i;
        taken[best] = true;
        types[n] = all[best].payload_type;
    }
    return count;
}

/* Packets after which a stream is asked what it is, soon, since the jitter counts from the answer on, and then seldom:
 * 1, 4, 8, 16, 30, and from 64 on each power of two. */
static bool rtp_ask_now(uint32_t packets)
{
    if (packets & (packets - 1))
        return packets == 30;
    return packets != 2 && packets != 32;
}

enum { DECIDED_AFTER_30 = 64 /* in place of 1 and the power of two */ };

static uint8_t decided_after_pack(uint32_t packets)
{
    uint8_t power = 0;
    while (packets >> power > 1)
        power++;
    return packets == 30 ? DECIDED_AFTER_30 : (uint8_t)(power + 1);
}

uint32_t rtp_decided_after(const struct rtp_part *rtp)
{
    if (rtp->decided_after == DECIDED_AFTER_30)
        return 30;
    return rtp->decided_after ? (uint32_t)1 << (rtp->decided_after - 1) : 0;
}

struct expect_query rtp_query(const struct stream_table *t, const struct stream *s, int64_t first_ns, int64_t last_ns,
                              uint8_t types[static RTP_TYPES_MAX])
{
    const struct flow *f = stream_flow(t, s);
    return (struct expect_query){.proto = f->proto,
                                 .src = flow_end(t, f, s->side),
                                 .dst = flow_end(t, f, !s->side),
                                 .has_ssrc = true,
                                 .ssrc = s->ssrc,
                                 .payload_types = types,
                                 .payload_type_count = rtp_types_by_count(t, s, types),
                                 .first_ns = first_ns,
                                 .last_ns = last_ns};
}

/* Hz that SDP gives for what is sent now; 0 without. */
static uint32_t rtp_announced_clock(const struct stream_table *t, const struct stream *s, int64_t time_ns)
{
    if (t->options.ignore_signalling || expect_table_generation(t->expect) == 0)
        return 0;
    uint8_t types[RTP_TYPES_MAX];
    struct expect_query q = rtp_query(t, s, time_ns, time_ns, types);
    struct expect_answer answer;
    return expect_table_find(t->expect, &q, &answer) ? answer.clock_rate : 0;
}

static void rtp_find_clock(struct stream_table *t, const struct stream *s, struct rtp_part *rtp, int64_t time_ns)
{
    const struct flow *f = stream_flow(t, s);
    uint32_t announced = rtp_announced_clock(t, s, time_ns);
    if (announced) {
        rtp_stats_clock(&rtp->stats, announced);
        return;
    }
    if (rtp->features.packets == 1) { /* one packet tells nothing */
        rtp->first_kind = KIND_RTP_UNKNOWN;
        rtp->decided_after = decided_after_pack(1);
        return;
    }
    struct media_context context = {
        .webrtc = f->has_ice && f->has_dtls, .mask_payload_types = t->options.mask_payload_types, .in_brief = true};
    struct media_decision decision;
    media_decide(&rtp->features, &context, &decision);
    if (decision.judgement.kind != (enum kind)rtp->first_kind) {
        rtp->first_kind = (uint8_t)decision.judgement.kind;
        rtp->decided_after = decided_after_pack(rtp->features.packets);
    }
    if (decision.clock_rate)
        rtp_stats_clock(&rtp->stats, decision.clock_rate);
}

static void rtp_add(struct stream_table *t, struct stream *s, struct rtp_part *rtp, const struct rtp_header *h,
                    int64_t time_ns)
{
    rtp_count_type(t, s, rtp, h->payload_type);
    media_observe(&rtp->features, h, time_ns);
    if (rtp_ask_now(rtp->features.packets))
        rtp_find_clock(t, s, rtp, time_ns);
    rtp_stats_add(&rtp->stats, h, time_ns);
}

/* Noise has a new SSRC in each packet, or one number in many, and what finds no place on probation is nothing; an SSRC
 * that finds none again and again while its numbers go up may have been media. */
enum { REFUSED_AGAIN = 4, REFUSED_STEP_MOST = 100 };

static void rtp_refused(struct stream_table *t, const struct flow *f, uint8_t side, const struct rtp_header *h)
{
    uint32_t key[3] = {flow_number(f), side, h->ssrc};
    uint64_t hash = hash_bytes(&t->options.key, key, sizeof key);
    uint32_t tag = (uint32_t)(hash >> 32) | 1;
    struct refused *r = &t->refused[hash % REFUSED_KEPT];
    uint16_t step = (uint16_t)(h->sequence - r->sequence);
    if (r->tag != tag || step == 0 || step > REFUSED_STEP_MOST)
        *r = (struct refused){.tag = tag};
    r->sequence = h->sequence;
    if (r->times < REFUSED_AGAIN)
        r->times++;
    t->stats.probation_full += r->times == REFUSED_AGAIN;
}

static struct stream *rtp_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m,
                                 int64_t time_ns)
{
    struct rtp_header h;
    if (!rtp_plausible(media_cursor(m), m->wire, &h))
        return NULL;
    struct stream *s = stream_referred(t, f->last[side]);
    if (!s || s->family != FAMILY_RTP || s->ssrc != h.ssrc) {
        s = stream_find(t, f, side, FAMILY_RTP, h.ssrc);
        if (!s) {
            /* noise has a new SSRC in each packet */
            s = f->sides[side].candidate_count < CANDIDATES_MAX ? stream_get(t, f, side, FAMILY_RTP, h.ssrc)
                                                                : stream_recycle(t, f, side, h.ssrc, time_ns);
            if (!s && f->sides[side].candidate_count >= CANDIDATES_MAX)
                rtp_refused(t, f, side, &h);
            if (!s)
                return NULL;
        }
    }
    struct rtp_part *rtp = stream_rtp(t, s);
    rtp_add(t, s, rtp, &h, time_ns);
    if (!s->accepted && rtp_candidate_update(&rtp->candidate, &h, time_ns) == RTP_PROBATION_ACCEPTED) {
        stream_accept(t, s);
        f->has_media = true;
    }
    s->over_turn |= m->over_turn;
    return s;
}

/* --- RTCP --------------------------------------------------------------------------------------------------------- */

/* An hour, in units of 2^-32 s: tells the rate exactly enough, and no timestamp of 90 kHz comes round in it. */
#define REPORTS_NTP_MAX ((uint64_t)3600 << 32)

static void rtcp_learn(const struct stream_table *t, struct rtcp_part *part, const struct rtcp_packet *r)
{
    for (uint8_t i = 0; i < r->report_count; i++) {
        uint8_t known = 0;
        while (known < part->report_count && part->reports[known] != r->reports[i])
            known++;
        if (known == part->report_count && known < RTCP_PEERS_MAX)
            part->reports[part->report_count++] = r->reports[i];
    }
    part->clear |= !r->encrypted;
    if (r->cname.len)
        part->cname = hash_bytes(&t->options.key, r->cname.at, r->cname.len) | 1;
    if (r->has_sender_report) {
        if (!part->has_report) {
            part->first_ntp = r->ntp;
            part->first_rtp = r->rtp_timestamp;
        }
        part->has_report = true;
        if (r->ntp - part->first_ntp > REPORTS_NTP_MAX)
            return;
        part->last_ntp = r->ntp;
        part->last_rtp = r->rtp_timestamp;
    }
}

static struct stream *rtcp_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m)
{
    struct rtcp_packet r;
    if (rtcp_parse(media_cursor(m), m->wire, &r) != PARSE_OK)
        return NULL;
    struct stream *s = stream_find(t, f, side, FAMILY_RTCP, r.sender_ssrc);
    if (!s) {
        bool doubtful = !f->has_media && (r.encrypted || r.cname.len == 0);
        if (doubtful && f->sides[side].rtcp_doubtful >= CANDIDATES_MAX)
            return NULL;
        s = stream_get(t, f, side, FAMILY_RTCP, r.sender_ssrc);
        if (!s)
            return NULL;
        f->sides[side].rtcp_doubtful = (uint8_t)(f->sides[side].rtcp_doubtful + doubtful);
    }
    rtcp_learn(t, stream_rtcp(t, s), &r);
    s->over_turn |= m->over_turn;
    return s;
}

/* --- STUN, TURN, DTLS --------------------------------------------------------------------------------------------- */

static struct media_bytes inner_bytes(const struct media_bytes *m, struct slice data, uint32_t wire)
{
    return (struct media_bytes){.bytes = (const uint8_t *)data.at,
                                .captured = (uint32_t)data.len,
                                .wire = wire,
                                .cut = m->cut && data.len < wire,
                                .over_turn = true};
}

static struct stream *stun_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m,
                                  int64_t time_ns)
{
    struct stun_message message;
    if (stun_parse(media_cursor(m), m->wire, &message) != PARSE_OK)
        return NULL;
    f->has_ice |= message.ice;
    if (!message.is_turn)
        return stream_get(t, f, side, m->over_turn ? FAMILY_TURN : FAMILY_STUN, 0);
    f->has_turn = true;
    if (message.data_wire_bytes && !m->over_turn) {
        struct media_bytes inner = inner_bytes(m, message.data, message.data_wire_bytes);
        struct stream *s = media_packet(t, f, side, &inner, time_ns);
        if (s)
            return s;
    }
    return stream_get(t, f, side, FAMILY_TURN, 0);
}

static struct stream *channel_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m,
                                     int64_t time_ns)
{
    struct turn_channel_data channel;
    if (m->over_turn || turn_channel_data_parse(media_cursor(m), m->wire, &channel) != PARSE_OK)
        return NULL;
    struct media_bytes inner = inner_bytes(m, channel.data, channel.data_wire_bytes);
    struct stream *s = media_packet(t, f, side, &inner, time_ns);
    if (s)
        return s;
    /* its four bytes of header prove little: an allocation must have been seen, or media inside */
    s = f->has_turn || f->has_media ? stream_get(t, f, side, FAMILY_TURN, 0) : NULL;
    if (s)
        s->has_channels = true;
    return s;
}

static struct stream *dtls_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m)
{
    struct dtls_datagram d;
    if (dtls_parse(media_cursor(m), m->wire, &d) != PARSE_OK)
        return NULL;
    /* the unified header of DTLS 1.3 has three bits of its own: only after a handshake is it believed */
    if (d.version == 0 && !f->has_dtls)
        return NULL;
    f->has_dtls = true;
    f->use_srtp |= d.use_srtp;
    return stream_get(t, f, side, FAMILY_DTLS, 0);
}

struct stream *media_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m,
                            int64_t time_ns)
{
    switch (media_byte_of(m->bytes, m->captured)) {
    case MEDIA_BYTE_RTP:
        return rtp_packet(t, f, side, m, time_ns);
    case MEDIA_BYTE_RTCP:
        return rtcp_packet(t, f, side, m);
    case MEDIA_BYTE_STUN:
        return stun_packet(t, f, side, m, time_ns);
    case MEDIA_BYTE_TURN_CHANNEL:
        return channel_packet(t, f, side, m, time_ns);
    case MEDIA_BYTE_DTLS:
        return dtls_packet(t, f, side, m);
    case MEDIA_BYTE_ZRTP:
    case MEDIA_BYTE_OTHER:
        break;
    }
    return NULL;
}

#include "stream/decide.h"

#include <stdio.h>
#include <string.h>

#define UNREADABLE_MIN 30 /* datagrams: what only keeps an address translation alive is fewer */
#define RELATIVES_LOOKED_AT 64 /* streams of a flow: a sender that changes its SSRC all the time must not cost more */

static void judgement_set(struct judgement *j, enum kind kind, enum confidence confidence, const char *evidence)
{
    j->kind = kind;
    j->confidence = confidence;
    (void)snprintf(j->evidence, sizeof j->evidence, "%s", evidence);
}

/* Notes in the decision where SDP might have said more. */
static bool sdp_says(const struct stream_table *t, const struct stream *s, struct decision *decision,
                     struct expect_answer *ret)
{
    if (t->options.ignore_signalling || expect_table_generation(t->expect) == 0)
        return false;
    uint8_t types[RTP_TYPES_MAX];
    const struct flow *f = stream_flow(t, s);
    struct expect_query q = {.proto = f->proto,
                             .src = flow_end(t, f, s->side),
                             .dst = flow_end(t, f, !s->side),
                             .first_ns = s->first_ns,
                             .last_ns = s->last_ns,
                             .rtcp = s->family == FAMILY_RTCP};
    if (s->family == FAMILY_RTP)
        q = rtp_query(t, s, s->first_ns, s->last_ns, types);
    bool found = expect_table_find(t->expect, &q, ret);
    decision->unanswered = !found && ret->too_many;
    return found;
}

/* Of many streams those that tell most: what this one may repair comes first, the rest in the order of the list. */
static uint8_t relatives_of(const struct stream_table *t, const struct stream *s, const struct stream *list,
                            const struct media_features *ret[static MEDIA_RELATIVES])
{
    const struct media_features *own = &stream_rtp(t, s)->features;
    uint8_t n = 0;
    int left = RELATIVES_LOOKED_AT;
    for (const struct stream *other = list; other && left; other = stream_next(t, other), left--) {
        if (other == s)
            continue;
        const struct media_features *its = &stream_rtp(t, other)->features;
        if (n < MEDIA_RELATIVES)
            ret[n++] = its;
        else if (other->side == s->side && media_may_repair(own, its))
            ret[n - 1] = its;
    }
    return n;
}

/* The CNAME that RTCP on the same flow gives to an SSRC, hashed; 0 without. */
static uint64_t cname_of(const struct stream_table *t, const struct flow *f, uint8_t side, uint32_t ssrc)
{
    const struct stream *rtcp = stream_find(t, f, side, FAMILY_RTCP, ssrc);
    return rtcp && !rtcp->merged ? stream_rtcp(t, rtcp)->cname : 0;
}

/* A repair has its media's CNAME (RFC 4588 §3, RFC 3550 §6.5.1): who has another is another participant. */
static uint8_t without_other_cnames(const struct stream_table *t, const struct stream *s, uint8_t n,
                                    const struct media_features *siblings[static MEDIA_RELATIVES])
{
    uint8_t kept = 0;
    const struct flow *f = stream_flow(t, s);
    uint64_t own = n ? cname_of(t, f, s->side, s->ssrc) : 0;
    for (uint8_t i = 0; i < n; i++) {
        uint64_t its = own ? cname_of(t, f, s->side, siblings[i]->ssrc) : 0;
        if (!own || !its || own == its || siblings[i]->main_type == stream_rtp(t, s)->features.main_type)
            siblings[kept++] = siblings[i];
    }
    return kept;
}

static void media_context_of(const struct stream_table *t, const struct stream *s, struct media_context *ret)
{
    const struct flow *f = stream_flow(t, s);
    bool may_share = f->has_ice || f->has_dtls || f->has_turn || s->over_turn || f->proto == PROTO_TCP;
    *ret = (struct media_context){.sender_report_clock_rate = rtp_sender_report_clock(stream_rtp(t, s)),
                                  .webrtc = f->has_ice && f->has_dtls,
                                  .mask_payload_types = t->options.mask_payload_types};
    ret->sibling_count = relatives_of(t, s, flow_media(t, f, s->side), ret->siblings);
    ret->reverse_count = relatives_of(t, s, flow_media(t, f, !s->side), ret->reverse);
    ret->one_medium = !may_share && ret->sibling_count == 0 && ret->reverse_count == 1;
    ret->sibling_count = without_other_cnames(t, s, ret->sibling_count, ret->siblings);
}

static bool opposite_media(enum kind a, enum kind b)
{
    bool video_a = a == KIND_RTP_VIDEO || a == KIND_RTP_SLIDES, video_b = b == KIND_RTP_VIDEO || b == KIND_RTP_SLIDES;
    return (a == KIND_RTP_AUDIO && video_b) || (video_a && b == KIND_RTP_AUDIO);
}

/* One packet of an SSRC of its own, beside a stream that runs or much that is no RTP: whoever knows the ports of a call
 * can send that, and among noise a payload type that means something is not rare. */
static bool is_rtp_by_chance(const struct stream_table *t, const struct stream *s)
{
    int left = RELATIVES_LOOKED_AT;
    if (s->packets > 1)
        return false;
    const struct stream *plain = stream_find(t, stream_flow(t, s), s->side, FAMILY_PLAIN, 0);
    if (plain && plain->packets >= UNREADABLE_MIN)
        return true;
    for (const struct stream *other = flow_media(t, stream_flow(t, s), s->side); other && left;
         other = stream_next(t, other), left--)
        if (other->packets > 1)
            return true;
    return false;
}

void decide_rtp(const struct stream_table *t, const struct stream *s, bool words, struct decision *ret)
{
    struct media_context context;
    struct media_decision media;
    struct expect_answer sdp;

    if (is_rtp_by_chance(t, s)) {
        *ret = (struct decision){.codec = "", .repairs = ""};
        judgement_set(&ret->judgement, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
                      "one packet beside another stream tells nothing");
        return;
    }
    media_context_of(t, s, &context);
    context.in_brief = !words;
    media_decide(&stream_rtp(t, s)->features, &context, &media);
    *ret = (struct decision){.judgement = media.judgement,
                             .codec = media.codec ? media.codec : "",
                             .repairs = media.repairs ? media.repairs : "",
                             .clock_rate = media.clock_rate};
    if (context.sender_report_clock_rate)
        ret->clock_rate = context.sender_report_clock_rate;
    if (!sdp_says(t, s, ret, &sdp) || !kind_is_rtp(sdp.judgement.kind))
        return;
    ret->call = sdp.call;
    if (sdp.judgement.confidence < CONFIDENCE_CERTAIN && media.judgement.confidence >= CONFIDENCE_HIGH &&
        opposite_media(sdp.judgement.kind, media.judgement.kind)) {
        judgement_set(&ret->judgement, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
                      "the SDP that matches by port and the packets disagree");
        return;
    }
    ret->judgement = sdp.judgement;
    if (sdp.judgement.kind == KIND_RTP_UNKNOWN)
        ret->judgement.confidence = CONFIDENCE_NONE;
    ret->codec = sdp.codec;
    ret->repairs = sdp.repairs;
    if (sdp.clock_rate)
        ret->clock_rate = sdp.clock_rate;
}

/* --- what goes with media ----------------------------------------------------------------------------------------- */

/* The media that a flow carries in this direction; where it carries none that way, in the other. */
static uint32_t kinds_on_flow(const struct flow *f, uint8_t side)
{
    return f->sides[side].media_kinds ? f->sides[side].media_kinds : f->sides[!side].media_kinds;
}

static uint8_t side_towards(const struct stream_table *t, const struct flow *media, const struct flow *f, uint8_t side)
{
    struct addr lesser = flow_end(t, media, 0).addr, sender = flow_end(t, f, side).addr;
    return addr_equal(&lesser, &sender) ? 0 : 1;
}

static void decide_rtcp(const struct stream_table *t, const struct association *a, const struct stream *s,
                        const uint8_t *kinds, struct decision *ret)
{
    judgement_set(&ret->judgement, KIND_RTCP, CONFIDENCE_CERTAIN, "RTCP");
    if (!a)
        return;
    struct expect_answer sdp;
    const struct stream *media = association_sender(a, s);
    if (!media)
        media = association_reported(a, s);
    const struct flow *f = stream_flow(t, s);
    const struct flow *beside = association_media_flow(t, f);
    if (sdp_says(t, s, ret, &sdp))
        ret->call = sdp.call;
    else
        sdp.judgement.kind = KIND_OTHER;
    if (media)
        ret->media_kinds = 1u << kinds[stream_number(media)];
    else if (f->has_media)
        ret->media_kinds = kinds_on_flow(f, s->side);
    else if (kind_is_rtp(sdp.judgement.kind))
        ret->media_kinds = 1u << sdp.judgement.kind;
    else if (beside)
        ret->media_kinds = kinds_on_flow(beside, side_towards(t, beside, f, s->side));
    ret->unanswered = ret->unanswered && !ret->media_kinds; /* SDP would only have said which call it is of */
}

/* STUN, TURN and DTLS go with the media of their 5-tuple: ICE checks carry its mark (RFC 8445). */
static void decide_companion(const struct stream_table *t, const struct stream *s, struct decision *ret)
{
    struct expect_answer sdp;
    ret->media_kinds = kinds_on_flow(stream_flow(t, s), s->side);
    if (sdp_says(t, s, ret, &sdp)) {
        ret->call = sdp.call;
        if (!ret->media_kinds && sdp.judgement.kind != KIND_OTHER)
            ret->media_kinds = 1u << sdp.judgement.kind;
        if (s->family == FAMILY_DTLS && sdp.judgement.kind == KIND_IX)
            ret->judgement = sdp.judgement;
    }
    ret->unanswered = ret->unanswered && (!ret->media_kinds || s->family == FAMILY_DTLS);
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

/* Where SDP announces media, and what comes is no RTP: encrypted header and all, or another protocol. */
static bool is_unreadable_media(const struct stream_table *t, const struct stream *s, struct decision *decision,
                                struct expect_answer *ret)
{
    const struct flow *f = stream_flow(t, s);
    int left = RELATIVES_LOOKED_AT;
    if (f->proto != PROTO_UDP || s->packets < UNREADABLE_MIN || flow_protocol_is_known(t, f))
        return false;
    for (const struct stream *media = flow_media(t, f, s->side); media && left; media = stream_next(t, media), left--)
        if (media->packets > 1)
            return false;
    return left && sdp_says(t, s, decision, ret) && kind_is_rtp(ret->judgement.kind) &&
           ret->judgement.confidence > CONFIDENCE_LOW;
}

static void decide_plain(const struct stream_table *t, const struct stream *s, struct decision *ret)
{
    const struct flow *f = stream_flow(t, s);
    struct expect_answer sdp;
    judgement_set(&ret->judgement, KIND_OTHER, CONFIDENCE_NONE, "");
    if (!f->has_media && sdp_says(t, s, ret, &sdp) && sdp.judgement.kind != KIND_OTHER &&
        !kind_is_rtp(sdp.judgement.kind) && sdp.judgement.confidence > CONFIDENCE_LOW) {
        ret->judgement = sdp.judgement;
        ret->call = sdp.call;
        return;
    }
    if (is_unreadable_media(t, s, ret, &sdp)) {
        judgement_set(&ret->judgement, KIND_RTP_UNKNOWN, CONFIDENCE_NONE,
                      "SDP announces media here, and this is no RTP that can be read");
        ret->call = sdp.call;
        return;
    }
    const struct protocol_result *protocol = flow_protocol(t, f);
    if (protocol && protocol->judgement.confidence > CONFIDENCE_NONE) {
        ret->judgement = protocol->judgement;
        return;
    }
    if (f->proto == PROTO_TCP && f->has_media) {
        judgement_set(&ret->judgement, KIND_OTHER, CONFIDENCE_NONE,
                      "handshake and acknowledgements of media in TCP (RFC 4571)");
        return;
    }
    if (f->has_media) {
        judgement_set(&ret->judgement, KIND_OTHER, CONFIDENCE_NONE, "beside RTP on its 5-tuple, not RTP itself");
        return;
    }
    if (f->proto == PROTO_TCP && f->port[0] && !f->content_seen) {
        struct protocol_input in = {.proto = f->proto,
                                    .src_port = f->port[s->side],
                                    .dst_port = f->port[!s->side],
                                    .from_initiator = f->initiator == (int8_t)s->side,
                                    .ports = t->options.ports,
                                    .port_count = t->options.port_count};
        struct protocol_result result;
        protocol_classify_ports(&in, &result);
        ret->judgement = result.judgement;
    }
}

void decide_other(const struct stream_table *t, const struct association *a, const struct stream *s,
                  const uint8_t *kinds, struct decision *ret)
{
    *ret = (struct decision){.codec = "", .repairs = ""};
    switch ((enum family)s->family) {
    case FAMILY_RTCP:
        decide_rtcp(t, a, s, kinds, ret);
        break;
    case FAMILY_STUN:
        judgement_set(&ret->judgement, KIND_STUN, CONFIDENCE_CERTAIN,
                      stream_flow(t, s)->has_ice ? "STUN with ICE attributes" : "STUN");
        decide_companion(t, s, ret);
        break;
    case FAMILY_TURN:
        judgement_set(&ret->judgement, KIND_TURN, CONFIDENCE_CERTAIN, "TURN");
        decide_companion(t, s, ret);
        break;
    case FAMILY_DTLS:
        judgement_set(&ret->judgement, KIND_DTLS, CONFIDENCE_CERTAIN,
                      stream_flow(t, s)->use_srtp ? "DTLS with use_srtp" : "DTLS");
        decide_companion(t, s, ret);
        break;
    case FAMILY_RTP:
    case FAMILY_UNPROVEN:
    case FAMILY_FREE:
    case FAMILY_PLAIN:
        decide_plain(t, s, ret);
        break;
    }
}

void decide_explain(const struct stream_table *t, const struct stream *s, struct strbuf *to)
{
    struct media_context context;
    media_context_of(t, s, &context);
    media_explain(&stream_rtp(t, s)->features, &context, to);
}

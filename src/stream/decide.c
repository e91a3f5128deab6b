#include "stream/decide.h"

#include <stdio.h>
#include <string.h>

static void judgement_set(struct judgement *j, enum kind kind, enum confidence confidence, const char *evidence)
{
    j->kind = kind;
    j->confidence = confidence;
    (void)snprintf(j->evidence, sizeof j->evidence, "%s", evidence);
}

/* Payload types seen, most frequent first. */
static uint8_t types_by_count(const struct rtp_part *rtp, uint8_t types[static RTP_TYPES_MAX])
{
    bool taken[RTP_TYPES_MAX] = {false};
    for (uint8_t n = 0; n < rtp->type_count; n++) {
        int best = -1;
        for (uint8_t i = 0; i < rtp->type_count; i++)
            if (!taken[i] && (best < 0 || rtp->types[i].packets > rtp->types[best].packets))
                best = i;
        taken[best] = true;
        types[n] = rtp->types[best].payload_type;
    }
    return rtp->type_count;
}

static bool sdp_says(const struct stream_table *t, const struct stream *s, struct expect_answer *ret)
{
    if (t->options.ignore_signalling)
        return false;
    uint8_t types[RTP_TYPES_MAX];
    struct expect_query q = {.proto = s->flow->proto, .src = s->flow->ends[s->side], .dst = s->flow->ends[!s->side],
                             .first_ns = s->first_ns, .last_ns = s->last_ns, .rtcp = s->family == FAMILY_RTCP};
    if (s->rtp) {
        q.has_ssrc = true;
        q.ssrc = s->ssrc;
        q.payload_types = types;
        q.payload_type_count = types_by_count(s->rtp, types);
    }
    return expect_table_find(t->expect, &q, ret);
}

static void media_context_of(const struct stream_table *t, const struct stream *s, struct media_context *ret)
{
    const struct flow *f = s->flow;
    *ret = (struct media_context){.sender_report_clock_rate = s->rtp->sender_report_clock,
                                  .webrtc = f->has_ice && f->has_dtls,
                                  .mask_payload_types = t->options.mask_payload_types};
    for (const struct stream *other = f->sides[s->side].streams; other; other = other->flow_next)
        if (other != s && other->family == FAMILY_RTP && other->accepted && ret->sibling_count < 4)
            ret->siblings[ret->sibling_count++] = &other->rtp->features;
}

static bool opposite_media(enum kind a, enum kind b)
{
    bool video_a = a == KIND_RTP_VIDEO || a == KIND_RTP_SLIDES, video_b = b == KIND_RTP_VIDEO || b == KIND_RTP_SLIDES;
    return (a == KIND_RTP_AUDIO && video_b) || (video_a && b == KIND_RTP_AUDIO);
}

void decide_rtp(const struct stream_table *t, const struct stream *s, struct decision *ret)
{
    struct media_context context;
    struct media_decision media;
    struct expect_answer sdp;

    media_context_of(t, s, &context);
    media_decide(&s->rtp->features, &context, &media);
    *ret = (struct decision){.judgement = media.judgement, .codec = media.codec ? media.codec : "",
                             .repairs = media.repairs ? media.repairs : "", .clock_rate = media.clock_rate};
    if (context.sender_report_clock_rate)
        ret->clock_rate = context.sender_report_clock_rate;
    if (!sdp_says(t, s, &sdp) || !kind_is_rtp(sdp.judgement.kind))
        return;
    ret->call = sdp.call;
    if (sdp.judgement.confidence < CONFIDENCE_CERTAIN && media.judgement.confidence >= CONFIDENCE_HIGH &&
        opposite_media(sdp.judgement.kind, media.judgement.kind)) {
        judgement_set(&ret->judgement, KIND_RTP_UNKNOWN, CONFIDENCE_NONE, "the SDP that matches by port and the packets disagree");
        return;
    }
    ret->judgement = sdp.judgement;
    ret->codec = sdp.codec;
    ret->repairs = sdp.repairs;
    if (sdp.clock_rate)
        ret->clock_rate = sdp.clock_rate;
}

/* --- what goes with media ----------------------------------------------------------------------------------------- */

static uint32_t kinds_on_side(const struct flow *f, int side, const uint8_t *kinds)
{
    uint32_t mask = 0;
    for (const struct stream *s = f->sides[side].streams; s; s = s->flow_next)
        if (s->family == FAMILY_RTP && s->accepted && !s->merged)
            mask |= 1u << kinds[s->number];
    return mask;
}

/* The media that a flow carries in this direction; where it carries none that way, in the other. */
static uint32_t kinds_on_flow(const struct flow *f, uint8_t side, const uint8_t *kinds)
{
    uint32_t mask = kinds_on_side(f, side, kinds);
    return mask ? mask : kinds_on_side(f, !side, kinds);
}

static uint8_t side_towards(const struct flow *media, const struct flow *f, uint8_t side)
{
    return addr_equal(&media->ends[0].addr, &f->ends[side].addr) ? 0 : 1;
}

static void decide_rtcp(const struct stream_table *t, const struct association *a, const struct stream *s, const uint8_t *kinds,
                        struct decision *ret)
{
    judgement_set(&ret->judgement, KIND_RTCP, CONFIDENCE_CERTAIN, "RTCP");
    struct expect_answer sdp;
    const struct stream *media = association_sender(a, s);
    if (!media)
        media = association_reported(a, s);
    const struct flow *beside = association_media_flow(a, s->flow);
    if (sdp_says(t, s, &sdp))
        ret->call = sdp.call;
    else
        sdp.judgement.kind = KIND_OTHER;
    if (media)
        ret->media_kinds = 1u << kinds[media->number];
    else if (s->flow->has_media)
        ret->media_kinds = kinds_on_flow(s->flow, s->side, kinds);
    else if (kind_is_rtp(sdp.judgement.kind))
        ret->media_kinds = 1u << sdp.judgement.kind;
    else if (beside)
        ret->media_kinds = kinds_on_flow(beside, side_towards(beside, s->flow, s->side), kinds);
}

/* STUN, TURN and DTLS go with the media of their 5-tuple: ICE checks carry its mark (RFC 8445). */
static void decide_companion(const struct stream_table *t, const struct stream *s, const uint8_t *kinds, struct decision *ret)
{
    struct expect_answer sdp;
    ret->media_kinds = kinds_on_flow(s->flow, s->side, kinds);
    if (sdp_says(t, s, &sdp)) {
        ret->call = sdp.call;
        if (!ret->media_kinds && sdp.judgement.kind != KIND_OTHER)
            ret->media_kinds = 1u << sdp.judgement.kind;
        if (s->family == FAMILY_DTLS && sdp.judgement.kind == KIND_IX)
            ret->judgement = sdp.judgement;
    }
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void decide_plain(const struct stream_table *t, const struct stream *s, struct decision *ret)
{
    const struct flow *f = s->flow;
    struct expect_answer sdp;
    judgement_set(&ret->judgement, KIND_OTHER, CONFIDENCE_NONE, "");
    if (f->announced && !f->has_media && sdp_says(t, s, &sdp) && !kind_is_rtp(sdp.judgement.kind)) {
        ret->judgement = sdp.judgement;
        ret->call = sdp.call;
        return;
    }
    if (f->service && f->service->judgement.confidence > CONFIDENCE_NONE) {
        ret->judgement = f->service->judgement;
        return;
    }
    if (f->proto == PROTO_TCP && f->has_media) {
        judgement_set(&ret->judgement, KIND_OTHER, CONFIDENCE_NONE, "handshake and acknowledgements of media in TCP (RFC 4571)");
        return;
    }
    if (f->has_media) {
        judgement_set(&ret->judgement, KIND_OTHER, CONFIDENCE_NONE, "beside RTP on its 5-tuple, not RTP itself");
        return;
    }
    if ((f->proto == PROTO_TCP || f->proto == PROTO_UDP) && f->ends[0].port) {
        struct service_input in = {.proto = f->proto, .src_port = f->ends[s->side].port, .dst_port = f->ends[!s->side].port,
                                   .from_initiator = f->initiator == (int8_t)s->side,
                                   .ports = t->options.ports, .port_count = t->options.port_count};
        struct service_result result;
        service_classify_ports(&in, &result);
        ret->judgement = result.judgement;
    }
}

void decide_other(const struct stream_table *t, const struct association *a, const struct stream *s, const uint8_t *kinds,
                  struct decision *ret)
{
    *ret = (struct decision){.codec = "", .repairs = ""};
    switch ((enum family)s->family) {
    case FAMILY_RTCP: decide_rtcp(t, a, s, kinds, ret); break;
    case FAMILY_STUN:
        judgement_set(&ret->judgement, KIND_STUN, CONFIDENCE_CERTAIN, s->flow->has_ice ? "STUN with ICE attributes" : "STUN");
        decide_companion(t, s, kinds, ret);
        break;
    case FAMILY_TURN:
        judgement_set(&ret->judgement, KIND_TURN, CONFIDENCE_CERTAIN, "TURN");
        decide_companion(t, s, kinds, ret);
        break;
    case FAMILY_DTLS:
        judgement_set(&ret->judgement, KIND_DTLS, CONFIDENCE_CERTAIN, s->flow->use_srtp ? "DTLS with use_srtp" : "DTLS");
        decide_companion(t, s, kinds, ret);
        break;
    case FAMILY_RTP:
    case FAMILY_PLAIN: decide_plain(t, s, ret); break;
    }
}

void decide_explain(const struct stream_table *t, const struct stream *s, struct strbuf *to)
{
    struct media_context context;
    media_context_of(t, s, &context);
    media_explain(&s->rtp->features, &context, to);
}

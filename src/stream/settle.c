/*
 * What can only be decided when all packets were seen: streams that never left their probation, RTCP that no media
 * vouches for, and the exact clock rates that sender reports give.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/association.h"
#include "stream/flow.h"

static void merge_into_plain(struct stream_table *t, struct stream *s)
{
    if (stream_become_plain(t, s))
        return;
    struct stream *plain = stream_plain(t, stream_flow(t, s), s->side);
    if (plain)
        stream_merge(t, plain, s);
}

/* The framing proves itself after a few segments; those before it belong to the first media that came out of it. */
static void settle_unproven(struct stream_table *t, struct stream *s)
{
    struct stream *first = NULL;
    for (struct stream *other = flow_media(t, stream_flow(t, s), s->side); other; other = stream_next(t, other))
        if (!first || stream_number(other) < stream_number(first))
            first = other;
    if (first)
        stream_merge(t, first, s);
    else
        merge_into_plain(t, s);
}

static bool expected_rtp(const struct stream_table *t, const struct stream *s)
{
    if (t->options.ignore_signalling)
        return false;
    uint8_t types[RTP_TYPES_MAX];
    const struct flow *f = stream_flow(t, s);
    struct expect_query q = {.proto = f->proto,
                             .src = flow_end(t, f, s->side),
                             .dst = flow_end(t, f, !s->side),
                             .has_ssrc = true,
                             .ssrc = s->ssrc,
                             .payload_types = types,
                             .payload_type_count = rtp_types_by_count(t, s, types),
                             .first_ns = s->first_ns,
                             .last_ns = s->last_ns};
    struct expect_answer answer;
    return expect_table_find(t->expect, &q, &answer) && kind_is_rtp(answer.judgement.kind);
}

/* A stream too short to leave its probation is RTP all the same where SDP announced it, or where its 5-tuple carries
 * other RTP or agreed on SRTP keys. True where it left it only now. */
static bool settle_rtp(struct stream_table *t, struct stream *s)
{
    if (s->accepted)
        return false;
    const struct flow *f = stream_flow(t, s);
    if (f->has_media || f->use_srtp || expected_rtp(t, s)) {
        stream_accept(t, s);
        return true;
    }
    merge_into_plain(t, s);
    return false;
}

/* RTCP is confirmed by media on its 5-tuple or the one beside it, by SDP, or by itself: clear compounds with a CNAME,
 * or twice in a row. */
static void settle_rtcp(struct stream_table *t, const struct association *a, struct stream *s)
{
    enum kind announced = KIND_OTHER;
    const struct flow *f = stream_flow(t, s);
    const struct rtcp_part *rtcp = stream_rtcp(t, s);
    struct endpoint src = flow_end(t, f, s->side), dst = flow_end(t, f, !s->side);
    bool sdp = !t->options.ignore_signalling &&
               expect_table_announced(t->expect, f->proto, &src, &dst, s->last_ns, &announced);
    if (f->has_media || association_media_flow(a, f) || sdp || (rtcp->clear && (rtcp->cname || s->packets >= 2)))
        s->accepted = true;
    else
        merge_into_plain(t, s);
}

static const uint32_t standard_rates[] = {8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 90000, 1000};
enum { STANDARD_RATES = sizeof standard_rates / sizeof *standard_rates };

uint32_t rtp_sender_report_clock(const struct rtp_part *rtp)
{
    return rtp->sender_report_clock ? standard_rates[rtp->sender_report_clock - 1] : 0;
}

/* The rate between two sender reports, drawn to the nearest standard rate when it is within 3 % of it (RFC 3550 §6.4.1:
 * NTP and RTP timestamps of one instant). Reports less than 2 s apart say too little. A place in the
 * table of rates + 1; 0 where none is near. */
static uint8_t sender_report_rate(const struct rtcp_part *r)
{
    double seconds = (double)(int64_t)(r->last_ntp - r->first_ntp) / 4294967296.0;
    if (!r->has_report || seconds < 2.0)
        return 0;
    double rate = (double)(uint32_t)(r->last_rtp - r->first_rtp) / seconds;
    for (uint8_t i = 0; i < STANDARD_RATES; i++)
        if (fabs(rate - standard_rates[i]) < 0.03 * standard_rates[i])
            return (uint8_t)(i + 1);
    return 0;
}

static void settle_clock(const struct association *a, const struct stream *s)
{
    uint8_t rate = sender_report_rate(stream_rtcp(a->t, s));
    const struct stream *media = rate ? association_sender(a, s) : NULL;
    if (media)
        stream_rtp(a->t, media)->sender_report_clock = rate;
}

static void settle_all_rtp(struct stream_table *t, uint32_t count)
{
    bool late = false;
    for (uint32_t i = 0; i < count; i++)
        if (stream_at(t, i)->family == FAMILY_RTP)
            late |= settle_rtp(t, stream_at(t, i));
    /* only now: what one candidate turned out to be must not decide about the next */
    for (uint32_t i = 0; i < count && late; i++) {
        const struct stream *s = stream_at(t, i);
        if (s->family == FAMILY_RTP && s->accepted)
            stream_flow(t, s)->has_media = true;
    }
}

static void settle_all_rtcp(struct stream_table *t, uint32_t count)
{
    struct association a;
    if (!association_init(&a, t))
        return;
    for (uint32_t i = 0; i < count; i++)
        if (stream_at(t, i)->family == FAMILY_RTCP)
            settle_rtcp(t, &a, stream_at(t, i));
    for (uint32_t i = 0; i < count; i++) {
        const struct stream *s = stream_at(t, i);
        if (s->family == FAMILY_RTCP && !s->merged)
            settle_clock(&a, s);
    }
    association_done(&a);
}

void stream_settle(struct stream_table *t)
{
    uint32_t count = t->stream_count; /* plain streams made here need no settling */
    settle_all_rtp(t, count);
    for (uint32_t i = 0; i < count && t->has_unproven; i++)
        if (stream_at(t, i)->family == FAMILY_UNPROVEN)
            settle_unproven(t, stream_at(t, i));
    if (t->has_rtcp)
        settle_all_rtcp(t, count);
}

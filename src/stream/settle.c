/*
 * What can only be decided when all packets were seen: streams that never left their probation, RTCP that no media
 * vouches for, and the exact clock rates that sender reports give.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/association.h"
#include "stream/flow.h"

static void merge_outer(struct stream *to, const struct stream *from)
{
    if (!from->outer || (!to->outer && !(to->outer = calloc(1, sizeof *to->outer))))
        return;
    histogram_merge(&to->outer->marks, &from->outer->marks);
    if (to->outer->differs == 0)
        to->outer->differs_first = from->outer->differs_first;
    to->outer->differs += from->outer->differs;
}

void stream_merge(struct stream *to, struct stream *from)
{
    if (from->packets) {
        bool earlier = to->packets == 0 || from->first_ns < to->first_ns;
        if (earlier) {
            to->vlan_pcp = from->vlan_pcp;
            to->mpls_tc = from->mpls_tc;
            to->tunnel_depth = from->tunnel_depth;
            to->judged_version = from->judged_version;
            to->judged_at = from->judged_at;
            to->first_ns = from->first_ns;
            to->first = from->first;
            to->arrival = from->arrival;
        }
        if (to->packets == 0 || from->last_ns > to->last_ns)
            to->last_ns = from->last_ns;
        to->packets += from->packets;
        to->bytes += from->bytes;
        to->fragmented |= from->fragmented;
        histogram_merge(&to->marks, &from->marks);
        to->copies.differ += from->copies.differ;
        merge_outer(to, from);
    }
    from->merged = true;
}

static void merge_into_plain(struct stream_table *t, struct stream *s)
{
    struct stream *plain = stream_plain(t, s->flow, s->side);
    if (plain)
        stream_merge(plain, s);
}

/* The framing proves itself after a few segments; those before it belong to the first media that came out of it. */
static void settle_unproven(struct stream_table *t, struct stream *s)
{
    struct stream *first = NULL;
    for (struct stream *other = s->flow->sides[s->side].media; other; other = other->flow_next)
        if (!first || other->number < first->number)
            first = other;
    if (first)
        stream_merge(first, s);
    else
        merge_into_plain(t, s);
}

static bool expected_rtp(const struct stream_table *t, const struct stream *s)
{
    if (t->options.ignore_signalling)
        return false;
    uint8_t types[RTP_TYPES_MAX];
    struct expect_query q = {.proto = s->flow->proto, .src = s->flow->ends[s->side], .dst = s->flow->ends[!s->side],
                             .has_ssrc = true, .ssrc = s->ssrc, .payload_types = types,
                             .payload_type_count = rtp_types_by_count(s->rtp, types),
                             .first_ns = s->first_ns, .last_ns = s->last_ns};
    struct expect_answer answer;
    return expect_table_find(t->expect, &q, &answer) && kind_is_rtp(answer.judgement.kind);
}

/* A stream too short to leave its probation is RTP all the same where SDP announced it, or where its 5-tuple carries
 * other RTP or agreed on SRTP keys. */
static void settle_rtp(struct stream_table *t, struct stream *s)
{
    if (s->accepted)
        return;
    if (s->flow->has_media || s->flow->use_srtp || expected_rtp(t, s))
        stream_accept(s);
    else
        merge_into_plain(t, s);
}

/* RTCP is confirmed by media on its 5-tuple or the one beside it, by SDP, or by itself: clear compounds with a CNAME,
 * or twice in a row. */
static void settle_rtcp(struct stream_table *t, const struct association *a, struct stream *s)
{
    enum kind announced = KIND_OTHER;
    bool sdp = !t->options.ignore_signalling &&
               expect_table_announced(t->expect, s->flow->proto, &s->flow->ends[s->side], &s->flow->ends[!s->side], s->last_ns, &announced);
    if (s->flow->has_media || association_media_flow(a, s->flow) || sdp ||
        (s->rtcp->clear && (s->rtcp->cname || s->packets >= 2)))
        s->accepted = true;
    else
        merge_into_plain(t, s);
}

/* The rate between two sender reports, drawn to the nearest standard rate when it is within 3 % of it (RFC 3550 §6.4.1:
 * NTP and RTP timestamps of one instant). Reports less than 2 s apart say too little. */
static uint32_t sender_report_rate(const struct rtcp_part *r)
{
    static const uint32_t standard[] = {8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 90000, 1000};
    double seconds = (double)(int64_t)(r->last_ntp - r->first_ntp) / 4294967296.0;
    if (!r->has_report || seconds < 2.0)
        return 0;
    double rate = (double)(uint32_t)(r->last_rtp - r->first_rtp) / seconds;
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
        if (fabs(rate - standard[i]) < 0.03 * standard[i])
            return standard[i];
    return 0;
}

static void settle_clock(const struct association *a, const struct stream *s)
{
    uint32_t rate = sender_report_rate(s->rtcp);
    struct stream *media = rate ? association_sender(a, s) : NULL;
    if (media)
        media->rtp->sender_report_clock = rate;
}

void stream_settle(struct stream_table *t)
{
    size_t count = t->stream_count; /* plain streams made here need no settling */

    for (size_t i = 0; i < count; i++)
        if (t->streams[i]->family == FAMILY_RTP)
            settle_rtp(t, t->streams[i]);
    /* only now: what one candidate turned out to be must not decide about the next */
    for (size_t i = 0; i < count; i++)
        t->streams[i]->flow->has_media |= t->streams[i]->family == FAMILY_RTP && t->streams[i]->accepted;
    for (size_t i = 0; i < count; i++)
        if (t->streams[i]->family == FAMILY_UNPROVEN)
            settle_unproven(t, t->streams[i]);

    struct association a;
    if (!association_init(&a, t))
        return;
    for (size_t i = 0; i < count; i++)
        if (t->streams[i]->family == FAMILY_RTCP)
            settle_rtcp(t, &a, t->streams[i]);
    for (size_t i = 0; i < count; i++)
        if (t->streams[i]->family == FAMILY_RTCP && !t->streams[i]->merged)
            settle_clock(&a, t->streams[i]);
    association_done(&a);
}

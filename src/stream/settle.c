/*
 * What can only be decided when all packets were seen: streams that never left their probation, RTCP that no media
 * vouches for, and the exact clock rates that sender reports give.
 */
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "stream/association.h"
#include "stream/look.h"

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
        if (!first || stream_made_before(t, other, first))
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
    struct expect_query q = rtp_query(t, s, s->first_ns, s->last_ns, types);
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

/* Two bytes of header and a length that is not too long prove little: among noise that is sent to the ports of a call
 * there is a datagram like that in every fifty thousand. One alone, of a source that no media has, is doubted where so
 * much passes that nobody knows that its like is to be expected in one case of a hundred. */
static bool is_rtcp_by_chance(const struct stream_table *t, const struct flow *f, const struct stream *s)
{
    enum { NOISE_MIN = 500 };
    if (s->packets > 1 || stream_rtcp(t, s)->clear)
        return false;
    const struct stream *plain = stream_find(t, f, s->side, FAMILY_PLAIN, 0);
    if (!plain || plain->packets < NOISE_MIN)
        return false;
    const struct stream *media = stream_find(t, f, s->side, FAMILY_RTP, s->ssrc);
    return !media || !media->accepted;
}

/* RTCP is confirmed by media on its 5-tuple or the one beside it, by SDP, or by itself: clear compounds with a CNAME,
 * or twice in a row. */
static void settle_rtcp(struct stream_table *t, struct stream *s)
{
    enum kind announced = KIND_OTHER;
    const struct flow *f = stream_flow(t, s);
    const struct rtcp_part *rtcp = stream_rtcp(t, s);
    struct endpoint src = flow_end(t, f, s->side), dst = flow_end(t, f, !s->side);
    bool sdp = !t->options.ignore_signalling &&
               expect_table_announced(t->expect, f->proto, &src, &dst, s->last_ns, &announced);
    if (association_media_flow(t, f) || ((f->has_media || sdp) && !is_rtcp_by_chance(t, f, s)) ||
        (rtcp->clear && (rtcp->cname || s->packets >= 2))) {
        look_save(t, s, sizeof *s);
        s->accepted = true;
    } else {
        merge_into_plain(t, s);
    }
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

static void settle_clock(struct stream_table *t, const struct association *a, const struct stream *s)
{
    uint8_t rate = sender_report_rate(stream_rtcp(t, s));
    const struct stream *media = rate ? association_sender(a, s) : NULL;
    if (!media)
        return;
    uint8_t *clock = &stream_rtp(t, media)->sender_report_clock;
    look_save(t, clock, sizeof *clock);
    *clock = rate;
}

static struct stream *in_scope(const struct stream_table *t, const struct scope *scope, size_t i)
{
    return stream_at(t, scope->at[i]);
}

static void settle_all_rtp(struct stream_table *t, const struct scope *scope)
{
    bool late = false;
    for (size_t i = 0; i < scope->count; i++)
        if (in_scope(t, scope, i)->family == FAMILY_RTP && !in_scope(t, scope, i)->merged)
            late |= settle_rtp(t, in_scope(t, scope, i));
    /* only now: what one candidate turned out to be must not decide about the next */
    for (size_t i = 0; i < scope->count && late; i++) {
        const struct stream *s = in_scope(t, scope, i);
        if (s->family == FAMILY_RTP && s->accepted && !stream_flow(t, s)->has_media) {
            look_save(t, stream_flow(t, s), sizeof(struct flow));
            stream_flow(t, s)->has_media = true;
        }
    }
}

static void settle_all_rtcp(struct stream_table *t, const struct scope *scope)
{
    struct association a;
    if (!association_init(&a, t, scope)) {
        t->memory_failed = true;
        return;
    }
    for (size_t i = 0; i < scope->count; i++)
        if (in_scope(t, scope, i)->family == FAMILY_RTCP)
            settle_rtcp(t, in_scope(t, scope, i));
    for (size_t i = 0; i < scope->count; i++) {
        const struct stream *s = in_scope(t, scope, i);
        if (s->family == FAMILY_RTCP && !s->merged)
            settle_clock(t, &a, s);
    }
    association_done(&a);
}

/* No stream is made by it: where what is merged has no plain stream to go to, it becomes that itself. */
void stream_settle(struct stream_table *t, const struct scope *scope)
{
    settle_all_rtp(t, scope);
    for (size_t i = 0; i < scope->count && t->unproven_count; i++)
        if (in_scope(t, scope, i)->family == FAMILY_UNPROVEN)
            settle_unproven(t, in_scope(t, scope, i));
    if (pool_used(&t->rtcp_parts))
        settle_all_rtcp(t, scope);
}

bool scope_all(const struct stream_table *t, struct scope *ret)
{
    ret->count = 0;
    ret->at = malloc((t->stream_count + (size_t)1) * sizeof *ret->at);
    if (!ret->at)
        return false;
    for (uint32_t i = 0; i < t->streams.count; i++)
        if (stream_at(t, i)->family != FAMILY_FREE)
            ret->at[ret->count++] = i;
    return true;
}

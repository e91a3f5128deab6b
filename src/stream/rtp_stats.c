#include "stream/rtp_stats.h"

#include <math.h>

#include "base/clock.h"

/* Counters of what is rare are short, and stay at their end. */
static uint32_t capped(uint64_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

static void run_begin(struct rtp_stats *s, uint16_t sequence)
{
    s->highest = sequence;
    s->wraps = 0;
    s->base = sequence;
    s->has_bad_next = false;
    s->window = 1;
    s->received++;
}

static uint64_t run_expected(const struct rtp_stats *s)
{
    return s->started ? ((uint64_t)s->wraps << 16) + s->highest - s->base + 1 : 0;
}

static void sequence_ahead(struct rtp_stats *s, uint16_t sequence, uint16_t ahead)
{
    s->wraps += sequence < s->highest;
    s->highest = sequence;
    s->window = ahead < 64 ? s->window << ahead | 1 : 1;
    s->has_bad_next = false;
    s->received++;
}

/* A packet that comes after its place: a duplicate where the window knows it, reordered otherwise. */
static void sequence_behind(struct rtp_stats *s, uint16_t behind)
{
    if (behind < 64 && s->window >> behind & 1) {
        s->duplicates = capped(s->duplicates + (uint64_t)1);
        return;
    }
    if (behind < 64)
        s->window |= (uint64_t)1 << behind;
    s->reordered = capped(s->reordered + (uint64_t)1);
    s->received++;
    uint64_t extended = ((uint64_t)s->wraps << 16) + s->highest;
    if (extended >= behind && extended - behind < s->base)
        s->base = (uint16_t)(extended - behind); /* it was sent before the first one that was seen */
}

/* RFC 3550 A.1, without its probation: whether this is RTP has been decided elsewhere. */
static void sequence_add(struct rtp_stats *s, uint16_t sequence)
{
    if (!s->started) {
        s->started = true;
        run_begin(s, sequence);
        return;
    }
    uint16_t ahead = (uint16_t)(sequence - s->highest);
    uint16_t behind = (uint16_t)(s->highest - sequence);

    if (ahead != 0 && ahead < RTP_DROPOUT_MAX) {
        sequence_ahead(s, sequence, ahead);
        return;
    }
    if (behind <= RTP_MISORDER_MAX) {
        sequence_behind(s, behind);
        return;
    }
    if (s->has_bad_next && sequence == s->bad_next) {
        s->expected_before = capped(s->expected_before + run_expected(s) + 1); /* with the packet that announced it */
        run_begin(s, sequence);
        s->has_transit = false;
        return;
    }
    s->bad_next = (uint16_t)(sequence + 1);
    s->has_bad_next = true;
    s->received++;
}

/* RFC 3550 A.8 in floating point: every packet in order of arrival, those of one frame and late ones as well, so that
 * the figure is the one that receivers report and Wireshark shows. */
static void jitter_add(struct rtp_stats *s, uint32_t timestamp, int64_t time_ns)
{
    if (s->has_transit && s->clock_rate) {
        double arrival = (double)(time_ns - s->last_ns) * s->clock_rate / (double)NS_PER_S;
        double d = fabs(arrival - (double)(int32_t)(timestamp - s->last_timestamp));
        /* a sender that begins anew moves its timestamps by anything: not the network's doing */
        if (d < s->clock_rate) {
            s->jitter_units += (d - s->jitter_units) / 16.0;
            s->has_jitter = true;
        }
    }
    s->last_timestamp = timestamp;
    s->has_transit = true;
}

void rtp_stats_add(struct rtp_stats *s, const struct rtp_header *h, int64_t time_ns)
{
    if (s->started && time_ns - s->last_ns > s->max_gap_ns)
        s->max_gap_ns = time_ns - s->last_ns;
    sequence_add(s, h->sequence);
    jitter_add(s, h->timestamp, time_ns);
    s->last_ns = time_ns;
}

void rtp_stats_clock(struct rtp_stats *s, uint32_t clock_rate)
{
    if (clock_rate == s->clock_rate)
        return;
    s->clock_rate = clock_rate;
    s->has_transit = false;
    s->jitter_units = 0;
    s->has_jitter = false;
}

void rtp_stats_figures(const struct rtp_stats *s, struct rtp_figures *ret)
{
    uint64_t expected = s->expected_before + run_expected(s);
    if (expected < s->received)
        expected = s->received;
    ret->clock_rate = s->clock_rate;
    ret->expected = expected;
    ret->lost = expected - s->received;
    ret->reordered = s->reordered;
    ret->duplicates = s->duplicates;
    ret->jitter_ms = s->clock_rate && s->has_jitter ? s->jitter_units * 1000.0 / s->clock_rate : -1.0;
    ret->max_gap_ms = (double)s->max_gap_ns / (double)NS_PER_MS;
}

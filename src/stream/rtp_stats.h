#ifndef QOSMARK_STREAM_RTP_STATS_H
#define QOSMARK_STREAM_RTP_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "classify/rtp.h"
#include "model/record.h"

/*
 * Loss, reordering, duplicates and jitter of one RTP stream as RFC 3550 counts them (A.1, A.3, A.8). A sequence that
 * jumps by more than RTP_DROPOUT_MAX and stays there is a sender that started anew, not loss.
 */
struct rtp_stats {
    int64_t last_ns, max_gap_ns;
    uint64_t window; /* bit n: highest - n was received */
    uint64_t received;
    double jitter_units;
    uint32_t last_timestamp;
    uint32_t clock_rate;      /* Hz that the jitter is counted with; 0 while not known */
    uint32_t expected_before; /* of the runs that ended; this and the next two stay at their end */
    uint32_t reordered, duplicates;
    uint32_t wraps;    /* of the present run: how often its sequence numbers began anew */
    uint16_t highest;  /* highest sequence number of the present run */
    uint16_t base;     /* its first; where packets sent earlier come later, theirs */
    uint16_t bad_next; /* the number that would confirm a restart, where there is one */
    bool started : 1;
    bool has_bad_next : 1;
    bool has_transit : 1; /* the jitter goes on from the last packet */
    bool has_jitter : 1;
};
_Static_assert(sizeof(struct rtp_stats) <= 72, "one is kept for each stream");

#define RTP_DROPOUT_MAX  3000
#define RTP_MISORDER_MAX 100

void rtp_stats_add(struct rtp_stats *s, const struct rtp_header *h, int64_t time_ns);

/* Sets the clock rate once it is known, or when it turns out otherwise: the jitter begins anew. */
void rtp_stats_clock(struct rtp_stats *s, uint32_t clock_rate);

void rtp_stats_figures(const struct rtp_stats *s, struct rtp_figures *ret);

#endif

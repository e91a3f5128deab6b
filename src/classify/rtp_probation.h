#ifndef QOSMARK_CLASSIFY_RTP_PROBATION_H
#define QOSMARK_CLASSIFY_RTP_PROBATION_H

#include <stdint.h>

#include "classify/rtp.h"

/*
 * RTP that no SDP announced: found after several packets that agree, never on one. One probation for a 5-tuple and
 * direction; zero is the initial state. Two SSRCs may be interleaved (BUNDLE): each has a slot of its own.
 *
 * RFC 3550 A.1 asks for two consecutive sequence numbers; here the same SSRC must show four that follow each other,
 * six where the timestamp never moved, with a timestamp that moves as media's does; lost and reordered packets count a
 * quarter. Packets that fit nowhere are
 * strikes, and too many of them reject the 5-tuple for good.
 */
struct rtp_probation {
    /* One SSRC on probation, for whoever keeps SSRCs apart: see rtp_candidate_update(). */
    struct rtp_candidate {
        uint32_t timestamp;
        uint16_t sequence;
        uint16_t time_4ms;    /* of the last packet, in units of 4 ms, wrapping */
        uint8_t payload_type; /* of the last packet */
        uint8_t score;        /* 0 for an empty slot; grows with each packet that fits */
        uint8_t moves;        /* how many of these moved the timestamp, to 2 */
        uint8_t strikes;      /* contradictions; not counted once an SSRC was accepted */
    } candidates[2];
    uint32_t ssrcs[2];
};

enum rtp_probation_verdict { RTP_PROBATION_UNDECIDED = 0, RTP_PROBATION_ACCEPTED, RTP_PROBATION_REJECTED };

/*
 * One packet that rtp_plausible() took. ACCEPTED is said of the SSRC of this packet; the caller need not ask again for
 * an accepted SSRC (its slot may go to another). Other SSRCs on the 5-tuple go through it themselves. REJECTED: so many
 * packets contradicted RTP that asking further is a waste; it never follows ACCEPTED.
 */
enum rtp_probation_verdict rtp_probation_update(struct rtp_probation *p, const struct rtp_header *h, int64_t time_ns);

/* The same for packets that are known to share an SSRC. */
enum rtp_probation_verdict rtp_candidate_update(struct rtp_candidate *c, const struct rtp_header *h, int64_t time_ns);

#endif

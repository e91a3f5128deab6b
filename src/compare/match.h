#ifndef QOSMARK_COMPARE_MATCH_H
#define QOSMARK_COMPARE_MATCH_H

#include "compare/pair.h"

/* Packets of paired flows, one by one. A packet that a capture shows more than once (a mirror port on both sides, a
 * duplicate) is one packet; where its copies have different marks it is compared with none. What looks alike and cannot
 * be told apart by its content or its IPv4 identification is left unmatched. */

enum compare_fate {
    FATE_UNPAIRED = 0, /* its flow is */
    FATE_MATCHED,
    FATE_ALONE, /* only in this capture */
    FATE_COPY,  /* of another packet of this capture */
    FATE_LEFT,  /* FATE_LEFT + enum compare_why: neither */
};

struct compare_match {
    uint32_t packet[2]; /* in the first and in the second capture */
};

/* What the times, hop counts and hosts of one pair of flows say of its way. */
struct compare_flow_way {
    uint8_t way;   /* COMPARE_FORWARD or COMPARE_BACKWARD */
    uint8_t by;    /* enum compare_way_by */
    bool doubtful; /* assumed, though traffic of its hosts passes both ways */
};

struct compare_matches {
    struct compare_match *all;
    size_t count, cap;
    uint8_t *fate[2];              /* by packet */
    struct compare_flow_way *ways; /* by flow of the first capture; of those that are paired */
    bool way_known;                /* of one flow at least it is more than assumed */
};

/* False without memory. */
bool compare_match_packets(const struct compare_point *a, const struct compare_point *b,
                           const struct compare_pairing *pairing, struct compare_matches *ret);
void compare_matches_done(struct compare_matches *m);

/* refine.c: takes back matches that contradict what all of them together tell of IPv4 identifications and
 * clocks, and changes of marks that only a coincidence tells of. False without memory. */
bool compare_matches_refine(const struct compare_point *a, const struct compare_point *b, struct compare_matches *m);

/* ways.c: which way each pair of flows goes. False without memory. */
bool compare_ways_find(const struct compare_point *a, const struct compare_point *b,
                       const struct compare_pairing *pairing, struct compare_matches *m);

#endif

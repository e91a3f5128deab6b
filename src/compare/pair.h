#ifndef QOSMARK_COMPARE_PAIR_H
#define QOSMARK_COMPARE_PAIR_H

#include "compare/point.h"
#include "model/compare_document.h"

/*
 * Which flow of one capture is which of another. The same 5-tuple, where both hold a packet in common; else, behind NAT
 * or a relay, the flow that holds its packets, where that is one alone on both sides. A conference server sends one
 * participant's media to many: such flows are told apart by what only they carry, or by the other direction of their
 * 5-tuple, and else not at all.
 */
struct compare_pairing {
    uint32_t *of[2]; /* by flow of the first and of the second: the other's flow, COMPARE_NONE */
    uint8_t *why[2]; /* enum compare_unpaired */
};

/* False without memory. The points are finished. */
bool compare_pair_flows(const struct compare_point *a, const struct compare_point *b, struct compare_pairing *ret);
void compare_pairing_done(struct compare_pairing *p);

/* Whether two packets with one identity may be the same: what both captured whole has to agree. */
static inline bool compare_may_be_same(const struct compare_packet *x, const struct compare_packet *y)
{
    return !(x->flags & y->flags & COMPARE_IS_WHOLE) || x->check == y->check;
}

#endif

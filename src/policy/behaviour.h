#ifndef QOSMARK_POLICY_BEHAVIOUR_H
#define QOSMARK_POLICY_BEHAVIOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dscp.h"

/* What a path does to marks, with the names of RFC 9435 §4. The order is the order in which one name is preferred
 * where several fit: the more specific rule first. */
enum behaviour {
    BEHAVIOUR_PRESERVED = 0,
    BEHAVIOUR_BLEACH_DSCP,           /* 0 */
    BEHAVIOUR_BLEACH_TOS_PRECEDENCE, /* x & 7 */
    BEHAVIOUR_BLEACH_SOME_TOS,       /* x & 7, but what begins with the bits 11 stays */
    BEHAVIOUR_BLEACH_LOW,            /* x & 56 */
    BEHAVIOUR_BLEACH_SOME_LOW,       /* x & 56, but what begins with the bits 11 stays */
    BEHAVIOUR_REMARK_TOS,            /* the first three bits become one other, non-zero value */
    BEHAVIOUR_REMARK_DSCP,           /* one or more marks become fixed non-zero values */
    BEHAVIOUR_MIXED,                 /* no single rule gives all of this */
    BEHAVIOUR_UNKNOWN,               /* nothing was seen */
    BEHAVIOUR_COUNT
};

/* One class of a path: what was sent, or may have been sent where only an expectation is known, and what was seen. */
struct behaviour_pair {
    dscp_set_t sent;
    dscp_t seen;
};

/* The behaviours (bit 1 << enum behaviour) that explain every one of the pairs; 0 where none does. Unmarked controls
 * are pairs like others. BEHAVIOUR_MIXED and _UNKNOWN are never among them. */
uint32_t behaviour_consistent(const struct behaviour_pair *pairs, size_t n);

/* The one name for it: the first that is consistent; mixed where none is, unknown without pairs. */
enum behaviour behaviour_of(const struct behaviour_pair *pairs, size_t n);

/* "bleach-dscp": the word of the contracts. */
const char *behaviour_name(enum behaviour b);

/* "Bleach-DSCP": as RFC 9435 writes it, for sentences. */
const char *behaviour_title(enum behaviour b);

#endif

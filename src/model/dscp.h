#ifndef QOSMARK_MODEL_DSCP_H
#define QOSMARK_MODEL_DSCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

/* A Differentiated Services code point, 0..63 (RFC 2474 §3). Never the whole byte: that is a tos_t. */
typedef uint8_t dscp_t;

/* The IPv4 TOS byte or IPv6 traffic class: DSCP in the upper six bits, ECN in the lower two (RFC 3168 §5). */
typedef uint8_t tos_t;

#define DSCP_COUNT 64
#define DSCP_NAME_MAX 12

enum {
    DSCP_CS0 = 0,
    DSCP_LE = 1,
    DSCP_CS3 = 24,
    DSCP_AF31 = 26,
    DSCP_CS4 = 32,
    DSCP_AF41 = 34,
    DSCP_VOICE_ADMIT = 44,
    DSCP_EF = 46,
};

static inline dscp_t tos_dscp(tos_t tos)
{
    return tos >> 2;
}

static inline uint8_t tos_ecn(tos_t tos)
{
    return tos & 3;
}

static inline tos_t dscp_tos(dscp_t dscp)
{
    return (tos_t)(dscp << 2);
}

/* The IANA name ("EF", "AF41", "CS3", "VOICE-ADMIT", "LE"), or the number where it has none: never NULL. */
const char *dscp_name(dscp_t dscp);

/* True where IANA has a name for it. */
bool dscp_is_named(dscp_t dscp);

/* A mark as people write it: a name in any case ("BE" and "default" are CS0), decimal or 0x hex, 0..63. False on
 * anything else, with `*ret_number` the value where it was a number out of range, -1 where it was no number. */
bool dscp_parse(struct slice text, dscp_t *ret, int *ret_number);

/* A set of marks: bit n is DSCP n. */
typedef uint64_t dscp_set_t;

static inline dscp_set_t dscp_set_of(dscp_t dscp)
{
    return (dscp_set_t)1 << (dscp & 63);
}

static inline bool dscp_set_has(dscp_set_t set, dscp_t dscp)
{
    return set >> (dscp & 63) & 1;
}

#endif

#ifndef QOSMARK_COMPARE_IDENTITY_H
#define QOSMARK_COMPARE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/packet.h"

/*
 * What survives of a packet on its way through routers, NAT, tunnels and links with other headers, as a number: RTP by
 * SSRC, sequence number and timestamp; TCP by sequence and acknowledgement numbers, flags and length; everything else
 * by its length and its first bytes. Addresses, ports, TTL and marks are not in it. Pure.
 */

/* What a packet looks like by itself: keeps the media of a BUNDLE apart, and finds the record that it counts to. */
enum compare_family { COMPARE_PLAIN = 0, COMPARE_RTP, COMPARE_RTCP, COMPARE_STUN, COMPARE_DTLS, COMPARE_FAMILY_COUNT };

enum compare_flag {
    COMPARE_IS_WHOLE = 1,  /* `check` is of the whole payload */
    COMPARE_IS_WEAK = 2,   /* too little to find a packet by behind other addresses */
    COMPARE_IS_SHORT = 4,  /* the capture was cut: there is no identity */
    COMPARE_IS_UNSURE = 8, /* its fragments are incomplete, or carry different marks */
};

struct compare_identity {
    uint64_t identity; /* never 0 unless COMPARE_IS_SHORT */
    uint32_t check;    /* of the payload, where it was captured whole */
    uint32_t ssrc;     /* of RTP, and of the sender of RTCP */
    enum compare_family family;
    uint8_t flags;
};

/* Bytes of payload that tell a datagram which is no RTP: more than these a capture may be cut after. */
enum { COMPARE_PREFIX_BYTES = 24 };

/* Small ones are counters and constants, or no SSRC at all: a quarter of all DNS messages looks like RTP with such a
 * one. */
static inline bool compare_ssrc_is_random(uint32_t ssrc)
{
    return ssrc > 0xFFFF;
}

void compare_identify(const struct hash_key *key, const struct packet *p, struct compare_identity *ret);

#endif

#ifndef QOSMARK_FLEET_DIGEST_H
#define QOSMARK_FLEET_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/packet.h"

/*
 * By what two points know that a stream without sequence numbers is the same at both, and not that of another host
 * which has the same private address in another site: digests of a few packets. Of all packets of a time the least
 * digests are kept, so that two points that saw the same packets have the same ones, whenever their intervals begin and
 * wherever in a connection their sensors did.
 *
 * Of TCP a digest is that of the sequence number and of the acknowledged one, of which each end draws its own at random
 * (RFC 9293 §3.4.1); of UDP that of the first bytes of the payload. Nothing can be read out of the 32 bits. The key is
 * the same everywhere: it is no secret.
 */
enum {
    DIGEST_BYTES_MAX = 256, /* of a payload */
    DIGEST_BYTES_MIN = 20,  /* a shorter one is a keepalive, as every host sends them */
};

/* Whether streams between these may be those of several hosts: only then are there digests of them. */
bool digest_wanted(const struct addr *src, const struct addr *dst);

/* False where nothing in the packet is its own: a SYN, a reset, RTP, a keepalive, other protocols. */
bool digest_of(const struct packet *p, uint32_t *ret);

/* Keeps the least `most` of different ones, in ascending order. */
void digest_keep(uint32_t *digests, uint8_t *count, size_t most, uint32_t digest);

#endif

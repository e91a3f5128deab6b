#ifndef QOSMARK_ANONYMIZE_WALK_H
#define QOSMARK_ANONYMIZE_WALK_H

/* What the files anonymize_frame*.c share: bytes that are changed in place, on the way down the headers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "anonymize/internal.h"
#include "model/kind.h"

/* Headers on the way down, guesses included. */
#define ANONYMIZE_STEPS_MAX 64

/* A checksum (RFC 1071) over bytes that are being changed: those from `start` on. */
struct anonymize_sum {
    struct anonymize_sum *outer;
    size_t start;
    int64_t change; /* of the sum of 16-bit words */
};

struct anonymize_walk {
    struct anonymizer *a;
    uint8_t *bytes;
    size_t len;
    enum kind kind;     /* what the innermost packet is */
    uint8_t layers;     /* IP headers passed */
    uint8_t layers_max; /* as many as the decoder found; 0: it did not say */
    size_t innermost;   /* where the last of them stands */
    unsigned steps;
    bool quoted; /* inside what an ICMP error quotes */
    struct anonymize_sum *sums;
};

/* Each of them stands at a header, and returns where the bytes end that may stay: `at` itself where the header is cut,
 * or not what it should be. */
typedef size_t anonymize_step(struct anonymize_walk *w, size_t at);

anonymize_step anonymize_ethernet, anonymize_ip, anonymize_mpls;
size_t anonymize_ethertype(struct anonymize_walk *w, uint16_t ethertype, size_t at);

/* What an IP header carries; `change` is that of the sum of its two addresses, which checksums include. */
size_t anonymize_transport(struct anonymize_walk *w, uint8_t proto, size_t at, int64_t change);

/* ---- bytes ---- */

static inline bool anonymize_has(const struct anonymize_walk *w, size_t at, size_t n)
{
    return at <= w->len && n <= w->len - at;
}

static inline uint16_t anonymize_u16(const struct anonymize_walk *w, size_t at)
{
    return (uint16_t)(w->bytes[at] << 8 | w->bytes[at + 1]);
}

/* One step further down; false where there were too many. */
static inline bool anonymize_go_on(struct anonymize_walk *w)
{
    return ++w->steps <= ANONYMIZE_STEPS_MAX;
}

/* Changes bytes, and what the open checksums have to be changed by. */
void anonymize_put(struct anonymize_walk *w, size_t at, const uint8_t *bytes, size_t n);
void anonymize_fill(struct anonymize_walk *w, size_t at, uint8_t byte, size_t n);

/* Replaces an address of 4 or 16 bytes; returns the change of the sum of its 16-bit words. */
int64_t anonymize_put_address(struct anonymize_walk *w, size_t at, size_t n);
void anonymize_put_mac(struct anonymize_walk *w, size_t at);

void anonymize_sum_open(struct anonymize_walk *w, struct anonymize_sum *s, size_t start, int64_t change);

/* Corrects the checksum at `at` by what was changed since (RFC 1624, equation 3). With `none_is_zero` (UDP) a checksum
 * of 0 is none. Nothing where it was not captured. */
void anonymize_sum_close(struct anonymize_walk *w, struct anonymize_sum *s, size_t at, bool none_is_zero);

#endif

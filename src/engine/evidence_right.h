#ifndef QOSMARK_ENGINE_EVIDENCE_RIGHT_H
#define QOSMARK_ENGINE_EVIDENCE_RIGHT_H

#include <stddef.h>
#include <stdint.h>

#include "base/slots.h"
#include "model/record.h"

/*
 * Which marks are right for a stream, by its token, so that its packets need not be kept. It is known for a few seconds
 * after the look that found it out: then the next packets are kept until another look has seen them. So a stream that
 * is judged otherwise later, or another one that took its number, is noticed.
 */
struct evidence_right_one {
    dscp_set_t marks;
    int64_t until_ns;
};

struct evidence_right {
    struct evidence_right_one *all;
    size_t count;
};

void evidence_right_done(struct evidence_right *r);

/* Whether a packet with that mark need not be kept. */
bool evidence_right_has(const struct evidence_right *r, uint32_t token, dscp_t dscp, int64_t time_ns);

/* Whether a verdict may still come that matters: a stream this young may be known for what it is later. */
bool evidence_is_open(const struct record *r, int64_t patience_ns);

/* What the record says of the token's stream. `patience_ns` is how long a stream may stay without a verdict before its
 * packets are kept no more. Without memory nothing is known of it. */
void evidence_right_set(struct evidence_right *r, uint32_t token, const struct record *record, dscp_set_t priority,
                        int64_t now_ns, int64_t patience_ns);

/* Packets for which there was no room, by token and mark. */
struct evidence_lost_one {
    uint32_t token;
    dscp_t dscp;
    uint64_t frames;
};

struct evidence_lost {
    struct evidence_lost_one *all;
    size_t count, cap;
    struct slots slots;
    uint64_t beyond; /* of which not even that much is kept */
};

void evidence_lost_add(struct evidence_lost *l, uint32_t token, dscp_t dscp);
void evidence_lost_clear(struct evidence_lost *l);
void evidence_lost_done(struct evidence_lost *l);

#endif

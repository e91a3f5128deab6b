#ifndef QOSMARK_STREAM_COPIES_H
#define QOSMARK_STREAM_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "model/packet.h"
#include "model/record.h"

/*
 * Packets that a capture shows twice with different marks: a mirror port that copies a switch's both sides shows each
 * packet before and after it is marked. Such a stream looks as if its mark came and went, and nothing is wrong with it.
 *
 * A copy is the same packet, not the same content sent again: RTP by its header, the rest by its IPv4 identification
 * or, without one, by coming within 100 ms. A stream of one mark keeps the tag of its last packet and nothing more.
 */
struct copies_ring;

struct copy_of {
    uint32_t tag; /* 0: nothing tells it from another */
    dscp_t dscp;
    uint8_t ttl; /* or hop limit; 0: not kept */
    int64_t time_ns;
};

/* What a packet and its copies have in common, in 32 bits; 0 where nothing tells it from others. */
uint32_t copy_tag_of(const struct packet *p);
uint32_t copy_tag_of_part(const struct packet *p, uint32_t i);

struct copies {
    struct copy_of last;
    struct copies_ring *ring; /* the newest packets, kept since a second mark came up; NULL before */
    uint64_t differ;          /* packets with another mark than an earlier copy of the same packet */
    dscp_t before, after;     /* the pair of marks that most of them have */
    uint8_t before_hops, after_hops; /* hop limits of most of that pair, if of any */
    uint64_t same_hops;       /* pairs that have these, less those that have others */
    uint64_t forth, back;     /* of that pair: `before` was first, `after` was; less those that have another pair */
};

/* The two marks; only where `differ` is not 0. */
struct copied_marks copies_marks(const struct copies *c);

/* Adds what was counted in `from`; the packets that `to` remembers stay its own. */
void copies_merge(struct copies *to, const struct copies *from);

/* Takes one packet of a stream that is in one piece; or part `i` of one that came in fragments. False without memory:
 * then copies may go unnoticed. */
bool copies_add(struct copies *c, const struct packet *p);
bool copies_add_part(struct copies *c, const struct packet *p, uint32_t i);
void copies_done(struct copies *c);

#endif

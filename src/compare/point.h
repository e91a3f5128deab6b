#ifndef QOSMARK_COMPARE_POINT_H
#define QOSMARK_COMPARE_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/slots.h"
#include "compare/identity.h"
#include "model/kind.h"
#include "model/packet.h"

/*
 * What a comparison keeps of one capture: 32 bytes a packet, and who the packets belong to. A flow is one direction of
 * a 5-tuple, which is what routing and NAT act upon; a stream is what a flow carries of one SSRC or family, which is
 * what has a class.
 */

struct compare_packet {
    int64_t time_ns;
    uint64_t identity;
    uint32_t stream;
    uint32_t frame; /* UINT32_MAX for all beyond */
    uint32_t check;
    uint16_t ip_id;
    tos_t tos;
    uint8_t flags; /* enum compare_flag */
};
_Static_assert(sizeof(struct compare_packet) == 32, "one is kept for each packet");

#define COMPARE_NONE UINT32_MAX

struct compare_flow {
    uint8_t proto, ttl; /* ttl: of its first packet */
    bool ttl_varies;
    bool has_short; /* a packet was cut too short for an identity */
    struct endpoint src, dst;
    uint32_t first_stream; /* list; COMPARE_NONE: none */
    uint32_t stream_count;
    uint32_t reverse; /* the other direction, COMPARE_NONE where it was not seen */
    uint64_t packets;
    uint32_t begin, end; /* of its packets in point.order */
    int64_t first_ns, last_ns;
};

struct compare_stream_part {
    uint32_t flow, next;
    uint32_t ssrc;
    uint8_t family; /* enum compare_family */
    uint8_t kind, traffic_class;
    uint8_t confidence; /* of the class */
    uint64_t packets;
    uint32_t first_frame;
};

/* A stretch in which the capture has no frame at all: it may have paused. */
struct compare_hole {
    int64_t from_ns, to_ns;
};
enum { COMPARE_HOLE_MS = 3000 };

struct compare_point {
    struct hash_key key;
    struct compare_packet *packets;
    size_t packet_count, packet_cap;
    struct compare_flow *flows;
    size_t flow_count, flow_cap;
    struct compare_stream_part *streams;
    size_t stream_count, stream_cap;
    struct slots flow_slots;
    uint32_t *order; /* packets by flow, then identity, then time */
    size_t max_packets;
    uint64_t left_out;          /* packets beyond max_packets */
    int64_t first_ns, last_ns;  /* of the packets taken */
    struct compare_hole *holes; /* one after the other */
    size_t hole_count, hole_cap;
    bool failed; /* out of memory */
};

/* `max_packets` 0: the default, 64 million (2 GiB). */
void compare_point_init(struct compare_point *p, const struct hash_key *key, size_t max_packets);
void compare_point_done(struct compare_point *p);

/* Takes one packet; failure of memory latches in `failed`. */
void compare_point_packet(struct compare_point *p, const struct packet *packet);

/* Notes that the capture has nothing from one time to the other. */
void compare_point_hole(struct compare_point *p, int64_t from_ns, int64_t to_ns);

/* The hole that overlaps a stretch of time; NULL where the capture has frames all through it. */
const struct compare_hole *compare_point_hole_at(const struct compare_point *p, int64_t from_ns, int64_t to_ns);

/* After the last packet: makes `order`, and links the two directions of each 5-tuple. False without memory. */
bool compare_point_finish(struct compare_point *p);

/* The flow of exactly these ends; COMPARE_NONE. */
uint32_t compare_point_find(const struct compare_point *p, uint8_t proto, const struct endpoint *src,
                            const struct endpoint *dst);

static inline const struct compare_packet *compare_at(const struct compare_point *p, uint32_t place)
{
    return &p->packets[p->order[place]];
}

#endif

#include "stream/copies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Mirror ports hand on both copies within microseconds, or in bursts where buffers are in between. */
enum { RING_SIZE = 64, EDGE_BYTES = 16 };
#define WINDOW_NS (100 * NS_PER_MS)

struct copies_ring {
    struct copy_of at[RING_SIZE];
    uint8_t next;
};

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t mix_edge(uint64_t hash, const uint8_t *bytes)
{
    uint64_t words[EDGE_BYTES / 8];
    memcpy(words, bytes, sizeof words);
    return mix(mix(hash, words[0]), words[1]);
}

/* Of the packet's header and the beginning of its payload: an RTP header is its first 12 bytes, behind TURN's four.
 * What has neither that nor a number of its own is known by its end as well. Who chooses packets that collide only
 * keeps his own marks from being judged. */
uint32_t copy_tag_of(const struct packet *p)
{
    uint32_t len = p->payload_bytes;
    if (len == 0 && p->ip_id == 0)
        return 0; /* acknowledgements without a number are all alike */
    uint64_t hash = (uint64_t)p->payload_wire_bytes << 32 | p->ip_id;
    if (p->proto == PROTO_TCP)
        hash = mix(mix(hash, (uint64_t)p->tcp_ack << 32 | p->tcp_seq), p->tcp_flags);
    if (len >= EDGE_BYTES) {
        hash = mix_edge(hash, p->payload);
        if (p->ip_id == 0 && p->payload[0] >> 6 != 2)
            hash = mix_edge(hash, p->payload + (len - EDGE_BYTES));
    } else if (len) {
        uint8_t edge[EDGE_BYTES] = {0};
        memcpy(edge, p->payload, len);
        hash = mix_edge(hash, edge);
    } else {
        hash = mix(hash, 0);
    }
    return (uint32_t)(hash >> 32) | 1;
}

static bool is_copy(const struct copy_of *a, const struct copy_of *b)
{
    if (a->tag != b->tag || a->dscp == b->dscp)
        return false;
    int64_t apart = a->time_ns > b->time_ns ? a->time_ns - b->time_ns : b->time_ns - a->time_ns;
    return apart <= WINDOW_NS;
}

static bool ring_has_copy(const struct copies_ring *ring, const struct copy_of *packet)
{
    for (size_t i = 0; i < RING_SIZE; i++)
        if (ring->at[i].tag && is_copy(&ring->at[i], packet))
            return true;
    return false;
}

void copies_add(struct copies *c, const struct packet *p)
{
    struct copy_of now = {copy_tag_of(p), tos_dscp(p->tos), p->time_ns};
    bool differs = now.dscp != c->last.dscp && c->last.tag;
    if (!c->ring && differs && (c->ring = calloc(1, sizeof *c->ring)))
        c->ring->at[c->ring->next++] = c->last;
    if (c->ring && now.tag) {
        c->differ += ring_has_copy(c->ring, &now);
        c->ring->at[c->ring->next++ % RING_SIZE] = now;
    }
    c->last = now;
}

void copies_done(struct copies *c)
{
    free(c->ring);
    *c = (struct copies){0};
}

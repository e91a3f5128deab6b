#include "stream/copies.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* Mirror ports hand on both copies within microseconds, or in bursts where buffers are in between: a ring that is full
 * of packets of a moment, as of a large video frame, becomes a larger one, once. */
enum { RING_SIZE = 64, RING_SIZE_LARGE = 256, EDGE_BYTES = 16 };
#define WINDOW_NS (100 * NS_PER_MS)

struct copies_ring {
    uint32_t size, next;
    struct copy_of at[];
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
    if (len == 0 && p->ip_id == 0 && p->proto != PROTO_TCP)
        return 0; /* what is empty and has no number is all alike; TCP has numbers of its own */
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

uint32_t copy_tag_of_part(const struct packet *p, uint32_t i)
{
    uint64_t hash = mix((uint64_t)i << 32 | p->ip_id, (uint64_t)p->parts[i].ip_bytes << 32 | p->part_count);
    return p->ip_id ? (uint32_t)(hash >> 32) | 1 : 0;
}

static bool is_copy(const struct copy_of *a, const struct copy_of *b)
{
    if (a->tag != b->tag || a->dscp == b->dscp)
        return false;
    int64_t apart = a->time_ns > b->time_ns ? a->time_ns - b->time_ns : b->time_ns - a->time_ns;
    return apart <= WINDOW_NS;
}

/* The earlier copy of a packet; NULL without. */
static const struct copy_of *ring_find(const struct copies_ring *ring, const struct copy_of *packet)
{
    for (size_t i = 0; i < ring->size; i++)
        if (ring->at[i].tag && is_copy(&ring->at[i], packet))
            return &ring->at[i];
    return NULL;
}

static bool ring_enlarge(struct copies *c)
{
    struct copies_ring *large = calloc(1, sizeof *large + RING_SIZE_LARGE * sizeof large->at[0]);
    if (!large)
        return false;
    large->size = RING_SIZE_LARGE;
    for (; large->next < c->ring->size; large->next++)
        large->at[large->next] = c->ring->at[(c->ring->next + large->next) % c->ring->size];
    free(c->ring);
    c->ring = large;
    return true;
}

static bool ring_put(struct copies *c, const struct copy_of *packet)
{
    const struct copy_of *oldest = &c->ring->at[c->ring->next % c->ring->size];
    int64_t age_ns = packet->time_ns > oldest->time_ns ? packet->time_ns - oldest->time_ns : 0;
    bool has_room = !oldest->tag || c->ring->size == RING_SIZE_LARGE || age_ns >= WINDOW_NS || ring_enlarge(c);
    c->ring->at[c->ring->next++ % c->ring->size] = *packet;
    return has_room;
}

static bool ring_begin(struct copies *c)
{
    if (!(c->ring = calloc(1, sizeof *c->ring + RING_SIZE * sizeof c->ring->at[0])))
        return false;
    c->ring->size = RING_SIZE;
    return ring_put(c, &c->last);
}

/* Of a pair of the marks that most have: of the copy marked c->before, and of the other. */
static void count_hops(struct copies *c, uint8_t before, uint8_t after)
{
    if (before == 0 || after == 0)
        return;
    if (c->same_hops == 0) {
        c->before_hops = before;
        c->after_hops = after;
    }
    if (before == c->before_hops && after == c->after_hops)
        c->same_hops++;
    else
        c->same_hops--;
}

/* A router between the copies lowers the hop limit: that tells their order better than the capture's does. */
static void count_pair(struct copies *c, const struct copy_of *early, const struct copy_of *late)
{
    bool turned = early->ttl && late->ttl && early->ttl < late->ttl;
    dscp_t before = turned ? late->dscp : early->dscp, after = turned ? early->dscp : late->dscp;
    c->differ++;
    if (c->forth + c->back == 0) {
        c->before = before;
        c->after = after;
        c->same_hops = 0;
    }
    if (before == c->before && after == c->after) {
        c->forth++;
        count_hops(c, early->dscp == before ? early->ttl : late->ttl, early->dscp == before ? late->ttl : early->ttl);
    } else if (before == c->after && after == c->before) {
        c->back++;
        count_hops(c, early->dscp == after ? early->ttl : late->ttl, early->dscp == after ? late->ttl : early->ttl);
    } else if (c->forth >= c->back) {
        c->forth--;
    } else {
        c->back--;
    }
}

struct copied_marks copies_marks(const struct copies *c)
{
    bool forth = c->forth >= c->back;
    uint64_t most = forth ? c->forth : c->back;
    struct copied_marks m = {.before = forth ? c->before : c->after,
                             .after = forth ? c->after : c->before,
                             .in_order = most > 0 && (c->forth + c->back - most) * 9 <= most};
    /* nine of ten less the tenth */
    if (m.in_order && c->before_hops != c->after_hops && c->same_hops * 10 >= most * 8) {
        m.before_hops = forth ? c->before_hops : c->after_hops;
        m.after_hops = forth ? c->after_hops : c->before_hops;
    }
    return m;
}

void copies_merge(struct copies *to, const struct copies *from)
{
    to->differ += from->differ;
    if (to->forth + to->back >= from->forth + from->back)
        return;
    to->before = from->before;
    to->after = from->after;
    to->before_hops = from->before_hops;
    to->after_hops = from->after_hops;
    to->same_hops = from->same_hops;
    to->forth = from->forth;
    to->back = from->back;
}

static bool add(struct copies *c, struct copy_of now)
{
    bool ok = true;
    if (!c->ring && now.dscp != c->last.dscp && c->last.tag)
        ok = ring_begin(c);
    if (c->ring && now.tag) {
        const struct copy_of *early = ring_find(c->ring, &now);
        if (early)
            count_pair(c, early, &now);
        ok = ring_put(c, &now) && ok;
    }
    c->last = now;
    return ok;
}

bool copies_add(struct copies *c, const struct packet *p)
{
    return add(c, (struct copy_of){copy_tag_of(p), tos_dscp(p->tos), p->ttl, p->time_ns});
}

bool copies_add_part(struct copies *c, const struct packet *p, uint32_t i)
{
    return add(c, (struct copy_of){copy_tag_of_part(p, i), tos_dscp(p->parts[i].tos), p->ttl, p->parts[i].time_ns});
}

void copies_done(struct copies *c)
{
    free(c->ring);
    *c = (struct copies){0};
}

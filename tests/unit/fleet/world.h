#ifndef QOSMARK_TESTS_FLEET_WORLD_H
#define QOSMARK_TESTS_FLEET_WORLD_H

/*
 * Sensors along a path, as far as the collector knows them: packets go in, messages come out as docs/FLEET.md says.
 * What a test expects it works out from the packets it sent, never from these messages.
 */
#include <stdio.h>

#include "base/clock.h"
#include "fleet/digest.h"
#include "fleet/join.h"

#define WORLD_BEGIN 1790000100LL /* seconds since 1970: the begin of a minute of five */

enum { WORLD_INTERVAL_S = 10, WORLD_PACKETS_MAX = 20000 };

struct world_message {
    struct delta delta;
    struct delta_block *blocks;
    int64_t stored_ns;
};

struct world {
    struct world_message *messages;
    size_t count, cap;
    uint64_t serial;
};

struct world_packet {
    int64_t ns; /* true time at this point; 0: not there */
    uint16_t sequence;
    uint32_t rtp;
    dscp_t dscp;
};

struct world_sensor {
    const char *site, *point;
    int64_t clock_ns;       /* its clock minus the true time */
    int64_t phase_ns;       /* when its intervals begin */
    int64_t start_ns;       /* true time; told as what the sensor began at */
    int64_t from_ns, to_ns; /* true times between which it tells, whole intervals */
    int64_t drop_at_ns;     /* true time at which it dropped frames; 0: never */
};

struct world_stream {
    const char *src, *dst; /* "10.0.0.1:5000" */
    uint32_t ssrc;
    uint8_t ttl;
    uint8_t proto;
    enum kind kind;
    enum traffic_class traffic_class;
};

static inline void world_push(struct world *w, const struct delta *d, const struct delta_block *blocks, size_t n,
                              int64_t stored_ns)
{
    if (w->count == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->messages = realloc(w->messages, w->cap * sizeof *w->messages);
        assert_non_null(w->messages);
    }
    struct world_message *m = &w->messages[w->count++];
    m->delta = *d;
    m->stored_ns = stored_ns;
    m->blocks = calloc(n + 1, sizeof *blocks);
    assert_non_null(m->blocks);
    if (n)
        memcpy(m->blocks, blocks, n * sizeof *blocks);
    m->delta.block_count = n;
    m->delta.blocks = n ? m->blocks : NULL;
}

static inline void world_done(struct world *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->messages[i].blocks);
    free(w->messages);
}

static inline int64_t world_interval_of(const struct world_sensor *s, int64_t true_ns)
{
    int64_t length = WORLD_INTERVAL_S * NS_PER_S;
    return (true_ns + s->clock_ns - s->phase_ns) / length;
}

static inline struct delta world_delta(const struct world_sensor *s, int64_t interval)
{
    struct delta d = {.type = DELTA_STREAM};
    int64_t length = WORLD_INTERVAL_S * NS_PER_S;
    snprintf(d.site, sizeof d.site, "%s", s->site);
    snprintf(d.point, sizeof d.point, "%s", s->point);
    d.start_ns = s->start_ns;
    d.interval = (uint64_t)interval;
    d.from_ns = interval * length + s->phase_ns;
    d.to_ns = d.from_ns + length;
    if (s->drop_at_ns && world_interval_of(s, s->drop_at_ns) == interval)
        d.dropped_kernel = 5;
    return d;
}

static inline void world_mark(struct delta *d, dscp_t dscp)
{
    size_t k = 0;
    while (k < d->mark_count && d->marks[k].dscp != dscp)
        k++;
    if (k == d->mark_count)
        d->marks[d->mark_count++] = (struct delta_count){dscp, 0};
    d->marks[k].packets++;
}

/* Any function of the packet does, as long as it is the same everywhere. */
static inline void world_digest(struct delta *d, uint32_t connection, uint16_t sequence)
{
    uint64_t x = ((uint64_t)connection << 32 | sequence) * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    if (connection)
        digest_keep(d->digests, &d->digest_count, DELTA_DIGESTS_MAX, (uint32_t)(x >> 32));
}

static inline void world_block(struct delta_block *b, const struct world_packet *p, int64_t seen_ns)
{
    unsigned bit = p->sequence % DELTA_BLOCK_PACKETS;
    if (b->packets == 0) {
        b->anchor_ns = seen_ns;
        b->anchor_rtp = p->rtp;
        b->anchor_sequence = p->sequence;
    }
    if (b->seen[bit / 8] >> bit % 8 & 1) {
        b->copies++;
        return;
    }
    b->seen[bit / 8] |= (uint8_t)(1 << bit % 8);
    b->packets++;
    size_t k = 0;
    while (k < b->mark_count && b->marks[k].dscp != p->dscp)
        k++;
    if (k == DELTA_BLOCK_MARKS_MAX) {
        b->other++;
        return;
    }
    if (k == b->mark_count)
        b->marks[b->mark_count++].dscp = p->dscp;
    b->marks[k].packets++;
}

/* A stream's packets at a sensor, in the order they passed. Blocks are told in the interval in which they are over.
 * `connection`: whose packets they are, for their digests; 0: they have none. */
static inline void world_see_connection(struct world *w, const struct world_sensor *s, const struct world_stream *st,
                                        uint32_t connection, const struct world_packet *packets, size_t n)
{
    static struct delta_block blocks[DELTA_BLOCKS_MAX];
    struct delta d = {0};
    int64_t interval = -1;
    size_t block_count = 0;
    struct delta_block open = {0};
    bool any = false, first = true;
    uint16_t newest = 0;
    int64_t extended = 0;
    uint64_t serial = ++w->serial;
    for (size_t i = 0; i <= n; i++) {
        const struct world_packet *p = i < n ? &packets[i] : NULL;
        if (p && (p->ns == 0 || p->ns < s->from_ns || p->ns >= s->to_ns))
            continue;
        int64_t at = p ? world_interval_of(s, p->ns) : -2;
        if (p) {
            extended = any ? extended + (int16_t)(p->sequence - newest) : p->sequence;
            newest = any && (int16_t)(p->sequence - newest) < 0 ? newest : p->sequence;
            if (any && newest != p->sequence)
                extended += (int16_t)(newest - p->sequence);
        }
        bool over = any && st->ssrc && (!p || (uint64_t)(extended / DELTA_BLOCK_PACKETS) != open.number);
        if (over) {
            blocks[block_count++] = open;
            open = (struct delta_block){0};
        }
        if (interval >= 0 && at != interval) {
            world_push(w, &d, blocks, block_count, d.to_ns - s->clock_ns + 50 * NS_PER_MS);
            block_count = 0;
        }
        if (!p)
            break;
        if (at != interval) {
            interval = at;
            d = world_delta(s, interval);
            d.stream = serial;
            d.proto = st->proto ? st->proto : 17;
            assert_true(endpoint_parse(slice_make(st->src, strlen(st->src)), 0, &d.src));
            assert_true(endpoint_parse(slice_make(st->dst, strlen(st->dst)), 0, &d.dst));
            d.has_ssrc = st->ssrc != 0;
            d.ssrc = st->ssrc;
            d.kind = st->kind;
            d.traffic_class = st->traffic_class;
            d.confidence = CONFIDENCE_CERTAIN;
            d.ttl_lowest = d.ttl_highest = st->ttl;
            d.began = first;
            d.first_ns = p->ns + s->clock_ns;
            first = false;
        }
        d.packets++;
        d.bytes += 200;
        d.last_ns = p->ns + s->clock_ns;
        world_mark(&d, p->dscp);
        world_digest(&d, connection, p->sequence);
        if (st->ssrc) {
            if (!any || open.packets == 0)
                open.number = (uint64_t)(extended / DELTA_BLOCK_PACKETS);
            world_block(&open, p, p->ns + s->clock_ns);
        }
        any = true;
    }
}

static inline void world_see(struct world *w, const struct world_sensor *s, const struct world_stream *st,
                             const struct world_packet *packets, size_t n)
{
    world_see_connection(w, s, st, 0, packets, n);
}

/* That the sensor was there: call it once a sensor, after all streams. */
static inline void world_present(struct world *w, const struct world_sensor *s)
{
    size_t told = w->count;
    for (int64_t i = world_interval_of(s, s->from_ns); i < world_interval_of(s, s->to_ns); i++) {
        struct delta d = world_delta(s, i);
        d.type = DELTA_INTERVAL;
        for (size_t k = 0; k < told; k++) {
            const struct delta *x = &w->messages[k].delta;
            d.deltas += x->type == DELTA_STREAM && x->start_ns == d.start_ns && x->interval == d.interval &&
                        strcmp(x->point, d.point) == 0 && strcmp(x->site, d.site) == 0;
        }
        d.frames = 1000;
        world_push(w, &d, NULL, 0, d.to_ns - s->clock_ns + 60 * NS_PER_MS);
    }
}

#endif

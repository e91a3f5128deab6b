#include <stdlib.h>

#include "base/slots.h"
#include "compare/match.h"

/*
 * Which of the two points the packets of a flow pass first. By the TTL, which routers decrease; by the clocks, where a
 * conversation passes both ways; by its hosts, where other flows of them tell on which side they are. What nothing
 * tells is taken to go forward, as the captures were given; that is doubtful where traffic passes both ways.
 */

enum { CLOCK_PACKETS_LEAST = 10 };

/* Of the packets of a flow: the second capture's time minus the first's, and when the first capture had them. */
struct flow_delay {
    int64_t least, most;
    int64_t begin, end;
    uint64_t packets;
};

static struct compare_flow_way way_by_ttl(const struct compare_flow *fa, const struct compare_flow *fb)
{
    struct compare_flow_way w = {COMPARE_FORWARD, COMPARE_WAY_ASSUMED, false};
    if (fa->ttl_varies || fb->ttl_varies || fa->ttl == fb->ttl)
        return w;
    w.by = COMPARE_WAY_TTL;
    w.way = fb->ttl > fa->ttl ? COMPARE_BACKWARD : COMPARE_FORWARD;
    return w;
}

/* ---- clocks ---- */

static void measure_flows(const struct compare_point *a, const struct compare_point *b, const struct compare_matches *m,
                          struct flow_delay *delays)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct compare_packet *x = &a->packets[m->all[i].packet[0]], *y = &b->packets[m->all[i].packet[1]];
        struct flow_delay *d = &delays[a->streams[x->stream].flow];
        int64_t delay = y->time_ns - x->time_ns;
        d->least = d->packets == 0 || delay < d->least ? delay : d->least;
        d->most = d->packets == 0 || delay > d->most ? delay : d->most;
        d->begin = d->packets == 0 || x->time_ns < d->begin ? x->time_ns : d->begin;
        d->end = d->packets == 0 || x->time_ns > d->end ? x->time_ns : d->end;
        d->packets++;
    }
}

/* Whether all packets of one direction take longer by the clocks than all of the other, while both flow: clocks drift
 * apart, and of what did not pass at the same time nothing is learnt. */
static bool takes_longer(const struct flow_delay *ahead, const struct flow_delay *back)
{
    int64_t begin = ahead->begin > back->begin ? ahead->begin : back->begin;
    int64_t end = ahead->end < back->end ? ahead->end : back->end;
    int64_t one = ahead->end - ahead->begin, other = back->end - back->begin, longest = one > other ? one : other;
    return ahead->packets >= CLOCK_PACKETS_LEAST && back->packets >= CLOCK_PACKETS_LEAST && end - begin > longest / 2 &&
           ahead->least > back->most;
}

/* A switch leaves the TTL as it is, and a relay or a proxy sends with one of its own. Whatever the clocks differ by, of
 * the two directions of a conversation the one that goes forward has the greater difference; believed only where no
 * packet of the other has as much. */
static void find_by_clock(const struct compare_point *a, const struct compare_point *b,
                          const struct compare_pairing *pairing, const struct flow_delay *delays,
                          struct compare_flow_way *ways)
{
    for (uint32_t i = 0; i < a->flow_count; i++) {
        uint32_t back = a->flows[i].reverse, j = pairing->of[0][i];
        if (j == COMPARE_NONE || back == COMPARE_NONE || pairing->of[0][back] == COMPARE_NONE ||
            pairing->of[0][back] != b->flows[j].reverse || !takes_longer(&delays[i], &delays[back]))
            continue;
        if (ways[i].by == COMPARE_WAY_ASSUMED || ways[i].way != COMPARE_FORWARD)
            ways[i] = (struct compare_flow_way){COMPARE_FORWARD, COMPARE_WAY_CLOCK, false};
        if (ways[back].by == COMPARE_WAY_ASSUMED || ways[back].way != COMPARE_BACKWARD)
            ways[back] = (struct compare_flow_way){COMPARE_BACKWARD, COMPARE_WAY_CLOCK, false};
    }
}

/* ---- hosts ---- */

/* What is known of an address, as the first capture shows it. */
struct host {
    struct addr address;
    bool near, far;       /* flows of known way show it on this side */
    bool sends, receives; /* in flows that were matched */
};

struct hosts {
    const struct compare_point *point;
    struct host *all; /* room for two of each flow */
    size_t count;
    struct slots slots;
};

/* NULL without memory. */
static struct host *host_get(struct hosts *h, const struct addr *address)
{
    uint8_t key[1 + sizeof address->bytes];
    key[0] = address->version;
    for (size_t i = 0; i < sizeof address->bytes; i++)
        key[1 + i] = address->bytes[i];
    uint32_t tag = (uint32_t)hash_bytes(&h->point->key, key, sizeof key), place = slots_first(&h->slots, tag), number;
    while (slots_next(&h->slots, tag, &place, &number))
        if (addr_equal(&h->all[number].address, address))
            return &h->all[number];
    if (!slots_add(&h->slots, tag, (uint32_t)h->count))
        return NULL;
    h->all[h->count] = (struct host){.address = *address};
    return &h->all[h->count++];
}

static bool learn_hosts(struct hosts *h, const struct compare_pairing *pairing, const struct compare_flow_way *ways)
{
    for (uint32_t i = 0; i < h->point->flow_count; i++) {
        const struct compare_flow *f = &h->point->flows[i];
        if (pairing->of[0][i] == COMPARE_NONE)
            continue;
        struct host *src = host_get(h, &f->src.addr), *dst = host_get(h, &f->dst.addr);
        if (!src || !dst)
            return false;
        bool known = ways[i].by != COMPARE_WAY_ASSUMED, forward = ways[i].way == COMPARE_FORWARD;
        src->sends = dst->receives = true;
        src->near |= known && forward;
        dst->far |= known && forward;
        src->far |= known && !forward;
        dst->near |= known && !forward;
    }
    return true;
}

static bool find_by_host(struct hosts *h, const struct compare_pairing *pairing, struct compare_flow_way *ways)
{
    for (uint32_t i = 0; i < h->point->flow_count; i++) {
        const struct compare_flow *f = &h->point->flows[i];
        if (pairing->of[0][i] == COMPARE_NONE || ways[i].by != COMPARE_WAY_ASSUMED)
            continue;
        const struct host *src = host_get(h, &f->src.addr), *dst = host_get(h, &f->dst.addr);
        if (!src || !dst)
            return false;
        bool forward = (src->near && !src->far) || (dst->far && !dst->near);
        bool backward = (src->far && !src->near) || (dst->near && !dst->far);
        if (forward != backward)
            ways[i] = (struct compare_flow_way){forward ? COMPARE_FORWARD : COMPARE_BACKWARD, COMPARE_WAY_HOST, false};
        else
            ways[i].doubtful = src->receives || dst->sends;
    }
    return true;
}

bool compare_ways_find(const struct compare_point *a, const struct compare_point *b,
                       const struct compare_pairing *pairing, struct compare_matches *m)
{
    struct flow_delay *delays = calloc(a->flow_count + 1, sizeof *delays);
    struct hosts hosts = {.point = a, .all = malloc((2 * a->flow_count + 1) * sizeof *hosts.all)};
    bool ok = delays && hosts.all;
    for (uint32_t i = 0; ok && i < a->flow_count; i++)
        if (pairing->of[0][i] != COMPARE_NONE)
            m->ways[i] = way_by_ttl(&a->flows[i], &b->flows[pairing->of[0][i]]);
    if (ok) {
        measure_flows(a, b, m, delays);
        find_by_clock(a, b, pairing, delays, m->ways);
        for (uint32_t i = 0; i < a->flow_count; i++)
            m->way_known |= m->ways[i].by != COMPARE_WAY_ASSUMED;
        ok = learn_hosts(&hosts, pairing, m->ways) && find_by_host(&hosts, pairing, m->ways);
    }
    slots_done(&hosts.slots);
    free(hosts.all);
    free(delays);
    return ok;
}

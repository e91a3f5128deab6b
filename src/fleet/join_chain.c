#include <stdlib.h>

#include "base/disjoint.h"
#include "base/order.h"
#include "fleet/join_internal.h"

/*
 * Which places a packet passes one after the other. The same packets are seen at places that do not lie on one way at
 * all: a conference server sends what one speaker says to every listener, with its SSRC and sequence numbers, and
 * multicast forks. Between two branches there is no segment, and what differs there was changed by nobody.
 *
 *     the same addresses              one way
 *     another source                  one way: a translator. Nobody gets one packet from two sources
 *     another destination             a translator, or one more listener: taken for a translator where a packet goes
 *                                     from a public to a private address and the hop limit falls, and where there is no
 *                                     third destination
 *     both, from where the other
 *     one went to                     through a relay, if there is but one way in and one way out
 *     multicast                       one way only where a topology says so
 *
 * What is left are ways of their own, each judged by itself.
 */

enum { RELAY_PLACES_MAX = 64 };

static int by_destination(const void *context, uint32_t x, uint32_t y)
{
    const struct join_place *places = context;
    return endpoint_compare(&places[x].like->dst, &places[y].like->dst);
}

static int by_source(const void *context, uint32_t x, uint32_t y)
{
    const struct join_place *places = context;
    int r = endpoint_compare(&places[x].like->src, &places[y].like->src);
    return r ? r : by_destination(context, x, y);
}

/* ---- translators ---- */

static void unite_sources(const struct join_look *l, const struct join_place *places, uint32_t *parent,
                          const uint32_t *order, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        bool forks = addr_is_multicast(&places[order[i]].like->dst.addr) && !l->join->options.topology;
        if (!forks && by_destination(places, order[i - 1], order[i]) == 0)
            disjoint_join(parent, order[i - 1], order[i]);
    }
}

/* Whether all of `near` have a higher hop limit than all of `far`. */
static bool falls(const struct join_place *places, const uint32_t *near, size_t near_count, const uint32_t *far,
                  size_t far_count)
{
    uint8_t lowest = UINT8_MAX, highest = 0;
    for (size_t i = 0; i < near_count; i++) {
        if (!places[near[i]].has_ttl)
            return false;
        lowest = places[near[i]].ttl_lowest < lowest ? places[near[i]].ttl_lowest : lowest;
    }
    for (size_t i = 0; i < far_count; i++) {
        if (!places[far[i]].has_ttl)
            return false;
        highest = places[far[i]].ttl_highest > highest ? places[far[i]].ttl_highest : highest;
    }
    return lowest > highest;
}

/* Places of one source, by destination. */
static void unite_destinations(const struct join_place *places, uint32_t *parent, const uint32_t *order, size_t count)
{
    size_t split = 0;
    for (size_t i = 1; i < count; i++) {
        if (by_destination(places, order[i - 1], order[i]) == 0)
            continue;
        if (split)
            return; /* a third one */
        split = i;
    }
    if (!split)
        return;
    bool first_private = addr_is_private(&places[order[0]].like->dst.addr);
    if (first_private == addr_is_private(&places[order[split]].like->dst.addr))
        return;
    const uint32_t *rest = order + split;
    if (first_private ? falls(places, rest, count - split, order, split)
                      : falls(places, order, split, rest, count - split))
        disjoint_join(parent, order[0], order[split]);
}

/* ---- relays ---- */

/* Whether a path of the topology has points of two ways. Others judge each way by a path of its own. */
static bool are_on_one_path(const struct join_look *l, const struct join_place *places, uint32_t *parent, size_t count)
{
    const char *names[RELAY_PLACES_MAX];
    size_t order[TOPOLOGY_POINTS_MAX];
    for (size_t i = 0; i < count; i++)
        names[i] = l->window->points[places[i].point].name;
    size_t n = topology_order(l->join->options.topology, names, count, order);
    for (size_t i = 1; i < n; i++)
        if (disjoint_root(parent, (uint32_t)order[i]) != disjoint_root(parent, (uint32_t)order[0]))
            return true;
    return false;
}

/* Whether what is left are two ways, and nothing but a relay between them. */
static bool is_relayed(const struct join_look *l, const struct join_place *places, uint32_t *parent, size_t count)
{
    bool meets = false;
    size_t roots = 0;
    for (uint32_t i = 0; i < count; i++)
        roots += parent[i] == i;
    if (roots != 2 || count > RELAY_PLACES_MAX)
        return false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++) {
            const struct join_run *a = places[i].like, *b = places[k].like;
            if (disjoint_root(parent, (uint32_t)i) == disjoint_root(parent, (uint32_t)k))
                continue;
            if (addr_equal(&a->src.addr, &b->src.addr))
                return false; /* two listeners */
            meets |= addr_equal(&a->dst.addr, &b->src.addr);
        }
    return l->join->options.topology ? are_on_one_path(l, places, parent, count) : meets;
}

bool join_chains(struct join_look *l, struct join_place *places, size_t count)
{
    uint32_t *order = order_new(count), *parent = malloc((count + 1) * sizeof *parent);
    bool ok = order && parent && order_sort(order, count, by_destination, places);
    if (ok) {
        disjoint_begin(parent, count);
        unite_sources(l, places, parent, order, count);
    }
    ok = ok && order_sort(order, count, by_source, places);
    for (size_t i = 0, end; ok && i < count; i = end) {
        for (end = i + 1; end < count && endpoint_equal(&places[order[i]].like->src, &places[order[end]].like->src);)
            end++;
        unite_destinations(places, parent, order + i, end - i);
    }
    bool relayed = ok && is_relayed(l, places, parent, count);
    for (uint32_t i = 0; ok && i < count; i++) {
        places[i].strand = disjoint_root(parent, i);
        places[i].chain = relayed ? 0 : places[i].strand;
    }
    free(order);
    free(parent);
    return ok;
}

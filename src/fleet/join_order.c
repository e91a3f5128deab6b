#include <stdlib.h>
#include <string.h>

#include "fleet/join_internal.h"

/*
 * In which order a stream passes its places. The hop limit only ever falls: where all packets had more of it at one
 * point than at another, they passed that one first. A topology says which points are neighbours; which way a stream
 * goes along its path the hop limits say.
 */

/* Positive: x comes before y. 0: nothing tells; so behind a relay, which sends from its own address with a hop limit
 * of its own, where a translator changes one end alone. */
static int by_ttl(const struct join_place *x, const struct join_place *y)
{
    bool relayed =
        !addr_equal(&x->like->src.addr, &y->like->src.addr) && !addr_equal(&x->like->dst.addr, &y->like->dst.addr);
    if (!x->has_ttl || !y->has_ttl || relayed)
        return 0;
    return x->ttl_lowest > y->ttl_highest ? 1 : y->ttl_lowest > x->ttl_highest ? -1 : 0;
}

static const char *name_of(const struct join_look *l, const struct join_place *p)
{
    return l->window->points[p->point].name;
}

/* Of all pairs, which way the order given is passed: positive, negative, or 0 where nothing tells or they disagree. */
static int way_of(const struct join_place *places, const size_t *order, size_t n)
{
    int there = 0, back = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            int r = places[order[i]].point == places[order[k]].point ? 0 : by_ttl(&places[order[i]], &places[order[k]]);
            there += r > 0;
            back += r < 0;
        }
    return there && !back ? 1 : back && !there ? -1 : 0;
}

static size_t make_steps(const struct join_place *places, const size_t *order, size_t n, int way, bool told,
                         struct join_step *steps)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < n; i++) {
        size_t a = order[way < 0 ? n - 1 - i : i], b = order[way < 0 ? n - 2 - i : i + 1];
        bool same = places[a].point == places[b].point;
        bool known = told && !same ? way != 0 : by_ttl(&places[a], &places[b]) > 0;
        if (same && !known)
            continue; /* the same point twice is one place, unless something lies between */
        steps[count++] = (struct join_step){
            .near = a, .far = b, .by = known ? COMPARE_WAY_TTL : COMPARE_WAY_ASSUMED, .doubtful = !known};
    }
    return count;
}

static size_t order_by_topology(const struct join_look *l, const struct join_place *places, size_t count,
                                struct join_step *steps)
{
    const char *names[TOPOLOGY_POINTS_MAX];
    size_t order[TOPOLOGY_POINTS_MAX], known = count < TOPOLOGY_POINTS_MAX ? count : TOPOLOGY_POINTS_MAX;
    for (size_t i = 0; i < known; i++)
        names[i] = name_of(l, &places[i]);
    size_t n = topology_order(l->join->options.topology, names, known, order);
    if (n < 2)
        return 0;
    int way = way_of(places, order, n);
    for (size_t i = 0; i + 1 < n; i++) {
        size_t a = order[i], b = order[i + 1];
        if (places[a].point == places[b].point && by_ttl(&places[a], &places[b]) * (way < 0 ? -1 : 1) < 0) {
            order[i] = b; /* both sides of a translator that is a point itself */
            order[i + 1] = a;
        }
    }
    return make_steps(places, order, n, way, true, steps);
}

size_t join_order(const struct join_look *l, const struct join_place *places, size_t count, struct join_step *steps)
{
    size_t order[TOPOLOGY_POINTS_MAX], n = count < TOPOLOGY_POINTS_MAX ? count : TOPOLOGY_POINTS_MAX;
    if (l->join->options.topology)
        return order_by_topology(l, places, count, steps);
    for (size_t i = 0; i < n; i++) {
        /* places come by name: where hop limits tell nothing that order stays, for all streams alike */
        size_t at = i;
        for (; at && by_ttl(&places[i], &places[order[at - 1]]) > 0; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
    return make_steps(places, order, n, 1, false, steps);
}

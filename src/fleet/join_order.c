#include <stdlib.h>
#include <string.h>

#include "base/order.h"
#include "fleet/join_internal.h"

/*
 * In which order a stream passes its places. The hop limit only ever falls: where all packets had more of it at one
 * point than at another, they passed that one first. A topology says which points are neighbours; which way a stream
 * goes along its path the hop limits say.
 */

/* Positive: x comes before y. 0: nothing tells; so behind a relay, which sends with a hop limit of its own. */
static int by_ttl(const struct join_place *x, const struct join_place *y)
{
    if (!x->has_ttl || !y->has_ttl || x->strand != y->strand)
        return 0;
    return x->ttl_lowest > y->ttl_highest ? 1 : y->ttl_lowest > x->ttl_highest ? -1 : 0;
}

static const char *name_of(const struct join_look *l, const struct join_place *p)
{
    return l->window->points[p->point].name;
}

/* Of all pairs, which way the order given is passed: positive, negative, or 0 where nothing tells or they disagree;
 * where they disagree, ret_against are two places whose hop limits say the other way than most. */
static int way_of(const struct join_place *places, const size_t *order, size_t n, size_t ret_against[static 2],
                  bool *ret_contradiction)
{
    int there = 0, back = 0;
    size_t pairs[2][2] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            int r = places[order[i]].point == places[order[k]].point ? 0 : by_ttl(&places[order[i]], &places[order[k]]);
            if (r == 0)
                continue;
            pairs[r < 0][0] = order[i];
            pairs[r < 0][1] = order[k];
            there += r > 0;
            back += r < 0;
        }
    memcpy(ret_against, pairs[there >= back], sizeof pairs[0]);
    *ret_contradiction = there && back;
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

static bool has_point(const struct join_place *places, const size_t *of, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++)
        if (places[of[i]].point == point)
            return true;
    return false;
}

/* Points that saw a stream and are not on the path it is judged along, or on no path with another one that saw it. */
static void note_points_beside(struct join_look *l, const struct join_place *places, const size_t *of, size_t count,
                               const size_t *order, size_t n)
{
    bool several = false;
    for (size_t i = 1; i < count; i++)
        several |= places[of[i]].point != places[of[0]].point;
    for (size_t i = 0; several && i < count; i++)
        if (!has_point(places, order, n, places[of[i]].point))
            join_note(l,
                      "%s saw streams that other points saw too, and is on no path of the topology with those, or not "
                      "on the one with most of them: what happened to these streams there is not told",
                      name_of(l, &places[of[i]]));
}

/* `of`: the places of one chain. */
static size_t order_by_topology(struct join_look *l, const struct join_place *places, const size_t *of, size_t count,
                                struct join_step *steps)
{
    const char *names[TOPOLOGY_POINTS_MAX];
    size_t order[TOPOLOGY_POINTS_MAX];
    for (size_t i = 0; i < count; i++)
        names[i] = name_of(l, &places[of[i]]);
    size_t n = topology_order(l->join->options.topology, names, count, order);
    n = n < 2 ? 0 : n;
    for (size_t i = 0; i < n; i++)
        order[i] = of[order[i]];
    note_points_beside(l, places, of, count, order, n);
    if (n == 0)
        return 0;
    size_t against[2];
    bool contradiction;
    int way = way_of(places, order, n, against, &contradiction);
    if (contradiction)
        join_note(
            l,
            "the topology and the hop limits do not agree: the order of %s and %s on the path is another one, or a "
            "stream turns there; which way it passes the path is assumed",
            name_of(l, &places[against[0]]), name_of(l, &places[against[1]]));
    for (size_t i = 0; i + 1 < n; i++) {
        size_t a = order[i], b = order[i + 1];
        if (places[a].point == places[b].point && by_ttl(&places[a], &places[b]) * (way < 0 ? -1 : 1) < 0) {
            order[i] = b; /* both sides of a translator that is a point itself */
            order[i + 1] = a;
        }
    }
    return make_steps(places, order, n, way, true, steps);
}

static size_t order_by_ttl(const struct join_place *places, const size_t *of, size_t count, struct join_step *steps)
{
    size_t order[TOPOLOGY_POINTS_MAX];
    for (size_t i = 0; i < count; i++) {
        /* places come by name: where hop limits tell nothing that order stays, for all streams alike */
        size_t at = i;
        for (; at && by_ttl(&places[of[i]], &places[order[at - 1]]) > 0; at--)
            order[at] = order[at - 1];
        order[at] = of[i];
    }
    return make_steps(places, order, count, 1, false, steps);
}

static int by_chain(const void *context, uint32_t x, uint32_t y)
{
    const struct join_place *places = context;
    return (places[x].chain > places[y].chain) - (places[x].chain < places[y].chain);
}

size_t join_order(struct join_look *l, const struct join_place *places, size_t count, struct join_step *steps)
{
    uint32_t *order = order_new(count); /* a server has any number of listeners, each a chain of its own */
    size_t made = 0;
    l->failed |= !order || !order_sort(order, count, by_chain, places);
    for (size_t i = 0, end; !l->failed && i < count; i = end) {
        size_t of[TOPOLOGY_POINTS_MAX], n = 0;
        for (end = i; end < count && places[order[end]].chain == places[order[i]].chain; end++)
            if (n < TOPOLOGY_POINTS_MAX)
                of[n++] = order[end];
        made += l->join->options.topology ? order_by_topology(l, places, of, n, steps + made)
                                          : order_by_ttl(places, of, n, steps + made);
    }
    free(order);
    return made;
}

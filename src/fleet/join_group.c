#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/order.h"
#include "fleet/join_internal.h"

/*
 * Which runs are one stream. Of RTP those with the same SSRC that have a packet in common, known by its sequence number
 * and RTP timestamp: addresses may differ (NAT), and two streams that happen to have one SSRC stay apart. Where the
 * first packets of all blocks differ (a stream of a few packets, the first of which was lost), the same addresses will
 * do as well. All else by protocol, addresses and ports.
 *
 * What is in blocks counts by its blocks alone, in the window in which each began: where a stream ends a second after
 * the begin of a window, its last packets are in a block of the window before, and nothing of it is left for this one.
 */

#define NEAR_NS  (30 * NS_PER_S) /* clocks that differ by more tell nothing about a run without a common packet */
#define NEAR_RTP (30 * 96000)    /* in the fastest clock of media */

struct anchor {
    uint32_t rtp, run, number;
    uint16_t sequence;
};

struct grouping {
    const struct join_look *look;
};

static const struct join_run *run_at(const void *context, uint32_t i)
{
    const struct grouping *g = context;
    return &g->look->window->runs[i];
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_ends(const struct join_run *a, const struct join_run *b)
{
    int r = endpoint_compare(&a->src, &b->src);
    return r ? r : endpoint_compare(&a->dst, &b->dst);
}

static int by_ssrc(const void *context, uint32_t x, uint32_t y)
{
    return compare_numbers(run_at(context, x)->ssrc, run_at(context, y)->ssrc);
}

static int by_key(const void *context, uint32_t x, uint32_t y)
{
    const struct join_run *a = run_at(context, x), *b = run_at(context, y);
    int r = compare_numbers(a->family, b->family);
    r = r ? r : compare_numbers(a->proto, b->proto);
    r = r ? r : by_ends(a, b);
    r = r ? r : compare_numbers(a->has_ssrc, b->has_ssrc);
    return r ? r : compare_numbers(a->ssrc, b->ssrc);
}

/* Not by the numbers of points, which depend on who spoke first. */
static int by_place(const void *context, uint32_t x, uint32_t y)
{
    const struct grouping *g = context;
    const struct join_run *a = run_at(context, x), *b = run_at(context, y);
    const struct join_point *points = g->look->window->points;
    int r = a->point == b->point ? 0 : strcmp(points[a->point].name, points[b->point].name);
    r = r ? r : by_ends(a, b);
    r = r ? r : compare_numbers((uint64_t)a->start_ns, (uint64_t)b->start_ns);
    return r ? r : compare_numbers(a->serial, b->serial);
}

/* ---- runs that have packets in common ---- */

static uint32_t root_of(struct join_run *runs, uint32_t r, int64_t *ret_shift)
{
    int64_t shift = 0;
    while (runs[r].parent != r) {
        uint32_t up = runs[r].parent;
        runs[r].shift += runs[up].shift;  /* that of a root is 0 */
        runs[r].parent = runs[up].parent; /* the next walk is half as long: who sends chooses what is united */
        shift += runs[r].shift;
        r = runs[r].parent;
    }
    *ret_shift = shift;
    return r;
}

/* Block `na` of run a is block `nb` of run b. */
static void unite(struct join_run *runs, uint32_t a, int64_t na, uint32_t b, int64_t nb)
{
    int64_t sa, sb;
    uint32_t ra = root_of(runs, a, &sa), rb = root_of(runs, b, &sb);
    if (ra == rb || (na - nb) % DELTA_BLOCK_PACKETS != 0)
        return;
    runs[rb].parent = ra;
    runs[rb].shift = na + sa - nb - sb;
}

static int by_packet(const void *a, const void *b)
{
    const struct anchor *x = a, *y = b;
    int r = compare_numbers(x->rtp, y->rtp);
    r = r ? r : compare_numbers(x->sequence, y->sequence);
    return r ? r : compare_numbers(x->run, y->run);
}

static bool unite_by_packets(struct join_look *l, const uint32_t *order, size_t count)
{
    struct join_run *runs = l->window->runs;
    size_t n = 0, total = 0;
    for (size_t i = 0; i < count; i++)
        total += runs[order[i]].block_count;
    struct anchor *anchors = malloc((total + 1) * sizeof *anchors);
    if (!anchors)
        return false;
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < runs[order[i]].block_count; k++) {
            const struct join_block *b = &runs[order[i]].blocks[k];
            anchors[n++] = (struct anchor){b->anchor_rtp, order[i], b->number, b->anchor_sequence};
        }
    qsort(anchors, n, sizeof *anchors, by_packet);
    for (size_t i = 1; i < n; i++)
        if (anchors[i].rtp == anchors[i - 1].rtp && anchors[i].sequence == anchors[i - 1].sequence &&
            anchors[i].run != anchors[i - 1].run)
            unite(runs, anchors[i - 1].run, anchors[i - 1].number, anchors[i].run, anchors[i].number);
    free(anchors);
    return true;
}

/* The block of `r` that began nearest to a time. */
static const struct join_block *block_near(const struct join_run *r, int64_t ns)
{
    const struct join_block *best = &r->blocks[0];
    for (size_t i = 1; i < r->block_count; i++)
        if (llabs(r->blocks[i].anchor_ns - ns) < llabs(best->anchor_ns - ns))
            best = &r->blocks[i];
    return best;
}

static void unite_by_ends(struct join_run *runs, uint32_t a, uint32_t b)
{
    const struct join_block *y = &runs[b].blocks[0], *x = block_near(&runs[a], y->anchor_ns);
    int64_t apart = (int64_t)x->number - (int64_t)y->number;
    int64_t rounds = (apart + (apart < 0 ? -128 : 128)) / 256 * 256;
    int32_t rtp = (int32_t)(x->anchor_rtp - y->anchor_rtp);
    if (by_ends(&runs[a], &runs[b]) != 0 || runs[a].proto != runs[b].proto ||
        llabs(x->anchor_ns - y->anchor_ns) > NEAR_NS || llabs(apart - rounds) > 2 || rtp > NEAR_RTP ||
        rtp < -NEAR_RTP || (x->anchor_sequence == y->anchor_sequence && rtp != 0))
        return;
    unite(runs, a, y->number + rounds, b, y->number);
}

/* One group of one SSRC; few enough for each with each, or else only what has packets in common. */
static bool unite_group(struct join_look *l, const uint32_t *order, size_t count)
{
    enum { PAIRS_FEW = 64 };
    struct join_run *runs = l->window->runs;
    for (size_t i = 0; i < count; i++) {
        runs[order[i]].parent = order[i];
        runs[order[i]].shift = 0;
    }
    if (count < 2)
        return true;
    if (!unite_by_packets(l, order, count))
        return false;
    for (size_t i = 0; count <= PAIRS_FEW && i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            unite_by_ends(runs, order[i], order[k]);
    return true;
}

static int by_root(const void *context, uint32_t x, uint32_t y)
{
    const struct grouping *g = context;
    int64_t shift;
    struct join_run *runs = g->look->window->runs;
    uint32_t a = root_of(runs, x, &shift), b = root_of(runs, y, &shift);
    return a == b ? by_place(context, x, y) : compare_numbers(a, b);
}

/* ---- handing out ---- */

typedef bool (*each_stream)(struct join_look *l, uint32_t *runs, size_t count);

static bool hand_out_group(struct join_look *l, uint32_t *order, size_t count, bool blocks, each_stream each)
{
    struct grouping g = {l};
    struct join_run *runs = l->window->runs;
    int64_t shift;
    if (!blocks)
        return order_sort(order, count, by_place, &g) && each(l, order, count);
    if (!unite_group(l, order, count) || !order_sort(order, count, by_root, &g))
        return false;
    for (size_t i = 0, end; i < count; i = end) {
        uint32_t root = root_of(runs, order[i], &shift);
        for (end = i + 1; end < count && root_of(runs, order[end], &shift) == root;)
            end++;
        if (!each(l, order + i, end - i))
            return false;
    }
    return true;
}

bool join_group(struct join_look *l, bool blocks, each_stream each)
{
    struct grouping g = {l};
    const struct join_window *w = l->window;
    order_compare compare = blocks ? by_ssrc : by_key;
    uint32_t *order = malloc((w->run_count + 1) * sizeof *order);
    size_t n = 0;
    bool ok = order != NULL;
    for (size_t i = 0; ok && i < w->run_count; i++)
        if (blocks ? w->runs[i].block_count != 0 : !w->runs[i].numbered)
            order[n++] = (uint32_t)i;
    ok = ok && order_sort(order, n, compare, &g);
    for (size_t i = 0, end; ok && i < n; i = end) {
        for (end = i + 1; end < n && compare(&g, order[i], order[end]) == 0;)
            end++;
        ok = hand_out_group(l, order + i, end - i, blocks, each);
    }
    free(order);
    return ok;
}

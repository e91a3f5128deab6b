#include <stdlib.h>

#include "base/order.h"
#include "compare/loss.h"

/* What policy/judge_loss.h asks for, of one segment: the counts of its streams and of the slices of its time. */

#define TEST_ERROR 0.01

struct pairs_order {
    const struct compare_work *work;
    uint32_t near;
};

/* The two ends of a stream in both captures: behind a translator only one of them tells hosts apart. */
static const struct compare_flow *flow_at(const struct compare_work *w, uint32_t near, uint32_t stream, uint32_t point)
{
    uint32_t flow = w->points[near]->streams[stream].flow;
    return &w->points[point]->flows[point == near ? flow : w->pairing.of[near][flow]];
}

static int compare_hosts(const struct compare_work *w, uint32_t near, uint32_t x, uint32_t y)
{
    for (uint32_t point = 0; point < 2; point++) {
        const struct compare_flow *a = flow_at(w, near, x, point), *b = flow_at(w, near, y, point);
        int r = addr_compare(&a->src.addr, &b->src.addr);
        if (r == 0)
            r = addr_compare(&a->dst.addr, &b->dst.addr);
        if (r)
            return r;
    }
    return 0;
}

static int by_hosts(const void *context, uint32_t x, uint32_t y)
{
    const struct pairs_order *o = context;
    return compare_hosts(o->work, o->near, x, y);
}

/* Streams of a way that were matched, by pair of hosts; NULL without memory. */
static uint32_t *order_streams(const struct compare_work *w, enum compare_way way, size_t *ret_count)
{
    struct pairs_order context = {w, compare_near(way)};
    const struct compare_point *p = w->points[context.near];
    uint32_t *order = malloc((p->stream_count + 1) * sizeof *order);
    size_t n = 0;
    for (uint32_t i = 0; order && i < p->stream_count; i++)
        if (w->stats[context.near][i].matched || w->stats[context.near][i].lost)
            order[n++] = i;
    if (order && !order_sort(order, n, by_hosts, &context)) {
        free(order);
        return NULL;
    }
    *ret_count = n;
    return order;
}

/* The same with their counts; NULL without memory. */
static struct loss_flow *flows_of(const struct compare_work *w, enum compare_way way, size_t *ret_count)
{
    uint32_t near = compare_near(way), pair = 0;
    uint32_t *order = order_streams(w, way, ret_count);
    struct loss_flow *flows = order ? malloc((*ret_count + 1) * sizeof *flows) : NULL;
    for (size_t i = 0; flows && i < *ret_count; i++) {
        const struct compare_stream_stat *stat = &w->stats[near][order[i]];
        pair += i && compare_hosts(w, near, order[i - 1], order[i]);
        flows[i] = (struct loss_flow){pair, (enum traffic_class)w->class_of[near][order[i]], stat->matched + stat->lost,
                                      stat->lost};
    }
    free(order);
    return flows;
}

/* Packets that arrived and were set aside, or were lost and are not called so, make a share wrong. */
static bool is_usable(const struct compare_class *c)
{
    uint64_t aside = 0;
    for (int i = 0; i < COMPARE_WHY_COUNT; i++)
        aside += i == COMPARE_OUTSIDE ? 0 : c->unresolved[i];
    return aside * 20 <= c->matched + c->lost;
}

bool compare_loss_test(struct compare_work *w)
{
    for (int way = 0; way < 2; way++) {
        struct compare_row *row = &w->segment->rows[way];
        if (!judge_class_loss_wanted(row))
            continue;
        struct loss_figures f = {.slices = compare_loss_slice(w, (enum compare_way)way, 0),
                                 .slice_count = COMPARE_SLICES,
                                 .error = TEST_ERROR};
        struct loss_flow *flows = flows_of(w, (enum compare_way)way, &f.flow_count);
        if (!flows)
            return false;
        f.flows = flows;
        for (int c = 0; c < CLASS_COUNT; c++)
            f.usable[c] = is_usable(&row->classes[c]);
        judge_class_loss(&f, row);
        free(flows);
    }
    return true;
}

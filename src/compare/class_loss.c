#include <math.h>
#include <stdlib.h>

#include "base/order.h"
#include "compare/loss.h"
#include "probe/statistics.h"

/*
 * Whether one class loses more than the others. Three questions, and all have to say so:
 * the shares of all packets (Newcombe's interval); thirty-two slices of the time, since losses come in bursts and one
 * burst proves nothing (sign test); and the shares within each pair of hosts that exchange both, since one participant
 * with a bad line who sends mostly video makes all video look bad (difference of Mantel and Haenszel 1959, as Greenland
 * and Robins 1985 have it).
 */

enum { SENT_LEAST = 30 /* packets of a class, and of the others, below which nothing is said */ };

#define TEST_ERROR 0.01

struct pairs_order {
    const struct compare_work *work;
    uint32_t near;
};

/* One way and class against the others. */
struct contest {
    struct compare_work *work;
    enum compare_way way;
    enum traffic_class class;
    bool usable[CLASS_COUNT];
    const uint32_t *order; /* streams of the way, those of one pair of hosts together */
    size_t order_count;
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

/* ---- the shares within pairs of hosts ---- */

struct stratum {
    double sent, lost, other_sent, other_lost;
};

struct pooled {
    double weight, difference, variance;
};

static void add_stratum(struct pooled *p, const struct stratum *s)
{
    if (s->sent <= 0 || s->other_sent <= 0)
        return;
    double weight = s->sent * s->other_sent / (s->sent + s->other_sent);
    double own = s->lost / s->sent, other = s->other_lost / s->other_sent;
    /* where nothing was lost the variance is not nothing (Agresti and Caffo 2000) */
    double x = (s->lost + 1) / (s->sent + 2), y = (s->other_lost + 1) / (s->other_sent + 2);
    p->weight += weight;
    p->difference += weight * (own - other);
    p->variance += weight * weight * (x * (1 - x) / s->sent + y * (1 - y) / s->other_sent);
}

/* Also whether nearly all of the losses are one flow's. */
static void test_pairs(const struct contest *t, double error, struct compare_loss_test *ret)
{
    const struct compare_work *w = t->work;
    uint32_t near = compare_near(t->way);
    struct pooled pooled = {0, 0, 0};
    struct stratum s = {0, 0, 0, 0};
    double all_sent = 0, all_lost = 0, worst_sent = 0, worst_lost = 0;
    for (size_t i = 0; i < t->order_count; i++) {
        uint32_t stream = t->order[i];
        const struct compare_stream_stat *stat = &w->stats[near][stream];
        enum traffic_class class = (enum traffic_class)w->class_of[near][stream];
        double lost = (double)stat->lost, sent = (double)stat->matched + lost;
        if (i && compare_hosts(w, near, t->order[i - 1], stream)) {
            add_stratum(&pooled, &s);
            s = (struct stratum){0, 0, 0, 0};
        }
        if (class == t->class) {
            s.sent += sent;
            s.lost += lost;
            all_sent += sent;
            all_lost += lost;
            worst_sent = lost > worst_lost ? sent : worst_sent;
            worst_lost = lost > worst_lost ? lost : worst_lost;
        } else if (t->usable[class]) {
            s.other_sent += sent;
            s.other_lost += lost;
        }
    }
    add_stratum(&pooled, &s);
    ret->concentrated = worst_lost > 0.8 * all_lost && worst_sent < 0.5 * all_sent;
    if (pooled.weight <= 0)
        return;
    double middle = pooled.difference / pooled.weight;
    double half = statistics_normal(error) * sqrt(pooled.variance) / pooled.weight;
    ret->pair_low = middle - half;
    ret->pair_high = middle + half;
}

/* ---- the shares in time ---- */

static void test_slices(const struct contest *t, struct compare_loss_test *ret)
{
    const struct compare_slices *own = compare_loss_slices(t->work, t->way, t->class);
    for (size_t i = 0; i < COMPARE_SLICES; i++) {
        uint64_t other_sent = 0, other_lost = 0;
        for (int k = 0; k < CLASS_COUNT; k++) {
            const struct compare_slices *s = compare_loss_slices(t->work, t->way, (enum traffic_class)k);
            bool other = k != (int)t->class && t->usable[k];
            other_sent += other ? s->sent[i] : 0;
            other_lost += other ? s->lost[i] : 0;
        }
        ret->other_sent += other_sent;
        ret->other_lost += other_lost;
        double here = (double)own->lost[i] * (double)other_sent, there = (double)other_lost * (double)own->sent[i];
        if (own->sent[i] && other_sent) {
            ret->slices_more += here > there;
            ret->slices_less += here < there;
        }
    }
    ret->chance = statistics_sign_chance(ret->slices_more, ret->slices_less);
}

static void test_class(const struct contest *t, double error)
{
    struct compare_class *c = &t->work->segment->rows[t->way].classes[t->class];
    struct compare_loss_test *ret = &c->test;
    uint64_t sent = c->matched + c->lost;
    test_slices(t, ret);
    if (sent < SENT_LEAST || ret->other_sent < SENT_LEAST)
        return;
    struct probe_interval all = statistics_share_difference(c->lost, sent, ret->other_lost, ret->other_sent, error);
    ret->done = all.known;
    ret->low = all.low;
    ret->high = all.high;
    test_pairs(t, error, ret);
    bool more = all.low > 0 && ret->pair_low > 0 && ret->slices_more > ret->slices_less && !ret->concentrated;
    bool less = all.high < 0 && ret->pair_high < 0 && ret->slices_less > ret->slices_more;
    ret->differs = ret->done && (more || less) && ret->chance < error;
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
        struct contest t = {.work = w, .way = (enum compare_way)way};
        int classes = 0;
        for (int c = 0; c < CLASS_COUNT; c++) {
            t.usable[c] = is_usable(&row->classes[c]);
            classes += t.usable[c] && row->classes[c].matched + row->classes[c].lost >= SENT_LEAST;
        }
        if (classes < 2 || !row->loss_known || row->lost == 0)
            continue;
        uint32_t *order = order_streams(w, t.way, &t.order_count);
        if (!order)
            return false;
        t.order = order;
        for (int c = 0; c < CLASS_COUNT; c++) {
            t.class = (enum traffic_class)c;
            if (t.usable[c])
                test_class(&t, TEST_ERROR / classes);
        }
        free(order);
    }
    return true;
}

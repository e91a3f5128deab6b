#include "policy/judge_loss.h"

#include <math.h>

#include "model/statistics.h"

/*
 * Three questions, and all have to say so: the shares of all packets (Newcombe's interval); slices of the time, since
 * losses come in bursts and one burst proves nothing (sign test); and the shares within each pair of hosts that
 * exchange both, since one participant with a bad line who sends mostly video makes all video look bad (difference of
 * Mantel and Haenszel 1959, as Greenland and Robins 1985 have it).
 */

enum { SENT_LEAST = 30 /* packets of a class, and of the others, below which nothing is said */ };

/* One class against the others. */
struct contest {
    const struct loss_figures *figures;
    enum traffic_class class;
};

static bool is_other(const struct contest *t, enum traffic_class class)
{
    return class != t->class && t->figures->usable[class];
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
    const struct loss_figures *f = t->figures;
    struct pooled pooled = {0, 0, 0};
    struct stratum s = {0, 0, 0, 0};
    double all_sent = 0, all_lost = 0, worst_sent = 0, worst_lost = 0;
    for (size_t i = 0; i < f->flow_count; i++) {
        const struct loss_flow *flow = &f->flows[i];
        double lost = (double)flow->lost, sent = (double)flow->sent;
        if (i && flow->pair != f->flows[i - 1].pair) {
            add_stratum(&pooled, &s);
            s = (struct stratum){0, 0, 0, 0};
        }
        if (flow->traffic_class == t->class) {
            s.sent += sent;
            s.lost += lost;
            all_sent += sent;
            all_lost += lost;
            worst_sent = lost > worst_lost ? sent : worst_sent;
            worst_lost = lost > worst_lost ? lost : worst_lost;
        } else if (is_other(t, flow->traffic_class)) {
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
    for (size_t i = 0; i < t->figures->slice_count; i++) {
        const struct loss_slice *s = &t->figures->slices[i];
        uint64_t sent = s->sent[t->class], lost = s->lost[t->class], other_sent = 0, other_lost = 0;
        for (int k = 0; k < CLASS_COUNT; k++) {
            bool other = is_other(t, (enum traffic_class)k);
            other_sent += other ? s->sent[k] : 0;
            other_lost += other ? s->lost[k] : 0;
        }
        ret->sent += sent;
        ret->lost += lost;
        ret->other_sent += other_sent;
        ret->other_lost += other_lost;
        double here = (double)lost * (double)other_sent, there = (double)other_lost * (double)sent;
        if (sent && other_sent) {
            ret->slices_more += here > there;
            ret->slices_less += here < there;
        }
    }
    ret->chance = statistics_sign_chance(ret->slices_more, ret->slices_less);
}

static void test_class(const struct contest *t, double error, struct compare_loss_test *ret)
{
    double least = t->figures->least;
    *ret = (struct compare_loss_test){.done = false};
    test_slices(t, ret);
    if (ret->sent < SENT_LEAST || ret->other_sent < SENT_LEAST)
        return;
    struct probe_interval all =
        statistics_share_difference(ret->lost, ret->sent, ret->other_lost, ret->other_sent, error);
    ret->done = all.known;
    ret->low = all.low;
    ret->high = all.high;
    test_pairs(t, error, ret);
    bool more = all.low > least && ret->pair_low > 0 && ret->slices_more > ret->slices_less && !ret->concentrated;
    bool less = all.high < -least && ret->pair_high < 0 && ret->slices_less > ret->slices_more;
    ret->differs = ret->done && (more || less) && ret->chance < error;
}

static uint64_t sent_of(const struct loss_figures *f, int class)
{
    uint64_t n = 0;
    for (size_t i = 0; i < f->slice_count; i++)
        n += f->slices[i].sent[class];
    return n;
}

bool judge_class_loss_wanted(const struct compare_row *row)
{
    return row->loss_known && row->lost > 0;
}

void judge_class_loss(const struct loss_figures *f, struct compare_row *row)
{
    int classes = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        classes += f->usable[c] && sent_of(f, c) >= SENT_LEAST;
    if (classes < 2 || !judge_class_loss_wanted(row))
        return;
    for (int c = 0; c < CLASS_COUNT; c++) {
        const struct contest t = {f, (enum traffic_class)c};
        if (f->usable[c])
            test_class(&t, f->error / classes, &row->classes[c].test);
    }
}

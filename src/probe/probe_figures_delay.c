#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/statistics.h"
#include "probe/probe_figures.h"

/* Which of a packet's one-way times. */
enum way { WAY_FORWARD, WAY_REVERSE };

static int64_t way_time(const struct probe_packet *p, enum way way)
{
    if (!p->answered || p->witness || p->extra)
        return PROBE_NO_TIME;
    return way == WAY_FORWARD ? p->forward_ns : p->reverse_ns;
}

static double to_ms(double ns)
{
    return ns / (double)NS_PER_MS;
}

/* Least one-way time among the packets sent in [from, to); false without any. */
static bool least_between(const struct probe_document *d, enum way way, int64_t from_ns, int64_t to_ns, int64_t *ret)
{
    bool found = false;
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        int64_t t = way_time(p, way);
        if (t == PROBE_NO_TIME || p->sent_ns < from_ns || p->sent_ns >= to_ns)
            continue;
        if (!found || t < *ret)
            *ret = t;
        found = true;
    }
    return found;
}

/*
 * Two clocks drift apart: one way seems to take ever longer and the other ever shorter by the same amount. A queue that
 * fills makes no such mirror image. So half the difference of both slopes of the least delays is the clocks', and is
 * taken off. Nanoseconds a nanosecond; 0 where the run is too short to tell.
 */
static double clock_skew(const struct probe_document *d)
{
    enum { LEAST_S = 5, PARTS = 4 };
    const double most = 500e-6; /* no sound clock is further off */
    if (d->packet_count < 40)
        return 0;
    int64_t begin = d->packets[0].sent_ns, end = d->packets[d->packet_count - 1].sent_ns;
    int64_t part = (end - begin) / PARTS, first[2], last[2];
    if (end - begin < LEAST_S * NS_PER_S)
        return 0;
    for (int way = WAY_FORWARD; way <= WAY_REVERSE; way++)
        if (!least_between(d, (enum way)way, begin, begin + part, &first[way]) ||
            !least_between(d, (enum way)way, end - part, end + 1, &last[way]))
            return 0;
    double between = (double)(end - begin) - (double)part;
    double skew =
        ((double)(last[WAY_FORWARD] - first[WAY_FORWARD]) - (double)(last[WAY_REVERSE] - first[WAY_REVERSE])) / 2 /
        between;
    return fabs(skew) > most ? 0 : skew;
}

struct delays {
    const struct probe_document *d;
    double skew;
    int64_t begin_ns;
    double least_ns[2]; /* of all classes, each way, the skew taken off */
    double *values;     /* scratch for as many packets as there are */
};

/* One-way time without the clocks' drift, in nanoseconds. */
static double straightened(const struct delays *x, const struct probe_packet *p, enum way way)
{
    double drift = x->skew * (double)(p->sent_ns - x->begin_ns);
    double offset = (double)way_time(p, way);
    return way == WAY_FORWARD ? offset - drift : offset + drift;
}

static void find_least(struct delays *x)
{
    for (int way = WAY_FORWARD; way <= WAY_REVERSE; way++) {
        bool found = false;
        for (size_t i = 0; i < x->d->packet_count; i++) {
            const struct probe_packet *p = &x->d->packets[i];
            if (way_time(p, (enum way)way) == PROBE_NO_TIME)
                continue;
            double v = straightened(x, p, (enum way)way);
            if (!found || v < x->least_ns[way])
                x->least_ns[way] = v;
            found = true;
        }
    }
}

static struct probe_spread spread_way(struct delays *x, size_t class_index, enum way way)
{
    size_t n = 0;
    for (size_t i = 0; i < x->d->packet_count; i++) {
        const struct probe_packet *p = &x->d->packets[i];
        if (p->class_index == class_index && way_time(p, way) != PROBE_NO_TIME)
            x->values[n++] = to_ms(straightened(x, p, way) - x->least_ns[way]);
    }
    statistics_sort(x->values, n);
    return statistics_spread(x->values, n);
}

static struct probe_spread spread_rtt(struct delays *x, size_t class_index)
{
    size_t n = 0;
    for (size_t i = 0; i < x->d->packet_count; i++) {
        const struct probe_packet *p = &x->d->packets[i];
        if (p->class_index == class_index && p->answered && !p->witness && !p->extra && p->rtt_ns >= 0)
            x->values[n++] = to_ms((double)p->rtt_ns);
    }
    statistics_sort(x->values, n);
    return statistics_spread(x->values, n);
}

/* Differences only between packets of one flow: parallel paths differ in length, and that is no jitter. */
static double jitter_way(const struct delays *x, size_t class_index, enum way way, double *last, size_t flows)
{
    struct jitter j = {0};
    for (size_t f = 0; f < flows; f++)
        last[f] = (double)NAN;
    for (size_t i = 0; i < x->d->packet_count; i++) {
        const struct probe_packet *p = &x->d->packets[i];
        if (p->class_index != class_index || p->flow >= flows || way_time(p, way) == PROBE_NO_TIME)
            continue;
        double v = to_ms((double)(way_time(p, way)));
        if (!isnan(last[p->flow]))
            jitter_add(&j, v - last[p->flow]);
        last[p->flow] = v;
    }
    return jitter_value(&j);
}

/* The control's packet of a round, where it was answered and has the size of the class's. */
struct control_packet {
    bool sent, answered;
    int64_t rtt_ns;
};

struct comparison {
    struct control_packet *by_round;
    size_t rounds;
    double error; /* of one interval, so that all of them together hold with 95 % */
};

static bool is_round_of(const struct probe_packet *p)
{
    return !p->witness && !p->extra;
}

static void compare_delay(struct delays *x, const struct comparison *cmp, size_t class_index)
{
    struct probe_class *c = &x->d->classes[class_index];
    size_t n = 0;
    for (size_t i = 0; i < x->d->packet_count; i++) {
        const struct probe_packet *p = &x->d->packets[i];
        if (p->class_index != class_index || !is_round_of(p) || !p->answered || p->rtt_ns < 0 ||
            p->round >= cmp->rounds)
            continue;
        const struct control_packet *control = &cmp->by_round[p->round];
        if (control->answered && control->rtt_ns >= 0)
            x->values[n++] = to_ms((double)(p->rtt_ns - control->rtt_ns));
    }
    statistics_sort(x->values, n);
    c->delay_ms = statistics_paired_shift(x->values, n, cmp->error);
}

static void compare_loss(struct delays *x, const struct comparison *cmp, size_t class_index)
{
    struct probe_class *c = &x->d->classes[class_index];
    uint64_t sent = 0, lost = 0, control_sent = 0, control_lost = 0;
    uint64_t only_this = 0, only_control = 0; /* rounds in which one of the two was lost */
    size_t n = 0;
    double least = (double)INFINITY;
    for (size_t i = 0; i < x->d->packet_count; i++) {
        const struct probe_packet *p = &x->d->packets[i];
        if (p->class_index == class_index && is_round_of(p) && p->round < cmp->rounds && cmp->by_round[p->round].sent) {
            sent++;
            lost += !p->answered;
            only_this += !p->answered && cmp->by_round[p->round].answered;
            only_control += p->answered && !cmp->by_round[p->round].answered;
            if (p->answered && p->rtt_ns >= 0 && to_ms((double)p->rtt_ns) < least)
                least = to_ms((double)p->rtt_ns);
        }
    }
    for (size_t r = 0; r < cmp->rounds; r++) {
        const struct control_packet *control = &cmp->by_round[r];
        control_sent += control->sent;
        control_lost += control->sent && !control->answered;
        if (control->answered && control->rtt_ns >= 0)
            x->values[n++] = to_ms((double)control->rtt_ns);
    }
    statistics_sort(x->values, n);
    if (n) {
        least = fmin(least, x->values[0]);
        c->control_queue_ms = statistics_quantile(x->values, n, 0.5) - least;
    }
    c->control_loss_share = control_sent ? (double)control_lost / (double)control_sent : -1;
    c->loss_share = statistics_share_difference(lost, sent, control_lost, control_sent, cmp->error);
    /* A full queue drops in bursts, which that interval takes for independent packets. The order in a round is random,
     * so that without an effect either may be the one that is lost: only what the signs show too is a difference. */
    if (c->loss_share.known && statistics_sign_chance(only_this, only_control) > cmp->error) {
        c->loss_share.low = fmin(c->loss_share.low, 0);
        c->loss_share.high = fmax(c->loss_share.high, 0);
    }
}

/* Sizes alternate from round to round, so a round counts for the classes whose size its control had. */
static bool same_size(const struct probe_document *d, const struct probe_class *c, size_t control, uint32_t round,
                      const uint32_t *sizes)
{
    const struct probe_class *x = &d->classes[control];
    return c->size_bytes == 0 || x->size_bytes == c->size_bytes || (sizes && sizes[round] == c->size_bytes);
}

static int compare_with_control(struct probe_document *d, struct delays *x)
{
    size_t control = d->class_count, rounds = 0;
    for (size_t i = 0; i < d->class_count; i++)
        if (d->classes[i].control)
            control = i;
    if (control == d->class_count)
        return 0;
    for (size_t i = 0; i < d->packet_count; i++)
        if (is_round_of(&d->packets[i]) && d->packets[i].round >= rounds)
            rounds = (size_t)d->packets[i].round + 1;
    struct comparison cmp = {.by_round = calloc(rounds + 1, sizeof *cmp.by_round), .rounds = rounds};
    /* Bonferroni: two comparisons a class, and one in twenty would be a false word about some class in most runs */
    cmp.error = 0.05 / (2.0 * (double)(d->class_count - 1 ? d->class_count - 1 : 1));
    uint32_t *sizes = calloc(rounds + 1, sizeof *sizes);
    if (!cmp.by_round || !sizes) {
        free(cmp.by_round);
        free(sizes);
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].class_index == control && is_round_of(&d->packets[i]))
            sizes[d->packets[i].round] = d->packets[i].size_bytes;
    for (size_t c = 0; c < d->class_count; c++) {
        if (c == control)
            continue;
        for (size_t r = 0; r < rounds; r++)
            cmp.by_round[r] = (struct control_packet){0};
        for (size_t i = 0; i < d->packet_count; i++) {
            const struct probe_packet *p = &d->packets[i];
            if (p->class_index == control && is_round_of(p) && same_size(d, &d->classes[c], control, p->round, sizes))
                cmp.by_round[p->round] =
                    (struct control_packet){.sent = true, .answered = p->answered, .rtt_ns = p->rtt_ns};
        }
        compare_delay(x, &cmp, c);
        compare_loss(x, &cmp, c);
    }
    free(cmp.by_round);
    free(sizes);
    return 0;
}

/* How far the one-way times lie apart; 0 without any. */
static double way_width(const struct probe_document *d, enum way way)
{
    double least = 0, most = 0;
    bool found = false;
    for (size_t i = 0; i < d->packet_count; i++) {
        if (way_time(&d->packets[i], way) == PROBE_NO_TIME)
            continue;
        double t = (double)way_time(&d->packets[i], way);
        least = !found || t < least ? t : least;
        most = !found || t > most ? t : most;
        found = true;
    }
    return most - least;
}

/*
 * Whatever the offset of two clocks is, no packet is longer on one way than on both, so the times of a way lie no
 * further apart than the longest round trip, and what clocks drift meanwhile. Where they do, a clock was set or the
 * reflector's times are none: they are forgotten, for what would be made of them looks like jitter of the network.
 */
static void forget_impossible_times(struct probe_document *d)
{
    const double drift = 500e-6;
    double longest = 0;
    int64_t begin = 0, end = 0;
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (p->answered && (double)p->rtt_ns > longest)
            longest = (double)p->rtt_ns;
        begin = i == 0 || p->sent_ns < begin ? p->sent_ns : begin;
        end = p->sent_ns > end ? p->sent_ns : end;
    }
    double most = longest + drift * ((double)end - (double)begin) + (double)NS_PER_MS;
    if (way_width(d, WAY_FORWARD) <= most && way_width(d, WAY_REVERSE) <= most)
        return;
    for (size_t i = 0; i < d->packet_count; i++)
        d->packets[i].forward_ns = d->packets[i].reverse_ns = PROBE_NO_TIME;
    (void)probe_document_note(
        d, "The reflector's times contradict the round trips: its clock or ours was set meanwhile, or they are no "
           "times. Delay variation and jitter are not known, and no limit was held against them.");
}

int probe_figures_delays(struct probe_document *d)
{
    size_t flows = 1;
    forget_impossible_times(d);
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].flow >= flows)
            flows = (size_t)d->packets[i].flow + 1;
    struct delays x = {.d = d,
                       .skew = clock_skew(d),
                       .begin_ns = d->packet_count ? d->packets[0].sent_ns : 0,
                       .values = calloc(d->packet_count + 1, sizeof *x.values)};
    double *last = calloc(flows, sizeof *last);
    int r = x.values && last ? 0 : ERR_MEMORY;
    if (r == 0) {
        find_least(&x);
        for (size_t i = 0; i < d->class_count; i++) {
            struct probe_class *c = &d->classes[i];
            c->rtt_ms = spread_rtt(&x, i);
            c->forward_ms = spread_way(&x, i, WAY_FORWARD);
            c->reverse_ms = spread_way(&x, i, WAY_REVERSE);
            c->forward_jitter_ms = jitter_way(&x, i, WAY_FORWARD, last, flows);
            c->reverse_jitter_ms = jitter_way(&x, i, WAY_REVERSE, last, flows);
            c->control_queue_ms = c->control_loss_share = -1;
        }
        r = compare_with_control(d, &x);
    }
    free(x.values);
    free(last);
    return r;
}

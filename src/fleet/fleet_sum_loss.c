#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "fleet/fleet_sum_internal.h"

/*
 * What policy/judge_loss.h asks for, of each segment and way: losses by time and by pairs of hosts. Only packets count
 * of which it is known whether they arrived.
 */

enum { PAIRS_MAX = 1000000 /* of all segments: beyond, they count in the slices of time alone */ };

/* For all segments, ways and classes together. */
#define TEST_ERROR 0.01
/* With millions of packets any difference is certain; one packet in a thousand is what somebody would look for. */
#define SHARE_LEAST 0.001

/* ---- time ---- */

/* Slices become twice as long: half of them are left, at least where they follow each other. */
static void widen(struct sum_times *t)
{
    size_t n = 0;
    t->width_ns *= 2;
    for (size_t i = 0; i < t->count; i++) {
        int64_t number = t->numbers[i] >> 1;
        if (n == 0 || t->numbers[n - 1] != number) {
            t->numbers[n] = number;
            t->slices[n++] = t->slices[i];
            continue;
        }
        for (int c = 0; c < CLASS_COUNT; c++) {
            t->slices[n - 1].sent[c] += t->slices[i].sent[c];
            t->slices[n - 1].lost[c] += t->slices[i].lost[c];
        }
    }
    t->count = n;
}

/* Where the number is, or belongs. */
static size_t place_of(const struct sum_times *t, int64_t number)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (t->numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The slice that holds the time; NULL without memory. */
static struct loss_slice *slice_at(struct sum_times *t, int64_t ns)
{
    if (!t->slices) {
        t->numbers = malloc(SUM_SLICES_MAX * sizeof *t->numbers);
        t->slices = malloc(SUM_SLICES_MAX * sizeof *t->slices);
        if (!t->numbers || !t->slices)
            return NULL;
    }
    size_t at = place_of(t, ns / t->width_ns);
    while (t->count == SUM_SLICES_MAX && t->width_ns < INT64_MAX / 2 &&
           (at == t->count || t->numbers[at] != ns / t->width_ns)) {
        widen(t);
        at = place_of(t, ns / t->width_ns);
    }
    if (at == t->count || t->numbers[at] != ns / t->width_ns) {
        memmove(&t->numbers[at + 1], &t->numbers[at], (t->count - at) * sizeof *t->numbers);
        memmove(&t->slices[at + 1], &t->slices[at], (t->count - at) * sizeof *t->slices);
        t->numbers[at] = ns / t->width_ns;
        memset(&t->slices[at], 0, sizeof t->slices[at]);
        t->count++;
    }
    return &t->slices[at];
}

static bool add_times(struct sum_times *t, const struct crossing *c)
{
    /* a history is somebody's file */
    if (c->slice_ns <= 0 || c->slice_ns > INT64_MAX / (8 * CROSSING_SLICES) || c->window_ns < 0 ||
        c->window_ns > INT64_MAX / 2)
        return true;
    if (t->width_ns == 0)
        t->width_ns = c->slice_ns;
    for (size_t i = 0; i < CROSSING_SLICES; i++) {
        if (c->slices[i].sent == 0)
            continue;
        /* the middle: also where windows of another length are in the same history */
        struct loss_slice *s = slice_at(t, c->window_ns + (int64_t)i * c->slice_ns + c->slice_ns / 2);
        if (!s)
            return false;
        s->sent[c->stream.traffic_class] += c->slices[i].sent;
        s->lost[c->stream.traffic_class] += c->slices[i].lost;
    }
    return true;
}

/* ---- hosts ---- */

static uint64_t hash_hosts(const struct fleet_sum *s, const struct compare_stream *t)
{
    char text[4 * (ADDR_TEXT_MAX + 1)];
    struct strbuf to = strbuf_fixed(text, sizeof text);
    for (int i = 0; i < 2; i++) {
        char src[ADDR_TEXT_MAX], dst[ADDR_TEXT_MAX];
        addr_format(&t->src[i].addr, src);
        addr_format(&t->dst[i].addr, dst);
        strbuf_addf(&to, "%s %s ", src, dst);
    }
    return hash_bytes(&s->key, to.at, to.len);
}

static bool add_pair(struct fleet_sum *s, struct sum_way *way, const struct crossing *c, struct crossing_slice sum)
{
    uint64_t hosts = hash_hosts(s, &c->stream);
    uint32_t tag = (uint32_t)hosts + (uint32_t)c->stream.traffic_class, item;
    uint32_t place = slots_first(&way->pair_index, tag);
    while (slots_next(&way->pair_index, tag, &place, &item)) {
        struct sum_pair *p = &way->pairs[item];
        if (p->hosts != hosts || p->traffic_class != c->stream.traffic_class)
            continue;
        p->sent += sum.sent;
        p->lost += sum.lost;
        return true;
    }
    if (s->pairs == PAIRS_MAX)
        return true;
    if (!grow((void **)&way->pairs, &way->pair_cap, way->pair_count, sizeof *way->pairs) ||
        !slots_add(&way->pair_index, tag, (uint32_t)way->pair_count))
        return false;
    way->pairs[way->pair_count++] = (struct sum_pair){hosts, c->stream.traffic_class, sum.sent, sum.lost};
    s->pairs++;
    return true;
}

bool sum_loss_add(struct fleet_sum *s, struct sum_way *way, const struct crossing *c)
{
    struct crossing_slice sum = crossing_sent(c);
    uint64_t outside = c->unresolved[COMPARE_OUTSIDE];
    way->sent[c->stream.traffic_class] += sum.sent;
    way->unknown[c->stream.traffic_class] += outside > c->away ? outside - c->away : 0;
    return sum.sent == 0 || (add_times(&way->times, c) && add_pair(s, way, c, sum));
}

void sum_loss_done(struct sum_way *way)
{
    slots_done(&way->pair_index);
    free(way->pairs);
    free(way->times.numbers);
    free(way->times.slices);
}

/* ---- judging ---- */

bool sum_loss_is_doubtful(const struct sum_way *way, uint64_t *ret_appeared)
{
    uint64_t lost = 0;
    *ret_appeared = 0;
    for (int c = 0; c < CLASS_COUNT; c++) {
        *ret_appeared += way->classes[c].figures.appeared;
        lost += way->classes[c].figures.lost;
    }
    return lost && *ret_appeared * 10 >= lost; /* where nothing is missing nothing was lost */
}

static int by_hosts(const void *a, const void *b)
{
    const struct sum_pair *const *x = a, *const *y = b;
    return ((*x)->hosts > (*y)->hosts) - ((*x)->hosts < (*y)->hosts);
}

/* Those of one pair of hosts together; NULL without memory. */
static struct loss_flow *flows_of(const struct sum_way *way)
{
    const struct sum_pair **order = malloc((way->pair_count + 1) * sizeof *order);
    struct loss_flow *flows = malloc((way->pair_count + 1) * sizeof *flows);
    uint32_t pair = 0;
    for (size_t i = 0; order && i < way->pair_count; i++)
        order[i] = &way->pairs[i];
    if (order && flows)
        qsort(order, way->pair_count, sizeof *order, by_hosts);
    for (size_t i = 0; order && flows && i < way->pair_count; i++) {
        pair += i && order[i]->hosts != order[i - 1]->hosts;
        flows[i] = (struct loss_flow){pair, order[i]->traffic_class, order[i]->sent, order[i]->lost};
    }
    if (!order) {
        free(flows);
        flows = NULL;
    }
    free(order);
    return flows;
}

bool sum_loss_judge(const struct sum_way *way, size_t ways, struct compare_row *row)
{
    if (!judge_class_loss_wanted(row))
        return true;
    struct loss_flow *flows = flows_of(way);
    struct loss_figures f = {.slices = way->times.slices,
                             .slice_count = way->times.count,
                             .flows = flows,
                             .flow_count = way->pair_count,
                             .error = TEST_ERROR / (double)(ways ? ways : 1),
                             .least = SHARE_LEAST};
    if (!flows)
        return false;
    for (int c = 0; c < CLASS_COUNT; c++)
        f.usable[c] = way->unknown[c] * 20 <= way->sent[c];
    judge_class_loss(&f, row);
    free(flows);
    return true;
}

#include "compare/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/clock_fit.h"
#include "base/error.h"
#include "base/order.h"
#include "compare/loss.h"
#include "model/statistics.h"

/* ---- classes ---- */

static uint32_t find_stream(const struct compare_point *p, uint32_t flow, const struct compare_stream_part *like)
{
    for (uint32_t i = p->flows[flow].first_stream; i != COMPARE_NONE; i = p->streams[i].next)
        if (p->streams[i].family == like->family && p->streams[i].ssrc == like->ssrc)
            return i;
    return COMPARE_NONE;
}

/* One stream has one class, whichever capture shows it better (SDP may be in one of them only). */
static bool agree_on_classes(struct compare_work *w)
{
    for (int side = 0; side < 2; side++) {
        size_t n = w->points[side]->stream_count;
        w->class_of[side] = calloc(n + 1, 1);
        w->partner[side] = malloc((n + 1) * sizeof *w->partner[side]);
        w->stats[side] = calloc(n + 1, sizeof *w->stats[side]);
        if (!w->class_of[side] || !w->partner[side] || !w->stats[side])
            return false;
        for (size_t i = 0; i < n; i++) {
            w->class_of[side][i] = w->points[side]->streams[i].traffic_class;
            w->partner[side][i] = COMPARE_NONE;
        }
    }
    for (uint32_t i = 0; i < w->points[0]->stream_count; i++) {
        const struct compare_stream_part *a = &w->points[0]->streams[i];
        uint32_t flow = w->pairing.of[0][a->flow];
        uint32_t j = flow != COMPARE_NONE ? find_stream(w->points[1], flow, a) : COMPARE_NONE;
        if (j == COMPARE_NONE)
            continue;
        const struct compare_stream_part *b = &w->points[1]->streams[j];
        bool second =
            a->traffic_class == CLASS_NONE || (b->traffic_class != CLASS_NONE && b->confidence > a->confidence);
        w->class_of[0][i] = w->class_of[1][j] = second ? b->traffic_class : a->traffic_class;
        w->partner[0][i] = j;
        w->partner[1][j] = i;
    }
    return true;
}

/* ---- clocks ---- */

static enum compare_way way_of_match(const struct compare_work *w, const struct compare_match *m)
{
    const struct compare_point *a = w->points[0];
    return (enum compare_way)w->matches.ways[a->streams[a->packets[m->packet[0]].stream].flow].way;
}

static struct clock_sample sample_of(const struct compare_work *w, const struct compare_match *m, enum compare_way way)
{
    uint32_t near = compare_near(way);
    return (struct clock_sample){w->points[near]->packets[m->packet[near]].time_ns,
                                 w->points[!near]->packets[m->packet[!near]].time_ns};
}

struct near_order {
    const struct compare_work *work;
    enum compare_way way;
};

static int by_near_time(const void *context, uint32_t x, uint32_t y)
{
    const struct near_order *o = context;
    int64_t a = sample_of(o->work, &o->work->matches.all[x], o->way).near_ns;
    int64_t b = sample_of(o->work, &o->work->matches.all[y], o->way).near_ns;
    return (a > b) - (a < b);
}

/* The matches of one way by the time before; NULL without memory. */
static uint32_t *order_of_way(const struct compare_work *w, enum compare_way way, size_t *ret_count)
{
    struct near_order context = {w, way};
    uint32_t *order = malloc((w->matches.count + 1) * sizeof *order);
    size_t n = 0;
    for (size_t i = 0; order && i < w->matches.count; i++)
        if (way_of_match(w, &w->matches.all[i]) == way)
            order[n++] = (uint32_t)i;
    if (order && !order_sort(order, n, by_near_time, &context)) {
        free(order);
        return NULL;
    }
    *ret_count = n;
    return order;
}

static bool fit_clock(struct compare_work *w, enum compare_way way, const uint32_t *order, size_t n)
{
    struct clock_sample *samples = malloc((n + 1) * sizeof *samples);
    uint32_t *scratch = malloc((n + 1) * sizeof *scratch);
    bool ok = samples && scratch;
    for (size_t i = 0; ok && i < n; i++)
        samples[i] = sample_of(w, &w->matches.all[order[i]], way);
    if (ok) {
        struct clock_fit c = clock_fit_make(samples, n, scratch);
        w->clocks[way] = c;
        w->segment->clock_known[way] = c.known;
        w->segment->offset_ns[way] = c.offset_ns;
        w->segment->drift_ppm[way] = c.drift * 1e6;
    }
    free(samples);
    free(scratch);
    return ok;
}

/* ---- what was matched ---- */

static void count_ecn(struct compare_class *c, tos_t before, tos_t after)
{
    uint8_t x = tos_ecn(before), y = tos_ecn(after);
    c->ecn_marked += x != y && y == 3;
    c->ecn_cleared += x != 0 && y == 0;
}

/* RFC 3550 §6.4.1; reordered as RFC 4737 §3: an earlier place than one that has passed already. */
static void track_stream(struct compare_stream_stat *s, const struct clock_sample *sample, struct compare_class *c)
{
    double difference = (double)(sample->far_ns - sample->near_ns);
    if (s->matched++ == 0) {
        s->newest_far_ns = sample->far_ns;
        c->streams++;
    } else {
        double step = difference - s->last_ns;
        s->jitter_ns += ((step < 0 ? -step : step) - s->jitter_ns) / 16;
        if (sample->far_ns < s->newest_far_ns)
            c->reordered++;
        else
            s->newest_far_ns = sample->far_ns;
    }
    s->last_ns = difference;
}

static bool count_match(struct compare_work *w, enum compare_way way, const struct compare_match *m)
{
    uint32_t near = compare_near(way);
    const struct compare_packet *x = &w->points[near]->packets[m->packet[near]],
                                *y = &w->points[!near]->packets[m->packet[!near]];
    enum traffic_class class = (enum traffic_class)w->class_of[near][x->stream];
    struct compare_class *c = &w->segment->rows[way].classes[class];
    struct compare_count **counts = &w->counts[way][class];
    struct clock_sample sample = {x->time_ns, y->time_ns};
    if (!*counts && !(*counts = calloc((size_t)DSCP_COUNT * DSCP_COUNT, sizeof **counts)))
        return false;
    struct compare_count *cell = &(*counts)[tos_dscp(x->tos) * DSCP_COUNT + tos_dscp(y->tos)];
    if (cell->packets++ == 0) {
        cell->first[0] = x->frame;
        cell->first[1] = y->frame;
    }
    bool changed = tos_dscp(x->tos) != tos_dscp(y->tos);
    c->matched++;
    c->changed += changed;
    count_ecn(c, x->tos, y->tos);
    track_stream(&w->stats[near][x->stream], &sample, c);
    w->stats[near][x->stream].changed += changed;
    compare_loss_arrived(w, way, class, x->time_ns);
    return true;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void spread_of(double *delays, size_t n, struct compare_spread *ret)
{
    qsort(delays, n, sizeof *delays, by_value);
    ret->packets = n;
    ret->median = statistics_quantile(delays, n, 0.5) / 1e6;
    ret->p95 = statistics_quantile(delays, n, 0.95) / 1e6;
    ret->p99 = statistics_quantile(delays, n, 0.99) / 1e6;
    ret->max = n ? delays[n - 1] / 1e6 : 0;
    ret->jitter = -1;
}

/* Of one class in one way (or both), in a buffer that has room for all. */
static void measure_class(const struct compare_work *w, enum traffic_class class, enum compare_way row, double *delays)
{
    size_t n = 0;
    struct compare_class *c = &w->segment->rows[row].classes[class];
    double jitter = 0, weight = 0;
    if (c->matched == 0)
        return;
    for (size_t i = 0; i < w->matches.count; i++) {
        const struct compare_match *m = &w->matches.all[i];
        enum compare_way way = way_of_match(w, m);
        uint32_t near = compare_near(way);
        if ((row != COMPARE_BOTH && way != row) ||
            w->class_of[near][w->points[near]->packets[m->packet[near]].stream] != class)
            continue;
        struct clock_sample s = sample_of(w, m, way);
        delays[n++] = clock_fit_delay(&w->clocks[way], &s);
    }
    spread_of(delays, n, &c->delay);
    for (uint32_t near = 0; near < 2; near++)
        for (size_t i = 0; i < w->points[near]->stream_count; i++) {
            const struct compare_stream_stat *s = &w->stats[near][i];
            if (w->class_of[near][i] != class || s->matched < 2 || (row != COMPARE_BOTH && near != compare_near(row)))
                continue;
            jitter += s->jitter_ns * (double)s->matched;
            weight += (double)s->matched;
        }
    c->delay.jitter = weight > 0 ? jitter / weight / 1e6 : -1;
}

static bool measure_delays(struct compare_work *w)
{
    double *delays = malloc((w->matches.count + 1) * sizeof *delays);
    for (int row = 0; delays && row < COMPARE_ROWS; row++)
        for (int c = 0; c < CLASS_COUNT; c++)
            measure_class(w, (enum traffic_class)c, (enum compare_way)row, delays);
    free(delays);
    return delays != NULL;
}

static bool count_way(struct compare_work *w, enum compare_way way)
{
    size_t n;
    uint32_t *order = order_of_way(w, way, &n);
    bool ok = order && fit_clock(w, way, order, n);
    for (size_t i = 0; ok && i < n; i++)
        ok = count_match(w, way, &w->matches.all[order[i]]);
    free(order);
    return ok;
}

/* ---- what was not ---- */

static void count_left(struct compare_work *w)
{
    for (uint32_t side = 0; side < 2; side++) {
        const struct compare_point *p = w->points[side];
        for (size_t i = 0; i < p->packet_count; i++) {
            uint8_t fate = w->matches.fate[side][i];
            uint32_t stream = p->packets[i].stream, flow = p->streams[stream].flow;
            if (fate < FATE_LEFT)
                continue;
            enum compare_way way = (enum compare_way)w->matches.ways[side == 0 ? flow : w->pairing.of[1][flow]].way;
            if (compare_near(way) == side)
                w->segment->rows[way].classes[w->class_of[side][stream]].unresolved[fate - FATE_LEFT]++;
        }
    }
}

/* ---- cells and sums ---- */

static bool make_cells(struct compare_work *w, enum traffic_class class, enum compare_way row)
{
    struct compare_class *c = &w->segment->rows[row].classes[class];
    size_t most = 0;
    for (int i = 0; i < DSCP_COUNT * DSCP_COUNT; i++)
        for (int way = 0; way < 2; way++)
            most +=
                (row == COMPARE_BOTH || way == (int)row) && w->counts[way][class] && w->counts[way][class][i].packets;
    c->cells = arena_alloc(&w->document->arena, (most + 1) * sizeof *c->cells);
    if (!c->cells)
        return false;
    for (int i = 0; i < DSCP_COUNT * DSCP_COUNT; i++) {
        struct compare_cell cell = {.before = (dscp_t)(i / DSCP_COUNT), .after = (dscp_t)(i % DSCP_COUNT)};
        for (int way = 0; way < 2; way++) {
            const struct compare_count *n = w->counts[way][class] ? &w->counts[way][class][i] : NULL;
            if (!n || !n->packets || (row != COMPARE_BOTH && way != (int)row))
                continue;
            if (cell.packets == 0) {
                cell.first_before = n->first[0];
                cell.first_after = n->first[1];
            }
            cell.packets += n->packets;
        }
        if (cell.packets)
            c->cells[c->cell_count++] = cell;
    }
    compare_class_sort(c);
    return true;
}

static void count_assumed(struct compare_work *w)
{
    const struct compare_point *a = w->points[0];
    for (size_t i = 0; i < a->stream_count; i++) {
        uint32_t flow = a->streams[i].flow;
        const struct compare_flow_way *way = &w->matches.ways[flow];
        if (w->pairing.of[0][flow] == COMPARE_NONE || !way->doubtful)
            continue;
        uint64_t changed = w->matches.way_known ? w->stats[0][i].changed : 0;
        w->segment->rows[way->way].assumed_streams++;
        w->segment->rows[COMPARE_BOTH].assumed_streams++;
        w->segment->rows[way->way].assumed_changed += changed;
        w->segment->rows[COMPARE_BOTH].assumed_changed += changed;
    }
}

static void add_up(struct compare_work *w)
{
    struct compare_segment *s = w->segment;
    for (int way = 0; way < 2; way++) {
        for (int c = 0; c < CLASS_COUNT; c++)
            compare_class_add(&s->rows[COMPARE_BOTH].classes[c], &s->rows[way].classes[c]);
        compare_row_add_up(&s->rows[way]);
    }
    compare_row_add_up(&s->rows[COMPARE_BOTH]);
    s->both_ways = s->rows[COMPARE_FORWARD].matched && s->rows[COMPARE_BACKWARD].matched;
    count_assumed(w);
}

static bool count_all(struct compare_work *w)
{
    bool ok = agree_on_classes(w) && count_way(w, COMPARE_FORWARD) && count_way(w, COMPARE_BACKWARD);
    if (!ok)
        return false;
    count_left(w);
    if (!compare_loss_count(w))
        return false;
    add_up(w);
    compare_loss_know(w);
    ok = compare_loss_test(w);
    for (int row = 0; ok && row < COMPARE_ROWS; row++)
        for (int c = 0; ok && c < CLASS_COUNT; c++)
            ok = make_cells(w, (enum traffic_class)c, (enum compare_way)row);
    return ok && measure_delays(w);
}

static void work_done(struct compare_work *w)
{
    compare_pairing_done(&w->pairing);
    compare_matches_done(&w->matches);
    for (int i = 0; i < 2; i++) {
        free(w->class_of[i]);
        free(w->partner[i]);
        free(w->stats[i]);
        for (int c = 0; c < CLASS_COUNT; c++)
            free(w->counts[i][c]);
    }
    free(w->slices);
}

int compare_segment_make(struct compare_document *d, const struct compare_point *first,
                         const struct compare_point *second, bool quiet, struct compare_segment *ret)
{
    struct clock_fit clocks[2] = {{0}};
    struct compare_work w = {.document = d, .segment = ret, .points = {first, second}, .clocks = clocks};
    for (int row = 0; row < COMPARE_ROWS; row++)
        ret->rows[row].behaviour = ret->rows[row].loss_reason = "";
    w.slices = calloc((size_t)2 * COMPARE_SLICES, sizeof *w.slices);
    bool ok = w.slices && compare_pair_flows(first, second, &w.pairing) &&
              compare_match_packets(first, second, &w.pairing, &w.matches) && count_all(&w) &&
              compare_list_streams(&w) && (quiet || compare_list_unmatched(&w));
    work_done(&w);
    return ok ? 0 : ERR_MEMORY;
}

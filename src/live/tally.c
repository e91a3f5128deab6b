#include "live/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/grow.h"

static uint64_t less(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

void live_tally_begin(struct live_tally *t, int64_t now_ns, int64_t clock_ns)
{
    *t = (struct live_tally){.second = clock_ns / NS_PER_S, .from_ns = now_ns};
}

static void rows_free(struct live_row_before *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(rows[i].node);
    free(rows);
}

void live_tally_done(struct live_tally *t)
{
    rows_free(t->rows, t->row_count);
    free(t->series);
}

/* --- by second ---------------------------------------------------------------------------------------------------- */

static uint64_t marks_sum(const uint64_t by_dscp[static DSCP_COUNT])
{
    uint64_t sum = 0;
    for (int i = 0; i < DSCP_COUNT; i++)
        sum += by_dscp[i];
    return sum;
}

static void sum_up(const struct document *d, struct live_sums sums[CLASS_COUNT][DIRECTION_COUNT])
{
    memset(sums, 0, sizeof(struct live_sums) * CLASS_COUNT * DIRECTION_COUNT);
    for (size_t i = 0; i < d->by_class_count; i++) {
        const struct summary_row *r = &d->by_class[i];
        struct live_sums *s = &sums[r->traffic_class][r->direction];
        uint64_t wrong = marks_sum(r->wrong_by_dscp), unsure = marks_sum(r->unsure_by_dscp);
        s->wrong += wrong;
        s->unsure += unsure;
        s->right += less(r->packets, wrong + unsure);
    }
}

static void shift_one(uint32_t at[static LIVE_SERIES_SECONDS], size_t n)
{
    memmove(at, at + n, (LIVE_SERIES_SECONDS - n) * sizeof *at);
    memset(at + LIVE_SERIES_SECONDS - n, 0, n * sizeof *at);
}

static void shift(struct live_tally *t, int64_t seconds)
{
    size_t n = seconds < LIVE_SERIES_SECONDS ? (size_t)seconds : LIVE_SERIES_SECONDS;
    for (size_t i = 0; i < t->series_count; i++) {
        shift_one(t->series[i].right, n);
        shift_one(t->series[i].wrong, n);
        shift_one(t->series[i].unsure, n);
    }
}

static struct live_series *series_of(struct live_tally *t, int c, int direction)
{
    for (size_t i = 0; i < t->series_count; i++)
        if ((int)t->series[i].traffic_class == c && (int)t->series[i].direction == direction)
            return &t->series[i];
    if (!grow((void **)&t->series, &t->series_cap, t->series_count, sizeof *t->series))
        return NULL;
    struct live_series *s = &t->series[t->series_count++];
    *s = (struct live_series){.traffic_class = (enum traffic_class)c, .direction = (enum direction)direction};
    return s;
}

/* What came in several seconds, where looks are rare, came evenly. */
static void spread(uint32_t at[static LIVE_SERIES_SECONDS], uint64_t packets, size_t seconds)
{
    for (size_t i = 0; i < seconds; i++) {
        uint64_t share = packets / (seconds - i);
        uint32_t *second = &at[LIVE_SERIES_SECONDS - seconds + i];
        *second = share < UINT32_MAX - *second ? *second + (uint32_t)share : UINT32_MAX;
        packets -= share;
    }
}

int live_tally_look(struct live_tally *t, const struct document *d, int64_t clock_ns, bool rebase)
{
    struct live_sums now[CLASS_COUNT][DIRECTION_COUNT];
    int64_t passed = clock_ns / NS_PER_S - t->second;
    size_t seconds = passed <= 1 ? 1 : passed < LIVE_SERIES_SECONDS ? (size_t)passed : LIVE_SERIES_SECONDS;
    sum_up(d, now);
    if (passed > 0)
        shift(t, passed);
    t->second += passed;
    for (int c = 0; c < CLASS_COUNT; c++)
        for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
            const struct live_sums *n = &now[c][direction], *b = &t->before[c][direction];
            struct live_sums came = {less(n->right, b->right), less(n->wrong, b->wrong), less(n->unsure, b->unsure)};
            if (rebase || came.right + came.wrong + came.unsure == 0)
                continue;
            struct live_series *s = series_of(t, c, direction);
            if (!s)
                return ERR_MEMORY;
            spread(s->right, came.right, seconds);
            spread(s->wrong, came.wrong, seconds);
            spread(s->unsure, came.unsure, seconds);
        }
    memcpy(t->before, now, sizeof t->before);
    return 0;
}

/* --- by interval -------------------------------------------------------------------------------------------------- */

static const char *node_name(const struct document *d, uint32_t node)
{
    return node ? d->nodes[node - 1].name : "";
}

/* The same row of before; looked for from where the last one was found, as both are in one order. */
static const struct summary_row *row_before(const struct live_tally *t, const struct document *d,
                                            const struct summary_row *r, size_t *from)
{
    for (size_t i = 0; i < t->row_count; i++) {
        const struct live_row_before *b = &t->rows[(*from + i) % t->row_count];
        if (b->row.traffic_class != r->traffic_class || b->row.direction != r->direction ||
            strcmp(b->node, node_name(d, r->node)) != 0)
            continue;
        *from = (*from + i + 1) % t->row_count;
        return &b->row;
    }
    return NULL;
}

static void subtract(struct summary_row *r, const struct summary_row *b)
{
    r->streams = less(r->streams, b->streams);
    r->packets = less(r->packets, b->packets);
    r->violating_streams = less(r->violating_streams, b->violating_streams);
    r->undetermined_streams = less(r->undetermined_streams, b->undetermined_streams);
    r->violating_packets = less(r->violating_packets, b->violating_packets);
    for (int i = 0; i < DSCP_COUNT; i++) {
        r->by_dscp[i] = less(r->by_dscp[i], b->by_dscp[i]);
        r->wrong_by_dscp[i] = less(r->wrong_by_dscp[i], b->wrong_by_dscp[i]);
        r->unsure_by_dscp[i] = less(r->unsure_by_dscp[i], b->unsure_by_dscp[i]);
    }
}

static int keep_rows(struct live_tally *t, const struct document *d)
{
    size_t n = 0;
    struct live_row_before *rows = calloc(d->by_class_count + 1, sizeof *rows);
    while (rows && n < d->by_class_count) {
        rows[n].row = d->by_class[n];
        rows[n].node = strdup(node_name(d, d->by_class[n].node));
        if (!rows[n++].node)
            break;
    }
    if (!rows || (n && !rows[n - 1].node)) {
        rows_free(rows, n);
        return ERR_MEMORY;
    }
    rows_free(t->rows, t->row_count);
    t->rows = rows;
    t->row_count = n;
    return 0;
}

int live_tally_rebase(struct live_tally *t, const struct document *d, const struct live_totals *totals)
{
    t->totals.packets_checked = totals->packets_checked;
    t->totals.packets_violating = totals->packets_violating;
    return keep_rows(t, d);
}

int live_tally_interval(struct live_tally *t, const struct document *d, const struct live_totals *now, int64_t now_ns,
                        struct arena *arena, const struct live_interval **ret)
{
    const struct live_totals *b = &t->totals;
    struct summary_row *rows = arena_alloc(arena, (d->by_class_count + 1) * sizeof *rows);
    size_t n = 0, from = 0;
    if (!rows)
        return ERR_MEMORY;
    for (size_t i = 0; i < d->by_class_count; i++) {
        const struct summary_row *before = row_before(t, d, &d->by_class[i], &from);
        rows[n] = d->by_class[i];
        if (before)
            subtract(&rows[n], before);
        n += rows[n].packets > 0;
    }
    if (keep_rows(t, d) < 0)
        return ERR_MEMORY;
    t->interval = (struct live_interval){.from_ns = t->from_ns,
                                         .until_ns = now_ns,
                                         .by_class = rows,
                                         .by_class_count = n,
                                         .new_streams = less(now->streams_ever, b->streams_ever),
                                         .ended_streams = less(now->streams_ended, b->streams_ended),
                                         .packets = less(now->packets, b->packets),
                                         .packets_checked = less(now->packets_checked, b->packets_checked),
                                         .packets_violating = less(now->packets_violating, b->packets_violating),
                                         .dropped_kernel = less(now->dropped_kernel, b->dropped_kernel),
                                         .dropped_interface = less(now->dropped_interface, b->dropped_interface)};
    t->totals = *now;
    t->from_ns = now_ns;
    *ret = &t->interval;
    return 0;
}

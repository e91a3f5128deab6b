#ifndef QOSMARK_LIVE_TALLY_H
#define QOSMARK_LIVE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/live.h"

/*
 * What came between looks. Documents hold sums since the beginning; here they are taken apart again, by second for a
 * sparkline and by interval. A sum that shrinks, because a stream turned out to be something else, counts as nothing.
 */
struct live_sums {
    uint64_t right, wrong, unsure;
};

/* A row as it was when the last interval ended; nodes by their names, for their numbers change. */
struct live_row_before {
    struct summary_row row;
    char *node;
};

/* Sums that an interval is the difference of. */
struct live_totals {
    uint64_t streams_ever, streams_ended;
    uint64_t packets, packets_checked, packets_violating;
    uint64_t dropped_kernel, dropped_interface;
};

struct live_tally {
    struct live_sums before[CLASS_COUNT][DIRECTION_COUNT];
    struct live_series *series; /* heap, in the order of their first packets */
    size_t series_count, series_cap;
    int64_t second; /* of the newest element */

    struct live_row_before *rows;
    size_t row_count;
    struct live_totals totals;
    struct live_interval interval;
    int64_t from_ns;
};

/* `now_ns` since 1970, `clock_ns` by a clock that never steps. */
void live_tally_begin(struct live_tally *t, int64_t now_ns, int64_t clock_ns);
void live_tally_done(struct live_tally *t);

/* Adds what came since the last look to the series. `rebase`: the sums are by another policy, and nothing came.
 * ERR_MEMORY. */
int live_tally_look(struct live_tally *t, const struct document *d, int64_t clock_ns, bool rebase);

/* Ends an interval: *ret is good until the next one ends, its rows lie in the arena. ERR_MEMORY. */
int live_tally_interval(struct live_tally *t, const struct document *d, const struct live_totals *totals,
                        int64_t now_ns, struct arena *arena, const struct live_interval **ret);

/* The sums are by another policy: the interval goes on from them. */
int live_tally_rebase(struct live_tally *t, const struct document *d, const struct live_totals *totals);

#endif

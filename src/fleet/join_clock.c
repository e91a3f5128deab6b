#include <stdlib.h>

#include "base/clock.h"
#include "base/clock_fit.h"
#include "base/grow.h"
#include "base/order.h"
#include "fleet/join_internal.h"

/*
 * Clocks, from packets that two points timed both. Queues only ever add to the difference of the two times, so the line
 * below all differences is the offset of the clocks and the least delay (base/clock_fit.h); what is above it is delay.
 * A clock that is set makes a step in that line: before it and after it are measured apart, so that no class is said to
 * be late for it.
 */

enum { SLICES_MAX = 1024, PIECES_MAX = 16 };

#define SLICE_NS (10 * NS_PER_S)
#define STEP_NS  (20 * NS_PER_MS) /* far above what a drifting clock does from slice to slice */

struct step {
    bool found;
    int64_t at_ns, by_ns; /* by the clock of the point before */
};

/* Samples of one segment and way, by near_ns. */
struct track {
    struct join_look *look;
    const uint32_t *order;
    size_t count;
    struct step step; /* the greatest */
};

static const struct crossing *crossing_of(const struct join_look *l, uint32_t sample)
{
    return &l->crossings[l->samples[sample].crossing];
}

static int by_way(const struct join_look *l, uint32_t x, uint32_t y)
{
    const struct crossing *a = crossing_of(l, x), *b = crossing_of(l, y);
    /* names of points are the same where their memory is */
    if (a->first != b->first)
        return (uintptr_t)a->first < (uintptr_t)b->first ? -1 : 1;
    if (a->second != b->second)
        return (uintptr_t)a->second < (uintptr_t)b->second ? -1 : 1;
    return (a->stream.way > b->stream.way) - (a->stream.way < b->stream.way);
}

static int by_way_and_time(const void *context, uint32_t x, uint32_t y)
{
    const struct join_look *l = context;
    int r = by_way(l, x, y);
    int64_t a = l->samples[x].near_ns, b = l->samples[y].near_ns;
    return r ? r : (a > b) - (a < b);
}

static int64_t difference(const struct track *t, size_t i)
{
    const struct join_sample *s = &t->look->samples[t->order[i]];
    return s->far_ns - s->near_ns;
}

static int64_t time_of(const struct track *t, size_t i)
{
    return t->look->samples[t->order[i]].near_ns;
}

/* ---- steps ---- */

struct slice_least {
    size_t first; /* sample */
    int64_t least;
};

static size_t cut_slices(const struct track *t, struct slice_least *slices)
{
    size_t n = 0;
    for (size_t i = 0; i < t->count; i++) {
        int64_t d = difference(t, i);
        bool fresh = n == 0 || (time_of(t, i) - time_of(t, slices[n - 1].first) >= SLICE_NS && n < SLICES_MAX);
        if (fresh)
            slices[n++] = (struct slice_least){i, d};
        else if (d < slices[n - 1].least)
            slices[n - 1].least = d;
    }
    return n;
}

static int64_t least_of(const struct slice_least *slices, size_t from, size_t to)
{
    int64_t least = INT64_MAX;
    for (size_t i = from; i < to; i++)
        least = slices[i].least < least ? slices[i].least : least;
    return least;
}

/* Where the line begins anew: slices from which on all are far above, or far below, all of the piece so far. A rise
 * that ends again is a queue; one that lasts to the end of the window for at least two slices is taken for a step. */
static size_t find_steps(struct track *t, const struct slice_least *slices, size_t n, size_t *starts)
{
    size_t count = 0, from = 0;
    starts[count++] = 0;
    for (size_t i = 1; i < n && count < PIECES_MAX; i++) {
        int64_t before = least_of(slices, from, i), after = least_of(slices, i, n);
        bool up = n - i >= 2 && after - before >= STEP_NS;
        bool down = before - slices[i].least >= STEP_NS;
        if (!up && !down)
            continue;
        int64_t by = up ? after - before : slices[i].least - before;
        if (!t->step.found || llabs(by) > llabs(t->step.by_ns))
            t->step = (struct step){true, time_of(t, slices[i].first), by};
        starts[count++] = slices[i].first;
        from = i;
    }
    return count;
}

/* ---- delays ---- */

static bool fit_piece(const struct track *t, size_t from, size_t to)
{
    struct join_look *l = t->look;
    size_t n = to - from;
    struct clock_sample *samples = malloc((n + 1) * sizeof *samples);
    uint32_t *scratch = malloc((n + 1) * sizeof *scratch);
    bool ok = samples && scratch;
    for (size_t i = 0; ok && i < n; i++) {
        const struct join_sample *s = &l->samples[t->order[from + i]];
        samples[i] = (struct clock_sample){s->near_ns, s->far_ns};
    }
    if (ok) {
        struct clock_fit fit = clock_fit_make(samples, n, scratch);
        for (size_t i = 0; i < n; i++) {
            struct crossing *c = &l->crossings[l->samples[t->order[from + i]].crossing];
            c->clock_known = true;
            c->offset_ns = fit.offset_ns;
            c->delays[crossing_bucket(clock_fit_delay(&fit, &samples[i]))]++;
        }
    }
    free(samples);
    free(scratch);
    return ok;
}

static bool measure(struct track *t, struct slice_least *slices)
{
    size_t starts[PIECES_MAX + 1], pieces = find_steps(t, slices, cut_slices(t, slices), starts);
    starts[pieces] = t->count;
    for (size_t i = 0; i < pieces; i++)
        if (!fit_piece(t, starts[i], starts[i + 1]))
            return false;
    return true;
}

/* ---- what a step was ---- */

static void tell_step(struct join_look *l, const struct track *t, const struct track *back)
{
    const struct crossing *c = crossing_of(l, t->order[0]);
    const char *first = c->first, *second = c->second;
    int64_t there = t->step.found ? t->step.by_ns : 0, ago = back->step.found ? back->step.by_ns : 0;
    double ms = (double)(there ? there : ago) / 1e6;
    char when[CLOCK_TEXT_MAX];
    clock_format(t->step.found ? t->step.at_ns : back->step.at_ns, when);
    when[19] = '\0'; /* seconds are enough */
    if (there && ago && (there > 0) != (ago > 0) && llabs(there + ago) < llabs(there) / 2)
        join_note(l, "a clock was set at %s or at %s about %sZ, by %.0f ms: delays before and after are measured apart",
                  first, second, when, ms < 0 ? -ms : ms);
    else
        join_note(l,
                  "since about %sZ packets between %s and %s take %.0f ms %s, or a clock was set there: delays before "
                  "and after are measured apart",
                  when, first, second, ms < 0 ? -ms : ms, ms < 0 ? "less" : "more");
}

static bool measure_segment(struct join_look *l, const uint32_t *order, size_t count, struct slice_least *slices)
{
    struct track tracks[2] = {{.look = l}, {.look = l}};
    size_t n = 0;
    for (size_t i = 0, end; i < count && n < 2; i = end, n++) {
        for (end = i + 1; end < count && by_way(l, order[i], order[end]) == 0;)
            end++;
        tracks[n] = (struct track){.look = l, .order = order + i, .count = end - i};
        if (!measure(&tracks[n], slices))
            return false;
    }
    if (tracks[0].step.found || tracks[1].step.found)
        tell_step(l, &tracks[0], &tracks[1]);
    return true;
}

static bool is_same_segment(const struct join_look *l, uint32_t x, uint32_t y)
{
    const struct crossing *a = crossing_of(l, x), *b = crossing_of(l, y);
    return a->first == b->first && a->second == b->second;
}

static bool keep_offset(struct join_look *l, const struct crossing *c)
{
    if (!grow((void **)&l->offsets, &l->offset_cap, l->offset_count, sizeof *l->offsets))
        return false;
    l->offsets[l->offset_count++] = (struct join_offset){c->first, c->second, c->stream.way, c->offset_ns};
    return true;
}

bool join_clocks(struct join_look *l)
{
    struct slice_least *slices = malloc(SLICES_MAX * sizeof *slices);
    uint32_t *order = order_new(l->sample_count);
    bool ok = slices && order && order_sort(order, l->sample_count, by_way_and_time, l);
    for (size_t i = 0, end; ok && i < l->sample_count; i = end) {
        for (end = i + 1; end < l->sample_count && is_same_segment(l, order[i], order[end]);)
            end++;
        ok = measure_segment(l, order + i, end - i, slices) && keep_offset(l, crossing_of(l, order[i]));
    }
    free(order);
    free(slices);
    return ok;
}

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/join_internal.h"
#include "model/notes.h"

enum { NOTES_MAX = 64, NOTE_BYTES_MAX = 1024 };

void join_note(struct join_look *l, const char *format, ...)
{
    char text[NOTE_BYTES_MAX]; /* most are there already, and take no memory again */
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (size_t i = 0; i < l->note_count; i++)
        if (strcmp(l->notes[i], text) == 0)
            return;
    if (l->note_count < NOTES_MAX && !notes_add_text(&l->notes, &l->note_count, &l->texts, text))
        l->failed = true;
}

/* ---- streams ---- */

/* Ways that one point alone saw. */
static void count_alone(struct join_look *l, struct join_place *places, size_t count)
{
    for (size_t i = 0; i < count; i++)
        places[places[i].chain].meets |= places[i].point != places[places[i].chain].point;
    for (size_t i = 0; i < count; i++)
        if (places[i].chain == i && !places[i].meets && (places[i].packets || places[i].piece_count))
            l->window->points[places[i].point].sums.alone++;
}

static bool take_stream(struct join_look *l, uint32_t *runs, size_t count)
{
    size_t n = 0;
    struct join_place *places = join_places(l, runs, count, &n);
    struct join_step *steps = places ? arena_alloc(&l->arena, (n + 1) * sizeof *steps) : NULL;
    if (!steps || (n > 1 && !join_chains(l, places, n)))
        return false;
    count_alone(l, places, n);
    size_t step_count = n > 1 ? join_order(l, places, n, steps) : 0;
    for (size_t i = 0, end = 0; i < step_count; i++) {
        while (end < step_count && places[steps[end].near].chain == places[steps[i].near].chain)
            end++;
        const struct join_place *near = &places[steps[i].near], *far = &places[steps[i].far];
        struct crossing *c = join_crossing(l, near, far, &steps[i]);
        if (!c)
            return false;
        if (near->piece_count && far->piece_count)
            join_pair_blocks(l, places, &steps[i], end - i, c);
        else
            join_pair_counts(l, near, far, c);
    }
    arena_done(&l->arena);
    l->arena = (struct arena){0};
    return !l->failed;
}

/* ---- points ---- */

static int by_from(const void *a, const void *b)
{
    const struct join_presence *x = a, *y = b;
    if (x->from_ns != y->from_ns)
        return x->from_ns < y->from_ns ? -1 : 1;
    return (x->start_ns > y->start_ns) - (x->start_ns < y->start_ns);
}

static void sort_presence(struct join_window *w)
{
    for (size_t i = 0; i < w->point_count; i++) {
        struct join_point *p = &w->points[i];
        if (!p->presence_sorted)
            qsort(p->presence, p->presence_count, sizeof *p->presence, by_from);
        p->presence_sorted = true;
        p->sums.alone = 0;
    }
}

static struct fleet_point describe(const struct join_look *l, const struct join_point *p, bool final)
{
    struct fleet_point f = p->sums;
    const struct join_options *o = &l->join->options;
    f.name = p->name;
    f.window_ns = l->window->number * o->window_ns;
    f.partition = o->partition;
    f.final = final;
    f.unpublished = p->unpublished;
    f.partitions = p->partitions;
    f.present_ns = 0;
    for (size_t i = 0; i < p->presence_count; i++) {
        const struct join_presence *x = &p->presence[i];
        if (x->from_ns >= f.window_ns + o->window_ns)
            break;
        f.first_ns = i == 0 ? x->from_ns : f.first_ns;
        f.last_ns = x->to_ns > f.last_ns ? x->to_ns : f.last_ns;
        f.starts += i == 0 || x->start_ns != p->presence[i - 1].start_ns;
        f.present_ns += x->closed ? x->to_ns - x->from_ns : 0;
        f.missing += x->closed && x->deltas > x->came ? x->deltas - x->came : 0;
    }
    return f;
}

/* ---- telling ---- */

static int tell(struct join_look *l, bool final, const struct join_sink *sink)
{
    struct join_window *w = l->window;
    int64_t begin_ns = w->number * l->join->options.window_ns;
    int status = sink->begin ? sink->begin(sink->user, begin_ns, final) : 0;
    for (size_t i = 0; status >= 0 && i < l->crossing_count; i++) {
        l->crossings[i].final = final;
        status = sink->crossing(sink->user, &l->crossings[i]);
    }
    for (size_t i = 0; status >= 0 && i < w->point_count; i++) {
        if (!w->points[i].present)
            continue;
        struct fleet_point f = describe(l, &w->points[i], final);
        status = sink->point(sink->user, &f);
    }
    join_time_tell(l);
    for (size_t i = 0; i < w->point_count; i++)
        if (l->join->options.partitions && w->points[i].partitions &&
            w->points[i].partitions != l->join->options.partitions)
            join_note(l,
                      "%s spreads its streams over %u partitions and this collector reads %u: its streams are not "
                      "joined with those of others (--partitions is the same at all sensors and collectors)",
                      w->points[i].name, w->points[i].partitions, l->join->options.partitions);
    if (w->left_out)
        join_note(l, "%llu messages were beyond the caps of a window and count nowhere",
                  (unsigned long long)w->left_out);
    for (size_t i = 0; status >= 0 && i < l->note_count; i++)
        status = sink->note(sink->user, begin_ns, l->notes[i]);
    return status;
}

static bool is_empty(const struct join_window *w)
{
    for (size_t i = 0; i < w->point_count; i++)
        if (w->points[i].present)
            return false;
    return w->time_count == 0 && w->left_out == 0;
}

int join_look_window(struct join *j, struct join_window *w, bool final, const struct join_sink *sink)
{
    struct join_look l = {.join = j, .window = w};
    if (is_empty(w))
        return 0;
    sort_presence(w);
    bool ok = join_group(&l, true, take_stream) && join_clocks(&l) && join_group(&l, false, take_stream);
    int status = ok && !l.failed ? tell(&l, final, sink) : ERR_MEMORY;
    if (l.failed)
        status = ERR_MEMORY;
    arena_done(&l.arena);
    arena_done(&l.texts);
    free(l.notes);
    slots_done(&l.by_id);
    free(l.crossings);
    free(l.samples);
    free(l.offsets);
    return status;
}

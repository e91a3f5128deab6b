#include "fleet/fleet_sum_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "model/notes.h"

enum { STREAMS_KEPT = 20000 /* of a segment: beyond, streams are counted and not listed */, NOTES_MAX = 1000 };

struct fleet_sum *fleet_sum_new(const struct hash_key *key)
{
    struct fleet_sum *s = calloc(1, sizeof *s);
    if (s)
        s->key = *key;
    return s;
}

void fleet_sum_topology(struct fleet_sum *s, const struct topology *t)
{
    s->topology = t;
}

void fleet_sum_free(struct fleet_sum *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->segment_count; i++) {
        slots_done(&s->segments[i]->stream_index);
        sum_loss_done(&s->segments[i]->ways[0]);
        sum_loss_done(&s->segments[i]->ways[1]);
        free(s->segments[i]->streams);
        free(s->segments[i]);
    }
    for (size_t i = 0; i < s->point_count; i++)
        free(s->points[i].windows);
    arena_done(&s->arena);
    slots_done(&s->seen_index);
    free(s->segments);
    free(s->points);
    free(s->seen);
    free(s->notes);
    free(s);
}

/* ---- finding ---- */

static bool point_of(struct fleet_sum *s, const char *name, uint32_t *ret)
{
    for (size_t i = 0; i < s->point_count; i++)
        if (strcmp(s->points[i].name, name) == 0) {
            *ret = (uint32_t)i;
            return true;
        }
    if (!grow((void **)&s->points, &s->point_cap, s->point_count, sizeof *s->points))
        return false;
    char *copy = arena_copy(&s->arena, name, strlen(name));
    if (!copy)
        return false;
    *ret = (uint32_t)s->point_count;
    s->points[s->point_count++] = (struct sum_point){.name = copy};
    return true;
}

/* NULL without memory, or with *ret_full beyond the cap. */
static struct sum_segment *segment_of(struct fleet_sum *s, const struct crossing *c, bool *ret_full)
{
    uint32_t first, second;
    if (!point_of(s, c->first, &first) || !point_of(s, c->second, &second))
        return NULL;
    for (size_t i = 0; i < s->segment_count; i++)
        if (s->segments[i]->first == first && s->segments[i]->second == second)
            return s->segments[i];
    *ret_full = s->segment_count == FLEET_SEGMENTS_MAX;
    if (*ret_full || !grow((void **)&s->segments, &s->segment_cap, s->segment_count, sizeof *s->segments))
        return NULL;
    struct sum_segment *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->first = first;
    x->second = second;
    topology_wanted(s->topology, c->first, c->second, &x->wanted);
    s->segments[s->segment_count++] = x;
    return x;
}

/* Whether this is the first time that something is counted: 1, 0, or ERR_MEMORY. */
static int count_once(struct fleet_sum *s, const uint64_t *words, size_t n)
{
    uint64_t hash = hash_words(&s->key, words, n);
    uint32_t place = slots_first(&s->seen_index, (uint32_t)hash), item;
    while (slots_next(&s->seen_index, (uint32_t)hash, &place, &item))
        if (s->seen[item] == hash)
            return 0;
    if (!grow((void **)&s->seen, &s->seen_cap, s->seen_count, sizeof *s->seen))
        return ERR_MEMORY;
    s->seen[s->seen_count] = hash;
    if (!slots_add(&s->seen_index, (uint32_t)hash, (uint32_t)s->seen_count))
        return ERR_MEMORY;
    s->seen_count++;
    return 1;
}

/* ---- adding ---- */

/* Packets of a cell that a topology speaks of. */
static uint64_t said_of(const struct sum_segment *x, const struct crossing *c, const struct crossing_cell *cell)
{
    const struct compare_stream *t = &c->stream;
    bool said = cell->before == cell->after
                    ? topology_is_unmet(&x->wanted, t->way, t->way_doubtful, cell->before)
                    : topology_wants(&x->wanted, t->way, t->way_doubtful, cell->before, cell->after);
    return said ? cell->packets : 0;
}

static bool add_said(struct fleet_sum *s, struct sum_class *class, const struct crossing_cell *cell, uint64_t packets)
{
    if (packets && !class->said)
        class->said = arena_alloc(&s->arena, (size_t)DSCP_COUNT * DSCP_COUNT * sizeof *class->said);
    if (packets && class->said)
        class->said[cell->before * DSCP_COUNT + cell->after] += packets;
    return !packets || class->said;
}

static int add_cells(struct fleet_sum *s, const struct sum_segment *x, struct sum_class *class,
                     const struct crossing *c, uint64_t where)
{
    if (!class->cells)
        class->cells = arena_alloc(&s->arena, (size_t)DSCP_COUNT * DSCP_COUNT * sizeof *class->cells);
    if (!class->cells)
        return ERR_MEMORY;
    for (size_t i = 0; i < c->cell_count; i++) {
        const struct crossing_cell *from = &c->cells[i];
        struct sum_cell *cell = &class->cells[from->before * DSCP_COUNT + from->after];
        const uint64_t words[3] = {where, c->stream_id, 1U + (unsigned)(from->before << 8 | from->after)};
        int fresh = count_once(s, words, 3);
        if (fresh < 0)
            return fresh;
        cell->packets += from->packets;
        cell->streams += (uint64_t)fresh;
        if (!add_said(s, class, from, said_of(x, c, from)))
            return ERR_MEMORY;
    }
    return 0;
}

/* Of its changed packets, those that a topology wants so. */
static uint64_t wanted_of(const struct sum_segment *x, const struct crossing *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->cell_count; i++)
        n += c->cells[i].before != c->cells[i].after ? said_of(x, c, &c->cells[i]) : 0;
    return n;
}

static int add_stream(struct fleet_sum *s, struct sum_segment *x, const struct crossing *c)
{
    const uint64_t words[2] = {c->stream_id, (uint64_t)c->stream.way};
    uint32_t tag = (uint32_t)hash_words(&s->key, words, 2), place = slots_first(&x->stream_index, tag), item;
    while (slots_next(&x->stream_index, tag, &place, &item)) {
        struct sum_stream *there = &x->streams[item];
        if (there->id != c->stream_id || there->stream.way != c->stream.way)
            continue;
        there->stream.matched += c->stream.matched;
        there->stream.changed += c->stream.changed;
        there->stream.wanted += wanted_of(x, c);
        there->stream.lost += c->stream.lost;
        return 0;
    }
    if (x->stream_count == STREAMS_KEPT) {
        x->streams_left_out++;
        return 0;
    }
    if (!grow((void **)&x->streams, &x->stream_cap, x->stream_count, sizeof *x->streams) ||
        !slots_add(&x->stream_index, tag, (uint32_t)x->stream_count))
        return ERR_MEMORY;
    x->streams[x->stream_count] = (struct sum_stream){c->stream_id, c->stream};
    x->streams[x->stream_count++].stream.wanted = wanted_of(x, c);
    return 0;
}

static int add_figures(struct fleet_sum *s, struct sum_segment *x, const struct crossing *c)
{
    const struct compare_stream *t = &c->stream;
    struct sum_way *way = &x->ways[t->way == COMPARE_BACKWARD];
    struct sum_class *class = &way->classes[t->traffic_class];
    uint64_t where = (uint64_t)x->first << 40 | (uint64_t)x->second << 16 | (uint64_t)t->way << 8 | t->traffic_class;
    const uint64_t words[3] = {where, c->stream_id, 0};
    int fresh = count_once(s, words, 3), status = fresh < 0 ? fresh : add_cells(s, x, class, c, where);
    uint64_t wanted = wanted_of(x, c);
    if (status < 0)
        return status;
    class->figures.streams += (uint64_t)fresh;
    class->figures.matched += t->matched;
    class->figures.changed += t->changed;
    class->figures.wanted += wanted;
    class->figures.lost += t->lost;
    class->figures.appeared += c->appeared;
    for (size_t i = 0; i < DSCP_COUNT; i++)
        class->figures.lost_by_dscp[i] += c->lost_by_dscp[i];
    for (size_t i = 0; i < COMPARE_WHY_COUNT; i++)
        class->figures.unresolved[i] += c->unresolved[i];
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        class->delays[i] += c->delays[i];
    way->away += c->away;
    way->loss_known |= c->loss_known;
    way->assumed_streams += t->way_doubtful ? (uint64_t)fresh : 0;
    way->assumed_changed += t->way_doubtful && t->changed > wanted ? t->changed - wanted : 0;
    if (c->clock_known && (!way->clock_known || c->window_ns >= way->clock_window_ns)) {
        way->clock_known = true;
        way->offset_ns = c->offset_ns;
        way->clock_window_ns = c->window_ns;
    }
    return !c->loss_known || sum_loss_add(s, way, c) ? 0 : ERR_MEMORY;
}

int fleet_sum_crossing(struct fleet_sum *s, const struct crossing *c)
{
    bool full = false;
    struct sum_segment *x = segment_of(s, c, &full);
    if (full)
        s->left_out++;
    if (!x)
        return full ? 0 : ERR_MEMORY;
    int status = add_figures(s, x, c);
    return status < 0 ? status : add_stream(s, x, c);
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

int fleet_sum_point(struct fleet_sum *s, const struct fleet_point *from)
{
    uint32_t index;
    if (!point_of(s, from->name, &index))
        return ERR_MEMORY;
    struct sum_point *p = &s->points[index];
    size_t i = 0;
    while (i < p->window_count && p->windows[i].window_ns != from->window_ns)
        i++;
    if (i == p->window_count) {
        if (!grow((void **)&p->windows, &p->window_cap, p->window_count, sizeof *p->windows))
            return ERR_MEMORY;
        p->windows[p->window_count++] =
            (struct sum_window){.window_ns = from->window_ns, .first_ns = from->first_ns, .last_ns = from->last_ns};
    }
    struct sum_window *w = &p->windows[i];
    w->frames = most(w->frames, from->frames);
    w->dropped = most(w->dropped, from->dropped);
    w->starts = most(w->starts, from->starts);
    w->present_ns = from->present_ns > w->present_ns ? from->present_ns : w->present_ns;
    w->first_ns = from->first_ns < w->first_ns ? from->first_ns : w->first_ns;
    w->last_ns = from->last_ns > w->last_ns ? from->last_ns : w->last_ns;
    p->packets += from->packets;
    p->deltas += from->deltas;
    p->missing += from->missing;
    p->alone += from->alone;
    p->unpublished = most(p->unpublished, from->unpublished);
    if (from->partition < PARTITIONS_MAX)
        s->partitions[from->partition / 8] |= (uint8_t)(1u << from->partition % 8);
    if (from->partitions > s->partitions_told)
        s->partitions_told = from->partitions;
    return 0;
}

int fleet_sum_note(struct fleet_sum *s, const char *text)
{
    for (size_t i = 0; i < s->note_count; i++)
        if (strcmp(s->notes[i], text) == 0)
            return 0;
    if (s->note_count == NOTES_MAX)
        return 0;
    return notes_add_text(&s->notes, &s->note_count, &s->arena, text) ? 0 : ERR_MEMORY;
}

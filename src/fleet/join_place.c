#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/join_internal.h"

enum {
    GAP_MOST_NS = 1000000000, /* between two intervals, which touch as a rule */
    EDGE_PACKETS =
        32, /* that one overtakes: when a sensor begins or ends, those beside it may have passed out of turn */
};

/* ---- blocks of all runs, by number ---- */

static int64_t shift_of(const struct join_run *runs, uint32_t r)
{
    int64_t shift = 0;
    while (runs[r].parent != r) {
        shift += runs[r].shift;
        r = runs[r].parent;
    }
    return shift;
}

static void open_block(const struct join_window *w, const struct join_block *b, int64_t shift, uint32_t run,
                       struct join_piece *to)
{
    const struct join_detail *x = b->detail ? &w->details[b->detail - 1] : NULL;
    *to = (struct join_piece){.number = (int64_t)b->number + shift,
                              .anchor_ns = b->anchor_ns,
                              .told_ns = b->anchor_ns + b->told_ms * NS_PER_MS,
                              .anchor_rtp = b->anchor_rtp,
                              .anchor_sequence = b->anchor_sequence,
                              .packets = b->packets,
                              .run = run,
                              .mark_count = 1};
    if (!x) {
        memset(to->seen, 0xff, sizeof to->seen);
        to->marks[0].dscp = b->mark;
        to->marks[0].packets = b->packets;
        return;
    }
    memcpy(to->seen, x->seen, sizeof to->seen);
    to->doubtful = x->doubtful;
    to->mark_count = x->mark_count;
    for (size_t i = 0; i < x->mark_count; i++) {
        to->marks[i].dscp = x->marks[i].dscp;
        to->marks[i].packets = x->marks[i].packets;
    }
}

static unsigned count_bits(const uint8_t *seen)
{
    unsigned n = 0;
    for (size_t i = 0; i < DELTA_BLOCK_PACKETS / 8; i++)
        n += (unsigned)__builtin_popcount(seen[i]);
    return n;
}

/* One more part of a block. A number that is in both was a copy: which of the marks is the first comer's is not known,
 * unless there is but one. */
static void add_part(struct join_piece *to, const struct join_piece *part)
{
    bool copies = false;
    for (size_t i = 0; i < sizeof to->seen; i++) {
        copies |= (to->seen[i] & part->seen[i]) != 0;
        to->seen[i] |= part->seen[i];
    }
    for (size_t i = 0; i < part->mark_count; i++) {
        size_t k = 0;
        while (k < to->mark_count && to->marks[k].dscp != part->marks[i].dscp)
            k++;
        if (k == DELTA_BLOCK_MARKS_MAX) {
            to->doubtful = true;
            continue;
        }
        if (k == to->mark_count) {
            to->marks[to->mark_count].dscp = part->marks[i].dscp;
            to->marks[to->mark_count++].packets = 0;
        }
        to->marks[k].packets = (uint16_t)(to->marks[k].packets + part->marks[i].packets);
    }
    to->doubtful |= part->doubtful || (copies && to->mark_count > 1);
    to->packets = (uint16_t)count_bits(to->seen);
    if (copies && to->mark_count == 1)
        to->marks[0].packets = to->packets;
    to->told_ns = part->told_ns > to->told_ns ? part->told_ns : to->told_ns;
    if (part->anchor_ns < to->anchor_ns) {
        to->anchor_ns = part->anchor_ns;
        to->anchor_rtp = part->anchor_rtp;
        to->anchor_sequence = part->anchor_sequence;
    }
}

static int by_number(const void *a, const void *b)
{
    const struct join_piece *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return (x->anchor_ns > y->anchor_ns) - (x->anchor_ns < y->anchor_ns);
}

/* ---- from when to when a run saw the stream ---- */

static int64_t highest_bit(const uint8_t *seen)
{
    for (int64_t i = DELTA_BLOCK_PACKETS - 1; i >= 0; i--)
        if (seen[i / 8] >> (i % 8) & 1)
            return i;
    return 0;
}

/* What the run saw without a break, of pieces that are those of its blocks. False where that is nothing. Packets that
 * came late may lie before its begin, or in a block of the window before: they make it no longer. */
static bool extent_of(const struct join_run *r, const struct join_piece *pieces, struct join_extent *ret)
{
    const struct join_piece *first = NULL, *last = NULL;
    for (size_t i = 0; i < r->block_count; i++) {
        const struct join_piece *x = &pieces[i];
        if (r->blocks[i].late)
            continue;
        if (!first || x->number < first->number || (x->number == first->number && x->anchor_ns < first->anchor_ns))
            first = x;
        if (!last || x->number > last->number ||
            (x->number == last->number && highest_bit(x->seen) > highest_bit(last->seen)))
            last = x;
    }
    if (!first)
        return false;
    ret->first = first->number * DELTA_BLOCK_PACKETS + first->anchor_sequence % DELTA_BLOCK_PACKETS;
    ret->last = last->number * DELTA_BLOCK_PACKETS + highest_bit(last->seen);
    if (r->began)
        ret->first += EDGE_PACKETS;
    if ((ret->last + 1) % DELTA_BLOCK_PACKETS != 0)
        ret->last -= EDGE_PACKETS;
    return true;
}

static int by_first(const void *a, const void *b)
{
    const struct join_extent *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

static bool make_pieces(struct join_look *l, struct join_place *p)
{
    const struct join_window *w = l->window;
    size_t total = 0, n = 0;
    for (size_t i = 0; i < p->run_count; i++)
        total += w->runs[p->runs[i]].block_count;
    p->pieces = arena_alloc(&l->arena, (total + 1) * sizeof *p->pieces);
    p->extents = arena_alloc(&l->arena, (p->run_count + 1) * sizeof *p->extents);
    if (!p->pieces || !p->extents)
        return false;
    for (size_t i = 0; i < p->run_count; i++) {
        const struct join_run *r = &w->runs[p->runs[i]];
        int64_t shift = shift_of(w->runs, p->runs[i]);
        const struct join_piece *pieces = &p->pieces[n];
        for (size_t k = 0; k < r->block_count; k++)
            open_block(w, &r->blocks[k], shift, p->runs[i], &p->pieces[n++]);
        p->extent_count += extent_of(r, pieces, &p->extents[p->extent_count]);
    }
    qsort(p->extents, p->extent_count, sizeof *p->extents, by_first);
    qsort(p->pieces, n, sizeof *p->pieces, by_number);
    for (size_t i = 0; i < n; i++) {
        if (p->piece_count && p->pieces[p->piece_count - 1].number == p->pieces[i].number)
            add_part(&p->pieces[p->piece_count - 1], &p->pieces[i]);
        else
            p->pieces[p->piece_count++] = p->pieces[i];
    }
    return true;
}

/* ---- what all runs of a place say ---- */

static bool knows_more(const struct join_run *a, const struct join_run *b)
{
    if ((a->traffic_class != CLASS_NONE) != (b->traffic_class != CLASS_NONE))
        return a->traffic_class != CLASS_NONE;
    return a->confidence != b->confidence ? a->confidence > b->confidence : a->packets > b->packets;
}

static void add_run(struct join_place *p, const struct join_run *r)
{
    if (!p->like || knows_more(r, p->like))
        p->like = r;
    p->copies_differ |= r->copies_differ;
    p->longest_interval_ns =
        r->longest_interval_ns > p->longest_interval_ns ? r->longest_interval_ns : p->longest_interval_ns;
    if (r->has_ttl) {
        p->ttl_lowest = !p->has_ttl || r->ttl_lowest < p->ttl_lowest ? r->ttl_lowest : p->ttl_lowest;
        p->ttl_highest = !p->has_ttl || r->ttl_highest > p->ttl_highest ? r->ttl_highest : p->ttl_highest;
        p->has_ttl = true;
    }
    if (r->packets == 0)
        return;
    bool first = p->packets == 0;
    p->first_ns = first || r->first_ns < p->first_ns ? r->first_ns : p->first_ns;
    p->last_ns = first || r->last_ns > p->last_ns ? r->last_ns : p->last_ns;
    p->packets += r->packets;
}

static bool is_same_place(const struct join_run *a, const struct join_run *b)
{
    return a->point == b->point && endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst);
}

struct join_place *join_places(struct join_look *l, uint32_t *runs, size_t count, size_t *ret_count)
{
    const struct join_run *all = l->window->runs;
    struct join_place *places = arena_alloc(&l->arena, count * sizeof *places);
    size_t n = 0;
    for (size_t i = 0, end; places && i < count; i = end) {
        struct join_place *p = &places[n++];
        for (end = i; end < count && is_same_place(&all[runs[i]], &all[runs[end]]); end++)
            add_run(p, &all[runs[end]]);
        p->point = all[runs[i]].point;
        p->runs = runs + i;
        p->run_count = end - i;
        if (all[runs[i]].block_count && !make_pieces(l, p))
            return NULL;
    }
    *ret_count = n;
    return places;
}

/* ---- presence ---- */

bool join_point_saw_all(const struct join_point *p, int64_t from_ns, int64_t to_ns)
{
    const struct join_presence *before = NULL;
    for (size_t i = 0; i < p->presence_count; i++) {
        const struct join_presence *x = &p->presence[i];
        if (x->to_ns < from_ns)
            continue;
        if (x->from_ns > to_ns)
            break;
        if (!x->closed || x->came != x->deltas || x->dropped)
            return false;
        if (!before ? x->from_ns > from_ns
                    : x->start_ns != before->start_ns || x->from_ns - before->to_ns > GAP_MOST_NS)
            return false;
        before = x;
    }
    return before != NULL;
}

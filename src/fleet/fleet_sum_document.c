#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/fleet_sum_internal.h"
#include "policy/judge_compare.h"

/* The sums as a document of `compare`, for policy/ to judge and report/ to show. */

#define AWAY_LEAST_NS NS_PER_S

/* ---- figures ---- */

static void spread_of(const uint64_t *delays, struct compare_spread *ret)
{
    uint64_t n = 0, passed = 0;
    *ret = (struct compare_spread){.jitter = -1};
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        n += delays[i];
    for (size_t i = 0; i < CROSSING_DELAYS; i++) {
        uint64_t before = passed;
        double ms = crossing_bucket_ms(i);
        passed += delays[i];
        if (delays[i] == 0)
            continue;
        ret->median = before * 2 <= n ? ms : ret->median;
        ret->p95 = before * 20 <= n * 19 ? ms : ret->p95;
        ret->p99 = before * 100 <= n * 99 ? ms : ret->p99;
        ret->max = ms;
    }
    ret->packets = n;
}

static void add_cell(struct compare_class *c, const struct compare_cell *x)
{
    size_t i = 0;
    while (i < c->cell_count && (c->cells[i].before != x->before || c->cells[i].after != x->after))
        i++;
    if (i == c->cell_count)
        c->cells[c->cell_count++] = (struct compare_cell){.before = x->before, .after = x->after};
    c->cells[i].packets += x->packets;
    c->cells[i].streams += x->streams;
    c->cells[i].wanted += x->wanted;
    c->cells[i].unmet += x->unmet;
}

static struct compare_cell cell_of(const struct sum_class *x, size_t k)
{
    struct compare_cell cell = {.before = (dscp_t)(k / DSCP_COUNT),
                                .after = (dscp_t)(k % DSCP_COUNT),
                                .packets = x->cells[k].packets,
                                .streams = x->cells[k].streams};
    if (x->said)
        *(cell.before == cell.after ? &cell.unmet : &cell.wanted) = x->said[k];
    return cell;
}

static size_t count_cells(const struct sum_class *x)
{
    size_t n = 0;
    for (size_t i = 0; x->cells && i < (size_t)DSCP_COUNT * DSCP_COUNT; i++)
        n += x->cells[i].packets != 0;
    return n;
}

/* Adds the sums of up to two ways to one class of the document. */
static bool fill_class(struct compare_document *d, const struct sum_class *const *from, size_t n,
                       struct compare_class *to)
{
    uint64_t delays[CROSSING_DELAYS] = {0};
    size_t room = 0;
    for (size_t i = 0; i < n; i++)
        room += count_cells(from[i]);
    to->cells = arena_alloc(&d->arena, (room + 1) * sizeof *to->cells);
    if (!to->cells)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct sum_class *x = from[i];
        compare_class_add(to, &x->figures);
        for (size_t k = 0; k < CROSSING_DELAYS; k++)
            delays[k] += x->delays[k];
        for (size_t k = 0; x->cells && k < (size_t)DSCP_COUNT * DSCP_COUNT; k++)
            if (x->cells[k].packets) {
                const struct compare_cell cell = cell_of(x, k);
                add_cell(to, &cell);
            }
    }
    compare_class_sort(to);
    spread_of(delays, &to->delay);
    return true;
}

static void know_losses(struct compare_document *d, const struct sum_way *const *ways, size_t n,
                        struct compare_row *row)
{
    uint64_t appeared = 0;
    bool doubtful = false;
    row->loss_known = false;
    for (size_t i = 0; i < n; i++) {
        uint64_t here = 0;
        row->loss_known |= ways[i]->loss_known;
        doubtful |= sum_loss_is_doubtful(ways[i], &here);
        appeared += here;
    }
    row->loss_reason = row->loss_known ? "" : "no stream with sequence numbers was seen at both";
    if (!doubtful)
        return;
    row->loss_known = false;
    row->loss_reason = compare_document_text(d,
                                             "%llu packets were seen behind a segment and not before it: sensors miss "
                                             "some themselves, or there is another way",
                                             (unsigned long long)appeared);
}

/* One row out of the ways of some segments. */
static bool fill_row(struct compare_document *d, const struct sum_way *const *ways, size_t n, struct compare_row *row)
{
    row->behaviour = "";
    know_losses(d, ways, n, row);
    for (size_t i = 0; i < n; i++) {
        row->assumed_streams += ways[i]->assumed_streams;
        row->assumed_changed += ways[i]->assumed_changed;
    }
    const struct sum_class **from = arena_alloc(&d->arena, (n + 1) * sizeof *from);
    for (int c = 0; from && c < CLASS_COUNT; c++) {
        for (size_t i = 0; i < n; i++)
            from[i] = &ways[i]->classes[c];
        if (!fill_class(d, from, n, &row->classes[c]))
            return false;
        uint64_t sent = 0;
        for (size_t i = 0; i < n; i++)
            sent += ways[i]->sent[c];
        row->classes[c].loss_unknown = sent == 0;
    }
    compare_row_add_up(row);
    return from != NULL;
}

/* ---- streams ---- */

static int by_changed(const void *a, const void *b)
{
    const struct sum_stream *const *x = a, *const *y = b;
    if ((*x)->stream.changed != (*y)->stream.changed)
        return (*x)->stream.changed > (*y)->stream.changed ? -1 : 1;
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static bool fill_streams(struct compare_document *d, const struct sum_segment *x, struct compare_segment *to)
{
    size_t n = x->stream_count < FLEET_STREAMS_LISTED ? x->stream_count : FLEET_STREAMS_LISTED;
    const struct sum_stream **order = malloc((x->stream_count + 1) * sizeof *order);
    to->streams = arena_alloc(&d->arena, (n + 1) * sizeof *to->streams);
    bool ok = order && to->streams;
    for (size_t i = 0; ok && i < x->stream_count; i++)
        order[i] = &x->streams[i];
    if (ok)
        qsort(order, x->stream_count, sizeof *order, by_changed);
    for (size_t i = 0; ok && i < n; i++)
        to->streams[i] = order[i]->stream;
    to->stream_count = ok ? n : 0;
    to->streams_left_out = x->stream_count - n + (size_t)x->streams_left_out;
    free(order);
    return ok;
}

/* What a topology says of the segment. */
static bool fill_wanted(struct compare_document *d, const struct sum_segment *x, struct compare_segment *to)
{
    for (int way = 0; way < 2; way++) {
        if (!x->wanted.said[way])
            continue;
        dscp_set_t *wanted = arena_alloc(&d->arena, sizeof x->wanted.marks[way]);
        if (!wanted)
            return false;
        memcpy(wanted, x->wanted.marks[way], sizeof x->wanted.marks[way]);
        to->wanted[way] = wanted;
    }
    return true;
}

static bool fill_segment(struct compare_document *d, const struct sum_segment *x, const uint32_t *place,
                         size_t questions, struct compare_segment *to)
{
    const struct sum_way *ways[2] = {&x->ways[0], &x->ways[1]};
    to->first = place[x->first];
    to->second = place[x->second];
    for (int way = 0; way < 2; way++) {
        to->clock_known[way] = ways[way]->clock_known;
        to->offset_ns[way] = ways[way]->offset_ns;
    }
    bool ok = fill_row(d, &ways[0], 1, &to->rows[COMPARE_FORWARD]) &&
              fill_row(d, &ways[1], 1, &to->rows[COMPARE_BACKWARD]) && fill_row(d, ways, 2, &to->rows[COMPARE_BOTH]) &&
              fill_streams(d, x, to) && fill_wanted(d, x, to);
    for (int way = 0; ok && way < 2; way++)
        ok = sum_loss_judge(ways[way], questions, &to->rows[way]);
    to->both_ways = to->rows[COMPARE_FORWARD].matched && to->rows[COMPARE_BACKWARD].matched;
    return ok;
}

/* All segments together: what is in it is what was found somewhere. */
static bool fill_whole(struct compare_document *d, const struct fleet_sum *s)
{
    size_t n = 2 * s->segment_count;
    const struct sum_way **ways = arena_alloc(&d->arena, (n + 1) * sizeof *ways);
    d->whole = arena_alloc(&d->arena, sizeof *d->whole);
    if (!ways || !d->whole)
        return false;
    for (size_t i = 0; i < s->segment_count; i++) {
        ways[2 * i] = &s->segments[i]->ways[0];
        ways[2 * i + 1] = &s->segments[i]->ways[1];
    }
    d->whole->second = d->capture_count ? (uint32_t)d->capture_count - 1 : 0;
    return fill_row(d, ways, n, &d->whole->rows[COMPARE_BOTH]) && fill_row(d, ways, 0, &d->whole->rows[0]) &&
           fill_row(d, ways, 0, &d->whole->rows[1]);
}

/* ---- points ---- */

static void note_point(struct compare_document *d, const struct sum_point *p, const struct input *in,
                       int64_t present_ns)
{
    const char *name = in->file;
    int64_t away = in->last_ns - in->first_ns - present_ns;
    if (away > AWAY_LEAST_NS)
        (void)compare_document_note(d, "%s told nothing of %lld of %lld seconds: what it did not see then is not lost",
                                    name, (long long)(away / NS_PER_S),
                                    (long long)((in->last_ns - in->first_ns) / NS_PER_S));
    if (in->dropped)
        (void)compare_document_note(d, "%s lost %llu frames itself: no packet of those intervals is called lost", name,
                                    (unsigned long long)in->dropped);
    if (p->missing)
        (void)compare_document_note(d, "%llu messages of %s did not arrive", (unsigned long long)p->missing, name);
    if (p->unpublished)
        (void)compare_document_note(d,
                                    "%s had to drop %llu messages, while the bus was away for longer than its "
                                    "buffers last",
                                    name, (unsigned long long)p->unpublished);
    if (p->alone)
        (void)compare_document_note(d, "streams that %s alone saw: %llu (each counts again in each window)", name,
                                    (unsigned long long)p->alone);
}

static void fill_point(struct compare_document *d, const struct sum_point *p, struct compare_capture *to)
{
    struct input *in = &to->input;
    int64_t present = 0;
    *in = (struct input){.packets = p->packets, .complete = true, .problem = ""};
    in->file = compare_document_text(d, "%s", p->name);
    for (size_t i = 0; i < p->window_count; i++) {
        const struct sum_window *w = &p->windows[i];
        present += w->present_ns;
        in->dropped += w->dropped;
        in->first_ns = i == 0 || w->first_ns < in->first_ns ? w->first_ns : in->first_ns;
        in->last_ns = i == 0 || w->last_ns > in->last_ns ? w->last_ns : in->last_ns;
    }
    to->taken = p->packets;
    in->complete = !in->dropped && !p->missing && !p->unpublished;
    if (!in->complete)
        in->problem = "not all that passed it is known";
    d->complete &= in->complete;
    note_point(d, p, in, present);
}

static int by_name(const void *a, const void *b)
{
    const struct sum_point *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

/* Points by name; `place` says where each is. */
static bool fill_points(struct compare_document *d, const struct fleet_sum *s, uint32_t *place)
{
    const struct sum_point **order = malloc((s->point_count + 1) * sizeof *order);
    d->captures = arena_alloc(&d->arena, (s->point_count + 1) * sizeof *d->captures);
    bool ok = order && d->captures;
    for (size_t i = 0; ok && i < s->point_count; i++)
        order[i] = &s->points[i];
    if (ok)
        qsort(order, s->point_count, sizeof *order, by_name);
    for (size_t i = 0; ok && i < s->point_count; i++) {
        place[order[i] - s->points] = (uint32_t)i;
        fill_point(d, order[i], &d->captures[i]);
    }
    d->capture_count = ok ? s->point_count : 0;
    free(order);
    return ok;
}

static void note_segment(struct compare_document *d, const struct sum_segment *x, const struct compare_segment *to)
{
    uint64_t away = x->ways[0].away + x->ways[1].away;
    const char *first = d->captures[to->first].input.file, *second = d->captures[to->second].input.file;
    uint64_t assumed = to->rows[COMPARE_BOTH].assumed_streams, unproven = 0;
    for (int c = 0; c < CLASS_COUNT; c++)
        unproven += to->rows[COMPARE_BOTH].classes[c].unresolved[COMPARE_UNPROVEN];
    if (assumed)
        (void)compare_document_note(d, "of %llu stream%s nothing tells whether %s %s or %s first",
                                    (unsigned long long)assumed, assumed == 1 ? "" : "s",
                                    assumed == 1 ? "it passes" : "they pass", first, second);
    if (unproven)
        (void)compare_document_note(d,
                                    "%llu packets that %s and %s saw are of private addresses, which may be those of "
                                    "two hosts: they are not compared, since nothing tells that both saw the same "
                                    "ones. A topology with both points on one path would",
                                    (unsigned long long)unproven, first, second);
    if (away)
        (void)compare_document_note(d,
                                    "%llu packets were seen at one of %s and %s, in stretches of more than three "
                                    "seconds, and not at the other: an outage, or another way",
                                    (unsigned long long)away, first, second);
}

static int by_points(const void *a, const void *b)
{
    const struct compare_segment *x = a, *y = b;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (x->second > y->second) - (x->second < y->second);
}

static bool fill_segments(struct compare_document *d, const struct fleet_sum *s, const uint32_t *place)
{
    d->segments = arena_alloc(&d->arena, (s->segment_count + 1) * sizeof *d->segments);
    for (size_t i = 0; d->segments && i < s->segment_count; i++) {
        if (!fill_segment(d, s->segments[i], place, 2 * s->segment_count, &d->segments[i]))
            return false;
        note_segment(d, s->segments[i], &d->segments[i]);
        d->segment_count = i + 1;
    }
    if (!d->segments)
        return false;
    qsort(d->segments, d->segment_count, sizeof *d->segments, by_points);
    return fill_whole(d, s);
}

/* Every sensor tells every partition that it is there. Of those that nothing is known of here, other collectors know.
 */
static bool say_share(struct compare_document *d, const struct fleet_sum *s)
{
    unsigned has = 0;
    for (size_t i = 0; i < sizeof s->partitions; i++)
        has += (unsigned)__builtin_popcount(s->partitions[i]);
    if (has >= s->partitions_told)
        return true;
    d->complete = false;
    d->verdict_text = compare_document_text(d, "%s; of %u of %u partitions", d->verdict_text, has, s->partitions_told);
    return compare_document_note(d,
                                 "sensors spread their streams over %u partitions, and this is what is known of %u of "
                                 "them: the others are read by other collectors, and are in the histories of those",
                                 s->partitions_told, has);
}

int fleet_sum_document(const struct fleet_sum *s, const struct policy *policy, struct compare_document **ret)
{
    struct compare_document *d = compare_document_new();
    uint32_t *place = calloc(s->point_count + 1, sizeof *place);
    bool ok = d && place;
    if (ok) {
        d->points = true;
        d->policy_name = compare_document_text(d, "%s", policy_name(policy));
        d->policy_source = compare_document_text(d, "%s", policy_source(policy));
        ok = fill_points(d, s, place) && fill_segments(d, s, place);
    }
    for (size_t i = 0; ok && i < s->note_count; i++)
        ok = compare_document_note(d, "%s", s->notes[i]);
    if (ok && s->left_out)
        ok = compare_document_note(d, "%llu rows were of segments beyond the cap of %d",
                                   (unsigned long long)s->left_out, FLEET_SEGMENTS_MAX);
    ok = ok && judge_compare(d, policy) == 0 && say_share(d, s) && !d->arena.failed;
    free(place);
    if (!ok) {
        compare_document_free(d);
        return ERR_MEMORY;
    }
    *ret = d;
    return 0;
}

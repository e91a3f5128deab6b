#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/order.h"
#include "merge/internal.h"
#include "merge/join.h"

/*
 * Which records are the same stream at the same point, and what becomes of them.
 *
 * Records of one stream whose times overlap, if only in a moment, were counted from the same packets, in part at least:
 * the one with the most packets stands for all, and remembers from when to when they were. Those that do not are pieces
 * of one stream and become one record, which keeps the pieces. So each result holds what is needed to come to the same
 * end in any order:
 *
 *   - what overlaps with anything that a record stands for overlaps with the record's own span of time;
 *   - the largest of some, and then of the rest, is the largest of all;
 *   - the pieces are joined anew each time, over all of them.
 */

enum family { FAMILY_MEDIA = 1, FAMILY_CONTROL, FAMILY_STUNS, FAMILY_TURNS, FAMILY_DTLSES, FAMILY_REST };

/* What is known better with more packets changes its kind, but not out of its family. */
static enum family family_of(enum kind kind)
{
    if (kind_is_rtp(kind))
        return FAMILY_MEDIA;
    return kind == KIND_RTCP   ? FAMILY_CONTROL
           : kind == KIND_STUN ? FAMILY_STUNS
           : kind == KIND_TURN ? FAMILY_TURNS
           : kind == KIND_DTLS ? FAMILY_DTLSES
                               : FAMILY_REST;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_times(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_identity(const struct record *a, const struct record *b)
{
    int c = compare_numbers(a->input, b->input);
    c = c ? c : (int)a->proto - (int)b->proto;
    c = c ? c : endpoint_compare(&a->src, &b->src);
    c = c ? c : endpoint_compare(&a->dst, &b->dst);
    c = c ? c : (int)a->has_ssrc - (int)b->has_ssrc;
    c = c ? c : compare_numbers(a->ssrc, b->ssrc);
    c = c ? c : (int)family_of(a->kind) - (int)family_of(b->kind);
    return c ? c : (a->judged_version != 0) - (b->judged_version != 0);
}

/* --- one order for all -------------------------------------------------------------------------------------------- */

static int compare_texts(const struct record_set *s, uint32_t a, uint32_t b)
{
    return a == b ? 0 : strcmp(s->texts[a], s->texts[b]);
}

static int compare_names(const struct record_set *s, uint32_t a, uint32_t b)
{
    return !a || !b ? compare_numbers(a != 0, b != 0) : compare_texts(s, a - 1, b - 1);
}

static int compare_marks(const struct record *a, const struct record *b)
{
    int c = compare_numbers(a->mark_count, b->mark_count);
    for (uint32_t i = 0; i < a->mark_count && c == 0; i++) {
        const struct record_mark *x = &a->marks[i], *y = &b->marks[i];
        c = (int)x->dscp - (int)y->dscp;
        c = c ? c : compare_numbers(x->packets, y->packets);
        c = c ? c : compare_numbers(x->bytes, y->bytes);
        c = c ? c : compare_times(x->first_ns, y->first_ns);
        c = c ? c : compare_times(x->last_ns, y->last_ns);
        c = c ? c : compare_numbers(x->first.frame, y->first.frame);
        c = c ? c : compare_numbers(x->last.frame, y->last.frame);
    }
    return c;
}

/* What records of one stream with the same packets may still differ in: how they were judged. */
static int compare_judgements(const struct record_set *s, const struct record *a, const struct record *b)
{
    int c = compare_numbers(a->verdict, b->verdict);
    c = c ? c : compare_numbers(a->expected, b->expected);
    c = c ? c : (int)a->preferred - (int)b->preferred;
    c = c ? c : compare_numbers(a->traffic_class, b->traffic_class);
    c = c ? c : compare_numbers(a->confidence, b->confidence);
    c = c ? c : compare_numbers(a->direction, b->direction);
    c = c ? c : compare_names(s, a->node, b->node);
    c = c ? c : compare_names(s, a->peer_node, b->peer_node);
    c = c ? c : compare_names(s, a->site, b->site);
    c = c ? c : compare_numbers(a->violating_packets, b->violating_packets);
    const char *const x[] = {a->reason, a->evidence, a->unknown_reason, a->codec, a->repairs, a->server_name};
    const char *const y[] = {b->reason, b->evidence, b->unknown_reason, b->codec, b->repairs, b->server_name};
    for (size_t i = 0; i < sizeof x / sizeof x[0] && c == 0; i++)
        c = strcmp(x[i], y[i]);
    return c ? c : compare_numbers(a->from_initiator, b->from_initiator);
}

int merge_compare(const struct record_set *s, const struct record *a, const struct record *b)
{
    int c = compare_times(a->first_ns, b->first_ns);
    c = c ? c : compare_texts(s, a->input, b->input);
    c = c ? c : compare_texts(s, a->first.input, b->first.input);
    c = c ? c : compare_numbers(a->first.frame, b->first.frame);
    c = c ? c : (int)a->proto - (int)b->proto;
    c = c ? c : endpoint_compare(&a->src, &b->src);
    c = c ? c : endpoint_compare(&a->dst, &b->dst);
    c = c ? c : (int)a->has_ssrc - (int)b->has_ssrc;
    c = c ? c : compare_numbers(a->ssrc, b->ssrc);
    c = c ? c : compare_numbers(a->kind, b->kind);
    c = c ? c : compare_times(a->last_ns, b->last_ns);
    c = c ? c : compare_numbers(a->packets, b->packets);
    c = c ? c : compare_numbers(a->bytes, b->bytes);
    c = c ? c : compare_marks(a, b);
    return c ? c : compare_judgements(s, a, b);
}

static int by_identity(const void *context, uint32_t x, uint32_t y)
{
    const struct record_set *s = context;
    const struct record *a = &s->records[x], *b = &s->records[y];
    int c = compare_identity(a, b);
    return c ? c : compare_times(s->extras[x].cover_first_ns, s->extras[y].cover_first_ns);
}

static int by_place(const void *context, uint32_t x, uint32_t y)
{
    const struct record_set *s = context;
    return merge_compare(s, &s->records[x], &s->records[y]);
}

/* --- what overlaps ------------------------------------------------------------------------------------------------ */

static bool is_larger(const struct record_set *s, uint32_t x, uint32_t y)
{
    const struct record *a = &s->records[x], *b = &s->records[y];
    if (a->packets != b->packets)
        return a->packets > b->packets;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes;
    return merge_compare(s, a, b) < 0;
}

enum { SHIFT_SHARE = 10 };

static bool is_moment(int64_t ns, const struct record *r)
{
    return ns > 0 && ns < NS_PER_S && ns < (r->last_ns - r->first_ns) / SHIFT_SHARE;
}

/* Two looks at one capture share its packets, and so the times of these. Where all records of a stream of some length
 * begin a moment apart, and end a moment apart, its packets were given other times: by another machine on their way. */
static void count_partly(struct merge *m, const struct record *r, const struct saved_extra *x)
{
    const char *point = m->set.texts[r->input];
    int64_t begins_ns = x->latest_first_ns - x->cover_first_ns, ends_ns = x->cover_last_ns - x->earliest_last_ns;
    if (!is_moment(begins_ns, r) || !is_moment(ends_ns, r)) {
        m->partly += x->cover_first_ns < r->first_ns || x->cover_last_ns > r->last_ns;
        return;
    }
    m->shifted++;
    if (!m->shifted_at || strcmp(point, m->shifted_at) < 0)
        m->shifted_at = point;
}

/* The records of one stream that overlap, from `i` on; returns where the next begin. The one that stands for them is
 * *ret_best. */
static size_t take_overlapping(struct merge *m, const uint32_t *order, size_t i, size_t end, uint32_t *ret_best)
{
    struct record_set *s = &m->set;
    uint32_t best = order[i];
    const struct saved_extra *first = &s->extras[best];
    int64_t from = first->cover_first_ns, until = first->cover_last_ns;
    int64_t latest_first = first->latest_first_ns, earliest_last = first->earliest_last_ns;
    bool violating = first->outvoted || s->records[best].verdict == VERDICT_VIOLATING;
    for (i++; i < end; i++) {
        const struct saved_extra *next = &s->extras[order[i]];
        if (next->cover_first_ns > until)
            break;
        until = next->cover_last_ns > until ? next->cover_last_ns : until;
        latest_first = next->latest_first_ns > latest_first ? next->latest_first_ns : latest_first;
        earliest_last = next->earliest_last_ns < earliest_last ? next->earliest_last_ns : earliest_last;
        violating = violating || next->outvoted || s->records[order[i]].verdict == VERDICT_VIOLATING;
        if (is_larger(s, order[i], best))
            best = order[i];
    }
    struct saved_extra *extra = &s->extras[best];
    extra->cover_first_ns = from;
    extra->cover_last_ns = until;
    extra->latest_first_ns = latest_first;
    extra->earliest_last_ns = earliest_last;
    extra->outvoted = violating;
    count_partly(m, &s->records[best], extra);
    m->outvoted += violating && s->records[best].verdict != VERDICT_VIOLATING;
    *ret_best = best;
    return i;
}

/* The pieces order[from..until) become one record, in the place of the first. */
static bool take_joined(struct merge *m, const uint32_t *pieces, size_t n)
{
    struct record_set *s = &m->set;
    struct record *parts = arena_alloc(&s->arena, n * sizeof *parts);
    struct saved_extra *extras = arena_alloc(&s->arena, n * sizeof *extras);
    struct record whole;
    if (!parts || !extras)
        return false;
    for (size_t i = 0; i < n; i++) {
        parts[i] = s->records[pieces[i]];
        extras[i] = s->extras[pieces[i]];
    }
    if (!merge_join(&s->arena, parts, n, &whole))
        return false;
    s->records[pieces[0]] = whole;
    struct saved_extra *extra = &s->extras[pieces[0]];
    extra->cover_last_ns = extras[n - 1].cover_last_ns;
    extra->parts = parts;
    extra->part_extras = extras;
    extra->part_count = (uint32_t)n;
    for (size_t i = 1; i < n; i++)
        extra->incomplete = extra->incomplete || extras[i].incomplete;
    m->joined++;
    return true;
}

/* The records of one stream, order[begin..end): what is left of them goes to the front of `keep`. */
static bool take_stream(struct merge *m, uint32_t *order, size_t begin, size_t end, uint32_t *keep, size_t *count)
{
    struct record_set *s = &m->set;
    size_t pieces = 0, next;
    for (size_t i = begin; i < end;)
        i = take_overlapping(m, order, i, end, &order[begin + pieces++]);
    for (size_t i = 0; i < pieces; i = next) {
        const uint32_t *piece = order + begin + i;
        next = i + 1;
        while (next < pieces && merge_can_join(&s->records[*piece], &s->records[order[begin + next]]))
            next++;
        if (next > i + 1 && !take_joined(m, piece, next - i))
            return false;
        keep[(*count)++] = *piece;
    }
    return true;
}

/* --- in place ----------------------------------------------------------------------------------------------------- */

static uint64_t own_number(const void *context, uint32_t i)
{
    return ((const uint32_t *)context)[i];
}

/* What is kept moves to the front, in the order in which it was read. */
static bool compact(struct record_set *s, const uint32_t *keep, size_t n)
{
    uint32_t *order = order_new(n);
    bool ok = order && order_by_key(order, n, own_number, keep);
    for (size_t i = 0; ok && i < n; i++) {
        s->records[i] = s->records[keep[order[i]]];
        s->extras[i] = s->extras[keep[order[i]]];
    }
    free(order);
    s->count = ok ? n : s->count;
    return ok;
}

/* Brings the records into an order without a second copy of them; the order is used up. */
static void arrange(struct record_set *s, uint32_t *order)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (order[i] == i)
            continue;
        struct record record = s->records[i];
        struct saved_extra extra = s->extras[i];
        uint32_t to = i;
        while (order[to] != i) {
            uint32_t from = order[to];
            s->records[to] = s->records[from];
            s->extras[to] = s->extras[from];
            order[to] = to;
            to = from;
        }
        s->records[to] = record;
        s->extras[to] = extra;
        order[to] = to;
    }
}

static bool sort_records(struct record_set *s)
{
    uint32_t *order = order_new(s->count);
    bool ok = order && order_sort(order, s->count, by_place, s);
    if (ok)
        arrange(s, order);
    free(order);
    return ok;
}

int merge_streams(struct merge *m)
{
    struct record_set *s = &m->set;
    size_t kept = 0;
    uint32_t *order = order_new(s->count), *keep = malloc((s->count + 1) * sizeof *keep);
    bool ok = order && keep && order_sort(order, s->count, by_identity, s);
    for (size_t i = 0, end; ok && i < s->count; i = end) {
        const struct record *first = &s->records[order[i]];
        end = i + 1;
        while (end < s->count && compare_identity(first, &s->records[order[end]]) == 0)
            end++;
        ok = take_stream(m, order, i, end, keep, &kept);
    }
    ok = ok && compact(s, keep, kept) && sort_records(s);
    free(order);
    free(keep);
    return ok ? 0 : ERR_MEMORY;
}

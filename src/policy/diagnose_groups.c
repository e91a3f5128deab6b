#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "policy/diagnose_internal.h"

/* What a record may have: the cause that was named, and what is only worth knowing. */
enum list { LIST_NAMED, LIST_TUNNEL, LIST_SHARED, LIST_COUNT };

/* The worst causes, and of each code the sum of all others. */
struct collection {
    struct diagnosis *x;
    struct grouped *heap; /* from GROUPS_MAX on the least of them comes first, as in a heap */
    size_t count, cap;
    struct grouped folds[LIST_COUNT][FINDING_CODE_COUNT];
    size_t start[LIST_COUNT + 1]; /* of the lists in grouped_records */
};

bool frame_is_earlier(const struct document *d, struct frame_ref a, struct frame_ref b)
{
    if (a.frame == 0 || b.frame == 0 || a.input == b.input)
        return b.frame == 0 || (a.frame != 0 && a.frame < b.frame);
    int64_t begin_a = a.input < d->input_count ? d->inputs[a.input].first_ns : 0;
    int64_t begin_b = b.input < d->input_count ? d->inputs[b.input].first_ns : 0;
    return begin_a != begin_b ? begin_a < begin_b : a.input < b.input;
}

uint64_t packets_counted(const struct diagnosis *x, enum finding_code code, const struct record *r, struct frame_ref *ret_first)
{
    if (code == FINDING_TUNNEL_DIFFERS) {
        *ret_first = r->outer_differs_first;
        return r->outer_differs;
    }
    if (code == FINDING_NOT_VERIFIABLE) {
        *ret_first = r->first;
        return r->packets;
    }
    *ret_first = marks_first(r, marks_wrong(r, x->d->priority));
    return r->violating_packets;
}

/* --- which records have what -------------------------------------------------------------------------------------- */

/* Media that shares a connection, by the pair of ends; tunnels by their marks. */
bool other_pattern(const struct diagnosis *x, uint32_t record, bool tunnel, struct pattern *ret)
{
    if (!(x->d->judged[record].flags & (tunnel ? JUDGED_TUNNEL : JUDGED_SHARED)))
        return false;
    if (!tunnel) {
        *ret = (struct pattern){.code = FINDING_NOT_VERIFIABLE, .scope = SCOPE_ENDS};
        return true;
    }
    const struct record *r = diagnosis_record(x, record);
    const struct record outer = {.marks = r->outer, .mark_count = r->outer_count};
    dscp_t inner = marks_dominant(r, ~(dscp_set_t)0);
    uint32_t mark = marks_dominant(&outer, marks_seen(&outer) & ~dscp_set_of(inner));
    *ret = (struct pattern){.code = FINDING_TUNNEL_DIFFERS, .scope = SCOPE_NONE, .event = mark << 8 | r->src.addr.version};
    return true;
}

static bool is_listed(const struct diagnosis *x, enum list list, uint32_t record)
{
    uint8_t flags = x->d->judged[record].flags;
    return list == LIST_NAMED ? diagnosis_named(x, record) : (flags & (list == LIST_TUNNEL ? JUDGED_TUNNEL : JUDGED_SHARED)) != 0;
}

static bool list_records(struct collection *c)
{
    struct diagnosis *x = c->x;
    size_t entries = 0, at = 0;
    for (uint32_t i = 0; i < x->d->record_count; i++)
        for (int list = 0; list < LIST_COUNT; list++)
            entries += is_listed(x, (enum list)list, i);
    x->grouped_records = malloc((entries + 1) * sizeof *x->grouped_records);
    for (int list = 0; x->grouped_records && list < LIST_COUNT; list++) {
        for (uint32_t i = 0; i < x->d->record_count; i++)
            if (is_listed(x, (enum list)list, i))
                x->grouped_records[at++] = i;
        c->start[list + 1] = at;
    }
    return x->grouped_records != NULL;
}

/* --- the worst are kept ------------------------------------------------------------------------------------------- */

static void fold(struct collection *c, const struct grouped *g)
{
    int list = 0;
    while (g->start >= c->start[list + 1])
        list++;
    struct grouped *f = &c->folds[list][g->cause.pattern.code];
    bool first = f->count == 0;
    f->cause.pattern = (struct pattern){.code = g->cause.pattern.code, .scope = SCOPE_MANY};
    f->cause.a++;
    f->cause.confidence = first || g->cause.confidence < f->cause.confidence ? g->cause.confidence : f->cause.confidence;
    f->first = frame_is_earlier(c->x->d, g->first, f->first) ? g->first : f->first;
    f->packets += g->packets;
    f->count += g->count;
    c->x->folded_causes++;
}

/* The group at `at` goes down in the heap to where it belongs. */
static void sink(struct collection *c, size_t at)
{
    for (size_t child = 2 * at + 1; child < c->count; child = 2 * at + 1) {
        if (child + 1 < c->count && compare_groups(&c->heap[child + 1], &c->heap[child]) > 0)
            child++;
        if (compare_groups(&c->heap[child], &c->heap[at]) <= 0)
            return;
        struct grouped swap = c->heap[at];
        c->heap[at] = c->heap[child];
        c->heap[child] = swap;
        at = child;
    }
}

static bool keep(struct collection *c, const struct grouped *g)
{
    if (c->count < GROUPS_MAX) {
        if (!grow((void **)&c->heap, &c->cap, c->count, sizeof *c->heap))
            return false;
        c->heap[c->count++] = *g;
        for (size_t i = c->count / 2; c->count == GROUPS_MAX && i-- > 0;)
            sink(c, i);
        return true;
    }
    if (compare_groups(g, &c->heap[0]) > 0) {
        fold(c, g);
        return true;
    }
    fold(c, &c->heap[0]);
    c->heap[0] = *g;
    sink(c, 0);
    return true;
}

/* --- records of one cause come together --------------------------------------------------------------------------- */

/* The records of a list, by position in it. */
struct sorting {
    uint32_t *records, *order;
    uint64_t *keys;
};

static uint64_t key_at(const void *context, uint32_t i)
{
    return ((const struct sorting *)context)->keys[i];
}

static struct pattern pattern_at(const struct diagnosis *x, enum list list, uint32_t record)
{
    struct pattern p = {0};
    if (list == LIST_NAMED)
        return x->patterns.at[diagnosis_pattern(x, record)];
    (void)other_pattern(x, record, list == LIST_TUNNEL, &p);
    return p;
}

/* By hosts, then by what is the matter with them. */
static bool sort_list(const struct diagnosis *x, enum list list, struct sorting *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct cause c = cause_of_pattern(x, s->records[i], pattern_at(x, list, s->records[i]));
        s->keys[i] = (uint64_t)c.a << 32 | c.b;
    }
    if (!order_by_key(s->order, n, key_at, s))
        return false;
    for (size_t i = 0; i < n; i++)
        s->keys[i] = list == LIST_NAMED ? diagnosis_pattern(x, s->records[i]) : pattern_at(x, list, s->records[i]).event;
    return order_by_key(s->order, n, key_at, s);
}

static void add_to_group(const struct diagnosis *x, enum list list, struct grouped *g, uint32_t record)
{
    struct frame_ref first = {0, 0};
    uint8_t confidence = list == LIST_NAMED ? (uint8_t)diagnosis_confidence(x, record) : CONFIDENCE_CERTAIN;
    g->packets += packets_counted(x, (enum finding_code)g->cause.pattern.code, diagnosis_record(x, record), &first);
    if (confidence < g->cause.confidence)
        g->cause.confidence = confidence;
    if (frame_is_earlier(x->d, first, g->first))
        g->first = first;
    g->count++;
}

static bool group_list(struct collection *c, enum list list, struct sorting *s, size_t n)
{
    const struct diagnosis *x = c->x;
    if (!sort_list(x, list, s, n))
        return false;
    order_apply(s->order, n, s->records, sizeof *s->records);
    struct grouped g = {.start = (uint32_t)c->start[list]};
    for (size_t i = 0; i < n; i++) {
        struct cause cause = cause_of_pattern(x, s->records[i], pattern_at(x, list, s->records[i]));
        if (g.count && !is_same_cause(&cause, &g.cause)) {
            if (!keep(c, &g))
                return false;
            g = (struct grouped){.start = g.start + g.count};
        }
        if (g.count == 0)
            g.cause = cause;
        add_to_group(x, list, &g, s->records[i]);
    }
    return g.count == 0 || keep(c, &g);
}

static bool group_lists(struct collection *c)
{
    bool ok = true;
    for (int list = 0; ok && list < LIST_COUNT; list++) {
        size_t n = c->start[list + 1] - c->start[list];
        if (n == 0)
            continue;
        struct sorting s = {c->x->grouped_records + c->start[list], order_new(n), malloc(n * sizeof *s.keys)};
        ok = s.order && s.keys && group_list(c, (enum list)list, &s, n);
        free(s.order);
        free(s.keys);
    }
    return ok;
}

/* --- what was not kept -------------------------------------------------------------------------------------------- */

static int by_start(const void *a, const void *b)
{
    const struct grouped *g = a, *h = b;
    return (g->start > h->start) - (g->start < h->start);
}

/* The records of the groups that were kept come first, then those of each fold. */
static bool move_records(struct collection *c, size_t fold_start)
{
    struct diagnosis *x = c->x;
    uint32_t *to = malloc((c->start[LIST_COUNT] + 1) * sizeof *to), at = 0;
    if (!to)
        return false;
    for (int list = 0; list < LIST_COUNT; list++)
        for (int code = 0; code < FINDING_CODE_COUNT; code++) {
            struct grouped *f = &c->folds[list][code];
            f->start = (uint32_t)fold_start;
            fold_start += f->count;
            f->count = 0;
        }
    qsort(c->heap, c->count, sizeof *c->heap, by_start);
    size_t next = 0, i = 0;
    for (int list = 0; list < LIST_COUNT; list++)
        while (i < c->start[list + 1]) {
            struct grouped *g = next < c->count ? &c->heap[next] : NULL;
            if (g && g->start == i) {
                memcpy(to + at, x->grouped_records + i, g->count * sizeof *to);
                g->start = at;
                at += g->count;
                i += g->count;
                next++;
                continue;
            }
            uint32_t record = x->grouped_records[i++];
            struct grouped *f = &c->folds[list][pattern_at(x, (enum list)list, record).code];
            to[f->start + f->count++] = record;
        }
    free(x->grouped_records);
    x->grouped_records = to;
    return true;
}

static bool add_folds(struct collection *c)
{
    size_t kept = 0;
    if (c->x->folded_causes == 0)
        return true;
    for (size_t i = 0; i < c->count; i++)
        kept += c->heap[i].count;
    if (!move_records(c, kept))
        return false;
    for (int list = 0; list < LIST_COUNT; list++)
        for (int code = 0; code < FINDING_CODE_COUNT; code++) {
            const struct grouped *f = &c->folds[list][code];
            if (f->count == 0)
                continue;
            if (!grow((void **)&c->heap, &c->cap, c->count, sizeof *c->heap))
                return false;
            c->heap[c->count++] = *f;
        }
    return document_note(c->x->d,
                         "there are %zu causes of wrong marks: the %d worst are a finding each, and the %zu others are counted "
                         "together by what they are",
                         (size_t)GROUPS_MAX + c->x->folded_causes, GROUPS_MAX, c->x->folded_causes);
}

bool make_groups(struct diagnosis *x)
{
    struct collection *c = calloc(1, sizeof *c);
    if (!c)
        return false;
    c->x = x;
    bool ok = list_records(c) && group_lists(c) && add_folds(c);
    x->groups = c->heap;
    x->group_count = c->count;
    free(c);
    return ok;
}

#include <stdlib.h>

#include "policy/diagnose_internal.h"

/* Changes this near to each other are one event. */
#define EVENT_NS 2000000000LL

/*
 * When a stream changed is known between two of its packets only: 20 ms apart for voice, minutes for signalling. Sorted
 * by the later end, so that the streams with many packets come first and say when it was.
 */
struct change {
    int64_t from_ns, at_ns;
    uint32_t place, item;
    uint32_t event;
    bool to_far_end;
};

static int compare_changes(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->place != y->place)
        return x->place < y->place ? -1 : 1;
    if (x->to_far_end != y->to_far_end)
        return x->to_far_end ? 1 : -1;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static int compare_events(const void *a, const void *b)
{
    const struct change *x = a, *y = b;
    if (x->event != y->event)
        return x->event < y->event ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static struct change change_of(const struct diagnosis *x, uint32_t index)
{
    const struct item *item = &x->items[index];
    uint32_t src = item_src(x, item), dst = item_dst(x, item);
    bool to_far_end = diagnosis_entity_is_node(x, src) && !diagnosis_entity_is_node(x, dst);
    struct change c = {
        .place = diagnosis_entity_place(x, to_far_end ? dst : src), .item = index, .to_far_end = to_far_end};
    item_change(x, item, &c.from_ns, &c.at_ns);
    return c;
}

/* The streams of one event: of one pair, of one host, or of a place where several hosts changed at once. */
static void name_event(struct diagnosis *x, const struct change *c, size_t n)
{
    const struct item *first = &x->items[c[0].item];
    uint32_t src = item_src(x, first), dst = item_dst(x, first);
    bool one_pair = true, one_far_end = true, slight = first->slight;
    for (size_t i = 1; i < n; i++) {
        const struct item *item = &x->items[c[i].item];
        one_pair &= item_src(x, item) == src && item_dst(x, item) == dst;
        one_far_end &= c[0].to_far_end ? item_dst(x, item) == dst : item_src(x, item) == src;
        slight &= item->slight;
    }
    enum scope scope = one_pair || c[0].place == NO_INDEX ? SCOPE_PAIR : one_far_end ? SCOPE_ENTITY : SCOPE_PLACE;
    const struct pattern p = {.code = FINDING_CHANGED_MIDSTREAM,
                              .scope = (uint8_t)scope,
                              .to_far_end = scope != SCOPE_PAIR && c[0].to_far_end,
                              .event = c[0].event};
    for (size_t i = 0; i < n; i++)
        diagnosis_name(x, x->items[c[i].item].record, slight ? CONFIDENCE_LOW : CONFIDENCE_CERTAIN, p);
}

/* Numbers the events: a change joins the last one that lies within the time in which it may have happened. */
static void number_events(struct change *c, size_t n)
{
    uint32_t event = 0;
    int64_t at = 0;
    for (size_t i = 0; i < n; i++) {
        bool same_way = i && c[i].place == c[i - 1].place && c[i].to_far_end == c[i - 1].to_far_end;
        if (!same_way || c[i].from_ns > at + EVENT_NS) {
            event++;
            at = c[i].at_ns;
        }
        c[i].event = event;
    }
}

static bool is_change(const struct item *item)
{
    return item->course == COURSE_CHANGED && !item->companion;
}

static bool name_changes(struct diagnosis *x)
{
    size_t n = 0;
    for (size_t i = 0; i < x->item_count; i++)
        n += is_change(&x->items[i]);
    if (n == 0)
        return true;
    struct change *c = calloc(n, sizeof *c);
    if (!c)
        return false;
    n = 0;
    for (size_t i = 0; i < x->item_count; i++)
        if (is_change(&x->items[i]))
            c[n++] = change_of(x, (uint32_t)i);
    qsort(c, n, sizeof *c, compare_changes);
    number_events(c, n);
    qsort(c, n, sizeof *c, compare_events);
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && c[end].event == c[i].event)
            end++;
        name_event(x, c + i, end - i);
        i = end;
    }
    free(c);
    return true;
}

/* The changes between one sender and one receiver, by the mark on the wrong side of them. */
struct pair_changes {
    uint32_t after[DSCP_COUNT], before[DSCP_COUNT]; /* records, or NO_INDEX */
    int64_t from_ns[DSCP_COUNT], at_ns[DSCP_COUNT]; /* of `after` the last packet before, of `before` the first after */
};

static bool is_wrong(const struct diagnosis *x, const struct item *item, dscp_t mark)
{
    return !dscp_set_has(expected_of(x, item->record), mark);
}

static void add_change(const struct diagnosis *x, struct pair_changes *p, const struct item *item)
{
    int64_t from_ns, at_ns;
    item_change(x, item, &from_ns, &at_ns);
    if (is_wrong(x, item, item->seen)) {
        p->after[item->seen] = item->record;
        p->from_ns[item->seen] = from_ns;
    }
    if (is_wrong(x, item, item->before)) {
        p->before[item->before] = item->record;
        p->at_ns[item->before] = at_ns;
    }
}

/* What began after the change, or had ended before it, with the mark of that side, belongs to it. */
static void join_pair(struct diagnosis *x, const struct item *items, size_t n)
{
    struct pair_changes p;
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= is_change(&items[i]);
    if (!any)
        return;
    for (int m = 0; m < DSCP_COUNT; m++)
        p.after[m] = p.before[m] = NO_INDEX;
    for (size_t i = 0; i < n; i++)
        if (is_change(&items[i]))
            add_change(x, &p, &items[i]);
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &items[i];
        if (item->course != COURSE_CONSTANT || item->companion || diagnosis_named(x, item->record))
            continue;
        const struct record *r = diagnosis_record(x, item->record);
        uint32_t after = p.after[item->seen], before = p.before[item->seen];
        if (after != NO_INDEX && r->first_ns >= p.from_ns[item->seen])
            diagnosis_name_as(x, item->record, after);
        else if (before != NO_INDEX && r->last_ns <= p.at_ns[item->seen])
            diagnosis_name_as(x, item->record, before);
    }
}

static void join_changes(struct diagnosis *x)
{
    for (size_t i = 0; i < x->item_count;) {
        size_t end = i;
        uint32_t src = item_src(x, &x->items[i]), dst = item_dst(x, &x->items[i]);
        while (end < x->item_count && item_src(x, &x->items[end]) == src && item_dst(x, &x->items[end]) == dst)
            end++;
        join_pair(x, x->items + i, end - i);
        i = end;
    }
}

bool name_courses(struct diagnosis *x)
{
    for (size_t i = 0; i < x->item_count; i++) {
        const struct item *item = &x->items[i];
        if (item->companion || (item->course != COURSE_START && item->course != COURSE_INTERMITTENT))
            continue;
        bool start = item->course == COURSE_START;
        diagnosis_name(x, item->record, CONFIDENCE_CERTAIN,
                       (struct pattern){.code = start ? FINDING_UNMARKED_START : FINDING_INTERMITTENT,
                                        .scope = start ? SCOPE_ENTITY : SCOPE_PAIR});
    }
    if (!name_changes(x))
        return false;
    join_changes(x);
    return true;
}

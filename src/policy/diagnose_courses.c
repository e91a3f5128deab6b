#include <stdlib.h>

#include "policy/diagnose_internal.h"

/* Changes this near to each other are one event. */
#define EVENT_NS 2000000000LL

/*
 * When a stream changed is known between two of its packets only: 20 ms apart for voice, minutes for signalling. Sorted
 * by the later end, so that the streams with many packets come first and say when it was.
 */
struct change {
    uint32_t place, item;
    bool to_far_end;
    int64_t from_ns, at_ns;
    uint32_t event;
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
    bool to_far_end = diagnosis_entity_is_node(x, item->src_entity) && !diagnosis_entity_is_node(x, item->dst_entity);
    uint32_t far_end = to_far_end ? item->dst_entity : item->src_entity;
    return (struct change){
        diagnosis_entity_place(x, far_end), index, to_far_end, item->change_from_ns, item->changed_ns, 0};
}

/* The streams of one event: of one pair, of one host, or of a place where several hosts changed at once. */
static void name_event(struct diagnosis *x, const struct change *c, size_t n)
{
    const struct item *first = &x->items[c[0].item];
    bool one_pair = true, one_far_end = true, slight = first->slight;
    for (size_t i = 1; i < n; i++) {
        const struct item *item = &x->items[c[i].item];
        one_pair &= item->src_entity == first->src_entity && item->dst_entity == first->dst_entity;
        one_far_end &= c[0].to_far_end ? item->dst_entity == first->dst_entity : item->src_entity == first->src_entity;
        slight &= item->slight;
    }
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &x->items[c[i].item];
        struct cause cause = {.code = FINDING_CHANGED_MIDSTREAM,
                              .confidence = slight ? CONFIDENCE_LOW : CONFIDENCE_CERTAIN,
                              .event = c[0].event};
        if (one_pair || c[0].place == NO_INDEX) {
            cause.scope = SCOPE_PAIR;
            cause.a = item->src_entity;
            cause.b = item->dst_entity;
        } else if (one_far_end) {
            cause.scope = SCOPE_ENTITY;
            cause.a = c[0].to_far_end ? item->dst_entity : item->src_entity;
            cause.to_far_end = c[0].to_far_end;
        } else {
            cause.scope = SCOPE_PLACE;
            cause.a = c[0].place;
            cause.to_far_end = c[0].to_far_end;
        }
        diagnosis_name(x, item->record, cause);
    }
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

static bool name_changes(struct diagnosis *x)
{
    struct change *c = calloc(x->item_count + 1, sizeof *c);
    size_t n = 0;
    if (!c)
        return false;
    for (size_t i = 0; i < x->item_count; i++)
        if (x->items[i].course == COURSE_CHANGED && !x->items[i].companion)
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
    uint32_t after[DSCP_COUNT], before[DSCP_COUNT]; /* items, or NO_INDEX */
};

static bool is_wrong(const struct diagnosis *x, const struct item *item, dscp_t mark)
{
    return !dscp_set_has(x->d->records[item->record].expected, mark);
}

/* What began after the change, or had ended before it, with the mark of that side, belongs to it. */
static void join_pair(struct diagnosis *x, struct item *items, size_t n)
{
    struct pair_changes p;
    bool any = false;
    for (int m = 0; m < DSCP_COUNT; m++)
        p.after[m] = p.before[m] = NO_INDEX;
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &items[i];
        if (item->course != COURSE_CHANGED || item->companion)
            continue;
        any = true;
        if (is_wrong(x, item, item->seen))
            p.after[item->seen] = (uint32_t)i;
        if (is_wrong(x, item, item->before))
            p.before[item->before] = (uint32_t)i;
    }
    for (size_t i = 0; any && i < n; i++) {
        const struct item *item = &items[i];
        const struct record *r = &x->d->records[item->record];
        if (item->course != COURSE_CONSTANT || item->companion || x->causes[item->record].named)
            continue;
        uint32_t after = p.after[item->seen], before = p.before[item->seen], lead = NO_INDEX;
        if (after != NO_INDEX && r->first_ns >= items[after].change_from_ns)
            lead = after;
        else if (before != NO_INDEX && r->last_ns <= items[before].changed_ns)
            lead = before;
        if (lead != NO_INDEX)
            x->causes[item->record] = x->causes[items[lead].record];
    }
}

static void join_changes(struct diagnosis *x)
{
    for (size_t i = 0; i < x->item_count;) {
        size_t end = i;
        while (end < x->item_count && x->items[end].src_entity == x->items[i].src_entity &&
               x->items[end].dst_entity == x->items[i].dst_entity)
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
        struct cause cause = {.code = FINDING_UNMARKED_START,
                              .confidence = CONFIDENCE_CERTAIN,
                              .scope = SCOPE_ENTITY,
                              .a = item->src_entity};
        if (item->course == COURSE_INTERMITTENT) {
            cause.code = FINDING_INTERMITTENT;
            cause.scope = SCOPE_PAIR;
            cause.b = item->dst_entity;
        }
        diagnosis_name(x, item->record, cause);
    }
    if (!name_changes(x))
        return false;
    join_changes(x);
    return true;
}

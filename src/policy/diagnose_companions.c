#include <stdlib.h>

#include "base/clock.h"
#include "policy/diagnose_internal.h"
#include "policy/marks.h"

/* A handshake is over by the time media flows; changes this near to each other are one event. */
enum { HANDSHAKE_NS = 1000000000, EVENT_NS = 2000000000 };

/* Items that go the same way: from one host to another. */
struct way {
    uint64_t key;
    uint32_t item;
};

static int compare_ways(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static struct way *ways_new(const struct diagnosis *x)
{
    struct way *w = calloc(x->item_count + 1, sizeof *w);
    for (size_t i = 0; w && i < x->item_count; i++)
        w[i] = (struct way){(uint64_t)x->items[i].src << 32 | x->items[i].dst, (uint32_t)i};
    if (w)
        qsort(w, x->item_count, sizeof *w, compare_ways);
    return w;
}

/* What the media of one way looks like. */
struct media {
    bool seen;
    dscp_set_t wrong;
    int64_t first_ns;
};

static struct media media_of(const struct diagnosis *x, const struct way *w, size_t n)
{
    struct media m = {0};
    for (size_t i = 0; i < n; i++) {
        const struct record *r = &x->d->records[x->items[w[i].item].record];
        if (!kind_is_rtp(r->kind))
            continue;
        if (!m.seen || r->first_ns < m.first_ns)
            m.first_ns = r->first_ns;
        m.seen = true;
        if (r->verdict == VERDICT_VIOLATING)
            m.wrong |= marks_wrong(r, 0);
    }
    return m;
}

/* Marked as its media is: it will follow. Otherwise it is a finding of its own, or, without media, like any stream. */
static void name_companion(struct diagnosis *x, struct item *item, const struct media *m)
{
    const struct record *r = &x->d->records[item->record];
    if (!m->seen) {
        item->companion = false;
        return;
    }
    if (item->course == COURSE_RIGHT || dscp_set_has(m->wrong, marks_dominant(r, marks_wrong(r, 0))))
        return;
    item->companion = false;
    if (item->course != COURSE_CONSTANT)
        return;
    bool handshake = r->kind != KIND_RTCP && item->seen == 0 && r->last_ns <= m->first_ns + HANDSHAKE_NS;
    diagnosis_name(x, item->record,
                   (struct cause){.code = handshake ? FINDING_UNMARKED_START : FINDING_RTCP_DIFFERS,
                                  .confidence = CONFIDENCE_CERTAIN,
                                  .scope = SCOPE_ENTITY,
                                  .a = item->src_entity,
                                  .event = handshake ? 0 : (uint32_t)r->kind});
}

bool name_companions(struct diagnosis *x)
{
    struct way *w = ways_new(x);
    if (!w)
        return false;
    for (size_t i = 0; i < x->item_count;) {
        size_t end = i;
        while (end < x->item_count && w[end].key == w[i].key)
            end++;
        struct media m = media_of(x, w + i, end - i);
        for (; i < end; i++)
            if (x->items[w[i].item].companion)
                name_companion(x, &x->items[w[i].item], &m);
    }
    free(w);
    return true;
}

/* For each wrong mark of the way, the cause that was named for media with it. */
static void follow_way(struct diagnosis *x, const struct way *w, size_t n)
{
    uint32_t leader[DSCP_COUNT];
    for (int m = 0; m < DSCP_COUNT; m++)
        leader[m] = NO_INDEX;
    for (size_t i = 0; i < n; i++) {
        const struct record *r = &x->d->records[x->items[w[i].item].record];
        dscp_set_t wrong = kind_is_rtp(r->kind) && x->causes[x->items[w[i].item].record].named ? marks_wrong(r, 0) : 0;
        for (int m = 0; m < DSCP_COUNT; m++)
            if (wrong >> m & 1)
                leader[m] = x->items[w[i].item].record;
    }
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &x->items[w[i].item];
        const struct record *r = &x->d->records[item->record];
        if (r->verdict != VERDICT_VIOLATING || x->causes[item->record].named)
            continue;
        uint32_t lead = leader[marks_dominant(r, marks_wrong(r, 0))];
        if (lead != NO_INDEX)
            x->causes[item->record] = x->causes[lead];
    }
}

void follow_media(struct diagnosis *x)
{
    struct way *w = ways_new(x);
    for (size_t i = 0; w && i < x->item_count;) {
        size_t end = i;
        while (end < x->item_count && w[end].key == w[i].key)
            end++;
        follow_way(x, w + i, end - i);
        i = end;
    }
    free(w);
    /* whatever has no name by now is named for what can be seen of it */
    for (size_t i = 0; i < x->item_count; i++) {
        const struct item *item = &x->items[i];
        if (x->d->records[item->record].verdict != VERDICT_VIOLATING || x->causes[item->record].named)
            continue;
        diagnosis_name(x, item->record,
                       (struct cause){.code = item->seen == 0 ? FINDING_BLEACHED : FINDING_REMARKED,
                                      .confidence = CONFIDENCE_LOW,
                                      .scope = SCOPE_PAIR,
                                      .a = item->src_entity,
                                      .b = item->dst_entity});
    }
}

/* A change, sorted so that those of one place and direction come in the order of time. */
struct change {
    uint32_t place, item;
    bool to_far_end;
    int64_t at_ns;
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

static struct change change_of(const struct diagnosis *x, uint32_t index)
{
    const struct item *item = &x->items[index];
    bool to_far_end = diagnosis_entity_is_node(x, item->src_entity) && !diagnosis_entity_is_node(x, item->dst_entity);
    uint32_t far_end = to_far_end ? item->dst_entity : item->src_entity;
    uint32_t place = diagnosis_entity_place(x, far_end);
    return (struct change){place, index, to_far_end, item->changed_ns};
}

/* The streams of one event: of one pair, or of a place where several hosts changed at once. */
static void name_event(struct diagnosis *x, const struct change *c, size_t n, uint32_t event)
{
    const struct item *first = &x->items[c[0].item];
    bool one_pair = true, one_far_end = true;
    for (size_t i = 1; i < n; i++) {
        const struct item *item = &x->items[c[i].item];
        one_pair &= item->src_entity == first->src_entity && item->dst_entity == first->dst_entity;
        one_far_end &= c[0].to_far_end ? item->dst_entity == first->dst_entity : item->src_entity == first->src_entity;
    }
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &x->items[c[i].item];
        struct cause cause = {.code = FINDING_CHANGED_MIDSTREAM, .confidence = CONFIDENCE_CERTAIN, .event = event};
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
    uint32_t event = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && c[end].place == c[i].place && c[end].to_far_end == c[i].to_far_end &&
               c[end].at_ns - c[end - 1].at_ns <= EVENT_NS)
            end++;
        name_event(x, c + i, end - i, ++event);
        i = end;
    }
    free(c);
    return true;
}

bool name_courses(struct diagnosis *x)
{
    for (size_t i = 0; i < x->item_count; i++) {
        const struct item *item = &x->items[i];
        if (item->companion || (item->course != COURSE_START && item->course != COURSE_INTERMITTENT))
            continue;
        struct cause cause = {.code = FINDING_UNMARKED_START, .confidence = CONFIDENCE_CERTAIN, .scope = SCOPE_ENTITY, .a = item->src_entity};
        if (item->course == COURSE_INTERMITTENT) {
            cause.code = FINDING_INTERMITTENT;
            cause.scope = SCOPE_PAIR;
            cause.b = item->dst_entity;
        }
        diagnosis_name(x, item->record, cause);
    }
    return name_changes(x);
}

#include <stdlib.h>

#include "base/clock.h"
#include "policy/diagnose_internal.h"
#include "policy/marks.h"

/* A handshake is over by the time media flows. */
enum { HANDSHAKE_NS = 1000000000 };

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

bool follow_media(struct diagnosis *x)
{
    struct way *w = ways_new(x);
    if (!w)
        return false;
    for (size_t i = 0; i < x->item_count;) {
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
    return true;
}

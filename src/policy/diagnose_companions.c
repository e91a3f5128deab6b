#include <stdlib.h>

#include "base/clock.h"
#include "policy/diagnose_internal.h"

/* A handshake is over by the time media flows. */
enum { HANDSHAKE_NS = 1000000000 };

static uint64_t way_key(const void *context, uint32_t i)
{
    const struct diagnosis *x = context;
    uint32_t record = x->items[i].record;
    return (uint64_t)x->record_src[record] << 32 | x->record_dst[record];
}

/* The items by the way they go, from one host to another; NULL without memory. */
static uint32_t *ways_new(const struct diagnosis *x)
{
    uint32_t *w = order_new(x->item_count);
    if (w && order_by_key(w, x->item_count, way_key, x))
        return w;
    free(w);
    return NULL;
}

static size_t way_end(const struct diagnosis *x, const uint32_t *w, size_t from)
{
    size_t end = from;
    while (end < x->item_count && way_key(x, w[end]) == way_key(x, w[from]))
        end++;
    return end;
}

/* What the media of one way looks like. */
struct media {
    bool seen;
    dscp_set_t wrong;
    int64_t first_ns;
};

static struct media media_of(const struct diagnosis *x, const uint32_t *w, size_t n)
{
    struct media m = {0};
    for (size_t i = 0; i < n; i++) {
        if (!kind_is_rtp(kind_of(x, x->items[w[i]].record)))
            continue;
        const struct record *r = diagnosis_record(x, x->items[w[i]].record);
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
    if (!m->seen) {
        item->companion = false;
        return;
    }
    const struct record *r = diagnosis_record(x, item->record);
    if (item->course == COURSE_RIGHT || dscp_set_has(m->wrong, marks_dominant(r, marks_wrong(r, 0))))
        return;
    item->companion = false;
    if (item->course != COURSE_CONSTANT)
        return;
    bool handshake = r->kind != KIND_RTCP && item->seen == 0 && r->last_ns <= m->first_ns + HANDSHAKE_NS;
    diagnosis_name(x, item->record, CONFIDENCE_CERTAIN,
                   (struct pattern){.code = handshake ? FINDING_UNMARKED_START : FINDING_RTCP_DIFFERS,
                                    .scope = SCOPE_ENTITY,
                                    .event = handshake ? 0 : (uint32_t)r->kind});
}

static void name_way(struct diagnosis *x, const uint32_t *w, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= x->items[w[i]].companion;
    if (!any)
        return;
    struct media m = media_of(x, w, n);
    for (size_t i = 0; i < n; i++)
        if (x->items[w[i]].companion)
            name_companion(x, &x->items[w[i]], &m);
}

bool name_companions(struct diagnosis *x)
{
    bool any = false;
    for (size_t i = 0; i < x->item_count; i++)
        any |= x->items[i].companion;
    if (!any)
        return true;
    uint32_t *w = ways_new(x);
    for (size_t i = 0; w && i < x->item_count;) {
        size_t end = way_end(x, w, i);
        name_way(x, w + i, end - i);
        i = end;
    }
    bool ok = w != NULL;
    free(w);
    return ok;
}

/* Wrong, and nothing has been said of it yet. */
static bool is_open(const struct diagnosis *x, const struct item *item)
{
    return verdict_of(x, item->record) == VERDICT_VIOLATING && !diagnosis_named(x, item->record);
}

/* For each wrong mark of the way, the cause that was named for media with it. */
static void follow_way(struct diagnosis *x, const uint32_t *w, size_t n)
{
    uint32_t leader[DSCP_COUNT];
    bool any = false;
    for (size_t i = 0; i < n; i++)
        any |= is_open(x, &x->items[w[i]]);
    if (!any)
        return;
    for (int m = 0; m < DSCP_COUNT; m++)
        leader[m] = NO_INDEX;
    for (size_t i = 0; i < n; i++) {
        uint32_t record = x->items[w[i]].record;
        if (!kind_is_rtp(kind_of(x, record)) || !diagnosis_named(x, record))
            continue;
        dscp_set_t wrong = marks_wrong(diagnosis_record(x, record), 0);
        for (int m = 0; m < DSCP_COUNT; m++)
            if (wrong >> m & 1)
                leader[m] = record;
    }
    for (size_t i = 0; i < n; i++) {
        const struct item *item = &x->items[w[i]];
        if (!is_open(x, item))
            continue;
        const struct record *r = diagnosis_record(x, item->record);
        uint32_t lead = leader[marks_dominant(r, marks_wrong(r, 0))];
        if (lead != NO_INDEX)
            diagnosis_name_as(x, item->record, lead);
    }
}

/* Whatever has no name by then is named for what can be seen of it. */
static void name_rest(struct diagnosis *x)
{
    for (size_t i = 0; i < x->item_count; i++) {
        const struct item *item = &x->items[i];
        if (is_open(x, item))
            diagnosis_name(x, item->record, CONFIDENCE_LOW,
                           (struct pattern){.code = item->seen == 0 ? FINDING_BLEACHED : FINDING_REMARKED, .scope = SCOPE_PAIR});
    }
}

bool follow_media(struct diagnosis *x)
{
    bool any = false;
    for (size_t i = 0; i < x->item_count; i++)
        any |= is_open(x, &x->items[i]);
    if (!any)
        return true;
    uint32_t *w = ways_new(x);
    for (size_t i = 0; w && i < x->item_count;) {
        size_t end = way_end(x, w, i);
        follow_way(x, w + i, end - i);
        i = end;
    }
    bool ok = w != NULL;
    free(w);
    name_rest(x);
    return ok;
}

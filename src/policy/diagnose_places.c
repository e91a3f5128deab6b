#include <stdlib.h>

#include "policy/diagnose_internal.h"

/* A record whose cause may be the whole place's. */
struct neighbour {
    struct pattern as_place;
    uint32_t place, far_end;
};

/* False where the cause is nobody's but its own. */
static bool may_be_of_place(const struct diagnosis *x, uint32_t record, struct neighbour *ret)
{
    struct cause c;
    if (!diagnosis_cause(x, record, &c))
        return false;
    const struct pattern *p = &c.pattern;
    bool fixed = p->code == FINDING_CHANGED_MIDSTREAM || p->code == FINDING_UNENTITLED_PRIORITY;
    if (fixed || (p->scope != SCOPE_ENTITY && p->scope != SCOPE_PAIR))
        return false;
    bool from_node = diagnosis_entity_is_node(x, c.a);
    if (from_node && (p->scope == SCOPE_ENTITY || diagnosis_entity_is_node(x, c.b)))
        return false;
    ret->as_place = *p;
    ret->as_place.scope = SCOPE_PLACE;
    ret->as_place.to_far_end = from_node;
    ret->far_end = from_node ? c.b : c.a;
    ret->place = diagnosis_entity_place(x, ret->far_end);
    return true;
}

/* Records that may share a cause of their place, and by what: pattern << 32 | place. */
struct neighbours {
    uint32_t *records;
    uint64_t *keys;
    size_t count;
};

static bool find_neighbours(struct diagnosis *x, struct neighbours *n)
{
    struct neighbour neighbour;
    size_t most = 0;
    for (uint32_t i = 0; i < x->d->record_count; i++)
        most += diagnosis_named(x, i);
    n->records = malloc((most + 1) * sizeof *n->records);
    n->keys = malloc((most + 1) * sizeof *n->keys);
    for (uint32_t i = 0; n->records && n->keys && i < x->d->record_count; i++) {
        if (!may_be_of_place(x, i, &neighbour))
            continue;
        uint32_t pattern = pattern_intern(x, &neighbour.as_place);
        if (pattern == NO_INDEX)
            return false;
        n->keys[n->count] = (uint64_t)pattern << 32 | neighbour.place;
        n->records[n->count++] = i;
    }
    return n->records && n->keys;
}

static uint64_t place_key(const void *context, uint32_t i)
{
    return ((const struct neighbours *)context)->keys[i];
}

/* The records of one pattern and place: where they are of more than one host, the cause is the place's, as sure as the
 * least sure of them. */
static void merge_place(struct diagnosis *x, const struct neighbours *all, const uint32_t *order, size_t n)
{
    struct neighbour first = {.far_end = NO_INDEX}, other;
    enum confidence confidence = CONFIDENCE_CERTAIN;
    bool several = false;
    for (size_t i = 0; i < n; i++) {
        uint32_t record = all->records[order[i]];
        (void)may_be_of_place(x, record, &other);
        first = i ? first : other;
        several = several || other.far_end != first.far_end;
        if (diagnosis_confidence(x, record) < confidence)
            confidence = diagnosis_confidence(x, record);
    }
    for (size_t i = 0; several && i < n; i++)
        diagnosis_name(x, all->records[order[i]], confidence, first.as_place);
}

bool merge_places(struct diagnosis *x)
{
    struct neighbours all = {0};
    bool ok = find_neighbours(x, &all);
    uint32_t *order = ok ? order_new(all.count) : NULL;
    ok = order && order_by_key(order, all.count, place_key, &all);
    for (size_t i = 0; ok && i < all.count;) {
        size_t end = i + 1;
        while (end < all.count && all.keys[order[end]] == all.keys[order[i]])
            end++;
        merge_place(x, &all, order + i, end - i);
        i = end;
    }
    free(order);
    free(all.records);
    free(all.keys);
    return ok;
}

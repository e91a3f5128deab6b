#include <stdlib.h>

#include "policy/diagnose_internal.h"

/* What is known of the hosts of one place, for each of the two directions. */
struct place_facts {
    uint32_t zero_hosts;
    bool marked; /* some host of the place is seen with a mark */
};

struct zero_facts {
    struct place_facts *from, *to; /* one a place */
    bool *zero_to;                 /* a host to which a node that marks sends nothing marked */
};

static uint32_t unit_src(const struct diagnosis *x, const struct zero_unit *z)
{
    return item_src(x, &x->items[z->first]);
}

/* The one that it is sent to, where that is what it is about. */
static uint32_t unit_dst(const struct diagnosis *x, const struct zero_unit *z)
{
    return z->pair ? item_dst(x, &x->items[z->first]) : NO_INDEX;
}

/* Items from one entity to another. */
static size_t items_between(const struct diagnosis *x, uint32_t src, uint32_t dst, size_t *ret_first)
{
    size_t low = 0, high = x->item_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct item *i = &x->items[middle];
        if (item_src(x, i) < src || (item_src(x, i) == src && item_dst(x, i) < dst))
            low = middle + 1;
        else
            high = middle;
    }
    size_t end = low;
    while (end < x->item_count && item_src(x, &x->items[end]) == src && item_dst(x, &x->items[end]) == dst)
        end++;
    *ret_first = low;
    return end - low;
}

enum way_state { WAY_UNSEEN = 0, WAY_RIGHT, WAY_WRONG };

/* How what comes back is marked: right only where nothing of it is wrong. */
static enum way_state way_back(const struct diagnosis *x, uint32_t src, uint32_t dst)
{
    size_t first = 0, n = items_between(x, src, dst, &first);
    enum way_state state = WAY_UNSEEN;
    for (size_t i = first; i < first + n; i++) {
        if (x->items[i].companion)
            continue;
        if (x->items[i].course != COURSE_RIGHT)
            return WAY_WRONG;
        state = WAY_RIGHT;
    }
    return state;
}

static bool unit_has(const struct zero_unit *z, const struct item *i)
{
    return z->classes_in[i->version == 6] >> i->traffic_class & 1;
}

static void name_zero(struct diagnosis *x, const struct zero_unit *z, struct cause cause)
{
    for (size_t i = z->first; i < z->first + z->count; i++) {
        const struct item *item = &x->items[i];
        if (item->companion || !is_zero_mark(item) || !unit_has(z, item) || diagnosis_named(x, item->record))
            continue;
        struct cause c = cause;
        if (c.scope == SCOPE_PAIR)
            c.b = item_dst(x, item);
        diagnosis_name(x, item->record, c);
    }
}

/* The one entity that gets what is 0. */
static uint32_t only_peer(const struct diagnosis *x, const struct zero_unit *z)
{
    for (size_t i = z->first; i < z->first + z->count; i++)
        if (is_zero_mark(&x->items[i]) && !x->items[i].companion && unit_has(z, &x->items[i]))
            return item_dst(x, &x->items[i]);
    return NO_INDEX;
}

static bool shows_marks(const struct diagnosis *x, uint32_t entity)
{
    return !diagnosis_entity_is_node(x, entity) && x->hosts[entity - x->d->node_count].shows_marks;
}

/* A host all of whose streams are 0, and about whose neighbours it is to be asked. */
static bool is_silent_host(const struct diagnosis *x, const struct zero_unit *z)
{
    return !z->pair && z->all && !diagnosis_entity_is_node(x, unit_src(x, z)) && !shows_marks(x, unit_src(x, z));
}

static bool is_silent_to_host(const struct diagnosis *x, const struct zero_unit *z)
{
    return z->pair && z->all && diagnosis_entity_is_node(x, unit_src(x, z)) && !diagnosis_entity_is_node(x, unit_dst(x, z));
}

static bool facts_init(struct zero_facts *f, const struct diagnosis *x, const struct zero_unit *units, size_t n)
{
    size_t places = x->d->site_count + x->prefix_count + 1, nodes = x->d->node_count;
    *f = (struct zero_facts){calloc(places, sizeof *f->from), calloc(places, sizeof *f->to),
                             calloc(x->host_count + 1, sizeof *f->zero_to)};
    if (!f->from || !f->to || !f->zero_to)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (is_silent_host(x, &units[i]))
            f->from[diagnosis_entity_place(x, unit_src(x, &units[i]))].zero_hosts++;
        if (is_silent_to_host(x, &units[i]) && !f->zero_to[unit_dst(x, &units[i]) - nodes]) {
            f->zero_to[unit_dst(x, &units[i]) - nodes] = true;
            f->to[diagnosis_entity_place(x, unit_dst(x, &units[i]))].zero_hosts++;
        }
    }
    for (size_t h = 0; h < x->host_count; h++)
        if (x->hosts[h].shows_marks && !x->hosts[h].node)
            f->from[x->hosts[h].place].marked = true;
    for (size_t i = 0; i < x->item_count; i++) {
        const struct item *item = &x->items[i];
        if (diagnosis_entity_is_node(x, item_src(x, item)) && !diagnosis_entity_is_node(x, item_dst(x, item)) &&
            !is_zero_mark(item))
            f->to[diagnosis_entity_place(x, item_dst(x, item))].marked = true;
    }
    return true;
}

static void facts_done(struct zero_facts *f)
{
    free(f->from);
    free(f->to);
    free(f->zero_to);
}

static struct cause entity_cause(const struct diagnosis *x, const struct zero_unit *z, enum confidence confidence, enum hint hint)
{
    return (struct cause){.code = FINDING_NEVER_MARKED,
                          .confidence = (uint8_t)confidence,
                          .hint = (uint8_t)hint,
                          .scope = SCOPE_ENTITY,
                          .a = unit_src(x, z)};
}

static struct cause pair_cause(const struct diagnosis *x, const struct zero_unit *z, enum finding_code code, enum confidence confidence)
{
    return (struct cause){.code = (uint8_t)code, .confidence = (uint8_t)confidence, .scope = SCOPE_PAIR, .a = unit_src(x, z)};
}

static struct cause place_cause(uint32_t place, bool to_far_end, bool named_site)
{
    return (struct cause){.code = FINDING_BLEACHED,
                          .confidence = named_site ? CONFIDENCE_HIGH : CONFIDENCE_LOW,
                          .scope = SCOPE_PLACE,
                          .to_far_end = to_far_end,
                          .a = place};
}

/*
 * A host of which nothing is marked. Neighbours that are not marked either point to their common path; neighbours that
 * are point to the host. Alone with one peer, whose own marks arrive, all that is known is that one direction lacks
 * them: the host and its access switch look the same from here.
 */
static struct cause silent_host_cause(const struct diagnosis *x, const struct zero_unit *z, const struct zero_facts *f)
{
    uint32_t place = diagnosis_entity_place(x, unit_src(x, z));
    const struct place_facts *p = &f->from[place];
    if (p->zero_hosts >= 2 && !p->marked)
        return place_cause(place, false, place < x->d->site_count);
    if (p->marked || z->several_peers)
        return entity_cause(x, z, CONFIDENCE_HIGH, HINT_NONE);
    uint32_t peer = only_peer(x, z);
    enum way_state back = peer == NO_INDEX ? WAY_UNSEEN : way_back(x, peer, unit_src(x, z));
    if (back == WAY_RIGHT)
        return pair_cause(x, z, FINDING_ONE_WAY, CONFIDENCE_HIGH);
    return z->classes >= 2 ? entity_cause(x, z, CONFIDENCE_LOW, HINT_NONE)
                           : pair_cause(x, z, FINDING_BLEACHED, CONFIDENCE_LOW);
}

static struct cause node_cause(const struct diagnosis *x, const struct zero_unit *z)
{
    if (z->several_peers || z->classes >= 2)
        return entity_cause(x, z, CONFIDENCE_HIGH, HINT_NONE);
    uint32_t peer = only_peer(x, z);
    enum way_state back = peer == NO_INDEX ? WAY_UNSEEN : way_back(x, peer, unit_src(x, z));
    return pair_cause(x, z, back == WAY_RIGHT ? FINDING_ONE_WAY : FINDING_BLEACHED, CONFIDENCE_LOW);
}

/* 0 towards one peer, while the same sender's marks reach others: not its settings, but the path. */
static struct cause pair_unit_cause(const struct diagnosis *x, const struct zero_unit *z, const struct zero_facts *f)
{
    struct cause c;
    if (is_silent_to_host(x, z)) {
        uint32_t place = diagnosis_entity_place(x, unit_dst(x, z));
        if (f->to[place].zero_hosts >= 2 && !f->to[place].marked)
            return place_cause(place, true, place < x->d->site_count);
    }
    bool one_way = z->all && way_back(x, unit_dst(x, z), unit_src(x, z)) == WAY_RIGHT;
    c = pair_cause(x, z, one_way ? FINDING_ONE_WAY : FINDING_BLEACHED, one_way ? CONFIDENCE_HIGH : CONFIDENCE_LOW);
    if (one_way)
        c.hint = HINT_PATH;
    return c;
}

bool name_zero_units(struct diagnosis *x, const struct zero_unit *units, size_t n)
{
    struct zero_facts f;
    bool ok = facts_init(&f, x, units, n);
    for (size_t i = 0; ok && i < n; i++) {
        const struct zero_unit *z = &units[i];
        struct cause c;
        if (z->pair)
            c = pair_unit_cause(x, z, &f);
        else if (!z->all || shows_marks(x, unit_src(x, z)))
            c = entity_cause(x, z, CONFIDENCE_LOW, HINT_SOME);
        else if (diagnosis_entity_is_node(x, unit_src(x, z)))
            c = node_cause(x, z);
        else
            c = silent_host_cause(x, z, &f);
        name_zero(x, z, c);
    }
    facts_done(&f);
    return ok;
}

#include <stdlib.h>

#include "policy/diagnose_internal.h"

/* What is known of the hosts of one place, for one of the two directions. There may be as many places as hosts. */
enum { ZERO_HOST = 1, ZERO_HOSTS = 2 /* several */, MARKED = 4 /* some host of the place is seen with a mark */ };

struct zero_facts {
    uint8_t *from, *to; /* one a place */
    bool *zero_to;      /* a host to which a node that marks sends nothing marked */
};

static void add_zero_host(uint8_t *facts)
{
    *facts |= *facts & ZERO_HOST ? ZERO_HOSTS : ZERO_HOST;
}

/* Several hosts, and all of them. */
static bool is_all_zero(uint8_t facts)
{
    return (facts & ZERO_HOSTS) && !(facts & MARKED);
}

static uint32_t unit_src(const struct diagnosis *x, const struct zero_unit *z)
{
    return item_src(x, &x->items[z->first]);
}

/* The one that it is sent to, where that is what it is about. */
static uint32_t unit_dst(const struct diagnosis *x, const struct zero_unit *z)
{
    return z->pair ? item_dst(x, &x->items[z->first]) : NO_INDEX;
}

/* Behind the last item of the unit. */
static size_t unit_end(const struct diagnosis *x, const struct zero_unit *z)
{
    size_t end = z->first;
    uint32_t src = unit_src(x, z), dst = unit_dst(x, z);
    while (end < x->item_count && item_src(x, &x->items[end]) == src && (!z->pair || item_dst(x, &x->items[end]) == dst))
        end++;
    return end;
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
    unsigned classes = i->ipv6 ? z->classes_ipv6 : z->classes_ipv4;
    return classes >> i->traffic_class & 1;
}

/* What a unit is named. */
struct naming {
    struct pattern pattern;
    enum confidence confidence;
};

static void name_zero(struct diagnosis *x, const struct zero_unit *z, const struct naming *n)
{
    size_t end = unit_end(x, z);
    for (size_t i = z->first; i < end; i++) {
        const struct item *item = &x->items[i];
        if (!item->companion && is_zero_mark(item) && unit_has(z, item) && !diagnosis_named(x, item->record))
            diagnosis_name(x, item->record, n->confidence, n->pattern);
    }
}

/* The one entity that gets what is 0. */
static uint32_t only_peer(const struct diagnosis *x, const struct zero_unit *z)
{
    size_t end = unit_end(x, z);
    for (size_t i = z->first; i < end; i++)
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
            add_zero_host(&f->from[diagnosis_entity_place(x, unit_src(x, &units[i]))]);
        if (is_silent_to_host(x, &units[i]) && !f->zero_to[unit_dst(x, &units[i]) - nodes]) {
            f->zero_to[unit_dst(x, &units[i]) - nodes] = true;
            add_zero_host(&f->to[diagnosis_entity_place(x, unit_dst(x, &units[i]))]);
        }
    }
    for (size_t h = 0; h < x->host_count; h++)
        if (x->hosts[h].shows_marks && !x->hosts[h].node)
            f->from[x->hosts[h].place] |= MARKED;
    for (size_t i = 0; i < x->item_count; i++) {
        const struct item *item = &x->items[i];
        if (diagnosis_entity_is_node(x, item_src(x, item)) && !diagnosis_entity_is_node(x, item_dst(x, item)) &&
            !is_zero_mark(item))
            f->to[diagnosis_entity_place(x, item_dst(x, item))] |= MARKED;
    }
    return true;
}

static void facts_done(struct zero_facts *f)
{
    free(f->from);
    free(f->to);
    free(f->zero_to);
}

static struct naming of_entity(enum confidence confidence, enum hint hint)
{
    return (struct naming){{.code = FINDING_NEVER_MARKED, .hint = (uint8_t)hint, .scope = SCOPE_ENTITY}, confidence};
}

static struct naming of_pair(enum finding_code code, enum confidence confidence, enum hint hint)
{
    return (struct naming){{.code = (uint8_t)code, .hint = (uint8_t)hint, .scope = SCOPE_PAIR}, confidence};
}

static struct naming of_place(bool to_far_end, bool named_site)
{
    return (struct naming){{.code = FINDING_BLEACHED, .scope = SCOPE_PLACE, .to_far_end = to_far_end},
                           named_site ? CONFIDENCE_HIGH : CONFIDENCE_LOW};
}

/*
 * A host of which nothing is marked. Neighbours that are not marked either point to their common path; neighbours that
 * are point to the host. Alone with one peer, whose own marks arrive, all that is known is that one direction lacks
 * them: the host and its access switch look the same from here.
 */
static struct naming name_of_silent_host(const struct diagnosis *x, const struct zero_unit *z, const struct zero_facts *f)
{
    uint32_t place = diagnosis_entity_place(x, unit_src(x, z));
    if (is_all_zero(f->from[place]))
        return of_place(false, place < x->d->site_count);
    if (f->from[place] & MARKED || z->several_peers)
        return of_entity(CONFIDENCE_HIGH, HINT_NONE);
    uint32_t peer = only_peer(x, z);
    enum way_state back = peer == NO_INDEX ? WAY_UNSEEN : way_back(x, peer, unit_src(x, z));
    if (back == WAY_RIGHT)
        return of_pair(FINDING_ONE_WAY, CONFIDENCE_HIGH, HINT_NONE);
    return z->several_classes ? of_entity(CONFIDENCE_LOW, HINT_NONE) : of_pair(FINDING_BLEACHED, CONFIDENCE_LOW, HINT_NONE);
}

static struct naming name_of_node(const struct diagnosis *x, const struct zero_unit *z)
{
    if (z->several_peers || z->several_classes)
        return of_entity(CONFIDENCE_HIGH, HINT_NONE);
    uint32_t peer = only_peer(x, z);
    enum way_state back = peer == NO_INDEX ? WAY_UNSEEN : way_back(x, peer, unit_src(x, z));
    return of_pair(back == WAY_RIGHT ? FINDING_ONE_WAY : FINDING_BLEACHED, CONFIDENCE_LOW, HINT_NONE);
}

/* 0 towards one peer, while the same sender's marks reach others: not its settings, but the path. */
static struct naming name_of_pair(const struct diagnosis *x, const struct zero_unit *z, const struct zero_facts *f)
{
    if (is_silent_to_host(x, z)) {
        uint32_t place = diagnosis_entity_place(x, unit_dst(x, z));
        if (is_all_zero(f->to[place]))
            return of_place(true, place < x->d->site_count);
    }
    bool one_way = z->all && way_back(x, unit_dst(x, z), unit_src(x, z)) == WAY_RIGHT;
    return one_way ? of_pair(FINDING_ONE_WAY, CONFIDENCE_HIGH, HINT_PATH) : of_pair(FINDING_BLEACHED, CONFIDENCE_LOW, HINT_NONE);
}

bool name_zero_units(struct diagnosis *x, const struct zero_unit *units, size_t n)
{
    struct zero_facts f;
    bool ok = facts_init(&f, x, units, n);
    for (size_t i = 0; ok && i < n; i++) {
        const struct zero_unit *z = &units[i];
        struct naming name;
        if (z->pair)
            name = name_of_pair(x, z, &f);
        else if (!z->all || shows_marks(x, unit_src(x, z)))
            name = of_entity(CONFIDENCE_LOW, HINT_SOME);
        else if (diagnosis_entity_is_node(x, unit_src(x, z)))
            name = name_of_node(x, z);
        else
            name = name_of_silent_host(x, z, &f);
        name_zero(x, z, &name);
    }
    facts_done(&f);
    return ok;
}

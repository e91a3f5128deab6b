#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"
#include "model/packet.h"
#include "policy/diagnose_internal.h"

/* Hosts in the order in which they were met, found by the hash of their address. */
struct host_table {
    struct diagnosis *x;
    size_t cap;
    uint32_t *slots; /* index + 1 */
    size_t slot_count;
};

enum { FIRST_SLOTS = 1024 };

bool diagnosis_entity_is_node(const struct diagnosis *x, uint32_t entity)
{
    return entity < x->d->node_count;
}

uint32_t diagnosis_entity_place(const struct diagnosis *x, uint32_t entity)
{
    return diagnosis_entity_is_node(x, entity) ? NO_INDEX : x->hosts[entity - x->d->node_count].place;
}

struct host_table *host_table_new(struct diagnosis *x)
{
    struct host_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->x = x;
    t->slot_count = FIRST_SLOTS;
    t->slots = calloc(t->slot_count, sizeof *t->slots);
    if (t->slots)
        return t;
    free(t);
    return NULL;
}

void host_table_free(struct host_table *t)
{
    if (t)
        free(t->slots);
    free(t);
}

static size_t slot_of(const struct host_table *t, const struct addr *a)
{
    size_t at = hash_bytes(&t->x->d->key, a, sizeof *a) & (t->slot_count - 1);
    while (t->slots[at] && !addr_equal(&t->x->hosts[t->slots[at] - 1].addr, a))
        at = (at + 1) & (t->slot_count - 1);
    return at;
}

/* At most two thirds full. */
static bool make_room(struct host_table *t)
{
    if (t->x->host_count * 3 < t->slot_count * 2)
        return true;
    uint32_t *slots = calloc(t->slot_count * 2, sizeof *slots);
    if (!slots)
        return false;
    free(t->slots);
    t->slots = slots;
    t->slot_count *= 2;
    for (size_t h = 0; h < t->x->host_count; h++)
        t->slots[slot_of(t, &t->x->hosts[h].addr)] = (uint32_t)h + 1;
    return true;
}

static uint32_t host_of(struct host_table *t, const struct addr *a)
{
    struct diagnosis *x = t->x;
    size_t at = slot_of(t, a);
    if (t->slots[at])
        return t->slots[at] - 1;
    if (!make_room(t) || !grow((void **)&x->hosts, &t->cap, x->host_count, sizeof *x->hosts))
        return NO_INDEX;
    x->hosts[x->host_count] = (struct host){.addr = *a};
    t->slots[slot_of(t, a)] = (uint32_t)++x->host_count;
    return (uint32_t)x->host_count - 1;
}

bool host_table_add(struct host_table *t, uint32_t record, const struct record *r)
{
    struct diagnosis *x = t->x;
    uint32_t src = host_of(t, &r->src.addr), dst = host_of(t, &r->dst.addr);
    if (src == NO_INDEX || dst == NO_INDEX)
        return false;
    x->record_src[record] = src;
    x->record_dst[record] = dst;
    /* kernels mark ICMP errors and routing CS6 by themselves: that says nothing of what else is marked */
    bool transport = r->proto == PROTO_TCP || r->proto == PROTO_UDP;
    /* and a few odd marks in a stream are no setting of its sender */
    if (transport && 2 * marks_packets(r, ~dscp_set_of(0) & (dscp_set_of(48) - 1)) >= r->packets)
        x->hosts[src].shows_marks = true;
    return true;
}

/* IPv4 before IPv6, then by the first seven bytes: all of an IPv4 address. */
static uint64_t address_key(const void *context, uint32_t h)
{
    const struct addr *a = &((const struct diagnosis *)context)->hosts[h].addr;
    uint64_t key = a->version;
    for (size_t i = 0; i < 7; i++)
        key = key << 8 | a->bytes[i];
    return key;
}

static int by_address(const void *context, uint32_t a, uint32_t b)
{
    const struct diagnosis *x = context;
    return addr_compare(&x->hosts[a].addr, &x->hosts[b].addr);
}

/* Puts the hosts in the order of their addresses, and the records' numbers of them with them. */
static bool sort_hosts(struct diagnosis *x)
{
    uint32_t *order = order_new(x->host_count), *place = malloc((x->host_count + 1) * sizeof *place);
    bool ok = order && place && order_by_key(order, x->host_count, address_key, x) &&
              order_sort(order, x->host_count, by_address, x);
    for (uint32_t i = 0; ok && i < x->host_count; i++)
        place[order[i]] = i;
    for (size_t i = 0; ok && i < x->d->record_count; i++) {
        x->record_src[i] = place[x->record_src[i]];
        x->record_dst[i] = place[x->record_dst[i]];
    }
    if (ok)
        order_apply(order, x->host_count, x->hosts, sizeof *x->hosts);
    free(order);
    free(place);
    return ok;
}

/* Neighbours where the policy names no site: the /24, or the /64. Hosts are in order, so equal prefixes are adjacent. */
static bool place_host(struct diagnosis *x, struct host *h, size_t *cap)
{
    uint32_t site = places_site(&x->map, &h->addr);
    h->place = site - 1;
    if (site)
        return true;
    uint8_t len = h->addr.version == 6 ? 64 : 24;
    struct addr masked = places_masked(&h->addr, len);
    if (x->prefix_count == 0 || !addr_equal(&x->prefixes[x->prefix_count - 1].addr, &masked)) {
        if (!grow((void **)&x->prefixes, cap, x->prefix_count, sizeof *x->prefixes))
            return false;
        x->prefixes[x->prefix_count++] = (struct prefix){masked, len};
    }
    h->place = (uint32_t)(x->d->site_count + x->prefix_count - 1);
    return true;
}

bool host_table_finish(struct host_table *t)
{
    struct diagnosis *x = t->x;
    size_t cap = 0;
    free(t->slots);
    t->slots = NULL;
    if (!sort_hosts(x))
        return false;
    for (size_t h = 0; h < x->host_count; h++) {
        x->hosts[h].node = (uint16_t)places_node(&x->map, &x->hosts[h].addr);
        if (!place_host(x, &x->hosts[h], &cap))
            return false;
    }
    return true;
}

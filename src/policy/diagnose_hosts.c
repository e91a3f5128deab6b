#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/hash.h"
#include "model/packet.h"
#include "policy/diagnose_internal.h"

enum { FIRST_SLOTS = 1024, BATCH = 16 };

/* The ends of a record, on their way into the table. */
struct ends {
    struct addr at[2];
    uint64_t hash[2];
    uint32_t record;
    bool shows_marks;
};

/* Hosts in the order in which they were met, found by the hash of their address. Where there are many, each look misses
 * the cache: so a batch of ends is collected first, and what they need is brought near while others are. */
struct host_table {
    struct diagnosis *x;
    size_t cap, wide_cap;
    uint32_t *slots; /* index + 1 */
    size_t slot_count;
    struct ends waiting[BATCH];
    size_t waiting_count;
};

static uint32_t number_of(const struct addr *a)
{
    return (uint32_t)a->bytes[0] << 24 | (uint32_t)a->bytes[1] << 16 | (uint32_t)a->bytes[2] << 8 | a->bytes[3];
}

struct addr diagnosis_address(const struct diagnosis *x, uint32_t host)
{
    const struct host *h = &x->hosts[host];
    if (!h->ipv4)
        return x->wide[h->addr];
    return (struct addr){4, {(uint8_t)(h->addr >> 24), (uint8_t)(h->addr >> 16), (uint8_t)(h->addr >> 8), (uint8_t)h->addr}};
}

static unsigned prefix_length(const struct host *h)
{
    return h->ipv4 ? 24 : 64;
}

struct prefix diagnosis_prefix(const struct diagnosis *x, uint32_t place)
{
    uint32_t host = x->place_first[place - x->d->site_count];
    unsigned len = prefix_length(&x->hosts[host]);
    struct addr a = diagnosis_address(x, host);
    return (struct prefix){places_masked(&a, len), (uint8_t)len};
}

bool diagnosis_gets_marks(const struct diagnosis *x, uint32_t entity)
{
    return diagnosis_entity_is_node(x, entity) ? x->node_gets_marks[entity] : x->hosts[entity - x->d->node_count].gets_marks;
}

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

static bool is_address(const struct diagnosis *x, const struct host *h, const struct addr *a)
{
    return h->ipv4 ? a->version == 4 && h->addr == number_of(a) : addr_equal(&x->wide[h->addr], a);
}

static uint64_t hash_of(const struct host_table *t, const struct addr *a)
{
    uint64_t number = number_of(a);
    return a->version == 4 ? hash_words(&t->x->d->key, &number, 1) : hash_bytes(&t->x->d->key, a, sizeof *a);
}

static size_t slot_of(const struct host_table *t, const struct addr *a, uint64_t hash)
{
    size_t at = hash & (t->slot_count - 1);
    while (t->slots[at] && !is_address(t->x, &t->x->hosts[t->slots[at] - 1], a))
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
    for (uint32_t h = 0; h < t->x->host_count; h++) {
        struct addr a = diagnosis_address(t->x, h);
        t->slots[slot_of(t, &a, hash_of(t, &a))] = h + 1;
    }
    return true;
}

static uint32_t host_of(struct host_table *t, const struct addr *a, uint64_t hash)
{
    struct diagnosis *x = t->x;
    size_t at = slot_of(t, a, hash);
    if (t->slots[at])
        return t->slots[at] - 1;
    if (!make_room(t) || !grow((void **)&x->hosts, &t->cap, x->host_count, sizeof *x->hosts))
        return NO_INDEX;
    struct host h = {.addr = number_of(a), .ipv4 = a->version == 4};
    if (!h.ipv4) {
        if (!grow((void **)&x->wide, &t->wide_cap, x->wide_count, sizeof *x->wide))
            return NO_INDEX;
        h.addr = (uint32_t)x->wide_count;
        x->wide[x->wide_count++] = *a;
    }
    x->hosts[x->host_count] = h;
    t->slots[slot_of(t, a, hash)] = (uint32_t)++x->host_count;
    return (uint32_t)x->host_count - 1;
}

static bool take_waiting(struct host_table *t)
{
    struct diagnosis *x = t->x;
    size_t n = t->waiting_count;
    t->waiting_count = 0;
    for (size_t i = 0; i < n; i++)
        for (int side = 0; side < 2; side++) {
            uint32_t host = t->slots[t->waiting[i].hash[side] & (t->slot_count - 1)];
            if (host)
                __builtin_prefetch(&x->hosts[host - 1]);
        }
    for (size_t i = 0; i < n; i++) {
        const struct ends *e = &t->waiting[i];
        uint32_t src = host_of(t, &e->at[0], e->hash[0]), dst = host_of(t, &e->at[1], e->hash[1]);
        if (src == NO_INDEX || dst == NO_INDEX)
            return false;
        x->record_src[e->record] = src;
        x->record_dst[e->record] = dst;
        x->hosts[src].shows_marks |= e->shows_marks;
    }
    return true;
}

bool host_table_add(struct host_table *t, uint32_t record, const struct record *r)
{
    struct ends *e = &t->waiting[t->waiting_count++];
    /* kernels mark ICMP errors and routing CS6 by themselves: that says nothing of what else is marked */
    bool transport = r->proto == PROTO_TCP || r->proto == PROTO_UDP;
    *e = (struct ends){.at = {r->src.addr, r->dst.addr}, .record = record};
    /* and a few odd marks in a stream are no setting of its sender */
    e->shows_marks = transport && 2 * marks_packets(r, ~dscp_set_of(0) & (dscp_set_of(48) - 1)) >= r->packets;
    for (int side = 0; side < 2; side++) {
        e->hash[side] = hash_of(t, &e->at[side]);
        __builtin_prefetch(&t->slots[e->hash[side] & (t->slot_count - 1)]);
    }
    return t->waiting_count < BATCH || take_waiting(t);
}

/* IPv4 before IPv6, then by the first seven bytes: all of an IPv4 address. */
static uint64_t address_key(const void *context, uint32_t h)
{
    const struct addr a = diagnosis_address(context, h);
    uint64_t key = a.version;
    for (size_t i = 0; i < 7; i++)
        key = key << 8 | a.bytes[i];
    return key;
}

static int by_address(const void *context, uint32_t a, uint32_t b)
{
    const struct addr x = diagnosis_address(context, a), y = diagnosis_address(context, b);
    return addr_compare(&x, &y);
}

/* Puts the hosts in the order of their addresses, and the records' numbers of them with them. */
static bool sort_hosts(struct diagnosis *x)
{
    uint32_t *order = order_new(x->host_count), *place = NULL;
    bool ok = order && order_by_key(order, x->host_count, address_key, x) &&
              (x->wide_count == 0 || order_sort(order, x->host_count, by_address, x));
    if (ok)
        place = malloc((x->host_count + 1) * sizeof *place); /* not before: sorting takes as much */
    ok = ok && place;
    for (uint32_t i = 0; ok && i < x->host_count; i++)
        place[order[i]] = i;
    for (size_t i = 0; ok && i < x->d->record_count; i++) {
        x->record_src[i] = place[x->record_src[i]];
        x->record_dst[i] = place[x->record_dst[i]];
    }
    free(place);
    if (ok)
        order_apply(order, x->host_count, x->hosts, sizeof *x->hosts);
    free(order);
    return ok;
}

static bool is_prefix(const struct diagnosis *x, uint32_t place, const struct addr *masked)
{
    struct prefix p = diagnosis_prefix(x, place);
    return addr_equal(&p.addr, masked);
}

/* Neighbours where the policy names no site: the /24, or the /64. Hosts are in order, so those of a prefix are adjacent. */
static bool place_host(struct diagnosis *x, uint32_t host, const struct addr *a, size_t *cap)
{
    struct host *h = &x->hosts[host];
    uint32_t site = places_site(&x->map, a);
    h->place = site - 1;
    if (site)
        return true;
    struct addr masked = places_masked(a, prefix_length(h));
    uint32_t last = (uint32_t)(x->d->site_count + x->prefix_count) - 1;
    if (x->prefix_count == 0 || !is_prefix(x, last, &masked)) {
        if (!grow((void **)&x->place_first, cap, x->prefix_count, sizeof *x->place_first))
            return false;
        x->place_first[x->prefix_count++] = host;
        last++;
    }
    h->place = last;
    return true;
}

bool host_table_finish(struct host_table *t)
{
    struct diagnosis *x = t->x;
    size_t cap = 0;
    if (!take_waiting(t))
        return false;
    free(t->slots);
    t->slots = NULL;
    if (!sort_hosts(x))
        return false;
    for (uint32_t h = 0; h < x->host_count; h++) {
        struct addr a = diagnosis_address(x, h);
        x->hosts[h].node = (uint16_t)places_node(&x->map, &a);
        if (!place_host(x, h, &a, &cap))
            return false;
    }
    return true;
}

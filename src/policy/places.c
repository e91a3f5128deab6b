#include "policy/places.h"

#include <stdlib.h>
#include <string.h>

static int compare_addresses(const void *a, const void *b)
{
    const struct place_address *x = a, *y = b;
    int r = addr_compare(&x->addr, &y->addr);
    return r ? r : (x->node > y->node) - (x->node < y->node);
}

static int compare_prefixes(const void *a, const void *b)
{
    const struct place_prefix *x = a, *y = b;
    if (x->prefix.addr.version != y->prefix.addr.version)
        return x->prefix.addr.version < y->prefix.addr.version ? -1 : 1;
    if (x->prefix.len != y->prefix.len)
        return x->prefix.len > y->prefix.len ? -1 : 1;
    int r = addr_compare(&x->prefix.addr, &y->prefix.addr);
    return r ? r : (x->site > y->site) - (x->site < y->site);
}

struct addr places_masked(const struct addr *a, unsigned len)
{
    struct addr m = *a;
    for (unsigned i = 0; i < sizeof m.bytes; i++) {
        unsigned kept = len > i * 8 ? len - i * 8 : 0;
        if (kept < 8)
            m.bytes[i] &= (uint8_t)(0xff00u >> kept);
    }
    return m;
}

/* Where the prefixes of the same version and length end. */
static size_t run_end(const struct places *p, size_t from)
{
    size_t i = from;
    while (i < p->prefix_count && p->prefixes[i].prefix.len == p->prefixes[from].prefix.len &&
           p->prefixes[i].prefix.addr.version == p->prefixes[from].prefix.addr.version)
        i++;
    return i;
}

bool places_init(struct places *p, const struct document *d)
{
    size_t addresses = 0, prefixes = 0;
    *p = (struct places){0};
    for (size_t i = 0; i < d->node_count; i++)
        addresses += d->nodes[i].address_count;
    for (size_t i = 0; i < d->site_count; i++)
        prefixes += d->sites[i].prefix_count;
    p->addresses = calloc(addresses + 1, sizeof *p->addresses);
    p->prefixes = calloc(prefixes + 1, sizeof *p->prefixes);
    if (!p->addresses || !p->prefixes)
        return false;
    for (size_t i = 0; i < d->node_count; i++)
        for (size_t j = 0; j < d->nodes[i].address_count; j++)
            p->addresses[p->address_count++] = (struct place_address){d->nodes[i].addresses[j], (uint32_t)i + 1};
    for (size_t i = 0; i < d->site_count; i++) {
        for (size_t j = 0; j < d->sites[i].prefix_count; j++) {
            struct prefix x = d->sites[i].prefixes[j];
            x.addr = places_masked(&x.addr, x.len);
            p->prefixes[p->prefix_count++] = (struct place_prefix){x, (uint32_t)i + 1};
        }
    }
    qsort(p->addresses, p->address_count, sizeof *p->addresses, compare_addresses);
    qsort(p->prefixes, p->prefix_count, sizeof *p->prefixes, compare_prefixes);
    for (size_t i = 0; i < p->prefix_count && p->run_count < PLACES_RUNS_MAX; i = run_end(p, i))
        p->runs[p->run_count++] = i;
    p->runs[p->run_count] = p->prefix_count;
    return true;
}

void places_done(struct places *p)
{
    free(p->addresses);
    free(p->prefixes);
    *p = (struct places){0};
}

uint32_t places_node(const struct places *p, const struct addr *a)
{
    size_t low = 0, high = p->address_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int r = addr_compare(&p->addresses[middle].addr, a);
        if (r == 0)
            return p->addresses[middle].node;
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static uint32_t find_in_run(const struct places *p, size_t low, size_t high, const struct addr *masked)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int r = addr_compare(&p->prefixes[middle].prefix.addr, masked);
        if (r == 0)
            return p->prefixes[middle].site;
        if (r < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

uint32_t places_site(const struct places *p, const struct addr *a)
{
    for (size_t i = 0; i < p->run_count; i++) {
        const struct place_prefix *first = &p->prefixes[p->runs[i]];
        if (first->prefix.addr.version != a->version)
            continue;
        struct addr masked = places_masked(a, first->prefix.len);
        uint32_t site = find_in_run(p, p->runs[i], p->runs[i + 1], &masked);
        if (site)
            return site;
    }
    return 0;
}

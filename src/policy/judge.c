#include "policy/judge.h"

#include <stdlib.h>
#include <string.h>

#include "model/packet.h"
#include "policy/infer_nodes.h"
#include "policy/judge_internal.h"

static const char *copy_text(struct document *d, const char *text)
{
    return arena_copy(&d->arena, text ? text : "", text ? strlen(text) : 0);
}

/* The document outlives the policy. */
static bool copy_nodes(struct document *d, const struct policy *p)
{
    const struct node *nodes = NULL;
    size_t n = policy_nodes(p, &nodes);
    d->nodes = arena_alloc(&d->arena, (n + 1) * sizeof *d->nodes);
    if (!d->nodes)
        return false;
    d->node_count = n;
    for (size_t i = 0; i < n; i++) {
        struct node *to = &d->nodes[i];
        struct addr *addresses = arena_alloc(&d->arena, (nodes[i].address_count + 1) * sizeof *addresses);
        *to = nodes[i];
        to->name = copy_text(d, nodes[i].name);
        to->evidence = copy_text(d, nodes[i].evidence);
        if (!addresses || !to->name || !to->evidence)
            return false;
        if (nodes[i].address_count)
            memcpy(addresses, nodes[i].addresses, nodes[i].address_count * sizeof *addresses);
        to->addresses = addresses;
    }
    return true;
}

static bool copy_sites(struct document *d, const struct policy *p)
{
    const struct site *sites = NULL;
    size_t n = policy_sites(p, &sites);
    d->sites = arena_alloc(&d->arena, (n + 1) * sizeof *d->sites);
    if (!d->sites)
        return false;
    d->site_count = n;
    for (size_t i = 0; i < n; i++) {
        struct prefix *prefixes = arena_alloc(&d->arena, (sites[i].prefix_count + 1) * sizeof *prefixes);
        d->sites[i] = sites[i];
        d->sites[i].name = copy_text(d, sites[i].name);
        if (!prefixes || !d->sites[i].name)
            return false;
        if (sites[i].prefix_count)
            memcpy(prefixes, sites[i].prefixes, sites[i].prefix_count * sizeof *prefixes);
        d->sites[i].prefixes = prefixes;
    }
    return true;
}

static bool copy_policy(struct document *d, const struct policy *p)
{
    d->policy_name = copy_text(d, policy_name(p));
    d->policy_source = copy_text(d, policy_source(p));
    for (int c = 0; c < CLASS_COUNT; c++) {
        struct policy_rule rule = policy_rule_plain(p, (enum traffic_class)c);
        d->expect[c] = (struct expectation_row){rule.any ? 0 : rule.marks, rule.preferred};
    }
    return d->policy_name && d->policy_source && copy_nodes(d, p) && copy_sites(d, p);
}

static void place_record(struct record *r, const struct places *places)
{
    uint32_t from = places_node(places, &r->src.addr), to = places_node(places, &r->dst.addr);
    const struct addr *far_end = from && !to ? &r->dst.addr : &r->src.addr;
    r->node = from ? from : to;
    r->peer_node = from && to ? to : 0;
    r->direction = from && to ? DIRECTION_BETWEEN_NODES
                   : from     ? DIRECTION_FROM_NODE
                   : to       ? DIRECTION_TO_NODE
                              : DIRECTION_UNATTRIBUTED;
    r->site = places_site(places, far_end);
}

static int judge_records(struct document *d, const struct policy *p, const struct conversations *c)
{
    struct places places;
    struct surroundings *around = surroundings_new(d, c);
    int r = places_init(&places, d) && around ? 0 : ERR_MEMORY;
    for (size_t i = 0; i < d->record_count && r == 0; i++) {
        place_record(&d->records[i], &places);
        if (!judge_record(d, &d->records[i], &around[i], p))
            r = ERR_MEMORY;
    }
    places_done(&places);
    free(around);
    return r;
}

int judge_document(struct document *d, const struct policy *p)
{
    struct conversations c = {0};
    const struct node *named = NULL;
    int r = copy_policy(d, p) && conversations_init(&c, d) ? 0 : ERR_MEMORY;
    if (r == 0 && policy_nodes(p, &named) == 0)
        r = infer_nodes(d, p, &c);
    if (r == 0)
        r = judge_records(d, p, &c);
    if (r == 0 && (!judge_summarize(d) || !document_link_calls(d)))
        r = ERR_MEMORY;
    conversations_done(&c);
    return r;
}

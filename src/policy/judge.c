#include "policy/judge.h"

#include <stdlib.h>
#include <string.h>

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

/* A document with records of its own has its verdicts in them. */
static bool write_back(struct document *d, size_t i, enum reason reason, uint64_t min_packets)
{
    char text[REASON_MAX];
    struct record *r = &d->records[i];
    r->reason = reason_words(reason, r, min_packets, text);
    if (r->reason == text)
        r->reason = arena_copy(&d->arena, text, strlen(text));
    return r->reason != NULL;
}

static bool judge_one(struct judging *j, size_t i, struct record_scratch *s, struct summing *sum)
{
    struct document *d = j->d;
    struct record *r = d->records ? &d->records[i] : &s->record;
    if (!d->records)
        (void)document_record(d, i, RECORD_PLAIN, s);
    place_record(r, &j->places);
    enum reason reason = judge_record(j, r);
    uint64_t min_packets = reason == REASON_FEW_PACKETS ? judge_min_packets(j->policy, r) : 0;
    judged_keep(j, i, r, reason, min_packets);
    return !j->failed && summing_add(sum, r) && (!d->records || write_back(d, i, reason, min_packets));
}

static int judge_records(struct judging *j)
{
    struct document *d = j->d;
    struct record_scratch s = {0};
    struct summing *sum = summing_new(d);
    bool ok = sum && places_init(&j->places, d);
    for (size_t i = 0; i < d->record_count && ok; i++)
        ok = judge_one(j, i, &s, sum);
    ok = ok && summing_finish(sum);
    summing_free(sum);
    places_done(&j->places);
    record_scratch_done(&s);
    return ok ? 0 : ERR_MEMORY;
}

static bool begin(struct document *d, const struct policy *p)
{
    free(d->judged);
    free(d->expectations);
    d->expectations = NULL;
    d->expectation_count = 0;
    d->verdicts = (struct record_layer){0};
    d->priority = policy_priority_marks(p);
    d->judged = malloc((d->record_count + 1) * sizeof *d->judged);
    return d->judged && copy_policy(d, p);
}

int judge_document(struct document *d, const struct policy *p)
{
    struct judging j = {.d = d, .policy = p};
    const struct node *named = NULL;
    conversations_init(&j.conversations, d);
    int r = begin(d, p) ? 0 : ERR_MEMORY;
    if (r == 0 && policy_nodes(p, &named) == 0)
        r = infer_nodes(d, p, &j.conversations);
    if (r == 0)
        r = judge_records(&j);
    d->verdicts.fill = judged_fill;
    if (r == 0 && !document_link_calls(d))
        r = ERR_MEMORY;
    conversations_done(&j.conversations);
    record_scratch_done(&j.scratch);
    free(j.around);
    return r;
}

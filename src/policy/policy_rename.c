#include "policy/policy_rename.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy_internal.h"

static bool copy_node(struct policy *to, const struct node *n, const struct policy_renaming *r)
{
    struct addr *addresses = arena_alloc(&to->arena, (n->address_count + 1) * sizeof *addresses);
    struct node copy = *n;
    copy.name = r->node(r->user, n->name, &to->arena);
    copy.addresses = addresses;
    copy.evidence = "";
    if (!addresses || !copy.name)
        return false;
    for (size_t i = 0; i < n->address_count; i++)
        addresses[i] = r->address(r->user, &n->addresses[i]);
    to->nodes[to->node_count++] = copy;
    return true;
}

static bool copy_site(struct policy *to, const struct site *s, const struct policy_renaming *r)
{
    struct prefix *prefixes = arena_alloc(&to->arena, (s->prefix_count + 1) * sizeof *prefixes);
    struct site copy = {
        .name = r->site(r->user, s->name, &to->arena), .prefixes = prefixes, .prefix_count = s->prefix_count};
    if (!prefixes || !copy.name)
        return false;
    for (size_t i = 0; i < s->prefix_count; i++)
        prefixes[i] = r->prefix(r->user, &s->prefixes[i]);
    to->sites[to->site_count++] = copy;
    to->prefix_count += s->prefix_count;
    return true;
}

static bool copy_lists(struct policy *to, const struct policy *p, const struct policy_renaming *r)
{
    to->nodes = calloc(p->node_count + 1, sizeof *to->nodes);
    to->sites = calloc(p->site_count + 1, sizeof *to->sites);
    to->ports = calloc(p->port_count + 1, sizeof *to->ports);
    if (!to->nodes || !to->sites || !to->ports)
        return false;
    to->node_cap = p->node_count + 1;
    to->site_cap = p->site_count + 1;
    to->port_cap = p->port_count + 1;
    for (size_t i = 0; i < p->node_count; i++)
        if (!copy_node(to, &p->nodes[i], r))
            return false;
    for (size_t i = 0; i < p->site_count; i++)
        if (!copy_site(to, &p->sites[i], r))
            return false;
    if (p->port_count)
        memcpy(to->ports, p->ports, p->port_count * sizeof *to->ports);
    to->port_count = p->port_count;
    return true;
}

int policy_rename(const struct policy *p, const struct policy_renaming *r, struct policy **ret)
{
    struct policy *to = calloc(1, sizeof *to);
    if (!to)
        return ERR_MEMORY;
    to->built_in = p->built_in;
    to->marks = p->marks;
    memcpy(to->map, p->map, sizeof to->map);
    to->none = p->none;
    to->webrtc = p->webrtc;
    to->priority_stated = p->priority_stated;
    to->priority = p->priority;
    to->report_unentitled = p->report_unentitled;
    to->source = strcmp(p->source, "built in") == 0 ? "built in" : "a file";
    bool reference = strcmp(p->name, "reference") == 0;
    to->name = reference || !*p->name ? p->name : r->policy(r->user, p->name, &to->arena);
    to->name = to->name ? arena_copy(&to->arena, to->name, strlen(to->name)) : NULL;
    bool ok = to->name && copy_lists(to, p, r);
    if (ok && p->note_count)
        ok = policy_note(to, "%zu %s about the policy left out, for they quote it", p->note_count,
                         p->note_count == 1 ? "note is" : "notes are");
    if (!ok) {
        policy_free(to);
        return ERR_MEMORY;
    }
    *ret = to;
    return 0;
}

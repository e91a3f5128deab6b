#include "engine/generate_internal.h"

/* The first address, or prefix, of each IP version is the one that is used. */
static int take_nodes(struct arena *arena, const struct policy *policy, struct generate_options *o)
{
    const struct node *nodes;
    size_t n = policy_nodes(policy, &nodes);
    struct generate_node *taken = arena_alloc(arena, (n + 1) * sizeof *taken);
    if (!taken)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        taken[i].name = nodes[i].name;
        for (size_t a = nodes[i].address_count; a-- > 0;)
            taken[i].addr[nodes[i].addresses[a].version == 6] = nodes[i].addresses[a];
    }
    o->nodes = taken;
    o->node_count = n;
    return 0;
}

static int take_sites(struct arena *arena, const struct policy *policy, struct generate_options *o)
{
    const struct site *sites;
    size_t n = policy_sites(policy, &sites);
    struct generate_site *taken = arena_alloc(arena, (n + 1) * sizeof *taken);
    if (!taken)
        return ERR_MEMORY;
    for (size_t i = 0; i < n; i++) {
        taken[i].name = sites[i].name;
        for (size_t p = sites[i].prefix_count; p-- > 0;)
            taken[i].prefix[sites[i].prefixes[p].addr.version == 6] = sites[i].prefixes[p];
    }
    o->sites = taken;
    o->site_count = n;
    return 0;
}

static void take_marks(const struct policy *policy, struct generate_marks *m)
{
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        for (int webrtc = 0; webrtc < 2; webrtc++) {
            enum traffic_class c = policy_class_of(policy, (enum kind)k, webrtc);
            m->class_of[k][webrtc] = c;
            for (int v6 = 0; v6 < 2 && c != CLASS_NONE; v6++) {
                for (unsigned d = 0; d < DIRECTION_COUNT; d++) {
                    struct policy_rule rule = policy_rule_for(policy, c, v6 ? 6 : 4, (enum direction)d);
                    m->of[k][v6][d][webrtc] = rule.marks ? rule.preferred : 0;
                }
            }
        }
    }
}

int generate_take_policy(struct arena *arena, const struct policy *policy, struct generate_options *options)
{
    struct generate_marks *marks = arena_alloc(arena, sizeof *marks);
    if (!marks)
        return ERR_MEMORY;
    take_marks(policy, marks);
    options->marks = marks;
    int r = take_nodes(arena, policy, options);
    return r < 0 ? r : take_sites(arena, policy, options);
}

#include "cli/probe_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "cli/target.h"

static bool add_goal(struct probe_goals *g, const char *name, const char *node, const struct addr *a)
{
    struct probe_goal *more = realloc(g->at, (g->count + 1) * sizeof *more);
    if (!more)
        return false;
    g->at = more;
    g->at[g->count++] = (struct probe_goal){.name = name, .node = node, .addr = *a};
    return true;
}

static int add_nodes(struct probe_goals *g, const struct policy *policy, uint8_t ip_version)
{
    const struct node *nodes;
    size_t count = policy_nodes(policy, &nodes), own = 0;
    if (count == 0)
        return cli_fail(
            EXIT_USAGE,
            "--nodes: the policy names no node; name them with -n NAME=ADDR, --discover, or `nodes:` in the policy");
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < nodes[i].address_count; k++) {
            const struct addr *a = &nodes[i].addresses[k];
            if (ip_version && a->version != ip_version)
                continue;
            if (probe_is_own_address(a)) {
                own++;
                continue;
            }
            if (!add_goal(g, nodes[i].name, nodes[i].name, a))
                return cli_fail(EXIT_INPUT, "out of memory");
        }
    }
    if (g->count == 0)
        return cli_fail(EXIT_USAGE, "--nodes: %s",
                        own ? "the only addresses of nodes are this machine's own" : "no node has such an address");
    return 0;
}

/* A node by its name means all its addresses; any other name the first that it resolves to. */
int probe_goals_find(struct probe_goals *g, const struct probe_arguments *a, const struct policy *policy)
{
    struct target target;
    if (a->nodes)
        return add_nodes(g, policy, a->ip_version);
    int status = target_find(a->target, policy, a->ip_version, &target);
    if (status)
        return status;
    bool by_name = *target.node && strcasecmp(target.node, a->target) == 0;
    for (size_t i = 0; i < (by_name ? target.count : 1); i++) {
        static const uint8_t everybody[4] = {255, 255, 255, 255};
        if (target.addresses[i].version == 4 && memcmp(target.addresses[i].bytes, everybody, 4) == 0)
            return cli_fail(EXIT_USAGE, "%s is no host's address", a->target);
        if (!add_goal(g, a->target, target.node, &target.addresses[i]))
            return cli_fail(EXIT_INPUT, "out of memory");
    }
    g->others = target.count + target.left_out - g->count;
    return 0;
}

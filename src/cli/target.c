#include "cli/target.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "cli/cli.h"
#include "model/socket_address.h"

static void add(struct target *t, const struct addr *a, uint8_t ip_version)
{
    if (ip_version && a->version != ip_version)
        return;
    for (size_t i = 0; i < t->count; i++)
        if (addr_equal(&t->addresses[i], a))
            return;
    if (t->count == TARGET_ADDRESSES_MAX)
        t->left_out++;
    else
        t->addresses[t->count++] = *a;
}

/* By its name, or by one of its addresses. */
static const struct node *find_node(const struct policy *policy, const char *name, const struct addr *address)
{
    const struct node *nodes;
    size_t count = policy_nodes(policy, &nodes);
    for (size_t i = 0; i < count; i++) {
        if (!address && strcasecmp(nodes[i].name, name) == 0)
            return &nodes[i];
        for (size_t k = 0; address && k < nodes[i].address_count; k++)
            if (addr_equal(&nodes[i].addresses[k], address))
                return &nodes[i];
    }
    return NULL;
}

static void add_resolved(struct target *t, const struct addrinfo *list, uint8_t ip_version)
{
    for (const struct addrinfo *i = list; i; i = i->ai_next) {
        struct endpoint at;
        if (socket_address_read(i->ai_addr, &at))
            add(t, &at.addr, ip_version);
    }
}

static int resolve(struct target *t, uint8_t ip_version)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *list = NULL;
    int r = getaddrinfo(t->name, NULL, &hints, &list);
    if (r != 0)
        return cli_fail(EXIT_INPUT, "%s is no node of the policy, no address, and no name that resolves: %s", t->name,
                        gai_strerror(r));
    add_resolved(t, list, ip_version);
    freeaddrinfo(list);
    return 0;
}

int target_find(const char *name, const struct policy *policy, uint8_t ip_version, struct target *ret)
{
    struct addr literal;
    struct target t = {.name = name, .node = ""};
    bool is_literal = addr_parse(slice_make(name, strlen(name)), &literal);
    const struct node *node = find_node(policy, name, is_literal ? &literal : NULL);
    int status = 0;
    if (node)
        t.node = node->name;
    if (is_literal)
        add(&t, &literal, ip_version);
    else if (node)
        for (size_t i = 0; i < node->address_count; i++)
            add(&t, &node->addresses[i], ip_version);
    else
        status = resolve(&t, ip_version);
    if (status)
        return status;
    if (t.count == 0)
        return cli_fail(EXIT_USAGE, "%s has no IPv%d address", name, ip_version == 4 ? 4 : 6);
    for (size_t i = 0; i < t.count; i++)
        if (addr_is_multicast(&t.addresses[i]) || addr_is_unspecified(&t.addresses[i]))
            return cli_fail(EXIT_USAGE, "%s is no host's address", name);
    for (size_t i = 0; i < t.count; i++)
        if (t.addresses[i].version == 6 && t.addresses[i].bytes[0] == 0xfe && (t.addresses[i].bytes[1] & 0xc0) == 0x80)
            return cli_fail(EXIT_USAGE,
                            "%s is a link-local address, which only its link knows: give one that is routed", name);
    *ret = t;
    return 0;
}

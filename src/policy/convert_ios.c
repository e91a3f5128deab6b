#include <ctype.h>
#include <string.h>

#include "policy/convert_internal.h"

/*
 * Class-maps and policy-maps for Cisco IOS and IOS XE, in three parts: what matches each mark of the policy, a policy-map
 * that only counts them, and one that marks signalling by the nodes' addresses and ports where the nodes do not. Voice
 * and video of a node leave from one range of ports, so a switch cannot mark them apart: they are kept as sent.
 */

/* IOS has the names of RFC 2597, 2474 and 3246; the rest are numbers. */
static void ios_dscp(struct strbuf *to, dscp_t dscp)
{
    const char *name = dscp_name(dscp);
    if (dscp == 0) {
        strbuf_adds(to, "default");
        return;
    }
    if (strncmp(name, "AF", 2) != 0 && strncmp(name, "CS", 2) != 0 && strcmp(name, "EF") != 0) {
        strbuf_addf(to, "%u", dscp);
        return;
    }
    for (; *name; name++)
        strbuf_addc(to, (char)tolower((unsigned char)*name));
}

/* "QOSMARK-OA-M": letters that a name on the command line may have. */
static void ios_name(struct strbuf *to, const char *prefix, const char *name)
{
    strbuf_adds(to, prefix);
    for (; *name; name++)
        strbuf_addc(to, isalnum((unsigned char)*name) ? (char)toupper((unsigned char)*name) : '-');
}

static bool class_allows(const struct policy *p, enum traffic_class c, dscp_t dscp)
{
    struct policy_rule r4 = convert_rule(p, c, 4), r6 = convert_rule(p, c, 6);
    return (convert_sets(&r4) && dscp_set_has(r4.marks, dscp)) || (convert_sets(&r6) && dscp_set_has(r6.marks, dscp));
}

static bool policy_uses(const struct policy *p, dscp_t dscp)
{
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        if (class_allows(p, (enum traffic_class)c, dscp))
            return true;
    return false;
}

static void ios_mark_maps(const struct policy *p, struct strbuf *to)
{
    for (unsigned i = 0; i < DSCP_COUNT; i++) {
        if (!policy_uses(p, (dscp_t)i))
            continue;
        const char *between = "";
        strbuf_adds(to, "class-map match-any ");
        ios_name(to, "QOSMARK-", dscp_name((dscp_t)i));
        strbuf_adds(to, "\n description ");
        for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
            if (!class_allows(p, (enum traffic_class)c, (dscp_t)i))
                continue;
            strbuf_addf(to, "%s%s", between, class_name((enum traffic_class)c));
            between = " ";
        }
        strbuf_adds(to, "\n match dscp ");
        ios_dscp(to, (dscp_t)i);
        strbuf_adds(to, "\n!\n");
    }
    strbuf_adds(to, "policy-map QOSMARK-COUNT\n description counts the marks and changes none\n");
    for (unsigned i = 0; i < DSCP_COUNT; i++) {
        if (!policy_uses(p, (dscp_t)i))
            continue;
        strbuf_adds(to, " class ");
        ios_name(to, "QOSMARK-", dscp_name((dscp_t)i));
        strbuf_addc(to, '\n');
    }
    strbuf_adds(to, "!\n");
}

/* "host 10.1.1.11", or "any" where no node of the policy has an address of that version. */
static void ios_lines(const struct policy *p, int ip_version, const uint16_t *ports, size_t port_count, struct strbuf *to)
{
    static const char *const protocols[] = {"tcp", "udp"};
    const struct node *nodes;
    size_t node_count = policy_nodes(p, &nodes);
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < (node_count ? node_count : 1); i++) {
        for (size_t a = 0; a < (node_count ? nodes[i].address_count : 1); a++) {
            if (node_count && nodes[i].addresses[a].version != ip_version)
                continue;
            if (node_count)
                addr_format(&nodes[i].addresses[a], text);
            for (size_t x = 0; x < port_count * 2; x++) {
                strbuf_addf(to, " permit %s %s%s eq %u any\n", protocols[x % 2], node_count ? "host " : "", node_count ? text : "any",
                            ports[x / 2]);
                strbuf_addf(to, " permit %s %s%s any eq %u\n", protocols[x % 2], node_count ? "host " : "", node_count ? text : "any",
                            ports[x / 2]);
            }
        }
    }
}

static void ios_access_lists(const struct policy *p, enum traffic_class c, int ip_version, struct strbuf *to)
{
    uint16_t ports[CONVERT_PORTS_MAX];
    size_t n = convert_ports(p, c, ports);
    strbuf_addf(to, "%s access-list %s", ip_version == 4 ? "ip" : "ipv6", ip_version == 4 ? "extended " : "");
    ios_name(to, ip_version == 4 ? "QOSMARK-V4-" : "QOSMARK-V6-", class_name(c));
    strbuf_addc(to, '\n');
    ios_lines(p, ip_version, ports, n, to);
    strbuf_adds(to, "class-map match-any ");
    ios_name(to, ip_version == 4 ? "QOSMARK-FROM-NODE-V4-" : "QOSMARK-FROM-NODE-V6-", class_name(c));
    strbuf_adds(to, "\n match access-group name ");
    ios_name(to, ip_version == 4 ? "QOSMARK-V4-" : "QOSMARK-V6-", class_name(c));
    strbuf_adds(to, "\n!\n");
}

static bool has_version(const struct policy *p, int ip_version)
{
    const struct node *nodes;
    size_t count = policy_nodes(p, &nodes);
    for (size_t i = 0; i < count; i++)
        for (size_t a = 0; a < nodes[i].address_count; a++)
            if (nodes[i].addresses[a].version == ip_version)
                return true;
    return count == 0;
}

static bool marks_by_port(const struct policy *p, enum traffic_class c, int ip_version, struct policy_rule *ret)
{
    uint16_t ports[CONVERT_PORTS_MAX];
    *ret = convert_rule(p, c, ip_version);
    return convert_has_ports(c) && convert_sets(ret) && has_version(p, ip_version) && convert_ports(p, c, ports) > 0;
}

static void ios_marking(const struct policy *p, struct strbuf *to)
{
    struct policy_rule r;
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        for (int ip_version = 4; ip_version <= 6; ip_version += 2)
            if (marks_by_port(p, (enum traffic_class)c, ip_version, &r))
                ios_access_lists(p, (enum traffic_class)c, ip_version, to);
    strbuf_adds(to, "policy-map QOSMARK-FROM-NODE\n description for the ports that the nodes are at; media keeps the marks it has\n");
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        for (int ip_version = 4; ip_version <= 6; ip_version += 2) {
            if (!marks_by_port(p, (enum traffic_class)c, ip_version, &r))
                continue;
            strbuf_adds(to, " class ");
            ios_name(to, ip_version == 4 ? "QOSMARK-FROM-NODE-V4-" : "QOSMARK-FROM-NODE-V6-", class_name((enum traffic_class)c));
            strbuf_adds(to, "\n  set dscp ");
            ios_dscp(to, r.preferred);
            strbuf_addc(to, '\n');
        }
    }
    strbuf_adds(to, "!\n");
}

void convert_ios(const struct policy *p, struct strbuf *to)
{
    strbuf_addf(to,
                "! The policy %s for Cisco IOS and IOS XE. Read it before you paste it.\n"
                "!\n"
                "! 1. What matches each mark. QOSMARK-COUNT changes nothing: attach it where marks are in doubt,\n"
                "!      interface X / service-policy input QOSMARK-COUNT / show policy-map interface X\n"
                "!    A class that stays at 0 while calls run is a mark that did not get here.\n!\n",
                policy_name(p));
    ios_mark_maps(p, to);
    strbuf_adds(to,
                "! 2. Marks signalling by address and port, for nodes that do not mark it themselves:\n"
                "!      interface X / service-policy input QOSMARK-FROM-NODE\n"
                "!    Voice and video of a node leave from one range of ports and cannot be told apart here: they keep the\n"
                "!    marks that they arrive with. Catalyst 2960 to 3750 also need `mls qos trust dscp` on the port; without it,\n"
                "!    and with `mls qos` on, they set every mark to 0.\n!\n");
    ios_marking(p, to);
}

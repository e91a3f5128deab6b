#include "policy/convert_internal.h"

/*
 * A table for nftables on a host that cannot mark by itself. Services are known by their ports; voice and video leave
 * from one range of ports, so their ports are sets that the administrator fills in: a guess here would mark video EF.
 */

static const char *set_name(enum traffic_class c)
{
    switch (c) {
    case CLASS_VOICE: return "voice_ports";
    case CLASS_ASSURED_VOICE: return "assured_voice_ports";
    case CLASS_MULTIMEDIA: return "multimedia_ports";
    case CLASS_ASSURED_MULTIMEDIA: return "assured_multimedia_ports";
    case CLASS_MULTIMEDIA_STREAMING: return "multimedia_streaming_ports";
    case CLASS_NONE:
    case CLASS_SIGNALING:
    case CLASS_LOW_LATENCY:
    case CLASS_OAM:
    case CLASS_COUNT: break;
    }
    return NULL;
}

static bool is_set_at_all(const struct policy *p, enum traffic_class c)
{
    struct policy_rule r4 = convert_rule(p, c, 4), r6 = convert_rule(p, c, 6);
    return convert_sets(&r4) || convert_sets(&r6);
}

static void nft_sets(const struct policy *p, struct strbuf *to)
{
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        const char *name = set_name((enum traffic_class)c);
        if (!name || !is_set_at_all(p, (enum traffic_class)c))
            continue;
        strbuf_addf(to, "    # UDP ports that %s leaves from; fill it in: nft add element inet qosmark %s '{ 34904-34905 }'\n",
                    class_name((enum traffic_class)c), name);
        strbuf_addf(to, "    set %s { type inet_service; flags interval; }\n", name);
    }
}

static void nft_ports(const uint16_t *ports, size_t n, struct strbuf *to)
{
    strbuf_adds(to, "{ ");
    for (size_t i = 0; i < n; i++)
        strbuf_addf(to, "%s%u", i ? ", " : "", ports[i]);
    strbuf_adds(to, " }");
}

static void nft_rule(enum traffic_class c, int ip_version, const struct policy_rule *r, const char *match, const char *end,
                     const uint16_t *ports, size_t n, struct strbuf *to)
{
    strbuf_addf(to, "        meta nfproto ipv%d %s %s ", ip_version, match, end);
    if (n)
        nft_ports(ports, n, to);
    else
        strbuf_addf(to, "@%s", set_name(c));
    strbuf_addf(to, " counter %s dscp set %u comment \"%s: %s\"\n", ip_version == 4 ? "ip" : "ip6", r->preferred, class_name(c),
                dscp_name(r->preferred));
}

static void nft_class(const struct policy *p, enum traffic_class c, struct strbuf *to)
{
    uint16_t ports[CONVERT_PORTS_MAX];
    size_t n = convert_has_ports(c) ? convert_ports(p, c, ports) : 0;
    if (convert_has_ports(c) && n == 0)
        return;
    for (int ip_version = 4; ip_version <= 6; ip_version += 2) {
        struct policy_rule r = convert_rule(p, c, ip_version);
        if (!convert_sets(&r)) {
            strbuf_addf(to, "        # %s over IPv%d: the policy %s\n", class_name(c), ip_version,
                        r.any ? "takes any mark for right" : "expects nothing");
            continue;
        }
        if (n) {
            nft_rule(c, ip_version, &r, "meta l4proto { tcp, udp }", "th sport", ports, n, to);
            nft_rule(c, ip_version, &r, "meta l4proto { tcp, udp }", "th dport", ports, n, to);
        } else {
            nft_rule(c, ip_version, &r, "meta l4proto udp", "udp sport", NULL, 0, to);
        }
    }
}

void convert_nft(const struct policy *p, struct strbuf *to)
{
    strbuf_addf(to,
                "#!/usr/sbin/nft -f\n"
                "# Marks what this host sends by the policy %s. Loading it again replaces it; `nft delete table inet qosmark` undoes it;\n"
                "# `nft list table inet qosmark` shows how many packets each rule has marked.\n"
                "table inet qosmark\n"
                "delete table inet qosmark\n"
                "table inet qosmark {\n",
                policy_name(p));
    nft_sets(p, to);
    strbuf_adds(to, "    chain output {\n"
                    "        type route hook output priority mangle; policy accept;\n");
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
        nft_class(p, (enum traffic_class)c, to);
    strbuf_adds(to, "    }\n}\n");
}

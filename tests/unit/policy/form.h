#ifndef QOSMARK_TESTS_POLICY_FORM_H
#define QOSMARK_TESTS_POLICY_FORM_H

/* The policy file with all its keys, and what a policy that was read says. */
#include "policy/policy.h"

static inline struct policy *parsed(const char *yaml)
{
    struct error error = {0};
    struct policy *p = policy_parse(slice_make(yaml, strlen(yaml)), "site.yaml", &error);
    if (p == NULL)
        fail_msg("%s\n%s", error.text, yaml);
    return p;
}

static inline struct policy_rule rule(const struct policy *p, enum traffic_class c, int ip, enum direction d)
{
    return policy_rule_for(p, c, ip, d);
}

#define BIT(n) (1ULL << (n))

/* The example of the policy form, with all its keys. */
static const char whole_form[] =
    "version: 1\n"
    "name: reference\n"
    "nodes:\n"
    "  - {name: cms-01, addresses: [10.1.1.11, \"2001:db8::11\"], roles: [callbridge, xmpp, webbridge, database]}\n"
    "sites:\n"
    "  - {name: berlin, prefixes: [10.2.0.0/16, \"2001:db8:2::/48\"]}\n"
    "discover: conf.example.com        # optional: nodes from its SRV and A records\n"
    "expect:\n"
    "  voice: EF\n"
    "  multimedia: {ipv4: AF41, ipv6: AF41, from-node: AF41, to-node: any, tolerance: 0.1%, min-packets: 10}\n"
    "  multimedia-streaming: AF41\n"
    "  signaling: [AF31, CS3]          # the first is preferred\n"
    "  low-latency: AF31\n"
    "map: {rtp-slides: multimedia-streaming}\n"
    "ports: {sip: [5060, 6000], sip-tls: [5061], xmpp-component: [5223]}\n"
    "priority-classes: {marks: [EF, AF41], report-unentitled: false}\n";

#endif

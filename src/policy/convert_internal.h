#ifndef QOSMARK_POLICY_CONVERT_INTERNAL_H
#define QOSMARK_POLICY_CONVERT_INTERNAL_H

/* What the files convert*.c share. */

#include "policy/convert.h"
#include "policy/policy_internal.h"

#define CONVERT_PORTS_MAX (POLICY_PORTS_MAX + 64) /* those that a policy names, and the well-known ones of all kinds */

/* What a node sends of one class over one IP version. */
static inline struct policy_rule convert_rule(const struct policy *p, enum traffic_class c, int ip_version)
{
    return policy_rule_for(p, c, ip_version, DIRECTION_FROM_NODE);
}

/* True where the rule names a mark to set. */
static inline bool convert_sets(const struct policy_rule *r)
{
    return !r->any && r->marks != 0;
}

/* Classes whose packets have ports of their own; those of media share one range. */
bool convert_has_ports(enum traffic_class c);

/* The ports of all services that the policy maps to the class, in ascending order: those that the policy names, and of
 * services that it names none for, the well-known ones. How many. */
size_t convert_ports(const struct policy *p, enum traffic_class c, uint16_t ports[static CONVERT_PORTS_MAX]);

void convert_mmp(const struct policy *p, struct strbuf *to);
void convert_ios(const struct policy *p, struct strbuf *to);
void convert_nft(const struct policy *p, struct strbuf *to);
void convert_wireshark(const struct policy *p, struct strbuf *to);

#endif

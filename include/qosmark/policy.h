#ifndef QOSMARK_POLICY_H
#define QOSMARK_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include <qosmark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is expected of whom: marks by class of traffic, nodes (the conferencing servers) and sites. docs/POLICY.md has
 * the format of the files. */
typedef struct qosmark_policy qosmark_policy;

/* Which way a stream goes, as seen from the nodes. */
enum qosmark_direction {
    QOSMARK_UNATTRIBUTED = 0, /* no end is a node */
    QOSMARK_FROM_NODE = 1,
    QOSMARK_TO_NODE = 2,
    QOSMARK_BETWEEN_NODES = 3
};

/* "unattributed", "from-node", "to-node", "between-nodes"; "" for another number. */
QOSMARK_API const char *qosmark_direction_name(int direction);

/* The reference policy, which is built in. NULL without memory. */
QOSMARK_API qosmark_policy *qosmark_policy_new(qosmark_error *error);

/* A YAML file, or its text (`name` is what sentences call it). NULL where it cannot be read or is not right in every
 * part, which makes these the check of a policy too. No domain of `discover:` is asked here: see
 * qosmark_policy_discover(). */
QOSMARK_API qosmark_policy *qosmark_policy_load(const char *path, qosmark_error *error);
QOSMARK_API qosmark_policy *qosmark_policy_parse(const char *text, size_t length, const char *name,
                                                 qosmark_error *error);
QOSMARK_API void qosmark_policy_free(qosmark_policy *policy); /* takes NULL */

/* Applies a file of the server's own lines, `dscp (4|6) <class> (<value>|none)` and `dscp assured (true|false)`. What
 * they name is replaced. QOSMARK_E_USAGE or QOSMARK_E_IO; the policy is not to be used after a failure. */
QOSMARK_API int qosmark_policy_apply_dscp_lines(qosmark_policy *policy, const char *path, qosmark_error *error);

/* Adds a node: "cms-01=10.1.1.11,2001:db8::11". QOSMARK_E_USAGE. Without nodes, they are inferred from the traffic, and
 * the result has a note that says so. */
QOSMARK_API int qosmark_policy_add_node(qosmark_policy *policy, const char *name_and_addresses, qosmark_error *error);

/* Adds the nodes that are found in a domain's SRV and A/AAAA records (RFC 2782). `domain` NULL stands for that of the
 * policy's `discover:`, and without one nothing is done; `resolver` is "ADDR[:PORT]", or NULL for the system's. This
 * asks the network, and may take seconds. QOSMARK_E_UNSUPPORTED in a library without libldns. */
QOSMARK_API int qosmark_policy_discover(qosmark_policy *policy, const char *domain, const char *resolver,
                                        qosmark_error *error);

/* The name it gives itself, and where it is from ("built in", a file). Good until the policy changes. */
QOSMARK_API const char *qosmark_policy_name(const qosmark_policy *policy);
QOSMARK_API const char *qosmark_policy_source(const qosmark_policy *policy);

/* How many nodes it has. */
QOSMARK_API size_t qosmark_policy_node_count(const qosmark_policy *policy);

/*
 * The marks that are expected of a class ("voice", "multimedia", "signaling"...: the names of docs/POLICY.md) in
 * packets of an IP version (4 or 6) and direction. Returns 1 with the set and the preferred one, 0 where nothing is
 * expected or anything is right (*ret_marks is 0, *ret_preferred -1), or QOSMARK_E_USAGE where there is no such class,
 * version or direction.
 */
QOSMARK_API int qosmark_policy_expected(const qosmark_policy *policy, const char *traffic_class, int ip_version,
                                        int direction, uint64_t *ret_marks, int *ret_preferred, qosmark_error *error);

/* Sentences about it that are no errors, such as a number that looks like a slip between hex and decimal; NULL from
 * the end on. Good until the policy changes. */
QOSMARK_API const char *qosmark_policy_note(const qosmark_policy *policy, size_t i);

/* The policy in force as YAML, which qosmark_policy_parse() reads back to the same. NULL without memory; the caller
 * frees it with qosmark_text_free(). */
QOSMARK_API char *qosmark_policy_text(const qosmark_policy *policy);
QOSMARK_API void qosmark_text_free(char *text); /* takes NULL */

#ifdef __cplusplus
}
#endif

#endif

#ifndef QOSMARK_CLI_TARGET_H
#define QOSMARK_CLI_TARGET_H

#include <stddef.h>

#include "model/address.h"
#include "policy/policy.h"

enum { TARGET_ADDRESSES_MAX = 16 };

/* Whom a command line means. */
struct target {
    const char *name; /* as given */
    const char *node; /* of the policy, where it is one: by its name or an address; "" */
    struct addr addresses[TARGET_ADDRESSES_MAX];
    size_t count;
    size_t left_out; /* addresses beyond those */
};

/* A node's name in the policy (all its addresses), an address, or a host name (all that the system's resolver has).
 * `ip_version` 4 or 6 takes only those, 0 both. Returns an exit status, after saying what is wrong where it is not 0.
 */
int target_find(const char *name, const struct policy *policy, uint8_t ip_version, struct target *ret);

#endif

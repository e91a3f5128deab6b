#ifndef QOSMARK_POLICY_POLICY_RENAME_H
#define QOSMARK_POLICY_POLICY_RENAME_H

#include "base/arena.h"
#include "policy/policy.h"

/* What nodes, sites and the policy itself are called in a copy, and where they are. Names go into the arena; NULL is
 * without memory. */
struct policy_renaming {
    void *user;
    struct addr (*address)(void *user, const struct addr *a);
    struct prefix (*prefix)(void *user, const struct prefix *p);
    const char *(*node)(void *user, const char *name, struct arena *arena);
    const char *(*site)(void *user, const char *name, struct arena *arena);
    const char *(*policy)(void *user, const char *name, struct arena *arena); /* not asked of the built-in one */
};

/*
 * A copy, to be freed, that expects the same of the same traffic under other names. Of its file no more is said than
 * that there was one. Notes for the reader quote the file, so one that says how many there were stands for them. 0 or
 * ERR_MEMORY.
 */
int policy_rename(const struct policy *p, const struct policy_renaming *r, struct policy **ret);

#endif

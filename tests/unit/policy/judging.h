#ifndef QOSMARK_TESTS_POLICY_JUDGING_H
#define QOSMARK_TESTS_POLICY_JUDGING_H

/* A document, and the policy that it is judged by: anew for each test of a file. */
#include "building.h"

static struct document *d;
static struct policy *p;

static inline int start_with(const char *yaml)
{
    d = document_new();
    p = policy_of(yaml);
    return d && p ? 0 : -1;
}

static inline int stop(void **state)
{
    (void)state;
    document_free(d);
    policy_free(p);
    return 0;
}

static inline void use(const char *yaml)
{
    policy_free(p);
    p = policy_of(yaml);
}

#endif

#ifndef QOSMARK_CLI_PROBE_SESSION_H
#define QOSMARK_CLI_PROBE_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/probe_arguments.h"
#include "cli/terminal.h"
#include "model/address.h"
#include "model/probe_document.h"
#include "policy/policy.h"

/* What the files of `qosmark probe` share. */

/* One address to be probed. */
struct probe_goal {
    const char *name, *node;
    struct addr addr;
};

struct probe_goals {
    struct probe_goal *at;
    size_t count;
    size_t others; /* further addresses of the name, which are not probed */
};

/* probe_goals.c: whom to probe. 0, or an exit status after saying what is wrong; `at` is the caller's to free. */
int probe_goals_find(struct probe_goals *g, const struct probe_arguments *a, const struct policy *policy);

/* cmd_probe.c: one of them. NULL with an exit status in *ret_status where it could not even be planned. */
struct probe_document *probe_session_one(const struct probe_arguments *a, const struct policy *policy,
                                         const struct probe_goals *goals, size_t index, struct progress *progress,
                                         int *ret_status);
int probe_session_status(const struct probe_document *d);
int probe_session_worse(int a, int b); /* of two exit statuses */

/* probe_continuously.c: --continuous, until it is interrupted. An exit status. */
int probe_continuously(const struct probe_arguments *a, const struct policy *policy, const struct probe_goals *g);

#endif

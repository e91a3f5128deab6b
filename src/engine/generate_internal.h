#ifndef QOSMARK_ENGINE_GENERATE_INTERNAL_H
#define QOSMARK_ENGINE_GENERATE_INTERNAL_H

#include "base/arena.h"
#include "engine/generate_run.h"

/* generate_policy.c: nodes, sites and marks as the generator wants them, in memory of the arena. ERR_MEMORY. */
int generate_take_policy(struct arena *arena, const struct policy *policy, struct generate_options *options);

/* generate_truth.c: false where the sink failed or memory ended. */
bool generate_write_truth(const struct generator *g, const struct generate_request *request,
                          const struct generate_result *result);

#endif

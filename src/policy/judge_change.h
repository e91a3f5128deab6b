#ifndef QOSMARK_POLICY_JUDGE_CHANGE_H
#define QOSMARK_POLICY_JUDGE_CHANGE_H

#include <stdbool.h>

#include "model/record.h"
#include "policy/behaviour.h"

/* The code of a finding about marks that `probe` or `trace` saw change. `all_to_zero` counts where no one behaviour
 * explains all of them (BEHAVIOUR_MIXED and such): it is bleached where all became 0, re-marked otherwise. */
enum finding_code judge_change_code(enum behaviour b, bool all_to_zero);

#endif

#include "policy/judge_change.h"

#include <stddef.h>

static const struct {
    enum behaviour behaviour;
    enum finding_code code;
} codes[] = {
    {BEHAVIOUR_BLEACH_DSCP, FINDING_BLEACHED},
    {BEHAVIOUR_BLEACH_TOS_PRECEDENCE, FINDING_TOS_PRECEDENCE_BLEACHED},
    {BEHAVIOUR_BLEACH_SOME_TOS, FINDING_TOS_PRECEDENCE_BLEACHED},
    {BEHAVIOUR_BLEACH_LOW, FINDING_LOW_BITS_BLEACHED},
    {BEHAVIOUR_BLEACH_SOME_LOW, FINDING_LOW_BITS_BLEACHED},
    {BEHAVIOUR_REMARK_TOS, FINDING_TOS_PRECEDENCE_REMARKED},
    {BEHAVIOUR_REMARK_DSCP, FINDING_REMARKED},
};

enum finding_code judge_change_code(enum behaviour b, bool all_to_zero)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (codes[i].behaviour == b)
            return codes[i].code;
    return all_to_zero ? FINDING_BLEACHED : FINDING_REMARKED;
}

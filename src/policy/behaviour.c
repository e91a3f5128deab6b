#include "policy/behaviour.h"

static const struct {
    const char *name, *title;
} names[BEHAVIOUR_COUNT] = {
    [BEHAVIOUR_PRESERVED] = {"preserved", "preserved"},
    [BEHAVIOUR_BLEACH_DSCP] = {"bleach-dscp", "Bleach-DSCP"},
    [BEHAVIOUR_BLEACH_TOS_PRECEDENCE] = {"bleach-tos-precedence", "Bleach-ToS-Precedence"},
    [BEHAVIOUR_BLEACH_SOME_TOS] = {"bleach-some-tos", "Bleach-some-ToS"},
    [BEHAVIOUR_BLEACH_LOW] = {"bleach-low", "Bleach-low"},
    [BEHAVIOUR_BLEACH_SOME_LOW] = {"bleach-some-low", "Bleach-some-low"},
    [BEHAVIOUR_REMARK_TOS] = {"remark-tos", "Re-mark-ToS"},
    [BEHAVIOUR_REMARK_DSCP] = {"remark-dscp", "Re-mark-DSCP"},
    [BEHAVIOUR_MIXED] = {"mixed", "mixed"},
    [BEHAVIOUR_UNKNOWN] = {"unknown", "unknown"},
};

/* The rules that are functions of the mark alone. */
static dscp_t apply(enum behaviour b, dscp_t x)
{
    bool network = x >> 4 == 3; /* CS6, CS7 and what is between: the first two bits are 11 */
    switch ((int)b) {
    case BEHAVIOUR_BLEACH_DSCP:
        return 0;
    case BEHAVIOUR_BLEACH_TOS_PRECEDENCE:
        return x & 7;
    case BEHAVIOUR_BLEACH_SOME_TOS:
        return network ? x : x & 7;
    case BEHAVIOUR_BLEACH_LOW:
        return x & 56;
    case BEHAVIOUR_BLEACH_SOME_LOW:
        return network ? x : x & 56;
    default:
        return x;
    }
}

/* The marks that the rule turns into `seen`. */
static dscp_set_t sources(enum behaviour b, dscp_t seen)
{
    dscp_set_t set = 0;
    for (dscp_t x = 0; x < DSCP_COUNT; x++)
        if (apply(b, x) == seen)
            set |= dscp_set_of(x);
    return set;
}

static bool fits_rule(enum behaviour b, const struct behaviour_pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(pairs[i].sent & sources(b, pairs[i].seen)))
            return false;
    return true;
}

/* One precedence for all that was seen, and the low three bits kept; something must have changed. */
static bool fits_remark_tos(const struct behaviour_pair *pairs, size_t n)
{
    bool changed = false;
    unsigned precedence = pairs[0].seen >> 3;
    for (size_t i = 0; i < n; i++) {
        dscp_set_t possible = 0;
        for (unsigned p = 0; p < 8; p++)
            possible |= dscp_set_of((dscp_t)(p << 3 | (pairs[i].seen & 7)));
        if (pairs[i].seen >> 3 != precedence || !(pairs[i].sent & possible))
            return false;
        changed |= !dscp_set_has(pairs[i].sent, pairs[i].seen);
    }
    return precedence != 0 && changed;
}

/* Each mark has one outcome, none becomes 0 that was not, and something changed. */
static bool fits_remark_dscp(const struct behaviour_pair *pairs, size_t n)
{
    uint8_t outcome[DSCP_COUNT];
    bool known[DSCP_COUNT] = {false}, changed = false;
    for (size_t i = 0; i < n; i++) {
        dscp_set_t sent = pairs[i].sent;
        bool kept = dscp_set_has(sent, pairs[i].seen);
        changed |= !kept;
        if (pairs[i].seen == 0 && !kept)
            return false;
        if (sent == 0 || (sent & (sent - 1)) != 0)
            continue; /* which one was sent is not known, so nothing contradicts */
        unsigned mark = 0;
        while (!(sent >> mark & 1))
            mark++;
        if (known[mark] && outcome[mark] != pairs[i].seen)
            return false;
        known[mark] = true;
        outcome[mark] = pairs[i].seen;
    }
    return changed;
}

uint32_t behaviour_consistent(const struct behaviour_pair *pairs, size_t n)
{
    uint32_t fits = 0;
    if (n == 0)
        return 0;
    for (unsigned b = BEHAVIOUR_PRESERVED; b <= BEHAVIOUR_BLEACH_SOME_LOW; b++)
        if (fits_rule((enum behaviour)b, pairs, n))
            fits |= 1U << b;
    if (fits_remark_tos(pairs, n))
        fits |= 1U << BEHAVIOUR_REMARK_TOS;
    if (fits_remark_dscp(pairs, n))
        fits |= 1U << BEHAVIOUR_REMARK_DSCP;
    return fits;
}

enum behaviour behaviour_of(const struct behaviour_pair *pairs, size_t n)
{
    if (n == 0)
        return BEHAVIOUR_UNKNOWN;
    uint32_t fits = behaviour_consistent(pairs, n);
    for (unsigned b = 0; b < BEHAVIOUR_MIXED; b++)
        if (fits >> b & 1)
            return (enum behaviour)b;
    return BEHAVIOUR_MIXED;
}

const char *behaviour_name(enum behaviour b)
{
    return names[b].name;
}

const char *behaviour_title(enum behaviour b)
{
    return names[b].title;
}

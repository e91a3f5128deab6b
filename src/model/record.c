#include "model/record.h"

#include <string.h>

static const char *const direction_names[] = {
    [DIRECTION_UNATTRIBUTED] = "unattributed",
    [DIRECTION_FROM_NODE] = "from-node",
    [DIRECTION_TO_NODE] = "to-node",
    [DIRECTION_BETWEEN_NODES] = "between-nodes",
};

static const char *const verdict_names[] = {
    [VERDICT_UNCHECKED] = "unchecked",
    [VERDICT_CONFORMING] = "conforming",
    [VERDICT_VIOLATING] = "violating",
    [VERDICT_UNDETERMINED] = "undetermined",
};

static const char *const finding_names[FINDING_CODE_COUNT] = {
    [FINDING_BLEACHED] = "bleached",
    [FINDING_TOS_PRECEDENCE_BLEACHED] = "tos-precedence-bleached",
    [FINDING_TOS_PRECEDENCE_REMARKED] = "tos-precedence-remarked",
    [FINDING_LOW_BITS_BLEACHED] = "low-bits-bleached",
    [FINDING_REMARKED] = "remarked",
    [FINDING_UNSHIFTED] = "unshifted",
    [FINDING_NEVER_MARKED] = "never-marked",
    [FINDING_ONE_WAY] = "one-way",
    [FINDING_CHANGED_MIDSTREAM] = "changed-midstream",
    [FINDING_INTERMITTENT] = "intermittent",
    [FINDING_UNMARKED_START] = "unmarked-start",
    [FINDING_RTCP_DIFFERS] = "rtcp-differs",
    [FINDING_CLASS_SWAPPED] = "class-swapped",
    [FINDING_TUNNEL_DIFFERS] = "tunnel-differs",
    [FINDING_UNENTITLED_PRIORITY] = "unentitled-priority",
    [FINDING_NOT_VERIFIABLE] = "not-verifiable",
};

static const struct {
    enum node_role role;
    const char *name;
} role_names[] = {
    {ROLE_CALLBRIDGE, "callbridge"}, {ROLE_XMPP, "xmpp"},         {ROLE_WEBBRIDGE, "webbridge"},
    {ROLE_TURN, "turn"},             {ROLE_DATABASE, "database"}, {ROLE_LOADBALANCER, "loadbalancer"},
    {ROLE_RECORDER, "recorder"},     {ROLE_STREAMER, "streamer"}, {ROLE_WEBADMIN, "webadmin"},
};

const char *direction_name(enum direction d)
{
    return direction_names[d];
}

const char *summary_verdict_name(enum summary_verdict v)
{
    static const char *const names[] = {
        [SUMMARY_NOTHING_CHECKED] = "nothing-checked", [SUMMARY_PASS] = "pass", [SUMMARY_FAIL] = "fail"};
    return (unsigned)v < sizeof names / sizeof names[0] ? names[v] : "";
}

const char *verdict_name(enum verdict v)
{
    return verdict_names[v];
}

const char *finding_code_name(enum finding_code code)
{
    return finding_names[code];
}

bool finding_code_parse(struct slice text, enum finding_code *ret)
{
    for (int i = 0; i < FINDING_CODE_COUNT; i++) {
        if (slice_equal(text, slice_make(finding_names[i], strlen(finding_names[i])))) {
            *ret = (enum finding_code)i;
            return true;
        }
    }
    return false;
}

const char *role_name(enum node_role role)
{
    for (size_t i = 0; i < sizeof role_names / sizeof role_names[0]; i++)
        if (role_names[i].role == role)
            return role_names[i].name;
    return "";
}

bool role_parse(struct slice text, enum node_role *ret)
{
    for (size_t i = 0; i < sizeof role_names / sizeof role_names[0]; i++) {
        if (slice_equal(text, slice_make(role_names[i].name, strlen(role_names[i].name)))) {
            *ret = role_names[i].role;
            return true;
        }
    }
    return false;
}

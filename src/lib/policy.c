#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "lib/handles.h"

_Static_assert((int)QOSMARK_UNATTRIBUTED == (int)DIRECTION_UNATTRIBUTED &&
                   (int)QOSMARK_FROM_NODE == (int)DIRECTION_FROM_NODE &&
                   (int)QOSMARK_TO_NODE == (int)DIRECTION_TO_NODE &&
                   (int)QOSMARK_BETWEEN_NODES == (int)DIRECTION_BETWEEN_NODES,
               "the public numbers are those of the rooms");

const char *qosmark_direction_name(int direction)
{
    return direction >= 0 && direction < DIRECTION_COUNT ? direction_name((enum direction)direction) : "";
}

/* Takes the policy, or says why there is none. */
static qosmark_policy *wrap(struct policy *policy, const struct error *why, qosmark_error *error)
{
    qosmark_policy *p = policy ? malloc(sizeof *p) : NULL;
    if (!p) {
        policy_free(policy);
        (void)handle_fail(error, policy ? ERR_MEMORY : ERR_USAGE, why);
        return NULL;
    }
    p->policy = policy;
    return p;
}

qosmark_policy *qosmark_policy_new(qosmark_error *error)
{
    struct error why = {0};
    return wrap(policy_new_default(&why), &why, error);
}

qosmark_policy *qosmark_policy_load(const char *path, qosmark_error *error)
{
    struct error why = {0};
    return wrap(policy_load(path, &why), &why, error);
}

qosmark_policy *qosmark_policy_parse(const char *text, size_t length, const char *name, qosmark_error *error)
{
    struct error why = {0};
    return wrap(policy_parse(slice_make(text, length), name, &why), &why, error);
}

void qosmark_policy_free(qosmark_policy *policy)
{
    if (policy)
        policy_free(policy->policy);
    free(policy);
}

int qosmark_policy_apply_dscp_lines(qosmark_policy *policy, const char *path, qosmark_error *error)
{
    struct error why = {0};
    int r = policy_apply_mmp(policy->policy, path, &why);
    return r < 0 ? handle_fail(error, r, &why) : QOSMARK_OK;
}

int qosmark_policy_add_node(qosmark_policy *policy, const char *name_and_addresses, qosmark_error *error)
{
    struct error why = {0};
    int r = policy_add_node(policy->policy, name_and_addresses, &why);
    return r < 0 ? handle_fail(error, r, &why) : QOSMARK_OK;
}

int qosmark_policy_discover(qosmark_policy *policy, const char *domain, const char *resolver, qosmark_error *error)
{
    struct error why = {0};
    int r = policy_discover(policy->policy, domain, resolver, &why);
    return r < 0 ? handle_fail(error, r, &why) : QOSMARK_OK;
}

const char *qosmark_policy_name(const qosmark_policy *policy)
{
    return policy_name(policy->policy);
}

const char *qosmark_policy_source(const qosmark_policy *policy)
{
    return policy_source(policy->policy);
}

size_t qosmark_policy_node_count(const qosmark_policy *policy)
{
    const struct node *nodes;
    return policy_nodes(policy->policy, &nodes);
}

int qosmark_policy_expected(const qosmark_policy *policy, const char *traffic_class, int ip_version, int direction,
                            uint64_t *ret_marks, int *ret_preferred, qosmark_error *error)
{
    enum traffic_class c;
    if (!class_parse(slice_make(traffic_class, strlen(traffic_class)), &c))
        return handle_refuse(error, QOSMARK_E_USAGE, "there is no such class of traffic");
    if ((ip_version != 4 && ip_version != 6) || direction < 0 || direction >= DIRECTION_COUNT)
        return handle_refuse(error, QOSMARK_E_USAGE, "there is no such IP version or direction");
    struct policy_rule rule = policy_rule_for(policy->policy, c, ip_version, (enum direction)direction);
    bool expects = !rule.any && rule.marks != 0;
    *ret_marks = expects ? rule.marks : 0;
    *ret_preferred = expects ? rule.preferred : -1;
    return expects;
}

const char *qosmark_policy_note(const qosmark_policy *policy, size_t i)
{
    const char *const *notes;
    return i < policy_notes(policy->policy, &notes) ? notes[i] : NULL;
}

char *qosmark_policy_text(const qosmark_policy *policy)
{
    struct strbuf text = {0};
    if (policy_write_yaml(policy->policy, &text) && text.len > 0)
        return text.at;
    strbuf_done(&text);
    return NULL;
}

void qosmark_text_free(char *text)
{
    free(text);
}

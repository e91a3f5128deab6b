#ifndef QOSMARK_POLICY_CONVERT_H
#define QOSMARK_POLICY_CONVERT_H

#include <stdbool.h>

#include "policy/policy.h"

/*
 * The policy in the words of those who have to carry it out: the conferencing server, a Cisco switch or router, Linux,
 * Wireshark. What a form cannot hold (alternatives, tolerances, directions, voice apart from video by port) is said in
 * its comments, never left out quietly.
 */
enum policy_form {
    POLICY_FORM_YAML = 0,  /* policy_write_yaml() */
    POLICY_FORM_MMP,       /* `dscp` command lines of the server; policy_apply_mmp() reads them back to the same marks */
    POLICY_FORM_IOS,       /* class-maps and policy-maps */
    POLICY_FORM_NFT,       /* a table for `nft -f` that marks what the host itself sends */
    POLICY_FORM_WIRESHARK, /* colouring rules to import */
    POLICY_FORM_COUNT
};

bool policy_form_parse(const char *name, enum policy_form *ret);
const char *policy_form_name(enum policy_form form);

/* Appends the policy in that form; false without memory. */
bool policy_convert(const struct policy *p, enum policy_form form, struct strbuf *to);

#endif

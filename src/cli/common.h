#ifndef QOSMARK_CLI_COMMON_H
#define QOSMARK_CLI_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"
#include "model/document.h"
#include "policy/policy.h"

struct output;

/* What every command that knows a policy takes. */
struct policy_arguments {
    const char *policy; /* -p */
    const char *mmp;    /* --mmp */
    const char *discover, *resolver;
    const char **nodes; /* -n, borrowed from argv */
    size_t node_count;
};

/* clang-format off */
#define POLICY_OPTIONS                                                                                  \
    {"policy", 'p', "FILE", "the policy (YAML); without it the built-in reference policy"},             \
    {"mmp", 0, "FILE", "the server's own `dscp` command lines, which replace what the policy expects"}, \
    {"node", 'n', "NAME=ADDR[,ADDR]", "a conferencing node with its addresses; may be repeated"},       \
    {"discover", 0, "DOMAIN", "find the nodes through the domain's SRV and A records"},                 \
    {"resolver", 0, "ADDR[:PORT]", "the DNS server to ask for --discover; without it the system's"}
/* clang-format on */

/* Takes an option of POLICY_OPTIONS. 1: taken; 0: not one of them; negative: failed. */
int policy_arguments_take(struct policy_arguments *a, const struct option_walk *w);
void policy_arguments_done(struct policy_arguments *a);

/* That what `option` writes ("--output") replaces nothing that is to be read: one file, and those that a policy is made
 * from. An exit status, after saying which. NULL for either: fine. */
int cli_spare_input(const char *option, const char *output, const char *input);
int policy_arguments_spare(const struct policy_arguments *a, const char *option, const char *output);

/* That --point names something. An exit status, after saying what is wrong. */
int cli_check_point(const char *name);

/* The policy that the arguments make. Returns an exit status, after saying what is wrong where it is not 0: EXIT_USAGE,
 * or EXIT_INPUT where a DNS server gave no answer. */
int policy_arguments_load(const struct policy_arguments *a, struct policy **ret);

/* What is in `output` is not the whole report: it is not to be put in its place, and why is said. EXIT_INPUT. */
int cli_report_failed(struct output *output, const struct error *error);

/* The exit status that a judged document stands for: a violation first, then an input that was not whole, or that was
 * not looked at as a whole because of a limit of ours (docs/FORMATS.md has the table). */
int cli_document_status(const struct document *d);

#endif

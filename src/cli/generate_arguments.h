#ifndef QOSMARK_CLI_GENERATE_ARGUMENTS_H
#define QOSMARK_CLI_GENERATE_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/common.h"
#include "engine/generate_run.h"

/* The command line of `qosmark generate`. */
struct generate_arguments {
    struct policy_arguments policy;
    struct generate_request request;
    const char *output, *truth, *to; /* NULL: not given */
    bool has_format, has_xmpp, has_packets, has_size, quiet, help, version;
    int verbose;
};

/* 0, or an exit status after saying what is wrong. */
int generate_arguments_take(struct generate_arguments *a, int argc, char **argv);
void generate_print_help(void);

/* generate_print.c: what was made, or would be, for a person. */
void generate_print(const struct generate_arguments *a, const struct generate_result *r, FILE *to);

#endif

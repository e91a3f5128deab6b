#ifndef QOSMARK_CLI_ANONYMIZE_ARGUMENTS_H
#define QOSMARK_CLI_ANONYMIZE_ARGUMENTS_H

#include <stdbool.h>

#include "anonymize/anonymize.h"
#include "cli/options.h"

/* --anonymize and --anonymize-key, as every command takes them that writes a report. */
struct anonymize_arguments {
    bool anonymize;
    const char *key; /* NULL: a random one */
};

#define ANONYMIZE_OPTIONS                                                                                              \
    {"anonymize", 0, NULL, "replace addresses (common prefixes stay common) and names, to hand a report to others"},   \
    {                                                                                                                  \
        "anonymize-key", 0, "FILE", "do so with this key (32 bytes or 64 hex digits), the same in each run"            \
    }

/* True where it was one of them. */
bool anonymize_arguments_take(struct anonymize_arguments *a, const struct option_walk *w);

/* *ret is NULL where nothing is to be replaced. An exit status, after saying what is wrong where it is not 0. */
int anonymize_arguments_load(const struct anonymize_arguments *a, struct anonymizer **ret);

#endif

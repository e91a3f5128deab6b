#ifndef QOSMARK_CLI_AUDIT_VIOLATIONS_H
#define QOSMARK_CLI_AUDIT_VIOLATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/options.h"
#include "cli/output.h"
#include "engine/wrong_frames.h"

/* --write-violations of the audit: a pcapng file that is whole or not there. */
struct audit_violations {
    const char *path;
    uint64_t max_bytes;
    struct output output;
    struct wrong_output wrong;
};

#define VIOLATIONS_OPTIONS                                                                                             \
    {"write-violations", 0, "FILE.pcapng",                                                                             \
     "write the wrong packets to a file, each with a comment that says what is wrong with it"},                        \
    {                                                                                                                  \
        "violations-max", 0, "SIZE", "and no more than so much of them (default all)"                                  \
    }

/* Takes the option where it is one of them. An exit status, after saying what is wrong where it is not 0. */
int audit_violations_take(struct audit_violations *v, const struct option_walk *w);

/* Before anything is read: whether what is to be read can be read twice, and is not what is to be written. */
int audit_violations_check(const struct audit_violations *v, const char *const *files, size_t count, bool separate,
                           const char *report);

int audit_violations_open(struct audit_violations *v);

/* Puts the file in place where it is whole; `status` is what the audit came to, and what is returned is that or worse.
 */
int audit_violations_end(struct audit_violations *v, int status, bool quiet);

#endif

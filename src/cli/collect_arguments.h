#ifndef QOSMARK_CLI_COLLECT_ARGUMENTS_H
#define QOSMARK_CLI_COLLECT_ARGUMENTS_H

#include "cli/file_arguments.h"
#include "model/address.h"

/* What `collect` takes beside a policy and how the report looks. Strings are borrowed from argv. */
struct collect_arguments {
    struct file_arguments common;
    const char *servers, *config, *history, *topology, *name, *rows;
    uint64_t partitions, stream_bytes;
    int64_t window_ns, grace_ns, look_ns, lease_ns, keep_ns, since_ns, duration_ns, stream_age_ns;
    bool listens, report_only;
    struct endpoint listen;
};

/* An exit status, after saying what is wrong where it is not 0. collect_arguments_done() in any case. */
int collect_arguments_take(struct collect_arguments *a, int argc, char **argv);
void collect_arguments_done(struct collect_arguments *a);

void collect_arguments_help(void);

#endif

#ifndef QOSMARK_CLI_LIVE_ARGUMENTS_H
#define QOSMARK_CLI_LIVE_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/anonymize_arguments.h"
#include "cli/common.h"
#include "cli/publish_arguments.h"
#include "cli/terminal.h"
#include "model/address.h"
#include "report/report.h"

/* The command line of `qosmark live`. Strings are borrowed from argv. */
struct live_arguments {
    struct policy_arguments policy;
    const char **interfaces;
    size_t interface_count;
    const char *point, *filter, *output, *violations, *user;
    struct anonymize_arguments anonymize;
    struct publish_arguments publish;
    struct report_options report;
    enum color_choice color;
    struct endpoint listen_at;
    int64_t duration_ns, interval_ns, idle_ns;
    uint64_t packets, buffer_bytes, snap_bytes, violations_bytes, violations_files;
    bool every_packet, promiscuous, immediate, hardware_time, listen, log, no_screen, outer, ignore_signalling;
    bool mask_payload_types, try_forbidden, help, version;
};

/* Returns an exit status, after saying what is wrong where it is not 0. live_arguments_done() in any case. */
int live_arguments_take(struct live_arguments *a, int argc, char **argv);
void live_arguments_done(struct live_arguments *a);
void live_arguments_help(void);

#endif

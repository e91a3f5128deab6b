#ifndef QOSMARK_CLI_PROBE_ARGUMENTS_H
#define QOSMARK_CLI_PROBE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/common.h"
#include "cli/terminal.h"
#include "engine/probe_run.h"
#include "probe/stamp_hmac.h"
#include "report/report_probe.h"

/* The command line of `qosmark probe`. */
struct probe_arguments {
    struct policy_arguments policy;
    const char *target; /* NULL with --nodes */
    const char *output, *key_file, *source, *listen;
    bool nodes, continuous, dry_run, packets, help, version;
    bool count_given, format_given;
    uint8_t ip_version; /* 4, 6, or 0 for both */
    uint16_t port;
    int64_t every_ns;
    uint8_t key[STAMP_KEY_MAX];
    size_t key_bytes;
    struct endpoint listen_at;
    enum report_format format;
    struct report_options report;
    enum color_choice color;
    struct probe_run_options run; /* policy, target and seed are still to be set */
};

/* Fills in the defaults, takes the line, and checks it as a whole. An exit status after saying what is wrong; 0 else.
 */
int probe_arguments_take(struct probe_arguments *a, int argc, char **argv);
void probe_arguments_done(struct probe_arguments *a);
void probe_arguments_print_help(void);

#endif

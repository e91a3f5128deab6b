#ifndef QOSMARK_CLI_TRACE_ARGUMENTS_H
#define QOSMARK_CLI_TRACE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/common.h"
#include "cli/terminal.h"
#include "model/trace_document.h"
#include "probe/trace.h"
#include "report/report_trace.h"

/* The command line of `qosmark trace`, and what it comes to. */

enum trace_engine { TRACE_ENGINE_AUTO = 0, TRACE_ENGINE_LIBNET, TRACE_ENGINE_UDP };

struct trace_arguments {
    struct policy_arguments policy;
    const char *target, *output, *classes, *source;
    uint8_t ip_version;                                                /* 0: either */
    uint8_t proto;                                                     /* PROTO_UDP, PROTO_TCP, PROTO_ICMP */
    uint64_t port, first_hop, max_hops, retries, queries, flows, rate; /* port, rate: 0 not given */
    int64_t timeout_ns;
    enum trace_engine engine;
    enum report_format format;
    enum color_choice color;
    struct report_options report;
    bool dry_run, help, version;
};

/* Each returns an exit status, after saying what is wrong where it is not 0. */
int trace_arguments_take(struct trace_arguments *a, int argc, char **argv);
void trace_arguments_help(void);

/* The classes to be traced: those of the policy that expect a mark on the way to the target, or those of --classes; the
 * control first. Fills in the marks of the plan too. */
int trace_classes_choose(const struct trace_arguments *a, const struct policy *policy, uint8_t ip_version,
                         bool from_node, struct trace_document *d, struct trace_plan *plan);

#endif

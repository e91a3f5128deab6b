#ifndef QOSMARK_ENGINE_PROBE_RUN_H
#define QOSMARK_ENGINE_PROBE_RUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/probe_document.h"
#include "policy/policy.h"
#include "probe/sender.h"

/* One probe of one target: plan, send, count, judge. */

#define PROBE_RATE_DEFAULT 1000.0 /* packets a second, unless more is asked for */
#define PROBE_LINK_SHARE   0.01   /* of the link, unless more is asked for */

struct probe_run_options {
    const struct policy *policy;
    const char *target; /* as given on the command line */
    const char *node;   /* its name in the policy, or "" */
    bool all_classes;   /* else those of `classes` */
    bool classes[CLASS_COUNT];
    uint64_t count; /* rounds; 0: as many as `duration_ns` has room for */
    int64_t duration_ns;
    int64_t interval_ns; /* of a round; 0: as short as the rate allows */
    double rate_pps;     /* asked for; 0: the careful defaults, of both kinds */
    uint32_t size;       /* bytes of UDP payload; 0: each class its usual one */
    struct probe_limits limits;
    struct sender_config sender; /* target, source, flows...; rounds and interval are the plan's */
};

/* What a probe is going to send. */
struct probe_plan {
    uint64_t rounds, packets;
    int64_t interval_ns;  /* of a round */
    double pps, bps;      /* on the wire, together */
    double link_bps;      /* 0: not known */
    bool slowed;          /* the interval is longer than asked for, to stay below the limits */
    bool limited_by_link; /* ... and it is the share of the link that asks for it */
};

/* Makes the document with its classes and the plan, and sends nothing. ERR_USAGE where it cannot be (no class expected,
 * too many packets, a size too small), ERR_MEMORY. */
int probe_plan_make(const struct probe_run_options *o, struct probe_document **ret, struct probe_plan *plan,
                    struct error *error);

/* Runs it into the document of probe_plan_make() and judges. A failure of the system is the document's `problem`, and
 * what came back until then is judged; negative only without memory. */
int probe_run(const struct probe_run_options *o, const struct probe_plan *plan, struct probe_document *d,
              struct error *error);

/* The interface that a packet to `target` leaves through, and its speed in bits a second, from sysfs; "" and 0 unknown.
 * Negative only without memory. */
int probe_route(const struct addr *target, const struct addr *source, char interface[static IF_NAMESIZE],
                double *ret_bps);

/* Whether the address is one of this machine's own. */
bool probe_is_own_address(const struct addr *a);

#endif

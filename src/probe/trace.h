#ifndef QOSMARK_PROBE_TRACE_H
#define QOSMARK_PROBE_TRACE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/trace_document.h"

/*
 * The path, hop by hop, for each mark: which probe is sent when, and what its answers mean. Nothing here knows a
 * socket: packets go through struct trace_io, behind which there is the network (probe/trace_raw.h,
 * probe/trace_socket.h) or a test's idea of one.
 *
 * Order: the control goes ahead, some hops at once, until the target answers or nobody does; then the other marks
 * follow on the same flow (so that nothing but the mark differs), all hops at once. A hop that answers some probes and
 * not others is asked again more slowly, since routers limit their ICMP errors; one that never answered is asked
 * `retries` times more. Further flows are explored with one mark, and with all where path or marks turn out
 * differently. Last, both ends of each change are asked once more.
 */

#define TRACE_MARKS_MAX 64
#define TRACE_FLOWS_MAX 16

struct trace_plan {
    dscp_t marks[TRACE_MARKS_MAX]; /* each once; the control's first, then by importance */
    size_t mark_count;
    uint16_t flows;              /* 1..TRACE_FLOWS_MAX */
    uint8_t first_hop, max_hops; /* 1..TRACE_HOPS_MAX */
    uint8_t retries;             /* for a probe without an answer */
    uint8_t queries;             /* answers wanted of each hop for each mark, at least 1 */
    int64_t timeout_ns;
    double rate; /* packets a second at most */

    const volatile sig_atomic_t *stop;                           /* ends the trace when not 0; NULL: none */
    void (*progress)(void *user, uint64_t done, uint64_t total); /* hops asked, of those known of; NULL: none */
    void *progress_user;
};

/* A packet to be sent. Numbers count from 1 and are never used twice in a trace. */
struct trace_probe {
    uint16_t number;
    uint16_t flow;
    uint8_t ttl;
    dscp_t dscp;
};

/* An answer to probe `number`. */
struct trace_event {
    uint16_t number;
    struct trace_reply reply; /* `count` is not used */
    uint8_t quoted_ttl;       /* 0: not known */
    bool from_target;         /* the target's own address answered */
};

struct trace_io {
    void *user;
    /* 0; ERR_LIMIT: the system's queue is full, to be tried again; ERR_IO: this packet was refused (a local firewall);
     * anything else ends the trace. */
    int (*send)(void *user, const struct trace_probe *p, struct error *error);
    /* Waits at most `wait_ns` for an answer: 1 and *ret, 0 for none, negative ends the trace. What is not about our
     * packets is counted in *ret_strays. */
    int (*receive)(void *user, int64_t wait_ns, struct trace_event *ret, uint64_t *ret_strays, struct error *error);
    int64_t (*now)(void *user); /* nanoseconds that never go back */
    /* How many probes may be unanswered at once; NULL: any number. It may change while the trace runs. */
    unsigned (*in_flight)(void *user);
};

/* Runs the plan and adds the paths and counts to the document (without source ports). 0, or negative with a sentence;
 * what was found until then is in the document all the same. */
int trace_run(const struct trace_plan *plan, const struct trace_io *io, struct trace_document *d, struct error *error);

#endif

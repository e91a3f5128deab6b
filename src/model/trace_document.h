#ifndef QOSMARK_MODEL_TRACE_DOCUMENT_H
#define QOSMARK_MODEL_TRACE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/address.h"
#include "model/dscp.h"
#include "model/kind.h"
#include "model/record.h"

/*
 * What one `qosmark trace` found. probe/trace.h fills in the paths, the command the target and the classes, and
 * policy/judge_trace.h the rest; report/report_trace.h renders it.
 *
 * A path is what was sent: packets of one mark on one flow (5-tuple), with each TTL. Classes that expect the same mark
 * send the same packets, so they share a path.
 */

#define TRACE_MARK_UNKNOWN (-1)
#define TRACE_HOPS_MAX     64
#define TRACE_LABELS_MAX   8
#define TRACE_REPLIES_MAX  4 /* different answers kept of one hop on one path */

enum trace_answer {
    TRACE_TIME_EXCEEDED = 0,
    TRACE_PORT_UNREACHABLE, /* the target, of a UDP port */
    TRACE_UNREACHABLE,      /* somebody on the way: no route, prohibited... */
    TRACE_ECHO_REPLY,
    TRACE_SYN_ACK,
    TRACE_RESET,
    TRACE_UDP_REPLY,
    TRACE_ANSWER_COUNT
};

struct trace_label {
    uint32_t label;
    uint8_t tc, ttl;
    bool bottom;
};

/* Answers of one kind from one address that quote one mark. */
struct trace_reply {
    struct addr addr;
    enum trace_answer answer;
    uint8_t code;       /* ICMP code of TRACE_UNREACHABLE */
    int8_t quoted_dscp; /* TRACE_MARK_UNKNOWN: the answer quotes none, or this engine cannot see it */
    int8_t quoted_ecn;  /* 0..3; TRACE_MARK_UNKNOWN */
    bool translated;    /* the quote has another source than what was sent: there is a NAT before this hop */
    uint16_t count;
    double rtt_ms; /* the least; negative: not known */
    uint8_t label_count;
    struct trace_label labels[TRACE_LABELS_MAX]; /* of the first of these answers, outermost first */
};

struct trace_hop {
    uint8_t ttl;
    uint16_t sent, answered;
    uint8_t reply_count;                           /* 0: silent */
    struct trace_reply replies[TRACE_REPLIES_MAX]; /* the most frequent first, the earliest of equals */
};

enum trace_verdict { TRACE_UNKNOWN = 0, TRACE_PRESERVED, TRACE_CHANGED };

/* Where a mark became another one: after the hop that quoted `from` last, at the latest at the hop that quoted `to`
 * first. Ttl 0 is this host. */
struct trace_change {
    uint8_t after_ttl, by_ttl;
    struct addr after, by;
    dscp_t from, to;
    bool tunnel; /* the mark came back downstream, where `until_ttl` is the last hop that quoted `to` */
    uint8_t until_ttl;
    const char *behaviour; /* behaviour_name() of the segment, all classes together; of a tunnel "preserved" */
};

struct trace_path {
    dscp_t dscp;            /* sent */
    uint16_t flow;          /* from 0; flow 0 has every mark */
    uint16_t src_port;      /* or the id of the echoes */
    struct trace_hop *hops; /* one a TTL, in order, without a silent tail; in the arena */
    size_t hop_count;
    bool reached;     /* the target answered, at the last hop */
    bool silent_tail; /* nobody answered beyond the last hop */

    /* filled in by policy/ */
    struct trace_change *changes;
    size_t change_count;
    enum trace_verdict verdict;
    int8_t last_dscp; /* the mark that was quoted last; TRACE_MARK_UNKNOWN: none was */
    uint8_t last_ttl; /* by this hop */
};

struct trace_class {
    const char *name;                 /* "voice", "control" */
    enum traffic_class traffic_class; /* CLASS_NONE: the control */
    bool control;
    dscp_t sent_dscp;
    dscp_set_t expected; /* of the policy; 0 for the control */
};

/* One cause, however many classes it has. */
struct trace_finding {
    const char *code;          /* of the contract */
    const char *message;       /* one plain sentence */
    const char *advice;        /* what to look at */
    uint8_t after_ttl, by_ttl; /* the segment; both 0 where it is about no segment */
    struct addr after, by;
    const char *behaviour;      /* "" where it is about no segment */
    uint64_t classes;           /* bit n: classes[n] */
    uint32_t flows;             /* bit n: flow n, the last one for all above 31 */
    enum confidence confidence; /* of the segment named */
    bool violation;             /* makes the verdict a fail */
};

struct trace_target {
    const char *name; /* as on the command line */
    struct addr addr, source;
    uint16_t port; /* 0 for echoes */
};

struct trace_document {
    struct arena arena;

    const char *policy_name, *policy_source;
    struct trace_target target;
    const char *proto;  /* "udp", "tcp", "icmp" */
    const char *engine; /* "libnet", or "udp": a socket, which cannot see quoted marks */
    bool sees_marks;
    int64_t begin_ns, end_ns; /* since 1970 */

    struct trace_class *classes; /* the control first; at most 64 */
    size_t class_count;
    struct trace_path *paths; /* by flow, then as the classes */
    size_t path_count;
    uint16_t flow_count;
    uint64_t sent, answered, strays; /* strays: ICMP errors and answers that are not about our packets */
    uint64_t not_sent;               /* packets that the system refused to send */

    /* filled in by policy/ */
    struct trace_finding *findings; /* violations first */
    size_t finding_count, findings_left_out;
    const char *behaviour; /* of the whole path, all classes together */
    enum summary_verdict verdict;
    const char *verdict_text;         /* one sentence: what the verdict rests on */
    const char *arrived_text;         /* one sentence: how far it is known, "" where all is */
    size_t checked, changed, unknown; /* classes other than the control */

    const char *problem; /* one sentence where the trace could not be made or not ended; "" otherwise */
    bool interrupted;    /* it did not come to its end: what has no answer may not have been asked */

    const char **notes;
    size_t note_count;
};

struct trace_document *trace_document_new(void); /* NULL without memory */
void trace_document_free(struct trace_document *d);

/* Adds a sentence to the notes; false without memory. */
bool trace_document_note(struct trace_document *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text in the document's arena; "" without memory. */
const char *trace_document_text(struct trace_document *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "time-exceeded", "port-unreachable", "unreachable", "echo-reply", "syn-ack", "reset", "udp-reply" */
const char *trace_answer_name(enum trace_answer a);

/* Whether this is how a target answers, rather than a router on the way. */
bool trace_answer_is_final(enum trace_answer a);

const char *trace_verdict_name(enum trace_verdict v); /* "preserved", "changed", "unknown" */

/* The hop with this TTL, or NULL. */
const struct trace_hop *trace_path_hop(const struct trace_path *p, uint8_t ttl);

/* The mark that the hop quoted on this path, where all its answers agree; else TRACE_MARK_UNKNOWN. */
int trace_hop_mark(const struct trace_hop *h);

/* The first path of a class on a flow, or NULL. */
const struct trace_path *trace_document_path(const struct trace_document *d, const struct trace_class *c,
                                             uint16_t flow);

#endif

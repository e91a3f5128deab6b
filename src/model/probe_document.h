#ifndef QOSMARK_MODEL_PROBE_DOCUMENT_H
#define QOSMARK_MODEL_PROBE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/address.h"
#include "model/dscp.h"
#include "model/kind.h"
#include "model/record.h"

/*
 * What one `qosmark probe` of one target found: every packet that was sent, what is known of it, and what follows from
 * that. Who sends (probe/ and engine/) fills in the target, the classes' names and marks and the packets; figures are
 * counted from the packets (probe/probe_figures.h), and policy/judge_probe.h judges.
 *
 * "Unknown" is a value of its own everywhere: a mark that nobody reported is never 0, and a loss that cannot be given
 * to one direction is given to none.
 */

/* A mark of one packet: 0..63, or that it is not known. */
#define PROBE_MARK_UNKNOWN (-1)

/* What became of a class's mark in one direction. */
enum probe_change { PROBE_CHANGE_UNKNOWN = 0, PROBE_CHANGE_PRESERVED, PROBE_CHANGE_CHANGED };

/* Whether the mark helped against the unmarked control. NONE: not compared (the control itself, or too few replies). */
enum probe_benefit {
    PROBE_BENEFIT_NONE = 0,
    PROBE_BENEFIT_INCONCLUSIVE,
    PROBE_BENEFIT_HELPED,
    PROBE_BENEFIT_NO,
    PROBE_BENEFIT_WORSE
};

/* Of a property of the other end. */
enum probe_fact { PROBE_FACT_UNKNOWN = 0, PROBE_FACT_NO, PROBE_FACT_YES };

/* Why the mark that arrived at the far end, or that the reply was sent with, is not known. */
enum probe_why {
    PROBE_WHY_NONE = 0,     /* it is known */
    PROBE_WHY_NOBODY_TELLS, /* a service: no server reports what arrived */
    PROBE_WHY_NO_TLV,       /* the reply has no Class of Service TLV (RFC 8762 or TWAMP reflector) */
    PROBE_WHY_U_FLAG,       /* the TLV came back with U set: not understood (RFC 8972 section 4) */
    PROBE_WHY_BAD_TLV,      /* the TLV came back, but not as RFC 8972 section 4.4 lays it out */
    PROBE_WHY_ECHO,         /* what it did not understand comes back without U as well: it answers nothing */
    PROBE_WHY_COPIED,       /* the mark reported is the one that the reply was asked for, whatever arrived */
    PROBE_WHY_UNREAD,       /* everything is reported as 0, and nothing shows that the reflector looks at it */
    PROBE_WHY_REFUSED,      /* RP = 1: the reflector replied with the mark it received */
    PROBE_WHY_UNPROVEN,     /* nothing shows that the reflector sends its replies with the mark it was asked for */
    PROBE_WHY_IGNORED,      /* something shows that it does not */
    PROBE_WHY_NO_CMSG,      /* the system did not hand over the mark of the packet that came back */
    PROBE_WHY_COUNT
};

/* One packet that was sent, and its reply. A service adds packets that the server sent beyond the first one with
 * `sent_ns` 0 and `extra` set: they count in `returned` and not in `sent`. */
struct probe_packet {
    int64_t sent_ns;    /* wall clock, since 1970 */
    int64_t rtt_ns;     /* without the time the reflector held it; negative: not known */
    int64_t forward_ns; /* T2 - T1: two clocks, so only its variation says something. PROBE_NO_TIME: not known */
    int64_t reverse_ns; /* T4 - T3, the same */
    uint32_t round;     /* all classes of one round were sent close to one another, in random order */
    uint32_t sequence;  /* as sent */
    uint32_t reflected; /* the reflector's own sequence number */
    uint16_t class_index;
    uint16_t flow;       /* 5-tuples differ from flow to flow */
    uint16_t size_bytes; /* of the UDP payload */
    uint8_t asked;       /* DSCP that the reply should carry */
    int8_t arrived;      /* DSCP at the far end; PROBE_MARK_UNKNOWN */
    int8_t arrived_ecn;  /* 0..3; PROBE_MARK_UNKNOWN */
    int8_t replied;      /* DSCP the reflector says it replied with; PROBE_MARK_UNKNOWN */
    int8_t returned;     /* DSCP of the reply here; PROBE_MARK_UNKNOWN */
    int8_t returned_ecn; /* 0..3; PROBE_MARK_UNKNOWN */
    uint8_t why_forward; /* enum probe_why of `arrived` */
    uint8_t why_reverse; /* enum probe_why of `replied` or `returned` */
    uint8_t copies;      /* further replies to the same packet */
    bool answered;
    bool late;         /* the reply came after the time allowed */
    bool reordered;    /* the reply came after that of a packet sent later in the same flow */
    bool witness;      /* sent to learn about the reflector: in no class's figures */
    bool echoed;       /* a witness's question came back unanswered and without U */
    bool told;         /* the reflector itself said which mark it replied with (probe_ask.h) */
    bool extra;        /* see above */
    const char *phase; /* of a service: "SYN-ACK", "TLS handshake", "data"...; NULL otherwise */
};

#define PROBE_NO_TIME INT64_MIN

/* Packets by mark, and those whose mark is not known. */
struct probe_marks {
    uint64_t packets[DSCP_COUNT];
    uint64_t unknown;
};

/* One row of the matrix sent -> arrived -> returned. */
struct probe_matrix_row {
    int8_t arrived, returned; /* PROBE_MARK_UNKNOWN: nobody reported it, or the packet was lost */
    bool answered;
    uint64_t packets;
};

/* Packets lost; negative: not known. */
struct probe_loss {
    int64_t forward, reverse, round_trip;
};

/* Milliseconds. Nothing is known where `count` is 0. */
struct probe_spread {
    uint64_t count;
    double min, median, p95, p99, max;
};

/* A difference "class minus control" with its confidence interval: 95 % for all classes of the document together
 * (Bonferroni), so wider than for one alone. */
struct probe_interval {
    bool known;
    double estimate, low, high;
};

struct probe_class {
    const char *name;                 /* "voice", "control" */
    enum traffic_class traffic_class; /* CLASS_NONE: the control */
    bool control;
    dscp_t sent_dscp;
    dscp_set_t expected_return; /* what may come back: the mark asked for, or what the policy expects of the node */
    dscp_t preferred_return;
    double tolerance;    /* share of packets that may be wrong, 0..1 (the policy's) */
    uint32_t size_bytes; /* of the UDP payload; 0: not one size */

    /* counted from the packets */
    uint64_t sent, answered, late, reordered, duplicates;
    struct probe_marks arrived, returned;
    const struct probe_matrix_row *matrix; /* most packets first */
    size_t matrix_count;
    struct probe_loss lost;
    struct probe_spread rtt_ms;
    struct probe_spread forward_ms, reverse_ms;  /* one-way delay above the least of that direction (RFC 5481 PDV) */
    double forward_jitter_ms, reverse_jitter_ms; /* RFC 3550 section 6.4.1; negative: not known */
    struct probe_interval delay_ms;              /* round trip against the control, packets of one round paired */
    struct probe_interval loss_share;            /* share lost against the control's, -1..1 */
    double control_queue_ms;   /* by how much the control's median round trip was above the path's least; negative: not
                                  known */
    double control_loss_share; /* negative: not known */

    /* filled in by policy/ */
    enum probe_change forward, reverse;
    const char *forward_reason, *reverse_reason; /* one sentence why unknown; "" otherwise */
    enum probe_benefit benefit;
    const char *benefit_reason; /* one sentence */
    bool violating;             /* a mark changed, or a limit is exceeded */
};

/* A finding about the path or the far end; grouped: one cause that changes five classes is one finding. */
struct probe_finding {
    const char *code;      /* a word of the contract (finding_code_name()), or one of judge_probe.h */
    const char *message;   /* one plain sentence */
    const char *advice;    /* what to type or look at; "" where nothing is to be done */
    const char *direction; /* "forward", "reverse", "both", or "" */
    uint64_t packets;
    const uint32_t *classes; /* indices into classes */
    size_t class_count;
    enum confidence confidence; /* of the cause named */
    bool violation;             /* makes the verdict a fail */
    bool limit;                 /* about a limit that was asked for, not about marks */
};

struct probe_target {
    const char *name; /* as given on the command line */
    const char *node; /* its name in the policy; "" where it is none */
    struct endpoint endpoint;
    struct endpoint source; /* our address; port 0 where several were used */
    const char *interface;  /* that routes there; "" where not known */
};

struct probe_reflector {
    enum probe_fact stateful; /* counts for itself: loss can be told apart by direction */
    enum probe_fact tlvs;     /* understands the Class of Service TLV */
    enum probe_fact obeys;    /* replies with the mark that it is asked for */
    enum probe_fact reads;    /* something shows that it looks at the marks it reports; UNKNOWN: it was not asked */
    bool authenticated;       /* HMAC of the replies was checked */
    uint64_t twamp_marks;     /* replies whose byte after Sender TTL is not 0 (RFC 7750) */
};

/* What arrived and was not counted. */
struct probe_strays {
    uint64_t foreign; /* not from the target, or no reply to a packet of ours */
    uint64_t malformed;
    uint64_t bad_hmac;
    uint64_t icmp;     /* ICMP errors for our packets */
    uint64_t not_sent; /* packets that the system refused to send */
};

struct probe_limits {
    double max_rtt_ms, max_jitter_ms; /* negative: none */
    double max_loss;                  /* share 0..1; negative: none */
};

struct probe_document {
    struct arena arena;

    const char *policy_name, *policy_source;
    struct probe_target target;
    const char *method; /* "stamp", "sip over tcp", ... */
    const char *engine; /* "udp", "libnet", "tcp": what sent */
    struct probe_reflector reflector;
    struct probe_limits limits;
    int64_t begin_ns, end_ns; /* wall clock */
    double load_bps;          /* best-effort load beside the probes; 0: none */

    struct probe_class *classes; /* in the arena; the control last */
    size_t class_count;
    struct probe_packet *packets; /* on the heap, freed with the document; in the order sent */
    size_t packet_count, packet_cap;
    const uint16_t *flow_ports; /* our port of each flow; in the arena */
    size_t flow_count;
    struct probe_strays strays;
    struct probe_loss lost; /* of all packets, witnesses too: known where a class's own may not be */

    /* filled in by policy/ */
    const char *forward_behaviour, *reverse_behaviour;   /* "bleach-dscp": behaviour_name(); "unknown" */
    const char *forward_consistent, *reverse_consistent; /* all behaviours that explain it, with spaces between */
    struct probe_finding *findings;                      /* in the arena, worst first */
    size_t finding_count;
    enum summary_verdict verdict;
    const char *verdict_text; /* one sentence: what the verdict rests on */

    const char *problem; /* one sentence where the probe could not be made or nothing came back; "" otherwise */
    bool system_failed;  /* the problem is of this machine (exit 3), not of the far end (exit 4) */

    const char **notes; /* sentences for the reader */
    size_t note_count;
};

struct probe_document *probe_document_new(void); /* NULL without memory */
void probe_document_free(struct probe_document *d);

/* Adds a packet (all marks and times unknown, not answered) and returns it, borrowed until the next one is added; NULL
 * without memory. */
struct probe_packet *probe_document_add(struct probe_document *d);

/* Adds a sentence to the notes (printf format); false without memory. */
bool probe_document_note(struct probe_document *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text in the document's arena; "" without memory. */
const char *probe_document_text(struct probe_document *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The marks with which packets came back: of one class, or of all with class_index -1; of one part of a connection
 * (`phase`), or of all with NULL. */
struct probe_marks probe_document_marks(const struct probe_document *d, const char *phase, int class_index);

/* Packets with a known mark, and those among them whose mark is in `set`. */
uint64_t probe_marks_known(const struct probe_marks *m);
uint64_t probe_marks_in(const struct probe_marks *m, dscp_set_t set);
/* The marks seen. */
dscp_set_t probe_marks_set(const struct probe_marks *m);

const char *probe_change_name(enum probe_change c);   /* preserved, changed, unknown */
const char *probe_benefit_name(enum probe_benefit b); /* helped, no-benefit, worse, inconclusive; "" for none */

#endif

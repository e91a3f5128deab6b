#ifndef QOSMARK_MODEL_DOCUMENT_H
#define QOSMARK_MODEL_DOCUMENT_H

#include "base/arena.h"
#include "base/hash.h"
#include "model/record.h"

/*
 * All that an audit found: what report/ renders.
 *
 * Of half a million streams nothing is kept twice. A record is made when somebody looks at it, into a scratch that he
 * brings along, by the rooms that know the stream: stream/ reads it from its table, policy/ adds the verdict from the
 * sixteen bytes that it keeps of it, and, where they are asked for, the findings in words. Calls and grouped findings
 * are made the same way. What is kept for each stream is in arrays of numbers.
 *
 * A document may also be given its records, calls and findings as arrays (saved records, tests): then those are it.
 */

/* What of a record costs time to make and is left out unless it is asked for. */
enum record_part {
    RECORD_PLAIN = 0,       /* everything but the following */
    RECORD_REASON = 1,      /* unknown_reason, reason */
    RECORD_WORDS = 2,       /* evidence, explanation, codec, repairs, server_name */
    RECORD_FINDINGS = 4,    /* findings */
    RECORD_ALL = RECORD_REASON | RECORD_WORDS | RECORD_FINDINGS
};

enum { REASON_MAX = 200, RECORD_FINDINGS_MAX = 3 };

/* The words of one finding. */
struct finding_scratch {
    struct finding finding;
    struct strbuf message, advice, wireshark, subject;
    bool failed; /* some words were left out for want of memory */
};

/* What a record is made in. {0} is its first state; it may be used for any number of records, one after the other. */
struct record_scratch {
    struct record record;
    struct record_mark marks[DSCP_COUNT], outer[DSCP_COUNT];
    struct rtp_figures rtp;
    char evidence[EVIDENCE_MAX], reason[REASON_MAX];
    struct strbuf explanation;
    struct finding_scratch findings[RECORD_FINDINGS_MAX];
    struct finding finding_list[RECORD_FINDINGS_MAX];
    uint32_t self; /* the one stream that its findings are about */
    bool failed;   /* some words were left out for want of memory */
};

struct call_scratch {
    struct call call;
    char id[32], from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
    struct record_scratch record;
};

/* One room's share in making records and findings. `own` is the room's. */
struct record_layer {
    void *own;
    /* Adds what the room knows of record `i` to the scratch. */
    void (*fill)(void *own, const struct document *d, size_t i, unsigned parts, struct record_scratch *s);
    void (*free)(void *own);
};

struct finding_layer {
    void *own;
    /* What was found of one record; the record is in the scratch, complete but for this. */
    void (*fill)(void *own, const struct document *d, size_t i, struct record_scratch *s);
    void (*group)(void *own, const struct document *d, size_t i, struct finding_scratch *s);
    void (*free)(void *own);
};

/* What policy/ keeps of each record; indices as in struct record, in less room. */
struct judged {
    uint16_t expectation; /* into document.expectations */
    uint16_t node, peer_node, site;
    uint8_t direction, kind, traffic_class, verdict;
    uint8_t reason; /* policy's own numbering */
    uint8_t flags;  /* enum judged_flag */
};

enum judged_flag {
    JUDGED_PRIORITY = 1, /* violating_packets are those with a priority mark, not those outside `marks` */
    JUDGED_COUNTED = 2,  /* there are violating_packets */
    JUDGED_TUNNEL = 4,   /* an outer mark differs from the inner one, and the inner one was judged */
    JUDGED_SHARED = 8,   /* cannot be verified: shares a connection */
    JUDGED_REASON_ALIKE = 16, /* its reason is the same in all records of that number */
    JUDGED_REASON_OWN = 32,   /* its reason is its unknown_reason, where it has one */
};

enum { UNKNOWN_OTHER = 255 };

struct expectation {
    dscp_set_t marks; /* 0: nothing is expected */
    dscp_t preferred;
    uint64_t min_packets;
};

struct document {
    struct arena arena;
    struct hash_key key; /* for tables of what came from the network */

    const char *policy_name, *policy_source;
    struct expectation_row expect[CLASS_COUNT]; /* marks == 0: nothing expected; without per-direction refinements */

    struct input *inputs;
    size_t input_count;
    struct node *nodes;
    size_t node_count;
    struct site *sites;
    size_t site_count;

    size_t record_count;    /* by first packet */
    struct record *records; /* heap; NULL where they are made by the layers */
    struct record_layer streams, verdicts;
    const uint8_t *kinds;    /* enum kind by record, borrowed from `streams`; NULL where `records` has them */
    const uint32_t *call_of; /* call index + 1 by record, likewise */
    const uint8_t *unknown;  /* by record, likewise: one number is one unknown_reason; UNKNOWN_OTHER: ask it */
    bool explain;            /* explanations are asked for */

    size_t call_count;
    struct call *calls;    /* the first `calls_given` of them; the others are sessions without readable signalling */
    size_t calls_given;
    uint32_t *call_start;  /* heap: where each call's streams begin in call_streams; call_count + 1 */
    uint32_t *call_streams;

    struct judged *judged; /* heap, by record; NULL before judge_document() */
    struct expectation *expectations;
    size_t expectation_count;
    dscp_set_t priority; /* marks that only the classes which expect them may carry */

    struct summary summary;
    struct summary_row *by_class;
    size_t by_class_count;
    struct summary_row *by_site;
    size_t by_site_count;
    struct summary_row unclassed; /* violating streams that the policy has no class for */
    struct quality right_quality, wrong_quality;

    size_t finding_count;     /* grouped by cause, worst first */
    struct finding *findings; /* NULL where they are made by the layer */
    struct finding_layer causes;

    bool limited; /* a limit of ours kept something from being looked at; the notes say which */
    const char **notes; /* sentences for the reader: nodes inferred, caps reached, streams evicted */
    size_t note_count;

    void *owned; /* what the layers read from, where it lives as long as the document */
    void (*owned_free)(void *owned);
};

struct document *document_new(void);
void document_free(struct document *d);

/* `what` is freed with the document, after its layers: the table of streams that it is about. */
void document_own(struct document *d, void *what, void (*free_what)(void *what));

/* Sets the file of an input, and what records call it where `point` (or else NULL) names the place that it was captured
 * at: that, with the file behind it where the place has `many`. False without memory. */
bool document_name_input(struct document *d, struct input *in, const char *file, const char *point, bool many);

/* What records call an input. */
static inline const char *input_point(const struct input *in)
{
    return in->point ? in->point : in->file;
}

/* Adds a sentence to the notes (printf format); false without memory. */
bool document_note(struct document *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Record `i` with the parts (enum record_part, or-ed) that are asked for; good until the scratch is used again. */
const struct record *document_record(const struct document *d, size_t i, unsigned parts, struct record_scratch *s);
void record_scratch_done(struct record_scratch *s);

/* The same answers as the record's, without making it. */
enum kind document_kind(const struct document *d, size_t i);
enum verdict document_verdict(const struct document *d, size_t i);

/* Call `i` with its streams and verdict; good until the scratch is used again. */
const struct call *document_call(const struct document *d, size_t i, struct call_scratch *s);
void call_scratch_done(struct call_scratch *s);

/* How many streams of call `i` violate, its verdict, and how many streams it has, without making it. */
struct call_counts {
    size_t streams, violating;
    enum verdict verdict;
};
struct call_counts document_call_counts(const struct document *d, size_t i);

/* When the first and the last of all calls began; false where there are none. */
bool document_call_span(const struct document *d, int64_t *ret_first_ns, int64_t *ret_last_ns);

/* Finding `i` of those grouped by cause; good until the scratch is used again. */
const struct finding *document_finding(const struct document *d, size_t i, struct finding_scratch *s);
void finding_scratch_done(struct finding_scratch *s);

/* Takes the finding's words from the scratch's buffers; false without memory. */
bool finding_scratch_finish(struct finding_scratch *s);
/* Empties the buffers. */
void finding_scratch_begin(struct finding_scratch *s);

/* Finds out which streams belong to each call (records must know their call), and so when it was last heard of; false
 * without memory. */
bool document_link_calls(struct document *d);

#endif

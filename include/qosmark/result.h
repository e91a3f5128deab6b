#ifndef QOSMARK_RESULT_H
#define QOSMARK_RESULT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <qosmark/audit.h>
#include <qosmark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What an audit found. The structs below are made by the library alone, and may have more members at their end in a
 * later version, but for qosmark_frame, qosmark_end and qosmark_mark, which stand inside others or in arrays. Text in
 * them is never NULL; where there is none it is "".
 */

enum qosmark_verdict {
    QOSMARK_UNCHECKED = 0,   /* the policy expects nothing of it */
    QOSMARK_CONFORMING = 1,
    QOSMARK_VIOLATING = 2,
    QOSMARK_UNDETERMINED = 3 /* what it is is not known well enough, or it has too few packets */
};

enum qosmark_summary_verdict {
    QOSMARK_NOTHING_CHECKED = 0, /* not passed: nothing that the policy names was seen */
    QOSMARK_PASS = 1,
    QOSMARK_FAIL = 2
};

/* How sure a judgement is. */
enum qosmark_confidence { QOSMARK_NONE = 0, QOSMARK_LOW = 1, QOSMARK_HIGH = 2, QOSMARK_CERTAIN = 3 };

/* "unchecked", "conforming"...; "nothing-checked", "pass", "fail"; "none", "low"...: the words of the JSON report. ""
 * for another number. */
QOSMARK_API const char *qosmark_verdict_name(int verdict);
QOSMARK_API const char *qosmark_summary_verdict_name(int verdict);
QOSMARK_API const char *qosmark_confidence_name(int confidence);

QOSMARK_API void qosmark_result_free(qosmark_result *result); /* takes NULL; its readers are to be freed before it */

typedef struct qosmark_summary {
    enum qosmark_summary_verdict verdict;
    int complete;             /* 0: an input could not be read to its end, or a cap was reached: see the notes */
    uint64_t streams;         /* = checked + undetermined + unchecked */
    uint64_t checked;         /* = conforming + violating */
    uint64_t conforming, violating, undetermined, unchecked;
    uint64_t packets_checked, packets_violating;
    uint64_t findings, calls; /* how many there are to read */
} qosmark_summary;

/* Valid as long as the result; so are inputs and notes. */
QOSMARK_API const qosmark_summary *qosmark_result_summary(const qosmark_result *result);

/* A file, or the packets that were handed in. */
typedef struct qosmark_input {
    const char *name;        /* as it was given; "packets" */
    const char *problem;     /* a sentence where it is not complete */
    int complete;
    uint64_t packets, bytes; /* frames, and their length on the wire */
    int64_t first_ns, last_ns; /* since 1970, UTC */
    uint64_t truncated, malformed, unsupported; /* frames of which no IP packet could be made */
    uint64_t dropped;        /* by who captured, where the file says */
} qosmark_input;

QOSMARK_API size_t qosmark_result_input_count(const qosmark_result *result);
/* NULL from the end on. */
QOSMARK_API const qosmark_input *qosmark_result_input(const qosmark_result *result, size_t i);

/* Sentences that a reader must know before taking the figures for the whole truth: nodes that were inferred, caps that
 * were reached. NULL from the end on. */
QOSMARK_API const char *qosmark_result_note(const qosmark_result *result, size_t i);

/* --- streams, findings, calls ------------------------------------------------------------------------------------- */

/*
 * They are made when they are looked at, into a reader. What a reader's function returned is good until the same
 * function is called again with that reader; any number of readers may look at a result, from one thread at a time.
 */
typedef struct qosmark_reader qosmark_reader;
QOSMARK_API qosmark_reader *qosmark_reader_new(const qosmark_result *result, qosmark_error *error);
QOSMARK_API void qosmark_reader_free(qosmark_reader *reader); /* takes NULL */

/* Frame `number` (from 1, as Wireshark counts) of input `input` (from 0). Number 0 is none. */
typedef struct qosmark_frame {
    uint64_t number;
    uint32_t input;
} qosmark_frame;

typedef struct qosmark_end {
    const char *text;          /* "10.0.0.1:5060", "[2001:db8::1]:5060" */
    const char *address_text;  /* RFC 5952 */
    const uint8_t *address;    /* 4 or 16 bytes in network order */
    int ip_version;            /* 4 or 6 */
    unsigned port;             /* 0 where the protocol has none */
} qosmark_end;

/* Packets of a stream with one DSCP, by the order of their first ones. */
typedef struct qosmark_mark {
    int dscp;
    uint64_t packets, bytes;
    qosmark_frame first, last;
    int64_t first_ns, last_ns;
} qosmark_mark;

/* RFC 3550 sections 6.4.1, A.1, A.3, A.8. */
typedef struct qosmark_rtp {
    uint32_t clock_rate;                            /* Hz; 0 where not known */
    uint64_t expected, lost, reordered, duplicates; /* packets */
    double jitter_ms;                               /* negative where not known */
    double max_gap_ms;                              /* the longest silence between two packets */
} qosmark_rtp;

/* One thing that is wrong, or, of a result, one cause with all the streams that it explains. */
typedef struct qosmark_finding {
    const char *code;      /* "bleached", "never-marked"...: docs/FORMATS.md */
    const char *message;   /* a plain sentence */
    const char *advice;    /* what to type or look at */
    const char *wireshark; /* display filter for exactly the packets counted */
    const char *subject;   /* the node, site or host that it is about */
    enum qosmark_confidence confidence; /* of the cause named, not of the marks seen */
    uint64_t packets;
    qosmark_frame first;
    const uint32_t *streams; /* indices */
    size_t stream_count;
    int cut;               /* 1: some text was left out for want of memory */
} qosmark_finding;

/* One direction of one conversation with one meaning. Media is told apart by SSRC, never by addresses alone: BUNDLE
 * puts voice and video on one pair of ports. */
typedef struct qosmark_stream {
    size_t index;
    int protocol;                 /* IANA number: 17 is UDP, 6 is TCP */
    qosmark_end source, destination;
    int has_ssrc;
    uint32_t ssrc;
    const char *kind;             /* "rtp-audio", "sip"...: what the wire shows */
    enum qosmark_confidence confidence;
    const char *evidence;         /* "SDP m=audio, frame 12" */
    const char *explanation;      /* with QOSMARK_OPTION_EXPLAIN: what each feature said, one a line */
    const char *codec;            /* "opus/48000" */
    const char *traffic_class;    /* "voice"...: what the policy makes of the kind */
    enum qosmark_direction direction;
    const char *node, *peer_node; /* the node that sends, or else receives; between nodes, the one that receives */
    const char *site;
    const char *call;             /* qosmark_call.id */

    enum qosmark_verdict verdict;
    const char *reason;           /* why undetermined or unchecked */
    uint64_t expected;            /* set of marks; 0 where nothing is expected */
    int preferred;                /* DSCP; -1 where nothing is expected */
    uint64_t packets, bytes;      /* bytes of the IP packets */
    uint64_t violating_packets;
    int64_t first_ns, last_ns;
    qosmark_frame first;
    const qosmark_mark *marks;    /* what was seen */
    size_t mark_count;
    uint64_t mark_changes;        /* how often a packet had another mark than the one before */
    const qosmark_mark *outer;    /* marks of the next IP header outside, in a tunnel; without frames and times */
    size_t outer_count;
    uint64_t ecn[4];              /* packets by ECN codepoint: not-ECT, ECT(1), ECT(0), CE (RFC 3168 section 5) */
    const qosmark_rtp *rtp;       /* NULL for what is not RTP */
    const qosmark_finding *const *findings; /* of this stream alone */
    size_t finding_count;
    int cut;                      /* 1: some text was left out for want of memory */
} qosmark_stream;

/* Stream `i` of qosmark_summary.streams, by first packet. NULL from the end on. */
QOSMARK_API const qosmark_stream *qosmark_reader_stream(qosmark_reader *reader, size_t i);

/* Its verdict alone, which costs next to nothing; QOSMARK_E_USAGE from the end on. */
QOSMARK_API int qosmark_result_stream_verdict(const qosmark_result *result, size_t i);

/* Finding `i` of qosmark_summary.findings: grouped by cause, worst first. NULL from the end on. */
QOSMARK_API const qosmark_finding *qosmark_reader_finding(qosmark_reader *reader, size_t i);

/* What a SIP dialog set up, or, without readable signalling, streams that share a media 5-tuple or an RTCP CNAME. */
typedef struct qosmark_call {
    const char *id;         /* "call-1" */
    const char *call_id;    /* of SIP */
    const char *from, *to;  /* of SIP, or the ends */
    const char *user_agent; /* of the caller */
    int64_t first_ns, last_ns;
    enum qosmark_verdict verdict;
    const uint32_t *streams; /* indices */
    size_t stream_count;
} qosmark_call;

/* Call `i` of qosmark_summary.calls. NULL from the end on. */
QOSMARK_API const qosmark_call *qosmark_reader_call(qosmark_reader *reader, size_t i);

/* --- reports ------------------------------------------------------------------------------------------------------ */

enum qosmark_format {
    QOSMARK_FORMAT_TEXT = 0,
    QOSMARK_FORMAT_JSON = 1,  /* one document, schema qosmark.audit/1 */
    QOSMARK_FORMAT_JSONL = 2, /* one stream a line, schema qosmark.stream/1 (jsonlines.org) */
    QOSMARK_FORMAT_CSV = 3,   /* RFC 4180 */
    QOSMARK_FORMAT_HTML = 4   /* one page that needs nothing else */
};

/* For text, or-ed. */
enum qosmark_report_flag {
    QOSMARK_REPORT_QUIET = 1,   /* the verdict line alone */
    QOSMARK_REPORT_STREAMS = 2, /* streams too */
    QOSMARK_REPORT_DETAILS = 4, /* and all that is known of them */
    QOSMARK_REPORT_COLOR = 8,   /* ANSI escape sequences */
    QOSMARK_REPORT_UNICODE = 16 /* bars and boxes beyond ASCII */
};

/* Takes `length` bytes of a report; returns 0, or another number to stop. */
typedef int (*qosmark_sink)(void *user, const char *bytes, size_t length);

/* A report as `qosmark audit -f` writes it. `width` is that of the terminal in columns, for text: 80 at least, 0 for
 * 80. QOSMARK_E_IO where the sink stopped it, QOSMARK_E_USAGE for an unknown format or flag, QOSMARK_E_MEMORY; part of
 * the report may have been written then. */
QOSMARK_API int qosmark_result_write(const qosmark_result *result, enum qosmark_format format, unsigned flags,
                                     unsigned width, qosmark_sink sink, void *user, qosmark_error *error);

/* The same into a file, which stays open and is flushed. */
QOSMARK_API int qosmark_result_print(const qosmark_result *result, enum qosmark_format format, unsigned flags,
                                     unsigned width, FILE *file, qosmark_error *error);

/* A format by its name: "text", "json", "jsonl", "csv", "html". QOSMARK_E_USAGE where there is none of that name. */
QOSMARK_API int qosmark_format_parse(const char *name);

#ifdef __cplusplus
}
#endif

#endif

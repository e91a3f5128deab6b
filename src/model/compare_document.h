#ifndef QOSMARK_MODEL_COMPARE_DOCUMENT_H
#define QOSMARK_MODEL_COMPARE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/address.h"
#include "model/dscp.h"
#include "model/kind.h"
#include "model/record.h"

/*
 * What one `qosmark compare` found. compare/run.h fills it in, policy/judge_compare.h adds the behaviours, the
 * findings and the verdict, report/report_compare.h renders it.
 *
 * Captures are points on a path, in the order given. A segment lies between two of them. Traffic crosses a segment one
 * way or the other: forward is from the first point to the second. "Before" and "after" are always those of the packet
 * on its way: of what goes backwards, before is the mark in the second capture.
 */

enum compare_way {
    COMPARE_FORWARD = 0,
    COMPARE_BACKWARD,
    COMPARE_BOTH,
    COMPARE_ROWS /* rows of figures: each way, and both */
};

/* How it is known which way a stream goes. */
enum compare_way_by { COMPARE_WAY_ASSUMED = 0, COMPARE_WAY_TTL, COMPARE_WAY_CLOCK, COMPARE_WAY_HOST };

/* Why a packet of a matched stream is neither matched nor lost. */
enum compare_why {
    COMPARE_OUTSIDE = 0,   /* not surely within the time of the other capture */
    COMPARE_IDENTICAL,     /* others of its stream are the same: nothing tells them apart */
    COMPARE_COPIES_DIFFER, /* it is in one capture more than once, with different marks */
    COMPARE_CUT,           /* a snapshot length left too little to tell it by */
    COMPARE_FRAGMENTS,     /* its fragments are incomplete, or carry different marks */
    COMPARE_RESEGMENTED,   /* bytes that the other capture has in packets of other sizes, or with other content */
    COMPARE_WAY_UNKNOWN,   /* only in one capture, and which of the two it passes first is not known */
    COMPARE_MIXED,         /* among others with several marks on both sides, so that nothing tells which became which */
    COMPARE_UNPROVEN,      /* of a private address that two sites may have, and nothing tells that it is one host's */
    COMPARE_WHY_COUNT
};

/* Why a stream could not be matched. */
enum compare_unpaired {
    COMPARE_PAIRED = 0,
    COMPARE_NOT_SEEN,   /* no packet of it is in the other capture */
    COMPARE_OTHER_TIME, /* it was sent before the other capture began, or after it ended */
    COMPARE_AMBIGUOUS,  /* the other capture has its packets in more than one stream */
    COMPARE_TAKEN,      /* the other capture has its packets in a stream that is matched with another one */
    COMPARE_TOO_SHORT,  /* the snapshot length, or payloads too short or too alike, leave nothing to match it by */
    COMPARE_UNPAIRED_COUNT
};

enum { COMPARE_FINDINGS_MAX = 512 };

struct compare_capture {
    struct input input;
    uint64_t taken;    /* packets that took part */
    uint64_t left_out; /* beyond the cap on packets or streams */
};

struct compare_cell {
    dscp_t before, after;
    uint64_t packets;
    uint64_t wanted;  /* of those with another mark: on purpose, as a topology says */
    uint64_t unmet;   /* of those that kept it: though a topology says that it becomes another one */
    uint64_t streams; /* that have such packets; 0: not counted */
    uint64_t first_before,
        first_after; /* frames of the earliest such packet, in the capture before and in that after */
};

/* Delay above the least one of its way, which is what clocks that disagree leave to be known. Milliseconds. */
struct compare_spread {
    uint64_t packets; /* 0: not known */
    double median, p95, p99, max;
    double jitter; /* RFC 3550 §6.4.1, of the segment alone; negative: not known */
};

/* Loss of one class against that of all others of the same way. */
struct compare_loss_test {
    bool done;        /* there was something to compare with */
    double low, high; /* interval of the difference of the shares, class minus others */
    uint32_t slices_more,
        slices_less; /* parts of the common time in which the class lost the larger or the smaller share */
    double chance;   /* of so many slices on one side, were there no difference (sign test, both sides) */
    uint64_t lost, sent; /* of the class, where it is known whether a packet arrived */
    uint64_t other_lost, other_sent;
    double pair_low, pair_high; /* interval of the difference within pairs of hosts that exchange both */
    bool concentrated; /* nearly all of the class's losses are one flow's, which is not nearly all of the class */
    bool differs;      /* all of it agrees, with room for the number of classes */
};

struct compare_class {
    enum traffic_class traffic_class; /* CLASS_NONE: all that the policy has no class for */
    uint64_t streams;                 /* matched ones */
    uint64_t matched, changed;
    uint64_t wanted; /* of the changed ones: on purpose, as a topology says */
    uint64_t lost; /* surely sent within the time of the other capture, and not in it */
    bool loss_unknown; /* though that of others in the row may be known: in a fleet, no packet of it has a number */
    uint64_t lost_by_dscp[DSCP_COUNT];
    uint64_t unresolved[COMPARE_WHY_COUNT];
    uint64_t appeared; /* only in the capture after, in streams that were matched */
    uint64_t reordered;
    uint64_t ecn_marked, ecn_cleared; /* became CE; was ECT or CE and is not-ECT */
    struct compare_cell *cells;       /* by mark before, then most packets first */
    size_t cell_count;
    struct compare_spread delay;
    struct compare_loss_test test;
};

/* The figures of one way, or of both. */
struct compare_row {
    struct compare_class classes[CLASS_COUNT]; /* by traffic class */
    uint64_t streams, matched, changed, wanted, lost;
    bool loss_known;
    const char *loss_reason;  /* why it is not; "" otherwise */
    uint64_t in_holes;        /* packets not compared since the capture after has nothing at all at that time */
    int64_t longest_hole_ns;  /* of those */
    const char *behaviour;    /* filled in by policy/ */
    uint64_t assumed_streams; /* of which nothing tells the way, though traffic of their hosts passes both ways */
    uint64_t assumed_changed; /* their packets with another mark that is not wanted, where of other streams it is known */
};

/* One stream that was matched. */
struct compare_stream {
    uint8_t proto;
    struct endpoint src[2], dst[2]; /* in the first and in the second capture of the segment */
    bool has_ssrc;
    uint32_t ssrc;
    enum kind kind;
    enum traffic_class traffic_class;
    enum compare_way way;
    enum compare_way_by way_by;
    bool way_doubtful; /* assumed, though traffic of its hosts passes both ways */
    bool translated;   /* found by what its packets hold, not by its addresses */
    uint64_t matched, changed, wanted, lost;
};

struct compare_segment {
    uint32_t first, second; /* captures */
    struct compare_row rows[COMPARE_ROWS];
    bool clock_known[2];
    int64_t offset_ns[2]; /* by way: the clock of the far capture minus that of the near one, plus the least delay */
    double drift_ppm[2];
    bool both_ways;
    const dscp_set_t *wanted[2]; /* by way: what each mark may become on purpose, DSCP_COUNT of them; NULL: not said */
    struct compare_stream *streams; /* those with most changed packets first; in the arena */
    size_t stream_count, streams_left_out;
};

struct compare_unmatched {
    uint32_t capture, other;
    uint8_t proto;
    struct endpoint src, dst;
    bool has_ssrc;
    uint32_t ssrc;
    enum kind kind;
    enum traffic_class traffic_class;
    uint64_t packets;
    enum compare_unpaired why;
    uint64_t first_frame;
};

struct compare_finding {
    const char *code;
    const char *message, *advice;
    uint32_t segment; /* index into segments */
    enum compare_way way;
    uint64_t packets;
    uint64_t streams;                   /* 0: not counted */
    uint32_t classes;                   /* bit n: traffic class n */
    uint64_t first_before, first_after; /* frames; 0 for none */
    const char *wireshark;              /* display filter for the capture after; "" for none */
    enum confidence confidence;
    bool violation;
};

struct compare_document {
    struct arena arena;
    bool points; /* the captures are points of a fleet (fleet/fleet_sum.h), and segments lie between any two of them */
    const char *policy_name, *policy_source;

    struct compare_capture *captures;
    size_t capture_count;
    struct compare_segment *segments; /* between neighbours */
    size_t segment_count;
    struct compare_segment *whole; /* from the first to the last: the only segment where there are two captures */

    struct compare_unmatched *unmatched; /* heap; within a segment by capture and reason, most packets first */
    size_t unmatched_count, unmatched_cap, unmatched_left_out;

    /* filled in by policy/ */
    struct compare_finding *findings;        /* violations first */
    size_t finding_count, findings_left_out; /* at most COMPARE_FINDINGS_MAX */
    enum summary_verdict verdict;
    const char *verdict_text;
    bool complete;

    const char **notes;
    size_t note_count;
};

struct compare_document *compare_document_new(void); /* NULL without memory */
void compare_document_free(struct compare_document *d);

/* Adds a sentence to the notes; false without memory. */
bool compare_document_note(struct compare_document *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Text in the document's arena; "" without memory. */
const char *compare_document_text(struct compare_document *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

const char *compare_way_name(enum compare_way w);           /* "forward", "backward", "both" */
const char *compare_way_by_name(enum compare_way_by b);     /* "assumed", "ttl", "clock", "host" */
const char *compare_why_name(enum compare_why w);           /* "outside-window"... */
const char *compare_unpaired_name(enum compare_unpaired u); /* "not-seen"... */
const char *compare_unpaired_text(enum compare_unpaired u); /* one sentence for people, without a full stop */

/* "voice", or "unclassified" for what the policy has no class for. */
const char *compare_class_name(enum traffic_class c);

/* Adds the counts of one class to those of another; not the cells, the delays and the test. */
void compare_class_add(struct compare_class *to, const struct compare_class *from);
void compare_class_sort(struct compare_class *c); /* its cells, into their order */

/* The sums of a row out of its classes. */
void compare_row_add_up(struct compare_row *row);

/* How many packets of a class were sent, as far as is known: what arrived and was set aside did not get lost. */
uint64_t compare_class_sent(const struct compare_class *c);

/* Of a segment, the capture before and the one after for a way. */
static inline uint32_t compare_before(const struct compare_segment *s, enum compare_way w)
{
    return w == COMPARE_BACKWARD ? s->second : s->first;
}

static inline uint32_t compare_after(const struct compare_segment *s, enum compare_way w)
{
    return w == COMPARE_BACKWARD ? s->first : s->second;
}

#endif

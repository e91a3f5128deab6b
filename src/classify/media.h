#ifndef QOSMARK_CLASSIFY_MEDIA_H
#define QOSMARK_CLASSIFY_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "classify/rtp.h"
#include "model/kind.h"

/*
 * Voice or video, without signalling. Everything here is pure: media_features is what a stream keeps (plain data, no
 * pointers, zero is the initial state, kept small because there is one a stream, and in few lines of a cache);
 * media_observe() adds a packet; media_decide() reads the features at any time. The mark is not among the inputs, and
 * must never be.
 */
#define MEDIA_RATES     10 /* rows of the table of clock rates in media_features.c */
#define MEDIA_STEPS     6
#define MEDIA_RELATIVES 6

struct media_features {
    uint32_t packets; /* all that were observed */
    uint32_t ssrc;

    /* The last packet in order. */
    int64_t last_ns;
    uint32_t last_timestamp, newest_timestamp;
    uint16_t last_sequence, last_size;
    uint16_t group_packets; /* packets with last_timestamp so far */
    uint16_t turns;         /* how often the main type came back after another */
    uint16_t counted;       /* packets of the main payload type, since it became that, that the rest is drawn from */
    uint8_t main_type, other_run; /* packets of other types in a row */
    bool started : 1, apart : 1;  /* apart: the next packet makes no pair with the last */
    bool last_marker : 1, group_marked_early : 1;

    /* Markers, padding; groups of several packets, and of them those with the marker on the last alone. */
    uint16_t marked, groups, groups_ended, padded, repeated, late;

    /* Sizes of payloads on the wire. */
    uint16_t size_min, size_max;
    uint32_t size_sum, size_changes; /* size_changes: how far each packet's size is from the one's before, summed up */

    /* Pairs of packets that follow each other in sequence. */
    uint16_t pairs, same, back, forward;
    uint16_t steps_of_90; /* ways forward that are a multiple of 1 ms at 90 kHz */
    uint16_t step_counts[MEDIA_STEPS];
    uint32_t step_ticks[MEDIA_STEPS]; /* the most frequent ways forward */

    /* The clock: timestamp against wall clock, in windows between packets that begin a new timestamp. */
    uint32_t check_timestamp;
    int64_t check_ns, span_ns; /* where the window began; sum of the windows that showed some rate */
    uint64_t span_ticks;
    uint16_t windows[MEDIA_RATES];
    uint16_t windows_other; /* windows that showed no rate of the table */
};
_Static_assert(sizeof(struct media_features) <= 168, "one is kept for each stream");

/* What is known beside the stream itself when it is decided about. */
struct media_context {
    uint32_t sender_report_clock_rate;                      /* exact rate from RTCP sender reports, 0 without */
    bool webrtc;                                            /* ICE and DTLS seen on the 5-tuple */
    const struct media_features *siblings[MEDIA_RELATIVES]; /* other streams of the same 5-tuple and direction */
    uint8_t sibling_count;
    const struct media_features *reverse[MEDIA_RELATIVES]; /* streams of the 5-tuple's other direction */
    uint8_t reverse_count;
    bool one_medium;         /* one stream each way, and no ICE, DTLS, TURN or TCP: the 5-tuple is one m-line's */
    bool in_brief;           /* no evidence in words: for questions while packets come */
    bool mask_payload_types; /* take no payload type at its static meaning (--mask-payload-types, for accuracy) */
};

struct media_decision {
    struct judgement judgement; /* one of the rtp- kinds; rtp-unknown with confidence none and the reason as evidence */
    uint32_t clock_rate;        /* best estimate in Hz, 0 where not known */
    const char *codec;          /* static: from RFC 3551 for a static payload type, "" otherwise */
    const char *repairs;        /* "rtx", "fec" or "": static */
};

void media_observe(struct media_features *f, const struct rtp_header *h, int64_t time_ns);
void media_decide(const struct media_features *f, const struct media_context *context, struct media_decision *ret);

/* Whether `f` may repair `other` (RTX, FEC), as far as packets and timestamps tell: cheap, to choose siblings by. */
bool media_may_repair(const struct media_features *f, const struct media_features *other);

/* The rate in Hz that most windows showed, from the table; 0 where none did or they disagree. `share` (0..100) and
 * `windows` say how firmly. Windows are seen at 200 ms of media and every 200 ms from then on. */
uint32_t media_clock_rate(const struct media_features *f, unsigned *share, unsigned *windows);

/* The mean over all windows that showed some rate, in Hz; 0 without. The longer the stream, the nearer to the truth. */
uint32_t media_mean_rate(const struct media_features *f);

/* What each feature said, a line each, for --explain. */
void media_explain(const struct media_features *f, const struct media_context *context, struct strbuf *to);

#endif

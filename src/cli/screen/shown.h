#ifndef QOSMARK_CLI_SCREEN_SHOWN_H
#define QOSMARK_CLI_SCREEN_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "model/live.h"
#include "report/view_verdict.h"

/*
 * What of a look is on the screen, copied: a document is good until the next look only, and keys are answered between
 * two looks. Of many streams the first SHOWN_STREAMS in the order asked for are copied, and the rest is counted.
 */

enum { SHOWN_STREAMS = 2000, SHOWN_CALLS = 500, SHOWN_FINDINGS = 200, SHOWN_MARKS = 8, SHOWN_FILTER_MAX = 64 };

/* What the list of streams is sorted by; all but `worst` from large to small, words from A to Z. */
enum stream_order {
    ORDER_WORST = 0, /* wrong share, then packets */
    ORDER_PACKETS,
    ORDER_LOSS,
    ORDER_JITTER,
    ORDER_NODE,
    ORDER_SOURCE,
    ORDER_DESTINATION,
    ORDER_CLASS,
    ORDER_NEWEST,
    ORDER_COUNT
};

const char *stream_order_name(enum stream_order o);

struct shown_mark {
    dscp_t dscp;
    enum verdict verdict; /* violating: wrong; undetermined: would be; otherwise right, or not asked */
    uint64_t packets;
    int64_t first_ns, last_ns;
};

struct shown_stream {
    uint64_t id;                           /* of this stream, whatever its place in the document */
    const char *node, *peer, *site, *call; /* "" for none */
    char src[ENDPOINT_TEXT_MAX], dst[ENDPOINT_TEXT_MAX];
    const char *point;
    const char *words; /* what a filter is looked for in, in lower case */
    struct endpoint source, destination;
    uint8_t proto;
    bool has_ssrc, has_rtp;
    uint32_t ssrc;
    enum kind kind;
    enum confidence confidence;
    enum traffic_class traffic_class;
    enum direction direction;
    enum verdict verdict;
    dscp_set_t expected;
    dscp_t preferred;
    uint64_t packets, bytes, wrong;
    int64_t first_ns, last_ns;
    uint32_t mark_changes, mark_count;    /* mark_count may be more than there is room for */
    struct shown_mark marks[SHOWN_MARKS]; /* by first appearance; where there are more, those with most packets */
    struct rtp_figures rtp;
};

/* What takes time to say of a stream: only of the one asked for. */
struct shown_words {
    uint64_t id; /* 0: of none */
    const char *evidence, *reason, *codec, *server_name, *confidence;
    struct shown_finding *findings;
    size_t finding_count;
};

struct shown_finding {
    uint64_t id;
    enum finding_code code;
    enum confidence confidence;
    const char *subject, *message, *advice, *wireshark;
    uint64_t packets, streams;
    int64_t opened_ns, closed_ns, last_wrong_ns; /* opened_ns 0: not followed in time */
};

struct shown_call {
    uint64_t id;
    const char *name, *call_id, *from, *to, *user_agent;
    int64_t first_ns;
    size_t streams, violating;
    enum verdict verdict;
};

struct shown_point {
    const char *name, *problem;
    enum live_point_state state;
    int64_t state_since_ns;
    uint64_t packets, bytes, dropped;
    uint64_t dropped_lately; /* since the look before */
    double packets_per_s, bits_per_s;
};

struct shown_class {
    enum traffic_class traffic_class;
    enum direction direction;
    uint64_t streams, packets, violating_streams, violating_packets;
    uint64_t by_dscp[DSCP_COUNT], wrong_by_dscp[DSCP_COUNT], unsure_by_dscp[DSCP_COUNT];
    dscp_set_t expected;
    dscp_t preferred;
    bool judged;
    const struct live_series *series; /* NULL: nothing came lately */
};

/* The streams asked for. */
struct shown_wish {
    enum stream_order order;
    bool reversed;
    const char *filter; /* any case; "" for all */
    uint64_t words_of;  /* the stream whose words are asked for; 0 */
};

struct shown {
    struct arena arena; /* of everything but the streams */
    struct arena stream_arena;
    bool there;  /* a look was taken */
    bool failed; /* something is missing for want of memory */

    int64_t began_ns, now_ns;
    struct view_verdict verdict;
    char rest[160];
    enum summary_verdict summary;
    const char *policy_name;

    struct shown_point *points;
    size_t point_count;
    struct shown_class *classes;
    size_t class_count;
    struct shown_finding *findings; /* open ones first */
    size_t finding_count, open_count, finding_total;
    struct shown_call *calls; /* worst first, then newest */
    size_t call_count, call_total;
    const char **notes;
    size_t note_count;

    struct shown_stream *streams; /* in the order asked for */
    size_t stream_count;
    uint64_t stream_total;    /* in the document */
    uint64_t stream_matching; /* of those, what the filter leaves */
    uint64_t forgotten;       /* ended, and in the sums only */
    struct shown_words words;
    struct shown_stream *pinned; /* the stream whose words these are, listed or not; NULL where it is gone */
    struct shown_wish taken;     /* how the streams were asked for */
    char taken_filter[SHOWN_FILTER_MAX];
};

/* Copies what a look shows. `streams` false leaves those of the look before, where looking through them takes long. */
void shown_take(struct shown *s, const struct live_view *v, const struct shown_wish *wish, bool streams);
void shown_done(struct shown *s);

/* Whether the words hold the filter, in any case. */
bool shown_matches(const char *words, const char *filter);

/* ---- shown_streams.c ---- */
void shown_take_streams(struct shown *s, const struct live_view *v, const struct shown_wish *wish);
void shown_take_words(struct shown *s, const struct live_view *v, uint64_t id);

/* A copy in an arena; "" for NULL and without memory. */
const char *shown_copy(struct shown *s, struct arena *a, const char *text);

#endif

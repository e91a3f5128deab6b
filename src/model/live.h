#ifndef QOSMARK_MODEL_LIVE_H
#define QOSMARK_MODEL_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/document.h"

/*
 * What a live check shows at each look: made by live/run.h, rendered by report/ and by the terminal. Here, because
 * both of them need it.
 */
struct policy; /* policy/policy.h */

enum live_point_state { LIVE_POINT_UP = 0, LIVE_POINT_DOWN, LIVE_POINT_GONE };

struct live_point {
    const char *name;
    enum live_point_state state;
    int64_t state_since_ns;
    const char *problem; /* one sentence where it is down or gone; "" */
    uint64_t packets, bytes;
    uint64_t dropped_kernel, dropped_interface; /* lost before they were seen: the verdict is incomplete */
};

/* A finding as it opens and closes. It is open while wrong packets of it keep coming, and closed after 30 s without. It
 * opens at once where there are five of them, or at the next look. */
struct live_finding {
    uint64_t id;                                 /* for this run: the same finding keeps its id */
    const char *key;                             /* code and subject, stable from run to run: "bleached site berlin" */
    struct finding finding;                      /* its words are good until the next look */
    int64_t opened_ns, last_wrong_ns, closed_ns; /* closed_ns: 0 while it is open */
    bool opened_now, closed_now;                 /* since the last look */
};

/* Packets by second of one class and direction, for a sparkline: the newest last. */
#define LIVE_SERIES_SECONDS 300
struct live_series {
    enum traffic_class traffic_class;
    enum direction direction;
    uint32_t right[LIVE_SERIES_SECONDS], wrong[LIVE_SERIES_SECONDS], unsure[LIVE_SERIES_SECONDS];
};

#define LIVE_VERDICTS (VERDICT_UNDETERMINED + 1)

/* A row as in document.by_class, of one point alone. */
struct live_row {
    uint32_t point; /* index into live_view.points */
    struct summary_row row;
};

/* What came since the last interval ended: rows as in document.by_class. */
struct live_interval {
    int64_t from_ns, until_ns;
    const struct summary_row *by_class; /* of all points together */
    size_t by_class_count;
    uint64_t new_streams, ended_streams;
    uint64_t packets, packets_checked, packets_violating;
    uint64_t dropped_kernel, dropped_interface;
};

/* What became of the messages to the collectors of a fleet. */
struct live_publishing {
    bool connected;
    uint64_t added, acknowledged;
    uint64_t buffered, buffered_bytes; /* in memory now */
    uint64_t spilled;                  /* went through the file, so far */
    uint64_t waiting, waiting_bytes;   /* in the file now */
    uint64_t dropped, damaged, repeated;
    uint64_t connections;
    char problem[256]; /* why none is acknowledged; "" */
};

/* What a look shows. Everything in it is good until the next call of live_run_*(). */
struct live_view {
    int64_t began_ns, now_ns;
    int64_t clock_ns;     /* now, by a clock that nobody sets: for what is counted since something */
    int64_t look_took_ns; /* how long judging took this time: what comes meanwhile waits in the kernel's ring */
    /* Judged and diagnosed: the streams at present and those that ended lately are listed; summary, by_class, by_site
     * and findings are of all since the beginning. document.inputs are the points. */
    const struct document *document;
    size_t active_streams;   /* of those listed */
    const uint32_t *leaving; /* records of this document that no later look has: they ended long enough ago */
    size_t leaving_count;
    uint64_t forgotten_streams; /* ended, and in the sums only */
    /* by enum verdict: streams at present, and all that have ended since the beginning (listed or not) */
    uint64_t active_by_verdict[LIVE_VERDICTS], ended_by_verdict[LIVE_VERDICTS];
    const struct live_row *rows; /* document.by_class by point, of all since the beginning */
    size_t row_count;
    const struct live_point *points;
    size_t point_count;
    const struct live_finding
        *findings; /* open ones first, worst first; closed ones that are still in the document after */
    size_t finding_count;
    const struct live_series *series;
    size_t series_count;
    const struct live_interval *interval; /* NULL but where one has just ended */
    const struct policy *policy;
    /* How often another policy was given since the beginning, and how often it was refused; whether the last one was:
     * what is judged by is then not what its file says. */
    uint64_t policy_reloads, policy_refusals;
    bool policy_refused;
    const struct live_publishing *publishing; /* NULL where nothing is published */
};

#endif

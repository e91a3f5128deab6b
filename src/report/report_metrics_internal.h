#ifndef QOSMARK_REPORT_REPORT_METRICS_INTERNAL_H
#define QOSMARK_REPORT_REPORT_METRICS_INTERNAL_H

#include "report/report_metrics.h"

/* What report_metrics.c remembers from look to look and report_metrics_write.c writes. */

/* A number that only grows, made of one that may be revised. */
struct gain {
    uint64_t seen;  /* at the look before */
    uint64_t total; /* all that it gained */
};

/* A counter for each combination of labels. */
enum metric_what { METRIC_PACKETS = 0, METRIC_VIOLATING };
enum { DSCP_OTHER = DSCP_COUNT, POINT_ALL = UINT16_MAX };

struct metric_key {
    uint8_t what, traffic_class, direction;
    uint8_t dscp;  /* 0..63, DSCP_OTHER; 0 where METRIC_VIOLATING */
    uint16_t node; /* into live_metrics.nodes */
    uint16_t point;
};

struct metric_counter {
    struct metric_key key;
    struct gain gain;
    uint64_t now; /* summed up over the rows of this look */
    bool touched;
};

struct metric_point {
    struct gain packets, bytes, dropped_kernel, dropped_interface;
};

/* Those that are folded once the table is full have room beyond it: one for each class, direction and point. */
enum { METRIC_SLOTS = 32768 };

struct live_metrics {
    const struct policy *policy; /* of the look before; compared, never read */
    char *nodes[LIVE_METRICS_NODES + 2]; /* [0] is none, the last one is all others */
    size_t node_count;
    struct metric_counter *counters;
    size_t counter_count, counter_cap;
    uint16_t slots[METRIC_SLOTS]; /* 1 + index of a counter, by hash of its key */
    struct metric_point *points;
    size_t point_count;
    struct gain checked, violating, ended[LIVE_VERDICTS];
    uint64_t looks, opened[FINDING_CODE_COUNT];
    bool class_grew[CLASS_COUNT], class_seen[CLASS_COUNT];
    int64_t class_last_ns[CLASS_COUNT]; /* the look at which the class last gained packets; else when it all began */
};

#endif

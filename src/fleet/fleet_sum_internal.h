#ifndef QOSMARK_FLEET_FLEET_SUM_INTERNAL_H
#define QOSMARK_FLEET_FLEET_SUM_INTERNAL_H

#include "base/arena.h"
#include "base/slots.h"
#include "fleet/fleet_sum.h"

/* Shared by fleet_sum*.c. */

struct sum_cell {
    uint64_t packets, streams;
};

struct sum_class {
    uint64_t streams, matched, changed, lost, appeared;
    uint64_t lost_by_dscp[DSCP_COUNT];
    uint64_t unresolved[COMPARE_WHY_COUNT];
    uint64_t delays[CROSSING_DELAYS];
    struct sum_cell *cells; /* DSCP_COUNT squared, made when needed; in the arena */
};

struct sum_way {
    struct sum_class classes[CLASS_COUNT];
    uint64_t assumed_streams, assumed_changed;
    uint64_t unknown_loss_streams;
    uint64_t away;
    bool loss_known, clock_known;
    int64_t offset_ns, clock_window_ns; /* of the newest window that has it */
};

struct sum_stream {
    uint64_t id;
    struct compare_stream stream;
};

struct sum_segment {
    uint32_t first, second; /* points */
    struct sum_way ways[2];
    struct sum_stream *streams;
    size_t stream_count, stream_cap;
    struct slots stream_index;
    uint64_t streams_left_out;
};

struct sum_window {
    int64_t window_ns, present_ns, first_ns, last_ns;
    uint64_t frames, dropped, starts;
};

struct sum_point {
    char *name;
    uint64_t packets, deltas, missing, late, unpublished, alone;
    struct sum_window *windows; /* what each partition says of a window is the same: the most of it counts */
    size_t window_count, window_cap;
};

struct fleet_sum {
    struct hash_key key;
    struct arena arena;
    struct sum_point *points;
    size_t point_count, point_cap;
    struct sum_segment **segments;
    size_t segment_count, segment_cap;
    uint64_t *seen; /* what was counted as a stream of a segment, class or cell */
    size_t seen_count, seen_cap;
    struct slots seen_index;
    const char **notes;
    size_t note_count;
    uint64_t left_out; /* rows beyond the cap on segments */
};

#endif

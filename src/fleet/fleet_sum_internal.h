#ifndef QOSMARK_FLEET_FLEET_SUM_INTERNAL_H
#define QOSMARK_FLEET_FLEET_SUM_INTERNAL_H

#include "base/arena.h"
#include "base/slots.h"
#include "fleet/fleet_sum.h"
#include "fleet/partition.h"
#include "fleet/topology.h"
#include "policy/judge_loss.h"

/* Shared by fleet_sum*.c. */

struct sum_cell {
    uint64_t packets, streams;
};

struct sum_class {
    struct compare_class figures; /* without cells */
    uint64_t delays[CROSSING_DELAYS];
    struct sum_cell *cells; /* DSCP_COUNT squared, made when needed; in the arena */
    uint64_t *said; /* likewise: packets that a topology speaks of, by cell: wanted ones, or unmet where they kept it */
};

/* What one class sent from one host to another. */
struct sum_pair {
    uint64_t hosts; /* hash of their addresses at both points */
    enum traffic_class traffic_class;
    uint64_t sent, lost;
};

/* Losses by time, in at most SUM_SLICES_MAX slices: where there are more, two become one. */
enum { SUM_SLICES_MAX = 256 };
struct sum_times {
    int64_t width_ns;
    int64_t *numbers; /* ascending: the slice begins at number * width_ns */
    struct loss_slice *slices;
    size_t count;
};

struct sum_way {
    struct sum_class classes[CLASS_COUNT];
    struct sum_times times;
    struct sum_pair *pairs;
    size_t pair_count, pair_cap;
    struct slots pair_index;
    /* packets with numbers: of which it is known whether they arrived, and of which it is not */
    uint64_t sent[CLASS_COUNT], unknown[CLASS_COUNT];
    uint64_t assumed_streams, assumed_changed;
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
    struct topology_wanted wanted;
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
    uint64_t packets, deltas, missing, unpublished, alone;
    struct sum_window *windows; /* what each partition says of a window is the same: the most of it counts */
    size_t window_count, window_cap;
};

struct fleet_sum {
    struct hash_key key;
    const struct topology *topology; /* NULL: none */
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
    uint64_t left_out;                      /* rows beyond the cap on segments */
    uint8_t partitions[PARTITIONS_MAX / 8]; /* that rows came from */
    unsigned partitions_told;               /* over which sensors spread their streams, the most of it */
    size_t pairs;                           /* of all segments */
};

/* fleet_sum_loss.c: what is lost, by time and by hosts. False without memory. */
bool sum_loss_add(struct fleet_sum *s, struct sum_way *way, const struct crossing *c);
void sum_loss_done(struct sum_way *way);

/* Whether one class loses more than others, for one way of a segment; `ways` is the number of such questions that are
 * asked at the same time. False without memory. */
bool sum_loss_judge(const struct sum_way *way, size_t ways, struct compare_row *row);

/* Packets that were seen behind a segment and not before it, so many that what is missing proves nothing. */
bool sum_loss_is_doubtful(const struct sum_way *way, uint64_t *ret_appeared);

#endif

#ifndef QOSMARK_FLEET_CROSSING_H
#define QOSMARK_FLEET_CROSSING_H

#include "base/error.h"
#include "base/text.h"
#include "fleet/delta.h"
#include "model/compare_document.h"

/*
 * What the collector finds, and keeps: small rows, each with a key of its own, so that whoever finds one again (after a
 * crash, in place of another collector) writes the same row over it.
 *
 * A crossing is what one stream met in one segment, between two points that both saw it, in one window of time. Windows
 * are pieces of time of one length, counted by the sensors' clocks: they bound the memory, and how far back a collector
 * has to read that takes over from another one.
 */
enum {
    CROSSING_CELLS_MAX = 24,
    CROSSING_DELAYS = 84, /* buckets: four to a doubling, from 10 us; the last one holds all that is longer */
    CROSSING_SLICES = 16, /* of a window */
    CROSSING_ID_MAX = 64,
    FLEET_NAME_MAX = 2 * DELTA_NAME_MAX, /* "site/point" */
};

struct crossing_cell {
    dscp_t before, after;
    uint64_t packets;
};

/* Packets of which it is known whether they arrived, by the time of the block that they are in. */
struct crossing_slice {
    uint32_t sent, lost;
};

struct crossing {
    char id[CROSSING_ID_MAX]; /* the same whoever finds it */
    int64_t window_ns;        /* its begin */
    unsigned partition;
    bool final; /* all that the window will show: no later look changes it */
    const char *first,
        *second;        /* points, "site/point"; first is that of the segment, before or after by `stream.way` */
    uint64_t stream_id; /* the same in each window and segment that tells of the same stream at `first` */
    struct compare_stream stream;
    uint64_t lost_by_dscp[DSCP_COUNT];
    uint64_t lost_unmarked; /* of `stream.lost`, those that were sent among packets with several marks */
    uint64_t unresolved[COMPARE_WHY_COUNT];
    uint64_t away; /* of those outside: in long stretches that the point after did not see though it was there */
    uint64_t appeared;
    bool loss_known;  /* numbered packets, at both points */
    int64_t slice_ns; /* length of a slice; 0: not told */
    struct crossing_slice slices[CROSSING_SLICES];
    struct crossing_cell cells[CROSSING_CELLS_MAX]; /* by before, then after */
    size_t cell_count;
    uint32_t delays[CROSSING_DELAYS]; /* how many of the packets that were timed at both points came so late */
    bool clock_known;
    int64_t offset_ns;         /* of the clocks, the least delay in it: that of the point after, minus that before */
    int64_t first_ns, last_ns; /* of the stream in the window, by the clock of the point before */
};

/* What was known of a point in a window of one partition. */
struct fleet_point {
    const char *name; /* "site/point" */
    int64_t window_ns;
    unsigned partition;
    bool final;
    int64_t first_ns, last_ns; /* of its intervals in the window */
    int64_t present_ns;        /* how much of the window its intervals cover */
    uint64_t frames, dropped;  /* that it took and lost in those: the same in every partition */
    uint64_t packets;          /* of streams that were told of, in this partition */
    uint64_t deltas, missing;  /* messages that came, and that it says it sent and that did not */
    uint64_t unpublished;      /* messages that its sensor dropped since it began */
    uint64_t alone;            /* streams that no other point saw */
    uint32_t starts;           /* of the sensor, in the window */
    unsigned partitions;       /* over which it spreads its streams; 0: not told yet */
};

/* Adds a cell, or to one that is there; false where there is no room. */
bool crossing_add(struct crossing *c, dscp_t before, dscp_t after, uint64_t packets);

/* Whether what is missing is lost: not where the point after has about as many packets that the one before lacks. There
 * sensors miss packets, or there is another way beside this one. */
bool crossing_loss_is_known(const struct crossing *c);

/* The bucket of a delay, and the middle of a bucket in milliseconds. */
size_t crossing_bucket(double delay_ns);
double crossing_bucket_ms(size_t bucket);

/* "46>0:1200 46>46:3" and back: what a history keeps in one column. False for what is not of that form. */
void crossing_cells_text(const struct crossing *c, struct strbuf *to);
bool crossing_cells_parse(struct slice text, struct crossing *ret);

/* "12:3 40:1": index and count of what is not 0. */
void crossing_counts_text(const uint64_t *counts, size_t n, struct strbuf *to);
bool crossing_counts_parse(struct slice text, uint64_t *counts, size_t n);

/* Counts a packet, or some, by the time of the point before. */
void crossing_slice_add(struct crossing *c, int64_t near_ns, uint64_t sent, uint64_t lost);
struct crossing_slice crossing_sent(const struct crossing *c); /* of all slices */

/* "18750000000 0:512 1:500/12": length, then index, packets sent and, where there are some, lost ones. */
void crossing_slices_text(const struct crossing *c, struct strbuf *to);
bool crossing_slices_parse(struct slice text, struct crossing *ret);

/* One JSON object in a line (schema qosmark.crossing/1), with the newline. */
void crossing_write_json(const struct crossing *c, struct strbuf *to);

#endif

#ifndef QOSMARK_STREAM_HISTOGRAM_H
#define QOSMARK_STREAM_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/record.h"

/*
 * The histogram of marks of one stream, with the first and last packet of each mark, so that a change in mid-call keeps
 * its place in time. Nearly every stream has one mark: that one is kept inline, more are allocated.
 */
struct histogram {
    struct record_mark one;   /* the first mark seen; packets == 0 while nothing was */
    struct record_mark *more; /* the others, by first appearance */
    uint8_t more_count;
    bool has_last;
    dscp_t last;         /* of the newest packet */
    uint32_t changes;    /* packets whose mark is not that of the packet before */
    uint64_t ecn[4];
};

/* One packet's place and size. */
struct mark_event {
    tos_t tos;
    uint32_t bytes;
    struct frame_ref frame;
    int64_t time_ns;
};

/* False without memory: the packet is not counted then. */
bool histogram_add(struct histogram *m, const struct mark_event *e);

/* Adds the counts of `from` to `to`. The order of appearance and the changes follow the times. False without memory:
 * then those of some marks are missing. */
bool histogram_merge(struct histogram *to, const struct histogram *from);

size_t histogram_count(const struct histogram *m);
/* Copies them out by first appearance; `to` has room for histogram_count(). */
void histogram_copy(const struct histogram *m, struct record_mark *to);
void histogram_done(struct histogram *m);

#endif

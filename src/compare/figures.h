#ifndef QOSMARK_COMPARE_FIGURES_H
#define QOSMARK_COMPARE_FIGURES_H

#include "compare/match.h"
#include "model/compare_document.h"

/*
 * Two points become one segment of the document: pairs their flows, matches their packets, and counts by class and way
 * what happened on the way. `d` has its captures; what could not be paired goes to its list of unmatched streams unless
 * `quiet`. 0 or ERR_MEMORY.
 */
int compare_segment_make(struct compare_document *d, const struct compare_point *first,
                         const struct compare_point *second, bool quiet, struct compare_segment *ret);

/* ---- shared by compare_figures*.c ---- */

struct compare_stream_stat {
    uint64_t matched, changed, lost, reordered;
    double jitter_ns, last_ns; /* RFC 3550 §6.4.1 of the differences */
    int64_t newest_far_ns;
};

/* Packets of one class and way between two marks. */
struct compare_count {
    uint64_t packets;
    uint32_t first[2]; /* frames: before, after */
};

struct compare_work {
    struct compare_document *document;
    struct compare_segment *segment;
    const struct compare_point *points[2];
    struct compare_pairing pairing;
    struct compare_matches matches;
    uint8_t *class_of[2];                 /* enum traffic_class by stream, the better of what both captures know */
    uint32_t *partner[2];                 /* by stream: the same one in the other capture, COMPARE_NONE */
    struct compare_stream_stat *stats[2]; /* by stream of the capture before */
    struct clock_fit *clocks;             /* by way */
    struct compare_count *counts[2][CLASS_COUNT]; /* by way: DSCP_COUNT squared, made when needed */
    struct loss_slice *slices;                    /* COMPARE_SLICES of each way */
};

static inline uint32_t compare_near(enum compare_way w)
{
    return w == COMPARE_BACKWARD;
}

/* loss.c: which of the packets that are alone were lost, by class. False without memory. */
bool compare_loss_count(struct compare_work *w);

/* class_loss.c: whether one class lost more than the others. False without memory. */
bool compare_loss_test(struct compare_work *w);

/* list.c: the streams that were matched, and those that were not. */
bool compare_list_streams(struct compare_work *w);
bool compare_list_unmatched(struct compare_work *w);

#endif

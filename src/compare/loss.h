#ifndef QOSMARK_COMPARE_LOSS_H
#define QOSMARK_COMPARE_LOSS_H

#include "base/clock_fit.h"
#include "compare/figures.h"

/*
 * A packet is lost where it was surely sent while the capture after ran, by the clocks and delays of those that
 * arrived, and is not in it. Whether one class loses more than the others is asked in class_loss.c.
 */
enum { COMPARE_SLICES = 32 };

struct compare_slices {
    uint64_t sent[COMPARE_SLICES], lost[COMPARE_SLICES];
};

struct compare_slices *compare_loss_slices(const struct compare_work *w, enum compare_way way, enum traffic_class c);
void compare_loss_begin(struct compare_work *w, enum compare_way way);
void compare_loss_arrived(struct compare_work *w, enum compare_way way, enum traffic_class c, int64_t near_ns);

/* Whether losses are known at all, after compare_loss_count() and the sums. */
void compare_loss_know(struct compare_work *w);

/* A time of one capture by the clock of the other, at the earliest and at the latest; false where no packet tells. */
bool compare_loss_window(const struct compare_work *w, uint32_t side, int64_t ns, int64_t *ret_earliest,
                         int64_t *ret_latest);

#endif

#ifndef QOSMARK_COMPARE_LOSS_H
#define QOSMARK_COMPARE_LOSS_H

#include "base/clock_fit.h"
#include "compare/figures.h"
#include "policy/judge_loss.h"

/*
 * A packet is lost where it was surely sent while the capture after ran, by the clocks and delays of those that
 * arrived, and is not in it. class_loss.c gathers what tells whether one class loses more than the others.
 */
enum { COMPARE_SLICES = 32 };

/* Slice `i` of COMPARE_SLICES of a way. */
struct loss_slice *compare_loss_slice(const struct compare_work *w, enum compare_way way, size_t i);
void compare_loss_arrived(struct compare_work *w, enum compare_way way, enum traffic_class c, int64_t near_ns);

/* Whether losses are known at all, after compare_loss_count() and the sums. */
void compare_loss_know(struct compare_work *w);

/* A time of one capture by the clock of the other, at the earliest and at the latest; false where no packet tells. */
bool compare_loss_window(const struct compare_work *w, uint32_t side, int64_t ns, int64_t *ret_earliest,
                         int64_t *ret_latest);

#endif

#ifndef QOSMARK_POLICY_JUDGE_LOSS_H
#define QOSMARK_POLICY_JUDGE_LOSS_H

#include "model/compare_document.h"

/*
 * Whether one class loses more than the others on the same way, asked of counts alone: compare/ and fleet/ gather them.
 * A packet counts as sent where it is known whether it arrived.
 */

/* What was sent in one slice of the time. */
struct loss_slice {
    uint64_t sent[CLASS_COUNT], lost[CLASS_COUNT];
};

/* What one stream sent, or all of one class between two hosts. */
struct loss_flow {
    uint32_t pair; /* of hosts: those of one pair follow one another */
    enum traffic_class traffic_class;
    uint64_t sent, lost;
};

struct loss_figures {
    const struct loss_slice *slices; /* of all packets */
    size_t slice_count;
    const struct loss_flow *flows;
    size_t flow_count;
    bool usable[CLASS_COUNT]; /* not so many packets were set aside that its share may be wrong */
    double error;             /* chance that chance alone makes a difference, for all classes together */
    double least;             /* differences of the shares that may be smaller than this are of no interest */
};

/* Whether there is anything to ask: where nothing is lost, or it is not known, the figures need not be gathered. */
bool judge_class_loss_wanted(const struct compare_row *row);

/* Gives the classes of the row their tests. */
void judge_class_loss(const struct loss_figures *f, struct compare_row *row);

#endif

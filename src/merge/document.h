#ifndef QOSMARK_MERGE_DOCUMENT_H
#define QOSMARK_MERGE_DOCUMENT_H

#include "report/records_set.h"

/* runs.c: what all runs of a set say of themselves, in the arena. */
struct merged_runs {
    struct input *inputs;
    struct node *nodes;
    struct site *sites;
    const char **notes;
    struct saved_policy *policies;
    size_t input_count, node_count, site_count, note_count, policy_count;
};

bool merge_runs(const struct record_set *s, struct arena *arena, struct merged_runs *ret);

#endif

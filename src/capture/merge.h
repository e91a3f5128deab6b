#ifndef QOSMARK_CAPTURE_MERGE_H
#define QOSMARK_CAPTURE_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The order in which the frames of several inputs are taken: by time, within an input as they come, and by the rank of
 * the inputs where times are the same. An input waits until the merge has come to its first frame, so that of a long
 * rotated series only the files that overlap are open at a time. Knows nothing of how frames are read.
 */
struct merge_input {
    int64_t time_ns; /* of its first frame while it waits, then of the next one to be taken */
    uint32_t rank;
    uint32_t input;
};

struct merge {
    struct merge_input *waiting; /* by rank: in the order of their first frames */
    size_t waiting_at, waiting_count;
    struct merge_input *heap; /* the next frame's input on top */
    size_t active;
};

bool merge_init(struct merge *m, size_t inputs); /* false without memory; merge_done() is due in any case */
void merge_done(struct merge *m);

/* Before the first frame is taken: `input` waits, its first frame at `first_ns`. merge_start() follows the last. */
void merge_wait(struct merge *m, uint32_t input, int64_t first_ns);
void merge_start(struct merge *m);

/* Whether the input that waits for longest is due: its first frame may be the next. It is then for merge_add(), or for
 * nobody where it cannot be read. */
bool merge_take_due(struct merge *m, struct merge_input *ret);
void merge_add(struct merge *m, const struct merge_input *in);

/* The input whose frame is next. After it was taken: the time of the frame behind it, or the end of the input. NULL
 * when no input is active. */
const struct merge_input *merge_top(const struct merge *m);

/* Up to when (and, at that very time, to which rank) the frames of the top input come one after the other. False where
 * no other input limits them. */
bool merge_limit(const struct merge *m, struct merge_input *ret);

void merge_advance(struct merge *m, int64_t time_ns);
void merge_end(struct merge *m);

#endif

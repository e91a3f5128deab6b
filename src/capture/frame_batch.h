#ifndef QOSMARK_CAPTURE_FRAME_BATCH_H
#define QOSMARK_CAPTURE_FRAME_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "capture/chunk.h"
#include "model/frame.h"

/* Frames read at one go. What a cache holds of them must still be there when the last of them was decoded. */
#define FRAME_BATCH_MAX        256
#define FRAME_BATCH_CHUNKS_MAX 4

/*
 * Consecutive frames of one input, whose bytes stay where they are until the batch is cleared. Zeroed before its first
 * use. It belongs to the thread that reads the input: see source_read().
 */
struct frame_batch {
    struct frame frames[FRAME_BATCH_MAX];
    uint32_t count;
    uint32_t chunk_count;
    struct chunk *chunks[FRAME_BATCH_CHUNKS_MAX]; /* held: the frames lie in them */
    struct chunk_store *copies;                   /* for frames that their reader keeps no longer than a moment */
    size_t copied;                                /* bytes of the newest of `chunks` in use, where it is a copy */
    uint64_t done_bytes;                          /* of the file, read when the batch was full */
};

void frame_batch_clear(struct frame_batch *b);
void frame_batch_done(struct frame_batch *b);

/* False where no more frames fit, or one more might not. */
bool frame_batch_has_room(const struct frame_batch *b);

/* Adds a frame whose bytes lie in `chunk`, or a copy of one where `chunk` is NULL. False without memory. */
bool frame_batch_add(struct frame_batch *b, const struct frame *f, struct chunk *chunk);

#endif

#include "capture/frame_batch.h"

#include <string.h>

enum { COPY_BYTES = 256 * 1024 };

void frame_batch_clear(struct frame_batch *b)
{
    for (uint32_t i = 0; i < b->chunk_count; i++)
        chunk_drop(b->chunks[i]);
    b->chunk_count = 0;
    b->count = 0;
    b->copied = 0;
}

void frame_batch_done(struct frame_batch *b)
{
    frame_batch_clear(b);
    chunk_store_free(b->copies);
    b->copies = NULL;
}

bool frame_batch_has_room(const struct frame_batch *b)
{
    return b->count < FRAME_BATCH_MAX && b->chunk_count < FRAME_BATCH_CHUNKS_MAX;
}

static const uint8_t *copy_bytes(struct frame_batch *b, const uint8_t *bytes, uint32_t n)
{
    struct chunk *last = b->chunk_count ? b->chunks[b->chunk_count - 1] : NULL;
    if (!last || last->size - b->copied < n) {
        if (!b->copies && !(b->copies = chunk_store_new()))
            return NULL;
        last = chunk_take(b->copies, n > COPY_BYTES ? n : COPY_BYTES);
        if (!last)
            return NULL;
        b->chunks[b->chunk_count++] = last;
        b->copied = 0;
    }
    uint8_t *to = last->bytes + b->copied;
    memcpy(to, bytes, n);
    b->copied += n;
    return to;
}

bool frame_batch_add(struct frame_batch *b, const struct frame *f, struct chunk *chunk)
{
    struct frame *to = &b->frames[b->count];
    *to = *f;
    if (!chunk) {
        to->bytes = copy_bytes(b, f->bytes, f->captured_bytes);
        if (!to->bytes)
            return false;
    } else if (b->chunk_count == 0 || b->chunks[b->chunk_count - 1] != chunk) {
        chunk_hold(chunk);
        b->chunks[b->chunk_count++] = chunk;
    }
    b->count++;
    return true;
}

#include "base/tape.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 0x40000, LENGTH_BYTES = 2 };

struct tape_chunk {
    uint32_t used;
    uint8_t bytes[CHUNK_BYTES];
};

static struct tape_chunk *chunk_of(const struct tape *t, uint64_t place)
{
    return t->chunks[place / CHUNK_BYTES - t->first];
}

static bool chunk_add(struct tape *t)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 8;
        struct tape_chunk **chunks = realloc(t->chunks, cap * sizeof(struct tape_chunk *));
        if (!chunks)
            return false;
        t->chunks = chunks;
        t->cap = cap;
    }
    struct tape_chunk *chunk = malloc(sizeof *chunk);
    if (!chunk)
        return false;
    chunk->used = 0;
    t->chunks[t->count++] = chunk;
    return true;
}

bool tape_add(struct tape *t, const void *bytes, size_t len)
{
    struct tape_chunk *chunk = t->count ? t->chunks[t->count - 1] : NULL;
    if (len == 0 || len > TAPE_ENTRY_MAX)
        return false;
    if (!chunk || chunk->used + LENGTH_BYTES + len > CHUNK_BYTES) {
        if (!chunk_add(t))
            return false;
        chunk = t->chunks[t->count - 1];
        t->end = (t->first + t->count - 1) * CHUNK_BYTES;
        if (t->entries == 0)
            t->begin = t->end;
    }
    uint8_t *to = chunk->bytes + chunk->used;
    to[0] = (uint8_t)(len >> 8);
    to[1] = (uint8_t)len;
    memcpy(to + LENGTH_BYTES, bytes, len);
    chunk->used += (uint32_t)(LENGTH_BYTES + len);
    t->end += LENGTH_BYTES + len;
    t->entries++;
    return true;
}

uint8_t *tape_at(const struct tape *t, uint64_t place, size_t *ret_len)
{
    uint8_t *at = chunk_of(t, place)->bytes + place % CHUNK_BYTES;
    *ret_len = (size_t)at[0] << 8 | at[1];
    return at + LENGTH_BYTES;
}

bool tape_first(const struct tape *t, uint64_t *ret_place)
{
    *ret_place = t->begin;
    return t->entries > 0;
}

/* The place behind an entry, which may be in the next chunk; t->end behind the newest. */
static uint64_t behind(const struct tape *t, uint64_t place)
{
    size_t len;
    (void)tape_at(t, place, &len);
    const struct tape_chunk *chunk = chunk_of(t, place);
    uint64_t next = place + LENGTH_BYTES + len;
    bool last = place / CHUNK_BYTES - t->first + 1 == t->count;
    bool here = next - place / CHUNK_BYTES * CHUNK_BYTES < chunk->used;
    return last || here ? next : (place / CHUNK_BYTES + 1) * CHUNK_BYTES;
}

bool tape_next(const struct tape *t, uint64_t *place)
{
    *place = behind(t, *place);
    return *place < t->end;
}

void tape_drop(struct tape *t)
{
    if (t->entries == 0)
        return;
    t->begin = behind(t, t->begin);
    t->entries--;
    size_t gone = 0;
    /* of an empty tape the last chunk stays, to be written on */
    while (gone + 1 < t->count && (t->first + gone + 1) * CHUNK_BYTES <= t->begin)
        free(t->chunks[gone++]);
    if (gone == 0)
        return;
    memmove(t->chunks, t->chunks + gone, (t->count - gone) * sizeof(struct tape_chunk *));
    t->count -= gone;
    t->first += gone;
}

void tape_done(struct tape *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->chunks[i]);
    free(t->chunks);
    *t = (struct tape){0};
}

size_t tape_bytes(const struct tape *t)
{
    return t->count * sizeof(struct tape_chunk) + t->cap * sizeof(struct tape_chunk *);
}

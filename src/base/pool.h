#ifndef QOSMARK_BASE_POOL_H
#define QOSMARK_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pages.h"

/*
 * Many objects of one type, each known by its number: numbers are 0, 1, 2... in the order of pool_take(), take four
 * bytes where a pointer takes eight, and stay good while the pool grows. Objects never move. An item says its own
 * number by where it lies, so none has to keep it.
 *
 * Items are asked for with their type, so that a number becomes an address by multiplying with constants:
 *
 *     struct stream *s = pool_at(&t->streams, number, sizeof *s);
 */
#define POOL_CHUNK_BYTES PAGES_HUGE_BYTES
#define POOL_HEAD_BYTES  64 /* of a chunk: its place among them */
#define POOL_NONE        UINT32_MAX

struct pool {
    char **chunks;
    size_t item_bytes;
    uint32_t count; /* numbers given out, those that were given back included */
    uint32_t chunk_count, chunk_cap;
    uint32_t free; /* number + 1 of the item given back last; 0 without */
    uint32_t idle; /* how many were given back and not taken again */
    bool failed;   /* an item could not be had for want of memory, once at least */
};

/* How many items of a size there are in a chunk. */
static inline uint32_t pool_chunk_items(size_t item_bytes)
{
    return (uint32_t)((POOL_CHUNK_BYTES - POOL_HEAD_BYTES) / item_bytes);
}

/* `item_bytes`: sizeof the type, which must be at least four bytes. */
void pool_init(struct pool *p, size_t item_bytes);

/* The number of a zeroed item; POOL_NONE without memory. */
uint32_t pool_take(struct pool *p);

/* The item may be taken again. Its memory stays the pool's: of the item its first four bytes are the pool's until then,
 * and the rest stays as it is, so that whoever goes through all numbers can tell by it. */
void pool_give(struct pool *p, uint32_t number);

/* How many items are in use. */
static inline uint32_t pool_used(const struct pool *p)
{
    return p->count - p->idle;
}

/* Gives back all at once. */
void pool_done(struct pool *p);

/* What the pool takes from the system, in bytes; memory that was never touched costs nothing yet. */
size_t pool_bytes(const struct pool *p);

/* The item of a number below p->count. */
static inline void *pool_at(const struct pool *p, uint32_t number, size_t item_bytes)
{
    uint32_t items = pool_chunk_items(item_bytes);
    return p->chunks[number / items] + POOL_HEAD_BYTES + (size_t)(number % items) * item_bytes;
}

/* The number of an item. */
static inline uint32_t pool_number(const void *item, size_t item_bytes)
{
    size_t within = (uintptr_t)item & (POOL_CHUNK_BYTES - 1);
    const char *chunk = (const char *)item - within;
    const uint32_t *place = (const uint32_t *)(const void *)chunk;
    return *place * pool_chunk_items(item_bytes) + (uint32_t)((within - POOL_HEAD_BYTES) / item_bytes);
}

#endif

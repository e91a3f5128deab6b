#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

void pool_init(struct pool *p, size_t item_bytes)
{
    *p = (struct pool){.item_bytes = item_bytes};
}

static bool chunk_add(struct pool *p)
{
    if (p->chunk_count == p->chunk_cap) {
        uint32_t cap = p->chunk_cap ? p->chunk_cap * 2 : 4;
        char **chunks = realloc(p->chunks, cap * sizeof *chunks);
        if (!chunks)
            return false;
        p->chunks = chunks;
        p->chunk_cap = cap;
    }
    /* where its own size divides its address: that is how an item finds it. From the second chunk on there are so many
     * items that huge pages pay. */
    char *chunk = pages_new(POOL_CHUNK_BYTES, p->chunk_count > 0);
    if (!chunk)
        return false;
    memcpy(chunk, &p->chunk_count, sizeof p->chunk_count);
    p->chunks[p->chunk_count++] = chunk;
    return true;
}

uint32_t pool_take(struct pool *p)
{
    if (p->free) {
        uint32_t number = p->free - 1;
        char *item = pool_at(p, number, p->item_bytes);
        memcpy(&p->free, item, sizeof p->free);
        memset(item, 0, p->item_bytes);
        p->idle--;
        return number;
    }
    uint32_t room = p->chunk_count * pool_chunk_items(p->item_bytes);
    if (p->count >= POOL_NONE - POOL_CHUNK_BYTES || (p->count == room && !chunk_add(p))) {
        p->failed = true;
        return POOL_NONE;
    }
    return p->count++;
}

void pool_give(struct pool *p, uint32_t number)
{
    memcpy(pool_at(p, number, p->item_bytes), &p->free, sizeof p->free);
    p->free = number + 1;
    p->idle++;
}

void pool_done(struct pool *p)
{
    for (uint32_t i = 0; i < p->chunk_count; i++)
        pages_free(p->chunks[i], POOL_CHUNK_BYTES);
    free(p->chunks);
    *p = (struct pool){.item_bytes = p->item_bytes};
}

size_t pool_bytes(const struct pool *p)
{
    return p->chunk_count * (size_t)POOL_CHUNK_BYTES;
}

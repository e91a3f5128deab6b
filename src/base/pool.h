#ifndef QOSMARK_BASE_POOL_H
#define QOSMARK_BASE_POOL_H

#include <stddef.h>

/* Many objects of one size out of few allocations; each may be given back and is used again. */
struct pool_slab;
struct pool_free;

struct pool {
    size_t item_bytes;
    struct pool_slab *slabs;
    struct pool_free *free;
    size_t left; /* items never used yet in the newest slab */
};

void pool_init(struct pool *p, size_t item_bytes);
void *pool_take(struct pool *p); /* zeroed; NULL without memory */
void pool_give(struct pool *p, void *item);
void pool_done(struct pool *p); /* gives back all items at once */

#endif

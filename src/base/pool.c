#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

enum { SLAB_ITEMS = 256 };

struct pool_slab {
    struct pool_slab *next;
    max_align_t bytes[];
};

struct pool_free {
    struct pool_free *next;
};

void pool_init(struct pool *p, size_t item_bytes)
{
    size_t align = sizeof(max_align_t);
    *p = (struct pool){.item_bytes = (item_bytes + align - 1) / align * align};
}

void *pool_take(struct pool *p)
{
    void *item = p->free;
    if (item) {
        p->free = p->free->next;
        memset(item, 0, p->item_bytes);
        return item;
    }
    if (p->left == 0) {
        struct pool_slab *slab = calloc(1, sizeof *slab + SLAB_ITEMS * p->item_bytes);
        if (!slab)
            return NULL;
        slab->next = p->slabs;
        p->slabs = slab;
        p->left = SLAB_ITEMS;
    }
    p->left--;
    return (char *)p->slabs->bytes + p->left * p->item_bytes;
}

void pool_give(struct pool *p, void *item)
{
    struct pool_free *f = item;
    f->next = p->free;
    p->free = f;
}

void pool_done(struct pool *p)
{
    while (p->slabs) {
        struct pool_slab *next = p->slabs->next;
        free(p->slabs);
        p->slabs = next;
    }
    *p = (struct pool){.item_bytes = p->item_bytes};
}

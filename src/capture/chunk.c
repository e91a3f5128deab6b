#include "capture/chunk.h"

#include <stdbool.h>
#include <stdlib.h>

/* More spare chunks than this are not kept: those that large packets needed once. */
enum { SPARE_MAX = 16 };

struct chunk_store {
    struct chunk *spare;
    size_t spare_count;
    size_t taken;
    bool closed;
};

struct chunk_store *chunk_store_new(void)
{
    return calloc(1, sizeof(struct chunk_store));
}

static void release(struct chunk_store *s)
{
    while (s->spare) {
        struct chunk *b = s->spare;
        s->spare = b->next;
        free(b);
    }
    s->spare_count = 0;
    if (s->taken == 0)
        free(s);
}

void chunk_store_free(struct chunk_store *s)
{
    if (!s)
        return;
    s->closed = true;
    release(s);
}

struct chunk *chunk_take(struct chunk_store *s, size_t size)
{
    struct chunk **at = &s->spare;
    while (*at && (*at)->size < size)
        at = &(*at)->next;
    struct chunk *b = *at;
    if (b) {
        *at = b->next;
        s->spare_count--;
    } else {
        b = malloc(sizeof *b + size);
        if (!b)
            return NULL;
        b->store = s;
        b->size = size;
    }
    b->next = NULL;
    b->holders = 1;
    s->taken++;
    return b;
}

void chunk_hold(struct chunk *b)
{
    b->holders++;
}

void chunk_drop(struct chunk *b)
{
    if (!b || --b->holders > 0)
        return;
    struct chunk_store *s = b->store;
    s->taken--;
    if (s->closed || s->spare_count >= SPARE_MAX) {
        free(b);
        if (s->closed)
            release(s);
        return;
    }
    b->next = s->spare;
    s->spare = b;
    s->spare_count++;
}

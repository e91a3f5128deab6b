#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    max_align_t bytes[];
};

void *arena_alloc(struct arena *a, size_t bytes)
{
    size_t align = sizeof(max_align_t);
    if (bytes > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    size_t need = (bytes + align - 1) / align * align;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->used < need) {
        size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        b = calloc(1, sizeof *b + size);
        if (!b) {
            a->failed = true;
            return NULL;
        }
        b->size = size;
        /* an oversized block goes behind the current one, whose room is still good */
        if (need > BLOCK_BYTES && a->blocks) {
            b->next = a->blocks->next;
            a->blocks->next = b;
        } else {
            b->next = a->blocks;
            a->blocks = b;
        }
    }
    void *at = (char *)b->bytes + b->used;
    b->used += need;
    return at;
}

char *arena_copy(struct arena *a, const char *text, size_t len)
{
    char *at = arena_alloc(a, len + 1);
    if (at && len)
        memcpy(at, text, len);
    return at;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *at = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (at)
        (void)vsnprintf(at, (size_t)n + 1, format, again);
    va_end(again);
    return at;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *at = arena_vprintf(a, format, args);
    va_end(args);
    return at;
}

void arena_done(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->failed = false;
}

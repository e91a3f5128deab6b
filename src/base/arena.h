#ifndef QOSMARK_BASE_ARENA_H
#define QOSMARK_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Memory that is given back all at once: strings and arrays that live as long as the document they belong to. */
struct arena_block;

struct arena {
    struct arena_block *blocks;
    bool failed; /* something had no room, once at least: what belongs to it is not whole */
};

/* Zeroed, aligned for any type; NULL without memory. */
void *arena_alloc(struct arena *a, size_t bytes);

/* A terminated copy of `len` bytes. */
char *arena_copy(struct arena *a, const char *text, size_t len);

char *arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

void arena_done(struct arena *a);

#endif

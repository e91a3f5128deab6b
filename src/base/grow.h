#ifndef QOSMARK_BASE_GROW_H
#define QOSMARK_BASE_GROW_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Room for one more element in a heap array: doubles `*items` when `count` has reached `*cap`. False, with the array
 * untouched, when there is no memory.
 *
 *     if (!grow((void **)&t->calls, &t->cap, t->count, sizeof *t->calls))
 *         return ERR_MEMORY;
 */
bool grow(void **items, size_t *cap, size_t count, size_t item_bytes);

#endif

#ifndef QOSMARK_BASE_ORDER_H
#define QOSMARK_BASE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Orders of many things by their index: four bytes an element, and as much again while sorting. Both are stable, so
 * that equal elements stay in the order they came in. False without memory, with the order untouched.
 */

/* Negative, 0 or positive, as for qsort(), for the elements `a` and `b`. */
typedef int (*order_compare)(const void *context, uint32_t a, uint32_t b);

/* By comparison. What is in order already costs one look at each element. */
bool order_sort(uint32_t *order, size_t n, order_compare compare, const void *context);

/* The key of element `i`. */
typedef uint64_t (*order_key)(const void *context, uint32_t i);

/* By a number: the time does not depend on how disordered they are. */
bool order_by_key(uint32_t *order, size_t n, order_key key, const void *context);

/* Brings the elements themselves into the order, without a copy of them all; the order is used up. An element has at
 * most ORDER_ITEM_MAX bytes. */
#define ORDER_ITEM_MAX 64
void order_apply(uint32_t *order, size_t n, void *items, size_t item_bytes);

/* 0, 1, 2... for sorting, to be freed; NULL without memory. */
uint32_t *order_new(size_t n);

#endif

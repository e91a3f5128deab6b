#include "base/order.h"

#include <stdlib.h>
#include <string.h>

uint32_t *order_new(size_t n)
{
    uint32_t *order = malloc((n + 1) * sizeof *order);
    for (size_t i = 0; order && i < n; i++)
        order[i] = (uint32_t)i;
    return order;
}

/* Where the run of elements in order that begins at `from` ends. */
static size_t run_end(const uint32_t *order, size_t from, size_t n, order_compare compare, const void *context)
{
    size_t end = from + 1;
    while (end < n && compare(context, order[end - 1], order[end]) <= 0)
        end++;
    return end;
}

static void merge(uint32_t *to, const uint32_t *a, size_t a_count, const uint32_t *b, size_t b_count,
                  order_compare compare, const void *context)
{
    while (a_count && b_count) {
        if (compare(context, *a, *b) <= 0) {
            *to++ = *a++;
            a_count--;
        } else {
            *to++ = *b++;
            b_count--;
        }
    }
    memcpy(to, a_count ? a : b, (a_count ? a_count : b_count) * sizeof *to);
}

/* One pass: neighbouring runs become one each. How many runs are left. */
static size_t merge_runs(uint32_t *to, const uint32_t *from, size_t n, order_compare compare, const void *context)
{
    size_t runs = 0;
    for (size_t i = 0; i < n; runs++) {
        size_t middle = run_end(from, i, n, compare, context);
        size_t end = middle < n ? run_end(from, middle, n, compare, context) : middle;
        merge(to + i, from + i, middle - i, from + middle, end - middle, compare, context);
        i = end;
    }
    return runs;
}

bool order_sort(uint32_t *order, size_t n, order_compare compare, const void *context)
{
    if (n < 2 || run_end(order, 0, n, compare, context) == n)
        return true;
    uint32_t *other = malloc(n * sizeof *other);
    if (!other)
        return false;
    uint32_t *from = order, *to = other;
    for (size_t runs = 2; runs > 1;) {
        runs = merge_runs(to, from, n, compare, context);
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != order)
        memcpy(order, from, n * sizeof *order);
    free(other);
    return true;
}

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* One digit, stable. False, with nothing moved, where all elements have the same. */
static bool pass(uint32_t *to, const uint32_t *from, size_t n, unsigned shift, order_key key, const void *context)
{
    uint32_t start[DIGITS] = {0};
    for (size_t i = 0; i < n; i++)
        start[key(context, from[i]) >> shift & (DIGITS - 1)]++;
    if (start[key(context, from[0]) >> shift & (DIGITS - 1)] == n)
        return false;
    uint32_t sum = 0;
    for (size_t d = 0; d < DIGITS; d++) {
        uint32_t count = start[d];
        start[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        to[start[key(context, from[i]) >> shift & (DIGITS - 1)]++] = from[i];
    return true;
}

bool order_by_key(uint32_t *order, size_t n, order_key key, const void *context)
{
    uint64_t all = 0;
    bool sorted = true;
    for (size_t i = 0; i < n; i++) {
        uint64_t k = key(context, order[i]);
        sorted = sorted && (i == 0 || key(context, order[i - 1]) <= k);
        all |= k;
    }
    if (sorted)
        return true;
    uint32_t *other = malloc(n * sizeof *other);
    if (!other)
        return false;
    uint32_t *from = order, *to = other;
    for (unsigned shift = 0; shift < 64 && all >> shift; shift += DIGIT_BITS) {
        if (!pass(to, from, n, shift, key, context))
            continue;
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != order)
        memcpy(order, from, n * sizeof *order);
    free(other);
    return true;
}

void order_apply(uint32_t *order, size_t n, void *items, size_t item_bytes)
{
    char *at = items, first[ORDER_ITEM_MAX];
    if (item_bytes > sizeof first)
        return;
    /* each cycle of the permutation is followed once */
    for (uint32_t start = 0; start < n; start++) {
        if (order[start] == start)
            continue;
        uint32_t to = start;
        memcpy(first, at + start * item_bytes, item_bytes);
        while (order[to] != start) {
            uint32_t from = order[to];
            memcpy(at + to * item_bytes, at + from * item_bytes, item_bytes);
            order[to] = to;
            to = from;
        }
        memcpy(at + to * item_bytes, first, item_bytes);
        order[to] = to;
    }
}

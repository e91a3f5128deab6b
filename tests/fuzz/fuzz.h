#ifndef QOSMARK_TESTS_FUZZ_H
#define QOSMARK_TESTS_FUZZ_H

/* What every fuzz target includes first. A target reads what it needs for itself (options, times) off the input with a
 * struct cursor, and gives the rest to the parser in a heap block of its own, so that a read too far is seen. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property that must hold whatever the input is; where it does not, that is a finding like a crash. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

/* For what only checks: that it is not covered saves a third of the time. */
#ifdef __clang__
#define FUZZ_UNTRACED __attribute__((no_sanitize("coverage")))
#else
#define FUZZ_UNTRACED
#endif

static inline _Noreturn void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
    abort();
}

/* The next bytes of the input (as many of `len` as there are) in a heap block of exactly that size; free() it. */
static inline uint8_t *fuzz_block(struct cursor *c, size_t len, size_t *ret_len)
{
    size_t n = len < cur_left(c) ? len : cur_left(c);
    uint8_t *block = malloc(n);
    const uint8_t *from = cur_take(c, n);
    FUZZ_CHECK(block || n == 0);
    if (n)
        memcpy(block, from, n);
    *ret_len = n;
    return block;
}

/* Whether `part` lies within `whole`; an empty part may lie anywhere. */
static inline bool fuzz_within(const void *part, size_t part_len, const void *whole, size_t whole_len)
{
    const uint8_t *p = part, *w = whole;
    return part_len == 0 || (p >= w && part_len <= whole_len && (size_t)(p - w) <= whole_len - part_len);
}

#endif

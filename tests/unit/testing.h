#ifndef QOSMARK_TESTS_TESTING_H
#define QOSMARK_TESTS_TESTING_H

/* What every cmocka test includes, in the order cmocka wants, and the sweep that every parser goes through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Calls `parse` with each prefix of `bytes`, copied to an allocation of exactly its size, so that AddressSanitizer sees
 * a read one byte too far. */
static inline void for_each_prefix(const uint8_t *bytes, size_t len,
                                   void (*parse)(void *user, const uint8_t *prefix, size_t prefix_len), void *user)
{
    for (size_t n = 0; n <= len; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        if (n)
            memcpy(copy, bytes, n);
        parse(user, copy, n);
        free(copy);
    }
}

#endif

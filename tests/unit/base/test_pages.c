#include "testing.h"

#include "base/pages.h"

static void assert_zero_and_ours(unsigned char *at, size_t bytes)
{
    assert_non_null(at);
    for (size_t i = 0; i < bytes; i += 1021) {
        assert_int_equal(at[i], 0);
        at[i] = 1;
    }
    at[bytes - 1] = 1;
}

static void pages_are_zero_and_aligned_where_huge_ones_fit(void **state)
{
    (void)state;
    unsigned char *small = pages_new(8192, false), *two = pages_new(2 * (size_t)PAGES_HUGE_BYTES, true),
                  *odd = pages_new(3 * (size_t)PAGES_HUGE_BYTES + 4096, true);
    assert_zero_and_ours(small, 8192);
    assert_zero_and_ours(two, 2 * (size_t)PAGES_HUGE_BYTES);
    assert_zero_and_ours(odd, 3 * (size_t)PAGES_HUGE_BYTES + 4096);
    assert_int_equal((uintptr_t)two % PAGES_HUGE_BYTES, 0);
    pages_free(small, 8192);
    pages_free(two, 2 * (size_t)PAGES_HUGE_BYTES);
    pages_free(odd, 3 * (size_t)PAGES_HUGE_BYTES + 4096);
    pages_free(NULL, 1);
}

static void what_cannot_be_had_is_null(void **state)
{
    (void)state;
    assert_null(pages_new(0, false));
    assert_null(pages_new(SIZE_MAX, false));
    assert_null(pages_new((size_t)1 << 62, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zero_and_aligned_where_huge_ones_fit),
        cmocka_unit_test(what_cannot_be_had_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/arena.h"
#include "base/grow.h"

static void memory_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena a = {0};
    unsigned char *one = arena_alloc(&a, 3), *two = arena_alloc(&a, 1);
    assert_non_null(one);
    assert_non_null(two);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(one[i], 0);
    assert_int_equal((uintptr_t)one % _Alignof(max_align_t), 0);
    assert_int_equal((uintptr_t)two % _Alignof(max_align_t), 0);
    memset(one, 0xff, 3);
    assert_int_equal(two[0], 0);
    arena_done(&a);
    assert_null(a.blocks);
}

static void large_and_small_requests_keep_what_was_written(void **state)
{
    (void)state;
    enum { ROUNDS = 300 };
    struct arena a = {0};
    unsigned char *at[ROUNDS];
    size_t len[ROUNDS];
    for (size_t i = 0; i < ROUNDS; i++) {
        /* every 40th is larger than a block of the arena can be */
        len[i] = i % 40 == 3 ? 200000 : 1 + i * 7 % 900;
        at[i] = arena_alloc(&a, len[i]);
        assert_non_null(at[i]);
        memset(at[i], (int)(i & 0xff), len[i]);
    }
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t n = 0; n < len[i]; n++)
            assert_int_equal(at[i][n], i & 0xff);
    arena_done(&a);
}

static void an_oversized_request_can_be_the_first(void **state)
{
    (void)state;
    struct arena a = {0};
    char *big = arena_alloc(&a, 1 << 20);
    assert_non_null(big);
    big[(1 << 20) - 1] = 1;
    assert_non_null(arena_alloc(&a, 8));
    assert_non_null(arena_alloc(&a, 0));
    arena_done(&a);
}

static void an_impossible_request_is_refused(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_done(&a);
}

static void copies_and_formats_are_terminated(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_string_equal(arena_copy(&a, "abcdef", 3), "abc");
    assert_string_equal(arena_copy(&a, NULL, 0), "");
    assert_string_equal(arena_printf(&a, "%s=%d", "dscp", 46), "dscp=46");
    const char *wide = arena_printf(&a, "%0100000d", 7);
    assert_int_equal(strlen(wide), 100000);
    arena_done(&a);
}

static void a_growing_array_keeps_its_items(void **state)
{
    (void)state;
    int *items = NULL;
    size_t cap = 0, count = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(grow((void **)&items, &cap, count, sizeof *items));
        items[count++] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i);
    assert_true(cap >= 1000 && cap < 4000);
    free(items);
}

static void a_growing_array_that_cannot_be_is_left_as_it_was(void **state)
{
    (void)state;
    void *items = NULL;
    size_t cap = 0;
    assert_false(grow(&items, &cap, 0, SIZE_MAX / 4));
    assert_null(items);
    assert_int_equal(cap, 0);
}

static void an_arena_remembers_that_something_had_no_room(void **state)
{
    (void)state;
    struct arena a = {0};
    assert_non_null(arena_alloc(&a, 1));
    assert_false(a.failed);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_non_null(arena_alloc(&a, 1));
    assert_true(a.failed);
    arena_done(&a);
    assert_false(a.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
        cmocka_unit_test(large_and_small_requests_keep_what_was_written),
        cmocka_unit_test(an_oversized_request_can_be_the_first),
        cmocka_unit_test(an_impossible_request_is_refused),
        cmocka_unit_test(an_arena_remembers_that_something_had_no_room),
        cmocka_unit_test(copies_and_formats_are_terminated),
        cmocka_unit_test(a_growing_array_keeps_its_items),
        cmocka_unit_test(a_growing_array_that_cannot_be_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

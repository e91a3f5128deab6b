#include "testing.h"

#include "base/slots.h"

static bool has(const struct slots *s, uint32_t tag, uint32_t number)
{
    uint32_t place = slots_first(s, tag), found;
    while (slots_next(s, tag, &place, &found))
        if (found == number)
            return true;
    return false;
}

/* A tag that is not random: neighbours collide, and every eighth shares its tag with seven others. */
static uint32_t tag_of(uint32_t i)
{
    return i / 8 * 5;
}

static void what_was_added_is_found_among_equal_tags(void **state)
{
    (void)state;
    struct slots s = {0};
    assert_false(has(&s, 0, 0));
    for (uint32_t i = 0; i < 20000; i++)
        assert_true(slots_add(&s, tag_of(i), i));
    for (uint32_t i = 0; i < 20000; i++)
        assert_true(has(&s, tag_of(i), i));
    assert_false(has(&s, tag_of(7), 8));
    assert_int_equal(s.used, 20000);
    assert_true((uint64_t)s.mask + 1 >= 20000 * 4 / 3);
    slots_done(&s);
}

static void what_was_removed_is_gone_and_hides_nothing(void **state)
{
    (void)state;
    struct slots s = {0};
    for (uint32_t i = 0; i < 700; i++)
        assert_true(slots_add(&s, tag_of(i), i));
    for (uint32_t i = 0; i < 700; i += 3)
        slots_remove(&s, tag_of(i), i);
    slots_remove(&s, 12345, 1); /* was never there */
    for (uint32_t i = 0; i < 700; i++)
        assert_int_equal(has(&s, tag_of(i), i), i % 3 != 0);
    for (uint32_t i = 0; i < 700; i += 3)
        assert_true(slots_add(&s, tag_of(i), i));
    for (uint32_t i = 0; i < 700; i++)
        assert_true(has(&s, tag_of(i), i));
    slots_done(&s);
}

/* The run of one tag goes over the end of the table and on at its beginning. */
static void a_run_goes_round_the_end(void **state)
{
    (void)state;
    struct slots s = {0};
    for (uint32_t i = 0; i < 40; i++)
        assert_true(slots_add(&s, UINT32_MAX - 10, i));
    for (uint32_t i = 0; i < 40; i += 2)
        slots_remove(&s, UINT32_MAX - 10, i);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(has(&s, UINT32_MAX - 10, i), i % 2);
    slots_done(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_found_among_equal_tags),
        cmocka_unit_test(what_was_removed_is_gone_and_hides_nothing),
        cmocka_unit_test(a_run_goes_round_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

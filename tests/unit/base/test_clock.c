#include "testing.h"

#include <time.h>

#include "base/clock.h"

static void assert_time(int64_t ns, const char *expected)
{
    char text[CLOCK_TEXT_MAX];
    clock_format(ns, text);
    assert_string_equal(text, expected);
}

/* Seconds by `date -u -d TIME +%s`. */
static void times_are_rfc3339_in_utc_with_nine_decimals(void **state)
{
    (void)state;
    assert_time(0, "1970-01-01T00:00:00.000000000Z");
    assert_time(1, "1970-01-01T00:00:00.000000001Z");
    assert_time(951782400 * NS_PER_S, "2000-02-29T00:00:00.000000000Z");
    assert_time(1795338000 * NS_PER_S + 123456789, "2026-11-22T09:00:00.123456789Z");
}

static void times_before_1970_count_their_decimals_forward(void **state)
{
    (void)state;
    assert_time(-1, "1969-12-31T23:59:59.999999999Z");
    assert_time(-1500000000, "1969-12-31T23:59:58.500000000Z");
}

static void the_ends_of_the_range_fit(void **state)
{
    (void)state;
    assert_time(INT64_MAX, "2262-04-11T23:47:16.854775807Z");
    assert_time(INT64_MIN, "1677-09-21T00:12:43.145224192Z");
}

static void the_local_time_zone_has_no_part_in_it(void **state)
{
    (void)state;
    assert_int_equal(setenv("TZ", "Pacific/Auckland", 1), 0);
    assert_time(0, "1970-01-01T00:00:00.000000000Z");
    assert_int_equal(unsetenv("TZ"), 0);
}

static void one_clock_tells_the_time_of_day_and_the_other_only_goes_forward(void **state)
{
    (void)state;
    time_t before = time(NULL);
    int64_t wall = clock_wall_ns(), begin = clock_monotonic_ns();
    time_t after = time(NULL);
    /* time() may be a tick behind */
    assert_in_range(wall / NS_PER_S, (uintmax_t)before - 1, (uintmax_t)after + 1);
    struct timespec nap = {.tv_nsec = 2 * NS_PER_MS};
    assert_int_equal(nanosleep(&nap, NULL), 0);
    assert_true(clock_monotonic_ns() - begin >= nap.tv_nsec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_rfc3339_in_utc_with_nine_decimals),
        cmocka_unit_test(times_before_1970_count_their_decimals_forward),
        cmocka_unit_test(the_ends_of_the_range_fit),
        cmocka_unit_test(the_local_time_zone_has_no_part_in_it),
        cmocka_unit_test(one_clock_tells_the_time_of_day_and_the_other_only_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

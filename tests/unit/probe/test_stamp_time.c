#include "testing.h"

#include "base/clock.h"
#include "probe/stamp_time.h"

/* RFC 5905 figure 4: the Unix epoch is 2,208,988,800; era 1 begins on 7 February 2036 at 06:28:16 UTC = 2,085,978,496.
 */
static const struct {
    uint64_t wire;
    enum stamp_time_format format;
    int64_t ns;
} instants[] = {
    {UINT64_C(0x83aa7e80) << 32, STAMP_NTP, 0},
    {(UINT64_C(0x83aa7e80) << 32) | 0x80000000, STAMP_NTP, 500000000},
    {(UINT64_C(0xeead2d90) << 32) | 0x40000000, STAMP_NTP, 1795338000250000000}, /* 2026-11-22T09:00:00.25Z */
    {0x0000000100000000, STAMP_NTP, (INT64_C(2085978496) + 1) * NS_PER_S},
    {UINT64_C(0xffffffff) << 32, STAMP_NTP, (INT64_C(2085978496) - 1) * NS_PER_S},
    {UINT64_C(0x6b02c310) << 32 | 250000000, STAMP_PTP, 1795343120250000000},
    {UINT64_C(1) << 32 | 999999999, STAMP_PTP, 1999999999},
};

static void instants_are_read_and_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof instants / sizeof instants[0]; i++) {
        struct stamp_instant t = stamp_time_read(instants[i].wire, instants[i].format);
        assert_true(t.known);
        assert_int_equal(t.ns, instants[i].ns);
        assert_int_equal(stamp_time_write(t.ns, instants[i].format), instants[i].wire);
    }
}

static void no_time_is_not_1900(void **state)
{
    (void)state;
    assert_false(stamp_time_read(0, STAMP_NTP).known);
    assert_false(stamp_time_read(0, STAMP_PTP).known);
    /* a billion nanoseconds are a second, not a fraction of one */
    assert_false(stamp_time_read(UINT64_C(5) << 32 | 1000000000, STAMP_PTP).known);
    assert_true(stamp_time_read(UINT64_C(5) << 32 | 1000000000, STAMP_NTP).known);
}

static void each_nanosecond_comes_back(void **state)
{
    (void)state;
    for (int64_t ns = 1795338000000000000, step = 1; ns < 1795338002000000000; ns += step, step = step * 3 % 1000003) {
        assert_int_equal(stamp_time_read(stamp_time_write(ns, STAMP_NTP), STAMP_NTP).ns, ns);
        assert_int_equal(stamp_time_read(stamp_time_write(ns, STAMP_PTP), STAMP_PTP).ns, ns);
    }
}

/* RFC 4656 §4.1.2: S, Z, six bits of scale, eight of multiplier; the error is multiplier * 2^(scale - 32). */
static void error_estimates_have_their_bits(void **state)
{
    (void)state;
    struct stamp_error_estimate e = stamp_error_read(0xca05);
    assert_true(e.synchronized);
    assert_int_equal(e.format, STAMP_PTP);
    assert_int_equal(e.scale, 10);
    assert_int_equal(e.multiplier, 5);
    assert_true(stamp_error_seconds(e) == 5.0 / 4194304.0);
    assert_int_equal(stamp_error_write(e), 0xca05);
    assert_int_equal(stamp_error_write(stamp_error_read(0x3f01)), 0x3f01);
    assert_true(stamp_error_seconds(stamp_error_read(0x2000)) < 0); /* multiplier 0 is corrupt */
}

static void an_estimate_is_never_too_small(void **state)
{
    (void)state;
    static const uint64_t errors[] = {0, 1, 999, 1000000, 16000000, 500000000, 4000000000, UINT64_C(10000000000000)};
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct stamp_error_estimate e = stamp_error_from_ns(errors[i], true, STAMP_NTP);
        double seconds = (double)errors[i] / 1e9;
        assert_true(e.multiplier > 0);
        assert_true(stamp_error_seconds(e) >= seconds);
        assert_true(stamp_error_seconds(e) <= seconds * 1.02 + 1e-9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_read_and_written),  cmocka_unit_test(no_time_is_not_1900),
        cmocka_unit_test(each_nanosecond_comes_back),     cmocka_unit_test(error_estimates_have_their_bits),
        cmocka_unit_test(an_estimate_is_never_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/clock.h"
#include "base/clock_fit.h"

enum { N = 2000 };

/* Packets each 10 ms, an hour apart, with a drift and delays of 0..4 ms of which every 17th is 0. */
static void make(struct clock_sample *s, double drift)
{
    for (int i = 0; i < N; i++) {
        s[i].near_ns = 1700000000 * NS_PER_S + i * 10 * NS_PER_MS;
        int64_t delay = i % 17 == 0 ? 0 : i * 7919 % 4001 * 1000;
        s[i].far_ns = s[i].near_ns + 3600 * NS_PER_S + (int64_t)(drift * (double)(i * 10 * NS_PER_MS)) + delay;
    }
}

static void offset_and_drift_are_taken_out(void **state)
{
    (void)state;
    static const double drifts[] = {0, 50e-6, -120e-6};
    struct clock_sample s[N];
    uint32_t scratch[N];
    for (size_t k = 0; k < 3; k++) {
        make(s, drifts[k]);
        struct clock_fit c = clock_fit_make(s, N, scratch);
        assert_true(c.known);
        assert_true(c.drift - drifts[k] < 1e-9 && drifts[k] - c.drift < 1e-9);
        for (int i = 0; i < N; i++) {
            double wanted = i % 17 == 0 ? 0 : i * 7919 % 4001 * 1000.0, got = clock_fit_delay(&c, &s[i]);
            assert_true(got - wanted < 100 && wanted - got < 100); /* 100 ns */
        }
        assert_true(c.most_ns > 3.99e6 && c.most_ns < 4.01e6);
        int64_t earliest = clock_fit_earliest(&c, s[17].near_ns);
        assert_true(earliest - s[17].far_ns < 100 && s[17].far_ns - earliest < 100);
    }
}

/* Two packets that queued differently are no drift, and a clock that was set is none either. */
static void little_or_jumping_evidence_gives_no_drift(void **state)
{
    (void)state;
    struct clock_sample two[2] = {{0, 100 * NS_PER_MS}, {5 * NS_PER_S, 5 * NS_PER_S + 90 * NS_PER_MS}}, s[N];
    uint32_t scratch[N];
    struct clock_fit c = clock_fit_make(two, 2, scratch);
    assert_true(c.drift < 1e-12 && c.drift > -1e-12);
    assert_int_equal(c.offset_ns, 90 * NS_PER_MS);
    make(s, 0);
    for (int i = 0; i < N; i++)
        s[i].far_ns += i < N / 2 ? 0 : -500 * NS_PER_MS;
    c = clock_fit_make(s, N, scratch);
    assert_true(c.drift < 1e-12 && c.drift > -1e-12);
    assert_true(c.most_ns >= 500e6);
    assert_false(clock_fit_make(s, 0, scratch).known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offset_and_drift_are_taken_out),
        cmocka_unit_test(little_or_jumping_evidence_gives_no_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

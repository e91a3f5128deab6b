#include "testing.h"

#include <math.h>

#include "model/statistics.h"

static void near(double got, double expected, double by)
{
    if (fabs(got - expected) > by)
        fail_msg("%.6f is not %.6f", got, expected);
}

static void normal_quantiles_are_those_of_the_tables(void **state)
{
    (void)state;
    near(statistics_normal(0.05), 1.959964, 1e-6);
    near(statistics_normal(0.01), 2.575829, 1e-6);
    near(statistics_normal(0.0001), 3.890592, 1e-6);
}

static void quantiles_lie_between_the_two_nearest_values(void **state)
{
    (void)state;
    double values[] = {40, 15, 50, 20, 35};
    statistics_sort(values, 5);
    near(statistics_quantile(values, 5, 0.5), 35, 1e-12);
    near(statistics_quantile(values, 5, 0.4), 29, 1e-12); /* type 7 of Hyndman and Fan: 20 + 0.6 * 15 */
    near(statistics_quantile(values, 5, 0), 15, 1e-12);
    near(statistics_quantile(values, 5, 1), 50, 1e-12);
    near(statistics_quantile(values, 1, 0.99), 15, 1e-12);
    near(statistics_quantile(values, 0, 0.5), 0, 0);
    struct probe_spread s = statistics_spread(values, 5);
    assert_int_equal(s.count, 5);
    near(s.p95, 48, 1e-12);
    assert_int_equal(statistics_spread(values, 0).count, 0);
}

/* RFC 3550 section 6.4.1 worked by hand */
static void jitter_moves_by_a_sixteenth(void **state)
{
    (void)state;
    struct jitter j = {0};
    assert_true(jitter_value(&j) < 0);
    jitter_add(&j, 16);
    near(jitter_value(&j), 1, 1e-12);
    jitter_add(&j, -33);
    near(jitter_value(&j), 3, 1e-12);
}

/* Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 */
static void shares_have_the_intervals_that_newcombe_printed(void **state)
{
    (void)state;
    static const struct {
        uint64_t k, n;
        double low, high;
    } rows[] = {{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_interval x = statistics_share(rows[i].k, rows[i].n, 0.05);
        assert_true(x.known);
        near(x.low, rows[i].low, 0.00006);
        near(x.high, rows[i].high, 0.00006);
    }
    assert_false(statistics_share(0, 0, 0.05).known);
    near(statistics_share(7, 7, 0.05).high, 1, 0);
}

/* The same, 873-890, table II, method 10 */
static void differences_of_shares_have_the_intervals_that_newcombe_printed(void **state)
{
    (void)state;
    static const struct {
        uint64_t k1, n1, k2, n2;
        double low, high;
    } rows[] = {
        {56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090},  {6, 7, 2, 7, 0.0582, 0.8062},
        {5, 56, 0, 29, -0.0381, 0.1926},  {0, 10, 0, 20, -0.1611, 0.2775}, {0, 10, 0, 10, -0.2775, 0.2775},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_interval x = statistics_share_difference(rows[i].k1, rows[i].n1, rows[i].k2, rows[i].n2, 0.05);
        near(x.low, rows[i].low, 0.00006);
        near(x.high, rows[i].high, 0.00006);
    }
    assert_false(statistics_share_difference(1, 2, 0, 0, 0.05).known);
}

/* Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, example 3.1, 3.3 and 3.4: the depression scores,
 * whose interval of 96 % is (-0.786, -0.010) and whose estimate is -0.46. */
static void paired_shift_is_that_of_the_book(void **state)
{
    (void)state;
    double d[] = {0.878 - 1.83, 0.647 - 0.50, 0.598 - 1.62, 2.05 - 2.48, 1.06 - 1.68,
                  1.29 - 1.88,  1.06 - 1.55,  3.14 - 3.06,  1.29 - 1.30};
    statistics_sort(d, 9);
    struct probe_interval x = statistics_paired_shift(d, 9, 0.05);
    assert_true(x.known);
    near(x.estimate, -0.46, 0.0005);
    near(x.low, -0.786, 0.0005);
    near(x.high, -0.010, 0.0005);
}

static void few_pairs_give_no_interval(void **state)
{
    (void)state;
    double d[20] = {0};
    for (int i = 0; i < 20; i++)
        d[i] = i;
    assert_false(statistics_paired_shift(d, 7, 0.05).known);
    assert_true(statistics_paired_shift(d, 8, 0.05).known);
    /* 2 / 2^8 is more than that */
    assert_false(statistics_paired_shift(d, 8, 0.001).known);
    assert_true(statistics_paired_shift(d, 20, 0.001).known);
}

/* With the normal approximation: all Walsh averages listed, and the same ranks taken from the list. */
static void many_pairs_agree_with_the_list_of_walsh_averages(void **state)
{
    (void)state;
    enum { N = 200, ALL = N * (N + 1) / 2 };
    static double d[N], walsh[ALL];
    uint32_t x = 12345;
    for (int i = 0; i < N; i++) {
        x = x * 1664525u + 1013904223u;
        d[i] = (double)(x >> 8) / 1e6 - 3;
    }
    statistics_sort(d, N);
    size_t n = 0;
    for (int i = 0; i < N; i++)
        for (int j = i; j < N; j++)
            walsh[n++] = (d[i] + d[j]) / 2;
    statistics_sort(walsh, ALL);
    double end = floor(ALL / 2.0 - 1.959963984540054 * sqrt(N * (N + 1.0) * (2.0 * N + 1) / 24));
    struct probe_interval got = statistics_paired_shift(d, N, 0.05);
    near(got.estimate, (walsh[ALL / 2 - 1] + walsh[ALL / 2]) / 2, 1e-9);
    near(got.low, walsh[(size_t)end - 1], 1e-9);
    near(got.high, walsh[ALL - (size_t)end], 1e-9);
}

/* What the interval promises: of many samples without a shift about one in twenty misses zero, however long-tailed they
 * are. */
static void without_a_shift_one_in_twenty_misses_zero(void **state)
{
    (void)state;
    enum { RUNS = 2000, N = 40 };
    uint64_t x = 99;
    int missed = 0;
    for (int r = 0; r < RUNS; r++) {
        double d[N];
        for (int i = 0; i < N; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            double u = ((double)(x >> 11) + 0.5) / 9007199254740992.0 - 0.5;
            d[i] = u * u * u / (0.26 - u * u); /* symmetric, heavy tails */
        }
        statistics_sort(d, N);
        struct probe_interval got = statistics_paired_shift(d, N, 0.05);
        missed += got.low > 0 || got.high < 0;
    }
    assert_in_range(missed, 60, 140);
}

/* The binomial distribution by hand: 2 * (1 + 10 + 45) / 1024 for eight of ten. */
static void the_sign_test_is_the_binomial(void **state)
{
    (void)state;
    static const struct {
        uint32_t more, less;
        double chance;
    } cases[] = {{0, 0, 1},
                 {1, 0, 1},
                 {10, 0, 2.0 / 1024},
                 {0, 10, 2.0 / 1024},
                 {8, 2, 112.0 / 1024},
                 {5, 5, 1},
                 {32, 0, 2.0 / 4294967296.0},
                 {2500, 2500, 1},
                 {3000, 2000, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double got = statistics_sign_chance(cases[i].more, cases[i].less);
        assert_true(got - cases[i].chance < 1e-12 && cases[i].chance - got < 1e-12);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sign_test_is_the_binomial),
        cmocka_unit_test(normal_quantiles_are_those_of_the_tables),
        cmocka_unit_test(quantiles_lie_between_the_two_nearest_values),
        cmocka_unit_test(jitter_moves_by_a_sixteenth),
        cmocka_unit_test(shares_have_the_intervals_that_newcombe_printed),
        cmocka_unit_test(differences_of_shares_have_the_intervals_that_newcombe_printed),
        cmocka_unit_test(paired_shift_is_that_of_the_book),
        cmocka_unit_test(few_pairs_give_no_interval),
        cmocka_unit_test(many_pairs_agree_with_the_list_of_walsh_averages),
        cmocka_unit_test(without_a_shift_one_in_twenty_misses_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

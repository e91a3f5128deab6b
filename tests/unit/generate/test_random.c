#include "testing.h"

#include "generate/random.h"

/* The first outputs of the authors' reference code (prng.di.unimi.it, xoshiro256starstar.c) for the state 1, 2, 3, 4.
 */
static void the_numbers_are_those_of_the_reference_code(void **state)
{
    (void)state;
    struct generate_random r = {.state = {1, 2, 3, 4}};
    static const uint64_t expected[] = {
        11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(generate_random_next(&r) == expected[i]);
}

static void two_streams_of_a_seed_differ_and_one_repeats(void **state)
{
    (void)state;
    struct generate_random a, b, c, d;
    generate_random_init(&a, 1, 1);
    generate_random_init(&b, 1, 1);
    generate_random_init(&c, 1, 2);
    generate_random_init(&d, 2, 1);
    uint64_t first = generate_random_next(&a);
    assert_true(first == generate_random_next(&b));
    assert_true(first != generate_random_next(&c));
    assert_true(first != generate_random_next(&d));
}

static void every_value_of_a_range_comes_and_none_beyond(void **state)
{
    (void)state;
    struct generate_random r;
    unsigned seen[7] = {0};
    generate_random_init(&r, 5, 0);
    for (int i = 0; i < 7000; i++) {
        int64_t v = generate_random_between(&r, -3, 3);
        assert_true(v >= -3 && v <= 3);
        seen[v + 3]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 800, 1200); /* 1000 expected, standard deviation 29 */
    assert_true(generate_random_below(&r, 0) == 0);
    assert_true(generate_random_between(&r, 4, 4) == 4);
}

static void a_chance_comes_as_often_as_it_says(void **state)
{
    (void)state;
    struct generate_random r;
    unsigned hits = 0;
    generate_random_init(&r, 6, 0);
    for (int i = 0; i < 100000; i++)
        hits += generate_random_chance(&r, 20000);
    assert_in_range(hits, 1800, 2200);
    for (int i = 0; i < 100; i++) {
        assert_false(generate_random_chance(&r, 0));
        assert_true(generate_random_chance(&r, 1000000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_numbers_are_those_of_the_reference_code),
        cmocka_unit_test(two_streams_of_a_seed_differ_and_one_repeats),
        cmocka_unit_test(every_value_of_a_range_comes_and_none_beyond),
        cmocka_unit_test(a_chance_comes_as_often_as_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

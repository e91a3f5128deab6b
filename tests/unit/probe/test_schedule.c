#include "testing.h"

#include "base/clock.h"
#include "probe/schedule.h"

static void each_round_has_each_class_once_and_in_time(void **state)
{
    (void)state;
    struct schedule_config config = {.slots = 6, .rounds = 500, .interval_ns = 20 * NS_PER_MS, .seed = 7};
    struct schedule s;
    struct schedule_step step;
    unsigned seen = 0;
    uint64_t n = 0;
    int64_t last = -1;
    schedule_init(&s, &config);
    while (schedule_next(&s, &step)) {
        assert_int_equal(step.round, n / 6);
        assert_false(seen >> step.slot & 1);
        seen |= 1u << step.slot;
        assert_true(step.at_ns > last);
        assert_true(step.at_ns >= (int64_t)step.round * config.interval_ns &&
                    step.at_ns < (int64_t)(step.round + 1) * config.interval_ns);
        last = step.at_ns;
        if (++n % 6 == 0) {
            assert_int_equal(seen, 63);
            seen = 0;
        }
    }
    assert_int_equal(n, 3000);
}

/* No class is favoured: over many rounds each is about as often at each place. 6,000 rounds, expected 1,000, sigma 29.
 */
static void no_class_is_favoured(void **state)
{
    (void)state;
    struct schedule_config config = {.slots = 6, .rounds = 6000, .interval_ns = 1000, .seed = 1};
    struct schedule s;
    struct schedule_step step;
    int at[6][6] = {{0}};
    uint64_t n = 0;
    schedule_init(&s, &config);
    while (schedule_next(&s, &step))
        at[n++ % 6][step.slot]++;
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            assert_in_range(at[i][j], 850, 1150);
}

static void one_seed_gives_one_order_and_another_another(void **state)
{
    (void)state;
    struct schedule_config config = {.slots = 9, .rounds = 20, .interval_ns = 1000, .seed = 5};
    struct schedule a, b, c;
    struct schedule_step x, y, z;
    bool differ = false;
    schedule_init(&a, &config);
    schedule_init(&b, &config);
    config.seed = 6;
    schedule_init(&c, &config);
    while (schedule_next(&a, &x)) {
        assert_true(schedule_next(&b, &y) && schedule_next(&c, &z));
        assert_int_equal(x.slot, y.slot);
        differ |= x.slot != z.slot;
    }
    assert_true(differ);
}

static void the_interval_keeps_both_limits(void **state)
{
    (void)state;
    assert_int_equal(schedule_interval(20 * NS_PER_MS, 6, 1000, 0, 0), 20 * NS_PER_MS);
    assert_int_equal(schedule_interval(1, 6, 1000, 0, 0), 6 * NS_PER_MS);
    /* 1,250 bytes are 10,000 bits: at 100 kbit/s a tenth of a second */
    assert_int_equal(schedule_interval(20 * NS_PER_MS, 6, 1000, 1250, 1e5), 100 * NS_PER_MS);
    assert_int_equal(schedule_interval(7, 6, 0, 1250, 0), 7);
}

static void nothing_is_sent_of_no_rounds(void **state)
{
    (void)state;
    struct schedule_config config = {.slots = 3, .rounds = 0, .interval_ns = 1};
    struct schedule s;
    struct schedule_step step;
    schedule_init(&s, &config);
    assert_false(schedule_next(&s, &step));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_round_has_each_class_once_and_in_time),
        cmocka_unit_test(no_class_is_favoured),
        cmocka_unit_test(one_seed_gives_one_order_and_another_another),
        cmocka_unit_test(the_interval_keeps_both_limits),
        cmocka_unit_test(nothing_is_sent_of_no_rounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

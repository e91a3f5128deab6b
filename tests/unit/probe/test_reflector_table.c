#include "testing.h"

#include "base/clock.h"
#include "probe/reflector_table.h"

static const struct hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

static struct reflector_table *table_of(size_t entries, enum reflector_eviction eviction)
{
    struct reflector_table *t = reflector_table_new(entries, sizeof(uint64_t), 10 * NS_PER_S, eviction, &key);
    assert_non_null(t);
    return t;
}

static uint64_t *get(struct reflector_table *t, uint32_t k, int64_t now, bool *ret_new)
{
    return reflector_table_get(t, &k, sizeof k, now, ret_new);
}

static void a_value_stays_with_its_key_until_it_has_been_idle_too_long(void **state)
{
    (void)state;
    struct reflector_table *t = table_of(64, EVICT_LONGEST_IDLE);
    bool is_new;
    uint64_t *v = get(t, 1, 0, &is_new);
    assert_true(is_new);
    assert_int_equal(*v, 0);
    *v = 77;
    assert_int_equal(*get(t, 1, 10 * NS_PER_S, &is_new), 77);
    assert_false(is_new);
    assert_int_equal(*get(t, 1, 5 * NS_PER_S, &is_new), 77); /* the clock stepped back: nobody is idle */
    assert_int_equal(*get(t, 1, 16 * NS_PER_S, &is_new), 0);
    assert_true(is_new);
    assert_int_equal(reflector_table_counts(t).expired, 1);
    assert_int_equal(reflector_table_counts(t).created, 2);
    reflector_table_free(t);
}

static void keys_of_another_length_are_other_keys(void **state)
{
    (void)state;
    static const uint8_t zeros[REFLECTOR_KEY_BYTES + 1];
    struct reflector_table *t = table_of(64, EVICT_LONGEST_IDLE);
    bool is_new;
    for (size_t len = 0; len <= REFLECTOR_KEY_BYTES; len++) {
        assert_non_null(reflector_table_get(t, zeros, len, 0, &is_new));
        assert_true(is_new);
    }
    assert_null(reflector_table_get(t, zeros, sizeof zeros, 0, &is_new));
    reflector_table_free(t);
}

static void whoever_was_idle_longest_goes_first(void **state)
{
    (void)state;
    struct reflector_table *t = table_of(8, EVICT_LONGEST_IDLE); /* one set */
    bool is_new;
    for (uint32_t k = 0; k < 8; k++)
        *get(t, k, k, &is_new) = k + 1;
    (void)get(t, 0, 100, &is_new);
    (void)get(t, 8, 101, &is_new);
    assert_true(is_new);
    assert_int_equal(*get(t, 0, 102, &is_new), 1);
    assert_int_equal(*get(t, 2, 103, &is_new), 3);
    (void)get(t, 1, 104, &is_new);
    assert_true(is_new); /* it was the one */
    assert_int_equal(reflector_table_counts(t).evicted, 2);
    assert_int_equal(reflector_table_counts(t).used, 8);
    reflector_table_free(t);
}

static void sessions_in_use_are_kept_from_a_flood_of_new_ones(void **state)
{
    (void)state;
    struct reflector_table *t = table_of(64, EVICT_NEWCOMERS);
    bool is_new;
    for (uint32_t k = 0; k < 16; k++)
        for (int packet = 0; packet < 2; packet++)
            *get(t, k, packet, &is_new) = k + 1;
    /* eight seconds of a new key each 10 microseconds; the sessions speak each second */
    for (uint32_t i = 0; i < 800000; i++) {
        (void)get(t, 1000 + i, i * INT64_C(10000), &is_new);
        if (i % 100000 == 0)
            for (uint32_t k = 0; k < 16; k++)
                assert_int_equal(*get(t, k, i * INT64_C(10000), &is_new), k + 1);
    }
    struct reflector_table_counts c = reflector_table_counts(t);
    assert_int_equal(c.used, 64);
    assert_true(c.evicted > 0 && c.refused > 0);
    assert_int_equal(c.evicted + c.refused + 64, 800000 + 16);
    reflector_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_stays_with_its_key_until_it_has_been_idle_too_long),
        cmocka_unit_test(keys_of_another_length_are_other_keys),
        cmocka_unit_test(whoever_was_idle_longest_goes_first),
        cmocka_unit_test(sessions_in_use_are_kept_from_a_flood_of_new_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

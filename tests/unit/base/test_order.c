#include "testing.h"

#include "base/order.h"

enum { MANY = 5000 };

struct values {
    uint64_t at[MANY];
    size_t looks;
};

static int compare(const void *context, uint32_t a, uint32_t b)
{
    struct values *v = (struct values *)(uintptr_t)context;
    v->looks++;
    return (v->at[a] > v->at[b]) - (v->at[a] < v->at[b]);
}

static uint64_t key(const void *context, uint32_t i)
{
    return ((const struct values *)context)->at[i];
}

/* The next number of a fixed sequence (Knuth's MMIX constants). */
static uint64_t next(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 20;
}

/* In order, each element once, and equal ones in the order they came in. */
static void assert_ordered(const struct values *v, const uint32_t *order, size_t n)
{
    uint8_t *seen = calloc(n + 1, 1);
    assert_non_null(seen);
    for (size_t i = 0; i < n; i++) {
        assert_true(order[i] < n);
        assert_int_equal(seen[order[i]]++, 0);
        if (i) {
            assert_true(v->at[order[i - 1]] <= v->at[order[i]]);
            assert_true(v->at[order[i - 1]] < v->at[order[i]] || order[i - 1] < order[i]);
        }
    }
    free(seen);
}

static void check(struct values *v, size_t n)
{
    uint32_t *a = order_new(n), *b = order_new(n);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(order_sort(a, n, compare, v));
    assert_ordered(v, a, n);
    assert_true(order_by_key(b, n, key, v));
    assert_ordered(v, b, n);
    free(a);
    free(b);
}

static void numbers_of_every_width_come_out_in_order(void **state)
{
    (void)state;
    static struct values v;
    uint64_t sequence = 1;
    for (unsigned bits = 1; bits <= 64; bits += 7) {
        for (size_t i = 0; i < MANY; i++)
            v.at[i] = (next(&sequence) << 40 ^ next(&sequence)) >> (64 - bits);
        for (size_t n = 0; n <= 40; n++)
            check(&v, n);
        check(&v, MANY);
    }
}

static void a_number_that_fills_the_word_is_the_greatest(void **state)
{
    (void)state;
    static struct values v = {.at = {UINT64_MAX, 1, UINT64_MAX - 1, 0, UINT64_C(1) << 63, UINT64_MAX, 2}};
    check(&v, 7);
}

static void what_is_in_order_already_is_looked_at_once(void **state)
{
    (void)state;
    static struct values v;
    for (size_t i = 0; i < MANY; i++)
        v.at[i] = i / 3;
    uint32_t *order = order_new(MANY);
    assert_true(order_sort(order, MANY, compare, &v));
    assert_int_equal(v.looks, MANY - 1);
    free(order);
}

static void what_is_in_two_pieces_takes_one_merge(void **state)
{
    (void)state;
    static struct values v;
    for (size_t i = 0; i < MANY; i++)
        v.at[i] = (i + MANY / 2) % MANY;
    uint32_t *order = order_new(MANY);
    assert_true(order_sort(order, MANY, compare, &v));
    assert_ordered(&v, order, MANY);
    assert_true(v.looks < 4 * MANY);
    free(order);
}

static void elements_follow_their_order(void **state)
{
    (void)state;
    static struct values v, moved;
    uint64_t sequence = 7;
    for (size_t n = 0; n < 300; n++) {
        for (size_t i = 0; i < n; i++)
            v.at[i] = moved.at[i] = next(&sequence) % 97;
        uint32_t *order = order_new(n), *kept = order_new(n);
        assert_true(order_by_key(order, n, key, &v));
        memcpy(kept, order, n * sizeof *order);
        order_apply(order, n, moved.at, sizeof moved.at[0]);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(moved.at[i], v.at[kept[i]]);
        free(order);
        free(kept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_every_width_come_out_in_order),
        cmocka_unit_test(a_number_that_fills_the_word_is_the_greatest),
        cmocka_unit_test(what_is_in_order_already_is_looked_at_once),
        cmocka_unit_test(what_is_in_two_pieces_takes_one_merge),
        cmocka_unit_test(elements_follow_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/pool.h"

struct item {
    uint64_t value, more[4];
};

static void an_item_knows_its_number_and_a_number_its_item(void **state)
{
    (void)state;
    struct pool p;
    pool_init(&p, sizeof(struct item));
    uint32_t many = pool_chunk_items(sizeof(struct item)) * 2 + 3; /* into the third chunk */
    for (uint32_t i = 0; i < many; i++) {
        assert_int_equal(pool_take(&p), i);
        struct item *item = pool_at(&p, i, sizeof *item);
        assert_int_equal(item->value, 0);
        assert_int_equal(item->more[3], 0);
        item->value = item->more[3] = i;
    }
    for (uint32_t i = 0; i < many; i++) {
        const struct item *item = pool_at(&p, i, sizeof *item);
        assert_int_equal(item->value, i);
        assert_int_equal(item->more[3], i);
        assert_int_equal(pool_number(item, sizeof *item), i);
    }
    assert_int_equal(pool_bytes(&p), 3 * POOL_CHUNK_BYTES);
    pool_done(&p);
    assert_int_equal(p.count, 0);
}

static void what_is_given_back_is_taken_again_and_zero(void **state)
{
    (void)state;
    struct pool p;
    pool_init(&p, sizeof(struct item));
    for (uint32_t i = 0; i < 10; i++) {
        struct item *item = pool_at(&p, pool_take(&p), sizeof *item);
        item->value = ~UINT64_C(0);
    }
    pool_give(&p, 3);
    pool_give(&p, 7);
    uint32_t first = pool_take(&p), second = pool_take(&p);
    assert_true((first == 7 && second == 3) || (first == 3 && second == 7));
    assert_int_equal(((struct item *)pool_at(&p, 3, sizeof(struct item)))->value, 0);
    assert_int_equal(((struct item *)pool_at(&p, 7, sizeof(struct item)))->value, 0);
    assert_int_equal(pool_take(&p), 10);
    pool_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_item_knows_its_number_and_a_number_its_item),
        cmocka_unit_test(what_is_given_back_is_taken_again_and_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

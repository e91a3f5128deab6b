#include "testing.h"

#include "base/tape.h"

static size_t length_of(uint64_t i)
{
    return 1 + (size_t)(i * 7919 % 700) + (i % 1000 == 0 ? TAPE_ENTRY_MAX - 700 : 0);
}

static void add(struct tape *t, uint64_t i)
{
    static uint8_t bytes[TAPE_ENTRY_MAX];
    memset(bytes, (int)(i % 251), length_of(i));
    assert_true(tape_add(t, bytes, length_of(i)));
}

static void assert_entry(const struct tape *t, uint64_t place, uint64_t i)
{
    size_t len;
    const uint8_t *at = tape_at(t, place, &len);
    assert_int_equal(len, length_of(i));
    assert_int_equal(at[0], i % 251);
    assert_int_equal(at[len - 1], i % 251);
}

static void what_is_written_first_is_dropped_first(void **state)
{
    (void)state;
    struct tape t = {0};
    uint64_t written = 0, dropped = 0, place, before = 0;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 1000 + 37 * round; i++)
            add(&t, written++);
        uint64_t drop = round % 5 == 4 ? written - dropped : (written - dropped) / 2;
        for (uint64_t i = 0; i < drop; i++) {
            assert_true(tape_first(&t, &place));
            assert_true(place >= before);
            before = place;
            assert_entry(&t, place, dropped++);
            tape_drop(&t);
        }
        assert_int_equal(t.entries, written - dropped);
        uint64_t i = dropped;
        for (bool more = tape_first(&t, &place); more; more = tape_next(&t, &place))
            assert_entry(&t, place, i++);
        assert_int_equal(i, written);
    }
    tape_done(&t);
}

static void memory_follows_what_is_on_it(void **state)
{
    (void)state;
    struct tape t = {0};
    size_t most = 0;
    for (uint64_t i = 0; i < 200000; i++) {
        add(&t, i);
        if (t.entries > 1000)
            tape_drop(&t);
        most = tape_bytes(&t) > most ? tape_bytes(&t) : most;
    }
    assert_in_range(most, 350000, 2000000); /* a thousand entries of 350 bytes, and chunks begun */
    while (t.entries)
        tape_drop(&t);
    tape_drop(&t);
    uint64_t place;
    assert_false(tape_first(&t, &place));
    add(&t, 5);
    assert_true(tape_first(&t, &place));
    assert_entry(&t, place, 5);
    tape_done(&t);
}

static void nothing_and_too_much_are_no_entries(void **state)
{
    (void)state;
    static const uint8_t bytes[TAPE_ENTRY_MAX + 1] = {0};
    struct tape t = {0};
    assert_false(tape_add(&t, bytes, 0));
    assert_false(tape_add(&t, bytes, TAPE_ENTRY_MAX + 1));
    assert_int_equal(t.entries, 0);
    tape_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_first_is_dropped_first),
        cmocka_unit_test(memory_follows_what_is_on_it),
        cmocka_unit_test(nothing_and_too_much_are_no_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

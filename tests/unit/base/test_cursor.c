#include "testing.h"

#include "base/cursor.h"

static const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff, 0x00};

static void big_endian_reads_give_the_value_and_step_on(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, sizeof bytes, false);
    assert_int_equal(cur_u8(&c), 0x01);
    assert_int_equal(cur_u16(&c), 0x2345);
    assert_int_equal(cur_u24(&c), 0x6789ab);
    assert_int_equal(cur_u32(&c), 0xcdefff00u);
    assert_int_equal(cur_left(&c), 0);
    assert_int_equal(cur_status(&c), PARSE_OK);
    c = cur_make(bytes, sizeof bytes, false);
    assert_int_equal(cur_u64(&c), 0x0123456789abcdefu);
    assert_int_equal(cur_left(&c), 2);
}

static void little_endian_reads_give_the_value_and_step_on(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, sizeof bytes, false);
    assert_int_equal(cur_le16(&c), 0x2301);
    assert_int_equal(cur_le32(&c), 0xab896745u);
    c = cur_make(bytes, sizeof bytes, false);
    assert_int_equal(cur_le64(&c), 0xefcdab8967452301u);
}

static void the_highest_bit_of_a_word_is_not_a_sign(void **state)
{
    (void)state;
    static const uint8_t ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct cursor c = cur_make(ones, sizeof ones, false);
    assert_true(cur_u64(&c) == UINT64_MAX);
    c = cur_make(ones, sizeof ones, false);
    assert_true(cur_u32(&c) == UINT32_MAX);
    assert_true(cur_le32(&c) == UINT32_MAX);
}

static void a_short_read_gives_zero_and_everything_after_it_too(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 3, false);
    assert_int_equal(cur_u32(&c), 0);
    assert_true(c.failed);
    assert_int_equal(cur_left(&c), 0);
    assert_int_equal(cur_u8(&c), 0);
    assert_null(cur_take(&c, 0));
    assert_int_equal(cur_status(&c), PARSE_MALFORMED);
}

static void a_short_read_of_a_cut_packet_is_truncated_and_not_malformed(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 3, true);
    assert_int_equal(cur_status(&c), PARSE_OK);
    (void)cur_u32(&c);
    assert_int_equal(cur_status(&c), PARSE_TRUNCATED);
}

static void an_empty_cursor_is_well_until_it_is_read(void **state)
{
    (void)state;
    struct cursor c = cur_make(NULL, 0, false);
    assert_int_equal(cur_left(&c), 0);
    cur_skip(&c, 0);
    assert_int_equal(cur_status(&c), PARSE_OK);
    assert_int_equal(cur_u8(&c), 0);
    assert_int_equal(cur_status(&c), PARSE_MALFORMED);
}

static void take_and_skip_of_exactly_what_is_left_succeed(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 4, false);
    assert_ptr_equal(cur_take(&c, 3), bytes);
    cur_skip(&c, 1);
    assert_int_equal(cur_status(&c), PARSE_OK);
    cur_skip(&c, 1);
    assert_int_equal(cur_status(&c), PARSE_MALFORMED);
}

static void a_length_that_would_overflow_fails(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 4, false);
    assert_null(cur_take(&c, SIZE_MAX));
    assert_int_equal(cur_status(&c), PARSE_MALFORMED);
}

static void peek_neither_moves_nor_latches(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 3, false);
    assert_int_equal(cur_peek(&c, 0), 0x01);
    assert_int_equal(cur_peek(&c, 2), 0x45);
    assert_int_equal(cur_peek(&c, 3), 0);
    assert_int_equal(cur_peek(&c, SIZE_MAX), 0);
    assert_int_equal(cur_left(&c), 3);
    assert_int_equal(cur_status(&c), PARSE_OK);
}

static void a_child_ends_where_its_length_says_and_the_parent_goes_on_behind(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, sizeof bytes, true);
    struct cursor child = cur_child(&c, 2);
    assert_int_equal(cur_u16(&child), 0x0123);
    assert_int_equal(cur_status(&child), PARSE_OK);
    assert_int_equal(cur_u8(&child), 0);
    /* the child is all there although the parent was cut: its end is the sender's */
    assert_int_equal(cur_status(&child), PARSE_MALFORMED);
    assert_int_equal(cur_u8(&c), 0x45);
    assert_int_equal(cur_status(&c), PARSE_OK);
}

static void a_child_beyond_the_end_fails_with_its_parent(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 4, false);
    struct cursor child = cur_child(&c, 5);
    assert_int_equal(cur_left(&child), 0);
    assert_int_equal(cur_status(&child), PARSE_MALFORMED);
    assert_int_equal(cur_status(&c), PARSE_MALFORMED);
}

static void a_child_beyond_the_cut_has_what_is_left_and_ends_truncated(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 4, true);
    struct cursor child = cur_child(&c, 5);
    assert_int_equal(cur_u32(&child), 0x01234567u);
    assert_int_equal(cur_status(&child), PARSE_OK);
    (void)cur_u8(&child);
    assert_int_equal(cur_status(&child), PARSE_TRUNCATED);
    assert_int_equal(cur_status(&c), PARSE_TRUNCATED);
}

static void a_child_of_a_failed_cursor_has_failed(void **state)
{
    (void)state;
    struct cursor c = cur_make(bytes, 1, true);
    (void)cur_u16(&c);
    struct cursor child = cur_child(&c, 0);
    assert_int_equal(cur_left(&child), 0);
    assert_int_equal(cur_status(&child), PARSE_TRUNCATED);
}

/* Reads of every width in turn, as a parser does, over each prefix in an allocation of its size. */
static void read_all(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct cursor c = cur_make(prefix, len, false);
    (void)cur_u8(&c);
    struct cursor child = cur_child(&c, 3);
    (void)cur_le64(&child);
    (void)cur_u16(&c);
    (void)cur_peek(&c, 1);
    (void)cur_u24(&c);
    (void)cur_u8(&c);
    assert_int_equal(cur_status(&c), len < sizeof bytes ? PARSE_MALFORMED : PARSE_OK);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    for_each_prefix(bytes, sizeof bytes, read_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(big_endian_reads_give_the_value_and_step_on),
        cmocka_unit_test(little_endian_reads_give_the_value_and_step_on),
        cmocka_unit_test(the_highest_bit_of_a_word_is_not_a_sign),
        cmocka_unit_test(a_short_read_gives_zero_and_everything_after_it_too),
        cmocka_unit_test(a_short_read_of_a_cut_packet_is_truncated_and_not_malformed),
        cmocka_unit_test(an_empty_cursor_is_well_until_it_is_read),
        cmocka_unit_test(take_and_skip_of_exactly_what_is_left_succeed),
        cmocka_unit_test(a_length_that_would_overflow_fails),
        cmocka_unit_test(peek_neither_moves_nor_latches),
        cmocka_unit_test(a_child_ends_where_its_length_says_and_the_parent_goes_on_behind),
        cmocka_unit_test(a_child_beyond_the_end_fails_with_its_parent),
        cmocka_unit_test(a_child_beyond_the_cut_has_what_is_left_and_ends_truncated),
        cmocka_unit_test(a_child_of_a_failed_cursor_has_failed),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

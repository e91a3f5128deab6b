/* Which of two copies came first, and what a stream of them is. */
#include "testing.h"

#include "stream/copies.h"
#include "stream/traffic.h"

static const uint8_t words[] = "the same words, said again and again";

static void hear(struct copies *c, dscp_t dscp, uint32_t id, uint8_t ttl, int64_t time_ns)
{
    struct packet p = {.tos = dscp_tos(dscp), .ip_id = id, .ttl = ttl, .payload = words, .payload_bytes = sizeof words, .payload_wire_bytes = sizeof words, .time_ns = time_ns};
    assert_true(copies_add(c, &p));
}

static struct copied_marks marks_of(struct copies *c)
{
    struct copied_marks marks = copies_marks(c);
    copies_done(c);
    return marks;
}

static void both_marks_are_named_in_the_order_of_the_capture(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 100; i++) {
        hear(&c, 46, i, 64, i * 20 * MS);
        hear(&c, 0, i, 64, i * 20 * MS + 5000);
    }
    struct copied_marks m = marks_of(&c);
    assert_int_equal(m.before, 46);
    assert_int_equal(m.after, 0);
    assert_true(m.in_order);
}

static void the_hop_limit_tells_the_order_where_the_capture_swapped_it(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 100; i++) {
        hear(&c, 0, i, 63, i * 20 * MS);
        hear(&c, 46, i, 64, i * 20 * MS + 5000);
    }
    struct copied_marks m = marks_of(&c);
    assert_int_equal(m.before, 46);
    assert_int_equal(m.after, 0);
}

/* `odd`: how many of a hundred pairs have other hop limits than the rest. */
static struct copied_marks a_hundred_pairs(uint32_t odd, uint8_t before, uint8_t after)
{
    struct copies c = {0};
    for (uint32_t i = 0; i < 100; i++) {
        hear(&c, 46, i + 1, (uint8_t)(before - (i % 10 == 5 && i / 10 < odd)), i * 20 * MS);
        hear(&c, 0, i + 1, after, i * 20 * MS + 5000);
    }
    return marks_of(&c);
}

static void the_hop_limits_of_nearly_all_copies_are_named(void **state)
{
    (void)state;
    struct copied_marks m = a_hundred_pairs(9, 64, 62);
    assert_int_equal(m.before, 46);
    assert_int_equal(m.before_hops, 64);
    assert_int_equal(m.after_hops, 62);
    assert_int_equal(a_hundred_pairs(10, 64, 62).before_hops, 64);
    assert_int_equal(a_hundred_pairs(0, 64, 64).before_hops, 0);
    struct copies c = {0};
    for (uint32_t i = 1; i <= 100; i++) { /* two ways, of which one is longer */
        hear(&c, 46, i, i % 2 ? 64 : 60, i * 20 * MS);
        hear(&c, 0, i, i % 2 ? 63 : 59, i * 20 * MS + 5000);
    }
    m = marks_of(&c);
    assert_true(m.in_order);
    assert_int_equal(m.before_hops, 0);
}

static void copies_in_any_order_have_none(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 100; i++) {
        hear(&c, i % 3 ? 46 : 0, i, 64, i * 20 * MS);
        hear(&c, i % 3 ? 0 : 46, i, 64, i * 20 * MS + 5000);
    }
    assert_int_equal(c.differ, 100);
    assert_false(marks_of(&c).in_order);
}

static void the_most_frequent_pair_is_named(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 100; i++) {
        hear(&c, i % 5 ? 0 : 10, i, 64, i * 20 * MS);
        hear(&c, 46, i, 64, i * 20 * MS + 5000);
    }
    struct copied_marks m = marks_of(&c);
    assert_int_equal(m.before, 0);
    assert_int_equal(m.after, 46);
}

/* A video frame of 200 packets within a millisecond, then its copies. */
static void the_copies_of_a_large_burst_are_found(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t burst = 0; burst < 10; burst++)
        for (unsigned mark = 0; mark < 2; mark++)
            for (uint32_t i = 1; i <= 200; i++)
                hear(&c, mark ? 34 : 0, burst * 200 + i, 64, (burst * 40 + mark * 5) * MS + i * 1000);
    /* nothing was kept of the first burst before its second mark came up, save its last packet; the second burst found
     * the ring small */
    assert_true(c.differ >= 8 * 200 + 1);
    copies_done(&c);
}

static void acknowledgements_of_tcp_have_numbers(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 0; i < 50; i++)
        for (unsigned copy = 0; copy < 2; copy++) {
            struct packet p = {.tos = dscp_tos(copy ? 26 : 0), .proto = PROTO_TCP, .tcp_flags = TCP_ACK, .tcp_seq = 1, .tcp_ack = 1 + i * 1400, .time_ns = i * MS + copy * 5000};
            assert_true(copies_add(&c, &p));
        }
    assert_int_equal(c.differ, 50);
    copies_done(&c);
}

static void fragments_are_copies_one_by_one(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 50; i++)
        for (unsigned copy = 0; copy < 2; copy++) {
            struct packet_part parts[3] = {{.ip_bytes = 1500}, {.ip_bytes = 1500}, {.ip_bytes = 200}};
            struct packet p = {.ip_id = i, .parts = parts, .part_count = 3};
            for (uint32_t k = 0; k < 3; k++) {
                parts[k].tos = dscp_tos(copy ? 34 : 0);
                parts[k].time_ns = i * 20 * MS + copy * 5000 + k;
                assert_true(copies_add_part(&c, &p, k));
            }
        }
    /* nothing was kept before the second mark came up, save the last part */
    assert_int_equal(c.differ, 49 * 3 + 1);
    copies_done(&c);
}

static void parts_of_one_datagram_are_no_copies_of_each_other(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 50; i++) {
        struct packet_part parts[3] = {{.ip_bytes = 1500, .tos = dscp_tos(34)}, {.ip_bytes = 1500}, {.ip_bytes = 1500}};
        struct packet p = {.ip_id = i, .parts = parts, .part_count = 3};
        for (uint32_t k = 0; k < 3; k++) {
            parts[k].time_ns = i * 20 * MS + k;
            assert_true(copies_add_part(&c, &p, k));
        }
    }
    assert_int_equal(c.differ, 0);
    copies_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_marks_are_named_in_the_order_of_the_capture),
        cmocka_unit_test(the_hop_limit_tells_the_order_where_the_capture_swapped_it),
        cmocka_unit_test(the_hop_limits_of_nearly_all_copies_are_named),
        cmocka_unit_test(copies_in_any_order_have_none),
        cmocka_unit_test(the_most_frequent_pair_is_named),
        cmocka_unit_test(the_copies_of_a_large_burst_are_found),
        cmocka_unit_test(acknowledgements_of_tcp_have_numbers),
        cmocka_unit_test(fragments_are_copies_one_by_one),
        cmocka_unit_test(parts_of_one_datagram_are_no_copies_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

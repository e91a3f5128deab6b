#include "testing.h"

#include "stream/copies.h"
#include "stream/traffic.h"

static const uint8_t words[] = "the same words, said again and again";

/* A datagram of IPv4 number `id` (0: IPv6, or not given) at `time_ns`. */
static void hear(struct copies *c, dscp_t dscp, uint32_t id, const uint8_t *payload, uint32_t len, int64_t time_ns)
{
    struct packet p = {.tos = dscp_tos(dscp), .ip_id = id, .payload = payload, .payload_bytes = len, .payload_wire_bytes = len, .time_ns = time_ns};
    copies_add(c, &p);
}

static uint64_t differ(struct copies *c)
{
    uint64_t n = c->differ;
    copies_done(c);
    return n;
}

static void a_packet_that_comes_again_at_once_with_another_mark_is_a_copy(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 300; i++) {
        hear(&c, 0, i, words, sizeof words, i * 20 * MS);
        hear(&c, 46, i, words, sizeof words, i * 20 * MS + 5000);
    }
    assert_int_equal(differ(&c), 300);
}

static void copies_that_come_in_a_burst_are_found(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t burst = 0; burst < 10; burst++)
        for (int mark = 0; mark < 2; mark++)
            for (uint32_t i = 1; i <= 20; i++)
                hear(&c, mark ? 34 : 0, burst * 20 + i, words, sizeof words, burst * 40 * MS + i * 1000);
    /* nothing was kept of the first burst before its second mark came up, save its last packet */
    assert_int_equal(differ(&c), 9 * 20 + 1);
}

static void a_copy_with_the_same_mark_tells_nothing(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 1; i <= 100; i++)
        for (int copy = 0; copy < 2; copy++)
            hear(&c, i % 7 ? 46 : 0, i, words, sizeof words, i * 20 * MS + copy);
    assert_int_equal(differ(&c), 0);
}

static void what_is_sent_again_is_another_packet(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 0; i < 50; i++) {
        hear(&c, 0, 2 * i + 1, words, sizeof words, i * 20 * MS);
        hear(&c, 26, 2 * i + 2, words, sizeof words, i * 20 * MS + 5000);
    }
    assert_int_equal(differ(&c), 0);
    for (uint32_t i = 0; i < 50; i++) /* without a number, time tells: SIP repeats after 500 ms (RFC 3261 §17.1.1.2) */
        hear(&c, i % 2 ? 26 : 0, 0, words, sizeof words, i * 500 * MS);
    assert_int_equal(differ(&c), 0);
}

static void other_content_is_another_packet(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint8_t i = 0; i < 100; i++) {
        uint8_t text[40];
        memset(text, 'x', sizeof text);
        text[i % 2 ? 2 : 38] = i;
        hear(&c, i % 2 ? 46 : 0, 0, text, sizeof text, i * MS);
    }
    assert_int_equal(differ(&c), 0);
}

static void acknowledgements_without_a_number_are_not_told_apart(void **state)
{
    (void)state;
    struct copies c = {0};
    for (uint32_t i = 0; i < 50; i++)
        hear(&c, i % 2 ? 26 : 0, 0, NULL, 0, i * MS);
    assert_int_equal(differ(&c), 0);
}

static void a_clock_that_steps_back_is_no_copy(void **state)
{
    (void)state;
    struct copies c = {0};
    hear(&c, 0, 0, words, sizeof words, INT64_MAX / 2);
    hear(&c, 46, 0, words, sizeof words, -(INT64_MAX / 2));
    assert_int_equal(differ(&c), 0);
}

static void the_record_says_how_many_packets_were_copies(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("2001:db8::1", 4000), b = at("2001:db8::2", 5000);
    for (unsigned i = 0; i < 50; i++)
        for (unsigned copy = 0; copy < 2; copy++)
            send_rtp(&s, a, b, copy ? 46 : 0, 7, 0, (uint16_t)i, 160 * i, 160, 20 * MS * i + copy * 5000);
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 1);
    assert_int_equal(d->records[0].packets, 100);
    assert_int_equal(d->records[0].copies_differ, 50);
    document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_that_comes_again_at_once_with_another_mark_is_a_copy),
        cmocka_unit_test(copies_that_come_in_a_burst_are_found),
        cmocka_unit_test(a_copy_with_the_same_mark_tells_nothing),
        cmocka_unit_test(what_is_sent_again_is_another_packet),
        cmocka_unit_test(other_content_is_another_packet),
        cmocka_unit_test(acknowledgements_without_a_number_are_not_told_apart),
        cmocka_unit_test(a_clock_that_steps_back_is_no_copy),
        cmocka_unit_test(the_record_says_how_many_packets_were_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "fragments.h"

/* How much is held, and for how long. */

static void memory_is_capped_and_what_had_to_go_still_counts(void **state)
{
    (void)state;
    struct sender s = start_with(&(struct decoder_options){.fragment_bytes = 8192});
    unsigned out = 0, parts = 0;
    enum { DATAGRAMS = 5000 };
    for (unsigned id = 1; id <= DATAGRAMS; id++) {
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, id, 0, 0}), DECODE_HELD);
        while (decoder_expired(s.d, s.time_ns, &s.packet)) {
            out++;
            parts += s.packet.part_count;
            assert_int_equal(s.packet.ip_id, out); /* the oldest first */
            assert_true(s.packet.ports_known);
        }
    }
    assert_int_equal(parts, out);
    assert_in_range(DATAGRAMS - out, 1, 8);
    assert_int_equal(decoder_stats(s.d).fragments_evicted, out);
    out += drain(&s, INT64_MAX);
    assert_int_equal(out, DATAGRAMS);
    assert_int_equal(decoder_stats(s.d).fragments_expired, DATAGRAMS);
    decoder_free(s.d);
}

static void number_of_datagrams_is_capped_even_without_payload(void **state)
{
    (void)state;
    struct sender s = start();
    unsigned out = 0;
    enum { DATAGRAMS = 20000 };
    for (unsigned id = 1; id <= DATAGRAMS; id++) {
        enum decode_status status = send4(&s, (struct piece){0, 24, true, 0xb8, id, 0, 24});
        assert_int_equal(status, DECODE_HELD);
        while (decoder_expired(s.d, s.time_ns, &s.packet))
            out += s.packet.part_count;
    }
    assert_true(out > 0);
    out += drain(&s, INT64_MAX);
    assert_int_equal(out, DATAGRAMS);
    decoder_free(s.d);
}

static void without_room_a_fragment_is_a_packet_by_itself(void **state)
{
    (void)state;
    /* nobody asks for what was evicted, against the contract: still nothing is lost */
    struct sender s = start_with(&(struct decoder_options){.fragment_bytes = 1024});
    unsigned held = 0, alone = 0;
    for (unsigned id = 1; id <= 2000; id++) {
        enum decode_status status = send4(&s, (struct piece){0, 24, true, 0xb8, id, 0, 0});
        held += status == DECODE_HELD;
        if (status == DECODE_PACKET) {
            alone++;
            assert_int_equal(s.packet.part_count, 1);
            assert_int_equal(s.packet.parts[0].tos, 0xb8);
        }
    }
    assert_int_equal(held + alone, 2000);
    assert_true(alone > 0);
    assert_int_equal(drain(&s, INT64_MAX), held);
    decoder_free(s.d);
}

static void too_many_parts_become_a_datagram_of_their_own(void **state)
{
    (void)state;
    struct sender s = start();
    unsigned parts = 0;
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(send4(&s, (struct piece){24, 16, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        while (decoder_expired(s.d, s.time_ns, &s.packet))
            parts += s.packet.part_count;
    }
    while (decoder_expired(s.d, INT64_MAX, &s.packet))
        parts += s.packet.part_count;
    assert_int_equal(parts, 3000);
    decoder_free(s.d);
}

static void timeout_counts_from_the_first_fragment_and_any_clock_will_do(void **state)
{
    (void)state;
    struct sender s = start_with(&(struct decoder_options){.fragment_ns = 1000 * (int64_t)ms});
    s.time_ns = 5000 * (int64_t)ms;
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(drain(&s, 5999 * (int64_t)ms), 0);
    assert_int_equal(drain(&s, INT64_MIN), 0);
    assert_int_equal(drain(&s, 6000 * (int64_t)ms), 1);
    s.time_ns = INT64_MIN;
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 2, 0, 0}), DECODE_HELD);
    s.time_ns = INT64_MAX;
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 2, 0, 0}), DECODE_PACKET);
    decoder_free(s.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_capped_and_what_had_to_go_still_counts),
        cmocka_unit_test(number_of_datagrams_is_capped_even_without_payload),
        cmocka_unit_test(without_room_a_fragment_is_a_packet_by_itself),
        cmocka_unit_test(too_many_parts_become_a_datagram_of_their_own),
        cmocka_unit_test(timeout_counts_from_the_first_fragment_and_any_clock_will_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "fragments.h"

/* Fragments of one datagram: in any order, twice, missing, overlapping, contradicting each other. */

static void fragments_in_order_are_put_together_with_each_its_own_mark(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        assert_int_equal(versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){24, 16, true, 0x00, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){40, 16, false, 0x88, 1, 0, 0}), DECODE_PACKET);
        assert_whole(&s, 3);
        assert_int_equal(s.packet.tos, 0xb8); /* the first fragment's */
        assert_int_equal(s.packet.parts[0].tos, 0xb8);
        assert_int_equal(s.packet.parts[1].tos, 0x00);
        assert_int_equal(s.packet.parts[2].tos, 0x88);
        assert_int_equal(s.packet.parts[1].frame, 2);
        assert_false(s.packet.parts[0].has_outer);
        assert_int_equal(s.packet.ip_id, 1);
        assert_int_equal(s.packet.parts[0].ip_bytes, (v == 0 ? 20 : 48) + 24);
        assert_int_equal(s.packet.ip_bytes, (v == 0 ? 20 : 40) + WHOLE); /* as if it had come in one piece */
        assert_int_equal(drain(&s, INT64_MAX), 0);
        decoder_free(s.d);
    }
}

static void fragments_in_any_order_are_put_together(void **state)
{
    (void)state;
    static const struct piece pieces[4] = {{0, 16, true, 0xb8, 9, 0, 0},
                                           {16, 8, true, 0x04, 9, 0, 0},
                                           {24, 24, true, 0x08, 9, 0, 0},
                                           {48, 8, false, 0x0c, 9, 0, 0}};
    for (size_t v = 0; v < 2; v++) {
        for (unsigned order = 0; order < 256; order++) {
            unsigned i[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3}, seen = 0;
            for (unsigned k = 0; k < 4; k++)
                seen |= 1U << i[k];
            if (seen != 15)
                continue;
            struct sender s = start();
            for (unsigned k = 0; k < 4; k++)
                assert_int_equal(versions[v](&s, pieces[i[k]]), k < 3 ? DECODE_HELD : DECODE_PACKET);
            assert_whole(&s, 4);
            assert_int_equal(s.packet.tos, 0xb8);
            for (unsigned k = 0; k < 4; k++)
                assert_int_equal(s.packet.parts[k].tos, pieces[i[k]].tos);
            decoder_free(s.d);
        }
    }
}

static void copies_of_fragments_count_and_do_no_harm(void **state)
{
    (void)state;
    struct sender s = start();
    for (int copy = 0; copy < 2; copy++)
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_PACKET);
    assert_whole(&s, 3);
    /* the copy that comes after the datagram is complete knows its ports */
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0x20, 1, 0, 0}), DECODE_PACKET);
    assert_int_equal(s.packet.part_count, 1);
    assert_int_equal(s.packet.parts[0].tos, 0x20);
    assert_int_equal(s.packet.parts[0].frame, 4);
    assert_true(s.packet.ports_known);
    assert_int_equal(s.packet.dst.port, 6004);
    assert_int_equal(s.packet.payload_bytes, 0);
    assert_true(s.packet.cut);
    assert_int_equal(drain(&s, INT64_MAX), 0);
    decoder_free(s.d);
}

static void same_identification_begins_a_new_datagram_once_the_old_is_complete(void **state)
{
    (void)state;
    struct sender s = start();
    for (int round = 0; round < 3; round++) {
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_PACKET);
        assert_whole(&s, 2);
    }
    /* the last fragment first, after the completed datagram was forgotten */
    s.time_ns += 2000 * (int64_t)ms;
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_PACKET);
    assert_whole(&s, 2);
    decoder_free(s.d);
}

static void overlapping_fragments_are_not_put_together_but_count(void **state)
{
    (void)state;
    static const struct piece overlaps[] = {
        {16, 40, false, 0x04, 1, 0, 0},  /* begins in the first */
        {0, 24, true, 0x04, 1, 0x55, 0}, /* the first again, with other content */
        {8, 8, true, 0x04, 1, 0, 0},     /* inside it */
        {0, 32, true, 0x04, 1, 0, 0},    /* around it */
    };
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof overlaps / sizeof *overlaps; i++) {
            struct sender s = start();
            assert_int_equal(versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
            assert_int_equal(versions[v](&s, overlaps[i]), DECODE_HELD);
            assert_int_equal(versions[v](&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_HELD);
            assert_int_equal(drain(&s, INT64_MAX), 1);
            assert_int_equal(s.packet.part_count, 3);
            assert_int_equal(s.packet.parts[1].tos, 0x04);
            assert_true(s.packet.ports_known);
            assert_int_equal(decoder_stats(s.d).fragments_expired, 1);
            decoder_free(s.d);
        }
    }
}

static void missing_fragment_leaves_the_parts_and_the_first_payload(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        assert_int_equal(versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){40, 16, false, 0x00, 1, 0, 0}), DECODE_HELD);
        assert_false(decoder_expired(s.d, 29999 * (int64_t)ms, &s.packet));
        assert_int_equal(drain(&s, 30000 * (int64_t)ms), 1);
        assert_int_equal(s.packet.part_count, 2);
        assert_true(s.packet.ports_known);
        assert_int_equal(s.packet.dst.port, 6004);
        assert_int_equal(s.packet.payload_bytes, 16);
        assert_int_equal(s.packet.payload_wire_bytes, PAYLOAD);
        assert_true(s.packet.cut);
        assert_int_equal(s.packet.frame, 2);
        assert_int_equal(s.packet.tos, 0xb8);
        decoder_free(s.d);
    }
}

static void missing_first_fragment_leaves_parts_without_ports(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        assert_int_equal(versions[v](&s, (struct piece){24, 16, true, 0x28, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){40, 16, false, 0x28, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(drain(&s, INT64_MAX), 1);
        assert_int_equal(s.packet.part_count, 2);
        assert_false(s.packet.ports_known);
        assert_int_equal(s.packet.proto, PROTO_UDP);
        assert_int_equal(s.packet.tos, 0x28);
        assert_int_equal(s.packet.payload_bytes, 0);
        assert_true(s.packet.cut);
        decoder_free(s.d);
    }
}

static void interleaved_datagrams_are_kept_apart(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        enum { DATAGRAMS = 300 };
        for (unsigned id = 1; id <= DATAGRAMS; id++)
            assert_int_equal(versions[v](&s, (struct piece){0, 24, true, id & 0xff, id, 0, 0}), DECODE_HELD);
        for (unsigned id = DATAGRAMS; id >= 1; id--) {
            assert_int_equal(versions[v](&s, (struct piece){24, 32, false, 0, id, 0, 0}), DECODE_PACKET);
            assert_whole(&s, 2);
            assert_int_equal(s.packet.ip_id, id);
            assert_int_equal(s.packet.parts[0].tos, id & 0xff);
        }
        assert_int_equal(drain(&s, INT64_MAX), 0);
        decoder_free(s.d);
    }
}

static void fragment_cut_by_the_snapshot_length_counts(void **state)
{
    (void)state;
    struct sender s = start();
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 6}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 32}), DECODE_PACKET);
    assert_int_equal(s.packet.part_count, 2);
    assert_true(s.packet.cut);
    assert_true(s.packet.ports_known);
    assert_int_equal(s.packet.payload_bytes, 24 - 6 - 8);
    assert_int_equal(s.packet.payload_wire_bytes, PAYLOAD);
    decoder_free(s.d);
}

static void impossible_fragments_count_and_never_complete(void **state)
{
    (void)state;
    static const struct piece wrong[] = {
        {65528, 32, false, 0x04, 1, 0, 0}, /* beyond 65535 */
        {24, 13, true, 0x04, 1, 0, 0},     /* not in units of eight, and more to follow */
        {24, 0, true, 0x04, 1, 0, 0},      /* empty */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sender s = start();
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(send4(&s, wrong[i]), DECODE_HELD);
        assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(drain(&s, INT64_MAX), 1);
        assert_int_equal(s.packet.part_count, 3);
        decoder_free(s.d);
    }
}

static void contradicting_ends_are_not_put_together(void **state)
{
    (void)state;
    struct sender s = start();
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){24, 16, false, 0, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(drain(&s, INT64_MAX), 1);
    assert_int_equal(s.packet.part_count, 3);
    decoder_free(s.d);
}

static void fragment_of_ipv6_with_headers_before_and_after_is_put_together(void **state)
{
    (void)state;
    struct sender s = start();
    uint8_t whole[8 + WHOLE] = {17, 0, 1, 4, 0, 0, 0, 0}; /* destination options inside the fragmented part */
    datagram_bytes(whole + 8);
    for (unsigned part = 0; part < 2; part++) {
        s.bytes.len = 0;
        put_ethernet(&s.bytes, 0x86dd);
        size_t ip = begin_ip6_between(&s.bytes, 0xb8, 0, 0);
        put(&s.bytes, "\x2c\x00\x01\x04\x00\x00\x00\x00", 8); /* hop-by-hop options in each fragment */
        put8(&s.bytes, 60);
        put8(&s.bytes, 0);
        put16(&s.bytes, part ? 32 : 1);
        put32(&s.bytes, 0xdeadbeef);
        put(&s.bytes, whole + (part ? 32 : 0), part ? sizeof whole - 32 : 32);
        end_ip6(&s.bytes, ip);
        assert_int_equal(send_built(&s, 0), part ? DECODE_PACKET : DECODE_HELD);
    }
    assert_whole(&s, 2);
    assert_int_equal(s.packet.ip_id, 0xdeadbeef);
    decoder_free(s.d);
}

struct prefix_sweep {
    size_t wire;
};

static void decode_fragment_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const struct prefix_sweep *sweep = user;
    struct sender s = start();
    struct frame f = make_frame(prefix, len, sweep->wire, LINK_ETHERNET);
    enum decode_status status = decoder_frame(s.d, &f, &s.packet);
    assert_int_not_equal(status, DECODE_MALFORMED);
    if (status == DECODE_HELD)
        assert_int_equal(drain(&s, INT64_MAX), 1);
    decoder_free(s.d);
}

static void every_prefix_of_a_fragment_is_held_or_truncated(void **state)
{
    (void)state;
    struct sender s = start();
    for (size_t v = 0; v < 2; v++) {
        (void)versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0});
        struct prefix_sweep sweep = {.wire = s.bytes.len};
        for_each_prefix(s.bytes.at, s.bytes.len, decode_fragment_prefix, &sweep);
    }
    decoder_free(s.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_in_order_are_put_together_with_each_its_own_mark),
        cmocka_unit_test(fragments_in_any_order_are_put_together),
        cmocka_unit_test(copies_of_fragments_count_and_do_no_harm),
        cmocka_unit_test(same_identification_begins_a_new_datagram_once_the_old_is_complete),
        cmocka_unit_test(overlapping_fragments_are_not_put_together_but_count),
        cmocka_unit_test(missing_fragment_leaves_the_parts_and_the_first_payload),
        cmocka_unit_test(missing_first_fragment_leaves_parts_without_ports),
        cmocka_unit_test(interleaved_datagrams_are_kept_apart),
        cmocka_unit_test(fragment_cut_by_the_snapshot_length_counts),
        cmocka_unit_test(impossible_fragments_count_and_never_complete),
        cmocka_unit_test(contradicting_ends_are_not_put_together),
        cmocka_unit_test(fragment_of_ipv6_with_headers_before_and_after_is_put_together),
        cmocka_unit_test(every_prefix_of_a_fragment_is_held_or_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

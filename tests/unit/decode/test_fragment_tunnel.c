#include "fragments.h"

/* Fragments outside a tunnel, inside it, and both. */

/* VXLAN whose outer IP is fragmented: the inner packet exists once, whatever frames brought it. */
static void tunnel_fragmented_outside_is_one_packet(void **state)
{
    (void)state;
    struct sender s = start();
    struct bytes outer = {.len = 0};
    size_t udp = begin_udp(&outer, 50000, 4789);
    put(&outer, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8);
    put_ethernet(&outer, 0x0800);
    put_inner4(&outer);
    end_udp(&outer, udp);
    for (unsigned part = 0; part < 2; part++) {
        s.bytes.len = 0;
        put_ethernet(&s.bytes, 0x0800);
        size_t ip = begin_outer4(&s.bytes, 17);
        set16(&s.bytes, ip + 6, part ? 40 / 8 : 0x2000);
        put(&s.bytes, outer.at + (part ? 40 : 0), part ? outer.len - 40 : 40);
        end_ip4(&s.bytes, ip);
        assert_int_equal(send_built(&s, 0), part ? DECODE_PACKET : DECODE_HELD);
    }
    assert_int_equal(s.packet.layer_count, 2);
    assert_int_equal(s.packet.tos, INNER_TOS);
    assert_int_equal(s.packet.layer_tos[0], OUTER_TOS);
    assert_int_equal(s.packet.part_count, 0);
    assert_memory_equal(s.packet.payload, "abcd", 4);
    decoder_free(s.d);
}

static void fragments_inside_a_tunnel_know_the_outer_mark(void **state)
{
    (void)state;
    struct sender s = start();
    for (unsigned part = 0; part < 2; part++) {
        s.bytes.len = 0;
        put_ethernet(&s.bytes, 0x0800);
        size_t ip = begin_ip4_between(&s.bytes, part ? 0x40 : 0x20, 4, 0xc0000201, 0xc0000202);
        put_ip4_piece(&s.bytes,
                      part ? (struct piece){24, 32, false, 0x88, 1, 0, 0} : (struct piece){0, 24, true, 0xb8, 1, 0, 0});
        end_ip4(&s.bytes, ip);
        assert_int_equal(send_built(&s, 0), part ? DECODE_PACKET : DECODE_HELD);
    }
    assert_whole(&s, 2);
    assert_int_equal(s.packet.layer_count, 2);
    assert_true(s.packet.parts[0].has_outer && s.packet.parts[1].has_outer);
    assert_int_equal(s.packet.parts[0].outer_tos, 0x20);
    assert_int_equal(s.packet.parts[1].outer_tos, 0x40);
    assert_int_equal(s.packet.parts[1].tos, 0x88);
    decoder_free(s.d);
}

/* Both at once: IP in IP where the outer is fragmented and what is inside is a fragment too. */
static void fragments_of_fragments_are_put_together(void **state)
{
    (void)state;
    struct sender s = start();
    for (unsigned inner = 0; inner < 2; inner++) {
        struct bytes whole = {.len = 0};
        put_ip4_piece(&whole, inner ? (struct piece){24, 32, false, 0x88, 1, 0, 0}
                                    : (struct piece){0, 24, true, 0xb8, 1, 0, 0});
        for (unsigned outer = 0; outer < 2; outer++) {
            s.bytes.len = 0;
            put_ethernet(&s.bytes, 0x0800);
            size_t ip = begin_outer4(&s.bytes, 4);
            set16(&s.bytes, ip + 4, 77 + inner);
            set16(&s.bytes, ip + 6, outer ? 2 : 0x2000);
            put(&s.bytes, whole.at + (outer ? 16 : 0), outer ? whole.len - 16 : 16);
            end_ip4(&s.bytes, ip);
            assert_int_equal(send_built(&s, 0), inner && outer ? DECODE_PACKET : DECODE_HELD);
        }
    }
    assert_whole(&s, 2);
    assert_int_equal(s.packet.parts[0].frame, 2);
    assert_int_equal(s.packet.parts[1].frame, 4);
    decoder_free(s.d);
}

static void incomplete_tunnel_packet_is_judged_by_its_visible_inner_header(void **state)
{
    (void)state;
    struct sender s = start();
    struct bytes whole = {.len = 0};
    put_inner4(&whole);
    s.bytes.len = 0;
    put_ethernet(&s.bytes, 0x0800);
    size_t ip = begin_outer4(&s.bytes, 4);
    set16(&s.bytes, ip + 6, 0x2000);
    put(&s.bytes, whole.at, 24);
    end_ip4(&s.bytes, ip);
    assert_int_equal(send_built(&s, 0), DECODE_HELD);
    assert_int_equal(drain(&s, INT64_MAX), 1);
    assert_int_equal(s.packet.layer_count, 2);
    assert_int_equal(s.packet.tos, INNER_TOS);
    assert_true(s.packet.cut);
    assert_true(s.packet.ports_known);
    decoder_free(s.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tunnel_fragmented_outside_is_one_packet),
        cmocka_unit_test(fragments_inside_a_tunnel_know_the_outer_mark),
        cmocka_unit_test(fragments_of_fragments_are_put_together),
        cmocka_unit_test(incomplete_tunnel_packet_is_judged_by_its_visible_inner_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

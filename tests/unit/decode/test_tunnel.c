#include "build.h"

/* Tunnels that an IP protocol number or a label announces. */

static size_t begin_gre(struct bytes *b, size_t *ret_ip, unsigned flags, unsigned protocol)
{
    put_ethernet(b, 0x0800);
    *ret_ip = begin_outer4(b, 47);
    size_t at = b->len;
    put16(b, flags);
    put16(b, protocol);
    return at;
}

static void ip_in_ip_of_all_versions_is_reached(void **state)
{
    (void)state;
    for (int outer = 4; outer <= 6; outer += 2) {
        for (int inner = 4; inner <= 6; inner += 2) {
            struct bytes b = {.len = 0};
            unsigned proto = inner == 4 ? 4 : 41;
            put_ethernet(&b, outer == 4 ? 0x0800 : 0x86dd);
            size_t ip = outer == 4 ? begin_outer4(&b, proto) : begin_outer6(&b, proto);
            inner == 4 ? put_inner4(&b) : put_inner6(&b);
            outer == 4 ? end_ip4(&b, ip) : end_ip6(&b, ip);
            assert_carries_inner(&b, LINK_ETHERNET, 2);
        }
    }
}

static void gre_fields_are_stepped_over(void **state)
{
    (void)state;
    static const struct {
        uint16_t flags;
        uint8_t bytes;
    } forms[] = {{0, 0}, {0x8000, 4}, {0x2000, 4}, {0x1000, 4}, {0xb000, 12}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct bytes b = {.len = 0};
        size_t ip;
        (void)begin_gre(&b, &ip, forms[i].flags, 0x0800);
        put_zeros(&b, forms[i].bytes);
        put_inner4(&b);
        end_ip4(&b, ip);
        assert_carries_inner(&b, LINK_ETHERNET, 2);
    }
}

static void gre_routing_is_stepped_over(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    size_t ip;
    (void)begin_gre(&b, &ip, 0x4000, 0x86dd);
    put_zeros(&b, 4);
    put(&b, "\x08\x00\x00\x04\x0a\x00\x00\x09", 8);
    put_zeros(&b, 4);
    put_inner6(&b);
    end_ip4(&b, ip);
    assert_carries_inner(&b, LINK_ETHERNET, 2);
}

static void gre_carries_ppp_ethernet_mpls_wccp_and_aruba(void **state)
{
    (void)state;
    size_t ip;
    struct bytes pptp = {.len = 0}, nvgre = {.len = 0}, mpls = {.len = 0}, wccp = {.len = 0}, wccp2 = {.len = 0},
                 aruba = {.len = 0};
    (void)begin_gre(&pptp, &ip, 0x3081, 0x880b); /* version 1: key, sequence, acknowledgement */
    put_zeros(&pptp, 12);
    put(&pptp, "\xff\x03\x00\x21", 4);
    put_inner4(&pptp);
    end_ip4(&pptp, ip);
    assert_carries_inner(&pptp, LINK_ETHERNET, 2);
    (void)begin_gre(&nvgre, &ip, 0x2000, 0x6558);
    put32(&nvgre, 0x00123400);
    put_ethernet(&nvgre, 0x0800);
    put_inner4(&nvgre);
    end_ip4(&nvgre, ip);
    assert_carries_inner(&nvgre, LINK_ETHERNET, 2);
    (void)begin_gre(&mpls, &ip, 0, 0x8847);
    put32(&mpls, 100 << 12 | 1 << 8 | 64);
    put_inner6(&mpls);
    end_ip4(&mpls, ip);
    assert_carries_inner(&mpls, LINK_ETHERNET, 2);
    (void)begin_gre(&wccp, &ip, 0, 0x883e);
    put_inner4(&wccp);
    end_ip4(&wccp, ip);
    assert_carries_inner(&wccp, LINK_ETHERNET, 2);
    (void)begin_gre(&wccp2, &ip, 0, 0x883e);
    put_zeros(&wccp2, 4);
    put_inner4(&wccp2);
    end_ip4(&wccp2, ip);
    assert_carries_inner(&wccp2, LINK_ETHERNET, 2);
    (void)begin_gre(&aruba, &ip, 0, 0x8200);
    put(&aruba, "\x08\x01\x00\x00", 4);
    put_zeros(&aruba, 20);
    put_snap(&aruba, 0x0800);
    put_inner4(&aruba);
    end_ip4(&aruba, ip);
    assert_carries_inner(&aruba, LINK_ETHERNET, 2);
}

static void gre_without_ip_inside_is_a_packet_of_the_outer_header(void **state)
{
    (void)state;
    struct bytes keepalive = {.len = 0}, arp = {.len = 0}, version = {.len = 0}, short_key = {.len = 0};
    size_t ip;
    (void)begin_gre(&keepalive, &ip, 0, 0);
    end_ip4(&keepalive, ip);
    assert_is_outer(&keepalive, 47, 0);
    (void)begin_gre(&arp, &ip, 0, 0x0806);
    put_zeros(&arp, 28);
    end_ip4(&arp, ip);
    assert_is_outer(&arp, 47, 0);
    (void)begin_gre(&version, &ip, 5, 0x0800);
    put_inner4(&version);
    end_ip4(&version, ip);
    assert_is_outer(&version, 47, 0);
    (void)begin_gre(&short_key, &ip, 0x2000, 0x0800);
    put_zeros(&short_key, 3);
    end_ip4(&short_key, ip);
    assert_is_outer(&short_key, 47, 0);
}

static void malformed_inner_header_leaves_the_outer_with_its_own_tags(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    struct packet p;
    size_t ip;
    (void)begin_gre(&b, &ip, 0, 0x6558);
    put_ethernet(&b, 0x8100);
    put16(&b, 7 << 13 | 5);
    put16(&b, 0x0800);
    put_inner4(&b);
    end_ip4(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, 2);
    assert_int_equal(p.vlan_pcp, 7);
    b.at[b.len - 32] = 0x35; /* version 3 */
    assert_is_outer(&b, 47, 0);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_false(p.has_vlan);
}

static void erspan_of_all_types_is_reached(void **state)
{
    (void)state;
    size_t ip;
    struct bytes one = {.len = 0}, two = {.len = 0}, three = {.len = 0}, platform = {.len = 0}, routed = {.len = 0};
    (void)begin_gre(&one, &ip, 0, 0x88be);
    put_ethernet(&one, 0x0800);
    put_inner4(&one);
    end_ip4(&one, ip);
    assert_carries_inner(&one, LINK_ETHERNET, 2);
    (void)begin_gre(&two, &ip, 0x1000, 0x88be);
    put32(&two, 1);
    put32(&two, 0x10640064); /* version 1, VLAN 100, session 100 */
    put32(&two, 0);
    put_ethernet(&two, 0x0800);
    put_inner4(&two);
    end_ip4(&two, ip);
    assert_carries_inner(&two, LINK_ETHERNET, 2);
    (void)begin_gre(&three, &ip, 0x1000, 0x22eb);
    put32(&three, 1);
    put32(&three, 0x20640064);
    put32(&three, 0x12345678);
    put16(&three, 0);
    put16(&three, 0);
    put_ethernet(&three, 0x86dd);
    put_inner6(&three);
    end_ip4(&three, ip);
    assert_carries_inner(&three, LINK_ETHERNET, 2);
    (void)begin_gre(&platform, &ip, 0x1000, 0x22eb);
    put32(&platform, 1);
    put32(&platform, 0x20640064);
    put32(&platform, 0x12345678);
    put16(&platform, 0);
    put16(&platform, 1); /* a platform subheader follows */
    put_zeros(&platform, 8);
    put_ethernet(&platform, 0x0800);
    put_inner4(&platform);
    end_ip4(&platform, ip);
    assert_carries_inner(&platform, LINK_ETHERNET, 2);
    (void)begin_gre(&routed, &ip, 0x1000, 0x22eb);
    put32(&routed, 1);
    put32(&routed, 0x20640064);
    put32(&routed, 0x12345678);
    put16(&routed, 0);
    put16(&routed, 2 << 10); /* an IP packet, without Ethernet */
    put_inner4(&routed);
    end_ip4(&routed, ip);
    assert_carries_inner(&routed, LINK_ETHERNET, 2);
}

static void a_mirror_session_is_told_from_a_tunnel(void **state)
{
    (void)state;
    struct packet p;
    size_t ip;
    struct bytes mirror = {.len = 0}, tunnel = {.len = 0};
    (void)begin_gre(&mirror, &ip, 0, 0x88be);
    put_ethernet(&mirror, 0x0800);
    put_inner4(&mirror);
    end_ip4(&mirror, ip);
    assert_int_equal(decode_bytes(&mirror, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, 2);
    assert_int_equal(p.mirror_layers, 1);
    (void)begin_gre(&tunnel, &ip, 0, 0x6558); /* transparent Ethernet bridging */
    put_ethernet(&tunnel, 0x0800);
    put_inner4(&tunnel);
    end_ip4(&tunnel, ip);
    assert_int_equal(decode_bytes(&tunnel, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, 2);
    assert_int_equal(p.mirror_layers, 0);
}

static void erspan_that_a_switch_truncated_says_cut(void **state)
{
    (void)state;
    size_t ip;
    struct bytes b = {.len = 0};
    struct packet p;
    (void)begin_gre(&b, &ip, 0x1000, 0x88be);
    put32(&b, 1);
    put32(&b, 0x10640064 | 0x400);
    put32(&b, 0);
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    b.len -= 6; /* in the middle of the UDP header */
    end_ip4(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, 2);
    assert_int_equal(p.tos, INNER_TOS);
    assert_true(p.cut);
    assert_true(p.ports_known);
}

static void mpls_traffic_class_of_the_topmost_label_is_recorded(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8847);
    put32(&b, 300 << 12 | 5 << 9 | 63);
    put32(&b, 400 << 12 | 2 << 9 | 1 << 8 | 62);
    put_inner4(&b);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_true(p.has_mpls);
    assert_int_equal(p.mpls_tc, 5);
    struct bytes null6 = {.len = 0};
    put_ethernet(&null6, 0x8847);
    put32(&null6, 2U << 12 | 1 << 8 | 62);
    put_inner6(&null6);
    assert_carries_inner(&null6, LINK_ETHERNET, 1);
}

static void mpls_pseudowire_is_believed_with_and_without_control_word(void **state)
{
    (void)state;
    struct packet p;
    struct bytes with = {.len = 0}, without = {.len = 0}, other = {.len = 0};
    put_ethernet(&with, 0x8847);
    put32(&with, 300 << 12 | 1 << 8 | 63);
    put32(&with, 0);
    put_ethernet(&with, 0x0800);
    put_inner4(&with);
    assert_carries_inner(&with, LINK_ETHERNET, 1);
    put_ethernet(&without, 0x8847);
    put32(&without, 300 << 12 | 1 << 8 | 63);
    put(&without, "\x44\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00",
        14); /* an address that begins like IPv4 */
    put_inner4(&without);
    assert_int_equal(decode_bytes(&without, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.tos, INNER_TOS);
    assert_true(is_inner(&p.src.addr, 1));
    put_ethernet(&other, 0x8847);
    put32(&other, 300 << 12 | 1 << 8 | 63);
    put(&other, "\x10\x00\x00\x21", 4); /* an associated channel */
    put_zeros(&other, 40);
    assert_int_equal(decode_bytes(&other, LINK_ETHERNET, &p), DECODE_NOT_IP);
}

static void ip_below_a_label_keeps_its_mark_though_its_length_is_wrong(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8847);
    put32(&b, 300 << 12 | 1 << 8 | 63);
    size_t ip = b.len;
    put_inner4(&b);
    set16(&b, ip + 2, 9000);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.tos, INNER_TOS);
    assert_int_equal(p.dst.port, INNER_DST);
}

static void endless_label_stack_comes_to_an_end(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8847);
    for (int i = 0; i < 500; i++)
        put32(&b, 300 << 12 | 63);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_UNSUPPORTED);
}

static void etherip_pim_register_srv6_and_mpls_in_ip_are_reached(void **state)
{
    (void)state;
    struct bytes etherip = {.len = 0}, pim = {.len = 0}, srv6 = {.len = 0}, mpls = {.len = 0}, l2tp = {.len = 0};
    size_t ip;
    put_ethernet(&etherip, 0x0800);
    ip = begin_outer4(&etherip, 97);
    put16(&etherip, 0x3000);
    put_ethernet(&etherip, 0x0800);
    put_inner4(&etherip);
    end_ip4(&etherip, ip);
    assert_carries_inner(&etherip, LINK_ETHERNET, 2);
    put_ethernet(&pim, 0x0800);
    ip = begin_outer4(&pim, 103);
    put(&pim, "\x21\x00\xde\xff\x00\x00\x00\x00", 8);
    put_inner4(&pim);
    end_ip4(&pim, ip);
    assert_carries_inner(&pim, LINK_ETHERNET, 2);
    put_ethernet(&srv6, 0x86dd);
    ip = begin_outer6(&srv6, 43);
    put(&srv6, "\x8f\x02\x04\x00\x00\x00\x00\x00", 8);
    put_ip6_address(&srv6, 0xf, 2);
    put_ethernet(&srv6, 0x0800);
    put_inner4(&srv6);
    end_ip6(&srv6, ip);
    assert_carries_inner(&srv6, LINK_ETHERNET, 2);
    put_ethernet(&mpls, 0x0800);
    ip = begin_outer4(&mpls, 137);
    put32(&mpls, 300 << 12 | 1 << 8 | 63);
    put_inner4(&mpls);
    end_ip4(&mpls, ip);
    assert_carries_inner(&mpls, LINK_ETHERNET, 2);
    put_ethernet(&l2tp, 0x0800);
    ip = begin_outer4(&l2tp, 115);
    put32(&l2tp, 0x11223344); /* session, a cookie of four bytes, a sublayer of four */
    put32(&l2tp, 0x55667788);
    put32(&l2tp, 0x40000001);
    put_ethernet(&l2tp, 0x0800);
    put_inner4(&l2tp);
    end_ip4(&l2tp, ip);
    assert_carries_inner(&l2tp, LINK_ETHERNET, 2);
}

static void nesting_beyond_the_limit_keeps_the_deepest_within(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    enum { DEEP = 40 };
    size_t ip[DEEP];
    put_ethernet(&b, 0x0800);
    for (unsigned i = 0; i < DEEP; i++)
        ip[i] = begin_ip4_between(&b, i << 2, 4, 0xc0000200 + i, 0xc0000300 + i);
    put_inner4(&b);
    for (unsigned i = 0; i < DEEP; i++)
        end_ip4(&b, ip[i]);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, PACKET_LAYERS_MAX);
    assert_int_equal(tos_dscp(p.tos), PACKET_LAYERS_MAX - 1);
    assert_int_equal(p.proto, 4);
}

/* The outer mark counts all the same; but whoever reads the figures must learn that the inner ones are not in them. */
static void an_inner_header_lost_to_the_snapshot_length_is_counted(void **state)
{
    (void)state;
    struct decoder *d = make_decoder();
    struct packet p;
    size_t ip;
    struct bytes b = {.len = 0};
    (void)begin_gre(&b, &ip, 0, 0x0800);
    size_t inner = b.len;
    put_inner4(&b);
    end_ip4(&b, ip);
    struct frame f = make_frame(b.at, inner + 20, b.len, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_equal(p.tos, INNER_TOS);
    assert_int_equal(decoder_stats(d).tunnels_cut, 0);
    f.captured_bytes = (uint32_t)inner + 19;
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_equal(p.tos, OUTER_TOS);
    assert_int_equal(p.proto, 47);
    assert_int_equal(decoder_stats(d).tunnels_cut, 1);
    decoder_free(d);
}

static void the_outer_mark_is_judged_when_asked_for_and_the_inner_packet_stays(void **state)
{
    (void)state;
    static const struct hash_key key = {1, 2};
    struct decoder *d = decoder_new(&(struct decoder_options){.key = &key, .outer_layer = true});
    struct packet p;
    struct bytes gre = {.len = 0}, vxlan = {.len = 0}, mirror = {.len = 0};
    size_t ip;
    (void)begin_gre(&gre, &ip, 0, 0x0800);
    put_inner4(&gre);
    end_ip4(&gre, ip);
    struct frame f = make_frame(gre.at, gre.len, gre.len, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_equal(p.proto, 17);
    assert_int_equal(p.tos, OUTER_TOS);
    assert_int_equal(p.layer_count, 2);
    assert_true(p.judged_outer);
    assert_int_equal(p.judged_version, 4);
    assert_int_equal(p.judged_at, 1);
    put_ethernet(&vxlan, 0x0800);
    ip = begin_outer4(&vxlan, 17);
    size_t udp = begin_udp(&vxlan, 50000, 4789);
    put(&vxlan, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8);
    put_ethernet(&vxlan, 0x0800);
    put_inner4(&vxlan);
    end_udp(&vxlan, udp);
    end_ip4(&vxlan, ip);
    f = make_frame(vxlan.at, vxlan.len, vxlan.len, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_not_equal(p.dst.port, 4789);
    assert_int_equal(p.tos, OUTER_TOS);
    /* the header that brought a mirrored frame here is none of the traffic's */
    (void)begin_gre(&mirror, &ip, 0, 0x88be);
    put_ethernet(&mirror, 0x0800);
    put_inner4(&mirror);
    end_ip4(&mirror, ip);
    f = make_frame(mirror.at, mirror.len, mirror.len, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_false(p.judged_outer);
    assert_int_not_equal(p.tos, OUTER_TOS);
    decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ip_in_ip_of_all_versions_is_reached),
        cmocka_unit_test(gre_fields_are_stepped_over),
        cmocka_unit_test(gre_routing_is_stepped_over),
        cmocka_unit_test(gre_carries_ppp_ethernet_mpls_wccp_and_aruba),
        cmocka_unit_test(gre_without_ip_inside_is_a_packet_of_the_outer_header),
        cmocka_unit_test(malformed_inner_header_leaves_the_outer_with_its_own_tags),
        cmocka_unit_test(erspan_of_all_types_is_reached),
        cmocka_unit_test(a_mirror_session_is_told_from_a_tunnel),
        cmocka_unit_test(erspan_that_a_switch_truncated_says_cut),
        cmocka_unit_test(mpls_traffic_class_of_the_topmost_label_is_recorded),
        cmocka_unit_test(mpls_pseudowire_is_believed_with_and_without_control_word),
        cmocka_unit_test(ip_below_a_label_keeps_its_mark_though_its_length_is_wrong),
        cmocka_unit_test(endless_label_stack_comes_to_an_end),
        cmocka_unit_test(etherip_pim_register_srv6_and_mpls_in_ip_are_reached),
        cmocka_unit_test(nesting_beyond_the_limit_keeps_the_deepest_within),
        cmocka_unit_test(an_inner_header_lost_to_the_snapshot_length_is_counted),
        cmocka_unit_test(the_outer_mark_is_judged_when_asked_for_and_the_inner_packet_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

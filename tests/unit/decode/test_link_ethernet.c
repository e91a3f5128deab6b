#include "build.h"

static void ethernet_with_ipv4_and_ipv6_is_decoded(void **state)
{
    (void)state;
    struct bytes four = {.len = 0}, six = {.len = 0};
    put_ethernet(&four, 0x0800);
    put_inner4(&four);
    assert_carries_inner(&four, LINK_ETHERNET, 1);
    put_ethernet(&six, 0x86dd);
    put_inner6(&six);
    assert_carries_inner(&six, LINK_ETHERNET, 1);
}

static void padding_of_a_short_frame_is_not_payload(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    put_zeros(&b, 60 - b.len);
    struct packet p;
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.payload_bytes, 4);
    assert_int_equal(p.ip_bytes, 32);
    assert_false(p.cut);
}

static void vlan_priority_of_the_outermost_tag_is_recorded(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x88a8);
    put16(&b, 5 << 13 | 100); /* service tag: priority 5, VLAN 100 */
    put16(&b, 0x8100);
    put16(&b, 3 << 13 | 1 << 12 | 200);
    put16(&b, 0x9100);
    put16(&b, 1);
    put16(&b, 0x0800);
    put_inner4(&b);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
    struct packet p;
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_true(p.has_vlan);
    assert_int_equal(p.vlan_pcp, 5);
    assert_int_equal(p.vlan_id, 100);
    assert_false(p.has_mpls);
}

static void priority_tag_with_vlan_0_counts_as_a_tag(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8100);
    put16(&b, 6 << 13);
    put16(&b, 0x86dd);
    put_inner6(&b);
    struct packet p;
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_true(p.has_vlan);
    assert_int_equal(p.vlan_pcp, 6);
    assert_int_equal(p.vlan_id, 0);
}

static void length_field_means_llc_with_snap(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 8 + 32);
    put_snap(&b, 0x0800);
    put_inner4(&b);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
}

static void llc_service_access_point_6_is_ipv4(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 3 + 32);
    put(&b, "\x06\x06\x03", 3);
    put_inner4(&b);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
}

static void frames_without_ip_are_told_apart_from_broken_ones(void **state)
{
    (void)state;
    struct packet p;
    struct bytes arp = {.len = 0}, stp = {.len = 0}, ipx = {.len = 0};
    put_ethernet(&arp, 0x0806);
    put_zeros(&arp, 28);
    assert_int_equal(decode_bytes(&arp, LINK_ETHERNET, &p), DECODE_NOT_IP);
    put_ethernet(&stp, 38);
    put(&stp, "\x42\x42\x03", 3);
    put_zeros(&stp, 35);
    assert_int_equal(decode_bytes(&stp, LINK_ETHERNET, &p), DECODE_NOT_IP);
    put_ethernet(&ipx, 30);
    put(&ipx, "\xff\xff", 2);
    put_zeros(&ipx, 28);
    assert_int_equal(decode_bytes(&ipx, LINK_ETHERNET, &p), DECODE_NOT_IP);
    struct bytes short_frame = {.len = 0};
    put_zeros(&short_frame, 13);
    assert_int_equal(decode_bytes(&short_frame, LINK_ETHERNET, &p), DECODE_MALFORMED);
}

static void unknown_link_type_is_unsupported(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_inner4(&b);
    struct packet p;
    assert_int_equal(decode_bytes(&b, 147, &p), DECODE_UNSUPPORTED); /* USER0 */
    assert_false(decoder_knows(147));
    assert_false(decoder_knows(65535));
    assert_true(decoder_knows(1));
    assert_true(decoder_knows(276));
}

static void tags_of_provider_networks_are_stepped_over(void **state)
{
    (void)state;
    struct bytes vntag = {.len = 0}, etag = {.len = 0}, hsr = {.len = 0}, metadata = {.len = 0};
    put_ethernet(&vntag, 0x8926);
    put32(&vntag, 0x00010002);
    put16(&vntag, 0x0800);
    put_inner4(&vntag);
    assert_carries_inner(&vntag, LINK_ETHERNET, 1);
    put_ethernet(&etag, 0x893f);
    put_zeros(&etag, 6);
    put16(&etag, 0x0800);
    put_inner4(&etag);
    assert_carries_inner(&etag, LINK_ETHERNET, 1);
    put_ethernet(&hsr, 0x892f);
    put32(&hsr, 0x00340001);
    put16(&hsr, 0x86dd);
    put_inner6(&hsr);
    assert_carries_inner(&hsr, LINK_ETHERNET, 1);
    put_ethernet(&metadata, 0x8909);
    put(&metadata, "\x01\x01\x00\x01\x00\x0a", 6); /* security group tag 10 */
    put16(&metadata, 0x0800);
    put_inner4(&metadata);
    assert_carries_inner(&metadata, LINK_ETHERNET, 1);
}

static void frames_inside_frames_are_reached(void **state)
{
    (void)state;
    struct bytes pbb = {.len = 0}, fabricpath = {.len = 0}, trill = {.len = 0}, isl = {.len = 0};
    put_ethernet(&pbb, 0x88e7);
    put32(&pbb, 0x00000abc);
    put_ethernet(&pbb, 0x0800);
    put_inner4(&pbb);
    assert_carries_inner(&pbb, LINK_ETHERNET, 1);
    put_ethernet(&fabricpath, 0x8903);
    put16(&fabricpath, 1 << 6 | 32);
    put_ethernet(&fabricpath, 0x0800);
    put_inner4(&fabricpath);
    assert_carries_inner(&fabricpath, LINK_ETHERNET, 1);
    put_ethernet(&trill, 0x22f3);
    put16(&trill, 1 << 6 | 20); /* one word of options, hop count 20 */
    put32(&trill, 0x00010002);
    put32(&trill, 0);
    put_ethernet(&trill, 0x0800);
    put_inner4(&trill);
    assert_carries_inner(&trill, LINK_ETHERNET, 1);
    put(&isl, "\x01\x00\x0c\x00\x00\x00\x02\x00\x00\x00\x00\x01", 12);
    put16(&isl, 12 + 14 + 32);
    put(&isl, "\xaa\xaa\x03\x00\x00\x00\x00\x02\x00\x00\x00\x00", 12);
    put_ethernet(&isl, 0x0800);
    put_inner4(&isl);
    assert_carries_inner(&isl, LINK_ETHERNET, 1);
}

static void macsec_is_read_where_it_is_not_encrypted(void **state)
{
    (void)state;
    struct bytes plain = {.len = 0}, secret = {.len = 0};
    put_ethernet(&plain, 0x88e5);
    put(&plain, "\x20\x00\x00\x00\x00\x01", 6); /* explicit identifier, no encryption */
    put_zeros(&plain, 8);
    put16(&plain, 0x0800);
    put_inner4(&plain);
    put_zeros(&plain, 16); /* integrity check value */
    struct packet p;
    assert_int_equal(decode_bytes(&plain, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.tos, INNER_TOS);
    assert_int_equal(p.payload_bytes, 4);
    put_ethernet(&secret, 0x88e5);
    put(&secret, "\x0c\x00\x00\x00\x00\x01", 6);
    put_zeros(&secret, 60);
    assert_int_equal(decode_bytes(&secret, LINK_ETHERNET, &p), DECODE_UNSUPPORTED);
}

static void pppoe_session_is_decoded_and_discovery_is_not_ip(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8864);
    put(&b, "\x11\x00\x12\x34", 4);
    put16(&b, 2 + 32);
    put16(&b, 0x0021);
    put_inner4(&b);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
    struct packet p;
    struct bytes discovery = {.len = 0};
    put_ethernet(&discovery, 0x8863);
    put(&discovery, "\x11\x09\x00\x00\x00\x00", 6);
    assert_int_equal(decode_bytes(&discovery, LINK_ETHERNET, &p), DECODE_NOT_IP);
}

static void endless_vlan_tags_come_to_an_end(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8100);
    for (int i = 0; i < 300; i++) {
        put16(&b, 1);
        put16(&b, 0x8100);
    }
    put16(&b, 1);
    put16(&b, 0x0800);
    put_inner4(&b);
    struct packet p;
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_UNSUPPORTED);
}

static void packet_is_untouched_when_there_is_none(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_zeros(&b, 40);
    struct packet p, before;
    memset(&p, 0xa5, sizeof p);
    memcpy(&before, &p, sizeof p);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_MALFORMED);
    assert_memory_equal(&p, &before, sizeof p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ethernet_with_ipv4_and_ipv6_is_decoded),
        cmocka_unit_test(padding_of_a_short_frame_is_not_payload),
        cmocka_unit_test(vlan_priority_of_the_outermost_tag_is_recorded),
        cmocka_unit_test(priority_tag_with_vlan_0_counts_as_a_tag),
        cmocka_unit_test(length_field_means_llc_with_snap),
        cmocka_unit_test(llc_service_access_point_6_is_ipv4),
        cmocka_unit_test(frames_without_ip_are_told_apart_from_broken_ones),
        cmocka_unit_test(unknown_link_type_is_unsupported),
        cmocka_unit_test(tags_of_provider_networks_are_stepped_over),
        cmocka_unit_test(frames_inside_frames_are_reached),
        cmocka_unit_test(macsec_is_read_where_it_is_not_encrypted),
        cmocka_unit_test(pppoe_session_is_decoded_and_discovery_is_not_ip),
        cmocka_unit_test(endless_vlan_tags_come_to_an_end),
        cmocka_unit_test(packet_is_untouched_when_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

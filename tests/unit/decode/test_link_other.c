#include "build.h"

static void raw_ip_has_no_link_header(void **state)
{
    (void)state;
    static const uint16_t types[] = {12, 14, 101, 228, 229};
    struct bytes four = {.len = 0}, six = {.len = 0};
    put_inner4(&four);
    put_inner6(&six);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_carries_inner(&four, types[i], 1);
        assert_carries_inner(&six, types[i], 1);
    }
}

static void null_and_loop_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    static const uint8_t families6[] = {24, 28, 30};
    for (uint16_t type = 0; type <= 108; type = (uint16_t)(type + 108)) {
        struct bytes little = {.len = 0}, big = {.len = 0};
        put_le32(&little, 2);
        put_inner4(&little);
        assert_carries_inner(&little, type, 1);
        put32(&big, 2);
        put_inner4(&big);
        assert_carries_inner(&big, type, 1);
        for (size_t i = 0; i < sizeof families6; i++) {
            struct bytes six = {.len = 0};
            put_le32(&six, families6[i]);
            put_inner6(&six);
            assert_carries_inner(&six, type, 1);
        }
    }
}

static void linux_cooked_headers_are_read(void **state)
{
    (void)state;
    struct bytes sll = {.len = 0}, sll2 = {.len = 0}, tagged = {.len = 0};
    put(&sll, "\x00\x04\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00", 14);
    put16(&sll, 0x0800);
    put_inner4(&sll);
    assert_carries_inner(&sll, 113, 1);
    put16(&sll2, 0x86dd);
    put(&sll2, "\x00\x00\x00\x00\x00\x03\x00\x01\x04\x06\x02\x00\x00\x00\x00\x01\x00\x00", 18);
    put_inner6(&sll2);
    assert_carries_inner(&sll2, 276, 1);
    put(&tagged, "\x00\x04\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00", 14);
    put16(&tagged, 0x8100);
    put16(&tagged, 4 << 13 | 9);
    put16(&tagged, 0x0800);
    put_inner4(&tagged);
    assert_carries_inner(&tagged, 113, 1);
}

static void cooked_netlink_and_can_are_not_ip(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put(&b, "\x00\x04\x03\x38\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14); /* ARPHRD_NETLINK */
    put16(&b, 0x0800);
    put_inner4(&b);
    assert_int_equal(decode_bytes(&b, 113, &p), DECODE_NOT_IP);
    assert_int_equal(decode_bytes(&b, 227, &p), DECODE_NOT_IP);
    assert_int_equal(decode_bytes(&b, 253, &p), DECODE_NOT_IP);
}

static void ppp_is_read_in_all_its_framings(void **state)
{
    (void)state;
    struct bytes full = {.len = 0}, bare = {.len = 0}, one = {.len = 0}, direction = {.len = 0}, pppoe = {.len = 0};
    put(&full, "\xff\x03\x00\x21", 4);
    put_inner4(&full);
    assert_carries_inner(&full, 9, 1);
    assert_carries_inner(&full, 50, 1);
    put(&bare, "\x00\x57", 2);
    put_inner6(&bare);
    assert_carries_inner(&bare, 9, 1);
    put(&one, "\x21", 1); /* protocol field compression */
    put_inner4(&one);
    assert_carries_inner(&one, 9, 1);
    put(&direction, "\x01\x03\x00\x21", 4);
    put_inner4(&direction);
    assert_carries_inner(&direction, 166, 1);
    put(&pppoe, "\x11\x00\x00\x01", 4);
    put16(&pppoe, 34);
    put16(&pppoe, 0x0021);
    put_inner4(&pppoe);
    assert_carries_inner(&pppoe, 51, 1);
}

static void ppp_carries_mpls_multilink_and_bridged_ethernet(void **state)
{
    (void)state;
    struct bytes mpls = {.len = 0}, multilink = {.len = 0}, bridged = {.len = 0};
    struct packet p;
    put(&mpls, "\xff\x03\x02\x81", 4);
    put32(&mpls, 100 << 12 | 5 << 9 | 1 << 8 | 64);
    put_inner4(&mpls);
    assert_carries_inner(&mpls, 9, 1);
    put(&multilink, "\xff\x03\x00\x3d\xc0\x00\x00\x01\x00\x21", 10);
    put_inner4(&multilink);
    assert_carries_inner(&multilink, 9, 1);
    multilink.at[4] = 0x80; /* the beginning only */
    assert_int_equal(decode_bytes(&multilink, 9, &p), DECODE_UNSUPPORTED);
    put(&bridged, "\xff\x03\x00\x31\x00\x01", 6);
    put_ethernet(&bridged, 0x0800);
    put_inner4(&bridged);
    assert_carries_inner(&bridged, 9, 1);
}

static void cisco_hdlc_is_read_where_it_is_and_where_ppp_was_announced(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    struct packet p;
    put(&b, "\x0f\x00\x08\x00", 4);
    put_inner4(&b);
    assert_carries_inner(&b, 104, 1);
    assert_carries_inner(&b, 50, 1);
    struct bytes slarp = {.len = 0};
    put(&slarp, "\x8f\x00\x80\x35\x00\x00\x00\x02", 8);
    put_zeros(&slarp, 14);
    assert_int_equal(decode_bytes(&slarp, 104, &p), DECODE_NOT_IP);
}

static void frame_relay_is_read_as_rfc_2427_and_cisco_have_it(void **state)
{
    (void)state;
    struct bytes nlpid = {.len = 0}, snap = {.len = 0}, cisco = {.len = 0}, wide = {.len = 0};
    put(&nlpid, "\x18\x41\x03\xcc", 4);
    put_inner4(&nlpid);
    assert_carries_inner(&nlpid, 107, 1);
    put(&snap, "\x18\x41\x03\x00\x80\x00\x00\x00\x08\x00", 10);
    put_inner4(&snap);
    assert_carries_inner(&snap, 107, 1);
    put(&cisco, "\x18\x41\x08\x00", 4);
    put_inner4(&cisco);
    assert_carries_inner(&cisco, 107, 1);
    put(&wide, "\x18\x40\x40\x41\x03\x8e", 6); /* four bytes of address */
    put_inner6(&wide);
    assert_carries_inner(&wide, 107, 1);
}

static void put_80211(struct bytes *b, unsigned control, unsigned flags)
{
    put8(b, control);
    put8(b, flags);
    put16(b, 0);
    put_zeros(b, 18);
    put_le16(b, 0x0010); /* sequence 1, fragment 0 */
}

static void data_frames_of_80211_are_read(void **state)
{
    (void)state;
    struct bytes plain = {.len = 0}, qos = {.len = 0}, four = {.len = 0};
    put_80211(&plain, 0x08, 1);
    put_snap(&plain, 0x0800);
    put_inner4(&plain);
    assert_carries_inner(&plain, 105, 1);
    put_80211(&qos, 0x88, 2);
    put_le16(&qos, 6);
    put_snap(&qos, 0x86dd);
    put_inner6(&qos);
    assert_carries_inner(&qos, 105, 1);
    put_80211(&four, 0x88, 3 | 0x80); /* four addresses, QoS, HT control */
    put_zeros(&four, 6 + 2 + 4);
    put_snap(&four, 0x0800);
    put_inner4(&four);
    assert_carries_inner(&four, 105, 1);
}

static void encrypted_fragmented_and_management_80211_is_not_guessed_at(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    struct packet p;
    put_80211(&b, 0x08, 1 | 0x40);
    put_snap(&b, 0x0800);
    put_inner4(&b);
    assert_int_equal(decode_bytes(&b, 105, &p), DECODE_UNSUPPORTED);
    b.at[1] = 1;
    b.at[22] |= 1; /* fragment 1 */
    assert_int_equal(decode_bytes(&b, 105, &p), DECODE_UNSUPPORTED);
    b.at[22] &= 0xf0;
    b.at[0] = 0x80; /* beacon */
    assert_int_equal(decode_bytes(&b, 105, &p), DECODE_NOT_IP);
    b.at[0] = 0x48; /* null data */
    assert_int_equal(decode_bytes(&b, 105, &p), DECODE_NOT_IP);
}

static void the_first_frame_of_an_aggregate_stands_for_it(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_80211(&b, 0x88, 1);
    put_le16(&b, 0x80);
    put_zeros(&b, 12);
    put16(&b, 8 + 32);
    put_snap(&b, 0x0800);
    put_inner4(&b);
    assert_carries_inner(&b, 105, 1);
}

static void radiotap_length_presence_and_padding_are_heeded(void **state)
{
    (void)state;
    struct bytes simple = {.len = 0}, padded = {.len = 0}, chained = {.len = 0};
    put(&simple, "\x00\x00\x08\x00\x00\x00\x00\x00", 8);
    put_80211(&simple, 0x08, 1);
    put_snap(&simple, 0x0800);
    put_inner4(&simple);
    assert_carries_inner(&simple, 127, 1);
    /* timestamp (aligned to 8) and flags: data after the header is padded to four */
    put(&padded, "\x00\x00\x11\x00\x03\x00\x00\x00", 8);
    put_zeros(&padded, 8);
    put8(&padded, 0x20);
    put_80211(&padded, 0x88, 1);
    put_le16(&padded, 0);
    put_zeros(&padded, 2);
    put_snap(&padded, 0x0800);
    put_inner4(&padded);
    assert_carries_inner(&padded, 127, 1);
    /* two present words, flags right after them, nothing padded */
    put(&chained, "\x00\x00\x0d\x00\x02\x00\x00\x80\x00\x00\x00\x00\x00", 13);
    put_80211(&chained, 0x88, 1);
    put_le16(&chained, 0);
    put_snap(&chained, 0x0800);
    put_inner4(&chained);
    assert_carries_inner(&chained, 127, 1);
}

static void ppi_prism_and_avs_headers_are_stepped_over(void **state)
{
    (void)state;
    struct bytes ppi = {.len = 0}, ppi_ethernet = {.len = 0}, prism = {.len = 0}, avs = {.len = 0};
    put(&ppi, "\x00\x00\x0c\x00", 4);
    put_le32(&ppi, 105);
    put_zeros(&ppi, 4);
    put_80211(&ppi, 0x08, 1);
    put_snap(&ppi, 0x0800);
    put_inner4(&ppi);
    assert_carries_inner(&ppi, 192, 1);
    put(&ppi_ethernet, "\x00\x00\x08\x00", 4);
    put_le32(&ppi_ethernet, 1);
    put_ethernet(&ppi_ethernet, 0x0800);
    put_inner4(&ppi_ethernet);
    assert_carries_inner(&ppi_ethernet, 192, 1);
    put_le32(&prism, 0x44);
    put_le32(&prism, 144);
    put_zeros(&prism, 136);
    put_80211(&prism, 0x08, 1);
    put_snap(&prism, 0x0800);
    put_inner4(&prism);
    assert_carries_inner(&prism, 119, 1);
    put32(&avs, 0x80211001);
    put32(&avs, 64);
    put_zeros(&avs, 56);
    put_80211(&avs, 0x08, 1);
    put_snap(&avs, 0x0800);
    put_inner4(&avs);
    assert_carries_inner(&avs, 163, 1);
    assert_carries_inner(&avs, 119, 1);
}

static void ppi_inside_ppi_comes_to_an_end(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    struct packet p;
    for (int i = 0; i < 200; i++) {
        put(&b, "\x00\x00\x08\x00", 4);
        put_le32(&b, 192);
    }
    assert_int_equal(decode_bytes(&b, 192, &p), DECODE_UNSUPPORTED);
}

static void nflog_payload_attribute_is_the_packet(void **state)
{
    (void)state;
    struct bytes little = {.len = 0}, big = {.len = 0};
    put(&little, "\x02\x00\x00\x05", 4);
    put_le16(&little, 4 + 5); /* a prefix, padded to eight */
    put_le16(&little, 10);
    put(&little, "mark\0\0\0\0", 8);
    put_le16(&little, 4 + 32);
    put_le16(&little, 9);
    put_inner4(&little);
    assert_carries_inner(&little, 239, 1);
    put(&big, "\x0a\x00\x00\x05", 4);
    put16(&big, 4 + 52);
    put16(&big, 9);
    put_inner6(&big);
    assert_carries_inner(&big, 239, 1);
}

static void pktap_names_the_link_type_of_what_follows(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_le32(&b, 108);
    put_le32(&b, 1);
    put_le32(&b, 1);
    put_zeros(&b, 96);
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    assert_carries_inner(&b, 258, 1);
    assert_carries_inner(&b, 149, 1);
    struct bytes user = {.len = 0};
    struct packet p;
    put_zeros(&user, 200);
    assert_int_equal(decode_bytes(&user, 149, &p), DECODE_UNSUPPORTED);
}

static void ipnet_enc_pflog_slip_and_mpls_are_read(void **state)
{
    (void)state;
    struct bytes ipnet = {.len = 0}, enc = {.len = 0}, pflog = {.len = 0}, slip = {.len = 0}, mpls = {.len = 0};
    put(&ipnet, "\x01\x02\x00\x01", 4);
    put_zeros(&ipnet, 20);
    put_inner4(&ipnet);
    assert_carries_inner(&ipnet, 226, 1);
    put_le32(&enc, 2);
    put_zeros(&enc, 8);
    put_inner4(&enc);
    assert_carries_inner(&enc, 109, 1);
    put(&pflog, "\x3d\x02", 2); /* 61, rounded up to 64 */
    put_zeros(&pflog, 62);
    put_inner4(&pflog);
    assert_carries_inner(&pflog, 117, 1);
    put(&slip, "\x01\x40", 2);
    put_zeros(&slip, 14);
    put_inner4(&slip);
    assert_carries_inner(&slip, 8, 1);
    put32(&mpls, 100 << 12 | 1 << 8 | 64);
    put_inner4(&mpls);
    assert_carries_inner(&mpls, 219, 1);
}

static void token_ring_fddi_fibre_channel_and_arcnet_are_read(void **state)
{
    (void)state;
    struct bytes ring = {.len = 0}, fddi = {.len = 0}, fc = {.len = 0}, rfc1201 = {.len = 0}, rfc1051 = {.len = 0};
    put(&ring, "\x10\x40\x00\x00\x00\x00\x00\x01\x80\x00\x00\x00\x00\x02", 14);
    put(&ring, "\x06\x30\x01\x11\x00\x20", 6); /* six bytes of source routing */
    put_snap(&ring, 0x0800);
    put_inner4(&ring);
    assert_carries_inner(&ring, 6, 1);
    put8(&fddi, 0x50);
    put_zeros(&fddi, 12);
    put_snap(&fddi, 0x0800);
    put_inner4(&fddi);
    assert_carries_inner(&fddi, 10, 1);
    put_zeros(&fc, 16);
    put_snap(&fc, 0x0800);
    put_inner4(&fc);
    assert_carries_inner(&fc, 122, 1);
    put(&rfc1201, "\x01\x02\x00\x00\xd4\x00\x00\x01", 8);
    put_inner4(&rfc1201);
    assert_carries_inner(&rfc1201, 129, 1);
    put(&rfc1051, "\x01\x02\xf0", 3);
    put_inner4(&rfc1051);
    assert_carries_inner(&rfc1051, 7, 1);
}

static void atm_and_juniper_headers_are_read(void **state)
{
    (void)state;
    struct bytes rfc1483 = {.len = 0}, routed = {.len = 0}, sun = {.len = 0}, ether = {.len = 0}, plain = {.len = 0},
                 atm1 = {.len = 0};
    put_snap(&rfc1483, 0x0800);
    put_inner4(&rfc1483);
    assert_carries_inner(&rfc1483, 100, 1);
    put_inner4(&routed);
    struct packet p;
    assert_int_equal(decode_bytes(&routed, 100, &p), DECODE_PACKET);
    put(&sun, "\x02\x00\x00\x20", 4);
    put_snap(&sun, 0x0800);
    put_inner4(&sun);
    assert_carries_inner(&sun, 123, 1);
    put(&ether, "MGC\x81", 4); /* with extensions, four bytes of them */
    put16(&ether, 4);
    put_zeros(&ether, 4);
    put_ethernet(&ether, 0x0800);
    put_inner4(&ether);
    assert_carries_inner(&ether, 178, 1);
    put(&plain, "MGC\x03", 4); /* without a link layer: IPv6 by number */
    put_le32(&plain, 6);
    put_inner6(&plain);
    assert_carries_inner(&plain, 178, 1);
    put(&atm1, "MGC\x01", 4);
    put32(&atm1, 0x00000020);
    put_snap(&atm1, 0x0800);
    put_inner4(&atm1);
    assert_carries_inner(&atm1, 137, 1);
    atm1.at[0] = 'X';
    assert_int_equal(decode_bytes(&atm1, 137, &p), DECODE_MALFORMED);
}

static void put_erf(struct bytes *b, unsigned type)
{
    put_zeros(b, 8);
    put8(b, type);
    put_zeros(b, 7);
}

static void erf_records_are_read_by_type(void **state)
{
    (void)state;
    struct bytes ethernet = {.len = 0}, extended = {.len = 0}, raw = {.len = 0}, pos = {.len = 0};
    put_erf(&ethernet, 2);
    put_zeros(&ethernet, 2);
    put_ethernet(&ethernet, 0x0800);
    put_inner4(&ethernet);
    assert_carries_inner(&ethernet, 197, 1);
    put_erf(&extended, 0x80 | 11);
    put8(&extended, 0x83); /* another extension follows this one */
    put_zeros(&extended, 7);
    put8(&extended, 0x04);
    put_zeros(&extended, 7 + 2);
    put_ethernet(&extended, 0x86dd);
    put_inner6(&extended);
    assert_carries_inner(&extended, 197, 1);
    put_erf(&raw, 22);
    put_inner4(&raw);
    assert_carries_inner(&raw, 197, 1);
    put_erf(&pos, 1);
    put(&pos, "\x0f\x00\x08\x00", 4);
    put_inner4(&pos);
    assert_carries_inner(&pos, 197, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_ip_has_no_link_header),
        cmocka_unit_test(null_and_loop_are_read_in_both_byte_orders),
        cmocka_unit_test(linux_cooked_headers_are_read),
        cmocka_unit_test(cooked_netlink_and_can_are_not_ip),
        cmocka_unit_test(ppp_is_read_in_all_its_framings),
        cmocka_unit_test(ppp_carries_mpls_multilink_and_bridged_ethernet),
        cmocka_unit_test(cisco_hdlc_is_read_where_it_is_and_where_ppp_was_announced),
        cmocka_unit_test(frame_relay_is_read_as_rfc_2427_and_cisco_have_it),
        cmocka_unit_test(data_frames_of_80211_are_read),
        cmocka_unit_test(encrypted_fragmented_and_management_80211_is_not_guessed_at),
        cmocka_unit_test(the_first_frame_of_an_aggregate_stands_for_it),
        cmocka_unit_test(radiotap_length_presence_and_padding_are_heeded),
        cmocka_unit_test(ppi_prism_and_avs_headers_are_stepped_over),
        cmocka_unit_test(ppi_inside_ppi_comes_to_an_end),
        cmocka_unit_test(nflog_payload_attribute_is_the_packet),
        cmocka_unit_test(pktap_names_the_link_type_of_what_follows),
        cmocka_unit_test(ipnet_enc_pflog_slip_and_mpls_are_read),
        cmocka_unit_test(token_ring_fddi_fibre_channel_and_arcnet_are_read),
        cmocka_unit_test(atm_and_juniper_headers_are_read),
        cmocka_unit_test(erf_records_are_read_by_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

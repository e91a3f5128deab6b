#include "build.h"

static void ipv4_fields_are_read(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    struct packet p;
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.ttl, 64);
    assert_int_equal(p.ip_id, 0x1234);
    assert_int_equal(p.ip_bytes, 32);
    assert_int_equal(tos_dscp(p.tos), 46);
    assert_int_equal(p.time_ns, 1000);
}

static void ipv6_traffic_class_lies_across_two_bytes(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    struct packet p;
    put_ethernet(&b, 0x86dd);
    size_t ip = begin_ip6_between(&b, 0x8a, 17, 0); /* AF41 and ECT(0) */
    put_udp_abcd(&b);
    end_ip6(&b, ip);
    assert_int_equal(b.at[14], 0x68);
    assert_int_equal(b.at[15], 0xa1);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.tos, 0x8a);
    assert_int_equal(p.ttl, 63);
    assert_int_equal(p.ip_id, 0);
    assert_int_equal(p.ip_bytes, 52);
}

static void ipv4_options_are_stepped_over(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    size_t ip = begin_ip4_between(&b, INNER_TOS, 17, 0x0a000001, 0x0a000002);
    b.at[ip] = 0x47;
    put(&b, "\x94\x04\x00\x00\x01\x01\x01\x00", 8); /* router alert, padding */
    put_udp_abcd(&b);
    end_ip4(&b, ip);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
}

static void bad_ipv4_lengths_are_malformed(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    b.at[14] = 0x44; /* header of 16 bytes */
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_MALFORMED);
    b.at[14] = 0x4f; /* of 60, which is more than there is */
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_MALFORMED);
    b.at[14] = 0x55; /* version 5 */
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_MALFORMED);
    b.at[14] = 0x45;
    set16(&b, 16, 19); /* shorter than its header */
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_MALFORMED);
}

static void total_length_beyond_the_frame_keeps_the_mark_and_says_cut(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    set16(&b, 16, 132);
    set16(&b, 14 + 20 + 4, 112);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.tos, INNER_TOS);
    assert_true(p.cut);
    assert_int_equal(p.payload_bytes, 4);
    assert_int_equal(p.payload_wire_bytes, 104);
}

static void total_length_0_of_an_offload_takes_what_there_is(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    set16(&b, 16, 0);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
    struct decoder *d = make_decoder();
    struct frame f = make_frame(b.at, b.len, b.len + 1000, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_equal(p.ip_bytes, 1032);
    decoder_free(d);
}

/* The headers are put by `put_chain`, the first of which has the number `first`. */
static void assert_chain(unsigned first, const void *chain, size_t len)
{
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x86dd);
    size_t ip = begin_ip6_between(&b, INNER_TOS, first, 0);
    put(&b, chain, len);
    put_udp_abcd(&b);
    end_ip6(&b, ip);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
}

static void ipv6_extension_headers_are_stepped_over(void **state)
{
    (void)state;
    assert_chain(0, "\x11\x00\x05\x02\x00\x00\x01\x00", 8);                                           /* hop-by-hop */
    assert_chain(60, "\x11\x01\x01\x0c\0\0\0\0\0\0\0\0\0\0\0\0", 16);                                 /* destination */
    assert_chain(43, "\x11\x00\x04\x00\x00\x00\x00\x00", 8);                                          /* routing */
    assert_chain(51, "\x11\x04\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0", 24); /* AH */
    assert_chain(135, "\x11\x00\x00\x00\x00\x00\x00\x00", 8);                                         /* mobility */
    assert_chain(44, "\x11\x00\x00\x00\x00\x00\x00\x09", 8); /* atomic fragment */
    assert_chain(0,
                 "\x2b\x00\x05\x02\x00\x00\x01\x00"
                 "\x3c\x00\x04\x00\x00\x00\x00\x00"
                 "\x11\x00\x01\x04\x00\x00\x00\x00",
                 24);
}

static void ah_is_stepped_over_in_ipv4_too(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    size_t ip = begin_ip4_between(&b, INNER_TOS, 51, 0x0a000001, 0x0a000002);
    put(&b, "\x11\x04\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    put_udp_abcd(&b);
    end_ip4(&b, ip);
    assert_carries_inner(&b, LINK_ETHERNET, 1);
}

static void extension_header_beyond_the_packet_keeps_the_mark(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x86dd);
    size_t ip = begin_ip6_between(&b, INNER_TOS, 60, 0);
    put(&b, "\x11\x09\x01\x04\x00\x00\x00\x00", 8);
    put_udp_abcd(&b);
    end_ip6(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.tos, INNER_TOS);
    assert_int_equal(p.proto, 60);
    assert_false(p.ports_known);
}

static void chains_of_extension_headers_come_to_an_end(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x86dd);
    size_t ip = begin_ip6_between(&b, INNER_TOS, 60, 0);
    for (int i = 0; i < 100; i++)
        put(&b, "\x3c\x00\x01\x04\x00\x00\x00\x00", 8);
    end_ip6(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.proto, 60);
    assert_int_equal(p.tos, INNER_TOS);
}

static void jumbogram_takes_its_length_from_the_option(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x86dd);
    (void)begin_ip6_between(&b, INNER_TOS, 0, 0);
    put(&b, "\x11\x00\xc2\x04\x00\x01\x11\x78", 8); /* 70008 bytes, this header included */
    size_t udp = begin_udp(&b, INNER_SRC, INNER_DST);
    (void)udp; /* a UDP length of 0 (RFC 2675 §4) */
    put(&b, "abcd", 4);
    struct decoder *d = make_decoder();
    struct frame f = make_frame(b.at, b.len, 14 + 40 + 70008, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_equal(p.ip_bytes, 40 + 70008);
    assert_int_equal(p.payload_bytes, 4);
    assert_int_equal(p.payload_wire_bytes, 70008 - 8 - 8);
    assert_true(p.cut);
    assert_true(p.ports_known);
    decoder_free(d);
}

static void payload_length_0_without_jumbo_option_has_no_payload(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x86dd);
    (void)begin_ip6_between(&b, INNER_TOS, 59, 0);
    put_zeros(&b, 6);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.proto, 59);
    assert_int_equal(p.payload_bytes, 0);
    assert_int_equal(p.ip_bytes, 40);
}

static void esp_ends_the_decoding(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    size_t ip = begin_outer4(&b, 50);
    put32(&b, 0x1000);
    put32(&b, 1);
    put_inner4(&b);
    end_ip4(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.proto, 50);
    assert_int_equal(p.tos, OUTER_TOS);
    assert_int_equal(p.payload_wire_bytes, 40);
}

static void what_an_icmp_error_quotes_is_not_traffic(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0}, six = {.len = 0};
    put_ethernet(&b, 0x0800);
    size_t ip = begin_outer4(&b, 1);
    put(&b, "\x03\x03\x00\x00\x00\x00\x00\x00", 8);
    put_inner4(&b);
    end_ip4(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.proto, PROTO_ICMP);
    assert_int_equal(p.layer_count, 1);
    assert_int_equal(p.payload_bytes, 40);
    put_ethernet(&six, 0x86dd);
    ip = begin_outer6(&six, 58);
    put(&six, "\x01\x04\x00\x00\x00\x00\x00\x00", 8);
    put_inner6(&six);
    end_ip6(&six, ip);
    assert_int_equal(decode_bytes(&six, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.proto, PROTO_ICMPV6);
    assert_int_equal(p.layer_count, 1);
}

static void tcp_header_is_read(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    size_t ip = begin_ip4_between(&b, 0x68, 6, 0x0a000001, 0x0a000002);
    put16(&b, 5060);
    put16(&b, 40000);
    put32(&b, 0x01020304);
    put32(&b, 0xa0b0c0d0);
    put(&b, "\x60\x18\x10\x00\x00\x00\x00\x00", 8); /* 24 bytes of header, PSH and ACK */
    put(&b, "\x02\x04\x05\xb4", 4);
    put(&b, "INVITE", 6);
    end_ip4(&b, ip);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.proto, PROTO_TCP);
    assert_int_equal(p.src.port, 5060);
    assert_int_equal(p.dst.port, 40000);
    assert_int_equal(p.tcp_seq, 0x01020304);
    assert_int_equal(p.tcp_ack, 0xa0b0c0d0);
    assert_int_equal(p.tcp_flags, TCP_PSH | TCP_ACK);
    assert_int_equal(p.payload_bytes, 6);
    assert_memory_equal(p.payload, "INVITE", 6);

    b.at[14 + 20 + 12] = 0x40; /* an impossible offset: no payload, but the ports and the mark */
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.payload_wire_bytes, 0);
    assert_int_equal(p.src.port, 5060);
    b.at[14 + 20 + 12] = 0xf0;
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.payload_wire_bytes, 0);
    assert_true(p.ports_known);
}

static void tcp_cut_by_the_snapshot_length_keeps_what_is_there(void **state)
{
    (void)state;
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    size_t ip = begin_ip4_between(&b, 0x68, 6, 0x0a000001, 0x0a000002);
    put16(&b, 5060);
    put16(&b, 40000);
    put32(&b, 1);
    put32(&b, 2);
    put(&b, "\x50\x02\x10\x00\x00\x00\x00\x00", 8);
    put_zeros(&b, 100);
    end_ip4(&b, ip);
    struct decoder *d = make_decoder();
    struct frame f = make_frame(b.at, 14 + 20 + 20 + 10, b.len, LINK_ETHERNET);
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_int_equal(p.payload_bytes, 10);
    assert_int_equal(p.payload_wire_bytes, 100);
    assert_true(p.cut);
    f.captured_bytes = 14 + 20 + 4;
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_true(p.ports_known);
    assert_int_equal(p.payload_bytes, 0);
    assert_int_equal(p.payload_wire_bytes, 100);
    f.captured_bytes = 14 + 20 + 3;
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_PACKET);
    assert_false(p.ports_known);
    assert_int_equal(p.src.port, 0);
    assert_int_equal(p.proto, PROTO_TCP);
    f.captured_bytes = 14 + 19;
    assert_int_equal(decoder_frame(d, &f, &p), DECODE_TRUNCATED);
    decoder_free(d);
}

static void udp_length_that_contradicts_ip_gives_way(void **state)
{
    (void)state;
    static const uint16_t lengths[] = {0, 7, 13, 65535};
    struct packet p;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        set16(&b, 14 + 20 + 4, lengths[i]);
        assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
        assert_int_equal(p.payload_bytes, 4);
        assert_int_equal(p.dst.port, INNER_DST);
        assert_false(p.cut);
    }
    set16(&b, 14 + 20 + 4, 10); /* shorter is what the sender says the payload is */
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.payload_bytes, 2);
    assert_int_equal(p.payload_wire_bytes, 2);
}

static void sctp_dccp_and_udp_lite_have_ports(void **state)
{
    (void)state;
    static const uint8_t protocols[] = {33, 132, 136};
    for (size_t i = 0; i < sizeof protocols; i++) {
        struct packet p;
        struct bytes b = {.len = 0};
        put_ethernet(&b, 0x0800);
        size_t ip = begin_outer4(&b, protocols[i]);
        put16(&b, 2905);
        put16(&b, 2906);
        put_zeros(&b, 12);
        end_ip4(&b, ip);
        assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
        assert_int_equal(p.src.port, 2905);
        assert_int_equal(p.dst.port, 2906);
        assert_int_equal(p.payload_bytes, 16); /* of the IP packet: not UDP, not TCP */
    }
}

static void ipv6_under_the_number_of_ipv4_is_read_when_it_is_sound(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner6(&b);
    struct packet p;
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.src.addr.version, 6);
    b.at[14 + 6] = 0xfe; /* an unknown next header, and more payload than there is */
    set16(&b, 14 + 4, 5000);
    assert_int_equal(decode_bytes(&b, LINK_ETHERNET, &p), DECODE_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_fields_are_read),
        cmocka_unit_test(ipv6_traffic_class_lies_across_two_bytes),
        cmocka_unit_test(ipv4_options_are_stepped_over),
        cmocka_unit_test(bad_ipv4_lengths_are_malformed),
        cmocka_unit_test(total_length_beyond_the_frame_keeps_the_mark_and_says_cut),
        cmocka_unit_test(total_length_0_of_an_offload_takes_what_there_is),
        cmocka_unit_test(ipv6_extension_headers_are_stepped_over),
        cmocka_unit_test(ah_is_stepped_over_in_ipv4_too),
        cmocka_unit_test(extension_header_beyond_the_packet_keeps_the_mark),
        cmocka_unit_test(chains_of_extension_headers_come_to_an_end),
        cmocka_unit_test(jumbogram_takes_its_length_from_the_option),
        cmocka_unit_test(payload_length_0_without_jumbo_option_has_no_payload),
        cmocka_unit_test(esp_ends_the_decoding),
        cmocka_unit_test(what_an_icmp_error_quotes_is_not_traffic),
        cmocka_unit_test(tcp_header_is_read),
        cmocka_unit_test(tcp_cut_by_the_snapshot_length_keeps_what_is_there),
        cmocka_unit_test(udp_length_that_contradicts_ip_gives_way),
        cmocka_unit_test(sctp_dccp_and_udp_lite_have_ports),
        cmocka_unit_test(ipv6_under_the_number_of_ipv4_is_read_when_it_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "build.h"

/* Tunnels that only a UDP port announces: believed when what is inside is sound, and plain UDP otherwise. */

struct tunnel {
    struct bytes b;
    size_t ip, udp;
};

static struct tunnel begin(unsigned port)
{
    struct tunnel t = {.b = {.len = 0}};
    put_ethernet(&t.b, 0x0800);
    t.ip = begin_outer4(&t.b, 17);
    t.udp = begin_udp(&t.b, 50000, port);
    return t;
}

static void end(struct tunnel *t)
{
    end_udp(&t->b, t->udp);
    end_ip4(&t->b, t->ip);
}

/* `header`, then an IPv4 packet in Ethernet or, with ethernet 0, straight. */
static void assert_tunnel4(unsigned port, const void *header, size_t len, bool ethernet)
{
    struct tunnel t = begin(port);
    put(&t.b, header, len);
    if (ethernet)
        put_ethernet(&t.b, 0x0800);
    put_inner4(&t.b);
    end(&t);
    assert_carries_inner(&t.b, LINK_ETHERNET, 2);
}

static void assert_tunnel6(unsigned port, const void *header, size_t len, bool ethernet)
{
    struct tunnel t = begin(port);
    put(&t.b, header, len);
    if (ethernet)
        put_ethernet(&t.b, 0x86dd);
    put_inner6(&t.b);
    end(&t);
    assert_carries_inner(&t.b, LINK_ETHERNET, 2);
}

static void vxlan_is_reached(void **state)
{
    (void)state;
    assert_tunnel4(4789, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8, true);
    assert_tunnel6(8472, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8, true);
    assert_tunnel4(4789, "\x88\x00\x00\x07\x00\x00\x2a\x00", 8, true); /* group policy */
}

static void vxlan_gpe_and_nsh_are_reached(void **state)
{
    (void)state;
    assert_tunnel4(4790, "\x0c\x00\x00\x01\x00\x00\x2a\x00", 8, false);
    assert_tunnel6(4790, "\x0c\x00\x00\x02\x00\x00\x2a\x00", 8, false);
    assert_tunnel4(4790, "\x0c\x00\x00\x03\x00\x00\x2a\x00", 8, true);
    assert_tunnel4(4790,
                   "\x0c\x00\x00\x04\x00\x00\x2a\x00"
                   "\x0f\xc6\x01\x01\x00\x00\x07\xff\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4",
                   32, false);
}

static void geneve_with_options_is_reached(void **state)
{
    (void)state;
    assert_tunnel4(6081, "\x00\x00\x65\x58\x00\x00\x2a\x00", 8, true);
    assert_tunnel4(6081, "\x02\x00\x08\x00\x00\x00\x2a\x00\x01\x02\x80\x01\xde\xad\xbe\xef", 16, false);
    assert_tunnel6(6081, "\x00\x40\x86\xdd\x00\x00\x2a\x00", 8, false);
}

static void gtp_u_with_extension_headers_is_reached(void **state)
{
    (void)state;
    assert_tunnel4(2152, "\x30\xff\x00\x20\x00\x00\x00\x01", 8, false);
    assert_tunnel4(2152, "\x32\xff\x00\x24\x00\x00\x00\x01\x00\x05\x00\x00", 12, false); /* sequence number */
    /* a PDU session container (QoS flow 9), then none */
    assert_tunnel4(2152, "\x34\xff\x00\x28\x00\x00\x00\x01\x00\x00\x00\x85\x01\x10\x09\x00", 16, false);
    assert_tunnel6(2152, "\x30\xff\x00\x34\x00\x00\x00\x01", 8, false);
}

static void teredo_is_reached_with_and_without_indications(void **state)
{
    (void)state;
    assert_tunnel6(3544, "", 0, false);
    assert_tunnel6(3544, "\x00\x00\x12\x34\x56\x78\x9a\xbc", 8, false);
    assert_tunnel6(3544,
                   "\x00\x01\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x00"
                   "\x00\x00\x12\x34\x56\x78\x9a\xbc",
                   21, false);
}

static void l2tp_is_reached_in_both_versions(void **state)
{
    (void)state;
    /* version 2: length; none; sequence and offset */
    assert_tunnel4(1701, "\x40\x02\x00\x2c\x00\x01\x00\x02\xff\x03\x00\x21", 12, false);
    assert_tunnel4(1701, "\x00\x02\x00\x01\x00\x02\x00\x21", 8, false);
    assert_tunnel4(1701, "\x0a\x02\x00\x01\x00\x02\x00\x01\x00\x02\x00\x02\x00\x00\xff\x03\x00\x21", 18, false);
    /* version 3: session; session and cookie of eight bytes */
    assert_tunnel4(1701, "\x00\x03\x00\x00\x00\x00\x10\x01", 8, true);
    assert_tunnel6(1701, "\x00\x03\x00\x00\x00\x00\x10\x01\xca\xfe\xca\xfe\xba\xbe\xba\xbe", 16, false);
}

static void l2tp_control_messages_stay_udp(void **state)
{
    (void)state;
    struct tunnel t = begin(1701);
    put(&t.b, "\xc8\x02\x00\x0c\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    end(&t);
    assert_is_outer(&t.b, 17, 1701);
}

static void other_udp_tunnels_are_reached(void **state)
{
    (void)state;
    assert_tunnel4(4754, "\x00\x00\x08\x00", 4, false);                     /* GRE */
    assert_tunnel4(4341, "\x00\x00\x00\x00\x00\x00\x00\x00", 8, false);     /* LISP */
    assert_tunnel4(6635, "\x00\x12\xc1\x40", 4, false);                     /* MPLS */
    assert_tunnel4(37008, "\x01\x00\x00\x01\x0a\x01\xc4\x00\x01", 9, true); /* TZSP */
    assert_tunnel4(2268, "\x06\x00", 2, false);                             /* AMT */
    assert_tunnel4(434, "\x04\x04\x00\x00", 4, false);                      /* Mobile IP */
    /* AYIYA: an identity of 2^4 bytes, a signature of 5 words */
    static const char ayiya[8 + 16 + 20] = "\x41\x52\x11\x29\x5f\x00\x00\x00";
    assert_tunnel6(5072, ayiya, sizeof ayiya, false);
}

static void capwap_data_is_reached_in_both_frame_formats(void **state)
{
    (void)state;
    static const char frame[] = "\x08\x01\x00\x00\2\0\0\0\0\1\2\0\0\0\0\2\2\0\0\0\0\3\x10\x00"
                                "\xaa\xaa\x03\x00\x00\x00\x08\x00";
    struct tunnel t = begin(5247);
    put(&t.b, "\x00\x10\x03\x00\x00\x00\x00\x00", 8); /* 8 bytes of header, 802.11 */
    put(&t.b, frame, 32);
    put_inner4(&t.b);
    end(&t);
    assert_carries_inner(&t.b, LINK_ETHERNET, 2);
    t = begin(5247);
    put(&t.b, "\x00\x10\x03\x00\x00\x00\x00\x00\x01\x08", 10); /* frame control swapped */
    put(&t.b, frame + 2, 30);
    put_inner4(&t.b);
    end(&t);
    assert_carries_inner(&t.b, LINK_ETHERNET, 2);
    assert_tunnel4(5247, "\x00\x10\x02\x00\x00\x00\x00\x00", 8, true); /* 802.3 */
    t = begin(5247);
    put(&t.b, "\x00\x10\x03\x08\x00\x00\x00\x00", 8); /* keep-alive */
    put(&t.b, frame, 32);
    put_inner4(&t.b);
    end(&t);
    assert_is_outer(&t.b, 17, 5247);
}

static void source_port_announces_a_tunnel_as_well(void **state)
{
    (void)state;
    struct tunnel t = {.b = {.len = 0}};
    put_ethernet(&t.b, 0x0800);
    t.ip = begin_outer4(&t.b, 17);
    t.udp = begin_udp(&t.b, 2152, 33000);
    put(&t.b, "\x30\xff\x00\x20\x00\x00\x00\x01", 8);
    put_inner4(&t.b);
    end(&t);
    assert_carries_inner(&t.b, LINK_ETHERNET, 2);
}

static void media_on_a_port_of_a_tunnel_stays_udp(void **state)
{
    (void)state;
    static const uint16_t ports[] = {434,  1701, 2152, 2268, 3544, 4341, 4754, 4789,
                                     4790, 5072, 5247, 6081, 6635, 8472, 37008};
    static const uint8_t beginnings[][4] = {
        {0x80, 0x6c, 0x12, 0x34}, {0x90, 0xe0, 0x12, 0x34}, {0x81, 0xc8, 0x00, 0x0c}, {0x00, 0x01, 0x00, 0x08},
        {0x16, 0xfe, 0xfd, 0x00}, {0x40, 0x00, 0x00, 0x50}, {0x00, 0x00, 0x00, 0x00}, {0x88, 0x6c, 0x00, 0x00},
        {0x45, 0x00, 0x12, 0x00}, {0x60, 0x00, 0x00, 0x00}, {0xff, 0xff, 0xff, 0xff}, {0x08, 0x00, 0x08, 0x00},
    };
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        for (size_t k = 0; k < sizeof beginnings / sizeof *beginnings; k++) {
            struct tunnel t = begin(ports[i]);
            put(&t.b, beginnings[k], 4);
            for (unsigned n = 0; n < 160; n++)
                put8(&t.b, n * 37 + (unsigned)k);
            end(&t);
            assert_is_outer(&t.b, 17, ports[i]);
        }
    }
}

static void unsound_inner_header_leaves_plain_udp(void **state)
{
    (void)state;
    struct tunnel t = begin(4789);
    put(&t.b, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8);
    put_ethernet(&t.b, 0x0800);
    size_t inner = t.b.len;
    put_inner4(&t.b);
    end(&t);
    set16(&t.b, inner + 2, 500); /* longer than there is, and the checksum does not vouch for it */
    assert_is_outer(&t.b, 17, 4789);
    set16(&t.b, inner + 2, 32);
    t.b.at[inner + 12] = 0xe0; /* from a multicast address */
    assert_is_outer(&t.b, 17, 4789);
    t.b.at[inner + 12] = 10;
    t.b.at[inner] = 0x44;
    assert_is_outer(&t.b, 17, 4789);
}

static void mirror_that_cut_the_packet_is_believed_with_a_right_checksum(void **state)
{
    (void)state;
    struct packet p;
    struct tunnel t = begin(4789);
    put(&t.b, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8);
    put_ethernet(&t.b, 0x0800);
    size_t inner = t.b.len;
    put_inner4(&t.b);
    end(&t);
    /* 1500 bytes once: 45b8 + 05dc + 1234 + 0000 + 4011 + 0a00 + 0001 + 0a00 + 0002 = b1dc, of which 4e23 is the
     * complement */
    set16(&t.b, inner + 2, 1500);
    set16(&t.b, inner + 10, 0x4e23);
    set16(&t.b, inner + 24, 1480);
    assert_int_equal(decode_bytes(&t.b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, 2);
    assert_int_equal(p.tos, INNER_TOS);
    assert_int_equal(p.ip_bytes, 1500);
    assert_true(p.cut);
}

static void tunnels_in_tunnels_keep_every_layer(void **state)
{
    (void)state;
    struct tunnel t = begin(4789);
    put(&t.b, "\x08\x00\x00\x00\x00\x00\x2a\x00", 8);
    put_ethernet(&t.b, 0x8100);
    put16(&t.b, 3 << 13 | 7);
    put16(&t.b, 0x86dd);
    size_t ip6 = begin_outer6(&t.b, 47);
    put32(&t.b, 0x00000800);
    put_inner4(&t.b);
    end_ip6(&t.b, ip6);
    end(&t);
    assert_carries_inner(&t.b, LINK_ETHERNET, 3);
    struct packet p;
    assert_int_equal(decode_bytes(&t.b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_version[0], 4);
    assert_int_equal(p.layer_version[1], 6);
    assert_int_equal(p.vlan_pcp, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vxlan_is_reached),
        cmocka_unit_test(vxlan_gpe_and_nsh_are_reached),
        cmocka_unit_test(geneve_with_options_is_reached),
        cmocka_unit_test(gtp_u_with_extension_headers_is_reached),
        cmocka_unit_test(teredo_is_reached_with_and_without_indications),
        cmocka_unit_test(l2tp_is_reached_in_both_versions),
        cmocka_unit_test(l2tp_control_messages_stay_udp),
        cmocka_unit_test(other_udp_tunnels_are_reached),
        cmocka_unit_test(capwap_data_is_reached_in_both_frame_formats),
        cmocka_unit_test(source_port_announces_a_tunnel_as_well),
        cmocka_unit_test(media_on_a_port_of_a_tunnel_stays_udp),
        cmocka_unit_test(unsound_inner_header_leaves_plain_udp),
        cmocka_unit_test(mirror_that_cut_the_packet_is_believed_with_a_right_checksum),
        cmocka_unit_test(tunnels_in_tunnels_keep_every_layer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

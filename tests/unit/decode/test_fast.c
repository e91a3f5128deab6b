#include "build.h"

#include "decode/walk.h"

/*
 * The short way through the headers against the general one: the same Ethernet frame as it is, and behind the four
 * bytes of a netANALYZER header, which only the general way knows.
 */
#define LINK_NETANALYZER 240
enum { PREFIX = 4 };

struct ways {
    unsigned short_way, general_way;
};

static size_t offset_in(const uint8_t *payload, const uint8_t *frame, size_t skip)
{
    return payload ? (size_t)(payload - frame) - skip : 0;
}

static void assert_same_packet(const struct packet *a, const uint8_t *a_frame, const struct packet *b,
                               const uint8_t *b_frame)
{
    assert_int_equal(a->frame, b->frame);
    assert_int_equal(a->time_ns, b->time_ns);
    assert_int_equal(a->input, b->input);
    assert_int_equal(a->ip_bytes, b->ip_bytes);
    assert_int_equal(a->flow_hash, 0);
    assert_int_equal(b->flow_hash, 0);
    assert_true(endpoint_equal(&a->src, &b->src));
    assert_true(endpoint_equal(&a->dst, &b->dst));
    assert_int_equal(a->proto, b->proto);
    assert_int_equal(a->tos, b->tos);
    assert_int_equal(a->ttl, b->ttl);
    assert_int_equal(a->ip_id, b->ip_id);
    assert_int_equal(a->layer_count, b->layer_count);
    assert_memory_equal(a->layer_tos, b->layer_tos, a->layer_count);
    assert_memory_equal(a->layer_version, b->layer_version, a->layer_count);
    assert_int_equal(a->mirror_layers, b->mirror_layers);
    assert_int_equal(a->judged_outer, b->judged_outer);
    assert_int_equal(a->judged_at, b->judged_at);
    assert_int_equal(a->ports_known, b->ports_known);
    assert_int_equal(a->cut, b->cut);
    assert_int_equal(a->has_vlan, b->has_vlan);
    assert_int_equal(a->vlan_pcp, b->vlan_pcp);
    assert_int_equal(a->vlan_id, b->vlan_id);
    assert_int_equal(a->has_mpls, b->has_mpls);
    assert_int_equal(a->mpls_tc, b->mpls_tc);
    assert_int_equal(a->tcp_seq, b->tcp_seq);
    assert_int_equal(a->tcp_ack, b->tcp_ack);
    assert_int_equal(a->tcp_flags, b->tcp_flags);
    assert_int_equal(a->payload_bytes, b->payload_bytes);
    assert_int_equal(a->payload_wire_bytes, b->payload_wire_bytes);
    assert_int_equal(offset_in(a->payload, a_frame, 0), offset_in(b->payload, b_frame, PREFIX));
    assert_int_equal(a->part_count, b->part_count);
}

/* Frames of exact size on the heap, so that the sanitizer sees what is read beyond the end. */
static void assert_same_both_ways(const uint8_t *bytes, size_t len, size_t wire, struct ways *ways)
{
    struct decoder *d = make_decoder(), *general = make_decoder();
    uint8_t *plain = malloc(len + !len), *prefixed = calloc(1, len + PREFIX);
    struct packet p, q;
    memset(&p, 0xee, sizeof p); /* a field that nobody writes shows */
    memset(&q, 0x11, sizeof q);
    assert_true(plain && prefixed);
    memcpy(plain, bytes, len);
    memcpy(prefixed + PREFIX, bytes, len);
    struct frame f = make_frame(plain, len, wire, LINK_ETHERNET);
    struct frame g = make_frame(prefixed, len + PREFIX, wire + PREFIX, LINK_NETANALYZER);
    enum decode_status status = decoder_frame(d, &f, &p);
    assert_int_equal(status, decoder_frame(general, &g, &q));
    if (status == DECODE_PACKET) {
        assert_same_packet(&p, plain, &q, prefixed);
        if (decode_fast(d, &f, &p))
            ways->short_way++;
        else
            ways->general_way++;
    }
    free(plain);
    free(prefixed);
    decoder_free(d);
    decoder_free(general);
}

/* The frame, each beginning of it with the rest cut away and without, and each of its bytes changed. */
static void assert_all_same(const struct bytes *b, bool short_way)
{
    static const uint8_t masks[] = {0xff, 0x80, 0x40, 0x20, 0x10, 0x01};
    struct ways ways = {0, 0};
    assert_same_both_ways(b->at, b->len, b->len, &ways);
    assert_int_equal(ways.short_way, short_way);
    for (size_t len = 0; len < b->len; len++) {
        assert_same_both_ways(b->at, len, b->len, &ways);
        assert_same_both_ways(b->at, len, len, &ways);
    }
    for (size_t i = 0; i < b->len; i++) {
        for (size_t m = 0; m < sizeof masks; m++) {
            struct bytes changed = *b;
            changed.at[i] ^= masks[m];
            assert_same_both_ways(changed.at, changed.len, changed.len, &ways);
        }
    }
    assert_true(ways.general_way > 0);
}

static void plain_udp_in_ipv4_and_ipv6_goes_the_short_way(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    assert_all_same(&b, true);
    put_zeros(&b, 14); /* padding to Ethernet's least length */
    assert_all_same(&b, true);

    b.len = 0;
    put_ethernet(&b, 0x86dd);
    size_t ip = begin_ip6_between(&b, 0x8a, 17, 0);
    put_udp_abcd(&b);
    end_ip6(&b, ip);
    assert_all_same(&b, true);
}

static void a_vlan_tag_goes_the_short_way_and_two_do_not(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x8100);
    put16(&b, 5 << 13 | 100);
    put16(&b, 0x0800);
    put_inner4(&b);
    assert_all_same(&b, true);

    b.len = 0;
    put_ethernet(&b, 0x8100);
    put16(&b, 5 << 13 | 100);
    put16(&b, 0x86dd);
    size_t ip = begin_ip6_between(&b, 0xb8, 17, 0);
    put_udp_abcd(&b);
    end_ip6(&b, ip);
    assert_all_same(&b, true);

    b.len = 0;
    put_ethernet(&b, 0x8100);
    put16(&b, 5 << 13 | 100);
    put16(&b, 0x8100);
    put16(&b, 3 << 13 | 7);
    put16(&b, 0x0800);
    put_inner4(&b);
    assert_all_same(&b, false);
}

/* VXLAN's port, without VXLAN behind it and with. */
static void a_tunnels_port_goes_the_general_way(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    b.at[14 + 20 + 2] = 4789 >> 8;
    b.at[14 + 20 + 3] = 4789 & 255;
    assert_all_same(&b, false);
}

static void fragments_and_options_go_the_general_way(void **state)
{
    (void)state;
    struct bytes b = {.len = 0};
    put_ethernet(&b, 0x0800);
    put_inner4(&b);
    b.at[14 + 6] = 0x20; /* more fragments */
    struct ways ways = {0, 0};
    assert_same_both_ways(b.at, b.len, b.len, &ways);
    b.at[14 + 6] = 0x40; /* don't fragment */
    assert_same_both_ways(b.at, b.len, b.len, &ways);
    assert_int_equal(ways.short_way, 1);

    b.len = 0;
    put_ethernet(&b, 0x0800);
    size_t ip = begin_ip4_between(&b, INNER_TOS, 17, 0x0a000001, 0x0a000002);
    b.at[ip] = 0x46;
    put_zeros(&b, 4);
    put_udp_abcd(&b);
    end_ip4(&b, ip);
    assert_all_same(&b, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_udp_in_ipv4_and_ipv6_goes_the_short_way),
        cmocka_unit_test(a_vlan_tag_goes_the_short_way_and_two_do_not),
        cmocka_unit_test(a_tunnels_port_goes_the_general_way),
        cmocka_unit_test(fragments_and_options_go_the_general_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

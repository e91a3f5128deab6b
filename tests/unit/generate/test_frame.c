#include "testing.h"

#include "model/packet.h"
#include "probe/craft.h"
#include "generate/frame.h"

/* RFC 1071 word by word, to check what was summed up in bigger steps. */
static uint16_t plain_sum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t at16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

/* The example of RFC 1071 §3: 00 01 f2 03 f4 f5 f6 f7 sums up to ddf2. */
static void the_sum_is_that_of_the_rfc(void **state)
{
    (void)state;
    static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    uint8_t bytes[101];
    assert_int_equal(generate_sum(example, sizeof example), 0xddf2);
    assert_int_equal(generate_sum(example, 0), 0);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof bytes; n++)
        assert_int_equal(generate_sum(bytes, n), plain_sum(bytes, n, 0));
}

struct ends {
    struct endpoint src, dst;
};

static struct ends ends_of(uint8_t version)
{
    struct ends e = {{.port = 5004}, {.port = 6000}};
    assert_true(addr_parse(version == 4 ? SLICE("10.2.0.10") : SLICE("2001:db8:2::a"), &e.src.addr));
    assert_true(addr_parse(version == 4 ? SLICE("10.1.1.11") : SLICE("2001:db8:1::b"), &e.dst.addr));
    return e;
}

static struct generate_frames *frames_new(const struct generate_shape *shape)
{
    struct generate_frames *f = NULL;
    if (!craft_available())
        skip();
    assert_int_equal(generate_frames_new(shape, &f, NULL), 0);
    return f;
}

/* The transport checksum over its pseudo header must come out as all ones. */
static void assert_sums(const uint8_t *ip, uint8_t proto, size_t ip_len)
{
    bool v4 = ip[0] >> 4 == 4;
    size_t header = v4 ? 20 : 40, addresses = v4 ? 8 : 32;
    uint32_t pseudo = (uint32_t)plain_sum(ip + header - addresses, addresses, 0) + proto + (uint32_t)(ip_len - header);
    assert_int_equal(plain_sum(ip + header, ip_len - header, pseudo), 0xffff);
    if (v4)
        assert_int_equal(plain_sum(ip, 20, 0), 0xffff);
}

static void packets_have_right_lengths_sums_and_marks(void **state)
{
    (void)state;
    static const uint8_t payload[] = "voice, or what passes for it";
    static const struct generate_shape shapes[] = {{.link_type = GENERATE_LINK_RAW},
                                                   {.link_type = GENERATE_LINK_ETHERNET},
                                                   {.link_type = GENERATE_LINK_ETHERNET, .vlan = true, .vlan_id = 42}};
    static const size_t link_bytes[] = {0, 14, 18};
    for (size_t k = 0; k < 12; k++) {
        size_t shape = k % 3;
        uint8_t version = k / 3 % 2 ? 6 : 4, proto = k / 6 ? PROTO_TCP : PROTO_UDP, to[GENERATE_FRAME_MAX];
        struct generate_frames *f = frames_new(&shapes[shape]);
        struct ends e = ends_of(version);
        struct generate_header h;
        assert_int_equal(generate_frames_header(f, &e.src, &e.dst, proto, GENERATE_NO_TUNNEL, NULL, NULL, &h, NULL), 0);
        for (size_t len = 0; len < sizeof payload; len++) {
            const struct generate_fields fields = {.tos = 0xba,
                                                   .ip_id = (uint16_t)(77 * len),
                                                   .seq = 0xfffffffe,
                                                   .ack = 5,
                                                   .tcp_flags = TCP_ACK | TCP_PSH,
                                                   .pcp = 5};
            size_t n = generate_frame_write(&h, &fields, payload, len, generate_sum(payload, len), to);
            const uint8_t *ip = to + link_bytes[shape];
            size_t ip_len = n - link_bytes[shape],
                   headers = (version == 4 ? 20U : 40U) + (proto == PROTO_TCP ? 20U : 8U);
            assert_int_equal(ip_len, headers + len);
            assert_int_equal(version == 4 ? ip[1] : (ip[0] << 4 | ip[1] >> 4) & 0xff, 0xba);
            assert_int_equal(version == 4 ? at16(ip + 2) : at16(ip + 4) + 40, ip_len);
            assert_sums(ip, proto, ip_len);
            assert_memory_equal(to + n - len, payload, len);
            if (shape == 2)
                assert_int_equal(at16(to + 14), 5 << 13 | 42);
            if (shape)
                assert_int_equal(at16(ip - 2), version == 4 ? 0x0800 : 0x86dd);
        }
        generate_frames_free(f);
    }
}

/* RFC 768: 0 would say that there is none. */
static void a_udp_sum_of_zero_is_sent_as_ones(void **state)
{
    (void)state;
    struct generate_frames *f = frames_new(&(struct generate_shape){.link_type = GENERATE_LINK_RAW});
    struct ends e = ends_of(6);
    struct generate_header h;
    const struct generate_fields fields = {.tos = 0};
    uint8_t payload[2] = {0, 0}, to[GENERATE_FRAME_MAX];
    assert_int_equal(generate_frames_header(f, &e.src, &e.dst, PROTO_UDP, GENERATE_NO_TUNNEL, NULL, NULL, &h, NULL), 0);
    (void)generate_frame_write(&h, &fields, payload, 2, 0, to);
    uint16_t sum = at16(to + 46);
    payload[0] = (uint8_t)(sum >> 8); /* what was missing to all ones */
    payload[1] = (uint8_t)sum;
    (void)generate_frame_write(&h, &fields, payload, 2, generate_sum(payload, 2), to);
    assert_int_equal(at16(to + 46), 0xffff);
    assert_sums(to, PROTO_UDP, 50);
    generate_frames_free(f);
}

static void a_tunnel_has_its_own_mark_and_says_what_it_carries(void **state)
{
    (void)state;
    static const struct {
        uint8_t version;
        enum generate_tunnel tunnel;
        uint8_t carried, gre;
    } cases[] = {
        {4, GENERATE_IPIP, 4, 0}, {6, GENERATE_IPIP, 41, 0}, {4, GENERATE_GRE, 47, 4}, {6, GENERATE_GRE, 47, 4}};
    struct generate_frames *f = frames_new(&(struct generate_shape){.link_type = GENERATE_LINK_ETHERNET});
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ends e = ends_of(cases[i].version);
        struct generate_header h;
        const struct generate_fields fields = {.tos = 0xb8, .outer_tos = 0x68};
        uint8_t to[GENERATE_FRAME_MAX], *outer = to + 14;
        bool v4 = cases[i].version == 4;
        size_t header = v4 ? 20 : 40;
        assert_int_equal(
            generate_frames_header(f, &e.src, &e.dst, PROTO_UDP, cases[i].tunnel, &e.src.addr, &e.dst.addr, &h, NULL),
            0);
        size_t n =
            generate_frame_write(&h, &fields, (const uint8_t *)"abc", 3, generate_sum((const uint8_t *)"abc", 3), to);
        const uint8_t *inner = outer + header + cases[i].gre;
        assert_int_equal(n, 14 + 2 * header + cases[i].gre + 8 + 3);
        assert_int_equal(outer[v4 ? 9 : 6], cases[i].carried);
        assert_int_equal(v4 ? outer[1] : (outer[0] << 4 | outer[1] >> 4) & 0xff, 0x68);
        assert_int_equal(v4 ? inner[1] : (inner[0] << 4 | inner[1] >> 4) & 0xff, 0xb8);
        assert_int_equal(v4 ? at16(outer + 2) : at16(outer + 4) + 40, n - 14);
        if (v4)
            assert_int_equal(plain_sum(outer, 20, 0), 0xffff);
        if (cases[i].gre)
            assert_int_equal(at16(outer + header + 2), v4 ? 0x0800 : 0x86dd);
        assert_sums(inner, PROTO_UDP, header + 11);
    }
    generate_frames_free(f);
}

/* The pieces, put together again by their offsets, are the datagram; all but the last are whole eights. */
static void fragments_make_the_datagram_again(void **state)
{
    (void)state;
    struct generate_frames *f = frames_new(&(struct generate_shape){.link_type = GENERATE_LINK_RAW});
    for (uint8_t version = 4; version <= 6; version += 2) {
        struct ends e = ends_of(version);
        struct generate_header h;
        const struct generate_fields fields = {.tos = 0x68, .ip_id = 4711};
        uint8_t payload[3500], datagram[3508], again[3508] = {0}, to[GENERATE_FRAME_MAX];
        for (size_t i = 0; i < sizeof payload; i++)
            payload[i] = (uint8_t)(i * 13 + i / 256);
        assert_int_equal(generate_frames_header(f, &e.src, &e.dst, PROTO_UDP, GENERATE_NO_TUNNEL, NULL, NULL, &h, NULL),
                         0);
        size_t len = generate_datagram(&h, payload, sizeof payload, datagram), total = 0;
        assert_int_equal(len, sizeof datagram);
        unsigned n = 0;
        for (size_t got; (got = generate_frame_fragment(&h, &fields, datagram, len, n, to)) != 0; n++) {
            size_t header = version == 4 ? 20 : 48, piece = got - header;
            const uint8_t *word = version == 4 ? to + 6 : to + 42;
            size_t offset = version == 4 ? (size_t)(at16(word) & 0x1fff) * 8 : at16(word) & 0xfff8;
            bool more = version == 4 ? at16(word) >> 13 & 1 : at16(word) & 1;
            assert_true(got <= 1500 && (!more || piece % 8 == 0));
            assert_int_equal(more, n < 2);
            assert_true(offset + piece <= sizeof again);
            memcpy(again + offset, to + header, piece);
            total += piece;
            assert_int_equal(version == 4 ? to[1] : (to[0] << 4 | to[1] >> 4) & 0xff, 0x68);
            if (version == 4)
                assert_int_equal(plain_sum(to, 20, 0), 0xffff);
            else
                assert_int_equal(to[6] == 44 && to[40] == PROTO_UDP, 1);
        }
        assert_int_equal(n, 3);
        assert_int_equal(total, len);
        assert_memory_equal(again, datagram, len);
    }
    generate_frames_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_that_of_the_rfc),
        cmocka_unit_test(packets_have_right_lengths_sums_and_marks),
        cmocka_unit_test(a_udp_sum_of_zero_is_sent_as_ones),
        cmocka_unit_test(a_tunnel_has_its_own_mark_and_says_what_it_carries),
        cmocka_unit_test(fragments_make_the_datagram_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

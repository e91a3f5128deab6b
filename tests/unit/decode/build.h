#ifndef QOSMARK_TESTS_DECODE_BUILD_H
#define QOSMARK_TESTS_DECODE_BUILD_H

/*
 * Frames put together by hand, header by header, and what every one of them goes through. The packet that all of them
 * carry in their innermost IP header is the same: UDP 10.0.0.1:5004 > 10.0.0.2:6004 (or 2001:db8::1 > ::2), TOS 0xb8
 * (EF), payload "abcd". Outer IP headers are 192.0.2.1 > 192.0.2.2 (or 2001:db8:f::1 > ::2), TOS 0x28.
 */
#include "testing.h"

#include "base/hash.h"
#include "decode/decoder.h"

#define LINK_ETHERNET 1

enum { INNER_TOS = 0xb8, OUTER_TOS = 0x28, INNER_SRC = 5004, INNER_DST = 6004 };

struct bytes {
    uint8_t at[4096];
    size_t len;
};

static inline void put(struct bytes *b, const void *bytes, size_t len)
{
    assert_true(b->len + len <= sizeof b->at);
    memcpy(b->at + b->len, bytes, len);
    b->len += len;
}

static inline void put8(struct bytes *b, unsigned v)
{
    uint8_t byte = (uint8_t)v;
    put(b, &byte, 1);
}

static inline void put16(struct bytes *b, unsigned v)
{
    put8(b, v >> 8);
    put8(b, v);
}

static inline void put32(struct bytes *b, uint32_t v)
{
    put16(b, v >> 16);
    put16(b, v & 0xffff);
}

static inline void put_le16(struct bytes *b, unsigned v)
{
    put8(b, v);
    put8(b, v >> 8);
}

static inline void put_le32(struct bytes *b, uint32_t v)
{
    put_le16(b, v & 0xffff);
    put_le16(b, v >> 16);
}

static inline void put_zeros(struct bytes *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put8(b, 0);
}

static inline void set16(struct bytes *b, size_t at, size_t v)
{
    b->at[at] = (uint8_t)(v >> 8);
    b->at[at + 1] = (uint8_t)v;
}

/* Headers with a length field: begin_ returns where it began, end_ fills the length in. */

static inline size_t begin_ip4_between(struct bytes *b, unsigned tos, unsigned proto, uint32_t src, uint32_t dst)
{
    size_t at = b->len;
    put8(b, 0x45);
    put8(b, tos);
    put16(b, 0);
    put16(b, 0x1234);
    put16(b, 0);
    put8(b, 64);
    put8(b, proto);
    put16(b, 0);
    put32(b, src);
    put32(b, dst);
    return at;
}

static inline size_t begin_outer4(struct bytes *b, unsigned proto)
{
    return begin_ip4_between(b, OUTER_TOS, proto, 0xc0000201, 0xc0000202);
}

static inline void end_ip4(struct bytes *b, size_t at)
{
    set16(b, at + 2, b->len - at);
}

static inline void put_ip6_address(struct bytes *b, unsigned third, unsigned last)
{
    put32(b, 0x20010db8);
    put16(b, third);
    put_zeros(b, 8);
    put16(b, last);
}

static inline size_t begin_ip6_between(struct bytes *b, unsigned tos, unsigned next, unsigned third)
{
    size_t at = b->len;
    put32(b, 0x60000000 | (uint32_t)tos << 20 | 0x12345);
    put16(b, 0);
    put8(b, next);
    put8(b, 63);
    put_ip6_address(b, third, 1);
    put_ip6_address(b, third, 2);
    return at;
}

static inline size_t begin_outer6(struct bytes *b, unsigned next)
{
    return begin_ip6_between(b, OUTER_TOS, next, 0xf);
}

static inline void end_ip6(struct bytes *b, size_t at)
{
    set16(b, at + 4, b->len - at - 40);
}

static inline size_t begin_udp(struct bytes *b, unsigned src, unsigned dst)
{
    size_t at = b->len;
    put16(b, src);
    put16(b, dst);
    put32(b, 0);
    return at;
}

static inline void end_udp(struct bytes *b, size_t at)
{
    set16(b, at + 4, b->len - at);
}

static inline void put_ethernet(struct bytes *b, unsigned type)
{
    put(b, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01", 12);
    put16(b, type);
}

static inline void put_udp_abcd(struct bytes *b)
{
    size_t udp = begin_udp(b, INNER_SRC, INNER_DST);
    put(b, "abcd", 4);
    end_udp(b, udp);
}

static inline void put_inner4(struct bytes *b)
{
    size_t ip = begin_ip4_between(b, INNER_TOS, 17, 0x0a000001, 0x0a000002);
    put_udp_abcd(b);
    end_ip4(b, ip);
}

static inline void put_inner6(struct bytes *b)
{
    size_t ip = begin_ip6_between(b, INNER_TOS, 17, 0);
    put_udp_abcd(b);
    end_ip6(b, ip);
}

static inline void put_snap(struct bytes *b, unsigned type)
{
    put(b, "\xaa\xaa\x03\x00\x00\x00", 6);
    put16(b, type);
}

static inline struct decoder *make_decoder(void)
{
    static const struct hash_key key = {1, 2};
    /* one is made for each prefix of a packet: little room for fragments, whose own tests ask for more */
    struct decoder *d = decoder_new(&(struct decoder_options){.key = &key, .fragment_bytes = 256 << 10});
    assert_non_null(d);
    return d;
}

static inline struct frame make_frame(const uint8_t *bytes, size_t len, size_t wire, uint16_t link_type)
{
    return (struct frame){.bytes = bytes,
                          .captured_bytes = (uint32_t)len,
                          .wire_bytes = (uint32_t)wire,
                          .time_ns = 1000,
                          .number = 7,
                          .link_type = link_type};
}

static inline enum decode_status decode_bytes(const struct bytes *b, uint16_t link_type, struct packet *ret)
{
    static struct decoder *d; /* kept between calls: a packet borrows from it */
    decoder_free(d);
    d = make_decoder();
    struct frame f = make_frame(b->at, b->len, b->len, link_type);
    return decoder_frame(d, &f, ret);
}

static inline bool is_inner(const struct addr *a, uint8_t last)
{
    static const uint8_t v4[3] = {10, 0, 0};
    static const uint8_t v6[15] = {0x20, 0x01, 0x0d, 0xb8};
    return a->version == 4 ? memcmp(a->bytes, v4, 3) == 0 && a->bytes[3] == last
                           : memcmp(a->bytes, v6, 15) == 0 && a->bytes[15] == last;
}

struct cut_sweep {
    size_t wire;
    uint16_t link_type;
    uint8_t layers;
    unsigned packets;
};

/* A sound frame that the capture cut is never malformed, and what can be read of it is right and says that it is cut.
 */
static inline void sweep_cut(void *user, const uint8_t *prefix, size_t len)
{
    struct cut_sweep *s = user;
    struct decoder *d = make_decoder();
    struct frame f = make_frame(prefix, len, s->wire, s->link_type);
    struct packet p;
    enum decode_status status = decoder_frame(d, &f, &p);
    assert_int_not_equal(status, DECODE_MALFORMED);
    if (status == DECODE_PACKET) {
        s->packets++;
        assert_in_range(p.layer_count, 1, s->layers);
        assert_true(p.payload_bytes <= p.payload_wire_bytes);
        if (p.layer_count == s->layers) {
            assert_int_equal(p.tos, INNER_TOS);
            assert_true(is_inner(&p.src.addr, 1) && is_inner(&p.dst.addr, 2));
            if (p.ports_known)
                assert_int_equal(p.dst.port, INNER_DST);
            assert_true(p.cut || p.payload_bytes == 4);
        }
    } else {
        assert_true(len < s->wire);
    }
    decoder_free(d);
}

/* Each byte changed: any answer will do, but none that reads or points beyond the end. */
static inline void decode_all_inversions(const struct bytes *b, uint16_t link_type)
{
    struct decoder *d = make_decoder();
    uint8_t *copy = malloc(b->len);
    assert_non_null(copy);
    for (size_t i = 0; i < b->len; i++) {
        static const uint8_t masks[] = {0xff, 0x80, 0x40, 0x01};
        for (size_t m = 0; m < sizeof masks; m++) {
            memcpy(copy, b->at, b->len);
            copy[i] ^= masks[m];
            struct frame f = make_frame(copy, b->len, b->len, link_type);
            struct packet p;
            if (decoder_frame(d, &f, &p) == DECODE_PACKET) {
                assert_in_range(p.layer_count, 1, PACKET_LAYERS_MAX);
                assert_true(p.payload_bytes == 0 || p.payload + p.payload_bytes <= copy + b->len);
            }
        }
    }
    free(copy);
    decoder_free(d);
}

/* The frame is the packet described above, under `layers` IP headers; then come the sweeps. */
static inline void assert_carries_inner(const struct bytes *b, uint16_t link_type, uint8_t layers)
{
    struct packet p;
    assert_int_equal(decode_bytes(b, link_type, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, layers);
    assert_int_equal(p.tos, INNER_TOS);
    assert_int_equal(p.proto, PROTO_UDP);
    assert_true(p.ports_known);
    assert_false(p.cut);
    assert_int_equal(p.src.port, INNER_SRC);
    assert_int_equal(p.dst.port, INNER_DST);
    assert_true(is_inner(&p.src.addr, 1) && is_inner(&p.dst.addr, 2));
    assert_int_equal(p.payload_bytes, 4);
    assert_int_equal(p.payload_wire_bytes, 4);
    assert_memory_equal(p.payload, "abcd", 4);
    assert_int_equal(p.frame, 7);
    assert_int_equal(p.part_count, 0);
    assert_int_equal(p.layer_tos[layers - 1], INNER_TOS);
    for (unsigned i = 0; i + 1 < layers; i++)
        assert_int_equal(p.layer_tos[i], OUTER_TOS);

    struct cut_sweep sweep = {.wire = b->len, .link_type = link_type, .layers = layers};
    for_each_prefix(b->at, b->len, sweep_cut, &sweep);
    assert_true(sweep.packets >= 12);
    decode_all_inversions(b, link_type);
}

/* The packet is emitted for the outer IP header, as what it is there. */
static inline void assert_is_outer(const struct bytes *b, uint8_t proto, uint16_t dst_port)
{
    struct packet p;
    assert_int_equal(decode_bytes(b, LINK_ETHERNET, &p), DECODE_PACKET);
    assert_int_equal(p.layer_count, 1);
    assert_int_equal(p.tos, OUTER_TOS);
    assert_int_equal(p.proto, proto);
    assert_int_equal(p.dst.port, dst_port);
}

#endif

#ifndef QOSMARK_TESTS_DECODE_FRAGMENTS_H
#define QOSMARK_TESTS_DECODE_FRAGMENTS_H

#include "build.h"

/*
 * Reassembly, seen through the decoder. The datagram is UDP 5004 > 6004 with 48 bytes of payload (0, 1, 2...), so 56
 * bytes in all; fragments are cut out of it at will, each a frame of its own with the number and TOS it is given.
 */
enum { PAYLOAD = 48, WHOLE = PAYLOAD + 8 };

static const uint64_t ms = 1000000;

struct sender {
    struct decoder *d;
    uint64_t frame;
    int64_t time_ns;
    struct packet packet; /* of the last call that gave one */
    struct bytes bytes;   /* of the last frame, which the packet may borrow from */
};

static inline struct sender start_with(const struct decoder_options *options)
{
    static const struct hash_key key = {3, 4};
    struct decoder_options o = *options;
    o.key = &key;
    struct sender s = {.d = decoder_new(&o)};
    assert_non_null(s.d);
    return s;
}

static inline struct sender start(void)
{
    return start_with(&(struct decoder_options){0});
}

static inline void datagram_bytes(uint8_t at[WHOLE])
{
    static const uint8_t head[8] = {5004 >> 8, 5004 & 255, 6004 >> 8, 6004 & 255, 0, WHOLE, 0, 0};
    memcpy(at, head, 8);
    for (unsigned i = 0; i < PAYLOAD; i++)
        at[8 + i] = (uint8_t)i;
}

struct piece {
    unsigned offset, len;
    bool more;
    unsigned tos;
    unsigned id;
    uint8_t flip; /* changes the payload */
    unsigned cut; /* bytes that the snapshot length took */
};

static inline enum decode_status send_built(struct sender *s, size_t cut)
{
    s->frame++;
    struct frame f = {.bytes = s->bytes.at,
                      .captured_bytes = (uint32_t)(s->bytes.len - cut),
                      .wire_bytes = (uint32_t)s->bytes.len,
                      .time_ns = s->time_ns,
                      .number = s->frame,
                      .link_type = LINK_ETHERNET};
    return decoder_frame(s->d, &f, &s->packet);
}

static inline void put_piece(struct bytes *b, struct piece p)
{
    uint8_t whole[WHOLE];
    datagram_bytes(whole);
    for (unsigned i = p.offset; i < p.offset + p.len; i++)
        put8(b, (i < WHOLE ? whole[i] : 0U) ^ p.flip);
}

static inline void put_ip4_piece(struct bytes *b, struct piece p)
{
    size_t ip = begin_ip4_between(b, p.tos, 17, 0x0a000001, 0x0a000002);
    set16(b, ip + 4, p.id);
    set16(b, ip + 6, p.offset / 8 | (p.more ? 0x2000U : 0U));
    put_piece(b, p);
    end_ip4(b, ip);
}

static inline enum decode_status send4(struct sender *s, struct piece p)
{
    s->bytes.len = 0;
    put_ethernet(&s->bytes, 0x0800);
    put_ip4_piece(&s->bytes, p);
    return send_built(s, p.cut);
}

static inline enum decode_status send6(struct sender *s, struct piece p)
{
    s->bytes.len = 0;
    put_ethernet(&s->bytes, 0x86dd);
    size_t ip = begin_ip6_between(&s->bytes, p.tos, 44, 0);
    put8(&s->bytes, 17);
    put8(&s->bytes, 0);
    put16(&s->bytes, p.offset | (p.more ? 1U : 0U));
    put32(&s->bytes, p.id);
    put_piece(&s->bytes, p);
    end_ip6(&s->bytes, ip);
    return send_built(s, p.cut);
}

static inline void assert_whole(const struct sender *s, uint32_t parts)
{
    const struct packet *p = &s->packet;
    assert_int_equal(p->proto, PROTO_UDP);
    assert_true(p->ports_known);
    assert_int_equal(p->src.port, 5004);
    assert_int_equal(p->dst.port, 6004);
    assert_false(p->cut);
    assert_int_equal(p->payload_bytes, PAYLOAD);
    assert_int_equal(p->payload_wire_bytes, PAYLOAD);
    for (unsigned i = 0; i < PAYLOAD; i++)
        assert_int_equal(p->payload[i], i);
    assert_int_equal(p->part_count, parts);
    assert_int_equal(p->frame, s->frame);
}

/* After the end: how many datagrams come out incomplete; the last of them stays in s->packet. */
static inline unsigned drain(struct sender *s, int64_t now_ns)
{
    unsigned n = 0;
    while (decoder_expired(s->d, now_ns, &s->packet))
        n++;
    return n;
}

typedef enum decode_status send_fn(struct sender *s, struct piece p);
static send_fn *const versions[] = {send4, send6};

#endif

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

static struct sender start_with(const struct decoder_options *options)
{
    static const struct hash_key key = {3, 4};
    struct decoder_options o = *options;
    o.key = &key;
    struct sender s = {.d = decoder_new(&o)};
    assert_non_null(s.d);
    return s;
}

static struct sender start(void)
{
    return start_with(&(struct decoder_options){0});
}

static void datagram_bytes(uint8_t at[WHOLE])
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

static enum decode_status send_built(struct sender *s, size_t cut)
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

static void put_piece(struct bytes *b, struct piece p)
{
    uint8_t whole[WHOLE];
    datagram_bytes(whole);
    for (unsigned i = p.offset; i < p.offset + p.len; i++)
        put8(b, (i < WHOLE ? whole[i] : 0U) ^ p.flip);
}

static void put_ip4_piece(struct bytes *b, struct piece p)
{
    size_t ip = begin_ip4_between(b, p.tos, 17, 0x0a000001, 0x0a000002);
    set16(b, ip + 4, p.id);
    set16(b, ip + 6, p.offset / 8 | (p.more ? 0x2000U : 0U));
    put_piece(b, p);
    end_ip4(b, ip);
}

static enum decode_status send4(struct sender *s, struct piece p)
{
    s->bytes.len = 0;
    put_ethernet(&s->bytes, 0x0800);
    put_ip4_piece(&s->bytes, p);
    return send_built(s, p.cut);
}

static enum decode_status send6(struct sender *s, struct piece p)
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

static void assert_whole(const struct sender *s, uint32_t parts)
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
static unsigned drain(struct sender *s, int64_t now_ns)
{
    unsigned n = 0;
    while (decoder_expired(s->d, now_ns, &s->packet))
        n++;
    return n;
}

typedef enum decode_status send_fn(struct sender *s, struct piece p);
static send_fn *const versions[] = {send4, send6};

static void fragments_in_order_are_put_together_with_each_its_own_mark(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        assert_int_equal(versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){24, 16, true, 0x00, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){40, 16, false, 0x88, 1, 0, 0}), DECODE_PACKET);
        assert_whole(&s, 3);
        assert_int_equal(s.packet.tos, 0xb8); /* the first fragment's */
        assert_int_equal(s.packet.parts[0].tos, 0xb8);
        assert_int_equal(s.packet.parts[1].tos, 0x00);
        assert_int_equal(s.packet.parts[2].tos, 0x88);
        assert_int_equal(s.packet.parts[1].frame, 2);
        assert_false(s.packet.parts[0].has_outer);
        assert_int_equal(s.packet.ip_id, 1);
        assert_int_equal(s.packet.parts[0].ip_bytes, (v == 0 ? 20 : 48) + 24);
        assert_int_equal(s.packet.ip_bytes, (v == 0 ? 20 : 40) + WHOLE); /* as if it had come in one piece */
        assert_int_equal(drain(&s, INT64_MAX), 0);
        decoder_free(s.d);
    }
}

static void fragments_in_any_order_are_put_together(void **state)
{
    (void)state;
    static const struct piece pieces[4] = {{0, 16, true, 0xb8, 9, 0, 0},
                                           {16, 8, true, 0x04, 9, 0, 0},
                                           {24, 24, true, 0x08, 9, 0, 0},
                                           {48, 8, false, 0x0c, 9, 0, 0}};
    for (size_t v = 0; v < 2; v++) {
        for (unsigned order = 0; order < 256; order++) {
            unsigned i[4] = {order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3}, seen = 0;
            for (unsigned k = 0; k < 4; k++)
                seen |= 1U << i[k];
            if (seen != 15)
                continue;
            struct sender s = start();
            for (unsigned k = 0; k < 4; k++)
                assert_int_equal(versions[v](&s, pieces[i[k]]), k < 3 ? DECODE_HELD : DECODE_PACKET);
            assert_whole(&s, 4);
            assert_int_equal(s.packet.tos, 0xb8);
            for (unsigned k = 0; k < 4; k++)
                assert_int_equal(s.packet.parts[k].tos, pieces[i[k]].tos);
            decoder_free(s.d);
        }
    }
}

static void copies_of_fragments_count_and_do_no_harm(void **state)
{
    (void)state;
    struct sender s = start();
    for (int copy = 0; copy < 2; copy++)
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_PACKET);
    assert_whole(&s, 3);
    /* the copy that comes after the datagram is complete knows its ports */
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0x20, 1, 0, 0}), DECODE_PACKET);
    assert_int_equal(s.packet.part_count, 1);
    assert_int_equal(s.packet.parts[0].tos, 0x20);
    assert_int_equal(s.packet.parts[0].frame, 4);
    assert_true(s.packet.ports_known);
    assert_int_equal(s.packet.dst.port, 6004);
    assert_int_equal(s.packet.payload_bytes, 0);
    assert_true(s.packet.cut);
    assert_int_equal(drain(&s, INT64_MAX), 0);
    decoder_free(s.d);
}

static void same_identification_begins_a_new_datagram_once_the_old_is_complete(void **state)
{
    (void)state;
    struct sender s = start();
    for (int round = 0; round < 3; round++) {
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_PACKET);
        assert_whole(&s, 2);
    }
    /* the last fragment first, after the completed datagram was forgotten */
    s.time_ns += 2000 * (int64_t)ms;
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_PACKET);
    assert_whole(&s, 2);
    decoder_free(s.d);
}

static void overlapping_fragments_are_not_put_together_but_count(void **state)
{
    (void)state;
    static const struct piece overlaps[] = {
        {16, 40, false, 0x04, 1, 0, 0},  /* begins in the first */
        {0, 24, true, 0x04, 1, 0x55, 0}, /* the first again, with other content */
        {8, 8, true, 0x04, 1, 0, 0},     /* inside it */
        {0, 32, true, 0x04, 1, 0, 0},    /* around it */
    };
    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < sizeof overlaps / sizeof *overlaps; i++) {
            struct sender s = start();
            assert_int_equal(versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
            assert_int_equal(versions[v](&s, overlaps[i]), DECODE_HELD);
            assert_int_equal(versions[v](&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_HELD);
            assert_int_equal(drain(&s, INT64_MAX), 1);
            assert_int_equal(s.packet.part_count, 3);
            assert_int_equal(s.packet.parts[1].tos, 0x04);
            assert_true(s.packet.ports_known);
            assert_int_equal(decoder_stats(s.d).fragments_expired, 1);
            decoder_free(s.d);
        }
    }
}

static void missing_fragment_leaves_the_parts_and_the_first_payload(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        assert_int_equal(versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){40, 16, false, 0x00, 1, 0, 0}), DECODE_HELD);
        assert_false(decoder_expired(s.d, 29999 * (int64_t)ms, &s.packet));
        assert_int_equal(drain(&s, 30000 * (int64_t)ms), 1);
        assert_int_equal(s.packet.part_count, 2);
        assert_true(s.packet.ports_known);
        assert_int_equal(s.packet.dst.port, 6004);
        assert_int_equal(s.packet.payload_bytes, 16);
        assert_int_equal(s.packet.payload_wire_bytes, PAYLOAD);
        assert_true(s.packet.cut);
        assert_int_equal(s.packet.frame, 2);
        assert_int_equal(s.packet.tos, 0xb8);
        decoder_free(s.d);
    }
}

static void missing_first_fragment_leaves_parts_without_ports(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        assert_int_equal(versions[v](&s, (struct piece){24, 16, true, 0x28, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(versions[v](&s, (struct piece){40, 16, false, 0x28, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(drain(&s, INT64_MAX), 1);
        assert_int_equal(s.packet.part_count, 2);
        assert_false(s.packet.ports_known);
        assert_int_equal(s.packet.proto, PROTO_UDP);
        assert_int_equal(s.packet.tos, 0x28);
        assert_int_equal(s.packet.payload_bytes, 0);
        assert_true(s.packet.cut);
        decoder_free(s.d);
    }
}

static void interleaved_datagrams_are_kept_apart(void **state)
{
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        struct sender s = start();
        enum { DATAGRAMS = 300 };
        for (unsigned id = 1; id <= DATAGRAMS; id++)
            assert_int_equal(versions[v](&s, (struct piece){0, 24, true, id & 0xff, id, 0, 0}), DECODE_HELD);
        for (unsigned id = DATAGRAMS; id >= 1; id--) {
            assert_int_equal(versions[v](&s, (struct piece){24, 32, false, 0, id, 0, 0}), DECODE_PACKET);
            assert_whole(&s, 2);
            assert_int_equal(s.packet.ip_id, id);
            assert_int_equal(s.packet.parts[0].tos, id & 0xff);
        }
        assert_int_equal(drain(&s, INT64_MAX), 0);
        decoder_free(s.d);
    }
}

static void fragment_cut_by_the_snapshot_length_counts(void **state)
{
    (void)state;
    struct sender s = start();
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 6}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 32}), DECODE_PACKET);
    assert_int_equal(s.packet.part_count, 2);
    assert_true(s.packet.cut);
    assert_true(s.packet.ports_known);
    assert_int_equal(s.packet.payload_bytes, 24 - 6 - 8);
    assert_int_equal(s.packet.payload_wire_bytes, PAYLOAD);
    decoder_free(s.d);
}

static void impossible_fragments_count_and_never_complete(void **state)
{
    (void)state;
    static const struct piece wrong[] = {
        {65528, 32, false, 0x04, 1, 0, 0}, /* beyond 65535 */
        {24, 13, true, 0x04, 1, 0, 0},     /* not in units of eight, and more to follow */
        {24, 0, true, 0x04, 1, 0, 0},      /* empty */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct sender s = start();
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(send4(&s, wrong[i]), DECODE_HELD);
        assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 1, 0, 0}), DECODE_HELD);
        assert_int_equal(drain(&s, INT64_MAX), 1);
        assert_int_equal(s.packet.part_count, 3);
        decoder_free(s.d);
    }
}

static void contradicting_ends_are_not_put_together(void **state)
{
    (void)state;
    struct sender s = start();
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){24, 16, false, 0, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(drain(&s, INT64_MAX), 1);
    assert_int_equal(s.packet.part_count, 3);
    decoder_free(s.d);
}

static void memory_is_capped_and_what_had_to_go_still_counts(void **state)
{
    (void)state;
    struct sender s = start_with(&(struct decoder_options){.fragment_bytes = 8192});
    unsigned out = 0, parts = 0;
    enum { DATAGRAMS = 5000 };
    for (unsigned id = 1; id <= DATAGRAMS; id++) {
        assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, id, 0, 0}), DECODE_HELD);
        while (decoder_expired(s.d, s.time_ns, &s.packet)) {
            out++;
            parts += s.packet.part_count;
            assert_int_equal(s.packet.ip_id, out); /* the oldest first */
            assert_true(s.packet.ports_known);
        }
    }
    assert_int_equal(parts, out);
    assert_in_range(DATAGRAMS - out, 1, 8);
    assert_int_equal(decoder_stats(s.d).fragments_evicted, out);
    out += drain(&s, INT64_MAX);
    assert_int_equal(out, DATAGRAMS);
    assert_int_equal(decoder_stats(s.d).fragments_expired, DATAGRAMS);
    decoder_free(s.d);
}

static void number_of_datagrams_is_capped_even_without_payload(void **state)
{
    (void)state;
    struct sender s = start();
    unsigned out = 0;
    enum { DATAGRAMS = 20000 };
    for (unsigned id = 1; id <= DATAGRAMS; id++) {
        enum decode_status status = send4(&s, (struct piece){0, 24, true, 0xb8, id, 0, 24});
        assert_int_equal(status, DECODE_HELD);
        while (decoder_expired(s.d, s.time_ns, &s.packet))
            out += s.packet.part_count;
    }
    assert_true(out > 0);
    out += drain(&s, INT64_MAX);
    assert_int_equal(out, DATAGRAMS);
    decoder_free(s.d);
}

static void without_room_a_fragment_is_a_packet_by_itself(void **state)
{
    (void)state;
    /* nobody asks for what was evicted, against the contract: still nothing is lost */
    struct sender s = start_with(&(struct decoder_options){.fragment_bytes = 1024});
    unsigned held = 0, alone = 0;
    for (unsigned id = 1; id <= 2000; id++) {
        enum decode_status status = send4(&s, (struct piece){0, 24, true, 0xb8, id, 0, 0});
        held += status == DECODE_HELD;
        if (status == DECODE_PACKET) {
            alone++;
            assert_int_equal(s.packet.part_count, 1);
            assert_int_equal(s.packet.parts[0].tos, 0xb8);
        }
    }
    assert_int_equal(held + alone, 2000);
    assert_true(alone > 0);
    assert_int_equal(drain(&s, INT64_MAX), held);
    decoder_free(s.d);
}

static void too_many_parts_become_a_datagram_of_their_own(void **state)
{
    (void)state;
    struct sender s = start();
    unsigned parts = 0;
    for (unsigned i = 0; i < 3000; i++) {
        assert_int_equal(send4(&s, (struct piece){24, 16, true, 0xb8, 1, 0, 0}), DECODE_HELD);
        while (decoder_expired(s.d, s.time_ns, &s.packet))
            parts += s.packet.part_count;
    }
    while (decoder_expired(s.d, INT64_MAX, &s.packet))
        parts += s.packet.part_count;
    assert_int_equal(parts, 3000);
    decoder_free(s.d);
}

static void timeout_counts_from_the_first_fragment_and_any_clock_will_do(void **state)
{
    (void)state;
    struct sender s = start_with(&(struct decoder_options){.fragment_ns = 1000 * (int64_t)ms});
    s.time_ns = 5000 * (int64_t)ms;
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0}), DECODE_HELD);
    assert_int_equal(drain(&s, 5999 * (int64_t)ms), 0);
    assert_int_equal(drain(&s, INT64_MIN), 0);
    assert_int_equal(drain(&s, 6000 * (int64_t)ms), 1);
    s.time_ns = INT64_MIN;
    assert_int_equal(send4(&s, (struct piece){0, 24, true, 0xb8, 2, 0, 0}), DECODE_HELD);
    s.time_ns = INT64_MAX;
    assert_int_equal(send4(&s, (struct piece){24, 32, false, 0xb8, 2, 0, 0}), DECODE_PACKET);
    decoder_free(s.d);
}

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

static void fragment_of_ipv6_with_headers_before_and_after_is_put_together(void **state)
{
    (void)state;
    struct sender s = start();
    uint8_t whole[8 + WHOLE] = {17, 0, 1, 4, 0, 0, 0, 0}; /* destination options inside the fragmented part */
    datagram_bytes(whole + 8);
    for (unsigned part = 0; part < 2; part++) {
        s.bytes.len = 0;
        put_ethernet(&s.bytes, 0x86dd);
        size_t ip = begin_ip6_between(&s.bytes, 0xb8, 0, 0);
        put(&s.bytes, "\x2c\x00\x01\x04\x00\x00\x00\x00", 8); /* hop-by-hop options in each fragment */
        put8(&s.bytes, 60);
        put8(&s.bytes, 0);
        put16(&s.bytes, part ? 32 : 1);
        put32(&s.bytes, 0xdeadbeef);
        put(&s.bytes, whole + (part ? 32 : 0), part ? sizeof whole - 32 : 32);
        end_ip6(&s.bytes, ip);
        assert_int_equal(send_built(&s, 0), part ? DECODE_PACKET : DECODE_HELD);
    }
    assert_whole(&s, 2);
    assert_int_equal(s.packet.ip_id, 0xdeadbeef);
    decoder_free(s.d);
}

struct prefix_sweep {
    size_t wire;
};

static void decode_fragment_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const struct prefix_sweep *sweep = user;
    struct sender s = start();
    struct frame f = make_frame(prefix, len, sweep->wire, LINK_ETHERNET);
    enum decode_status status = decoder_frame(s.d, &f, &s.packet);
    assert_int_not_equal(status, DECODE_MALFORMED);
    if (status == DECODE_HELD)
        assert_int_equal(drain(&s, INT64_MAX), 1);
    decoder_free(s.d);
}

static void every_prefix_of_a_fragment_is_held_or_truncated(void **state)
{
    (void)state;
    struct sender s = start();
    for (size_t v = 0; v < 2; v++) {
        (void)versions[v](&s, (struct piece){0, 24, true, 0xb8, 1, 0, 0});
        struct prefix_sweep sweep = {.wire = s.bytes.len};
        for_each_prefix(s.bytes.at, s.bytes.len, decode_fragment_prefix, &sweep);
    }
    decoder_free(s.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_in_order_are_put_together_with_each_its_own_mark),
        cmocka_unit_test(fragments_in_any_order_are_put_together),
        cmocka_unit_test(copies_of_fragments_count_and_do_no_harm),
        cmocka_unit_test(same_identification_begins_a_new_datagram_once_the_old_is_complete),
        cmocka_unit_test(overlapping_fragments_are_not_put_together_but_count),
        cmocka_unit_test(missing_fragment_leaves_the_parts_and_the_first_payload),
        cmocka_unit_test(missing_first_fragment_leaves_parts_without_ports),
        cmocka_unit_test(interleaved_datagrams_are_kept_apart),
        cmocka_unit_test(fragment_cut_by_the_snapshot_length_counts),
        cmocka_unit_test(impossible_fragments_count_and_never_complete),
        cmocka_unit_test(contradicting_ends_are_not_put_together),
        cmocka_unit_test(memory_is_capped_and_what_had_to_go_still_counts),
        cmocka_unit_test(number_of_datagrams_is_capped_even_without_payload),
        cmocka_unit_test(without_room_a_fragment_is_a_packet_by_itself),
        cmocka_unit_test(too_many_parts_become_a_datagram_of_their_own),
        cmocka_unit_test(timeout_counts_from_the_first_fragment_and_any_clock_will_do),
        cmocka_unit_test(tunnel_fragmented_outside_is_one_packet),
        cmocka_unit_test(fragments_inside_a_tunnel_know_the_outer_mark),
        cmocka_unit_test(fragments_of_fragments_are_put_together),
        cmocka_unit_test(incomplete_tunnel_packet_is_judged_by_its_visible_inner_header),
        cmocka_unit_test(fragment_of_ipv6_with_headers_before_and_after_is_put_together),
        cmocka_unit_test(every_prefix_of_a_fragment_is_held_or_truncated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "compare/identity.h"

static const struct hash_key key = {1, 2};

static struct packet udp(const uint8_t *payload, size_t captured, size_t wire)
{
    return (struct packet){.proto = PROTO_UDP,
                           .ports_known = true,
                           .payload = payload,
                           .payload_bytes = (uint32_t)captured,
                           .payload_wire_bytes = (uint32_t)wire,
                           .cut = captured < wire};
}

static struct compare_identity identify(const struct packet *p)
{
    struct compare_identity id;
    compare_identify(&key, p, &id);
    return id;
}

/* RFC 3550 §5.1: V=2, PT 96, sequence 0x1234, timestamp 0x01020304, SSRC 0xCAFEBABE, and eight bytes of payload. */
static const uint8_t rtp[20] = {0x80, 96, 0x12, 0x34, 1, 2, 3, 4, 0xCA, 0xFE, 0xBA, 0xBE, 9, 9, 9, 9, 9, 9, 9, 9};

static void rtp_is_told_by_what_survives_everything(void **state)
{
    (void)state;
    struct packet p = udp(rtp, sizeof rtp, sizeof rtp);
    struct compare_identity one = identify(&p);
    assert_int_equal(one.family, COMPARE_RTP);
    assert_int_equal(one.ssrc, 0xCAFEBABE);
    assert_int_equal(one.flags, COMPARE_IS_WHOLE);

    /* another mark, TTL and address, cut after the header, another payload type and marker bit */
    uint8_t other[12];
    memcpy(other, rtp, sizeof other);
    other[1] = 0x80 | 111;
    struct packet q = udp(other, 12, 20);
    q.tos = 0xB8;
    q.ttl = 3;
    q.src.port = 4711;
    struct compare_identity two = identify(&q);
    assert_true(one.identity == two.identity);
    assert_false(two.flags & COMPARE_IS_WHOLE);
}

static void each_number_of_an_rtp_header_tells_packets_apart(void **state)
{
    (void)state;
    struct packet p = udp(rtp, sizeof rtp, sizeof rtp);
    uint64_t one = identify(&p).identity;
    for (size_t i = 2; i < 12; i++) {
        uint8_t other[sizeof rtp];
        memcpy(other, rtp, sizeof other);
        other[i] ^= 1;
        struct packet q = udp(other, sizeof other, sizeof other);
        assert_true(identify(&q).identity != one);
    }
}

/* RFC 8656 §12.4: channel 0x4001, twenty bytes. */
static void a_relay_leaves_the_media_inside_what_it_was(void **state)
{
    (void)state;
    uint8_t framed[24] = {0x40, 0x01, 0, 20};
    memcpy(framed + 4, rtp, sizeof rtp);
    struct packet p = udp(rtp, sizeof rtp, sizeof rtp), q = udp(framed, sizeof framed, sizeof framed);
    struct compare_identity a = identify(&p), b = identify(&q);
    assert_true(a.identity == b.identity);
    assert_int_equal(a.check, b.check);
    assert_int_equal(b.family, COMPARE_RTP);
}

static void datagrams_are_told_by_length_and_first_bytes(void **state)
{
    (void)state;
    uint8_t bytes[100];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i + 'A');
    struct packet whole = udp(bytes, 100, 100), cut = udp(bytes, 30, 100), longer = udp(bytes, 30, 101),
                  short_one = udp(bytes, 20, 100);
    struct compare_identity a = identify(&whole), b = identify(&cut), c = identify(&longer), d = identify(&short_one);
    assert_true(a.identity == b.identity);
    assert_true(a.identity != c.identity);
    assert_int_equal(a.flags, COMPARE_IS_WHOLE);
    assert_int_equal(b.flags, 0);
    assert_int_equal(d.flags, COMPARE_IS_SHORT);
    assert_true(d.identity == 0);
    bytes[90]++;
    assert_true(identify(&whole).identity == a.identity);
    assert_true(identify(&whole).check != a.check);
}

/* RFC 1035 §4.1.1: an identification that begins with the bits 10 makes a query look like RTP. */
static void a_query_that_looks_like_rtp_is_told_by_more(void **state)
{
    (void)state;
    uint8_t query[32] = {0xAB, 0xCD, 1,   0,   0, 1,   0,   0,   0,   0,   0,   0,
                         3,    'w',  'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e'};
    struct packet p = udp(query, sizeof query, sizeof query);
    uint64_t one = identify(&p).identity;
    query[1]++;
    assert_true(identify(&p).identity != one);
    p = udp(query, 20, sizeof query);
    assert_int_equal(identify(&p).flags, COMPARE_IS_SHORT);
}

static void few_bytes_are_too_weak_to_find_a_packet_by(void **state)
{
    (void)state;
    static const uint8_t keepalive[4] = {'\r', '\n', '\r', '\n'};
    struct packet p = udp(keepalive, 4, 4), empty = udp(keepalive, 0, 0);
    assert_int_equal(identify(&p).flags, COMPARE_IS_WHOLE | COMPARE_IS_WEAK);
    assert_int_equal(identify(&empty).flags, COMPARE_IS_WHOLE | COMPARE_IS_WEAK);
}

static void a_tcp_segment_needs_no_payload(void **state)
{
    (void)state;
    struct packet p = {.proto = PROTO_TCP,
                       .ports_known = true,
                       .tcp_seq = 1000,
                       .tcp_ack = 77,
                       .tcp_flags = TCP_ACK,
                       .payload_wire_bytes = 500,
                       .cut = true};
    struct compare_identity a = identify(&p);
    assert_true(a.identity != 0);
    assert_int_equal(a.flags, 0);
    struct packet q = p;
    q.tcp_seq++;
    assert_true(identify(&q).identity != a.identity);
    q = p;
    q.payload_wire_bytes--;
    assert_true(identify(&q).identity != a.identity);
    p.ports_known = false; /* cut before its header ends */
    assert_int_equal(identify(&p).flags & COMPARE_IS_SHORT, COMPARE_IS_SHORT);
}

static void fragments_that_disagree_make_it_unsure(void **state)
{
    (void)state;
    struct packet_part parts[2] = {{.tos = 0xB8}, {.tos = 0xB9}}; /* ECN alone differs */
    struct packet p = udp(rtp, sizeof rtp, sizeof rtp);
    p.parts = parts;
    p.part_count = 2;
    assert_false(identify(&p).flags & COMPARE_IS_UNSURE);
    parts[1].tos = 0;
    assert_true(identify(&p).flags & COMPARE_IS_UNSURE);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const size_t *wire = user;
    struct packet p = udp(prefix, len, *wire);
    struct compare_identity id = identify(&p);
    assert_true(id.identity != 0 || id.flags & COMPARE_IS_SHORT);
}

static void every_prefix_is_read_within_its_bounds(void **state)
{
    (void)state;
    uint8_t framed[24] = {0x40, 0x01, 0, 20}, rtcp[28] = {0x81, 200, 0, 6, 1, 2, 3, 4},
            stun[28] = {0, 0x17, 0, 8, 0x21, 0x12, 0xA4, 0x42};
    memcpy(framed + 4, rtp, sizeof rtp);
    const uint8_t *const all[] = {rtp, framed, rtcp, stun};
    size_t sizes[] = {sizeof rtp, sizeof framed, sizeof rtcp, sizeof stun};
    for (size_t i = 0; i < 4; i++)
        for_each_prefix(all[i], sizes[i], parse_prefix, &sizes[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtp_is_told_by_what_survives_everything),
        cmocka_unit_test(each_number_of_an_rtp_header_tells_packets_apart),
        cmocka_unit_test(a_relay_leaves_the_media_inside_what_it_was),
        cmocka_unit_test(datagrams_are_told_by_length_and_first_bytes),
        cmocka_unit_test(a_query_that_looks_like_rtp_is_told_by_more),
        cmocka_unit_test(few_bytes_are_too_weak_to_find_a_packet_by),
        cmocka_unit_test(a_tcp_segment_needs_no_payload),
        cmocka_unit_test(fragments_that_disagree_make_it_unsure),
        cmocka_unit_test(every_prefix_is_read_within_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

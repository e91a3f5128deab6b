#include "testing.h"

#include "base/clock.h"
#include "engine/compare_match.h"

static const struct hash_key key = {3, 4};

struct points {
    struct compare_point a, b;
    struct compare_pairing pairing;
    struct compare_matches matches;
};

static void begin(struct points *p)
{
    compare_point_init(&p->a, &key, 0);
    compare_point_init(&p->b, &key, 0);
}

static void match(struct points *p)
{
    assert_true(compare_point_finish(&p->a));
    assert_true(compare_point_finish(&p->b));
    assert_true(compare_pair_flows(&p->a, &p->b, &p->pairing));
    assert_true(compare_match_packets(&p->a, &p->b, &p->pairing, &p->matches));
}

static void done(struct points *p)
{
    compare_matches_done(&p->matches);
    compare_pairing_done(&p->pairing);
    compare_point_done(&p->a);
    compare_point_done(&p->b);
}

static struct endpoint end_of(uint8_t host, uint16_t port)
{
    return (struct endpoint){addr_v4((uint8_t[]){10, 0, 0, host}), port};
}

/* One RTP packet of a stream between two hosts. */
static void rtp(struct compare_point *to, uint8_t src, uint8_t dst, uint32_t ssrc, uint16_t sequence, tos_t tos,
                int64_t ms)
{
    uint8_t bytes[32] = {0x80,
                         0,
                         (uint8_t)(sequence >> 8),
                         (uint8_t)sequence,
                         0,
                         0,
                         0,
                         0,
                         (uint8_t)(ssrc >> 24),
                         (uint8_t)(ssrc >> 16),
                         (uint8_t)(ssrc >> 8),
                         (uint8_t)ssrc};
    struct packet p = {.frame = to->packet_count + 1,
                       .time_ns = ms * NS_PER_MS,
                       .src = end_of(src, 5000),
                       .dst = end_of(dst, 6000),
                       .proto = PROTO_UDP,
                       .ports_known = true,
                       .tos = tos,
                       .ttl = 64,
                       .ip_id = sequence,
                       .payload = bytes,
                       .payload_bytes = sizeof bytes,
                       .payload_wire_bytes = sizeof bytes};
    if (src > dst) { /* the same 5-tuple, the other way */
        p.src.port = 6000;
        p.dst.port = 5000;
    }
    compare_point_packet(to, &p);
}

static uint32_t flow(const struct compare_point *p, uint8_t src, uint8_t dst)
{
    struct endpoint s = end_of(src, src > dst ? 6000 : 5000), d = end_of(dst, src > dst ? 5000 : 6000);
    uint32_t f = compare_point_find(p, PROTO_UDP, &s, &d);
    assert_int_not_equal(f, COMPARE_NONE);
    return f;
}

static void packets_are_matched_whatever_order_they_come_in(void **state)
{
    (void)state;
    struct points p = {0};
    begin(&p);
    for (uint16_t i = 0; i < 100; i++)
        rtp(&p.a, 1, 2, 7, i, 0xB8, i);
    for (uint16_t i = 0; i < 100; i++)
        if (i != 40)
            rtp(&p.b, 1, 2, 7, (uint16_t)(i ^ 1), 0, i + 5);
    match(&p);
    assert_int_equal(p.matches.count, 99);
    for (size_t i = 0; i < p.matches.count; i++)
        assert_int_equal(p.a.packets[p.matches.all[i].packet[0]].ip_id, p.b.packets[p.matches.all[i].packet[1]].ip_id);
    assert_int_equal(p.matches.fate[0][41], FATE_ALONE);
    done(&p);
}

/* A server sends one participant's media to three others: behind NAT nothing tells the three flows apart but what the
 * three send themselves. */
static void forwarded_media_is_told_apart_by_the_way_back(void **state)
{
    (void)state;
    for (int with_back = 0; with_back < 2; with_back++) {
        struct points p = {0};
        begin(&p);
        for (uint16_t i = 0; i < 50; i++)
            for (uint8_t receiver = 0; receiver < 3; receiver++) {
                rtp(&p.a, 1, (uint8_t)(10 + receiver), 7, i, 0xB8, i);
                rtp(&p.b, 1, (uint8_t)(20 + receiver), 7, i, 0, i + 1);
                if (!with_back)
                    continue;
                rtp(&p.a, (uint8_t)(10 + receiver), 1, 100U + receiver, i, 0xB8, i);
                rtp(&p.b, (uint8_t)(20 + receiver), 1, 100U + receiver, i, 0, i + 1);
            }
        match(&p);
        for (uint8_t receiver = 0; receiver < 3; receiver++) {
            uint32_t f = flow(&p.a, 1, (uint8_t)(10 + receiver));
            assert_int_equal(p.pairing.of[0][f], with_back ? flow(&p.b, 1, (uint8_t)(20 + receiver)) : COMPARE_NONE);
            assert_int_equal(p.pairing.why[0][f], with_back ? COMPARE_PAIRED : COMPARE_AMBIGUOUS);
        }
        assert_int_equal(p.matches.count, with_back ? 300 : 0);
        done(&p);
    }
}

static void what_the_other_capture_has_twice_over_is_taken(void **state)
{
    (void)state;
    struct points p = {0};
    begin(&p);
    for (uint16_t i = 0; i < 50; i++) {
        rtp(&p.a, 1, 2, 7, i, 0xB8, i);
        rtp(&p.a, 3, 4, 7, i, 0xB8, i); /* before a NAT that the first capture shows both sides of */
        rtp(&p.b, 1, 2, 7, i, 0xB8, i + 1);
    }
    rtp(&p.b, 5, 6, 8, 1, 0, 9);
    match(&p);
    assert_int_equal(p.pairing.why[0][flow(&p.a, 3, 4)], COMPARE_TAKEN);
    assert_int_equal(p.pairing.why[1][flow(&p.b, 5, 6)], COMPARE_NOT_SEEN);
    assert_int_equal(p.matches.count, 50);
    done(&p);
}

/* A DNS query of two hosts may have the same number and name. */
static void dns(struct compare_point *to, uint8_t src, int64_t ms)
{
    static const uint8_t query[32] = {0xAB, 0xCD, 1,   0,   0, 1,   0,   0,   0,   0,   0,   0,
                                      3,    'w',  'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e'};
    struct packet p = {.frame = to->packet_count + 1,
                       .time_ns = ms * NS_PER_MS,
                       .src = end_of(src, 40000),
                       .dst = end_of(99, 53),
                       .proto = PROTO_UDP,
                       .ports_known = true,
                       .ttl = 64,
                       .payload = query,
                       .payload_bytes = sizeof query,
                       .payload_wire_bytes = sizeof query};
    compare_point_packet(to, &p);
}

static void one_datagram_behind_nat_needs_the_right_time_too(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct points p = {0};
        begin(&p);
        for (uint16_t i = 0; i < 50; i++) {
            rtp(&p.a, 1, 2, 7, i, 0xB8, i * 20);
            rtp(&p.b, 1, 2, 7, i, 0xB8, 7200000 + i * 20); /* the clocks differ by two hours */
        }
        dns(&p.a, 5, 300);
        dns(&p.b, 6, 7200000 + (late ? 60000 : 310));
        match(&p);
        assert_int_equal(p.matches.count, late ? 50 : 51);
        assert_int_equal(p.matches.fate[0][50], late ? FATE_UNPAIRED : FATE_MATCHED);
        done(&p);
    }
}

static void copies_are_one_packet_unless_their_marks_differ(void **state)
{
    (void)state;
    struct points p = {0};
    begin(&p);
    rtp(&p.a, 1, 2, 7, 1, 0xB8, 0);
    rtp(&p.a, 1, 2, 7, 1, 0xB8, 1);
    rtp(&p.a, 1, 2, 7, 2, 0xB8, 20);
    rtp(&p.a, 1, 2, 7, 2, 0, 21);
    rtp(&p.b, 1, 2, 7, 1, 0, 5);
    rtp(&p.b, 1, 2, 7, 2, 0, 25);
    match(&p);
    assert_int_equal(p.matches.count, 1);
    assert_int_equal(p.matches.fate[0][0], FATE_MATCHED);
    assert_int_equal(p.matches.fate[0][1], FATE_COPY);
    assert_int_equal(p.matches.fate[0][2], FATE_LEFT + COMPARE_COPIES_DIFFER);
    assert_int_equal(p.matches.fate[1][1], FATE_LEFT + COMPARE_COPIES_DIFFER);
    done(&p);
}

/* A wrapped sequence number comes back after hours: the same header twice, far apart, is two packets that nothing tells
 * apart but the IP identification. */
static void what_comes_again_much_later_is_told_by_its_number_or_not_at_all(void **state)
{
    (void)state;
    for (int renumbered = 0; renumbered < 2; renumbered++) {
        struct points p = {0};
        begin(&p);
        for (int side = 0; side < 2; side++)
            for (int i = 0; i < 2; i++) {
                struct compare_point *to = side ? &p.b : &p.a;
                rtp(to, 1, 2, 7, 9, 0xB8, i * 60000 + side);
                to->packets[to->packet_count - 1].ip_id = (uint16_t)(renumbered ? 0 : 50 + i);
            }
        match(&p);
        assert_int_equal(p.matches.count, renumbered ? 0 : 2);
        assert_int_equal(p.matches.fate[0][1], renumbered ? FATE_LEFT + COMPARE_IDENTICAL : FATE_MATCHED);
        done(&p);
    }
}

static void the_way_is_told_by_ttl_or_by_the_clocks(void **state)
{
    (void)state;
    for (int ttl = 0; ttl < 2; ttl++) {
        struct points p = {0};
        begin(&p);
        for (uint16_t i = 0; i < 20; i++) {
            /* the second clock is an hour behind; crossing takes 3 ms */
            rtp(&p.a, 1, 2, 7, i, 0xB8, 3600000 + i * 20);
            rtp(&p.b, 1, 2, 7, i, 0xB8, i * 20 + 3);
            rtp(&p.b, 2, 1, 8, i, 0xB8, i * 20 + 7);
            rtp(&p.a, 2, 1, 8, i, 0xB8, 3600000 + i * 20 + 10);
        }
        if (ttl) {
            p.b.flows[flow(&p.b, 1, 2)].ttl = 63;
            p.a.flows[flow(&p.a, 2, 1)].ttl = 63;
        }
        match(&p);
        struct compare_flow_way there = p.matches.ways[flow(&p.a, 1, 2)], back = p.matches.ways[flow(&p.a, 2, 1)];
        assert_int_equal(there.way, COMPARE_FORWARD);
        assert_int_equal(back.way, COMPARE_BACKWARD);
        assert_int_equal(there.by, ttl ? COMPARE_WAY_TTL : COMPARE_WAY_CLOCK);
        assert_int_equal(back.by, ttl ? COMPARE_WAY_TTL : COMPARE_WAY_CLOCK);
        done(&p);
    }
}

static void packets_beyond_the_cap_are_counted(void **state)
{
    (void)state;
    struct compare_point p;
    compare_point_init(&p, &key, 3);
    for (uint16_t i = 0; i < 5; i++)
        rtp(&p, 1, 2, 7, i, 0, i);
    assert_int_equal(p.packet_count, 3);
    assert_int_equal(p.left_out, 2);
    assert_int_equal(p.last_ns, 2 * NS_PER_MS);
    compare_point_done(&p);
}

/* Noise that looks like RTP has a new SSRC in each packet. */
static void a_flow_has_a_limited_number_of_streams(void **state)
{
    (void)state;
    struct compare_point p;
    compare_point_init(&p, &key, 0);
    for (uint16_t i = 0; i < 5000; i++)
        rtp(&p, 1, 2, 1000U + i, i, 0, i);
    assert_in_range(p.stream_count, 2, 65);
    assert_int_equal(p.packet_count, 5000);
    compare_point_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_are_matched_whatever_order_they_come_in),
        cmocka_unit_test(forwarded_media_is_told_apart_by_the_way_back),
        cmocka_unit_test(what_the_other_capture_has_twice_over_is_taken),
        cmocka_unit_test(one_datagram_behind_nat_needs_the_right_time_too),
        cmocka_unit_test(copies_are_one_packet_unless_their_marks_differ),
        cmocka_unit_test(what_comes_again_much_later_is_told_by_its_number_or_not_at_all),
        cmocka_unit_test(the_way_is_told_by_ttl_or_by_the_clocks),
        cmocka_unit_test(packets_beyond_the_cap_are_counted),
        cmocka_unit_test(a_flow_has_a_limited_number_of_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/clock.h"
#include "compare/match.h"

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
static void query(struct compare_point *to, uint8_t src, uint8_t name, tos_t tos, int64_t ms)
{
    const uint8_t query[32] = {0xAB, 0xCD, 1,   0,    0, 1,   0,   0,   0,   0,   0,   0,
                               3,    'w',  'w', name, 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e'};
    struct packet p = {.frame = to->packet_count + 1,
                       .time_ns = ms * NS_PER_MS,
                       .src = end_of(src, 40000),
                       .dst = end_of(99, 53),
                       .proto = PROTO_UDP,
                       .ports_known = true,
                       .ttl = 64,
                       .tos = tos,
                       .payload = query,
                       .payload_bytes = sizeof query,
                       .payload_wire_bytes = sizeof query};
    compare_point_packet(to, &p);
}

static void dns(struct compare_point *to, uint8_t src, int64_t ms)
{
    query(to, src, 'w', 0, ms);
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

/* Two hosts send the same bytes again and again, and each capture has one of them: not one packet, as the clocks tell.
 */
static void a_keepalive_of_another_time_is_another_one(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct points p = {0};
        begin(&p);
        for (uint16_t i = 0; i < 50; i++) {
            rtp(&p.a, 1, 2, 0x12345678, i, 0xB8, i * 20);
            rtp(&p.b, 1, 2, 0x12345678, i, 0xB8, i * 20 + 3);
        }
        dns(&p.a, 5, 100);
        dns(&p.a, 6, 300);
        dns(&p.b, 5, late ? 30100 : 104);
        match(&p);
        assert_int_equal(p.matches.fate[0][50], late ? FATE_LEFT + COMPARE_IDENTICAL : FATE_MATCHED);
        assert_int_equal(p.matches.count, late ? 50 : 51);
        done(&p);
    }
}

/* One datagram behind other addresses may be another host's: that its mark is another one is told only where more show
 * the same. */
static void a_changed_mark_is_not_told_by_one_likeness(void **state)
{
    (void)state;
    for (uint8_t others = 0; others < 4; others++) {
        struct points p = {0};
        begin(&p);
        for (uint16_t i = 0; i < 50; i++) {
            tos_t arrives = others == 3 && i == 7 ? 0 : 0xB8;
            rtp(&p.a, 1, 2, 0x12345678, i, 0xB8, i * 20);
            rtp(&p.b, 1, 2, 0x12345678, i, arrives, i * 20 + 3);
        }
        for (uint8_t i = 0; i < (others == 3 ? 1 : others + 1); i++) {
            query(&p.a, (uint8_t)(10 + i), (uint8_t)('a' + i), 0xB8, 100 + i);
            query(&p.b, (uint8_t)(20 + i), (uint8_t)('a' + i), 0, 104 + i);
        }
        match(&p);
        assert_int_equal(p.matches.fate[0][50], others < 2 ? FATE_LEFT + COMPARE_IDENTICAL : FATE_MATCHED);
        assert_int_equal(p.matches.count, others == 2 ? 53 : others == 3 ? 51 : 50);
        done(&p);
    }
}

/* A recording has the same SSRC and numbers each time it is played; each capture has another time. */
static void a_recording_played_again_is_not_the_same_packets(void **state)
{
    (void)state;
    struct points p = {0};
    begin(&p);
    for (uint16_t i = 0; i < 100; i++) {
        rtp(&p.a, 1, 2, 0x12345678, i, 0xB8, i * 20);
        rtp(&p.b, 1, 2, 0x12345678, i, 0xB8, i * 20 + 3);
        if (i >= 20)
            continue;
        rtp(&p.a, 3, 4, 0x87654321, i, 0xB8, i * 20);
        rtp(&p.b, 3, 4, 0x87654321, i, 0, i * 20 + 9000);
    }
    match(&p);
    assert_int_equal(p.matches.count, 100);
    assert_int_equal(p.matches.fate[0][1], FATE_LEFT + COMPARE_IDENTICAL);
    done(&p);
}

/* What hosts announce to a group is alike; no translator sends it elsewhere. */
static void announcements_of_two_hosts_to_groups_are_not_one_stream(void **state)
{
    (void)state;
    for (int group = 0; group < 2; group++) {
        struct points p = {0};
        begin(&p);
        for (uint16_t i = 0; i < 20; i++) {
            rtp(&p.a, 1, 2, 0x12345678, i, 0xB8, i);
            rtp(&p.b, 3, 4, 0x12345678, i, 0, i + 1);
        }
        if (group)
            p.b.flows[0].dst.addr = addr_v4((uint8_t[]){239, 255, 255, 250});
        match(&p);
        assert_int_equal(p.matches.count, group ? 0 : 20);
        done(&p);
    }
}

/* Both directions between hosts 1 and 2; crossing takes 3 ms. */
static void converse(struct points *p)
{
    for (uint16_t i = 0; i < 20; i++) {
        rtp(&p->a, 1, 2, 0x12345678, i, 0xB8, i * 20);
        rtp(&p->b, 1, 2, 0x12345678, i, 0xB8, i * 20 + 3);
        rtp(&p->b, 2, 1, 0x87654321, i, 0xB8, i * 20 + 7);
        rtp(&p->a, 2, 1, 0x87654321, i, 0xB8, i * 20 + 10);
    }
}

/* Of a flow with few packets and the same TTL on both sides its hosts tell, once others of theirs are known. */
static void the_way_of_a_small_flow_is_that_of_its_hosts(void **state)
{
    (void)state;
    struct points p = {0};
    begin(&p);
    converse(&p);
    rtp(&p.b, 2, 3, 0x11111111, 1, 0xB8, 50);
    rtp(&p.a, 2, 3, 0x11111111, 1, 0xB8, 53);
    rtp(&p.a, 8, 9, 0x22222222, 1, 0xB8, 50);
    rtp(&p.b, 8, 9, 0x22222222, 1, 0xB8, 53);
    match(&p);
    struct compare_flow_way small = p.matches.ways[flow(&p.a, 2, 3)], unknown = p.matches.ways[flow(&p.a, 8, 9)];
    assert_int_equal(small.way, COMPARE_BACKWARD);
    assert_int_equal(small.by, COMPARE_WAY_HOST);
    assert_int_equal(unknown.by, COMPARE_WAY_ASSUMED);
    assert_false(unknown.doubtful);
    done(&p);
}

/* A relay sends with a TTL of its own, which makes the way look reversed; the clocks know better. */
static void the_clocks_overrule_the_ttl(void **state)
{
    (void)state;
    struct points p = {0};
    begin(&p);
    converse(&p);
    p.a.flows[flow(&p.a, 1, 2)].ttl = 60;
    p.b.flows[flow(&p.b, 2, 1)].ttl = 60;
    match(&p);
    assert_int_equal(p.matches.ways[flow(&p.a, 1, 2)].way, COMPARE_FORWARD);
    assert_int_equal(p.matches.ways[flow(&p.a, 2, 1)].way, COMPARE_BACKWARD);
    done(&p);
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
        cmocka_unit_test(a_keepalive_of_another_time_is_another_one),
        cmocka_unit_test(a_changed_mark_is_not_told_by_one_likeness),
        cmocka_unit_test(a_recording_played_again_is_not_the_same_packets),
        cmocka_unit_test(announcements_of_two_hosts_to_groups_are_not_one_stream),
        cmocka_unit_test(the_way_of_a_small_flow_is_that_of_its_hosts),
        cmocka_unit_test(the_clocks_overrule_the_ttl),
        cmocka_unit_test(copies_are_one_packet_unless_their_marks_differ),
        cmocka_unit_test(what_comes_again_much_later_is_told_by_its_number_or_not_at_all),
        cmocka_unit_test(the_way_is_told_by_ttl_or_by_the_clocks),
        cmocka_unit_test(packets_beyond_the_cap_are_counted),
        cmocka_unit_test(a_flow_has_a_limited_number_of_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

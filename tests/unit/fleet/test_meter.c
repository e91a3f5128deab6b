#include "testing.h"

#include "base/clock.h"
#include "fleet/meter.h"

/* A datagram of RTP: its bytes and the packet that borrows them. */
struct datagram {
    uint8_t bytes[40];
    struct packet packet;
};

static const int64_t T0 = 1700000000 * NS_PER_S;

static struct datagram rtp(uint32_t ssrc, uint16_t sequence, uint32_t timestamp, tos_t tos, int64_t ns)
{
    struct datagram d = {.bytes = {0x80, 111, (uint8_t)(sequence >> 8), (uint8_t)sequence}};
    for (unsigned i = 0; i < 4; i++) {
        d.bytes[4 + i] = (uint8_t)(timestamp >> (24 - 8 * i));
        d.bytes[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
    }
    d.packet = (struct packet){.proto = PROTO_UDP, .tos = tos, .ttl = 60, .ip_bytes = 60, .time_ns = T0 + ns};
    d.packet.payload_bytes = d.packet.payload_wire_bytes = 32;
    assert_true(endpoint_parse(SLICE("10.0.0.1:5004"), 0, &d.packet.src));
    assert_true(endpoint_parse(SLICE("10.0.0.2:6000"), 0, &d.packet.dst));
    return d;
}

static void take(struct meter *m, uint32_t token, struct datagram *d)
{
    d->packet.payload = d->bytes;
    meter_packet(m, token, &d->packet);
}

static void take_rtp(struct meter *m, uint32_t token, uint16_t sequence, tos_t tos, int64_t ns)
{
    struct datagram d = rtp(7, sequence, sequence * 960u, tos, ns);
    take(m, token, &d);
}

static struct meter *new_meter(void)
{
    struct meter_options options = {0};
    struct meter *m = meter_new(&options);
    assert_non_null(m);
    return m;
}

static struct delta tell(struct meter *m, uint32_t token, int64_t ns, bool all)
{
    static const uint32_t ssrc = 7;
    struct delta d = {0};
    meter_tell(m, token, &ssrc, T0 + ns, all, &d);
    return d;
}

static bool has(struct meter *m, uint32_t token, int64_t ns)
{
    bool silent;
    return meter_has(m, token, T0 + ns, false, &silent) && !silent;
}

/* 50 packets a second from `from` on, numbers as they are. */
static void take_many(struct meter *m, uint32_t from, uint32_t until, tos_t tos)
{
    for (uint32_t i = from; i < until; i++)
        take_rtp(m, 0, (uint16_t)i, tos, i * 20 * NS_PER_MS);
}

static void an_interval_is_told_once(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    take_rtp(m, 3, 10, 184, 0);
    take_rtp(m, 3, 11, 0, NS_PER_MS);
    take_rtp(m, 3, 12, 3, 2 * NS_PER_MS);
    struct delta d = tell(m, 3, NS_PER_S, false);
    assert_true(d.began && d.packets == 3 && d.bytes == 180 && d.stream > 0);
    assert_true(d.first_ns == T0 && d.last_ns == T0 + 2 * NS_PER_MS);
    assert_int_equal(d.mark_count, 2);
    assert_true(d.marks[0].dscp == 46 && d.marks[0].packets == 1 && d.marks[1].dscp == 0 && d.marks[1].packets == 2);
    assert_true(d.ecn[0] == 2 && d.ecn[3] == 1 && d.ttl_lowest == 60 && d.ttl_highest == 60);
    assert_int_equal(d.block_count, 0); /* it is not over */
    assert_int_equal(d.unblocked, 0);
    assert_false(has(m, 3, NS_PER_S));
    take_rtp(m, 3, 13, 184, NS_PER_S);
    uint64_t serial = d.stream;
    d = tell(m, 3, 2 * NS_PER_S, false);
    assert_true(!d.began && d.packets == 1 && d.stream == serial);
    meter_free(m);
}

static void a_block_is_told_when_it_is_over(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    take_many(m, 256, 612, 184);
    assert_int_equal(tell(m, 0, 611 * 20 * NS_PER_MS, false).block_count, 0); /* 99 more numbers only */
    take_many(m, 612, 640, 184);
    struct delta d = tell(m, 0, 640 * 20 * NS_PER_MS, false);
    assert_int_equal(d.block_count, 1);
    const struct delta_block *b = d.blocks;
    assert_true(b->number % 256 == 1 && b->packets == 256 && b->copies == 0 && b->other == 0);
    assert_true(b->anchor_sequence == 256 && b->anchor_rtp == 256 * 960 && b->anchor_ns == T0 + 256 * 20 * NS_PER_MS);
    assert_true(b->mark_count == 1 && b->marks[0].dscp == 46 && b->marks[0].packets == 256);
    bool silent; /* and the one that is open, at the end */
    assert_false(meter_has(m, 0, T0 + 641 * 20 * NS_PER_MS, false, &silent));
    assert_true(meter_has(m, 0, T0 + 641 * 20 * NS_PER_MS, true, &silent));
    d = tell(m, 0, 641 * 20 * NS_PER_MS, true);
    assert_int_equal(d.block_count, 1);
    assert_true(d.blocks[0].number % 256 == 2 && d.blocks[0].packets == 128);
    assert_false(has(m, 0, 641 * 20 * NS_PER_MS));
    meter_free(m);
}

static void what_is_missing_and_what_came_twice_shows(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    for (uint32_t i = 0; i < 256; i++)
        if (i != 17 && i != 255)
            take_rtp(m, 0, (uint16_t)i, i < 100 ? 184 : 0, i);
    take_rtp(m, 0, 5, 0, 300); /* a copy, with another mark: the first comer counts */
    struct delta d = tell(m, 0, NS_PER_S, true);
    const struct delta_block *b = d.blocks;
    assert_true(d.block_count == 1 && b->packets == 254 && b->copies == 1);
    assert_int_equal(b->seen[17 / 8], 0xff & ~(1 << 17 % 8));
    assert_int_equal(b->seen[31], 0x7f);
    assert_true(b->marks[0].packets == 99 && b->marks[1].packets == 155);
    assert_int_equal(d.unblocked, 0);
    assert_int_equal(d.packets, 255);
    meter_free(m);
}

static void numbers_go_on_where_they_come_round(void **state)
{
    struct meter *m = new_meter();
    uint64_t before = 0;
    (void)state;
    for (uint32_t i = 65000; i < 65536 + 500; i++) /* every tenth pair in the wrong order */
        take_rtp(m, 0, (uint16_t)(i % 10 == 0 ? i + 1 : i % 10 == 1 ? i - 1 : i), 184, i * NS_PER_MS);
    struct delta d = tell(m, 0, 70000 * NS_PER_MS, true);
    assert_int_equal(d.block_count, 5); /* 65000 is in 253; 254, 255, 0, 1 */
    uint64_t sum = 0;
    for (size_t i = 0; i < d.block_count; i++) {
        assert_true(i == 0 || d.blocks[i].number == before + 1);
        assert_int_equal(d.blocks[i].number % 256, (253 + i) % 256);
        before = d.blocks[i].number;
        sum += d.blocks[i].packets;
    }
    assert_int_equal(sum, 1036);
    meter_free(m);
}

static void a_packet_that_comes_late_is_one_more_part(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    for (uint32_t i = 0; i < 400; i++)
        if (i != 100)
            take_rtp(m, 0, (uint16_t)i, 184, i * 20 * NS_PER_MS);
    struct delta d = tell(m, 0, 9 * NS_PER_S, false);
    assert_true(d.block_count == 1 && d.blocks[0].packets == 255);
    uint64_t number = d.blocks[0].number;
    take_rtp(m, 0, 100, 184, 9 * NS_PER_S);
    d = tell(m, 0, 10 * NS_PER_S, false);
    assert_true(d.block_count == 1 && d.blocks[0].number == number && d.blocks[0].packets == 1);
    assert_int_equal(d.blocks[0].seen[12], 1 << 4);
    meter_free(m);
}

static void a_slow_stream_is_told_in_parts(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    for (uint32_t i = 0; i < 50; i++)
        take_rtp(m, 0, (uint16_t)i, 184, i * 2 * NS_PER_S);
    struct delta d = tell(m, 0, 100 * NS_PER_S, false);
    assert_true(d.block_count == 1 && d.blocks[0].packets == 50);
    take_rtp(m, 0, 50, 184, 101 * NS_PER_S);
    assert_int_equal(tell(m, 0, 110 * NS_PER_S, false).block_count, 0);
    assert_int_equal(tell(m, 0, 161 * NS_PER_S, false).block_count, 1);
    meter_free(m);
}

static void another_stream_with_the_same_token_is_another(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    take_rtp(m, 0, 1, 184, 0);
    uint64_t serial = tell(m, 0, 1, false).stream;
    take_rtp(m, 0, 2, 184, 2);
    struct datagram d = rtp(8, 3, 0, 184, 3);
    d.packet.dst.port++;
    take(m, 0, &d);
    struct delta t = {0};
    meter_tell(m, 0, &(uint32_t){8}, T0 + 4, false, &t);
    assert_true(t.stream != serial && t.began && t.packets == 1);
    assert_int_equal(meter_lost(m), 1); /* the one packet that was never told */
    meter_free(m);
}

static void what_is_silent_ends_and_may_begin_again(void **state)
{
    struct meter *m = new_meter();
    bool silent;
    (void)state;
    take_rtp(m, 0, 1, 184, 0);
    struct delta d = tell(m, 0, 1, false);
    assert_false(meter_has(m, 0, T0 + 29 * NS_PER_S, false, &silent));
    assert_true(meter_has(m, 0, T0 + 30 * NS_PER_S, false, &silent));
    assert_true(silent);
    struct delta end = tell(m, 0, 30 * NS_PER_S, true);
    assert_true(end.stream == d.stream && end.packets == 0 && end.block_count == 1);
    assert_false(meter_has(m, 0, T0 + 90 * NS_PER_S, false, &silent));
    take_rtp(m, 0, 2, 184, 91 * NS_PER_S);
    d = tell(m, 0, 92 * NS_PER_S, false);
    assert_true(d.began && d.stream != end.stream);
    meter_free(m);
}

/* ChannelData (RFC 8656 §12.4): number, length, and then the media. */
static void media_behind_a_channel_number_is_counted(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    struct datagram inner = rtp(7, 300, 9, 184, 0), d = inner;
    d.bytes[0] = 0x40;
    d.bytes[1] = 1;
    d.bytes[2] = 0;
    d.bytes[3] = 32;
    memcpy(d.bytes + 4, inner.bytes, 32);
    d.packet.payload_bytes = 36;
    take(m, 0, &d);
    struct delta t = tell(m, 0, 1, true);
    assert_true(t.block_count == 1 && t.blocks[0].anchor_sequence == 300 && t.unblocked == 0);
    meter_free(m);
}

static void what_only_looks_like_media_keeps_no_blocks(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    for (uint32_t i = 0; i < 5000; i++) {
        struct datagram d = rtp(i * 2654435761u, (uint16_t)(i * 40503u), i, 0, i);
        take(m, 0, &d);
    }
    struct delta t = {0};
    meter_tell(m, 0, NULL, T0 + NS_PER_S, false, &t);
    assert_true(t.packets == 5000 && t.block_count == 0 && t.unblocked == 0);
    t = tell(m, 0, NS_PER_S, true);
    assert_int_equal(t.block_count, 0);
    meter_free(m);
}

static void beyond_the_cap_packets_are_unblocked(void **state)
{
    struct meter_options options = {.max_blocks = 3};
    struct meter *m = meter_new(&options);
    (void)state;
    for (uint32_t i = 0; i < 1024; i++)
        take_rtp(m, 0, (uint16_t)i, 184, i);
    take_rtp(m, 1, 1, 184, 0);
    struct delta d = tell(m, 0, NS_PER_S, true);
    assert_true(d.block_count == 3 && d.packets == 1024 && d.unblocked == 256);
    assert_int_equal(tell(m, 1, NS_PER_S, true).unblocked, 1);
    take_rtp(m, 1, 1, 184, 0); /* there is room again */
    assert_int_equal(tell(m, 1, NS_PER_S, true).block_count, 1);
    meter_free(m);
}

/* What follows is of another run: what lies between was seen, and is in no block, and nobody may call it lost. */
static void packets_that_find_no_block_end_the_run(void **state)
{
    struct meter_options options = {.max_blocks = 2};
    struct meter *m = meter_new(&options);
    (void)state;
    take_rtp(m, 1, 1, 184, 0);
    take_many(m, 0, 256, 184);
    take_many(m, 256, 300, 184);
    (void)tell(m, 1, NS_PER_S, true);
    take_many(m, 300, 400, 184); /* there is room again, and they stay out */
    struct delta d = tell(m, 0, 400 * 20 * NS_PER_MS, false);
    assert_true(d.block_count == 1 && d.packets == 400 && d.unblocked == 144);
    uint64_t serial = d.stream;
    take_many(m, 400, 500, 184);
    d = tell(m, 0, 500 * 20 * NS_PER_MS, true);
    assert_true(d.block_count == 1 && d.packets == 100 && d.unblocked == 0 && d.began && d.stream != serial);
    meter_free(m);
}

static void marks_of_any_number_add_up(void **state)
{
    struct meter *m = new_meter();
    uint64_t sum = 0, in_block = 0;
    (void)state;
    for (uint32_t i = 0; i < 256; i++)
        take_rtp(m, 0, (uint16_t)i, (tos_t)(i % 64 * 4), i);
    struct delta d = tell(m, 0, NS_PER_S, true);
    assert_int_equal(d.mark_count, 64);
    for (uint8_t i = 0; i < d.mark_count; i++) {
        assert_int_equal(d.marks[i].packets, 4);
        sum += d.marks[i].packets;
    }
    assert_int_equal(sum, 256);
    for (uint8_t i = 0; i < d.blocks[0].mark_count; i++)
        in_block += d.blocks[0].marks[i].packets;
    assert_int_equal(in_block + d.blocks[0].other, 256);
    meter_free(m);
}

/* Block 1 waits for one more packet that may be late, block 2 is over. */
static void with_a_block_come_those_before_it(void **state)
{
    struct meter *m = new_meter();
    (void)state;
    for (uint32_t i = 256; i < 900; i++)
        if (i != 300)
            take_rtp(m, 0, (uint16_t)i, 184, i * 20 * NS_PER_MS);
    take_rtp(m, 0, 300, 184, 899 * 20 * NS_PER_MS);
    struct delta d = tell(m, 0, 900 * 20 * NS_PER_MS, false);
    assert_int_equal(d.block_count, 2);
    assert_true(d.blocks[0].number % 256 == 1 && d.blocks[0].packets == 256 && !d.blocks[0].late);
    take_rtp(m, 0, 301, 184, 901 * 20 * NS_PER_MS); /* a copy */
    d = tell(m, 0, 930 * 20 * NS_PER_MS, false);
    assert_int_equal(d.block_count, 1);
    assert_true(d.blocks[0].number % 256 == 1 && d.blocks[0].packets == 1 && d.blocks[0].late);
    meter_free(m);
}

static void what_is_told_as_no_rtp_is_in_no_block(void **state)
{
    struct meter *m = new_meter();
    struct delta d = {0};
    (void)state;
    take_many(m, 250, 253, 184);
    meter_tell(m, 0, NULL, T0 + 252 * 20 * NS_PER_MS, false, &d); /* on its first packets it is not known */
    assert_true(d.packets == 3 && d.block_count == 0 && d.began);
    uint64_t serial = d.stream;
    take_many(m, 253, 400, 184);
    d = tell(m, 0, 400 * 20 * NS_PER_MS, false);
    assert_true(d.packets == 147 && d.unblocked == 0 && d.stream == serial && d.began);
    take_many(m, 400, 410, 184);
    meter_tell(m, 0, NULL, T0 + 410 * 20 * NS_PER_MS, false, &d);
    assert_true(d.packets == 10 && d.block_count == 0 && d.stream == serial);
    take_many(m, 410, 500, 184);
    d = tell(m, 0, 500 * 20 * NS_PER_MS, true);
    assert_true(d.packets == 90 && d.unblocked == 0 && d.stream != serial && d.began);
    assert_int_equal(d.block_count, 1);
    assert_int_equal(d.blocks[0].packets, 90); /* not those that were told as something else */
    meter_free(m);
}

/* ---- digests of what has no sequence numbers ---- */

static struct packet segment(uint32_t seq, uint32_t ack, uint8_t flags)
{
    struct packet p = {.proto = PROTO_TCP, .tos = 104, .ttl = 60, .ip_bytes = 60, .time_ns = T0};
    p.tcp_seq = seq;
    p.tcp_ack = ack;
    p.tcp_flags = flags;
    assert_true(endpoint_parse(SLICE("192.168.1.10:50600"), 0, &p.src));
    assert_true(endpoint_parse(SLICE("203.0.113.5:5061"), 0, &p.dst));
    return p;
}

/* What a sensor tells of packets first..last of a connection, `each` of them an interval. */
static size_t tell_connection(uint32_t isn, uint32_t other_isn, size_t first, size_t last, size_t each,
                              uint32_t *digests)
{
    struct meter *m = new_meter();
    size_t n = 0;
    for (size_t i = first; i <= last; i++) {
        struct packet p = segment(isn + 731 * (uint32_t)i, other_isn + 397 * (uint32_t)(i / 2), TCP_ACK | TCP_PSH);
        if (i == last || (i > first && i % each == 0)) {
            struct delta d = {0};
            meter_tell(m, 0, NULL, T0 + NS_PER_S, false, &d);
            assert_true(d.digest_count <= DELTA_DIGESTS_MAX && (d.packets == 0 || d.digest_count > 0));
            for (uint8_t k = 0; k < d.digest_count; k++) {
                assert_true(k == 0 || d.digests[k] > d.digests[k - 1]);
                digests[n++] = d.digests[k];
            }
        }
        if (i < last)
            meter_packet(m, 0, &p);
    }
    meter_free(m);
    return n;
}

static size_t in_common(const uint32_t *a, size_t na, const uint32_t *b, size_t nb)
{
    size_t n = 0;
    for (size_t i = 0; i < na; i++)
        for (size_t k = 0; k < nb; k++)
            n += a[i] == b[k];
    return n;
}

/* Whenever intervals begin, and wherever in the connection a sensor does; and never those of another connection. */
static void two_sensors_of_one_connection_tell_the_same_digests(void **state)
{
    static uint32_t a[1000], b[1000], other[1000], proxy[1000];
    (void)state;
    for (uint32_t seed = 1; seed <= 50; seed++) {
        uint32_t isn = seed * 2654435761u, there = seed * 40503u * 77777u;
        size_t na = tell_connection(isn, there, 0, 300, 60, a), nb = tell_connection(isn, there, 20, 310, 13, b);
        size_t no = tell_connection(isn + 1, there, 0, 300, 60, other); /* a host with almost the same numbers */
        size_t np = tell_connection(isn, there + 9, 0, 300, 60, proxy); /* one side of it is another's */
        assert_true(na == 20 && in_common(a, na, b, nb) >= 10); /* the least of an interval, and not its first */
        assert_int_equal(in_common(a, na, other, no), 0);
        assert_int_equal(in_common(a, na, proxy, np), 0);
    }
}

static uint8_t digests_of(struct packet *packets, size_t n)
{
    struct meter *m = new_meter();
    struct delta d = {0};
    for (size_t i = 0; i < n; i++)
        meter_packet(m, 0, &packets[i]);
    meter_tell(m, 0, NULL, T0 + NS_PER_S, false, &d);
    assert_int_equal(d.packets, n);
    meter_free(m);
    return d.digest_count;
}

static void what_is_alike_everywhere_has_no_digest(void **state)
{
    static uint8_t text[600];
    (void)state;
    struct packet syn = segment(0, 0, TCP_SYN), reset = segment(0, 0, TCP_RST | TCP_ACK), one = segment(1, 2, TCP_ACK);
    struct packet many[] = {one, one, one, syn, reset};
    assert_int_equal(digests_of(many, 5), 1); /* the same again is one */
    assert_int_equal(digests_of(&syn, 1), 0);
    assert_int_equal(digests_of(&reset, 1), 0);
    struct packet datagram = segment(0, 0, 0);
    datagram.proto = PROTO_UDP;
    datagram.payload = text;
    datagram.payload_bytes = datagram.payload_wire_bytes = 19;
    assert_int_equal(digests_of(&datagram, 1), 0); /* a keepalive */
    datagram.payload_bytes = datagram.payload_wire_bytes = 20;
    assert_int_equal(digests_of(&datagram, 1), 1);
    datagram.payload_wire_bytes = 600;
    datagram.payload_bytes = 255; /* cut: another sensor may have more of it */
    assert_int_equal(digests_of(&datagram, 1), 0);
    datagram.payload_bytes = 256;
    assert_int_equal(digests_of(&datagram, 1), 1);
    datagram.proto = PROTO_SCTP;
    assert_int_equal(digests_of(&datagram, 1), 0);
    assert_true(endpoint_parse(SLICE("198.51.100.1:50600"), 0, &one.src)); /* nobody else has that */
    assert_int_equal(digests_of(&one, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_a_block_come_those_before_it),
        cmocka_unit_test(what_is_told_as_no_rtp_is_in_no_block),
        cmocka_unit_test(an_interval_is_told_once),
        cmocka_unit_test(a_block_is_told_when_it_is_over),
        cmocka_unit_test(what_is_missing_and_what_came_twice_shows),
        cmocka_unit_test(numbers_go_on_where_they_come_round),
        cmocka_unit_test(a_packet_that_comes_late_is_one_more_part),
        cmocka_unit_test(a_slow_stream_is_told_in_parts),
        cmocka_unit_test(another_stream_with_the_same_token_is_another),
        cmocka_unit_test(what_is_silent_ends_and_may_begin_again),
        cmocka_unit_test(media_behind_a_channel_number_is_counted),
        cmocka_unit_test(what_only_looks_like_media_keeps_no_blocks),
        cmocka_unit_test(beyond_the_cap_packets_are_unblocked),
        cmocka_unit_test(packets_that_find_no_block_end_the_run),
        cmocka_unit_test(marks_of_any_number_add_up),
        cmocka_unit_test(two_sensors_of_one_connection_tell_the_same_digests),
        cmocka_unit_test(what_is_alike_everywhere_has_no_digest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "stream/flow.h"
#include "stream/traffic.h"

/* What makes a table of a million streams small and quick must not show in what it counts: the compact ways against the
 * plain ones, and against a model that knows nothing of them. */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/* --- batches ------------------------------------------------------------------------------------------------------ */

enum { MIXED_PACKETS = 30000, MIXED_BYTES = 40 };

struct mixed {
    struct packet packets[MIXED_PACKETS];
    uint8_t bytes[MIXED_PACKETS][MIXED_BYTES];
    struct packet_part parts[MIXED_PACKETS];
};

/* RTP, RTCP, STUN, DTLS and whatever else, on some thousand 5-tuples of both IP versions. */
static void mixed_packet(struct mixed *m, size_t i, uint32_t *seed)
{
    static const uint8_t first[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x81, 0x00, 0x16, 0x45, 0x30};
    static const tos_t marks[] = {0xb8, 0xb8, 0xb8, 0xb8, 0x88, 0x00, 0xb9};
    uint32_t flow = next_random(seed) % 1500;
    uint8_t *b = m->bytes[i];
    for (size_t n = 0; n < MIXED_BYTES; n++)
        b[n] = (uint8_t)next_random(seed);
    uint8_t what = first[next_random(seed) % sizeof first];
    b[0] = what;
    if (what >> 6 == 2) {
        b[1] = what == 0x81 ? 200 : (uint8_t)(96 + next_random(seed) % 20 / 19);
        if (what == 0x81) { /* a receiver report: RFC 3550 §6.4.2 */
            b[1] = 201;
            b[2] = 0;
            b[3] = 7;
        }
        b[what == 0x81 ? 4 : 8] = b[what == 0x81 ? 5 : 9] = b[what == 0x81 ? 6 : 10] = 0;
        b[what == 0x81 ? 7 : 11] = (uint8_t)(next_random(seed) % (flow == 7 ? 200 : 3));
    }
    struct endpoint a = {.addr = {.version = flow % 3 ? 4 : 6, .bytes = {10, 0, (uint8_t)(flow >> 8), (uint8_t)flow}},
                         .port = 4000};
    struct endpoint z = {.addr = {.version = a.addr.version, .bytes = {10, 1, 2, 3}}, .port = 5000};
    bool back = next_random(seed) % 2, tcp = next_random(seed) % 50 == 0;
    m->packets[i] = (struct packet){.frame = i + 1,
                                    .time_ns = (int64_t)i * MS - (next_random(seed) % 500 ? 0 : 5 * MS),
                                    .ip_bytes = MIXED_BYTES + 28,
                                    .src = back ? z : a,
                                    .dst = back ? a : z,
                                    .proto = tcp ? PROTO_TCP : PROTO_UDP,
                                    .tos = marks[next_random(seed) % sizeof marks],
                                    .ip_id = (uint32_t)i & 0xffff,
                                    .layer_count = 1,
                                    .ports_known = true,
                                    .payload = b,
                                    .payload_bytes = MIXED_BYTES,
                                    .payload_wire_bytes = MIXED_BYTES,
                                    .tcp_seq = (uint32_t)i * 40};
    if (next_random(seed) % 300 == 0) {
        struct packet *p = &m->packets[i];
        m->parts[i] =
            (struct packet_part){.frame = p->frame, .time_ns = p->time_ns, .ip_bytes = p->ip_bytes, .tos = p->tos};
        p->parts = &m->parts[i];
        p->part_count = 1;
    }
}

static void assert_same_streams(const struct stream_table *x, const struct stream_table *y)
{
    assert_int_equal(x->stream_count, y->stream_count);
    assert_int_equal(x->flow_count, y->flow_count);
    for (uint32_t i = 0; i < x->stream_count; i++) {
        const struct stream *a = stream_at(x, i), *b = stream_at(y, i);
        uint64_t ecn_a[4], ecn_b[4];
        struct record_mark marks_a[DSCP_COUNT], marks_b[DSCP_COUNT];
        size_t marks = stream_mark_count(x, a);
        assert_int_equal(stream_number(a), i);
        assert_int_equal(a->flow, b->flow);
        assert_int_equal(a->family, b->family);
        assert_int_equal(a->side, b->side);
        assert_int_equal(a->ssrc, b->ssrc);
        assert_int_equal(a->packets, b->packets);
        assert_int_equal(a->bytes, b->bytes);
        assert_int_equal(a->accepted, b->accepted);
        assert_int_equal(a->merged, b->merged);
        assert_int_equal(a->first, b->first);
        assert_int_equal(marks, stream_mark_count(y, b));
        stream_marks_copy(x, a, marks_a);
        stream_marks_copy(y, b, marks_b);
        for (size_t m = 0; m < marks; m++) {
            assert_int_equal(marks_a[m].dscp, marks_b[m].dscp);
            assert_int_equal(marks_a[m].packets, marks_b[m].packets);
        }
        stream_ecn(x, a, ecn_a);
        stream_ecn(y, b, ecn_b);
        assert_memory_equal(ecn_a, ecn_b, sizeof ecn_a);
        assert_int_equal(stream_copies_differ(x, a), stream_copies_differ(y, b));
    }
}

static void batches_count_what_single_packets_count(void **state)
{
    (void)state;
    struct stream_options options = {.key = {3, 4}};
    struct stream_table *one = stream_table_new(&options), *many = stream_table_new(&options);
    struct mixed *m = calloc(1, sizeof *m);
    uint32_t seed = 1;
    assert_true(one && many && m);
    for (size_t i = 0; i < MIXED_PACKETS; i++) {
        mixed_packet(m, i, &seed);
        stream_table_packet(one, &m->packets[i]);
    }
    for (size_t i = 0; i < MIXED_PACKETS;) {
        size_t n = next_random(&seed) % 100;
        n = n < MIXED_PACKETS - i ? n : MIXED_PACKETS - i;
        for (size_t k = i; k < i + n; k += 2)
            m->packets[k].flow_hash = stream_packet_hash(&options.key, &m->packets[k]);
        stream_table_packets(many, &m->packets[i], n);
        i += n;
    }
    assert_true(one->flow_count > 1000);
    assert_same_streams(one, many);
    stream_table_finish(one);
    stream_table_finish(many);
    assert_same_streams(one, many);
    stream_table_free(one);
    stream_table_free(many);
    free(m);
}

static void looks_in_the_middle_change_nothing(void **state)
{
    (void)state;
    struct stream_options options = {.key = {3, 4}};
    struct stream_table *alone = stream_table_new(&options), *looked = stream_table_new(&options);
    struct mixed *m = calloc(1, sizeof *m);
    uint32_t seed = 1, crowded = 0;
    assert_true(alone && looked && m);
    for (size_t i = 0; i < MIXED_PACKETS; i++) {
        mixed_packet(m, i, &seed);
        stream_table_packet(alone, &m->packets[i]);
        stream_table_packet(looked, &m->packets[i]);
        if (i % 500)
            continue;
        uint64_t packets = stream_table_stats(looked).untracked_packets;
        struct document *d = document_new();
        struct record_scratch s = {0};
        assert_int_equal(stream_table_export(looked, d), 0);
        for (size_t k = 0; k < d->record_count; k++)
            packets += document_record(d, k, RECORD_ALL, &s)->packets;
        assert_int_equal(packets, i + 1);
        record_scratch_done(&s);
        document_free(d);
    }
    for (uint32_t i = 0; i < looked->flow_count; i++)
        crowded += flow_at(looked, i)->crowded;
    assert_true(crowded > 0);
    stream_table_finish(alone);
    stream_table_finish(looked);
    assert_same_streams(alone, looked);
    stream_table_free(alone);
    stream_table_free(looked);
    free(m);
}

/* --- many streams in one flow ------------------------------------------------------------------------------------- */

static void thousands_of_ssrcs_on_one_5_tuple_are_told_apart(void **state)
{
    (void)state;
    enum { SSRCS = 3000, PACKETS = 8 };
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    for (uint32_t ssrc = 0; ssrc < SSRCS; ssrc++)
        for (uint16_t i = 0; i < PACKETS; i++) /* both directions, so that the same SSRC is in each */
            send_rtp(&s, ssrc % 2 ? a : b, ssrc % 2 ? b : a, 46, ssrc / 2, 0, i, 160u * i, 160, 20 * MS * i);
    /* and each of them goes on */
    for (uint32_t ssrc = 0; ssrc < SSRCS; ssrc++)
        send_rtp(&s, ssrc % 2 ? a : b, ssrc % 2 ? b : a, 46, ssrc / 2, 0, PACKETS, 160u * PACKETS, 160,
                 20 * MS * PACKETS);
    assert_int_equal(s.t->flow_count, 1);
    assert_int_equal(s.t->stream_count, SSRCS);
    assert_true(flow_at(s.t, 0)->crowded);
    for (uint32_t i = 0; i < SSRCS; i++)
        assert_int_equal(stream_at(s.t, i)->packets, PACKETS + 1);
    size_t listed = 0;
    for (uint8_t side = 0; side < 2; side++)
        for (const struct stream *m = flow_media(s.t, flow_at(s.t, 0), side); m; m = stream_next(s.t, m))
            listed += m->side == side && m->accepted;
    assert_int_equal(listed, SSRCS);
    stream_table_free(s.t);
}

/* Noise that looks like RTP, with an SSRC of its own in each packet, for hours: the places of the silent ones are
 * taken again, and all of them are the plain stream's packets in the end. */
static void strays_are_counted_and_their_places_taken_again(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    for (uint32_t i = 0; i < 5000; i++)
        send_rtp(&s, a, b, i % 2 ? 46 : 0, i * 7919, 96, (uint16_t)(i * 31), i * 104729, 100, 300 * MS * i);
    stream_table_finish(s.t);
    uint64_t packets = 0, streams = 0;
    for (uint32_t i = 0; i < s.t->stream_count; i++) {
        const struct stream *one = stream_at(s.t, i);
        if (one->merged)
            continue;
        assert_int_equal(one->family, FAMILY_PLAIN);
        packets += one->packets;
        streams++;
    }
    assert_int_equal(packets, 5000);
    assert_int_equal(streams, 1);
    assert_in_range(s.t->stream_count, 1, CANDIDATES_MAX + 1);
    stream_table_free(s.t);
}

/* --- marks against a model ---------------------------------------------------------------------------------------- */

struct model {
    struct record_mark marks[DSCP_COUNT];
    uint64_t ecn[4], packets, bytes;
    int64_t first_ns, last_ns;
    uint32_t changes;
    int last;
};

static void model_add(struct model *m, const struct packet *p)
{
    dscp_t dscp = tos_dscp(p->tos);
    struct record_mark *mark = &m->marks[dscp];
    if (mark->packets++ == 0) {
        mark->first = (struct frame_ref){p->frame, p->input};
        mark->first_ns = p->time_ns;
    }
    mark->bytes += p->ip_bytes;
    mark->last = (struct frame_ref){p->frame, p->input};
    mark->last_ns = p->time_ns;
    m->ecn[tos_ecn(p->tos)]++;
    m->changes += m->packets && m->last != dscp;
    m->last = dscp;
    m->first_ns = m->packets == 0 || p->time_ns < m->first_ns ? p->time_ns : m->first_ns;
    m->last_ns = m->packets == 0 || p->time_ns > m->last_ns ? p->time_ns : m->last_ns;
    m->packets++;
    m->bytes += p->ip_bytes;
}

static void assert_model(const struct stream_table *t, const struct stream *s, const struct model *m)
{
    struct record_mark marks[DSCP_COUNT];
    uint64_t ecn[4];
    size_t count = stream_mark_count(t, s), expected = 0;
    stream_marks_copy(t, s, marks);
    stream_ecn(t, s, ecn);
    for (size_t i = 0; i < DSCP_COUNT; i++)
        expected += m->marks[i].packets > 0;
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++) {
        const struct record_mark *want = &m->marks[marks[i].dscp];
        assert_int_equal(marks[i].packets, want->packets);
        assert_int_equal(marks[i].bytes, want->bytes);
        assert_int_equal(marks[i].first.frame, want->first.frame);
        assert_int_equal(marks[i].first.input, want->first.input);
        assert_int_equal(marks[i].last.frame, want->last.frame);
        assert_int_equal(marks[i].first_ns, want->first_ns);
        assert_int_equal(marks[i].last_ns, want->last_ns);
    }
    assert_memory_equal(ecn, m->ecn, sizeof ecn);
    assert_int_equal(stream_mark_changes(t, s), m->changes);
    assert_int_equal(s->packets, m->packets);
    assert_int_equal(s->bytes, m->bytes);
    assert_int_equal(s->first_ns, m->first_ns);
    assert_int_equal(s->last_ns, m->last_ns);
    assert_int_equal(stream_first(s).frame, 1);
}

/* A stream of one mark, then another mark, another ECN, a clock that steps back: each at a random packet, or never. */
static void marks_are_what_a_plain_count_gives(void **state)
{
    (void)state;
    uint32_t seed = 7;
    static const uint8_t text[] = "neither RTP nor anything else";
    for (int round = 0; round < 300; round++) {
        struct sender s = sender_new(NULL);
        struct model m = {.last = 0};
        struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
        uint32_t other_mark = next_random(&seed) % 60, other_ecn = next_random(&seed) % 60,
                 back = next_random(&seed) % 60;
        for (uint32_t i = 0; i < 30; i++) {
            struct packet p =
                packet_of(&s, PROTO_UDP, a, b, i == other_mark ? 0 : 46, text, sizeof text, (int64_t)i * MS);
            if (i == other_ecn)
                p.tos |= 3;
            if (i >= back)
                p.time_ns -= 1000 * MS;
            p.input = 5;
            stream_table_packet(s.t, &p);
            model_add(&m, &p);
        }
        assert_int_equal(s.t->stream_count, 1);
        assert_model(s.t, stream_at(s.t, 0), &m);
        stream_table_free(s.t);
    }
}

static void frames_beyond_2_to_the_40_keep_their_number(void **state)
{
    (void)state;
    struct frame_ref far = frame_unpack(frame_pack(UINT64_C(1) << 43, 1000000));
    assert_true(far.frame == UINT64_C(1) << 43);
    assert_int_equal(far.input, 1000000);
    struct frame_ref end = frame_unpack(frame_pack(UINT64_MAX, UINT32_MAX)); /* stay at their end, and do not mix */
    assert_true(end.frame == (UINT64_C(1) << 44) - 1);
    assert_int_equal(end.input, (1u << 20) - 1);
}

/* --- order -------------------------------------------------------------------------------------------------------- */

/* Inside TURN a packet may make two streams and count to one; the other's first packet comes later. */
static void streams_that_get_their_first_packet_later_come_later(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    send_voice(&s, a, b, 46, 1, 1);
    struct stream *empty = stream_get(s.t, flow_at(s.t, 0), 0, FAMILY_STUN, 0);
    send_voice(&s, b, a, 46, 2, 1);
    send_voice(&s, at("10.0.0.3", 1), b, 46, 3, 1);
    struct packet p = packet_of(&s, PROTO_UDP, a, b, 46, "", 0, 0);
    stream_count(s.t, empty, &p);
    send_voice(&s, at("10.0.0.4", 1), b, 46, 4, 1);
    uint32_t order[] = {0, 2, 3, 1, 4};
    for (size_t i = 0; i + 1 < sizeof order / sizeof *order; i++) {
        assert_true(stream_arrived_before(s.t, stream_at(s.t, order[i]), stream_at(s.t, order[i + 1])));
        assert_false(stream_arrived_before(s.t, stream_at(s.t, order[i + 1]), stream_at(s.t, order[i])));
    }
    stream_table_free(s.t);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

static void a_hundred_thousand_calls_one_way_take_little_memory(void **state)
{
    (void)state;
    enum { CALLS = 100000, LIMIT = 450 };
    struct sender s = sender_new(NULL);
    for (uint16_t i = 0; i < 4; i++)
        for (uint32_t call = 0; call < CALLS; call++) {
            struct endpoint a = {
                .addr = {.version = 4, .bytes = {10, (uint8_t)(call >> 16), (uint8_t)(call >> 8), (uint8_t)call}}};
            send_rtp(&s, a, at("10.200.0.1", 5000), 46, call, 0, i, 160u * i, 160, 20 * MS * i);
        }
    const struct pool *pools[] = {&s.t->flows,      &s.t->streams,      &s.t->rtp_parts,
                                  &s.t->rtcp_parts, &s.t->stream_mores, &s.t->flow_mores};
    size_t bytes = ((size_t)s.t->flow_slots.mask + 1) * sizeof(struct slot);
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        bytes += pools[i]->count * pools[i]->item_bytes;
    assert_int_equal(s.t->stream_count, CALLS);
    assert_true(bytes / CALLS <= LIMIT);
    stream_table_free(s.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_count_what_single_packets_count),
        cmocka_unit_test(looks_in_the_middle_change_nothing),
        cmocka_unit_test(thousands_of_ssrcs_on_one_5_tuple_are_told_apart),
        cmocka_unit_test(strays_are_counted_and_their_places_taken_again),
        cmocka_unit_test(marks_are_what_a_plain_count_gives),
        cmocka_unit_test(frames_beyond_2_to_the_40_keep_their_number),
        cmocka_unit_test(streams_that_get_their_first_packet_later_come_later),
        cmocka_unit_test(a_hundred_thousand_calls_one_way_take_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "materialise.h"
#include "stream/conference.h"
#include "stream/flow.h"
#include "stream/same_records.h"
#include "stream/traffic.h"

/* Streams that end leave the table, and nothing of what they were is lost. */

enum { CALLS = 3000, CALLS_A_TICK = 2, LOOK_TICKS = 25 };
#define IDLE_NS (2 * NS_PER_S)

struct live {
    struct stream_table *t;
    size_t forget_beyond; /* ended streams that are kept */
    uint32_t ticks, streams_halfway, flows_halfway, rtp_halfway;
    uint64_t forgotten_packets, forgotten_streams;
    bool look;
};

static struct live live_new(int64_t idle_ns)
{
    struct stream_options o = {.key = {1, 2}, .idle_ns = idle_ns};
    struct live l = {.t = stream_table_new(&o), .forget_beyond = SIZE_MAX};
    assert_non_null(l.t);
    return l;
}

static void live_take(void *user, const struct packet *p)
{
    struct live *l = user;
    stream_table_packet(l->t, p);
}

static uint64_t packets_in(const struct document *d)
{
    struct record_scratch s = {0};
    uint64_t packets = 0;
    for (size_t i = 0; i < d->record_count; i++)
        packets += document_record(d, i, RECORD_PLAIN, &s)->packets;
    record_scratch_done(&s);
    return packets;
}

static void live_forget(struct live *l)
{
    size_t ended = stream_table_ended(l->t);
    if (ended <= l->forget_beyond)
        return;
    struct document *d = document_new();
    assert_int_equal(stream_table_export_ended(l->t, ended - l->forget_beyond, d), 0);
    assert_true(d->record_count >= ended - l->forget_beyond);
    l->forgotten_packets += packets_in(d);
    l->forgotten_streams += d->record_count;
    size_t n = d->record_count;
    document_free(d);
    stream_table_forget(l->t, n);
    assert_int_equal(stream_table_ended(l->t), ended - n);
}

static void live_ticked(void *user, int64_t now_ns)
{
    struct live *l = user;
    if (++l->ticks % LOOK_TICKS)
        return;
    if (l->look) {
        struct document *d = document_new();
        assert_int_equal(stream_table_export(l->t, d), 0);
        assert_int_equal(d->record_count >= stream_table_ended(l->t), true);
        document_free(d);
    }
    assert_int_equal(stream_table_expire(l->t, now_ns), 0);
    live_forget(l);
    if (l->ticks <= CALLS / CALLS_A_TICK / 2) {
        l->streams_halfway = l->t->streams.count;
        l->flows_halfway = l->t->flows.count;
        l->rtp_halfway = l->t->rtp_parts.count;
    }
}

static struct document *live_document(struct live *l)
{
    struct document *d = document_new();
    stream_table_finish(l->t);
    assert_int_equal(stream_table_export(l->t, d), 0);
    assert_true(document_link_calls(d));
    materialise(d);
    return d;
}

static struct conference conference_of(struct live *l, uint32_t calls)
{
    return (struct conference){
        .calls = calls, .calls_a_tick = CALLS_A_TICK, .take = live_take, .ticked = live_ticked, .user = l};
}

/* --- what stays and what goes ------------------------------------------------------------------------------------- */

static void assert_no_pool_grew(const struct live *l)
{
    const struct stream_table *t = l->t;
    assert_in_range(t->streams.count, 1, l->streams_halfway + l->streams_halfway / 10);
    assert_in_range(t->flows.count, 1, l->flows_halfway + l->flows_halfway / 10);
    assert_in_range(t->rtp_parts.count, 1, l->rtp_halfway + l->rtp_halfway / 10);
    assert_int_equal(pool_used(&t->streams), t->stream_count);
    assert_int_equal(pool_used(&t->flows), t->flow_count);
}

static void calls_that_come_and_go_take_the_memory_of_those_at_a_time(void **state)
{
    (void)state;
    struct live l = live_new(IDLE_NS);
    struct conference c = conference_of(&l, CALLS);
    l.forget_beyond = 2000;
    (void)conference_run(&c);
    assert_no_pool_grew(&l);
    assert_in_range(stream_table_ended(l.t), 1, 2000);
    uint64_t before = l.forgotten_streams;
    assert_true(before > CALLS);

    /* all that was given is in the records, the forgotten ones or both */
    struct document *d = live_document(&l);
    assert_int_equal(packets_in(d) + l.forgotten_packets, c.packets);
    assert_int_equal(stream_table_stats(l.t).untracked_packets, 0);
    assert_int_equal(stream_table_stats(l.t).ended, before + stream_table_ended(l.t));
    document_free(d);
    stream_table_free(l.t);
}

static void calls_that_are_over_are_forgotten_and_their_records_keep_their_texts(void **state)
{
    (void)state;
    struct live l = live_new(IDLE_NS);
    struct conference c = conference_of(&l, CALLS);
    int64_t now_ns = conference_run(&c);
    assert_in_range(expect_table_call_count(l.t->expect), 2500, CALLS);
    for (int i = 1; i < 20; i++)
        assert_int_equal(stream_table_expire(l.t, now_ns + i * 20 * NS_PER_S), 0);
    assert_int_equal(expect_table_call_count(l.t->expect), 0);
    struct document *d = live_document(&l);
    assert_int_equal(d->call_count, CALLS);
    size_t texts = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct call *call = call_of_record(d, &d->records[i]);
        texts += call && strncmp(call->call_id, "call-id-", 8) == 0 && strncmp(call->from, "sip:u", 5) == 0;
    }
    assert_int_equal(texts, (CALLS - (CALLS + WITHOUT_SIP - 1) / WITHOUT_SIP) * 4);
    document_free(d);
    stream_table_forget(l.t, SIZE_MAX);
    assert_int_equal(pool_used(&expect_table_cards(l.t->expect)->pool), 0);
    stream_table_free(l.t);
}

static void when_all_have_ended_the_table_is_empty(void **state)
{
    (void)state;
    struct live l = live_new(IDLE_NS);
    struct conference c = conference_of(&l, 200);
    int64_t now_ns = conference_run(&c);
    assert_int_equal(stream_table_expire(l.t, now_ns + 3 * IDLE_NS), 0);
    assert_int_equal(stream_table_expire(l.t, now_ns + 6 * IDLE_NS), 0);
    const struct pool *pools[] = {&l.t->flows,        &l.t->streams,    &l.t->rtp_parts, &l.t->rtcp_parts,
                                  &l.t->stream_mores, &l.t->flow_mores, &l.t->flow_wides};
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        assert_int_equal(pool_used(pools[i]), 0);
    assert_int_equal(l.t->flow_slots.used, 0);
    assert_int_equal(stream_table_stats(l.t).streams, 0);
    /* and a new call is one like the first */
    struct conference again = conference_of(&l, 1);
    uint64_t ended = stream_table_ended(l.t);
    (void)conference_run(&again);
    struct document *d = live_document(&l);
    assert_int_equal(d->record_count, ended + 4);
    document_free(d);
    stream_table_free(l.t);
}

static void calls_that_ended_are_recorded_as_if_they_had_stayed(void **state)
{
    (void)state;
    struct live stay = live_new(0), leave = live_new(IDLE_NS), looked = live_new(IDLE_NS);
    struct live *all[] = {&stay, &leave, &looked};
    struct document *documents[3];
    looked.look = true;
    for (size_t i = 0; i < 3; i++) {
        struct conference c = conference_of(all[i], CALLS);
        (void)conference_run(&c);
        documents[i] = live_document(all[i]);
    }
    assert_int_equal(stream_table_ended(stay.t), 0);
    assert_true(stream_table_ended(leave.t) > CALLS * 4);
    assert_int_equal(documents[0]->call_count, CALLS);
    assert_int_equal(documents[1]->call_count, CALLS);
    assert_int_equal(documents[2]->call_count, CALLS);
    assert_same_documents(documents[0], documents[1]);
    assert_same_documents(documents[0], documents[2]);
    for (size_t i = 0; i < 3; i++) {
        document_free(documents[i]);
        stream_table_free(all[i]->t);
    }
}

/* The 5-tuple comes back after it was forgotten, and another takes its number meanwhile. */
static void a_number_that_is_used_again_is_another_conversation(void **state)
{
    (void)state;
    struct live l = live_new(IDLE_NS);
    struct sender s = {.t = l.t};
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000), c = at("10.0.0.3", 4000);
    int64_t now_ns = 0;
    for (int round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 20; i++, now_ns += 20 * MS)
            send_rtp(&s, round % 2 ? c : a, b, 46, 7, 0, (uint16_t)i, 160 * i, 160, now_ns);
        now_ns += 10 * IDLE_NS;
        assert_int_equal(stream_table_expire(l.t, now_ns - 8 * IDLE_NS), 0);
        assert_int_equal(stream_table_expire(l.t, now_ns), 0);
        assert_int_equal(l.t->stream_count, 0);
        assert_int_equal(stream_table_ended(l.t), round + 1);
    }
    assert_int_equal(l.t->streams.count, 1);
    assert_int_equal(l.t->flows.count, 1);
    struct document *d = document_new();
    assert_int_equal(stream_table_export(l.t, d), 0);
    materialise(d);
    assert_int_equal(d->record_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(d->records[i].packets, 20);
        assert_int_equal(d->records[i].kind, KIND_RTP_AUDIO);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(d->records[i].conversation, d->records[k].conversation);
    }
    document_free(d);
    stream_table_free(l.t);
}

static void rtcp_stays_with_its_media_until_both_are_silent(void **state)
{
    (void)state;
    struct live l = live_new(IDLE_NS);
    struct sender s = {.t = l.t};
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    struct conference c = {.take = live_take, .user = &l};
    struct conference_call k = {.c = &c, .number = 1, .tick = 10};
    int64_t now_ns = 0;
    /* media that goes on, RTCP long ago; and the other way round */
    conference_rtcp(&k, true);
    for (unsigned i = 0; i < 1000; i++, now_ns += 20 * MS) {
        struct endpoint client = conference_end(1, false, 4000), server = conference_end(1, true, conference_port(1));
        send_rtp(&s, client, server, 46, 3, 0, (uint16_t)i, 160 * i, 160, now_ns);
        if (i < 20)
            send_rtp(&s, a, b, 46, 9, 0, (uint16_t)i, 160 * i, 160, now_ns);
        if (i % 50 == 0)
            assert_int_equal(stream_table_expire(l.t, now_ns), 0);
    }
    assert_int_equal(stream_table_ended(l.t), 1);
    assert_int_equal(l.t->stream_count, 2);
    k.time_ns = now_ns + IDLE_NS * 3 / 2;
    conference_rtcp(&k, true);
    assert_int_equal(stream_table_expire(l.t, now_ns + 2 * IDLE_NS), 0);
    assert_int_equal(stream_table_ended(l.t), 1);
    assert_int_equal(stream_table_expire(l.t, now_ns + 5 * IDLE_NS), 0);
    assert_int_equal(stream_table_ended(l.t), 3);
    stream_table_free(l.t);
}

static void a_connection_may_be_silent_for_longer(void **state)
{
    (void)state;
    static const char register_[] = "OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bKx\r\nFrom: <sip:a>;tag=1\r\n"
                                    "To: <sip:b>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    struct stream_options o = {.key = {1, 2}, .idle_ns = IDLE_NS, .tcp_idle_ns = 5 * IDLE_NS};
    struct sender s = sender_new(&o);
    struct endpoint a = at("10.0.0.1", 40000), b = at("10.0.0.2", 5060), web = at("10.0.0.3", 8443);
    struct endpoint other = at("10.0.0.4", 40000);
    const struct endpoint closed = other;
    assert_int_equal(stream_table_expire(s.t, 0), 0);
    send_tcp(&s, a, b, TCP_SYN, 1, "", 0);
    send_tcp(&s, a, b, TCP_ACK, 2, register_, sizeof register_ - 1);
    send_tcp(&s, a, web, TCP_SYN, 1, "", 0);
    send_tcp(&s, closed, web, TCP_SYN, 1, "", 0);
    send_tcp(&s, closed, web, TCP_FIN | TCP_ACK, 2, "", 0);
    send_tcp(&s, web, closed, TCP_FIN | TCP_ACK, 2, "", 0);
    assert_int_equal(s.t->flow_count, 3);
    assert_int_equal(stream_table_expire(s.t, 2 * IDLE_NS), 0);
    assert_int_equal(s.t->flow_count, 2); /* the closed one has left */
    assert_int_equal(stream_table_expire(s.t, 7 * IDLE_NS), 0);
    assert_int_equal(s.t->flow_count, 1); /* and what nothing is known of */
    assert_int_equal(stream_table_expire(s.t, 50 * IDLE_NS), 0);
    assert_int_equal(s.t->flow_count, 1); /* signalling waits for the next call */
    assert_int_equal(stream_table_expire(s.t, 70 * IDLE_NS), 0);
    assert_int_equal(s.t->flow_count, 0);
    stream_table_free(s.t);
}

static void in_a_small_table_nothing_ends(void **state)
{
    (void)state;
    struct stream_options o = {.key = {1, 2}, .idle_ns = IDLE_NS, .idle_from = 5};
    struct sender s = sender_new(&o);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(stream_table_expire(s.t, (int64_t)i * 10 * IDLE_NS), 0);
        assert_int_equal(s.t->stream_count, i);
        send_rtp(&s, at("10.0.0.1", (uint16_t)(4000 + i)), at("10.0.0.2", 5000), 46, i, 0, 1, 160, 160, (int64_t)i * 10 * IDLE_NS);
    }
    assert_int_equal(stream_table_expire(s.t, 50 * IDLE_NS), 0);
    assert_int_equal(stream_table_expire(s.t, 60 * IDLE_NS), 0);
    assert_int_equal(s.t->stream_count, 0);
    stream_table_free(s.t);
}

/* --- what calls are called ---------------------------------------------------------------------------------------- */

static void assert_ids_are_stable(const struct document *before, const struct document *after)
{
    size_t found = 0;
    for (size_t i = 0; i < before->record_count; i++)
        for (size_t k = 0; k < after->record_count; k++) {
            const struct record *x = &before->records[i], *y = &after->records[k];
            if (x->first.frame != y->first.frame || !x->call || !y->call)
                continue;
            found++;
            assert_string_equal(before->calls[x->call - 1].id, after->calls[y->call - 1].id);
        }
    assert_true(found > 20);
}

static void a_call_keeps_its_id_from_look_to_look(void **state)
{
    (void)state;
    struct live l = live_new(IDLE_NS);
    struct conference c = conference_of(&l, 30);
    int64_t now_ns = conference_run(&c);
    struct document *looks[3] = {document_new(), document_new(), document_new()};
    assert_int_equal(stream_table_export(l.t, looks[0]), 0);
    materialise(looks[0]);
    /* SIP calls come before sessions in the list: new ones move those that are there */
    struct sender s = {.t = l.t};
    send_voice(&s, at("10.9.0.1", 7000), at("10.9.0.2", 7000), 46, 99, 20);
    struct conference more = conference_of(&l, 40);
    (void)conference_run(&more);
    assert_int_equal(stream_table_expire(l.t, now_ns + 3 * IDLE_NS), 0);
    assert_int_equal(stream_table_export(l.t, looks[1]), 0);
    materialise(looks[1]);
    stream_table_forget(l.t, 20);
    assert_int_equal(stream_table_export(l.t, looks[2]), 0);
    materialise(looks[2]);
    assert_ids_are_stable(looks[0], looks[1]);
    assert_ids_are_stable(looks[1], looks[2]);
    for (size_t i = 0; i < 3; i++) {
        for (size_t x = 0; x < looks[i]->call_count; x++)
            for (size_t y = 0; y < x; y++)
                assert_string_not_equal(looks[i]->calls[x].id, looks[i]->calls[y].id);
        document_free(looks[i]);
    }
    stream_table_free(l.t);
}

/* --- floods ------------------------------------------------------------------------------------------------------- */

static void a_flood_pushes_out_no_running_call(void **state)
{
    (void)state;
    enum { RUNNING = 50, CAP = 2000, FLOOD = 100000 };
    struct stream_options o = {.key = {1, 2}, .idle_ns = 60 * NS_PER_S, .max_streams = CAP, .max_ended = FLOOD};
    struct sender s = sender_new(&o);
    static const uint8_t noise[] = "neither RTP nor anything else";
    for (uint32_t i = 0; i < FLOOD; i++) {
        int64_t now_ns = (int64_t)i * MS / 5;
        struct endpoint flood = {.addr = {.version = 4, .bytes = {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}},
                                 .port = 1000};
        send_udp(&s, flood, at("10.0.9.9", 5000), 0, noise, sizeof noise, now_ns);
        if (i % 100)
            continue;
        for (uint32_t call = 0; call < RUNNING; call++)
            send_rtp(&s, (struct endpoint){.addr = {.version = 4, .bytes = {10, 0, 0, (uint8_t)call}}, .port = 4000},
                     at("10.0.9.9", 5000), 46, call, 0, (uint16_t)(i / 100), 160 * (i / 100), 160, now_ns);
        assert_in_range(s.t->stream_count, 1, CAP);
    }
    assert_true(stream_table_stats(s.t).evicted > FLOOD / 2);
    assert_int_equal(stream_table_stats(s.t).untracked_packets > s.fed / 100, false);
    struct document *d = document_new();
    stream_table_finish(s.t);
    assert_int_equal(stream_table_export(s.t, d), 0);
    materialise(d);
    uint64_t packets = 0, voice = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        packets += d->records[i].packets;
        if (d->records[i].kind != KIND_RTP_AUDIO)
            continue;
        voice++;
        assert_int_equal(d->records[i].packets, FLOOD / 100); /* in one piece */
    }
    assert_int_equal(voice, RUNNING);
    assert_int_equal(packets + stream_table_stats(s.t).untracked_packets, s.fed);
    document_free(d);
    stream_table_free(s.t);
}

static void beyond_the_cap_on_ended_streams_packets_count_and_nothing_fails(void **state)
{
    (void)state;
    enum { FLOWS = 5, KEPT = 2 };
    struct stream_options o = {.key = {1, 2}, .idle_ns = IDLE_NS, .max_ended = KEPT};
    struct sender s = sender_new(&o);
    static const uint8_t noise[] = "neither RTP nor anything else";
    for (uint16_t i = 0; i < FLOWS; i++)
        send_udp(&s, at("10.0.0.1", (uint16_t)(4000 + i)), at("10.0.9.9", 5000), 0, noise, sizeof noise, 0);
    assert_int_equal(stream_table_expire(s.t, 0), 0);
    assert_int_equal(stream_table_expire(s.t, 10 * IDLE_NS), 0);
    assert_int_equal(stream_table_ended(s.t), KEPT);
    assert_int_equal(stream_table_stats(s.t).untracked_packets, FLOWS - KEPT);
    assert_false(stream_table_stats(s.t).memory_failed);
    stream_table_free(s.t);
}

static void at_the_cap_running_calls_stay_and_what_is_new_is_counted(void **state)
{
    (void)state;
    enum { CAP = 200 };
    struct stream_options o = {.key = {1, 2}, .idle_ns = 60 * NS_PER_S, .max_streams = CAP};
    struct sender s = sender_new(&o);
    for (uint16_t i = 0; i < 20; i++)
        for (uint32_t call = 0; call < 2 * CAP; call++)
            send_rtp(&s, (struct endpoint){.addr = {.version = 4, .bytes = {10, 0, (uint8_t)(call >> 8), (uint8_t)call}}, .port = 4000},
                     at("10.0.9.9", 5000), 46, call, 0, i, 160u * i, 160, 20 * MS * i);
    uint64_t full = 0;
    struct document *d = document_new();
    stream_table_finish(s.t);
    assert_int_equal(stream_table_export(s.t, d), 0);
    materialise(d);
    uint64_t packets = stream_table_stats(s.t).untracked_packets;
    for (size_t i = 0; i < d->record_count; i++) {
        packets += d->records[i].packets;
        full += d->records[i].packets == 20;
    }
    assert_int_equal(packets, s.fed);
    assert_true(full > CAP * 3 / 4);
    document_free(d);
    stream_table_free(s.t);
}

/* --- two points --------------------------------------------------------------------------------------------------- */

static void the_same_5_tuple_at_two_points_is_two_flows(void **state)
{
    (void)state;
    struct stream_options o = {.key = {1, 2}, .by_input = true, .idle_ns = IDLE_NS};
    struct stream_table *t = stream_table_new(&o);
    assert_non_null(t);
    for (uint32_t i = 0; i < 60; i++) {
        uint8_t b[172] = {0x80, 0, 0, (uint8_t)i, 0, 0, (uint8_t)(160 * i >> 8), (uint8_t)(160 * i), 0, 0, 0, 5};
        struct packet p = {.frame = i + 1, .time_ns = 20 * MS * i, .ip_bytes = 200, .src = at("10.0.0.1", 4000), .dst = at("10.0.0.2", 5000),
                           .proto = PROTO_UDP, .tos = 0xb8, .layer_count = 1, .ports_known = true, .payload = b,
                           .payload_bytes = sizeof b, .payload_wire_bytes = sizeof b};
        for (uint32_t input = 0; input < 3; input++) {
            p.input = input;
            p.tos = input == 2 ? 0 : 0xb8;
            p.flow_hash = i % 2 ? stream_packet_hash(&o.key, &p) : 0;
            stream_table_packets(t, &p, 1);
        }
    }
    assert_int_equal(t->flow_count, 3);
    struct document *d = document_new();
    assert_int_equal(stream_table_export(t, d), 0);
    materialise(d);
    assert_int_equal(d->record_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(d->records[i].input, i);
        assert_int_equal(d->records[i].packets, 60);
        assert_int_equal(d->records[i].copies_differ, 0);
        assert_int_equal(d->records[i].src.addr.version, 4);
        assert_int_equal(d->records[i].kind, KIND_RTP_AUDIO);
    }
    document_free(d);
    assert_int_equal(stream_table_expire(t, 0), 0);
    assert_int_equal(stream_table_expire(t, 10 * IDLE_NS), 0);
    assert_int_equal(t->flow_count, 0);
    assert_int_equal(pool_used(&t->flow_wides), 0);
    stream_table_free(t);
}

/* --- tokens ------------------------------------------------------------------------------------------------------- */

static void tokens_lead_to_the_record_that_has_the_packet(void **state)
{
    (void)state;
    struct stream_options o = {.key = {1, 2}};
    struct stream_table *t = stream_table_new(&o);
    uint32_t tokens[3][30];
    struct document *d = document_new();
    assert_true(t && d);
    for (uint32_t i = 0; i < 30; i++) {
        struct packet p[3];
        uint8_t b[3][172] = {{0x80, 0, 0, (uint8_t)i, 0, 0, (uint8_t)(160 * i >> 8), (uint8_t)(160 * i), 0, 0, 0, 5},
                             {0x80, 0, (uint8_t)(i * 77), (uint8_t)(i * 31), 9, 9, 9, 9, 0, 0, 0, 6}, /* never RTP */
                             "something else"};
        for (uint32_t k = 0; k < 3; k++)
            p[k] = (struct packet){.frame = 3 * i + k + 1, .time_ns = 20 * MS * i, .ip_bytes = 200, .src = at("10.0.0.1", k == 2 ? 4002 : 4000), .dst = at("10.0.0.2", k == 1 ? 5002 : 5000),
                                   .proto = PROTO_UDP, .tos = 0xb8, .layer_count = 1, .ports_known = true, .payload = b[k],
                                   .payload_bytes = sizeof b[k], .payload_wire_bytes = sizeof b[k]};
        uint32_t got[3];
        stream_table_packets_to(t, p, 3, got);
        for (uint32_t k = 0; k < 3; k++)
            tokens[k][i] = got[k];
    }
    assert_int_equal(stream_table_export(t, d), 0);
    for (uint32_t k = 0; k < 3; k++)
        for (uint32_t i = 0; i < 30; i++) {
            struct record_scratch s = {0};
            size_t at_ = stream_table_record(t, d, tokens[k][i]);
            assert_true(at_ < d->record_count);
            const struct record *r = document_record(d, at_, RECORD_PLAIN, &s);
            assert_int_equal(r->packets, 30);
            assert_int_equal(r->first.frame, k + 1);
            assert_int_equal(r->kind, k == 0 ? KIND_RTP_AUDIO : KIND_OTHER);
            record_scratch_done(&s);
        }
    assert_true(stream_table_record(t, d, STREAM_TOKEN_NONE) == SIZE_MAX);
    document_free(d);
    stream_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_come_and_go_take_the_memory_of_those_at_a_time),
        cmocka_unit_test(calls_that_are_over_are_forgotten_and_their_records_keep_their_texts),
        cmocka_unit_test(when_all_have_ended_the_table_is_empty),
        cmocka_unit_test(calls_that_ended_are_recorded_as_if_they_had_stayed),
        cmocka_unit_test(a_number_that_is_used_again_is_another_conversation),
        cmocka_unit_test(rtcp_stays_with_its_media_until_both_are_silent),
        cmocka_unit_test(a_connection_may_be_silent_for_longer),
        cmocka_unit_test(in_a_small_table_nothing_ends),
        cmocka_unit_test(a_call_keeps_its_id_from_look_to_look),
        cmocka_unit_test(a_flood_pushes_out_no_running_call),
        cmocka_unit_test(beyond_the_cap_on_ended_streams_packets_count_and_nothing_fails),
        cmocka_unit_test(at_the_cap_running_calls_stay_and_what_is_new_is_counted),
        cmocka_unit_test(the_same_5_tuple_at_two_points_is_two_flows),
        cmocka_unit_test(tokens_lead_to_the_record_that_has_the_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

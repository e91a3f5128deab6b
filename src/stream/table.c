#include "stream/table.h"

#include <stdlib.h>

#include "base/clock.h"
#include "stream/leave.h"
#include "stream/look.h"

enum {
    DEFAULT_MAX_STREAMS = 4000000,
    BATCH = 32,         /* packets whose flows and streams are brought near while others are taken */
    ENDED_FOR_A_STREAM = 4,
    MARGIN = 16,        /* streams that one packet may make, if it has many frames in it */
    MARGIN_PART = 64,   /* and at most so much of the cap */
    STREAMS_NEAR = 512, /* as many streams stay in a processor's cache by themselves */
    LINE_BYTES = 64,
};

#define DEFAULT_TCP_IDLE_NS (600 * NS_PER_S)

struct stream_table *stream_table_new(const struct stream_options *options)
{
    struct stream_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->options = *options;
    if (t->options.max_streams == 0)
        t->options.max_streams = DEFAULT_MAX_STREAMS;
    if (t->options.max_ended == 0)
        t->options.max_ended = t->options.max_streams * ENDED_FOR_A_STREAM;
    t->margin = t->options.max_streams / MARGIN_PART < MARGIN ? t->options.max_streams / MARGIN_PART : MARGIN;
    if (t->options.tcp_idle_ns == 0)
        t->options.tcp_idle_ns = DEFAULT_TCP_IDLE_NS;
    pool_init(&t->flows, sizeof(struct flow));
    pool_init(&t->streams, sizeof(struct stream));
    pool_init(&t->rtp_parts, sizeof(struct rtp_part));
    pool_init(&t->rtcp_parts, sizeof(struct rtcp_part));
    pool_init(&t->stream_mores, sizeof(struct stream_more));
    pool_init(&t->flow_mores, sizeof(struct flow_more));
    pool_init(&t->flow_wides, sizeof(struct flow_ends));
    t->expect = expect_table_new(&t->options.key);
    if (!t->expect) {
        stream_table_free(t);
        return NULL;
    }
    return t;
}

void stream_table_free(struct stream_table *t)
{
    if (!t)
        return;
    look_undo(t);
    for (uint32_t i = 0; i < t->streams.count && t->stream_mores.count; i++)
        if (stream_at(t, i)->family != FAMILY_FREE)
            stream_more_done(t, stream_at(t, i));
    for (uint32_t i = 0; i < t->flows.count && t->flow_mores.count; i++) {
        struct flow *f = flow_at(t, i);
        if (f->free)
            continue;
        flow_tcp_free(t, f);
        free(flow_protocol(t, f));
    }
    slots_done(&t->flow_slots);
    slots_done(&t->stream_slots);
    pool_done(&t->flows);
    pool_done(&t->streams);
    pool_done(&t->rtp_parts);
    pool_done(&t->rtcp_parts);
    pool_done(&t->stream_mores);
    pool_done(&t->flow_mores);
    pool_done(&t->flow_wides);
    expect_table_free(t->expect);
    ended_done(&t->ended);
    free(t->newest.record_of);
    free(t);
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

/* The stream that it counted to; NULL where there is none. */
static struct stream *take(struct stream_table *t, const struct packet *p, const struct flow_key *k)
{
    struct flow *f = flow_get(t, k);
    uint8_t side = k->side;
    if (!f) {
        stream_untracked(t, p);
        return NULL;
    }
    if (f->initiator < 0)
        f->initiator = (int8_t)side;
    struct stream *s = NULL;
    if (p->proto == PROTO_UDP && p->ports_known)
        s = flow_udp(t, f, side, p);
    else if (p->proto == PROTO_TCP && p->ports_known)
        s = flow_tcp(t, f, side, p);
    if (!s)
        s = stream_plain(t, f, side);
    if (!s) {
        stream_untracked(t, p);
        return NULL;
    }
    f->last[side] = stream_number(s) + 1;
    t->arrivals++;
    stream_count(t, s, p);
    return s;
}

static void key_of(const struct stream_table *t, const struct packet *p, struct flow_key *ret)
{
    flow_key_make(ret, p->proto, &p->src, &p->dst);
    ret->hash = p->flow_hash ? p->flow_hash : flow_key_hash(&t->options.key, ret);
    if (t->options.by_input && p->input)
        flow_key_place(ret, p->input);
}

static void bring_near(const void *at, size_t bytes)
{
    const char *line = at;
    for (size_t i = 0; i < bytes; i += LINE_BYTES)
        __builtin_prefetch(line + i);
    __builtin_prefetch(line + bytes - 1);
}

/*
 * Each step asks for what the next one reads, and does so for all packets of the batch before it goes on: so memory
 * answers for many at a time. What is guessed wrong here is only slower: take() looks again.
 */
static void bring_streams_near(const struct stream_table *t, struct flow_key *keys, size_t n)
{
    const struct flow *flows[BATCH];
    const struct stream *streams[BATCH];
    for (size_t i = 0; i < n; i++) {
        flows[i] = flow_guess(t, &keys[i]);
        if (flows[i])
            bring_near(flows[i], sizeof *flows[i]);
    }
    for (size_t i = 0; i < n; i++) {
        streams[i] = flows[i] ? stream_referred(t, flows[i]->last[keys[i].side]) : NULL;
        if (streams[i])
            bring_near(streams[i], sizeof *streams[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (streams[i] && streams[i]->family == FAMILY_RTP)
            bring_near(stream_rtp(t, streams[i]), sizeof(struct rtp_part));
}

/* In one place alone: then all that a packet goes through is one function. */
static void take_all(struct stream_table *t, const struct packet *packets, size_t n, uint32_t *tokens)
{
    if (t->look)
        look_undo(t);
    while (n > 0) {
        struct flow_key keys[BATCH];
        size_t count = n < BATCH ? n : BATCH;
        for (size_t i = 0; i < count; i++) {
            key_of(t, &packets[i], &keys[i]);
            slots_prefetch(&t->flow_slots, (uint32_t)keys[i].hash);
        }
        if (t->stream_count > STREAMS_NEAR)
            bring_streams_near(t, keys, count);
        for (size_t i = 0; i < count; i++) {
            if (t->full)
                stream_make_room(t, packets[i].time_ns);
            const struct stream *s = take(t, &packets[i], &keys[i]);
            if (tokens)
                *tokens++ = s ? stream_number(s) : STREAM_TOKEN_NONE;
        }
        packets += count;
        n -= count;
    }
}

void stream_table_packet(struct stream_table *t, const struct packet *p)
{
    take_all(t, p, 1, NULL);
}

void stream_table_packets(struct stream_table *t, const struct packet *packets, size_t n)
{
    take_all(t, packets, n, NULL);
}

void stream_table_packets_to(struct stream_table *t, const struct packet *packets, size_t n, uint32_t *ret_tokens)
{
    t->tokens = true;
    take_all(t, packets, n, ret_tokens);
}

void stream_table_finish(struct stream_table *t)
{
    struct scope scope;
    look_undo(t);
    t->finishing = true;
    for (uint32_t i = 0; i < t->flows.count && t->flow_mores.count; i++)
        if (!flow_at(t, i)->free)
            flow_tcp_flush(t, flow_at(t, i));
    if (scope_all(t, &scope))
        stream_settle(t, &scope);
    else
        t->memory_failed = true;
    free(scope.at);
}

#define ALL_POOLS(t)                                                                                                   \
    {&(t)->flows, &(t)->streams, &(t)->rtp_parts, &(t)->rtcp_parts, &(t)->stream_mores, &(t)->flow_mores, &(t)->flow_wides}
#define ALL_SLOTS(t) {&(t)->flow_slots, &(t)->stream_slots}

static bool memory_failed(const struct stream_table *t)
{
    const struct pool *pools[] = ALL_POOLS(t);
    const struct slots *slots[] = ALL_SLOTS(t);
    bool failed = t->memory_failed || t->tcp_pool.failed;
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        failed = failed || pools[i]->failed;
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        failed = failed || slots[i]->failed;
    return failed;
}

static size_t bytes_of(const struct stream_table *t)
{
    const struct pool *pools[] = ALL_POOLS(t);
    const struct slots *slots[] = ALL_SLOTS(t);
    size_t bytes = sizeof *t + ended_bytes(&t->ended) + expect_table_bytes(t->expect) + t->tcp_pool.held_bytes;
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++)
        bytes += (size_t)pools[i]->count * pools[i]->item_bytes;
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        bytes += slots[i]->at ? ((size_t)slots[i]->mask + 1) * sizeof(struct slot) : 0;
    return bytes;
}

void stream_table_trim(struct stream_table *t)
{
    slots_done(&t->flow_slots);
    slots_done(&t->stream_slots);
}

struct stream_stats stream_table_stats(const struct stream_table *t)
{
    struct stream_stats stats = t->stats;
    stats.flows = t->flow_count;
    stats.streams = t->stream_count;
    stats.bytes = bytes_of(t);
    stats.sdp_unanswered += t->newest.unanswered;
    stats.tcp_overflows = t->tcp_pool.overflows;
    struct expect_stats expect = expect_table_stats(t->expect);
    stats.sip_untracked = expect.dropped_calls + expect.forgotten_calls + expect.dropped_media;
    stats.memory_failed = memory_failed(t) || expect.failed;
    return stats;
}

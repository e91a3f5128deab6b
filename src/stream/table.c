#include "stream/table.h"

#include <stdlib.h>

#include "stream/flow.h"

enum {
    DEFAULT_MAX_STREAMS = 4000000,
    BATCH = 32,         /* packets whose flows and streams are brought near while others are taken */
    STREAMS_NEAR = 512, /* as many streams stay in a processor's cache by themselves */
    LINE_BYTES = 64,
};

struct stream_table *stream_table_new(const struct stream_options *options)
{
    struct stream_table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->options = *options;
    if (t->options.max_streams == 0)
        t->options.max_streams = DEFAULT_MAX_STREAMS;
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
    for (uint32_t i = 0; i < t->stream_count && t->stream_mores.count; i++)
        stream_more_done(t, stream_at(t, i));
    for (uint32_t i = 0; i < t->flow_count && t->flow_mores.count; i++) {
        struct flow *f = flow_at(t, i);
        flow_tcp_free(t, f);
        free(flow_service(t, f));
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
    free(t);
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

static void take(struct stream_table *t, const struct packet *p, const struct flow_key *k)
{
    struct flow *f = flow_get(t, k);
    uint8_t side = k->side;
    if (!f) {
        stream_untracked(t, p);
        return;
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
        return;
    }
    f->last[side] = stream_number(s) + 1;
    t->arrivals++;
    stream_count(t, s, p);
}

static void key_of(const struct stream_table *t, const struct packet *p, struct flow_key *ret)
{
    flow_key_make(ret, p->proto, &p->src, &p->dst);
    ret->hash = p->flow_hash ? p->flow_hash : flow_key_hash(&t->options.key, ret);
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

void stream_table_packet(struct stream_table *t, const struct packet *p)
{
    struct flow_key k;
    key_of(t, p, &k);
    take(t, p, &k);
}

void stream_table_packets(struct stream_table *t, const struct packet *packets, size_t n)
{
    while (n > 0) {
        struct flow_key keys[BATCH];
        size_t count = n < BATCH ? n : BATCH;
        for (size_t i = 0; i < count; i++) {
            key_of(t, &packets[i], &keys[i]);
            slots_prefetch(&t->flow_slots, (uint32_t)keys[i].hash);
        }
        if (t->stream_count > STREAMS_NEAR)
            bring_streams_near(t, keys, count);
        for (size_t i = 0; i < count; i++)
            take(t, &packets[i], &keys[i]);
        packets += count;
        n -= count;
    }
}

void stream_table_finish(struct stream_table *t)
{
    t->finishing = true;
    for (uint32_t i = 0; i < t->flow_count && t->flow_mores.count; i++)
        flow_tcp_flush(t, flow_at(t, i));
    stream_settle(t);
}

struct stream_stats stream_table_stats(const struct stream_table *t)
{
    struct stream_stats stats = t->stats;
    stats.flows = t->flow_count;
    stats.streams = t->stream_count;
    stats.tcp_overflows = t->tcp_pool.overflows;
    struct expect_stats expect = expect_table_stats(t->expect);
    stats.sip_untracked = expect.dropped_calls + expect.dropped_media;
    return stats;
}

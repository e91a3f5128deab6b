#include <stdlib.h>
#include <string.h>

#include "generate/internal.h"

/*
 * Many streams of RTP, two by two: a host and the node, each sending to the other, G.711 by default. A round lasts 20
 * ms and has one packet of each stream, evenly spread. For each packet a header is copied and a few bytes of it are
 * set: the payload is the same in all, so its sum is known.
 */
enum {
    RTP_BYTES = 12,
    PCMU = 0,
    TICKS = 160,
    STREAMS_MAX = 4000000,
    PACKETS_MAX = 100000000,
    SIZE_MAX_BYTES = 1400,
    PORTS_A_HOST = 100,
    PORT_FROM = 16384,
    NODE_PORT_FROM = 32768,
    NODE_PORTS = 16000,
};

#define ROUND_NS (20 * NS_PER_MS)

struct bulk_stream {
    struct generate_header header;
    uint32_t first_timestamp;
    uint16_t first_sequence;
};

struct bulk {
    uint32_t next, round; /* stream, packet */
    uint32_t noise_sum;
    struct bulk_stream *streams;
    struct generate_mark *marks;
    uint8_t payload[RTP_BYTES + SIZE_MAX_BYTES];
    uint8_t frame[GENERATE_FRAME_MAX];
};

static int check(struct generator *g)
{
    const struct generate_bulk *b = &g->options.bulk;
    if (b->streams > STREAMS_MAX)
        return error_set(g->error, ERR_USAGE, "--streams is at most %d", STREAMS_MAX);
    if (b->packets == 0 || b->packets > PACKETS_MAX)
        return error_set(g->error, ERR_USAGE, "--packets is a number from 1 to %d", PACKETS_MAX);
    if (b->size == 0 || b->size > SIZE_MAX_BYTES)
        return error_set(g->error, ERR_USAGE, "--size is from 1 to %d bytes of RTP payload", SIZE_MAX_BYTES);
    return 0;
}

/* 10.64.0.0/10 and a /48 of its own: as many hosts as it takes. */
static struct addr host_of(uint32_t pair, uint8_t version)
{
    uint32_t host = pair / PORTS_A_HOST + 1;
    const uint8_t v4[4] = {10, (uint8_t)(64 | (host >> 16 & 63)), (uint8_t)(host >> 8), (uint8_t)host};
    const uint8_t v6[16] = {0x20,
                            0x01,
                            0x0d,
                            0xb8,
                            0x00,
                            0x64,
                            [12] = (uint8_t)(host >> 24),
                            (uint8_t)(host >> 16),
                            (uint8_t)(host >> 8),
                            (uint8_t)host};
    return version == 4 ? addr_v4(v4) : addr_v6(v6);
}

static int add_stream(struct generator *g, uint32_t number)
{
    const struct generate_options *o = &g->options;
    struct bulk *b = g->bulk;
    struct generate_stream *s = &g->streams[number];
    struct bulk_stream *state = &b->streams[number];
    uint32_t pair = number / 2, node = pair % (uint32_t)o->node_count;
    bool from_node = number % 2, v6 = o->ip == GENERATE_IPV6 || (o->ip == GENERATE_MIXED && pair % 2);
    struct endpoint host = {host_of(pair, v6 ? 6 : 4), (uint16_t)(PORT_FROM + 2 * (pair % PORTS_A_HOST))};
    struct endpoint server = {o->nodes[node].addr[v6], (uint16_t)(NODE_PORT_FROM + 2 * (pair % NODE_PORTS))};
    if (server.addr.version == 0)
        return error_set(g->error, ERR_USAGE, "the node %s has no IPv%d address", o->nodes[node].name, v6 ? 6 : 4);
    *s = (struct generate_stream){.src = from_node ? server : host,
                                  .dst = from_node ? host : server,
                                  .proto = PROTO_UDP,
                                  .has_ssrc = true,
                                  .payload_type = PCMU,
                                  .ssrc = (uint32_t)generate_random_next(&g->random),
                                  .codec = "PCMU/8000",
                                  .kind = KIND_RTP_AUDIO,
                                  .direction = from_node ? DIRECTION_FROM_NODE : DIRECTION_TO_NODE,
                                  .node = node,
                                  .site = GENERATE_NONE,
                                  .call = GENERATE_NONE,
                                  .participant = GENERATE_NONE,
                                  .marks = &b->marks[number]};
    s->traffic_class = o->marks->class_of[KIND_RTP_AUDIO][0];
    s->mark = o->marks->of[KIND_RTP_AUDIO][v6][s->direction][0];
    state->first_timestamp = (uint32_t)generate_random_next(&g->random);
    state->first_sequence = (uint16_t)generate_random_next(&g->random);
    return generate_frames_header(g->frames, &s->src, &s->dst, PROTO_UDP, GENERATE_NO_TUNNEL, NULL, NULL,
                                  &state->header, g->error);
}

int bulk_new(struct generator *g)
{
    int r = check(g);
    if (r < 0)
        return r;
    size_t n = g->options.bulk.streams;
    g->bulk = arena_alloc(&g->arena, sizeof *g->bulk);
    g->streams = calloc(n, sizeof *g->streams);
    if (!g->bulk || !g->streams)
        return ERR_MEMORY;
    g->bulk->streams = arena_alloc(&g->arena, n * sizeof *g->bulk->streams);
    g->bulk->marks = arena_alloc(&g->arena, n * sizeof *g->bulk->marks);
    if (!g->bulk->streams || !g->bulk->marks)
        return ERR_MEMORY;
    for (uint32_t i = 0; r == 0 && i < n; i++)
        r = add_stream(g, i);
    g->stream_count = n;
    memcpy(g->bulk->payload + RTP_BYTES, g->noise, g->options.bulk.size);
    g->bulk->noise_sum = generate_sum(g->noise, g->options.bulk.size);
    return r;
}

static void put32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_rtp(const struct generate_stream *s, const struct bulk_stream *state, uint32_t round, uint8_t *to)
{
    uint16_t sequence = (uint16_t)(state->first_sequence + round);
    to[0] = 0x80;
    to[1] = (uint8_t)(PCMU | (round == 0 ? 0x80 : 0));
    to[2] = (uint8_t)(sequence >> 8);
    to[3] = (uint8_t)sequence;
    put32(to + 4, state->first_timestamp + TICKS * round);
    put32(to + 8, s->ssrc);
}

int bulk_next(struct generator *g, struct generated *ret)
{
    struct bulk *b = g->bulk;
    const struct generate_options *o = &g->options;
    if (b->round == o->bulk.packets)
        return 0;
    uint32_t number = b->next, round = b->round;
    struct generate_stream *s = &g->streams[number];
    const struct bulk_stream *state = &b->streams[number];
    const struct generate_fields fields = {
        .tos = dscp_tos(s->mark), .ip_id = (uint16_t)(state->first_sequence + round), .pcp = s->mark >> 3};
    size_t payload = RTP_BYTES + o->bulk.size;
    put_rtp(s, state, round, b->payload);
    size_t len = generate_frame_write(&state->header, &fields, b->payload, payload,
                                      b->noise_sum + generate_sum(b->payload, RTP_BYTES), b->frame);
    int64_t time_ns =
        o->start_ns + (int64_t)round * ROUND_NS + (int64_t)((uint64_t)number * ROUND_NS / o->bulk.streams);
    if (++b->next == o->bulk.streams) {
        b->next = 0;
        b->round++;
    }
    g->frame_number++;
    if (s->packets++ == 0) {
        s->first_ns = time_ns;
        s->marks[0] = (struct generate_mark){.dscp = s->mark, .first_frame = g->frame_number};
        s->mark_count = 1;
    }
    s->marks[0].packets++;
    s->bytes += len - state->header.ip_at;
    s->last_ns = time_ns;
    *ret = (struct generated){.frame = {.bytes = b->frame,
                                        .captured_bytes = (uint32_t)len,
                                        .wire_bytes = (uint32_t)len,
                                        .time_ns = time_ns,
                                        .number = g->frame_number,
                                        .link_type = o->link_type},
                              .stream = number,
                              .tos = fields.tos,
                              .payload = b->frame + state->header.len,
                              .payload_len = payload};
    return 1;
}

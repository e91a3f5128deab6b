#ifndef QOSMARK_TESTS_STREAM_TRAFFIC_H
#define QOSMARK_TESTS_STREAM_TRAFFIC_H

/* Packets by hand, fed to a stream table, and the records that come out. Include after testing.h. */
#include "materialise.h"
#include "stream/table.h"

#define MS 1000000LL

struct sender {
    struct stream_table *t;
    uint64_t frame;
    uint64_t fed;
};

static inline struct endpoint at(const char *addr, uint16_t port)
{
    struct endpoint e = {.port = port};
    assert_true(addr_parse(slice_make(addr, strlen(addr)), &e.addr));
    return e;
}

static inline struct packet packet_of(struct sender *s, uint8_t proto, struct endpoint src, struct endpoint dst, dscp_t dscp, const void *payload,
                               size_t len, int64_t time_ns)
{
    return (struct packet){.frame = ++s->frame, .time_ns = time_ns, .ip_bytes = (uint32_t)len + 28, .src = src, .dst = dst, .proto = proto,
                           .tos = dscp_tos(dscp), .layer_count = 1, .ports_known = true, .payload = payload, .payload_bytes = (uint32_t)len,
                           .payload_wire_bytes = (uint32_t)len};
}

static inline void send_udp(struct sender *s, struct endpoint src, struct endpoint dst, dscp_t dscp, const void *payload, size_t len, int64_t time_ns)
{
    struct packet p = packet_of(s, PROTO_UDP, src, dst, dscp, payload, len, time_ns);
    stream_table_packet(s->t, &p);
    s->fed++;
}

static inline void send_tcp(struct sender *s, struct endpoint src, struct endpoint dst, uint8_t flags, uint32_t seq, const char *text, size_t len)
{
    struct packet p = packet_of(s, PROTO_TCP, src, dst, 26, text, len, (int64_t)s->frame * MS);
    p.tcp_flags = flags;
    p.tcp_seq = seq;
    stream_table_packet(s->t, &p);
    s->fed++;
}

/* RFC 3550 §5.1: V=2, no padding, extension or CSRC. */
static inline void send_rtp(struct sender *s, struct endpoint src, struct endpoint dst, dscp_t dscp, uint32_t ssrc, uint8_t payload_type,
                     uint16_t sequence, uint32_t timestamp, size_t payload, int64_t time_ns)
{
    uint8_t bytes[1500] = {0x80, payload_type, (uint8_t)(sequence >> 8), (uint8_t)sequence, (uint8_t)(timestamp >> 24),
                           (uint8_t)(timestamp >> 16), (uint8_t)(timestamp >> 8), (uint8_t)timestamp, (uint8_t)(ssrc >> 24),
                           (uint8_t)(ssrc >> 16), (uint8_t)(ssrc >> 8), (uint8_t)ssrc};
    memset(bytes + 12, 0x55, payload);
    send_udp(s, src, dst, dscp, bytes, 12 + payload, time_ns);
}

static inline void send_voice(struct sender *s, struct endpoint src, struct endpoint dst, dscp_t dscp, uint32_t ssrc, unsigned packets)
{
    for (unsigned i = 0; i < packets; i++)
        send_rtp(s, src, dst, dscp, ssrc, 0, (uint16_t)(1000 + i), 5000 + 160 * i, 160, 20 * MS * i);
}

static inline struct sender sender_new(const struct stream_options *options)
{
    struct stream_options o = options ? *options : (struct stream_options){.key = {1, 2}};
    struct sender s = {.t = stream_table_new(&o)};
    assert_non_null(s.t);
    return s;
}

/* Finishes, exports, and checks what always holds: each packet is in exactly one record, each mark in exactly one count. */
static inline struct document *sender_finish(struct sender *s)
{
    struct document *d = document_new();
    uint64_t packets = 0;
    assert_non_null(d);
    stream_table_finish(s->t);
    assert_int_equal(stream_table_export(s->t, d), 0);
    assert_true(document_link_calls(d));
    materialise(d);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        uint64_t marked = 0;
        for (uint32_t m = 0; m < r->mark_count; m++)
            marked += r->marks[m].packets;
        assert_int_equal(marked, r->packets);
        assert_int_equal(r->ecn[0] + r->ecn[1] + r->ecn[2] + r->ecn[3], r->packets);
        packets += r->packets;
    }
    assert_int_equal(packets + stream_table_stats(s->t).untracked_packets, s->fed);
    stream_table_free(s->t);
    return d;
}

static inline const struct record *record_with(const struct document *d, enum kind kind, uint32_t ssrc)
{
    for (size_t i = 0; i < d->record_count; i++)
        if (d->records[i].kind == kind && d->records[i].ssrc == ssrc)
            return &d->records[i];
    return NULL;
}

#endif

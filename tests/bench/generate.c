/*
 * Captures for measuring, the same bytes whenever and wherever they are made:
 *
 *     generate KIND PACKETS STREAMS FILE
 *
 *     rtp      one-way RTP over UDP, IPv4, 700 bytes of it a packet
 *     ipv6     the same over IPv6
 *     voice    the same with 172 bytes of payload: G.711, 20 ms
 *     wrong    voice without marks, each stream between two hosts of their own that have no neighbours
 *     queries  names asked for by such hosts, with a priority mark
 *     noise    what nobody knows between such hosts, with a priority mark
 *     mixture  calls set up by SIP over UDP and over TCP (segments out of order and sent twice), voice, video, RTCP,
 *              STUN and DTLS on the media ports, web traffic, DNS, fragments, VLAN tags, ARP
 *
 * A FILE that ends in .pcapng is written as that. Each stream has a 5-tuple of its own and a packet in every 20 ms; one
 * stream in 50 is not marked, one in 100 loses its mark in the middle. Needs nothing but the C library.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 2048, WRITE_BYTES = 1 << 20, START_S = 1700000000, TICK_US = 20000 };

static FILE *out;
static bool ng;
static uint64_t written; /* packets */
static uint64_t wanted;
static uint64_t now_us;
static uint8_t frame[FRAME_MAX];
static size_t len;
static uint8_t noise[4096 + FRAME_MAX];

/* ---- bytes ---- */

static void put(const void *bytes, size_t n)
{
    memcpy(frame + len, bytes, n);
    len += n;
}

static void put8(unsigned v)
{
    frame[len++] = (uint8_t)v;
}

static void put16(unsigned v)
{
    put8(v >> 8);
    put8(v & 255);
}

static void put32(uint32_t v)
{
    put16(v >> 16);
    put16(v & 0xffff);
}

static void put_noise(size_t n, uint32_t from)
{
    put(noise + from % 4096, n);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* ---- files: little endian, microseconds ---- */

static void write32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

static void write_out(const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, out) != n) {
        perror("generate");
        exit(1);
    }
}

static void file_begin(void)
{
    static const uint8_t pcap[] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0};
    static const uint8_t pcapng[] = {0x0a, 0x0d, 0x0d, 0x0a, 28,   0,    0,    0,    0x4d, 0x3c, 0x2b, 0x1a,
                                     1,    0,    0,    0,    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     28,   0,    0,    0,    1,    0,    0,    0,    20,   0,    0,    0,
                                     1,    0,    0,    0,    0,    0,    4,    0,    20,   0,    0,    0};
    write_out(ng ? pcapng : pcap, ng ? sizeof pcapng : sizeof pcap);
}

static void frame_write(void)
{
    uint8_t header[28];
    uint32_t n = (uint32_t)len, padded = (n + 3) & ~3u;
    if (ng) {
        uint64_t us = (uint64_t)START_S * 1000000 + now_us;
        write32(header, 6);
        write32(header + 4, 32 + padded);
        write32(header + 8, 0);
        write32(header + 12, (uint32_t)(us >> 32));
        write32(header + 16, (uint32_t)us);
        write32(header + 20, n);
        write32(header + 24, n);
        memset(frame + len, 0, 4);
        write32(frame + padded, 32 + padded);
        write_out(header, 28);
        write_out(frame, padded + 4);
    } else {
        write32(header, START_S + (uint32_t)(now_us / 1000000));
        write32(header + 4, (uint32_t)(now_us % 1000000));
        write32(header + 8, n);
        write32(header + 12, n);
        write_out(header, 16);
        write_out(frame, n);
    }
    written++;
}

/* ---- headers ---- */

struct end {
    uint32_t addr;
    uint16_t port;
};

static void ethernet(unsigned vlan, unsigned type)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    len = 0;
    put(macs, sizeof macs);
    if (vlan) {
        put16(0x8100);
        put16(5u << 13 | vlan);
    }
    put16(type);
}

static void ip4(unsigned proto, unsigned tos, unsigned id, unsigned fragment, uint32_t src, uint32_t dst,
                size_t payload)
{
    size_t at = len;
    put16(0x4500 | tos);
    put16((unsigned)(20 + payload));
    put16(id & 0xffff);
    put16(fragment);
    put16(64u << 8 | proto);
    put16(0);
    put32(src);
    put32(dst);
    uint32_t sum = 0;
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)frame[at + i] << 8 | frame[at + i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[at + 10] = (uint8_t)(sum >> 8);
    frame[at + 11] = (uint8_t)sum;
}

static void ip6(unsigned proto, unsigned tos, uint32_t src, uint32_t dst, size_t payload)
{
    static const uint8_t prefix[8] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2};
    put32(6u << 28 | (uint32_t)tos << 20);
    put16((unsigned)payload);
    put16(proto << 8 | 64);
    put(prefix, 8);
    put32(0);
    put32(src);
    put(prefix, 8);
    put32(1);
    put32(dst);
}

static void udp(const struct end *src, const struct end *dst, size_t payload)
{
    put16(src->port);
    put16(dst->port);
    put16((unsigned)(8 + payload));
    put16(0);
}

static void udp4(const struct end *src, const struct end *dst, unsigned tos, size_t payload)
{
    ethernet(0, 0x0800);
    ip4(17, tos, (unsigned)written, 0, src->addr, dst->addr, 8 + payload);
    udp(src, dst, payload);
}

static void rtp(unsigned type, bool marker, uint32_t seq, uint32_t timestamp, uint32_t ssrc, size_t payload)
{
    put16(0x8000 | (unsigned)marker << 7 | type);
    put16(seq & 0xffff);
    put32(timestamp);
    put32(ssrc);
    put_noise(payload, ssrc + seq);
}

/* ---- streams of RTP and nothing else ---- */

struct shape {
    const char *name;
    unsigned payload, type;
    bool v6;
    bool strange; /* every host has a /24 of its own, and no mark */
};

static void strangers(uint32_t i, struct end *src, struct end *dst)
{
    src->addr = 0x10000001 + (i << 8);
    dst->addr = 0x50000001 + (i << 8);
}

static void rtp_only(const struct shape *shape, uint32_t streams)
{
    for (uint32_t tick = 0; written < wanted; tick++)
        for (uint32_t i = 0; i < streams && written < wanted; i++) {
            struct end src = {0x0a000000 + i, (uint16_t)(20000 + i % 1000 * 2)};
            struct end dst = {0x0b000000 + i * 7 % 100000, (uint16_t)(30000 + i % 500 * 2)};
            bool bare = shape->strange || i % 50 == 49 || (i % 100 == 7 && written > wanted / 2);
            unsigned tos = bare ? 0 : 46 << 2;
            if (shape->strange)
                strangers(i, &src, &dst);
            now_us = (uint64_t)tick * TICK_US + (uint64_t)i * TICK_US / streams;
            if (shape->v6) {
                ethernet(0, 0x86dd);
                ip6(17, tos, src.addr, dst.addr, 20 + shape->payload);
                udp(&src, &dst, 12 + shape->payload);
            } else {
                udp4(&src, &dst, tos, 12 + shape->payload);
            }
            rtp(shape->type, false, tick, tick * 960, i * 2654435761u, shape->payload);
            frame_write();
        }
}

/* ---- what has no right to its mark ---- */

static void dns_query(uint32_t id)
{
    put16(id & 0xffff);
    put32(0x01000001);
    put32(0);
    put16(0);
    put("\7example\3com\0\0\1\0\1", 17);
}

static void unentitled(uint32_t flows, bool queries)
{
    for (uint32_t tick = 0; written < wanted; tick++)
        for (uint32_t i = 0; i < flows && written < wanted; i++) {
            struct end src = {0, (uint16_t)(20000 + i % 40000)}, dst = {0, queries ? 53 : 7000};
            strangers(i, &src, &dst);
            now_us = (uint64_t)tick * TICK_US + (uint64_t)i * TICK_US / flows;
            udp4(&src, &dst, 46 << 2, 29);
            if (queries)
                dns_query(i);
            else
                put_noise(29, i);
            frame_write();
        }
}

/* ---- a mixture ---- */

struct call {
    struct end phone, server; /* signalling */
    uint16_t media[2];        /* ports of voice and video at both ends */
    bool over_tcp;
    uint32_t seq[2]; /* TCP */
};

static char text[3000];

static int sdp(char *to, size_t size, const struct call *c, uint32_t addr)
{
    return snprintf(to, size,
                    "v=0\r\no=- 1 1 IN IP4 %u.%u.%u.%u\r\ns=-\r\nc=IN IP4 %u.%u.%u.%u\r\nt=0 0\r\n"
                    "m=audio %u RTP/AVP 111 0\r\na=rtpmap:111 opus/48000/2\r\n"
                    "m=video %u RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
                    addr >> 24, addr >> 16 & 255, addr >> 8 & 255, addr & 255, addr >> 24, addr >> 16 & 255,
                    addr >> 8 & 255, addr & 255, c->media[0], c->media[1]);
}

/* The three messages of a call. */
static size_t sip_message(const struct call *c, uint32_t number, int which)
{
    static const char *const starts[] = {"INVITE sip:room@conf.example.com SIP/2.0", "SIP/2.0 200 OK",
                                         "ACK sip:room@conf.example.com SIP/2.0"};
    static const char *const methods[] = {"INVITE", "INVITE", "ACK"};
    char body[800];
    int n = which == 2 ? 0 : sdp(body, sizeof body, c, which == 0 ? c->phone.addr : c->server.addr);
    return (size_t)snprintf(text, sizeof text,
                            "%s\r\nVia: SIP/2.0/%s 10.0.0.1:5060;branch=z9hG4bK%" PRIu32 "\r\n"
                            "From: <sip:user%" PRIu32 "@example.com>;tag=a%" PRIu32 "\r\n"
                            "To: <sip:room@conf.example.com>%s\r\nCall-ID: call%" PRIu32 "@example.com\r\n"
                            "CSeq: 1 %s\r\nContact: <sip:user@10.0.0.1>\r\nContent-Type: application/sdp\r\n"
                            "Content-Length: %d\r\n\r\n%.*s",
                            starts[which], c->over_tcp ? "TCP" : "UDP", number, number, number, which ? ";tag=b" : "",
                            number, methods[which], n, n, n ? body : "");
}

static void tcp_segment(const struct call *c, int side, uint32_t seq, unsigned flags, const char *bytes, size_t n)
{
    const struct end *src = side ? &c->server : &c->phone, *dst = side ? &c->phone : &c->server;
    ethernet(0, 0x0800);
    ip4(6, 24 << 2, (unsigned)written, 0, src->addr, dst->addr, 20 + n);
    put16(src->port);
    put16(dst->port);
    put32(seq);
    put32(c->seq[!side]);
    put16(0x5000 | flags);
    put16(65535);
    put32(0);
    put(bytes, n);
    frame_write();
}

/* A message in three segments: in order, or the second before the first, and one of them twice. */
static void tcp_message(struct call *c, int side, size_t n, unsigned how)
{
    static const uint8_t orders[][4] = {{0, 1, 2, 2}, {1, 0, 2, 2}, {0, 2, 1, 1}, {0, 0, 1, 2}};
    size_t part = n / 3 + 1;
    for (int i = 0; i < 4; i++) {
        size_t at = orders[how % 4][i] * part, left = n - at;
        tcp_segment(c, side, c->seq[side] + (uint32_t)at, 0x18, text + at, left < part ? left : part);
    }
    c->seq[side] += (uint32_t)n;
}

static void call_begin(struct call *c, uint32_t number)
{
    *c = (struct call){.phone = {0x0a010000 + number, (uint16_t)(10000 + number % 50000)},
                       .server = {0x0a800001 + number % 4, 5060},
                       .media = {(uint16_t)(20000 + number % 20000), (uint16_t)(40000 + number % 20000)},
                       .over_tcp = number % 2,
                       .seq = {number * 77777, number * 33333}};
    if (c->over_tcp) {
        tcp_segment(c, 0, c->seq[0]++, 0x02, "", 0);
        tcp_segment(c, 1, c->seq[1]++, 0x12, "", 0);
    }
    for (int which = 0; which < 3; which++) {
        size_t n = sip_message(c, number, which);
        if (c->over_tcp) {
            tcp_message(c, which == 1, n, number / 2);
            continue;
        }
        const struct end *src = which == 1 ? &c->server : &c->phone, *dst = which == 1 ? &c->phone : &c->server;
        udp4(src, dst, 24 << 2, n);
        put(text, n);
        frame_write();
    }
}

static void media(const struct call *c, uint32_t number, uint32_t tick, int side, int video)
{
    struct end src = {side ? c->server.addr : c->phone.addr, c->media[video]};
    struct end dst = {side ? c->phone.addr : c->server.addr, c->media[video]};
    unsigned tos = side == 0 && number % 20 == 3 ? 0 : (video ? 34u : 46u) << 2;
    uint32_t ssrc = (number * 4 + (uint32_t)side * 2 + (uint32_t)video) * 2654435761u;
    if (!video) {
        size_t size = 60 + (number * 7 + tick * 13) % 60;
        udp4(&src, &dst, tos, 12 + size);
        rtp(111, tick == 0, tick, tick * 960, ssrc, size);
        frame_write();
        return;
    }
    for (uint32_t i = 0; i < 3; i++) { /* a picture */
        size_t size = i == 2 ? 300 + (number + tick) % 500 : 1200;
        udp4(&src, &dst, tos, 12 + size);
        rtp(96, i == 2, tick * 3 + i, tick * 1800, ssrc, size);
        frame_write();
    }
}

static void rtcp(const struct call *c, uint32_t number, uint32_t tick)
{
    struct end src = {c->phone.addr, (uint16_t)(c->media[0] + 1)}, dst = {c->server.addr, (uint16_t)(c->media[0] + 1)};
    uint32_t ssrc = number * 4 * 2654435761u;
    udp4(&src, &dst, 46 << 2, 28 + 20);
    put32(0x80c80006);
    put32(ssrc);
    put32(START_S + 2208988800u + tick / 50);
    put32(tick % 50 * 85899345u);
    put32(tick * 960);
    put32(tick);
    put32(tick * 90);
    put32(0x81ca0004);
    put32(ssrc);
    put16(0x010a);
    put("user@phone", 10);
    frame_write();
}

static void stun(const struct call *c, uint32_t tick)
{
    struct end src = {c->phone.addr, c->media[0]}, dst = {c->server.addr, c->media[0]};
    udp4(&src, &dst, 46 << 2, 28);
    put32(0x00010008);
    put32(0x2112a442);
    put_noise(12, tick);
    put32(0x80280004); /* FINGERPRINT, not a right one */
    put_noise(4, tick);
    frame_write();
}

static void dtls(const struct call *c, uint32_t tick)
{
    struct end src = {c->phone.addr, c->media[1]}, dst = {c->server.addr, c->media[1]};
    udp4(&src, &dst, 34 << 2, 13 + 40);
    put32(0x17fefd00);
    put32(1);
    put32(tick);
    put8(0);
    put16(40);
    put_noise(40, tick);
    frame_write();
}

/* What else is on the wire: bulk in TCP, names asked for, fragments, tagged frames, ARP. */
static void others(uint32_t tick, uint32_t *random)
{
    struct call web = {.phone = {0x0a020000 + next_random(random) % 200, (uint16_t)(1024 + tick % 300)},
                       .server = {0x5db8d822, 443},
                       .seq = {tick, tick * 1400}};
    for (int i = 0; i < 4; i++)
        tcp_segment(&web, 1, web.seq[1] + (uint32_t)i * 1400, 0x10, (const char *)noise + i * 100, 1400);
    struct end asks = {web.phone.addr, (uint16_t)(30000 + tick % 9000)}, name_server = {0x0a000035, 53};
    udp4(&asks, &name_server, 0, 29);
    dns_query(tick);
    put16(0);
    frame_write();
    if (tick % 4 == 0) {
        for (unsigned i = 0; i < 3; i++) {
            ethernet(0, 0x0800);
            ip4(17, 0, tick, i < 2 ? 0x2000 | i * 125 : 250, 0x0a030001, 0x0a030002, 1000);
            put16(5000);
            put16(5001);
            put16(3000);
            put16(0);
            put_noise(992, tick + i);
            frame_write();
        }
    }
    ethernet(100, 0x0800);
    ip4(17, 8 << 2, tick, 0, 0x0a040001, 0x0a040002, 108);
    udp(&(struct end){0, 7000}, &(struct end){0, 7001}, 100);
    put_noise(100, tick);
    frame_write();
    ethernet(0, 0x0806);
    put_noise(46, 0);
    frame_write();
}

static void mixture(uint32_t streams)
{
    uint32_t count = streams / 4 + 1, random = 1;
    struct call *calls = calloc(count, sizeof *calls);
    if (!calls)
        exit(1);
    for (uint32_t tick = 0; written < wanted; tick++) {
        for (uint32_t i = 0; i < count && written < wanted; i++) {
            now_us = (uint64_t)tick * TICK_US + (uint64_t)i * TICK_US / count;
            if (tick == i % 50)
                call_begin(&calls[i], i);
            if (tick <= i % 50)
                continue;
            uint32_t age = tick - i % 50 - 1;
            for (int side = 0; side < 2; side++) {
                media(&calls[i], i, age, side, 0);
                media(&calls[i], i, age, side, 1);
            }
            if (age % 250 == 5)
                rtcp(&calls[i], i, age);
            if (age % 100 == 0)
                stun(&calls[i], age);
            if (age % 400 == 1)
                dtls(&calls[i], age);
            if (i % 8 == 0)
                others(tick, &random);
        }
    }
    free(calls);
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {{"rtp", 660, 111, false, false},
                                          {"ipv6", 660, 111, true, false},
                                          {"voice", 172, 0, false, false},
                                          {"wrong", 172, 0, false, true}};
    uint32_t streams = argc == 5 ? (uint32_t)strtoul(argv[3], NULL, 10) : 0;
    if (streams == 0) {
        fprintf(stderr, "usage: generate rtp|ipv6|voice|wrong|mixture|queries|noise PACKETS STREAMS FILE\n");
        return 2;
    }
    wanted = strtoull(argv[2], NULL, 10);
    size_t name = strlen(argv[4]);
    ng = name > 7 && strcmp(argv[4] + name - 7, ".pcapng") == 0;
    out = fopen(argv[4], "wb");
    if (!out) {
        perror(argv[4]);
        return 1;
    }
    (void)setvbuf(out, NULL, _IOFBF, WRITE_BYTES);
    uint32_t state = 4711;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)next_random(&state);
    file_begin();
    const struct shape *shape = NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(argv[1], shapes[i].name) == 0)
            shape = &shapes[i];
    if (shape)
        rtp_only(shape, streams);
    else if (strcmp(argv[1], "queries") == 0 || strcmp(argv[1], "noise") == 0)
        unentitled(streams, argv[1][0] == 'q');
    else
        mixture(streams);
    if (fclose(out) != 0) {
        perror(argv[4]);
        return 1;
    }
    return 0;
}

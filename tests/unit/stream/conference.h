#ifndef QOSMARK_TESTS_STREAM_CONFERENCE_H
#define QOSMARK_TESTS_STREAM_CONFERENCE_H

/*
 * Calls that start and end, packet by packet: SIP sets each up (but for some), voice goes both ways for a second with
 * RTCP beside it, BYE ends it. Nothing is random: the same calls come whoever takes them. Include after testing.h.
 */
#include <stdio.h>

#include "base/clock.h"
#include "stream/table.h"

enum {
    TICK_MS = 20,
    CALL_TICKS = 60,
    RTP_FROM = 3, /* ticks of a call with voice */
    RTP_UNTIL = 53,
    BYE_AT = 55,
    WITHOUT_SIP = 7, /* every so many calls */
    OVER_IPV6 = 11,
    CHANGES_MARK = 5,
};

struct conference {
    uint32_t calls, calls_a_tick;
    void (*take)(void *user, const struct packet *p);
    void (*ticked)(void *user, int64_t now_ns); /* after each tick; may be NULL */
    void *user;
    uint64_t packets; /* sent */
};

struct conference_call {
    struct conference *c;
    uint32_t number;
    int64_t time_ns;
    uint32_t tick; /* of the call */
};

static inline struct endpoint conference_end(uint32_t call, bool server, uint16_t port)
{
    struct endpoint e = {.port = port};
    uint8_t bytes[4] = {10, (uint8_t)(server ? 200 : call >> 16 & 63), (uint8_t)(server ? 0 : call >> 8),
                        (uint8_t)(server ? 1 : call)};
    e.addr.version = call % OVER_IPV6 == 0 ? 6 : 4;
    memcpy(e.addr.bytes + (e.addr.version == 6 ? 12 : 0), bytes, sizeof bytes);
    if (e.addr.version == 6)
        e.addr.bytes[0] = 0xfd;
    return e;
}

static inline uint16_t conference_port(uint32_t call)
{
    return (uint16_t)(20000 + 4 * (call % 5000));
}

static inline void conference_send(struct conference_call *k, bool to_server, uint16_t client, uint16_t server, dscp_t dscp,
                                   const void *payload, size_t len)
{
    struct endpoint a = conference_end(k->number, false, client), b = conference_end(k->number, true, server);
    struct packet p = {.frame = ++k->c->packets,
                       .time_ns = k->time_ns + (int64_t)(k->number % 100) * 1000 + (to_server ? 0 : 500),
                       .ip_bytes = (uint32_t)len + 28,
                       .src = to_server ? a : b,
                       .dst = to_server ? b : a,
                       .proto = PROTO_UDP,
                       .tos = dscp_tos(dscp),
                       .layer_count = 1,
                       .ports_known = true,
                       .payload = payload,
                       .payload_bytes = (uint32_t)len,
                       .payload_wire_bytes = (uint32_t)len};
    k->c->take(k->c->user, &p);
}

static inline void conference_sip(struct conference_call *k, bool to_server, const char *start, const char *cseq,
                                  bool tagged, bool sdp)
{
    char text[1500], body[400] = "", host[ADDR_TEXT_MAX];
    struct endpoint from = conference_end(k->number, !to_server, 0);
    addr_format(&from.addr, host);
    if (sdp)
        (void)snprintf(body, sizeof body,
                       "v=0\r\no=- 1 1 IN IP%d %s\r\ns=-\r\nc=IN IP%d %s\r\nt=0 0\r\nm=audio %u RTP/AVP 0\r\n",
                       from.addr.version, host, from.addr.version, host, to_server ? 4000u : conference_port(k->number));
    int n = snprintf(text, sizeof text,
                     "%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK-%s-%u\r\nFrom: <sip:u%u@example.com>;tag=a%u\r\n"
                     "To: <sip:room@example.com>%s\r\nCall-ID: call-id-%u\r\nCSeq: %s\r\n%sContent-Length: %zu\r\n\r\n%s",
                     start, cseq[0] == '1' ? "i" : "b", k->number, k->number, k->number, tagged ? ";tag=b" : "", k->number,
                     cseq, sdp ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
    conference_send(k, to_server, 5060, 5060, 26, text, (size_t)n);
}

static inline void conference_rtp(struct conference_call *k, bool to_server)
{
    uint32_t i = k->tick - RTP_FROM, ssrc = k->number * 2 + to_server, timestamp = 160 * i;
    bool changed = to_server && k->number % CHANGES_MARK == 0 && i > 30;
    uint8_t b[172] = {0x80, 0, (uint8_t)(i >> 8), (uint8_t)i};
    for (int n = 0; n < 4; n++) {
        b[4 + n] = (uint8_t)(timestamp >> (24 - 8 * n));
        b[8 + n] = (uint8_t)(ssrc >> (24 - 8 * n));
    }
    memset(b + 12, 0x55, 160);
    conference_send(k, to_server, 4000, conference_port(k->number), changed ? 0 : 46, b, sizeof b);
}

/* A sender report and a CNAME (RFC 3550 §6.4.1, §6.5). */
static inline void conference_rtcp(struct conference_call *k, bool to_server)
{
    uint32_t ssrc = k->number * 2 + to_server;
    uint8_t b[28 + 20] = {0x80, 200, 0, 6};
    char cname[12];
    (void)snprintf(cname, sizeof cname, "u%07u", to_server ? k->number % 10000000 : 0);
    for (int n = 0; n < 4; n++)
        b[4 + n] = b[28 + 4 + n] = (uint8_t)(ssrc >> (24 - 8 * n));
    b[11] = (uint8_t)k->tick;
    b[28] = 0x81;
    b[29] = 202;
    b[31] = 4;
    b[36] = 1;
    b[37] = 8;
    memcpy(b + 38, cname, 8);
    conference_send(k, to_server, 4001, (uint16_t)(conference_port(k->number) + 1), 46, b, sizeof b);
}

static inline void conference_step(struct conference_call *k)
{
    bool sip = k->number % WITHOUT_SIP != 0;
    if (sip && k->tick == 0)
        conference_sip(k, true, "INVITE sip:room@example.com SIP/2.0", "1 INVITE", false, true);
    if (sip && k->tick == 1)
        conference_sip(k, false, "SIP/2.0 200 OK", "1 INVITE", true, true);
    if (sip && k->tick == 2)
        conference_sip(k, true, "ACK sip:room@example.com SIP/2.0", "1 ACK", true, false);
    if (k->tick >= RTP_FROM && k->tick < RTP_UNTIL) {
        conference_rtp(k, true);
        conference_rtp(k, false);
    }
    if (k->tick == 10 || k->tick == 50) {
        conference_rtcp(k, true);
        conference_rtcp(k, false);
    }
    if (sip && k->tick == BYE_AT)
        conference_sip(k, true, "BYE sip:room@example.com SIP/2.0", "2 BYE", true, false);
    if (sip && k->tick == BYE_AT + 1)
        conference_sip(k, false, "SIP/2.0 200 OK", "2 BYE", true, false);
}

/* All calls, from the first to the end of the last. The time it is then. */
static inline int64_t conference_run(struct conference *c)
{
    uint32_t ticks = c->calls / c->calls_a_tick + CALL_TICKS;
    int64_t now_ns = 0;
    for (uint32_t tick = 0; tick < ticks; tick++) {
        now_ns = (int64_t)(tick + 1) * TICK_MS * NS_PER_MS;
        uint32_t first = tick >= CALL_TICKS ? (tick - CALL_TICKS + 1) * c->calls_a_tick : 0;
        for (uint32_t call = first; call < c->calls && call / c->calls_a_tick <= tick; call++) {
            struct conference_call k = {c, call, now_ns, tick - call / c->calls_a_tick};
            conference_step(&k);
        }
        if (c->ticked)
            c->ticked(c->user, now_ns);
    }
    return now_ns;
}

#endif

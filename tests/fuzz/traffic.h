#ifndef QOSMARK_TESTS_FUZZ_TRAFFIC_H
#define QOSMARK_TESTS_FUZZ_TRAFFIC_H

#include "fuzz.h"

#include "stream/table.h"

/*
 * Packets of a conference as an input describes them: a step is a byte for what it is, one for the two ends, one for
 * the TOS byte, one for the time since the step before, and what the kind of step needs besides. Most of a stream is
 * the same from packet to packet, so that few bytes make a stream that gets far into the classifiers.
 */
#define MS       ((int64_t)1000000)
#define TIME_MAX (INT64_MAX / 2) /* what the readers of captures let through */

enum { STEPS_MAX = 400, SENDERS = 16, TEXT_BYTES = 1200, RTP_BYTES = 12 };

enum traffic_step { TRAFFIC_PACKET = 0, TRAFFIC_LOOK, TRAFFIC_EXPIRE };

enum step_kind {
    STEP_RTP,     /* sender, payload type, size; sequence and timestamp go on */
    STEP_RTP_ODD, /* the same, with steps of both */
    STEP_RTCP,
    STEP_STUN,
    STEP_DTLS,
    STEP_SIP,     /* message, call */
    STEP_TCP_SIP, /* the same, in a segment */
    STEP_UDP,     /* length, bytes */
    STEP_TCP,     /* flags, step of the sequence number, length, bytes */
    STEP_CHANNEL, /* RTP in TURN */
    STEP_TIME,    /* a long time, or back */
    STEP_LOOK,
    STEP_EXPIRE,
    STEP_OTHER, /* neither UDP nor TCP, or without ports */
    STEP_KINDS
};

struct traffic {
    uint64_t frame;
    int64_t time_ns;
    struct {
        uint16_t sequence;
        uint32_t timestamp;
    } senders[SENDERS];
    uint32_t tcp_sequence[SENDERS];
};

static inline struct endpoint traffic_end(unsigned which)
{
    static const uint16_t ports[4] = {5060, 20000, 20002, 3478};
    struct endpoint e = {.port = ports[which >> 1 & 3]};
    const uint8_t v4[4] = {10, 0, 0, (uint8_t)(1 + (which & 1))};
    e.addr = addr_v4(v4);
    return e;
}

static inline void traffic_pass(struct traffic *t, int64_t ns)
{
    int64_t to_ns = t->time_ns + ns;
    t->time_ns = to_ns > TIME_MAX ? TIME_MAX : to_ns < -TIME_MAX ? -TIME_MAX : to_ns;
}

static inline size_t traffic_rtp(struct traffic *t, struct cursor *c, bool odd, uint8_t to[static TEXT_BYTES])
{
    uint8_t sender = cur_u8(c) % SENDERS, type = cur_u8(c), size = cur_u8(c);
    int16_t steps[2] = {1, 160};
    if (odd) {
        steps[0] = (int8_t)cur_u8(c);
        steps[1] = (int16_t)cur_u16(c);
    }
    uint16_t sequence = t->senders[sender].sequence = (uint16_t)(t->senders[sender].sequence + steps[0]);
    uint32_t timestamp = t->senders[sender].timestamp += (uint32_t)(int32_t)steps[1] * (type & 1 ? 18u : 1u);
    const uint8_t header[RTP_BYTES] = {0x80,
                                       type,
                                       (uint8_t)(sequence >> 8),
                                       (uint8_t)sequence,
                                       (uint8_t)(timestamp >> 24),
                                       (uint8_t)(timestamp >> 16),
                                       (uint8_t)(timestamp >> 8),
                                       (uint8_t)timestamp,
                                       0xaa,
                                       0,
                                       0,
                                       sender};
    memcpy(to, header, sizeof header);
    memset(to + sizeof header, 0x55, 4u * size);
    return sizeof header + 4u * size;
}

static inline size_t traffic_rtcp(struct traffic *t, struct cursor *c, uint8_t to[static TEXT_BYTES])
{
    uint8_t sender = cur_u8(c) % SENDERS;
    uint32_t timestamp = t->senders[sender].timestamp;
    const uint8_t report[] = {0x80,
                              200,
                              0,
                              6,
                              0xaa,
                              0,
                              0,
                              sender,
                              0xe0,
                              0,
                              0,
                              (uint8_t)(t->time_ns / (1000 * MS)),
                              0,
                              0,
                              0,
                              0,
                              (uint8_t)(timestamp >> 24),
                              (uint8_t)(timestamp >> 16),
                              (uint8_t)(timestamp >> 8),
                              (uint8_t)timestamp,
                              0,
                              0,
                              0,
                              9,
                              0,
                              0,
                              1,
                              0,
                              0x81,
                              202,
                              0,
                              3,
                              0xaa,
                              0,
                              0,
                              sender,
                              1,
                              4,
                              'n',
                              'a',
                              'm',
                              'e',
                              0,
                              0};
    memcpy(to, report, sizeof report);
    return sizeof report;
}

/* RFC 8489 §5, RFC 8656 §12.4, RFC 6347 §4.1: the shortest of each. */
static inline size_t traffic_small(enum step_kind kind, struct cursor *c, uint8_t to[static TEXT_BYTES])
{
    static const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    static const uint8_t dtls[14] = {23, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 7};
    uint8_t variant = cur_u8(c);
    size_t len = kind == STEP_STUN ? sizeof stun : sizeof dtls;
    memcpy(to, kind == STEP_STUN ? stun : dtls, len);
    if (kind == STEP_STUN) {
        to[0] = variant >> 4 & 1;
        to[1] = variant & 0x0f;
    } else if (variant & 1) {
        to[0] = 22; /* handshake, epoch 0 */
        to[4] = 0;
    }
    return len;
}

static inline size_t traffic_sip(struct cursor *c, uint8_t to[static TEXT_BYTES])
{
    static const char *const starts[] = {"INVITE sip:b@10.0.0.2 SIP/2.0", "SIP/2.0 200 OK",
                                         "BYE sip:b@10.0.0.2 SIP/2.0",    "ACK sip:b@10.0.0.2 SIP/2.0",
                                         "SIP/2.0 486 Busy Here",         "UPDATE sip:b@10.0.0.2 SIP/2.0"};
    static const char *const media[] = {"",
                                        "m=audio 20000 RTP/AVP 0\r\n",
                                        "m=video 20000 RTP/AVP 34\r\n",
                                        "m=audio 20000 RTP/AVP 0\r\nm=video 20002 RTP/AVP 34\r\na=content:slides\r\n",
                                        "m=audio 20000 RTP/AVP 0\r\na=mid:a\r\nm=video 20000 RTP/AVP 34\r\na=mid:v\r\n",
                                        "m=application 20002 UDP/BFCP *\r\n",
                                        "m=audio 0 RTP/AVP 0\r\n",
                                        "m=audio 20000 RTP/AVP 0\r\na=ssrc:2852126721 cname:x\r\na=recvonly\r\n"};
    uint8_t message = cur_u8(c), call = cur_u8(c);
    unsigned start = message % (sizeof starts / sizeof starts[0]),
             body = message / 8 % (sizeof media / sizeof media[0]);
    char text[600] = "";
    if (body)
        snprintf(text, sizeof text, "v=0\r\no=- 1 %u IN IP4 10.0.0.%u\r\ns=-\r\nc=IN IP4 10.0.0.%u\r\nt=0 0\r\n%s",
                 call, 1 + start % 2u, 1 + start % 2u, media[body]);
    int len = snprintf((char *)to, TEXT_BYTES,
                       "%s\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%u\r\nFrom: <sip:a@10.0.0.1>;tag=1\r\n"
                       "To: <sip:b@10.0.0.2>%s\r\nCall-ID: c%u\r\nCSeq: %u INVITE\r\n%sContent-Length: %zu\r\n\r\n%s",
                       starts[start], call >> 2, start ? ";tag=2" : "", call & 3u, 1 + (call >> 4),
                       body ? "Content-Type: application/sdp\r\n" : "", strlen(text), text);
    FUZZ_CHECK(len > 0 && len < TEXT_BYTES);
    return (size_t)len;
}

static inline size_t traffic_bytes(struct cursor *c, uint8_t to[static TEXT_BYTES])
{
    size_t n = cur_u8(c);
    n = n < cur_left(c) ? n : cur_left(c);
    if (n)
        memcpy(to, cur_take(c, n), n);
    return n;
}

static inline size_t traffic_payload(struct traffic *t, enum step_kind kind, struct cursor *c, struct packet *p,
                                     uint8_t to[static TEXT_BYTES])
{
    switch (kind) {
    case STEP_RTP:
    case STEP_RTP_ODD:
        return traffic_rtp(t, c, kind == STEP_RTP_ODD, to);
    case STEP_RTCP:
        return traffic_rtcp(t, c, to);
    case STEP_STUN:
    case STEP_DTLS:
        return traffic_small(kind, c, to);
    case STEP_SIP:
    case STEP_TCP_SIP:
        return traffic_sip(c, to);
    case STEP_TCP:
        p->tcp_flags = cur_u8(c) & 0x1f;
        p->tcp_seq = (uint32_t)(int32_t)(int8_t)cur_u8(c);
        return traffic_bytes(c, to);
    case STEP_CHANNEL: {
        uint8_t rtp[TEXT_BYTES];
        size_t n = traffic_rtp(t, c, false, rtp);
        const uint8_t header[4] = {0x40, 1, (uint8_t)(n >> 8), (uint8_t)n};
        memcpy(to, header, sizeof header);
        memcpy(to + sizeof header, rtp, n);
        return n + sizeof header;
    }
    case STEP_UDP:
    case STEP_OTHER:
        return traffic_bytes(c, to);
    case STEP_TIME:
    case STEP_LOOK:
    case STEP_EXPIRE:
    case STEP_KINDS:
        break;
    }
    return 0;
}

/* The next step. A packet borrows `*ret_payload`, a heap block of exactly its size. */
static inline enum traffic_step traffic_next(struct traffic *t, struct cursor *c, struct packet *ret,
                                             uint8_t **ret_payload)
{
    uint8_t bytes[TEXT_BYTES];
    enum step_kind kind = cur_u8(c) % STEP_KINDS;
    uint8_t ends = cur_u8(c), tos = cur_u8(c), pass = cur_u8(c);
    if (kind == STEP_LOOK)
        return TRAFFIC_LOOK;
    if (kind == STEP_EXPIRE)
        return TRAFFIC_EXPIRE;
    traffic_pass(t, kind == STEP_TIME ? (int64_t)(int8_t)pass * ((int64_t)1 << (tos % 56)) : pass % 64 * MS);
    bool tcp = kind == STEP_TCP || kind == STEP_TCP_SIP;
    struct packet p = {.frame = ++t->frame,
                       .time_ns = t->time_ns,
                       .input = ends >> 7,
                       .src = traffic_end(ends & 7),
                       .dst = traffic_end(ends >> 3 & 7),
                       .proto = tcp ? PROTO_TCP : PROTO_UDP,
                       .tos = tos,
                       .ttl = 64,
                       .layer_count = 1,
                       .ports_known = true};
    p.layer_tos[0] = tos;
    p.layer_version[0] = 4;
    size_t len = traffic_payload(t, kind, c, &p, bytes);
    if (kind == STEP_OTHER) {
        p.proto = PROTO_ICMP;
        p.src.port = p.dst.port = 0;
        p.ports_known = false;
    }
    if (tcp) { /* what goes on where the segment before ended, but for the step */
        uint32_t *next = &t->tcp_sequence[ends & 7];
        p.tcp_seq += *next;
        *next = p.tcp_seq + (uint32_t)len;
    }
    size_t cut = pass & 0x80 ? len / 2 : 0; /* by the snapshot length */
    struct cursor made = cur_make(bytes, len - cut, false);
    *ret_payload = fuzz_block(&made, len - cut, &len);
    p.cut = cut != 0;
    p.payload_bytes = (uint32_t)len;
    p.payload_wire_bytes = (uint32_t)(len + cut);
    p.ip_bytes = p.payload_wire_bytes + 28;
    *ret = p;
    return TRAFFIC_PACKET;
}

#endif

#include "probe/quote.h"

#include "model/packet.h"
#include "probe/quote_extension.h"

enum {
    PROTO_UNKNOWN = 255,
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_AUTHENTICATION = 51,
    NEXT_OPTIONS = 60
};

/* The messages that quote a packet. A length field (RFC 4884 §4) has those of destination unreachable, time exceeded
 * and, in ICMPv4, parameter problem; elsewhere that place holds something else. */
static const struct message {
    uint8_t version, type;
    int16_t code; /* -1: any other */
    enum quote_kind kind;
    bool has_length;
} messages[] = {
    {4, 3, 3, QUOTE_PORT_UNREACHABLE, true}, {4, 3, -1, QUOTE_UNREACHABLE, true},
    {4, 4, -1, QUOTE_OTHER, false},          {4, 5, -1, QUOTE_OTHER, false},
    {4, 11, 0, QUOTE_TIME_EXCEEDED, true},   {4, 11, -1, QUOTE_OTHER, true},
    {4, 12, -1, QUOTE_OTHER, true},          {6, 1, 4, QUOTE_PORT_UNREACHABLE, true},
    {6, 1, -1, QUOTE_UNREACHABLE, true},     {6, 2, -1, QUOTE_OTHER, false},
    {6, 3, 0, QUOTE_TIME_EXCEEDED, true},    {6, 3, -1, QUOTE_OTHER, true},
    {6, 4, -1, QUOTE_OTHER, false},
};

static const struct message *message_of(uint8_t version, uint8_t type, uint8_t code)
{
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (messages[i].version == version && messages[i].type == type &&
            (messages[i].code < 0 || messages[i].code == code))
            return &messages[i];
    return NULL;
}

bool quote_checksum_is_right(const uint8_t *icmp, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? icmp[i] : (uint32_t)icmp[i] << 8;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return sum == 0xFFFF;
}

/* UDP (RFC 768), TCP (RFC 9293 §3.1) and echoes (RFC 792, RFC 4443 §4), of which 8 bytes are enough. What follows is
 * the sender's payload as far as its own length goes: RFC 4884 pads quotes with zeros. */
static void read_transport(struct cursor c, struct quote *q)
{
    struct cursor first = cur_child(&c, 8);
    if (first.failed || cur_left(&first) < 8 || q->later_fragment)
        return;
    size_t own = SIZE_MAX;
    switch (q->proto) {
    case PROTO_UDP:
        q->src.port = cur_u16(&first);
        q->dst.port = cur_u16(&first);
        own = cur_u16(&first);
        q->udp_checksum = cur_u16(&first);
        own = own >= 8 ? own - 8 : 0;
        break;
    case PROTO_TCP:
        q->src.port = cur_u16(&first);
        q->dst.port = cur_u16(&first);
        q->tcp_seq = cur_u32(&first);
        q->depth = QUOTE_TRANSPORT;
        return;
    case PROTO_ICMP:
    case PROTO_ICMPV6:
        q->echo_type = cur_u8(&first);
        cur_skip(&first, 3);
        q->echo_id = cur_u16(&first);
        q->echo_seq = cur_u16(&first);
        break;
    default:
        return;
    }
    q->depth = QUOTE_TRANSPORT;
    q->payload_bytes = cur_left(&c) < own ? cur_left(&c) : own;
    q->payload = q->payload_bytes ? c.at : NULL;
}

/* RFC 791 §3.1 */
static bool read_ipv4(struct cursor c, struct quote *q)
{
    struct cursor whole = c;
    uint8_t first = cur_u8(&c);
    q->tos = cur_u8(&c);
    q->ip_bytes = cur_u16(&c);
    q->ip_id = cur_u16(&c);
    uint16_t fragment = cur_u16(&c);
    q->ttl = cur_u8(&c);
    q->proto = cur_u8(&c);
    cur_skip(&c, 2);
    const uint8_t *src = cur_take(&c, 4), *dst = cur_take(&c, 4);
    if (c.failed || !src || !dst)
        return false;
    q->src.addr = addr_v4(src);
    q->dst.addr = addr_v4(dst);
    q->later_fragment = (fragment & 0x1FFF) != 0;
    size_t header = (size_t)(first & 15) * 4;
    if (header < 20)
        return true; /* the marks are there; where the transport header begins is not known */
    cur_skip(&whole, header);
    if (!whole.failed)
        read_transport(whole, q);
    return true;
}

/* RFC 8200 §4: the chain of extension headers up to the transport header. */
static void read_chain(struct cursor c, uint8_t next, struct quote *q)
{
    q->proto = PROTO_UNKNOWN;
    for (;;) {
        struct cursor here = c;
        uint8_t following = cur_u8(&c);
        size_t bytes;
        if (next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_OPTIONS) {
            bytes = ((size_t)cur_u8(&c) + 1) * 8;
        } else if (next == NEXT_AUTHENTICATION) {
            bytes = ((size_t)cur_u8(&c) + 2) * 4; /* RFC 4302 §2.2 */
        } else if (next == NEXT_FRAGMENT) {
            cur_skip(&c, 1);
            q->later_fragment |= cur_u16(&c) >> 3 != 0;
            bytes = 8;
        } else {
            q->proto = next;
            read_transport(here, q);
            return;
        }
        cur_skip(&here, bytes);
        if (c.failed || here.failed)
            return;
        c = here;
        next = following;
    }
}

/* RFC 8200 §3 */
static bool read_ipv6(struct cursor c, struct quote *q)
{
    uint32_t first = cur_u32(&c);
    q->tos = (tos_t)(first >> 20 & 0xFF);
    q->flow_label = first & 0xFFFFF;
    q->ip_bytes = cur_u16(&c) + 40U;
    uint8_t next = cur_u8(&c);
    q->ttl = cur_u8(&c);
    const uint8_t *src = cur_take(&c, 16), *dst = cur_take(&c, 16);
    if (c.failed || !src || !dst)
        return false;
    q->src.addr = addr_v6(src);
    q->dst.addr = addr_v6(dst);
    read_chain(c, next, q);
    return true;
}

enum parse_status quote_parse(struct cursor icmp, uint8_t version, struct quote *ret)
{
    struct quote q = {0};
    q.type = cur_u8(&icmp);
    q.code = cur_u8(&icmp);
    cur_skip(&icmp, 2);
    uint8_t words[2]; /* ICMPv6 keeps the length in the first byte of this word, ICMPv4 in the second */
    words[0] = cur_u8(&icmp);
    words[1] = cur_u8(&icmp);
    cur_skip(&icmp, 2);
    if (icmp.failed)
        return PARSE_TRUNCATED;
    const struct message *m = message_of(version, q.type, q.code);
    if (!m)
        return PARSE_UNSUPPORTED;
    q.kind = m->kind;
    struct cursor datagram = icmp;
    if (m->has_length)
        datagram =
            version == 4 ? quote_extension_split(icmp, words[1], 4, &q) : quote_extension_split(icmp, words[0], 8, &q);
    if (cur_left(&datagram) == 0)
        return PARSE_TRUNCATED;
    q.version = cur_peek(&datagram, 0) >> 4;
    if (q.version != version)
        return PARSE_UNSUPPORTED;
    if (!(version == 4 ? read_ipv4(datagram, &q) : read_ipv6(datagram, &q)))
        return PARSE_TRUNCATED;
    *ret = q;
    return PARSE_OK;
}

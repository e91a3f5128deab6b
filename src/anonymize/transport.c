/*
 * What IP carries, in a frame without identities: ports and numbers stay, tunnels are followed, ICMP errors keep the
 * headers that they quote, and of contents the fixed header of media.
 */
#include "anonymize/walk.h"
#include "model/packet.h"

enum {
    PROTO_IPIP = 4,
    PROTO_IP6 = 41,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_UDPLITE = 136,
    UDP_BYTES = 8,
    TCP_BYTES = 20,
    SCTP_BYTES = 12,
    ESP_BYTES = 8,
};

/* ---- the beginning of media ---- */

enum { STUN_BYTES = 20, DTLS_BYTES = 13, RTP_BYTES = 12, RTCP_BYTES = 8, CHANNEL_BYTES = 4 };

static size_t keep(const struct anonymize_walk *w, size_t at, size_t n)
{
    return anonymize_has(w, at, n) ? at + n : at;
}

/* RFC 3550 §5.1: of RTP no contributing sources or extensions stay; of RTCP (§6.1, RFC 5761 §4) no reports or names;
 * of DTLS the header of the record. */
static size_t rtp_or_dtls(const struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, 3))
        return at;
    const uint8_t *b = w->bytes + at;
    if (b[0] >= 20 && b[0] <= 25 && b[1] == 0xfe && (b[2] == 0xff || b[2] == 0xfd))
        return keep(w, at, DTLS_BYTES);
    if (b[0] >> 6 != 2)
        return at;
    return keep(w, at, b[1] >= 192 && b[1] <= 223 ? RTCP_BYTES : RTP_BYTES);
}

static bool may_be_media(enum kind kind)
{
    return kind_is_rtp(kind) || kind == KIND_RTCP || kind == KIND_STUN || kind == KIND_TURN || kind == KIND_DTLS;
}

/* RFC 7983 §7: the first byte says which; the rest has to agree before anything stays. */
static size_t media(const struct anonymize_walk *w, size_t at)
{
    static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};
    if (!may_be_media(w->kind) || !anonymize_has(w, at, 4))
        return at;
    const uint8_t *b = w->bytes + at;
    if (b[0] < 4) {
        for (size_t i = 0; i < sizeof cookie; i++)
            if (!anonymize_has(w, at, STUN_BYTES) || b[4 + i] != cookie[i])
                return at;
        return at + STUN_BYTES;
    }
    if (b[0] >= 0x40 && b[0] <= 0x4f) {
        size_t inside = rtp_or_dtls(w, at + CHANNEL_BYTES);
        return inside > at + CHANNEL_BYTES ? inside : at; /* an upper case letter is no channel */
    }
    return rtp_or_dtls(w, at);
}

/* ---- tunnels in UDP ---- */

static size_t vxlan(struct anonymize_walk *w, size_t at)
{
    return anonymize_has(w, at, 8) && (w->bytes[at] & 8) ? anonymize_ethernet(w, at + 8) : at;
}

/* RFC 8926 §3.4: options may hold anything. */
static size_t geneve(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, 8) || w->bytes[at] >> 6)
        return at;
    size_t options = (size_t)(w->bytes[at] & 63) * 4;
    if (!anonymize_has(w, at + 8, options))
        return at;
    anonymize_fill(w, at + 8, 0, options);
    return anonymize_ethertype(w, anonymize_u16(w, at + 2), at + 8 + options);
}

/* 3GPP TS 29.281 §5.1, without extension headers. */
static size_t gtpu(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, 12) || w->bytes[at] >> 4 != 3 || w->bytes[at + 1] != 255 || (w->bytes[at] & 4))
        return at;
    return anonymize_ip(w, at + (w->bytes[at] & 3 ? 12 : 8));
}

static const struct {
    uint16_t port;
    anonymize_step *step;
} udp_tunnels[] = {
    {2152, gtpu}, {4789, vxlan}, {6081, geneve}, {6635, anonymize_mpls}, {8472, vxlan},
};

/* A port proves nothing: there is a tunnel where the decoder has found more IP headers than were passed here. */
static size_t udp_contents(struct anonymize_walk *w, size_t header, size_t at)
{
    if (w->quoted)
        return at;
    if (w->layers >= w->layers_max)
        return media(w, at);
    for (size_t i = 0; i < sizeof udp_tunnels / sizeof udp_tunnels[0]; i++)
        if (udp_tunnels[i].port == anonymize_u16(w, header) || udp_tunnels[i].port == anonymize_u16(w, header + 2))
            return udp_tunnels[i].step(w, at);
    return at;
}

/* ---- protocols ---- */

static size_t udp(struct anonymize_walk *w, size_t at, int64_t change)
{
    struct anonymize_sum sum;
    if (!anonymize_has(w, at, UDP_BYTES))
        return at;
    anonymize_sum_open(w, &sum, at, change);
    size_t end = udp_contents(w, at, at + UDP_BYTES);
    anonymize_sum_close(w, &sum, at + 6, true);
    return end;
}

/* Of options those stay that hold numbers only: maximum segment size, window scale, SACK, timestamps. */
static void blank_tcp_options(struct anonymize_walk *w, size_t at, size_t end)
{
    enum { END = 0, NOP = 1, LAST_KNOWN = 8 };
    static const bool stays[LAST_KNOWN + 1] = {[2] = true, [3] = true, [4] = true, [5] = true, [8] = true};
    while (at < end && w->bytes[at] != END) {
        uint8_t option = w->bytes[at];
        size_t len = option == NOP ? 1 : at + 1 < end ? w->bytes[at + 1] : 0;
        if (len > end - at || (option != NOP && len < 2))
            break;
        if (option != NOP && (option > LAST_KNOWN || !stays[option]))
            anonymize_fill(w, at, NOP, len);
        at += len;
    }
    anonymize_fill(w, at, END, end - at);
}

static size_t tcp(struct anonymize_walk *w, size_t at, int64_t change)
{
    struct anonymize_sum sum;
    if (!anonymize_has(w, at, TCP_BYTES))
        return keep(w, at, w->quoted ? 8 : TCP_BYTES); /* RFC 792 quotes eight bytes */
    size_t bytes = (size_t)(w->bytes[at + 12] >> 4) * 4;
    if (bytes < TCP_BYTES || !anonymize_has(w, at, bytes))
        bytes = TCP_BYTES;
    anonymize_sum_open(w, &sum, at, change);
    blank_tcp_options(w, at + TCP_BYTES, at + bytes);
    anonymize_sum_close(w, &sum, at + 16, false);
    return at + bytes;
}

static size_t sctp(struct anonymize_walk *w, size_t at, int64_t change)
{
    (void)change; /* its checksum does not include the addresses */
    return keep(w, at, w->quoted ? 8 : SCTP_BYTES);
}

static size_t esp(struct anonymize_walk *w, size_t at, int64_t change)
{
    (void)change;
    return keep(w, at, ESP_BYTES);
}

/* RFC 4302 §2: the check value is keyed. */
static size_t ah(struct anonymize_walk *w, size_t at, int64_t change)
{
    if (!anonymize_has(w, at, 12) || !anonymize_go_on(w))
        return at;
    size_t bytes = ((size_t)w->bytes[at + 1] + 2) * 4;
    return bytes >= 12 && anonymize_has(w, at, bytes) ? anonymize_transport(w, w->bytes[at], at + bytes, change) : at;
}

static size_t quote(struct anonymize_walk *w, size_t at)
{
    bool quoted = w->quoted;
    uint8_t layers = w->layers;
    w->quoted = true;
    size_t end = quoted ? at : anonymize_ip(w, at);
    w->quoted = quoted;
    w->layers = layers;
    return end;
}

static size_t icmp(struct anonymize_walk *w, size_t at, int64_t change)
{
    enum { UNREACHABLE = 3, QUENCH = 4, REDIRECT = 5, TIME_EXCEEDED = 11, PARAMETER = 12 };
    struct anonymize_sum sum;
    (void)change;
    if (!anonymize_has(w, at, 8))
        return at;
    uint8_t type = w->bytes[at];
    bool quotes =
        type == UNREACHABLE || type == QUENCH || type == REDIRECT || type == TIME_EXCEEDED || type == PARAMETER;
    anonymize_sum_open(w, &sum, at, 0);
    if (type == REDIRECT)
        (void)anonymize_put_address(w, at + 4, 4);
    size_t end = quotes ? quote(w, at + 8) : at + 8;
    anonymize_sum_close(w, &sum, at + 2, false);
    return end;
}

/* RFC 4443; of what else there is (neighbours, routers, groups) the type alone. */
static size_t icmp6(struct anonymize_walk *w, size_t at, int64_t change)
{
    enum { ERRORS_LAST = 4, ECHO = 128, ECHO_REPLY = 129 };
    struct anonymize_sum sum;
    if (!anonymize_has(w, at, 8))
        return at;
    uint8_t type = w->bytes[at];
    bool quotes = type >= 1 && type <= ERRORS_LAST;
    anonymize_sum_open(w, &sum, at, change);
    size_t end = quotes ? quote(w, at + 8) : at + (type == ECHO || type == ECHO_REPLY ? 8 : 4);
    anonymize_sum_close(w, &sum, at + 2, false);
    return end;
}

/* draft-foschiano-erspan: none, eight, twelve or twenty bytes of header. */
static size_t erspan(struct anonymize_walk *w, size_t at, bool has_header)
{
    if (!has_header)
        return anonymize_ethernet(w, at);
    if (!anonymize_has(w, at, 12))
        return at;
    unsigned version = w->bytes[at] >> 4;
    if (version == 1)
        return anonymize_ethernet(w, at + 8);
    if (version != 2 || (anonymize_u16(w, at + 10) >> 10 & 31))
        return at;
    size_t bytes = w->bytes[at + 11] & 1 ? 20 : 12;
    return anonymize_has(w, at, bytes) ? anonymize_ethernet(w, at + bytes) : at;
}

static size_t gre_contents(struct anonymize_walk *w, uint16_t flags, uint16_t protocol, size_t at)
{
    enum { SEQUENCE = 0x1000, ERSPAN_2 = 0x88be, ERSPAN_3 = 0x22eb };
    if (protocol == ERSPAN_2 || protocol == ERSPAN_3)
        return erspan(w, at, (flags & SEQUENCE) || protocol == ERSPAN_3);
    return protocol > 1500 ? anonymize_ethertype(w, protocol, at) : at;
}

/* RFC 2784, RFC 2890, RFC 2637; not those with source routes. */
static size_t gre(struct anonymize_walk *w, size_t at, int64_t change)
{
    enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGE = 0x0080 };
    struct anonymize_sum sum;
    (void)change;
    if (w->quoted || !anonymize_has(w, at, 4))
        return at;
    uint16_t flags = anonymize_u16(w, at), protocol = anonymize_u16(w, at + 2);
    if ((flags & ROUTING) || (flags & 7) > 1)
        return at;
    size_t bytes = 4U + (flags & CHECKSUM ? 4U : 0U) + (flags & KEY ? 4U : 0U) + (flags & SEQUENCE ? 4U : 0U) +
                   ((flags & ACKNOWLEDGE) && (flags & 7) == 1 ? 4U : 0U);
    if (!anonymize_has(w, at, bytes))
        return at;
    anonymize_sum_open(w, &sum, at, 0);
    size_t end = gre_contents(w, flags, protocol, at + bytes);
    if (flags & CHECKSUM)
        anonymize_sum_close(w, &sum, at + 4, false);
    else
        w->sums = sum.outer;
    return end;
}

static size_t ip_in_ip(struct anonymize_walk *w, size_t at, int64_t change)
{
    (void)change;
    return w->quoted ? at : anonymize_ip(w, at);
}

static const struct {
    uint8_t proto;
    size_t (*step)(struct anonymize_walk *w, size_t at, int64_t change);
} protocols[] = {
    {PROTO_UDP, udp},   {PROTO_TCP, tcp}, {PROTO_ICMP, icmp},     {PROTO_ICMPV6, icmp6},
    {PROTO_SCTP, sctp}, {PROTO_GRE, gre}, {PROTO_IPIP, ip_in_ip}, {PROTO_IP6, ip_in_ip},
    {PROTO_ESP, esp},   {PROTO_AH, ah},   {PROTO_UDPLITE, udp},
};

size_t anonymize_transport(struct anonymize_walk *w, uint8_t proto, size_t at, int64_t change)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (protocols[i].proto == proto)
            return protocols[i].step(w, at, change);
    return at;
}

#include "decode/walk.h"

enum { IP4_HEADER = 20, IP6_HEADER = 40, EXTENSIONS_MAX = 24 };

/* IPv6 extension headers, and AH, which IPv4 has too (IANA protocol numbers). */
enum {
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_AH = 51,
    NEXT_NONE = 59,
    NEXT_DESTINATION = 60,
    NEXT_MOBILITY = 135,
    NEXT_HIP = 139,
    NEXT_SHIM6 = 140,
};

static inline uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static inline uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

/* RFC 1071 over an IPv4 header: 0 when it is right. */
static uint32_t header_sum(const uint8_t *h, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(h + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum ^ 0xffff;
}

/*
 * Whether bytes that claim to be an IP header may be believed when only a port number says so. Mirrors cut packets
 * without saying so (VXLAN from a cloud's mirror), so a length beyond the end is believed with a right checksum.
 */
static bool ip4_looks_sound(const struct cursor *c)
{
    const uint8_t *h = c->at;
    size_t left = cur_left(c);
    if (left < IP4_HEADER || h[0] >> 4 != 4)
        return false;
    size_t header = (h[0] & 15U) * 4U, total = get16(h + 2);
    if (header < IP4_HEADER || total < header || h[12] >= 224)
        return false;
    if (total <= left || c->cut)
        return true;
    return header <= left && header_sum(h, header) == 0;
}

static bool ip6_looks_sound(const struct cursor *c)
{
    static const uint8_t known[] = {NEXT_HOP_BY_HOP,  4,  PROTO_TCP, PROTO_UDP, 41,           NEXT_ROUTING,
                                    NEXT_FRAGMENT,    47, 50,        NEXT_AH,   PROTO_ICMPV6, NEXT_NONE,
                                    NEXT_DESTINATION, 89, 103,       PROTO_SCTP};
    const uint8_t *h = c->at;
    size_t left = cur_left(c);
    if (left < IP6_HEADER || h[0] >> 4 != 6 || h[8] == 0xff)
        return false;
    size_t payload = get16(h + 4);
    if (payload == 0 && h[6] != NEXT_HOP_BY_HOP && h[6] != NEXT_NONE)
        return false;
    return payload + IP6_HEADER <= left || c->cut || memchr(known, h[6], sizeof known) != NULL;
}

bool ip_looks_sound(struct cursor c)
{
    return ip4_looks_sound(&c) || ip6_looks_sound(&c);
}

/* What is left of the payload `p` once `len` bytes of headers are stepped over; false where they are not all there. */
static bool payload_skip(struct ip_packet *ip, size_t len)
{
    if (cur_left(&ip->payload) < len)
        return false;
    cur_skip(&ip->payload, len);
    ip->payload_wire -= (uint32_t)len;
    return true;
}

static enum decode_status decode_chain(struct walk *w, struct ip_packet *ip, uint32_t header_bytes);

struct fragment_field {
    uint32_t offset; /* bytes */
    bool more;
};

/* Holds the fragment, or goes on with the datagram that it completed. */
static enum decode_status decode_fragment(struct walk *w, const struct ip_packet *ip, struct fragment_field field,
                                          uint32_t header_bytes)
{
    if (w->whole && w->whole_layer == w->layer_count)
        return transport_emit_plain(w, ip); /* a fragment of a fragment (RFC 8200 §4.5 has none) */
    if (decoder_defers_fragments(w->d))
        return DECODE_FRAGMENT;
    if (!decoder_fragments(w->d))
        return transport_emit_plain(w, ip); /* without memory: its mark counts, its ports are not known */
    struct ip_layer layers[PACKET_LAYERS_MAX];
    for (unsigned i = 0; i < w->layer_count; i++) {
        walk_addr(&layers[i].src, w->layers[i].version, w->layers[i].src);
        walk_addr(&layers[i].dst, w->layers[i].version, w->layers[i].dst);
        layers[i].tos = w->layers[i].tos;
    }
    struct fragment f = {
        .proto = ip->proto,
        .ttl = ip->ttl,
        .id = ip->id,
        .offset = field.offset,
        .more = field.more,
        .wire_bytes = ip->payload_wire,
        .captured_bytes = (uint32_t)cur_left(&ip->payload),
        .bytes = ip->payload.at,
        .header_bytes = header_bytes,
        .layer_count = w->layer_count,
        .layers = layers,
        .tags = w->tags,
        .part = {.frame = w->frame->number,
                 .time_ns = w->frame->time_ns,
                 .input = w->frame->input,
                 .ip_bytes = ip->ip_bytes,
                 .tos = ip->tos,
                 .outer_tos = w->layer_count > 1 ? w->layers[0].tos : 0,
                 .has_outer = w->layer_count > 1},
    };
    if (decoder_is_outer(w->d) && w->tags.mirror_layers + 1 < w->layer_count) {
        f.part.tos = w->layers[w->tags.mirror_layers].tos;
        f.part.outer_tos = ip->tos;
    }
    struct datagram *g;
    enum fragment_result result = fragment_store_add(decoder_fragments(w->d), &f, &g);
    if (result == FRAGMENT_HELD)
        return DECODE_HELD;
    enum decode_status status = ip_emit_datagram(w, g);
    if (result == FRAGMENT_WHOLE && status == DECODE_PACKET && w->ret->part_count && w->ret->ports_known)
        fragment_store_set_ports(decoder_fragments(w->d), w->ret->proto, w->ret->src.port, w->ret->dst.port);
    return status;
}

enum decode_status ip_emit_datagram(struct walk *w, const struct datagram *g)
{
    w->tags = g->tags;
    w->layer_count = g->layer_count;
    for (unsigned i = 0; i < g->layer_count; i++) {
        const struct ip_layer *l = &g->layers[i];
        w->layers[i] = (struct walk_layer){l->src.bytes, l->dst.bytes, l->src.version, l->tos};
    }
    w->whole = g;
    w->whole_layer = g->layer_count;
    const struct walk_layer *l = &w->layers[g->layer_count - 1];
    struct ip_packet ip = {
        .src = l->src,
        .dst = l->dst,
        .version = l->version,
        .payload = cur_make(g->payload, g->payload_bytes, g->payload_bytes < g->payload_wire_bytes),
        .payload_wire = g->payload_wire_bytes,
        .ip_bytes = g->header_bytes + g->payload_wire_bytes,
        .id = g->id,
        .tos = l->tos,
        .ttl = g->ttl,
        .proto = g->proto,
    };
    if (g->payload_bytes)
        return decode_chain(w, &ip, g->header_bytes);
    (void)transport_emit_plain(w, &ip);
    w->ret->cut = true;
    if (g->ports_known) {
        w->ret->src.port = g->src_port;
        w->ret->dst.port = g->dst_port;
        w->ret->ports_known = true;
    }
    return DECODE_PACKET;
}

/* RFC 8200 §4.5 */
static enum decode_status decode_fragment_header(struct walk *w, struct ip_packet *ip, uint32_t header_bytes,
                                                 bool *ret_atomic)
{
    const uint8_t *h = ip->payload.at;
    if (!payload_skip(ip, 8))
        return transport_emit_plain(w, ip);
    struct fragment_field field = {.offset = get16(h + 2) & 0xfff8, .more = h[3] & 1};
    ip->proto = h[0];
    ip->id = get32(h + 4);
    if (field.offset == 0 && !field.more) {
        *ret_atomic = true; /* RFC 6946 */
        return DECODE_PACKET;
    }
    return decode_fragment(w, ip, field, header_bytes);
}

/* How long the extension header of this number is, from its first two bytes; 0 where the number is of none. */
static size_t extension_bytes(uint8_t proto, const uint8_t *h)
{
    switch (proto) {
    case NEXT_AH:
        return (h[1] + 2U) * 4U; /* RFC 4302 §2.2 */
    case NEXT_HOP_BY_HOP:
    case NEXT_ROUTING:
    case NEXT_DESTINATION:
    case NEXT_MOBILITY:
    case NEXT_HIP:
    case NEXT_SHIM6:
        return (h[1] + 1U) * 8U; /* RFC 8200 §4.3, RFC 6275 §6.1.1, RFC 7401 §5.1, RFC 5533 §5.1 */
    default:
        return 0;
    }
}

static inline bool is_extension(uint8_t proto)
{
    return proto == NEXT_HOP_BY_HOP || proto == NEXT_ROUTING || proto == NEXT_FRAGMENT || proto == NEXT_AH ||
           proto == NEXT_DESTINATION || proto == NEXT_MOBILITY || proto == NEXT_HIP || proto == NEXT_SHIM6;
}

/*
 * The chain of extension headers down to what the packet carries. Where the chain is cut or malformed the packet still
 * has its addresses and its mark: it is emitted with the number of the header that could not be read.
 */
static enum decode_status decode_chain(struct walk *w, struct ip_packet *ip, uint32_t header_bytes)
{
    bool ip6 = ip->version == 6;
    for (unsigned i = 0; is_extension(ip->proto) && (ip6 || ip->proto == NEXT_AH); i++) {
        if (i == EXTENSIONS_MAX) {
            w->too_deep = true;
            return transport_emit_plain(w, ip);
        }
        if (ip->proto == NEXT_FRAGMENT) {
            bool atomic = false;
            enum decode_status status = decode_fragment_header(w, ip, header_bytes, &atomic);
            if (!atomic)
                return status;
            header_bytes += 8;
            continue;
        }
        const uint8_t *h = ip->payload.at;
        if (cur_left(&ip->payload) < 2)
            return transport_emit_plain(w, ip);
        size_t len = extension_bytes(ip->proto, h);
        bool ends = ip->proto >= NEXT_MOBILITY && h[0] == NEXT_NONE; /* then it is itself what the packet is about */
        if (ends || !payload_skip(ip, len))
            return transport_emit_plain(w, ip);
        header_bytes += (uint32_t)len;
        ip->proto = h[0];
    }
    return transport_decode(w, ip);
}

/* RFC 791 §3.1 */
enum decode_status ip4_decode(struct walk *w, struct cursor c)
{
    const uint8_t *h = c.at;
    size_t left = cur_left(&c);
    if (left < IP4_HEADER)
        return walk_short(&c);
    if (h[0] >> 4 == 6 && ip6_looks_sound(&c))
        return ip6_decode(w, c); /* some equipment has but one number for both versions */
    uint32_t header = (h[0] & 15U) * 4U, total = get16(h + 2);
    if (h[0] >> 4 != 4 || header < IP4_HEADER || (header > left && !c.cut))
        return DECODE_MALFORMED;
    if (total == 0) /* not yet segmented: the interface does that (TSO) and fills the length in */
        total = (uint32_t)left + (c.cut ? w->missing_bytes : 0);
    if (total < header || (w->strict && !ip4_looks_sound(&c)))
        return DECODE_MALFORMED;
    if (!walk_layer_fits(w))
        return DECODE_UNSUPPORTED;

    w->layers[w->layer_count++] = (struct walk_layer){h + 12, h + 16, 4, h[1]};
    size_t there = left < total ? left : total;
    size_t skip = header < there ? header : there;
    struct ip_packet ip = {
        .payload = cur_make(h + skip, there - skip, there < total),
        .src = h + 12,
        .dst = h + 16,
        .version = 4,
        .payload_wire = total - header,
        .ip_bytes = total,
        .id = get16(h + 4),
        .tos = h[1],
        .ttl = h[8],
        .proto = h[9],
    };
    uint32_t fragment = get16(h + 6);
    if (fragment & 0x3fff)
        return decode_fragment(w, &ip, (struct fragment_field){(fragment & 0x1fff) * 8, fragment & 0x2000}, header);
    return ip.proto == NEXT_AH ? decode_chain(w, &ip, header) : transport_decode(w, &ip);
}

/* The length that a jumbo payload option gives (RFC 2675 §2), or 0. `c` begins at the hop-by-hop header. */
static uint32_t jumbo_bytes(struct cursor c)
{
    cur_skip(&c, 1);
    size_t len = (cur_u8(&c) + 1U) * 8U;
    struct cursor options = cur_child(&c, len - 2);
    while (cur_left(&options) > 0) {
        uint8_t type = cur_u8(&options);
        if (type == 0) /* Pad1 */
            continue;
        uint8_t bytes = cur_u8(&options);
        if (type == 0xc2 && bytes == 4) {
            uint32_t jumbo = cur_u32(&options);
            return options.failed ? 0 : jumbo;
        }
        cur_skip(&options, bytes);
    }
    return 0;
}

/* The payload length where the field is 0: of a jumbogram, or (Linux, before segmentation) of all there is. */
static uint32_t ip6_payload_bytes(const struct walk *w, const struct cursor *c, uint8_t next)
{
    uint32_t left = (uint32_t)cur_left(c);
    if (next == NEXT_HOP_BY_HOP) {
        uint32_t jumbo = jumbo_bytes(*c);
        return jumbo > 0xffff && jumbo < UINT32_MAX - IP6_HEADER ? jumbo : 0;
    }
    bool offload = (next == PROTO_TCP || next == PROTO_UDP) && left >= 8;
    return offload ? left + (c->cut ? w->missing_bytes : 0) : 0;
}

/* RFC 8200 §3 */
enum decode_status ip6_decode(struct walk *w, struct cursor c)
{
    if (w->strict && !ip6_looks_sound(&c))
        return DECODE_MALFORMED;
    const uint8_t *h = cur_take(&c, IP6_HEADER);
    if (!h)
        return walk_short(&c);
    if (h[0] >> 4 != 6)
        return DECODE_MALFORMED;
    if (!walk_layer_fits(w))
        return DECODE_UNSUPPORTED;

    tos_t tos = (tos_t)(h[0] << 4 | h[1] >> 4);
    w->layers[w->layer_count++] = (struct walk_layer){h + 8, h + 24, 6, tos};
    uint32_t payload = get16(h + 4);
    if (payload == 0)
        payload = ip6_payload_bytes(w, &c, h[6]);
    size_t left = cur_left(&c);
    size_t there = left < payload ? left : payload;
    struct ip_packet ip = {
        .payload = cur_make(c.at, there, there < payload),
        .src = h + 8,
        .dst = h + 24,
        .version = 6,
        .payload_wire = payload,
        .ip_bytes = IP6_HEADER + payload,
        .id = 0,
        .tos = tos,
        .ttl = h[7],
        .proto = h[6],
    };
    return is_extension(ip.proto) ? decode_chain(w, &ip, IP6_HEADER) : transport_decode(w, &ip);
}

enum decode_status ip_any_decode(struct walk *w, struct cursor c)
{
    switch (cur_peek(&c, 0) >> 4) {
    case 4:
        return ip4_decode(w, c);
    case 6:
        return ip6_decode(w, c);
    default:
        return cur_left(&c) ? DECODE_NOT_IP : walk_short(&c);
    }
}

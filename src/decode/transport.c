#include "decode/walk.h"

enum { UDP_HEADER = 8, TCP_HEADER = 20 };

static inline uint16_t get16(const uint8_t *p)
{
    return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --layer outer: the mark that counts is that of the outermost header, and the headers that only bring a mirrored frame
 * here are none of the traffic's. */
static void judge_outer(struct packet *p)
{
    unsigned judged = p->mirror_layers;
    if (judged + 1U >= p->layer_count)
        return;
    p->tos = p->layer_tos[judged];
    p->judged_outer = true;
    p->judged_version = p->layer_version[judged];
    for (unsigned i = 0; i <= judged; i++)
        p->judged_at = (uint8_t)(p->judged_at + (p->layer_version[i] == p->judged_version));
}

/* The only place that writes *ret, and all of it but the ports. */
static inline enum decode_status emit(struct walk *w, const struct ip_packet *ip, const uint8_t *payload, size_t bytes,
                                      uint32_t wire_bytes)
{
    struct packet *p = w->ret;
    p->frame = w->frame->number;
    p->time_ns = w->frame->time_ns;
    p->input = w->frame->input;
    p->ip_bytes = ip->ip_bytes;
    walk_addr(&p->src.addr, ip->version, ip->src);
    p->src.port = 0;
    walk_addr(&p->dst.addr, ip->version, ip->dst);
    p->dst.port = 0;
    p->proto = ip->proto;
    p->tos = ip->tos;
    p->ttl = ip->ttl;
    p->ip_id = ip->id;
    p->flow_hash = 0;
    p->layer_count = w->layer_count;
    for (unsigned i = 0; i < w->layer_count; i++) {
        p->layer_tos[i] = w->layers[i].tos;
        p->layer_version[i] = w->layers[i].version;
    }
    p->ports_known = false;
    p->cut = bytes < wire_bytes;
    p->has_vlan = w->tags.has_vlan;
    p->vlan_pcp = w->tags.vlan_pcp;
    p->vlan_id = w->tags.vlan_id;
    p->has_mpls = w->tags.has_mpls;
    p->mpls_tc = w->tags.mpls_tc;
    p->mirror_layers = w->tags.mirror_layers;
    p->tcp_seq = 0;
    p->tcp_ack = 0;
    p->tcp_flags = 0;
    p->payload = payload;
    p->payload_bytes = (uint32_t)bytes;
    p->payload_wire_bytes = wire_bytes;
    p->judged_outer = false;
    p->judged_at = 0;
    if (decoder_is_outer(w->d))
        judge_outer(p);
    bool fragmented = w->whole && w->whole_layer == w->layer_count;
    p->parts = fragmented ? w->whole->parts : NULL;
    p->part_count = fragmented ? w->whole->part_count : 0;
    return DECODE_PACKET;
}

static inline void emit_ports(struct walk *w, uint16_t src, uint16_t dst)
{
    w->ret->src.port = src;
    w->ret->dst.port = dst;
    w->ret->ports_known = true;
}

enum decode_status transport_emit_plain(struct walk *w, const struct ip_packet *ip)
{
    return emit(w, ip, ip->payload.at, cur_left(&ip->payload), ip->payload_wire);
}

/* A header that is not all there: its ports, where they are, and no payload. */
static enum decode_status emit_short(struct walk *w, const struct ip_packet *ip, uint32_t header_bytes)
{
    const uint8_t *h = ip->payload.at;
    size_t left = cur_left(&ip->payload);
    uint32_t wire = ip->payload_wire > header_bytes ? ip->payload_wire - header_bytes : 0;
    (void)emit(w, ip, ip->payload.at, 0, wire);
    w->ret->cut = w->ret->cut || ip->payload.cut;
    if (left >= 4)
        emit_ports(w, get16(h), get16(h + 2));
    return DECODE_PACKET;
}

/* RFC 768. A length that contradicts the IP header gives way to it: the mark is there all the same. */
static inline enum decode_status udp_decode(struct walk *w, const struct ip_packet *ip)
{
    size_t left = cur_left(&ip->payload);
    if (left < UDP_HEADER)
        return emit_short(w, ip, UDP_HEADER);
    const uint8_t *h = ip->payload.at;
    uint16_t src = get16(h), dst = get16(h + 2);
    uint32_t len = get16(h + 4);
    uint32_t wire = ip->payload_wire - UDP_HEADER;
    size_t bytes = left - UDP_HEADER;
    if (len >= UDP_HEADER && len - UDP_HEADER <= wire) {
        wire = len - UDP_HEADER;
        bytes = bytes < wire ? bytes : wire;
    }
    if (decoder_port_is_tunnel(w->d, src) || decoder_port_is_tunnel(w->d, dst)) {
        enum decode_status status = tunnel_udp(w, src, dst, cur_make(h + UDP_HEADER, bytes, bytes < wire));
        if (walk_found(status))
            return status;
        if (status == DECODE_TRUNCATED)
            decoder_count_cut_tunnel(w->d);
    }
    (void)emit(w, ip, h + UDP_HEADER, bytes, wire);
    emit_ports(w, src, dst);
    return DECODE_PACKET;
}

/* RFC 9293 §3.1 */
static inline enum decode_status tcp_decode(struct walk *w, const struct ip_packet *ip)
{
    size_t left = cur_left(&ip->payload);
    if (left < TCP_HEADER)
        return emit_short(w, ip, TCP_HEADER);
    const uint8_t *h = ip->payload.at;
    uint32_t header = (h[12] >> 4) * 4U;
    if (header < TCP_HEADER || header > ip->payload_wire) {
        /* where the data begins is not known, so there is none; a cut is not to blame. Nor may the empty payload point
         * further: whoever looks for the IP header looks in front of it. */
        (void)emit(w, ip, ip->payload.at, 0, 0);
    } else {
        size_t there = header < left ? header : left;
        (void)emit(w, ip, h + there, left - there, ip->payload_wire - header);
        w->ret->cut = left < ip->payload_wire;
    }
    emit_ports(w, get16(h), get16(h + 2));
    w->ret->tcp_seq = get32(h + 4);
    w->ret->tcp_ack = get32(h + 8);
    w->ret->tcp_flags = h[13];
    return DECODE_PACKET;
}

/* SCTP (RFC 9260 §3.1), DCCP (RFC 4340 §5.1), UDP-Lite (RFC 3828 §3.1): ports first, the rest is not read here. */
static enum decode_status ports_decode(struct walk *w, const struct ip_packet *ip)
{
    const uint8_t *h = ip->payload.at;
    (void)transport_emit_plain(w, ip);
    if (cur_left(&ip->payload) >= 4)
        emit_ports(w, get16(h), get16(h + 2));
    return DECODE_PACKET;
}

/* What an IP header may carry besides TCP and UDP (IANA protocol numbers). */
static const struct protocol {
    enum decode_status (*transport)(struct walk *w, const struct ip_packet *ip);
    decode_fn *tunnel;
} protocols[256] = {
    [4] = {.tunnel = ip4_decode},        /* RFC 2003 */
    [33] = {.transport = ports_decode},  /* DCCP */
    [41] = {.tunnel = ip6_decode},       /* RFC 2473, RFC 4213 */
    [47] = {.tunnel = tunnel_gre},       /* RFC 2784 */
    [97] = {.tunnel = tunnel_etherip},   /* RFC 3378 */
    [103] = {.tunnel = tunnel_pim},      /* RFC 7761 §4.9.3 */
    [115] = {.tunnel = tunnel_l2tpv3},   /* RFC 3931 §4.1.1 */
    [132] = {.transport = ports_decode}, /* SCTP */
    [136] = {.transport = ports_decode}, /* UDP-Lite */
    [137] = {.tunnel = mpls_decode},     /* RFC 4023 */
    [143] = {.tunnel = link_ethernet},   /* RFC 8986 §4.9 */
};

enum decode_status walk_try(struct walk *w, decode_fn *fn, struct cursor c)
{
    struct walk_tags tags = w->tags;
    const struct datagram *whole = w->whole;
    uint8_t whole_layer = w->whole_layer, layer_count = w->layer_count;
    bool strict = w->strict;
    enum decode_status status = fn(w, c);
    if (!walk_found(status)) {
        w->tags = tags;
        w->whole = whole;
        w->whole_layer = whole_layer;
        w->layer_count = layer_count;
        w->strict = strict;
    }
    return status;
}

enum decode_status transport_decode(struct walk *w, const struct ip_packet *ip)
{
    if (ip->proto == PROTO_UDP)
        return udp_decode(w, ip);
    if (ip->proto == PROTO_TCP)
        return tcp_decode(w, ip);
    const struct protocol *p = &protocols[ip->proto];
    if (p->transport)
        return p->transport(w, ip);
    if (p->tunnel) {
        enum decode_status status = walk_try(w, p->tunnel, ip->payload);
        if (walk_found(status))
            return status;
        if (status == DECODE_TRUNCATED)
            decoder_count_cut_tunnel(w->d);
    }
    return transport_emit_plain(w, ip);
}

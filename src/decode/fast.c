#include "decode/walk.h"

/*
 * The way of nearly every frame in one piece: Ethernet, at most one VLAN tag, a plain IPv4 or IPv6 header, UDP that is
 * no tunnel, nothing cut away and nothing odd. What it makes of a frame is what the general way makes of it, field for
 * field (tests/unit/decode/test_fast.c holds one against the other); whatever else comes is left to that.
 */
enum { ETHERNET = 14, VLAN = 4, IP4_HEADER = 20, IP6_HEADER = 40, UDP_HEADER = 8 };

static inline uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* From the IP header on. `total` is the length of the packet as its header says. */
static inline bool fast_udp(const struct decoder *d, const struct frame *frame, const uint8_t *ip, uint32_t header,
                            uint32_t total, struct packet *ret)
{
    uint32_t left = frame->captured_bytes - (uint32_t)(ip - frame->bytes);
    const uint8_t *udp = ip + header;
    if (total > left || total < header + UDP_HEADER)
        return false;
    uint32_t src = get16(udp), dst = get16(udp + 2), len = get16(udp + 4);
    if (len < UDP_HEADER || len > total - header || decoder_port_is_tunnel(d, (uint16_t)src) ||
        decoder_port_is_tunnel(d, (uint16_t)dst))
        return false;
    ret->frame = frame->number;
    ret->time_ns = frame->time_ns;
    ret->input = frame->input;
    ret->ip_bytes = total;
    ret->flow_hash = 0;
    ret->src.port = (uint16_t)src;
    ret->dst.port = (uint16_t)dst;
    ret->proto = PROTO_UDP;
    ret->layer_count = 1;
    ret->mirror_layers = 0;
    ret->judged_outer = false;
    ret->judged_version = 0;
    ret->judged_at = 0;
    ret->ports_known = true;
    ret->cut = false;
    ret->has_mpls = false;
    ret->mpls_tc = 0;
    ret->tcp_seq = 0;
    ret->tcp_ack = 0;
    ret->tcp_flags = 0;
    ret->payload = udp + UDP_HEADER;
    ret->payload_bytes = len - UDP_HEADER;
    ret->payload_wire_bytes = len - UDP_HEADER;
    ret->parts = NULL;
    ret->part_count = 0;
    return true;
}

static inline void fast_marks(struct packet *ret, uint8_t version, tos_t tos, uint8_t ttl, uint32_t id)
{
    ret->tos = tos;
    ret->ttl = ttl;
    ret->ip_id = id;
    ret->layer_tos[0] = tos;
    ret->layer_version[0] = version;
}

static inline bool fast_ip4(const struct decoder *d, const struct frame *frame, const uint8_t *ip, struct packet *ret)
{
    /* version and header length; no fragment; protocol */
    if (ip[0] != 0x45 || (get16(ip + 6) & 0x3fff) || ip[9] != PROTO_UDP ||
        !fast_udp(d, frame, ip, IP4_HEADER, get16(ip + 2), ret))
        return false;
    walk_addr(&ret->src.addr, 4, ip + 12);
    walk_addr(&ret->dst.addr, 4, ip + 16);
    fast_marks(ret, 4, ip[1], ip[8], get16(ip + 4));
    return true;
}

static inline bool fast_ip6(const struct decoder *d, const struct frame *frame, const uint8_t *ip, struct packet *ret)
{
    if (ip[0] >> 4 != 6 || ip[6] != PROTO_UDP || get16(ip + 4) == 0 ||
        !fast_udp(d, frame, ip, IP6_HEADER, IP6_HEADER + get16(ip + 4), ret))
        return false;
    walk_addr(&ret->src.addr, 6, ip + 8);
    walk_addr(&ret->dst.addr, 6, ip + 24);
    fast_marks(ret, 6, (tos_t)(ip[0] << 4 | ip[1] >> 4), ip[7], 0);
    return true;
}

bool decode_fast(const struct decoder *d, const struct frame *frame, struct packet *ret)
{
    const uint8_t *h = frame->bytes;
    uint32_t link = ETHERNET;
    if (frame->captured_bytes < ETHERNET + VLAN + IP4_HEADER)
        return false;
    uint32_t type = get16(h + 12);
    bool tagged = type == 0x8100;
    if (tagged) {
        type = get16(h + 16);
        link += VLAN;
    }
    bool found = type == 0x0800 ? fast_ip4(d, frame, h + link, ret)
                                : type == 0x86dd && frame->captured_bytes >= link + IP6_HEADER &&
                                      fast_ip6(d, frame, h + link, ret);
    if (!found)
        return false;
    ret->has_vlan = tagged;
    ret->vlan_pcp = tagged ? h[14] >> 5 : 0;
    ret->vlan_id = tagged ? (uint16_t)(get16(h + 14) & 0xfff) : 0;
    return true;
}

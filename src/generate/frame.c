#include "generate/frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "probe/craft.h"

enum {
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    UDP_BYTES = 8,
    TCP_BYTES = 20,
    GRE_BYTES = 4,
    GRE_PROTO = 47,
    VLAN_AT = 14,
    FRAGMENT_BYTES = 8,
    FRAGMENT_PROTO = 44,
    TTL = 61, /* as of a host a few routers away */
    TCP_WINDOW = 64240,
    MORE_FRAGMENTS = 0x2000,
};

/* ---- RFC 1071 ---- */

static uint16_t load16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint32_t)sum;
}

uint32_t generate_sum(const uint8_t *bytes, size_t n)
{
    /* words in the machine's own order: the sum comes out in that order too (RFC 1071 §2 (B)) */
    uint64_t sum = 0;
    uint16_t folded;
    uint8_t out[2];
    for (; n >= 4; bytes += 4, n -= 4) {
        uint32_t word;
        memcpy(&word, bytes, sizeof word);
        sum += word;
    }
    if (n) {
        uint8_t rest[4] = {0};
        uint32_t word;
        memcpy(rest, bytes, n);
        memcpy(&word, rest, sizeof word);
        sum += word;
    }
    folded = (uint16_t)fold(sum);
    memcpy(out, &folded, sizeof out);
    return load16(out);
}

/* ---- headers, by libnet ---- */

struct generate_frames {
    struct craft *craft;
    struct generate_shape shape;
};

int generate_frames_new(const struct generate_shape *shape, struct generate_frames **ret, struct error *error)
{
    struct generate_frames *f;
    if (!craft_available())
        return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without libnet, which makes the packets");
    f = calloc(1, sizeof *f);
    if (!f)
        return error_set(error, ERR_MEMORY, "out of memory");
    f->shape = *shape;
    f->craft = craft_new(error);
    if (!f->craft) {
        free(f);
        return error && error->text[0] ? ERR_IO : error_set(error, ERR_MEMORY, "out of memory");
    }
    *ret = f;
    return 0;
}

void generate_frames_free(struct generate_frames *f)
{
    if (f)
        craft_free(f->craft);
    free(f);
}

/* Locally administered, and of the address, so that each host has its own. */
static void mac_of(const struct addr *a, uint8_t mac[static 6])
{
    mac[0] = 2;
    mac[1] = a->version;
    if (a->version == 4) {
        memcpy(mac + 2, a->bytes, 4);
    } else {
        mac[2] = a->bytes[5];
        memcpy(mac + 3, a->bytes + 13, 3);
    }
}

/* A packet with no payload between two ends; its length or what went wrong. */
static int build(struct generate_frames *f, const struct endpoint *src, const struct endpoint *dst, uint8_t proto,
                 bool link, uint8_t *to, size_t room, struct error *error)
{
    struct craft_ethernet ethernet = {.tagged = f->shape.vlan, .vlan = f->shape.vlan_id};
    const struct craft_packet p = {.ethernet = link ? &ethernet : NULL,
                                   .src = *src,
                                   .dst = *dst,
                                   .proto = proto,
                                   .ttl = TTL,
                                   .tcp_flags = TCP_ACK,
                                   .tcp_window = TCP_WINDOW};
    mac_of(&src->addr, ethernet.src);
    mac_of(&dst->addr, ethernet.dst);
    return craft_build(f->craft, &p, to, room, error);
}

/* The outer header of a tunnel is the IP header of a packet between its ends, with what it carries named in it, and
 * GRE's four bytes (RFC 2784 §2). Its length. */
static int build_outer(struct generate_frames *f, uint8_t version, enum generate_tunnel tunnel,
                       const struct addr *outer_src, const struct addr *outer_dst, struct generate_header *h,
                       struct error *error)
{
    const struct endpoint src = {*outer_src, 0}, dst = {*outer_dst, 0};
    uint8_t packet[GENERATE_HEADER_MAX], carried = version == 4 ? 4 : 41; /* RFC 2003, RFC 2473 */
    int n = build(f, &src, &dst, PROTO_UDP, f->shape.link_type == GENERATE_LINK_ETHERNET, packet, sizeof packet, error);
    if (n < 0)
        return n;
    bool v4 = outer_src->version == 4;
    size_t len = (size_t)n - UDP_BYTES;
    memcpy(h->bytes, packet, len);
    h->outer_at = (uint8_t)(len - (v4 ? IPV4_BYTES : IPV6_BYTES));
    if (tunnel == GENERATE_GRE) {
        carried = GRE_PROTO;
        store_be16(h->bytes + len, 0);
        store_be16(h->bytes + len + 2, version == 4 ? 0x0800 : 0x86dd);
        len += GRE_BYTES;
    }
    h->bytes[h->outer_at + (v4 ? 9 : 6)] = carried;
    return (int)len;
}

int generate_frames_header(struct generate_frames *f, const struct endpoint *src, const struct endpoint *dst,
                           uint8_t proto, enum generate_tunnel tunnel, const struct addr *outer_src,
                           const struct addr *outer_dst, struct generate_header *ret, struct error *error)
{
    struct generate_header h = {
        .version = src->addr.version, .proto = proto, .tunnelled = tunnel != GENERATE_NO_TUNNEL};
    bool ethernet = f->shape.link_type == GENERATE_LINK_ETHERNET, link = ethernet && !tunnel;
    int around = tunnel ? build_outer(f, h.version, tunnel, outer_src, outer_dst, &h, error) : 0;
    if (around < 0)
        return around;
    int n = build(f, src, dst, proto, link, h.bytes + around, sizeof h.bytes - (size_t)around, error);
    if (n < 0)
        return n;
    size_t ip = h.version == 4 ? IPV4_BYTES : IPV6_BYTES, addresses = h.version == 4 ? 8 : 32;
    h.len = (uint8_t)(around + n);
    h.transport_at = (uint8_t)(h.len - (proto == PROTO_TCP ? TCP_BYTES : UDP_BYTES));
    h.ip_at = (uint8_t)(h.transport_at - ip);
    h.vlan_at = ethernet && f->shape.vlan ? VLAN_AT : 0;
    h.pseudo_sum = generate_sum(h.bytes + h.transport_at - addresses, addresses) + proto;
    *ret = h;
    return 0;
}

/* ---- what differs from packet to packet ---- */

static unsigned transport_bytes(const struct generate_header *h)
{
    return h->proto == PROTO_TCP ? TCP_BYTES : UDP_BYTES;
}

size_t generate_frame_room(const struct generate_header *h)
{
    size_t around = h->tunnelled ? (size_t)(h->ip_at - h->outer_at) : 0;
    return GENERATE_MTU - around - (size_t)(h->transport_at - h->ip_at) - transport_bytes(h);
}

/* Mark, length, identification and header checksum of one IP header; `packet` is the length of it all. */
static void patch_ip(uint8_t *ip, tos_t tos, uint16_t ip_id, size_t packet, unsigned fragment)
{
    if (ip[0] >> 4 == 4) {
        ip[1] = tos;
        store_be16(ip + 2, (unsigned)packet);
        store_be16(ip + 4, ip_id);
        store_be16(ip + 6, fragment);
        store_be16(ip + 10, 0);
        store_be16(ip + 10, ~generate_sum(ip, IPV4_BYTES) & 0xffff);
        return;
    }
    ip[0] = (uint8_t)(0x60 | tos >> 4);
    ip[1] = (uint8_t)((tos & 15) << 4 | (ip[1] & 15));
    store_be16(ip + 4, (unsigned)(packet - IPV6_BYTES));
}

/* Everything before the transport header, for a packet whose innermost IP packet has `packet` bytes. */
static void patch_around(const struct generate_header *h, const struct generate_fields *fields, size_t packet,
                         unsigned fragment, uint8_t *to)
{
    if (h->vlan_at)
        store_be16(to + h->vlan_at, (unsigned)fields->pcp << 13 | (load16(h->bytes + h->vlan_at) & 0xfff));
    if (h->tunnelled)
        patch_ip(to + h->outer_at, fields->outer_tos, fields->ip_id, packet + (size_t)(h->ip_at - h->outer_at), 0);
    patch_ip(to + h->ip_at, fields->tos, fields->ip_id, packet, fragment);
}

/* RFC 768: a UDP checksum that comes out as 0 is sent as all ones, and must not be 0 over IPv6. */
static void patch_transport(const struct generate_header *h, const struct generate_fields *fields, size_t payload_len,
                            uint32_t payload_sum, uint8_t *to)
{
    size_t len = transport_bytes(h) + payload_len, sum_at = 6;
    if (h->proto == PROTO_TCP) {
        store_be32(to + 4, fields->seq);
        store_be32(to + 8, fields->ack);
        to[13] = fields->tcp_flags;
        sum_at = 16;
    } else {
        store_be16(to + 4, (unsigned)len);
    }
    store_be16(to + sum_at, 0);
    uint64_t sum = (uint64_t)h->pseudo_sum + len + payload_sum + generate_sum(to, transport_bytes(h));
    unsigned checksum = ~fold(sum) & 0xffff;
    store_be16(to + sum_at, checksum == 0 && h->proto == PROTO_UDP ? 0xffff : checksum);
}

size_t generate_frame_write(const struct generate_header *h, const struct generate_fields *fields,
                            const uint8_t *payload, size_t payload_len, uint32_t payload_sum,
                            uint8_t to[static GENERATE_FRAME_MAX])
{
    unsigned transport = transport_bytes(h);
    memcpy(to, h->bytes, h->len);
    patch_around(h, fields, (size_t)(h->transport_at - h->ip_at) + transport + payload_len, 0, to);
    patch_transport(h, fields, payload_len, payload_sum, to + h->transport_at);
    if (payload_len)
        memcpy(to + h->len, payload, payload_len);
    return h->len + payload_len;
}

size_t generate_datagram(const struct generate_header *h, const uint8_t *payload, size_t payload_len, uint8_t *to)
{
    const struct generate_fields none = {0};
    memcpy(to, h->bytes + h->transport_at, UDP_BYTES);
    patch_transport(h, &none, payload_len, generate_sum(payload, payload_len), to);
    memcpy(to + UDP_BYTES, payload, payload_len);
    return UDP_BYTES + payload_len;
}

size_t generate_frame_fragment(const struct generate_header *h, const struct generate_fields *fields,
                               const uint8_t *datagram, size_t datagram_len, unsigned n,
                               uint8_t to[static GENERATE_FRAME_MAX])
{
    size_t extension = h->version == 6 ? FRAGMENT_BYTES : 0;
    size_t room = (generate_frame_room(h) + transport_bytes(h) - extension) / 8 * 8;
    size_t from = n * room, len = from < datagram_len ? datagram_len - from : 0;
    bool more = len > room;
    if (len == 0)
        return 0;
    len = more ? room : len;
    memcpy(to, h->bytes, h->transport_at);
    uint8_t *at = to + h->transport_at;
    if (extension) {
        to[h->ip_at + 6] = FRAGMENT_PROTO;
        at[0] = h->proto;
        at[1] = 0;
        store_be16(at + 2, (unsigned)(from | more)); /* in units of 8, shifted left by 3: the bytes themselves */
        store_be32(at + 4, fields->ip_id);
        at += FRAGMENT_BYTES;
    }
    patch_around(h, fields, (size_t)(h->transport_at - h->ip_at) + extension + len,
                 (unsigned)(from / 8) | (more ? MORE_FRAGMENTS : 0), to);
    memcpy(at, datagram + from, len);
    return (size_t)(at - to) + len;
}

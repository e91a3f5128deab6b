#include "probe/craft.h"

#include <stdlib.h>
#include <string.h>

#ifdef QOSMARK_HAVE_LIBNET

#include <libnet.h>

struct craft {
    libnet_t *net;
};

struct craft *craft_new(struct error *error)
{
    char text[LIBNET_ERRBUF_SIZE] = "";
    struct craft *c = calloc(1, sizeof *c);
    if (c)
        c->net = libnet_init(LIBNET_NONE, NULL, text);
    if (c && c->net)
        return c;
    (void)error_set(error, ERR_MEMORY, "libnet could not be set up: %s", text[0] ? text : "out of memory");
    free(c);
    return NULL;
}

void craft_free(struct craft *c)
{
    if (!c)
        return;
    libnet_destroy(c->net);
    free(c);
}

bool craft_available(void)
{
    return true;
}

/* Why the packet cannot be, or NULL. */
static const char *problem_of(const struct craft_packet *p)
{
    uint8_t version = p->src.addr.version;
    if ((version != 4 && version != 6) || p->dst.addr.version != version)
        return "a packet needs a source and a destination of the same IP version";
    if (p->proto != PROTO_UDP && p->proto != PROTO_TCP && p->proto != (version == 4 ? PROTO_ICMP : PROTO_ICMPV6))
        return "this protocol is not made here";
    if (p->tcp_options_bytes % 4 || p->tcp_options_bytes > 40)
        return "TCP options are a multiple of 4 bytes, at most 40";
    if (p->flow_label > 0xFFFFF)
        return "a flow label has 20 bits";
    if (p->ethernet && (p->ethernet->vlan > 4095 || p->ethernet->vlan_pcp > 7))
        return "a VLAN is 0 to 4095 and its priority 0 to 7";
    return NULL;
}

static uint16_t transport_bytes(const struct craft_packet *p)
{
    size_t header = p->proto == PROTO_TCP ? 20U + p->tcp_options_bytes : 8U;
    return (uint16_t)(header + p->payload_bytes);
}

/* libnet builds from the last header to the first. */
static bool build_transport(libnet_t *net, const struct craft_packet *p)
{
    uint32_t bytes = (uint32_t)p->payload_bytes;
    const uint8_t *payload = bytes ? p->payload : NULL;
    if (p->proto == PROTO_UDP)
        return libnet_build_udp(p->src.port, p->dst.port, transport_bytes(p), 0, payload, bytes, net, 0) >= 0;
    if (p->proto == PROTO_ICMP)
        return libnet_build_icmpv4_echo(p->echo_reply ? 0 : 8, 0, 0, p->echo_id, p->echo_seq, payload, bytes, net, 0) >=
               0;
    if (p->proto == PROTO_ICMPV6) {
        uint8_t copy[CRAFT_PACKET_MAX]; /* libnet 1.1.6 reads from it only, but its prototype does not say so */
        if (bytes)
            memcpy(copy, payload, bytes);
        return libnet_build_icmpv6_echo(p->echo_reply ? 129 : 128, 0, 0, p->echo_id, p->echo_seq, bytes ? copy : NULL,
                                        bytes, net, 0) >= 0;
    }
    if (p->tcp_options_bytes && libnet_build_tcp_options(p->tcp_options, p->tcp_options_bytes, net, 0) < 0)
        return false;
    return libnet_build_tcp(p->src.port, p->dst.port, p->tcp_seq, p->tcp_ack, p->tcp_flags, p->tcp_window, 0, 0,
                            transport_bytes(p), payload, bytes, net, 0) >= 0;
}

static bool build_ip(libnet_t *net, const struct craft_packet *p)
{
    if (p->src.addr.version == 4) {
        uint32_t src, dst;
        memcpy(&src, p->src.addr.bytes, sizeof src); /* libnet takes them in network order */
        memcpy(&dst, p->dst.addr.bytes, sizeof dst);
        return libnet_build_ipv4((uint16_t)(20 + transport_bytes(p)), p->tos, p->ip_id, p->dont_fragment ? 0x4000 : 0,
                                 p->ttl, p->proto, 0, src, dst, NULL, 0, net, 0) >= 0;
    }
    struct libnet_in6_addr src, dst;
    memcpy(&src, p->src.addr.bytes, sizeof src);
    memcpy(&dst, p->dst.addr.bytes, sizeof dst);
    return libnet_build_ipv6(p->tos, p->flow_label, transport_bytes(p), p->proto, p->ttl, src, dst, NULL, 0, net, 0) >=
           0;
}

static bool build_ethernet(libnet_t *net, const struct craft_packet *p)
{
    const struct craft_ethernet *e = p->ethernet;
    uint16_t type = p->src.addr.version == 4 ? 0x0800 : 0x86DD;
    if (!e)
        return true;
    if (e->tagged)
        return libnet_build_802_1q(e->dst, e->src, 0x8100, e->vlan_pcp, 0, e->vlan, type, NULL, 0, net, 0) >= 0;
    return libnet_build_ethernet(e->dst, e->src, type, NULL, 0, net, 0) >= 0;
}

/* What libnet 1.1.6 gets wrong: bits 8 to 15 of the flow label, and a UDP checksum of 0, which says "none". */
static void mend(const struct craft_packet *p, uint8_t *ip)
{
    bool v6 = p->src.addr.version == 6;
    if (v6) {
        ip[1] = (uint8_t)((ip[1] & 0xF0) | p->flow_label >> 16);
        ip[2] = (uint8_t)(p->flow_label >> 8);
        ip[3] = (uint8_t)p->flow_label;
    }
    uint8_t *checksum = ip + (v6 ? 40 : 20) + 6;
    if (p->proto == PROTO_UDP && checksum[0] == 0 && checksum[1] == 0)
        checksum[0] = checksum[1] = 0xFF;
}

int craft_build(struct craft *c, const struct craft_packet *p, uint8_t *to, size_t size, struct error *error)
{
    const char *problem = problem_of(p);
    if (problem)
        return error_set(error, ERR_USAGE, "%s", problem);
    size_t link = p->ethernet ? p->ethernet->tagged ? 18 : 14 : 0, ip = p->src.addr.version == 4 ? 20 : 40;
    if (p->payload_bytes > CRAFT_PACKET_MAX || link + ip + transport_bytes(p) > size ||
        link + ip + transport_bytes(p) > CRAFT_PACKET_MAX)
        return error_set(error, ERR_LIMIT, "a packet with %zu bytes of payload is too long", p->payload_bytes);

    uint8_t *bytes = NULL;
    uint32_t len = 0;
    /* libnet_adv_cull_packet() does just this, but in 1.1.6 it insists on a link device, and so on a privilege */
    bool built = build_transport(c->net, p) && build_ip(c->net, p) && build_ethernet(c->net, p) &&
                 libnet_pblock_coalesce(c->net, &bytes, &len) >= 0 && bytes && len <= size;
    int r =
        built ? (int)len : error_set(error, ERR_MEMORY, "libnet could not build a packet: %s", libnet_geterror(c->net));
    if (built) {
        memcpy(to, bytes, len);
        mend(p, to + link);
    }
    if (bytes)
        libnet_adv_free_packet(c->net, bytes);
    libnet_clear_packet(c->net);
    return r;
}

#else

struct craft *craft_new(struct error *error)
{
    (void)error_set(error, ERR_UNSUPPORTED, "this qosmark was built without libnet, which makes packets");
    return NULL;
}

void craft_free(struct craft *c)
{
    (void)c;
}

bool craft_available(void)
{
    return false;
}

int craft_build(struct craft *c, const struct craft_packet *p, uint8_t *to, size_t size, struct error *error)
{
    (void)c;
    (void)p;
    (void)to;
    (void)size;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without libnet, which makes packets");
}

#endif

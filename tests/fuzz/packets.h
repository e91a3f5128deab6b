#ifndef QOSMARK_TESTS_FUZZ_PACKETS_H
#define QOSMARK_TESTS_FUZZ_PACKETS_H

/* What holds of every packet that decode/ hands out, whatever the frame was. */
#include "decode/decoder.h"
#include "decode/fragment.h"
#include "fuzz.h"
#include "model/packet.h"

/* Touches each byte, so that AddressSanitizer sees those that are not there. */
FUZZ_UNTRACED static inline void fuzz_touch(const uint8_t *bytes, size_t len)
{
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + bytes[i]);
}

static inline void fuzz_check_parts(const struct packet *p)
{
    uint64_t newest = 0;
    for (uint32_t i = 0; i < p->part_count; i++) {
        /* the order of arrival; in a tunnel that is in fragments itself, a part arrives when that is given up */
        FUZZ_CHECK(p->parts[i].frame >= newest || p->parts[i].has_outer);
        newest = p->parts[i].frame;
    }
    FUZZ_CHECK(p->part_count <= FRAGMENT_PARTS_MAX);
}

static inline void fuzz_check_packet(const struct packet *p, bool outer)
{
    FUZZ_CHECK(p->layer_count >= 1 && p->layer_count <= PACKET_LAYERS_MAX);
    FUZZ_CHECK(p->mirror_layers < p->layer_count);
    FUZZ_CHECK(p->src.addr.version == p->dst.addr.version);
    FUZZ_CHECK(p->src.addr.version == 4 || p->src.addr.version == 6);
    FUZZ_CHECK(p->layer_version[p->layer_count - 1] == p->src.addr.version);
    for (unsigned i = 0; i < p->layer_count; i++)
        FUZZ_CHECK(p->layer_version[i] == 4 || p->layer_version[i] == 6);
    for (unsigned i = 4; p->src.addr.version == 4 && i < 16; i++)
        FUZZ_CHECK(p->src.addr.bytes[i] == 0 && p->dst.addr.bytes[i] == 0);
    FUZZ_CHECK(!p->judged_outer || (outer && p->layer_count > 1 && p->judged_at >= 1));
    if (p->part_count == 0)
        FUZZ_CHECK(p->tos == p->layer_tos[p->judged_outer ? p->mirror_layers : p->layer_count - 1]);
    FUZZ_CHECK(p->payload_bytes <= p->payload_wire_bytes);
    FUZZ_CHECK(p->payload_bytes == p->payload_wire_bytes || p->cut || p->part_count);
    FUZZ_CHECK(p->ports_known || (p->src.port == 0 && p->dst.port == 0));
    FUZZ_CHECK(p->vlan_pcp < 8 && p->vlan_id < 4096 && p->mpls_tc < 8);
    FUZZ_CHECK(p->has_vlan || (p->vlan_pcp == 0 && p->vlan_id == 0));
    fuzz_touch(p->payload, p->payload_bytes);
    fuzz_check_parts(p);
}

/* What depends neither on which header is judged nor on the link layer. */
static inline void fuzz_check_same(const struct packet *a, const struct packet *b)
{
    FUZZ_CHECK(endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst));
    FUZZ_CHECK(a->proto == b->proto && a->ttl == b->ttl && a->ip_id == b->ip_id && a->ip_bytes == b->ip_bytes);
    FUZZ_CHECK(a->layer_count == b->layer_count && a->mirror_layers == b->mirror_layers);
    FUZZ_CHECK(memcmp(a->layer_tos, b->layer_tos, a->layer_count) == 0);
    FUZZ_CHECK(a->ports_known == b->ports_known && a->cut == b->cut);
    FUZZ_CHECK(a->has_vlan == b->has_vlan && a->vlan_id == b->vlan_id && a->vlan_pcp == b->vlan_pcp);
    FUZZ_CHECK(a->payload_bytes == b->payload_bytes && a->payload_wire_bytes == b->payload_wire_bytes);
    if (a->proto == PROTO_TCP)
        FUZZ_CHECK(a->tcp_seq == b->tcp_seq && a->tcp_ack == b->tcp_ack && a->tcp_flags == b->tcp_flags);
}

#endif

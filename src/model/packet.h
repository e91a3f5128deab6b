#ifndef QOSMARK_MODEL_PACKET_H
#define QOSMARK_MODEL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/address.h"
#include "model/dscp.h"

#define PACKET_LAYERS_MAX 16

enum { PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ICMPV6 = 58, PROTO_SCTP = 132 };

enum tcp_flag { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

/* One frame's share in a packet that came in fragments. */
struct packet_part {
    uint64_t frame;
    int64_t time_ns;
    uint32_t input;
    uint32_t ip_bytes; /* length of the IP packet on the wire */
    tos_t tos;       /* of the IP header that is judged */
    tos_t outer_tos; /* of the outermost one; of the innermost where the outermost is judged */
    bool has_outer;  /* there is more than one */
};

/*
 * What decode/ made of a frame (or of the fragments that were put together): the innermost IP header and its payload.
 * Everything is borrowed for one call. Packets are made by the batch, so this is kept small; of arrays only what
 * their counts say is ever written.
 */
struct packet {
    uint64_t frame; /* the frame that completed it */
    int64_t time_ns;
    uint32_t input;
    uint32_t ip_bytes; /* length of the innermost IP packet on the wire, header included */

    uint64_t flow_hash; /* stream_packet_hash() of it; 0 where nobody asked for that yet */

    struct endpoint src, dst; /* ports are 0 where the protocol has none or the capture was cut before them */
    uint8_t proto;            /* IANA protocol number of the innermost IP header's payload */
    tos_t tos;                /* of the IP header that is judged: the innermost, unless judged_outer */
    uint8_t ttl;              /* or hop limit */
    uint32_t ip_id;           /* IPv4 identification; 0 for IPv6 without a fragment header */

    uint8_t layer_count; /* IP headers, the innermost included: 1 without a tunnel */
    tos_t layer_tos[PACKET_LAYERS_MAX];         /* of each, the outermost first */
    uint8_t layer_version[PACKET_LAYERS_MAX]; /* 4 or 6 */

    uint8_t mirror_layers; /* of these, the outer ones that only brought a mirrored frame here (ERSPAN): their marks say
                              nothing of the traffic */
    bool judged_outer;      /* `tos` is that of the outermost of several headers (--layer outer), and then: */
    uint8_t judged_version; /* IP version of that header */
    uint8_t judged_at;      /* which header of that version it is, from 1 */
    bool ports_known;   /* false for a fragment whose first part was never seen, or a capture cut before the ports */
    bool cut;           /* the snapshot length took some of the payload */
    bool has_vlan;
    uint8_t vlan_pcp;   /* priority of the outermost 802.1Q or 802.1ad tag */
    uint16_t vlan_id;
    bool has_mpls;
    uint8_t mpls_tc;    /* traffic class of the topmost MPLS label (RFC 5462) */

    uint32_t tcp_seq, tcp_ack;
    uint8_t tcp_flags; /* enum tcp_flag */

    const uint8_t *payload; /* of UDP or TCP; of the IP packet for other protocols */
    uint32_t payload_bytes; /* captured */
    uint32_t payload_wire_bytes;

    /* Where the packet came in IP fragments: each of them, in the order of arrival. Otherwise part_count is 0. */
    const struct packet_part *parts;
    uint32_t part_count;
};

#endif

#ifndef QOSMARK_PROBE_CRAFT_H
#define QOSMARK_PROBE_CRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"
#include "model/dscp.h"
#include "model/packet.h"

/*
 * Packets made through libnet, which fills in lengths and checksums: into a caller's buffer (which needs no privilege),
 * and from there to a file or onto a wire. The only module that includes libnet.h.
 *
 * Without libnet (QOSMARK_HAVE_LIBNET) craft_new() and craft_sender_open() give ERR_UNSUPPORTED with a sentence.
 *
 *     struct craft *c = craft_new(&error);
 *     struct craft_packet p = {.proto = PROTO_UDP, .src = ..., .dst = ..., .tos = dscp_tos(DSCP_EF), .ttl = 64,
 *                              .payload = rtp, .payload_bytes = sizeof rtp};
 *     int n = craft_build(c, &p, bytes, sizeof bytes, &error);
 */
struct craft;

/* Largest packet that craft_build() makes: what an Ethernet frame of 1,500 bytes holds, with its header and a tag. */
#define CRAFT_PACKET_MAX (1500 + 18)

/* The Ethernet header before the IP header, where one is wanted. */
struct craft_ethernet {
    uint8_t src[6], dst[6];
    bool tagged;      /* with an 802.1Q tag */
    uint16_t vlan;    /* 0..4095 */
    uint8_t vlan_pcp; /* 0..7 */
};

/* What a packet is to be. Zero in a field that does not apply to `proto` is right. */
struct craft_packet {
    const struct craft_ethernet *ethernet; /* NULL: the packet begins with its IP header */
    struct endpoint src, dst;              /* of one IP version, which is the packet's; ports of UDP and TCP */
    uint8_t proto;                         /* PROTO_UDP, PROTO_TCP, PROTO_ICMP (IPv4) or PROTO_ICMPV6 (IPv6) */
    tos_t tos;                             /* the whole byte: DSCP and ECN */
    uint8_t ttl;                           /* or hop limit */
    uint16_t ip_id;                        /* IPv4; on the wire Linux replaces 0 by a number of its own */
    bool dont_fragment;                    /* IPv4 */
    uint32_t flow_label;                   /* IPv6, 20 bits */

    uint32_t tcp_seq, tcp_ack;
    uint8_t tcp_flags; /* enum tcp_flag */
    uint16_t tcp_window;
    const uint8_t *tcp_options; /* as on the wire; a multiple of 4 bytes, at most 40 */
    uint8_t tcp_options_bytes;

    bool echo_reply; /* ICMP: an echo reply rather than a request */
    uint16_t echo_id, echo_seq;

    const uint8_t *payload; /* of UDP, TCP or the echo */
    size_t payload_bytes;
};

/* A builder; NULL without memory or libnet. Not to be shared by threads. */
struct craft *craft_new(struct error *error);
void craft_free(struct craft *c);

/* Builds the packet with right lengths and checksums (RFC 791, 768, 793, 792, 8200, 4443; a UDP checksum that works out
 * as 0 is sent as 0xFFFF). Returns its length in bytes; ERR_LIMIT where `size` is too small, ERR_USAGE for a packet
 * that cannot be, ERR_MEMORY. */
int craft_build(struct craft *c, const struct craft_packet *p, uint8_t *to, size_t size, struct error *error);

/*
 * The way onto a wire. Needs the capability CAP_NET_RAW; the sentence of the error says so and what to type.
 *
 * Raw IP (RAW4, RAW6): the kernel routes the packet and finds the next hop; a UDP socket's map from TOS to the local
 * queue (SO_PRIORITY) is not applied. Link (CRAFT_LINK): whole Ethernet frames out of one interface, past routing and
 * netfilter.
 */
enum craft_wire { CRAFT_RAW4 = 0, CRAFT_RAW6, CRAFT_LINK };

struct craft_sender;

/* `interface` is for CRAFT_LINK alone. ERR_UNSUPPORTED: no capability, or built without libnet. */
int craft_sender_open(enum craft_wire wire, const char *interface, struct craft_sender **ret, struct error *error);
void craft_sender_free(struct craft_sender *s);

/* Sends one packet that craft_build() made (with its Ethernet header for CRAFT_LINK, without for the others). 0, or
 * ERR_IO with the system's reason in the sentence and in *ret_errno (which may be NULL). */
int craft_sender_send(struct craft_sender *s, const uint8_t *packet, size_t bytes, int *ret_errno, struct error *error);

/* Whether this build can make packets (libnet was found). */
bool craft_available(void);

#endif

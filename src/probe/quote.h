#ifndef QOSMARK_PROBE_QUOTE_H
#define QOSMARK_PROBE_QUOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "model/address.h"
#include "model/dscp.h"

/*
 * What an ICMP error says of the packet that caused it: the quoted IP header (and with it the mark as it arrived where
 * the error arose), as much of its transport header as was quoted, and the MPLS labels it came with.
 *
 * RFC 792, RFC 1812 §4.3.2 (IPv4), RFC 4443 §3 (IPv6), RFC 4884 (extensions), RFC 4950 (MPLS).
 */

#define QUOTE_LABELS_MAX 8

enum quote_kind {
    QUOTE_TIME_EXCEEDED = 0, /* in transit: a router on the path */
    QUOTE_PORT_UNREACHABLE,  /* the host itself */
    QUOTE_UNREACHABLE,       /* any other reason: no route, prohibited... */
    QUOTE_OTHER,             /* too big, source quench, redirect, parameter problem, reassembly time */
};

/* An entry of an MPLS label stack, outermost first (RFC 4950 §3; `tc` is RFC 5462's traffic class). */
struct quote_label {
    uint32_t label;
    uint8_t tc, ttl;
    bool bottom;
};

/* How much of the quoted packet the values below rest on. */
enum quote_depth {
    QUOTE_IP = 0,    /* the IP header alone */
    QUOTE_TRANSPORT, /* and the first 8 bytes of UDP, TCP or an ICMP echo */
};

struct quote {
    enum quote_kind kind;
    uint8_t type, code; /* of the ICMP error */
    uint8_t version;    /* of the quoted IP header */
    tos_t tos;
    uint8_t ttl;
    uint8_t proto;            /* after IPv6 extension headers; not known (255) where those were cut */
    uint16_t ip_id;           /* IPv4 */
    uint32_t flow_label;      /* IPv6 */
    uint32_t ip_bytes;        /* length of the quoted packet as its header says, IP header included */
    struct endpoint src, dst; /* ports with QUOTE_TRANSPORT alone */
    bool later_fragment;      /* a fragment without the transport header */

    enum quote_depth depth;
    uint16_t udp_checksum; /* UDP */
    uint32_t tcp_seq;      /* TCP */
    uint8_t echo_type;     /* ICMP: its type; the next two where it is an echo request or reply */
    uint16_t echo_id, echo_seq;
    const uint8_t *payload; /* borrowed: what was quoted after the UDP header or the echo's 8 bytes; NULL for none */
    size_t payload_bytes;

    bool has_extensions; /* a well-formed extension structure was there */
    struct quote_label labels[QUOTE_LABELS_MAX];
    uint8_t label_count;
    bool labels_left_out; /* there were more */
};

/*
 * Parses an ICMP (version 4) or ICMPv6 (version 6) message from its type on. PARSE_UNSUPPORTED for messages that quote
 * nothing or quote no such IP version; PARSE_TRUNCATED where not even the quoted IP header is whole: senders may quote
 * as little as they like, so a short quote is never malformed. `*ret` is written on PARSE_OK only.
 */
enum parse_status quote_parse(struct cursor icmp, uint8_t version, struct quote *ret);

/* RFC 1071: true where the one's complement sum over the bytes is right. ICMPv6 has a pseudo header, which the kernel
 * has checked already. */
bool quote_checksum_is_right(const uint8_t *icmp, size_t len);

#endif

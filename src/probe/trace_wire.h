#ifndef QOSMARK_PROBE_TRACE_WIRE_H
#define QOSMARK_PROBE_TRACE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/error.h"
#include "probe/craft.h"
#include "probe/quote.h"
#include "probe/trace.h"

/*
 * Probes of a trace as bytes, and which probe an answer is about. No sockets.
 *
 * The flow stays the same for all TTLs and marks of a flow: addresses, ports, IPv6 flow label; for echoes the id, type
 * and checksum. What tells probes apart is where no router looks to share load: the IP identification, the UDP payload
 * (and with it the checksum), the TCP sequence number, the sequence number of echoes (made up for in the payload).
 */

/* UDP payload of a probe: what 20 ms of G.711 look like (RFC 3551), an RTP header and 160 bytes, of which the first
 * hold the cookie and the number. */
#define TRACE_PAYLOAD_BYTES 172

struct trace_wire_config {
    uint8_t proto; /* PROTO_UDP, PROTO_TCP, PROTO_ICMP, PROTO_ICMPV6 */
    struct addr source, target;
    uint16_t port;        /* of the target; not used for echoes */
    uint16_t source_port; /* of flow 0 (the id of its echoes); flow n has this plus n */
    uint16_t flows;
    uint64_t cookie; /* drawn at random, so that nobody off the path can answer for a router */
};

struct trace_wire;

/* ERR_UNSUPPORTED without libnet. */
int trace_wire_new(const struct trace_wire_config *config, struct trace_wire **ret, struct error *error);
void trace_wire_free(struct trace_wire *w);

/* The UDP payload of a probe. */
void trace_wire_payload(const struct trace_wire_config *config, uint16_t number,
                        uint8_t to[static TRACE_PAYLOAD_BYTES]);
/* The number in a UDP payload, or as much of it as was quoted; 0: it is none of ours, or too short to say. */
uint16_t trace_wire_payload_number(const struct trace_wire_config *config, const uint8_t *payload, size_t bytes);

/* The whole IP packet. Its length, or as craft_build(). */
int trace_wire_build(struct trace_wire *w, const struct trace_probe *p, uint8_t *to, size_t size, struct error *error);

/* The probe that a quote is of, or 0. *ret_translated: its source was another one than ours when it was quoted. */
uint16_t trace_wire_match_quote(const struct trace_wire *w, const struct quote *q, bool *ret_translated);

/* The probe that an ICMP echo reply (from its type on) answers, or 0. */
uint16_t trace_wire_match_echo(const struct trace_wire *w, struct cursor icmp);

/* The probe that a TCP segment of the target (from its ports on) answers with SYN-ACK or RST, or 0. RFC 9293 §3.10.7.
 */
uint16_t trace_wire_match_tcp(const struct trace_wire *w, struct cursor tcp, enum trace_answer *ret_answer);

#endif

#ifndef QOSMARK_GENERATE_FRAME_H
#define QOSMARK_GENERATE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"
#include "model/dscp.h"

/*
 * Frames of generated traffic. libnet (probe/craft.h) builds the headers of each 5-tuple once; what differs from packet
 * to packet (mark, lengths, identification, checksums, TCP's numbers) is then written into a copy, for a call of libnet
 * for each packet would take longer than all else together.
 */
enum generate_tunnel { GENERATE_NO_TUNNEL = 0, GENERATE_IPIP, GENERATE_GRE };

enum { GENERATE_LINK_ETHERNET = 1, GENERATE_LINK_RAW = 101 }; /* LINKTYPE_ values */

#define GENERATE_HEADER_MAX 128
#define GENERATE_MTU        1500
/* No frame is longer: the link header, and an IP packet with a tunnel's headers around it. */
#define GENERATE_FRAME_MAX (18 + GENERATE_MTU + 64)

struct generate_header {
    uint8_t bytes[GENERATE_HEADER_MAX];
    uint8_t len;
    uint8_t ip_at, transport_at; /* of the innermost IP header */
    bool tunnelled;
    uint8_t outer_at; /* of the tunnel's IP header */
    uint8_t vlan_at;  /* of the tag's two bytes; 0 without */
    uint8_t version, proto;
    uint32_t pseudo_sum; /* of the pseudo header without the length (RFC 768, RFC 9293 §3.1, RFC 8200 §8.1) */
};

/* What differs from packet to packet. */
struct generate_fields {
    tos_t tos, outer_tos;
    uint16_t ip_id;
    uint32_t seq, ack; /* TCP */
    uint8_t tcp_flags;
    uint8_t pcp; /* of the VLAN tag */
};

struct generate_frames;

struct generate_shape {
    uint16_t link_type;
    bool vlan;
    uint16_t vlan_id;
};

/* ERR_UNSUPPORTED, with a sentence, where the program was built without libnet. */
int generate_frames_new(const struct generate_shape *shape, struct generate_frames **ret, struct error *error);
void generate_frames_free(struct generate_frames *f);

/* The headers from one end to the other, inside a tunnel between `outer_src` and `outer_dst` where there is one. */
int generate_frames_header(struct generate_frames *f, const struct endpoint *src, const struct endpoint *dst,
                           uint8_t proto, enum generate_tunnel tunnel, const struct addr *outer_src,
                           const struct addr *outer_dst, struct generate_header *ret, struct error *error);

/* The most payload that a packet of this header holds without fragments. */
size_t generate_frame_room(const struct generate_header *h);

/* The sum of `n` bytes as 16-bit words in network order (RFC 1071), not inverted. Of several parts that are summed up,
 * all but the last must have an even length. */
uint32_t generate_sum(const uint8_t *bytes, size_t n);

/* Writes the frame to `to` and returns its length. `payload_sum` is generate_sum() of the payload, at most 16 bits. */
size_t generate_frame_write(const struct generate_header *h, const struct generate_fields *fields,
                            const uint8_t *payload, size_t payload_len, uint32_t payload_sum,
                            uint8_t to[static GENERATE_FRAME_MAX]);

/*
 * Writes fragment number `n` of a datagram that is longer than the MTU (RFC 791 §3.2, RFC 8200 §4.5): `datagram` is the
 * transport header with its checksum and all of the payload, as generate_datagram() made it. 0 past the last.
 */
size_t generate_frame_fragment(const struct generate_header *h, const struct generate_fields *fields,
                               const uint8_t *datagram, size_t datagram_len, unsigned n,
                               uint8_t to[static GENERATE_FRAME_MAX]);

/* UDP header and payload in one piece; the length. */
size_t generate_datagram(const struct generate_header *h, const uint8_t *payload, size_t payload_len, uint8_t *to);

#endif

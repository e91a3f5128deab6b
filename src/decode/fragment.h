#ifndef QOSMARK_DECODE_FRAGMENT_H
#define QOSMARK_DECODE_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "decode/decoder.h"
#include "decode/tags.h"
#include "model/packet.h"

/*
 * IP fragments put together (RFC 791 §3.2, RFC 8200 §4.5), in memory that is set aside once and never exceeded.
 *
 * Fragments that overlap condemn their datagram (RFC 5722): it is never put together, its parts still count. A copy of
 * a fragment that was seen before (mirror ports show everything twice) is no overlap, and a copy that comes after its
 * datagram was completed is handed out at once, with the ports that are then known.
 */
struct fragment_store;

/* Fragments of one datagram beyond this many are taken for another datagram. */
#define FRAGMENT_PARTS_MAX 1024

/* An IP header around a fragment or its own. */
struct ip_layer {
    struct addr src, dst;
    tos_t tos;
};

/* One IP fragment. `layers` ends with its own IP header; `part` says what the packet's list of parts will. */
struct fragment {
    uint8_t proto; /* of what was fragmented: for IPv6 the fragment header's next header */
    uint8_t ttl;
    uint32_t id;
    uint32_t offset;     /* in bytes */
    uint32_t wire_bytes; /* payload of this fragment */
    uint32_t captured_bytes;
    const uint8_t *bytes;
    uint32_t header_bytes; /* what comes before the payload in each fragment, without IPv6's fragment header */
    bool more;
    uint8_t layer_count;
    const struct ip_layer *layers;
    struct walk_tags tags;
    struct packet_part part;
};

/* What became of the fragments of one datagram. Borrowed from the store until its next call. */
struct datagram {
    uint8_t proto, ttl;
    uint8_t layer_count;
    bool complete;
    bool ports_known; /* only for a fragment that came after its datagram */
    uint16_t src_port, dst_port;
    uint32_t id;
    uint32_t header_bytes;
    uint32_t payload_bytes; /* captured without a gap from the beginning on; 0 where the first fragment is missing */
    uint32_t payload_wire_bytes; /* of the whole, as far as known */
    const uint8_t *payload;
    const struct packet_part *parts; /* in the order of arrival */
    uint32_t part_count;
    struct walk_tags tags;
    struct ip_layer layers[PACKET_LAYERS_MAX]; /* as the first fragment had them */
};

enum fragment_result {
    FRAGMENT_HELD,
    FRAGMENT_WHOLE, /* *ret is complete */
    FRAGMENT_ALONE, /* *ret is this fragment alone: too late, or there was no room */
};

/* NULL without memory. 0 stands for the defaults of struct decoder_options. */
struct fragment_store *fragment_store_new(size_t max_bytes, int64_t timeout_ns, const struct hash_key *key);
void fragment_store_free(struct fragment_store *s);

enum fragment_result fragment_store_add(struct fragment_store *s, const struct fragment *f, struct datagram **ret);

/* The protocol and ports that the datagram completed last turned out to have, for its copies that may follow. */
void fragment_store_set_ports(struct fragment_store *s, uint8_t proto, uint16_t src_port, uint16_t dst_port);

/* Hands out one datagram that will not be completed any more; false when there is none. */
bool fragment_store_expired(struct fragment_store *s, int64_t now_ns, struct datagram **ret);

struct decoder_stats fragment_store_stats(const struct fragment_store *s);

#endif

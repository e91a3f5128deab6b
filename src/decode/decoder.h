#ifndef QOSMARK_DECODE_DECODER_H
#define QOSMARK_DECODE_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "model/frame.h"
#include "model/packet.h"

/*
 * Frames to packets: link layers, tunnels, IP headers, fragments. No heap per frame.
 *
 * The innermost IP header is the packet; those around it are in `layers`. A tunnel that leads nowhere (not IP, cut,
 * malformed, nested beyond PACKET_LAYERS_MAX) leaves the header above it as the packet, so no mark is lost to what it
 * carries. Below a UDP port number, which proves nothing, only sound IP headers are believed. What an ICMP error quotes
 * is payload.
 *
 * Fragments of the packet's own IP header are its parts. A tunnel packet that was fragmented in an outer header is one
 * packet without parts: its inner header existed once, and is counted on the frame that completed it.
 */
struct decoder;

struct decoder_options {
    bool outer_layer;        /* judge the mark of the outermost IP header instead of the innermost (--layer outer) */
    size_t fragment_bytes;   /* cap on payload held for reassembly; 0 for the default, 16 MiB */
    int64_t fragment_ns;     /* how long a datagram may stay incomplete; 0: the default, 30 s (RFC 8200 §4.5: 60 s) */
    const struct hash_key *key;
    bool defer_fragments; /* this one holds no fragments: it says DECODE_FRAGMENT of their frames, and nothing else
                             changes */
};

enum decode_status {
    DECODE_PACKET = 0,  /* *ret is a packet */
    DECODE_HELD,        /* a fragment; its packet comes later */
    DECODE_FRAGMENT,    /* with defer_fragments: a fragment, for another decoder to take this frame anew */
    DECODE_NOT_IP,      /* a sound frame without an IP packet: ARP, STP, LLDP... */
    DECODE_TRUNCATED,   /* the capture was cut before the end of the innermost IP header that could be judged */
    DECODE_MALFORMED,
    DECODE_UNSUPPORTED, /* link type or encapsulation that is not known */
};

struct decoder *decoder_new(const struct decoder_options *options); /* NULL without memory */
void decoder_free(struct decoder *d);

/* True for a LINKTYPE_ value that decoder_frame() knows. */
bool decoder_knows(uint16_t link_type);

/* Shows the UDP ports that stand for tunnels, for a capture filter. */
void tunnel_udp_ports(void (*each)(void *user, uint16_t port), void *user);

/* `*ret` is written on DECODE_PACKET only and borrows from the frame and the decoder until the next call. */
enum decode_status decoder_frame(struct decoder *d, const struct frame *frame, struct packet *ret);

/*
 * Datagrams that stayed incomplete: call after each frame (cheap when there is none) until false, with the time of
 * the newest frame, and with INT64_MAX at the end of the capture. The packet has its parts, ports where the first
 * fragment was seen, and the payload of the first fragment, cut.
 */
bool decoder_expired(struct decoder *d, int64_t now_ns, struct packet *ret);

struct decoder_stats {
    uint64_t fragments_expired; /* datagrams that stayed incomplete */
    uint64_t fragments_evicted; /* of these, because the cap was reached */
    uint64_t tunnels_cut;       /* frames cut before the end of the IP header inside a tunnel: the outer one is the
                                   packet */
    uint64_t nested_too_deep;   /* frames with more headers in each other than are walked through: what is inside was
                                   not looked at */
};
struct decoder_stats decoder_stats(const struct decoder *d);

#endif

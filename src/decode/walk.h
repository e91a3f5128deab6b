#ifndef QOSMARK_DECODE_WALK_H
#define QOSMARK_DECODE_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/decoder.h"
#include "decode/fragment.h"
#include "decode/tags.h"
#include "model/frame.h"
#include "model/packet.h"

/*
 * The inside of this room: a frame on its way down the headers. Each header is one function that reads itself from the
 * cursor and calls the function of what it carries; the one that finds nothing further to go into emits the packet.
 *
 * An IP header never gets lost to what it carries: where a tunnel leads nowhere (not IP, cut, malformed), the IP header
 * above it is the innermost and its packet is emitted. So a function that is no IP header may fail at any point.
 */

/* Encapsulations that are no IP header and still nest: VLAN in PPPoE in MPLS... Counts attempts that failed too, so
 * that guesses inside guesses come to an end. */
#define WALK_STEPS_MAX 64

/* An IP header that was passed; its addresses stand in the frame (or in the datagram that fragments made). */
struct walk_layer {
    const uint8_t *src, *dst;
    uint8_t version;
    tos_t tos;
};

struct walk {
    struct decoder *d;
    const struct frame *frame;
    struct packet *ret;
    const struct datagram *whole; /* fragments put together, whose IP header is layers[whole_layer - 1]; or NULL */
    uint32_t missing_bytes;       /* of the frame, cut away by the snapshot length */
    uint8_t whole_layer;
    uint8_t layer_count;
    uint8_t steps;
    bool too_deep; /* there was more inside than is walked through */
    bool strict; /* below a UDP port number, which proves nothing: IP headers must be sound to be believed */
    struct walk_tags tags;
    struct walk_layer layers[PACKET_LAYERS_MAX];
};

typedef enum decode_status decode_fn(struct walk *w, struct cursor c);

/* One step further in; false when there were too many. */
static inline bool walk_step(struct walk *w)
{
    if (w->steps == WALK_STEPS_MAX) {
        w->too_deep = true;
        return false;
    }
    w->steps++;
    return true;
}

/* Room for the IP header that comes now; false where there are too many around it. */
static inline bool walk_layer_fits(struct walk *w)
{
    w->too_deep |= w->layer_count == PACKET_LAYERS_MAX;
    return w->layer_count < PACKET_LAYERS_MAX;
}

/*
 * An address from the wire, written in place. Copying a struct addr that was just put together from smaller writes
 * stalls most processors for longer than the rest of a header takes.
 */
static inline void walk_addr(struct addr *a, uint8_t version, const uint8_t *wire)
{
    a->version = version;
    if (version == 4) {
        memcpy(a->bytes, wire, 4);
        memset(a->bytes + 4, 0, 12);
    } else {
        memcpy(a->bytes, wire, 16);
    }
}

/* Why a read from `c` failed, in the terms of this room. */
static inline enum decode_status walk_short(const struct cursor *c)
{
    return c->cut ? DECODE_TRUNCATED : DECODE_MALFORMED;
}

/* Whether an attempt led to a packet, now or later. */
static inline bool walk_found(enum decode_status status)
{
    return status == DECODE_PACKET || status == DECODE_HELD || status == DECODE_FRAGMENT;
}

/* `fn` on `c`, with the walk as it was before when that finds no packet. */
enum decode_status walk_try(struct walk *w, decode_fn *fn, struct cursor c);

/* decoder.c: what a LINKTYPE_ value stands for. */
enum decode_status link_type_decode(struct walk *w, uint32_t link_type, struct cursor c);

/* What the decoder was told: judge the outermost IP header. */
bool decoder_is_outer(const struct decoder *d);
bool decoder_defers_fragments(const struct decoder *d);
struct fragment_store *decoder_fragments(struct decoder *d); /* NULL without memory */
void decoder_count_cut_tunnel(struct decoder *d);

/* True where a UDP port is perhaps one of a tunnel: a filter before the table of tunnel_udp.c. */
bool decoder_port_is_tunnel(const struct decoder *d, uint16_t port);

/* fast.c: true with a packet for the frames that nearly all are; else *ret is untouched. */
bool decode_fast(const struct decoder *d, const struct frame *frame, struct packet *ret);

/* ip.c */
decode_fn ip4_decode, ip6_decode;
decode_fn ip_any_decode; /* by the version nibble */
bool ip_looks_sound(struct cursor c);

/* ethertype.c */
enum decode_status ethertype_decode(struct walk *w, uint16_t ethertype, struct cursor c);

/* link_*.c */
decode_fn link_ethernet, link_llc, link_token_ring, link_fddi, link_ip_over_fc, link_arcnet_bsd, link_arcnet_linux;
decode_fn link_linux_sll, link_linux_sll2;
decode_fn link_null, link_enc, link_pflog, link_slip;
decode_fn link_ppp, link_ppp_hdlc, link_ppp_ether, link_ppp_direction, link_cisco_hdlc, link_frame_relay;
decode_fn link_80211, link_radiotap, link_prism, link_avs, link_ppi;
decode_fn link_nflog, link_pktap, link_pktap_user, link_ipnet, link_netanalyzer, link_netanalyzer_preamble,
    link_mpacket;
decode_fn link_juniper_ether, link_juniper_atm1, link_juniper_atm2, link_juniper_ppp, link_juniper_frame_relay,
    link_juniper_chdlc;
decode_fn link_atm_rfc1483, link_sunatm;
decode_fn link_erf;
decode_fn link_not_ip; /* a link type that never carries IP */

/* tunnel_*.c and what lies between a link layer and IP */
decode_fn mpls_decode, pppoe_session_decode, nsh_decode;
decode_fn tunnel_gre, tunnel_etherip, tunnel_pim, tunnel_l2tpv3;
enum decode_status tunnel_erspan(struct walk *w, uint16_t ethertype, bool has_sequence, struct cursor c);
decode_fn tunnel_vxlan, tunnel_vxlan_gpe, tunnel_geneve;
decode_fn tunnel_gtpu, tunnel_teredo, tunnel_l2tp_udp, tunnel_ayiya, tunnel_capwap, tunnel_lisp, tunnel_tzsp,
    tunnel_amt, tunnel_mobile_ip;

/* tunnel_udp.c: the tunnels that UDP ports stand for. */
enum decode_status tunnel_udp(struct walk *w, uint16_t src_port, uint16_t dst_port, struct cursor payload);

/*
 * transport.c: what an IP header carries. `payload` is cut where the snapshot length cut it; `payload_wire` is how long
 * it was on the wire.
 */
struct ip_packet {
    struct cursor payload;
    const uint8_t *src, *dst; /* where the addresses stand, of 4 or 16 bytes as `version` says */
    uint8_t version;
    uint32_t payload_wire;
    uint32_t ip_bytes;
    uint32_t id;
    tos_t tos;
    uint8_t ttl;
    uint8_t proto;
};

enum decode_status transport_decode(struct walk *w, const struct ip_packet *ip);

/* The packet of this IP header as it is, its payload not looked at. */
enum decode_status transport_emit_plain(struct walk *w, const struct ip_packet *ip);

/* The packet of fragments that stayed incomplete, or of one that came too late; see struct datagram. */
enum decode_status ip_emit_datagram(struct walk *w, const struct datagram *g);

#endif

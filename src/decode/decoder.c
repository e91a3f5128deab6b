#include "decode/decoder.h"

#include <stdlib.h>
#include <string.h>

#include "decode/walk.h"

enum { LINK_ETHERNET = 1, TUNNEL_PORT_BITS = 2048 };

struct decoder {
    uint64_t tunnel_ports[TUNNEL_PORT_BITS / 64]; /* one bit for the low bits of each UDP tunnel port */
    struct fragment_store *fragments; /* made with the first fragment: most captures have none */
    size_t fragment_bytes;
    int64_t fragment_ns;
    struct hash_key key;
    uint64_t tunnels_cut, nested_too_deep;
    bool outer_layer, has_key, defer_fragments;
};

/* LINKTYPE_ values (tcpdump.org/linktypes.html). Those of link_not_ip are known to carry none. */
static decode_fn *const link_types[] = {
    [0] = link_null,
    [1] = link_ethernet,
    [6] = link_token_ring,
    [7] = link_arcnet_bsd,
    [8] = link_slip,
    [9] = link_ppp_hdlc,
    [10] = link_fddi,
    [11] = link_atm_rfc1483, /* the platforms' DLT_ value of LINKTYPE_ATM_RFC1483, found in old files */
    [12] = ip_any_decode,    /* DLT_RAW, likewise */
    [14] = ip_any_decode,
    [50] = link_ppp_hdlc,
    [51] = link_ppp_ether,
    [100] = link_atm_rfc1483,
    [101] = ip_any_decode,
    [104] = link_cisco_hdlc,
    [105] = link_80211,
    [107] = link_frame_relay,
    [108] = link_null, /* LOOP: the byte order is told from the value */
    [109] = link_enc,
    [113] = link_linux_sll,
    [117] = link_pflog,
    [119] = link_prism,
    [122] = link_ip_over_fc,
    [123] = link_sunatm,
    [127] = link_radiotap,
    [129] = link_arcnet_linux,
    [135] = link_juniper_atm2,
    [137] = link_juniper_atm1,
    [149] = link_pktap_user, /* USER2, which macOS used for PKTAP */
    [163] = link_avs,
    [166] = link_ppp_direction,
    [178] = link_juniper_ether,
    [179] = link_juniper_ppp,
    [180] = link_juniper_frame_relay,
    [181] = link_juniper_chdlc,
    [187] = link_not_ip, /* Bluetooth */
    [189] = link_not_ip, /* USB */
    [190] = link_not_ip, /* CAN */
    [192] = link_ppi,
    [195] = link_not_ip, /* IEEE 802.15.4 */
    [197] = link_erf,
    [201] = link_not_ip, /* Bluetooth */
    [215] = link_not_ip, /* IEEE 802.15.4 */
    [219] = mpls_decode,
    [220] = link_not_ip, /* USB */
    [226] = link_ipnet,
    [227] = link_not_ip, /* SocketCAN */
    [228] = ip_any_decode,
    [229] = ip_any_decode,
    [230] = link_not_ip, /* IEEE 802.15.4 */
    [231] = link_not_ip, /* D-Bus */
    [239] = link_nflog,
    [240] = link_netanalyzer,
    [241] = link_netanalyzer_preamble,
    [249] = link_not_ip, /* USBPcap */
    [253] = link_not_ip, /* netlink */
    [258] = link_pktap,
    [274] = link_mpacket,
    [276] = link_linux_sll2,
    [283] = link_not_ip, /* IEEE 802.15.4 */
};

static void add_tunnel_port(void *user, uint16_t port)
{
    struct decoder *d = user;
    d->tunnel_ports[port % TUNNEL_PORT_BITS / 64] |= (uint64_t)1 << port % 64;
}

struct decoder *decoder_new(const struct decoder_options *options)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->outer_layer = options->outer_layer;
    d->defer_fragments = options->defer_fragments;
    d->fragment_bytes = options->fragment_bytes;
    d->fragment_ns = options->fragment_ns;
    d->has_key = options->key != NULL;
    if (options->key)
        d->key = *options->key;
    tunnel_udp_ports(add_tunnel_port, d);
    return d;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    fragment_store_free(d->fragments);
    free(d);
}

bool decoder_is_outer(const struct decoder *d)
{
    return d->outer_layer;
}

void decoder_count_cut_tunnel(struct decoder *d)
{
    d->tunnels_cut++;
}

bool decoder_defers_fragments(const struct decoder *d)
{
    return d->defer_fragments;
}

struct fragment_store *decoder_fragments(struct decoder *d)
{
    if (!d->fragments && !d->defer_fragments)
        d->fragments = fragment_store_new(d->fragment_bytes, d->fragment_ns, d->has_key ? &d->key : NULL);
    return d->fragments;
}

bool decoder_port_is_tunnel(const struct decoder *d, uint16_t port)
{
    return d->tunnel_ports[port % TUNNEL_PORT_BITS / 64] >> port % 64 & 1;
}

static inline decode_fn *find_link_type(uint32_t link_type)
{
    return link_type < sizeof link_types / sizeof *link_types ? link_types[link_type] : NULL;
}

bool decoder_knows(uint16_t link_type)
{
    return find_link_type(link_type) != NULL;
}

enum decode_status link_not_ip(struct walk *w, struct cursor c)
{
    (void)w;
    (void)c;
    return DECODE_NOT_IP;
}

enum decode_status link_type_decode(struct walk *w, uint32_t link_type, struct cursor c)
{
    decode_fn *fn = find_link_type(link_type);
    return fn && walk_step(w) ? fn(w, c) : DECODE_UNSUPPORTED;
}

/* Everything but the layers, which are only read below layer_count. */
static void walk_init(struct walk *w, struct decoder *d, const struct frame *frame, struct packet *ret)
{
    w->d = d;
    w->frame = frame;
    w->ret = ret;
    w->whole = NULL;
    w->missing_bytes = frame->wire_bytes > frame->captured_bytes ? frame->wire_bytes - frame->captured_bytes : 0;
    w->whole_layer = 0;
    w->layer_count = 0;
    w->steps = 0;
    w->too_deep = false;
    w->strict = false;
    w->tags = (struct walk_tags){0};
}

/* The general way; apart, for its walk is large and the short way needs none. */
__attribute__((noinline)) static enum decode_status frame_walk(struct decoder *d, const struct frame *frame,
                                                               struct packet *ret)
{
    struct walk w;
    walk_init(&w, d, frame, ret);
    decode_fn *fn = find_link_type(frame->link_type);
    if (!fn)
        return DECODE_UNSUPPORTED;
    uint64_t tunnels_cut = d->tunnels_cut;
    enum decode_status status = fn(&w, cur_make(frame->bytes, frame->captured_bytes, w.missing_bytes > 0));
    if (status == DECODE_FRAGMENT)
        d->tunnels_cut = tunnels_cut; /* whoever takes the frame anew counts */
    else
        d->nested_too_deep += w.too_deep;
    return status;
}

enum decode_status decoder_frame(struct decoder *d, const struct frame *frame, struct packet *ret)
{
    if (frame->link_type == LINK_ETHERNET && !d->outer_layer && decode_fast(d, frame, ret))
        return DECODE_PACKET;
    return frame_walk(d, frame, ret);
}

bool decoder_expired(struct decoder *d, int64_t now_ns, struct packet *ret)
{
    struct datagram *g;
    while (d->fragments && fragment_store_expired(d->fragments, now_ns, &g)) {
        const struct packet_part *last = &g->parts[g->part_count - 1];
        struct frame frame = {.number = last->frame, .time_ns = last->time_ns, .input = last->input};
        struct walk w;
        walk_init(&w, d, &frame, ret);
        /* A tunnel's first fragment may hold a fragment of its own, which now waits in its turn: hence the loop. */
        enum decode_status status = ip_emit_datagram(&w, g);
        d->nested_too_deep += w.too_deep;
        if (status == DECODE_PACKET)
            return true;
    }
    return false;
}

struct decoder_stats decoder_stats(const struct decoder *d)
{
    struct decoder_stats stats = d->fragments ? fragment_store_stats(d->fragments) : (struct decoder_stats){0};
    stats.tunnels_cut = d->tunnels_cut;
    stats.nested_too_deep = d->nested_too_deep;
    return stats;
}

#include "decode/walk.h"

/*
 * Tunnels in UDP. A port proves nothing (media may use any of these as an ephemeral port), so below it every IP header
 * must be sound, and where none is found the packet is what it looked like: UDP.
 */

/* RFC 4380 §5.1.1: authentication and origin indications may come before the IPv6 packet. */
enum decode_status tunnel_teredo(struct walk *w, struct cursor c)
{
    if (cur_peek(&c, 0) == 0 && cur_peek(&c, 1) == 1) {
        cur_skip(&c, 2);
        uint8_t id_len = cur_u8(&c), auth_len = cur_u8(&c);
        cur_skip(&c, id_len + (size_t)auth_len + 9);
    }
    if (cur_left(&c) && cur_peek(&c, 0) == 0 && cur_peek(&c, 1) == 0)
        cur_skip(&c, 8);
    return c.failed ? walk_short(&c) : ip6_decode(w, c);
}

/* AYIYA (draft-massar-v6ops-ayiya §4): lengths of identity and signature, then what IP protocol follows. */
enum decode_status tunnel_ayiya(struct walk *w, struct cursor c)
{
    enum { FORWARD = 1 };
    uint8_t identity = cur_u8(&c);
    uint8_t signature = cur_u8(&c);
    uint8_t opcode = cur_u8(&c);
    uint8_t next = cur_u8(&c);
    cur_skip(&c, 4 + ((size_t)1 << (identity >> 4)) + (size_t)(signature >> 4) * 4);
    if (c.failed)
        return walk_short(&c);
    if ((opcode & 15) != FORWARD)
        return DECODE_NOT_IP;
    return next == 41 ? ip6_decode(w, c) : next == 4 ? ip4_decode(w, c) : DECODE_NOT_IP;
}

/* 802.11 whose two bytes of frame control are swapped, as Cisco's access points send it. */
static enum decode_status decode_swapped_80211(struct walk *w, struct cursor c)
{
    if (cur_left(&c) < 24)
        return walk_short(&c);
    /* a data frame without encryption; QoS adds two bytes, a fourth address six */
    uint8_t control = c.at[1], flags = c.at[0];
    if ((control & 0x0f) != 0x08 || (control & 0x40) || (flags & 0x40))
        return DECODE_NOT_IP;
    cur_skip(&c, 24U + (control & 0x80 ? 2U : 0U) + ((flags & 3) == 3 ? 6U : 0U));
    return c.failed ? walk_short(&c) : link_llc(w, c);
}

/* CAPWAP data (RFC 5415 §4.3): fragments, keep-alives and DTLS cannot be read; 802.3 or 802.11 otherwise. */
enum decode_status tunnel_capwap(struct walk *w, struct cursor c)
{
    enum { NATIVE = 0x100, FRAGMENT = 0x80, KEEP_ALIVE = 0x08, BINDING_80211 = 1 };
    uint8_t preamble = cur_peek(&c, 0);
    uint32_t word = cur_u32(&c);
    size_t len = (word >> 19 & 31) * 4;
    cur_skip(&c, len > 4 ? len - 4 : 4);
    if (c.failed)
        return walk_short(&c);
    if (preamble != 0 || len < 8 || (word & (FRAGMENT | KEEP_ALIVE)))
        return DECODE_NOT_IP;
    if (!(word & NATIVE))
        return link_ethernet(w, c);
    if ((word >> 9 & 31) != BINDING_80211)
        return DECODE_UNSUPPORTED;
    enum decode_status status = walk_try(w, link_80211, c);
    return walk_found(status) ? status : decode_swapped_80211(w, c);
}

/* RFC 9300 §5.1 */
enum decode_status tunnel_lisp(struct walk *w, struct cursor c)
{
    cur_skip(&c, 8);
    return c.failed ? walk_short(&c) : ip_any_decode(w, c);
}

/* TZSP: version, type, what is encapsulated, then tags up to the end tag. */
enum decode_status tunnel_tzsp(struct walk *w, struct cursor c)
{
    enum { TAG_PADDING = 0, TAG_END = 1, ETHERNET = 1, IEEE80211 = 18 };
    uint8_t version = cur_u8(&c);
    uint8_t type = cur_u8(&c);
    uint16_t carries = cur_u16(&c);
    if (!c.failed && (version != 1 || type > 1))
        return DECODE_NOT_IP;
    for (uint8_t tag = cur_u8(&c); !c.failed && tag != TAG_END; tag = cur_u8(&c))
        if (tag != TAG_PADDING)
            cur_skip(&c, cur_u8(&c));
    if (c.failed)
        return walk_short(&c);
    w->tags.mirror_layers = w->layer_count;
    return carries == ETHERNET ? link_ethernet(w, c) : carries == IEEE80211 ? link_80211(w, c) : DECODE_NOT_IP;
}

/* RFC 7450 §5.1.6: multicast data */
enum decode_status tunnel_amt(struct walk *w, struct cursor c)
{
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 1);
    if (c.failed)
        return walk_short(&c);
    return type == 6 ? ip_any_decode(w, c) : DECODE_NOT_IP;
}

/* RFC 3519 §3.2: tunnel data of Mobile IP behind NAT. */
enum decode_status tunnel_mobile_ip(struct walk *w, struct cursor c)
{
    uint8_t type = cur_u8(&c);
    uint8_t next = cur_u8(&c);
    cur_skip(&c, 2);
    if (c.failed)
        return walk_short(&c);
    return type != 4 ? DECODE_NOT_IP : next == 4 ? ip4_decode(w, c) : next == 47 ? tunnel_gre(w, c) : DECODE_NOT_IP;
}

static const struct {
    uint16_t port;
    decode_fn *fn;
} tunnels[] = {
    {434, tunnel_mobile_ip},  {1701, tunnel_l2tp_udp}, {2152, tunnel_gtpu},   {2268, tunnel_amt},
    {3544, tunnel_teredo},    {4341, tunnel_lisp},     {4754, tunnel_gre},    {4789, tunnel_vxlan},
    {4790, tunnel_vxlan_gpe}, {5072, tunnel_ayiya},    {5247, tunnel_capwap}, {6081, tunnel_geneve},
    {6635, mpls_decode},      {8472, tunnel_vxlan},    {37008, tunnel_tzsp},
};

enum decode_status tunnel_udp(struct walk *w, uint16_t src_port, uint16_t dst_port, struct cursor payload)
{
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++) {
        if (tunnels[i].port != src_port && tunnels[i].port != dst_port)
            continue;
        bool strict = w->strict;
        w->strict = true;
        enum decode_status status = walk_try(w, tunnels[i].fn, payload);
        if (walk_found(status))
            return status;
        w->strict = strict;
    }
    return DECODE_NOT_IP;
}

void tunnel_udp_ports(void (*each)(void *user, uint16_t port), void *user)
{
    for (size_t i = 0; i < sizeof tunnels / sizeof *tunnels; i++)
        each(user, tunnels[i].port);
}

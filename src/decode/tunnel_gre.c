#include "decode/walk.h"

/* GRE: RFC 2784, RFC 2890 (key, sequence), RFC 1701 (routing), RFC 2637 (version 1, PPTP), RFC 7637 (NVGRE). */

enum { CHECKSUM = 0x8000, ROUTING = 0x4000, KEY = 0x2000, SEQUENCE = 0x1000, ACKNOWLEDGE = 0x0080 };
enum { PROTO_WCCP = 0x883e, PROTO_ERSPAN_2 = 0x88be, PROTO_ERSPAN_3 = 0x22eb, PROTO_FRAME_RELAY = 0x6559 };

/* WCCP has a redirect header of four bytes since version 2: told by the byte after it being IPv4's. */
static enum decode_status decode_wccp(struct walk *w, struct cursor c)
{
    if (cur_peek(&c, 0) >> 4 != 4)
        cur_skip(&c, 4);
    return ip4_decode(w, c);
}

/* RFC 1701: source route entries up to one of address family and length 0. */
static void skip_routing(struct cursor *c)
{
    while (!c->failed) {
        uint16_t family = cur_u16(c);
        cur_skip(c, 1);
        uint8_t len = cur_u8(c);
        cur_skip(c, len);
        if (family == 0 && len == 0)
            return;
    }
}

/* Aruba's access points send 802.11 frames, with a number for each of their queues. */
static bool is_aruba(uint16_t protocol)
{
    return protocol >= 0x8200 && protocol <= 0x8370 && (protocol & 15) == 0;
}

enum decode_status tunnel_gre(struct walk *w, struct cursor c)
{
    uint16_t flags = cur_u16(&c);
    uint16_t protocol = cur_u16(&c);
    if (c.failed)
        return walk_short(&c);
    if ((flags & 7) > 1)
        return DECODE_UNSUPPORTED;
    if (flags & (CHECKSUM | ROUTING))
        cur_skip(&c, 4);
    if (flags & KEY)
        cur_skip(&c, 4);
    if (flags & SEQUENCE)
        cur_skip(&c, 4);
    if ((flags & ACKNOWLEDGE) && (flags & 7) == 1)
        cur_skip(&c, 4);
    if (flags & ROUTING)
        skip_routing(&c);
    if (c.failed)
        return walk_short(&c);
    if (is_aruba(protocol))
        return link_80211(w, c);
    switch (protocol) {
    case PROTO_WCCP:
        return decode_wccp(w, c);
    case PROTO_ERSPAN_2:
    case PROTO_ERSPAN_3:
        return tunnel_erspan(w, protocol, flags & SEQUENCE, c);
    case PROTO_FRAME_RELAY:
        return link_frame_relay(w, c);
    default:
        return protocol > 1500 ? ethertype_decode(w, protocol, c) : DECODE_NOT_IP;
    }
}

/* RFC 3378: version 3 and reserved bits, then Ethernet. */
enum decode_status tunnel_etherip(struct walk *w, struct cursor c)
{
    uint16_t version = cur_u16(&c);
    if (c.failed)
        return walk_short(&c);
    return version >> 12 == 3 ? link_ethernet(w, c) : DECODE_MALFORMED;
}

/* RFC 7761 §4.9.3: a Register message carries a multicast packet to the rendezvous point. */
enum decode_status tunnel_pim(struct walk *w, struct cursor c)
{
    enum { VERSION_2_REGISTER = 0x21 };
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 7);
    if (c.failed)
        return walk_short(&c);
    return type == VERSION_2_REGISTER ? ip_any_decode(w, c) : DECODE_NOT_IP;
}

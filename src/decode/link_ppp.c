#include "decode/walk.h"

/* PPP, HDLC and frame relay: links whose header is little more than a protocol number. */

/* RFC 3518 §4.1 (bridging control protocol): flags, kind of frame, then for Ethernet the frame. */
static enum decode_status decode_bridged(struct walk *w, struct cursor c)
{
    uint8_t flags = cur_u8(&c);
    uint8_t kind = cur_u8(&c);
    if (flags & 0x40) /* a LAN identification */
        cur_skip(&c, 4);
    if (c.failed)
        return walk_short(&c);
    return kind == 1 ? link_ethernet(w, c) : DECODE_NOT_IP;
}

static enum decode_status decode_ppp_protocol(struct walk *w, struct cursor c);

/* RFC 1990 §3.1, long sequence numbers: only what is both beginning and end is whole. */
static enum decode_status decode_multilink(struct walk *w, struct cursor c)
{
    uint8_t flags = cur_u8(&c);
    cur_skip(&c, 3);
    if (c.failed)
        return walk_short(&c);
    return (flags & 0xc0) == 0xc0 ? decode_ppp_protocol(w, c) : DECODE_UNSUPPORTED;
}

/* IANA "PPP DLL Protocol Numbers", and the ethertypes that some equipment puts there. */
static const struct {
    uint16_t protocol;
    decode_fn *fn;
} ppp_protocols[] = {
    {0x0021, ip4_decode},     {0x0057, ip6_decode},       {0x0281, mpls_decode}, {0x0283, mpls_decode},
    {0x0031, decode_bridged}, {0x003d, decode_multilink}, {0x0800, ip4_decode},  {0x86dd, ip6_decode},
};

/* RFC 1661 §2, with the first byte left out where it would be 0 (§6.5). */
static enum decode_status decode_ppp_protocol(struct walk *w, struct cursor c)
{
    uint16_t protocol = cur_u8(&c);
    if (!(protocol & 1))
        protocol = (uint16_t)(protocol << 8 | cur_u8(&c));
    if (c.failed)
        return walk_short(&c);
    if (!walk_step(w))
        return DECODE_UNSUPPORTED;
    for (size_t i = 0; i < sizeof ppp_protocols / sizeof *ppp_protocols; i++)
        if (ppp_protocols[i].protocol == protocol)
            return ppp_protocols[i].fn(w, c);
    return DECODE_NOT_IP;
}

/* RFC 1662 §3.1: address and control, which may be left out. */
enum decode_status link_ppp(struct walk *w, struct cursor c)
{
    if (cur_peek(&c, 0) == 0xff && cur_peek(&c, 1) == 0x03)
        cur_skip(&c, 2);
    return decode_ppp_protocol(w, c);
}

/* LINKTYPE_PPP_HDLC: PPP or, by the address, Cisco's. */
enum decode_status link_ppp_hdlc(struct walk *w, struct cursor c)
{
    uint8_t address = cur_peek(&c, 0);
    return address == 0x0f || address == 0x8f ? link_cisco_hdlc(w, c) : link_ppp(w, c);
}

/* LINKTYPE_PPP_PPPD: the address is the direction, 0 or 1. */
enum decode_status link_ppp_direction(struct walk *w, struct cursor c)
{
    if (cur_peek(&c, 0) <= 1) {
        cur_skip(&c, 1);
        if (cur_peek(&c, 0) == 0x03)
            cur_skip(&c, 1);
    }
    return link_ppp(w, c);
}

/* RFC 2516 §4: version and type, code, session, length; in a session PPP follows without address and control. */
enum decode_status pppoe_session_decode(struct walk *w, struct cursor c)
{
    cur_skip(&c, 4);
    uint16_t len = cur_u16(&c);
    if (c.failed)
        return walk_short(&c);
    struct cursor rest = c;
    struct cursor session = cur_child(&rest, len);
    return link_ppp(w, session.failed ? c : session);
}

enum decode_status link_ppp_ether(struct walk *w, struct cursor c)
{
    return pppoe_session_decode(w, c);
}

/* Cisco HDLC: address, control, ethertype. */
enum decode_status link_cisco_hdlc(struct walk *w, struct cursor c)
{
    cur_skip(&c, 2);
    uint16_t protocol = cur_u16(&c);
    if (c.failed)
        return walk_short(&c);
    return protocol > 1500 ? ethertype_decode(w, protocol, c) : DECODE_NOT_IP;
}

/* RFC 2427 §4, §6 and appendix. Without the control byte 3 an ethertype follows the address: Cisco's. */
enum decode_status link_frame_relay(struct walk *w, struct cursor c)
{
    enum { NLPID_SNAP = 0x80, NLPID_IP4 = 0xcc, NLPID_IP6 = 0x8e, NLPID_PPP = 0xcf };
    uint8_t address = cur_u8(&c);
    for (int i = 0; i < 3 && !(address & 1); i++)
        address = cur_u8(&c);
    if (c.failed)
        return walk_short(&c);
    if (!(address & 1))
        return DECODE_MALFORMED;
    if (cur_peek(&c, 0) != 0x03) {
        uint16_t protocol = cur_u16(&c);
        return c.failed ? walk_short(&c) : protocol > 1500 ? ethertype_decode(w, protocol, c) : DECODE_NOT_IP;
    }
    cur_skip(&c, 1);
    if (cur_left(&c) && cur_peek(&c, 0) == 0)
        cur_skip(&c, 1); /* padding */
    uint8_t nlpid = cur_u8(&c);
    if (c.failed)
        return walk_short(&c);
    if (!walk_step(w))
        return DECODE_UNSUPPORTED;
    switch (nlpid) {
    case NLPID_IP4:
        return ip4_decode(w, c);
    case NLPID_IP6:
        return ip6_decode(w, c);
    case NLPID_PPP:
        return decode_ppp_protocol(w, c);
    case NLPID_SNAP: {
        uint32_t organisation = cur_u24(&c);
        uint16_t number = cur_u16(&c);
        if (c.failed)
            return walk_short(&c);
        if (organisation == 0)
            return number > 1500 ? ethertype_decode(w, number, c) : DECODE_NOT_IP;
        return organisation == 0x0080c2 && (number == 1 || number == 7) ? link_ethernet(w, c) : DECODE_NOT_IP;
    }
    default:
        return DECODE_NOT_IP;
    }
}

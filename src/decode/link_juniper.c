#include "decode/walk.h"

/* What Juniper routers put before the frames of their own captures: "MGC", flags, perhaps extensions. */

enum { FLAG_NO_L2 = 0x02, FLAG_EXTENSIONS = 0x80 };

/* What a frame without a link layer is, in JUNOS's own numbers. */
static enum decode_status decode_without_l2(struct walk *w, struct cursor c)
{
    uint32_t protocol = cur_le32(&c);
    if (c.failed)
        return walk_short(&c);
    switch (protocol) {
    case 2: /* IPv4 */
    case 3: /* IPv4 that came with labels */
        return ip4_decode(w, c);
    case 6:
    case 7:
        return ip6_decode(w, c);
    case 4: /* labels */
    case 5:
    case 8:
        return mpls_decode(w, c);
    default:
        return DECODE_NOT_IP;
    }
}

/* The header; `with_l2` takes what it stands before, unless the flags say that there is no link layer. */
static enum decode_status decode_header(struct walk *w, struct cursor c, decode_fn *with_l2)
{
    uint32_t magic = cur_u24(&c);
    uint8_t flags = cur_u8(&c);
    if (flags & FLAG_EXTENSIONS)
        cur_skip(&c, cur_u16(&c));
    if (c.failed)
        return walk_short(&c);
    if (magic != 0x4d4743)
        return DECODE_MALFORMED;
    return flags & FLAG_NO_L2 ? decode_without_l2(w, c) : with_l2(w, c);
}

enum decode_status link_juniper_ether(struct walk *w, struct cursor c)
{
    return decode_header(w, c, link_ethernet);
}

static enum decode_status decode_ppp(struct walk *w, struct cursor c)
{
    cur_skip(&c, 2);
    return link_ppp(w, c);
}

enum decode_status link_juniper_ppp(struct walk *w, struct cursor c)
{
    return decode_header(w, c, decode_ppp);
}

enum decode_status link_juniper_frame_relay(struct walk *w, struct cursor c)
{
    return decode_header(w, c, link_frame_relay);
}

enum decode_status link_juniper_chdlc(struct walk *w, struct cursor c)
{
    return decode_header(w, c, link_cisco_hdlc);
}

/* Behind the cookie of an ATM card: LLC, or IP straight on the circuit. */
static enum decode_status decode_atm(struct walk *w, struct cursor c)
{
    if (cur_peek(&c, 2) == 0x03 && (cur_peek(&c, 0) == 0xaa || cur_peek(&c, 0) == 0xfe))
        return link_llc(w, c);
    if (cur_peek(&c, 0) == 0x03) { /* Cisco's NLPID encapsulation */
        cur_skip(&c, 1);
        uint8_t nlpid = cur_u8(&c);
        return nlpid == 0xcc ? ip4_decode(w, c) : nlpid == 0x8e ? ip6_decode(w, c) : DECODE_NOT_IP;
    }
    return ip_looks_sound(c) ? ip_any_decode(w, c) : DECODE_UNSUPPORTED;
}

static enum decode_status decode_atm1(struct walk *w, struct cursor c)
{
    uint8_t cookie = cur_peek(&c, 0);
    cur_skip(&c, 4);
    if (c.failed)
        return walk_short(&c);
    return cookie == 0x80 ? DECODE_NOT_IP : decode_atm(w, c); /* an OAM cell */
}

static enum decode_status decode_atm2(struct walk *w, struct cursor c)
{
    uint8_t cookie = cur_peek(&c, 7);
    cur_skip(&c, 8);
    if (c.failed)
        return walk_short(&c);
    return cookie & 0x70 ? DECODE_NOT_IP : decode_atm(w, c);
}

enum decode_status link_juniper_atm1(struct walk *w, struct cursor c)
{
    return decode_header(w, c, decode_atm1);
}

enum decode_status link_juniper_atm2(struct walk *w, struct cursor c)
{
    return decode_header(w, c, decode_atm2);
}

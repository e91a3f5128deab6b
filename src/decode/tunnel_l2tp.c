#include "decode/walk.h"

/* L2TP: version 2 (RFC 2661) carries PPP; version 3 (RFC 3931) whatever its control connection agreed on. */

/* RFC 2661 §3.1. */
static enum decode_status decode_version_2(struct walk *w, struct cursor c)
{
    enum { CONTROL = 0x8000, LENGTH = 0x4000, SEQUENCE = 0x0800, OFFSET = 0x0200 };
    size_t all = cur_left(&c);
    uint16_t flags = cur_u16(&c);
    if (flags & CONTROL)
        return DECODE_NOT_IP;
    uint16_t len = flags & LENGTH ? cur_u16(&c) : 0;
    cur_skip(&c, 4);
    if (flags & SEQUENCE)
        cur_skip(&c, 4);
    if (flags & OFFSET)
        cur_skip(&c, cur_u16(&c));
    if (c.failed)
        return walk_short(&c);
    if ((flags & LENGTH) && (len > all ? !c.cut : len < all - cur_left(&c)))
        return DECODE_MALFORMED;
    return link_ppp(w, c);
}

/*
 * Behind the session id of version 3 a cookie of 0, 4 or 8 bytes and a sublayer of 0 or 4 may stand; only the control
 * connection says. So each is tried, and only a sound IP header in a frame of a known kind is believed.
 */
static enum decode_status decode_session(struct walk *w, struct cursor c)
{
    static decode_fn *const kinds[] = {link_ethernet, link_ppp, link_cisco_hdlc, link_frame_relay};
    w->strict = true;
    for (size_t skip = 0; skip <= 12; skip += 4) {
        struct cursor inside = c;
        cur_skip(&inside, skip);
        if (inside.failed)
            return walk_short(&inside);
        if (ip_looks_sound(inside))
            return ip_any_decode(w, inside);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            enum decode_status status = walk_try(w, kinds[i], inside);
            if (walk_found(status))
                return status;
        }
    }
    return DECODE_UNSUPPORTED;
}

/* RFC 3931 §4.1.1: straight in IP; session 0 is the control connection. */
enum decode_status tunnel_l2tpv3(struct walk *w, struct cursor c)
{
    uint32_t session = cur_u32(&c);
    if (c.failed)
        return walk_short(&c);
    return session ? decode_session(w, c) : DECODE_NOT_IP;
}

/* RFC 3931 §4.1.2: in UDP, where the version is in the place that version 2 has it in. */
enum decode_status tunnel_l2tp_udp(struct walk *w, struct cursor c)
{
    unsigned version = cur_peek(&c, 1) & 15;
    if (version == 2)
        return decode_version_2(w, c);
    if (version != 3 || cur_peek(&c, 0) & 0x80)
        return DECODE_NOT_IP;
    cur_skip(&c, 4);
    return tunnel_l2tpv3(w, c);
}

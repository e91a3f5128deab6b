#include "decode/walk.h"

/* ATM adaptation layer 5. */

/* RFC 2684: LLC, or without it (which only a believable IP header tells) routed IP. */
enum decode_status link_atm_rfc1483(struct walk *w, struct cursor c)
{
    return ip_looks_sound(c) ? ip_any_decode(w, c) : link_llc(w, c);
}

/* LINKTYPE_SUNATM: flags with the kind of traffic, VPI, VCI. */
enum decode_status link_sunatm(struct walk *w, struct cursor c)
{
    enum { KIND_LANE = 1, KIND_LLC = 2 };
    uint8_t flags = cur_u8(&c);
    cur_skip(&c, 3);
    if (c.failed)
        return walk_short(&c);
    switch (flags & 15) {
    case KIND_LANE: /* LAN emulation: a client's identifier, then Ethernet */
        cur_skip(&c, 2);
        return link_ethernet(w, c);
    case KIND_LLC:
        return link_llc(w, c);
    default:
        return DECODE_NOT_IP;
    }
}

#include "decode/walk.h"

/* The overlays of data centres: VXLAN, VXLAN-GPE, GENEVE, and NSH inside them. */

/* RFC 7348 §5. Of the flags only the one for a valid network identifier is fixed; extensions use others. */
enum decode_status tunnel_vxlan(struct walk *w, struct cursor c)
{
    uint8_t flags = cur_u8(&c);
    cur_skip(&c, 7);
    if (c.failed)
        return walk_short(&c);
    return flags & 0x08 ? link_ethernet(w, c) : DECODE_NOT_IP;
}

/* The numbers that VXLAN-GPE and NSH share for what comes next. */
static enum decode_status decode_next(struct walk *w, uint8_t next, struct cursor c)
{
    switch (next) {
    case 1:
        return ip4_decode(w, c);
    case 2:
        return ip6_decode(w, c);
    case 3:
        return link_ethernet(w, c);
    case 4:
        return nsh_decode(w, c);
    case 5:
        return mpls_decode(w, c);
    default:
        return DECODE_NOT_IP;
    }
}

/* draft-ietf-nvo3-vxlan-gpe §3.1 */
enum decode_status tunnel_vxlan_gpe(struct walk *w, struct cursor c)
{
    enum { FLAG_NEXT_PROTOCOL = 0x04 };
    uint8_t flags = cur_u8(&c);
    cur_skip(&c, 2);
    uint8_t next = cur_u8(&c);
    cur_skip(&c, 4);
    if (c.failed)
        return walk_short(&c);
    return flags & FLAG_NEXT_PROTOCOL ? decode_next(w, next, c) : link_ethernet(w, c);
}

/* RFC 8300 §2.2: length in units of four bytes, the base header included. */
enum decode_status nsh_decode(struct walk *w, struct cursor c)
{
    uint16_t head = cur_u16(&c);
    cur_skip(&c, 1);
    uint8_t next = cur_u8(&c);
    size_t len = (head & 63U) * 4U;
    if (c.failed)
        return walk_short(&c);
    if (len < 8 || head >> 14 != 0)
        return DECODE_MALFORMED;
    cur_skip(&c, len - 4);
    if (c.failed)
        return walk_short(&c);
    return walk_step(w) ? decode_next(w, next, c) : DECODE_UNSUPPORTED;
}

/* RFC 8926 §3.4 */
enum decode_status tunnel_geneve(struct walk *w, struct cursor c)
{
    uint8_t version = cur_u8(&c);
    uint8_t flags = cur_u8(&c);
    uint16_t protocol = cur_u16(&c);
    cur_skip(&c, 4U + (version & 63U) * 4U);
    if (c.failed)
        return walk_short(&c);
    if (version >> 6 != 0 || (flags & 0x3f) != 0 || protocol <= 1500)
        return DECODE_NOT_IP;
    return ethertype_decode(w, protocol, c);
}

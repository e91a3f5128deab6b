#include "decode/walk.h"

/*
 * LINKTYPE_ERF, Endace's record: timestamp 8, type, flags, lengths of record and wire and a loss counter or colour, 16
 * bytes in all; while a type's high bit is set an extension of eight bytes follows, whose first byte is the next type.
 */

/* Ethernet records have two bytes (an offset and a reserved one) first. */
static enum decode_status decode_ethernet(struct walk *w, struct cursor c)
{
    cur_skip(&c, 2);
    return link_ethernet(w, c);
}

/* Packet over SONET: Cisco HDLC or PPP by the address, frame relay by neither. */
static enum decode_status decode_pos(struct walk *w, struct cursor c)
{
    return link_ppp_hdlc(w, c);
}

/* Multi-channel records have four bytes of channel first. */
static enum decode_status decode_multi_channel_hdlc(struct walk *w, struct cursor c)
{
    cur_skip(&c, 4);
    return link_ppp_hdlc(w, c);
}

/* A reassembled AAL5 frame behind its ATM cell header. */
static enum decode_status decode_aal5(struct walk *w, struct cursor c)
{
    cur_skip(&c, 4);
    return link_atm_rfc1483(w, c);
}

static enum decode_status decode_multi_channel_aal5(struct walk *w, struct cursor c)
{
    cur_skip(&c, 8);
    return link_atm_rfc1483(w, c);
}

static decode_fn *const record_types[] = {
    [1] = decode_pos,
    [2] = decode_ethernet,
    [4] = decode_aal5,
    [5] = decode_multi_channel_hdlc,
    [9] = decode_multi_channel_aal5,
    [10] = decode_pos,
    [11] = decode_ethernet,
    [15] = decode_pos,
    [16] = decode_ethernet,
    [18] = decode_multi_channel_aal5,
    [20] = decode_ethernet,
    [21] = link_not_ip,
    [22] = ip4_decode,
    [23] = ip6_decode,
    [27] = link_not_ip,
};

enum decode_status link_erf(struct walk *w, struct cursor c)
{
    cur_skip(&c, 8);
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 7);
    for (uint8_t next = type; next & 0x80 && !c.failed;) {
        next = cur_u8(&c);
        cur_skip(&c, 7);
    }
    if (c.failed)
        return walk_short(&c);
    type &= 0x7f;
    decode_fn *fn = type < sizeof record_types / sizeof *record_types ? record_types[type] : NULL;
    return fn ? fn(w, c) : DECODE_UNSUPPORTED;
}

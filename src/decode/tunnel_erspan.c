#include "decode/walk.h"

/*
 * ERSPAN (draft-foschiano-erspan): what a switch mirrors. Type I is GRE without sequence number and has no header of
 * its own; II has eight bytes; III has twelve, and eight more where its last bit says so. A mirror may cut: bit T.
 */
static enum decode_status decode_mirrored(struct walk *w, struct cursor c, bool truncated, unsigned frame_type)
{
    enum { FRAME_ETHERNET = 0, FRAME_IP = 2 };
    c.cut = c.cut || truncated;
    switch (frame_type) {
    case FRAME_ETHERNET:
        return link_ethernet(w, c);
    case FRAME_IP:
        return ip_any_decode(w, c);
    default:
        return DECODE_UNSUPPORTED;
    }
}

enum decode_status tunnel_erspan(struct walk *w, uint16_t ethertype, bool has_sequence, struct cursor c)
{
    w->tags.mirror_layers = w->layer_count;
    if (ethertype == 0x88be && !has_sequence)
        return link_ethernet(w, c);
    uint32_t word = cur_u32(&c);
    cur_skip(&c, 4);
    unsigned version = word >> 28;
    bool truncated = word & 0x400;
    if (version == 1)
        return c.failed ? walk_short(&c) : decode_mirrored(w, c, truncated, 0);
    uint16_t security_group = cur_u16(&c);
    uint16_t flags = cur_u16(&c);
    (void)security_group;
    if (flags & 1)
        cur_skip(&c, 8);
    if (c.failed)
        return walk_short(&c);
    return version == 2 ? decode_mirrored(w, c, truncated, flags >> 10 & 31) : DECODE_UNSUPPORTED;
}

#include "decode/walk.h"

/*
 * MPLS (RFC 3032, RFC 5462): a stack of labels, and nothing that says what is below. The first nibble does: 4 and 6 are
 * IP, 0 is the control word of a pseudowire (RFC 4385), 1 an associated channel. An Ethernet frame, with or without
 * control word, is believed when what it carries is a sound IP header.
 */

enum { LABEL_IP4 = 0, LABEL_IP6 = 2, LABEL_GAL = 13, LABELS_MAX = 32 };

static enum decode_status decode_ethernet_pw(struct walk *w, struct cursor c)
{
    w->strict = true;
    return link_ethernet(w, c);
}

static enum decode_status decode_below(struct walk *w, struct cursor c)
{
    unsigned nibble = cur_peek(&c, 0) >> 4;
    if ((nibble == 4 || nibble == 6) && ip_looks_sound(c))
        return ip_any_decode(w, c);
    if (nibble == 0) {
        struct cursor after = c;
        cur_skip(&after, 4);
        enum decode_status status = walk_try(w, decode_ethernet_pw, after);
        if (walk_found(status))
            return status;
    }
    if (nibble == 1)
        return DECODE_NOT_IP;
    enum decode_status status = walk_try(w, decode_ethernet_pw, c);
    if (walk_found(status))
        return status;
    bool is_arp = cur_peek(&c, 12) == 0x08 && cur_peek(&c, 13) == 0x06;
    if ((nibble == 4 || nibble == 6) && !is_arp)
        return ip_any_decode(w, c); /* cut, or wrong: IP says which */
    if (status == DECODE_NOT_IP)
        return status;
    return c.cut ? DECODE_TRUNCATED : DECODE_UNSUPPORTED; /* a guess that fails proves nothing malformed */
}

enum decode_status mpls_decode(struct walk *w, struct cursor c)
{
    for (unsigned i = 0; i < LABELS_MAX; i++) {
        uint32_t entry = cur_u32(&c);
        if (c.failed)
            return walk_short(&c);
        if (!w->tags.has_mpls) {
            w->tags.has_mpls = true;
            w->tags.mpls_tc = entry >> 9 & 7;
        }
        if (!(entry & 0x100))
            continue;
        if (!walk_step(w))
            return DECODE_UNSUPPORTED;
        switch (entry >> 12) {
        case LABEL_IP4:
            return ip4_decode(w, c);
        case LABEL_IP6:
            return ip6_decode(w, c);
        case LABEL_GAL:
            return DECODE_NOT_IP;
        default:
            return decode_below(w, c);
        }
    }
    w->too_deep |= !w->strict; /* else it was a guess */
    return DECODE_UNSUPPORTED;
}

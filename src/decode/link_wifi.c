#include "decode/walk.h"

/* IEEE 802.11 and the headers that capture drivers put before it. */

/* 802.11 §9.2: data frames that are not encrypted. `padded`: some drivers align what follows the header to four. */
static enum decode_status decode_80211(struct walk *w, struct cursor c, bool padded)
{
    enum { TYPE_DATA = 2, NULL_DATA = 4, QOS = 8 };
    enum { TO_DS = 1, FROM_DS = 2, PROTECTED = 0x40, ORDER = 0x80 };
    const uint8_t *h = cur_take(&c, 24);
    if (!h)
        return walk_short(&c);
    unsigned type = h[0] >> 2 & 3, subtype = h[0] >> 4;
    if ((h[0] & 3) != 0 || type != TYPE_DATA || (subtype & NULL_DATA))
        return DECODE_NOT_IP;
    size_t header = 24;
    if ((h[1] & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS)) {
        cur_skip(&c, 6);
        header += 6;
    }
    bool aggregate = false;
    if (subtype & QOS) {
        aggregate = cur_u8(&c) & 0x80;
        cur_skip(&c, 1);
        header += 2;
        if (h[1] & ORDER) {
            cur_skip(&c, 4);
            header += 4;
        }
    }
    if (padded)
        cur_skip(&c, (4 - header % 4) % 4);
    if ((h[1] & PROTECTED) || (h[22] & 15) != 0)
        return DECODE_UNSUPPORTED; /* encrypted, or a later piece of an 802.11 fragment */
    if (aggregate)                 /* an A-MSDU: the first of its frames stands for it, as one frame makes one packet */
        cur_skip(&c, 14);
    return c.failed ? walk_short(&c) : link_llc(w, c);
}

enum decode_status link_80211(struct walk *w, struct cursor c)
{
    return decode_80211(w, c, false);
}

/* radiotap.org: version, pad, length, present words; the flags field follows the 64-bit timestamp. */
enum decode_status link_radiotap(struct walk *w, struct cursor c)
{
    enum { PRESENT_TSFT = 1, PRESENT_FLAGS = 2, FLAG_PADDED = 0x20 };
    struct cursor header = c;
    uint8_t version = cur_u8(&header);
    cur_skip(&header, 1);
    uint16_t len = cur_le16(&header);
    uint32_t present = cur_le32(&header);
    if (header.failed)
        return walk_short(&header);
    if (version != 0 || len < 8)
        return DECODE_MALFORMED;
    size_t fields = 8;
    for (uint32_t word = present; word >> 31 && !header.failed; fields += 4)
        word = cur_le32(&header);
    uint8_t flags = 0;
    if (present & PRESENT_FLAGS) {
        size_t at = present & PRESENT_TSFT ? ((fields + 7) & ~(size_t)7) + 8 : fields;
        flags = at < len ? cur_peek(&c, at) : 0;
    }
    cur_skip(&c, len);
    return c.failed ? walk_short(&c) : decode_80211(w, c, flags & FLAG_PADDED);
}

/* LINKTYPE_IEEE802_11_AVS: version and length, big-endian. */
enum decode_status link_avs(struct walk *w, struct cursor c)
{
    struct cursor header = c;
    cur_skip(&header, 4);
    uint32_t len = cur_u32(&header);
    if (!header.failed && len < 8)
        return DECODE_MALFORMED;
    cur_skip(&c, header.failed ? 8 : len);
    return c.failed ? walk_short(&c) : link_80211(w, c);
}

/* LINKTYPE_IEEE802_11_PRISM: 144 bytes, unless an AVS header is in their place. */
enum decode_status link_prism(struct walk *w, struct cursor c)
{
    struct cursor header = c;
    if ((cur_u32(&header) & 0xfffff000) == 0x80211000)
        return link_avs(w, c);
    cur_skip(&c, 144);
    return c.failed ? walk_short(&c) : link_80211(w, c);
}

/* PPI: version, flags, length, DLT of what follows; little-endian. */
enum decode_status link_ppi(struct walk *w, struct cursor c)
{
    struct cursor header = c;
    cur_skip(&header, 2);
    uint16_t len = cur_le16(&header);
    uint32_t link_type = cur_le32(&header);
    if (!header.failed && len < 8)
        return DECODE_MALFORMED;
    cur_skip(&c, header.failed ? 8 : len);
    return c.failed ? walk_short(&c) : link_type_decode(w, link_type, c);
}

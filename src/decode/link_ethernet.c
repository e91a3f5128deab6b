#include <string.h>

#include "decode/walk.h"

/* The link layers of the IEEE 802 family: Ethernet, LLC with SNAP, token ring, FDDI; and those that carry LLC. */

/* Cisco ISL has a 26-byte header before a whole frame; it is told by its multicast address. */
static bool is_isl(const uint8_t *h)
{
    static const uint8_t isl[4] = {0x00, 0x0c, 0x00, 0x00};
    return (h[0] == 0x01 || h[0] == 0x03) && memcmp(h + 1, isl, sizeof isl) == 0;
}

enum decode_status link_ethernet(struct walk *w, struct cursor c)
{
    const uint8_t *h = cur_take(&c, 14);
    if (!h)
        return walk_short(&c);
    uint16_t type = (uint16_t)((unsigned)h[12] << 8 | h[13]);
    if (type == 0x0800)
        return ip4_decode(w, c);
    if (type == 0x86dd)
        return ip6_decode(w, c);
    if (type <= 1500 && is_isl(h)) {
        cur_skip(&c, 12);
        return walk_step(w) ? link_ethernet(w, c) : DECODE_UNSUPPORTED;
    }
    if (type <= 1500 && cur_peek(&c, 0) == 0xff && cur_peek(&c, 1) == 0xff)
        return DECODE_NOT_IP; /* IPX straight in 802.3 */
    return ethertype_decode(w, type, c);
}

/* RFC 1042, RFC 2684 §5: what the SNAP header's organisation and number stand for. */
static enum decode_status decode_snap(struct walk *w, struct cursor c)
{
    uint32_t organisation = cur_u24(&c);
    uint16_t number = cur_u16(&c);
    if (c.failed)
        return walk_short(&c);
    switch (organisation) {
    case 0x000000:
    case 0x0000f8:
        return number > 1500 ? ethertype_decode(w, number, c) : DECODE_NOT_IP;
    case 0x0080c2: /* IEEE 802.1: bridged Ethernet, with and without its check sequence */
        return number == 1 || number == 7 ? link_ethernet(w, c) : DECODE_NOT_IP;
    default:
        return DECODE_NOT_IP;
    }
}

/* IEEE 802.2 */
enum decode_status link_llc(struct walk *w, struct cursor c)
{
    uint8_t dsap = cur_u8(&c);
    uint8_t ssap = cur_u8(&c);
    uint8_t control = cur_u8(&c);
    if (c.failed)
        return walk_short(&c);
    if (control != 0x03 || !walk_step(w))
        return DECODE_NOT_IP;
    if (dsap == 0xaa && ssap == 0xaa)
        return decode_snap(w, c);
    if (dsap == 0x06 && ssap == 0x06)
        return ip4_decode(w, c);
    if (dsap == 0xfe && ssap == 0xfe) { /* OSI network layer protocol identifier */
        uint8_t nlpid = cur_u8(&c);
        return nlpid == 0xcc ? ip4_decode(w, c) : nlpid == 0x8e ? ip6_decode(w, c) : DECODE_NOT_IP;
    }
    return DECODE_NOT_IP;
}

/* IEEE 802.5: access control, frame control, addresses, source routing where the source's first bit is set. */
enum decode_status link_token_ring(struct walk *w, struct cursor c)
{
    const uint8_t *h = cur_take(&c, 14);
    if (!h)
        return walk_short(&c);
    if ((h[1] & 0xc0) != 0x40)
        return DECODE_NOT_IP;
    if (h[8] & 0x80)
        cur_skip(&c, cur_peek(&c, 0) & 0x1f);
    return link_llc(w, c);
}

/* ISO 9314-2: frame control, addresses. */
enum decode_status link_fddi(struct walk *w, struct cursor c)
{
    uint8_t control = cur_u8(&c);
    cur_skip(&c, 12);
    if (c.failed)
        return walk_short(&c);
    return (control & 0xf0) == 0x50 ? link_llc(w, c) : DECODE_NOT_IP;
}

/* RFC 2625 §3: two network addresses of eight bytes. */
enum decode_status link_ip_over_fc(struct walk *w, struct cursor c)
{
    cur_skip(&c, 16);
    return link_llc(w, c);
}

/* RFC 1201 and RFC 1051. The former has flags and a sequence number, and marks padding with a flag of 0xff. */
static enum decode_status decode_arcnet(struct walk *w, struct cursor c, bool has_padding_frames)
{
    enum { IP_1201 = 212, IP_1051 = 240, IPV6 = 196 };
    uint8_t protocol = cur_u8(&c);
    if (protocol == IP_1051)
        return ip4_decode(w, c);
    uint8_t flag = cur_u8(&c);
    cur_skip(&c, 2);
    if (flag == 0xff && has_padding_frames)
        cur_skip(&c, 4);
    if (c.failed)
        return walk_short(&c);
    if (flag != 0 && flag != 0xff)
        return DECODE_UNSUPPORTED; /* a piece of an ARCNET packet */
    return protocol == IP_1201 ? ip4_decode(w, c) : protocol == IPV6 ? ip6_decode(w, c) : DECODE_NOT_IP;
}

enum decode_status link_arcnet_bsd(struct walk *w, struct cursor c)
{
    cur_skip(&c, 2);
    return decode_arcnet(w, c, true);
}

enum decode_status link_arcnet_linux(struct walk *w, struct cursor c)
{
    cur_skip(&c, 4);
    return decode_arcnet(w, c, false);
}

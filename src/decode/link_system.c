#include "decode/walk.h"

/* Pseudo link layers that operating systems put in the place of the real one. */

/* The address family of NULL, LOOP, ENC and PFLOG: BSD's, whose IPv6 differs by system; Linux's IPv6 is 10. */
static enum decode_status decode_family(struct walk *w, uint32_t family, struct cursor c)
{
    switch (family) {
    case 2:
        return ip4_decode(w, c);
    case 10:
    case 24:
    case 28:
    case 30:
        return ip6_decode(w, c);
    default:
        return DECODE_NOT_IP;
    }
}

/* LINKTYPE_NULL has the host's byte order, LOOP the network's: a family is small, so the value tells. */
static uint32_t family_of(uint32_t value)
{
    return value <= 0xffff ? value : value >> 24 | (value >> 8 & 0xff00) | (value << 8 & 0xff0000) | value << 24;
}

enum decode_status link_null(struct walk *w, struct cursor c)
{
    uint32_t value = cur_u32(&c);
    if (c.failed)
        return walk_short(&c);
    uint32_t family = family_of(value);
    if (family > 0xffff && ip_looks_sound(c)) /* some loopbacks put an ethertype into the last two bytes */
        return ethertype_decode(w, (uint16_t)value, c);
    return decode_family(w, family, c);
}

/* LINKTYPE_ENC (OpenBSD IPsec): family, SPI, flags. */
enum decode_status link_enc(struct walk *w, struct cursor c)
{
    uint32_t family = family_of(cur_u32(&c));
    cur_skip(&c, 8);
    return c.failed ? walk_short(&c) : decode_family(w, family, c);
}

/* LINKTYPE_PFLOG: length (to be rounded up to four), family, and what the filter did. */
enum decode_status link_pflog(struct walk *w, struct cursor c)
{
    if (cur_left(&c) < 4)
        return walk_short(&c);
    uint8_t len = cur_peek(&c, 0), family = cur_peek(&c, 1);
    cur_skip(&c, (len + 3U) & ~3U);
    return c.failed ? walk_short(&c) : len < 4 ? DECODE_MALFORMED : decode_family(w, family, c);
}

/* LINKTYPE_SLIP: direction, then 15 bytes of compressed header, of which the first says whether there is one. */
enum decode_status link_slip(struct walk *w, struct cursor c)
{
    cur_skip(&c, 1);
    uint8_t compression = cur_u8(&c);
    cur_skip(&c, 14);
    if (c.failed)
        return walk_short(&c);
    return compression & 0x80 ? DECODE_UNSUPPORTED : ip_any_decode(w, c);
}

/* What the protocol of a Linux cooked header means depends on the ARPHRD_ type of the device. */
static enum decode_status decode_cooked(struct walk *w, uint16_t device, uint16_t protocol, struct cursor c)
{
    enum { ARPHRD_CAN_ = 280, ARPHRD_IEEE80211_ = 801, ARPHRD_RADIOTAP = 803, ARPHRD_NETLINK_ = 824 };
    enum { P_802_3 = 1, P_ALL = 3, P_802_2 = 4, P_PPP = 7 };
    switch (device) {
    case ARPHRD_CAN_:
    case ARPHRD_NETLINK_:
        return DECODE_NOT_IP;
    case ARPHRD_IEEE80211_:
        return walk_step(w) ? link_80211(w, c) : DECODE_UNSUPPORTED;
    case ARPHRD_RADIOTAP:
        return walk_step(w) ? link_radiotap(w, c) : DECODE_UNSUPPORTED;
    default:
        break;
    }
    switch (protocol) {
    case P_802_3:
        return DECODE_NOT_IP;
    case P_ALL:
        return link_ethernet(w, c);
    case P_802_2:
        return link_llc(w, c);
    case P_PPP:
        return link_ppp(w, c);
    default:
        return protocol > 1500 ? ethertype_decode(w, protocol, c) : DECODE_NOT_IP;
    }
}

/* LINKTYPE_LINUX_SLL: packet type, ARPHRD_, address length, address, protocol. */
enum decode_status link_linux_sll(struct walk *w, struct cursor c)
{
    cur_skip(&c, 2);
    uint16_t device = cur_u16(&c);
    cur_skip(&c, 10);
    uint16_t protocol = cur_u16(&c);
    return c.failed ? walk_short(&c) : decode_cooked(w, device, protocol, c);
}

/* LINKTYPE_LINUX_SLL2: protocol, interface, ARPHRD_, packet type, address. */
enum decode_status link_linux_sll2(struct walk *w, struct cursor c)
{
    uint16_t protocol = cur_u16(&c);
    cur_skip(&c, 6);
    uint16_t device = cur_u16(&c);
    cur_skip(&c, 10);
    return c.failed ? walk_short(&c) : decode_cooked(w, device, protocol, c);
}

/*
 * LINKTYPE_NFLOG: family, version, group, then attributes of length and type in the byte order of the host, padded to
 * four bytes; the ninth is the packet.
 */
static enum decode_status decode_nflog(struct walk *w, struct cursor c, bool little)
{
    enum { NFULA_PAYLOAD = 9 };
    cur_skip(&c, 4);
    while (cur_left(&c) >= 4) {
        uint16_t len = little ? cur_le16(&c) : cur_u16(&c);
        uint16_t type = little ? cur_le16(&c) : cur_u16(&c);
        if (len < 4)
            return DECODE_MALFORMED;
        if ((type & 0x7fff) == NFULA_PAYLOAD) {
            struct cursor rest = c;
            struct cursor payload = cur_child(&rest, len - 4U);
            return payload.failed ? DECODE_MALFORMED : ip_any_decode(w, payload);
        }
        size_t padded = (len - 4U + 3U) & ~(size_t)3;
        cur_skip(&c, padded);
    }
    return c.cut ? DECODE_TRUNCATED : DECODE_NOT_IP;
}

enum decode_status link_nflog(struct walk *w, struct cursor c)
{
    if (cur_left(&c) < 8)
        return walk_short(&c);
    /* an attribute's length is small: its high byte tells the byte order */
    bool little = cur_peek(&c, 5) < cur_peek(&c, 4) || cur_peek(&c, 4) >= 4;
    return decode_nflog(w, c, little);
}

/* LINKTYPE_PKTAP (macOS): length of the header, kind of record, DLT of what follows; little-endian. */
enum decode_status link_pktap(struct walk *w, struct cursor c)
{
    enum { RECORD_PACKET = 1, HEADER_MIN = 108 };
    struct cursor header = c;
    uint32_t len = cur_le32(&header);
    uint32_t record = cur_le32(&header);
    uint32_t link_type = cur_le32(&header);
    if (header.failed)
        return walk_short(&header);
    if (len < HEADER_MIN)
        return DECODE_MALFORMED;
    cur_skip(&c, len);
    if (c.failed)
        return walk_short(&c);
    return record == RECORD_PACKET ? link_type_decode(w, link_type, c) : DECODE_NOT_IP;
}

/* LINKTYPE_USER2 means what its user wants; only what is a PKTAP header beyond doubt is taken for one. */
enum decode_status link_pktap_user(struct walk *w, struct cursor c)
{
    struct cursor header = c;
    uint32_t len = cur_le32(&header);
    uint32_t record = cur_le32(&header);
    uint32_t link_type = cur_le32(&header);
    bool known = link_type <= UINT16_MAX && decoder_knows((uint16_t)link_type);
    if (len < 108 || len > 1024 || record > 1 || !known || cur_left(&c) < len)
        return DECODE_UNSUPPORTED;
    return link_pktap(w, c);
}

/* LINKTYPE_IPNET (Solaris): version, family, hook, length, interfaces and zones. */
enum decode_status link_ipnet(struct walk *w, struct cursor c)
{
    uint8_t version = cur_u8(&c);
    cur_skip(&c, 23);
    if (c.failed)
        return walk_short(&c);
    return version == 1 ? ip_any_decode(w, c) : DECODE_UNSUPPORTED;
}

/* Hilscher netANALYZER: four bytes of its own, and with preamble eight of the wire's. */
enum decode_status link_netanalyzer(struct walk *w, struct cursor c)
{
    cur_skip(&c, 4);
    return link_ethernet(w, c);
}

enum decode_status link_netanalyzer_preamble(struct walk *w, struct cursor c)
{
    cur_skip(&c, 12);
    return link_ethernet(w, c);
}

/* LINKTYPE_ETHERNET_MPACKET: preamble and delimiter first. IEEE 802.3br fragments have other delimiters. */
enum decode_status link_mpacket(struct walk *w, struct cursor c)
{
    cur_skip(&c, 7);
    uint8_t delimiter = cur_u8(&c);
    if (c.failed)
        return walk_short(&c);
    return delimiter == 0xd5 ? link_ethernet(w, c) : DECODE_UNSUPPORTED;
}

#include "decode/walk.h"

/* IEEE 802.1Q §9.6: priority 3 bits, DEI, VLAN 12 bits; then the ethertype (or length) of what is tagged. */
static enum decode_status decode_vlan(struct walk *w, struct cursor c)
{
    uint16_t tci = cur_u16(&c);
    uint16_t ethertype = cur_u16(&c);
    if (c.failed)
        return walk_short(&c);
    if (!w->tags.has_vlan) {
        w->tags.has_vlan = true;
        w->tags.vlan_pcp = (uint8_t)(tci >> 13);
        w->tags.vlan_id = tci & 0xfff;
    }
    return ethertype_decode(w, ethertype, c);
}

/* IEEE 802.1ah I-TAG: priority, flags and service id, then a whole Ethernet header. Its priority is a VLAN's. */
static enum decode_status decode_itag(struct walk *w, struct cursor c)
{
    cur_skip(&c, 4);
    return link_ethernet(w, c);
}

/* Steps over `len` bytes of tag to the ethertype of what it tags. */
static enum decode_status decode_tag(struct walk *w, struct cursor c, size_t len)
{
    cur_skip(&c, len);
    uint16_t ethertype = cur_u16(&c);
    return c.failed ? walk_short(&c) : ethertype_decode(w, ethertype, c);
}

static enum decode_status decode_vntag(struct walk *w, struct cursor c)
{
    return decode_tag(w, c, 4);
}

/* IEEE 802.1BR E-TAG; HSR (IEC 62439-3): path, size and sequence number. */
static enum decode_status decode_etag(struct walk *w, struct cursor c)
{
    return decode_tag(w, c, 6);
}

static enum decode_status decode_hsr(struct walk *w, struct cursor c)
{
    return decode_tag(w, c, 4);
}

/* Cisco MetaData: version, length, then options of which the security group tag is the usual one. */
static enum decode_status decode_cisco_metadata(struct walk *w, struct cursor c)
{
    uint8_t version = cur_u8(&c);
    uint8_t units = cur_u8(&c);
    if (c.failed)
        return walk_short(&c);
    return version == 1 && units == 1 ? decode_tag(w, c, 4) : DECODE_UNSUPPORTED;
}

/* FabricPath (Cisco DCE): its 16 bytes of header end in a tree number and a hop count; the Ethernet frame follows. */
static enum decode_status decode_fabricpath(struct walk *w, struct cursor c)
{
    cur_skip(&c, 2);
    return link_ethernet(w, c);
}

/* TRILL, RFC 6325 §3.2: options in units of four bytes, then an Ethernet frame. */
static enum decode_status decode_trill(struct walk *w, struct cursor c)
{
    uint16_t flags = cur_u16(&c);
    cur_skip(&c, 4U + (flags >> 6 & 31U) * 4U);
    return link_ethernet(w, c);
}

/* MACsec, IEEE 802.1AE §9.3: readable only where it protects integrity alone. Its trailer is no payload: IP knows. */
static enum decode_status decode_macsec(struct walk *w, struct cursor c)
{
    uint8_t tci = cur_u8(&c);
    cur_skip(&c, 5);
    if (tci & 0x20)
        cur_skip(&c, 8);
    if (c.failed)
        return walk_short(&c);
    return tci & 0x8c ? DECODE_UNSUPPORTED : decode_tag(w, c, 0);
}

/* What follows an ethertype. Any that is not here carries no IP that could be read. */
static const struct {
    uint16_t ethertype;
    decode_fn *fn;
} ethertypes[] = {
    {0x0800, ip4_decode},    {0x86dd, ip6_decode},        {0x8100, decode_vlan},
    {0x88a8, decode_vlan},   {0x9100, decode_vlan},       {0x9200, decode_vlan},
    {0x8847, mpls_decode},   {0x8848, mpls_decode},       {0x8864, pppoe_session_decode},
    {0x6558, link_ethernet}, /* transparent Ethernet bridging */
    {0x880b, link_ppp},      {0x894f, nsh_decode},        {0x8926, decode_vntag},
    {0x893f, decode_etag},   {0x892f, decode_hsr},        {0x8909, decode_cisco_metadata},
    {0x88e7, decode_itag},   {0x8903, decode_fabricpath}, {0x22f3, decode_trill},
    {0x88e5, decode_macsec}, {0x8870, link_llc}, /* jumbo LLC */
};

enum decode_status ethertype_decode(struct walk *w, uint16_t ethertype, struct cursor c)
{
    if (!walk_step(w))
        return DECODE_UNSUPPORTED;
    if (ethertype <= 1500) {
        struct cursor frame = c;
        struct cursor inside = cur_child(&frame, ethertype);
        return link_llc(w, inside.failed ? c : inside);
    }
    for (size_t i = 0; i < sizeof ethertypes / sizeof *ethertypes; i++)
        if (ethertypes[i].ethertype == ethertype)
            return ethertypes[i].fn(w, c);
    return DECODE_NOT_IP;
}

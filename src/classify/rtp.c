#include "classify/rtp.h"

#define RTP_FIXED_BYTES 12

/* Field by field: a struct that was just put together from small writes stalls most processors when it is copied in
 * larger pieces. */
static inline void header_give(struct rtp_header *ret, const struct rtp_header *h)
{
    ret->padding = h->padding;
    ret->extension = h->extension;
    ret->marker = h->marker;
    ret->csrc_count = h->csrc_count;
    ret->payload_type = h->payload_type;
    ret->sequence = h->sequence;
    ret->timestamp = h->timestamp;
    ret->ssrc = h->ssrc;
    ret->extension_profile = h->extension_profile;
    ret->extension_bytes = h->extension_bytes;
    ret->header_bytes = h->header_bytes;
    ret->payload_bytes = h->payload_bytes;
}

/* The 32-bit words of CSRCs and extension may lie beyond what was captured: the fixed header alone is what counts. */
static inline enum parse_status header_read(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    if (wire_bytes < RTP_FIXED_BYTES || (cur_left(&c) > 0 && cur_peek(&c, 0) >> 6 != 2))
        return PARSE_MALFORMED;

    const uint8_t *p = cur_take(&c, RTP_FIXED_BYTES);
    if (!p)
        return cur_status(&c);
    struct rtp_header h = {
        .padding = (p[0] & 0x20) != 0,
        .extension = (p[0] & 0x10) != 0,
        .csrc_count = p[0] & 0x0f,
        .marker = (p[1] & 0x80) != 0,
        .payload_type = p[1] & 0x7f,
        .sequence = (uint16_t)((unsigned)p[2] << 8 | p[3]),
        .timestamp = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7],
        .ssrc = (uint32_t)p[8] << 24 | (uint32_t)p[9] << 16 | (uint32_t)p[10] << 8 | p[11],
    };
    h.header_bytes = RTP_FIXED_BYTES + 4u * h.csrc_count;
    if (h.extension) {
        h.header_bytes += 4;
        cur_skip(&c, 4u * h.csrc_count);
        h.extension_profile = cur_u16(&c);
        h.extension_bytes = cur_u16(&c);
        if (cur_status(&c) == PARSE_MALFORMED)
            return PARSE_MALFORMED;
        if (c.failed) { /* cut before the extension's length */
            h.extension_profile = 0;
            h.extension_bytes = 0;
        }
        uint32_t extension_bytes = 4u * h.extension_bytes;
        if (extension_bytes > UINT16_MAX)
            return PARSE_MALFORMED; /* more than a datagram holds */
        h.extension_bytes = (uint16_t)extension_bytes;
        h.header_bytes += extension_bytes;
    }
    if (h.header_bytes > wire_bytes)
        return PARSE_MALFORMED;
    h.payload_bytes = wire_bytes - h.header_bytes;
    header_give(ret, &h);
    return PARSE_OK;
}

enum parse_status rtp_parse(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret)
{
    return header_read(c, wire_bytes, ret);
}

bool rtp_plausible(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret)
{
    struct rtp_header h;
    if (header_read(c, wire_bytes, &h) != PARSE_OK)
        return false;
    /* RFC 5761 §4: payload types 64..95 are what RTCP's packet types look like. */
    if (h.payload_type >= 64 && h.payload_type <= 95)
        return false;
    /* RFC 3550 §5.1: the last byte counts the padding and itself. Under SRTP it lies before a tag that cannot be told
     * from it, so that only a packet too short for any padding is refused. */
    if (h.padding && h.payload_bytes == 0)
        return false;
    /* RFC 8285 §4.2 and §4.3 name the profiles in use; others exist, but not with the extension as all of the packet.
     */
    if (h.extension && h.payload_bytes == 0 && h.extension_profile != 0xbede && h.extension_profile >> 4 != 0x100)
        return false;
    header_give(ret, &h);
    return true;
}

/* RFC 7983 §7, with ZRTP (RFC 6189 §5) and the QUIC range of RFC 9443 left as other. The ranges do not overlap; what
 * comes most often stands first. */
static const struct {
    uint8_t from, to;
    enum media_byte what;
} first_bytes[] = {
    {128, 191, MEDIA_BYTE_RTP}, {0, 3, MEDIA_BYTE_STUN},           {16, 19, MEDIA_BYTE_ZRTP},
    {20, 63, MEDIA_BYTE_DTLS},  {64, 79, MEDIA_BYTE_TURN_CHANNEL},
};

enum media_byte media_byte_of(const uint8_t *payload, uint32_t len)
{
    if (len < 2)
        return MEDIA_BYTE_OTHER;
    for (size_t i = 0; i < sizeof first_bytes / sizeof *first_bytes; i++) {
        if (payload[0] < first_bytes[i].from || payload[0] > first_bytes[i].to)
            continue;
        if (first_bytes[i].what == MEDIA_BYTE_RTP && payload[1] >= 192 && payload[1] <= 223)
            return MEDIA_BYTE_RTCP;
        return first_bytes[i].what;
    }
    return MEDIA_BYTE_OTHER;
}

#include "classify/rtp.h"

#define RTP_FIXED_BYTES 12

/* The 32-bit words of CSRCs and extension may lie beyond what was captured: the fixed header alone is what counts. */
enum parse_status rtp_parse(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    if (wire_bytes < RTP_FIXED_BYTES || (cur_left(&c) > 0 && cur_peek(&c, 0) >> 6 != 2))
        return PARSE_MALFORMED;

    struct rtp_header h = {0};
    uint8_t first = cur_u8(&c);
    uint8_t second = cur_u8(&c);
    h.padding = (first & 0x20) != 0;
    h.extension = (first & 0x10) != 0;
    h.csrc_count = first & 0x0f;
    h.marker = (second & 0x80) != 0;
    h.payload_type = second & 0x7f;
    h.sequence = cur_u16(&c);
    h.timestamp = cur_u32(&c);
    h.ssrc = cur_u32(&c);
    if (cur_status(&c) != PARSE_OK)
        return cur_status(&c);

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
    *ret = h;
    return PARSE_OK;
}

bool rtp_plausible(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret)
{
    struct rtp_header h;
    if (rtp_parse(c, wire_bytes, &h) != PARSE_OK)
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
    *ret = h;
    return true;
}

/* RFC 7983 §7, with ZRTP (RFC 6189 §5) and the QUIC range of RFC 9443 left as other. */
static const struct {
    uint8_t from, to;
    enum media_byte what;
} first_bytes[] = {
    {0, 3, MEDIA_BYTE_STUN},           {16, 19, MEDIA_BYTE_ZRTP},  {20, 63, MEDIA_BYTE_DTLS},
    {64, 79, MEDIA_BYTE_TURN_CHANNEL}, {128, 191, MEDIA_BYTE_RTP},
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

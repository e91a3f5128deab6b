#include "classify/h323.h"

#include <string.h>

enum { TPKT_HEADER_BYTES = 4, PROTOCOL_Q931 = 8, ELEMENT_USER_USER = 0x7e, DISCRIMINATOR_X208 = 5, OID_WINDOW = 24 };

static bool has_oid(const uint8_t *bytes, size_t len, const uint8_t *oid, size_t oid_len)
{
    size_t places = len < oid_len ? 0 : len - oid_len + 1;
    const uint8_t *end = bytes + (places < OID_WINDOW ? places : OID_WINDOW);
    for (const uint8_t *at = bytes; at < end && (at = memchr(at, oid[0], (size_t)(end - at))); at++)
        if (memcmp(at, oid, oid_len) == 0)
            return true;
    return false;
}

/* Q.931 §4.2..4.5: discriminator, call reference, message type, information elements. */
static enum tpkt_content q931_parse(struct cursor c)
{
    static const uint8_t types[] = {0x01, 0x02, 0x03, 0x05, 0x07, 0x0d, 0x0f, 0x5a, 0x62, 0x6e, 0x75, 0x7b, 0x7d};
    (void)cur_u8(&c);
    uint8_t reference_bytes = cur_u8(&c);
    cur_skip(&c, reference_bytes);
    uint8_t type = cur_u8(&c);
    if (c.failed || reference_bytes != 2 || !memchr(types, type, sizeof types))
        return TPKT_OTHER;
    while (cur_left(&c)) {
        uint8_t element = cur_u8(&c);
        if (element & 0x80)
            continue; /* §4.5.1: a single octet */
        if (element == ELEMENT_USER_USER) {
            cur_skip(&c, 2); /* H.225.0 §7.2.2.31 makes its length two octets */
            uint8_t discriminator = cur_u8(&c);
            return !c.failed && discriminator == DISCRIMINATOR_X208 ? TPKT_H225 : TPKT_Q931;
        }
        cur_skip(&c, cur_u8(&c));
    }
    return TPKT_Q931;
}

static enum tpkt_content content_of(struct cursor body)
{
    static const uint8_t h245_oid[] = {0x06, 0x00, 0x08, 0x81, 0x75, 0x00};
    static const uint8_t x224_types[] = {0xe0, 0xd0, 0x80, 0xf0};
    size_t len = cur_left(&body);
    if (len >= 5 && body.at[0] == PROTOCOL_Q931)
        return q931_parse(body);
    if (len >= 8 && body.at[0] == 0x02 && has_oid(body.at, len, h245_oid, sizeof h245_oid))
        return TPKT_H245;
    if (len >= 3 && body.at[0] < len && memchr(x224_types, body.at[1] & 0xf0, sizeof x224_types))
        return TPKT_X224;
    return TPKT_OTHER;
}

enum parse_status tpkt_parse(struct cursor c, enum tpkt_content *ret)
{
    enum tpkt_content found = TPKT_OTHER;
    c.cut = true;
    for (bool first = true; cur_left(&c); first = false) {
        uint8_t version = cur_u8(&c), reserved = cur_u8(&c);
        uint16_t length = cur_u16(&c);
        if (c.failed)
            break;
        if (version != 3 || reserved != 0 || length < TPKT_HEADER_BYTES + 1)
            return first || found == TPKT_OTHER ? PARSE_UNSUPPORTED : PARSE_OK;
        enum tpkt_content content = content_of(cur_child(&c, length - TPKT_HEADER_BYTES));
        if (found == TPKT_OTHER)
            found = content;
        if (found != TPKT_OTHER)
            *ret = found;
        if (content == TPKT_H225 || content == TPKT_H245 || content == TPKT_X224)
            return PARSE_OK;
    }
    return found != TPKT_OTHER ? PARSE_OK : PARSE_TRUNCATED;
}

bool h225_ras_looks_like(const uint8_t *bytes, size_t len)
{
    static const uint8_t h225_oid[] = {0x06, 0x00, 0x08, 0x91, 0x4a, 0x00};
    return len >= 12 && has_oid(bytes, len, h225_oid, sizeof h225_oid);
}

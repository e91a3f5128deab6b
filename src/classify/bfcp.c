#include "classify/bfcp.h"

#define BFCP_HEADER_BYTES   12
#define BFCP_FRAGMENT_BYTES 4
#define PRIMITIVE_LAST_V1   13 /* Error, RFC 4582 §5.1 */
#define PRIMITIVE_LAST      18 /* GoodbyeAck, RFC 8855 §5.1 */
#define ATTRIBUTE_LAST      18 /* OVERALL-REQUEST-STATUS, §5.2 */

/* RFC 8855 §5.2: type in seven bits and M, the length with these two bytes, padding to 32 bits outside the length. */
static bool attributes_add_up(struct cursor c, uint32_t wire)
{
    while (wire > 0) {
        uint8_t type = cur_u8(&c) >> 1;
        uint8_t len = cur_u8(&c);
        if (c.failed)
            return c.cut;
        uint32_t padded = (len + 3u) & ~3u;
        if (type < 1 || type > ATTRIBUTE_LAST || len < 2 || padded > wire)
            return false;
        wire -= padded;
        cur_skip(&c, padded - 2);
    }
    return true;
}

enum parse_status bfcp_parse(struct cursor c, uint32_t wire_bytes, bool stream, struct bfcp_message *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    if (wire_bytes < BFCP_HEADER_BYTES)
        return stream ? PARSE_TRUNCATED : PARSE_MALFORMED;
    uint8_t first = cur_u8(&c);
    struct bfcp_message m = {.version = first >> 5, .responder = (first & 0x10) != 0, .fragment = (first & 0x08) != 0};
    m.primitive = cur_u8(&c);
    uint32_t body = 4u * cur_u16(&c);
    m.conference_id = cur_u32(&c);
    m.transaction_id = cur_u16(&c);
    m.user_id = cur_u16(&c);
    if (c.failed)
        return cur_status(&c);

    uint8_t last = m.version == 1 ? PRIMITIVE_LAST_V1 : PRIMITIVE_LAST;
    if ((m.version != 1 && m.version != 2) || m.primitive < 1 || m.primitive > last || first & 0x07)
        return PARSE_MALFORMED;
    if (m.version == 1 && (m.responder || m.fragment)) /* reserved bits then */
        return PARSE_MALFORMED;
    uint32_t header = BFCP_HEADER_BYTES + (m.fragment ? BFCP_FRAGMENT_BYTES : 0);
    m.message_bytes = header + body;
    if (stream ? m.message_bytes > wire_bytes && !c.cut : m.message_bytes != wire_bytes && !m.fragment)
        return stream ? PARSE_TRUNCATED : PARSE_MALFORMED;
    if (m.fragment) {
        uint32_t offset = 4u * cur_u16(&c), part = 4u * cur_u16(&c);
        if (c.failed)
            return cur_status(&c);
        if (part == 0 || offset + part > body || header + part != wire_bytes)
            return PARSE_MALFORMED;
    } else {
        struct cursor attributes = cur_child(&c, body);
        if (attributes.failed || !attributes_add_up(attributes, body))
            return PARSE_MALFORMED;
    }
    *ret = m;
    return PARSE_OK;
}

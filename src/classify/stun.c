#include "classify/stun.h"

#include <string.h>

#define STUN_HEADER_BYTES 20u
#define STUN_COOKIE       0x2112a442u

enum stun_attribute {
    ATTR_MAPPED_ADDRESS = 0x0001,
    ATTR_CHANNEL_NUMBER = 0x000c,
    ATTR_XOR_PEER_ADDRESS = 0x0012,
    ATTR_DATA = 0x0013,
    ATTR_XOR_RELAYED_ADDRESS = 0x0016,
    ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    ATTR_PRIORITY = 0x0024,
    ATTR_USE_CANDIDATE = 0x0025,
    ATTR_XOR_MAPPED_ADDRESS_OLD = 0x8020, /* drafts of RFC 5389, still sent */
    ATTR_SOFTWARE = 0x8022,
    ATTR_ICE_CONTROLLED = 0x8029,
    ATTR_ICE_CONTROLLING = 0x802a,
};

/* RFC 8489 §5: the class's two bits lie between those of the method. */
static uint16_t method_of(uint16_t type)
{
    return (uint16_t)((type & 0x000f) | (type & 0x00e0) >> 1 | (type & 0x3e00) >> 2);
}

static enum stun_class class_of(uint16_t type)
{
    return (enum stun_class)((type >> 4 & 1) | (type >> 7 & 2));
}

/* RFC 8489 §14.1 and §14.2: family, port and address, xored with cookie and transaction where `mask` is given. */
static struct endpoint read_address(struct cursor c, const uint8_t *mask)
{
    struct endpoint e = {0};
    uint8_t bytes[16];
    cur_skip(&c, 1);
    uint8_t family = cur_u8(&c);
    uint16_t port = cur_u16(&c);
    size_t len = family == 1 ? 4 : family == 2 ? 16 : 0;
    const uint8_t *at = cur_take(&c, len);
    if (!at || len == 0 || cur_left(&c) != 0)
        return e;
    for (size_t i = 0; i < len; i++)
        bytes[i] = mask ? at[i] ^ mask[i] : at[i];
    e.addr = len == 4 ? addr_v4(bytes) : addr_v6(bytes);
    e.port = port;
    if (mask)
        e.port = (uint16_t)(port ^ ((unsigned)mask[0] << 8 | mask[1]));
    return e;
}

static void read_attribute(uint16_t type, uint16_t len, struct cursor value, const uint8_t *mask,
                           struct stun_message *m)
{
    switch (type) {
    case ATTR_MAPPED_ADDRESS:
        if (m->mapped.addr.version == 0)
            m->mapped = read_address(value, NULL);
        break;
    case ATTR_XOR_MAPPED_ADDRESS:
    case ATTR_XOR_MAPPED_ADDRESS_OLD:
        m->mapped = read_address(value, mask);
        break;
    case ATTR_XOR_PEER_ADDRESS:
        m->peer = read_address(value, mask);
        break;
    case ATTR_XOR_RELAYED_ADDRESS:
        m->relayed = read_address(value, mask);
        break;
    case ATTR_CHANNEL_NUMBER:
        m->channel = cur_u16(&value);
        break;
    case ATTR_DATA:
        m->data_wire_bytes = len;
        m->data = slice_make(value.at, cur_left(&value));
        break;
    case ATTR_SOFTWARE:
        m->software = slice_make(value.at, cur_left(&value));
        break;
    case ATTR_PRIORITY:
    case ATTR_USE_CANDIDATE:
    case ATTR_ICE_CONTROLLED:
    case ATTR_ICE_CONTROLLING:
        m->ice = true;
        break;
    default:
        break;
    }
}

/* RFC 8489 §14: type, length, value, padding to 32 bits; the padding is not in the length. False where they do not add
 * up to `wire`. What the capture cut off is not looked at. `foreign` counts what RFC 3489 does not have. */
static bool read_attributes(struct cursor c, uint32_t wire, const uint8_t *mask, struct stun_message *m,
                            unsigned *foreign)
{
    while (wire > 0) {
        if (wire < 4)
            return false;
        uint16_t type = cur_u16(&c);
        uint16_t len = cur_u16(&c);
        if (c.failed)
            return c.cut;
        if (len > wire - 4)
            return false;
        /* some clients leave the padding of the last attribute away */
        uint32_t padded = (len + 3u) & ~3u;
        padded = padded < wire - 4 ? padded : wire - 4;
        wire -= 4 + padded;
        *foreign += type == 0 || (type > 0x000b && type < 0x8000);
        struct cursor value = cur_child(&c, len);
        if (value.failed)
            return false;
        read_attribute(type, len, value, mask, m);
        cur_skip(&c, padded - len);
        if (c.failed)
            return c.cut;
    }
    return true;
}

static bool is_turn_method(uint16_t method)
{
    return (method >= TURN_ALLOCATE && method <= TURN_CHANNEL_BIND && method != 5) ||
           (method >= TURN_CONNECT && method <= TURN_CONNECTION_ATTEMPT);
}

enum parse_status stun_parse(struct cursor c, uint32_t wire_bytes, struct stun_message *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    if (wire_bytes < STUN_HEADER_BYTES)
        return PARSE_MALFORMED;
    struct stun_message m = {0};
    uint16_t type = cur_u16(&c);
    uint16_t len = cur_u16(&c);
    if (!c.failed && (type & 0xc000 || len + STUN_HEADER_BYTES != wire_bytes))
        return PARSE_MALFORMED;
    const uint8_t *mask = cur_take(&c, 16);
    if (!mask)
        return cur_status(&c);

    m.classic = ((uint32_t)mask[0] << 24 | (uint32_t)mask[1] << 16 | (uint32_t)mask[2] << 8 | mask[3]) != STUN_COOKIE;
    m.method = method_of(type);
    m.message_class = class_of(type);
    m.message_bytes = len + STUN_HEADER_BYTES;
    m.is_turn = is_turn_method(m.method);
    memcpy(m.transaction, mask + 4, sizeof m.transaction);
    if (m.classic && (m.method != STUN_BINDING || len % 4))
        return PARSE_MALFORMED;
    unsigned foreign = 0;
    if (!read_attributes(c, len, mask, &m, &foreign))
        return PARSE_MALFORMED;
    if (m.classic && (foreign || m.message_class == STUN_INDICATION))
        return PARSE_MALFORMED;
    *ret = m;
    return PARSE_OK;
}

uint32_t stun_message_bytes(const uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, true);
    uint16_t type = cur_u16(&c);
    uint16_t body = cur_u16(&c);
    uint32_t cookie = cur_u32(&c);
    return c.failed || type & 0xc000 || body % 4 || cookie != STUN_COOKIE ? 0 : body + STUN_HEADER_BYTES;
}

enum parse_status turn_channel_data_parse(struct cursor c, uint32_t wire_bytes, struct turn_channel_data *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    uint16_t channel = cur_u16(&c);
    uint16_t len = cur_u16(&c);
    if (c.failed)
        return wire_bytes < 4 ? PARSE_MALFORMED : cur_status(&c);
    if (channel < 0x4000 || channel > 0x4fff || wire_bytes < 4u + len || wire_bytes - 4 - len > 3)
        return PARSE_MALFORMED;
    struct cursor data = cur_child(&c, len);
    if (data.failed)
        return PARSE_MALFORMED;
    *ret = (struct turn_channel_data){
        .channel = channel, .data = slice_make(data.at, cur_left(&data)), .data_wire_bytes = len};
    return PARSE_OK;
}

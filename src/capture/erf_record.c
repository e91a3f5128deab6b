#include "capture/erf_record.h"

enum {
    MORE_HEADERS = 0x80, /* of the type byte, and of the first byte of each extension header */
    EXTENSION_BYTES = 8,
    ETH_PADDING_BYTES = 2,
    TYPE_LAST = 27,
};

bool erf_type_is_known(uint8_t type)
{
    return (type >= 1 && type <= TYPE_LAST) || type == ERF_PAD;
}

static bool is_ethernet(uint8_t type)
{
    return type == ERF_ETH || type == ERF_COLOR_ETH || type == ERF_DSM_COLOR_ETH || type == ERF_COLOR_HASH_ETH;
}

enum parse_status erf_record_parse(struct cursor c, struct erf_record *ret)
{
    struct erf_record r = {.header_bytes = ERF_HEADER_BYTES};
    r.timestamp = cur_le64(&c);
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 1); /* flags */
    r.record_bytes = cur_u16(&c);
    cur_skip(&c, 2); /* loss counter or colour */
    r.wire_bytes = cur_u16(&c);
    r.type = type & 0x7f;

    for (bool more = type & MORE_HEADERS; more && !c.failed; r.header_bytes += EXTENSION_BYTES) {
        more = cur_u8(&c) & MORE_HEADERS;
        cur_skip(&c, EXTENSION_BYTES - 1);
    }
    if (is_ethernet(r.type))
        r.header_bytes += ETH_PADDING_BYTES;
    if (c.failed)
        return cur_status(&c);
    if (r.record_bytes < r.header_bytes)
        return PARSE_MALFORMED;
    *ret = r;
    return PARSE_OK;
}

#include "classify/quic.h"

#include "base/cursor.h"

enum { CONNECTION_ID_BYTES_MAX = 20 };

static bool is_digit(uint32_t byte)
{
    return (byte & 0xff) >= '0' && (byte & 0xff) <= '9';
}

/* "Q043" and, with TLS, "T051" */
static bool google_version(uint32_t v)
{
    return (v >> 24 == 'Q' || v >> 24 == 'T') && (v >> 16 & 0xff) == '0' && is_digit(v >> 8) && is_digit(v);
}

static bool version_known(uint32_t v)
{
    return v == 1 || v == 0x6b3343cf /* RFC 9369 */ || (v >= 0xff00000a && v <= 0xff000022) /* drafts 10 to 34 */ ||
           (v & 0xfffffff0) == 0xfaceb000 /* mvfst */ || (google_version(v) && (v & 0xffff) >= 0x3436 /* "46" */);
}

static bool long_header(const uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    uint8_t first = cur_u8(&c);
    uint32_t version = cur_u32(&c);
    if (!(first & 0x80) || c.failed)
        return false;
    if (google_version(version) && (version & 0xffff) == 0x3436) /* Q046 has another layout of connection IDs */
        return (first & 0x40) && cur_left(&c) > 9;
    uint8_t dcid = cur_u8(&c);
    cur_skip(&c, dcid);
    uint8_t scid = cur_u8(&c);
    cur_skip(&c, scid);
    if (c.failed || dcid > CONNECTION_ID_BYTES_MAX || scid > CONNECTION_ID_BYTES_MAX)
        return false;
    if (version != 0)
        return version_known(version) && cur_left(&c) > 0;
    bool offered = false;
    if (cur_left(&c) % 4)
        return false;
    while (cur_left(&c))
        offered |= version_known(cur_u32(&c));
    return offered;
}

/* Google's public header before Q046: flags with the version bit, an eight byte connection ID, the version. */
static bool google_header(const uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    uint8_t flags = cur_u8(&c);
    cur_skip(&c, 8);
    uint32_t version = cur_u32(&c);
    return !c.failed && (flags & 0xc9) == 0x09 && google_version(version) && cur_left(&c) > 0;
}

bool quic_looks_like(const uint8_t *bytes, size_t len)
{
    return long_header(bytes, len) || google_header(bytes, len);
}

#include "classify/ldap.h"

#include <string.h>

enum { BER_INTEGER = 2, BER_OCTET_STRING = 4, BER_ENUMERATED = 10, BER_SEQUENCE = 0x30 };
enum { BIND_REQUEST = 0x60, SEARCH_REQUEST = 0x63, EXTENDED_REQUEST = 0x77, EXTENDED_NAME = 0x80 };

/* X.690 §8.1.3, definite lengths of up to four bytes. The child is cut where the message goes on in bytes not here. */
static struct cursor ber_child(struct cursor *c, uint8_t *ret_tag)
{
    *ret_tag = cur_u8(c);
    uint32_t length = cur_u8(c);
    if (length > 0x84 || length == 0x80)
        cur_fail(c);
    if (length > 0x80) {
        uint32_t count = length & 0x7f;
        length = 0;
        for (uint32_t i = 0; i < count && i < 4; i++)
            length = length << 8 | cur_u8(c);
    }
    if (length > 1u << 24)
        cur_fail(c);
    return cur_child(c, length);
}

/* An INTEGER or ENUMERATED that fits 31 bits and is not negative. */
static uint32_t ber_number(struct cursor *c, uint8_t wanted_tag)
{
    uint8_t tag;
    struct cursor body = ber_child(c, &tag);
    uint32_t value = 0;
    size_t bytes = cur_left(&body);
    if (tag != wanted_tag || bytes == 0 || bytes > 4 || (cur_peek(&body, 0) & 0x80))
        cur_fail(c);
    for (size_t i = 0; i < bytes && i < 4; i++)
        value = value << 8 | cur_u8(&body);
    return value;
}

/* The bytes are a part of a stream or datagram: what is missing at the end is truncation, not contradiction. */
static enum parse_status head_parse(struct cursor *c, struct cursor *ret_body)
{
    uint8_t tag;
    c->cut = true;
    if (cur_left(c) && cur_peek(c, 0) != BER_SEQUENCE)
        return PARSE_UNSUPPORTED;
    *ret_body = ber_child(c, &tag);
    return cur_left(ret_body) ? PARSE_OK : PARSE_TRUNCATED;
}

static bool operation_known(uint8_t tag)
{
    static const uint8_t operations[] = {0x60, 0x61, 0x42, 0x63, 0x64, 0x73, 0x65, 0x66, 0x67, 0x68, 0x69,
                                         0x4a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x50, 0x77, 0x78, 0x79};
    return memchr(operations, tag, sizeof operations) != NULL;
}

static bool from_client(uint8_t tag)
{
    static const uint8_t requests[] = {0x60, 0x42, 0x63, 0x66, 0x68, 0x4a, 0x6c, 0x6e, 0x50, 0x77};
    return memchr(requests, tag, sizeof requests) != NULL;
}

static bool operation_fits(struct cursor op, struct ldap_message *m)
{
    static const char start_tls[] = "1.3.6.1.4.1.1466.20037";
    uint8_t tag;
    if (m->operation == BIND_REQUEST) {
        uint32_t version = ber_number(&op, BER_INTEGER);
        (void)ber_child(&op, &tag);
        m->certain = cur_status(&op) == PARSE_OK && (version == 2 || version == 3) && tag == BER_OCTET_STRING;
        return m->certain;
    }
    if (m->operation == SEARCH_REQUEST) {
        (void)ber_child(&op, &tag);
        uint32_t scope = ber_number(&op, BER_ENUMERATED), aliases = ber_number(&op, BER_ENUMERATED);
        return cur_status(&op) == PARSE_OK && tag == BER_OCTET_STRING && scope <= 3 && aliases <= 3;
    }
    if (m->operation == EXTENDED_REQUEST) {
        struct cursor name = ber_child(&op, &tag);
        size_t n = cur_left(&name);
        if (cur_status(&op) != PARSE_OK || tag != EXTENDED_NAME || n < 3 || cur_peek(&name, 1) != '.')
            return false;
        m->start_tls = n == sizeof start_tls - 1 && memcmp(name.at, start_tls, n) == 0;
        m->certain = true;
        return true;
    }
    return true;
}

enum parse_status ldap_parse(struct cursor c, struct ldap_message *ret)
{
    struct cursor message;
    enum parse_status status = head_parse(&c, &message);
    if (status != PARSE_OK)
        return status;
    struct ldap_message m = {0};
    (void)ber_number(&message, BER_INTEGER);
    if (cur_left(&message) == 0)
        return PARSE_TRUNCATED;
    m.operation = cur_peek(&message, 0);
    if (!operation_known(m.operation))
        return PARSE_UNSUPPORTED;
    uint8_t tag;
    struct cursor op = ber_child(&message, &tag);
    if (cur_status(&op) != PARSE_OK || !operation_fits(op, &m))
        return PARSE_UNSUPPORTED;
    m.from_client = from_client(m.operation);
    *ret = m;
    return PARSE_OK;
}

enum parse_status snmp_parse(struct cursor c, uint8_t *ret_version)
{
    struct cursor message;
    enum parse_status status = head_parse(&c, &message);
    if (status != PARSE_OK)
        return status;
    uint32_t version = ber_number(&message, BER_INTEGER);
    if (cur_left(&message) == 0)
        return PARSE_TRUNCATED;
    uint8_t next = cur_peek(&message, 0);
    bool fits = version <= 1 ? next == BER_OCTET_STRING : version == 3 && next == BER_SEQUENCE;
    if (!fits)
        return PARSE_UNSUPPORTED;
    *ret_version = (uint8_t)version;
    return PARSE_OK;
}

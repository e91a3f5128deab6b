#include "model/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct addr addr_v4(const uint8_t bytes[4])
{
    struct addr a = {.version = 4};
    memcpy(a.bytes, bytes, 4);
    return a;
}

struct addr addr_v6(const uint8_t bytes[16])
{
    struct addr a = {.version = 6};
    memcpy(a.bytes, bytes, 16);
    return a;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof *a);
}

bool addr_is_multicast(const struct addr *a)
{
    return a->version == 4 ? (a->bytes[0] & 0xf0) == 0xe0 : a->version == 6 && a->bytes[0] == 0xff;
}

bool addr_is_unspecified(const struct addr *a)
{
    static const uint8_t zero[16];
    return memcmp(a->bytes, zero, sizeof zero) == 0;
}

bool addr_is_private(const struct addr *a)
{
    static const struct prefix ranges[] = {
        {{4, {10}}, 8},        {{4, {172, 16}}, 12}, {{4, {192, 168}}, 16},   {{4, {100, 64}}, 10},
        {{4, {169, 254}}, 16}, {{6, {0xfc}}, 7},     {{6, {0xfe, 0x80}}, 10},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (prefix_has(&ranges[i], a))
            return true;
    return false;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

int endpoint_compare(const struct endpoint *a, const struct endpoint *b)
{
    int c = addr_compare(&a->addr, &b->addr);
    return c ? c : (a->port > b->port) - (a->port < b->port);
}

bool addr_parse(struct slice text, struct addr *ret)
{
    char copy[ADDR_TEXT_MAX];
    /* a NUL inside would hide the rest from inet_pton() */
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.at, '\0', text.len))
        return false;
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    struct addr a = {0};
    if (inet_pton(AF_INET, copy, a.bytes) == 1)
        a.version = 4;
    else if (inet_pton(AF_INET6, copy, a.bytes) == 1)
        a.version = 6;
    else
        return false;
    *ret = a;
    return true;
}

void addr_format(const struct addr *a, char text[static ADDR_TEXT_MAX])
{
    text[0] = '\0';
    if (a->version)
        (void)inet_ntop(a->version == 4 ? AF_INET : AF_INET6, a->bytes, text, ADDR_TEXT_MAX);
}

void endpoint_format(const struct endpoint *e, char text[static ENDPOINT_TEXT_MAX])
{
    char addr[ADDR_TEXT_MAX];
    addr_format(&e->addr, addr);
    (void)snprintf(text, ENDPOINT_TEXT_MAX, e->addr.version == 6 ? "[%s]:%u" : "%s:%u", addr, (unsigned)e->port);
}

bool endpoint_parse(struct slice text, uint16_t default_port, struct endpoint *ret)
{
    struct endpoint e = {.port = default_port};
    struct slice addr = text;
    uint64_t port;
    bool bracketed = text.len && text.at[0] == '[';
    const char *close = bracketed ? memchr(text.at, ']', text.len) : NULL;
    if (bracketed && !close)
        return false;
    const char *from = close ? close + 1 : text.at, *end = text.at + text.len;
    const char *colon = from < end ? memchr(from, ':', (size_t)(end - from)) : NULL;
    bool bare_v6 = !bracketed && colon && memchr(colon + 1, ':', (size_t)(end - colon - 1));
    if (bracketed) {
        addr = slice_make(text.at + 1, (size_t)(close - text.at) - 1);
        if (close + 1 != end && close + 1 != colon)
            return false;
    } else if (colon && !bare_v6) {
        addr = slice_make(text.at, (size_t)(colon - text.at));
    }
    if (colon && !bare_v6) {
        if (!slice_number(slice_make(colon + 1, (size_t)(end - colon - 1)), UINT16_MAX, &port) || port == 0)
            return false;
        e.port = (uint16_t)port;
    }
    if (e.port == 0 || !addr_parse(addr, &e.addr) || (e.addr.version == 6) != (bracketed || bare_v6))
        return false;
    *ret = e;
    return true;
}

bool prefix_parse(struct slice text, struct prefix *ret)
{
    struct slice rest = text;
    struct slice addr = slice_next(&rest, '/');
    struct prefix p;
    if (!addr_parse(addr, &p.addr))
        return false;
    uint64_t bits = p.addr.version == 4 ? 32 : 128;
    uint64_t len = bits;
    if (addr.len != text.len && !slice_number(rest, bits, &len))
        return false;
    p.len = (uint8_t)len;
    for (uint64_t bit = len; bit < bits; bit++)
        if (p.addr.bytes[bit / 8] & (0x80u >> (bit % 8)))
            return false;
    *ret = p;
    return true;
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
    if (p->addr.version != a->version)
        return false;
    unsigned whole = p->len / 8, rest = p->len % 8;
    if (memcmp(p->addr.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 || ((p->addr.bytes[whole] ^ a->bytes[whole]) & (0xff00u >> rest) & 0xff) == 0;
}

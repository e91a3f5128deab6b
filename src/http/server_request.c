#include "http/server_request.h"

#include <string.h>

bool http_address_is_loopback(const struct addr *a)
{
    static const uint8_t six[16] = {[15] = 1};
    return a->version == 4 ? a->bytes[0] == 127 : a->version == 6 && memcmp(a->bytes, six, sizeof six) == 0;
}

/* ":9464" or nothing. */
static bool is_port(struct slice text)
{
    uint64_t port;
    if (text.len == 0)
        return true;
    return text.at[0] == ':' && slice_number(slice_make(text.at + 1, text.len - 1), UINT16_MAX, &port);
}

bool http_host_is_loopback(const char *host)
{
    struct addr a;
    if (!host)
        return true;
    struct slice name = slice_make(host, strcspn(host, ":")), rest;
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        if (!end)
            return false;
        name = slice_make(host + 1, (size_t)(end - host) - 1);
        rest = slice_make(end + 1, strlen(end + 1));
    } else {
        rest = slice_make(host + name.len, strlen(host + name.len));
    }
    if (!is_port(rest))
        return false;
    if (host[0] != '[' && slice_equal_nocase(name, SLICE("localhost")))
        return true;
    return addr_parse(name, &a) && (a.version == 6) == (host[0] == '[') && http_address_is_loopback(&a);
}

bool http_query_number(const char *text, uint64_t otherwise, uint64_t max, uint64_t *ret)
{
    if (!text) {
        *ret = otherwise;
        return true;
    }
    return slice_number(slice_make(text, strlen(text)), max, ret);
}

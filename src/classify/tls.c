#include "classify/tls.h"

#include <string.h>

enum { RECORD_HANDSHAKE = 22, RECORD_BYTES_MAX = 16384 + 2048 /* RFC 5246 §6.2.3 */, RECORD_HEADER_BYTES = 5 };
enum { CLIENT_HELLO = 1, SERVER_HELLO = 2, EXTENSION_SERVER_NAME = 0, EXTENSION_ALPN = 16 };

bool tls_record_begins(const uint8_t *bytes, size_t len, uint8_t *ret_type)
{
    struct cursor c = cur_make(bytes, len, false);
    uint8_t type = cur_u8(&c);
    uint8_t major = cur_u8(&c), minor = cur_u8(&c);
    uint16_t length = cur_u16(&c);
    if (cur_status(&c) != PARSE_OK || type < 20 || type > 24 || major != 3 || minor > 4)
        return false;
    if (length == 0 || length > RECORD_BYTES_MAX)
        return false;
    *ret_type = type;
    return true;
}

/* Puts the handshake bytes of successive records together: a hello may be split anywhere. */
static size_t gather(struct cursor c, uint8_t *to, size_t max)
{
    size_t n = 0;
    uint8_t type;
    while (n < max && tls_record_begins(c.at, cur_left(&c), &type) && type == RECORD_HANDSHAKE) {
        cur_skip(&c, 3);
        size_t length = cur_u16(&c);
        size_t take = length < cur_left(&c) ? length : cur_left(&c);
        size_t room = max - n;
        memcpy(to + n, c.at, take < room ? take : room);
        n += take < room ? take : room;
        cur_skip(&c, take);
    }
    return n;
}

static void copy_name(struct cursor text, char *to, size_t size)
{
    size_t n = 0;
    while (cur_left(&text) && n + 1 < size) {
        char ch = (char)cur_u8(&text);
        bool plain = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '.' ||
                     ch == '-' || ch == '_' || ch == '/';
        to[n++] = plain ? ch : '?';
    }
    to[n] = '\0';
}

/* RFC 6066 §3 */
static void take_server_name(struct cursor c, struct tls_hello *h)
{
    struct cursor list = c;
    (void)cur_u16(&list);
    while (cur_left(&list)) {
        uint8_t type = cur_u8(&list);
        struct cursor name = cur_child(&list, cur_u16(&list));
        if (list.failed)
            return;
        if (type == 0) {
            copy_name(name, h->server_name, sizeof h->server_name);
            return;
        }
    }
}

/* RFC 7301 §3.1 */
static void take_alpn(struct cursor c, struct tls_hello *h)
{
    struct cursor list = c;
    (void)cur_u16(&list);
    while (cur_left(&list) && h->alpn_count < TLS_ALPN_MAX) {
        struct cursor name = cur_child(&list, cur_u8(&list));
        if (list.failed)
            return;
        copy_name(name, h->alpn[h->alpn_count++], TLS_ALPN_TEXT_MAX);
    }
}

static void take_extensions(struct cursor *c, struct tls_hello *h)
{
    struct cursor list = cur_child(c, cur_u16(c));
    while (cur_left(&list)) {
        uint16_t type = cur_u16(&list);
        struct cursor body = cur_child(&list, cur_u16(&list));
        if (list.failed)
            return;
        if (type == EXTENSION_SERVER_NAME && h->client)
            take_server_name(body, h);
        else if (type == EXTENSION_ALPN)
            take_alpn(body, h);
    }
}

enum parse_status tls_hello_parse(struct cursor c, struct tls_hello *ret)
{
    uint8_t bytes[TLS_HELLO_BYTES_MAX];
    uint8_t type;
    if (cur_left(&c) < RECORD_HEADER_BYTES + 6)
        return PARSE_TRUNCATED;
    if (!tls_record_begins(c.at, cur_left(&c), &type) || type != RECORD_HANDSHAKE)
        return PARSE_UNSUPPORTED;

    struct cursor all = cur_make(bytes, gather(c, bytes, sizeof bytes), true);
    uint8_t handshake = cur_u8(&all);
    uint32_t length = cur_u24(&all);
    if (handshake != CLIENT_HELLO && handshake != SERVER_HELLO)
        return PARSE_UNSUPPORTED;
    if (length < 38 || length > 65535)
        return PARSE_MALFORMED;

    struct tls_hello h = {.client = handshake == CLIENT_HELLO, .complete = cur_left(&all) >= length};
    struct cursor body = cur_child(&all, length < cur_left(&all) ? length : cur_left(&all));
    body.cut = !h.complete;
    h.version = cur_u16(&body);
    if (h.version >> 8 != 3 && cur_status(&body) == PARSE_OK)
        return PARSE_MALFORMED;
    cur_skip(&body, 32);
    (void)cur_child(&body, cur_u8(&body));
    if (h.client) {
        (void)cur_child(&body, cur_u16(&body));
        (void)cur_child(&body, cur_u8(&body));
    } else {
        cur_skip(&body, 3);
    }
    if (h.complete && cur_status(&body) != PARSE_OK)
        return PARSE_MALFORMED;
    if (cur_left(&body))
        take_extensions(&body, &h);
    *ret = h;
    return PARSE_OK;
}

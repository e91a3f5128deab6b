#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "probe/service.h"

enum { STUN_BINDING_REQUEST = 0x0001, STUN_HEADER_BYTES = 20 };
#define STUN_MAGIC 0x2112a442u

/* The host as it may stand in a URI, a header and an attribute: an IPv6 address in brackets, nothing that ends the line
 * or the quotation. */
static void host_text(const struct service_request *r, bool brackets, char to[static SERVICE_HOST_MAX + 2])
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:";
    size_t len = strnlen(r->host, SERVICE_HOST_MAX - 1), at = 0;
    bool wrap = brackets && memchr(r->host, ':', len);
    if (wrap)
        to[at++] = '[';
    for (size_t i = 0; i < len; i++)
        to[at++] = memchr(allowed, r->host[i], sizeof allowed - 1) ? r->host[i] : '?';
    if (wrap)
        to[at++] = ']';
    to[at] = '\0';
}

static void token_text(const struct service_request *r, char to[static 2 * sizeof r->token + 1])
{
    for (size_t i = 0; i < sizeof r->token; i++)
        (void)snprintf(to + 2 * i, 3, "%02x", r->token[i]);
}

__attribute__((format(printf, 2, 3))) static size_t put(uint8_t *to, const char *format, ...)
{
    char text[SERVICE_REQUEST_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t n = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    memcpy(to, text, n);
    return n;
}

/* RFC 3261 §11.1; rport (RFC 3581) has the answer sent to where the request came from, through a NAT too. */
static size_t write_sip(const struct service_request *r, uint8_t *to)
{
    static const char *const via[] = {[SERVICE_UDP] = "UDP", [SERVICE_TCP] = "TCP", [SERVICE_TLS] = "TLS"};
    char host[SERVICE_HOST_MAX + 2], token[2 * sizeof r->token + 1], local[ENDPOINT_TEXT_MAX], port[16] = "";
    host_text(r, true, host);
    token_text(r, token);
    endpoint_format(&r->local, local);
    if (r->port != (r->way->transport == SERVICE_TLS ? 5061 : 5060))
        (void)snprintf(port, sizeof port, ":%u", r->port);
    const char *transport = service_transport_name(r->way->transport);
    return put(to,
               "OPTIONS sip:%s%s%s%s SIP/2.0\r\n"
               "Via: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\n"
               "Max-Forwards: 70\r\n"
               "From: <sip:qosmark@%s>;tag=%.8s\r\n"
               "To: <sip:%s>\r\n"
               "Call-ID: %s\r\n"
               "CSeq: 1 OPTIONS\r\n"
               "Contact: <sip:qosmark@%s;transport=%s>\r\n"
               "Accept: application/sdp\r\n"
               "User-Agent: qosmark\r\n"
               "Content-Length: 0\r\n\r\n",
               host, port,
               r->way->transport == SERVICE_UDP ? "" : ";transport=", r->way->transport == SERVICE_UDP ? "" : transport,
               via[r->way->transport], local, token, local, token, host, token, local, transport);
}

/* RFC 6120 §4.3.2 */
static size_t write_xmpp(const struct service_request *r, uint8_t *to)
{
    char host[SERVICE_HOST_MAX + 2];
    host_text(r, false, host);
    return put(to,
               "<?xml version='1.0'?><stream:stream to='%s' version='1.0' xml:lang='en' xmlns='jabber:client' "
               "xmlns:stream='http://etherx.jabber.org/streams'>",
               host);
}

static size_t write_https(const struct service_request *r, uint8_t *to)
{
    char host[SERVICE_HOST_MAX + 2], port[16] = "";
    host_text(r, true, host);
    if (r->port != 443)
        (void)snprintf(port, sizeof port, ":%u", r->port);
    return put(to, "HEAD / HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: qosmark\r\nAccept: */*\r\nConnection: close\r\n\r\n",
               host, port);
}

/* RFC 8489 §5, without attributes */
static size_t write_stun(const struct service_request *r, uint8_t *to)
{
    static const uint8_t head[8] = {
        STUN_BINDING_REQUEST >> 8, STUN_BINDING_REQUEST & 0xff, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, r->token, sizeof r->token);
    return STUN_HEADER_BYTES;
}

static void say(char to[static SERVICE_TEXT_MAX], struct slice text)
{
    size_t len = text.len < SERVICE_TEXT_MAX - 1 ? text.len : SERVICE_TEXT_MAX - 1;
    for (size_t i = 0; i < len; i++)
        to[i] = text.at[i] >= ' ' && text.at[i] <= '~' ? text.at[i] : '?';
    to[len] = '\0';
}

static bool contains(struct slice text, struct slice what)
{
    for (size_t i = 0; what.len <= text.len && i <= text.len - what.len; i++)
        if (memcmp(text.at + i, what.at, what.len) == 0)
            return true;
    return false;
}

/* The bytes so far contradict a beginning with `what`. */
static bool contradicts(struct slice bytes, struct slice what)
{
    size_t n = bytes.len < what.len ? bytes.len : what.len;
    return memcmp(bytes.at, what.at, n) != 0;
}

static enum service_reply foreign(char text[static SERVICE_TEXT_MAX], struct slice bytes)
{
    struct slice rest = bytes;
    say(text, slice_trim(slice_next(&rest, '\n')));
    return REPLY_FOREIGN;
}

/* A header block that begins with `magic` and ends with an empty line. */
static enum service_reply read_header(struct slice bytes, struct slice magic, char text[static SERVICE_TEXT_MAX])
{
    if (contradicts(bytes, magic))
        return foreign(text, bytes);
    if (!contains(bytes, SLICE("\r\n\r\n")) && bytes.len < SERVICE_ANSWER_MAX)
        return REPLY_MORE;
    struct slice rest = bytes;
    say(text, slice_trim(slice_next(&rest, '\n')));
    return REPLY_DONE;
}

/* Behind the empty line that ends a header block; all of it where there is none. */
static size_t header_bytes(struct slice bytes)
{
    for (size_t i = 4; i <= bytes.len; i++)
        if (memcmp(bytes.at + i - 4, "\r\n\r\n", 4) == 0)
            return i;
    return bytes.len;
}

static enum service_reply read_sip(const struct service_request *r, struct slice bytes,
                                   char text[static SERVICE_TEXT_MAX])
{
    char token[2 * sizeof r->token + 1];
    enum service_reply so_far = REPLY_MORE;
    token_text(r, token);
    for (;;) {
        /* a server may keep the connection alive with empty lines before it speaks (RFC 5626 §3.5.1) */
        while (bytes.len && (bytes.at[0] == '\r' || bytes.at[0] == '\n'))
            bytes = slice_make(bytes.at + 1, bytes.len - 1);
        enum service_reply reply = bytes.len ? read_header(bytes, SLICE("SIP/2.0 "), text) : REPLY_MORE;
        if (reply != REPLY_DONE)
            return so_far == REPLY_INTERIM ? so_far : reply;
        struct slice header = slice_make(bytes.at, header_bytes(bytes));
        if (!contains(header, slice_make(token, sizeof token - 1)))
            return REPLY_NOT_OURS;
        if (header.at[8] != '1')
            return REPLY_DONE;
        /* 1xx: in a stream what follows it is the next message */
        so_far = REPLY_INTERIM;
        bytes = slice_make(bytes.at + header.len, bytes.len - header.len);
    }
}

static enum service_reply read_xmpp(struct slice bytes, char text[static SERVICE_TEXT_MAX])
{
    static const struct {
        struct slice seen, also;
        const char *text;
    } ends[] = {
        {{"<stream:error", 13}, {"host-unknown", 12}, "stream error: host-unknown"},
        {{"<stream:error", 13}, {"", 0}, "stream error"},
        {{"</stream:features>", 18}, {"xmpp-tls", 8}, "stream features, STARTTLS offered"},
        {{"</stream:features>", 18}, {"", 0}, "stream features"},
        {{"<stream:features/>", 18}, {"", 0}, "stream features"},
        {{"</stream:stream>", 16}, {"", 0}, "stream opened and closed"},
    };
    if (bytes.at[0] != '<')
        return foreign(text, bytes);
    if (bytes.len >= 64 && !contains(bytes, SLICE("stream")))
        return foreign(text, bytes);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (contains(bytes, ends[i].seen) && contains(bytes, ends[i].also)) {
            /* an error's condition follows its tag: wait for the end of it */
            if (i < 2 && !contains(bytes, SLICE("</stream:error>")) && bytes.len < SERVICE_ANSWER_MAX)
                return REPLY_MORE;
            say(text, slice_make(ends[i].text, strlen(ends[i].text)));
            return REPLY_DONE;
        }
    }
    if (bytes.len < SERVICE_ANSWER_MAX)
        return REPLY_MORE;
    say(text, SLICE("a stream header"));
    return REPLY_DONE;
}

static enum service_reply read_stun(const struct service_request *r, struct slice bytes,
                                    char text[static SERVICE_TEXT_MAX])
{
    static const struct {
        uint16_t type;
        const char *text;
    } types[] = {{0x0101, "Binding success"}, {0x0111, "Binding error"}};
    bool stream = r->way->transport != SERVICE_UDP;
    struct cursor c = cur_make(bytes.at, bytes.len, stream);
    uint16_t type = cur_u16(&c), len = cur_u16(&c);
    uint32_t magic = cur_u32(&c);
    const uint8_t *transaction = cur_take(&c, sizeof r->token);
    if (cur_status(&c) == PARSE_TRUNCATED)
        return bytes.at[0] & 0xc0 ? foreign(text, slice_make("bytes that are no STUN", 22)) : REPLY_MORE;
    if (!transaction || magic != STUN_MAGIC || (type & 0xc000) || (len & 3) || (!stream && cur_left(&c) != len)) {
        say(text, SLICE("bytes that are no STUN"));
        return REPLY_FOREIGN;
    }
    if (cur_left(&c) < len)
        return REPLY_MORE;
    if (memcmp(transaction, r->token, sizeof r->token) != 0)
        return REPLY_NOT_OURS;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (type == types[i].type) {
            say(text, slice_make(types[i].text, strlen(types[i].text)));
            return REPLY_DONE;
        }
    }
    return REPLY_NOT_OURS;
}

size_t service_request_write(const struct service_request *r, uint8_t to[static SERVICE_REQUEST_MAX])
{
    static size_t (*const writers[SERVICE_COUNT])(const struct service_request *,
                                                  uint8_t *) = {[SERVICE_SIP] = write_sip,
                                                                [SERVICE_XMPP] = write_xmpp,
                                                                [SERVICE_HTTPS] = write_https,
                                                                [SERVICE_STUN] = write_stun};
    return writers[r->way->service](r, to);
}

const char *service_request_goodbye(const struct service_request *r)
{
    return r->way->service == SERVICE_XMPP ? "</stream:stream>" : "";
}

enum service_reply service_reply_read(const struct service_request *r, struct slice bytes,
                                      char ret_text[static SERVICE_TEXT_MAX])
{
    if (bytes.len == 0)
        return r->way->transport == SERVICE_UDP ? REPLY_NOT_OURS : REPLY_MORE;
    switch (r->way->service) {
    case SERVICE_SIP:
        return read_sip(r, bytes, ret_text);
    case SERVICE_XMPP:
        return read_xmpp(bytes, ret_text);
    case SERVICE_STUN:
        return read_stun(r, bytes, ret_text);
    case SERVICE_HTTPS:
    case SERVICE_COUNT:
        break;
    }
    return read_header(bytes, SLICE("HTTP/1."), ret_text);
}

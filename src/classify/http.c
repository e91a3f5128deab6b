#include "classify/http.h"

#include <string.h>

#include "classify/sip_line.h"

static bool is_method(struct slice word)
{
    if (word.len < 3 || word.len > 20)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!((word.at[i] >= 'A' && word.at[i] <= 'Z') || word.at[i] == '-' || word.at[i] == '_'))
            return false;
    return true;
}

/* "HTTP/1.1" with either digit as it may be. */
static bool is_version(struct slice word, struct slice protocol)
{
    return word.len == protocol.len + 3 && slice_starts(word, protocol) && word.at[protocol.len] >= '0' &&
           word.at[protocol.len] <= '9' && word.at[protocol.len + 1] == '.' && word.at[protocol.len + 2] >= '0' &&
           word.at[protocol.len + 2] <= '9';
}

static bool is_status_line(struct slice line, struct slice protocol)
{
    struct slice rest = line;
    uint64_t status;
    struct slice version = slice_next(&rest, ' ');
    return is_version(version, protocol) && rest.len >= 3 && slice_number((struct slice){rest.at, 3}, 999, &status) &&
           (rest.len == 3 || rest.at[3] == ' ');
}

static bool is_request_line(struct slice line, struct slice protocol)
{
    struct slice rest = line;
    if (!is_method(slice_next(&rest, ' ')) || rest.len < protocol.len + 5)
        return false;
    struct slice version = {rest.at + rest.len - protocol.len - 3, protocol.len + 3};
    return is_version(version, protocol) && version.at[-1] == ' ';
}

/* A long target may run beyond the bytes: a common method and a path or an absolute http URI will do. */
static bool request_begins(struct slice text)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "PROPFIND", "REPORT"};
    struct slice rest = text;
    struct slice method = slice_next(&rest, ' ');
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (slice_equal(method, slice_make(methods[i], strlen(methods[i]))))
            return slice_starts(rest, SLICE("/")) || slice_starts_nocase(rest, SLICE("http://")) ||
                   slice_starts_nocase(rest, SLICE("https://"));
    return false;
}

static void take_websocket(struct slice text, struct slice *ret)
{
    struct slice name, value, rest = text;
    (void)slice_next(&rest, '\n');
    *ret = (struct slice){text.at, 0};
    for (int i = 0; i < 64 && sip_header_next(&rest, &name, &value); i++)
        if (slice_equal_nocase(name, SLICE("Sec-WebSocket-Protocol")))
            *ret = value;
}

enum http_look http_look(const uint8_t *bytes, size_t len, struct slice *ret_websocket)
{
    struct slice text = slice_make(bytes, len);
    struct slice line = text;
    if (ret_websocket)
        *ret_websocket = (struct slice){text.at, 0};
    if (slice_starts(text, SLICE("PRI * HTTP/2.0\r\n")))
        return HTTP2_PREFACE;
    if (len == 0 || !memchr(bytes, '\n', len))
        return request_begins(text) ? HTTP_BEGINS : is_status_line(text, SLICE("HTTP/")) ? HTTP_RESPONSE : HTTP_NOT;
    line = slice_next(&line, '\n');
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    if (is_request_line(line, SLICE("RTSP/")) || is_status_line(line, SLICE("RTSP/")))
        return HTTP_RTSP;
    bool request = is_request_line(line, SLICE("HTTP/"));
    if (request && (slice_starts(line, SLICE("M-SEARCH * ")) || slice_starts(line, SLICE("NOTIFY * "))))
        return HTTP_SSDP;
    if (!request && !is_status_line(line, SLICE("HTTP/")))
        return HTTP_NOT;
    if (ret_websocket)
        take_websocket(text, ret_websocket);
    return request ? HTTP_REQUEST : HTTP_RESPONSE;
}

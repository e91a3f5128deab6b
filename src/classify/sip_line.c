#include "classify/sip_line.h"

#include <string.h>

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-.!%*_+`'~", c));
}

static bool is_version(struct slice text)
{
    return slice_equal_nocase(text, SLICE("SIP/2.0"));
}

/* A URI has a scheme; that it is one of SIP's is not asked, for proxies must pass on what they do not know (§8.1.1.1).
 */
static bool has_scheme(struct slice uri)
{
    const char *colon = uri.len ? memchr(uri.at, ':', uri.len) : NULL;
    if (!colon || colon == uri.at)
        return false;
    for (const char *p = uri.at; p < colon; p++)
        if (!is_token_char(*p))
            return false;
    return true;
}

static bool status_parse(struct slice text, unsigned *ret)
{
    uint64_t status;
    if (text.len < 3 || (text.len > 3 && text.at[3] != ' '))
        return false;
    if (!slice_number((struct slice){text.at, 3}, 699, &status) || status < 100)
        return false;
    *ret = (unsigned)status;
    return true;
}

static bool request_line_parse(struct slice line, struct sip_start_line *ret)
{
    struct slice rest = line;
    struct slice method = slice_next(&rest, ' ');
    if (method.len == 0 || method.len > 64)
        return false;
    for (size_t i = 0; i < method.len; i++)
        if (!is_token_char(method.at[i]))
            return false;
    rest = slice_trim(rest);
    if (rest.len < 9)
        return false;
    struct slice version = {rest.at + rest.len - 7, 7};
    struct slice uri = slice_trim((struct slice){rest.at, rest.len - 7});
    if (!is_version(version) || version.at[-1] != ' ')
        return false;
    /* RFC 4475 §3.1.2.8 has a URI in angle brackets: wrong, and SIP nevertheless */
    struct slice bare = uri.len && uri.at[0] == '<' ? (struct slice){uri.at + 1, uri.len - 1} : uri;
    if (!has_scheme(bare))
        return false;
    *ret = (struct sip_start_line){.request = true, .method = method, .request_uri = uri};
    return true;
}

bool sip_start_line_parse(struct slice line, struct sip_start_line *ret)
{
    struct slice rest = line;
    if (is_version(slice_next(&rest, ' '))) {
        unsigned status;
        if (!status_parse(rest, &status))
            return false;
        *ret = (struct sip_start_line){.status = status};
        return true;
    }
    return request_line_parse(line, ret);
}

bool sip_start_line_begins(struct slice text)
{
    /* IANA's SIP Methods registry; OPTIONS and others are HTTP's or RTSP's too, so the URI has to be SIP's */
    static const char *const methods[] = {"ACK",     "BYE",   "CANCEL",  "INFO",  "INVITE",   "MESSAGE",   "NOTIFY",
                                          "OPTIONS", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"};
    static const char *const schemes[] = {"sip:", "sips:", "tel:", "urn:service:"};
    unsigned status;
    struct slice rest = text;
    struct slice first = slice_next(&rest, ' ');
    if (is_version(first))
        return status_parse(rest, &status);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (!slice_equal(first, slice_make(methods[i], strlen(methods[i]))))
            continue;
        for (size_t k = 0; k < sizeof schemes / sizeof schemes[0]; k++)
            if (slice_starts_nocase(rest, slice_make(schemes[k], strlen(schemes[k]))))
                return true;
    }
    return false;
}

static struct slice line_next(struct slice *rest)
{
    struct slice line = slice_next(rest, '\n');
    if (line.len && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool sip_header_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    if (rest->len == 0)
        return false;
    struct slice line = line_next(rest);
    if (line.len == 0)
        return false;
    while (rest->len && (rest->at[0] == ' ' || rest->at[0] == '\t')) {
        struct slice folded = line_next(rest);
        line.len = (size_t)(folded.at + folded.len - line.at);
    }
    struct slice value = line;
    struct slice name = slice_next(&value, ':');
    if (name.len == line.len) {
        *ret_name = (struct slice){line.at, 0};
        *ret_value = line;
        return true;
    }
    *ret_name = slice_trim(name);
    *ret_value = slice_trim(value);
    return true;
}

size_t sip_headers_end(struct slice text)
{
    size_t at = 0;
    while (at < text.len) {
        const char *lf = memchr(text.at + at, '\n', text.len - at);
        if (!lf)
            return 0;
        size_t next = (size_t)(lf - text.at) + 1;
        if (next < text.len && text.at[next] == '\n')
            return next + 1;
        if (next + 1 < text.len && text.at[next] == '\r' && text.at[next + 1] == '\n')
            return next + 2;
        at = next;
    }
    return 0;
}

/* Steps over text up to `separator` outside quotes. */
static struct slice next_outside_quotes(struct slice *rest, char separator)
{
    struct slice piece = *rest;
    bool quoted = false;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->at[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted) {
            piece.len = i;
            *rest = (struct slice){rest->at + i + 1, rest->len - i - 1};
            return piece;
        }
    }
    *rest = (struct slice){rest->at, 0};
    return piece;
}

bool sip_parameter(struct slice parameters, const char *name, struct slice *ret)
{
    struct slice rest = parameters;
    while (rest.len) {
        struct slice value = next_outside_quotes(&rest, ';');
        struct slice key = slice_trim(slice_next(&value, '='));
        if (!slice_equal_nocase(key, slice_make(name, strlen(name))))
            continue;
        value = slice_trim(value);
        if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
            value = (struct slice){value.at + 1, value.len - 2};
        *ret = value;
        return true;
    }
    return false;
}

/* Where "--boundary" stands at the beginning of a line, from `from` on; body.len where it does not. */
static size_t find_delimiter(struct slice body, size_t from, struct slice boundary)
{
    for (size_t at = from; at + 2 + boundary.len <= body.len;) {
        if (memcmp(body.at + at, "--", 2) == 0 && memcmp(body.at + at + 2, boundary.at, boundary.len) == 0)
            return at;
        const char *lf = memchr(body.at + at, '\n', body.len - at);
        if (!lf)
            break;
        at = (size_t)(lf - body.at) + 1;
    }
    return body.len;
}

static struct slice part_content_type(struct slice part)
{
    struct slice name, value, rest = part;
    while (sip_header_next(&rest, &name, &value))
        if (slice_equal_nocase(name, SLICE("Content-Type")) || slice_equal_nocase(name, SLICE("c")))
            return value;
    return SLICE("");
}

static struct slice part_body(struct slice part)
{
    /* a part may have no headers at all: then it begins with the empty line */
    struct slice name, value, rest = part;
    while (sip_header_next(&rest, &name, &value))
        continue;
    return rest;
}

static bool is_type(struct slice content_type, struct slice wanted)
{
    struct slice rest = content_type;
    return slice_equal_nocase(slice_trim(slice_next(&rest, ';')), wanted);
}

enum sip_multipart sip_multipart_sdp(struct slice content_type, struct slice body, struct slice *ret)
{
    enum { NESTING_MAX = 4 };
    enum sip_multipart without = SIP_MULTIPART_NONE;
    for (int depth = 0; depth < NESTING_MAX; depth++) {
        struct slice parameters = content_type, boundary;
        (void)slice_next(&parameters, ';');
        if (!sip_parameter(parameters, "boundary", &boundary) || boundary.len == 0 || boundary.len > 70)
            return without;
        /* a folded one; a delimiter is one line (RFC 2046 §5.1.1), and below its end is that of the line */
        if (memchr(boundary.at, '\n', boundary.len))
            return without;
        struct slice inner_type = {0}, inner = {0};
        size_t at = find_delimiter(body, 0, boundary);
        while (at < body.len) {
            struct slice rest = {body.at + at, body.len - at};
            struct slice delimiter = slice_next(&rest, '\n');
            size_t begin = at + delimiter.len + 1;
            if (begin > body.len ||
                slice_starts((struct slice){delimiter.at + 2 + boundary.len, delimiter.len - 2 - boundary.len},
                             SLICE("--")))
                break;
            at = find_delimiter(body, begin, boundary);
            struct slice part = {body.at + begin, at - begin};
            struct slice type = part_content_type(part);
            if (is_type(type, SLICE("application/sdp"))) {
                *ret = part_body(part);
                return SIP_MULTIPART_SDP;
            }
            if (!slice_starts_nocase(type, SLICE("multipart/")))
                continue;
            if (inner.len) {
                without = SIP_MULTIPART_UNREAD;
                continue;
            }
            inner_type = type;
            inner = part_body(part);
        }
        if (inner.len == 0)
            return without;
        content_type = inner_type;
        body = inner;
    }
    return SIP_MULTIPART_UNREAD;
}

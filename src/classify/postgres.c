#include "classify/postgres.h"

#include <string.h>

#include "base/text.h"

enum { REQUEST_MAJOR = 1234, CANCEL_MINOR = 5678, SSL_MINOR = 5679, GSS_MINOR = 5680 };
enum { STARTUP_BYTES_MAX = 10000 /* MAX_STARTUP_PACKET_LENGTH of the server */ };

/* Pairs of terminated strings and a final zero; "user" is the one that must be there. */
static enum parse_status startup_parse(struct cursor body)
{
    while (cur_left(&body)) {
        struct slice name = slice_make(body.at, cur_left(&body));
        const char *end = memchr(name.at, 0, name.len);
        if (!end)
            return cur_left(&body) < 64 && body.cut ? PARSE_TRUNCATED : PARSE_UNSUPPORTED;
        name.len = (size_t)(end - name.at);
        if (slice_equal(name, SLICE("user")))
            return PARSE_OK;
        cur_skip(&body, name.len + 1);
        const uint8_t *value_end = cur_left(&body) ? memchr(body.at, 0, cur_left(&body)) : NULL;
        if (name.len == 0 || !value_end)
            break;
        cur_skip(&body, (size_t)(value_end - body.at) + 1);
    }
    return body.cut ? PARSE_TRUNCATED : PARSE_UNSUPPORTED;
}

static enum parse_status request_parse(struct cursor c, enum postgres_message *ret)
{
    static const struct {
        uint16_t minor;
        uint32_t length;
        enum postgres_message message;
    } requests[] = {{SSL_MINOR, 8, POSTGRES_SSL_REQUEST},
                    {GSS_MINOR, 8, POSTGRES_GSS_REQUEST},
                    {CANCEL_MINOR, 16, POSTGRES_CANCEL}};
    uint32_t length = cur_u32(&c);
    uint16_t major = cur_u16(&c), minor = cur_u16(&c);
    if (cur_status(&c) != PARSE_OK)
        return PARSE_TRUNCATED;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        if (major != REQUEST_MAJOR || minor != requests[i].minor || length != requests[i].length)
            continue;
        *ret = requests[i].message;
        return PARSE_OK;
    }
    if (major != 3 || minor > 99 || length < 8 + 6 || length > STARTUP_BYTES_MAX)
        return PARSE_UNSUPPORTED;
    struct cursor body = c;
    if (cur_left(&body) >= length - 8)
        body = cur_child(&c, length - 8);
    else
        body.cut = true;
    enum parse_status status = startup_parse(body);
    if (status == PARSE_OK)
        *ret = POSTGRES_STARTUP;
    return status;
}

static enum parse_status answer_parse(struct cursor c, enum postgres_message *ret)
{
    uint8_t type = cur_u8(&c);
    if (cur_left(&c) == 0 && (type == 'S' || type == 'N' || type == 'G')) {
        *ret = POSTGRES_SSL_ANSWER;
        return PARSE_OK;
    }
    uint32_t length = cur_u32(&c), code = cur_u32(&c);
    if (cur_status(&c) != PARSE_OK)
        return PARSE_TRUNCATED;
    /* AuthenticationOk 0 ... SASLFinal 12; each has its own length, and none is long */
    if (type == 'R' && length >= 8 && length <= 1024 && code <= 12) {
        *ret = POSTGRES_AUTHENTICATION;
        return PARSE_OK;
    }
    uint8_t field = (uint8_t)(code >> 24);
    if (type == 'E' && length >= 8 && length < 4096 && field == 'S') {
        *ret = POSTGRES_ERROR;
        return PARSE_OK;
    }
    return PARSE_UNSUPPORTED;
}

enum parse_status postgres_parse(struct cursor c, enum postgres_message *ret)
{
    switch (cur_left(&c) ? cur_peek(&c, 0) : 0) {
    case 'S':
    case 'N':
    case 'G':
    case 'R':
    case 'E':
        return answer_parse(c, ret);
    default:
        return request_parse(c, ret);
    }
}

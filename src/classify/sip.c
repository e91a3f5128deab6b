#include "classify/sip.h"

#include <string.h>

#include "classify/sip_line.h"

enum { HEADERS_MAX = 1024, START_LINE_MIN = 11 /* SIP/2.0 200 */, START_LINE_MAX = 8192 };

/* What the headers of a message say that struct sip_message does not keep. */
struct header_notes {
    bool has_length, bad_length;
    uint64_t length;
    struct slice content_type; /* with its parameters */
    struct slice cseq_method;
};

static struct slice skip_line_ends(struct slice text)
{
    while (text.len && (text.at[0] == '\r' || text.at[0] == '\n')) {
        text.at++;
        text.len--;
    }
    return text;
}

/* Up to the first CR or LF: a line end that lost its LF is no reason to take a message for something else. */
static struct slice line_of(struct slice text)
{
    struct slice line = slice_next(&text, '\n');
    return slice_next(&line, '\r');
}

bool sip_is_keep_alive(const uint8_t *bytes, size_t len)
{
    if (len == 0 || len > 64)
        return false;
    if (slice_equal_nocase(slice_trim(slice_make(bytes, len)), SLICE("jaK")))
        return true;
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != 0)
            return false;
    return true;
}

bool sip_looks_like(const uint8_t *bytes, size_t len)
{
    struct slice text = skip_line_ends(slice_make(bytes, len));
    if (text.len < START_LINE_MIN)
        return false;
    struct slice window = {text.at, text.len < START_LINE_MAX ? text.len : START_LINE_MAX};
    struct sip_start_line line;
    if (!memchr(window.at, '\n', window.len) && !memchr(window.at, '\r', window.len))
        return sip_start_line_begins(window) || sip_start_line_parse(window, &line);
    return sip_start_line_parse(line_of(window), &line);
}

size_t sip_resync(const uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len;) {
        const uint8_t *lf = memchr(bytes + at, '\n', len - at);
        struct slice line = slice_make(bytes + at, lf ? (size_t)(lf - (bytes + at)) : len - at);
        bool fits = line.len < START_LINE_MAX;
        line = line_of(line); /* as sip_looks_like() ends it, so that both find the same */
        struct sip_start_line start;
        if (fits && (lf ? sip_start_line_parse(line, &start) : sip_start_line_begins(line)))
            return at;
        if (!lf)
            break;
        at = (size_t)(lf - bytes) + 1;
    }
    return len;
}

/* The URI of a name-addr or addr-spec, and the header parameters behind it (§20.10, §25.1). */
static void address_parse(struct slice value, struct slice *ret_uri, struct slice *ret_parameters)
{
    bool quoted = false;
    size_t open = value.len;
    for (size_t i = 0; i < value.len && open == value.len; i++) {
        char c = value.at[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == '<' && !quoted)
            open = i;
    }
    struct slice rest = value;
    if (open < value.len) {
        rest = (struct slice){value.at + open + 1, value.len - open - 1};
        *ret_uri = slice_trim(slice_next(&rest, '>'));
        (void)slice_next(&rest, ';');
    } else {
        *ret_uri = slice_trim(slice_next(&rest, ';'));
    }
    *ret_parameters = rest;
}

static void party_parse(struct slice value, struct slice *ret_uri, struct slice *ret_tag)
{
    struct slice parameters, tag = {value.at, 0};
    address_parse(value, ret_uri, &parameters);
    (void)sip_parameter(parameters, "tag", &tag);
    *ret_tag = tag;
}

static void take_from(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)notes;
    party_parse(value, &m->from, &m->from_tag);
}

static void take_to(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)notes;
    party_parse(value, &m->to, &m->to_tag);
}

static void take_call_id(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)notes;
    m->call_id = value;
}

static void take_contact(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)notes;
    struct slice parameters;
    address_parse(value, &m->contact, &parameters);
    /* without angle brackets a second contact follows a comma (§20: then the URI holds none) */
    if (!memchr(value.at, '<', value.len))
        m->contact = slice_trim(slice_next(&m->contact, ','));
}

static void take_cseq(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    uint64_t number;
    size_t digits = 0;
    while (digits < value.len && value.at[digits] >= '0' && value.at[digits] <= '9')
        digits++;
    if (slice_number((struct slice){value.at, digits}, UINT32_MAX, &number))
        m->cseq = (uint32_t)number;
    notes->cseq_method = slice_trim((struct slice){value.at + digits, value.len - digits});
}

/* §20.42: of several Vias, in lines of their own or with commas between, the first is this hop's */
static void take_via(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)notes;
    struct slice first = slice_next(&value, ',');
    (void)slice_next(&first, ';');
    (void)sip_parameter(first, "branch", &m->branch);
}

static void take_agent(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)notes;
    m->user_agent = value;
}

static void take_type(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    struct slice rest = value;
    notes->content_type = value;
    m->content_type = slice_trim(slice_next(&rest, ';'));
}

static void take_length(struct sip_message *m, struct header_notes *notes, struct slice value)
{
    (void)m;
    notes->has_length = true;
    notes->bad_length = !slice_number(value, SIZE_MAX / 4, &notes->length);
}

/* The first header of a name counts: a second one of these is an error (§7.3.1). */
static const struct header_rule {
    const char *name;
    char compact; /* §7.3.3, 0 without */
    void (*take)(struct sip_message *m, struct header_notes *notes, struct slice value);
} header_rules[] = {
    {"From", 'f', take_from},         {"To", 't', take_to},
    {"Call-ID", 'i', take_call_id},   {"Contact", 'm', take_contact},
    {"CSeq", 0, take_cseq},           {"User-Agent", 0, take_agent},
    {"Via", 'v', take_via},           {"Server", 0, take_agent},
    {"Content-Type", 'c', take_type}, {"Content-Length", 'l', take_length},
};
enum { RULE_COUNT = sizeof header_rules / sizeof header_rules[0] };

static bool is_name(struct slice name, const char *full, char compact)
{
    if (name.len == 1)
        return compact && (name.at[0] | 0x20) == compact;
    return slice_equal_nocase(name, slice_make(full, strlen(full)));
}

struct slice sip_header(struct slice headers, const char *name, char compact)
{
    struct slice found, value, rest = headers;
    (void)slice_next(&rest, '\n');
    while (sip_header_next(&rest, &found, &value))
        if (is_name(found, name, compact))
            return value;
    return (struct slice){headers.at, 0};
}

/* PARSE_UNSUPPORTED for what has more headers than any message needs. */
static enum parse_status headers_parse(struct slice headers, struct sip_message *m, struct header_notes *notes)
{
    bool taken[RULE_COUNT] = {false};
    struct slice name, value, rest = headers;
    for (int count = 0; sip_header_next(&rest, &name, &value); count++) {
        if (count == HEADERS_MAX)
            return PARSE_UNSUPPORTED;
        for (size_t i = 0; i < RULE_COUNT; i++) {
            if (taken[i] || !is_name(name, header_rules[i].name, header_rules[i].compact))
                continue;
            taken[i] = true;
            header_rules[i].take(m, notes, value);
            break;
        }
    }
    return PARSE_OK;
}

/* §18.3: the body is as long as Content-Length says; in a datagram it may also be the rest. */
static enum parse_status body_take(struct slice rest, bool stream, bool cut, const struct header_notes *notes,
                                   struct sip_message *m)
{
    uint64_t length = rest.len;
    if (notes->has_length && !notes->bad_length)
        length = notes->length;
    else if (stream && notes->bad_length)
        return PARSE_MALFORMED;
    else if (!stream)
        m->body_cut = cut;
    else { /* §20.14 demands a length; without one a body ends where the next message begins */
        m->body_guessed = m->content_type.len > 0;
        length = m->body_guessed ? sip_resync((const uint8_t *)rest.at, rest.len) : 0;
    }
    if (length > rest.len) {
        if (stream)
            return length > SIP_HEADER_BYTES_MAX * 4ull ? PARSE_UNSUPPORTED : PARSE_TRUNCATED;
        m->body_cut = true;
        length = rest.len;
    }
    m->body = (struct slice){rest.at, (size_t)length};
    return PARSE_OK;
}

static void dig_out_sdp(struct sip_message *m, struct slice content_type)
{
    struct slice sdp;
    if (!slice_starts_nocase(content_type, SLICE("multipart/")))
        return;
    enum sip_multipart found = sip_multipart_sdp(content_type, m->body, &sdp);
    m->body_unread = found == SIP_MULTIPART_UNREAD;
    if (found == SIP_MULTIPART_SDP) {
        m->body = sdp;
        m->content_type = SLICE("application/sdp");
    }
}

enum parse_status sip_parse(struct cursor c, bool stream, struct sip_message *ret)
{
    struct slice all = slice_make(c.at, cur_left(&c));
    struct slice text = skip_line_ends(all);
    if (text.len == 0 || !sip_looks_like((const uint8_t *)text.at, text.len)) {
        bool more = text.len < START_LINE_MIN || (!memchr(text.at, '\n', text.len) && text.len < START_LINE_MAX);
        return more && (stream || c.cut) ? PARSE_TRUNCATED : PARSE_MALFORMED;
    }
    struct slice window = {text.at, text.len < SIP_HEADER_BYTES_MAX ? text.len : SIP_HEADER_BYTES_MAX};
    size_t end = sip_headers_end(window);
    if (end == 0) {
        if (text.len >= SIP_HEADER_BYTES_MAX)
            return PARSE_UNSUPPORTED;
        /* a datagram that forgets the empty line ends its headers with itself (§18.3 is as lenient about bodies) */
        if (stream || c.cut || !memchr(text.at, '\n', text.len))
            return stream || c.cut ? PARSE_TRUNCATED : PARSE_MALFORMED;
        end = text.len;
    }

    struct slice headers = {text.at, end};
    struct sip_start_line start;
    if (!sip_start_line_parse(line_of(headers), &start))
        return PARSE_MALFORMED;
    (void)slice_next(&headers, '\n');

    const struct slice none = {text.at, 0};
    struct sip_message m = {.request = start.request,
                            .method = start.method,
                            .request_uri = start.request_uri,
                            .status = (uint16_t)start.status,
                            .call_id = none,
                            .from = none,
                            .to = none,
                            .from_tag = none,
                            .to_tag = none,
                            .contact = none,
                            .branch = none,
                            .user_agent = none,
                            .content_type = none,
                            .body = none};
    struct header_notes notes = {.content_type = none, .cseq_method = none};
    enum parse_status status = headers_parse(headers, &m, &notes);
    if (status != PARSE_OK)
        return status;
    if (!m.request) {
        m.method = notes.cseq_method;
        m.request_uri = none;
    }
    status = body_take((struct slice){text.at + end, text.len - end}, stream, c.cut, &notes, &m);
    if (status != PARSE_OK)
        return status;
    m.message_bytes = (size_t)(m.body.at + m.body.len - all.at);
    dig_out_sdp(&m, notes.content_type);
    *ret = m;
    return PARSE_OK;
}

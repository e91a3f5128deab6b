#include "classify/xmpp.h"

#include <string.h>

#include "base/text.h"

enum { TAG_BYTES_MAX = 4096, NAME_BYTES_MAX = 64 };

static const struct {
    struct slice name;
    enum kind kind;
} namespaces[] = {
    {{"jabber:client", 13}, KIND_XMPP_CLIENT},
    {{"jabber:server", 13}, KIND_XMPP_SERVER},
    {{"jabber:component:accept", 23}, KIND_XMPP_COMPONENT},
    {{"jabber:component:connect", 24}, KIND_XMPP_COMPONENT},
    {{"urn:xmpp:component:0", 20}, KIND_XMPP_COMPONENT},
};

#define STREAMS_NAMESPACE SLICE("http://etherx.jabber.org/streams")

static struct slice slice_from(struct slice text, size_t n)
{
    return (struct slice){text.at + n, text.len - n};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice skip_blanks(struct slice text)
{
    while (text.len && is_blank(text.at[0]))
        text = slice_from(text, 1);
    return text;
}

static bool find(struct slice text, struct slice wanted)
{
    for (size_t i = 0; i + wanted.len <= text.len; i++)
        if (memcmp(text.at + i, wanted.at, wanted.len) == 0)
            return true;
    return false;
}

/* One attribute, name="value" or with single quotes; false at the tag's end or where the text ends first. */
static bool attribute_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value)
{
    struct slice text = skip_blanks(*rest);
    const char *equals = text.len && text.at[0] != '>' && text.at[0] != '/' ? memchr(text.at, '=', text.len) : NULL;
    if (!equals)
        return false;
    struct slice name = slice_trim((struct slice){text.at, (size_t)(equals - text.at)});
    struct slice value = skip_blanks(slice_from(text, (size_t)(equals - text.at) + 1));
    if (value.len == 0 || (value.at[0] != '"' && value.at[0] != '\''))
        return false;
    char quote = value.at[0];
    value = slice_from(value, 1);
    const char *close = value.len ? memchr(value.at, quote, value.len) : NULL;
    if (!close)
        return false;
    size_t n = (size_t)(close - value.at);
    *ret_name = name;
    *ret_value = (struct slice){value.at, n};
    *rest = slice_from(value, n + 1);
    return true;
}

static enum kind namespace_kind(struct slice value)
{
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0]; i++)
        if (slice_equal(value, namespaces[i].name))
            return namespaces[i].kind;
    return KIND_OTHER;
}

/* Past blanks, a byte order mark and the XML declaration; false where the declaration does not end. */
static bool skip_prolog(struct slice *text)
{
    if (slice_starts(*text, SLICE("\xef\xbb\xbf")))
        *text = slice_from(*text, 3);
    *text = skip_blanks(*text);
    if (!slice_starts(*text, SLICE("<?xml")))
        return true;
    for (size_t i = 5; i + 1 < text->len && i < TAG_BYTES_MAX; i++) {
        if (text->at[i] == '?' && text->at[i + 1] == '>') {
            *text = skip_blanks(slice_from(*text, i + 2));
            return true;
        }
    }
    return false;
}

static bool could_become(struct slice text, struct slice wanted)
{
    return text.len < wanted.len && slice_starts(wanted, text);
}

/* "stream", with any prefix before it: which one it is, is the sender's choice (RFC 6120 §4.8.5). */
static bool tag_is_stream(struct slice text, size_t *ret_len)
{
    size_t n = 0;
    while (n < text.len && n < NAME_BYTES_MAX && !is_blank(text.at[n]) && text.at[n] != '>' && text.at[n] != '/')
        n++;
    struct slice local = {text.at, n};
    struct slice prefix = slice_next(&local, ':');
    if (prefix.len == n)
        local = prefix;
    *ret_len = n;
    return slice_equal(local, SLICE("stream"));
}

enum parse_status xmpp_head_parse(struct cursor c, struct xmpp_head *ret)
{
    struct slice text = slice_make(c.at, cur_left(&c));
    if (!skip_prolog(&text))
        return text.len < TAG_BYTES_MAX ? PARSE_TRUNCATED : PARSE_UNSUPPORTED;
    if (could_become(text, SLICE("<stream:stream ")) || could_become(text, SLICE("<?xml")) ||
        could_become(text, SLICE("\xef\xbb\xbf")))
        return PARSE_TRUNCATED;
    size_t name_len = 0;
    if (text.len && text.at[0] == '<' && !tag_is_stream(slice_from(text, 1), &name_len))
        return 1 + name_len == text.len && name_len < NAME_BYTES_MAX ? PARSE_TRUNCATED : PARSE_UNSUPPORTED;
    if (name_len == 0)
        return PARSE_UNSUPPORTED;
    bool usual = slice_starts(text, SLICE("<stream:stream"));
    struct slice rest = slice_from(text, 1 + name_len);

    struct xmpp_head head = {.kind = KIND_OTHER};
    bool streams = usual;
    struct slice name, value;
    while (attribute_next(&rest, &name, &value)) {
        if (slice_equal(value, STREAMS_NAMESPACE))
            streams = true;
        else if (slice_equal(name, SLICE("xmlns")))
            head.kind = namespace_kind(value);
    }
    rest = skip_blanks(rest);
    head.complete = rest.len && (rest.at[0] == '>' || rest.at[0] == '/');
    if (!streams)
        return head.complete || rest.len > TAG_BYTES_MAX ? PARSE_UNSUPPORTED : PARSE_TRUNCATED;
    head.tls_follows =
        head.complete && find(rest, SLICE("<proceed")) && find(rest, SLICE("urn:ietf:params:xml:ns:xmpp-tls"));
    *ret = head;
    return PARSE_OK;
}

bool xmpp_stanza_begins(const char *text, size_t len, enum kind *ret_kind)
{
    static const char *const elements[] = {"<iq",           "<message",   "<presence", "<stream:features",
                                           "<stream:error", "<starttls",  "<proceed",  "<handshake",
                                           "<auth",         "<challenge", "<success"};
    struct slice whole = skip_blanks((struct slice){text, len});
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        struct slice element = slice_make(elements[i], strlen(elements[i]));
        if (!slice_starts(whole, element) || whole.len == element.len)
            continue;
        char after = whole.at[element.len];
        if (!is_blank(after) && after != '>' && after != '/')
            continue;
        enum kind kind = KIND_OTHER;
        struct slice name, value, rest = slice_from(whole, element.len);
        while (attribute_next(&rest, &name, &value))
            if (slice_equal(name, SLICE("xmlns")))
                kind = namespace_kind(value);
        *ret_kind = kind;
        return true;
    }
    return false;
}

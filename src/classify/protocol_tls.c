#include "classify/protocol_match.h"

#include <string.h>

#include "classify/tls.h"

enum { RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };

/* IANA's TLS ALPN Protocol IDs, as far as a conferencing node speaks them; "sip" and "ldap" are seen without being
 * registered. Order is priority: a client that offers several means the most special one. */
static const struct {
    const char *name;
    enum kind kind;
    bool general; /* offered by libraries that know no better, and by tunnels: not certain */
} protocols[] = {
    {"sip/2", KIND_SIP_TLS, false},
    {"sip", KIND_SIP_TLS, false},
    {"sips", KIND_SIP_TLS, false},
    {"xmpp-client", KIND_XMPP_CLIENT, false},
    {"xmpp-server", KIND_XMPP_SERVER, false},
    {"postgresql", KIND_DATABASE, false},
    {"ldap", KIND_LDAP, false},
    {"stun.turn", KIND_TURN, false},
    {"stun.nat-discovery", KIND_STUN, false},
    {"dot", KIND_DNS, false},
    {"ntske/1", KIND_NTP, false},
    {"h2", KIND_WEB, true},
    {"http/1.1", KIND_WEB, true},
    {"http/1.0", KIND_WEB, true},
    {"spdy/3.1", KIND_WEB, true},
    {"spdy/3", KIND_WEB, true},
};

static int protocol_of(const struct tls_hello *h)
{
    for (size_t p = 0; p < sizeof protocols / sizeof protocols[0]; p++)
        for (size_t i = 0; i < h->alpn_count; i++)
            if (strcmp(h->alpn[i], protocols[p].name) == 0)
                return (int)p;
    return -1;
}

/* TLS after STARTTLS, SSLRequest and the like is still what asked for it. */
static bool continues(const struct protocol_input *in, const struct protocol_result *previous,
                      struct protocol_result *ret)
{
    enum kind kind = previous->judgement.kind;
    bool upgradable =
        kind == KIND_LDAP || kind == KIND_DATABASE || (kind >= KIND_XMPP_CLIENT && kind <= KIND_XMPP_SERVER);
    if (!upgradable || previous->judgement.confidence < CONFIDENCE_HIGH)
        return false;
    *ret = *previous;
    ret->tls = true;
    ret->server_side = SIDE_UNKNOWN;
    (void)in;
    return true;
}

static bool is_foreign(const char *server_name)
{
    /* what Apple's devices do on 5223 is not XMPP any more */
    static const char ending[] = "push.apple.com";
    size_t n = strlen(server_name), m = sizeof ending - 1;
    return n >= m && strcmp(server_name + n - m, ending) == 0;
}

static void by_hello_port(const struct protocol_input *in, const struct tls_hello *h, struct protocol_result *ret)
{
    struct port_meaning meaning;
    if (is_foreign(h->server_name))
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_RECEIVER, "TLS to a push notification service");
    else if (protocol_port_meaning(in, in->dst_port, PORT_TLS, &meaning))
        protocol_say(in, ret, meaning.kind, CONFIDENCE_LOW, SIDE_RECEIVER, "TLS on port %u%s", meaning.port,
                     meaning.from_policy ? " of the policy" : "");
    else
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_NONE, SIDE_RECEIVER, "TLS without a protocol name");
}

static void client_hello(const struct protocol_input *in, const struct tls_hello *h, struct protocol_result *ret)
{
    int p = protocol_of(h);
    if (p >= 0)
        protocol_say(in, ret, protocols[p].kind, protocols[p].general ? CONFIDENCE_HIGH : CONFIDENCE_CERTAIN,
                     SIDE_RECEIVER, "TLS offers %s (ALPN)", protocols[p].name);
    else if (h->alpn_count && h->complete)
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_RECEIVER, "TLS for another protocol (ALPN)");
    else
        by_hello_port(in, h, ret);
    memcpy(ret->server_name, h->server_name, sizeof ret->server_name);
}

/* A port was all there was to go by: that what serves there answers in TLS adds to it. */
static void confirm_port(const struct protocol_input *in, struct protocol_result *ret)
{
    struct port_meaning meaning;
    if (protocol_port_meaning(in, in->src_port, PORT_TLS, &meaning) && meaning.answer_confirms)
        protocol_say(in, ret, meaning.kind, CONFIDENCE_HIGH, SIDE_SENDER, "TLS on port %u%s, answered", meaning.port,
                     meaning.from_policy ? " of the policy" : "");
}

static void server_hello(const struct protocol_input *in, const struct protocol_result *previous,
                         const struct tls_hello *h, struct protocol_result *ret)
{
    int p = protocol_of(h);
    struct port_meaning meaning;
    if (p >= 0) {
        protocol_say(in, ret, protocols[p].kind, CONFIDENCE_CERTAIN, SIDE_SENDER, "TLS agreed on %s (ALPN)",
                     protocols[p].name);
    } else if (previous->tls) {
        *ret = *previous;
        ret->server_side = SIDE_SENDER;
        ret->server_port_hint = in->src_port;
        if (previous->judgement.confidence == CONFIDENCE_LOW)
            confirm_port(in, ret);
    } else if (protocol_port_meaning(in, in->src_port, PORT_TLS, &meaning)) {
        protocol_say(in, ret, meaning.kind, CONFIDENCE_LOW, SIDE_SENDER, "TLS on port %u%s", meaning.port,
                     meaning.from_policy ? " of the policy" : "");
    } else {
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_NONE, SIDE_SENDER, "TLS without a protocol name");
    }
    ret->final = true;
}

/* Joined in the middle: records, and ports to guess by. */
static bool records(const struct protocol_input *in, const struct protocol_result *previous,
                    struct protocol_result *ret)
{
    uint8_t type;
    struct port_meaning meaning;
    if (!tls_record_begins(in->bytes, in->len, &type))
        return false;
    if (continues(in, previous, ret))
        return true;
    if (previous->tls) {
        *ret = *previous;
        ret->server_side = SIDE_UNKNOWN;
        return true;
    }
    /* five bytes are not much to go by: two records in a row, or one that ends with the bytes, or runs beyond them */
    size_t next = 5 + ((size_t)in->bytes[3] << 8 | in->bytes[4]);
    if (next < in->len && !tls_record_begins(in->bytes + next, in->len - next, &type) && in->len - next >= 5)
        return false;
    enum protocol_side side = protocol_listener(in);
    for (int turn = 0; turn < 2; turn++) {
        if (protocol_port_meaning(in, side == SIDE_RECEIVER ? in->dst_port : in->src_port, PORT_TLS, &meaning)) {
            protocol_say(in, ret, meaning.kind, CONFIDENCE_LOW, side, "TLS records on port %u", meaning.port);
            return true;
        }
        side = side == SIDE_RECEIVER ? SIDE_SENDER : SIDE_RECEIVER;
    }
    protocol_say(in, ret, KIND_OTHER, CONFIDENCE_NONE, SIDE_UNKNOWN, "TLS records");
    return true;
}

bool protocol_match_tls(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    struct tls_hello h;
    struct protocol_result r;
    if (tls_hello_parse(cur_make(in->bytes, in->len, false), &h) != PARSE_OK) {
        if (!records(in, previous, &r))
            return false;
    } else if (continues(in, previous, &r)) {
        r.final = true;
        if (h.client)
            memcpy(r.server_name, h.server_name, sizeof r.server_name);
    } else if (h.client) {
        client_hello(in, &h, &r);
    } else {
        server_hello(in, previous, &h, &r);
    }
    r.tls = true;
    *ret = r;
    return true;
}

#include "classify/protocol_match.h"

#include "classify/xmpp.h"

/* Where the stream's head was not seen, or names no namespace, its port says who is on it: LOW at best. */
static bool kind_by_port(const struct protocol_input *in, enum kind *ret)
{
    static const struct {
        uint16_t port;
        enum kind kind;
    } ports[] = {{5222, KIND_XMPP_CLIENT}, {5269, KIND_XMPP_SERVER}, {5223, KIND_XMPP_COMPONENT}};
    struct port_meaning meaning;
    for (int turn = 0; turn < 2; turn++) {
        uint16_t port = turn == 0 ? in->dst_port : in->src_port;
        if (protocol_port_meaning(in, port, PORT_SILENT, &meaning) && meaning.from_policy &&
            meaning.kind >= KIND_XMPP_CLIENT && meaning.kind <= KIND_XMPP_TLS) {
            *ret = meaning.kind;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        if (protocol_on_port(in, ports[i].port)) {
            *ret = ports[i].kind;
            return true;
        }
    }
    return false;
}

static const char *who(enum kind kind)
{
    return kind == KIND_XMPP_SERVER ? "servers" : kind == KIND_XMPP_COMPONENT ? "a component" : "a client";
}

static bool is_xmpp(const struct protocol_result *previous)
{
    return previous->judgement.confidence >= CONFIDENCE_HIGH && previous->judgement.kind >= KIND_XMPP_CLIENT &&
           previous->judgement.kind <= KIND_XMPP_TLS;
}

static bool stanza(const struct protocol_input *in, const struct protocol_result *previous, struct protocol_result *ret)
{
    enum kind kind, port_kind;
    if (!xmpp_stanza_begins((const char *)in->bytes, in->len, &kind))
        return false;
    if (is_xmpp(previous)) {
        *ret = *previous;
        ret->server_side = SIDE_UNKNOWN;
    } else if (kind != KIND_OTHER) {
        protocol_say(in, ret, kind, CONFIDENCE_HIGH, SIDE_UNKNOWN, "XMPP stanza of %s", who(kind));
    } else if (kind_by_port(in, &port_kind)) {
        protocol_say(in, ret, port_kind, CONFIDENCE_LOW, SIDE_UNKNOWN, "XMPP stanzas, by port %s", who(port_kind));
    } else {
        return false;
    }
    return true;
}

bool protocol_match_xmpp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    struct xmpp_head head;
    if (xmpp_head_parse(cur_make(in->bytes, in->len, false), &head) != PARSE_OK)
        return stanza(in, previous, ret);
    enum kind by_port;
    if (head.kind != KIND_OTHER)
        protocol_say(in, ret, head.kind, CONFIDENCE_CERTAIN, protocol_listener(in), "XMPP stream head of %s",
                     who(head.kind));
    else if (is_xmpp(previous))
        *ret = *previous;
    else if (kind_by_port(in, &by_port))
        protocol_say(in, ret, by_port, CONFIDENCE_LOW, protocol_listener(in), "XMPP stream head, by port %s",
                     who(by_port));
    else
        return false;
    ret->tls = head.tls_follows;
    return true;
}

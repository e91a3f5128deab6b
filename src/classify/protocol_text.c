#include "classify/protocol_match.h"

#include "classify/http.h"
#include "classify/sip.h"
#include "model/packet.h"

/* Services whose first bytes are text: SIP, HTTP and its kin, SSH, syslog. */

bool protocol_match_sip(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    if (sip_looks_like(in->bytes, in->len)) {
        bool response = in->len >= 4 && slice_starts_nocase(slice_trim(slice_make(in->bytes, in->len)), SLICE("SIP/"));
        enum protocol_side side = in->proto == PROTO_TCP && in->at_start ? protocol_listener(in)
                                 : response                             ? SIDE_SENDER
                                                                        : SIDE_RECEIVER;
        protocol_say(in, ret, KIND_SIP, CONFIDENCE_CERTAIN, side, "SIP start line");
        ret->final = true;
        return true;
    }
    if (!sip_is_keep_alive(in->bytes, in->len))
        return false;
    if (previous->judgement.kind == KIND_SIP && previous->judgement.confidence == CONFIDENCE_CERTAIN) {
        *ret = *previous;
        ret->server_side = SIDE_UNKNOWN;
        return true;
    }
    struct port_meaning meaning;
    enum protocol_side side = SIDE_RECEIVER;
    bool known = protocol_port_meaning(in, in->dst_port, PORT_SILENT, &meaning) && meaning.kind == KIND_SIP;
    if (!known) {
        side = SIDE_SENDER;
        known = protocol_port_meaning(in, in->src_port, PORT_SILENT, &meaning) && meaning.kind == KIND_SIP;
    }
    if (!known)
        return false;
    protocol_say(in, ret, KIND_SIP, CONFIDENCE_LOW, side, "keep-alives on SIP's port %u", meaning.port);
    return true;
}

/* RFC 7118, RFC 7395: what is spoken over a WebSocket is named in its handshake. */
static bool websocket(const struct protocol_input *in, struct slice protocols, bool request,
                      struct protocol_result *ret)
{
    enum protocol_side side = request ? SIDE_RECEIVER : SIDE_SENDER;
    struct slice rest = protocols;
    while (rest.len) {
        struct slice name = slice_trim(slice_next(&rest, ','));
        bool sip = slice_equal_nocase(name, SLICE("sip"));
        if (!sip && !slice_equal_nocase(name, SLICE("xmpp")))
            continue;
        protocol_say(in, ret, sip ? KIND_SIP : KIND_XMPP_CLIENT, CONFIDENCE_HIGH, side, "WebSocket for %s",
                     sip ? "SIP" : "XMPP");
        ret->final = true;
        return true;
    }
    return false;
}

bool protocol_match_http(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    struct slice protocols;
    (void)previous;
    enum http_look look = http_look(in->bytes, in->len, &protocols);
    switch (look) {
    case HTTP_NOT:
        return false;
    case HTTP_RTSP:
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "RTSP");
        break;
    case HTTP_SSDP:
        protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "UPnP event");
        break;
    case HTTP_BEGINS:
        protocol_say(in, ret, KIND_WEB, CONFIDENCE_HIGH, SIDE_RECEIVER, "HTTP request");
        return true;
    case HTTP_REQUEST:
    case HTTP2_PREFACE:
        if (!websocket(in, protocols, true, ret))
            protocol_say(in, ret, KIND_WEB, CONFIDENCE_CERTAIN, SIDE_RECEIVER, "%s",
                         look == HTTP_REQUEST ? "HTTP request" : "HTTP/2 preface");
        break;
    case HTTP_RESPONSE:
        if (!websocket(in, protocols, false, ret))
            protocol_say(in, ret, KIND_WEB, CONFIDENCE_CERTAIN, SIDE_SENDER, "HTTP response");
        break;
    default:
        return false;
    }
    ret->final = true;
    return true;
}

/* UPnP Device Architecture 2.0 §1: requests by multicast, answers from the device. */
bool protocol_match_ssdp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret)
{
    (void)previous;
    enum http_look look = http_look(in->bytes, in->len, NULL);
    if (look == HTTP_NOT || look == HTTP_BEGINS)
        return false;
    protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "%s",
                 look == HTTP_RTSP      ? "RTSP over UDP"
                 : look == HTTP_REQUEST ? "HTTP over UDP"
                                       : "SSDP");
    ret->final = true;
    return true;
}

/* RFC 4253 §4.2 */
bool protocol_match_ssh(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    struct slice text = slice_make(in->bytes, in->len);
    (void)previous;
    if (!slice_starts(text, SLICE("SSH-2.0-")) && !slice_starts(text, SLICE("SSH-1.")))
        return false;
    protocol_say(in, ret, KIND_SSH, CONFIDENCE_CERTAIN, protocol_listener(in), "SSH banner");
    ret->final = true;
    return true;
}

/* RFC 3164 §4.1.1, RFC 5424 §6.2.1: "<0>" to "<191>", on syslog's ports only, for it is little to go by. */
bool protocol_match_syslog(const struct protocol_input *in, const struct protocol_result *previous,
                           struct protocol_result *ret)
{
    struct slice text = slice_make(in->bytes, in->len);
    uint64_t priority;
    (void)previous;
    if (!protocol_on_port(in, 514) && !protocol_on_port(in, 601))
        return false;
    if (text.len && text.at[0] >= '1' && text.at[0] <= '9')
        (void)slice_next(&text, ' '); /* octet counting (RFC 6587 §3.4.1) */
    if (text.len < 4 || text.at[0] != '<')
        return false;
    text = (struct slice){text.at + 1, text.len - 1 < 5 ? text.len - 1 : 5};
    if (!slice_number(slice_next(&text, '>'), 191, &priority))
        return false;
    protocol_say(in, ret, KIND_OTHER, CONFIDENCE_HIGH, SIDE_UNKNOWN, "syslog");
    ret->final = true;
    return true;
}

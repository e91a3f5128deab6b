#include "classify/protocol.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classify/protocol_match.h"
#include "model/packet.h"

/* Order is priority: what is certain by its own bytes stands before what needs a port to be believed. */
struct candidate {
    protocol_match match;
    bool text; /* what it looks for begins with ASCII, as media does not: most that is looked at begins so */
};

static const struct candidate of_tcp[] = {
    {protocol_match_sip, true},       {protocol_match_tls, false},  {protocol_match_xmpp, false},
    {protocol_match_http, true},      {protocol_match_ssh, true},   {protocol_match_smb, false},
    {protocol_match_postgres, false}, {protocol_match_ldap, false}, {protocol_match_stun_tcp, false},
    {protocol_match_h323, false},     {protocol_match_rtmp, false}, {protocol_match_dns, false},
    {protocol_match_syslog, true},
};

static const struct candidate of_udp[] = {
    {protocol_match_sip, true},   {protocol_match_ssdp, true},  {protocol_match_dhcp, false},
    {protocol_match_quic, false}, {protocol_match_dns, false},  {protocol_match_ntp, false},
    {protocol_match_snmp, false}, {protocol_match_ldap, false}, {protocol_match_ras, false},
    {protocol_match_syslog, true},
};

static const struct {
    uint16_t port;
    enum kind kind;
    unsigned uses; /* enum port_use */
    bool answer_confirms;
} known_ports[] = {
    {5060, KIND_SIP, PORT_SILENT, false},
    {5061, KIND_SIP_TLS, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, true},
    {5222, KIND_XMPP_CLIENT, PORT_SILENT | PORT_TLS, false},
    {5223, KIND_XMPP_TLS, PORT_SILENT | PORT_TLS, false}, /* also where Apple's devices fetch their notifications */
    {5269, KIND_XMPP_SERVER, PORT_SILENT | PORT_TLS, false},
    {80, KIND_WEB, PORT_SILENT, false},
    {443, KIND_WEB, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, false}, /* TURN in TLS and tunnels live there too */
    {445, KIND_WEB, PORT_TLS, false},                                 /* without TLS it is file sharing */
    {8443, KIND_WEB, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, false},
    {22, KIND_SSH, PORT_SILENT | PORT_UNREADABLE, false},
    {389, KIND_LDAP, PORT_SILENT | PORT_TLS, true},
    {636, KIND_LDAP, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, true},
    {3269, KIND_LDAP, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, true},
    {5432, KIND_DATABASE, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, true},
    {53, KIND_DNS, PORT_SILENT, false},
    {853, KIND_DNS, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, true},
    {1720, KIND_H323, PORT_SILENT, false},
    {1935, KIND_RTMP, PORT_SILENT, false},
    {3478, KIND_TURN, PORT_SILENT | PORT_TLS, false},
    {5349, KIND_TURN, PORT_SILENT | PORT_TLS | PORT_UNREADABLE, true},
    {4999, KIND_TRUNK, PORT_SILENT | PORT_TLS | PORT_UNREADABLE | PORT_UNKNOWN, false},
};

bool protocol_port_meaning(const struct protocol_input *in, uint16_t port, enum port_use use, struct port_meaning *ret)
{
    for (size_t i = 0; i < in->port_count; i++) {
        if (in->ports[i].port != port)
            continue;
        enum kind kind = in->ports[i].kind;
        if (kind == KIND_SIP && (use == PORT_TLS || use == PORT_UNREADABLE))
            kind = KIND_SIP_TLS;
        if (use == PORT_UNKNOWN && kind != KIND_TRUNK)
            continue; /* every other kind would have been recognised */
        /* 5223 is in the built-in policy, so that it is there proves no more than the number itself */
        bool xmpp = kind >= KIND_XMPP_CLIENT && kind <= KIND_XMPP_TLS;
        *ret = (struct port_meaning){kind, port, true, !xmpp && kind != KIND_WEB && kind != KIND_TRUNK};
        return true;
    }
    for (size_t i = 0; i < sizeof known_ports / sizeof known_ports[0]; i++) {
        if (known_ports[i].port != port || !(known_ports[i].uses & use))
            continue;
        *ret = (struct port_meaning){known_ports[i].kind, port, false, known_ports[i].answer_confirms};
        return true;
    }
    return false;
}

bool protocol_on_port(const struct protocol_input *in, uint16_t port)
{
    return in->src_port == port || in->dst_port == port;
}

enum protocol_side protocol_listener(const struct protocol_input *in)
{
    return in->from_initiator ? SIDE_RECEIVER : SIDE_SENDER;
}

void protocol_say(const struct protocol_input *in, struct protocol_result *ret, enum kind kind,
                  enum confidence confidence, enum protocol_side side, const char *evidence, ...)
{
    *ret = (struct protocol_result){.judgement = {.kind = kind, .confidence = confidence}, .server_side = side};
    if (side != SIDE_UNKNOWN)
        ret->server_port_hint = side == SIDE_RECEIVER ? in->dst_port : in->src_port;
    va_list args;
    va_start(args, evidence);
    (void)vsnprintf(ret->judgement.evidence, sizeof ret->judgement.evidence, evidence, args);
    va_end(args);
}

/* Of the two ports the listener's, and where nobody was seen to open the connection the other one as well. */
static bool by_port(const struct protocol_input *in, enum port_use use, struct protocol_result *ret)
{
    enum protocol_side side = protocol_listener(in);
    for (int turn = 0; turn < 2; turn++) {
        struct port_meaning meaning;
        uint16_t port = side == SIDE_RECEIVER ? in->dst_port : in->src_port;
        if (protocol_port_meaning(in, port, use, &meaning)) {
            protocol_say(in, ret, meaning.kind, CONFIDENCE_LOW, side, "port %u%s, content not readable", port,
                         meaning.from_policy ? " of the policy" : "");
            return true;
        }
        if (in->at_start)
            return false;
        side = side == SIDE_RECEIVER ? SIDE_SENDER : SIDE_RECEIVER;
    }
    return false;
}

static bool match_any(const struct protocol_input *in, const struct protocol_result *previous,
                      struct protocol_result *ret)
{
    const struct candidate *candidates = in->proto == PROTO_TCP ? of_tcp : of_udp;
    bool text = in->bytes[0] < 0x80;
    size_t count = in->proto == PROTO_TCP ? sizeof of_tcp / sizeof *of_tcp : sizeof of_udp / sizeof *of_udp;
    for (size_t i = 0; i < count; i++)
        if ((text || !candidates[i].text) && candidates[i].match(in, previous, ret))
            return true;
    return false;
}

/* What was known of the conversation stays unless it is contradicted by better evidence. */
static void merge(const struct protocol_result *previous, struct protocol_result *ret)
{
    if (ret->judgement.confidence < previous->judgement.confidence) {
        bool tls = ret->tls;
        *ret = *previous;
        ret->tls |= tls;
        return;
    }
    ret->tls |= previous->tls;
    ret->dtls_or_turn |= previous->dtls_or_turn;
    if (ret->server_side == SIDE_UNKNOWN) {
        ret->server_port_hint = previous->server_port_hint;
    }
    if (ret->server_name[0] == '\0')
        memcpy(ret->server_name, previous->server_name, sizeof ret->server_name);
}

bool protocol_recognise(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret)
{
    static const struct protocol_result nothing = {.server_side = SIDE_UNKNOWN};
    const struct protocol_result *before = previous ? previous : &nothing;
    struct protocol_result found = nothing; /* apart, for the caller may hand in one struct as both */

    if (in->len == 0)
        return false;
    if (match_any(in, before, &found)) {
        merge(before, &found);
    } else if (before->judgement.confidence == CONFIDENCE_NONE && in->proto == PROTO_TCP) {
        found = *before;
        found.server_side = SIDE_UNKNOWN;
        if (!by_port(in, in->at_start ? PORT_UNKNOWN : PORT_UNREADABLE, &found))
            return false;
    } else {
        return false;
    }
    *ret = found;
    return true;
}

void protocol_classify(const struct protocol_input *in, const struct protocol_result *previous,
                       struct protocol_result *ret)
{
    static const struct protocol_result nothing = {.server_side = SIDE_UNKNOWN};
    if (protocol_recognise(in, previous, ret))
        return;
    *ret = previous ? *previous : nothing;
    ret->server_side = SIDE_UNKNOWN;
}

void protocol_classify_ports(const struct protocol_input *in, struct protocol_result *ret)
{
    static const struct protocol_result nothing = {.server_side = SIDE_UNKNOWN};
    *ret = nothing;
    if (in->proto == PROTO_TCP && by_port(in, PORT_SILENT, ret))
        (void)snprintf(ret->judgement.evidence, sizeof ret->judgement.evidence, "port %u, no payload captured",
                       ret->server_port_hint);
}

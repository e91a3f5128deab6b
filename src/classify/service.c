#include "classify/service.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "classify/service_probe.h"
#include "model/packet.h"

/* Order is priority: what is certain by its own bytes stands before what needs a port to be believed. */
struct probe {
    service_probe probe;
    bool text; /* what it looks for begins with ASCII, as media does not: most that is looked at begins so */
};

static const struct probe tcp_probes[] = {
    {service_probe_sip, true},       {service_probe_tls, false},  {service_probe_xmpp, false},
    {service_probe_http, true},      {service_probe_ssh, true},   {service_probe_smb, false},
    {service_probe_postgres, false}, {service_probe_ldap, false}, {service_probe_stun_tcp, false},
    {service_probe_h323, false},     {service_probe_rtmp, false}, {service_probe_dns, false},
    {service_probe_syslog, true},
};

static const struct probe udp_probes[] = {
    {service_probe_sip, true},  {service_probe_ssdp, true},   {service_probe_dhcp, false}, {service_probe_quic, false},
    {service_probe_dns, false}, {service_probe_ntp, false},   {service_probe_snmp, false}, {service_probe_ldap, false},
    {service_probe_ras, false}, {service_probe_syslog, true},
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

bool service_port_meaning(const struct service_input *in, uint16_t port, enum port_use use, struct port_meaning *ret)
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

bool service_on_port(const struct service_input *in, uint16_t port)
{
    return in->src_port == port || in->dst_port == port;
}

enum service_side service_listener(const struct service_input *in)
{
    return in->from_initiator ? SIDE_RECEIVER : SIDE_SENDER;
}

void service_say(const struct service_input *in, struct service_result *ret, enum kind kind, enum confidence confidence,
                 enum service_side side, const char *evidence, ...)
{
    *ret = (struct service_result){.judgement = {.kind = kind, .confidence = confidence}, .server_side = side};
    if (side != SIDE_UNKNOWN)
        ret->server_port_hint = side == SIDE_RECEIVER ? in->dst_port : in->src_port;
    va_list args;
    va_start(args, evidence);
    (void)vsnprintf(ret->judgement.evidence, sizeof ret->judgement.evidence, evidence, args);
    va_end(args);
}

/* Of the two ports the listener's, and where nobody was seen to open the connection the other one as well. */
static bool by_port(const struct service_input *in, enum port_use use, struct service_result *ret)
{
    enum service_side side = service_listener(in);
    for (int turn = 0; turn < 2; turn++) {
        struct port_meaning meaning;
        uint16_t port = side == SIDE_RECEIVER ? in->dst_port : in->src_port;
        if (service_port_meaning(in, port, use, &meaning)) {
            service_say(in, ret, meaning.kind, CONFIDENCE_LOW, side, "port %u%s, content not readable", port,
                        meaning.from_policy ? " of the policy" : "");
            return true;
        }
        if (in->at_start)
            return false;
        side = side == SIDE_RECEIVER ? SIDE_SENDER : SIDE_RECEIVER;
    }
    return false;
}

static bool run_probes(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret)
{
    const struct probe *probes = in->proto == PROTO_TCP ? tcp_probes : udp_probes;
    bool text = in->bytes[0] < 0x80;
    size_t count =
        in->proto == PROTO_TCP ? sizeof tcp_probes / sizeof *tcp_probes : sizeof udp_probes / sizeof *udp_probes;
    for (size_t i = 0; i < count; i++)
        if ((text || !probes[i].text) && probes[i].probe(in, previous, ret))
            return true;
    return false;
}

/* What was known of the conversation stays unless it is contradicted by better evidence. */
static void merge(const struct service_result *previous, struct service_result *ret)
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

bool service_recognise(const struct service_input *in, const struct service_result *previous, struct service_result *ret)
{
    static const struct service_result nothing = {.server_side = SIDE_UNKNOWN};
    const struct service_result *before = previous ? previous : &nothing;
    struct service_result found = nothing; /* apart, for the caller may hand in one struct as both */

    if (in->len == 0)
        return false;
    if (run_probes(in, before, &found)) {
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

void service_classify(const struct service_input *in, const struct service_result *previous, struct service_result *ret)
{
    static const struct service_result nothing = {.server_side = SIDE_UNKNOWN};
    if (service_recognise(in, previous, ret))
        return;
    *ret = previous ? *previous : nothing;
    ret->server_side = SIDE_UNKNOWN;
}

void service_classify_ports(const struct service_input *in, struct service_result *ret)
{
    static const struct service_result nothing = {.server_side = SIDE_UNKNOWN};
    *ret = nothing;
    if (in->proto == PROTO_TCP && by_port(in, PORT_SILENT, ret))
        (void)snprintf(ret->judgement.evidence, sizeof ret->judgement.evidence, "port %u, no payload captured",
                       ret->server_port_hint);
}

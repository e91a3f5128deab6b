#include "probe/service.h"

#include <string.h>

/* In the order in which they are asked. The ports are those of docs/SERVICE.md; --port replaces them. */
const struct service_way service_ways[SERVICE_WAYS] = {
    {SERVICE_SIP, SERVICE_UDP, 5060, KIND_SIP, true, "SIP OPTIONS over UDP", "sip/udp"},
    {SERVICE_SIP, SERVICE_TCP, 5060, KIND_SIP, true, "SIP OPTIONS over TCP", "sip/tcp"},
    {SERVICE_SIP, SERVICE_TLS, 5061, KIND_SIP_TLS, true, "SIP OPTIONS over TLS", "sip/tls"},
    {SERVICE_XMPP, SERVICE_TCP, 5222, KIND_XMPP_CLIENT, true, "XMPP stream header over TCP", "xmpp/tcp"},
    {SERVICE_XMPP, SERVICE_TLS, 5223, KIND_XMPP_TLS, true, "XMPP stream header over TLS", "xmpp/tls"},
    {SERVICE_HTTPS, SERVICE_TLS, 443, KIND_WEB, true, "HTTP HEAD over TLS", "https"},
    {SERVICE_STUN, SERVICE_UDP, 3478, KIND_STUN, true, "STUN Binding over UDP", "stun/udp"},
    {SERVICE_STUN, SERVICE_TCP, 3478, KIND_STUN, false, "STUN Binding over TCP", "stun/tcp"},
};

static const char *const names[SERVICE_COUNT] = {
    [SERVICE_SIP] = "sip", [SERVICE_XMPP] = "xmpp", [SERVICE_HTTPS] = "https", [SERVICE_STUN] = "stun"};
static const char *const transports[SERVICE_TRANSPORT_COUNT] = {
    [SERVICE_UDP] = "udp", [SERVICE_TCP] = "tcp", [SERVICE_TLS] = "tls"};

static bool find(const char *text, const char *const *in, int count, int *ret)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(text, in[i]) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

const char *service_name(enum service s)
{
    return names[s];
}

bool service_parse(const char *text, enum service *ret)
{
    int i = 0;
    bool found = find(text, names, SERVICE_COUNT, &i);
    if (found)
        *ret = (enum service)i;
    return found;
}

const char *service_transport_name(enum service_transport t)
{
    return transports[t];
}

bool service_transport_parse(const char *text, enum service_transport *ret)
{
    int i = 0;
    bool found = find(text, transports, SERVICE_TRANSPORT_COUNT, &i);
    if (found)
        *ret = (enum service_transport)i;
    return found;
}

#ifndef QOSMARK_CLASSIFY_SERVICE_PROBE_H
#define QOSMARK_CLASSIFY_SERVICE_PROBE_H

#include <stdbool.h>

#include "classify/service.h"

/*
 * What service.c is made of: each probe looks for one family of protocols in the bytes. True, with the result filled
 * in, where it found one; otherwise the result is untouched. `previous` is never NULL (all zero where there is none).
 */
typedef bool (*service_probe)(const struct service_input *in, const struct service_result *previous,
                              struct service_result *ret);

bool service_probe_sip(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);
bool service_probe_tls(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);
bool service_probe_xmpp(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_http(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_ssh(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);
bool service_probe_postgres(const struct service_input *in, const struct service_result *previous,
                            struct service_result *ret);
bool service_probe_ldap(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_snmp(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_h323(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_ras(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);
bool service_probe_rtmp(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_dns(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);
bool service_probe_ntp(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);
bool service_probe_stun_tcp(const struct service_input *in, const struct service_result *previous,
                            struct service_result *ret);
bool service_probe_quic(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_ssdp(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_dhcp(const struct service_input *in, const struct service_result *previous,
                        struct service_result *ret);
bool service_probe_syslog(const struct service_input *in, const struct service_result *previous,
                          struct service_result *ret);
bool service_probe_smb(const struct service_input *in, const struct service_result *previous,
                       struct service_result *ret);

enum service_side { SIDE_UNKNOWN = -1, SIDE_SENDER = 0, SIDE_RECEIVER = 1 };

/* Fills in a result; the evidence is a printf format. The port that serves follows from the side. */
void service_say(const struct service_input *in, struct service_result *ret, enum kind kind, enum confidence confidence,
                 enum service_side side, const char *evidence, ...) __attribute__((format(printf, 6, 7)));

/* The side that serves where the protocol does not say: the one that did not open the connection. */
enum service_side service_listener(const struct service_input *in);

/* Either port is this one. */
bool service_on_port(const struct service_input *in, uint16_t port);

/* What a port stands for when only ports are left to go by. */
enum port_use {
    PORT_SILENT = 1,     /* a connection without payload */
    PORT_TLS = 2,        /* TLS that names no protocol */
    PORT_UNREADABLE = 4, /* joined in the middle, and what is there may be encrypted */
    PORT_UNKNOWN = 8,    /* begins with bytes that no probe knows */
};

struct port_meaning {
    enum kind kind;
    uint16_t port;
    bool from_policy;
    bool answer_confirms; /* nothing else is commonly found in TLS there: a server's hello makes it HIGH */
};

/* Looks at the policy's ports first. False where `port` stands for nothing in that use. */
bool service_port_meaning(const struct service_input *in, uint16_t port, enum port_use use, struct port_meaning *ret);

#endif

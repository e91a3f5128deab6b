#ifndef QOSMARK_CLASSIFY_PROTOCOL_MATCH_H
#define QOSMARK_CLASSIFY_PROTOCOL_MATCH_H

#include <stdbool.h>

#include "classify/protocol.h"

/*
 * What protocol.c is made of: each looks for one family of protocols in the bytes. True, with the result filled
 * in, where it found one; otherwise the result is untouched. `previous` is never NULL (all zero where there is none).
 */
typedef bool (*protocol_match)(const struct protocol_input *in, const struct protocol_result *previous,
                               struct protocol_result *ret);

bool protocol_match_sip(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);
bool protocol_match_tls(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);
bool protocol_match_xmpp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_http(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_ssh(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);
bool protocol_match_postgres(const struct protocol_input *in, const struct protocol_result *previous,
                             struct protocol_result *ret);
bool protocol_match_ldap(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_snmp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_h323(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_ras(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);
bool protocol_match_rtmp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_dns(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);
bool protocol_match_ntp(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);
bool protocol_match_stun_tcp(const struct protocol_input *in, const struct protocol_result *previous,
                             struct protocol_result *ret);
bool protocol_match_quic(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_ssdp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_dhcp(const struct protocol_input *in, const struct protocol_result *previous,
                         struct protocol_result *ret);
bool protocol_match_syslog(const struct protocol_input *in, const struct protocol_result *previous,
                           struct protocol_result *ret);
bool protocol_match_smb(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);

enum protocol_side { SIDE_UNKNOWN = -1, SIDE_SENDER = 0, SIDE_RECEIVER = 1 };

/* Fills in a result; the evidence is a printf format. The port that serves follows from the side. */
void protocol_say(const struct protocol_input *in, struct protocol_result *ret, enum kind kind,
                  enum confidence confidence, enum protocol_side side, const char *evidence, ...)
    __attribute__((format(printf, 6, 7)));

/* The side that serves where the protocol does not say: the one that did not open the connection. */
enum protocol_side protocol_listener(const struct protocol_input *in);

/* Either port is this one. */
bool protocol_on_port(const struct protocol_input *in, uint16_t port);

/* What a port stands for when only ports are left to go by. */
enum port_use {
    PORT_SILENT = 1,     /* a connection without payload */
    PORT_TLS = 2,        /* TLS that names no protocol */
    PORT_UNREADABLE = 4, /* joined in the middle, and what is there may be encrypted */
    PORT_UNKNOWN = 8,    /* begins with bytes that none of the above knows */
};

struct port_meaning {
    enum kind kind;
    uint16_t port;
    bool from_policy;
    bool answer_confirms; /* nothing else is commonly found in TLS there: a server's hello makes it HIGH */
};

/* Looks at the policy's ports first. False where `port` stands for nothing in that use. */
bool protocol_port_meaning(const struct protocol_input *in, uint16_t port, enum port_use use, struct port_meaning *ret);

#endif

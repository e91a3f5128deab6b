#ifndef QOSMARK_CLASSIFY_PROTOCOL_H
#define QOSMARK_CLASSIFY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/kind.h"

#define SERVER_NAME_MAX 64

/* The ports a policy declares for a kind beside the built-in hints (policy key `ports`). */
struct protocol_port {
    uint16_t port;
    enum kind kind;
};

/* The first bytes of one direction of a TCP connection (in order), or one UDP payload that is not media. */
struct protocol_input {
    uint8_t proto; /* PROTO_TCP or PROTO_UDP */
    uint16_t src_port, dst_port;
    bool from_initiator; /* sent by the side that opened the connection, as far as known */
    bool at_start;       /* these are the first bytes of the direction (a SYN was seen, or UDP) */
    const uint8_t *bytes;
    size_t len;
    const struct protocol_port *ports;
    size_t port_count;
};

struct protocol_result {
    struct judgement judgement; /* KIND_OTHER and CONFIDENCE_NONE while nothing is known */
    bool final;                 /* more bytes will not change it; STARTTLS, TLS hello and the like leave it false */
    uint16_t server_port_hint;  /* the port that serves, where content says which side does; 0 otherwise */
    int server_side;            /* 0: the sender of these bytes serves; 1: the receiver does; -1: content does not say */
    char server_name[SERVER_NAME_MAX]; /* TLS SNI, "" */
    bool tls;                   /* the connection is, or becomes with the next bytes, TLS */
    bool dtls_or_turn;          /* TURN over TCP: STUN framing, media may follow */
};

/*
 * How `bytes` is handed in: while a result is not final, everything from the beginning of the direction as far as it
 * is kept (4 KiB will do; a TLS hello with post-quantum keys takes two segments) with `at_start` true; or, where the
 * beginning was never seen, what is newest with `at_start` false. After STARTTLS either way works.
 *
 * What protocol this is, by content first; by port alone only at CONFIDENCE_LOW, and only for the kinds whose wire
 * format cannot be recognised. Called with the first bytes of each direction, and again with what follows where
 * `final` was false; `previous` is the last result for this conversation (either direction), or NULL.
 * Tells: sip, sip-tls, xmpp-client, xmpp-component, xmpp-server, xmpp-tls, web (HTTP and HTTPS, Web Admin, C2W),
 * database (PostgreSQL start-up, SSLRequest), ldap, ssh, dns, ntp, rtmp, h323, trunk, and turn on TCP. SNMP, syslog,
 * DHCP and the like stay `other` with evidence that names them.
 */
void protocol_classify(const struct protocol_input *in, const struct protocol_result *previous,
                       struct protocol_result *ret);

/* The same where these bytes tell something; false, with *ret untouched, where they do not: then all stays as it was,
 * but that no side is said to serve. */
bool protocol_recognise(const struct protocol_input *in, const struct protocol_result *previous,
                        struct protocol_result *ret);

/* By ports alone, for a connection whose capture holds no payload: CONFIDENCE_LOW or nothing. */
void protocol_classify_ports(const struct protocol_input *in, struct protocol_result *ret);

#endif

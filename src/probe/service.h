#ifndef QOSMARK_PROBE_SERVICE_H
#define QOSMARK_PROBE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/text.h"
#include "model/address.h"
#include "model/kind.h"

/* Requests to real servers: which there are, what is sent, and what an answer looks like. Pure, no sockets. */

enum service { SERVICE_SIP = 0, SERVICE_XMPP, SERVICE_HTTPS, SERVICE_STUN, SERVICE_COUNT };

enum service_transport { SERVICE_UDP = 0, SERVICE_TCP, SERVICE_TLS, SERVICE_TRANSPORT_COUNT };

/* One way in which a service is asked: `qosmark probe --service sip --transport tls`. */
struct service_way {
    enum service service;
    enum service_transport transport;
    uint16_t port;          /* where it is asked unless told otherwise */
    enum kind kind;         /* what the policy's map calls it */
    bool usual;             /* asked when no --transport is given */
    const char *what;       /* what is sent, for people: "SIP OPTIONS over UDP" */
    const char *short_name; /* for a column: "sip/udp" */
};

#define SERVICE_WAYS 8
extern const struct service_way service_ways[SERVICE_WAYS];

const char *service_name(enum service s);
bool service_parse(const char *text, enum service *ret);
const char *service_transport_name(enum service_transport t);
bool service_transport_parse(const char *text, enum service_transport *ret);

#define SERVICE_HOST_MAX    256
#define SERVICE_REQUEST_MAX 2048
#define SERVICE_ANSWER_MAX  8192 /* an answer that has not ended by then has said enough */
#define SERVICE_TEXT_MAX    96

struct service_request {
    const struct service_way *way;
    char host[SERVICE_HOST_MAX]; /* the name or address that the user gave: Request-URI, Host, `to` */
    struct endpoint local;       /* where answers are to come to: SIP's Via */
    uint16_t port;               /* of the server */
    uint8_t token[12];           /* random: STUN's transaction, SIP's branch and Call-ID */
};

/* Writes the request; returns its length. A host name of any characters makes a request that is still one: what is not
 * allowed in a name becomes '?'. */
size_t service_request_write(const struct service_request *r, uint8_t to[static SERVICE_REQUEST_MAX]);

/* What is sent to end the conversation politely, "" where there is nothing to say. */
const char *service_request_goodbye(const struct service_request *r);

enum service_reply {
    REPLY_MORE = 0, /* not whole yet */
    REPLY_DONE,     /* an answer to this request */
    REPLY_INTERIM,  /* whole, and of this service, but the answer proper is still to come (100 Trying) */
    REPLY_NOT_OURS, /* a datagram that answers something else */
    REPLY_FOREIGN,  /* not this service's protocol at all */
};

/*
 * Reads what came back: one datagram, or in a stream all that came so far (after TLS, where there is). `ret_text` gets
 * what it says in a few words ("SIP/2.0 200 OK"), printable ASCII, on REPLY_DONE, _INTERIM and _FOREIGN.
 * SIP: RFC 3261 §7.2, §8.2.6; STUN: RFC 8489 §5, §6.2.2; XMPP: RFC 6120 §4; HTTP: RFC 9112 §4.
 */
enum service_reply service_reply_read(const struct service_request *r, struct slice bytes,
                                      char ret_text[static SERVICE_TEXT_MAX]);

#endif

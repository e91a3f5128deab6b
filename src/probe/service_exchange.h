#ifndef QOSMARK_PROBE_SERVICE_EXCHANGE_H
#define QOSMARK_PROBE_SERVICE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"
#include "model/dscp.h"
#include "probe/service.h"

/* One request to one server, every packet of it marked, and what became of it. Nothing is sent to anybody else. */

struct service_exchange_options {
    const struct service_way *way;
    const char *host; /* as the user gave it: what the request names, and TLS's server name */
    struct endpoint server;
    struct addr source; /* version 0: the system chooses */
    dscp_t dscp;        /* of every packet from the first SYN on */
    int64_t timeout_ns; /* for all of it but the polite end */
    bool (*stop)(void *user); /* asked while waiting: true ends it within a moment; NULL: never */
    void *user;
};

enum service_outcome {
    SERVICE_ANSWERED = 0,
    SERVICE_ANSWERED_OTHERWISE, /* it answered, but not with this service's protocol */
    SERVICE_TLS_FAILED,         /* it spoke TLS, and the handshake failed */
    SERVICE_SILENT,             /* TCP: connected, and then nothing came; UDP: nothing came */
    SERVICE_CLOSED,             /* connected, and then closed without an answer */
    SERVICE_NO_CONNECTION,      /* nothing answered the SYN */
    SERVICE_REFUSED,            /* RST to the SYN, or ICMP port unreachable */
    SERVICE_UNREACHABLE,        /* ICMP, or this host has no route */
    SERVICE_OUTCOME_COUNT,
};

/* One datagram from the server. */
struct service_datagram {
    int64_t time_ns;
    bool tos_known;
    tos_t tos;
};

enum { SERVICE_DATAGRAM_MAX = 32 };

struct service_exchange {
    enum service_outcome outcome;
    struct endpoint local;
    int64_t begin_ns;              /* since 1970 */
    int64_t answer_ns;             /* UDP: from the (last) request to the answer; TCP: to the connection; -1: none */
    char answer[SERVICE_TEXT_MAX]; /* what it said, in a few printable words; "" where nothing */
    char tls[12];                  /* "TLSv1.3", "" */
    char problem[160];             /* a clause where it was not answered: "the connection is refused" */
    uint64_t handshake_bytes;      /* TLS: of the server, up to the end of the handshake */
    bool any_bytes;                /* the server sent something above TCP */
    bool interrupted;              /* `stop` ended the wait: that nothing came says nothing of the server */
    uint32_t requests;             /* UDP: datagrams sent, 1 and those that were repeated */
    struct service_datagram datagrams[SERVICE_DATAGRAM_MAX]; /* UDP: answers to this request */
    uint32_t datagram_count;
    uint32_t foreign; /* UDP: datagrams from the server that answer something else */
};

/* 0 where the request could be made, whatever became of it; negative with a sentence where this machine could not: no
 * socket, an address that is not its own, TLS not built in. */
int service_exchange_run(const struct service_exchange_options *o, struct service_exchange *ret, struct error *error);

/* Why nothing is known of a server that was not waited for: a clause. */
#define SERVICE_INTERRUPTED "it was interrupted before an answer came"

const char *service_outcome_name(enum service_outcome o);

#endif

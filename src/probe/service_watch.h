#ifndef QOSMARK_PROBE_SERVICE_WATCH_H
#define QOSMARK_PROBE_SERVICE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/packet.h"

/* What a server sent in one TCP connection, packet by packet, as a capture at the client shows it. */

/* The part of a connection that a packet belongs to. */
enum service_phase {
    PHASE_SYN_ACK = 0,
    PHASE_TLS,   /* up to the end of the TLS handshake, acknowledgements included */
    PHASE_DATA,  /* acknowledgements included */
    PHASE_CLOSE, /* its FIN, and what comes after it */
    PHASE_RESET, /* shown, never judged: a kernel without that connection answers with the mark of the packet it refuses
                  */
    PHASE_COUNT,
};

const char *service_phase_name(enum service_phase p); /* "SYN-ACK", "TLS handshake", "data", "FIN", "RST" */

/* One packet from the server. */
struct service_seen {
    int64_t time_ns;
    uint64_t frame;
    uint32_t offset; /* of its first byte in what the server sends; of the next one where it carries none */
    uint32_t bytes;  /* of payload on the wire */
    uint8_t flags;   /* enum tcp_flag */
    tos_t tos;
    bool again; /* carries nothing that was not seen before: sent again (or captured twice) */
};

enum { SERVICE_SEEN_MAX = 256 };

struct service_watch {
    struct endpoint client, server;
    bool has_isn;
    bool has_fin;
    uint32_t isn;  /* of the server */
    uint32_t next; /* offset behind the last byte seen */
    uint32_t fin;  /* offset of its FIN */
    struct service_seen seen[SERVICE_SEEN_MAX];
    size_t seen_count;
    uint64_t beyond;           /* packets for which there was no place */
    uint64_t sent[DSCP_COUNT]; /* packets from the client, by mark */
    uint64_t sent_packets;
};

void service_watch_init(struct service_watch *w, const struct endpoint *client, const struct endpoint *server);

/* True where the packet is of this connection, by all four of addresses and ports; then it is noted. */
bool service_watch_packet(struct service_watch *w, const struct packet *p);

/* The part that a packet of the watch belongs to; `handshake_bytes` is how many bytes of what the server sent were TLS
 * handshake, 0 for a connection without TLS. */
enum service_phase service_watch_phase(const struct service_watch *w, size_t seen, uint64_t handshake_bytes);

#endif

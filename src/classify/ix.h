#ifndef QOSMARK_CLASSIFY_IX_H
#define QOSMARK_CLASSIFY_IX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/*
 * The iX channel (m=application UDP/UDT/IX): Cisco's conference control inside UDT (draft-gg-udt-03). Inside DTLS
 * nothing of this shows. Only the handshake is recognised without help: the other packets look like much else, and
 * count only on a 5-tuple where a handshake was seen or SDP announced iX.
 */
enum ix_packet_type {
    IX_HANDSHAKE = 0,
    IX_KEEP_ALIVE = 1,
    IX_ACK = 2,
    IX_NAK = 3,
    IX_CONGESTION = 4,
    IX_SHUTDOWN = 5,
    IX_ACK2 = 6,
    IX_DROP_REQUEST = 7,
    IX_USER = 0x7fff,
    IX_DATA = 0x8000,
};

struct ix_packet {
    uint16_t type;      /* enum ix_packet_type */
    bool recognised;    /* a handshake whose fields all make sense: proof on its own */
    uint32_t socket_id; /* destination; 0 in a first handshake */
};

enum parse_status ix_parse(struct cursor c, uint32_t wire_bytes, struct ix_packet *ret);

#endif

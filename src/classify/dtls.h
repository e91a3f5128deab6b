#ifndef QOSMARK_CLASSIFY_DTLS_H
#define QOSMARK_CLASSIFY_DTLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* The records of one datagram (RFC 6347 §4.1, RFC 9147 §4). */
struct dtls_datagram {
    uint8_t content_type; /* of the first record: 20 CCS, 21 alert, 22 handshake, 23 data, 25 with a connection ID,
                             32..63 DTLS 1.3 unified header */
    uint16_t version;     /* 0xfeff DTLS 1.0, 0xfefd 1.2; 0 for a unified header, and for 25, which proves little: its
                             length is not known here (RFC 9146 §4) */
    uint8_t handshake_type; /* of the first handshake record in epoch 0: 1 ClientHello...; 0 otherwise */
    bool use_srtp;        /* a ClientHello or ServerHello with the use_srtp extension (RFC 5764 §4.1) */
    uint8_t record_count;
};
enum parse_status dtls_parse(struct cursor c, uint32_t wire_bytes, struct dtls_datagram *ret);

#endif

#ifndef QOSMARK_CLASSIFY_BFCP_H
#define QOSMARK_CLASSIFY_BFCP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* A message of the binary floor control protocol: who may share slides (RFC 8855 §5, RFC 4582 before it). */
struct bfcp_message {
    uint8_t version;   /* 1 over TCP, 2 over UDP */
    uint8_t primitive; /* 1 FloorRequest ... 18 GoodbyeAck */
    bool responder;    /* R: an answer, version 2 only */
    bool fragment;     /* F: a part of a message, version 2 only */
    uint32_t conference_id;
    uint16_t transaction_id, user_id;
    uint32_t message_bytes; /* for framing in TCP */
};

/*
 * The message at the beginning of the cursor: for a datagram (`stream` false) it fills `wire_bytes`, in a stream more
 * may follow. PARSE_MALFORMED where primitive, lengths or attributes (§5.2) contradict: with that, one message is
 * recognised on any port.
 */
enum parse_status bfcp_parse(struct cursor c, uint32_t wire_bytes, bool stream, struct bfcp_message *ret);

#endif

#ifndef QOSMARK_CLASSIFY_STUN_H
#define QOSMARK_CLASSIFY_STUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/text.h"
#include "model/address.h"

enum stun_class { STUN_REQUEST = 0, STUN_INDICATION = 1, STUN_SUCCESS = 2, STUN_ERROR = 3 };

/* Methods of RFC 8489 §18.2 and RFC 8656 §18 (TURN), RFC 6062 (TURN-TCP). */
enum stun_method {
    STUN_BINDING = 1,
    TURN_ALLOCATE = 3,
    TURN_REFRESH = 4,
    TURN_SEND = 6,
    TURN_DATA = 7,
    TURN_CREATE_PERMISSION = 8,
    TURN_CHANNEL_BIND = 9,
    TURN_CONNECT = 10,
    TURN_CONNECTION_BIND = 11,
    TURN_CONNECTION_ATTEMPT = 12,
};

struct stun_message {
    uint16_t method;
    enum stun_class message_class;
    uint8_t transaction[12];
    uint32_t message_bytes;   /* header and attributes, for framing in TCP */
    bool classic;             /* RFC 3489: without the magic cookie */
    bool is_turn;             /* a TURN method */
    bool ice;                 /* carries PRIORITY, USE-CANDIDATE, ICE-CONTROLLED or ICE-CONTROLLING (RFC 8445 §16) */
    struct endpoint peer;     /* XOR-PEER-ADDRESS; version 0 where not there */
    struct endpoint relayed;  /* XOR-RELAYED-ADDRESS */
    struct endpoint mapped;   /* XOR-MAPPED-ADDRESS or MAPPED-ADDRESS */
    uint16_t channel;         /* CHANNEL-NUMBER; 0 where not there */
    struct slice data;        /* DATA attribute: what a Send or Data indication carries */
    uint32_t data_wire_bytes; /* its length on the wire, which `data` may hold less of */
    struct slice software;
};

/* PARSE_OK as soon as the 20 bytes of the header are there and lengths agree with the wire; attributes that the
 * snapshot length took are as if absent. A STUN message that fills the datagram. With the magic cookie absent only a
 * Binding whose attributes add up exactly is taken (RFC 3489). */
enum parse_status stun_parse(struct cursor c, uint32_t wire_bytes, struct stun_message *ret);

/* For framing in TCP: how long the message is that begins here, from its first 8 bytes; 0 where they are not a STUN
 * header with the magic cookie. */
uint32_t stun_message_bytes(const uint8_t *bytes, size_t len);

/* TURN ChannelData (RFC 8656 §12.4): channel 0x4000..0x4FFF; over UDP up to 3 bytes of padding may follow. */
struct turn_channel_data {
    uint16_t channel;
    struct slice data;
    uint32_t data_wire_bytes;
};
enum parse_status turn_channel_data_parse(struct cursor c, uint32_t wire_bytes, struct turn_channel_data *ret);

#endif

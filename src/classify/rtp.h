#ifndef QOSMARK_CLASSIFY_RTP_H
#define QOSMARK_CLASSIFY_RTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

/* The RTP fixed header and what follows it (RFC 3550 §5.1, §5.3.1). SRTP leaves all of it in clear (RFC 3711 §3.1). */
struct rtp_header {
    bool padding, extension, marker;
    uint8_t csrc_count;
    uint8_t payload_type;
    uint16_t sequence;
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t extension_profile; /* 0xBEDE one-byte, 0x100X two-byte (RFC 8285); 0 without extension */
    uint16_t extension_bytes;
    uint32_t header_bytes;  /* fixed header, CSRCs and extension */
    uint32_t payload_bytes; /* on the wire; an SRTP tag, MKI and padding count as payload */
};

/*
 * `wire_bytes` is the length of the UDP payload on the wire, which the cursor may hold less of. PARSE_OK as soon as the
 * twelve bytes of the fixed header are there: an extension that the snapshot length cut off leaves extension_profile
 * and extension_bytes 0, and header_bytes without the extension's body.
 */
enum parse_status rtp_parse(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret);

/* True where a UDP payload may be RTP: rtp_parse() takes it, the payload type is not RTCP's (64..95), and padding and
 * extension leave room for themselves. One such packet proves nothing: see rtp_probation.h. */
bool rtp_plausible(struct cursor c, uint32_t wire_bytes, struct rtp_header *ret);

/* The first byte's demultiplexing of RFC 7983 §7 with RFC 5761 §4 for RTCP. */
enum media_byte {
    MEDIA_BYTE_OTHER = 0,
    MEDIA_BYTE_STUN,
    MEDIA_BYTE_ZRTP,
    MEDIA_BYTE_DTLS,
    MEDIA_BYTE_TURN_CHANNEL,
    MEDIA_BYTE_RTP,
    MEDIA_BYTE_RTCP
};
enum media_byte media_byte_of(const uint8_t *payload, uint32_t len);

#endif

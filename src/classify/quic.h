#ifndef QOSMARK_CLASSIFY_QUIC_H
#define QOSMARK_CLASSIFY_QUIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A datagram that begins with a QUIC long header of a known version (RFC 8999 §5.1, RFC 9000, RFC 9369, the drafts), a
 * version negotiation that offers one, or Google's QUIC with its version. Short headers say nothing. */
bool quic_looks_like(const uint8_t *bytes, size_t len);

#endif

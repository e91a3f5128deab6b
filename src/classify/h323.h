#ifndef QOSMARK_CLASSIFY_H323_H
#define QOSMARK_CLASSIFY_H323_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/* What a TPKT (RFC 1006 §6, RFC 2126) carries. */
enum tpkt_content {
    TPKT_OTHER = 0,
    TPKT_H225, /* Q.931 with the user-user element of H.225.0 §7.3 */
    TPKT_Q931, /* Q.931 of which that element is not seen */
    TPKT_H245, /* a TerminalCapabilitySet with H.245's object identifier */
    TPKT_X224, /* ISO transport: remote desktops, industrial controls */
};

/* The first TPKT at the beginning of the bytes, or a later one that tells more. */
enum parse_status tpkt_parse(struct cursor c, enum tpkt_content *ret);

/* H.225.0 RAS in a datagram: H.225's object identifier (itu-t 0 8 2250 0 version) near its beginning. */
bool h225_ras_looks_like(const uint8_t *bytes, size_t len);

#endif

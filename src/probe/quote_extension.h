#ifndef QOSMARK_PROBE_QUOTE_EXTENSION_H
#define QOSMARK_PROBE_QUOTE_EXTENSION_H

#include "base/cursor.h"
#include "probe/quote.h"

/*
 * RFC 4884: splits what follows the first 8 bytes of an ICMP error into the quoted datagram (returned) and the
 * extension structure, whose MPLS labels go to *ret.
 *
 * `words` is the length field of the message and `word_bytes` its unit (4 in ICMP, 8 in ICMPv6). A length of 0 may
 * still mean extensions, at offset 128, from senders older than the RFC (§5.5): they count only where version and
 * checksum are right. What is no well-formed extension structure is part of the quote.
 */
struct cursor quote_extension_split(struct cursor rest, uint8_t words, size_t word_bytes, struct quote *ret);

#endif

#ifndef QOSMARK_STREAM_SIP_STREAM_H
#define QOSMARK_STREAM_SIP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "classify/sip.h"

/* SIP messages out of one direction of a TCP connection (RFC 3261 §18.3), fed with ordered bytes from tcp_order. */
struct sip_stream;

typedef void (*sip_stream_sink)(void *user, const struct sip_message *m, uint64_t frame, int64_t time_ns);

struct sip_stream *sip_stream_new(void); /* NULL without memory */
void sip_stream_free(struct sip_stream *s);

/* `frame`, `time_ns`: of the segment with the first of these bytes; a message is reported with those of its own first
 * byte. After a gap it resynchronises on the next start line. A message that outgrows its cap (256 KiB) is dropped
 * and the stream resynchronised. CRLF keep-alives (RFC 5626) are skipped. Returns how many messages were given up for
 * having more of header or body than is read. */
uint64_t sip_stream_bytes(struct sip_stream *s, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns,
                      sip_stream_sink sink, void *user);

/* Whether bytes were dropped for want of memory, once at least. */
bool sip_stream_failed(const struct sip_stream *s);

#endif

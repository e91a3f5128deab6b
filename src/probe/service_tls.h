#ifndef QOSMARK_PROBE_SERVICE_TLS_H
#define QOSMARK_PROBE_SERVICE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * A TLS client that knows no socket: bytes in, bytes out, so that the caller waits, and so that it is known how many
 * bytes of the server were handshake. Certificates are not verified: what is looked at is the mark of the packets that
 * bring them, and nothing is said to the server that would need one to be trusted.
 */
struct service_tls;

/* Reads the system's settings of OpenSSL and loads what they ask for: what comes later does without opening files. */
void service_tls_prepare(void);

bool service_tls_built_in(void); /* false: built without OpenSSL, and service_tls_new() says so */

/* `host` is sent as server name (RFC 6066 §3) unless it is an address. ERR_UNSUPPORTED without OpenSSL. */
int service_tls_new(const char *host, struct service_tls **ret, struct error *error);
void service_tls_free(struct service_tls *t); /* takes NULL */

/*
 * Takes `len` bytes from the server (0: only go on) and goes as far as they allow. 0, or ERR_FORMAT with a clause such
 * as "the server refuses: handshake failure". Call it once before anything came, for the ClientHello.
 */
int service_tls_feed(struct service_tls *t, const void *bytes, size_t len, struct error *error);

/* Bytes to send to the server: at most `size` of them are moved to `to`; 0 when there are none. */
size_t service_tls_take(struct service_tls *t, void *to, size_t size);

bool service_tls_ready(const struct service_tls *t);  /* the handshake is done */
bool service_tls_spoken(const struct service_tls *t); /* what came from the server begins as a TLS record does */
uint64_t
service_tls_handshake_bytes(const struct service_tls *t);     /* of the server, up to there; all of them until then */
const char *service_tls_version(const struct service_tls *t); /* "TLSv1.3"; "" before the handshake is done */

/* Once ready: encrypts all of it (for service_tls_take()), or decrypts what is there. */
int service_tls_write(struct service_tls *t, const void *bytes, size_t len, struct error *error);
size_t service_tls_read(struct service_tls *t, void *to, size_t size);

/* The last service_tls_read() found close_notify, or what no TLS allows: nothing is to be read any more, and what is
 * fed from now on would only be kept. */
bool service_tls_ended(const struct service_tls *t);

void service_tls_close(struct service_tls *t); /* close_notify, for service_tls_take() */

#endif

#ifndef QOSMARK_CLASSIFY_TLS_H
#define QOSMARK_CLASSIFY_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define TLS_NAME_MAX      64
#define TLS_ALPN_MAX      8
#define TLS_ALPN_TEXT_MAX 24

/* What a ClientHello or ServerHello says about itself (RFC 8446 §4.1, RFC 6066 §3, RFC 7301 §3.1). */
struct tls_hello {
    bool client;   /* ClientHello, or else ServerHello */
    bool complete; /* all of it was there; otherwise the fields below may lack what comes later */
    uint16_t version;
    char server_name[TLS_NAME_MAX];             /* a host name's characters only, others are '?'; "" without */
    char alpn[TLS_ALPN_MAX][TLS_ALPN_TEXT_MAX]; /* offered, or the one chosen; the same characters and '/' */
    size_t alpn_count;
};

/* Handshake bytes are put together from up to this many records and bytes; a longer hello stays incomplete. */
enum { TLS_HELLO_BYTES_MAX = 8192 };

/* The bytes begin with a hello in TLS records. PARSE_TRUNCATED below 11 bytes that fit so far: nothing is said then. */
enum parse_status tls_hello_parse(struct cursor c, struct tls_hello *ret);

/* The bytes begin with a sound TLS record header, of any type (RFC 8446 §5.1): `ret_type` 20..24. */
bool tls_record_begins(const uint8_t *bytes, size_t len, uint8_t *ret_type);

#endif

#ifndef QOSMARK_PROBE_STAMP_HMAC_H
#define QOSMARK_PROBE_STAMP_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* HMAC-SHA-256 truncated to 128 bits (RFC 8762 §4.4). Needs OpenSSL's libcrypto. */

enum { STAMP_HMAC_BYTES = 16, STAMP_HMAC_TEXT = 96 /* what the base packet's HMAC covers */, STAMP_KEY_MAX = 1024 };

/* A key made ready; each thread needs its own. */
struct stamp_hmac;

/* ERR_UNSUPPORTED where the program was built without OpenSSL, ERR_USAGE for an empty or overlong key. */
int stamp_hmac_new(const void *key, size_t len, struct stamp_hmac **ret, struct error *error);
void stamp_hmac_free(struct stamp_hmac *h);

/* Over `a` followed by `b` (the TLVs' HMAC is over the sequence number and the TLVs). Negative: libcrypto failed. */
int stamp_hmac_sign(struct stamp_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                    uint8_t ret[static STAMP_HMAC_BYTES]);

/* In constant time. */
bool stamp_hmac_verify(struct stamp_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                       const uint8_t expected[static STAMP_HMAC_BYTES]);

#endif

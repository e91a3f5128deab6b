#include "probe/stamp_hmac.h"

#include <stdlib.h>
#include <string.h>

#ifdef QOSMARK_HAVE_OPENSSL

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

enum { SHA256_BYTES = 32 };

struct stamp_hmac {
    EVP_MAC *mac;
    EVP_MAC_CTX *context;
};

int stamp_hmac_new(const void *key, size_t len, struct stamp_hmac **ret, struct error *error)
{
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (len == 0 || len > STAMP_KEY_MAX)
        return error_set(error, ERR_USAGE, "a key has 1 to %d bytes, this one has %zu", (int)STAMP_KEY_MAX, len);
    struct stamp_hmac *h = calloc(1, sizeof *h);
    if (!h)
        return error_set(error, ERR_MEMORY, "out of memory");
    h->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    h->context = h->mac ? EVP_MAC_CTX_new(h->mac) : NULL;
    if (!h->context || EVP_MAC_init(h->context, key, len, parameters) != 1) {
        stamp_hmac_free(h);
        return error_set(error, ERR_UNSUPPORTED, "libcrypto gives no HMAC-SHA-256");
    }
    *ret = h;
    return 0;
}

void stamp_hmac_free(struct stamp_hmac *h)
{
    if (!h)
        return;
    EVP_MAC_CTX_free(h->context);
    EVP_MAC_free(h->mac);
    free(h);
}

int stamp_hmac_sign(struct stamp_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                    uint8_t ret[static STAMP_HMAC_BYTES])
{
    uint8_t whole[SHA256_BYTES];
    size_t len = 0;
    /* no key: the one it was made with again */
    if (EVP_MAC_init(h->context, NULL, 0, NULL) != 1 || (a_len && EVP_MAC_update(h->context, a, a_len) != 1) ||
        (b_len && EVP_MAC_update(h->context, b, b_len) != 1) ||
        EVP_MAC_final(h->context, whole, &len, sizeof whole) != 1 || len != sizeof whole)
        return ERR_UNSUPPORTED;
    memcpy(ret, whole, STAMP_HMAC_BYTES);
    return 0;
}

bool stamp_hmac_verify(struct stamp_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                       const uint8_t expected[static STAMP_HMAC_BYTES])
{
    uint8_t made[STAMP_HMAC_BYTES];
    return stamp_hmac_sign(h, a, a_len, b, b_len, made) == 0 && CRYPTO_memcmp(made, expected, sizeof made) == 0;
}

#else

struct stamp_hmac {
    char nothing;
};

int stamp_hmac_new(const void *key, size_t len, struct stamp_hmac **ret, struct error *error)
{
    (void)key;
    (void)len;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without OpenSSL, which authenticated STAMP needs");
}

void stamp_hmac_free(struct stamp_hmac *h)
{
    free(h);
}

int stamp_hmac_sign(struct stamp_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                    uint8_t ret[static STAMP_HMAC_BYTES])
{
    (void)h, (void)a, (void)a_len, (void)b, (void)b_len;
    memset(ret, 0, STAMP_HMAC_BYTES);
    return ERR_UNSUPPORTED;
}

bool stamp_hmac_verify(struct stamp_hmac *h, const void *a, size_t a_len, const void *b, size_t b_len,
                       const uint8_t expected[static STAMP_HMAC_BYTES])
{
    (void)h, (void)a, (void)a_len, (void)b, (void)b_len, (void)expected;
    return false;
}

#endif

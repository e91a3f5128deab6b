#ifdef QOSMARK_HAVE_OPENSSL

#include "probe/service_tls.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "model/address.h"

struct service_tls {
    SSL_CTX *context;
    SSL *ssl; /* owns the two below */
    BIO *in, *out;
    uint64_t fed, handshake_bytes;
    uint8_t first[2]; /* bytes of the server */
    bool ready, ended;
};

void service_tls_prepare(void)
{
    (void)OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, NULL);
}

bool service_tls_built_in(void)
{
    return true;
}

/* OpenSSL's newest sentence; its queue is emptied, because it is the thread's and not ours. */
static const char *reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "the TLS library gives no reason";
}

static bool prepare(struct service_tls *t, const char *host)
{
    struct addr addr;
    t->context = SSL_CTX_new(TLS_client_method());
    if (!t->context)
        return false;
    SSL_CTX_set_verify(t->context, SSL_VERIFY_NONE, NULL);
    /* old servers are still servers: what is asked is how they mark */
    (void)SSL_CTX_set_min_proto_version(t->context, TLS1_VERSION);
    SSL_CTX_set_security_level(t->context, 0);
    t->ssl = SSL_new(t->context);
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        return false;
    }
    (void)BIO_set_mem_eof_return(t->in, -1);
    SSL_set_bio(t->ssl, t->in, t->out);
    SSL_set_connect_state(t->ssl);
    /* a copy, because the macro casts away what a constant is; DNS has no longer names */
    char name[256];
    slice_copy(slice_make(host, strlen(host)), name, sizeof name);
    if (!addr_parse(slice_make(name, strlen(name)), &addr))
        (void)SSL_set_tlsext_host_name(t->ssl, name);
    return true;
}

int service_tls_new(const char *host, struct service_tls **ret, struct error *error)
{
    struct service_tls *t = calloc(1, sizeof *t);
    if (!t)
        return error_set(error, ERR_MEMORY, "out of memory");
    ERR_clear_error();
    if (!prepare(t, host)) {
        int r = error_set(error, ERR_IO, "TLS cannot be started: %s", reason());
        service_tls_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

void service_tls_free(struct service_tls *t)
{
    if (!t)
        return;
    SSL_free(t->ssl);
    SSL_CTX_free(t->context);
    free(t);
}

int service_tls_feed(struct service_tls *t, const void *bytes, size_t len, struct error *error)
{
    if (len > INT_MAX || (len && BIO_write(t->in, bytes, (int)len) != (int)len))
        return error_set(error, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < len && t->fed + i < sizeof t->first; i++)
        memcpy(&t->first[t->fed + i], (const uint8_t *)bytes + i, 1);
    t->fed += len;
    if (t->ready)
        return 0; /* what comes now is decrypted by service_tls_read() */
    ERR_clear_error();
    int done = SSL_do_handshake(t->ssl);
    t->handshake_bytes = t->fed;
    if (done == 1) {
        t->ready = true;
        return 0;
    }
    int why = SSL_get_error(t->ssl, done);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : error_set(error, ERR_FORMAT, "%s", reason());
}

size_t service_tls_take(struct service_tls *t, void *to, size_t size)
{
    int got = BIO_read(t->out, to, size > INT_MAX ? INT_MAX : (int)size);
    return got > 0 ? (size_t)got : 0;
}

bool service_tls_ready(const struct service_tls *t)
{
    return t->ready;
}

/* RFC 8446 section 5.1: change_cipher_spec(20) to application_data(23), and a major version of 3 */
bool service_tls_spoken(const struct service_tls *t)
{
    return t->fed >= sizeof t->first && t->first[0] >= 20 && t->first[0] <= 23 && t->first[1] == 3;
}

uint64_t service_tls_handshake_bytes(const struct service_tls *t)
{
    return t->handshake_bytes;
}

const char *service_tls_version(const struct service_tls *t)
{
    return t->ready ? SSL_get_version(t->ssl) : "";
}

int service_tls_write(struct service_tls *t, const void *bytes, size_t len, struct error *error)
{
    ERR_clear_error();
    return len <= INT_MAX && SSL_write(t->ssl, bytes, (int)len) == (int)len
               ? 0
               : error_set(error, ERR_IO, "TLS cannot send: %s", reason());
}

size_t service_tls_read(struct service_tls *t, void *to, size_t size)
{
    ERR_clear_error();
    int got = SSL_read(t->ssl, to, size > INT_MAX ? INT_MAX : (int)size);
    if (got <= 0) {
        int why = SSL_get_error(t->ssl, got);
        t->ended = why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE;
    }
    ERR_clear_error();
    return got > 0 ? (size_t)got : 0;
}

bool service_tls_ended(const struct service_tls *t)
{
    return t->ended;
}

void service_tls_close(struct service_tls *t)
{
    ERR_clear_error();
    if (t->ready)
        (void)SSL_shutdown(t->ssl);
    ERR_clear_error();
}

#else

typedef int service_tls_is_absent; /* see service_tls_absent.c */

#endif

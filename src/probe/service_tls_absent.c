#ifndef QOSMARK_HAVE_OPENSSL

#include "probe/service_tls.h"

/* Built without OpenSSL: service_tls_new() says so, and nothing else is ever called. */

void service_tls_prepare(void) {}

bool service_tls_built_in(void)
{
    return false;
}

int service_tls_new(const char *host, struct service_tls **ret, struct error *error)
{
    (void)host;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without OpenSSL: it cannot ask over TLS");
}

void service_tls_free(struct service_tls *t)
{
    (void)t;
}

int service_tls_feed(struct service_tls *t, const void *bytes, size_t len, struct error *error)
{
    (void)t;
    (void)bytes;
    (void)len;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without OpenSSL");
}

size_t service_tls_take(struct service_tls *t, void *to, size_t size)
{
    (void)t;
    (void)to;
    (void)size;
    return 0;
}

bool service_tls_ready(const struct service_tls *t)
{
    (void)t;
    return false;
}

bool service_tls_spoken(const struct service_tls *t)
{
    (void)t;
    return false;
}

uint64_t service_tls_handshake_bytes(const struct service_tls *t)
{
    (void)t;
    return 0;
}

const char *service_tls_version(const struct service_tls *t)
{
    (void)t;
    return "";
}

int service_tls_write(struct service_tls *t, const void *bytes, size_t len, struct error *error)
{
    (void)t;
    (void)bytes;
    (void)len;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without OpenSSL");
}

size_t service_tls_read(struct service_tls *t, void *to, size_t size)
{
    (void)t;
    (void)to;
    (void)size;
    return 0;
}

bool service_tls_ended(const struct service_tls *t)
{
    (void)t;
    return false;
}

void service_tls_close(struct service_tls *t)
{
    (void)t;
}

#else

typedef int service_tls_is_there; /* see service_tls.c */

#endif

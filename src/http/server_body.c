#include "http/server.h"

#ifdef QOSMARK_HAVE_MICROHTTPD

#include <stdlib.h>
#include <string.h>

#include "http/server_internal.h"

struct http_pinned {
    atomic_size_t bytes;
    atomic_uint users; /* pages, and the server */
};

struct http_pinned *http_pinned_new(void)
{
    struct http_pinned *p = calloc(1, sizeof *p);
    if (p)
        atomic_init(&p->users, 1);
    return p;
}

void http_pinned_drop(struct http_pinned *p)
{
    if (atomic_fetch_sub(&p->users, 1) == 1)
        free(p);
}

bool http_pinned_has_room(const struct http_pinned *p, size_t bytes)
{
    return bytes <= HTTP_PINNED_BYTES && atomic_load(&p->bytes) <= HTTP_PINNED_BYTES - bytes;
}

/* What a response holds; the bytes follow it. */
struct held {
    struct http_pinned *pinned;
    size_t len;
    char bytes[];
};

static void held_free(void *what)
{
    struct held *h = what;
    (void)atomic_fetch_sub(&h->pinned->bytes, h->len);
    http_pinned_drop(h->pinned);
    free(h);
}

static bool add_headers(struct MHD_Response *r, const char *content_type)
{
    const struct {
        const char *name, *value;
    } headers[] = {
        {MHD_HTTP_HEADER_CONTENT_TYPE, content_type},
        {"X-Content-Type-Options", "nosniff"},
        {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
                                    "form-action 'none'; frame-ancestors 'none'"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        /* one request a connection, so that nobody holds one for longer than it takes */
        {MHD_HTTP_HEADER_CONNECTION, "close"},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        ok = MHD_add_response_header(r, headers[i].name, headers[i].value) == MHD_YES && ok;
    return ok;
}

struct http_body *http_body_new(struct http_pinned *pinned, const char *content_type, const char *bytes, size_t len)
{
    struct http_body *b = calloc(1, sizeof *b);
    struct held *h = malloc(sizeof *h + len);
    if (!b || !h) {
        free(b);
        free(h);
        return NULL;
    }
    h->pinned = pinned;
    h->len = len;
    if (len)
        memcpy(h->bytes, bytes, len);
    b->response = MHD_create_response_from_buffer_with_free_callback_cls(len, h->bytes, held_free, h);
    if (!b->response) {
        free(b);
        free(h);
        return NULL;
    }
    (void)atomic_fetch_add(&pinned->users, 1);
    (void)atomic_fetch_add(&pinned->bytes, len);
    atomic_init(&b->users, 1);
    if (add_headers(b->response, content_type))
        return b;
    http_body_drop(b);
    return NULL;
}

struct http_body *http_body_keep(struct http_body *b)
{
    (void)atomic_fetch_add(&b->users, 1);
    return b;
}

void http_body_drop(struct http_body *b)
{
    if (!b || atomic_fetch_sub(&b->users, 1) != 1)
        return;
    MHD_destroy_response(b->response);
    free(b);
}

#endif

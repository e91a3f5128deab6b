#include "engine/http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef QOSMARK_HAVE_MICROHTTPD

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>

enum { CONNECTIONS_MAX = 32, PER_ADDRESS_MAX = 8, TIMEOUT_S = 10, MEMORY_BYTES = 16 * 1024 };

struct page {
    char *path, *type, *bytes;
    size_t len;
};

struct http_server {
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock; /* of the pages */
    struct page pages[HTTP_PAGES_MAX];
    size_t count;
};

bool http_server_available(void)
{
    return true;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status, const char *type,
                                 const char *bytes, size_t len)
{
    /* copied: the page may be replaced while a slow reader is at it */
    union {
        const char *in;
        void *out;
    } text = {.in = bytes};
    struct MHD_Response *response = MHD_create_response_from_buffer(len, text.out, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    (void)MHD_add_response_header(response, "Content-Security-Policy",
                                  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result answer(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_len, void **state)
{
    static const char not_found[] = "There is no such page here.\n", not_allowed[] = "Only GET and HEAD.\n";
    struct http_server *s = user;
    (void)version;
    (void)upload;
    (void)upload_len;
    (void)state;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return send_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain", not_allowed, sizeof not_allowed - 1);
    enum MHD_Result result = MHD_NO;
    bool found = false;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count && !found; i++) {
        found = strcmp(url, s->pages[i].path) == 0;
        if (found)
            result = send_text(connection, MHD_HTTP_OK, s->pages[i].type, s->pages[i].bytes, s->pages[i].len);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return found ? result : send_text(connection, MHD_HTTP_NOT_FOUND, "text/plain", not_found, sizeof not_found - 1);
}

static socklen_t make_address(const struct endpoint *e, struct sockaddr_storage *to)
{
    *to = (struct sockaddr_storage){0};
    if (e->addr.version == 4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(e->port)};
        memcpy(&in.sin_addr, e->addr.bytes, 4);
        memcpy(to, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
    memcpy(&in6.sin6_addr, e->addr.bytes, 16);
    memcpy(to, &in6, sizeof in6);
    return sizeof in6;
}

int http_server_start(const struct endpoint *listen, struct http_server **ret, struct error *error)
{
    struct sockaddr_storage address;
    char text[ENDPOINT_TEXT_MAX];
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)make_address(listen, &address);
    unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | (listen->addr.version == 6 ? (unsigned)MHD_USE_IPv6 : 0u);
    errno = 0;
    s->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, answer, s, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)PER_ADDRESS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                         (size_t)MEMORY_BYTES, MHD_OPTION_END);
    if (!s->daemon) {
        int why = errno;
        endpoint_format(listen, text);
        (void)pthread_mutex_destroy(&s->lock);
        free(s);
        return error_set(error, ERR_USAGE, "cannot listen on %s: %s", text,
                         why ? strerror(why) : "the address or port cannot be had");
    }
    *ret = s;
    return 0;
}

static void page_done(struct page *p)
{
    free(p->path);
    free(p->type);
    free(p->bytes);
}

void http_server_stop(struct http_server *s)
{
    if (!s)
        return;
    MHD_stop_daemon(s->daemon);
    for (size_t i = 0; i < s->count; i++)
        page_done(&s->pages[i]);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

int http_server_publish(struct http_server *s, const char *path, const char *content_type, const char *bytes,
                        size_t len)
{
    struct page page = {.path = strdup(path), .type = strdup(content_type), .bytes = malloc(len ? len : 1), .len = len};
    int r = ERR_MEMORY;
    if (page.path && page.type && page.bytes) {
        if (len)
            memcpy(page.bytes, bytes, len);
        (void)pthread_mutex_lock(&s->lock);
        size_t i = 0;
        while (i < s->count && strcmp(s->pages[i].path, path) != 0)
            i++;
        r = i < HTTP_PAGES_MAX ? 0 : ERR_LIMIT;
        if (r == 0) {
            struct page old = i < s->count ? s->pages[i] : (struct page){0};
            s->pages[i] = page;
            s->count += i == s->count;
            page = old;
        }
        (void)pthread_mutex_unlock(&s->lock);
    }
    page_done(&page);
    return r;
}

#else

bool http_server_available(void)
{
    return false;
}

int http_server_start(const struct endpoint *listen, struct http_server **ret, struct error *error)
{
    (void)listen;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "built without libmicrohttpd: there is nothing to listen with");
}

void http_server_stop(struct http_server *s)
{
    (void)s;
}

int http_server_publish(struct http_server *s, const char *path, const char *content_type, const char *bytes,
                        size_t len)
{
    (void)s;
    (void)path;
    (void)content_type;
    (void)bytes;
    (void)len;
    return ERR_UNSUPPORTED;
}

#endif

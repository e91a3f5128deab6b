#include "http/server.h"

#ifdef QOSMARK_HAVE_MICROHTTPD

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "http/server_internal.h"
#include "model/socket_address.h"

bool http_server_available(void)
{
    return true;
}

static void server_free(struct http_server *s)
{
    for (size_t i = 0; i < s->page_count; i++) {
        free(s->pages[i].path);
        http_body_drop(s->pages[i].body);
    }
    for (size_t i = 0; i < s->offer_count; i++)
        http_body_drop(s->offers[i].body);
    (void)pthread_mutex_destroy(&s->lock);
    http_pinned_drop(s->pinned);
    free(s);
}

static struct http_server *server_new(const struct endpoint *listen)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->loopback = http_address_is_loopback(&listen->addr);
    s->pinned = http_pinned_new();
    if (s->pinned && pthread_mutex_init(&s->lock, NULL) == 0)
        return s;
    if (s->pinned)
        http_pinned_drop(s->pinned);
    free(s);
    return NULL;
}

static struct MHD_Daemon *daemon_start(struct http_server *s, const struct endpoint *listen)
{
    struct sockaddr_storage address;
    (void)socket_address_write(listen, &address);
    const unsigned flags =
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (listen->addr.version == 6 ? (unsigned)MHD_USE_IPv6 : 0u);
    /* on loopback everybody has the same address */
    const unsigned an_address = s->loopback ? HTTP_CONNECTIONS_MAX : HTTP_CONNECTIONS_MAX / 4;
    return MHD_start_daemon(flags, 0, NULL, NULL, http_answer, s, MHD_OPTION_SOCK_ADDR, &address,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, an_address, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)HTTP_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_REQUEST_BYTES,
                            MHD_OPTION_NOTIFY_CONNECTION, http_connection_changed, s, MHD_OPTION_NOTIFY_COMPLETED,
                            http_request_completed, s, MHD_OPTION_END);
}

/* Signals are for the thread that runs the check. */
static int thread_start(struct http_server *s)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    int r = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (r == 0) {
        r = pthread_create(&s->thread, NULL, http_loop, s);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return r;
}

int http_server_start(const struct endpoint *listen, struct http_server **ret, struct error *error)
{
    char text[ENDPOINT_TEXT_MAX];
    struct http_server *s = server_new(listen);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    endpoint_format(listen, text);
    errno = 0;
    s->daemon = daemon_start(s, listen);
    if (!s->daemon) {
        int why = errno;
        server_free(s);
        return error_set(error, why == ENOMEM ? ERR_MEMORY : ERR_USAGE, "cannot listen on %s: %s", text,
                         why ? strerror(why) : "the address or port cannot be had");
    }
    int why = thread_start(s);
    if (why) {
        MHD_stop_daemon(s->daemon);
        server_free(s);
        return error_set(error, ERR_IO, "cannot start a thread to answer on %s: %s", text, strerror(why));
    }
    *ret = s;
    return 0;
}

void http_server_stop(struct http_server *s)
{
    if (!s)
        return;
    atomic_store(&s->stopping, true);
    (void)pthread_join(s->thread, NULL);
    MHD_stop_daemon(s->daemon);
    server_free(s);
}

int http_server_put(struct http_server *s, const struct http_page *page)
{
    char *path = strdup(page->path);
    struct http_body *body = http_body_new(s->pinned, page->content_type, page->bytes, page->len);
    int r = path && body ? 0 : ERR_MEMORY;
    if (r == 0) {
        (void)pthread_mutex_lock(&s->lock);
        size_t i = 0;
        while (i < s->page_count && strcmp(s->pages[i].path, path) != 0)
            i++;
        r = i < HTTP_PAGES_MAX ? 0 : ERR_LIMIT;
        if (r == 0) {
            struct http_kept old = i < s->page_count ? s->pages[i] : (struct http_kept){0};
            s->pages[i] = (struct http_kept){path, body, page->status, page->max_age_ms, http_now_ms()};
            s->page_count += i == s->page_count;
            path = old.path;
            body = old.body;
        }
        (void)pthread_mutex_unlock(&s->lock);
    }
    free(path);
    http_body_drop(body);
    return r;
}

int http_server_publish(struct http_server *s, const char *path, const char *content_type, const char *bytes,
                        size_t len)
{
    return http_server_put(
        s, &(struct http_page){.path = path, .content_type = content_type, .status = 200, .bytes = bytes, .len = len});
}

int http_server_offer(struct http_server *s, const struct http_offer *offer)
{
    int r = ERR_LIMIT;
    (void)pthread_mutex_lock(&s->lock);
    if (s->offer_count < HTTP_PAGES_MAX) {
        s->offers[s->offer_count++] = (struct http_offered){.offer = *offer};
        r = 0;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}

bool http_server_wanted(struct http_server *s, struct http_want *ret)
{
    struct http_waiter *first = NULL;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_waiter *w = &s->waiters[i];
        if (w->state == WAITER_ASKS && (!first || w->deadline_ms < first->deadline_ms))
            first = w;
    }
    if (first) {
        *ret = first->want;
        for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
            if (s->waiters[i].state == WAITER_ASKS && http_wants_equal(&s->waiters[i].want, ret))
                s->waiters[i].state = WAITER_TAKEN;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return first != NULL;
}

int http_server_answer(struct http_server *s, const struct http_want *want, const char *content_type, const char *bytes,
                       size_t len)
{
    struct http_body *body = content_type && http_pinned_has_room(s->pinned, len)
                                 ? http_body_new(s->pinned, content_type, bytes, len)
                                 : NULL;
    struct http_body *old = body;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->offer_count && body; i++) {
        struct http_offered *o = &s->offers[i];
        if (o->offer.path != want->path)
            continue;
        old = o->body;
        o->body = body;
        o->want = *want;
        o->at_ms = http_now_ms();
        break;
    }
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_waiter *w = &s->waiters[i];
        if ((w->state != WAITER_ASKS && w->state != WAITER_TAKEN) || !http_wants_equal(&w->want, want))
            continue;
        w->body = body ? http_body_keep(body) : NULL;
        w->state = WAITER_ANSWERED;
    }
    (void)pthread_mutex_unlock(&s->lock);
    http_body_drop(old);
    return body ? 0 : ERR_MEMORY;
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

int http_server_put(struct http_server *s, const struct http_page *page)
{
    (void)s;
    (void)page;
    return ERR_UNSUPPORTED;
}

int http_server_offer(struct http_server *s, const struct http_offer *offer)
{
    (void)s;
    (void)offer;
    return ERR_UNSUPPORTED;
}

bool http_server_wanted(struct http_server *s, struct http_want *ret)
{
    (void)s;
    (void)ret;
    return false;
}

int http_server_answer(struct http_server *s, const struct http_want *want, const char *content_type, const char *bytes,
                       size_t len)
{
    (void)s;
    (void)want;
    (void)content_type;
    (void)bytes;
    (void)len;
    return ERR_UNSUPPORTED;
}

#endif

#include "base/clock.h"
#include "http/server.h"

#ifdef QOSMARK_HAVE_MICROHTTPD

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "http/server_internal.h"

uint64_t http_now_ms(void)
{
    return (uint64_t)(clock_monotonic_ns() / NS_PER_MS);
}

bool http_wants_equal(const struct http_want *a, const struct http_want *b)
{
    return a->path == b->path && a->limit == b->limit && a->offset == b->offset;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static enum MHD_Result send_sentence(struct http_server *s, struct MHD_Connection *connection, unsigned status,
                                     const char *sentence)
{
    struct http_body *b = http_body_new(s->pinned, "text/plain; charset=utf-8", sentence, strlen(sentence));
    if (!b)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(b->response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        (void)MHD_add_response_header(b->response, MHD_HTTP_HEADER_RETRY_AFTER, "2");
    enum MHD_Result queued = MHD_queue_response(connection, status, b->response);
    http_body_drop(b);
    return queued;
}

static enum MHD_Result send_kept(struct http_server *s, struct MHD_Connection *connection, const struct http_kept *page)
{
    char sentence[96];
    uint64_t age = http_now_ms() - page->at_ms;
    if (!page->max_age_ms || age <= page->max_age_ms)
        return MHD_queue_response(connection, page->status, page->body->response);
    (void)snprintf(sentence, sizeof sentence, "Nothing new for %llu s: whoever makes this page is stuck or gone.\n",
                   (unsigned long long)(age / 1000));
    return send_sentence(s, connection, MHD_HTTP_SERVICE_UNAVAILABLE, sentence);
}

/* Puts the connection among those that wait. */
static enum MHD_Result wait_for(struct http_server *s, struct MHD_Connection *connection, const struct http_want *want,
                                void **state)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_waiter *w = &s->waiters[i];
        if (w->state != WAITER_FREE)
            continue;
        *w = (struct http_waiter){.state = WAITER_ASKS,
                                  .connection = connection,
                                  .want = *want,
                                  .deadline_ms = http_now_ms() + HTTP_WAIT_MS};
        *state = w;
        MHD_suspend_connection(connection);
        return MHD_YES;
    }
    return send_sentence(s, connection, MHD_HTTP_SERVICE_UNAVAILABLE, "Too many are waiting.\n");
}

static enum MHD_Result send_offered(struct http_server *s, struct MHD_Connection *connection,
                                    const struct http_offered *o, void **state)
{
    struct http_want want = {.path = o->offer.path};
    const char *limit = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "limit");
    const char *offset = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "offset");
    if (o->offer.limit_max && (!http_query_number(limit, o->offer.limit_default, UINT32_MAX, &want.limit) ||
                               !http_query_number(offset, 0, UINT32_MAX, &want.offset)))
        return send_sentence(s, connection, MHD_HTTP_BAD_REQUEST, "limit and offset are whole numbers.\n");
    if (want.limit > o->offer.limit_max)
        want.limit = o->offer.limit_max;
    if (o->body && http_wants_equal(&want, &o->want) && http_now_ms() - o->at_ms <= o->offer.fresh_ms)
        return MHD_queue_response(connection, MHD_HTTP_OK, o->body->response);
    return wait_for(s, connection, &want, state);
}

static enum MHD_Result send_waited(struct http_server *s, struct MHD_Connection *connection, struct http_waiter *w)
{
    if (w->body)
        return MHD_queue_response(connection, MHD_HTTP_OK, w->body->response);
    return send_sentence(s, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                         "The page could not be made in time; please ask again.\n");
}

static enum MHD_Result send_path(struct http_server *s, struct MHD_Connection *connection, const char *url,
                                 void **state)
{
    for (size_t i = 0; i < s->page_count; i++)
        if (strcmp(url, s->pages[i].path) == 0)
            return send_kept(s, connection, &s->pages[i]);
    for (size_t i = 0; i < s->offer_count; i++)
        if (strcmp(url, s->offers[i].offer.path) == 0)
            return send_offered(s, connection, &s->offers[i], state);
    return send_sentence(s, connection, MHD_HTTP_NOT_FOUND, "There is no such page here.\n");
}

static void mark_asked(struct http_server *s, const struct MHD_Connection *connection)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++)
        if (s->connections[i].connection == connection)
            s->connections[i].asked = true;
}

enum MHD_Result http_answer(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *upload_len, void **state)
{
    struct http_server *s = user;
    (void)version;
    (void)upload;
    (void)upload_len;
    mark_asked(s, connection);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return send_sentence(s, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
    const char *host = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    if (s->loopback && !http_host_is_loopback(host))
        return send_sentence(s, connection, MHD_HTTP_MISDIRECTED_REQUEST,
                             "This listens on loopback and answers to loopback addresses and localhost only.\n");
    (void)pthread_mutex_lock(&s->lock);
    enum MHD_Result r = *state ? send_waited(s, connection, *state) : send_path(s, connection, url, state);
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}

/* --- connections -------------------------------------------------------------------------------------------------- */

void http_connection_changed(void *user, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode what)
{
    struct http_server *s = user;
    (void)socket_context;
    const struct MHD_Connection *search = what == MHD_CONNECTION_NOTIFY_STARTED ? NULL : connection;
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_connection *c = &s->connections[i];
        if (c->connection != search)
            continue;
        *c = (struct http_connection){0};
        if (what != MHD_CONNECTION_NOTIFY_STARTED)
            return;
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info)
            *c = (struct http_connection){.connection = connection, .fd = info->connect_fd, .began_ms = http_now_ms()};
        return;
    }
}

void http_request_completed(void *user, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode why)
{
    struct http_server *s = user;
    struct http_waiter *w = *state;
    (void)connection;
    (void)why;
    if (!w)
        return;
    (void)pthread_mutex_lock(&s->lock);
    http_body_drop(w->body);
    *w = (struct http_waiter){0};
    (void)pthread_mutex_unlock(&s->lock);
    *state = NULL;
}

/* Who stalls, trickles or does not read has had his time: what libmicrohttpd sees is that he is gone. */
static void end_old_connections(struct http_server *s, uint64_t now)
{
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_connection *c = &s->connections[i];
        uint64_t seconds = c->asked ? HTTP_LIFETIME_S : HTTP_ASK_S;
        if (!c->connection || c->ended || now - c->began_ms <= seconds * 1000)
            continue;
        c->ended = true;
        (void)shutdown(c->fd, SHUT_RDWR);
    }
}

/* Wakes those who have their answer, or have waited long enough; how many still wait. */
static size_t resume_waiters(struct http_server *s, uint64_t now, bool all)
{
    struct MHD_Connection *ready[HTTP_CONNECTIONS_MAX];
    size_t n = 0, waiting = 0;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < HTTP_CONNECTIONS_MAX; i++) {
        struct http_waiter *w = &s->waiters[i];
        if (w->state == WAITER_FREE || w->state == WAITER_RESUMED)
            continue;
        if (w->state == WAITER_ANSWERED || all || now >= w->deadline_ms) {
            w->state = WAITER_RESUMED;
            ready[n++] = w->connection;
        } else {
            waiting++;
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < n; i++)
        MHD_resume_connection(ready[i]);
    return waiting;
}

/* An answer is kept for those who ask the same in a moment, and not longer: it may be large. */
static void drop_old_answers(struct http_server *s, uint64_t now)
{
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->offer_count; i++) {
        if (!s->offers[i].body || now - s->offers[i].at_ms <= s->offers[i].offer.fresh_ms)
            continue;
        http_body_drop(s->offers[i].body);
        s->offers[i].body = NULL;
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void *http_loop(void *server)
{
    struct http_server *s = server;
    while (!atomic_load(&s->stopping)) {
        uint64_t now = http_now_ms();
        end_old_connections(s, now);
        drop_old_answers(s, now);
        size_t waiting = resume_waiters(s, now, false);
        if (MHD_run_wait(s->daemon, waiting ? HTTP_TICK_WAITING_MS : HTTP_TICK_MS) != MHD_YES) {
            const struct timespec tick = {.tv_nsec = HTTP_TICK_MS * 1000000L};
            (void)nanosleep(&tick, NULL);
        }
    }
    /* a daemon that stops must hold no connection back */
    (void)resume_waiters(s, http_now_ms(), true);
    (void)MHD_run(s->daemon);
    (void)MHD_run(s->daemon);
    return NULL;
}

#endif

#ifndef QOSMARK_HTTP_SERVER_INTERNAL_H
#define QOSMARK_HTTP_SERVER_INTERNAL_H

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/server.h"
#include "http/server_request.h"

/* What server.c (the side of who publishes) and server_loop.c (the side of who asks) share. */

enum {
    HTTP_IDLE_S = 10,                   /* nothing read or written for so long: the connection ends */
    HTTP_ASK_S = 10,                    /* by when a request has to be complete */
    HTTP_REQUEST_BYTES = 16 * 1024,     /* of memory for a connection: longer headers are refused */
    HTTP_PINNED_BYTES = 64 * 1024 * 1024, /* of pages that slow readers hold, above which no large one is made */
    HTTP_TICK_MS = 200,                 /* between two looks for what has come to its end... */
    HTTP_TICK_WAITING_MS = 20,          /* ...and while somebody waits */
};

/* How many bytes of pages are alive. Counted in a place of its own, because the last page outlives the server's own
 * count of it: libmicrohttpd frees it. */
struct http_pinned;
struct http_pinned *http_pinned_new(void);
void http_pinned_drop(struct http_pinned *p);
bool http_pinned_has_room(const struct http_pinned *p, size_t bytes);

/* Bytes that any number of readers share, each for as long as it takes. */
struct http_body {
    struct MHD_Response *response;
    atomic_uint users;
};
struct http_body *http_body_new(struct http_pinned *pinned, const char *content_type, const char *bytes, size_t len);
struct http_body *http_body_keep(struct http_body *b);
void http_body_drop(struct http_body *b); /* NULL is fine */

struct http_kept {
    char *path;
    struct http_body *body;
    unsigned status, max_age_ms;
    uint64_t at_ms;
};

struct http_offered {
    struct http_offer offer;
    struct http_want want; /* that `body` answers */
    struct http_body *body;
    uint64_t at_ms;
};

enum waiter_state { WAITER_FREE = 0, WAITER_ASKS, WAITER_TAKEN, WAITER_ANSWERED, WAITER_RESUMED };

struct http_waiter {
    enum waiter_state state;
    struct MHD_Connection *connection;
    struct http_want want;
    struct http_body *body; /* NULL in WAITER_ANSWERED: it could not be made */
    uint64_t deadline_ms;
};

struct http_connection {
    struct MHD_Connection *connection; /* NULL: free */
    int fd;
    bool asked, ended;
    uint64_t began_ms;
};

struct http_server {
    struct MHD_Daemon *daemon;
    pthread_t thread;
    atomic_bool stopping;
    bool loopback;
    struct http_pinned *pinned;

    pthread_mutex_t lock; /* of what follows */
    struct http_kept pages[HTTP_PAGES_MAX];
    size_t page_count;
    struct http_offered offers[HTTP_PAGES_MAX];
    size_t offer_count;
    struct http_waiter waiters[HTTP_CONNECTIONS_MAX];

    struct http_connection connections[HTTP_CONNECTIONS_MAX]; /* of the loop's thread alone */
};

uint64_t http_now_ms(void); /* monotonic */
bool http_wants_equal(const struct http_want *a, const struct http_want *b);

/* The loop's thread, and what libmicrohttpd calls in it. */
void *http_loop(void *server);
enum MHD_Result http_answer(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                            const char *version, const char *upload, size_t *upload_len, void **state);
void http_connection_changed(void *user, struct MHD_Connection *connection, void **socket_context,
                             enum MHD_ConnectionNotificationCode what);
void http_request_completed(void *user, struct MHD_Connection *connection, void **state,
                            enum MHD_RequestTerminationCode why);

#endif

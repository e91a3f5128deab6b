#ifndef QOSMARK_HTTP_SERVER_H
#define QOSMARK_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"

/*
 * A few pages for a scraper or a browser, from memory (libmicrohttpd). One thread, made by http_server_start(), does
 * all of it; it makes no other and opens nothing but what it accepts.
 *
 * GET and HEAD only; no body is read, no file is served. At most HTTP_CONNECTIONS_MAX connections, a quarter of them
 * from one address (all of them on loopback); each carries one request and ends after HTTP_LIFETIME_S, whether the
 * client reads, stalls or trickles. On a loopback address a request has to name a loopback host: a page of somebody
 * else's that has its name resolve to 127.0.0.1 gets nothing (DNS rebinding).
 */
struct http_server;

enum { HTTP_CONNECTIONS_MAX = 32, HTTP_LIFETIME_S = 60, HTTP_WAIT_MS = 3000 };

/* ERR_UNSUPPORTED where the program was built without libmicrohttpd; ERR_USAGE where the address or port cannot be had.
 */
int http_server_start(const struct endpoint *listen, struct http_server **ret, struct error *error);
void http_server_stop(struct http_server *s); /* NULL is fine */

/* Puts a page in place of the one before at that path ("/metrics"). The bytes are copied; a reader gets the old or the
 * new one, whole. 0, ERR_MEMORY, or ERR_LIMIT above HTTP_PAGES_MAX paths. */
enum { HTTP_PAGES_MAX = 8 };
int http_server_publish(struct http_server *s, const char *path, const char *content_type, const char *bytes,
                        size_t len);

/* The same, with a status, and with an end: once the page is older than `max_age_ms` (0: never) its readers get 503 and
 * how old it is. For what must not look alive when its maker is not. */
struct http_page {
    const char *path, *content_type;
    unsigned status; /* 200, 503... */
    unsigned max_age_ms;
    const char *bytes;
    size_t len;
};
int http_server_put(struct http_server *s, const struct http_page *page);

/*
 * A page that is made when somebody asks. Its readers wait, at most HTTP_WAIT_MS, and then get 503:
 *
 *     while (http_server_wanted(s, &want))
 *         http_server_answer(s, &want, "text/html", bytes, len);
 *
 * Who asks within `fresh_ms` of an answer to the same question gets that answer again.
 */
struct http_offer {
    const char *path; /* borrowed, for as long as the server runs */
    unsigned fresh_ms;
    unsigned limit_default, limit_max; /* limit_max 0: takes no ?limit= and ?offset= */
};
int http_server_offer(struct http_server *s, const struct http_offer *offer); /* 0 or ERR_LIMIT */

struct http_want {
    const char *path; /* that of the offer */
    uint64_t limit, offset;
};
bool http_server_wanted(struct http_server *s, struct http_want *ret); /* who has waited longest */
/* `content_type` NULL: it could not be made, and its readers get 503. 0; ERR_MEMORY, likewise where slow readers hold
 * so much already that a page of that size would be too much. */
int http_server_answer(struct http_server *s, const struct http_want *want, const char *content_type,
                       const char *bytes, size_t len);

bool http_server_available(void);

#endif

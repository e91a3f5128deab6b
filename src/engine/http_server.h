#ifndef QOSMARK_ENGINE_HTTP_SERVER_H
#define QOSMARK_ENGINE_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "model/address.h"

/*
 * A few pages for a scraper or a browser, from memory (libmicrohttpd, with a thread of its own). GET and HEAD only; it
 * reads no body, serves no file, and holds at most a few connections, each for a few seconds.
 */
struct http_server;

/* ERR_UNSUPPORTED where the program was built without libmicrohttpd; ERR_USAGE where the address or port cannot be had.
 */
int http_server_start(const struct endpoint *listen, struct http_server **ret, struct error *error);
void http_server_stop(struct http_server *s); /* NULL is fine */

/* Puts a page in place of the one before at that path ("/metrics"). The bytes are copied; a reader gets the old or the
 * new one, whole. 0, ERR_MEMORY, or ERR_LIMIT above HTTP_PAGES_MAX paths. */
enum { HTTP_PAGES_MAX = 8 };
int http_server_publish(struct http_server *s, const char *path, const char *content_type, const char *bytes,
                        size_t len);

bool http_server_available(void);

#endif

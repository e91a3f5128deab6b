#ifndef QOSMARK_HTTP_SERVER_REQUEST_H
#define QOSMARK_HTTP_SERVER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "model/address.h"

/* What is asked of a request before it gets an answer. Pure, and the same with and without libmicrohttpd. */

bool http_address_is_loopback(const struct addr *a); /* 127.0.0.0/8, ::1 */

/* Whether a Host header (RFC 9110 §7.2; NULL: there is none) names this machine's loopback: "localhost", an address of
 * 127.0.0.0/8, or [::1], with or without a port. A browser sends the name of the page that asks; who sends none is
 * none. */
bool http_host_is_loopback(const char *host);

/* A number of a query: NULL is `otherwise`; false for anything but digits, or above `max`. */
bool http_query_number(const char *text, uint64_t otherwise, uint64_t max, uint64_t *ret);

#endif

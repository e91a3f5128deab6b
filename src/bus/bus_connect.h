#ifndef QOSMARK_BUS_BUS_CONNECT_H
#define QOSMARK_BUS_BUS_CONNECT_H

/* Private to src/bus, and only where libnats is there: connections to NATS servers. */

#include <nats/nats.h>
#include <stdatomic.h>

#include "base/error.h"
#include "bus/bus_options.h"

#define BUS_STREAM   "QOSMARK"
#define BUS_SUBJECTS "qosmark.v1.>"

/* Told from threads of libnats. Any may be NULL. */
struct bus_watch {
    void (*connected)(void *user);    /* the first time too, where that was not while bus_connect() ran */
    void (*disconnected)(void *user);
    void (*forbidden)(void *user, const char *why); /* what the server's permissions keep back: its own words */
    void *user;
    atomic_bool closed; /* no more is told */
};

/* A connection that goes on trying for ever; it may not be there yet. `name` is what the server's operator sees. `o`
 * and `watch` are borrowed while the connection lives. ERR_USAGE where what was given cannot be used, ERR_MEMORY. */
int bus_connect(const struct bus_options *o, const char *name, struct bus_watch *watch, natsConnection **ret,
                struct error *error);

/* Why no server can be used: another attempt at each, which is given up at once. Fills `error` (ERR_IO) with a sentence
 * that begins with `what`, names the server, and may hold what that says. */
int bus_connect_why(const struct bus_options *o, const char *name, const char *what, struct error *error);

/* Ends a connection, and waits until nothing more is told to `watch`. Takes NULL for `nc`. */
void bus_disconnect(natsConnection *nc, struct bus_watch *watch);

/* Whether what was given can be used, as far as that can be told without a server. */
int bus_connect_check(const struct bus_options *o, struct error *error);

/* A sentence of what libnats says, for `what` ("cannot publish"). */
int bus_error(struct error *error, int code, const char *what, natsStatus status);

/* Sees to it that the stream QOSMARK is there; one that is there stays as it is. Blocks for a round trip or two.
 * ERR_IO with the reason; so where it is another stream of that name. */
int bus_stream_make(natsConnection *nc, jsCtx *js, const struct bus_retention *retention, struct error *error);

#endif

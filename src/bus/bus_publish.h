#ifndef QOSMARK_BUS_BUS_PUBLISH_H
#define QOSMARK_BUS_BUS_PUBLISH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "bus/bus_options.h"
#include "bus/spill.h"

/*
 * Messages on their way to the stream QOSMARK of a NATS server with JetStream, by a thread of its own:
 *
 *     bus_publish_add() → memory → server, which acknowledges each
 *                            └→ file, where there is no server and the memory is half full → server, oldest first
 *
 * What has no room in either is dropped and counted. A message is sent until it was acknowledged; the server knows one
 * that comes again by its id. Whoever adds is never kept waiting for a network or a disk.
 */
struct bus_publish;

struct bus_publish_options {
    const struct bus_options *bus; /* borrowed until bus_publish_free() */
    const char *name;              /* what the server's operator sees */
    struct bus_retention retention; /* of the stream, where it has to be made */
    uint64_t buffer_bytes;          /* of memory; 0: 64 MiB */
    struct spill *spill;            /* NULL: memory only. Closed by bus_publish_finish() */
};

struct bus_publish_stats {
    uint64_t added, acknowledged;
    uint64_t buffered, buffered_bytes; /* in memory now, those on their way included */
    uint64_t spilled;                  /* went through the file so far */
    uint64_t waiting, waiting_bytes;   /* in the file now */
    uint64_t dropped;                  /* had no room, or were refused by the server for good */
    uint64_t damaged;                  /* lost in the file */
    uint64_t repeated;                 /* sent more than once, for want of an acknowledgement */
    uint64_t connections;              /* times that a server was reached */
    bool connected;
    char problem[256]; /* why nothing is acknowledged, where that is so; "" */
};

/* Begins the thread, which connects, and goes on trying. ERR_UNSUPPORTED, ERR_USAGE where what was given to be let in
 * cannot be used, ERR_MEMORY. The spill is the caller's to close then. */
int bus_publish_start(const struct bus_publish_options *options, struct bus_publish **ret, struct error *error);

/* Copies a message; false where it was dropped. Any thread, and it never waits for more than a copy. */
bool bus_publish_add(struct bus_publish *p, struct slice subject, struct slice id, struct slice body);

/* For who may wait, when nothing is captured any more: until a message of `bytes` has room, or `wait_ns` are over. How
 * much of them is left. */
int64_t bus_publish_wait_room(struct bus_publish *p, size_t bytes, int64_t wait_ns);

struct bus_publish_stats bus_publish_stats(struct bus_publish *p);

/* Sends what it can within `wait_ns`, puts the rest into the file, and ends the thread. What had no room counts as
 * dropped. */
void bus_publish_finish(struct bus_publish *p, int64_t wait_ns);

void bus_publish_free(struct bus_publish *p); /* finishes first, without waiting, where nobody did; takes NULL */

#endif

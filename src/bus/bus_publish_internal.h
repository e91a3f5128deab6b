#ifndef QOSMARK_BUS_BUS_PUBLISH_INTERNAL_H
#define QOSMARK_BUS_BUS_PUBLISH_INTERNAL_H

/*
 * What the files bus_publish*.c share:
 *
 *   bus_publish.c        the queue, the file, the thread
 *   bus_publish_send.c   the connection: sending, acknowledgements
 */

#include <pthread.h>

#include "bus/bus_connect.h"
#include "bus/bus_publish.h"

enum { WINDOW = 2048 /* messages on their way at a time */ };

struct message {
    struct message *next;
    uint64_t spilled; /* its number in the file; 0 where it is not there */
    uint32_t subject, id, body; /* bytes; subject and id have a NUL behind them in `text` */
    bool sent;                  /* before */
    char text[];
};

enum slot_state { SLOT_FREE = 0, SLOT_FLYING, SLOT_AGAIN /* to be sent again */, SLOT_DONE, SLOT_REFUSED };

struct slot {
    struct message *message;
    uint64_t serial; /* of this flight: an acknowledgement of another one is not ours */
    int64_t due_ns;  /* flying: when it is given up; again: when it may go */
    enum slot_state state;
};

struct bus_publish {
    struct bus_publish_options options;
    pthread_t thread;
    bool has_thread, joined;

    pthread_mutex_t lock; /* of all that follows, up to the next word */
    pthread_cond_t wake;
    struct message *first, **last; /* those that nobody has sent yet */
    uint64_t queued, queued_bytes;
    struct slot slots[WINDOW];
    unsigned flying; /* slots that are not free */
    unsigned again;  /* of these: to be sent again */
    uint64_t flying_bytes;
    bool connected, stopping;
    bool no_memory; /* for a message, which was dropped */
    bool forbidden; /* the server said so */
    bool homeless; /* a message came back because no stream took it */
    int64_t stop_at_ns, stop_for_ns; /* stopping: until when, and for how long, it goes on sending */
    struct bus_publish_stats stats;

    /* the thread's alone */
    struct spill *spill;
    uint64_t serial;
    unsigned turn; /* the slot that is looked at first */
    int64_t connect_at_ns, stream_at_ns; /* when it is tried again */
    bool stream_made;
    natsConnection *nc;
    jsCtx *js;
    natsSubscription *acks;
    char inbox[128];
    struct bus_watch watch;
};

/* bus_publish_send.c: the thread's, without the lock. */

/* True where messages can be sent. It may take seconds to find that out. */
bool bus_publish_ready(struct bus_publish *p);
/* False where the connection did not take it: it is to be sent again. */
bool bus_publish_send(struct bus_publish *p, const struct message *m, unsigned slot, uint64_t serial);
void bus_publish_disconnect(struct bus_publish *p);

#endif

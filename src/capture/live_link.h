#ifndef QOSMARK_CAPTURE_LIVE_LINK_H
#define QOSMARK_CAPTURE_LIVE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "capture/live.h"

/*
 * What the system says of an interface besides its frames. Everything is opened beforehand, so that it can be asked
 * when the process has given up its rights.
 */
struct live_link {
    int socket;   /* for questions; -1 where there is no one interface ("any") */
    int index;    /* its number: a new interface of the same name has another */
    int counters; /* /proc/net/dev, open; -1 where there is none */
    bool counted; /* `last` holds a count */
    uint64_t last, lost;
};

/* Never fails: what cannot be asked is up, and has lost nothing. */
void live_link_init(struct live_link *k, const char *interface);
void live_link_done(struct live_link *k);

enum live_state live_link_state(const struct live_link *k);

/* From now on lost frames count: called once the capture runs. */
void live_link_begin(struct live_link *k);

/* Frames that came to the interface since then and that it dropped; of "any", all interfaces together. */
uint64_t live_link_dropped(struct live_link *k);

/*
 * What a text like /proc/net/dev says was dropped of received frames: of one interface, or of all where `name` is NULL.
 * Its columns "drop" (rx_dropped and rx_missed_errors) and "fifo" (rx_fifo_errors).
 *
 * rx_dropped has what the kernel's backlog had no room for, which is how veth and other virtual interfaces lose frames.
 * It also counts frames of protocols that nobody listens to, but not while a capture listens to all of them; except
 * those with a VLAN tag, which are seen and counted.
 */
uint64_t live_link_count(struct slice text, const char *name);

#endif

#ifndef QOSMARK_CAPTURE_LIVE_H
#define QOSMARK_CAPTURE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/source.h"
#include "model/frame.h"

/*
 * Frames of a network interface as they pass, both directions, through libpcap: a memory-mapped ring with immediate
 * delivery, so that what a socket has received was in the ring before. Never promiscuous: only this host's own packets
 * are asked for.
 *
 * What is captured is what the kernel saw: segments that the receiver merged (GRO; never segments with unlike marks) or
 * that the card has yet to split (TSO) are one frame.
 */
struct live;

struct live_options {
    const char *interface; /* "any": all of them, with LINKTYPE_LINUX_SLL2 (or SLL) in place of the link layer */
    const char *filter;    /* pcap-filter(7), run by the kernel; NULL for everything */
    uint32_t snap_bytes;   /* captured of each frame; 0 for all */
    uint32_t buffer_bytes; /* of the ring; 0 for libpcap's default, 2 MiB */
};

/*
 * 0 and a capture that runs, or a sentence in `error` and
 *   ERR_UNSUPPORTED  this process may not capture (CAP_NET_RAW); the sentence says what to do
 *   ERR_USAGE        no such interface, or the filter is wrong
 *   ERR_IO           anything else that the system or libpcap refused
 *   ERR_MEMORY
 */
int live_open(const struct live_options *options, struct live **ret, struct error *error);

/* Becomes readable when a frame waits; -1 where the system has none for it (poll with a short timeout then). */
int live_fd(const struct live *l);

/*
 * Does not wait. SOURCE_FRAME: *ret is a frame, its bytes borrowed until the next call, numbered from 1. SOURCE_END:
 * none waits at present. SOURCE_FAILED: the interface is gone or failed; live_input() says why, in a sentence.
 */
enum source_status live_next(struct live *l, struct frame *ret);

/* Counts so far, with those that kernel and interface dropped as of now. `complete` until something fails. */
const struct source_input *live_input(struct live *l);

void live_free(struct live *l); /* takes NULL */

#endif

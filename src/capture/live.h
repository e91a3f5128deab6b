#ifndef QOSMARK_CAPTURE_LIVE_H
#define QOSMARK_CAPTURE_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/source.h"
#include "model/frame.h"

/*
 * Frames of a network interface as they pass, both directions, through libpcap's memory-mapped ring.
 *
 * What is captured is what the kernel saw: segments that the receiver merged (GRO; never segments with unlike marks) or
 * that the card has yet to split (TSO) are one frame. A frame that goes through the loopback interface is seen once.
 */
struct live;
struct frame_batch;

struct live_options {
    const char *interface; /* "any": all of them, with LINKTYPE_LINUX_SLL2 (or SLL) in place of the link layer */
    uint32_t input;        /* frame.input of its frames */
    const char *filter;    /* pcap-filter(7), run by the kernel; NULL for everything */
    uint32_t snap_bytes;   /* captured of each frame; 0 for all */
    uint32_t buffer_bytes; /* of the ring; 0 for libpcap's default, 2 MiB */
    bool promiscuous;      /* frames for other hosts too, where the card would throw them away */
    bool hardware_time;    /* the card's own time stamps, where it has any: see live_time() */
    /*
     * 0: each frame is there at once, so that what a socket has received was in the ring before. The ring then has a
     * slot of the snapshot length for each frame, however small the frame is.
     * Otherwise: the kernel packs frames side by side and hands them over when a block of the ring is full, or after so
     * many milliseconds.
     */
    uint32_t gather_ms;
};

/*
 * 0 and a capture that runs, or a sentence in `error` and
 *   ERR_UNSUPPORTED  this process may not capture (CAP_NET_RAW); the sentence says what to do
 *   ERR_USAGE        no such interface, one that cannot be promiscuous, or the filter is wrong
 *   ERR_IO           anything else that the system or libpcap refused
 *   ERR_MEMORY
 * Nothing that comes later asks for more rights than an ordinary process has.
 */
int live_open(const struct live_options *options, struct live **ret, struct error *error);

/* Becomes readable when a frame waits; -1 where the system has none for it (poll with a short timeout then). */
int live_fd(const struct live *l);

/*
 * Does not wait. SOURCE_FRAME: *ret is a frame, its bytes borrowed until the next call, numbered from 1. SOURCE_END:
 * none waits at present. SOURCE_FAILED: the interface is gone or failed; live_input() says why, in a sentence.
 */
enum source_status live_next(struct live *l, struct frame *ret);

/* As live_next(), for all frames that wait and fit into the batch, which is cleared before: at least one, whose bytes
 * stay until it is read into again. An interface that is down is SOURCE_END: see live_state(). */
enum source_status live_read(struct live *l, struct frame_batch *b);

enum live_state {
    LIVE_STATE_UP = 0,
    LIVE_STATE_DOWN,    /* there, but switched off: frames come again when it is up */
    LIVE_STATE_NO_LINK, /* there and switched on, but its link is not: likewise */
    LIVE_STATE_GONE,    /* no such interface any more; one that is made anew under its name is another one */
};

/* Asks the system. "any" is always up. */
enum live_state live_state(const struct live *l);

/* Counts so far, with those that kernel and interface dropped as of now. `complete` until something fails. */
const struct source_input *live_input(struct live *l);

/* Of live_input()->dropped, those that the interface dropped: they never came as far as the ring. As live_input()
 * last saw them. */
uint64_t live_dropped_interface(const struct live *l);

/* Frames that the ring held when live_input() looked last, and that were not read since. Too many on a loopback
 * interface, where libpcap passes over one copy of each. */
uint64_t live_waiting(const struct live *l);

/* Whether a filter could be set. ERR_USAGE with libpcap's words. */
int live_check_filter(struct live *l, const char *filter, struct error *error);

/* Compiles and sets another filter (NULL: everything); the old one stays where it fails. ERR_USAGE, ERR_IO, ERR_LIMIT
 * where it is too long for the kernel. */
int live_set_filter(struct live *l, const char *filter, struct error *error);

enum live_clock { LIVE_CLOCK_HOST = 0, LIVE_CLOCK_ADAPTER, LIVE_CLOCK_ADAPTER_UNSYNCED };

/* Whose time stamps the frames have. */
enum live_clock live_time(const struct live *l);

void live_free(struct live *l); /* takes NULL */

#endif

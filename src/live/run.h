#ifndef QOSMARK_LIVE_RUN_H
#define QOSMARK_LIVE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/live.h"
#include "policy/policy.h"

/*
 * The live check: frames of interfaces into a stream table, judged twice a second by default, in one thread: what comes
 * while it is judged waits in the kernel's ring.
 *
 *     live_run_open()    opens the interfaces; nothing is parsed yet, so that privileges can be dropped after it
 *     live_run_next()    takes frames until the next look is due, judges, and shows what there is
 *     live_run_finish()  the last look: what a final report is made from
 *
 * Streams that have been silent for long end: they leave the table, stay listed for a while, and then only count in the
 * sums. So memory follows the streams at a time, not those ever seen.
 */
struct live_run;
struct evidence;   /* engine/evidence.h: wrong packets into a file */
struct anonymizer; /* anonymize/anonymize.h */
struct live_publish; /* live/publish.h: messages to the collectors of a fleet */

enum {
    LIVE_RUN_BUFFER_BYTES = 64 << 20, /* of each ring, unless told otherwise */
    LIVE_RUN_GATHER_MS = 50, /* for which the kernel may keep frames to hand them over together */
};

struct live_run_options {
    const char *const *interfaces; /* each is a point: the same stream at two of them is two streams */
    size_t interface_count;
    const char *point; /* what records call the place of capture (document_name_input()); NULL: the interface's name */
    const struct policy *policy; /* borrowed until live_run_policy() puts another in its place */
    struct hash_key key;
    const char *filter; /* pcap-filter(7), besides that made from the nodes; NULL */
    bool every_packet;  /* no filter is made from the nodes */
    bool promiscuous;
    bool immediate;        /* each frame at once, at the price of a smaller ring and more wake-ups */
    bool hardware_time;    /* time stamps of the card, where it has any */
    uint32_t buffer_bytes; /* of each ring; 0: LIVE_RUN_BUFFER_BYTES */
    uint32_t snap_bytes;   /* captured of each frame; 0 for all */
    int64_t look_ns;       /* between two looks; 0: 500 ms. Longer where looking takes more than a tenth of the time */
    int64_t interval_ns;   /* of the interval sums; 0: 10 s */
    int64_t idle_ns;       /* a stream silent for so long has ended; 0: 60 s, of TCP connections longer */
    size_t max_streams;    /* cap on those at a time; 0: the default of stream/table.h */
    size_t max_ended;      /* ended streams that are still listed; 0: 50,000 */
    uint64_t max_packets;  /* LIVE_OVER when exactly so many were taken; 0: no end */
    bool outer_layer, ignore_signalling, mask_payload_types;
    bool explain;                  /* fills in record.explanation */
    struct evidence *evidence;     /* NULL: no packets are kept */
    struct live_publish *publish;  /* NULL: nothing is published */
    struct anonymizer *anonymizer; /* NULL: names and addresses as they are. Else of all that views show; `policy` is
                                      the real one all the same */
};

/* Opens every interface. ERR_UNSUPPORTED, ERR_USAGE, ERR_IO, ERR_MEMORY as live_open() has them (capture/live.h). */
int live_run_open(const struct live_run_options *options, struct live_run **ret, struct error *error);

enum live_status {
    LIVE_LOOK = 0, /* *ret is a new look */
    LIVE_WOKEN,    /* a wake descriptor has something to read; the look before is gone, and a new one is not due yet */
    LIVE_OVER,     /* every interface is gone, or max_packets were taken: finish now */
};

/*
 * Takes frames until the next look is due, until `wake_fd` (-1 for none) can be read, or a signal came. Negative:
 * ERR_MEMORY.
 */
int live_run_next(struct live_run *l, int wake_fd, const struct live_view **ret, struct error *error);

/* Another policy was wanted and could not be had: `why` is the sentence about it. The next looks say so, until
 * live_run_policy() brings one into force. */
void live_run_policy_refused(struct live_run *l, const char *why);

/* Judges by another policy from the next look on, all streams, those of before included, and makes the kernel's filter
 * from its nodes. The caller keeps the old one until that look. Negative with a sentence: nothing has changed. */
int live_run_policy(struct live_run *l, const struct policy *policy, struct error *error);

/* The last look, of all that was captured until now: takes what still waits in the rings. */
int live_run_finish(struct live_run *l, const struct live_view **ret, struct error *error);

/* Frames taken so far, for --packets. */
uint64_t live_run_packets(const struct live_run *l);

void live_run_free(struct live_run *l); /* takes NULL; the views are gone */

#endif

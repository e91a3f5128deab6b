#ifndef QOSMARK_FLEET_JOIN_H
#define QOSMARK_FLEET_JOIN_H

#include "base/hash.h"
#include "fleet/crossing.h"
#include "fleet/delta.h"
#include "fleet/topology.h"

/*
 * The messages of one partition, from all points, put together: which streams are the same, in which order they pass
 * the points, and what each segment between two points did to them.
 *
 * What comes out depends on which messages came, not on their order, nor on how often one came. No clock is read: the
 * sensors' times are in the messages, and `stored_ns` is when the message bus took one, by its own clock.
 *
 * Never lost, only unknown: what a point cannot have seen, because it was away, began later, dropped frames, or saw
 * nothing of a stream for long.
 */
struct join;

struct join_options {
    struct hash_key key;
    unsigned partition, partitions; /* this one, and how many the collector reads; 0: not known */
    int64_t window_ns;               /* length of a window */
    int64_t grace_ns;                /* so long after its end a window takes messages */
    const struct topology *topology; /* NULL: the order is learnt from the hop limits */
    size_t runs_max, blocks_max;     /* of one window; 0: the defaults */
};

enum { JOIN_RUNS_MAX = 2000000, JOIN_BLOCKS_MAX = 32000000 };

struct join *join_new(const struct join_options *options); /* NULL without memory */
void join_free(struct join *j);                            /* NULL is fine */

/* What became of messages. */
struct join_counts {
    uint64_t taken, repeated;
    uint64_t late;      /* their window was closed, or that of a block */
    uint64_t too_early; /* more than an hour ahead of the bus: the sensor's clock is wrong */
    uint64_t left_out;  /* beyond the caps, or with blocks of another time than their own */
    uint64_t closed;    /* windows */
};

/* Takes one message. `sequence` is its number on the bus. 0 or ERR_MEMORY, and then nothing of it was taken. */
int join_take(struct join *j, const struct delta *d, int64_t stored_ns, uint64_t sequence);

/* Where what is found goes. A function returns 0 or a negative error, which ends the look and is returned by it. */
struct join_sink {
    /* What follows, up to the next begin, is all that is known of the window by now: rows of it that were not final
     * and do not come again are wrong. */
    int (*begin)(void *user, int64_t window_ns, bool final);
    int (*crossing)(void *user, const struct crossing *c);
    int (*point)(void *user, const struct fleet_point *p);
    int (*note)(void *user, int64_t window_ns, const char *text); /* one sentence */
    void *user;
};

/* Tells of every open window that took something since the last look. */
int join_look(struct join *j, const struct join_sink *sink);

/* Tells for good of the windows that ended more than the grace before `now_ns` (the bus's clock), and forgets them. */
int join_close(struct join *j, int64_t now_ns, const struct join_sink *sink);

/*
 * Who takes over begins where this one would have to: windows below `closed_before` (a number) are told for good, and
 * their messages count nowhere; all messages of the others are at `sequence` or later. 0: at the beginning.
 */
struct join_checkpoint {
    int64_t closed_before;
    uint64_t sequence;
};
struct join_checkpoint join_checkpoint(const struct join *j);
void join_resume(struct join *j, const struct join_checkpoint *from); /* before the first message */

struct join_counts join_counts(const struct join *j);
size_t join_streams_open(const struct join *j); /* streams at points in open windows */

#endif

#ifndef QOSMARK_BUS_BUS_CONSUME_H
#define QOSMARK_BUS_BUS_CONSUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bus/bus_options.h"

/*
 * Reading the stream QOSMARK: a durable pull consumer a partition, made anew by who takes the partition over (its name
 * has the number of the lease in it, so that one who lost it reads nothing of the next one's). One thread.
 */
struct bus_reader;

/* Whether what was given can be used, as far as that can be told without a server. ERR_USAGE, ERR_UNSUPPORTED. */
int bus_reader_check(const struct bus_options *o, struct error *error);

/* How long to wait for a server, and again for the cluster behind it, unless `stop` says that nobody wants it any
 * more. */
struct bus_patience {
    unsigned wait_ms;
    bool (*stop)(void *user);
    void *user;
};

/* Connects; makes the stream and the buckets where they are not there. `name` is what this collector is known by; `o`
 * is borrowed while the reader lives. ERR_IO with the reason, ERR_USAGE, ERR_MEMORY, ERR_UNSUPPORTED. */
int bus_reader_open(const struct bus_options *o, const struct bus_retention *retention, const char *name,
                    int64_t lease_ns, const struct bus_patience *patience, struct bus_reader **ret,
                    struct error *error);
void bus_reader_close(struct bus_reader *r); /* NULL is fine. Leases that are held run out, or were given back before */
bool bus_reader_connected(const struct bus_reader *r);
/* Not let in any more: it does not try again. 0, or ERR_IO with the reason. */
int bus_reader_refused(const struct bus_reader *r, struct error *error);

/* What the server's permissions kept back since the last call, in its own words; false: nothing. */
bool bus_reader_forbidden(struct bus_reader *r, char ret[static 256]);

struct bus_message {
    const char *bytes;
    size_t len;
    uint64_t sequence; /* in the stream */
    int64_t stored_ns; /* by the server's clock, since 1970 */
    uint64_t pending;  /* messages behind it, as the server knew */
};

/* Begins to read a partition at a number of the stream (0: its begin), under a lease. */
int bus_reader_begin(struct bus_reader *r, unsigned partition, uint64_t lease, uint64_t sequence, struct error *error);
void bus_reader_end(struct bus_reader *r, unsigned partition);

/*
 * Up to `most` messages that are there now, each handed to `take`. How many; ERR_IO where the server did not answer (to
 * be tried again); or what `take` returned, where that is negative: the messages from that one on come again.
 */
int bus_reader_fetch(struct bus_reader *r, unsigned partition, unsigned most,
                     int (*take)(void *user, const struct bus_message *m), void *user, struct error *error);

/* 1: all messages that the server has of the partition were fetched; 0: there are more; ERR_IO: it did not say. A
 * round trip: for when a fetch gave nothing, and not at each. */
int bus_reader_drained(struct bus_reader *r, unsigned partition, struct error *error);

/* All that was fetched of a partition has had its effect for good. */
void bus_reader_acknowledge(struct bus_reader *r, unsigned partition);

/* ---- who reads which partition: bus_lease.c ---- */

/*
 * A lease is a key that the server forgets unless it is renewed within lease_ns, so that no clock is compared. Each
 * collector also has such a key that says it is there.
 *
 * The checkpoint is what the next one begins at: written under the number of its last writing, so that one who lost the
 * partition and does not know yet cannot write over it.
 */
enum { BUS_CHECKPOINT_MAX = 200, BUS_PARTITIONS_MAX = 1024 };

/* Says that this collector is there. ERR_IO. */
int bus_member_announce(struct bus_reader *r, struct error *error);
void bus_member_leave(struct bus_reader *r);

/* Who is there, and which partitions are held by whom: `held[i]` is set where partition i < n is. How many collectors,
 * this one included; ERR_IO, ERR_MEMORY. */
int bus_lease_survey(struct bus_reader *r, bool *held, unsigned n, struct error *error);

/* 1: it is ours, *ret_lease is its number; 0: somebody else has it; ERR_IO. */
int bus_lease_take(struct bus_reader *r, unsigned partition, uint64_t *ret_lease, struct error *error);

/* 1: it is ours still; 0: it was lost; ERR_IO: nobody answered, and it may be lost soon. */
int bus_lease_renew(struct bus_reader *r, unsigned partition, struct error *error);
void bus_lease_give(struct bus_reader *r, unsigned partition);

/* What the last one left, or "" where nobody did. 0 or ERR_IO. */
int bus_checkpoint_read(struct bus_reader *r, unsigned partition, char ret[static BUS_CHECKPOINT_MAX],
                        struct error *error);
/* 1; 0: somebody else wrote since it was read; ERR_IO. */
int bus_checkpoint_write(struct bus_reader *r, unsigned partition, const char *text, struct error *error);

#endif

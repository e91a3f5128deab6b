#ifndef QOSMARK_BUS_BUS_READER_INTERNAL_H
#define QOSMARK_BUS_BUS_READER_INTERNAL_H

#include <pthread.h>

#include "bus/bus_connect.h"
#include "bus/bus_consume.h"

/* Shared by bus_consume.c and bus_lease.c. */

enum { BUS_NAME_MAX = 96 };

struct bus_partition {
    natsSubscription *sub;
    char consumer[BUS_NAME_MAX];
    uint64_t lease_number; /* in the consumer's name, with `made` */
    unsigned made;
    uint64_t position;   /* the number of the stream to go on at; 0: its begin */
    uint64_t delivered;  /* messages of this consumer: the server numbers them */
    bool missed;         /* the server had sent more than arrived, at the last look */
    bool broken;         /* something that the server sent did not arrive, or the consumer is gone */
    int64_t try_at_ms;   /* not before, by nats_Now() */
    char *reply;         /* of the last message fetched: acknowledges all before it */
    uint64_t lease;      /* revision of the key */
    uint64_t checkpoint; /* revision of the key */
    bool held;
};

struct bus_reader {
    pthread_mutex_t lock; /* of the next two, which threads of libnats write */
    bool forbidden;
    char why[256];
    natsConnection *nc;
    struct bus_watch watch;
    const struct bus_options *options; /* borrowed */
    jsCtx *js;
    kvStore *leases, *checkpoints;
    char name[BUS_NAME_MAX];
    /* it did not answer who deleted a consumer, or asked for a lease: it forgets both by itself, none is waited for */
    bool keeps_consumers, keeps_leases;
    int64_t lease_ns;
    struct bus_partition partitions[BUS_PARTITIONS_MAX];
};

/* Asking would be waiting for nothing, and the caller has other things to do. 0, or ERR_IO while the bus is away. */
int bus_reader_ask(const struct bus_reader *r, struct error *error);

/* Makes or finds the two buckets. */
int bus_lease_open(struct bus_reader *r, struct error *error);

#endif

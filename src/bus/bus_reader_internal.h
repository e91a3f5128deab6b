#ifndef QOSMARK_BUS_BUS_READER_INTERNAL_H
#define QOSMARK_BUS_BUS_READER_INTERNAL_H

#include "bus/bus_connect.h"
#include "bus/bus_consume.h"

/* Shared by bus_consume.c and bus_lease.c. */

enum { BUS_NAME_MAX = 96 };

struct bus_partition {
    natsSubscription *sub;
    char consumer[BUS_NAME_MAX];
    char *reply;             /* of the last message fetched: acknowledges all before it */
    uint64_t lease;          /* revision of the key */
    uint64_t checkpoint;     /* revision of the key */
    bool held;
};

struct bus_reader {
    natsConnection *nc;
    struct bus_watch watch;
    jsCtx *js;
    kvStore *leases, *checkpoints;
    char name[BUS_NAME_MAX];
    int64_t lease_ns;
    struct bus_partition partitions[BUS_PARTITIONS_MAX];
};

/* Makes or finds the two buckets. */
int bus_lease_open(struct bus_reader *r, struct error *error);

#endif

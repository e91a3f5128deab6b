#ifndef QOSMARK_COLLECT_INTERNAL_H
#define QOSMARK_COLLECT_INTERNAL_H

#include "collect/run.h"
#include "fleet/delta.h"
#include "fleet/join.h"
#include "http/server.h"
#include "store/store.h"

/* Shared by the files of this folder. */

enum { COLLECT_FETCH = 500 /* messages at a time */, COLLECT_BATCH_MAX = 50000 /* before they are written */ };

struct collect_part {
    bool held;
    bool caught_up; /* all that the bus had was read once: what is known now may be shown */
    struct join *join;
    int64_t renewed_ns; /* monotonic: when the lease was sure to be ours */
    int64_t server_ns;  /* the bus's clock, as far as messages showed it, and what passed since while it answered */
    int64_t checked_ns; /* monotonic: when it was last asked whether that was all */
    int64_t polled_ns;  /* monotonic: the last answer */
    uint64_t pending;
    bool dirty;                          /* something was taken since the last writing */
    char checkpoint[BUS_CHECKPOINT_MAX]; /* as written last */
    struct join_counts counted;          /* of its join, as added to the totals */
};

/* Figures of final rows since the start, for /metrics. */
struct collect_sum {
    char before[FLEET_NAME_MAX], after[FLEET_NAME_MAX];
    enum traffic_class traffic_class;
    struct topology_wanted here; /* of this segment and way: forward */
    uint64_t matched, changed, wanted, sent, lost;
    uint64_t delays[CROSSING_DELAYS];
};

enum { COLLECT_SUMS_MAX = 4096 };

struct collect {
    const struct collect_options *options;
    struct bus_reader *bus;
    struct store *store;
    struct http_server *http;
    struct delta_scratch *scratch;
    struct collect_part parts[BUS_PARTITIONS_MAX];
    struct collect_totals totals;
    struct collect_sum *sums;
    size_t sum_count, sum_cap;
    uint64_t since_commit;                      /* messages */
    int64_t committed_ns, leased_ns, pruned_ns; /* monotonic */
    bool connected;
    char forbidden[256]; /* what was said last of what the bus does not permit */
    char unkept[512];    /* and of why it does not keep leases or checkpoints; "": it does */
    int64_t checkpoints_ns; /* monotonic: none is written before; 0: at any time */
    int members;
    int row_status; /* what options->row said */
    struct error *error;
};

/* A sentence to whoever runs it. */
void collect_say(struct collect *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The bus keeps no leases or no checkpoints: said once a reason, and not where it is away, which is said already. */
void collect_say_unkept(struct collect *c, const char *what, const struct error *why);

/* part.c */
int collect_leases(struct collect *c); /* renews, takes, gives back. 0 or an error that ends the run */
int collect_fetch(struct collect *c);  /* how many messages were read; or an error that ends the run */
void collect_part_drop(struct collect *c, unsigned partition, bool lost);
/* Drops the partitions whose leases may have run out by now. Once the bus did not answer it is not asked for the rest. */
void collect_drop_unsure(struct collect *c);
unsigned collect_held(const struct collect *c); /* how many partitions */

/* commit.c: writes what is known by now, acknowledges it, and moves the checkpoints. */
int collect_commit(struct collect *c);

/* pages.c */
int collect_pages_start(struct collect *c);
void collect_pages_publish(struct collect *c); /* /metrics */
void collect_pages_answer(struct collect *c);  /* who waits */

#endif

#ifndef QOSMARK_COLLECT_RUN_H
#define QOSMARK_COLLECT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "bus/bus_consume.h"
#include "fleet/crossing.h"
#include "fleet/topology.h"
#include "model/address.h"
#include "model/compare_document.h"
#include "policy/policy.h"

/*
 * A collector: reads its share of the partitions, joins what the points say (fleet/join.h), keeps what it finds in the
 * history (store/store.h), and only then acknowledges. Collectors share the partitions by leases; what one leaves, by
 * giving it back or by dying, another takes over from the checkpoint.
 *
 * One thread does it all, beside those of libnats and of the HTTP server.
 */
struct collect_options {
    const struct bus_options *bus;
    const struct bus_retention *retention; /* of the stream, where it has to be made */
    const char *name;                      /* of this collector, unlike that of any other */
    const char *history;                   /* the SQLite file */
    unsigned partitions;
    int64_t window_ns, grace_ns;
    int64_t look_ns; /* between two writings of what is found by now */
    int64_t lease_ns;
    int64_t keep_ns;                 /* windows older than this are forgotten; 0: never */
    int64_t report_ns;               /* how far back the pages look */
    int64_t duration_ns;             /* 0: until told to stop */
    const struct topology *topology; /* NULL: learnt */
    const struct policy *policy;
    struct hash_key key;
    const struct endpoint *listen; /* NULL: no pages */
    const char *version;           /* of the program */

    /* All are called in the thread of collect_run(). */
    bool (*stop)(void *user);
    void (*listening)(void *user);                    /* once, before anything is read: rights may go. Or NULL */
    void (*say)(void *user, const char *text);        /* one sentence */
    int (*row)(void *user, const struct crossing *c); /* each final row, once; negative ends the run. Or NULL */
    void *user;
};

struct collect_totals {
    uint64_t messages, repeated, late, malformed, left_out;
    uint64_t rows;       /* final ones */
    unsigned partitions; /* that it had at the end */
    bool connected;      /* a server was there, at the start */
    int64_t begun_ns;    /* of the earliest window that it wrote; INT64_MAX: none */
};

/* Runs until it is stopped, and gives its partitions back. ERR_IO, ERR_USAGE, ERR_MEMORY, ERR_UNSUPPORTED. */
int collect_run(const struct collect_options *options, struct collect_totals *ret, struct error *error);

/* Each final row of the history, likewise, to a function that returns 0 or a negative error. */
int collect_rows(const char *history, int64_t from_ns, int64_t to_ns,
                 int (*row)(void *user, const struct crossing *c), void *user, struct error *error);

/* All that the history has of windows that begin in from_ns <= window < to_ns, judged; to be freed with
 * compare_document_free(). `topology` (or NULL) says which marks are changed on purpose. ERR_IO, ERR_FORMAT, ERR_MEMORY. */
int collect_document(const char *history, int64_t from_ns, int64_t to_ns, const struct policy *policy,
                     const struct topology *topology, const struct hash_key *key, struct compare_document **ret,
                     struct error *error);

#endif

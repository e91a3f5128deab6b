#ifndef QOSMARK_ENGINE_GENERATE_RUN_H
#define QOSMARK_ENGINE_GENERATE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "capture/writer.h"
#include "generate/generate.h"
#include "policy/policy.h"

/*
 * Makes a conference with the marks of a policy, and brings it where it is wanted: into a capture file, out of an
 * interface, or through sockets to one address. Only what the caller names is sent to.
 */
enum generate_way {
    GENERATE_NOWHERE = 0,
    GENERATE_TO_FILE,
    GENERATE_TO_LINK,    /* whole frames, both ends' (libnet) */
    GENERATE_TO_SOCKETS, /* what the participants send, over UDP */
};

/* The most that is sent without being asked: this many packets a second, or this part of the link. */
enum { GENERATE_DEFAULT_PACKETS = 1000, GENERATE_DEFAULT_SHARE = 100 };

struct generate_rate {
    uint64_t packets, bits; /* a second; 0: not limited by it */
};

/* Called now and then; `total` 0 where it is not known. True: stop. */
typedef bool (*generate_progress)(void *user, uint64_t done, uint64_t total);

struct generate_request {
    struct generate_options options; /* nodes, sites and marks come from the policy */
    const struct policy *policy;
    enum generate_way way;
    bool dry_run;               /* nothing is written or sent; what there would be is counted */
    enum capture_format format; /* TO_FILE, with: */
    capture_sink sink;
    void *sink_user;
    const char *interface; /* TO_LINK */
    struct addr to;        /* TO_SOCKETS */
    bool has_rate;         /* `rate` was asked for; otherwise the defaults hold */
    struct generate_rate rate;
    capture_sink truth; /* where not NULL: gets a JSON document (docs/GENERATE.md) of what was generated */
    void *truth_user;
    generate_progress progress;
    void *progress_user;
    /* Called once, when all is open that takes rights, before the first packet; negative ends it there. NULL: none. */
    int (*opened)(void *user, struct error *error);
    void *opened_user;
};

/* All streams of one kind, class and direction. */
struct generate_row {
    enum kind kind;
    enum traffic_class traffic_class;
    enum direction direction;
    uint64_t streams, packets;
    uint64_t by_dscp[DSCP_COUNT];
};

enum { GENERATE_ROWS_MAX = 64 };

struct generate_result {
    uint64_t packets, bytes, streams, calls; /* bytes of frames */
    uint64_t lost, duplicated, reordered;
    uint64_t most_packets, most_bits; /* in one second of the conference */
    int64_t first_ns, last_ns;
    int64_t held_up_ns; /* on a wire: by how much it took longer than it should */
    struct generate_row rows[GENERATE_ROWS_MAX];
    size_t row_count;
    struct generate_rate limit; /* that held, for a wire */
    uint64_t link_bits;         /* of the link; 0: not known */
    struct addr local;          /* TO_SOCKETS */
    bool stopped;               /* progress said so */
};

/*
 * ERR_USAGE where the request cannot be met, among them one that would send more than the limit; ERR_IO,
 * ERR_UNSUPPORTED, ERR_MEMORY. `*ret` is filled in as far as it came; in a dry run wholly, also where the limit is
 * exceeded.
 */
int generate_run(const struct generate_request *request, struct generate_result *ret, struct error *error);

#endif

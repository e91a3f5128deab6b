#ifndef QOSMARK_CLI_PUBLISH_ARGUMENTS_H
#define QOSMARK_CLI_PUBLISH_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "bus/bus_options.h"
#include "cli/options.h"

/* --publish and what goes with it. Strings are borrowed from argv. */
struct publish_arguments {
    const char *servers, *site, *config, *spill;
    uint64_t spill_bytes, partitions, stream_bytes;
    int64_t stream_age_ns;
    bool any; /* one of those that say nothing without --publish */
};

#define PUBLISH_OPTIONS                                                                                                \
    {"publish", 0, "SERVERS", "tell the collectors of a fleet through NATS JetStream: nats://HOST[,HOST], or tls://"}, \
    {"site", 0, "NAME", "where this sensor is; needed with --publish"},                                                \
    {"nats-config", 0, "FILE",                                                                                         \
     "what it takes to be let in: user, password, credentials, TLS (else NATS_* variables)"},                          \
    {"spill", 0, "FILE", "keep messages here that no server takes for now, also from one start to the next"},          \
    {"spill-max", 0, "SIZE", "of that file at most (default 256MiB)"},                                                 \
    {"partitions", 0, "N", "that streams are spread over, the same for all sensors (default 32)"},                     \
    {"stream-age", 0, "TIME", "how long messages are kept, where the stream has to be made (default 72h)"},            \
    {                                                                                                                  \
        "stream-max", 0, "SIZE", "how much of them, likewise (default 10GiB)"                                          \
    }

/* 1: it was one of them; 0: it was not; negative: it was, and is wrong, which was said. */
int publish_arguments_take(struct publish_arguments *a, const struct option_walk *w);

/* What does not go together; an exit status, after saying it. */
int publish_arguments_check(const struct publish_arguments *a);


/* Servers, and secrets from the file, or where none is named from the environment. An exit status, after saying what is
 * wrong where it is not 0. bus_options_done() in any case. */
int bus_arguments_load(const char *servers, const char *config, struct bus_options *ret);

#endif

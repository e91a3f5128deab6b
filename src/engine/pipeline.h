#ifndef QOSMARK_ENGINE_PIPELINE_H
#define QOSMARK_ENGINE_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "capture/source.h"
#include "engine/lane.h"

/*
 * The inputs of a source, each read and decoded ahead of whoever takes their packets, by as many threads as there are
 * to spare. What comes out does not depend on how many that are: each input gives its batches in order, and the order
 * between inputs is made by the one that takes them (capture/merge.h). Without threads a batch is read when it is asked
 * for, and nothing is locked.
 */
struct pipeline;

struct pipeline_options {
    struct source *source;
    const uint32_t *order; /* the inputs that can be read, by the time of their first frames; borrowed */
    size_t order_count;
    const struct decoder_options *decoder;
    const struct hash_key *key;
    unsigned threads; /* besides the caller's; 0 for none. Those that cannot be started are done without. */
};

struct pipeline *pipeline_new(const struct pipeline_options *options); /* NULL without memory */

/*
 * The next batch of an input, waited for; NULL at its end, after which it is not asked again. The batch is the caller's
 * until the next call for that input. Inputs are to be begun in the order that the options gave.
 */
const struct decoded *pipeline_next(struct pipeline *p, uint32_t input);

/* When every input that was begun has come to its end: what the lanes counted. */
struct skipped pipeline_skipped(const struct pipeline *p, uint32_t input);
struct decoder_stats pipeline_decoded(const struct pipeline *p); /* without fragments */

/* Whether some input was ended for want of memory. */
bool pipeline_ran_out(const struct pipeline *p);

/* Stops the threads and waits for them. Takes NULL. */
void pipeline_free(struct pipeline *p);

/* Processors that this process may use: at least 1. */
unsigned pipeline_processors(void);

#endif

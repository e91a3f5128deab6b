#ifndef QOSMARK_ENGINE_INTAKE_H
#define QOSMARK_ENGINE_INTAKE_H

#include "base/error.h"
#include "base/hash.h"
#include "capture/source.h"
#include "decode/decoder.h"
#include "engine/lane.h"
#include "stream/table.h"

/* Packets after which the table is asked what has ended: the same wherever packets come from, so that the document is
 * the same too. */
enum { INTAKE_SWEEP_EVERY = 65536 };

/* Called now and then while inputs are read; `total_bytes` is 0 where it is not known. */
typedef void (*intake_progress)(void *user, uint64_t done_bytes, uint64_t total_bytes);

/* Called with packets after the table took them, and a token of the stream of each (stream/table.h). The packets are
 * borrowed for this call. */
typedef void (*intake_taker)(void *user, const struct packet *packets, const uint32_t *tokens, size_t n);

/*
 * All packets of a source into a stream table, in the order of time: what must happen in order happens here, in the
 * caller's thread, and the rest in a pipeline. The outcome is the same whatever `jobs` is.
 */
struct intake_options {
    struct source *source;
    struct stream_table *table;
    struct decoder_options decoder;
    unsigned jobs; /* threads in all, this one included; 0 and 1: this one */
    intake_progress progress;
    void *progress_user;
    intake_taker taken; /* NULL: nobody asks */
    void *taken_user;
};

struct intake_result {
    struct skipped *skipped; /* by input; the caller frees it */
    struct decoder_stats decode;
};

/* Returns when every input has come to its end, or has failed, which source_input() tells. 0 or ERR_MEMORY. */
int intake_run(const struct intake_options *options, struct intake_result *ret);

#endif

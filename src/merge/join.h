#ifndef QOSMARK_MERGE_JOIN_H
#define QOSMARK_MERGE_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "model/record.h"

/* Pieces of one stream that follow one another can be one record where they mean the same and the same was expected. */
bool merge_can_join(const struct record *a, const struct record *b);

/*
 * `n` pieces, in the order of time, as one record. Packets, bytes and marks add up; the figures of RTP as far as they
 * honestly can: what was lost between the pieces is not known and not counted, jitter is the mean weighted by packets,
 * and not known where that of one piece is not. The verdict follows from those of the pieces: see join.c. False
 * without memory.
 */
bool merge_join(struct arena *arena, const struct record *pieces, size_t n, struct record *ret);

#endif

#ifndef QOSMARK_ENGINE_LANE_H
#define QOSMARK_ENGINE_LANE_H

#include <stdint.h>

#include "capture/frame_batch.h"
#include "capture/source.h"
#include "decode/decoder.h"

/*
 * What can be done to the frames of one input without knowing the others: reading, and decoding down to the innermost
 * header. Fragments are left for the one decoder that sees all inputs in order.
 */

/* Frames that gave no packet. */
struct skipped {
    uint64_t truncated, malformed, unsupported;
    uint64_t unknown_link; /* of the unsupported: the link type says nothing to us */
    uint16_t link_type;    /* the first such one */
};

void skipped_count(struct skipped *s, enum decode_status status, const struct frame *frame);

/* One batch of an input. The packets stand in the order of their frames, without gaps: one for each DECODE_PACKET. */
struct decoded {
    struct frame_batch batch;
    uint8_t status[FRAME_BATCH_MAX]; /* enum decode_status by frame */
    uint32_t packet_count;
    struct packet packets[FRAME_BATCH_MAX];
};

struct decoded *decoded_new(void); /* NULL without memory */
void decoded_free(struct decoded *d); /* takes NULL */

struct lane {
    struct source *source;
    uint32_t input;
    struct decoder *decoder;
    const struct hash_key *hash_key; /* to fill in packet.flow_hash with; NULL leaves that to the stream table */
    struct skipped skipped;
};

/* Reads and decodes the next batch. False where the input has come to its end: there is nothing in `d` then. */
bool lane_fill(struct lane *l, struct decoded *d);

/* The second half of that: decodes the frames of d->batch, wherever they are from. */
void lane_decode(struct lane *l, struct decoded *d);

#endif

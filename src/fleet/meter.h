#ifndef QOSMARK_FLEET_METER_H
#define QOSMARK_FLEET_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fleet/delta.h"
#include "model/packet.h"

/*
 * Counts packets for what a sensor tells: by interval, and of RTP by blocks of sequence numbers. It stands beside the
 * stream table, and knows a stream by the token that the table gives for each packet (stream_table_packets_to()); what
 * the stream is, the table says when its counts are told.
 *
 * What is told of a token has a serial number. When the token stands for another stream, or was silent for long, the
 * number is done with.
 */
struct meter;

struct meter_options {
    size_t max_blocks;  /* at a time, of all streams; 0: 2,000,000. Packets beyond it count as unblocked */
    int64_t part_ns;    /* a block that takes longer to fill is told in parts; 0: 60 s */
    int64_t silent_ns;  /* what was silent for so long has ended, as far as is told; 0: 30 s */
    int64_t tcp_silent_ns; /* the same of TCP; 0: 5 min */
};

struct meter *meter_new(const struct meter_options *options); /* NULL without memory */
void meter_free(struct meter *m);                              /* takes NULL */

/* A packet that counted to the token's stream. Of one that came in fragments each is a packet with a mark of its own,
 * and in the blocks it is one, with the mark of the first. */
void meter_packet(struct meter *m, uint32_t token, const struct packet *p);

/* Tokens are below it. */
uint32_t meter_tokens(const struct meter *m);

/* Whether there is something to tell of the token: packets, blocks that are over (`all`: those that are open, too), or
 * that it has been silent for long. *ret_silent: that. */
bool meter_has(const struct meter *m, uint32_t token, int64_t now_ns, bool all, bool *ret_silent);

/*
 * Takes what is to be told out of the meter: serial number, began, packets, bytes, times, marks, ECN, hop limits,
 * digests, blocks and `unblocked` of `to`; the rest is left alone. `ssrc` is NULL for what is not RTP: then there are no
 * blocks. `all`: open blocks too, and nothing more is told under this serial number. The blocks are good until the
 * next call.
 */
void meter_tell(struct meter *m, uint32_t token, const uint32_t *ssrc, int64_t now_ns, bool all, struct delta *to);

/* What the token stood for is not known any more: its counts are dropped. Returns how many packets those were. */
uint64_t meter_drop(struct meter *m, uint32_t token);

/* Packets that could not be counted for want of memory, or because their stream was gone before they were told. */
uint64_t meter_lost(const struct meter *m);

#endif

#ifndef QOSMARK_STREAM_TABLE_H
#define QOSMARK_STREAM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"
#include "classify/service.h"
#include "model/packet.h"
#include "model/document.h"

/*
 * Packets become streams: flows by 5-tuple, in each direction of a flow the streams it carries (RTP by SSRC, RTCP by
 * sender SSRC, STUN, DTLS, and everything else as one), each with a histogram of marks. Kinds are decided from content,
 * SDP and, for media without signalling, classify/media. The mark is never looked at to decide one.
 */
struct stream_table;

struct stream_options {
    struct hash_key key;
    bool ignore_signalling;   /* take nothing from SDP (--ignore-signalling) */
    bool mask_payload_types;  /* payload types mean nothing (--mask-payload-types) */
    size_t max_streams;       /* cap; 0 for the default, 4,000,000 */
    const struct service_port *ports; /* what the policy says of ports; borrowed while the table lives */
    size_t port_count;
};

struct stream_table *stream_table_new(const struct stream_options *options); /* NULL without memory */
void stream_table_free(struct stream_table *t);

/* Takes one packet. Everything in it is borrowed for this call. */
void stream_table_packet(struct stream_table *t, const struct packet *p);

/* Takes `n` packets in their order: the same as one by one, and faster where there are many streams. */
void stream_table_packets(struct stream_table *t, const struct packet *packets, size_t n);

/* What packet.flow_hash may hold beforehand, so that the table need not compute it: the keyed hash of the 5-tuple, never
 * 0. `key` is stream_options.key. Any thread may ask. */
uint64_t stream_packet_hash(const struct hash_key *key, const struct packet *p);

/* The end of the capture: what was held (TCP bytes out of order, streams on probation) is decided. */
void stream_table_finish(struct stream_table *t);

/* Makes the document one of the table's streams and calls (what record.h leaves to stream/). After
 * stream_table_finish(). Its records are read from the table when they are looked at: the document is good until the
 * table takes its next packet or is freed (document_own() hands it over). 0 or ERR_MEMORY. */
int stream_table_export(struct stream_table *t, struct document *d);

struct stream_stats {
    uint64_t flows, streams;
    uint64_t untracked_packets; /* of streams beyond the cap: counted nowhere else */
    uint64_t tcp_overflows;     /* segments given up because the cap on held bytes was reached */
    uint64_t sip_untracked;     /* SIP calls and m-lines beyond the caps on those: what they announced is not known */
};
struct stream_stats stream_table_stats(const struct stream_table *t);

#endif

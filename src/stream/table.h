#ifndef QOSMARK_STREAM_TABLE_H
#define QOSMARK_STREAM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/text.h"
#include "classify/protocol.h"
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
    size_t max_streams;       /* cap on those at a time; 0 for the default, 4,000,000 */
    size_t max_ended;         /* cap on ended ones that are kept; 0 for four times max_streams */
    int64_t idle_ns; /* what is silent for so long has ended: see stream_table_expire(). 0: nothing ever ends */
    int64_t tcp_idle_ns;      /* the same of a TCP connection that was not closed; 0 for the default, 10 min */
    size_t idle_from;         /* nothing ends while there are fewer streams than that */
    bool by_input;            /* each input is a point: the same 5-tuple in two of them is two flows */
    const struct protocol_port *ports; /* what the policy says of ports; borrowed while the table lives */
    size_t port_count;
};

struct stream_table *stream_table_new(const struct stream_options *options); /* NULL without memory */
void stream_table_free(struct stream_table *t);

/* Takes one packet. Everything in it is borrowed for this call. */
void stream_table_packet(struct stream_table *t, const struct packet *p);

/* Takes `n` packets in their order: the same as one by one, and faster where there are many streams. */
void stream_table_packets(struct stream_table *t, const struct packet *packets, size_t n);

/* What packet.flow_hash may hold beforehand, so that the table need not compute it: the keyed hash of the 5-tuple,
 * never 0. `key` is stream_options.key. Any thread may ask. */
uint64_t stream_packet_hash(const struct hash_key *key, const struct packet *p);

/* The end of the capture: what was held (TCP bytes out of order, streams on probation) is decided. */
void stream_table_finish(struct stream_table *t);

/*
 * Makes the document one of the table's streams, those at present and those that ended, and of their calls (what
 * record.h leaves to stream/), in the order of their first packets. After stream_table_finish(), or at any time before
 * it: then it is what would be said if the capture ended now, and packets may go on coming, to the same end as without
 * the look. TCP bytes that wait for others before them are not looked at then.
 *
 * Its records are read from the table when they are looked at: the document is good until the table takes its next
 * packet, expires or forgets streams, makes another document, or is freed (document_own() hands it over). It has to be
 * freed before the table is. 0 or ERR_MEMORY.
 */
int stream_table_export(struct stream_table *t, struct document *d);

/* Gives back what only packets and exports need, when neither comes any more: the documents stay good. */
void stream_table_trim(struct stream_table *t);

/* --- streams that end --------------------------------------------------------------------------------------------- */

/*
 * Ends what has been silent for stream_options.idle_ns: streams are decided about with all that the table knows, and
 * leave it; what a record needs is kept, in about a hundred bytes a stream. Streams of one 5-tuple, and RTP with its
 * RTCP, leave together or not at all. TCP ends after idle_ns where it was closed, else after tcp_idle_ns; signalling
 * that is known as such, after twelve times that. SIP calls that are over are forgotten once their streams have ended.
 * May be called as often as one likes, twice a second of packet time say: it does nothing for most calls, and its cost
 * is in proportion to the packets taken between. What ends depends on the packets and on `now_ns` of the calls alone.
 * 0, or ERR_MEMORY: what could not be kept counts as untracked then, as does what is beyond max_ended.
 */
int stream_table_expire(struct stream_table *t, int64_t now_ns);

/* How many ended streams are kept. They are the first to end first. */
size_t stream_table_ended(const struct stream_table *t);

/* The document of the first `n` of them alone, or of some more, so that what left together stays together:
 * d->record_count says of how many. As stream_table_export() otherwise. */
int stream_table_export_ended(struct stream_table *t, size_t n, struct document *d);

/* Whether record `i` of the newest document, `d`, is of a stream that ended. */
bool stream_table_is_ended(const struct stream_table *t, const struct document *d, size_t i);

/* The place of record `i` of the newest document, `d`, among the ended streams, 0 for the one that is forgotten first;
 * SIZE_MAX where it is of a stream at present. */
size_t stream_table_ended_rank(const struct stream_table *t, const struct document *d, size_t i);

/* `n`, or some more, so that what left together stays together; but no more than are in the newest document. */
size_t stream_table_ended_whole(const struct stream_table *t, size_t n);

/* Drops the first `n` ended streams: they are in no document any more. */
void stream_table_forget(struct stream_table *t, size_t n);

/* --- which stream a packet was of --------------------------------------------------------------------------------- */

#define STREAM_TOKEN_NONE UINT32_MAX

/* As stream_table_packets(), and ret_tokens[i] stands for the stream that packets[i] counted to; STREAM_TOKEN_NONE
 * where it counted to none. Tokens are good until the next stream_table_expire(). */
void stream_table_packets_to(struct stream_table *t, const struct packet *packets, size_t n, uint32_t *ret_tokens);

/* The index of a token's stream among the records of `d`, the newest document of stream_table_export(): that of the
 * stream whose counts it became part of, where it was only taken for one of its own. SIZE_MAX for none. */
size_t stream_table_record(const struct stream_table *t, const struct document *d, uint32_t token);

/* --- figures ------------------------------------------------------------------------------------------------------ */

struct stream_stats {
    uint64_t flows, streams;    /* at present */
    uint64_t ended;             /* streams that ended, those that were forgotten since included */
    uint64_t evicted;           /* of these: before their time, to make room at the cap */
    uint64_t bytes;             /* of memory that the table has taken for all of it */
    uint64_t untracked_packets; /* of streams beyond the cap: counted nowhere else */
    uint64_t tcp_overflows;     /* segments given up because the cap on held bytes was reached */
    uint64_t sip_too_long;      /* SIP messages with more of header or body than is read: given up, likewise */
    uint64_t sip_untracked;     /* SIP calls and m-lines beyond the caps on those: what they announced is not known */
    uint64_t sdp_unanswered;    /* streams that SDP may announce, had it fewer m-lines at their ends; as of the newest
                                   document */
    uint64_t probation_full;    /* packets like RTP whose SSRC found no place on probation, again and again */
    bool memory_failed;         /* memory ran out at some time: something of the above is missing, or not known */
};
struct stream_stats stream_table_stats(const struct stream_table *t);

#endif

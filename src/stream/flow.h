#ifndef QOSMARK_STREAM_FLOW_H
#define QOSMARK_STREAM_FLOW_H

/*
 * Private to src/stream: what a flow and its streams are made of.
 *
 * There may be a million of them, so they are kept small: flows and streams are known by numbers (base/pool.h), what
 * few streams have stands apart in struct stream_more, and a stream of one mark (nearly all are) has no histogram: its
 * own counts are the mark's. A reference is number + 1, and 0 is none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/slots.h"
#include "classify/media.h"
#include "classify/rfc4571.h"
#include "classify/rtcp.h"
#include "classify/rtp_probation.h"
#include "classify/protocol.h"
#include "decode/tcp_order.h"
#include "model/packet.h"
#include "stream/copies.h"
#include "stream/ended.h"
#include "stream/expect.h"
#include "stream/histogram.h"
#include "stream/rtp_stats.h"
#include "stream/table.h"

/* Streams of one direction of a flow are apart by what they are at first sight. */
enum family {
    FAMILY_PLAIN = 0,
    FAMILY_RTP,
    FAMILY_RTCP,
    FAMILY_STUN,
    FAMILY_TURN,
    FAMILY_DTLS,
    FAMILY_UNPROVEN, /* TCP segments that may turn out to be framed media (RFC 4571): settled to that, or to plain */
    FAMILY_FREE,     /* no stream: its number was given back */
};

#define RTP_TYPES_MAX  8
#define RTCP_PEERS_MAX 4
#define HEAD_BYTES_MAX 4096 /* first bytes of a TCP direction that the classifiers may want to see again */
#define CANDIDATES_MAX 16   /* SSRCs on probation in one direction of a flow: noise has a new one in each packet */
#define REFUSED_KEPT   256  /* newest SSRCs for which there was no place there, over all flows */
#define FLOW_CLOSED    3    /* both sides of a TCP connection */
#define FLOW_CROWDED   8    /* streams of a flow beyond which they are found by hash, not by going through its lists */

/* --- streams ------------------------------------------------------------------------------------------------------ */

struct type_count {
    uint8_t payload_type;
    uint32_t packets; /* stays at its end */
};

struct type_counts {
    struct type_count at[RTP_TYPES_MAX];
    uint8_t count;
};

/* What only an RTP stream keeps. */
struct rtp_part {
    struct rtp_stats stats;
    struct media_features features;
    struct rtp_candidate candidate; /* while on probation */
    uint8_t payload_type;           /* the only one so far; others are counted in stream_more.types */
    uint8_t first_kind;    /* enum kind of the classifier's newest answer while packets came, KIND_OTHER before one */
    uint8_t decided_after; /* see rtp_decided_after() */
    uint8_t sender_report_clock; /* see rtp_sender_report_clock() */
};
_Static_assert(sizeof(struct rtp_part) <= 256, "one is kept for each RTP stream");

/* What only an RTCP stream keeps. */
struct rtcp_part {
    uint32_t reports[RTCP_PEERS_MAX]; /* SSRCs it reported on */
    uint8_t report_count;
    bool clear;      /* some packet was a well-formed compound in clear */
    bool has_report; /* first and last sender report, for the exact clock rate */
    uint64_t cname;  /* hash of the sender's CNAME, 0 without */
    uint64_t first_ntp, last_ntp;
    uint32_t first_rtp, last_rtp;
};

struct outer_part {
    struct histogram marks;
    uint64_t differs;
    struct frame_ref differs_first;
};

/* What few streams have. */
struct stream_more {
    struct histogram marks; /* where the stream is `spread` */
    struct copies copies;   /* likewise */
    dscp_set_t data_marks;  /* likewise, of TCP: marks of segments that carry data */
    struct outer_part *outer;
    struct type_counts *types;
    uint64_t arrived; /* where arrived_after: see stream_arrived_before() */
    uint32_t arrived_rank;
    bool arrived_ranked, arrived_after;
};

/*
 * A stream begins with one mark: its packets, bytes, times and frames are those of the mark `tos`, and each packet had
 * exactly that byte and came no earlier than the one before it. What is otherwise spreads it: from then on
 * stream_more.marks counts, and of the fields here packets and bytes are all, first_ns and last_ns the extremes.
 */
struct stream {
    uint32_t flow; /* its number */
    uint32_t next; /* reference: in its list of the flow */
    uint32_t ssrc;
    uint32_t part; /* the number of its rtp_part or rtcp_part */
    uint64_t packets, bytes;
    int64_t first_ns, last_ns;
    uint64_t first, last; /* frames: see frame_pack() */
    uint32_t more;        /* reference to its stream_more */
    uint32_t copy_tag;    /* of the newest packet, not spread: see copies.h */
    tos_t tos;
    uint8_t family; /* enum family */
    uint8_t side;
    bool accepted : 1; /* RTP that left its probation, RTCP that was confirmed */
    bool merged : 1;   /* its counts moved to another stream: it is nothing of its own */
    bool over_turn : 1;
    bool has_channels : 1; /* of a TURN stream: some of it was ChannelData without media inside */
    bool fragmented : 1;
    bool spread : 1;
    bool begins_bare : 1; /* of TCP, not spread: no segment so far carried data */
    uint8_t tunnel_depth;
    uint8_t judged_version, judged_at; /* see struct packet; 0 where the innermost header is judged */
    uint8_t priorities;                /* of the first packet: see stream_vlan_pcp() and stream_mpls_tc() */
};
_Static_assert(sizeof(struct stream) <= 80, "one is kept for each stream");

/* A frame and its input in one word: 44 and 20 bits, which stay at their end. */
#define FRAME_INPUT_BITS 20

static inline uint64_t frame_pack(uint64_t frame, uint32_t input)
{
    uint64_t frame_max = UINT64_MAX >> FRAME_INPUT_BITS, input_max = (UINT64_C(1) << FRAME_INPUT_BITS) - 1;
    return (frame < frame_max ? frame : frame_max) << FRAME_INPUT_BITS | (input < input_max ? input : input_max);
}

static inline struct frame_ref frame_unpack(uint64_t packed)
{
    return (struct frame_ref){packed >> FRAME_INPUT_BITS, (uint32_t)(packed & ((UINT64_C(1) << FRAME_INPUT_BITS) - 1))};
}

/* --- flows -------------------------------------------------------------------------------------------------------- */

/* A direction of a TCP connection while its content is still of interest. */
struct tcp_side {
    struct tcp_order *order;
    struct sip_stream *sip;
    struct framer *framer; /* RFC 4571 while it may be that, or TURN */
    uint8_t *head;         /* the first bytes, or the newest after a gap, while the protocol is not known */
    uint32_t head_len;
    uint32_t input;  /* of the newest segment */
    bool head_whole; /* the head begins where the direction began */
    bool framed;     /* the framer has proven its framing */
    bool framer_rejected, seen_syn;
    bool cut;  /* the snapshot length took some of it */
    bool done; /* its content holds nothing more for us */
};

/* What flows keep whose content said something, or may yet. */
struct flow_more {
    struct protocol_result *protocol; /* NULL until something was recognised or looked at */
    struct tcp_side *tcp[2];
};

/* The addresses of a flow that is not IPv4, or at another point than the first. */
struct flow_ends {
    struct addr at[2];
    uint32_t input; /* with stream_options.by_input: its point; 0 without */
};

struct flow_side {
    uint8_t media_kinds; /* of the accepted RTP, bit (1 << kind); known once it was decided about */
    uint8_t candidate_count;
    uint8_t rtcp_doubtful; /* RTCP streams with neither media beside them nor a CNAME in clear */
    uint8_t looked_at;     /* payloads that protocol_classify() has seen */
};

/* Side 0 is what the lesser end sends, as endpoint_compare() has it. */
struct flow {
    _Alignas(64) uint32_t addr[2]; /* IPv4, as numbers; of wide ones addr[0] is the number of the flow_ends */
    uint16_t port[2];
    uint8_t proto;
    int8_t initiator;   /* side that opened it; -1 while not known */
    bool wide : 1;      /* not IPv4, or at another point than the first */
    bool crowded : 1;   /* its streams are in stream_table.stream_slots */
    bool has_media : 1; /* accepted RTP */
    bool has_ice : 1, has_dtls : 1, use_srtp : 1, has_turn : 1;
    bool announced : 1;     /* SDP named some stream of it; known once all were decided about */
    bool protocol_done : 1; /* nothing more to learn from content */
    bool content_seen : 1;  /* a TCP direction was read from its beginning, nothing cut off: its port tells nothing more
                             */
    bool free : 1;          /* no flow: its number was given back */
    uint8_t stream_count;   /* to FLOW_CROWDED */
    bool tcp_done[2];       /* a TCP direction whose content holds nothing more for us */
    uint8_t closed;         /* TCP sides, by bit, that sent FIN; both after RST */
    uint32_t more;          /* reference to its flow_more */
    uint32_t media[2];      /* references: accepted RTP of each side, newest first */
    uint32_t candidates[2]; /* RTP on probation of each side */
    uint32_t others;        /* all else, of both sides */
    uint32_t last[2];       /* the one of each side that had the newest packet */
    struct flow_side sides[2];
    uint32_t call; /* number of its session in documents, 0 before it was in one; not used where a SIP call has it */
};
_Static_assert(sizeof(struct flow) <= 64, "one is kept for each 5-tuple, in one line of a cache");

struct look;    /* stream/look.h */
struct records; /* stream/records.h */

struct stream_table {
    struct stream_options options;
    struct pool flows, streams; /* while none has ended, numbers are 0, 1, 2... in order of creation */
    struct pool rtp_parts, rtcp_parts, stream_mores, flow_mores, flow_wides;
    struct slots flow_slots, stream_slots;
    uint32_t flow_count, stream_count; /* at present */
    uint32_t unproven_count;           /* streams of that family */
    struct expect_table *expect;
    struct tcp_order_pool tcp_pool;
    struct stream_stats stats;

    size_t margin;             /* streams below the cap at which room is made */
    bool full;                 /* it is to be made before the next packet */
    uint64_t arrivals;         /* packets taken */
    bool finishing;            /* no packet comes any more to the streams that are settled */
    bool making_room;          /* streams are on their way out: those made meanwhile may go beyond the cap */
    bool tokens;               /* somebody asks which stream a packet was of */
    bool reuses;               /* numbers were given back: they tell no order any more */
    struct stream *attributed; /* the stream that the TCP segment being taken counts to */
    struct refused {           /* SSRCs that found no place on probation: see media_packet.c */
        uint32_t tag;
        uint16_t sequence, times;
    } refused[REFUSED_KEPT];
    bool memory_failed;        /* something could not be kept for want of memory, once at least */

    struct look *look; /* what a document in the middle changed, to be undone before the next packet; NULL */
    struct newest {    /* what stream_table_record() needs of the newest document */
        const struct document *document;
        const struct records *records;
        size_t ended; /* ended streams in it */
        uint32_t *record_of; /* by stream number: index + 1 */
        uint32_t count;
        uint64_t unanswered; /* see struct records */
    } newest;

    struct ended ended;
    struct sweep {
        int64_t at_ns;         /* of the last one */
        uint64_t arrivals;     /* then */
        uint64_t refused_until; /* arrivals before which nothing is evicted again */
        uint32_t flows_left;
        bool began;
    } sweep;
    uint32_t call_numbers; /* given to calls in documents */
};

/* --- by number ---------------------------------------------------------------------------------------------------- */

static inline struct flow *flow_at(const struct stream_table *t, uint32_t number)
{
    return pool_at(&t->flows, number, sizeof(struct flow));
}

static inline uint32_t flow_number(const struct flow *f)
{
    return pool_number(f, sizeof *f);
}

static inline struct stream *stream_at(const struct stream_table *t, uint32_t number)
{
    return pool_at(&t->streams, number, sizeof(struct stream));
}

static inline uint32_t stream_number(const struct stream *s)
{
    return pool_number(s, sizeof *s);
}

static inline struct stream *stream_referred(const struct stream_table *t, uint32_t reference)
{
    return reference ? stream_at(t, reference - 1) : NULL;
}

static inline struct flow *stream_flow(const struct stream_table *t, const struct stream *s)
{
    return flow_at(t, s->flow);
}

/* An end as the rest of the program writes it. */
static inline struct endpoint flow_end(const struct stream_table *t, const struct flow *f, uint8_t side)
{
    struct endpoint e = {.port = f->port[side]};
    if (f->wide) {
        const struct flow_ends *ends = pool_at(&t->flow_wides, f->addr[0], sizeof *ends);
        e.addr = ends->at[side];
        return e;
    }
    e.addr.version = 4;
    for (unsigned i = 0; i < 4; i++)
        e.addr.bytes[i] = (uint8_t)(f->addr[side] >> (24 - 8 * i));
    return e;
}

/* Only of RTP, and only of RTCP. */
static inline struct rtp_part *stream_rtp(const struct stream_table *t, const struct stream *s)
{
    return pool_at(&t->rtp_parts, s->part, sizeof(struct rtp_part));
}

static inline struct rtcp_part *stream_rtcp(const struct stream_table *t, const struct stream *s)
{
    return pool_at(&t->rtcp_parts, s->part, sizeof(struct rtcp_part));
}

static inline struct stream_more *stream_more(const struct stream_table *t, const struct stream *s)
{
    return s->more ? pool_at(&t->stream_mores, s->more - 1, sizeof(struct stream_more)) : NULL;
}

/* Of a stream that is `spread`, which has it: never NULL. */
static inline struct stream_more *stream_spread_more(const struct stream_table *t, const struct stream *s)
{
    return pool_at(&t->stream_mores, s->more - 1, sizeof(struct stream_more));
}

static inline struct flow_more *flow_more(const struct stream_table *t, const struct flow *f)
{
    return f->more ? pool_at(&t->flow_mores, f->more - 1, sizeof(struct flow_more)) : NULL;
}

/* Of a flow whose TCP is put in order, which has it: never NULL. */
static inline struct flow_more *flow_ordered_more(const struct stream_table *t, const struct flow *f)
{
    return pool_at(&t->flow_mores, f->more - 1, sizeof(struct flow_more));
}

static inline struct protocol_result *flow_protocol(const struct stream_table *t, const struct flow *f)
{
    const struct flow_more *more = flow_more(t, f);
    return more ? more->protocol : NULL;
}

/* Recognised by its content, as against by its port. */
static inline bool flow_protocol_is_known(const struct stream_table *t, const struct flow *f)
{
    const struct protocol_result *protocol = flow_protocol(t, f);
    return protocol && protocol->judgement.kind != KIND_OTHER && protocol->judgement.confidence >= CONFIDENCE_HIGH;
}

/* Going through the accepted RTP of a side, newest first. */
static inline struct stream *flow_media(const struct stream_table *t, const struct flow *f, uint8_t side)
{
    return stream_referred(t, f->media[side]);
}

static inline struct stream *stream_next(const struct stream_table *t, const struct stream *s)
{
    return stream_referred(t, s->next);
}

/* --- flows.c ------------------------------------------------------------------------------------------------------ */

/* A 5-tuple on its way into the table. */
struct flow_key {
    struct endpoint const *ends[2]; /* the lesser first */
    uint64_t hash;
    uint32_t addr[2];
    uint32_t guess; /* reference: what flow_guess() gave */
    uint32_t input; /* its point, see flow_key_place() */
    uint8_t proto, side;
    bool wide;
};

void flow_key_make(struct flow_key *ret, uint8_t proto, const struct endpoint *src, const struct endpoint *dst);
uint64_t flow_key_hash(const struct hash_key *key, const struct flow_key *k);
/* Puts a key, whose hash is there, to a point other than the first. */
void flow_key_place(struct flow_key *k, uint32_t input);

/* Of the flows that the slots offer the first, which is nearly always the one; to bring it near. NULL without. */
const struct flow *flow_guess(const struct stream_table *t, struct flow_key *k);
struct flow *flow_lookup(const struct stream_table *t, const struct flow_key *k);
struct flow *flow_find(const struct stream_table *t, uint8_t proto, const struct endpoint *src,
                       const struct endpoint *dst, uint32_t input, uint8_t *ret_side);
/* Whether another stream is beyond the cap; where it is near, room is made before the next packet. */
static inline bool stream_table_is_full(struct stream_table *t)
{
    t->full |= t->options.idle_ns && t->stream_count + t->margin >= t->options.max_streams;
    return t->stream_count >= t->options.max_streams && !t->making_room;
}

/* NULL beyond the cap or without memory. */
struct flow *flow_get(struct stream_table *t, const struct flow_key *k);

struct flow_more *flow_more_get(struct stream_table *t, struct flow *f); /* NULL without memory */

/* Takes a flow out of the table, and with it all of its streams. */
void flow_remove(struct stream_table *t, struct flow *f);

/* The point of a flow: 0 without stream_options.by_input. */
static inline uint32_t flow_input(const struct stream_table *t, const struct flow *f)
{
    return f->wide ? ((const struct flow_ends *)pool_at(&t->flow_wides, f->addr[0], sizeof(struct flow_ends)))->input : 0;
}

/* When its newest packets came. */
int64_t flow_last_ns(const struct stream_table *t, const struct flow *f);

/* --- streams.c ---------------------------------------------------------------------------------------------------- */

struct stream *stream_find(const struct stream_table *t, const struct flow *f, uint8_t side, enum family family,
                           uint32_t ssrc);
struct stream *stream_get(struct stream_table *t, struct flow *f, uint8_t side, enum family family, uint32_t ssrc);
struct stream *stream_plain(struct stream_table *t, struct flow *f, uint8_t side);
struct stream_more *stream_more_get(struct stream_table *t, struct stream *s); /* NULL without memory */
/* An RTP stream leaves its probation. */
void stream_accept(struct stream_table *t, struct stream *s);
/* A candidate of this side that fell silent becomes that of another SSRC, its packets those of the plain stream; NULL
 * where all are still active. */
struct stream *stream_recycle(struct stream_table *t, struct flow *f, uint8_t side, uint32_t ssrc, int64_t time_ns);
/* What was RTP, RTCP or unproven is its side's plain stream from now on, where that has none; else false. */
bool stream_become_plain(struct stream_table *t, struct stream *s);
/* Gives back what a stream keeps on the heap. */
void stream_more_done(struct stream_table *t, struct stream *s);
/* Gives back a stream whose flow goes as a whole. */
void stream_remove(struct stream_table *t, struct stream *s);
/* Numbers of all streams of a flow, of each list from its head on; how many. `to` is NULL to count them. */
size_t flow_streams(const struct stream_table *t, const struct flow *f, uint32_t *to);
/* Whether `a` was made before `b`; where numbers are reused, whether its first packet came before. */
bool stream_made_before(const struct stream_table *t, const struct stream *a, const struct stream *b);
/* In and out of the hash by which the streams of a crowded flow are found. */
bool stream_hash_add(struct stream_table *t, const struct stream *s); /* false without memory */
void stream_hash_remove(struct stream_table *t, const struct stream *s);

/* --- count.c ------------------------------------------------------------------------------------------------------ */

void stream_count(struct stream_table *t, struct stream *s, const struct packet *p);
/* A packet for which there is no stream, beyond the cap or without memory. */
void stream_untracked(struct stream_table *t, const struct packet *p);
/* Moves the counts of one stream to another of the same flow and side. */
void stream_merge(struct stream_table *t, struct stream *to, struct stream *from);

size_t stream_mark_count(const struct stream_table *t, const struct stream *s);
/* By first appearance; `to` has room for stream_mark_count(). */
void stream_marks_copy(const struct stream_table *t, const struct stream *s, struct record_mark *to);
void stream_ecn(const struct stream_table *t, const struct stream *s, uint64_t ret[static 4]);
uint32_t stream_mark_changes(const struct stream_table *t, const struct stream *s);
uint64_t stream_copies_differ(const struct stream_table *t, const struct stream *s);
struct copied_marks stream_copies_marks(const struct stream_table *t, const struct stream *s);
dscp_set_t stream_data_marks(const struct stream_table *t, const struct stream *s); /* see struct record */
const struct outer_part *stream_outer(const struct stream_table *t, const struct stream *s); /* NULL without */
/* Whether `a`'s first packet came before that of `b`; not by time or frame, which begin anew in each file of a series.
 */
bool stream_arrived_before(const struct stream_table *t, const struct stream *a, const struct stream *b);

static inline struct frame_ref stream_first(const struct stream *s)
{
    return frame_unpack(s->first);
}

/* Of the first packet; -1 without a tag or label. */
static inline int16_t stream_vlan_pcp(const struct stream *s)
{
    return (int16_t)((s->priorities & 15) - 1);
}

static inline int16_t stream_mpls_tc(const struct stream *s)
{
    return (int16_t)((s->priorities >> 4) - 1);
}

/* --- udp.c, tcp.c, media_packet.c, settle.c ----------------------------------------------------------------------- */

/* The stream that a packet belongs to, NULL where it is none but the plain one of its side. */
struct stream *flow_udp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p);
struct stream *flow_tcp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p);

/* Shows bytes to protocol_classify(). */
void flow_classify(struct stream_table *t, struct flow *f, uint8_t side, const uint8_t *bytes, size_t len,
                   bool at_start);
void flow_tcp_flush(struct stream_table *t, struct flow *f);
void flow_tcp_free(const struct stream_table *t, struct flow *f);

/* RTP, RTCP, STUN, DTLS, TURN as they come out of a datagram or a frame in TCP. */
struct media_bytes {
    const uint8_t *bytes;
    uint32_t captured, wire;
    bool cut;
    bool over_turn; /* it was inside TURN ChannelData or an indication */
};
struct stream *media_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m,
                            int64_t time_ns);

/* Payload types seen, by first appearance and most frequent first; how many. */
uint8_t rtp_types(const struct stream_table *t, const struct stream *s, struct type_count ret[static RTP_TYPES_MAX]);
uint8_t rtp_types_by_count(const struct stream_table *t, const struct stream *s, uint8_t types[static RTP_TYPES_MAX]);

/* What the table of expectations is asked about a stream of RTP; `types` holds what the query points at. */
struct expect_query rtp_query(const struct stream_table *t, const struct stream *s, int64_t first_ns, int64_t last_ns,
                              uint8_t types[static RTP_TYPES_MAX]);

/* Packets after which the classifier first gave the answer `first_kind`. */
uint32_t rtp_decided_after(const struct rtp_part *rtp);
/* Hz from RTCP sender reports; 0 without. */
uint32_t rtp_sender_report_clock(const struct rtp_part *rtp);

/* Some streams of the table, by number: whole flows. */
struct scope {
    uint32_t *at;
    size_t count;
};

/* All there are, to be freed; false without memory. */
bool scope_all(const struct stream_table *t, struct scope *ret);

/* Decides what can only be decided when no packet comes to them any more. */
void stream_settle(struct stream_table *t, const struct scope *scope);

#endif

#ifndef QOSMARK_STREAM_FLOW_H
#define QOSMARK_STREAM_FLOW_H

/* Private to src/stream: what a flow and its streams are made of. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "classify/media.h"
#include "classify/rfc4571.h"
#include "classify/rtp_probation.h"
#include "classify/rtcp.h"
#include "classify/service.h"
#include "decode/tcp_order.h"
#include "model/packet.h"
#include "stream/copies.h"
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
};

#define RTP_TYPES_MAX   8
#define RTCP_PEERS_MAX  4
#define HEAD_BYTES_MAX  4096 /* first bytes of a TCP direction that the classifiers may want to see again */
#define CANDIDATES_MAX  16   /* SSRCs on probation in one direction of a flow: noise has a new one in each packet */

struct type_count {
    uint8_t payload_type;
    uint32_t packets;
};

/* What only an RTP stream keeps. */
struct rtp_part {
    struct rtp_probation probation;
    struct rtp_stats stats;
    struct media_features features;
    struct type_count types[RTP_TYPES_MAX];
    uint8_t type_count;
    uint8_t first_kind;           /* enum kind of the classifier's newest answer while packets came, KIND_OTHER before one */
    uint32_t decided_after;       /* packets at which it first gave that answer */
    uint32_t sender_report_clock; /* Hz from RTCP sender reports; 0 without */
};

/* What only an RTCP stream keeps. */
struct rtcp_part {
    uint32_t reports[RTCP_PEERS_MAX]; /* SSRCs it reported on */
    uint8_t report_count;
    bool clear;      /* some packet was a well-formed compound in clear */
    uint64_t cname;  /* hash of the sender's CNAME, 0 without */
    bool has_report; /* first and last sender report, for the exact clock rate */
    uint64_t first_ntp, last_ntp;
    uint32_t first_rtp, last_rtp;
};

struct outer_part {
    struct histogram marks;
    uint64_t differs;
    struct frame_ref differs_first;
};

struct stream {
    struct stream *hash_next;
    struct stream *flow_next; /* RTP: in the list of its flow_side, candidates or media */
    struct flow *flow;
    uint64_t hash;
    uint32_t ssrc;
    uint8_t family; /* enum family */
    uint8_t side;
    bool accepted;  /* RTP that left its probation, RTCP that was confirmed */
    bool merged;    /* its counts moved to the plain stream: it is nothing of its own */
    bool over_turn;
    bool has_channels; /* of a TURN stream: some of it was ChannelData without media inside */
    bool fragmented;
    uint8_t tunnel_depth;
    uint8_t judged_version, judged_at; /* see struct packet; 0 where the innermost header is judged */
    int16_t vlan_pcp, mpls_tc;
    uint32_t number; /* order of creation */
    uint64_t arrival; /* of its first packet, counted over all packets */

    uint64_t packets, bytes;
    int64_t first_ns, last_ns;
    struct frame_ref first;
    struct histogram marks;
    struct copies copies;
    struct outer_part *outer;
    struct rtp_part *rtp;
    struct rtcp_part *rtcp;
};

/* A direction of a TCP connection while its content is still of interest. */
struct tcp_side {
    struct tcp_order *order;
    struct sip_stream *sip;
    struct framer *framer; /* RFC 4571 while it may be that, or TURN */
    uint8_t *head;         /* the first bytes, or the newest after a gap, while the service is not known */
    uint32_t head_len;
    uint32_t input;        /* of the newest segment */
    bool head_whole;       /* the head begins where the direction began */
    bool framed;           /* the framer has proven its framing */
    bool framer_rejected, seen_syn, done;
    bool cut;              /* the snapshot length took some of it */
};

struct flow_side {
    struct stream *media;      /* accepted RTP, newest first */
    struct stream *candidates; /* RTP on probation */
    struct stream *last;       /* the one that had the newest packet */
    struct stream *plain;
    uint32_t media_kinds;      /* of the accepted RTP, bit (1 << kind); known once it was decided about */
    uint8_t candidate_count;
    uint8_t rtcp_doubtful;     /* RTCP streams with neither media beside them nor a CNAME in clear */
    uint8_t looked_at;         /* payloads that service_classify() has seen */
};

struct flow {
    struct flow *hash_next;
    uint64_t hash;
    struct endpoint ends[2]; /* ends[0] < ends[1]; side 0 is what ends[0] sends */
    uint8_t proto;
    int8_t initiator;  /* side that opened it */
    bool has_media;    /* accepted RTP */
    bool has_ice, has_dtls, use_srtp, has_turn;
    bool announced;    /* SDP named some stream of it; known once all were decided about */
    bool service_done; /* nothing more to learn from content */
    bool content_seen; /* a TCP direction was read from its beginning, nothing cut off: its port tells nothing more */
    uint32_t number;
    struct flow_side sides[2];
    struct service_result *service; /* NULL until something was recognised or looked at */
    struct tcp_side *tcp[2];
};

struct stream_table {
    struct stream_options options;
    struct pool flow_pool, stream_pool;
    struct flow **flow_buckets;
    struct stream **stream_buckets;
    size_t flow_mask, stream_mask; /* buckets - 1 */
    size_t flow_count, stream_count;
    struct flow **flows; /* by number */
    size_t flows_cap;
    struct stream **streams; /* by number */
    size_t streams_cap;
    struct expect_table *expect;
    struct tcp_order_pool tcp_pool;
    struct stream_stats stats;

    uint64_t arrivals; /* packets taken */
    struct stream *attributed; /* the stream that the TCP segment being taken counts to */
    uint32_t *exported;          /* stream numbers by record index */
    size_t exported_count;
};

/* table.c */
struct stream *stream_get(struct stream_table *t, struct flow *f, uint8_t side, enum family family, uint32_t ssrc);
struct stream *stream_plain(struct stream_table *t, struct flow *f, uint8_t side);
struct stream *stream_find(const struct stream_table *t, const struct flow *f, uint8_t side, enum family family, uint32_t ssrc);
struct flow *flow_find(const struct stream_table *t, uint8_t proto, const struct endpoint *src, const struct endpoint *dst, uint8_t *ret_side);
void stream_count(struct stream *s, const struct packet *p);
/* A packet for which there is no stream, beyond the cap or without memory. */
void stream_untracked(struct stream_table *t, const struct packet *p);
/* An RTP stream leaves its probation. */
void stream_accept(struct stream *s);
/* A candidate of this side that fell silent becomes that of another SSRC, its packets those of the plain stream; NULL
 * where all are still active. */
struct stream *stream_recycle(struct stream_table *t, struct flow *f, uint8_t side, uint32_t ssrc, int64_t time_ns);

/* udp.c and tcp.c: the stream that a packet belongs to, NULL where it is none but the plain one of its side */
struct stream *flow_udp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p);
void flow_service(struct stream_table *t, struct flow *f, uint8_t side, const uint8_t *bytes, size_t len, bool at_start);

/* media_packet.c: payload types seen, most frequent first; how many */
uint8_t rtp_types_by_count(const struct rtp_part *rtp, uint8_t types[static RTP_TYPES_MAX]);

/* media_packet.c: RTP, RTCP, STUN, DTLS, TURN as they come out of a datagram or a frame in TCP */
struct media_bytes {
    const uint8_t *bytes;
    uint32_t captured, wire;
    bool cut;
    bool over_turn; /* it was inside TURN ChannelData or an indication */
};
struct stream *media_packet(struct stream_table *t, struct flow *f, uint8_t side, const struct media_bytes *m, int64_t time_ns);

/* tcp.c */
struct stream *flow_tcp(struct stream_table *t, struct flow *f, uint8_t side, const struct packet *p);
void flow_tcp_flush(struct stream_table *t, struct flow *f);
void flow_tcp_free(struct flow *f);

/* settle.c */
void stream_settle(struct stream_table *t);
/* Moves the counts of one stream to another of the same flow and side. */
void stream_merge(struct stream *to, struct stream *from);

#endif

#ifndef QOSMARK_MODEL_RECORD_H
#define QOSMARK_MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/address.h"
#include "model/dscp.h"
#include "model/kind.h"

struct document; /* model/document.h: all records of an audit */

enum direction {
    DIRECTION_UNATTRIBUTED = 0,
    DIRECTION_FROM_NODE,
    DIRECTION_TO_NODE,
    DIRECTION_BETWEEN_NODES,
    DIRECTION_COUNT
};

enum verdict { VERDICT_UNCHECKED = 0, VERDICT_CONFORMING, VERDICT_VIOLATING, VERDICT_UNDETERMINED };

/* What is wrong, as a fixed word that users script against (DESIGN: finding codes). */
enum finding_code {
    FINDING_BLEACHED = 0,
    FINDING_TOS_PRECEDENCE_BLEACHED,
    FINDING_TOS_PRECEDENCE_REMARKED,
    FINDING_LOW_BITS_BLEACHED,
    FINDING_REMARKED,
    FINDING_UNSHIFTED,
    FINDING_NEVER_MARKED,
    FINDING_ONE_WAY,
    FINDING_CHANGED_MIDSTREAM,
    FINDING_INTERMITTENT,
    FINDING_UNMARKED_START,
    FINDING_RTCP_DIFFERS,
    FINDING_CLASS_SWAPPED,
    FINDING_TUNNEL_DIFFERS,
    FINDING_UNENTITLED_PRIORITY,
    FINDING_NOT_VERIFIABLE,
    FINDING_CODE_COUNT
};

/* Where a frame number counts: frame `frame` of input `input`. Frame 0 is none. */
struct frame_ref {
    uint64_t frame;
    uint32_t input;
};

struct finding {
    enum finding_code code;
    const char *message;   /* one plain sentence */
    const char *advice;    /* what to type or look at; "" where nothing is to be done */
    const char *wireshark; /* display filter that shows exactly the packets counted */
    const char *subject;   /* what it groups by: a node, site or host; "" for a single stream */
    uint64_t packets;
    struct frame_ref first;
    enum confidence confidence; /* of the cause named, not of the marks seen */
    const uint32_t *streams;    /* indices of records it explains */
    size_t stream_count;
};

/* One DSCP of a stream. Frames and times are those of its first and last packet with this mark. */
struct record_mark {
    dscp_t dscp;
    uint64_t packets, bytes;
    struct frame_ref first, last;
    int64_t first_ns, last_ns;
};

/* RFC 3550 figures of an RTP stream (§6.4.1, A.1, A.3, A.8). */
struct rtp_figures {
    uint32_t clock_rate; /* Hz; 0 where not known, and then the jitter is not either */
    uint64_t expected, lost, reordered, duplicates;
    double jitter_ms;  /* negative: not known */
    double max_gap_ms; /* longest silence between two packets */
};

/* The two marks of packets that were captured as two copies. */
struct copied_marks {
    dscp_t before, after; /* by hop limit where the copies differ in it, else by the order in the capture */
    bool in_order;        /* so for nine of ten; otherwise nothing says which of the two came first */
    uint8_t before_hops,
        after_hops; /* their hop limits, where nine of ten have the same two and these differ; 0 otherwise */
};

/*
 * One stream, as every output shows it. What stream/ knows it fills in; policy/ adds what it judges (from `node` on
 * down). Records are made when they are looked at: see document_record(). Pointers are good as long as that says.
 */
struct record {
    uint8_t proto; /* IANA number */
    struct endpoint src, dst;
    uint32_t input;        /* where it was first seen */
    uint32_t conversation; /* the same for all streams of one 5-tuple, both directions */
    bool from_initiator;   /* sent by the side that opened the conversation (TCP SYN, or first packet seen) */

    enum kind kind;
    enum confidence confidence;
    const char *evidence;
    const char
        *explanation; /* what each feature said, one a line, where it was asked for (--explain); NULL otherwise */
    const char *unknown_reason; /* why kind is rtp-unknown or the class undetermined; "" otherwise */

    bool has_ssrc;
    uint32_t ssrc;
    uint8_t payload_types[8];
    uint8_t payload_type_count;
    const char *codec;      /* "opus/48000", "" where not known */
    uint32_t decided_after_packets; /* RTP without SDP: packets after which the kind was known (asked at 1, 4, 8, 16,
                                       30, 64, 128...); 0 where it was known only at the end, or from SDP */
    const char *repairs;    /* "rtx" or "fec" where the stream repairs another, "" otherwise */
    uint32_t media_kinds;   /* for rtcp, stun, turn, dtls: bit (1 << kind) for each kind of media on its 5-tuple */
    bool over_turn;         /* media inside TURN ChannelData or Data indications */
    bool turn_channels;     /* a TURN stream, some of which is ChannelData without media inside */
    bool shares_connection; /* TCP or TLS connection that carries several media: its mark is not any one's */
    bool webrtc;            /* ICE and DTLS on the 5-tuple, and no SDP seen */
    const char *server_name; /* TLS SNI; "" where not seen */

    uint64_t packets, bytes; /* bytes of the IP packets */
    int64_t first_ns, last_ns;
    struct frame_ref first;
    const struct record_mark *marks; /* by first appearance */
    uint32_t mark_count;
    uint32_t mark_changes; /* how often a packet had another mark than the one before it */
    uint64_t
        copies_differ; /* packets seen before, a moment ago, with another mark: captured before and after a change */
    struct copied_marks copies; /* of most of those, the two marks */
    bool no_data;          /* of a TCP stream: none of its segments carried data */
    dscp_set_t data_marks; /* of a TCP stream of several marks, those of segments with data; 0 where nothing tells */
    uint64_t ecn[4];       /* by ECN codepoint: not-ECT, ECT(1), ECT(0), CE (RFC 3168 §5) */
    const struct record_mark *outer; /* marks of the next outer IP header, where there is one; frames not kept */
    uint32_t outer_count;
    uint64_t outer_differs; /* packets whose outer mark is not the inner one */
    struct frame_ref outer_differs_first;
    int16_t vlan_pcp; /* of the first packet; -1 without a tag */
    int16_t mpls_tc;  /* of the first packet; -1 without a label */
    bool fragmented;  /* some packets came in IP fragments */
    uint8_t judged_version; /* the marks are those of the outermost header (--layer outer), of this IP version; 0: of
                               the innermost. Then `outer` holds the marks of the innermost one. */
    uint8_t judged_at;      /* which header of that version it is, from 1 */
    uint8_t tunnel_depth; /* IP headers outside the innermost, of the first packet */
    const struct rtp_figures *rtp; /* NULL for what is not RTP */
    uint32_t call;    /* index + 1 into document.calls, 0 for none */

    /* filled in by policy/ */
    uint32_t node;      /* index + 1 into document.nodes, 0 for none: the node that sends, or else receives */
    uint32_t peer_node; /* for between-nodes: the receiving one */
    uint32_t site; /* index + 1 into document.sites, 0 for none: of the end that is no node, or else of the sender */
    enum direction direction;
    enum traffic_class traffic_class;
    dscp_set_t expected; /* 0 where nothing is expected */
    dscp_t preferred;
    uint64_t violating_packets;
    enum verdict verdict;
    const char *reason; /* why undetermined or unchecked, "" otherwise */
    const struct finding *findings;
    size_t finding_count;
};

struct call {
    const char *id;      /* "call-1" */
    const char *call_id; /* SIP Call-ID; "" for a session without readable signalling */
    const char *from, *to;
    const char *user_agent; /* of the caller; "" where not seen */
    int64_t first_ns, last_ns;
    const uint32_t *streams; /* indices of records; filled in by document_link_calls() */
    size_t stream_count;
    enum verdict verdict;
};

enum node_role {
    ROLE_CALLBRIDGE = 1,
    ROLE_XMPP = 2,
    ROLE_WEBBRIDGE = 4,
    ROLE_TURN = 8,
    ROLE_DATABASE = 16,
    ROLE_LOADBALANCER = 32,
    ROLE_RECORDER = 64,
    ROLE_STREAMER = 128,
    ROLE_WEBADMIN = 256,
};

struct node {
    const char *name;
    const struct addr *addresses;
    size_t address_count;
    uint32_t roles; /* enum node_role, or-ed */
    bool inferred;
    const char *evidence; /* for an inferred node: what it was seen to serve */
};

struct site {
    const char *name;
    const struct prefix *prefixes;
    size_t prefix_count;
};

struct input {
    const char *file;
    const char *point; /* what records call it; NULL: its file */
    uint64_t packets, bytes;
    int64_t first_ns, last_ns;
    uint64_t truncated, malformed, unsupported; /* frames of which no IP packet could be made */
    uint64_t dropped;
    bool complete;
    const char *problem; /* one sentence where it is not complete, "" otherwise */
};

/* A row of the table class × direction × node, or of site × direction. */
struct summary_row {
    enum traffic_class traffic_class; /* not used in a row about a site */
    enum direction direction;
    uint32_t node; /* index + 1; not used in a row about a site */
    uint32_t site; /* index + 1; only used in a row about a site */
    uint64_t streams, packets, violating_streams, undetermined_streams, violating_packets;
    uint64_t by_dscp[DSCP_COUNT];
    uint64_t wrong_by_dscp[DSCP_COUNT];  /* of judged streams, what was not expected of them */
    uint64_t unsure_by_dscp[DSCP_COUNT]; /* of streams that could not be judged, what would not be */
    dscp_set_t expected;                 /* of any of its streams */
    dscp_t preferred;                    /* of the first */
    bool judged;                         /* some stream of it was */
};

struct expectation_row {
    dscp_set_t marks;
    dscp_t preferred;
};

enum summary_verdict { SUMMARY_NOTHING_CHECKED = 0, SUMMARY_PASS, SUMMARY_FAIL };

struct summary {
    enum summary_verdict verdict;
    bool complete;
    uint64_t streams, checked, conforming, violating, undetermined, unchecked;
    uint64_t packets_checked, packets_violating;
};

/* RTP quality of rightly against wrongly marked streams, where both exist. */
struct quality {
    uint64_t streams, packets_expected, packets_lost;
    double jitter_ms; /* mean over the streams with a known clock, weighted by packets; negative: none */
};

const char *direction_name(enum direction d);
const char *verdict_name(enum verdict v);
const char *summary_verdict_name(enum summary_verdict v); /* "pass", "fail", "nothing-checked" */
const char *finding_code_name(enum finding_code code);
bool finding_code_parse(struct slice text, enum finding_code *ret);
const char *role_name(enum node_role role); /* "" where it is not exactly one role */
bool role_parse(struct slice text, enum node_role *ret);

#endif

#ifndef QOSMARK_GENERATE_INTERNAL_H
#define QOSMARK_GENERATE_INTERNAL_H

/*
 * What the files of this room share. In order:
 *
 *   plan.c     who takes part, from where; which fault hits what
 *   call.c     a participant's streams, and when they begin and end
 *   script.c   what is said in words: over UDP, or over TCP with its handshake and acknowledgements
 *   sip.c, sdp.c, xmpp.c, webrtc.c   the words
 *   media.c, rtcp.c   voice, video, slides and the reports on them
 *   send.c     marks, faults, the network's effects; frames in the order of time
 *   bulk.c     many streams of RTP and nothing else
 */

#include "base/arena.h"
#include "base/clock.h"
#include "generate/frame.h"
#include "generate/generate.h"
#include "generate/random.h"
#include "model/packet.h"

enum { END_PARTICIPANT = 0, END_NODE = 1 };

enum { XMPP_A_CALL_MAX = 10000 }; /* ports of a participant that its XMPP clients have */

enum { DATAGRAM_MAX = 4096, PENDING_BYTES = DATAGRAM_MAX + GENERATE_HEADER_MAX };

struct participant {
    uint32_t site, node;
    bool webrtc;
    uint8_t version;
    struct addr addr, node_addr;
    const char *name; /* "berlin-1" */
};

/* One TCP connection: what each end sends next. The capture point sees all that is sent before it is acknowledged. */
struct tcp_connection {
    uint32_t next[2];
    uint32_t streams[2]; /* by the end that sends */
};

/* A stream's working state, beside what everybody may see of it. */
struct stream_state {
    struct generate_header header;
    struct tcp_connection *tcp; /* NULL: UDP */
    uint8_t end;                /* which of its ends sends */
    uint16_t ip_id;
    uint64_t sent; /* before the network took some */
    int64_t last_out_ns;
    struct generate_random faults, network;
};

/* Something that sends: one of the scripts, an RTP stream, its RTCP. */
struct source {
    int64_t next_ns; /* INT64_MAX: done */
    /* Sends what is due at next_ns and moves it on. Negative on failure. */
    int (*send)(struct generator *g, struct source *s);
    void *state;
};

/* A frame that is still on its way to the capture point. */
struct pending {
    int64_t time_ns;
    uint64_t order;
    uint32_t stream;
    uint16_t len, payload_at; /* 0: no UDP payload to be seen */
    tos_t tos;
    bool duplicate;
    uint8_t bytes[PENDING_BYTES];
};

struct generator {
    struct generate_options options;
    struct arena arena;
    struct generate_frames *frames;
    struct generate_random random; /* for the plan */

    struct participant *participants;
    size_t participant_count;
    uint32_t *node_ports; /* one a node: ports given out so far */

    struct generate_stream *streams;
    struct stream_state *states;
    size_t stream_count, stream_cap, state_cap;
    struct generate_call *calls;
    size_t call_count, call_cap;

    struct source *sources;
    size_t source_count, source_cap;
    uint32_t *heap; /* of sources, by time */
    size_t heap_count, heap_cap;

    struct pending **outbox; /* a heap by time */
    size_t outbox_count, outbox_cap;
    struct pending **spare;
    size_t spare_count, spare_cap;
    struct pending *handed_out;
    uint64_t order, frame_number;

    struct bulk *bulk;
    uint8_t noise[65536]; /* what the payloads are cut from */
    struct error *error;  /* of the call that is running */
};

/* ---- plan.c ---- */

/* Whether fault `i` of the options hits what this participant, or this node, sends. */
bool plan_fault_at_site(const struct generator *g, size_t i, uint32_t site);
/* The first fault of this kind that is at this site (or node), or GENERATE_NONE. */
uint32_t plan_fault_of(const struct generator *g, enum generate_fault_kind kind, uint32_t place);
/* The first participant of a site, or GENERATE_NONE. */
uint32_t plan_first_of_site(const struct generator *g, uint32_t site);

/* Which faults hit a stream: bit i for options.faults[i]. */
uint32_t plan_faults_of_stream(const struct generator *g, const struct generate_stream *s, uint8_t end);

/* ---- call.c ---- */

struct rtp_source;

/* A new stream of a participant, sent by `end`; its index, or GENERATE_NONE with the error set. */
struct stream_wish {
    enum kind kind, mark_kind; /* mark_kind: whose mark it has; RTCP and STUN go with their media */
    uint8_t proto, end;
    uint16_t port, node_port;
    uint32_t call;
    const char *codec;
    bool has_ssrc;
    uint32_t ssrc;
    uint8_t payload_type;
};
uint32_t call_add_stream(struct generator *g, uint32_t participant, const struct stream_wish *wish);

int call_plan_all(struct generator *g);
bool call_add_source(struct generator *g, int64_t first_ns, int (*send)(struct generator *, struct source *),
                     void *state);
uint16_t call_node_ports(struct generator *g, uint32_t node, unsigned count); /* the first of `count`, even */

/* ---- script.c ---- */

struct step {
    int64_t time_ns;
    uint32_t stream;
    uint8_t tcp_flags;
    const uint8_t *payload;
    size_t len;
};

struct script {
    struct step *steps;
    size_t count, cap, at;
    bool failed; /* out of memory: to be looked at once, by script_start() */
};

struct script *script_new(struct generator *g);
void script_say(struct script *s, int64_t time_ns, uint32_t stream, const void *bytes, size_t len); /* a datagram */

/* TCP: RFC 9293 with what a capture near the node shows. `streams` are by the end that sends. */
struct tcp_connection *tcp_new(struct generator *g, const uint32_t streams[2]);
void tcp_open(struct script *s, const struct tcp_connection *c, uint8_t opener, int64_t time_ns);
void tcp_say(struct script *s, const struct tcp_connection *c, uint8_t end, int64_t time_ns, const void *bytes,
             size_t len, size_t segment);
void tcp_close(struct script *s, const struct tcp_connection *c, uint8_t closer, int64_t time_ns);

/* Hands the script to the schedule. ERR_MEMORY. */
int script_start(struct generator *g, struct script *s);

/* ---- media.c ---- */

enum media_type { MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_SLIDES };

struct codec {
    const char *name;     /* "opus/48000" */
    const char *encoding; /* as in SDP: "opus/48000/2" */
    enum media_type media;
    uint8_t payload_type;
    uint32_t clock_rate;
    uint32_t per_second;   /* frames */
    uint16_t low, high;    /* bytes of a usual frame */
    uint32_t key_interval; /* frames from one key frame to the next; 0 for audio */
    uint8_t key_factor;
};

extern const struct codec codec_opus, codec_g722, codec_pcma, codec_h264, codec_vp8, codec_slides, codec_opus_web,
    codec_h264_web;

struct media_wish {
    const struct codec *codec;
    uint32_t stream;
    int64_t begin_ns, end_ns;
    bool secured; /* SRTP: an authentication tag follows, and nothing of the payload makes sense */
};
struct rtp_source *media_add(struct generator *g, const struct media_wish *wish);

/* What has been sent, for sender reports. */
struct media_sent {
    uint32_t ssrc, packets, octets, timestamp; /* the timestamp at `now_ns` */
    uint16_t highest;
};
struct media_sent media_sent(const struct rtp_source *r, int64_t now_ns);

/* ---- rtcp.c ---- */

struct rtcp_wish {
    uint32_t stream;
    uint32_t ssrc;                  /* of the reporter */
    const struct rtp_source *sends; /* what it sends; NULL: it only receives */
    const struct rtp_source *hears; /* what it reports on; NULL: nothing */
    const char *cname;
    int64_t begin_ns, end_ns;
    bool secured;
};
int rtcp_add(struct generator *g, const struct rtcp_wish *wish);

/* ---- the words ---- */

struct sip_talk {
    uint32_t call, participant;
    struct script *script;
    const struct tcp_connection *tcp; /* NULL over UDP */
    uint32_t streams[2];
    bool node_calls;
    uint16_t ports[2];    /* SIP, by end */
    uint16_t media[2][4]; /* by end: audio, video, slides; 0 for none */
    const struct codec *audio, *video;
    bool media_in_tcp;
    int64_t begin_ns, media_ns, end_ns;
};
/* The dialog from INVITE to the answer of BYE; ERR_MEMORY. Fills in what the call is known by. */
int sip_talk(struct generator *g, const struct sip_talk *t);

/* The session description of one end (RFC 8866, RFC 3264), into memory of the generator. */
const char *sdp_write(struct generator *g, const struct sip_talk *t, uint8_t end, bool answer);

int xmpp_talk(struct generator *g, uint32_t participant, uint32_t number);
int webrtc_call(struct generator *g, uint32_t participant, uint32_t call, int64_t begin_ns, int64_t end_ns);

/* ---- send.c ---- */

/* Sends one packet of a stream: its mark, what the faults make of it, what the network does to it. */
int send_payload(struct generator *g, uint32_t stream, int64_t time_ns, uint8_t tcp_flags, const uint8_t *payload,
                 size_t len);
struct addr plan_outer(const struct generator *g, uint32_t site, uint8_t version);

/* ---- bulk.c ---- */
int bulk_new(struct generator *g);
int bulk_next(struct generator *g, struct generated *ret);

#endif

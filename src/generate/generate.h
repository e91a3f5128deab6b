#ifndef QOSMARK_GENERATE_H
#define QOSMARK_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "generate/fault.h"
#include "model/frame.h"
#include "model/record.h"

/*
 * A conference as packets: who talks to whom, what they say and when, with which marks, and what the network does to
 * it. The same options give the same packets, byte for byte, on every machine.
 *
 *     struct generator *g = generator_new(&options, &error);
 *     while ((r = generator_next(g, &packet)) > 0) ...
 */
enum generate_ip { GENERATE_IPV4 = 0, GENERATE_IPV6, GENERATE_MIXED };
enum generate_sip { GENERATE_SIP_BOTH = 0, GENERATE_SIP_UDP, GENERATE_SIP_TCP };

#define GENERATE_NONE UINT32_MAX

struct generate_node {
    const char *name;
    struct addr addr[2]; /* IPv4, IPv6; version 0 where it has none */
};

struct generate_site {
    const char *name;
    struct prefix prefix[2]; /* IPv4, IPv6; addr.version 0 where it has none */
};

/* The mark that the policy prefers for each kind, by IP version, direction, and whether it is a WebRTC participant's.
 */
struct generate_marks {
    dscp_t of[KIND_COUNT][2][DIRECTION_COUNT][2];
    enum traffic_class class_of[KIND_COUNT][2];
};

/* What the network does to media (signalling comes through: TCP would repeat it, and so do SIP's timers). */
struct generate_network {
    uint32_t loss_ppm, reorder_ppm, duplicate_ppm; /* of a million packets */
    int64_t jitter_ns;                             /* each packet is late by up to this; the order stays */
};

/* Many streams of RTP and nothing else: for measuring what reads them. */
struct generate_bulk {
    uint32_t streams; /* 0: a conference */
    uint32_t packets; /* of each */
    uint32_t size;    /* bytes of RTP payload */
};

struct generate_options {
    uint64_t seed;
    uint32_t calls; /* participants; of these the last `webrtc` come by a browser */
    uint32_t webrtc;
    uint32_t xmpp; /* XMPP clients */
    int64_t start_ns, duration_ns;
    enum generate_ip ip;
    enum generate_sip sip;
    bool no_video, no_slides;
    const struct generate_node *nodes;
    size_t node_count;
    const struct generate_site *sites;
    size_t site_count;
    const struct generate_marks *marks;
    struct generate_fault faults[GENERATE_FAULTS_MAX];
    size_t fault_count;
    struct generate_network network;
    struct generate_bulk bulk;
    struct addr shared; /* where not none: the one address of all participants, who differ by their ports; and only what
                           they send is made, in datagrams that are left in one piece. For sockets. */
    uint16_t link_type; /* Ethernet (1) or raw IP (101) */
    bool vlan;
    uint16_t vlan_id;
};

enum { GENERATE_MARKS_MAX = 8 };

/* Frames on their way at once, of 4 kB each: jitter of seconds for hundreds of calls has more. */
enum { GENERATE_ON_THEIR_WAY_MAX = 200000 };

struct generate_mark {
    dscp_t dscp;
    uint64_t packets, first_frame;
};

/* One stream and what became of it: counted as it is handed out, so that it is the truth about the capture. */
struct generate_stream {
    struct endpoint src, dst;
    uint8_t proto;
    bool webrtc;
    bool has_ssrc;
    uint8_t payload_type;
    uint32_t ssrc;
    const char *codec; /* "opus/48000"; "" for what is not RTP */
    enum kind kind;
    enum traffic_class traffic_class;
    enum direction direction;
    uint32_t node, site, call; /* indices; GENERATE_NONE for none */
    uint32_t participant;
    dscp_t mark;     /* what the policy asks for */
    uint32_t faults; /* bit i: options.faults[i] hits it */

    uint64_t packets, bytes; /* bytes of the IP packets */
    uint64_t lost, duplicated, reordered;
    int64_t first_ns, last_ns;
    struct generate_mark *marks; /* by first appearance */
    uint8_t mark_count;
};

struct generate_call {
    const char *call_id; /* "" for a WebRTC participant's */
    const char *from, *to;
    uint32_t participant;
    int64_t first_ns, last_ns;
};

/* One packet. Borrowed until the next one is asked for. */
struct generated {
    struct frame frame;
    uint32_t stream;        /* index */
    tos_t tos;              /* of the innermost header */
    const uint8_t *payload; /* of UDP; NULL for TCP and for fragments */
    size_t payload_len;
};

struct generator;

/* ERR_USAGE where the options cannot be met together (a fault that needs two participants of a site, a site without
 * room for them), ERR_UNSUPPORTED without libnet, ERR_MEMORY. */
int generator_new(const struct generate_options *options, struct generator **ret, struct error *error);

/* 1 and a packet, in the order of time; 0 at the end; ERR_MEMORY, or ERR_LIMIT where more than
 * GENERATE_ON_THEIR_WAY_MAX packets would have to be kept. */
int generator_next(struct generator *g, struct generated *ret);

size_t generator_streams(const struct generator *g, const struct generate_stream **ret);
size_t generator_calls(const struct generator *g, const struct generate_call **ret);
size_t generator_faults(const struct generator *g, const struct generate_fault **ret); /* with their places found */

/* As they were completed: with the default node and sites where there were none. */
const struct generate_options *generator_options(const struct generator *g);

void generator_free(struct generator *g);

/* The names that are used where the policy has no node, or no site. */
size_t generate_default_nodes(const struct generate_node **ret);
size_t generate_default_sites(const struct generate_site **ret);

#endif

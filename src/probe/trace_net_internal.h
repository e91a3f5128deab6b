#ifndef QOSMARK_PROBE_TRACE_NET_INTERNAL_H
#define QOSMARK_PROBE_TRACE_NET_INTERNAL_H

#include <poll.h>
#include <stdbool.h>

#include "probe/trace_net.h"

enum { NET_FDS_MAX = TRACE_FLOWS_MAX + 2, NET_BYTES_MAX = 2048 };

struct trace_net {
    struct trace_wire_config config;
    struct trace_io io;
    struct trace_wire *wire;       /* raw */
    struct craft_sender *sender;   /* raw */
    int flow_fds[TRACE_FLOWS_MAX]; /* they hold the ports; those of UDP are listened to as well */
    size_t flow_count;             /* 0 with echoes */
    int icmp_fd, tcp_fd;           /* raw; -1: none */
    int64_t *sent_ns;              /* by number, of the clock of the kernel's time stamps */
    uint16_t *last_of_flow;        /* socket: the newest number of each flow, for quotes without payload */
    bool one_at_a_time;            /* socket: routers here quote too little to tell probes apart */
    uint64_t replies;
};

/* A datagram with what the kernel says of it. */
struct net_datagram {
    uint8_t bytes[NET_BYTES_MAX];
    size_t len;
    struct addr from;
    int64_t time_ns; /* 0: not known */
};

/* A net with the sockets of the flows, bound and, for UDP, connected; configuration chosen. */
int trace_net_begin(struct trace_wire_config *config, struct trace_net **ret, struct error *error);

/* 1, or 0 where there is none now. */
int trace_net_receive(int fd, struct net_datagram *d);

/* The time stamp among control messages; 0 without. */
int64_t trace_net_stamp(struct msghdr *m);

/* Milliseconds since the probe was sent; negative where that is not known. */
double trace_net_rtt(const struct trace_net *n, uint16_t number, int64_t received_ns);

/* What sendto() said, as struct trace_io wants it. */
int trace_net_send_result(int cause, const struct addr *target, struct error *error);

/* The descriptors that answers come from, for poll(); how many there are. */
size_t trace_net_fds(const struct trace_net *n, struct pollfd to[static NET_FDS_MAX]);

/* Waits until a descriptor has something; false where none has. */
bool trace_net_wait(struct pollfd *fds, size_t count, int64_t wait_ns);

int64_t trace_net_now(void *user);

#endif

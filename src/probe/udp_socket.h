#ifndef QOSMARK_PROBE_UDP_SOCKET_H
#define QOSMARK_PROBE_UDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/address.h"
#include "model/dscp.h"

/*
 * A UDP socket of one address family, non-blocking, that says of each packet what a measurement needs: the mark it
 * carried, its TTL, when the kernel had it in hands, which local address it came to; and sends each packet with a mark
 * of its own. A v4-mapped peer never appears: IPv6 sockets are IPv6 only.
 */
struct udp_socket;

struct udp_config {
    struct endpoint local; /* addr.version chooses the family; addr may be unspecified, port 0 is any */
    struct endpoint peer;  /* connects where addr.version is not 0: then nobody else's packets arrive */
    const char *device;    /* bind to this interface; NULL: none. Needs CAP_NET_RAW before Linux 5.7 */
    uint8_t ttl;           /* TTL or hop limit of what is sent; 0: the system's own. STAMP asks for 255 */
    bool transmit_times;   /* collect them with udp_socket_event() */
    bool icmp_errors;      /* the same of ICMP errors that answer its packets */
    bool path_mtu;         /* IPv4: set Don't Fragment */
    bool mark_by_option;   /* a setsockopt() a packet instead of a control message; where the system refuses the latter
                              this is found out by itself */
    int receive_bytes, send_bytes; /* buffers of the kernel, 0: its own. Asked for, not promised */
};

/* Who took a time. */
enum udp_time_source { UDP_TIME_NONE, UDP_TIME_PROGRAM, UDP_TIME_KERNEL };

/* One packet, either way. `bytes` belongs to the caller. */
struct udp_packet {
    uint8_t *bytes;
    size_t size; /* room at `bytes`; receive only */
    size_t len;
    struct endpoint peer; /* who sent it, or where it goes; version 0 on a connected socket: its peer */
    struct addr local;    /* received: the address it was sent to. Sending: leave from this address; version 0: any */
    bool to_group;        /* received: it was sent to a multicast or broadcast address */
    unsigned interface;   /* received: index of the interface, 0 unknown. Sending: leave through it; 0: any */
    bool tos_known;       /* received: false where the kernel did not tell; the mark is then unknown, never 0 */
    tos_t tos;            /* sending: this packet's TOS byte or traffic class */
    bool ttl_known;       /* received only */
    uint8_t ttl;
    enum udp_time_source time_source;
    int64_t time_ns; /* received: when, since 1970 */
    bool cut;        /* received: it was longer than `size` */
};

enum { UDP_BATCH_MAX = 64 };

/* ERR_USAGE where this machine has no such address or device, ERR_UNSUPPORTED where it has not that version of IP or
 * does not tell the marks of what it receives, ERR_IO else: the port is taken or forbidden. */
int udp_socket_new(const struct udp_config *config, struct udp_socket **ret, struct error *error);
void udp_socket_free(struct udp_socket *s);
int udp_socket_fd(const struct udp_socket *s); /* for poll() */
void udp_socket_local(const struct udp_socket *s, struct endpoint *ret);

/* Up to `count` packets (at most UDP_BATCH_MAX at once) without waiting: how many, 0 none now, negative on failure. An
 * ICMP error that is pending is no failure: it is passed over, and kept for udp_socket_event() where asked for. */
int udp_socket_receive(struct udp_socket *s, struct udp_packet *packets, size_t count, struct error *error);

/*
 * Sends up to `count` packets (at most UDP_BATCH_MAX at once) in order, each with its own mark. Returns how many the
 * kernel took; fewer than `count` where its buffer is full: wait for POLLOUT and send the rest. `*ret_refused` is 0
 * then; it is the errno where the packet after those was itself refused (EMSGSIZE, EPERM by a firewall, ENETUNREACH,
 * ENOBUFS by a full queue of the interface...): pass over it. Negative: the socket is broken.
 */
int udp_socket_send(struct udp_socket *s, const struct udp_packet *packets, size_t count, int *ret_refused,
                    struct error *error);

enum udp_event_kind { UDP_EVENT_SENT, UDP_EVENT_ICMP };

/* What the kernel told about a packet that was sent. */
struct udp_event {
    enum udp_event_kind kind;
    /* UDP_EVENT_SENT: when the kernel handed a packet to the interface. `id` counts the packets sent on this socket
     * from 0. */
    uint32_t id;
    int64_t time_ns;
    /* UDP_EVENT_ICMP */
    int number;           /* errno: ECONNREFUSED (port unreachable), EHOSTUNREACH, EMSGSIZE... */
    uint8_t type, code;   /* of the ICMP message */
    struct addr offender; /* who said so; version 0 unknown */
    struct endpoint peer; /* where the packet went */
    uint32_t mtu;         /* with EMSGSIZE */
};

/* The next one, without waiting. poll() says POLLERR while there is one. False: none. */
bool udp_socket_event(struct udp_socket *s, struct udp_event *ret);

/* How many packets have been sent on it (the next one's id). */
uint32_t udp_socket_sent_count(const struct udp_socket *s);

/* Packets that the kernel threw away because this socket's buffer was full (SO_RXQ_OVFL), as of the last receive. */
uint64_t udp_socket_dropped(const struct udp_socket *s);

#endif

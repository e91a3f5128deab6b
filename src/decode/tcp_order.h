#ifndef QOSMARK_DECODE_TCP_ORDER_H
#define QOSMARK_DECODE_TCP_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One direction of a TCP connection put in order, with bounds (RFC 9293 §3.4 sequence arithmetic). Bytes that are next
 * are handed on at once without being copied; those that came early are held.
 */
struct tcp_order;

/* All orders share one cap on held bytes; what goes over it counts as lost. */
struct tcp_order_pool {
    size_t held_bytes, max_bytes; /* max_bytes 0: the default, 64 MiB */
    uint64_t overflows;           /* segments, and gaps before them, given up because of a cap */
    bool failed;                  /* or for want of memory, once at least */
};

struct tcp_order_options {
    uint32_t max_ahead_bytes; /* how far ahead a segment is held before the gap is given up; default 256 KiB */
    int64_t max_wait_ns;      /* and how long, by the time of the segments; default 10 s */
};

/* `gap` is true where bytes before these are missing for good (loss, a connection whose beginning was not captured, a
 * new connection on the same ports, cut by the snapshot length): whoever parses must look for the next beginning of a
 * message. `frame` and `time_ns` are of the segment that carried the first of these bytes. */
typedef void (*tcp_order_sink)(void *user, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns);

struct tcp_order *tcp_order_new(struct tcp_order_pool *pool); /* NULL without memory */
void tcp_order_free(struct tcp_order *o); /* takes NULL; gives what it held back to the pool */

/* Other limits than the defaults; 0 in a field is its default. Before the first segment. */
void tcp_order_configure(struct tcp_order *o, const struct tcp_order_options *options);

/*
 * One segment. `len` captured bytes of `wire_len` (less where the snapshot length cut it: the rest is a gap). SYN takes
 * one sequence number; one with another initial sequence number begins a new connection. Retransmissions and overlaps
 * are handed on once (the first copy wins). Calls `sink` zero or more times. RST hands on what is held, behind a gap.
 * FIN does not: what is missing before it may still come, by reordering or retransmission.
 *
 * One segment far from where the connection is does not move it: the second one there does, so that a stray segment
 * costs nothing.
 */
void tcp_order_segment(struct tcp_order *o, uint32_t seq, uint8_t flags, const uint8_t *payload, uint32_t len,
                       uint32_t wire_len, uint64_t frame, int64_t time_ns, tcp_order_sink sink, void *user);

/* The end of the capture, or of the connection: hands on what is held, each piece behind a gap. Segments may follow. */
void tcp_order_flush(struct tcp_order *o, tcp_order_sink sink, void *user);

#endif

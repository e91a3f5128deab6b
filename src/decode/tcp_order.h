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
    uint64_t overflows;           /* segments given up because of the cap */
};

struct tcp_order_options {
    uint32_t max_ahead_bytes; /* how far ahead a segment may be held before the gap before it is given up; default 256 KiB */
};

/* `gap` is true where bytes before these are missing for good (loss, mid-connection start after the first call, cut
 * by the snapshot length): whoever parses must look for the next beginning of a message. `frame` and `time_ns` are of
 * the segment that carried the first of these bytes. */
typedef void (*tcp_order_sink)(void *user, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns);

struct tcp_order *tcp_order_new(struct tcp_order_pool *pool); /* NULL without memory */
void tcp_order_free(struct tcp_order *o);

/*
 * One segment. `len` captured bytes of `wire_len` (less where the snapshot length cut it: the rest is a gap). SYN takes
 * one sequence number. Retransmissions and overlaps are handed on once (the first copy wins). Calls `sink` zero or
 * more times. FIN or RST hand on what is held, behind a gap.
 */
void tcp_order_segment(struct tcp_order *o, uint32_t seq, uint8_t flags, const uint8_t *payload, uint32_t len,
                       uint32_t wire_len, uint64_t frame, int64_t time_ns, tcp_order_sink sink, void *user);

/* The end of the capture: hands on what is held, each piece behind a gap. */
void tcp_order_flush(struct tcp_order *o, tcp_order_sink sink, void *user);

#endif

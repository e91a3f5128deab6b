/*
 * Segments of both directions of a connection, put in order. The bytes of a segment follow from their sequence numbers,
 * so that what is handed on can be told right from wrong.
 *
 * Input: limits 1, then for each segment: options 1 (bit 0: the other direction, bit 1: cut by the snapshot length,
 * bits 2 to 7: TCP flags), sequence number 4, length 2, time 1 in units of 100 ms.
 */
#include "decode/tcp_order.h"
#include "fuzz.h"
#include "model/packet.h"

enum { SEGMENTS_MAX = 4096, OPTION_OTHER = 1, OPTION_CUT = 2, HELD_MAX = 48 * 1024 };

struct direction {
    struct tcp_order *order;
    uint64_t fed_bytes, sunk_bytes;
    uint64_t newest_frame;
    uint8_t next; /* what the next byte must be */
    bool began;
};

FUZZ_UNTRACED static void sink(void *user, const uint8_t *bytes, size_t len, bool gap, uint64_t frame, int64_t time_ns)
{
    struct direction *d = user;
    FUZZ_CHECK(len > 0);
    FUZZ_CHECK(frame >= 1 && frame <= d->newest_frame);
    FUZZ_CHECK(time_ns >= 0);
    if (d->began && !gap)
        FUZZ_CHECK(bytes[0] == d->next);
    for (size_t i = 1; i < len; i++)
        FUZZ_CHECK(bytes[i] == (uint8_t)(bytes[i - 1] + 1));
    d->next = (uint8_t)(bytes[len - 1] + 1);
    d->began = true;
    d->sunk_bytes += len;
    FUZZ_CHECK(d->sunk_bytes <= d->fed_bytes);
}

FUZZ_UNTRACED static void feed(struct direction *d, struct cursor *c, uint8_t options, uint64_t frame, int64_t *now_ns)
{
    uint32_t seq = cur_u32(c);
    uint32_t wire = cur_u16(c) & 0x7ff;
    *now_ns += (int64_t)cur_u8(c) * 100000000;
    if (c->failed)
        return;
    uint32_t len = options & OPTION_CUT ? wire / 2 : wire;
    uint8_t flags = options >> 2;
    uint8_t *bytes = malloc(len);
    FUZZ_CHECK(bytes || len == 0);
    /* a SYN takes the first number, its bytes begin at the next */
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(seq + i + (flags & TCP_SYN ? 1 : 0));
    d->fed_bytes += len;
    d->newest_frame = frame;
    tcp_order_segment(d->order, seq, flags, bytes, len, wire, frame, *now_ns, sink, d);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t limits = cur_u8(&c);
    struct tcp_order_pool pool = {.max_bytes = HELD_MAX};
    struct tcp_order_options options = {.max_ahead_bytes = limits & 1 ? 3000 : 0,
                                        .max_wait_ns = limits & 2 ? 500000000 : 0};
    struct direction directions[2] = {0};
    for (int i = 0; i < 2; i++) {
        directions[i].order = tcp_order_new(&pool);
        FUZZ_CHECK(directions[i].order);
        tcp_order_configure(directions[i].order, &options);
    }
    int64_t now_ns = 0;
    for (uint64_t frame = 1; frame <= SEGMENTS_MAX && cur_left(&c) > 0; frame++) {
        uint8_t o = cur_u8(&c);
        feed(&directions[o & OPTION_OTHER ? 1 : 0], &c, o, frame, &now_ns);
        FUZZ_CHECK(pool.held_bytes <= HELD_MAX);
    }
    tcp_order_flush(directions[0].order, sink, &directions[0]);
    tcp_order_free(directions[0].order);
    tcp_order_free(directions[1].order); /* with what it holds */
    FUZZ_CHECK(pool.held_bytes == 0);
    return 0;
}

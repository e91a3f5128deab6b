/*
 * One frame of any link type, down to its innermost IP header.
 *
 * Input: link type 2, options 1 (bit 0: cut by the snapshot length, bit 1: judge the outermost header), the frame.
 */
#include "packets.h"

enum { OPTION_CUT = 1, OPTION_OUTER = 2 };

static const struct hash_key key = {1, 2};

static struct decoder *decoder_make(bool outer, bool defer)
{
    struct decoder *d = decoder_new(&(struct decoder_options){
        .outer_layer = outer, .defer_fragments = defer, .key = &key, .fragment_bytes = 1 << 14});
    FUZZ_CHECK(d);
    return d;
}

static void run_frame(const struct frame *frame, bool outer)
{
    struct decoder *d = decoder_make(outer, false);
    struct packet p, other;
    enum decode_status status = decoder_frame(d, frame, &p);
    FUZZ_CHECK(status <= DECODE_UNSUPPORTED && status != DECODE_FRAGMENT);
    FUZZ_CHECK(status != DECODE_TRUNCATED || frame->wire_bytes > frame->captured_bytes);
    FUZZ_CHECK(decoder_knows(frame->link_type) || status == DECODE_UNSUPPORTED);
    if (status == DECODE_PACKET) {
        fuzz_check_packet(&p, outer);
        FUZZ_CHECK(p.frame == frame->number && p.time_ns == frame->time_ns && p.input == frame->input);
        FUZZ_CHECK(p.part_count || fuzz_within(p.payload, p.payload_bytes, frame->bytes, frame->captured_bytes));
    }

    /* the lanes' decoder and the one that judges the other header come to the same packet */
    struct decoder *lane = decoder_make(outer, true), *opposite = decoder_make(!outer, false);
    enum decode_status deferred = decoder_frame(lane, frame, &other);
    FUZZ_CHECK(deferred == status || deferred == DECODE_FRAGMENT);
    if (deferred == DECODE_PACKET) {
        fuzz_check_same(&p, &other);
        FUZZ_CHECK(p.tos == other.tos);
    }
    FUZZ_CHECK(decoder_frame(opposite, frame, &other) == status);
    if (status == DECODE_PACKET)
        fuzz_check_same(&p, &other);

    while (decoder_expired(d, INT64_MAX, &p))
        fuzz_check_packet(&p, outer);
    decoder_free(d);
    decoder_free(lane);
    decoder_free(opposite);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint16_t link_type = cur_u16(&c);
    uint8_t options = cur_u8(&c);
    if (c.failed)
        return 0;
    size_t len;
    uint8_t *bytes = fuzz_block(&c, cur_left(&c), &len);
    struct frame frame = {.bytes = bytes,
                          .captured_bytes = (uint32_t)len,
                          .wire_bytes = (uint32_t)len + (options & OPTION_CUT ? 1000 : 0),
                          .time_ns = 1000000000,
                          .number = 1,
                          .link_type = link_type};
    run_frame(&frame, options & OPTION_OUTER);
    free(bytes);
    return 0;
}

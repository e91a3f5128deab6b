#include "testing.h"

#include "classify/rfc4571.h"
#include "classify/rtp.h"

#define RTP_BYTES   32
#define FRAME_BYTES (2 + RTP_BYTES)
#define FRAMES      12

struct got {
    size_t count;
    uint32_t wire[64];
    uint16_t sequence[64];
    uint64_t frame[64];
};

/* No longer than asked for, so that the sanitizer sees what goes beyond. Kept until the end of the test program. */
static uint8_t *buffers[1024];
static size_t buffer_count;

static void reserve(struct framer *f, uint32_t bytes)
{
    assert_true(bytes > f->buffer_bytes && bytes <= FRAMER_BUFFER_BYTES);
    uint8_t *longer = malloc(bytes);
    assert_non_null(longer);
    if (f->buffer_bytes)
        memcpy(longer, f->buffer, f->buffer_bytes);
    for (size_t i = 0; i < buffer_count; i++) {
        if (buffers[i] == f->buffer) {
            free(buffers[i]);
            buffers[i] = buffers[--buffer_count];
        }
    }
    assert_true(buffer_count < sizeof buffers / sizeof *buffers);
    buffers[buffer_count++] = longer;
    f->buffer = longer;
    f->buffer_bytes = bytes;
}

static int free_buffers(void **state)
{
    (void)state;
    while (buffer_count)
        free(buffers[--buffer_count]);
    return 0;
}

static struct framer framer_of(enum media_framing framing)
{
    return (struct framer){.framing = framing, .reserve = reserve};
}

static void take(void *user, const struct framed_packet *p)
{
    struct got *got = user;
    assert_true(p->len <= p->wire_bytes);
    assert_true(got->count < 64);
    got->wire[got->count] = p->wire_bytes;
    if (p->len >= 4)
        got->sequence[got->count] = (uint16_t)((unsigned)p->bytes[2] << 8 | p->bytes[3]);
    got->frame[got->count++] = p->frame;
}

/* RFC 4571 §2: a length of two bytes, then the packet. */
static size_t put_rtp(uint8_t *to, uint16_t sequence, uint8_t ssrc)
{
    memset(to, 0, FRAME_BYTES);
    to[1] = RTP_BYTES;
    to[2] = 0x80;
    to[3] = 111;
    to[4] = (uint8_t)(sequence >> 8);
    to[5] = (uint8_t)sequence;
    to[8] = (uint8_t)sequence;
    to[13] = ssrc;
    return FRAME_BYTES;
}

static size_t stream_of(uint8_t *to)
{
    size_t len = 0;
    for (uint16_t i = 0; i < FRAMES; i++)
        len += put_rtp(to + len, i, 7);
    return len;
}

static void rtp_is_handed_on_from_the_third_frame(void **state)
{
    (void)state;
    uint8_t bytes[FRAMES * FRAME_BYTES];
    struct framer f = framer_of(MEDIA_FRAMING_RFC4571);
    struct got got = {0};
    assert_int_equal(framer_feed(&f, bytes, stream_of(bytes), false, 5, 0, take, &got), FRAMER_ACCEPTED);
    assert_int_equal(got.count, FRAMES - 2);
    assert_int_equal(got.sequence[0], 2);
    assert_int_equal(got.wire[0], RTP_BYTES);
    assert_int_equal(got.frame[0], 5);
}

static void pieces_of_any_size_give_the_same_packets(void **state)
{
    (void)state;
    uint8_t bytes[FRAMES * FRAME_BYTES];
    size_t len = stream_of(bytes);
    for (size_t piece = 1; piece < 80; piece++) {
        struct framer f = framer_of(MEDIA_FRAMING_RFC4571);
        struct got got = {0};
        for (size_t at = 0; at < len; at += piece) {
            size_t n = len - at < piece ? len - at : piece;
            uint8_t *copy = malloc(n);
            assert_non_null(copy);
            memcpy(copy, bytes + at, n);
            (void)framer_feed(&f, copy, n, false, at, 0, take, &got);
            free(copy);
        }
        assert_int_equal(got.count, FRAMES - 2);
        for (size_t i = 0; i < got.count; i++)
            assert_int_equal(got.sequence[i], i + 2);
    }
}

/* RFC 6544 §10.1: ICE checks come first, and the magic cookie proves the framing at once. */
static void a_stun_message_proves_the_framing(void **state)
{
    (void)state;
    uint8_t bytes[22 + FRAME_BYTES] = {0, 20, 0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
    struct framer f = framer_of(MEDIA_FRAMING_RFC4571);
    struct got got = {0};
    put_rtp(bytes + 22, 1, 7);
    assert_int_equal(framer_feed(&f, bytes, sizeof bytes, false, 1, 0, take, &got), FRAMER_ACCEPTED);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.wire[0], 20);
}

static void three_ssrcs_prove_nothing(void **state)
{
    (void)state;
    uint8_t bytes[3 * FRAME_BYTES];
    struct framer f = framer_of(MEDIA_FRAMING_RFC4571);
    struct got got = {0};
    for (uint8_t i = 0; i < 3; i++)
        put_rtp(bytes + i * FRAME_BYTES, i, i);
    assert_int_equal(framer_feed(&f, bytes, sizeof bytes, false, 1, 0, take, &got), FRAMER_UNDECIDED);
    assert_int_equal(got.count, 0);
}

static void text_and_tls_are_rejected(void **state)
{
    (void)state;
    static const uint8_t http[] = "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n";
    static const uint8_t tls[] = {0x16, 0x03, 0x01, 0x00, 0x05, 1, 2, 3, 4, 5};
    struct framer a = framer_of(MEDIA_FRAMING_RFC4571), b = framer_of(MEDIA_FRAMING_RFC4571);
    for (int i = 0; i < 60; i++) {
        (void)framer_feed(&a, http, sizeof http - 1, false, 1, 0, NULL, NULL);
        (void)framer_feed(&b, tls, sizeof tls, false, 1, 0, NULL, NULL);
        assert_int_not_equal(a.state, FRAMER_ACCEPTED);
        assert_int_not_equal(b.state, FRAMER_ACCEPTED);
    }
    (void)framer_feed(&b, tls, sizeof tls, true, 1, 0, NULL, NULL);
    assert_int_not_equal(b.state, FRAMER_ACCEPTED);
}

static void after_a_gap_the_next_segment_is_tried(void **state)
{
    (void)state;
    uint8_t bytes[FRAMES * FRAME_BYTES];
    size_t len = stream_of(bytes);
    struct framer f = framer_of(MEDIA_FRAMING_RFC4571);
    struct got got = {0};
    (void)framer_feed(&f, bytes, len, false, 1, 0, take, &got);
    got.count = 0;
    /* the middle of a frame behind a gap: nothing is handed on, and the place stays lost */
    (void)framer_feed(&f, bytes + 9, 25, true, 2, 0, take, &got);
    assert_int_equal(got.count, 0);
    /* whole frames of the known SSRC: found again */
    assert_int_equal(framer_feed(&f, bytes, len, false, 3, 0, take, &got), FRAMER_ACCEPTED);
    assert_true(got.count >= FRAMES - 3);
    assert_int_equal(got.frame[got.count - 1], 3);
}

static void a_frame_larger_than_the_buffer_is_cut_and_keeps_its_length(void **state)
{
    (void)state;
    enum { LARGE = 3000 };
    uint8_t stun[22] = {0, 20, 0x00, 0x01, 0x00, 0x00, 0x21, 0x12, 0xa4, 0x42};
    static uint8_t frame[2 + LARGE] = {LARGE >> 8, LARGE & 0xff, 0x80, 96, 0, 1};
    struct framer f = framer_of(MEDIA_FRAMING_RFC4571);
    struct got got = {0};
    (void)framer_feed(&f, stun, sizeof stun, false, 1, 0, take, &got);
    (void)framer_feed(&f, frame, 1000, false, 2, 0, take, &got);
    (void)framer_feed(&f, frame + 1000, sizeof frame - 1000, false, 3, 0, take, &got);
    assert_int_equal(got.count, 2);
    assert_int_equal(got.wire[1], LARGE);
    assert_int_equal(got.frame[1], 2);
}

/* RFC 8656 §12.5: in a stream ChannelData is padded to four bytes, which its length does not count. */
static void turn_framing_pads_channel_data(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x01, 0x03, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0,   0, 0,   0,   0,   0,
                                    0,    0,    0, 0, 0,    1,    0x40, 0x00, 0,   5, 'm', 'e', 'd', 'i',
                                    'a',  0,    0, 0, 0x40, 0x00, 0,    1,    'x', 0, 0,   0};
    struct framer f = framer_of(MEDIA_FRAMING_TURN);
    struct got got = {0};
    assert_int_equal(framer_feed(&f, bytes, sizeof bytes, false, 1, 0, take, &got), FRAMER_ACCEPTED);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.wire[0], 20);
    assert_int_equal(got.wire[1], 12);
    assert_int_equal(got.wire[2], 8);
}

static void feed_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const enum media_framing *framing = user;
    struct framer f = framer_of(*framing);
    struct got got = {0};
    (void)framer_feed(&f, prefix, len, false, 1, 0, take, &got);
    (void)framer_feed(&f, prefix, len, true, 2, 0, take, &got);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    uint8_t bytes[FRAMES * FRAME_BYTES];
    size_t len = stream_of(bytes);
    enum media_framing framing = MEDIA_FRAMING_RFC4571;
    for_each_prefix(bytes, len, feed_prefix, &framing);
    framing = MEDIA_FRAMING_TURN;
    for_each_prefix(bytes, len, feed_prefix, &framing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtp_is_handed_on_from_the_third_frame),
        cmocka_unit_test(pieces_of_any_size_give_the_same_packets),
        cmocka_unit_test(a_stun_message_proves_the_framing),
        cmocka_unit_test(three_ssrcs_prove_nothing),
        cmocka_unit_test(text_and_tls_are_rejected),
        cmocka_unit_test(after_a_gap_the_next_segment_is_tried),
        cmocka_unit_test(a_frame_larger_than_the_buffer_is_cut_and_keeps_its_length),
        cmocka_unit_test(turn_framing_pads_channel_data),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests_name("rfc4571", tests, NULL, free_buffers);
}

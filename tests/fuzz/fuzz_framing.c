/*
 * Media in TCP. The first byte is the framing (bit 0) and whether memory for the buffer runs out (bit 1); then pieces
 * as the segments of one direction: a byte (bit 0: something is missing before it), a length of two bytes, and so many
 * bytes.
 */
#include "fuzz.h"

#include "classify/rfc4571.h"

enum { PIECES_MAX = 256 };

struct fed {
    const uint8_t *piece;
    size_t piece_len;
    const struct framer *framer;
    uint64_t frame, packets, bytes;
};

static void take_packet(void *user, const struct framed_packet *p)
{
    struct fed *f = user;
    FUZZ_CHECK(p->len <= p->wire_bytes && p->wire_bytes <= UINT16_MAX + 20);
    FUZZ_CHECK(p->frame <= f->frame && p->time_ns == (int64_t)p->frame);
    /* a whole packet is a slice of the segment, one that straddled lies in the framer's buffer */
    FUZZ_CHECK(fuzz_within(p->bytes, p->len, f->piece, f->piece_len) ||
               fuzz_within(p->bytes, p->len, f->framer->buffer, f->framer->buffer_bytes));
    for (uint32_t i = 0; i < p->len; i++)
        f->bytes += p->bytes[i];
    f->packets++;
}

static void reserve(struct framer *f, uint32_t bytes)
{
    FUZZ_CHECK(bytes <= FRAMER_BUFFER_BYTES && bytes > f->buffer_bytes);
    uint8_t *grown = realloc(f->buffer, bytes);
    FUZZ_CHECK(grown);
    f->buffer = grown;
    f->buffer_bytes = bytes;
}

static void reserve_little(struct framer *f, uint32_t bytes)
{
    if (bytes <= 64)
        reserve(f, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t flags = cur_u8(&c);
    struct framer framer = {.framing = flags & 1 ? MEDIA_FRAMING_TURN : MEDIA_FRAMING_RFC4571,
                            .reserve = flags & 2 ? reserve_little : reserve};
    struct fed fed = {.framer = &framer};
    size_t total = 0;
    for (int i = 0; i < PIECES_MAX && cur_left(&c) >= 3; i++) {
        enum framer_state before = framer.state;
        bool gap = cur_u8(&c) & 1;
        size_t len;
        uint8_t *piece = fuzz_block(&c, cur_u16(&c), &len);
        fed.piece = piece;
        fed.piece_len = len;
        fed.frame++;
        total += len;
        enum framer_state state =
            framer_feed(&framer, piece, len, gap, fed.frame, (int64_t)fed.frame, take_packet, &fed);
        FUZZ_CHECK(state == framer.state);
        FUZZ_CHECK(before == FRAMER_UNDECIDED || state == before); /* what was decided stays */
        FUZZ_CHECK(framer.held <= framer.need || framer.need == 0);
        FUZZ_CHECK(fed.packets <= total / 4);
        free(piece);
    }
    free(framer.buffer);
    return 0;
}

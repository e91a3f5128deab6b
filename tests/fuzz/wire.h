#ifndef QOSMARK_TESTS_FUZZ_WIRE_H
#define QOSMARK_TESTS_FUZZ_WIRE_H

#include "fuzz.h"

/*
 * How a binary message is handed to its parser: the first byte of an input says how many of its bytes the snapshot
 * length left (255: all of them).
 */
struct fuzz_wire {
    uint8_t *bytes;
    size_t len;    /* of the whole message */
    uint8_t *part; /* its beginning, in a block of its own */
    size_t part_len;
};

static inline bool fuzz_wire_take(const uint8_t *data, size_t size, struct fuzz_wire *ret)
{
    struct cursor c = cur_make(data, size, false);
    uint8_t share = cur_u8(&c);
    if (size < 1)
        return false;
    struct cursor again = c;
    ret->bytes = fuzz_block(&c, cur_left(&c), &ret->len);
    ret->part = fuzz_block(&again, share == 255 ? ret->len : ret->len * share / 255, &ret->part_len);
    return true;
}

static inline struct cursor fuzz_wire_whole(const struct fuzz_wire *w)
{
    return cur_make(w->bytes, w->len, false);
}

static inline struct cursor fuzz_wire_part(const struct fuzz_wire *w)
{
    return cur_make(w->part, w->part_len, w->part_len < w->len);
}

/* What a snapshot length took away makes no sender wrong: a message that is right is never called malformed then. */
static inline void fuzz_wire_check(enum parse_status whole, enum parse_status part)
{
    FUZZ_CHECK(whole <= PARSE_UNSUPPORTED && part <= PARSE_UNSUPPORTED);
    FUZZ_CHECK(whole != PARSE_TRUNCATED);
    FUZZ_CHECK(whole != PARSE_OK || part == PARSE_OK || part == PARSE_TRUNCATED);
}

static inline void fuzz_wire_done(struct fuzz_wire *w)
{
    free(w->bytes);
    free(w->part);
}

#endif

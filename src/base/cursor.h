#ifndef QOSMARK_BASE_CURSOR_H
#define QOSMARK_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What became of a parse. The four are counted apart in every report: a capture that was cut is no evidence of a
 * broken sender.
 */
enum parse_status {
    PARSE_OK = 0,
    PARSE_TRUNCATED,   /* the capture ended (snapshot length) before the protocol did */
    PARSE_MALFORMED,   /* the bytes contradict the protocol */
    PARSE_UNSUPPORTED, /* well-formed as far as seen, but nothing that this parser reads */
};

/*
 * A read position in borrowed bytes whose error latches: after one short read every read gives 0 and nothing is left,
 * so that a parser may read on and check once, with cur_status(). Values come in host order.
 *
 * `cut` says that the bytes end where the snapshot length cut the packet, not where the sender ended it; it decides
 * between PARSE_TRUNCATED and PARSE_MALFORMED.
 */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
    bool cut;
};

static inline struct cursor cur_make(const void *bytes, size_t len, bool cut)
{
    const uint8_t *at = bytes;
    return (struct cursor){.at = at, .end = len ? at + len : at, .failed = false, .cut = cut};
}

/* Bytes left; 0 once a read has failed. */
static inline size_t cur_left(const struct cursor *c)
{
    return (size_t)(c->end - c->at);
}

static inline void cur_fail(struct cursor *c)
{
    c->failed = true;
    c->at = c->end;
}

/* PARSE_OK, or why a read failed. */
static inline enum parse_status cur_status(const struct cursor *c)
{
    return !c->failed ? PARSE_OK : c->cut ? PARSE_TRUNCATED : PARSE_MALFORMED;
}

/* Steps over `n` bytes and returns where they begin, or NULL (and the latch is set) where fewer are left. */
static inline const uint8_t *cur_take(struct cursor *c, size_t n)
{
    const uint8_t *p = c->at;
    if (cur_left(c) < n || c->failed) {
        cur_fail(c);
        return NULL;
    }
    c->at = n ? p + n : p;
    return p;
}

static inline void cur_skip(struct cursor *c, size_t n)
{
    (void)cur_take(c, n);
}

static inline uint8_t cur_u8(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cur_u16(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 2);
    return p ? (uint16_t)((unsigned)p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cur_u24(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t cur_u32(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cur_u64(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 8);
    uint64_t v = 0;
    if (p)
        for (int i = 0; i < 8; i++)
            v = v << 8 | p[i];
    return v;
}

static inline uint16_t cur_le16(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 2);
    return p ? (uint16_t)((unsigned)p[1] << 8 | p[0]) : 0;
}

static inline uint32_t cur_le32(struct cursor *c)
{
    const uint8_t *p = cur_take(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t cur_le64(struct cursor *c)
{
    uint64_t low = cur_le32(c);
    uint64_t high = cur_le32(c);
    return high << 32 | low;
}

/* The byte `offset` ahead without moving; 0 and no latch where there is none: test cur_left() where 0 has meaning. */
static inline uint8_t cur_peek(const struct cursor *c, size_t offset)
{
    return cur_left(c) > offset ? c->at[offset] : 0;
}

/*
 * The child slice that a length field announces: the next `len` bytes, which this cursor steps over, so that no child
 * outgrows its parent. Where fewer are left and the packet was cut, the child is what is left and is cut too; where it
 * was not cut, this cursor fails and the child has failed.
 */
static inline struct cursor cur_child(struct cursor *c, size_t len)
{
    struct cursor child = *c;
    if (c->failed)
        return child; /* truncated or malformed, as its parent */
    if (cur_left(c) < len) {
        if (!c->cut)
            cur_fail(&child);
        cur_fail(c);
        return child;
    }
    child.end = len ? c->at + len : c->at;
    child.cut = false;
    c->at = child.end;
    return child;
}

#endif

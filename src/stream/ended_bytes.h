#ifndef QOSMARK_STREAM_ENDED_BYTES_H
#define QOSMARK_STREAM_ENDED_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/tape.h"
#include "model/record.h"
#include "stream/varint.h"

/* The bytes of an entry of stream/ended.h, written and read one after the other: what was written by the same program is
 * not checked. */

struct writer {
    uint8_t bytes[TAPE_ENTRY_MAX];
    size_t n;
};

static inline void put(struct writer *w, const void *bytes, size_t len)
{
    memcpy(w->bytes + w->n, bytes, len);
    w->n += len;
}

static inline void put_byte(struct writer *w, uint8_t byte)
{
    w->bytes[w->n++] = byte;
}

static inline void put_number(struct writer *w, uint64_t number)
{
    w->n += varint_write(w->bytes + w->n, number);
}

/* Relative to another one that is near. */
static inline void put_time(struct writer *w, int64_t time_ns, int64_t base_ns)
{
    put_number(w, varint_of_signed((int64_t)((uint64_t)time_ns - (uint64_t)base_ns)));
}

static inline void put_frame(struct writer *w, struct frame_ref frame, struct frame_ref base)
{
    put_number(w, varint_of_signed((int64_t)(frame.frame - base.frame)));
    put_number(w, varint_of_signed((int64_t)frame.input - (int64_t)base.input));
}

struct reader {
    const uint8_t *at;
};

static inline void get(struct reader *r, void *to, size_t len)
{
    memcpy(to, r->at, len);
    r->at += len;
}

static inline uint8_t get_byte(struct reader *r)
{
    return *r->at++;
}

static inline uint64_t get_number(struct reader *r)
{
    uint64_t number;
    r->at += varint_read(r->at, &number);
    return number;
}

static inline int64_t get_time(struct reader *r, int64_t base_ns)
{
    return (int64_t)((uint64_t)base_ns + (uint64_t)varint_to_signed(get_number(r)));
}

static inline struct frame_ref get_frame(struct reader *r, struct frame_ref base)
{
    uint64_t frame = base.frame + (uint64_t)varint_to_signed(get_number(r));
    return (struct frame_ref){frame, (uint32_t)((int64_t)base.input + varint_to_signed(get_number(r)))};
}

#endif

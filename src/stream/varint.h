#ifndef QOSMARK_STREAM_VARINT_H
#define QOSMARK_STREAM_VARINT_H

#include <stddef.h>
#include <stdint.h>

/* Numbers in as few bytes as they need, seven bits in each, the lowest first: for what the table itself wrote, not for
 * anything from the network. */
enum { VARINT_MAX = 10 };

static inline size_t varint_write(uint8_t to[static VARINT_MAX], uint64_t number)
{
    size_t n = 0;
    for (; number > 0x7f; number >>= 7)
        to[n++] = (uint8_t)(number | 0x80);
    to[n++] = (uint8_t)number;
    return n;
}

static inline size_t varint_read(const uint8_t *from, uint64_t *ret)
{
    size_t n = 0;
    uint64_t number = 0;
    do
        number |= (uint64_t)(from[n] & 0x7f) << (7 * n);
    while (from[n++] & 0x80);
    *ret = number;
    return n;
}

/* Small numbers of either sign. */
static inline uint64_t varint_of_signed(int64_t number)
{
    return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static inline int64_t varint_to_signed(uint64_t number)
{
    return (int64_t)(number >> 1 ^ (number & 1 ? UINT64_MAX : 0));
}

#endif

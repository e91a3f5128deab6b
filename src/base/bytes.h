#ifndef QOSMARK_BASE_BYTES_H
#define QOSMARK_BASE_BYTES_H

#include <stdint.h>

/* Numbers into packets, in network byte order (RFC 1700). Reading has a cursor of its own (base/cursor.h). */

static inline void store_be16(uint8_t *to, uint32_t v) /* the low 16 bits */
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static inline void store_be32(uint8_t *to, uint32_t v)
{
    store_be16(to, v >> 16);
    store_be16(to + 2, v);
}

static inline void store_be64(uint8_t *to, uint64_t v)
{
    store_be32(to, (uint32_t)(v >> 32));
    store_be32(to + 4, (uint32_t)v);
}

#endif

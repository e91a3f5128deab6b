#ifndef QOSMARK_CAPTURE_PCAPNG_INTERFACE_H
#define QOSMARK_CAPTURE_PCAPNG_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/* Integers of a pcapng section come in the byte order of who wrote it. */
struct pcapng_cursor {
    struct cursor c;
    bool big_endian;
};

uint16_t pcapng_u16(struct pcapng_cursor *c);
uint32_t pcapng_u32(struct pcapng_cursor *c);
uint64_t pcapng_u64(struct pcapng_cursor *c);

struct pcapng_option {
    uint16_t code;
    struct pcapng_cursor value;
};

/* The next option (draft-ietf-opsawg-pcapng §3.5); false at opt_endofopt and where none is left that is whole. */
bool pcapng_option_next(struct pcapng_cursor *c, struct pcapng_option *ret);

/* What an Interface Description Block says that matters here (§4.2). */
struct pcapng_interface {
    uint16_t link_type;      /* LINKTYPE_ */
    uint32_t snap_bytes;     /* 0: no limit */
    uint8_t resolution;      /* if_tsresol as it stands: 10^-n, or 2^-n with the upper bit set */
    int64_t offset_s;        /* if_tsoffset */
    uint64_t reported_drops; /* the latest Interface Statistics Block's */
    uint64_t packet_drops;   /* the sum of what packets say was lost before them */
};

/* The body of an Interface Description Block. False where it is too short. */
bool pcapng_interface_parse(struct pcapng_cursor body, struct pcapng_interface *ret);

/* A timestamp of that interface as nanoseconds since 1970, clamped to what fits. */
int64_t pcapng_interface_time(const struct pcapng_interface *i, uint64_t timestamp);

#endif

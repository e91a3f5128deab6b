#include "capture/pcapng_interface.h"

#include "base/clock.h"
#include "capture/reader.h"

enum { OPTION_END = 0, IF_TSRESOL = 9, IF_TSOFFSET = 14, BINARY_RESOLUTION = 0x80, MICROSECONDS = 6, NANOSECONDS = 9 };

/* 146 years before and after 1970: the nanoseconds between any two times of a capture have to fit as well. */
static const int64_t second_max = INT64_MAX / 2 / NS_PER_S - 1;

uint16_t pcapng_u16(struct pcapng_cursor *c)
{
    return c->big_endian ? cur_u16(&c->c) : cur_le16(&c->c);
}

uint32_t pcapng_u32(struct pcapng_cursor *c)
{
    return c->big_endian ? cur_u32(&c->c) : cur_le32(&c->c);
}

uint64_t pcapng_u64(struct pcapng_cursor *c)
{
    return c->big_endian ? cur_u64(&c->c) : cur_le64(&c->c);
}

bool pcapng_option_next(struct pcapng_cursor *c, struct pcapng_option *ret)
{
    struct pcapng_option o = {.code = pcapng_u16(c)};
    uint16_t len = pcapng_u16(c);
    if (c->c.failed || o.code == OPTION_END)
        return false;
    o.value = (struct pcapng_cursor){cur_child(&c->c, len), c->big_endian};
    if (o.value.c.failed || c->c.failed)
        return false;
    /* the padding of the last option may be missing */
    size_t padding = -(size_t)len & 3;
    cur_skip(&c->c, padding < cur_left(&c->c) ? padding : cur_left(&c->c));
    *ret = o;
    return true;
}

bool pcapng_interface_parse(struct pcapng_cursor body, struct pcapng_interface *ret)
{
    struct pcapng_interface i = {.resolution = MICROSECONDS};
    i.link_type = reader_link_type(pcapng_u16(&body));
    (void)pcapng_u16(&body);
    i.snap_bytes = pcapng_u32(&body);
    if (body.c.failed)
        return false;
    struct pcapng_option o;
    while (pcapng_option_next(&body, &o)) {
        if (o.code == IF_TSRESOL && cur_left(&o.value.c) == 1)
            i.resolution = cur_u8(&o.value.c);
        else if (o.code == IF_TSOFFSET && cur_left(&o.value.c) == 8)
            i.offset_s = (int64_t)pcapng_u64(&o.value);
    }
    *ret = i;
    return true;
}

/* Whole seconds of a timestamp in units of 10^-n, and the rest in nanoseconds. */
static uint64_t split_decimal(uint64_t timestamp, unsigned n, uint64_t *ret_ns)
{
    uint64_t unit = 1, seconds = 0, rest = timestamp;
    /* 10^20 is beyond 64 bits: such a timestamp is less than a second */
    if (n < 20) {
        for (unsigned k = 0; k < n; k++)
            unit *= 10;
        seconds = timestamp / unit;
        rest = timestamp % unit;
    }
    for (; n < NANOSECONDS; n++)
        rest *= 10;
    for (; n > NANOSECONDS; n--)
        rest /= 10;
    *ret_ns = rest;
    return seconds;
}

/* The same in units of 2^-n. */
static uint64_t split_binary(uint64_t timestamp, unsigned n, uint64_t *ret_ns)
{
    uint64_t seconds = n < 64 ? timestamp >> n : 0;
    uint64_t rest = n < 64 ? timestamp & ((UINT64_C(1) << n) - 1) : timestamp;
    /* 32 bits of fraction are finer than a nanosecond, and their product with 10^9 fits */
    if (n > 32) {
        rest = n - 32 < 64 ? rest >> (n - 32) : 0;
        n = 32;
    }
    *ret_ns = rest * (uint64_t)NS_PER_S >> n;
    return seconds;
}

int64_t pcapng_interface_time(const struct pcapng_interface *i, uint64_t timestamp)
{
    uint64_t ns = 0;
    unsigned n = i->resolution & 0x7fu;
    uint64_t whole =
        i->resolution & BINARY_RESOLUTION ? split_binary(timestamp, n, &ns) : split_decimal(timestamp, n, &ns);
    int64_t seconds = whole > (uint64_t)second_max ? second_max : (int64_t)whole;
    if (i->offset_s > 0 && seconds > second_max - i->offset_s)
        seconds = second_max;
    else if (i->offset_s < 0 && (i->offset_s < -second_max || seconds + i->offset_s < -second_max))
        seconds = -second_max;
    else
        seconds += i->offset_s;
    return seconds * NS_PER_S + (int64_t)ns;
}

#include "probe/stamp_time.h"

#include <math.h>

#include "base/clock.h"

/* Seconds from 1900 to 1970, RFC 5905 figure 4. */
#define NTP_EPOCH 2208988800U

uint16_t stamp_error_write(struct stamp_error_estimate e)
{
    return (uint16_t)((e.synchronized ? 0x8000U : 0U) | (e.format == STAMP_PTP ? 0x4000U : 0U) |
                      (unsigned)(e.scale & 63) << 8 | e.multiplier);
}

struct stamp_error_estimate stamp_error_read(uint16_t wire)
{
    return (struct stamp_error_estimate){.synchronized = wire >> 15 & 1,
                                         .format = wire >> 14 & 1 ? STAMP_PTP : STAMP_NTP,
                                         .scale = (uint8_t)(wire >> 8 & 63),
                                         .multiplier = (uint8_t)(wire & 0xff)};
}

double stamp_error_seconds(struct stamp_error_estimate e)
{
    return e.multiplier == 0 ? -1.0 : ldexp((double)e.multiplier, (int)e.scale - 32);
}

struct stamp_error_estimate stamp_error_from_ns(uint64_t ns, bool synchronized, enum stamp_time_format format)
{
    double error = (double)ns / 1e9;
    unsigned scale = 0;
    while (scale < 63 && ceil(ldexp(error, 32 - (int)scale)) > 255.0)
        scale++;
    double multiplier = ceil(ldexp(error, 32 - (int)scale));
    return (struct stamp_error_estimate){.synchronized = synchronized,
                                         .format = format,
                                         .scale = (uint8_t)scale,
                                         .multiplier = multiplier < 1.0     ? 1
                                                       : multiplier > 255.0 ? 255
                                                                            : (uint8_t)multiplier};
}

uint64_t stamp_time_write(int64_t ns, enum stamp_time_format format)
{
    int64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    if (format == STAMP_PTP)
        return (uint64_t)(uint32_t)seconds << 32 | (uint32_t)rest;
    /* rounded up, so that reading it, which rounds down, gives the same nanosecond */
    uint64_t fraction = (((uint64_t)rest << 32) + NS_PER_S - 1) / NS_PER_S;
    return (uint64_t)((uint32_t)seconds + NTP_EPOCH) << 32 | (uint32_t)fraction;
}

struct stamp_instant stamp_time_read(uint64_t wire, enum stamp_time_format format)
{
    uint32_t seconds = (uint32_t)(wire >> 32), fraction = (uint32_t)wire;
    if (wire == 0 || (format == STAMP_PTP && fraction >= NS_PER_S))
        return (struct stamp_instant){.known = false, .ns = 0};
    if (format == STAMP_PTP)
        return (struct stamp_instant){.known = true, .ns = (int64_t)seconds * NS_PER_S + fraction};
    /* RFC 4330 §3: with the first bit set it is before 2036, without it after */
    int64_t since_1900 = seconds >> 31 ? (int64_t)seconds : (int64_t)seconds + (INT64_C(1) << 32);
    return (struct stamp_instant){.known = true,
                                  .ns = (since_1900 - (int64_t)NTP_EPOCH) * NS_PER_S +
                                        (int64_t)((uint64_t)fraction * (uint64_t)NS_PER_S >> 32)};
}

#ifndef QOSMARK_PROBE_STAMP_TIME_H
#define QOSMARK_PROBE_STAMP_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 8762 §4.2.1: bit Z of the Error Estimate says how the timestamps of the same end are written. */
enum stamp_time_format {
    STAMP_NTP = 0, /* 32.32 since 1900 (RFC 5905 §6) */
    STAMP_PTP = 1, /* 32-bit seconds and 32-bit nanoseconds since 1970 (truncated PTPv2, RFC 8877 §4.3) */
};

/* RFC 4656 §4.1.2: S(1) Z(1) Scale(6) Multiplier(8); the error is multiplier · 2^(scale − 32) seconds. */
struct stamp_error_estimate {
    bool synchronized; /* S: to UTC, by an outside source */
    enum stamp_time_format format;
    uint8_t scale, multiplier; /* a multiplier of 0 is corrupt: stamp_error_seconds() */
};

uint16_t stamp_error_write(struct stamp_error_estimate e);
struct stamp_error_estimate stamp_error_read(uint16_t wire);
/* Negative where it is corrupt. */
double stamp_error_seconds(struct stamp_error_estimate e);
/* The smallest estimate that is at least `ns`. */
struct stamp_error_estimate stamp_error_from_ns(uint64_t ns, bool synchronized, enum stamp_time_format format);

/* A point in time by the clock of the end that wrote it. */
struct stamp_instant {
    bool known; /* false: written as 0 (an end that cannot tell), or no time at all */
    int64_t ns; /* since 1970 */
};

/* NTP times are read as of 1968 to 2104 (RFC 4330 §3); a written one comes back within a nanosecond. PTP seconds are
 * taken as they are: an end whose PTP clock counts TAI is ahead of UTC by the leap seconds, which differences of one
 * end's own times do not feel. */
uint64_t stamp_time_write(int64_t ns, enum stamp_time_format format);
struct stamp_instant stamp_time_read(uint64_t wire, enum stamp_time_format format);

#endif

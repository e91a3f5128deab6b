#ifndef QOSMARK_PROBE_STAMP_CLOCK_H
#define QOSMARK_PROBE_STAMP_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/stamp_time.h"

/* RFC 8972 §5.4 and §5.5 */
enum stamp_sync_source { STAMP_SYNC_UNKNOWN = 0, STAMP_SYNC_NTP = 1, STAMP_SYNC_FREE_RUNNING = 5 };
enum stamp_time_method { STAMP_METHOD_UNKNOWN = 0, STAMP_METHOD_SOFTWARE = 2 };

/* What the kernel knows of this machine's clock (adjtimex). */
struct stamp_clock {
    bool synchronized;
    uint64_t error_ns; /* the kernel's estimate of the maximum */
};

void stamp_clock_read(struct stamp_clock *ret);

/* As the packets say it. */
struct stamp_error_estimate stamp_clock_estimate(const struct stamp_clock *c, enum stamp_time_format format);

#endif

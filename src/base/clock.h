#ifndef QOSMARK_BASE_CLOCK_H
#define QOSMARK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

/* What it is now, in nanoseconds: of a clock that only goes forward, and since 1970. For rooms that act at a time. */
int64_t clock_monotonic_ns(void);
int64_t clock_wall_ns(void);

/* Room for "2026-11-22T09:00:00.000000000Z" and its NUL, with years beyond 9999. */
#define CLOCK_TEXT_MAX 48

/* Nanoseconds since 1970 in UTC as RFC 3339 with nine decimals. */
void clock_format(int64_t ns, char text[static CLOCK_TEXT_MAX]);

#endif

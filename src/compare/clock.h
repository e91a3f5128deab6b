#ifndef QOSMARK_COMPARE_CLOCK_H
#define QOSMARK_COMPARE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two clocks, seen through packets that pass both: how much the far one is ahead, with the least delay in it, and how
 * fast that changes. The line below all differences that comes nearest to them (an edge of their lower convex hull;
 * Moon, Skelly and Towsley 1999): queueing delays only ever add to a difference.
 */
struct compare_sample {
    int64_t near_ns, far_ns;
};

struct compare_clock {
    bool known;
    int64_t origin_ns, offset_ns; /* at the origin the far clock shows so much more, at least */
    double drift;                 /* and gains so much of a second each second */
    double most_ns;               /* the greatest delay above the line */
};

/* `samples` by near_ns, ascending. Not known where there are none. Drift is 0 where there is too little to tell it by.
 */
struct compare_clock compare_clock_fit(const struct compare_sample *samples, size_t n, uint32_t *scratch);

/* When a packet that the near capture shows at `near_ns` is at the far one at the earliest, by the far clock. */
int64_t compare_clock_earliest(const struct compare_clock *c, int64_t near_ns);

/* Delay above the least one, in nanoseconds; never negative. */
double compare_clock_delay(const struct compare_clock *c, const struct compare_sample *s);

#endif

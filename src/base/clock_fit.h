#ifndef QOSMARK_BASE_CLOCK_FIT_H
#define QOSMARK_BASE_CLOCK_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Two clocks, seen through packets that pass both: how much the far one is ahead, with the least delay in it, and how
 * fast that changes. The line below all differences that comes nearest to them (an edge of their lower convex hull;
 * Moon, Skelly and Towsley 1999): queueing delays only ever add to a difference.
 */
struct clock_sample {
    int64_t near_ns, far_ns;
};

struct clock_fit {
    bool known;
    int64_t origin_ns, offset_ns; /* at the origin the far clock shows so much more, at least */
    double drift;                 /* and gains so much of a second each second */
    double most_ns;               /* the greatest delay above the line */
};

/* `samples` by near_ns, ascending. Not known where there are none. Drift is 0 where there is too little to tell it by.
 */
struct clock_fit clock_fit_make(const struct clock_sample *samples, size_t n, uint32_t *scratch);

/* When a packet that the near capture shows at `near_ns` is at the far one at the earliest, by the far clock. */
int64_t clock_fit_earliest(const struct clock_fit *c, int64_t near_ns);

/* Delay above the least one, in nanoseconds; never negative. */
double clock_fit_delay(const struct clock_fit *c, const struct clock_sample *s);

#endif

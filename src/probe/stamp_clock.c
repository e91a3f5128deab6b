#include "probe/stamp_clock.h"

#include <sys/timex.h>

void stamp_clock_read(struct stamp_clock *ret)
{
    struct timex t = {.modes = 0};
    int state = adjtimex(&t);
    *ret = (struct stamp_clock){.synchronized = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC)};
    ret->error_ns = state >= 0 && t.maxerror > 0 ? (uint64_t)t.maxerror * 1000 : 0;
}

struct stamp_error_estimate stamp_clock_estimate(const struct stamp_clock *c, enum stamp_time_format format)
{
    return stamp_error_from_ns(c->error_ns, c->synchronized, format);
}

#include "base/clock_fit.h"

#include "base/clock.h"

enum { SAMPLES_LEAST = 16 };

#define SPAN_LEAST_NS NS_PER_S
#define DRIFT_MOST    1e-3 /* beyond that a clock was set, not slow */

static long double x_of(const struct clock_sample *s, const struct clock_sample *first)
{
    return (long double)(s->near_ns - first->near_ns);
}

static long double y_of(const struct clock_sample *s, const struct clock_sample *first)
{
    return (long double)(s->far_ns - s->near_ns) - (long double)(first->far_ns - first->near_ns);
}

/* Whether `b` lies on or above the line from `a` to `c`. */
static bool is_above(const struct clock_sample *a, const struct clock_sample *b, const struct clock_sample *c,
                     const struct clock_sample *first)
{
    long double abx = x_of(b, first) - x_of(a, first), aby = y_of(b, first) - y_of(a, first);
    long double acx = x_of(c, first) - x_of(a, first), acy = y_of(c, first) - y_of(a, first);
    return aby * acx >= acy * abx;
}

static size_t lower_hull(const struct clock_sample *s, size_t n, uint32_t *hull)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        while (count >= 2 && is_above(&s[hull[count - 2]], &s[hull[count - 1]], &s[i], s))
            count--;
        hull[count++] = (uint32_t)i;
    }
    return count;
}

static void fit_line(const struct clock_sample *s, size_t n, uint32_t *hull, struct clock_fit *c)
{
    long double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x_of(&s[i], s);
    long double mean = sum / (long double)n;
    size_t count = lower_hull(s, n, hull), edge = 1;
    while (edge + 1 < count && x_of(&s[hull[edge]], s) < mean)
        edge++;
    const struct clock_sample *a = &s[hull[edge - 1]], *b = &s[hull[edge]];
    long double run = x_of(b, s) - x_of(a, s);
    double drift = run > 0 ? (double)((y_of(b, s) - y_of(a, s)) / run) : 0;
    if (drift > DRIFT_MOST || drift < -DRIFT_MOST)
        return;
    c->drift = drift;
    c->origin_ns = a->near_ns;
    c->offset_ns = a->far_ns - a->near_ns;
}

struct clock_fit clock_fit_make(const struct clock_sample *s, size_t n, uint32_t *scratch)
{
    struct clock_fit c = {0};
    if (n == 0)
        return c;
    c.known = true;
    c.origin_ns = s[0].near_ns;
    c.offset_ns = s[0].far_ns - s[0].near_ns;
    for (size_t i = 1; i < n; i++)
        if (s[i].far_ns - s[i].near_ns < c.offset_ns)
            c.offset_ns = s[i].far_ns - s[i].near_ns;
    if (n >= SAMPLES_LEAST && s[n - 1].near_ns - s[0].near_ns >= SPAN_LEAST_NS)
        fit_line(s, n, scratch, &c);
    for (size_t i = 0; i < n; i++) {
        double delay = clock_fit_delay(&c, &s[i]);
        c.most_ns = delay > c.most_ns ? delay : c.most_ns;
    }
    return c;
}

int64_t clock_fit_earliest(const struct clock_fit *c, int64_t near_ns)
{
    return near_ns + c->offset_ns + (int64_t)(c->drift * (double)(near_ns - c->origin_ns));
}

double clock_fit_delay(const struct clock_fit *c, const struct clock_sample *s)
{
    double delay = (double)(s->far_ns - s->near_ns - c->offset_ns) - c->drift * (double)(s->near_ns - c->origin_ns);
    return delay > 0 ? delay : 0;
}

#ifndef QOSMARK_MODEL_STATISTICS_H
#define QOSMARK_MODEL_STATISTICS_H

#include <stddef.h>
#include <stdint.h>

#include "model/probe_document.h"

/* Pure functions of numbers: no clock, no I/O. `error` of an interval is the chance that it misses, both sides
 * together: 0.05 for a confidence of 95 %; above 0 and below 1. */

/* How many standard deviations a normal variable stays within but for `error`: 1.96 for 0.05. */
double statistics_normal(double error);

/* Ascending, in place. */
void statistics_sort(double *values, size_t n);

/* The q-quantile (0..1) of sorted values, linear between the two nearest (Hyndman and Fan 1996, type 7). 0 for n == 0.
 */
double statistics_quantile(const double *sorted, size_t n, double q);

/* Least, median, p95, p99 and greatest of sorted values. */
struct probe_spread statistics_spread(const double *sorted, size_t n);

/* Interarrival jitter (RFC 3550 section 6.4.1): J += (|D| - J) / 16, where D is the difference of the transit times of
 * two packets that follow one another. The clocks of both ends need not agree. */
struct jitter {
    double value;
    uint64_t differences;
};
void jitter_add(struct jitter *j, double difference);
double jitter_value(const struct jitter *j); /* negative: not known (no two packets) */

/* Wilson score interval of a share, k of n (Wilson 1927); not known where n is 0. */
struct probe_interval statistics_share(uint64_t k, uint64_t n, double error);

/* k1/n1 - k2/n2 with the hybrid score interval (Newcombe 1998, method 10); not known where an n is 0. */
struct probe_interval statistics_share_difference(uint64_t k1, uint64_t n1, uint64_t k2, uint64_t n2, double error);

/* The chance (0..1) that a fair coin falls as unevenly as `more` against `less`, either way: the exact sign test. 1 for
 * none. */
double statistics_sign_chance(uint64_t more, uint64_t less);

/*
 * Location of paired differences: the Hodges-Lehmann estimate (median of the Walsh averages) and the interval that
 * belongs to Wilcoxon's signed-rank test (Hollander, Wolfe and Chicken, section 3.3). `sorted` are the differences in
 * ascending order. The exact distribution up to 50 pairs, its normal approximation above. Not known below
 * STATISTICS_PAIRS_LEAST, nor where so few pairs cannot give so small an error.
 *
 * Why this one: the packets of a round are sent in random order, so that without an effect of the mark their delays may
 * be exchanged; the sign of each difference is then a coin's, whatever the queue on the path did and however the delays
 * of one round follow from those of the last. A test that takes samples for independent would find effects that are
 * none.
 */
enum { STATISTICS_PAIRS_LEAST = 8 };
struct probe_interval statistics_paired_shift(const double *sorted, size_t n, double error);

#endif

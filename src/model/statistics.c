#include "model/statistics.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double statistics_normal(double error)
{
    double low = 0, high = 40;
    for (int i = 0; i < 100; i++) {
        double middle = (low + high) / 2;
        *(erfc(middle / sqrt(2)) > error ? &low : &high) = middle;
    }
    return high;
}

void statistics_sort(double *values, size_t n)
{
    if (n > 1)
        qsort(values, n, sizeof *values, compare);
}

double statistics_quantile(const double *sorted, size_t n, double q)
{
    if (n == 0)
        return 0;
    double place = q * (double)(n - 1);
    size_t below = (size_t)place;
    if (below + 1 >= n)
        return sorted[n - 1];
    return sorted[below] + (place - (double)below) * (sorted[below + 1] - sorted[below]);
}

struct probe_spread statistics_spread(const double *sorted, size_t n)
{
    if (n == 0)
        return (struct probe_spread){0};
    return (struct probe_spread){
        .count = n,
        .min = sorted[0],
        .median = statistics_quantile(sorted, n, 0.5),
        .p95 = statistics_quantile(sorted, n, 0.95),
        .p99 = statistics_quantile(sorted, n, 0.99),
        .max = sorted[n - 1],
    };
}

void jitter_add(struct jitter *j, double difference)
{
    j->value += (fabs(difference) - j->value) / 16;
    j->differences++;
}

double jitter_value(const struct jitter *j)
{
    return j->differences ? j->value : -1;
}

struct probe_interval statistics_share(uint64_t k, uint64_t n, double error)
{
    if (n == 0)
        return (struct probe_interval){0};
    double z = statistics_normal(error), count = (double)n, p = (double)k / count, z2 = z * z;
    double middle = (p + z2 / (2 * count)) / (1 + z2 / count);
    double half = z * sqrt(p * (1 - p) / count + z2 / (4 * count * count)) / (1 + z2 / count);
    double low = k == 0 ? 0 : middle - half, high = k == n ? 1 : middle + half;
    return (struct probe_interval){.known = true, .estimate = p, .low = low < 0 ? 0 : low, .high = high > 1 ? 1 : high};
}

struct probe_interval statistics_share_difference(uint64_t k1, uint64_t n1, uint64_t k2, uint64_t n2, double error)
{
    struct probe_interval a = statistics_share(k1, n1, error), b = statistics_share(k2, n2, error);
    if (!a.known || !b.known)
        return (struct probe_interval){0};
    double d = a.estimate - b.estimate;
    double down = hypot(a.estimate - a.low, b.high - b.estimate);
    double up = hypot(a.high - a.estimate, b.estimate - b.low);
    return (struct probe_interval){.known = true, .estimate = d, .low = d - down, .high = d + up};
}

/* How many Walsh averages (d[i] + d[j]) / 2, i <= j, are at most x. */
static double walsh_at_most(const double *d, size_t n, double x)
{
    double count = 0;
    size_t j = n; /* d[0..j-1] are those that make a small enough pair with d[i] */
    for (size_t i = 0; i < n; i++) {
        while (j > 0 && (d[i] + d[j - 1]) / 2 > x)
            j--;
        if (j <= i)
            break;
        count += (double)(j - i);
    }
    return count;
}

/* The k-th smallest Walsh average, k from 1, found by halving the range: there are too many to list. */
static double walsh_kth(const double *d, size_t n, double k)
{
    double low = d[0], high = d[n - 1];
    for (int i = 0; i < 200 && low < high; i++) {
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            break;
        if (walsh_at_most(d, n, middle) >= k)
            high = middle;
        else
            low = middle;
    }
    return walsh_at_most(d, n, low) >= k ? low : high;
}

/* The interval ends at the k-th Walsh average from below and from above, the greatest k with P(W <= k - 1) <= error /
 * 2; 0 where there is none. */
static double exact_end(size_t n, double error)
{
    enum { PAIRS_MOST = 50, SUM_MOST = PAIRS_MOST * (PAIRS_MOST + 1) / 2 };
    double ways[SUM_MOST + 1] = {1};
    size_t most = 0;
    for (size_t rank = 1; rank <= n; rank++) {
        most += rank;
        for (size_t sum = most; sum >= rank; sum--)
            ways[sum] += ways[sum - rank];
    }
    double below = 0, limit = error / 2 * ldexp(1, (int)n);
    size_t k = 0;
    while (k <= most && below + ways[k] <= limit)
        below += ways[k++];
    return (double)k;
}

struct probe_interval statistics_paired_shift(const double *sorted, size_t n, double error)
{
    if (n < STATISTICS_PAIRS_LEAST)
        return (struct probe_interval){0};
    double count = (double)n, all = count * (count + 1) / 2;
    double end = n <= 50 ? exact_end(n, error)
                         : floor(all / 2 - statistics_normal(error) * sqrt(count * (count + 1) * (2 * count + 1) / 24));
    if (end < 1)
        return (struct probe_interval){0};
    double lower_middle = walsh_kth(sorted, n, floor((all + 1) / 2)),
           upper_middle = walsh_kth(sorted, n, ceil((all + 1) / 2));
    return (struct probe_interval){
        .known = true,
        .estimate = (lower_middle + upper_middle) / 2,
        .low = walsh_kth(sorted, n, end),
        .high = walsh_kth(sorted, n, all + 1 - end),
    };
}

double statistics_sign_chance(uint64_t more, uint64_t less)
{
    uint64_t most = more > less ? more : less;
    double n = (double)more + (double)less, sum = 0;
    /* C(n, i) / 2^n, by logarithms: 2^-n alone is below the least double from 1,075 on */
    double term = exp(lgamma(n + 1) - lgamma((double)most + 1) - lgamma(n - (double)most + 1) - n * log(2));
    for (double i = (double)most; i <= n; i++) {
        sum += term;
        term *= (n - i) / (i + 1);
    }
    return sum * 2 < 1 ? sum * 2 : 1;
}

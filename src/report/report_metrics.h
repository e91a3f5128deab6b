#ifndef QOSMARK_REPORT_REPORT_METRICS_H
#define QOSMARK_REPORT_REPORT_METRICS_H

#include "model/live.h"

/*
 * A live check for Prometheus (text format 0.0.4).
 *
 * Counters never go down while the process runs, though decisions are revised: a stream that turns out to be video
 * takes its packets from one class to another. So what a class gained since the look before is added to its counter,
 * and what it lost is not taken away; what was re-judged under another policy is not counted again.
 *
 * Labels are class, direction, node, dscp and point; never an address of a stream. At most LIVE_METRICS_NODES nodes (by
 * first appearance; the others are node="(other)") and LIVE_METRICS_SERIES combinations of labels, above which
 * packets count under node="(other)", dscp="other": whatever the network sends, a scrape stays within a few MiB.
 */
enum { LIVE_METRICS_NODES = 64, LIVE_METRICS_SERIES = 4096 };

struct live_metrics;

struct live_metrics *live_metrics_new(void); /* NULL without memory */
void live_metrics_free(struct live_metrics *m);

/* What does not come with the view. */
struct live_process {
    const char *version;
    uint64_t resident_bytes; /* 0: not known, and then there is no sample */
};

/* To be called at each look. 0 or ERR_MEMORY. */
int live_metrics_add(struct live_metrics *m, const struct live_view *v);

/* The scrape as of the last live_metrics_add(); `v` is the same view. False without memory. */
bool live_metrics_write(const struct live_metrics *m, const struct live_view *v, const struct live_process *process,
                        struct strbuf *to);

#endif

#ifndef QOSMARK_REPORT_REPORT_LIVE_INTERNAL_H
#define QOSMARK_REPORT_REPORT_LIVE_INTERNAL_H

#include "report/out.h"
#include "report/report_live.h"

/* What both forms of an interval say alike. */
const char *live_state_name(enum live_point_state s); /* "up", "down", "gone" */
bool live_opened_in(const struct live_finding *f, const struct live_interval *i);
bool live_closed_in(const struct live_finding *f, const struct live_interval *i);
enum summary_verdict live_interval_verdict(const struct live_interval *i);
bool live_interval_complete(const struct live_view *v); /* nothing dropped, every point up */

/* The lines for people (report_live_text.c). */
void live_interval_text(struct out *out, const struct live_view *v, const struct report_options *o);

#endif

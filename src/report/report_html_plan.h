#ifndef QOSMARK_REPORT_REPORT_HTML_PLAN_H
#define QOSMARK_REPORT_REPORT_HTML_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/document.h"

/*
 * What of a document a page shows: a browser opens a few megabytes gladly, half a million streams never. The findings
 * as they come (worst first), the calls with most wrong streams, the streams that findings name, those of the calls,
 * and of the rest the ones with most wrong packets. Each stream is shown once: with its call, or among the others.
 */
enum {
    PLAN_FINDINGS = 150,
    PLAN_FINDING_STREAMS = 12, /* that a finding names */
    PLAN_CALLS = 100,
    PLAN_CALL_STREAMS = 24,
    PLAN_ALL_CALL_STREAMS = 800, /* of all calls together */
    PLAN_OTHERS = 250,
};

struct html_plan {
    size_t finding_count;
    uint32_t *calls; /* worst first */
    size_t call_count;
    uint32_t *others; /* worst first */
    size_t other_count;
    uint8_t *shown;  /* a bit a record */
    uint8_t *called; /* a bit a call */
};

/* False without memory. html_plan_done() frees what there is either way. */
bool html_plan_make(struct html_plan *plan, const struct document *d);
void html_plan_done(struct html_plan *plan);

bool html_plan_shows(const struct html_plan *plan, uint32_t record);

#endif

#ifndef QOSMARK_POLICY_HISTORY_INTERNAL_H
#define QOSMARK_POLICY_HISTORY_INTERNAL_H

/* What history.c and history_findings.c share. */

#include <stdbool.h>

#include "base/text.h"
#include "policy/history.h"

/* A row of forgotten streams at one point. Nodes by name, for a document's numbers are its own. */
struct history_row {
    uint32_t point;
    char *node; /* "" for none */
    struct summary_row row;
};

/* Of a site, all points together. */
struct history_site {
    char *site;
    struct summary_row row;
};

struct history_finding {
    char *key;
    uint64_t hash; /* of the key */
    char *message, *advice, *wireshark, *subject;
    struct finding finding; /* numbers only */
    uint64_t streams;
};

struct history {
    size_t points;
    uint64_t turned_streams; /* judged by a policy that is no longer in force */
    uint64_t streams_ever, verdicts_ever[LIVE_VERDICTS];

    struct summary summary;
    struct summary_row unclassed;
    struct quality right, wrong;
    struct history_row *rows;
    size_t row_count, row_cap;
    struct history_site *sites;
    size_t site_count, site_cap;
    struct history_finding *findings;
    size_t finding_count, finding_cap;
    uint64_t findings_untold; /* beyond the cap */
};

/* history_findings.c */
bool history_fold_findings(struct history *h, const struct document *d, const uint8_t *chosen);
bool history_apply_findings(const struct history *h, struct document *d);
void history_findings_free(struct history *h);

#endif

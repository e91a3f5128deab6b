#ifndef QOSMARK_REPORT_REPORT_PROBE_H
#define QOSMARK_REPORT_REPORT_PROBE_H

#include "model/probe_document.h"
#include "report/out.h"
#include "report/report.h"

struct probe_report {
    const struct probe_document *const *documents;
    size_t count;
    bool set;     /* several targets were asked for: JSON is qosmark.probe-set/1, also where there is one */
    bool packets; /* each packet too (json, jsonl) */
    const enum summary_verdict *verdict; /* of the set; NULL: the worst of its documents */
    enum report_format format;
    struct report_options options; /* of the text: quiet, verbose, color, utf8, width */
};

int report_probe_write(const struct probe_report *r, report_sink sink, void *user, struct error *error);

/* Worst of several: fail, then nothing checked, then pass. */
enum summary_verdict report_probe_verdict(const struct probe_document *const *documents, size_t count);
/*
 * For Prometheus (text format 0.0.4), of a probe that runs on and on: counters over all intervals, gauges of the last
 * one. Labels are target, class, direction and DSCP: as many series as there are classes and marks, whatever the
 * network sends.
 */
struct probe_totals;
struct probe_totals *probe_totals_new(void);
void probe_totals_free(struct probe_totals *t);
int probe_totals_add(struct probe_totals *t, const struct probe_document *d); /* 0 or ERR_MEMORY */
bool probe_totals_write(const struct probe_totals *t, struct strbuf *to);     /* false without memory */

/* One writer a format. They leave their failure in `out`. */
void report_probe_text(struct out *out, const struct probe_report *r);
void report_probe_json(struct out *out, const struct probe_report *r);
void report_probe_jsonl(struct out *out, const struct probe_report *r);
void report_probe_csv(struct out *out, const struct probe_report *r);
void report_probe_html(struct out *out, const struct probe_report *r);

#endif

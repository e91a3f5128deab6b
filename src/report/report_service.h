#ifndef QOSMARK_REPORT_REPORT_SERVICE_H
#define QOSMARK_REPORT_REPORT_SERVICE_H

#include "model/probe_document.h"
#include "report/report.h"

/*
 * What `qosmark probe --service` found, for people: the verdict, for each address and way a row of the marked and one
 * of the unmarked requests with what came back, findings, notes. With -v each part of the connections has its own marks
 * even where all are alike. The documents are those of one run; `quiet` is the verdict line alone. 0, ERR_IO or
 * ERR_MEMORY.
 */
int report_service_text(struct probe_document *const *documents, size_t count, const struct report_options *o,
                        report_sink sink, void *user);

/* Of all documents together: fail where one fails; nothing checked where one that the policy expects something of could
 * not be judged, or where there is none; else pass. */
enum summary_verdict report_service_verdict(struct probe_document *const *documents, size_t count);

#endif

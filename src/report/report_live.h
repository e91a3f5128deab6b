#ifndef QOSMARK_REPORT_REPORT_LIVE_H
#define QOSMARK_REPORT_REPORT_LIVE_H

#include "model/live.h"
#include "report/report.h"

/*
 * What a live check says while it runs. The final report is that of report.h.
 *
 * report_interval_write(): the interval that has just ended (view->interval; nothing is written where that is NULL), in
 * deltas: one line of qosmark.interval/1 for REPORT_JSONL (and REPORT_JSON), or a few short lines for people for any
 * other format. Of the options, those of the text count. Ends with a line end; flush after it.
 */
int report_interval_write(const struct live_view *view, const struct report_options *options, report_sink sink,
                          void *user, struct error *error);

/* qosmark.summary/1: all but the streams, as of this look. */
int report_summary_write(const struct live_view *view, report_sink sink, void *user, struct error *error);

/* qosmark.streams/1: records `offset` up to `offset + limit` of those listed. */
int report_streams_write(const struct live_view *view, size_t offset, size_t limit, report_sink sink, void *user,
                         struct error *error);

#endif

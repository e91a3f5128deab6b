#ifndef QOSMARK_REPORT_RECORDS_READ_H
#define QOSMARK_REPORT_RECORDS_READ_H

#include <jansson.h>

#include "base/error.h"
#include "report/records_set.h"

/*
 * Reads back what qosmark wrote: record lines (qosmark.stream/1) and the parts of a qosmark.audit/1 document
 * (docs/FORMATS.md). The input may come from anybody: each member is held against its type and range, sums against
 * their parts, a verdict against its marks. What contradicts itself is refused with a sentence; nothing of it is kept.
 */

/* jansson takes a text whose memory ran out on the way for one without that byte, and does not say so. So who reads says
 * where memory comes from, once for the process, and finds out there whether it ran out. NULL: from malloc(). */
void records_allocate_with(void *(*allocate)(size_t bytes));

/* Of a text: a record line, a line of a live check that is no record, or a whole document in one line. 0; ERR_FORMAT
 * with a sentence that names no place; ERR_MEMORY. */
int records_read_text(struct record_set *s, struct slice text, struct error *error);

/* One value of a document's "streams" or "calls", or its whole "policy", "inputs", "nodes", "sites" or "notes"; `run`
 * is the number of the document's run in the set. */
int records_read_member(struct record_set *s, size_t run, const char *key, struct slice text, struct error *error);

/* Whether records_read_member() wants the elements of the array one by one (1), the value as a whole (0), or does not
 * look at it (negative). */
int records_member_wants(const char *key);

/* "qosmark.audit/1" of a document's "schema": 0, or ERR_FORMAT with a sentence. */
int records_check_schema(struct slice schema, const char *wanted, struct error *error);

/* --- shared with records_record.c and records_run.c ------------------------------------------------------------------
 */

struct saved_json;
/* One record's own members; whether it is one is in `json`. */
void records_read_record(struct record_set *s, const json_t *o, struct saved_json *json, struct record *r,
                         struct saved_extra *extra);
int records_run_member(struct record_set *s, struct saved_run *run, struct saved_json *j, const char *key,
                       const json_t *value);
/* The "audit" of a record line. */
int records_run_header(struct record_set *s, struct saved_run *run, struct saved_json *j, const json_t *header);

#endif

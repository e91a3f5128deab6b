#ifndef QOSMARK_REPORT_REPORT_JSON_H
#define QOSMARK_REPORT_REPORT_JSON_H

#include <jansson.h>

#include "model/record.h"
#include "report/out.h"

/*
 * A JSON value under construction. Failure of memory latches in `failed`, so that the setters need no checks; text
 * passes text_printable() on its way in.
 */
struct js {
    const struct document *document;
    struct strbuf scratch;
    bool failed;
};

void js_done(struct js *js);
json_t *js_check(struct js *js, json_t *value);                             /* latches where value is NULL */
void js_set(struct js *js, json_t *object, const char *key, json_t *value); /* takes the value */
void js_append(struct js *js, json_t *array, json_t *value);                /* takes the value */

json_t *js_string(struct js *js, struct slice text);                            /* text passes text_printable() */
void js_text(struct js *js, json_t *object, const char *key, const char *text); /* NULL is "" */
void js_text_or_null(struct js *js, json_t *object, const char *key, const char *text); /* NULL and "" are null */
void js_count(struct js *js, json_t *object, const char *key, uint64_t n);
void js_bool(struct js *js, json_t *object, const char *key, bool v);
void js_ms(struct js *js, json_t *object, const char *key, double ms);                /* µs kept; negative is null */
void js_time(struct js *js, json_t *object, const char *key, bool known, int64_t ns); /* RFC 3339, or null */
void js_marks(struct js *js, json_t *object, const char *key, dscp_set_t set, dscp_t preferred);

/* `key`: the frame's number, null for none; with several inputs also `file_key`: the input it counts in. */
void js_frame(struct js *js, json_t *object, const char *key, const char *file_key, struct frame_ref frame);

json_t *json_finding(struct js *js, const struct finding *f, bool with_streams);
json_t *json_record(struct js *js, const struct record *r);

#endif

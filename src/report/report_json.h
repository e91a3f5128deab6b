#ifndef QOSMARK_REPORT_REPORT_JSON_H
#define QOSMARK_REPORT_REPORT_JSON_H

#include <jansson.h>

#include "model/document.h"
#include "report/emit.h"
#include "report/out.h"

/* --- documents of any size: written as they are made -------------------------------------------------------------- */

void emit_marks(struct emit *e, dscp_set_t set, dscp_t preferred);
void emit_endpoint(struct emit *e, const struct endpoint *end);
void emit_ecn(struct emit *e, const uint64_t ecn[static 4]); /* packets by codepoint */
void emit_payload_types(struct emit *e, const uint8_t *types, size_t count);
void emit_policy(struct emit *e, const struct document *d);
void emit_summary(struct emit *e, const struct summary *s);
void emit_class_row(struct emit *e, const struct document *d, const struct summary_row *row);
void emit_site_row(struct emit *e, const struct document *d, const struct summary_row *row);
void emit_call_id(struct emit *e, const struct document *d, uint32_t call);
void emit_finding(struct emit *e, const struct document *d, const struct finding *f, bool with_streams);
void emit_record(struct emit *e, const struct document *d, const struct record *r);
void emit_record_members(struct emit *e, const struct document *d, const struct record *r); /* without its brackets */
void emit_input(struct emit *e, const struct input *in);
void emit_node(struct emit *e, const struct node *n);
void emit_site(struct emit *e, const struct site *s);

/* All that is said once of a run: policies, inputs, nodes, sites, notes. */
void emit_run(struct emit *e, const struct document *d);

/* What is kept from one record to the next of the calls they belong to. {0} is its first state. */
struct call_words {
    uint32_t call; /* index + 1 */
    char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];
    int64_t first_ns;
    struct record_scratch record;
};
void call_words_done(struct call_words *w);

/* Record `i` of the document with what is known beside it: its call, whether its input is whole, what it was joined
 * from; and with the run that it is the first of. */
void emit_record_of(struct emit *e, const struct document *d, size_t i, const struct record *r,
                    struct call_words *words, bool with_run);

/* --- documents of a few kilobytes: as a tree ---------------------------------------------------------------------- */

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
/* Writes the value, on several lines or (`one_line`) on one, without a line end, and gives it back. */
void js_write(struct out *out, struct js *js, json_t *value, bool one_line);
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

#endif

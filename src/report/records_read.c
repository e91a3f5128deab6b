#include "report/records_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/records_json.h"

enum { PARTS_MAX = 1000000 };

/* --- records
 * ---------------------------------------------------------------------------------------------------------- */

/* A record that was joined from several: those are it, and are joined again with whatever else there is. */
static bool read_parts(struct record_set *s, const json_t *parts, struct error *error)
{
    struct saved_json j = {.error = error};
    size_t n = json_array_size(parts), before = s->count;
    if (!json_is_array(parts) || n < 2 || n > PARTS_MAX)
        saved_fail(&j, "\"parts\" is a list of at least two records");
    for (size_t i = 0; i < n && !j.failed; i++) {
        struct record r;
        struct saved_extra extra;
        const json_t *part = json_array_get(parts, i);
        if (!json_is_object(part) || saved_has(part, "parts"))
            saved_fail(&j, "a part is a record without parts");
        else
            records_read_record(s, part, &j, &r, &extra);
        if (!j.failed)
            record_set_add(s, &r, &extra);
    }
    if (j.failed)
        s->count = before;
    return !j.failed;
}

static int take_record(struct record_set *s, const json_t *o, struct error *error)
{
    struct record r;
    struct saved_extra extra;
    struct saved_run run = {0};
    const json_t *header = saved_has(o, "audit"), *parts = saved_has(o, "parts");
    struct saved_json j = {.error = error};
    records_read_record(s, o, &j, &r, &extra);
    if (!j.failed && header)
        (void)records_run_header(s, &run, &j, header);
    if (!j.failed && parts)
        j.failed = !read_parts(s, parts, error);
    else if (!j.failed)
        record_set_add(s, &r, &extra);
    if (!j.failed && header) {
        struct saved_run *to = record_set_run(s);
        if (to)
            *to = run;
    }
    return s->failed ? error_set(error, ERR_MEMORY, "out of memory") : j.failed ? ERR_FORMAT : 0;
}

/* --- values
 * ----------------------------------------------------------------------------------------------------------- */

int records_check_schema(struct slice schema, const char *wanted, struct error *error)
{
    char shown[64];
    size_t family = (size_t)(strchr(wanted, '/') - wanted) + 1;
    struct strbuf b = {0};
    if (slice_equal(schema, slice_make(wanted, strlen(wanted))))
        return 0;
    text_printable(&b, schema.at, schema.len < 40 ? schema.len : 40);
    (void)snprintf(shown, sizeof shown, "%.60s", strbuf_text(&b));
    strbuf_done(&b);
    if (slice_starts(schema, slice_make(wanted, family)))
        return error_set(error, ERR_FORMAT, "it is %s, a newer format than this qosmark reads (%s)", shown, wanted);
    return error_set(error, ERR_FORMAT,
                     "it is %s; report takes the records of audit and live (qosmark.stream/1, qosmark.audit/1)", shown);
}

static bool is_family(struct slice schema, const char *family)
{
    return slice_starts(schema, slice_make(family, strlen(family)));
}

static int take_document(struct record_set *s, const json_t *o, struct error *error)
{
    const char *key;
    json_t *value;
    size_t before = s->count, runs = s->run_count;
    struct saved_json j = {.error = error};
    struct saved_run *run = record_set_run(s);
    int r = run ? 0 : ERR_MEMORY;
    size_t number = s->run_count - 1;
    json_object_foreach((json_t *)(uintptr_t)o, key, value)
    {
        bool list = strcmp(key, "streams") == 0;
        if (r < 0)
            break;
        if (list && !json_is_array(value))
            saved_fail(&j, "\"streams\" is a list");
        for (size_t i = 0; list && r >= 0 && i < json_array_size(value); i++)
            r = take_record(s, json_array_get(value, i), error);
        if (!list && r >= 0)
            r = records_run_member(s, &s->runs[number], &j, key, value);
        if (j.failed)
            r = ERR_FORMAT;
    }
    if (r < 0) {
        s->count = before;
        s->run_count = runs;
    }
    return s->failed ? error_set(error, ERR_MEMORY, "out of memory") : r;
}

static int take_value(struct record_set *s, const json_t *value, struct error *error)
{
    struct saved_json j = {.error = error};
    if (!json_is_object(value))
        return error_set(error, ERR_FORMAT, "no record: it is JSON, but no object");
    if (!saved_has(value, "schema"))
        return error_set(error, ERR_FORMAT, "no record: it does not say its \"schema\"");
    struct slice schema = saved_text_wanted(&j, value, "schema");
    if (j.failed)
        return ERR_FORMAT;
    if (is_family(schema, "qosmark.interval/")) {
        s->intervals++;
        return 0;
    }
    bool document = is_family(schema, "qosmark.audit/");
    int r = records_check_schema(schema, document ? "qosmark.audit/1" : "qosmark.stream/1", error);
    return r < 0 ? r : document ? take_document(s, value, error) : take_record(s, value, error);
}

void records_allocate_with(void *(*allocate)(size_t bytes))
{
    json_set_alloc_funcs(allocate ? allocate : malloc, free);
}

/* jansson's word for where is a line and column within the text, which nobody sees: only what it says is kept. */
static json_t *load(struct slice text, struct error *error)
{
    json_error_t why;
    errno = 0; /* jansson does not always say that it was memory */
    json_t *value = json_loadb(text.at, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    struct strbuf b = {0};
    if (value)
        return value;
    if (json_error_code(&why) == json_error_out_of_memory || errno == ENOMEM) {
        (void)error_set(error, ERR_MEMORY, "out of memory");
        return NULL;
    }
    text_printable(&b, why.text, strlen(why.text));
    (void)error_set(error, ERR_FORMAT, "no JSON at byte %d: %.160s", why.position, strbuf_text(&b));
    strbuf_done(&b);
    return NULL;
}

int records_read_text(struct record_set *s, struct slice text, struct error *error)
{
    json_t *value = load(text, error);
    int r = value ? take_value(s, value, error) : error->code;
    json_decref(value);
    return r;
}

int records_member_wants(const char *key)
{
    static const char *const whole[] = {"policy", "inputs", "nodes", "sites", "notes", "schema"};
    if (strcmp(key, "streams") == 0 || strcmp(key, "calls") == 0)
        return 1;
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (strcmp(key, whole[i]) == 0)
            return 0;
    return -1;
}

int records_read_member(struct record_set *s, size_t run, const char *key, struct slice text, struct error *error)
{
    struct saved_json j = {.error = error};
    json_t *value = load(text, error);
    int r = value ? 0 : error->code;
    if (r == 0 && strcmp(key, "streams") == 0)
        r = take_value(s, value, error);
    else if (r == 0)
        r = records_run_member(s, &s->runs[run], &j, key, value);
    json_decref(value);
    return s->failed ? error_set(error, ERR_MEMORY, "out of memory") : r;
}

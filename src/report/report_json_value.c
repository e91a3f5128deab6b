#include "report/report_json.h"

#include <string.h>

#include "base/clock.h"
#include "report/view.h"

void js_done(struct js *js)
{
    strbuf_done(&js->scratch);
}

json_t *js_check(struct js *js, json_t *value)
{
    if (!value)
        js->failed = true;
    return value;
}

void js_set(struct js *js, json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new_nocheck(object, key, value) != 0)
        js->failed = true;
}

void js_append(struct js *js, json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        js->failed = true;
}

json_t *js_string(struct js *js, struct slice text)
{
    js->scratch.len = 0;
    text_printable(&js->scratch, text.at, text.len);
    if (!strbuf_ok(&js->scratch))
        js->failed = true;
    return json_stringn_nocheck(js->scratch.len ? js->scratch.at : "", js->scratch.len);
}

void js_text(struct js *js, json_t *object, const char *key, const char *text)
{
    js_set(js, object, key, js_string(js, slice_make(text, text ? strlen(text) : 0)));
}

void js_text_or_null(struct js *js, json_t *object, const char *key, const char *text)
{
    if (text && *text)
        js_text(js, object, key, text);
    else
        js_set(js, object, key, json_null());
}

void js_count(struct js *js, json_t *object, const char *key, uint64_t n)
{
    js_set(js, object, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

void js_bool(struct js *js, json_t *object, const char *key, bool v)
{
    js_set(js, object, key, json_boolean(v));
}

void js_ms(struct js *js, json_t *object, const char *key, double ms)
{
    /* the comparison is also false for NaN; 1e12 ms is beyond what a nanosecond clock in 64 bits can hold */
    bool known = ms >= 0 && ms < 1e12;
    js_set(js, object, key, known ? json_real((double)(int64_t)(ms * 1000 + 0.5) / 1000) : json_null());
}

void js_time(struct js *js, json_t *object, const char *key, bool known, int64_t ns)
{
    char text[CLOCK_TEXT_MAX] = "";
    if (known)
        clock_format(ns, text);
    js_text_or_null(js, object, key, text);
}

void js_marks(struct js *js, json_t *object, const char *key, dscp_set_t set, dscp_t preferred)
{
    dscp_t marks[DSCP_COUNT];
    size_t n = view_expected(set, preferred, marks);
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        js_append(js, array, json_integer(marks[i]));
    js_set(js, object, key, array);
}

void js_frame(struct js *js, json_t *object, const char *key, const char *file_key, struct frame_ref frame)
{
    if (frame.frame)
        js_count(js, object, key, frame.frame);
    else
        js_set(js, object, key, json_null());
    if (js->document->input_count > 1)
        js_text_or_null(js, object, file_key, frame.frame ? view_file(js->document, frame.input) : NULL);
}

static int dump_piece(const char *bytes, size_t len, void *user)
{
    struct out *out = user;
    out_add(out, bytes, len);
    return out_ok(out) ? 0 : -1;
}

void js_write(struct out *out, struct js *js, json_t *value, bool one_line)
{
    size_t flags = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY | (one_line ? 0 : JSON_INDENT(2));
    if (!value || js->failed || json_dump_callback(value, dump_piece, out, flags) != 0)
        out_fail(out, ERR_MEMORY); /* keeps ERR_IO where the sink was the cause */
    json_decref(value);
}

#include "merge/read_internal.h"

#include <string.h>

#include "report/records_read.h"

/* --- a value that spans lines, byte by byte ----------------------------------------------------------------------- */

static void flush(struct merge_reader *r)
{
    size_t n = (size_t)(r->at - r->run);
    if (r->keeping && n)
        strbuf_add(&r->keep, r->run, n);
    if (r->teeing && n)
        strbuf_add(&r->tee, r->run, n);
    r->run = r->at;
    if (r->keep.len > MERGE_LINE_MAX_BYTES) {
        r->over = true;
        r->keeping = false;
        r->keep.len = 0;
    }
    if (r->tee.len > MERGE_LINE_MAX_BYTES) {
        r->over = true;
        r->teeing = false;
        r->tee.len = 0;
    }
}

static void hold(struct merge_reader *r)
{
    const uint8_t *bytes;
    size_t n = unpack_peek(r->u, 1, &bytes);
    if (n) {
        struct cursor held = unpack_held(r->u);
        n = cur_left(&held);
    }
    r->at = r->run = (const char *)bytes;
    r->end = r->at + n;
    r->consumed = n;
}

/* The next byte, or -1 at the end. */
static int look(struct merge_reader *r)
{
    if (r->at == r->end) {
        flush(r);
        (void)unpack_skip(r->u, r->consumed);
        hold(r);
        if (r->at == r->end)
            return -1;
    }
    return (unsigned char)*r->at;
}

static void step(struct merge_reader *r)
{
    r->line += *r->at == '\n';
    r->at++;
}

static int look_past_space(struct merge_reader *r)
{
    int c;
    while ((c = look(r)) == ' ' || c == '\t' || c == '\r' || c == '\n')
        step(r);
    return c;
}

static bool scan_string(struct merge_reader *r)
{
    bool escaped = false;
    step(r);
    for (int c; (c = look(r)) >= 0; escaped = c == '\\' && !escaped) {
        step(r);
        if (c == '"' && !escaped)
            return true;
    }
    return false;
}

/* Steps over one value; false at the end of the file. Its text is in `keep` where `keep` is asked for. What is no JSON
 * in it is for the parser to see: here only strings and brackets count. */
static bool scan_value(struct merge_reader *r, bool keep)
{
    size_t depth = 0;
    bool whole = false;
    int c = look_past_space(r);
    flush(r);
    r->keep.len = 0;
    r->over = false;
    r->keeping = keep;
    while (!whole && (c = look(r)) >= 0) {
        if (c == '"') {
            if (!scan_string(r))
                break;
            whole = depth == 0;
        } else if (c == '{' || c == '[') {
            depth++;
            step(r);
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                break; /* behind a number */
            step(r);
            whole = --depth == 0;
        } else if (depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            break;
        } else {
            step(r);
        }
    }
    flush(r);
    r->keeping = false;
    return whole || (c >= 0 && depth == 0);
}

static struct slice kept(const struct merge_reader *r)
{
    return slice_make(r->keep.len ? r->keep.at : "", r->keep.len);
}

/* --- a document --------------------------------------------------------------------------------------------------- */

struct object {
    size_t run;
    bool document; /* something in it belongs to no record */
    char schema[64];
};

static int take(struct merge_reader *r, const struct object *o, const char *key, uint64_t line)
{
    struct error why = {0};
    if (r->over) {
        merge_reader_say(r, line, "longer than 16 MiB, which no record is");
        return 0;
    }
    int status = records_read_member(&r->m->set, o->run, key, kept(r), &why);
    if (status < 0 && status != ERR_MEMORY)
        merge_reader_say(r, line, why.text);
    return status == ERR_MEMORY ? status : 0;
}

/* The elements of a list, each by itself; false at the end of the file. */
static bool take_list(struct merge_reader *r, const struct object *o, const char *key, int *status)
{
    if (look_past_space(r) != '[') {
        bool whole = scan_value(r, true);
        *status = take(r, o, key, r->line);
        return whole;
    }
    step(r);
    while (*status == 0) {
        int c = look_past_space(r);
        uint64_t line = r->line;
        if (c < 0)
            return false;
        if (c == ',' || c == ']') {
            step(r);
            if (c == ']')
                return true;
            continue;
        }
        if (!scan_value(r, true))
            return false;
        if (r->keep.len == 0 && !r->over) { /* a bracket that closes nothing */
            merge_reader_say(r, line, "no JSON");
            step(r);
            continue;
        }
        *status = take(r, o, key, line);
    }
    return true;
}

static void learn_schema(struct merge_reader *r, struct object *o)
{
    struct slice text = kept(r);
    if (text.len > 2 && text.at[0] == '"')
        slice_copy(slice_make(text.at + 1, text.len - 2), o->schema, sizeof o->schema);
}

/* One member behind its key; false at the end of the file. */
static bool take_member(struct merge_reader *r, struct object *o, const char *key, int *status)
{
    int wants = records_member_wants(key);
    bool is_schema = strcmp(key, "schema") == 0;
    uint64_t line = r->line;
    if (wants < 0)
        return scan_value(r, false);
    if (!is_schema && !o->document) {
        o->document = true;
        r->teeing = false;
        r->tee.len = 0;
    }
    if (wants)
        return take_list(r, o, key, status);
    if (!scan_value(r, true))
        return false;
    if (is_schema)
        learn_schema(r, o);
    else
        *status = take(r, o, key, line);
    return true;
}

/* The members of an object; false where the file ends before it does. */
static bool take_members(struct merge_reader *r, struct object *o, int *status)
{
    char key[32];
    step(r);
    while (*status == 0) {
        int c = look_past_space(r);
        if (c == '}') {
            step(r);
            return true;
        }
        if (c == ',') {
            step(r);
            continue;
        }
        if (c != '"' || !scan_value(r, true))
            return false;
        slice_copy(slice_make(kept(r).at + 1, kept(r).len - 2), key, sizeof key);
        if (look_past_space(r) != ':')
            return false;
        step(r);
        if (look_past_space(r) < 0 || !take_member(r, o, key, status))
            return false;
    }
    return true;
}

int merge_reader_object(struct merge_reader *r)
{
    struct object o = {.run = r->m->set.run_count};
    struct error why = {0};
    int status = 0;
    uint64_t line = r->line;
    if (!record_set_run(&r->m->set))
        return ERR_MEMORY;
    hold(r);
    r->tee.len = 0;
    r->teeing = true;
    bool whole = take_members(r, &o, &status), more = look(r) >= 0;
    if (!o.document)
        r->m->set.run_count = o.run; /* nothing is in it, and whoever writes brackets alone writes many */
    flush(r);
    r->teeing = false;
    (void)unpack_skip(r->u, r->consumed - (size_t)(r->end - r->at));
    if (!whole && status == 0) {
        r->lost = more;
        merge_reader_say(r, r->line, more ? "no JSON" : "the file ends in the middle of a document");
    } else if (status == 0 && o.document) {
        if (records_check_schema(slice_make(o.schema, strlen(o.schema)), "qosmark.audit/1", &why) < 0)
            merge_reader_say(r, line, why.text);
    } else if (status == 0) {
        if (r->over)
            merge_reader_say(r, line, "longer than 16 MiB, which no record is");
        else if ((status = records_read_text(&r->m->set, slice_make(r->tee.at, r->tee.len), &why)) == ERR_FORMAT)
            merge_reader_say(r, line, why.text);
    }
    return status == ERR_MEMORY || r->m->set.failed || !strbuf_ok(&r->keep) || !strbuf_ok(&r->tee) ? ERR_MEMORY : 0;
}

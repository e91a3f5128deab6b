#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "capture/unpack.h"
#include "merge/internal.h"
#include "report/records_read.h"

/* Longer than any record: what has no end of line until then is no line of records. */
enum { LINE_MAX_BYTES = 16 << 20, PIECE_BYTES = 256 << 10, SAID_MOST = 10 };

struct reader {
    struct merge *m;
    struct unpack *u;
    const char *name;
    uint64_t line; /* of what is read now, from 1 */
    uint64_t wrong;
    struct error first; /* what is wrong first */
    /* a value that spans lines */
    const char *at, *end, *run; /* bytes held; those from `run` on are not in `keep` and `tee` yet */
    struct strbuf keep, tee;
    bool keeping, teeing, over; /* over: more than LINE_MAX_BYTES */
    bool lost;                  /* behind something broken: until the next line that begins an object */
    size_t consumed;
};

static void say(struct reader *r, uint64_t line, const char *what)
{
    struct error sentence = {0};
    (void)error_set(&sentence, ERR_FORMAT, "%s:%llu: %s", r->name, (unsigned long long)line, what);
    if (r->wrong++ == 0)
        r->first = sentence;
    if (r->wrong <= SAID_MOST && r->m->options->problem)
        r->m->options->problem(r->m->options->problem_user, sentence.text);
}

/* --- a value that spans lines, byte by byte
 * --------------------------------------------------------------------------- */

static void flush(struct reader *r)
{
    size_t n = (size_t)(r->at - r->run);
    if (r->keeping && n)
        strbuf_add(&r->keep, r->run, n);
    if (r->teeing && n)
        strbuf_add(&r->tee, r->run, n);
    r->run = r->at;
    if (r->keep.len > LINE_MAX_BYTES) {
        r->over = true;
        r->keeping = false;
        r->keep.len = 0;
    }
    if (r->tee.len > LINE_MAX_BYTES) {
        r->over = true;
        r->teeing = false;
        r->tee.len = 0;
    }
}

static void hold(struct reader *r)
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
static int look(struct reader *r)
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

static void step(struct reader *r)
{
    r->line += *r->at == '\n';
    r->at++;
}

static int look_past_space(struct reader *r)
{
    int c;
    while ((c = look(r)) == ' ' || c == '\t' || c == '\r' || c == '\n')
        step(r);
    return c;
}

static bool scan_string(struct reader *r)
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
static bool scan_value(struct reader *r, bool keep)
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

static struct slice kept(const struct reader *r)
{
    return slice_make(r->keep.len ? r->keep.at : "", r->keep.len);
}

/* --- a document
 * ------------------------------------------------------------------------------------------------------- */

struct object {
    size_t run;
    bool document; /* something in it belongs to no record */
    char schema[64];
};

static int take(struct reader *r, const struct object *o, const char *key, uint64_t line)
{
    struct error why = {0};
    if (r->over) {
        say(r, line, "longer than 16 MiB, which no record is");
        return 0;
    }
    int status = records_read_member(&r->m->set, o->run, key, kept(r), &why);
    if (status < 0 && status != ERR_MEMORY)
        say(r, line, why.text);
    return status == ERR_MEMORY ? status : 0;
}

/* The elements of a list, each by itself; false at the end of the file. */
static bool take_list(struct reader *r, const struct object *o, const char *key, int *status)
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
            say(r, line, "no JSON");
            step(r);
            continue;
        }
        *status = take(r, o, key, line);
    }
    return true;
}

static void learn_schema(struct reader *r, struct object *o)
{
    struct slice text = kept(r);
    if (text.len > 2 && text.at[0] == '"')
        slice_copy(slice_make(text.at + 1, text.len - 2), o->schema, sizeof o->schema);
}

/* One member behind its key; false at the end of the file. */
static bool take_member(struct reader *r, struct object *o, const char *key, int *status)
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
static bool take_members(struct reader *r, struct object *o, int *status)
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

/* An object that begins here and spans lines: a document, or a record that a tool has laid out for people. */
static int read_object(struct reader *r)
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
        say(r, r->line, more ? "no JSON" : "the file ends in the middle of a document");
    } else if (status == 0 && o.document) {
        if (records_check_schema(slice_make(o.schema, strlen(o.schema)), "qosmark.audit/1", &why) < 0)
            say(r, line, why.text);
    } else if (status == 0) {
        if (r->over)
            say(r, line, "longer than 16 MiB, which no record is");
        else if ((status = records_read_text(&r->m->set, slice_make(r->tee.at, r->tee.len), &why)) == ERR_FORMAT)
            say(r, line, why.text);
    }
    return status == ERR_MEMORY || r->m->set.failed || !strbuf_ok(&r->keep) || !strbuf_ok(&r->tee) ? ERR_MEMORY : 0;
}

/* --- lines
 * -------------------------------------------------------------------------------------------------------------- */

/* The next line without its end, of at most LINE_MAX_BYTES + 1; *ret_step is what to skip for it. False at the end. */
static bool next_line(struct reader *r, struct slice *ret, size_t *ret_step, bool *ret_ended)
{
    const uint8_t *bytes;
    size_t want = PIECE_BYTES, seen = 0;
    for (;;) {
        struct cursor held;
        size_t n = unpack_peek(r->u, seen ? want : 1, &bytes);
        held = unpack_held(r->u);
        n = n < cur_left(&held) ? cur_left(&held) : n;
        n = n > LINE_MAX_BYTES + 1 ? LINE_MAX_BYTES + 1 : n;
        const uint8_t *newline = n > seen ? memchr(bytes + seen, '\n', n - seen) : NULL;
        bool last = !newline && (n == seen || n > LINE_MAX_BYTES);
        if (newline || last) {
            size_t len = newline ? (size_t)(newline - bytes) : n;
            *ret = slice_make(bytes, len);
            *ret_step = len + (newline != NULL);
            *ret_ended = newline != NULL;
            return *ret_step != 0;
        }
        seen = n;
        while (want <= seen)
            want *= 2;
        want = want > LINE_MAX_BYTES + 1 ? LINE_MAX_BYTES + 1 : want;
    }
}

/* Skips to the end of the line. */
static void drop_line(struct reader *r)
{
    struct slice line;
    size_t bytes;
    bool ended = false;
    while (!ended && next_line(r, &line, &bytes, &ended))
        (void)unpack_skip(r->u, bytes);
}

/* A document of ours begins so; what a tool lays out for people has its first bracket alone on a line. */
static bool begins_object(struct slice line)
{
    struct slice text = slice_trim(line);
    static const char *const begins[] = {"{\"schema\": \"qosmark.audit/", "{\"schema\":\"qosmark.audit/"};
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (slice_starts(text, slice_make(begins[i], strlen(begins[i]))))
            return true;
    return slice_equal(text, SLICE("{"));
}

static int read_line(struct reader *r, struct slice line, bool ended)
{
    struct error why = {0};
    struct slice text = slice_trim(line);
    if (text.len == 0)
        return 0;
    int status = records_read_text(&r->m->set, text, &why);
    if (status == ERR_FORMAT && !ended && unpack_problem(r->u))
        return 0; /* said at the end, of the file as a whole */
    if (status == ERR_FORMAT && !ended && text.at[text.len - 1] != '}')
        say(r, r->line, "the file ends in the middle of a record");
    else if (status == ERR_FORMAT)
        say(r, r->line, why.text);
    return status == ERR_MEMORY ? status : 0;
}

static void show_progress(struct reader *r)
{
    uint64_t done, total;
    unpack_progress(r->u, &done, &total);
    if (r->m->options->progress)
        r->m->options->progress(r->m->options->progress_user, r->m->bytes_done + done, r->m->bytes_total);
}

static int read_lines(struct reader *r)
{
    struct slice line;
    size_t bytes;
    bool ended;
    int status = 0;
    for (r->line = 1; status == 0 && next_line(r, &line, &bytes, &ended);) {
        if (begins_object(line)) {
            r->lost = false;
            (void)unpack_skip(r->u, (size_t)(slice_trim(line).at - line.at));
            status = read_object(r);
            continue;
        }
        if (r->lost && (line.len == 0 || line.at[0] != '{')) {
            (void)unpack_skip(r->u, bytes);
            r->line++;
            continue;
        }
        r->lost = false;
        if (line.len > LINE_MAX_BYTES) {
            say(r, r->line, "a line longer than 16 MiB, which no record is");
            drop_line(r);
        } else {
            status = read_line(r, line, ended);
            (void)unpack_skip(r->u, bytes);
        }
        if (r->line++ % 1024 == 0)
            show_progress(r);
    }
    return status;
}

/* --- a file
 * ------------------------------------------------------------------------------------------------------------- */

static int keep_problem(struct merge *m, const char *file, const char *sentence)
{
    char *copy = strdup(sentence);
    if (!copy || !grow((void **)&m->problems, &m->problem_cap, m->problem_count, sizeof *m->problems)) {
        free(copy);
        return ERR_MEMORY;
    }
    m->problems[m->problem_count++] = (struct merge_problem){file, copy};
    return 0;
}

static int say_whole_file(struct merge *m, const char *file, const char *sentence)
{
    if (m->options->problem)
        m->options->problem(m->options->problem_user, sentence);
    return keep_problem(m, file, sentence);
}

/* Whether the first thing in it can be the beginning of a record. */
static bool may_be_records(struct unpack *u)
{
    const uint8_t *bytes;
    size_t n = unpack_peek(u, 4096, &bytes);
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '\r' && bytes[i] != '\n')
            return bytes[i] == '{';
    return true;
}

static int conclude(struct reader *r)
{
    struct error sentence = {0};
    const char *damage = unpack_problem(r->u);
    if (damage) {
        (void)error_set(&sentence, ERR_FORMAT, "%s: %s: what comes behind line %llu is lost", r->name, damage,
                        (unsigned long long)r->line);
        return say_whole_file(r->m, r->name, sentence.text);
    }
    if (r->wrong > SAID_MOST && r->m->options->problem) {
        (void)error_set(&sentence, ERR_FORMAT, "%s: %llu more could not be read", r->name,
                        (unsigned long long)(r->wrong - SAID_MOST));
        r->m->options->problem(r->m->options->problem_user, sentence.text);
    }
    if (r->wrong == 0)
        return 0;
    (void)error_set(&sentence, ERR_FORMAT, "%llu record%s could not be read; the first: %s",
                    (unsigned long long)r->wrong, r->wrong == 1 ? "" : "s", r->first.text);
    return keep_problem(r->m, r->name, sentence.text);
}

int merge_read_file(struct merge *m, const char *path)
{
    struct error error = {0};
    struct reader r = {.m = m, .u = unpack_open(path, &error)};
    if (!r.u)
        return say_whole_file(m, path, error.text);
    r.name = unpack_name(r.u);
    int status;
    if (!may_be_records(r.u)) {
        (void)error_set(&error, ERR_FORMAT,
                        "%s: no records of qosmark (-f jsonl or json); captures are for `qosmark audit`", r.name);
        status = say_whole_file(m, path, error.text);
    } else {
        m->files_read++;
        status = read_lines(&r);
        if (status == 0)
            status = conclude(&r);
    }
    strbuf_done(&r.keep);
    strbuf_done(&r.tee);
    unpack_free(r.u);
    return status;
}

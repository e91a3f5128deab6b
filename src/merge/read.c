#include "merge/read_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "report/records_read.h"

enum { PIECE_BYTES = 256 << 10, SAID_MOST = 10 };

void merge_reader_say(struct merge_reader *r, uint64_t line, const char *what)
{
    struct error sentence = {0};
    (void)error_set(&sentence, ERR_FORMAT, "%s:%llu: %s", r->name, (unsigned long long)line, what);
    if (r->wrong++ == 0)
        r->first = sentence;
    if (r->wrong <= SAID_MOST && r->m->options->problem)
        r->m->options->problem(r->m->options->problem_user, sentence.text);
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* The next line without its end, of at most MERGE_LINE_MAX_BYTES + 1; *ret_step is what to skip for it. False at the
 * end. */
static bool next_line(struct merge_reader *r, struct slice *ret, size_t *ret_step, bool *ret_ended)
{
    const uint8_t *bytes;
    size_t want = PIECE_BYTES, seen = 0;
    for (;;) {
        struct cursor held;
        size_t n = unpack_peek(r->u, seen ? want : 1, &bytes);
        held = unpack_held(r->u);
        n = n < cur_left(&held) ? cur_left(&held) : n;
        n = n > MERGE_LINE_MAX_BYTES + 1 ? MERGE_LINE_MAX_BYTES + 1 : n;
        const uint8_t *newline = n > seen ? memchr(bytes + seen, '\n', n - seen) : NULL;
        bool last = !newline && (n == seen || n > MERGE_LINE_MAX_BYTES);
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
        want = want > MERGE_LINE_MAX_BYTES + 1 ? MERGE_LINE_MAX_BYTES + 1 : want;
    }
}

/* Skips to the end of the line. */
static void drop_line(struct merge_reader *r)
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

static int read_line(struct merge_reader *r, struct slice line, bool ended)
{
    struct error why = {0};
    struct slice text = slice_trim(line);
    if (text.len == 0)
        return 0;
    int status = records_read_text(&r->m->set, text, &why);
    if (status == ERR_FORMAT && !ended && unpack_problem(r->u))
        return 0; /* said at the end, of the file as a whole */
    if (status == ERR_FORMAT && !ended && text.at[text.len - 1] != '}')
        merge_reader_say(r, r->line, "the file ends in the middle of a record");
    else if (status == ERR_FORMAT)
        merge_reader_say(r, r->line, why.text);
    return status == ERR_MEMORY ? status : 0;
}

static void show_progress(struct merge_reader *r)
{
    uint64_t done, total;
    unpack_progress(r->u, &done, &total);
    if (r->m->options->progress)
        r->m->options->progress(r->m->options->progress_user, r->m->bytes_done + done, r->m->bytes_total);
}

static int read_lines(struct merge_reader *r)
{
    struct slice line;
    size_t bytes;
    bool ended;
    int status = 0;
    for (r->line = 1; status == 0 && next_line(r, &line, &bytes, &ended);) {
        if (begins_object(line)) {
            r->lost = false;
            (void)unpack_skip(r->u, (size_t)(slice_trim(line).at - line.at));
            status = merge_reader_object(r);
            continue;
        }
        if (r->lost && (line.len == 0 || line.at[0] != '{')) {
            (void)unpack_skip(r->u, bytes);
            r->line++;
            continue;
        }
        r->lost = false;
        if (line.len > MERGE_LINE_MAX_BYTES) {
            merge_reader_say(r, r->line, "a line longer than 16 MiB, which no record is");
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

/* --- a file ------------------------------------------------------------------------------------------------------- */

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

static int conclude(struct merge_reader *r)
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
    struct merge_reader r = {.m = m, .u = unpack_open(path, &error)};
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

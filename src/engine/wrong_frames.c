#include "engine/wrong_frames.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture/source.h"
#include "engine/audit.h"
#include "engine/evidence_comment.h"
#include "engine/evidence_writer.h"
#include "stream/table.h"

enum { FRAMES_LEAST = 1024 };

/* Frames that captures number from 1; those of one input. */
struct noted {
    uint32_t *tokens;
    uint8_t *marks;
    size_t cap, count; /* count: the highest number of one that is noted */
    struct stat file;  /* before it was read; st_ino is 0 where it was not there */
};

struct wrong_frames {
    struct noted *inputs;
    size_t input_count;
    bool failed; /* out of memory */
};

/* What the second pass goes by. */
struct second_pass {
    const struct wrong_frames *frames;
    const struct stream_table *table;
    const struct document *document;
    struct wrong_output *output;
    struct record_scratch scratch;
    uint32_t *record_of; /* by token: record + 1; ASK where it was not asked for yet */
    dscp_set_t *wrong;   /* by record */
    size_t token_count;
    struct evidence_comments comments;
    struct evidence_writer writer;
    const char **names;
    uint64_t expected;
};

#define ASK UINT32_MAX

struct wrong_frames *wrong_frames_new(const char *const *files, size_t count)
{
    struct wrong_frames *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->inputs = calloc(count + 1, sizeof *w->inputs);
    w->input_count = count;
    for (size_t i = 0; w->inputs && i < count; i++)
        if (stat(files[i], &w->inputs[i].file) != 0)
            w->inputs[i].file = (struct stat){0};
    if (!w->inputs) {
        free(w);
        return NULL;
    }
    return w;
}

void wrong_frames_free(struct wrong_frames *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->input_count; i++) {
        free(w->inputs[i].tokens);
        free(w->inputs[i].marks);
    }
    free(w->inputs);
    free(w);
}

static bool make_room(struct noted *n, uint64_t number)
{
    size_t cap = n->cap ? n->cap : FRAMES_LEAST;
    while (cap < number)
        cap *= 2;
    if (cap == n->cap)
        return true;
    uint32_t *tokens = realloc(n->tokens, cap * sizeof *tokens);
    if (tokens)
        n->tokens = tokens;
    uint8_t *marks = realloc(n->marks, cap);
    if (marks)
        n->marks = marks;
    if (!tokens || !marks)
        return false;
    for (size_t i = n->cap; i < cap; i++)
        n->tokens[i] = STREAM_TOKEN_NONE;
    n->cap = cap;
    return true;
}

static void note(struct wrong_frames *w, uint32_t input, uint64_t number, uint32_t token, tos_t tos)
{
    struct noted *n = input < w->input_count ? &w->inputs[input] : NULL;
    if (!n || number == 0 || number > SIZE_MAX / 16)
        return;
    if (!make_room(n, number)) {
        w->failed = true;
        return;
    }
    n->tokens[number - 1] = token;
    n->marks[number - 1] = tos_dscp(tos);
    n->count = number > n->count ? (size_t)number : n->count;
}

void wrong_frames_take(void *frames, const struct packet *packets, const uint32_t *tokens, size_t n)
{
    struct wrong_frames *w = frames;
    for (size_t i = 0; i < n && !w->failed; i++) {
        const struct packet *p = &packets[i];
        if (tokens[i] == STREAM_TOKEN_NONE)
            continue;
        if (p->part_count == 0)
            note(w, p->input, p->frame, tokens[i], p->tos);
        for (uint32_t k = 0; k < p->part_count; k++)
            note(w, p->parts[k].input, p->parts[k].frame, tokens[i], p->parts[k].tos);
    }
}

/* ---- the second pass ---- */

static bool begin(struct second_pass *s, struct anonymizer *anonymizer)
{
    const struct document *d = s->document;
    for (size_t i = 0; i < s->frames->input_count; i++) {
        const struct noted *n = &s->frames->inputs[i];
        for (size_t k = 0; k < n->count; k++)
            if (n->tokens[k] != STREAM_TOKEN_NONE && n->tokens[k] >= s->token_count)
                s->token_count = (size_t)n->tokens[k] + 1;
    }
    s->record_of = malloc((s->token_count + 1) * sizeof *s->record_of);
    s->wrong = calloc(d->record_count + 1, sizeof *s->wrong);
    s->names = calloc(d->input_count + 1, sizeof *s->names);
    if (!s->record_of || !s->wrong || !s->names)
        return false;
    memset(s->record_of, 0xff, s->token_count * sizeof *s->record_of);
    for (size_t i = 0; i < d->record_count; i++)
        s->wrong[i] = evidence_wrong_marks(d, i, &s->scratch);
    for (size_t i = 0; i < d->input_count; i++)
        s->names[i] = d->inputs[i].file;
    s->comments.document = d;
    s->expected = d->summary.packets_violating;
    return evidence_writer_init(&s->writer, s->output->sink, s->output->sink_user, s->names, d->input_count,
                                anonymizer) == 0;
}

/* Whether a frame is wrong, and then of which record and with which mark. */
static bool is_wrong(struct second_pass *s, const struct frame *f, size_t *ret_record, dscp_t *ret_dscp)
{
    const struct noted *n = f->input < s->frames->input_count ? &s->frames->inputs[f->input] : NULL;
    if (!n || f->number == 0 || f->number > n->count || n->tokens[f->number - 1] == STREAM_TOKEN_NONE)
        return false;
    uint32_t *record = &s->record_of[n->tokens[f->number - 1]];
    if (*record == ASK) {
        size_t found = stream_table_record(s->table, s->document, n->tokens[f->number - 1]);
        *record = found < s->document->record_count ? (uint32_t)found + 1 : 0;
    }
    *ret_dscp = n->marks[f->number - 1];
    *ret_record = (size_t)*record - 1;
    return *record && dscp_set_has(s->wrong[*ret_record], *ret_dscp);
}

static int take_frame(struct second_pass *s, const struct frame *f)
{
    struct wrong_output *o = s->output;
    size_t record;
    dscp_t dscp;
    if (!is_wrong(s, f, &record, &dscp))
        return 0;
    if (o->max_bytes && s->writer.bytes + f->captured_bytes > o->max_bytes) {
        o->left_out++;
        return 0;
    }
    const char *comment = evidence_comment(&s->comments, record, dscp, f);
    if (!*comment) /* it always says something; without memory it says nothing */
        return ERR_MEMORY;
    int r = evidence_writer_add(&s->writer, f, document_kind(s->document, record), comment);
    o->written += r == 0;
    return r;
}

/* A file that goes on at its end is the same; one that was put in its place, or written anew, is not, and the frame of
 * some number in it is another frame. */
static bool is_changed(const struct noted *n, const char *path)
{
    struct stat now;
    const struct stat *before = &n->file;
    if (before->st_ino == 0)
        return false; /* nothing of it was read */
    if (stat(path, &now) != 0 || now.st_dev != before->st_dev || now.st_ino != before->st_ino ||
        now.st_size < before->st_size)
        return true;
    return now.st_size == before->st_size &&
           (now.st_mtim.tv_sec != before->st_mtim.tv_sec || now.st_mtim.tv_nsec != before->st_mtim.tv_nsec);
}

static int read_again(struct second_pass *s, const struct audit_options *a)
{
    struct source *source = a->file_count == 1 ? source_open_file(a->files[0], &s->output->error)
                                               : source_open_series(a->files, a->file_count, &s->output->error);
    enum source_status status = SOURCE_FRAME;
    struct frame frame;
    int r = 0;
    if (!source)
        return ERR_IO;
    while (r == 0 && s->output->written + s->output->left_out < s->expected &&
           (status = source_next(source, &frame)) != SOURCE_END)
        if (status == SOURCE_FRAME)
            r = take_frame(s, &frame);
    /* what cannot be read again is missing for that reason */
    for (size_t i = 0; i < a->file_count && r == 0 && s->output->written + s->output->left_out < s->expected; i++)
        if (source_input(source, i)->problem.text[0]) {
            s->output->error = source_input(source, i)->problem;
            r = ERR_IO;
        }
    source_free(source);
    for (size_t i = 0; i < a->file_count && i < s->frames->input_count; i++)
        s->output->changed = s->output->changed || is_changed(&s->frames->inputs[i], a->files[i]);
    return r;
}

void wrong_frames_write(struct wrong_frames *w, const struct audit_options *options, const struct stream_table *table,
                        const struct document *document)
{
    struct wrong_output *o = options->wrong;
    struct second_pass s = {.frames = w, .table = table, .document = document, .output = o};
    int r = !w->failed && begin(&s, options->anonymizer) ? 0 : ERR_MEMORY;
    if (r == 0 && s.expected)
        r = read_again(&s, options);
    if (r == 0)
        r = capture_writer_finish(s.writer.writer, &o->error);
    if (r < 0 && !o->error.text[0])
        (void)error_set(&o->error, r, "%s", r == ERR_MEMORY ? "out of memory for the wrong packets" : error_name(r));
    o->status = r;
    o->missing = s.expected - o->written - o->left_out;
    evidence_writer_done(&s.writer);
    evidence_comments_done(&s.comments);
    record_scratch_done(&s.scratch);
    free(s.record_of);
    free(s.wrong);
    free(s.names);
}

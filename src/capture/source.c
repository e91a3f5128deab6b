#include "capture/source.h"

#include <stdlib.h>

#include "capture/input.h"
#include "capture/merge.h"

enum {
    OPEN_MAX = 256,     /* files that may overlap in time; more are not read, and said not to be */
    OPEN_AT_START = 16, /* files that stay open from the look at their first frame on, which saves opening them twice */
};

struct source {
    struct input *inputs;
    size_t count;

    /* of source_next() */
    struct merge merge;
    bool merging;
    bool top_is_out; /* the frame of the merge's top was handed out */
    bool *to_tell;   /* by input: it failed, and SOURCE_FAILED was not returned yet */
    size_t failed;   /* how many of them */
};

/* ---- all inputs as one ---- */

static void count_failure(struct source *s, uint32_t input)
{
    if (s->inputs[input].status != SOURCE_FAILED)
        return;
    s->to_tell[input] = true;
    s->failed++;
}

static bool begin(struct source *s)
{
    s->merging = true;
    s->to_tell = calloc(s->count, sizeof *s->to_tell);
    if (!s->to_tell || !merge_init(&s->merge, s->count))
        return false;
    source_merge(s, &s->merge);
    for (uint32_t i = 0; i < s->count; i++)
        count_failure(s, i);
    return true;
}

static void activate(struct source *s, struct merge_input *due)
{
    struct input *in = &s->inputs[due->input];
    if (source_admit(s, due->input, s->merge.active) && input_next(in)) {
        due->time_ns = in->current.time_ns;
        merge_add(&s->merge, due);
    } else {
        count_failure(s, due->input);
    }
}

static void advance(struct source *s)
{
    struct input *in = &s->inputs[merge_top(&s->merge)->input];
    s->top_is_out = false;
    if (input_next(in)) {
        merge_advance(&s->merge, in->current.time_ns);
    } else {
        merge_end(&s->merge);
        count_failure(s, in->number);
    }
}

static enum source_status tell_failure(struct source *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->to_tell[i]) {
            s->to_tell[i] = false;
            break;
        }
    s->failed--;
    return SOURCE_FAILED;
}

/* An end that says nothing would be taken for that of the captures. */
static void fail_all(struct source *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct input *in = &s->inputs[i];
        if (in->status != SOURCE_FRAME)
            continue;
        (void)error_set(&in->info.problem, ERR_MEMORY, "%s was not read: out of memory", in->info.name);
        input_fail(in);
    }
}

enum source_status source_next(struct source *s, struct frame *ret)
{
    struct merge_input due;
    if (!s->merging && !begin(s)) {
        fail_all(s);
        return SOURCE_END;
    }
    if (s->top_is_out)
        advance(s);
    while (merge_take_due(&s->merge, &due))
        activate(s, &due);
    if (s->failed > 0)
        return tell_failure(s);
    const struct merge_input *top = merge_top(&s->merge);
    if (!top)
        return SOURCE_END;
    *ret = s->inputs[top->input].current;
    s->top_is_out = true;
    return SOURCE_FRAME;
}

/* ---- input by input ---- */

void source_merge(const struct source *s, struct merge *m)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->inputs[i].status == SOURCE_FRAME)
            merge_wait(m, i, s->inputs[i].current.time_ns);
    merge_start(m);
}

bool source_admit(struct source *s, size_t input, size_t active)
{
    struct input *in = &s->inputs[input];
    if (in->kept_open || active < OPEN_MAX)
        return true;
    (void)error_set(&in->info.problem, ERR_LIMIT, "%s was not read: more than %d files overlap in time", in->info.name,
                    OPEN_MAX);
    input_fail(in);
    return false;
}

enum source_status source_read(struct source *s, size_t input, struct frame_batch *b)
{
    return input_read(&s->inputs[input], b);
}

/* ---- opening ---- */

static struct source *source_new(const char *const *paths, size_t count)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->inputs = calloc(count, sizeof *s->inputs);
    if (!s->inputs) {
        free(s);
        return NULL;
    }
    for (s->count = 0; s->count < count; s->count++)
        if (!input_init(&s->inputs[s->count], paths[s->count], (uint32_t)s->count)) {
            source_free(s);
            return NULL;
        }
    return s;
}

struct source *source_open_file(const char *path, struct error *error)
{
    struct source *s = source_new(&path, 1);
    if (!s) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    if (!input_open(&s->inputs[0])) {
        if (error)
            *error = s->inputs[0].info.problem;
        source_free(s);
        return NULL;
    }
    s->inputs[0].kept_open = true;
    return s;
}

struct source *source_open_series(const char *const *paths, size_t count, struct error *error)
{
    if (count == 0) {
        (void)error_set(error, ERR_USAGE, "no capture was given");
        return NULL;
    }
    struct source *s = source_new(paths, count);
    if (!s) {
        (void)error_set(error, ERR_MEMORY, "out of memory");
        return NULL;
    }
    bool any = false;
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        struct input *in = &s->inputs[i];
        if (input_look(in)) {
            in->kept_open = open < OPEN_AT_START || !unpack_can_reopen(in->reader->bytes);
            open += in->kept_open;
            if (!in->kept_open)
                input_unlook(in);
        }
        any = any || in->opened;
    }
    if (!any) {
        if (error)
            *error = s->inputs[0].info.problem;
        source_free(s);
        return NULL;
    }
    return s;
}

size_t source_input_count(const struct source *s)
{
    return s->count;
}

const struct source_input *source_input(const struct source *s, size_t i)
{
    return &s->inputs[i].info;
}

void source_progress(const struct source *s, uint64_t *ret_done, uint64_t *ret_total)
{
    uint64_t done = 0, total = 0;
    bool known = true;
    for (size_t i = 0; i < s->count; i++) {
        uint64_t d, t;
        input_progress(&s->inputs[i], &d, &t);
        known = known && (t > 0 || !s->inputs[i].opened);
        done += d;
        total += t;
    }
    *ret_done = done;
    *ret_total = known ? total : 0;
}

void source_free(struct source *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        input_done(&s->inputs[i]);
    merge_done(&s->merge);
    free(s->to_tell);
    free(s->inputs);
    free(s);
}

#include "capture/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"

/*
 * A source is a merge by time of one or more files. A file is WAITING until the merge reaches its first frame, so that
 * of a long rotated series only the files that overlap are open at a time.
 */

enum {
    OPEN_MAX = 256,     /* files that may overlap in time; more are not read, and said not to be */
    OPEN_AT_START = 16, /* files that stay open from the look at their first frame on, which saves opening them twice */
};

enum input_state {
    INPUT_WAITING, /* its first frame was seen, or it is the only one */
    INPUT_ACTIVE,  /* `current` is its next frame */
    INPUT_DONE,
};

struct input {
    struct source_input info;
    char *path;
    enum input_state state;
    bool opened;           /* at least once */
    bool failed;           /* not told yet with SOURCE_FAILED */
    bool has_current;      /* still WAITING, and `current` holds its first frame */
    struct reader *reader; /* NULL where not open */
    struct frame current;
    int64_t first_ns;
    uint32_t rank; /* among the files by the time of their first frames: decides between frames of the same time */
    uint64_t done_bytes, total_bytes;
};

struct source {
    struct input *inputs;
    size_t count;
    uint32_t *waiting; /* input numbers by rank */
    size_t waiting_at, waiting_count;
    uint32_t *heap; /* input numbers: the next frame's on top */
    size_t heap_count;
    bool top_is_out; /* the frame of the heap's top was handed out */
    size_t open_count, failed_count;
};

/* ---- inputs ---- */

static void input_close(struct source *s, struct input *in)
{
    if (!in->reader)
        return;
    unpack_progress(in->reader->bytes, &in->done_bytes, &in->total_bytes);
    reader_free(in->reader);
    in->reader = NULL;
    s->open_count--;
}

static void input_fail(struct source *s, struct input *in)
{
    in->state = INPUT_DONE;
    in->failed = true;
    s->failed_count++;
    input_close(s, in);
}

static bool input_open(struct source *s, struct input *in)
{
    in->reader = reader_open(in->path, &in->info.problem);
    if (!in->reader) {
        input_fail(s, in);
        return false;
    }
    in->opened = true;
    s->open_count++;
    unpack_progress(in->reader->bytes, &in->done_bytes, &in->total_bytes);
    return true;
}

/* Reads the next frame of an open input into `current`; false where there is none, and then the input is done. */
static bool input_advance(struct source *s, struct input *in)
{
    enum source_status status = in->reader->ops->next(in->reader, &in->current);
    in->info.unsupported = in->reader->unsupported;
    in->info.dropped = in->reader->dropped;
    if (status == SOURCE_FRAME)
        return true;
    if (status == SOURCE_FAILED) {
        in->info.problem = in->reader->problem;
        input_fail(s, in);
    } else {
        in->info.complete = true;
        in->state = INPUT_DONE;
        input_close(s, in);
    }
    return false;
}

static void input_count(struct source_input *info, const struct frame *f)
{
    if (info->frames == 0 || f->time_ns < info->first_ns)
        info->first_ns = f->time_ns;
    if (info->frames == 0 || f->time_ns > info->last_ns)
        info->last_ns = f->time_ns;
    info->frames++;
    info->bytes += f->wire_bytes;
}

/* ---- the merge ---- */

static bool comes_before(const struct input *a, const struct input *b)
{
    if (a->current.time_ns != b->current.time_ns)
        return a->current.time_ns < b->current.time_ns;
    return a->rank < b->rank;
}

static void heap_sift_down(struct source *s, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1, right = left + 1;
        if (left < s->heap_count && comes_before(&s->inputs[s->heap[left]], &s->inputs[s->heap[least]]))
            least = left;
        if (right < s->heap_count && comes_before(&s->inputs[s->heap[right]], &s->inputs[s->heap[least]]))
            least = right;
        if (least == at)
            return;
        uint32_t swap = s->heap[at];
        s->heap[at] = s->heap[least];
        s->heap[least] = swap;
        at = least;
    }
}

static void heap_push(struct source *s, uint32_t input)
{
    size_t at = s->heap_count++;
    s->heap[at] = input;
    while (at > 0 && comes_before(&s->inputs[s->heap[at]], &s->inputs[s->heap[(at - 1) / 2]])) {
        s->heap[at] = s->heap[(at - 1) / 2];
        s->heap[(at - 1) / 2] = input;
        at = (at - 1) / 2;
    }
}

static void heap_pop(struct source *s)
{
    s->heap[0] = s->heap[--s->heap_count];
    heap_sift_down(s, 0);
}

/* Brings a waiting input into the merge. It may turn out to be done, or not to be there any more. */
static void activate(struct source *s, uint32_t number)
{
    struct input *in = &s->inputs[number];
    if (in->state != INPUT_WAITING)
        return;
    if (!in->reader && s->heap_count >= OPEN_MAX) {
        (void)error_set(&in->info.problem, ERR_LIMIT, "%s was not read: more than %d files overlap in time",
                        in->info.name, OPEN_MAX);
        input_fail(s, in);
        return;
    }
    if (!in->reader && !input_open(s, in))
        return;
    if (!in->has_current && !input_advance(s, in))
        return;
    in->has_current = false;
    in->state = INPUT_ACTIVE;
    heap_push(s, number);
}

/* The input whose failure has not been told yet. */
static enum source_status tell_failure(struct source *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->inputs[i].failed) {
            s->inputs[i].failed = false;
            break;
        }
    s->failed_count--;
    return SOURCE_FAILED;
}

enum source_status source_next(struct source *s, struct frame *ret)
{
    if (s->top_is_out) {
        s->top_is_out = false;
        if (input_advance(s, &s->inputs[s->heap[0]]))
            heap_sift_down(s, 0);
        else
            heap_pop(s);
    }
    while (s->waiting_at < s->waiting_count) {
        uint32_t number = s->waiting[s->waiting_at];
        if (s->heap_count > 0 && s->inputs[number].first_ns >= s->inputs[s->heap[0]].current.time_ns)
            break;
        s->waiting_at++;
        activate(s, number);
    }
    if (s->failed_count > 0)
        return tell_failure(s);
    if (s->heap_count == 0)
        return SOURCE_END;
    struct input *in = &s->inputs[s->heap[0]];
    in->current.input = s->heap[0];
    input_count(&in->info, &in->current);
    *ret = in->current;
    s->top_is_out = true;
    return SOURCE_FRAME;
}

/* ---- opening ---- */

static struct source *source_new(const char *const *paths, size_t count)
{
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->count = count;
    s->inputs = calloc(count, sizeof *s->inputs);
    s->waiting = calloc(count, sizeof *s->waiting);
    s->heap = calloc(count, sizeof *s->heap);
    if (!s->inputs || !s->waiting || !s->heap)
        goto fail;
    for (size_t i = 0; i < count; i++) {
        struct input *in = &s->inputs[i];
        in->path = strdup(paths[i]);
        if (!in->path)
            goto fail;
        in->info.name = strcmp(in->path, "-") == 0 ? "standard input" : in->path;
    }
    return s;

fail:
    source_free(s);
    return NULL;
}

struct source *source_open_file(const char *path, struct error *error)
{
    struct source *s = source_new(&path, 1);
    if (!s) {
        (void)error_set(error, ERR_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    if (!input_open(s, &s->inputs[0])) {
        if (error)
            *error = s->inputs[0].info.problem;
        source_free(s);
        return NULL;
    }
    s->waiting_count = 1;
    return s;
}

/* Reads an input's first frame for its time, and closes it again where enough are open. */
static void look(struct source *s, struct input *in)
{
    if (!input_open(s, in) || !input_advance(s, in))
        return;
    in->first_ns = in->current.time_ns;
    in->has_current = true;
    if (s->open_count > OPEN_AT_START && unpack_can_reopen(in->reader->bytes)) {
        input_close(s, in);
        in->has_current = false;
        in->done_bytes = 0;
        in->info.unsupported = 0;
        in->info.dropped = 0;
    }
}

struct first {
    int64_t ns;
    uint32_t input;
};

static int compare_first(const void *a, const void *b)
{
    const struct first *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns < y->ns ? -1 : 1;
    return x->input < y->input ? -1 : x->input > y->input;
}

static int rank_inputs(struct source *s)
{
    struct first *order = calloc(s->count, sizeof *order);
    if (!order)
        return ERR_MEMORY;
    size_t n = 0;
    for (uint32_t i = 0; i < s->count; i++)
        if (s->inputs[i].state == INPUT_WAITING)
            order[n++] = (struct first){s->inputs[i].first_ns, i};
    qsort(order, n, sizeof *order, compare_first);
    for (uint32_t i = 0; i < n; i++) {
        s->inputs[order[i].input].rank = i;
        s->waiting[i] = order[i].input;
    }
    s->waiting_count = n;
    free(order);
    return 0;
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
    for (size_t i = 0; i < count; i++) {
        look(s, &s->inputs[i]);
        any = any || s->inputs[i].opened;
    }
    if (!any) {
        if (error)
            *error = s->inputs[0].info.problem;
        goto fail;
    }
    if (rank_inputs(s) < 0) {
        (void)error_set(error, ERR_MEMORY, "out of memory");
        goto fail;
    }
    return s;

fail:
    source_free(s);
    return NULL;
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
        const struct input *in = &s->inputs[i];
        uint64_t d = in->done_bytes, t = in->total_bytes;
        if (in->reader)
            unpack_progress(in->reader->bytes, &d, &t);
        known = known && (t > 0 || !in->opened);
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
    for (size_t i = 0; s->inputs && i < s->count; i++) {
        if (s->inputs[i].reader)
            reader_free(s->inputs[i].reader);
        free(s->inputs[i].path);
    }
    free(s->inputs);
    free(s->waiting);
    free(s->heap);
    free(s);
}

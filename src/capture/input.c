#include "capture/input.h"

#include <stdlib.h>
#include <string.h>

bool input_init(struct input *in, const char *path, uint32_t number)
{
    in->path = strdup(path);
    in->number = number;
    in->status = SOURCE_FRAME;
    in->info.name = in->path && strcmp(in->path, "-") == 0 ? "standard input" : in->path;
    return in->path != NULL;
}

static void input_close(struct input *in)
{
    if (!in->reader)
        return;
    unpack_progress(in->reader->bytes, &in->done_bytes, &in->total_bytes);
    reader_free(in->reader);
    in->reader = NULL;
}

void input_done(struct input *in)
{
    input_close(in);
    free(in->path);
}

void input_fail(struct input *in)
{
    in->status = SOURCE_FAILED;
    input_close(in);
}

bool input_open(struct input *in)
{
    if (in->reader)
        return true;
    in->reader = reader_open(in->path, &in->info.problem);
    if (!in->reader) {
        input_fail(in);
        return false;
    }
    in->opened = true;
    unpack_progress(in->reader->bytes, &in->done_bytes, &in->total_bytes);
    return true;
}

/* Reads the next frame of an open input into `current`. */
static bool advance(struct input *in)
{
    in->status = in->reader->ops->next(in->reader, &in->current);
    in->info.unsupported = in->reader->unsupported;
    in->info.dropped = in->reader->dropped;
    if (in->status == SOURCE_FRAME) {
        in->current.input = in->number;
        return true;
    }
    if (in->status == SOURCE_FAILED)
        in->info.problem = in->reader->problem;
    else
        in->info.complete = true;
    input_close(in);
    return false;
}

bool input_look(struct input *in)
{
    in->has_first = input_open(in) && advance(in);
    return in->has_first;
}

void input_unlook(struct input *in)
{
    input_close(in);
    in->has_first = false;
    in->done_bytes = 0;
    in->info.unsupported = 0;
    in->info.dropped = 0;
}

static void count(struct source_input *info, const struct frame *f)
{
    if (info->frames == 0 || f->time_ns < info->first_ns)
        info->first_ns = f->time_ns;
    if (info->frames == 0 || f->time_ns > info->last_ns)
        info->last_ns = f->time_ns;
    info->frames++;
    info->bytes += f->wire_bytes;
}

bool input_next(struct input *in)
{
    if (in->status != SOURCE_FRAME || !input_open(in))
        return false;
    bool has_frame = in->has_first || advance(in);
    in->has_first = false;
    if (has_frame)
        count(&in->info, &in->current);
    return has_frame;
}

/* What lies behind the batch's last frame and is in memory already. */
static void read_more(struct input *in, struct frame_batch *b)
{
    uint32_t n = in->reader->ops->more(in->reader, &b->frames[b->count], FRAME_BATCH_MAX - b->count);
    for (uint32_t i = 0; i < n; i++) {
        struct frame *f = &b->frames[b->count++];
        f->input = in->number;
        count(&in->info, f);
    }
}

enum source_status input_read(struct input *in, struct frame_batch *b)
{
    frame_batch_clear(b);
    while (frame_batch_has_room(b) && input_next(in)) {
        const struct reader_ops *ops = in->reader->ops;
        if (!frame_batch_add(b, &in->current, ops->frames_stay ? unpack_chunk(in->reader->bytes) : NULL)) {
            (void)error_set(&in->info.problem, ERR_MEMORY, "%s cannot be read beyond packet %llu: out of memory",
                            in->info.name, (unsigned long long)in->current.number);
            input_fail(in);
        } else if (ops->more) {
            read_more(in, b);
        }
    }
    input_progress(in, &b->done_bytes, &(uint64_t){0});
    return b->count > 0 ? SOURCE_FRAME : in->status;
}

void input_progress(const struct input *in, uint64_t *ret_done, uint64_t *ret_total)
{
    *ret_done = in->done_bytes;
    *ret_total = in->total_bytes;
    if (in->reader)
        unpack_progress(in->reader->bytes, ret_done, ret_total);
}

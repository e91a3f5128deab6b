#include "engine/audit_feed.h"

#include <stdlib.h>

#include "engine/audit_internal.h"

struct audit_feed {
    struct audit_options options;
    struct audit audit;
    struct source_input input;
    struct decoder *decoder;
    bool has_fragments; /* some may be waiting */
    bool failed;        /* something was lost for want of memory: an audit that lacks something must not pass */
    uint32_t since_sweep;
};

static int out_of_memory(struct error *error)
{
    return error_set(error, ERR_MEMORY, "out of memory while packets were taken");
}

int audit_feed_open(const struct audit_options *options, const char *name, struct audit_feed **ret, struct error *error)
{
    struct audit_feed *f = calloc(1, sizeof *f);
    if (!f)
        return out_of_memory(error);
    f->options = *options;
    f->options.wrong = NULL;
    f->input.name = name;
    f->input.complete = true;
    f->audit = (struct audit){.options = &f->options, .fed = &f->input};
    struct decoder_options decoder = {.outer_layer = options->outer_layer, .key = &f->options.key};
    f->decoder = decoder_new(&decoder);
    f->audit.intake.skipped = calloc(1, sizeof *f->audit.intake.skipped);
    if (!f->decoder || !f->audit.intake.skipped || audit_begin(&f->audit, error) < 0) {
        audit_feed_free(f);
        return out_of_memory(error);
    }
    *ret = f;
    return 0;
}

static int to_table(struct audit_feed *f, const struct packet *packet)
{
    stream_table_packet(f->audit.table, packet);
    if (++f->since_sweep < INTAKE_SWEEP_EVERY)
        return 0;
    f->since_sweep = 0;
    return stream_table_expire(f->audit.table, packet->time_ns);
}

static int take_expired(struct audit_feed *f, int64_t now_ns)
{
    struct packet packet;
    int r = 0;
    while (f->has_fragments && decoder_expired(f->decoder, now_ns, &packet))
        if (to_table(f, &packet) < 0)
            r = ERR_MEMORY;
    return r;
}

static void count(struct source_input *in, const struct frame *frame)
{
    if (in->frames == 0 || frame->time_ns < in->first_ns)
        in->first_ns = frame->time_ns;
    if (in->frames == 0 || frame->time_ns > in->last_ns)
        in->last_ns = frame->time_ns;
    in->frames++;
    in->bytes += frame->wire_bytes;
}

int audit_feed_frame(struct audit_feed *f, const struct frame *given, struct error *error)
{
    struct frame frame = *given;
    struct packet packet;
    int r = 0;
    count(&f->input, given);
    frame.number = f->input.frames;
    frame.input = 0;
    enum decode_status status = decoder_frame(f->decoder, &frame, &packet);
    if (status == DECODE_HELD)
        f->has_fragments = true;
    if (status == DECODE_PACKET)
        r = to_table(f, &packet);
    else
        skipped_count(f->audit.intake.skipped, status, &frame);
    if (take_expired(f, frame.time_ns) < 0 || r < 0)
        f->failed = true;
    return f->failed ? out_of_memory(error) : 0;
}

int audit_feed_finish(struct audit_feed *f, struct document **ret, struct error *error)
{
    if (take_expired(f, INT64_MAX) < 0)
        f->failed = true;
    f->audit.intake.decode = decoder_stats(f->decoder);
    stream_table_finish(f->audit.table);
    if (f->failed || stream_table_stats(f->audit.table).memory_failed)
        return out_of_memory(error);
    int r = audit_document(&f->audit, error);
    if (r < 0)
        return r;
    *ret = f->audit.document;
    f->audit.document = NULL;
    return 0;
}

void audit_feed_free(struct audit_feed *f)
{
    if (!f)
        return;
    audit_done(&f->audit);
    decoder_free(f->decoder);
    free(f);
}

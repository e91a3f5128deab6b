#include "engine/intake.h"

#include <stdlib.h>
#include <string.h>

#include "capture/merge.h"
#include "engine/pipeline.h"

enum {
    GATHERED_MAX = 64,    /* packets of inputs that take turns, put side by side for the table */
    RUN_MIN = 8,          /* so many packets of one input are given to the table where they stand */
    PROGRESS_EVERY = 256, /* batches */
};

/* Where an input stands. */
struct position {
    const struct decoded *at;
    uint32_t frame, packet; /* the next one's index */
    uint32_t given;         /* packets before this one were given to the table */
    uint64_t done_bytes;
};

struct intake {
    const struct intake_options *options;
    struct pipeline *pipeline;
    struct merge merge;
    struct position *positions; /* by input */
    struct decoder *decoder;    /* the one that puts fragments together */
    bool has_fragments;         /* some may be waiting */
    struct skipped *skipped;    /* of frames that were decoded here */
    struct packet *gathered;
    size_t gathered_count;
    uint32_t since_sweep; /* packets since the table was asked last what has ended */
    bool out_of_memory;
    uint64_t batches, total_bytes;
};

/* ---- packets ---- */

static void take_some(struct intake *in, const struct packet *packets, size_t n)
{
    const struct intake_options *o = in->options;
    uint32_t tokens[FRAME_BATCH_MAX];
    if (!o->taken) {
        stream_table_packets(o->table, packets, n);
        return;
    }
    stream_table_packets_to(o->table, packets, n, tokens);
    o->taken(o->taken_user, packets, tokens, n);
}

/* Streams end at the same packets whatever the batches are. */
static void to_table(struct intake *in, const struct packet *packets, size_t n)
{
    while (n > 0) {
        size_t left = INTAKE_SWEEP_EVERY - in->since_sweep, count = n < left ? n : left;
        take_some(in, packets, count);
        in->since_sweep += (uint32_t)count;
        packets += count;
        n -= count;
        if (in->since_sweep < INTAKE_SWEEP_EVERY)
            continue;
        in->since_sweep = 0;
        if (stream_table_expire(in->options->table, packets[-1].time_ns) < 0)
            in->out_of_memory = true;
    }
}

static void flush(struct intake *in)
{
    if (in->gathered_count)
        to_table(in, in->gathered, in->gathered_count);
    in->gathered_count = 0;
}

/* The packets of an input that were passed and not given yet, which come after all that was given before. */
static void give(struct intake *in, struct position *p)
{
    const struct packet *packets = &p->at->packets[p->given];
    size_t n = p->packet - p->given;
    p->given = p->packet;
    if (n >= RUN_MIN) {
        flush(in);
        to_table(in, packets, n);
        return;
    }
    if (in->gathered_count + n > GATHERED_MAX)
        flush(in);
    memcpy(&in->gathered[in->gathered_count], packets, n * sizeof *packets);
    in->gathered_count += n;
}

/* A packet of the decoder that puts fragments together: after those that were passed, and before the decoder is used
 * again. */
static void take_one(struct intake *in, struct position *p, const struct packet *packet)
{
    if (p)
        give(in, p);
    flush(in);
    to_table(in, packet, 1);
}

/* `p` is the input whose frame was passed last; NULL at the end of all. */
static void take_expired(struct intake *in, struct position *p, int64_t now_ns)
{
    struct packet packet;
    while (decoder_expired(in->decoder, now_ns, &packet))
        take_one(in, p, &packet);
}

static void take_fragment(struct intake *in, struct position *p, const struct frame *frame)
{
    struct packet packet;
    enum decode_status status = decoder_frame(in->decoder, frame, &packet);
    in->has_fragments = true;
    if (status == DECODE_PACKET)
        take_one(in, p, &packet);
    else
        skipped_count(&in->skipped[frame->input], status, frame);
}

/* ---- order ---- */

static bool is_due(const struct frame *f, uint32_t rank, const struct merge_input *limit)
{
    return !limit || f->time_ns < limit->time_ns || (f->time_ns == limit->time_ns && rank < limit->rank);
}

/* Takes frames of one input up to the end of its batch, or until another input's turn comes. */
static void take_run(struct intake *in, struct position *p, uint32_t rank, const struct merge_input *limit)
{
    const struct decoded *d = p->at;
    do {
        const struct frame *f = &d->batch.frames[p->frame];
        uint8_t status = d->status[p->frame++];
        p->packet += status == DECODE_PACKET;
        if (status == DECODE_FRAGMENT)
            take_fragment(in, p, f);
        if (in->has_fragments)
            take_expired(in, p, f->time_ns);
    } while (p->frame < d->batch.count && is_due(&d->batch.frames[p->frame], rank, limit));
    give(in, p);
}

static void tell_progress(struct intake *in)
{
    const struct intake_options *o = in->options;
    uint64_t done = 0;
    if (++in->batches % PROGRESS_EVERY != 0 || !o->progress)
        return;
    for (size_t i = 0; i < source_input_count(o->source); i++)
        done += in->positions[i].done_bytes;
    o->progress(o->progress_user, done, in->total_bytes);
}

/* Goes on to the next batch of an input; false at its end. */
static bool next_batch(struct intake *in, uint32_t input)
{
    struct position *p = &in->positions[input];
    flush(in); /* what was gathered may lie in the batch that goes */
    p->at = pipeline_next(in->pipeline, input);
    p->frame = p->packet = p->given = 0;
    if (!p->at)
        return false;
    p->done_bytes = p->at->batch.done_bytes;
    tell_progress(in);
    return true;
}

static void activate_due(struct intake *in)
{
    struct merge_input due;
    while (merge_take_due(&in->merge, &due)) {
        if (!source_admit(in->options->source, due.input, in->merge.active) || !next_batch(in, due.input))
            continue;
        due.time_ns = in->positions[due.input].at->batch.frames[0].time_ns;
        merge_add(&in->merge, &due);
    }
}

static void take_all(struct intake *in)
{
    const struct merge_input *top;
    for (activate_due(in); (top = merge_top(&in->merge)) != NULL; activate_due(in)) {
        uint32_t input = top->input;
        struct position *p = &in->positions[input];
        struct merge_input limit;
        take_run(in, p, top->rank, merge_limit(&in->merge, &limit) ? &limit : NULL);
        if (p->frame < p->at->batch.count || next_batch(in, input))
            merge_advance(&in->merge, p->at->batch.frames[p->frame].time_ns);
        else
            merge_end(&in->merge);
    }
    flush(in);
    take_expired(in, NULL, INT64_MAX);
}

/* ---- begin and end ---- */

static int begin(struct intake *in, uint32_t **ret_order)
{
    const struct intake_options *o = in->options;
    size_t count = source_input_count(o->source);
    uint64_t done;
    in->positions = calloc(count + 1, sizeof *in->positions);
    in->skipped = calloc(count + 1, sizeof *in->skipped);
    in->gathered = malloc(GATHERED_MAX * sizeof *in->gathered);
    in->decoder = decoder_new(&o->decoder);
    *ret_order = calloc(count + 1, sizeof **ret_order);
    if (!in->positions || !in->skipped || !in->gathered || !in->decoder || !*ret_order ||
        !merge_init(&in->merge, count))
        return ERR_MEMORY;
    source_merge(o->source, &in->merge);
    for (size_t i = 0; i < in->merge.waiting_count; i++)
        (*ret_order)[i] = in->merge.waiting[i].input;
    source_progress(o->source, &done, &in->total_bytes);
    struct pipeline_options options = {.source = o->source,
                                       .order = *ret_order,
                                       .order_count = in->merge.waiting_count,
                                       .decoder = &o->decoder,
                                       .key = o->decoder.key,
                                       .threads = o->jobs > 1 ? o->jobs - 1 : 0};
    in->pipeline = pipeline_new(&options);
    return in->pipeline ? 0 : ERR_MEMORY;
}

static void add_up(struct intake *in, struct intake_result *ret)
{
    ret->decode = decoder_stats(in->decoder);
    struct decoder_stats lanes = pipeline_decoded(in->pipeline);
    ret->decode.tunnels_cut += lanes.tunnels_cut;
    ret->decode.nested_too_deep += lanes.nested_too_deep;
    for (size_t i = 0; i < source_input_count(in->options->source); i++) {
        struct skipped there = pipeline_skipped(in->pipeline, (uint32_t)i), *here = &in->skipped[i];
        here->truncated += there.truncated;
        here->malformed += there.malformed;
        here->unsupported += there.unsupported;
        here->unknown_link += there.unknown_link;
        here->link_type = there.link_type; /* of an unknown one no frame comes as far as the fragments */
    }
    ret->skipped = in->skipped;
    in->skipped = NULL;
}

int intake_run(const struct intake_options *options, struct intake_result *ret)
{
    struct intake in = {.options = options};
    uint32_t *order = NULL;
    int r = begin(&in, &order);
    if (r == 0) {
        take_all(&in);
        r = pipeline_ran_out(in.pipeline) || in.out_of_memory ? ERR_MEMORY : 0;
    }
    if (r == 0)
        add_up(&in, ret);
    pipeline_free(in.pipeline);
    decoder_free(in.decoder);
    merge_done(&in.merge);
    free(in.positions);
    free(in.skipped);
    free(in.gathered);
    free(order);
    return r;
}

#include "engine/audit.h"

#include <stdlib.h>
#include <string.h>

#include "capture/source.h"
#include "decode/decoder.h"
#include "policy/diagnose.h"
#include "policy/judge.h"
#include "stream/table.h"

enum { PROGRESS_EVERY = 65536 /* frames */ };

struct skipped {
    uint64_t truncated, malformed, unsupported;
    uint64_t unknown_link; /* of the unsupported: the link type says nothing to us */
    uint16_t link_type;    /* the first such one */
};

struct audit {
    const struct audit_options *options;
    struct source *source;
    struct decoder *decoder;
    struct stream_table *table;
    struct service_port *ports;
    struct skipped *skipped; /* by input */
    struct document *document;
};

static int audit_open(struct audit *a, struct error *error)
{
    const struct audit_options *o = a->options;
    a->source = o->file_count == 1 ? source_open_file(o->files[0], error) : source_open_series(o->files, o->file_count, error);
    if (!a->source)
        return ERR_IO;

    const struct policy_port *declared;
    size_t port_count = policy_ports(o->policy, &declared);
    a->ports = calloc(port_count + 1, sizeof *a->ports);
    if (!a->ports)
        return error_set(error, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < port_count; i++)
        a->ports[i] = (struct service_port){declared[i].port, declared[i].kind};

    struct decoder_options decoder_options = {.outer_layer = o->outer_layer, .key = &o->key};
    struct stream_options stream_options = {.key = o->key,
                                            .ignore_signalling = o->ignore_signalling,
                                            .mask_payload_types = o->mask_payload_types,
                                            .ports = a->ports,
                                            .port_count = port_count};
    a->decoder = decoder_new(&decoder_options);
    a->table = stream_table_new(&stream_options);
    a->skipped = calloc(source_input_count(a->source) + 1, sizeof *a->skipped);
    a->document = document_new();
    if (!a->decoder || !a->table || !a->skipped || !a->document)
        return error_set(error, ERR_MEMORY, "out of memory");
    return 0;
}

static void audit_frame(struct audit *a, const struct frame *frame)
{
    struct packet packet;
    struct skipped *skipped = &a->skipped[frame->input];

    switch (decoder_frame(a->decoder, frame, &packet)) {
    case DECODE_PACKET: stream_table_packet(a->table, &packet); break;
    case DECODE_HELD:
    case DECODE_NOT_IP: break;
    case DECODE_TRUNCATED: skipped->truncated++; break;
    case DECODE_MALFORMED: skipped->malformed++; break;
    case DECODE_UNSUPPORTED:
        skipped->unsupported++;
        if (!decoder_knows(frame->link_type) && skipped->unknown_link++ == 0)
            skipped->link_type = frame->link_type;
        break;
    }
    while (decoder_expired(a->decoder, frame->time_ns, &packet))
        stream_table_packet(a->table, &packet);
}

static void audit_read(struct audit *a)
{
    const struct audit_options *o = a->options;
    struct frame frame;
    struct packet packet;
    uint64_t frames = 0;

    for (;;) {
        enum source_status status = source_next(a->source, &frame);
        if (status == SOURCE_END)
            break;
        if (status == SOURCE_FAILED)
            continue; /* its input says why; the others go on */
        audit_frame(a, &frame);
        if (++frames % PROGRESS_EVERY == 0 && o->progress) {
            uint64_t done, total;
            source_progress(a->source, &done, &total);
            o->progress(o->progress_user, done, total);
        }
    }
    while (decoder_expired(a->decoder, INT64_MAX, &packet))
        stream_table_packet(a->table, &packet);
    stream_table_finish(a->table);
}

/* A file of which no packet could be read is an input that failed, though its last byte was seen. */
static void refuse_unknown_links(struct document *d, struct input *in, const struct skipped *skipped)
{
    struct error why = {0};
    if (skipped->unknown_link == 0 || *in->problem)
        return;
    if (skipped->unknown_link < in->packets) {
        (void)document_note(d, "packets of %s with a link type that qosmark does not know (%u), not read: %llu",
                            in->file, skipped->link_type, (unsigned long long)skipped->unknown_link);
        return;
    }
    (void)error_set(&why, ERR_FORMAT, "%s: its packets have link type %u, which qosmark does not know: none could be read", in->file,
                    skipped->link_type);
    in->problem = arena_copy(&d->arena, why.text, strlen(why.text));
    in->complete = false;
}

static bool document_inputs(struct audit *a)
{
    struct document *d = a->document;
    d->input_count = source_input_count(a->source);
    d->inputs = arena_alloc(&d->arena, (d->input_count + 1) * sizeof *d->inputs);
    if (!d->inputs)
        return false;
    for (size_t i = 0; i < d->input_count; i++) {
        const struct source_input *in = source_input(a->source, i);
        struct input *out = &d->inputs[i];
        out->file = arena_copy(&d->arena, in->name, strlen(in->name));
        out->problem = arena_copy(&d->arena, in->problem.text, strlen(in->problem.text));
        if (!out->file || !out->problem)
            return false;
        out->packets = in->frames;
        out->bytes = in->bytes;
        out->first_ns = in->first_ns;
        out->last_ns = in->last_ns;
        out->truncated = a->skipped[i].truncated;
        out->malformed = a->skipped[i].malformed;
        out->unsupported = a->skipped[i].unsupported + in->unsupported;
        out->dropped = in->dropped;
        out->complete = in->complete;
        refuse_unknown_links(d, out, &a->skipped[i]);
        if (!out->problem)
            return false;
    }
    return true;
}

/* What a reader must know before taking the figures for the whole truth. */
static bool document_limits(struct audit *a)
{
    struct document *d = a->document;
    struct stream_stats streams = stream_table_stats(a->table);
    struct decoder_stats decode = decoder_stats(a->decoder);
    const char *const *notes;
    size_t note_count = policy_notes(a->options->policy, &notes);
    bool ok = true;

    for (size_t i = 0; i < note_count; i++)
        ok &= document_note(d, "%s", notes[i]);
    if (streams.untracked_packets)
        ok &= document_note(d, "%llu packets belong to streams beyond the cap on streams and were not judged",
                            (unsigned long long)streams.untracked_packets);
    if (streams.tcp_overflows)
        ok &= document_note(d, "%llu TCP segments could not be put in order within the memory set aside for it: signalling may have been missed",
                            (unsigned long long)streams.tcp_overflows);
    if (decode.tunnels_cut)
        ok &= document_note(d, "%llu packets in tunnels are cut before the inner IP header ends: what they carry was not judged",
                            (unsigned long long)decode.tunnels_cut);
    if (streams.sip_untracked)
        ok &= document_note(d, "%llu SIP calls and media lines of SDP are beyond the cap on them: what they announce was not taken into account",
                            (unsigned long long)streams.sip_untracked);
    if (decode.fragments_expired)
        ok &= document_note(d, "%llu fragmented datagrams stayed incomplete (%llu because the cap on memory was reached): their marks count, their content was not read",
                            (unsigned long long)decode.fragments_expired, (unsigned long long)decode.fragments_evicted);
    return ok;
}

static bool document_explanations(struct audit *a)
{
    struct document *d = a->document;
    for (size_t i = 0; i < d->record_count; i++) {
        struct strbuf text = {0};
        stream_table_explain(a->table, i, &text);
        if (text.len)
            d->records[i].explanation = arena_copy(&d->arena, text.at, text.len);
        bool ok = strbuf_ok(&text) && (text.len == 0 || d->records[i].explanation);
        strbuf_done(&text);
        if (!ok)
            return false;
    }
    return true;
}

static int audit_document(struct audit *a, struct error *error)
{
    if (!document_inputs(a) || !document_limits(a) || stream_table_export(a->table, a->document) < 0 ||
        (a->options->explain && !document_explanations(a)) || judge_document(a->document, a->options->policy) < 0 ||
        diagnose_document(a->document, a->options->policy) < 0)
        return error_set(error, ERR_MEMORY, "out of memory while the report was made");
    return 0;
}

int audit_run(const struct audit_options *options, struct document **ret, struct error *error)
{
    struct audit a = {.options = options};
    int r = audit_open(&a, error);
    if (r < 0)
        goto out;
    audit_read(&a);
    r = audit_document(&a, error);
    if (r < 0)
        goto out;
    *ret = a.document;
    a.document = NULL;
out:
    document_free(a.document);
    stream_table_free(a.table);
    decoder_free(a.decoder);
    source_free(a.source);
    free(a.skipped);
    free(a.ports);
    return r;
}

#include "engine/audit.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/source.h"
#include "engine/anonymize.h"
#include "engine/intake.h"
#include "engine/wrong_frames.h"
#include "model/document.h"
#include "policy/diagnose.h"
#include "policy/judge.h"
#include "stream/table.h"

/* The streams of a long capture come and go: in a table so large those that have been silent for long are put away, in
 * a quarter of the room. In smaller ones nothing is gained by it. */
enum { STREAMS_LARGE = 100000 };
#define IDLE_NS (300 * NS_PER_S)

struct audit {
    const struct audit_options *options;
    struct source *source;
    struct stream_table *table;
    struct service_port *ports;
    struct intake_result intake;
    struct document *document;
    struct anonymizer *anonymizer; /* a copy of its own: audits may run side by side. NULL: everything stays as it is */
    struct policy *renamed;        /* the policy without names and addresses */
    struct wrong_frames *frames;   /* which stream each frame was of; NULL where nobody asks */
};

/* The policy to judge by. */
static const struct policy *audit_policy(const struct audit *a)
{
    return a->renamed ? a->renamed : a->options->policy;
}

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

    struct stream_options stream_options = {.key = o->key,
                                            .ignore_signalling = o->ignore_signalling,
                                            .mask_payload_types = o->mask_payload_types,
                                            .ports = a->ports,
                                            .port_count = port_count,
                                            .idle_from = STREAMS_LARGE};
    /* which frames were wrong is asked at the end, of the streams as they are then */
    stream_options.idle_ns = o->wrong ? 0 : IDLE_NS;
    a->table = stream_table_new(&stream_options);
    a->document = document_new();
    a->anonymizer = o->anonymizer ? anonymizer_copy(o->anonymizer) : NULL;
    if (o->anonymizer && (!a->anonymizer || anonymize_policy(a->anonymizer, o->policy, &a->renamed) < 0))
        return error_set(error, ERR_MEMORY, "out of memory");
    if (o->wrong && !(a->frames = wrong_frames_new(source_input_count(a->source))))
        return error_set(error, ERR_MEMORY, "out of memory");
    if (!a->table || !a->document)
        return error_set(error, ERR_MEMORY, "out of memory");
    return 0;
}

static int audit_read(struct audit *a, struct error *error)
{
    const struct audit_options *o = a->options;
    struct intake_options options = {.source = a->source,
                                     .table = a->table,
                                     .decoder = {.outer_layer = o->outer_layer, .key = &o->key},
                                     .jobs = o->jobs,
                                     .progress = o->progress,
                                     .progress_user = o->progress_user,
                                     .taken = a->frames ? wrong_frames_take : NULL,
                                     .taken_user = a->frames};
    if (intake_run(&options, &a->intake) < 0)
        return error_set(error, ERR_MEMORY, "out of memory while the captures were read");
    stream_table_finish(a->table);
    return 0;
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
        out->truncated = a->intake.skipped[i].truncated;
        out->malformed = a->intake.skipped[i].malformed;
        out->unsupported = a->intake.skipped[i].unsupported + in->unsupported;
        out->dropped = in->dropped;
        out->complete = in->complete;
        refuse_unknown_links(d, out, &a->intake.skipped[i]);
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
    const struct decoder_stats *decode = &a->intake.decode;
    const char *const *notes;
    size_t note_count = policy_notes(audit_policy(a), &notes);
    bool ok = true;

    for (size_t i = 0; i < note_count; i++)
        ok &= document_note(d, "%s", notes[i]);
    if (streams.untracked_packets)
        ok &= document_note(d, "%llu packets belong to streams beyond the cap on streams and were not judged",
                            (unsigned long long)streams.untracked_packets);
    if (streams.evicted)
        ok &= document_note(d, "%llu streams were ended before their time because the cap on streams was reached: what they carried later counts as streams of its own",
                            (unsigned long long)streams.evicted);
    if (streams.tcp_overflows)
        ok &= document_note(d, "%llu TCP segments could not be put in order within the memory set aside for it: signalling may have been missed",
                            (unsigned long long)streams.tcp_overflows);
    if (decode->tunnels_cut)
        ok &= document_note(d, "%llu packets in tunnels are cut before the inner IP header ends: what they carry was not judged",
                            (unsigned long long)decode->tunnels_cut);
    if (streams.sip_untracked)
        ok &= document_note(d, "%llu SIP calls and media lines of SDP are beyond the cap on them: what they announce was not taken into account",
                            (unsigned long long)streams.sip_untracked);
    if (decode->fragments_expired)
        ok &= document_note(d, "%llu fragmented datagrams stayed incomplete (%llu because the cap on memory was reached): their marks count, their content was not read",
                            (unsigned long long)decode->fragments_expired, (unsigned long long)decode->fragments_evicted);
    return ok;
}

/* What the records of the document are read from. */
struct origin {
    struct stream_table *table;
    struct service_port *ports; /* which the table borrows */
    struct anonymizer *anonymizer;
};

static void origin_free(void *what)
{
    struct origin *o = what;
    if (o) {
        stream_table_free(o->table);
        free(o->ports);
        anonymizer_free(o->anonymizer);
    }
    free(o);
}

/* The table becomes the document's. */
static struct stream_table *hand_over(struct audit *a)
{
    struct stream_table *table = a->table;
    struct origin *origin = malloc(sizeof *origin);
    if (!origin)
        return NULL;
    *origin = (struct origin){a->table, a->ports, a->anonymizer};
    document_own(a->document, origin, origin_free);
    a->table = NULL;
    a->ports = NULL;
    a->anonymizer = NULL;
    return table;
}

static int audit_document(struct audit *a, struct error *error)
{
    struct document *d = a->document;
    bool ok = document_inputs(a) && document_limits(a);
    d->explain = a->options->explain;
    /* room for what comes now */
    source_free(a->source);
    a->source = NULL;
    struct anonymizer *anonymizer = a->anonymizer;
    struct stream_table *table = ok ? hand_over(a) : NULL;
    bool made = table && stream_table_export(table, d) == 0;
    if (made)
        stream_table_trim(table);
    if (!made || (anonymizer && anonymize_streams(anonymizer, d) < 0) || judge_document(d, audit_policy(a)) < 0 ||
        diagnose_document(d, audit_policy(a)) < 0)
        return error_set(error, ERR_MEMORY, "out of memory while the report was made");
    if (a->frames)
        wrong_frames_write(a->frames, a->options, table, d);
    return 0;
}

int audit_run(const struct audit_options *options, struct document **ret, struct error *error)
{
    struct audit a = {.options = options};
    int r = audit_open(&a, error);
    if (r < 0)
        goto out;
    r = audit_read(&a, error);
    if (r < 0)
        goto out;
    r = audit_document(&a, error);
    if (r < 0)
        goto out;
    *ret = a.document;
    a.document = NULL;
out:
    document_free(a.document);
    stream_table_free(a.table);
    source_free(a.source);
    free(a.intake.skipped);
    free(a.ports);
    policy_free(a.renamed);
    anonymizer_free(a.anonymizer);
    wrong_frames_free(a.frames);
    return r;
}

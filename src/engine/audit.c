#include "engine/audit.h"

#include <stdlib.h>
#include <string.h>

#include "anonymize/anonymize.h"
#include "base/clock.h"
#include "engine/audit_internal.h"
#include "engine/wrong_frames.h"

/* The streams of a long capture come and go: in a table so large those that have been silent for long are put away, in
 * a quarter of the room. In smaller ones nothing is gained by it. */
enum { STREAMS_LARGE = 100000 };
#define IDLE_NS (300 * NS_PER_S)

int audit_begin(struct audit *a, struct error *error)
{
    const struct audit_options *o = a->options;
    const struct policy_port *declared;
    size_t port_count = policy_ports(o->policy, &declared);
    a->ports = calloc(port_count + 1, sizeof *a->ports);
    if (!a->ports)
        return error_set(error, ERR_MEMORY, "out of memory");
    for (size_t i = 0; i < port_count; i++)
        a->ports[i] = (struct protocol_port){declared[i].port, declared[i].kind};

    struct stream_options stream_options = {.key = o->key,
                                            .ignore_signalling = o->ignore_signalling,
                                            .mask_payload_types = o->mask_payload_types,
                                            .max_streams = o->max_streams,
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
    if (!a->table || !a->document)
        return error_set(error, ERR_MEMORY, "out of memory");
    return 0;
}

void audit_done(struct audit *a)
{
    document_free(a->document);
    stream_table_free(a->table);
    source_free(a->source);
    free(a->intake.skipped);
    free(a->ports);
    policy_free(a->renamed);
    anonymizer_free(a->anonymizer);
    wrong_frames_free(a->frames);
}

static int audit_open(struct audit *a, struct error *error)
{
    const struct audit_options *o = a->options;
    a->source = o->file_count == 1 ? source_open_file(o->files[0], error)
                                   : source_open_series(o->files, o->file_count, error);
    if (!a->source)
        return ERR_IO;
    if (o->wrong && !(a->frames = wrong_frames_new(o->files, o->file_count)))
        return error_set(error, ERR_MEMORY, "out of memory");
    return audit_begin(a, error);
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
    /* an audit that lacks something must not pass, and what it lacks may be what would acquit */
    if (stream_table_stats(a->table).memory_failed)
        return error_set(error, ERR_MEMORY, "out of memory while the captures were read");
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
    audit_done(&a);
    return r;
}

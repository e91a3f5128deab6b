#include <stdlib.h>
#include <string.h>

#include "anonymize/anonymize.h"
#include "engine/audit_internal.h"
#include "engine/limits.h"
#include "engine/wrong_frames.h"
#include "policy/diagnose.h"
#include "policy/judge.h"

/* The policy to judge by. */
static const struct policy *audit_policy(const struct audit *a)
{
    return a->renamed ? a->renamed : a->options->policy;
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
    d->input_count = a->source ? source_input_count(a->source) : 1;
    d->inputs = arena_alloc(&d->arena, (d->input_count + 1) * sizeof *d->inputs);
    if (!d->inputs)
        return false;
    for (size_t i = 0; i < d->input_count; i++) {
        const struct source_input *in = a->source ? source_input(a->source, i) : a->fed;
        struct input *out = &d->inputs[i];
        bool many = a->options->point_has_many || d->input_count > 1;
        out->problem = arena_copy(&d->arena, in->problem.text, strlen(in->problem.text));
        if (!document_name_input(d, out, in->name, a->options->point, many) || !out->problem)
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

/* Which limits were reached is known when the streams were decided about. */
static bool document_notes(struct audit *a, const struct stream_table *table)
{
    struct document *d = a->document;
    struct stream_stats streams = stream_table_stats(table);
    const char *const *notes;
    size_t note_count = policy_notes(audit_policy(a), &notes);
    bool ok = true;

    for (size_t i = 0; i < note_count; i++)
        ok &= document_note(d, "%s", notes[i]);
    return limits_note(d, &streams, &a->intake.decode) && ok;
}

/* What the records of the document are read from. */
struct origin {
    struct stream_table *table;
    struct protocol_port *ports; /* which the table borrows */
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

int audit_document(struct audit *a, struct error *error)
{
    struct document *d = a->document;
    bool ok = document_inputs(a);
    d->explain = a->options->explain;
    /* room for what comes now */
    source_free(a->source);
    a->source = NULL;
    struct anonymizer *anonymizer = a->anonymizer;
    struct stream_table *table = ok ? hand_over(a) : NULL;
    bool made = table && stream_table_export(table, d) == 0 && document_notes(a, table);
    if (made)
        stream_table_trim(table);
    if (!made || (anonymizer && anonymize_streams(anonymizer, d) < 0) || judge_document(d, audit_policy(a)) < 0 ||
        diagnose_document(d, audit_policy(a)) < 0)
        return error_set(error, ERR_MEMORY, "out of memory while the report was made");
    if (a->frames)
        wrong_frames_write(a->frames, a->options, table, d);
    return 0;
}

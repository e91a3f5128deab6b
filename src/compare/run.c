#include "compare/run.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "anonymize/anonymize.h"
#include "base/clock.h"
#include "capture/source.h"
#include "compare/classes.h"
#include "compare/figures.h"
#include "compare/point.h"
#include "decode/decoder.h"
#include "engine/lane.h"
#include "policy/judge_compare.h"
#include "stream/table.h"

enum { PROGRESS_EVERY = 16384 /* frames */ };

/* One capture, and what is kept of it. */
struct capture_job {
    const struct compare_options *options;
    struct source *source;
    struct stream_table *table;
    struct protocol_port *ports;
    struct decoder *decoder;
    struct compare_point point;
    struct skipped skipped;
    int64_t newest_ns; /* of the frames so far */
    bool seen;
    int status;
    bool leads; /* the one whose progress is told */
    pthread_t thread;
    bool has_thread;
};

struct run {
    const struct compare_options *options;
    struct capture_job *jobs;
    struct compare_document *document;
};

/* ---- reading ---- */

static int open_capture(struct capture_job *j, const char *file, struct error *error)
{
    const struct compare_options *o = j->options;
    const struct policy_port *declared;
    struct decoder_options decoder = {.outer_layer = o->outer_layer, .key = &o->key};
    size_t port_count = policy_ports(o->policy, &declared);
    j->source = source_open_file(file, error);
    if (!j->source)
        return ERR_IO;
    j->ports = calloc(port_count + 1, sizeof *j->ports);
    for (size_t i = 0; j->ports && i < port_count; i++)
        j->ports[i] = (struct protocol_port){declared[i].port, declared[i].kind};
    struct stream_options streams = {.key = o->key, .ports = j->ports, .port_count = port_count};
    compare_point_init(&j->point, &o->key, o->max_packets);
    j->table = j->ports ? stream_table_new(&streams) : NULL;
    j->decoder = decoder_new(&decoder);
    return j->table && j->decoder ? 0 : error_set(error, ERR_MEMORY, "out of memory");
}

static void take(struct capture_job *j, const struct packet *p)
{
    compare_point_packet(&j->point, p);
    if (j->point.left_out == 0)
        stream_table_packet(j->table, p);
}

/* Frames that are no IP show as well that the capture ran. */
static void note_hole(struct capture_job *j, int64_t time_ns)
{
    if (j->seen && time_ns - j->newest_ns >= COMPARE_HOLE_MS * NS_PER_MS)
        compare_point_hole(&j->point, j->newest_ns, time_ns);
    if (!j->seen || time_ns > j->newest_ns)
        j->newest_ns = time_ns;
    j->seen = true;
}

static void read_capture(struct capture_job *j)
{
    struct frame frame;
    struct packet packet;
    enum source_status status;
    uint64_t frames = 0;
    while ((status = source_next(j->source, &frame)) != SOURCE_END) {
        if (status == SOURCE_FAILED)
            continue;
        note_hole(j, frame.time_ns);
        enum decode_status decoded = decoder_frame(j->decoder, &frame, &packet);
        if (decoded == DECODE_PACKET)
            take(j, &packet);
        else
            skipped_count(&j->skipped, decoded, &frame);
        while (decoder_expired(j->decoder, frame.time_ns, &packet))
            take(j, &packet);
        if (j->leads && ++frames % PROGRESS_EVERY == 0 && j->options->progress) {
            uint64_t done, total;
            source_progress(j->source, &done, &total);
            j->options->progress(j->options->progress_user, done, total);
        }
    }
    while (decoder_expired(j->decoder, INT64_MAX, &packet))
        take(j, &packet);
    stream_table_finish(j->table);
    const struct source_input *in = source_input(j->source, 0);
    if (in->frames && j->point.left_out == 0) {
        /* frames that are no IP show as well that the capture ran */
        j->point.first_ns =
            in->first_ns < j->point.first_ns || !j->point.packet_count ? in->first_ns : j->point.first_ns;
        j->point.last_ns = in->last_ns > j->point.last_ns || !j->point.packet_count ? in->last_ns : j->point.last_ns;
    }
    bool whole = !stream_table_stats(j->table).memory_failed;
    j->status = compare_point_finish(&j->point) && whole ? 0 : ERR_MEMORY;
}

static void *read_thread(void *user)
{
    read_capture(user);
    return NULL;
}

/* As many at a time as there may be threads; the caller's reads too. */
static void read_all(struct run *r)
{
    size_t n = r->options->file_count;
    unsigned at_once = r->options->jobs ? r->options->jobs : 1;
    sigset_t all, before; /* signals are for the thread that owns the terminal */
    for (size_t begin = 0; begin < n; begin += at_once) {
        size_t end = begin + at_once < n ? begin + at_once : n;
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        for (size_t i = begin + 1; i < end; i++)
            r->jobs[i].has_thread = pthread_create(&r->jobs[i].thread, NULL, read_thread, &r->jobs[i]) == 0;
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
        r->jobs[begin].leads = true;
        read_capture(&r->jobs[begin]);
        for (size_t i = begin + 1; i < end; i++) {
            if (r->jobs[i].has_thread)
                (void)pthread_join(r->jobs[i].thread, NULL);
            else
                read_capture(&r->jobs[i]);
        }
    }
}

/* ---- the document ---- */

static bool fill_capture(struct compare_document *d, const struct capture_job *j, struct compare_capture *to)
{
    const struct source_input *in = source_input(j->source, 0);
    const char *problem = in->problem.text;
    uint64_t unknown = j->skipped.unknown_link;
    struct input *out = &to->input;
    if (!*problem && unknown && unknown == in->frames)
        problem = compare_document_text(
            d, "%s: its packets have link type %u, which qosmark does not know: none could be read", in->name,
            j->skipped.link_type);
    *out = (struct input){.packets = in->frames,
                          .bytes = in->bytes,
                          .first_ns = in->first_ns,
                          .last_ns = in->last_ns,
                          .truncated = j->skipped.truncated,
                          .malformed = j->skipped.malformed,
                          .unsupported = j->skipped.unsupported + in->unsupported,
                          .dropped = in->dropped,
                          .complete = in->complete && !*problem};
    out->file = arena_copy(&d->arena, in->name, strlen(in->name));
    out->problem = arena_copy(&d->arena, problem, strlen(problem));
    to->taken = j->point.packet_count;
    to->left_out = j->point.left_out;
    d->complete = d->complete && out->complete && to->left_out == 0;
    return out->file && out->problem;
}

static bool add_notes(struct compare_document *d)
{
    bool ok = true;
    for (size_t i = 0; i < d->capture_count; i++) {
        const struct compare_capture *c = &d->captures[i];
        if (c->left_out)
            ok &= compare_document_note(d, "%llu packets of %s are beyond the cap of %llu and were not compared",
                                        (unsigned long long)c->left_out, c->input.file, (unsigned long long)c->taken);
    }
    return ok;
}

static bool add_segment_notes(struct compare_document *d, const struct compare_segment *s)
{
    const struct compare_row *both = &s->rows[COMPARE_BOTH];
    const char *first = d->captures[s->first].input.file, *second = d->captures[s->second].input.file;
    bool ok = true;
    if (both->assumed_streams)
        ok &= compare_document_note(
            d,
            "traffic passes %s and %s both ways, and of %llu streams neither the TTL nor the clocks nor their hosts "
            "tell which of the two they pass first: they are taken to pass %s first",
            first, second, (unsigned long long)both->assumed_streams, first);
    if (s->rows[COMPARE_BACKWARD].matched && !s->rows[COMPARE_FORWARD].matched)
        ok &= compare_document_note(
            d,
            "all packets pass %s first, and then %s: were the captures given in the wrong order? Before and after are "
            "those of the packets on their way all the same",
            second, first);
    for (int way = 0; way < 2; way++) {
        const struct compare_row *row = &s->rows[way];
        if (row->in_holes)
            ok &= compare_document_note(
                d,
                "%llu packet%s of %s would have come while %s has no packet at all, for up to %.0f s at a time: an "
                "outage, or a capture that paused; they count as not compared, and not as lost",
                (unsigned long long)row->in_holes, row->in_holes == 1 ? "" : "s",
                d->captures[compare_before(s, (enum compare_way)way)].input.file,
                d->captures[compare_after(s, (enum compare_way)way)].input.file,
                (double)row->longest_hole_ns / (double)NS_PER_S);
    }
    if (both->matched && !both->loss_known)
        ok &= compare_document_note(d, "how many packets were lost between %s and %s is not known: %s", first, second,
                                    both->loss_reason);
    return ok;
}

static int make_segments(struct run *r)
{
    struct compare_document *d = r->document;
    int status = 0;
    d->segment_count = d->capture_count - 1;
    d->segments = arena_alloc(&d->arena, d->segment_count * sizeof *d->segments);
    if (!d->segments)
        return ERR_MEMORY;
    for (size_t i = 0; status == 0 && i < d->segment_count; i++) {
        d->segments[i].first = (uint32_t)i;
        d->segments[i].second = (uint32_t)i + 1;
        status = compare_segment_make(d, &r->jobs[i].point, &r->jobs[i + 1].point, false, &d->segments[i]);
        if (status == 0 && !add_segment_notes(d, &d->segments[i]))
            status = ERR_MEMORY;
    }
    d->whole = d->segments;
    if (status < 0 || d->segment_count == 1)
        return status;
    d->whole = arena_alloc(&d->arena, sizeof *d->whole);
    if (!d->whole)
        return ERR_MEMORY;
    d->whole->second = (uint32_t)d->segment_count;
    return compare_segment_make(d, &r->jobs[0].point, &r->jobs[d->segment_count].point, true, d->whole);
}

static int make_document(struct run *r)
{
    struct compare_document *d = r->document;
    const struct compare_options *o = r->options;
    bool ok = true;
    d->policy_name = compare_document_text(d, "%s", policy_name(o->policy));
    d->policy_source = compare_document_text(d, "%s", policy_source(o->policy));
    d->capture_count = o->file_count;
    d->captures = arena_alloc(&d->arena, d->capture_count * sizeof *d->captures);
    for (size_t i = 0; ok && d->captures && i < d->capture_count; i++) {
        struct capture_job *j = &r->jobs[i];
        ok = j->status == 0 && fill_capture(d, j, &d->captures[i]) &&
             compare_classes_find(&j->point, j->table, o->policy) == 0;
        /* what follows needs the room */
        stream_table_free(j->table);
        j->table = NULL;
    }
    if (!ok || !d->captures || (o->anonymizer && anonymize_compare_captures(o->anonymizer, d) < 0) || !add_notes(d) ||
        make_segments(r) < 0)
        return ERR_MEMORY;
    if (o->anonymizer)
        anonymize_compare_streams(o->anonymizer, d);
    return judge_compare(d, o->policy);
}

static void run_done(struct run *r)
{
    for (size_t i = 0; r->jobs && i < r->options->file_count; i++) {
        struct capture_job *j = &r->jobs[i];
        compare_point_done(&j->point);
        stream_table_free(j->table);
        decoder_free(j->decoder);
        source_free(j->source);
        free(j->ports);
    }
    free(r->jobs);
}

int compare_run(const struct compare_options *options, struct compare_document **ret, struct error *error)
{
    struct run r = {.options = options, .document = compare_document_new()};
    int status = 0;
    r.jobs = calloc(options->file_count + 1, sizeof *r.jobs);
    if (!r.jobs || !r.document)
        status = error_set(error, ERR_MEMORY, "out of memory");
    for (size_t i = 0; status == 0 && i < options->file_count; i++) {
        r.jobs[i].options = options;
        status = open_capture(&r.jobs[i], options->files[i], error);
    }
    if (status == 0) {
        read_all(&r);
        status = make_document(&r);
        if (status < 0)
            (void)error_set(error, status, "out of memory while the captures were compared");
    }
    run_done(&r);
    if (status < 0) {
        compare_document_free(r.document);
        return status;
    }
    *ret = r.document;
    return 0;
}

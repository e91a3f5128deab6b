#include "live/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fleet/meter.h"
#include "fleet/partition.h"
#include "report/view.h"
#include "stream/table.h"

/* Streams told at one look. A sensor of hundreds of thousands makes messages faster than any server takes them, and
 * would fill memory at each end of an interval: what is over takes several looks to tell then. */
enum { DEFAULT_TELL_MAX = 20000 };
static const int64_t DEFAULT_INTERVAL_NS = 10 * NS_PER_S, DEFAULT_IDLE_NS = 60 * NS_PER_S;

/* What a point had counted when the last interval ended. */
struct before {
    uint64_t packets, dropped_kernel, dropped_interface;
};

struct live_publish {
    struct live_publish_options options;
    struct meter *meter;
    struct before *before;  /* by point */
    struct before *now;     /* what came since */
    uint64_t *deltas;       /* of this interval, by point and partition */
    uint64_t *calls;        /* hashes of Call-IDs, of the document that is looked at */
    size_t call_cap;
    uint64_t interval;      /* number of the one that runs, or is told */
    int64_t from_ns, next_ns;
    bool telling;           /* it is over, and told from token `next` on */
    int64_t over_ns;        /* since then */
    uint32_t next;
    bool ends_early;        /* streams may leave the table before their interval is over */
    struct live_publishing state;
    struct live_publish_stats stats;
    struct record_scratch record;
    struct strbuf text;
    struct delta delta;
};

static bool make(struct live_publish *p)
{
    struct live_publish_options *o = &p->options;
    o->partitions = o->partitions ? o->partitions : PARTITIONS_DEFAULT;
    o->interval_ns = o->interval_ns ? o->interval_ns : DEFAULT_INTERVAL_NS;
    o->idle_ns = o->idle_ns ? o->idle_ns : DEFAULT_IDLE_NS;
    o->tell_max = o->tell_max ? o->tell_max : DEFAULT_TELL_MAX;
    /* told as ended while the table still has it: what has left it cannot be told of any more */
    p->ends_early = o->idle_ns < 4 * o->interval_ns;
    struct meter_options meter = {.silent_ns = o->idle_ns / 2, .tcp_silent_ns = p->ends_early ? o->idle_ns / 2 : 0};
    p->meter = meter_new(&meter);
    p->before = calloc(o->point_count + 1, sizeof *p->before);
    p->now = calloc(o->point_count + 1, sizeof *p->now);
    p->deltas = calloc(o->point_count * o->partitions + 1, sizeof *p->deltas);
    return p->meter && p->before && p->now && p->deltas;
}

struct live_publish *live_publish_new(const struct live_publish_options *options)
{
    struct live_publish *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->options = *options;
    p->interval = 1;
    p->from_ns = options->start_ns;
    if (make(p)) {
        p->next_ns = (p->from_ns / p->options.interval_ns + 1) * p->options.interval_ns;
        return p;
    }
    live_publish_free(p);
    return NULL;
}

void live_publish_free(struct live_publish *p)
{
    if (!p)
        return;
    meter_free(p->meter);
    record_scratch_done(&p->record);
    strbuf_done(&p->text);
    free(p->before);
    free(p->now);
    free(p->deltas);
    free(p->calls);
    free(p);
}

void live_publish_packet(struct live_publish *p, uint32_t token, const struct packet *packet)
{
    if (token != STREAM_TOKEN_NONE)
        meter_packet(p->meter, token, packet);
}

struct live_publish_stats live_publish_stats(const struct live_publish *p)
{
    struct live_publish_stats s = p->stats;
    s.lost = meter_lost(p->meter);
    return s;
}

const struct live_publishing *live_publish_state(struct live_publish *p)
{
    if (p->options.state)
        p->options.state(p->options.user, &p->state);
    return &p->state;
}

bool live_publish_note(struct live_publish *p, struct document *d)
{
    const struct live_publishing *s = live_publish_state(p);
    bool ok = true;
    if (s->dropped)
        ok = document_note(d, "messages to the collectors for which there was no room, or which were refused: %llu",
                           (unsigned long long)s->dropped);
    if (s->damaged)
        ok = ok && document_note(d, "messages to the collectors that were damaged in the file where they waited: %llu",
                                 (unsigned long long)s->damaged);
    if (!s->connected && p->options.state)
        ok = ok && document_note(d, "the message bus is not reached; messages that wait for it: %llu%s%s",
                                 (unsigned long long)(s->buffered + s->waiting), *s->problem ? ": " : "", s->problem);
    return ok;
}

/* --- a message ---------------------------------------------------------------------------------------------------- */

static int send(struct live_publish *p, unsigned partition)
{
    char subject[SUBJECT_MAX], id[DELTA_ID_MAX];
    p->text.len = 0;
    if (delta_write(&p->delta, &p->text) < 0)
        return ERR_MEMORY;
    delta_id(&p->delta, id);
    partition_subject(partition, p->delta.site, p->delta.point, subject);
    bool kept = p->options.sink(p->options.user, slice_make(subject, strlen(subject)), slice_make(id, strlen(id)),
                                slice_make(p->text.at, p->text.len));
    p->state.dropped += !kept;
    return 0;
}

/* What every message of the interval has. */
static void fill_head(struct live_publish *p, enum delta_type type, size_t point, int64_t now_ns)
{
    struct delta *d = &p->delta;
    memset(d, 0, sizeof *d);
    d->type = type;
    slice_copy(slice_make(p->options.site, strlen(p->options.site)), d->site, sizeof d->site);
    slice_copy(slice_make(p->options.points[point], strlen(p->options.points[point])), d->point, sizeof d->point);
    d->start_ns = p->options.start_ns;
    d->interval = p->interval;
    d->from_ns = p->from_ns;
    d->to_ns = now_ns > p->from_ns ? now_ns : p->from_ns;
    d->dropped_kernel = p->now[point].dropped_kernel;
    d->dropped_interface = p->now[point].dropped_interface;
}

static void copy_name(const char *name, char to[static DELTA_NAME_MAX])
{
    if (name)
        slice_copy(slice_make(name, strlen(name)), to, DELTA_NAME_MAX);
}

static void fill_record(struct live_publish *p, const struct document *doc, const struct record *r)
{
    struct delta *d = &p->delta;
    d->proto = r->proto;
    d->src = r->src;
    d->dst = r->dst;
    d->has_ssrc = r->has_ssrc;
    d->ssrc = r->ssrc;
    d->payload_type_count = r->payload_type_count;
    memcpy(d->payload_types, r->payload_types, sizeof d->payload_types);
    d->kind = r->kind;
    d->traffic_class = r->traffic_class;
    d->confidence = r->confidence;
    d->direction = r->direction;
    copy_name(view_node(doc, r->node), d->node);
    copy_name(view_site(doc, r->site), d->peer_site);
    d->call = r->call && r->call <= doc->calls_given ? p->calls[r->call - 1] : 0;
    d->expected = r->expected;
    d->preferred = r->preferred;
    d->verdict = r->verdict;
    d->copies_differ = r->copies_differ > 0;
    d->over_turn = r->over_turn;
    d->tunnel_depth = r->tunnel_depth;
    d->clock_rate = r->rtp ? r->rtp->clock_rate : 0;
    d->jitter_ms = r->rtp ? r->rtp->jitter_ms : -1;
}

/* --- a look ------------------------------------------------------------------------------------------------------- */

static int hash_calls(struct live_publish *p, const struct document *d)
{
    if (d->calls_given > p->call_cap) {
        uint64_t *more = realloc(p->calls, d->calls_given * sizeof *more);
        if (!more)
            return ERR_MEMORY;
        p->calls = more;
        p->call_cap = d->calls_given;
    }
    for (size_t i = 0; i < d->calls_given; i++) {
        const char *id = d->calls[i].call_id;
        p->calls[i] = id && *id ? partition_call(slice_make(id, strlen(id))) : 0;
    }
    return 0;
}

static int tell(struct live_publish *p, const struct stream_table *t, const struct document *doc, uint32_t token,
                int64_t now_ns, bool silent, bool last)
{
    size_t i = stream_table_record(t, doc, token);
    if (i == SIZE_MAX) {
        (void)meter_drop(p->meter, token);
        return 0;
    }
    const struct record *r = document_record(doc, i, RECORD_PLAIN, &p->record);
    size_t point = r->input < p->options.point_count ? r->input : 0;
    bool is_rtp = r->has_ssrc && kind_is_rtp(r->kind);
    fill_head(p, DELTA_STREAM, point, now_ns);
    fill_record(p, doc, r);
    meter_tell(p->meter, token, is_rtp ? &r->ssrc : NULL, now_ns, silent || last, &p->delta);
    p->delta.ended = silent;
    unsigned partition = partition_of(&p->delta, p->options.partitions);
    p->deltas[point * p->options.partitions + partition]++;
    p->stats.deltas++;
    return send(p, partition);
}

/* In the middle of an interval. */
static int tell_silent(struct live_publish *p, const struct stream_table *t, const struct document *d, int64_t now_ns)
{
    int r = 0;
    for (uint32_t token = 0; r == 0 && token < meter_tokens(p->meter); token++) {
        bool silent;
        if (meter_has(p->meter, token, now_ns, false, &silent) && silent)
            r = tell(p, t, d, token, now_ns, true, false);
    }
    return r;
}

/* Goes on telling an interval that is over; *ret_all: it is told. */
static int tell_streams(struct live_publish *p, const struct stream_table *t, const struct document *d, int64_t now_ns,
                        bool at_once, bool last, bool *ret_all)
{
    int r = 0;
    uint32_t tokens = meter_tokens(p->meter), told = 0;
    for (; r == 0 && p->next < tokens && (at_once || told < p->options.tell_max); p->next++) {
        bool silent;
        if (!meter_has(p->meter, p->next, now_ns, last, &silent))
            continue;
        r = tell(p, t, d, p->next, now_ns, silent, last);
        told++;
    }
    *ret_all = p->next >= tokens;
    return r;
}

/* What is told of streams in later looks is told until then: so the next interval begins where this one was over. */
static int end_interval(struct live_publish *p, int64_t now_ns, bool last)
{
    int r = 0;
    for (size_t point = 0; point < p->options.point_count; point++) {
        for (unsigned k = 0; r == 0 && k < p->options.partitions; k++) {
            fill_head(p, DELTA_INTERVAL, point, now_ns);
            p->delta.deltas = p->deltas[point * p->options.partitions + k];
            p->delta.frames = p->now[point].packets;
            p->delta.unpublished = live_publish_state(p)->dropped;
            p->delta.partition = k;
            p->delta.partitions = p->options.partitions;
            p->delta.last = last;
            r = send(p, k);
        }
    }
    memset(p->deltas, 0, p->options.point_count * p->options.partitions * sizeof *p->deltas);
    p->stats.intervals++;
    p->interval++;
    p->telling = false;
    p->from_ns = p->over_ns > p->from_ns ? p->over_ns : p->from_ns;
    p->next_ns = (now_ns / p->options.interval_ns + 1) * p->options.interval_ns;
    return r;
}

/* `over`: and begins anew. */
static void count_points(struct live_publish *p, const struct live_point *points, bool over)
{
    for (size_t i = 0; i < p->options.point_count; i++) {
        struct before now = {points[i].packets, points[i].dropped_kernel, points[i].dropped_interface};
        p->now[i] = (struct before){now.packets - p->before[i].packets,
                                    now.dropped_kernel - p->before[i].dropped_kernel,
                                    now.dropped_interface - p->before[i].dropped_interface};
        if (over)
            p->before[i] = now;
    }
}

static int tell_interval(struct live_publish *p, const struct stream_table *t, const struct document *d, int64_t now_ns,
                         bool at_once, bool last)
{
    bool all = false;
    if (!p->telling) {
        p->telling = true;
        p->over_ns = now_ns;
        p->next = 0;
    }
    int r = tell_streams(p, t, d, now_ns, at_once, last, &all);
    return r == 0 && all ? end_interval(p, now_ns, last) : r;
}

int live_publish_look(struct live_publish *p, const struct stream_table *t, const struct document *d,
                      const struct live_point *points, int64_t now_ns, bool last)
{
    int r = last || now_ns >= p->next_ns || p->telling || p->ends_early ? hash_calls(p, d) : 0;
    /* no stream is told twice in one interval: at the end, the one that is being told comes first */
    if (r == 0 && p->telling)
        r = tell_interval(p, t, d, now_ns, last, false);
    if (r < 0 || p->telling)
        return r;
    bool over = last || now_ns >= p->next_ns;
    count_points(p, points, over);
    if (over)
        return tell_interval(p, t, d, now_ns, last, last);
    return p->ends_early ? tell_silent(p, t, d, now_ns) : 0;
}

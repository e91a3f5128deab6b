#include "cli/screen/shown.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "policy/policy.h"
#include "report/view.h"

const char *shown_copy(struct shown *s, struct arena *a, const char *text)
{
    if (!text || !*text)
        return "";
    const char *copy = arena_copy(a, text, strlen(text));
    s->failed = s->failed || !copy;
    return copy ? copy : "";
}

static void *room(struct shown *s, size_t n, size_t size)
{
    void *p = n ? arena_alloc(&s->arena, n * size) : NULL;
    s->failed = s->failed || (n && !p);
    return p;
}

bool shown_matches(const char *words, const char *filter)
{
    char lower[SHOWN_FILTER_MAX];
    size_t n = 0;
    for (; filter[n] && n + 1 < sizeof lower; n++)
        lower[n] = (char)tolower((unsigned char)filter[n]);
    lower[n] = '\0';
    return strstr(words, lower) != NULL;
}

/* ---- points ---- */

struct before {
    uint64_t packets, bytes, dropped;
    double packets_per_s, bits_per_s;
};

/* Half a second is too short for a rate that can be read: half of it is what was shown before. */
static double rate(uint64_t now, uint64_t then, double seconds, double shown, bool first)
{
    double fresh = seconds > 0 && now >= then ? (double)(now - then) / seconds : 0;
    return first ? fresh : (fresh + shown) / 2;
}

static void take_points(struct shown *s, const struct live_view *v, const struct before *before, size_t before_count,
                        int64_t elapsed_ns)
{
    double seconds = elapsed_ns > 0 ? (double)elapsed_ns / (double)NS_PER_S : 0;
    s->points = room(s, v->point_count, sizeof *s->points);
    s->point_count = s->points ? v->point_count : 0;
    for (size_t i = 0; i < s->point_count; i++) {
        const struct live_point *from = &v->points[i];
        struct before was = i < before_count ? before[i] : (struct before){0};
        uint64_t dropped = from->dropped_kernel + from->dropped_interface;
        s->points[i] = (struct shown_point){
            .name = shown_copy(s, &s->arena, from->name),
            .problem = shown_copy(s, &s->arena, from->problem),
            .state = from->state,
            .state_since_ns = from->state_since_ns,
            .packets = from->packets,
            .bytes = from->bytes,
            .dropped = dropped,
            .dropped_lately = dropped > was.dropped ? dropped - was.dropped : 0,
            .packets_per_s = rate(from->packets, was.packets, seconds, was.packets_per_s, !s->there),
            .bits_per_s = 8 * rate(from->bytes, was.bytes, seconds, was.bits_per_s / 8, !s->there),
        };
    }
}

/* ---- classes ---- */

static struct shown_class *class_row(struct shown *s, enum traffic_class c, enum direction d)
{
    for (size_t i = 0; i < s->class_count; i++)
        if (s->classes[i].traffic_class == c && s->classes[i].direction == d)
            return &s->classes[i];
    struct shown_class *row = &s->classes[s->class_count++];
    row->traffic_class = c;
    row->direction = d;
    return row;
}

static void add_class(struct shown *s, const struct summary_row *from)
{
    struct shown_class *to = class_row(s, from->traffic_class, from->direction);
    to->streams += from->streams;
    to->packets += from->packets;
    to->violating_streams += from->violating_streams;
    to->violating_packets += from->violating_packets;
    if (!to->expected)
        to->preferred = from->preferred;
    to->expected |= from->expected;
    to->judged = to->judged || from->judged;
    for (size_t m = 0; m < DSCP_COUNT; m++) {
        to->by_dscp[m] += from->by_dscp[m];
        to->wrong_by_dscp[m] += from->wrong_by_dscp[m];
        to->unsure_by_dscp[m] += from->unsure_by_dscp[m];
    }
}

static int by_class(const void *a, const void *b)
{
    const struct shown_class *x = a, *y = b;
    /* what the policy has no class for comes last */
    unsigned cx = x->traffic_class == CLASS_NONE ? CLASS_COUNT : x->traffic_class;
    unsigned cy = y->traffic_class == CLASS_NONE ? CLASS_COUNT : y->traffic_class;
    if (cx != cy)
        return cx < cy ? -1 : 1;
    return (x->direction > y->direction) - (x->direction < y->direction);
}

/* Class by direction, of all nodes together. */
static void take_classes(struct shown *s, const struct live_view *v)
{
    const struct document *d = v->document;
    struct live_series *series = room(s, v->series_count, sizeof *series);
    s->class_count = 0;
    s->classes = room(s, (size_t)CLASS_COUNT * DIRECTION_COUNT, sizeof *s->classes);
    if (!s->classes)
        return;
    for (size_t i = 0; i < d->by_class_count; i++)
        if (d->by_class[i].traffic_class < CLASS_COUNT && d->by_class[i].direction < DIRECTION_COUNT)
            add_class(s, &d->by_class[i]);
    qsort(s->classes, s->class_count, sizeof *s->classes, by_class);
    for (size_t i = 0; series && i < v->series_count; i++) {
        series[i] = v->series[i];
        for (size_t k = 0; k < s->class_count; k++)
            if (s->classes[k].traffic_class == series[i].traffic_class &&
                s->classes[k].direction == series[i].direction)
                s->classes[k].series = &series[i];
    }
}

/* ---- findings ---- */

static void take_finding(struct shown *s, struct shown_finding *to, const struct finding *f)
{
    to->code = f->code;
    to->confidence = f->confidence;
    to->subject = shown_copy(s, &s->arena, f->subject);
    to->message = shown_copy(s, &s->arena, f->message);
    to->advice = shown_copy(s, &s->arena, f->advice);
    to->wireshark = shown_copy(s, &s->arena, f->wireshark);
    to->packets = f->packets;
    to->streams = f->stream_count;
}

static void take_findings(struct shown *s, const struct live_view *v)
{
    size_t n = v->finding_count < SHOWN_FINDINGS ? v->finding_count : SHOWN_FINDINGS;
    s->findings = room(s, n, sizeof *s->findings);
    s->finding_count = s->findings ? n : 0;
    s->finding_total = v->finding_count;
    s->open_count = 0;
    for (size_t i = 0; i < v->finding_count; i++)
        s->open_count += v->findings[i].closed_ns == 0;
    for (size_t i = 0; i < s->finding_count; i++) {
        const struct live_finding *f = &v->findings[i];
        s->findings[i] = (struct shown_finding){
            .id = f->id, .opened_ns = f->opened_ns, .closed_ns = f->closed_ns, .last_wrong_ns = f->last_wrong_ns};
        take_finding(s, &s->findings[i], &f->finding);
    }
}

/* ---- calls ---- */

struct call_place {
    size_t index;
    struct call_counts counts;
};

static int worst_call_first(const void *a, const void *b)
{
    const struct call_place *x = a, *y = b;
    if (x->counts.violating != y->counts.violating)
        return x->counts.violating > y->counts.violating ? -1 : 1;
    return (x->index < y->index) - (x->index > y->index); /* the newest first */
}

static uint64_t hash_text(uint64_t h, const char *text)
{
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3ULL;
    return h;
}

static void take_call(struct shown *s, const struct document *d, size_t index, const struct call_counts *counts,
                      struct call_scratch *scratch, struct shown_call *to)
{
    const struct call *c = document_call(d, index, scratch);
    if (!c)
        return;
    *to = (struct shown_call){
        .name = shown_copy(s, &s->arena, c->id),
        .call_id = shown_copy(s, &s->arena, c->call_id),
        .from = shown_copy(s, &s->arena, c->from),
        .to = shown_copy(s, &s->arena, c->to),
        .user_agent = shown_copy(s, &s->arena, c->user_agent),
        .first_ns = c->first_ns,
        .streams = counts->streams,
        .violating = counts->violating,
        .verdict = counts->verdict,
    };
    /* its number changes as others end: what it is does not */
    to->id =
        hash_text(hash_text(hash_text(14695981039346656037ULL, to->call_id), to->from), to->to) ^ (uint64_t)c->first_ns;
}

static void take_calls(struct shown *s, const struct live_view *v)
{
    const struct document *d = v->document;
    struct call_scratch scratch = {0};
    struct call_place *places = d->call_count ? malloc(d->call_count * sizeof *places) : NULL;
    s->call_total = d->call_count;
    s->call_count = 0;
    if (!places) {
        s->failed = s->failed || d->call_count;
        return;
    }
    for (size_t i = 0; i < d->call_count; i++)
        places[i] = (struct call_place){.index = i, .counts = document_call_counts(d, i)};
    qsort(places, d->call_count, sizeof *places, worst_call_first);
    size_t n = d->call_count < SHOWN_CALLS ? d->call_count : SHOWN_CALLS;
    s->calls = room(s, n, sizeof *s->calls);
    for (size_t i = 0; s->calls && i < n; i++)
        take_call(s, d, places[i].index, &places[i].counts, &scratch, &s->calls[s->call_count++]);
    call_scratch_done(&scratch);
    free(places);
}

/* ---- all of it ---- */

static void take_notes(struct shown *s, const struct document *d)
{
    s->notes = room(s, d->note_count, sizeof *s->notes);
    s->note_count = s->notes ? d->note_count : 0;
    for (size_t i = 0; i < s->note_count; i++)
        s->notes[i] = shown_copy(s, &s->arena, d->notes[i]);
}

void shown_take(struct shown *s, const struct live_view *v, const struct shown_wish *wish, bool streams)
{
    struct before before[64];
    size_t before_count = s->point_count < 64 ? s->point_count : 64;
    int64_t elapsed = s->there ? v->now_ns - s->now_ns : v->now_ns - v->began_ns;
    for (size_t i = 0; i < before_count; i++)
        before[i] = (struct before){s->points[i].packets, s->points[i].bytes, s->points[i].dropped,
                                    s->points[i].packets_per_s, s->points[i].bits_per_s};

    arena_done(&s->arena);
    s->failed = false;
    s->began_ns = v->began_ns;
    s->now_ns = v->now_ns;
    s->verdict = view_verdict(v->document);
    s->summary = v->document->summary.verdict;
    s->policy_name = shown_copy(s, &s->arena, v->document->policy_name);
    s->forgotten = v->forgotten_streams;
    struct strbuf rest = {0};
    view_rest(v->document, &rest);
    (void)snprintf(s->rest, sizeof s->rest, "%s", strbuf_text(&rest));
    strbuf_done(&rest);
    take_points(s, v, before, before_count, elapsed);
    take_classes(s, v);
    take_findings(s, v);
    take_calls(s, v);
    take_notes(s, v->document);
    s->words = (struct shown_words){0};
    s->pinned = NULL;
    if (streams || !s->there)
        shown_take_streams(s, v, wish);
    if (wish->words_of)
        shown_take_words(s, v, wish->words_of);
    s->there = true;
}

void shown_done(struct shown *s)
{
    arena_done(&s->arena);
    arena_done(&s->stream_arena);
    *s = (struct shown){0};
}

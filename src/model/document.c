#include "model/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/notes.h"

struct document *document_new(void)
{
    struct document *d = calloc(1, sizeof *d);
    if (d) {
        d->policy_name = "";
        d->policy_source = "";
    }
    return d;
}

void document_free(struct document *d)
{
    if (!d)
        return;
    if (d->causes.free)
        d->causes.free(d->causes.own);
    if (d->verdicts.free)
        d->verdicts.free(d->verdicts.own);
    if (d->streams.free)
        d->streams.free(d->streams.own);
    if (d->owned_free)
        d->owned_free(d->owned);
    free(d->records);
    free(d->judged);
    free(d->expectations);
    free(d->call_start);
    free(d->call_streams);
    free(d->notes);
    arena_done(&d->arena);
    free(d);
}

void document_own(struct document *d, void *what, void (*free_what)(void *what))
{
    d->owned = what;
    d->owned_free = free_what;
}

bool document_name_input(struct document *d, struct input *in, const char *file, const char *point, bool many)
{
    in->file = arena_copy(&d->arena, file, strlen(file));
    in->point = point ? arena_printf(&d->arena, many ? "%s:%s" : "%s", point, file) : NULL;
    return in->file && (in->point || !point);
}

bool document_note(struct document *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool added = notes_add(&d->notes, &d->note_count, &d->arena, format, args);
    va_end(args);
    return added;
}

/* --- records ------------------------------------------------------------------------------------------------------ */

const struct record *document_record(const struct document *d, size_t i, unsigned parts, struct record_scratch *s)
{
    if (d->records) {
        const struct record *given = &d->records[i];
        if (!(parts & RECORD_FINDINGS) || !d->causes.fill)
            return given;
        s->record = *given;
    } else {
        d->streams.fill(d->streams.own, d, i, parts, s);
        if (d->verdicts.fill)
            d->verdicts.fill(d->verdicts.own, d, i, parts, s);
    }
    if ((parts & RECORD_FINDINGS) && d->causes.fill)
        d->causes.fill(d->causes.own, d, i, s);
    return &s->record;
}

void record_scratch_done(struct record_scratch *s)
{
    strbuf_done(&s->explanation);
    for (size_t i = 0; i < RECORD_FINDINGS_MAX; i++)
        finding_scratch_done(&s->findings[i]);
}

enum kind document_kind(const struct document *d, size_t i)
{
    return d->records ? d->records[i].kind : (enum kind)d->kinds[i];
}

enum verdict document_verdict(const struct document *d, size_t i)
{
    return d->records ? d->records[i].verdict : d->judged ? (enum verdict)d->judged[i].verdict : VERDICT_UNCHECKED;
}

/* --- findings ----------------------------------------------------------------------------------------------------- */

void finding_scratch_begin(struct finding_scratch *s)
{
    struct strbuf *const texts[] = {&s->message, &s->advice, &s->wireshark, &s->subject};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        texts[i]->len = 0;
        if (texts[i]->at)
            texts[i]->at[0] = '\0';
    }
    s->finding = (struct finding){.message = "", .advice = "", .wireshark = "", .subject = ""};
}

/* A buffer that was emptied still shows what it held. */
static const char *words(const struct strbuf *b)
{
    return b->len ? b->at : "";
}

bool finding_scratch_finish(struct finding_scratch *s)
{
    s->finding.message = words(&s->message);
    s->finding.advice = words(&s->advice);
    s->finding.wireshark = words(&s->wireshark);
    s->finding.subject = words(&s->subject);
    return strbuf_ok(&s->message) && strbuf_ok(&s->advice) && strbuf_ok(&s->wireshark) && strbuf_ok(&s->subject);
}

void finding_scratch_done(struct finding_scratch *s)
{
    strbuf_done(&s->message);
    strbuf_done(&s->advice);
    strbuf_done(&s->wireshark);
    strbuf_done(&s->subject);
}

const struct finding *document_finding(const struct document *d, size_t i, struct finding_scratch *s)
{
    if (d->findings)
        return &d->findings[i];
    d->causes.group(d->causes.own, d, i, s);
    return &s->finding;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static uint32_t call_of(const struct document *d, size_t i)
{
    uint32_t call = d->records ? d->records[i].call : d->call_of ? d->call_of[i] : 0;
    return call <= d->call_count ? call : 0;
}

/* A call lasts as long as its streams: its signalling is silent from the answer to the end, or to the end of the
 * capture. */
static void last_with_streams(struct document *d)
{
    struct record_scratch s = {0};
    for (size_t c = 0; d->calls && c < d->calls_given; c++) {
        struct call *call = &d->calls[c];
        for (size_t i = 0; i < call->stream_count; i++) {
            int64_t last_ns = document_record(d, call->streams[i], RECORD_PLAIN, &s)->last_ns;
            call->last_ns = last_ns > call->last_ns ? last_ns : call->last_ns;
        }
    }
    record_scratch_done(&s);
}

bool document_link_calls(struct document *d)
{
    size_t total = 0, n = d->call_count;
    uint32_t *start = calloc(n + 2, sizeof *start);
    for (size_t i = 0; start && i < d->record_count; i++) {
        uint32_t call = call_of(d, i);
        start[call + 1] += call != 0;
        total += call != 0;
    }
    uint32_t *streams = start ? malloc((total + 1) * sizeof *streams) : NULL;
    if (!streams) {
        free(start);
        return false;
    }
    /* start[call + 1] holds how many; it becomes where they begin, and by filling where the next call's do */
    for (size_t c = 1; c <= n; c++)
        start[c + 1] += start[c];
    for (size_t i = 0; i < d->record_count; i++) {
        uint32_t call = call_of(d, i);
        if (call)
            streams[start[call]++] = (uint32_t)i;
    }
    /* start[call] is now where the call's streams end: that of call - 1 is where they begin */
    free(d->call_start);
    free(d->call_streams);
    d->call_start = start;
    d->call_streams = streams;
    for (size_t c = 0; d->calls && c < d->calls_given; c++) {
        struct call_counts counts = document_call_counts(d, c);
        d->calls[c].streams = streams + start[c];
        d->calls[c].stream_count = counts.streams;
        d->calls[c].verdict = counts.verdict;
    }
    last_with_streams(d);
    return true;
}

/* A call is as bad as its worst stream: violating, then undetermined, then conforming; unchecked says nothing. */
static enum verdict worse_verdict(enum verdict a, enum verdict b)
{
    static const int rank[] = {
        [VERDICT_UNCHECKED] = 0, [VERDICT_CONFORMING] = 1, [VERDICT_UNDETERMINED] = 2, [VERDICT_VIOLATING] = 3};
    return rank[a] >= rank[b] ? a : b;
}

struct call_counts document_call_counts(const struct document *d, size_t i)
{
    struct call_counts c = {.verdict = VERDICT_UNCHECKED};
    if (!d->call_start)
        return c;
    c.streams = d->call_start[i + 1] - d->call_start[i];
    for (uint32_t k = d->call_start[i]; k < d->call_start[i + 1]; k++) {
        enum verdict v = document_verdict(d, d->call_streams[k]);
        c.violating += v == VERDICT_VIOLATING;
        c.verdict = worse_verdict(c.verdict, v);
    }
    return c;
}

/* A session without readable signalling: its ends are those of its first stream, from who opened the conversation. */
static void make_session(const struct document *d, struct call_scratch *s)
{
    struct call *c = &s->call;
    c->from = c->to = "";
    for (size_t i = 0; i < c->stream_count; i++) {
        const struct record *r = document_record(d, c->streams[i], RECORD_PLAIN, &s->record);
        if (i == 0) {
            endpoint_format(r->from_initiator ? &r->src : &r->dst, s->from);
            endpoint_format(r->from_initiator ? &r->dst : &r->src, s->to);
            c->from = s->from;
            c->to = s->to;
            c->first_ns = r->first_ns;
            c->last_ns = r->last_ns;
        }
        c->first_ns = r->first_ns < c->first_ns ? r->first_ns : c->first_ns;
        c->last_ns = r->last_ns > c->last_ns ? r->last_ns : c->last_ns;
    }
}

const struct call *document_call(const struct document *d, size_t i, struct call_scratch *s)
{
    if (i < d->calls_given)
        return &d->calls[i];
    struct call_counts counts = document_call_counts(d, i);
    (void)snprintf(s->id, sizeof s->id, "call-%zu", i + 1);
    s->call = (struct call){
        .id = s->id, .call_id = "", .user_agent = "", .stream_count = counts.streams, .verdict = counts.verdict};
    s->call.streams = counts.streams ? d->call_streams + d->call_start[i] : NULL;
    make_session(d, s);
    return &s->call;
}

void call_scratch_done(struct call_scratch *s)
{
    record_scratch_done(&s->record);
}

bool document_call_span(const struct document *d, int64_t *ret_first_ns, int64_t *ret_last_ns)
{
    bool any = false;
    uint32_t newest = 0, oldest = UINT32_MAX;
    for (size_t i = 0; i < d->calls_given; i++, any = true) {
        int64_t at = d->calls[i].first_ns;
        *ret_first_ns = !any || at < *ret_first_ns ? at : *ret_first_ns;
        *ret_last_ns = !any || at > *ret_last_ns ? at : *ret_last_ns;
    }
    /* records are by first packet: the call that began last is the one whose first stream comes last */
    for (size_t i = d->calls_given; d->call_start && i < d->call_count; i++) {
        uint32_t at = d->call_start[i];
        if (at == d->call_start[i + 1])
            continue;
        newest = d->call_streams[at] > newest ? d->call_streams[at] : newest;
        oldest = d->call_streams[at] < oldest ? d->call_streams[at] : oldest;
    }
    if (oldest == UINT32_MAX)
        return any;
    struct record_scratch s = {0};
    int64_t first = document_record(d, oldest, RECORD_PLAIN, &s)->first_ns;
    int64_t last = document_record(d, newest, RECORD_PLAIN, &s)->first_ns;
    record_scratch_done(&s);
    *ret_first_ns = !any || first < *ret_first_ns ? first : *ret_first_ns;
    *ret_last_ns = !any || last > *ret_last_ns ? last : *ret_last_ns;
    return true;
}

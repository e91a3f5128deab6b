#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/shown.h"
#include "policy/marks.h"
#include "report/view.h"

/* The streams that are shown, of all that there are: sorted, filtered, and the first of them copied. */

static const char *const order_names[ORDER_COUNT] = {
    [ORDER_WORST] = "worst first",       [ORDER_PACKETS] = "packets", [ORDER_LOSS] = "loss",
    [ORDER_JITTER] = "jitter",           [ORDER_NODE] = "node",       [ORDER_SOURCE] = "source",
    [ORDER_DESTINATION] = "destination", [ORDER_CLASS] = "class",     [ORDER_NEWEST] = "newest",
};

const char *stream_order_name(enum stream_order o)
{
    return order_names[o];
}

/* What a record is sorted by. */
struct place {
    uint32_t index;
    uint8_t rank; /* by verdict, the worst is 0 */
    double key;   /* large ones first */
    uint64_t packets;
    const char *name; /* borrowed from the document */
    struct endpoint end;
};

static int rank_of(enum verdict v)
{
    static const int ranks[] = {
        [VERDICT_VIOLATING] = 0, [VERDICT_UNDETERMINED] = 1, [VERDICT_CONFORMING] = 2, [VERDICT_UNCHECKED] = 3};
    return ranks[v];
}

static struct place place_of(const struct document *d, const struct record *r, size_t index, enum stream_order order)
{
    struct place p = {.index = (uint32_t)index, .packets = r->packets, .name = ""};
    const char *node = view_node(d, r->node);
    switch (order) {
    case ORDER_WORST:
        p.rank = (uint8_t)rank_of(r->verdict);
        p.key = r->packets ? (double)r->violating_packets / (double)r->packets : 0;
        break;
    case ORDER_PACKETS:
        break;
    case ORDER_LOSS:
        p.key = r->rtp && r->rtp->expected ? (double)r->rtp->lost / (double)r->rtp->expected : -1;
        break;
    case ORDER_JITTER:
        p.key = r->rtp ? r->rtp->jitter_ms : -1;
        break;
    case ORDER_NODE:
        p.name = node ? node : "\x7f"; /* behind all names */
        break;
    case ORDER_SOURCE:
        p.end = r->src;
        break;
    case ORDER_DESTINATION:
        p.end = r->dst;
        break;
    case ORDER_CLASS:
        p.rank = (uint8_t)(r->traffic_class == CLASS_NONE ? CLASS_COUNT : r->traffic_class);
        break;
    case ORDER_NEWEST:
        p.key = (double)index;
        break;
    case ORDER_COUNT:
        break;
    }
    return p;
}

static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->key > y->key || x->key < y->key)
        return x->key > y->key ? -1 : 1;
    if ((c = strcmp(x->name, y->name)) != 0)
        return c;
    if ((c = endpoint_compare(&x->end, &y->end)) != 0)
        return c;
    if (x->packets != y->packets)
        return x->packets > y->packets ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int compare_reversed(const void *a, const void *b)
{
    return compare(b, a);
}

/* The best SHOWN_STREAMS of any number: kept in room for twice as many, sorted and cut when that is full. */
struct best {
    struct place *places;
    size_t count;
    bool full; /* places[SHOWN_STREAMS - 1] is the last that is good enough */
    struct place last;
    int (*compare)(const void *a, const void *b);
};

static void best_cut(struct best *b)
{
    qsort(b->places, b->count, sizeof *b->places, b->compare);
    if (b->count >= SHOWN_STREAMS) {
        b->count = SHOWN_STREAMS;
        b->full = true;
        b->last = b->places[SHOWN_STREAMS - 1];
    }
}

static void best_add(struct best *b, const struct place *p)
{
    if (b->full && b->compare(p, &b->last) >= 0)
        return;
    b->places[b->count++] = *p;
    if (b->count == (size_t)2 * SHOWN_STREAMS)
        best_cut(b);
}

/* ---- words ---- */

static void add_word(struct strbuf *to, const char *word)
{
    if (!word || !*word)
        return;
    strbuf_addc(to, ' ');
    for (; *word; word++)
        strbuf_addc(to, (char)tolower((unsigned char)*word));
}

/* All that a filter is looked for in, in lower case. */
static void add_words(struct strbuf *to, const struct document *d, const struct record *r, const char *call)
{
    static const char *const verdicts[] = {[VERDICT_UNCHECKED] = "unchecked",
                                           [VERDICT_CONFORMING] = "conforming",
                                           [VERDICT_VIOLATING] = "violating wrong",
                                           [VERDICT_UNDETERMINED] = "undetermined unknown"};
    char text[ENDPOINT_TEXT_MAX];
    to->len = 0;
    endpoint_format(&r->src, text);
    add_word(to, text);
    endpoint_format(&r->dst, text);
    add_word(to, text);
    add_word(to, view_node(d, r->node));
    add_word(to, view_node(d, r->peer_node));
    add_word(to, view_site(d, r->site));
    add_word(to, class_name(r->traffic_class));
    add_word(to, kind_name(r->kind));
    add_word(to, direction_name(r->direction));
    add_word(to, verdicts[r->verdict]);
    add_word(to, view_file(d, r->input));
    if (r->has_ssrc) {
        (void)snprintf(text, sizeof text, "0x%08x", (unsigned)r->ssrc);
        add_word(to, text);
    }
    for (uint32_t i = 0; i < r->mark_count; i++)
        add_word(to, dscp_name(r->marks[i].dscp));
    add_word(to, call);
    strbuf_addc(to, ' ');
}

/* The words of calls, made when the first of its streams asks for them. */
struct call_words {
    const struct document *d;
    struct call_scratch scratch;
    struct arena arena;
    const char **words;
};

/* Name, Call-ID and parties of a record's call; NULL where it is of none. */
static const char *words_of_call(struct call_words *w, const struct record *r)
{
    if (!w->words || r->call == 0 || r->call > w->d->call_count)
        return NULL;
    const char **at = &w->words[r->call - 1];
    if (!*at) {
        const struct call *c = document_call(w->d, r->call - 1, &w->scratch);
        *at = c ? arena_printf(&w->arena, "%s %s %s %s", c->id, c->call_id, c->from, c->to) : NULL;
    }
    return *at;
}

/* ---- a stream as it is shown ---- */

static uint64_t mix(uint64_t h, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < len; i++)
        h = (h ^ at[i]) * 0x100000001b3ULL;
    return h;
}

/* What a stream is, whatever its place among the others and whatever is thought of it. */
static uint64_t stream_id(const struct record *r)
{
    uint64_t h = 14695981039346656037ULL;
    h = mix(h, r->src.addr.bytes, sizeof r->src.addr.bytes);
    h = mix(h, r->dst.addr.bytes, sizeof r->dst.addr.bytes);
    h = mix(h, &r->src.port, sizeof r->src.port);
    h = mix(h, &r->dst.port, sizeof r->dst.port);
    h = mix(h, &r->proto, sizeof r->proto);
    h = mix(h, &r->input, sizeof r->input);
    h = mix(h, &r->has_ssrc, sizeof r->has_ssrc);
    h = mix(h, &r->ssrc, sizeof r->ssrc);
    h = mix(h, &r->first.frame, sizeof r->first.frame);
    return h ? h : 1;
}

static void take_marks(struct shown_stream *to, const struct document *d, const struct record *r)
{
    dscp_set_t outside = marks_outside(d, r);
    to->mark_count = r->mark_count;
    size_t n = 0;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        bool bad = dscp_set_has(outside, m->dscp) && r->verdict != VERDICT_UNCHECKED;
        size_t at = n;
        if (n == SHOWN_MARKS) { /* of many, those with most packets; a scan or a test sets all 64 */
            for (at = 0; at < n && to->marks[at].packets >= m->packets; at++)
                ;
            if (at == n)
                continue;
        } else {
            n++;
        }
        to->marks[at] = (struct shown_mark){
            .dscp = m->dscp,
            .verdict = bad ? r->verdict == VERDICT_UNDETERMINED ? VERDICT_UNDETERMINED : VERDICT_VIOLATING
                           : VERDICT_CONFORMING,
            .packets = m->packets,
            .first_ns = m->first_ns,
            .last_ns = m->last_ns,
        };
    }
}

static void take_stream(struct shown *s, struct arena *a, const struct document *d, const struct record *r,
                        const char *call, struct strbuf *words, struct shown_stream *to)
{
    char name[VIEW_CALL_MAX];
    *to = (struct shown_stream){
        .id = stream_id(r),
        .node = shown_copy(s, a, view_node(d, r->node)),
        .peer = shown_copy(s, a, view_node(d, r->peer_node)),
        .site = shown_copy(s, a, view_site(d, r->site)),
        .call = shown_copy(s, a, view_call(d, r->call, name)),
        .point = shown_copy(s, a, view_file(d, r->input)),
        .source = r->src,
        .destination = r->dst,
        .proto = r->proto,
        .has_ssrc = r->has_ssrc,
        .has_rtp = r->rtp != NULL,
        .ssrc = r->ssrc,
        .kind = r->kind,
        .confidence = r->confidence,
        .traffic_class = r->traffic_class,
        .direction = r->direction,
        .verdict = r->verdict,
        .expected = r->expected,
        .preferred = r->preferred,
        .packets = r->packets,
        .bytes = r->bytes,
        .wrong = r->violating_packets,
        .first_ns = r->first_ns,
        .last_ns = r->last_ns,
        .mark_changes = r->mark_changes,
    };
    if (r->rtp)
        to->rtp = *r->rtp;
    endpoint_format(&r->src, to->src);
    endpoint_format(&r->dst, to->dst);
    take_marks(to, d, r);
    add_words(words, d, r, call);
    to->words = shown_copy(s, a, strbuf_text(words));
}

/* Looks through all records for those to be shown, and counts those that the filter leaves. */
static void choose(struct shown *s, const struct document *d, struct call_words *calls, struct best *best)
{
    struct record_scratch scratch = {0};
    struct strbuf words = {0};
    const char *filter = s->taken_filter;
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_PLAIN, &scratch);
        if (!r)
            continue;
        if (*filter) {
            add_words(&words, d, r, words_of_call(calls, r));
            if (!shown_matches(strbuf_text(&words), filter))
                continue;
        }
        struct place p = place_of(d, r, i, s->taken.order);
        best_add(best, &p);
        s->stream_matching++;
    }
    best_cut(best);
    s->failed = s->failed || !strbuf_ok(&words);
    strbuf_done(&words);
    record_scratch_done(&scratch);
}

static void copy_chosen(struct shown *s, const struct document *d, struct call_words *calls, const struct best *best)
{
    struct record_scratch scratch = {0};
    struct strbuf words = {0};
    s->streams = best->count ? arena_alloc(&s->stream_arena, best->count * sizeof *s->streams) : NULL;
    s->failed = s->failed || (best->count && !s->streams);
    for (size_t i = 0; s->streams && i < best->count; i++) {
        const struct record *r = document_record(d, best->places[i].index, RECORD_PLAIN, &scratch);
        if (r)
            take_stream(s, &s->stream_arena, d, r, words_of_call(calls, r), &words, &s->streams[s->stream_count++]);
    }
    strbuf_done(&words);
    record_scratch_done(&scratch);
}

void shown_take_streams(struct shown *s, const struct live_view *v, const struct shown_wish *wish)
{
    const struct document *d = v->document;
    struct call_words calls = {.d = d, .words = d->call_count ? calloc(d->call_count, sizeof *calls.words) : NULL};
    arena_done(&s->stream_arena);
    s->streams = NULL;
    s->stream_count = 0;
    s->stream_total = d->record_count;
    s->stream_matching = 0;
    s->taken = *wish;
    (void)snprintf(s->taken_filter, sizeof s->taken_filter, "%s", wish->filter);
    s->taken.filter = s->taken_filter;

    struct best best = {.places = malloc((size_t)2 * SHOWN_STREAMS * sizeof *best.places),
                        .compare = wish->reversed ? compare_reversed : compare};
    if (best.places) {
        choose(s, d, &calls, &best);
        copy_chosen(s, d, &calls, &best);
    } else {
        s->failed = true;
    }
    free(best.places);
    call_scratch_done(&calls.scratch);
    arena_done(&calls.arena);
    free(calls.words);
}

/* ---- the words of one stream ---- */

static void take_stream_findings(struct shown *s, const struct record *r)
{
    struct shown_words *w = &s->words;
    w->findings = r->finding_count ? arena_alloc(&s->arena, r->finding_count * sizeof *w->findings) : NULL;
    w->finding_count = w->findings ? r->finding_count : 0;
    for (size_t i = 0; i < w->finding_count; i++) {
        const struct finding *f = &r->findings[i];
        w->findings[i] = (struct shown_finding){
            .code = f->code,
            .confidence = f->confidence,
            .subject = "",
            .message = shown_copy(s, &s->arena, f->message),
            .advice = shown_copy(s, &s->arena, f->advice),
            .wireshark = shown_copy(s, &s->arena, f->wireshark),
            .packets = f->packets,
        };
    }
}

void shown_take_words(struct shown *s, const struct live_view *v, uint64_t id)
{
    const struct document *d = v->document;
    struct record_scratch scratch = {0};
    const struct record *r = NULL;
    size_t i;
    for (i = 0; i < d->record_count; i++) {
        r = document_record(d, i, RECORD_PLAIN, &scratch);
        if (r && stream_id(r) == id)
            break;
    }
    if (i < d->record_count) {
        struct strbuf words = {0};
        r = document_record(d, i, RECORD_ALL, &scratch);
        s->pinned = arena_alloc(&s->arena, sizeof *s->pinned);
        if (s->pinned)
            take_stream(s, &s->arena, d, r, NULL, &words, s->pinned);
        strbuf_done(&words);
        s->words = (struct shown_words){
            .id = id,
            .evidence = shown_copy(s, &s->arena, r->evidence),
            .reason = shown_copy(s, &s->arena, r->reason),
            .codec = shown_copy(s, &s->arena, r->codec),
            .server_name = shown_copy(s, &s->arena, r->server_name),
            .confidence = confidence_name(r->confidence),
        };
        take_stream_findings(s, r);
    }
    record_scratch_done(&scratch);
}

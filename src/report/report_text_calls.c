#include "report/report_text.h"

#include <stdio.h>
#include <string.h>

#include "report/view.h"

enum {
    CALLS_FEW = 15,
    CALLS_SOME = 100,
    INDENT = 2,
    WRONG_AT = 4,
    WRONG_LEAST = 6,
    TIME_COLUMNS = 8,
    LENGTH_COLUMNS = 6,
    GAP = 2
};

/* Where the columns are, by the widest of the first. */
struct places {
    size_t time, length_end, who;
};

/* Both ends of a call in `room` columns: each is cut only where the other needs its share. */
static void put_who(struct text *t, const char *from, const char *to, size_t room)
{
    size_t arrow = text_columns(sign_arrow(t)) + 2;
    size_t need_from = text_columns(text_escape(t, from)), need_to = text_columns(text_escape(t, to));
    size_t half = (room - arrow) / 2;
    size_t max_from = need_to < half ? room - arrow - need_to : half;
    text_net(t, STYLE_PLAIN, from, max_from);
    size_t used = need_from < max_from ? need_from : max_from;
    text_putf(t, STYLE_DIM, " %s ", sign_arrow(t));
    text_net(t, STYLE_PLAIN, to, room - arrow - used);
}

/* "3 of 6" of its streams are wrong; nothing to say of a call that was not checked. */
static void call_wrong(const struct call_counts *c, char text[static SMALL_TEXT_MAX])
{
    if (c->verdict == VERDICT_UNCHECKED)
        (void)snprintf(text, SMALL_TEXT_MAX, "-");
    else
        (void)snprintf(text, SMALL_TEXT_MAX, "%zu of %zu", c->violating, c->streams);
}

/* For a session without readable signalling: the ends of its first stream. */
static void session_ends(const struct document *d, const struct call *c, char from[static ENDPOINT_TEXT_MAX],
                         char to[static ENDPOINT_TEXT_MAX])
{
    from[0] = to[0] = '\0';
    if (c->stream_count && c->streams[0] < d->record_count) {
        struct record_scratch scratch = {0};
        const struct record *r = document_record(d, c->streams[0], RECORD_PLAIN, &scratch);
        addr_format(&r->src.addr, from);
        addr_format(&r->dst.addr, to);
        record_scratch_done(&scratch);
    }
}

static void call_details(struct text *t, const struct call *c)
{
    const size_t at = WRONG_AT;
    text_to(t, at);
    text_wrap(t, STYLE_DIM, at, c->id);
    if (c->call_id && *c->call_id) {
        text_put(t, STYLE_DIM, ",");
        text_wrap(t, STYLE_DIM, at, "Call-ID");
        text_wrap(t, STYLE_DIM, at, c->call_id);
    }
    if (c->user_agent && *c->user_agent) {
        text_put(t, STYLE_DIM, ",");
        text_wrap(t, STYLE_DIM, at, c->user_agent);
    }
    if (t->options->verbose >= 2) {
        text_put(t, STYLE_DIM, ",");
        text_wrap(t, STYLE_DIM, at, plural(c->stream_count, "stream", "streams"));
        for (size_t i = 0; i < c->stream_count; i++) {
            char number[SMALL_TEXT_MAX];
            (void)snprintf(number, sizeof number, "#%lu", (unsigned long)c->streams[i]);
            text_piece(t, STYLE_DIM, at, number);
        }
    }
    text_end(t);
}

static void call_line(struct text *t, const struct call *c, const struct call_counts *counts, const struct places *p)
{
    char text[SMALL_TEXT_MAX], from[VIEW_URI_MAX], to[VIEW_URI_MAX];
    text_to(t, INDENT);
    text_put(t, style_of(c->verdict), sign_of(t, c->verdict));
    text_to(t, WRONG_AT);
    call_wrong(counts, text);
    text_put(t, style_of(c->verdict), text);
    small_time(c->first_ns, text);
    text_to(t, p->time);
    text_put(t, STYLE_PLAIN, text);
    small_duration(c->last_ns - c->first_ns, text);
    text_right(t, STYLE_PLAIN, p->length_end, text);
    text_to(t, p->who);
    if ((c->from && *c->from) || (c->to && *c->to)) {
        put_who(t, view_uri(c->from, "", from), view_uri(c->to, "", to), t->width - p->who);
    } else {
        session_ends(t->document, c, from, to);
        put_who(t, from, to, t->width - p->who);
    }
    text_end(t);
    if (t->options->verbose >= 1)
        call_details(t, c);
}

static struct places call_head(struct text *t)
{
    const struct document *d = t->document;
    size_t wrong_w = WRONG_LEAST;
    char date[SMALL_TEXT_MAX] = "", text[SMALL_TEXT_MAX];
    int64_t first_ns = 0, last_ns = 0;
    for (size_t i = 0; i < d->call_count; i++) {
        struct call_counts counts = document_call_counts(d, i);
        call_wrong(&counts, text);
        wrong_w = strlen(text) > wrong_w ? strlen(text) : wrong_w;
    }
    (void)document_call_span(d, &first_ns, &last_ns);
    small_date(first_ns, date);
    small_date(last_ns, text);
    bool one_day = strcmp(date, text) == 0;
    struct places p = {.time = WRONG_AT + wrong_w + GAP};
    p.length_end = p.time + TIME_COLUMNS + GAP + LENGTH_COLUMNS;
    p.who = p.length_end + GAP;
    text_heading(t, "Calls");
    if (one_day)
        text_putf(t, STYLE_DIM, "  on %s", date);
    text_end(t);
    text_to(t, WRONG_AT);
    text_put(t, STYLE_DIM, "wrong");
    text_to(t, p.time);
    text_put(t, STYLE_DIM, "from UTC");
    text_right(t, STYLE_DIM, p.length_end, "for");
    text_to(t, p.who);
    text_put(t, STYLE_DIM, "who");
    text_end(t);
    return p;
}

void section_calls(struct text *t)
{
    static const enum verdict order[] = {VERDICT_VIOLATING, VERDICT_UNDETERMINED, VERDICT_CONFORMING,
                                         VERDICT_UNCHECKED};
    const struct document *d = t->document;
    if (d->call_count == 0)
        return;
    struct places p = call_head(t);
    size_t shown = rows_shown(t, d->call_count, CALLS_FEW, CALLS_SOME), n = 0;
    struct call_scratch scratch;
    memset(&scratch, 0, sizeof scratch);
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
        for (size_t i = 0; i < d->call_count && n < shown && out_ok(t->out); i++) {
            struct call_counts counts = document_call_counts(d, i);
            if (counts.verdict != order[k])
                continue;
            call_line(t, document_call(d, i, &scratch), &counts, &p);
            n++;
        }
    call_scratch_done(&scratch);
    text_rest(t, WRONG_AT, d->call_count - shown, "calls");
}

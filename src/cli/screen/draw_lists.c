#include <stdio.h>
#include <string.h>

#include "cli/screen/draw.h"
#include "report/report_text.h"

/* Findings, calls, help. */

/* ---- findings ---- */

static bool accuses(const struct shown_finding *f)
{
    return f->code != FINDING_NOT_VERIFIABLE && f->code != FINDING_TUNNEL_DIFFERS;
}

static void finding_row(const struct drawing *d, const struct shown_finding *f, bool selected)
{
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    bool open = f->closed_ns == 0;
    enum look look = !open ? LOOK_DIM : accuses(f) ? LOOK_BAD : LOOK_UNSURE;
    char text[48], since[32]; /* "closed ... ago" */
    if (selected)
        canvas_select(c);
    canvas_putf(c, look, "%s ", open ? draw_sign(c, accuses(f) ? VERDICT_VIOLATING : VERDICT_UNDETERMINED) : " ");
    canvas_put(c, look, finding_code_name(f->code));
    canvas_to(c, 26);
    draw_duration(s->now_ns - (open ? f->opened_ns : f->closed_ns), since);
    if (f->opened_ns)
        (void)snprintf(text, sizeof text, open ? "open %s" : "closed %s ago", since);
    else
        (void)snprintf(text, sizeof text, "%s", open ? "open" : "closed");
    canvas_put(c, open ? LOOK_BOLD : LOOK_DIM, text);
    draw_count(f->packets, text);
    canvas_right(c, LOOK_PLAIN, 50, text);
    draw_count(f->streams, text);
    canvas_right(c, LOOK_PLAIN, 58, text);
    canvas_to(c, 60);
    canvas_net(c, LOOK_PLAIN, *f->subject ? f->subject : f->message, canvas_left(c));
    canvas_next(c);
}

static void finding_detail(const struct drawing *d, const struct shown_finding *f, size_t last)
{
    static const char *const causes[] = {[CONFIDENCE_NONE] = "",
                                         [CONFIDENCE_LOW] = " (cause uncertain)",
                                         [CONFIDENCE_HIGH] = " (cause likely)",
                                         [CONFIDENCE_CERTAIN] = ""};
    enum { INDENT = 12 };
    struct canvas text;
    size_t from = 0;
    if (!draw_text_begin(&text, d->canvas))
        return;
    char when[SMALL_TEXT_MAX];
    canvas_putf(&text, accuses(f) ? LOOK_BAD : LOOK_UNSURE, " %s", finding_code_name(f->code));
    canvas_put(&text, LOOK_DIM, causes[f->confidence]);
    if (f->opened_ns) {
        small_time(f->opened_ns, when);
        canvas_putf(&text, LOOK_DIM, "  since %s UTC", when);
    }
    if (f->closed_ns) {
        small_time(f->closed_ns, when);
        canvas_putf(&text, LOOK_DIM, ", closed %s", when);
    }
    canvas_next(&text);
    const struct {
        const char *name;
        enum look look;
        const char *words;
    } lines[] = {
        {"what", LOOK_PLAIN, f->message}, {"what to do", LOOK_GOOD, f->advice}, {"Wireshark", LOOK_CODE, f->wireshark}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (!*lines[i].words)
            continue;
        canvas_putf(&text, LOOK_DIM, " %s", lines[i].name);
        canvas_to(&text, INDENT);
        canvas_wrap(&text, lines[i].look, INDENT, text.row_count - 1, lines[i].words);
        canvas_next(&text);
    }
    draw_text_end(d->canvas, &text, last, &from);
}

void draw_findings(const struct drawing *d, size_t last)
{
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    canvas_putf(c, LOOK_BOLD, " %zu finding%s", s->finding_total, s->finding_total == 1 ? "" : "s");
    canvas_putf(c, LOOK_DIM, ", %zu open", s->open_count);
    if (s->finding_total > s->finding_count)
        canvas_putf(c, LOOK_DIM, "; %zu more not listed", s->finding_total - s->finding_count);
    canvas_next(c);
    canvas_put(c, LOOK_HEAD, "  finding");
    canvas_to(c, 26);
    canvas_put(c, LOOK_HEAD, "since");
    canvas_right(c, LOOK_HEAD, 50, "packets");
    canvas_right(c, LOOK_HEAD, 58, "streams");
    canvas_to(c, 60);
    canvas_put(c, LOOK_HEAD, "about");
    canvas_fill(c);
    canvas_next(c);
    if (c->at > last)
        return;
    if (s->finding_count == 0) {
        canvas_put(c, LOOK_GOOD, "  nothing was found to be wrong");
        canvas_next(c);
        return;
    }
    size_t all = last + 1 - c->at, room = all >= 8 ? all / 2 : all;
    draw_place(d->list, s->finding_count, room < s->finding_count ? room : s->finding_count);
    for (size_t i = d->list->top; i < s->finding_count && i < d->list->top + room; i++)
        finding_row(d, &s->findings[i], i == d->list->index);
    if (c->at < last) {
        canvas_next(c);
        finding_detail(d, &s->findings[d->list->index], last);
    }
}

/* ---- calls ---- */

static void call_row(const struct drawing *d, const struct shown_call *k, bool selected)
{
    struct canvas *c = d->canvas;
    char when[SMALL_TEXT_MAX], streams[64];
    size_t width = c->column_count;
    size_t party = width > 60 ? (width - 42) / 2 : 12;
    if (selected)
        canvas_select(c);
    canvas_putf(c, draw_look(k->verdict), "%s ", draw_sign(c, k->verdict));
    canvas_net(c, LOOK_PLAIN, k->name, 11);
    canvas_to(c, 14);
    small_time(k->first_ns, when);
    canvas_right(c, LOOK_DIM, 22, when);
    (void)snprintf(streams, sizeof streams, "%zu", k->streams);
    canvas_right(c, LOOK_PLAIN, 30, streams);
    (void)snprintf(streams, sizeof streams, "%zu", k->violating);
    canvas_right(c, k->violating ? LOOK_BAD : LOOK_DIM, 37, streams);
    canvas_to(c, 39);
    canvas_net(c, LOOK_PLAIN, k->from, party);
    canvas_to(c, 39 + party + 1);
    canvas_net(c, LOOK_PLAIN, k->to, canvas_left(c));
    canvas_next(c);
}

void draw_calls(const struct drawing *d, size_t last)
{
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    size_t width = c->column_count, party = width > 60 ? (width - 42) / 2 : 12;
    canvas_putf(c, LOOK_BOLD, " %zu call%s", s->call_total, s->call_total == 1 ? "" : "s");
    canvas_put(c, LOOK_DIM, ", worst first");
    if (s->call_total > s->call_count)
        canvas_putf(c, LOOK_DIM, "; %zu more not listed", s->call_total - s->call_count);
    canvas_next(c);
    canvas_put(c, LOOK_HEAD, "  call");
    canvas_right(c, LOOK_HEAD, 22, "from UTC");
    canvas_right(c, LOOK_HEAD, 30, "streams");
    canvas_right(c, LOOK_HEAD, 37, "wrong");
    canvas_to(c, 39);
    canvas_put(c, LOOK_HEAD, "from");
    canvas_to(c, 39 + party + 1);
    canvas_put(c, LOOK_HEAD, "to");
    canvas_fill(c);
    canvas_next(c);
    if (c->at > last)
        return;
    size_t room = last + 1 - c->at;
    draw_place(d->list, s->call_count, room);
    for (size_t i = d->list->top; i < s->call_count && i < d->list->top + room; i++)
        call_row(d, &s->calls[i], i == d->list->index);
    if (s->call_count == 0)
        canvas_put(c, LOOK_DIM, "  no call yet");
}

/* ---- help ---- */

void draw_help(const struct drawing *d, size_t last)
{
    static const struct {
        const char *key, *what;
    } lines[] = {
        {"up down k j", "one row up or down"},
        {"PgUp PgDn", "a page; Home and End: to the first and the last"},
        {"Enter", "one stream: its marks over time, figures, evidence, what is wrong with it and a Wireshark filter"},
        {"/", "filter by what stands in addresses, node, site, class, kind, marks, SSRC or call; Esc clears it"},
        {"f", "findings: what is wrong, since when, and what to do about it"},
        {"c", "calls; Enter shows the streams of one"},
        {"s S", "sort by the next, the previous column; r reverses"},
        {"p", "pause: the screen stands still, the capture goes on"},
        {"w", "write an HTML report of now; the screen says its name"},
        {"? F1", "this page"},
        {"Esc", "back"},
        {"q", "quit: the report goes to standard output"},
        {"", ""},
        {"marks", "a share of the packets each; wrong ones have a sign and come first"},
        {"? unknown", "a mark that would be wrong, of a stream that could not be told well enough to judge it"},
        {"last N min", "packets over time; the cells with a wrong packet are red"},
        {"drops", "packets that were lost before they were seen: they make the verdict incomplete"},
        {"dim rows", "streams that have been silent for five seconds"},
    };
    struct canvas text;
    if (!draw_text_begin(&text, d->canvas))
        return;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        enum { INDENT = 15 };
        canvas_putf(&text, LOOK_BOLD, " %s", lines[i].key);
        canvas_to(&text, INDENT);
        canvas_wrap(&text, LOOK_PLAIN, INDENT, text.row_count - 1, lines[i].what);
        canvas_next(&text);
    }
    draw_text_end(d->canvas, &text, last, d->scroll);
}

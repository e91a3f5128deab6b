#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/screen/draw.h"
#include "report/report_text.h"
#include "report/view.h"

/* One stream: what it is and why, its marks over time, its figures, what is wrong with it. */

enum { INDENT = 13 };

static void label(struct canvas *c, const char *name)
{
    canvas_putf(c, LOOK_DIM, " %s", name);
    canvas_to(c, INDENT);
}

static void line(struct canvas *c, const char *name, enum look look, const char *text)
{
    if (!text || !*text)
        return;
    label(c, name);
    canvas_wrap(c, look, INDENT, c->row_count - 1, text);
    canvas_next(c);
}

static void what(const struct drawing *d, struct canvas *c)
{
    const struct shown_stream *s = d->stream;
    char proto[VIEW_PROTO_MAX], text[256];
    const char *class_text = class_name(s->traffic_class);
    view_proto(s->proto, proto);
    canvas_putf(c, draw_look(s->verdict), " %s ", draw_sign(c, s->verdict));
    canvas_put(c, LOOK_BOLD, kind_name(s->kind));
    if (*class_text)
        canvas_putf(c, LOOK_PLAIN, " (%s)", class_text);
    canvas_putf(c, LOOK_PLAIN, "  %s %s %s  %s", s->src, canvas_arrow(c), s->dst, proto);
    if (s->has_ssrc)
        canvas_putf(c, LOOK_DIM, "  ssrc 0x%08x", (unsigned)s->ssrc);
    canvas_next(c);
    canvas_next(c);
    (void)snprintf(text, sizeof text, "%s%s%s%s%s%s%s", *s->node ? s->node : "no node", *s->peer ? " and " : "",
                   s->peer, *s->site ? ", site " : "", s->site, *s->call ? ", " : "", s->call);
    label(c, "where");
    canvas_net(c, LOOK_PLAIN, direction_name(s->direction), 20);
    canvas_wrap(c, LOOK_PLAIN, INDENT, c->row_count - 1, text);
    canvas_wrap(c, LOOK_DIM, INDENT, c->row_count - 1, "at");
    canvas_wrap(c, LOOK_PLAIN, INDENT, c->row_count - 1, s->point);
    canvas_next(c);
}

static void words(const struct drawing *d, struct canvas *c)
{
    const struct shown_words *w = &d->shown->words;
    char text[512];
    if (w->id != d->stream->id) {
        line(c, "evidence", LOOK_DIM, d->paused ? "(not while it is paused: p goes on)" : canvas_more(c));
        return;
    }
    (void)snprintf(text, sizeof text, "%s (%s)", *w->evidence ? w->evidence : "none", w->confidence);
    line(c, "evidence", LOOK_PLAIN, text);
    line(c, "codec", LOOK_PLAIN, w->codec);
    line(c, "server name", LOOK_PLAIN, w->server_name);
}

static void verdict(const struct drawing *d, struct canvas *c)
{
    static const char *const names[] = {[VERDICT_UNCHECKED] = "unchecked",
                                        [VERDICT_CONFORMING] = "conforming",
                                        [VERDICT_VIOLATING] = "violating",
                                        [VERDICT_UNDETERMINED] = "undetermined"};
    const struct shown_stream *s = d->stream;
    const struct shown_words *w = &d->shown->words;
    char text[SMALL_TEXT_MAX], wrong[32], all[32];
    label(c, "verdict");
    canvas_put(c, draw_look(s->verdict), names[s->verdict]);
    draw_count(s->wrong, wrong);
    draw_count(s->packets, all);
    small_marks(s->expected, s->preferred, text);
    if (s->expected)
        canvas_putf(c, LOOK_PLAIN, ", expected %s", text);
    if (s->wrong)
        canvas_putf(c, LOOK_BAD, ", %s of %s packets wrong", wrong, all);
    else
        canvas_putf(c, LOOK_PLAIN, ", %s packets", all);
    small_bytes(s->bytes, text);
    canvas_putf(c, LOOK_DIM, ", %s", text);
    canvas_next(c);
    if (w->id == s->id && *w->reason)
        line(c, "because", LOOK_UNSURE, w->reason);
}

/* A mark from its first to its last packet, on the time of the stream. */
static void span(const struct drawing *d, struct canvas *c, const struct shown_mark *m, size_t width)
{
    const struct shown_stream *s = d->stream;
    double whole = s->last_ns > s->first_ns ? (double)(s->last_ns - s->first_ns) : 1;
    size_t from = (size_t)((double)(m->first_ns - s->first_ns) / whole * (double)(width - 1) + 0.5);
    size_t to = (size_t)((double)(m->last_ns - s->first_ns) / whole * (double)(width - 1) + 0.5);
    bool bad = m->verdict == VERDICT_VIOLATING || m->verdict == VERDICT_UNDETERMINED;
    for (size_t i = 0; i < width; i++) {
        bool in = i >= from && i <= to;
        canvas_put(c, in ? draw_look(m->verdict) : LOOK_DIM,
                   in        ? c->utf8 ? "\u2588"
                               : bad   ? "!"
                                       : "="
                   : c->utf8 ? "\u2500"
                             : "-");
    }
}

static void marks(const struct drawing *d, struct canvas *c)
{
    const struct shown_stream *s = d->stream;
    size_t n = s->mark_count < SHOWN_MARKS ? s->mark_count : SHOWN_MARKS;
    size_t width = c->column_count > INDENT + 62 ? c->column_count - INDENT - 52 : 10;
    bool room = c->column_count >= INDENT + 62;
    char first[SMALL_TEXT_MAX], last[SMALL_TEXT_MAX], count[32], length[32];
    small_time(s->first_ns, first);
    small_time(s->last_ns, last);
    draw_duration(s->last_ns - s->first_ns, length);
    canvas_next(c);
    label(c, "marks");
    canvas_putf(c, LOOK_DIM, "from %s to %s (%s, UTC)", first, last, length);
    if (s->mark_changes) {
        draw_count(s->mark_changes, count);
        canvas_putf(c, LOOK_UNSURE, ", changed %s%s", s->mark_changes == 1 ? "once" : count,
                    s->mark_changes == 1 ? "" : " times");
    }
    canvas_next(c);
    for (size_t i = 0; i < n; i++) {
        const struct shown_mark *m = &s->marks[i];
        char share[SMALL_TEXT_MAX];
        bool bad = m->verdict == VERDICT_VIOLATING || m->verdict == VERDICT_UNDETERMINED;
        canvas_to(c, INDENT - 2);
        canvas_put(c, draw_look(m->verdict), bad ? draw_sign(c, m->verdict) : " ");
        canvas_to(c, INDENT);
        canvas_put(c, bad ? draw_look(m->verdict) : LOOK_PLAIN, dscp_name(m->dscp));
        draw_count(m->packets, count);
        small_share(m->packets, s->packets, share);
        canvas_right(c, LOOK_PLAIN, INDENT + 20, count);
        canvas_right(c, LOOK_PLAIN, INDENT + 27, share);
        if (room) {
            small_time(m->first_ns, first);
            small_time(m->last_ns, last);
            canvas_to(c, INDENT + 29);
            span(d, c, m, width);
            canvas_putf(c, LOOK_DIM, "  %s to %s", first, last);
        }
        canvas_next(c);
    }
    if (s->mark_count > n) {
        canvas_to(c, INDENT);
        canvas_putf(c, LOOK_DIM, "and %u more marks", (unsigned)(s->mark_count - n));
        canvas_next(c);
    }
}

static void figures(const struct drawing *d, struct canvas *c)
{
    const struct rtp_figures *r = &d->stream->rtp;
    char text[256], share[SMALL_TEXT_MAX];
    if (!d->stream->has_rtp)
        return;
    canvas_next(c);
    small_share(r->lost, r->expected, share);
    (void)snprintf(text, sizeof text, "%llu of %llu packets lost (%s), %llu reordered, %llu duplicates",
                   (unsigned long long)r->lost, (unsigned long long)r->expected, share,
                   (unsigned long long)r->reordered, (unsigned long long)r->duplicates);
    line(c, "RTP", LOOK_PLAIN, text);
    if (r->jitter_ms >= 0)
        (void)snprintf(text, sizeof text, "jitter %.2f ms (clock %u Hz), longest gap %.0f ms", r->jitter_ms,
                       (unsigned)r->clock_rate, r->max_gap_ms);
    else
        (void)snprintf(text, sizeof text, "jitter unknown, as its clock rate is; longest gap %.0f ms", r->max_gap_ms);
    line(c, "", LOOK_PLAIN, text);
}

static void findings(const struct drawing *d, struct canvas *c)
{
    const struct shown_words *w = &d->shown->words;
    for (size_t i = 0; w->id == d->stream->id && i < w->finding_count; i++) {
        const struct shown_finding *f = &w->findings[i];
        canvas_next(c);
        canvas_putf(c, LOOK_BAD, " %s", finding_code_name(f->code));
        canvas_next(c);
        line(c, "what", LOOK_PLAIN, f->message);
        line(c, "what to do", LOOK_GOOD, f->advice);
        line(c, "Wireshark", LOOK_CODE, f->wireshark);
    }
}

void draw_stream(const struct drawing *d, size_t last)
{
    struct canvas text;
    struct canvas *c = &text;
    if (!d->stream) {
        canvas_put(d->canvas, LOOK_DIM,
                   " This stream has ended and is no longer listed; it still counts in the totals.");
        return;
    }
    if (!draw_text_begin(c, d->canvas))
        return;
    what(d, c);
    words(d, c);
    verdict(d, c);
    marks(d, c);
    figures(d, c);
    findings(d, c);
    draw_text_end(d->canvas, c, last, d->scroll);
}

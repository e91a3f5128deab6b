#include <stdio.h>
#include <string.h>

#include "report/report_compare.h"
#include "report/report_text.h"

enum {
    WIDTH_LEAST = 80,
    WIDTH_MOST = 160,
    INDENT = 4,
    NAME_MAX_COLUMNS = 60,
    COL_CLASS = 2,
    END_STREAMS = 29,
    END_PACKETS = 40,
    END_LOST = 51,
    END_DELAY = 61,
    COL_MARKS = 63,
    UNMATCHED_FEW = 5,
    UNMATCHED_SOME = 50,
    STREAMS_FEW = 0,
    STREAMS_SOME = 50
};

static void captures(struct text *t, const struct compare_document *d)
{
    for (size_t i = 0; i < d->capture_count; i++) {
        const struct input *in = &d->captures[i].input;
        char packets[SMALL_TEXT_MAX], date[SMALL_TEXT_MAX], begin[SMALL_TEXT_MAX], duration[SMALL_TEXT_MAX];
        text_putf(t, STYLE_DIM, "  %zu ", i + 1);
        text_net(t, STYLE_BOLD, in->file, NAME_MAX_COLUMNS);
        small_count(d->captures[i].taken, packets);
        text_putf(t, STYLE_DIM, "  %s %s", packets, plural(d->captures[i].taken, "packet", "packets"));
        if (in->packets) {
            small_date(in->first_ns, date);
            small_time(in->first_ns, begin);
            small_duration(in->last_ns - in->first_ns, duration);
            text_putf(t, STYLE_DIM, ", %s from %s %s", duration, date, begin);
        }
        text_end(t);
        if (*in->problem) {
            text_to(t, INDENT);
            text_wrap(t, STYLE_BAD, INDENT, in->problem);
            text_end(t);
        }
    }
}

static void cell_line(struct text *t, enum style style, const char *sign, const struct compare_cell *c,
                      const char *wanted, uint64_t packets)
{
    char count[SMALL_TEXT_MAX];
    small_count(packets, count);
    text_to(t, COL_MARKS);
    text_putf(t, style, "%s %s%s%s%s", sign, dscp_name(c->before), sign_arrow(t), dscp_name(c->after), wanted);
    text_putf(t, STYLE_PLAIN, " %s", count);
    text_end(t);
}

static void cell(struct text *t, const struct compare_cell *c)
{
    char packets[SMALL_TEXT_MAX];
    if (c->before != c->after) {
        if (c->packets > c->wanted)
            cell_line(t, STYLE_BAD, sign_wrong(t), c, "", c->packets - c->wanted);
        if (c->wanted)
            cell_line(t, STYLE_GOOD, " ", c, " wanted", c->wanted);
        return;
    }
    small_count(c->packets, packets);
    text_to(t, COL_MARKS);
    text_putf(t, STYLE_GOOD, "  %s kept", dscp_name(c->before));
    text_putf(t, STYLE_PLAIN, " %s", packets);
    text_end(t);
}

static void loss_cell(struct text *t, const struct compare_row *row, const struct compare_class *c)
{
    char lost[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX], text[2 * SMALL_TEXT_MAX];
    if (!row->loss_known || c->loss_unknown) {
        text_right(t, STYLE_UNSURE, END_LOST, "unknown");
        return;
    }
    small_count(c->lost, lost);
    small_share(c->lost, compare_class_sent(c), share);
    (void)snprintf(text, sizeof text, c->lost ? "%s %s" : "%s", lost, share);
    text_right(t, c->test.differs && c->test.low > 0 ? STYLE_BAD : STYLE_PLAIN, END_LOST, text);
}

static void class_rows(struct text *t, const struct compare_row *row, int class)
{
    const struct compare_class *c = &row->classes[class];
    struct strbuf left = {0};
    char text[SMALL_TEXT_MAX];
    if (!report_compare_has(c))
        return;
    text_to(t, COL_CLASS);
    text_put(t, class ? STYLE_BOLD : STYLE_DIM, compare_class_name((enum traffic_class) class));
    small_count(c->streams, text);
    text_right(t, STYLE_PLAIN, END_STREAMS, text);
    small_count(c->matched, text);
    text_right(t, STYLE_PLAIN, END_PACKETS, text);
    loss_cell(t, row, c);
    if (c->delay.packets > 1) {
        (void)snprintf(text, sizeof text, c->delay.p95 < 10 ? "%.2f ms" : "%.0f ms", c->delay.p95);
        text_right(t, STYLE_PLAIN, END_DELAY, text);
    }
    for (size_t i = 0; i < c->cell_count; i++)
        cell(t, &c->cells[i]);
    if (c->cell_count == 0)
        text_end(t);
    report_compare_unresolved(c, &left);
    if (left.len) {
        text_to(t, INDENT);
        text_put(t, STYLE_DIM, "not compared:");
        text_wrap(t, STYLE_DIM, INDENT, strbuf_text(&left));
        text_end(t);
    }
    strbuf_done(&left);
}

static void way_table(struct text *t, const struct compare_document *d, const struct compare_segment *s,
                      enum compare_way way)
{
    const struct compare_row *row = &s->rows[way];
    bool any = false;
    for (int c = 0; c < CLASS_COUNT; c++)
        any |= report_compare_has(&row->classes[c]);
    if (!any)
        return;
    text_heading(t, "");
    text_net(t, STYLE_BOLD, d->captures[compare_before(s, way)].input.file, NAME_MAX_COLUMNS);
    text_put(t, STYLE_BOLD, sign_arrow(t));
    text_net(t, STYLE_BOLD, d->captures[compare_after(s, way)].input.file, NAME_MAX_COLUMNS);
    if (strcmp(row->behaviour, "unknown") != 0)
        text_putf(t, row->changed > row->wanted ? STYLE_BAD : STYLE_GOOD, "  %s", row->behaviour);
    text_end(t);
    text_to(t, COL_CLASS);
    text_put(t, STYLE_DIM, "class");
    text_right(t, STYLE_DIM, END_STREAMS, "streams");
    text_right(t, STYLE_DIM, END_PACKETS, "packets");
    text_right(t, STYLE_DIM, END_LOST, "lost");
    text_right(t, STYLE_DIM, END_DELAY, "p95 delay");
    text_to(t, COL_MARKS);
    text_put(t, STYLE_DIM, "  marks");
    text_end(t);
    for (int c = 1; c <= CLASS_COUNT; c++)
        class_rows(t, row, c % CLASS_COUNT); /* what has no class comes last */
}

static void section_compare_findings(struct text *t, const struct compare_document *d)
{
    if (d->finding_count) {
        text_heading(t, "Findings");
        text_end(t);
    }
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct compare_finding *f = &d->findings[i];
        text_putf(t, f->violation ? STYLE_BAD : STYLE_UNSURE, "  %s %s", f->violation ? sign_wrong(t) : "?", f->code);
        text_end(t);
        text_to(t, INDENT);
        text_wrap(t, STYLE_PLAIN, INDENT, f->message);
        text_end(t);
        if (f->first_before) {
            const struct compare_segment *s = &d->segments[f->segment];
            struct strbuf where = {0};
            strbuf_addf(&where, "First: frame %llu of %s is frame %llu of %s.", (unsigned long long)f->first_before,
                        d->captures[compare_before(s, f->way)].input.file, (unsigned long long)f->first_after,
                        d->captures[compare_after(s, f->way)].input.file);
            text_to(t, INDENT);
            text_wrap(t, STYLE_PLAIN, INDENT, strbuf_text(&where));
            text_end(t);
            strbuf_done(&where);
        }
        if (*f->advice) {
            text_to(t, INDENT);
            text_wrap(t, STYLE_DIM, INDENT, f->advice);
            text_end(t);
        }
    }
}

static void section_compare_streams(struct text *t, const struct compare_document *d, const struct compare_segment *s)
{
    static const char *const by[] = {[COMPARE_WAY_ASSUMED] = "assumed",
                                     [COMPARE_WAY_TTL] = "by TTL",
                                     [COMPARE_WAY_CLOCK] = "by clock",
                                     [COMPARE_WAY_HOST] = "by its host"};
    size_t shown = rows_shown(t, s->stream_count, STREAMS_FEW, STREAMS_SOME);
    if (!shown)
        return;
    text_heading(t, "Streams of ");
    text_net(t, STYLE_BOLD, d->captures[s->first].input.file, NAME_MAX_COLUMNS);
    text_put(t, STYLE_BOLD, " and ");
    text_net(t, STYLE_BOLD, d->captures[s->second].input.file, NAME_MAX_COLUMNS);
    text_end(t);
    for (size_t i = 0; i < shown; i++) {
        const struct compare_stream *r = &s->streams[i];
        struct strbuf name = {0};
        report_compare_stream_name(r, &name);
        bool wrong = r->changed > r->wanted;
        text_putf(t, wrong ? STYLE_BAD : STYLE_GOOD, "  %s", wrong ? sign_wrong(t) : sign_of(t, VERDICT_CONFORMING));
        text_wrap(t, STYLE_PLAIN, INDENT, strbuf_text(&name));
        text_end(t);
        text_to(t, INDENT);
        text_putf(t, STYLE_DIM, "%s, %s, %s (%s): %llu matched, %llu changed, %llu missing",
                  compare_class_name(r->traffic_class), kind_name(r->kind), compare_way_name(r->way), by[r->way_by],
                  (unsigned long long)r->matched, (unsigned long long)r->changed, (unsigned long long)r->lost);
        if (r->wanted)
            text_putf(t, STYLE_DIM, "; %llu of the changed ones are wanted", (unsigned long long)r->wanted);
        text_end(t);
        strbuf_done(&name);
    }
    if (s->stream_count + s->streams_left_out > shown)
        text_rest(t, INDENT, s->stream_count + s->streams_left_out - shown, "streams");
}

static void section_unmatched(struct text *t, const struct compare_document *d)
{
    size_t shown = rows_shown(t, d->unmatched_count, UNMATCHED_FEW, UNMATCHED_SOME);
    enum compare_unpaired before = COMPARE_PAIRED;
    uint32_t capture = UINT32_MAX;
    if (!d->unmatched_count)
        return;
    text_heading(t, "Streams that could not be matched");
    text_end(t);
    for (size_t i = 0; i < shown; i++) {
        const struct compare_unmatched *u = &d->unmatched[i];
        char src[ENDPOINT_TEXT_MAX], dst[ENDPOINT_TEXT_MAX];
        if (u->why != before || u->capture != capture) {
            text_to(t, 2);
            text_put(t, STYLE_UNSURE, "? only in ");
            text_net(t, STYLE_UNSURE, d->captures[u->capture].input.file, NAME_MAX_COLUMNS);
            text_put(t, STYLE_UNSURE, ":");
            text_wrap(t, STYLE_DIM, INDENT, compare_unpaired_text(u->why));
            text_end(t);
            before = u->why;
            capture = u->capture;
        }
        endpoint_format(&u->src, src);
        endpoint_format(&u->dst, dst);
        text_to(t, INDENT);
        text_putf(t, STYLE_PLAIN, "%s > %s", src, dst);
        if (u->has_ssrc)
            text_putf(t, STYLE_PLAIN, " 0x%08x", u->ssrc);
        text_putf(t, STYLE_DIM, "  %s, %s, %llu %s", compare_class_name(u->traffic_class), kind_name(u->kind),
                  (unsigned long long)u->packets, plural(u->packets, "packet", "packets"));
        text_end(t);
    }
    if (d->unmatched_count + d->unmatched_left_out > shown)
        text_rest(t, INDENT, d->unmatched_count + d->unmatched_left_out - shown, "streams");
}

void report_compare_text(struct out *out, const struct compare_document *d, const struct report_options *o)
{
    size_t width = o->width < WIDTH_LEAST ? WIDTH_LEAST : o->width > WIDTH_MOST ? WIDTH_MOST : o->width;
    struct text t = {.out = out, .options = o, .width = width};
    text_verdict(&t, d->verdict, !d->complete, "", d->verdict_text);
    if (!o->quiet) {
        captures(&t, d);
        for (size_t i = 0; i < d->segment_count; i++)
            for (int way = 0; way < COMPARE_BOTH; way++)
                way_table(&t, d, &d->segments[i], (enum compare_way)way);
        section_compare_findings(&t, d);
        section_unmatched(&t, d);
        for (size_t i = 0; i < d->segment_count; i++)
            section_compare_streams(&t, d, &d->segments[i]);
        text_notes(&t, d->notes, d->note_count);
    }
    strbuf_done(&t.line);
    strbuf_done(&t.escaped);
}

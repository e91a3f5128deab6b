#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "report/html_page.h"
#include "report/report_compare.h"
#include "report/report_text.h"

enum { STREAMS_MAX = 500, UNMATCHED_MAX = 500, PARTS_MAX = 16 };

static void number_cell(struct html *h, uint64_t n)
{
    char text[SMALL_TEXT_MAX];
    small_count(n, text);
    html_cell(h, HTML_NUMBER, text);
}

static void capture_table(struct html *h, const struct compare_document *d)
{
    const char *const columns[] = {
        d->points ? ">no." : ">point", d->points ? "point" : "capture", ">packets", "began", ">dropped", "problem"};
    html_table_begin(h, d->points ? "Points" : "Captures, in the order of the path", columns,
                     sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < d->capture_count; i++) {
        const struct compare_capture *c = &d->captures[i];
        char when[CLOCK_TEXT_MAX] = "";
        html_row_begin(h);
        number_cell(h, i + 1);
        html_cell(h, HTML_STRONG, c->input.file);
        number_cell(h, c->taken);
        if (c->input.packets)
            clock_format(c->input.first_ns, when);
        html_cell(h, HTML_PLAIN, when);
        number_cell(h, c->input.dropped);
        html_cell(h, *c->input.problem ? HTML_BAD : HTML_PLAIN, c->input.problem);
        html_row_end(h);
    }
    html_table_end(h);
}

static size_t add_part(struct html_part *parts, char labels[][48], size_t n, const struct compare_cell *c,
                       const char *wanted, uint64_t packets)
{
    bool kept = c->before == c->after;
    if (n == PARTS_MAX || packets == 0)
        return n;
    (void)snprintf(labels[n], sizeof labels[n], kept ? "%s kept" : "%s to %s%s", dscp_name(c->before),
                   dscp_name(c->after), wanted);
    parts[n] = (struct html_part){labels[n], packets, kept || *wanted ? HTML_GOOD : HTML_BAD};
    return n + 1;
}

static void matrix_cell(struct html *h, const struct compare_class *c)
{
    struct html_part parts[PARTS_MAX];
    char labels[PARTS_MAX][48];
    size_t n = 0;
    for (size_t i = 0; i < c->cell_count; i++) {
        const struct compare_cell *cell = &c->cells[i];
        n = add_part(parts, labels, n, cell, "", cell->packets - cell->wanted);
        n = add_part(parts, labels, n, cell, ", wanted", cell->wanted);
    }
    html_cell_bar(h, parts, n);
}

static void class_row(struct html *h, const struct compare_row *row, int class)
{
    const struct compare_class *c = &row->classes[class];
    struct strbuf left = {0};
    char text[64] = "";
    html_row_begin(h);
    html_cell(h, HTML_STRONG, compare_class_name((enum traffic_class) class));
    number_cell(h, c->streams);
    number_cell(h, c->matched);
    matrix_cell(h, c);
    bool known = row->loss_known && !c->loss_unknown;
    if (known && c->matched + c->lost)
        (void)snprintf(text, sizeof text, "%llu (%.2f %%)", (unsigned long long)c->lost,
                       100.0 * (double)c->lost / (double)compare_class_sent(c));
    html_cell(h,
              !known                               ? HTML_UNSURE
              : c->test.differs && c->test.low > 0 ? HTML_BAD
                                                   : HTML_NUMBER,
              known ? text : "unknown");
    text[0] = '\0';
    if (c->delay.packets > 1)
        (void)snprintf(text, sizeof text, "%.2f / %.2f / %.2f ms", c->delay.median, c->delay.p95, c->delay.max);
    html_cell(h, HTML_NUMBER, text);
    report_compare_unresolved(c, &left);
    html_cell(h, HTML_DIM, strbuf_text(&left));
    if (!strbuf_ok(&left))
        out_fail(h->out, ERR_MEMORY);
    strbuf_done(&left);
    html_row_end(h);
}

static void way_table(struct html *h, const struct compare_document *d, const struct compare_segment *s,
                      enum compare_way way)
{
    static const char *const columns[] = {
        "class",       ">streams", ">packets", "marks before and after", ">lost", ">added delay: median / p95 / most",
        "not compared"};
    struct strbuf caption = {0};
    const struct compare_row *row = &s->rows[way];
    bool any = false;
    for (int c = 0; c < CLASS_COUNT; c++)
        any |= report_compare_has(&row->classes[c]);
    if (!any)
        return;
    strbuf_addf(&caption, "From %s to %s: %s", d->captures[compare_before(s, way)].input.file,
                d->captures[compare_after(s, way)].input.file, row->behaviour);
    html_table_begin(h, strbuf_text(&caption), columns, sizeof columns / sizeof columns[0]);
    for (int c = 1; c <= CLASS_COUNT; c++)
        if (report_compare_has(&row->classes[c % CLASS_COUNT]))
            class_row(h, row, c % CLASS_COUNT);
    html_table_end(h);
    if (!strbuf_ok(&caption))
        out_fail(h->out, ERR_MEMORY);
    strbuf_done(&caption);
}

/* How many packets changed, in red where there are any that nobody wants so. */
static void change_cell(struct html *h, uint64_t n, uint64_t wanted)
{
    char text[SMALL_TEXT_MAX];
    small_count(n, text);
    html_cell_begin(h, HTML_NUMBER);
    html_span(h, n > wanted ? HTML_BAD : HTML_GOOD, text);
    html_cell_end(h);
}

static void stream_table(struct html *h, const struct compare_document *d, const struct compare_segment *s)
{
    static const char *const columns[] = {"stream", "class", "kind", "way", ">matched", ">changed", ">missing"};
    struct strbuf text = {0};
    size_t n = s->stream_count < STREAMS_MAX ? s->stream_count : STREAMS_MAX,
           rest = s->stream_count - n + s->streams_left_out;
    if (n == 0)
        return;
    strbuf_addf(&text, "Streams found in %s and %s", d->captures[s->first].input.file,
                d->captures[s->second].input.file);
    html_table_begin(h, strbuf_text(&text), columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < n; i++) {
        const struct compare_stream *r = &s->streams[i];
        text.len = 0;
        report_compare_stream_name(r, &text);
        html_row_begin(h);
        html_cell(h, HTML_CODE, strbuf_text(&text));
        html_cell(h, HTML_PLAIN, compare_class_name(r->traffic_class));
        html_cell(h, HTML_PLAIN, kind_name(r->kind));
        html_cell(h, r->way_by == COMPARE_WAY_ASSUMED ? HTML_DIM : HTML_PLAIN, compare_way_name(r->way));
        number_cell(h, r->matched);
        change_cell(h, r->changed, r->wanted);
        number_cell(h, r->lost);
        html_row_end(h);
    }
    html_table_end(h);
    text.len = 0;
    strbuf_addf(&text, "%zu more stream%s not listed.", rest, rest == 1 ? " is" : "s are");
    if (rest)
        html_paragraph(h, HTML_DIM, strbuf_text(&text));
    if (!strbuf_ok(&text))
        out_fail(h->out, ERR_MEMORY);
    strbuf_done(&text);
}

static void unmatched_table(struct html *h, const struct compare_document *d)
{
    static const char *const columns[] = {"only in", "from", "to", "class", "kind", ">packets", "why"};
    size_t n = d->unmatched_count < UNMATCHED_MAX ? d->unmatched_count : UNMATCHED_MAX;
    size_t rest = d->unmatched_count - n + d->unmatched_left_out;
    char text[ENDPOINT_TEXT_MAX + 48];
    if (n == 0)
        return;
    html_table_begin(h, "Streams that could not be matched", columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < n; i++) {
        const struct compare_unmatched *u = &d->unmatched[i];
        html_row_begin(h);
        html_cell(h, HTML_PLAIN, d->captures[u->capture].input.file);
        endpoint_format(&u->src, text);
        html_cell(h, HTML_CODE, text);
        endpoint_format(&u->dst, text);
        html_cell(h, HTML_CODE, text);
        html_cell(h, HTML_PLAIN, compare_class_name(u->traffic_class));
        html_cell(h, HTML_PLAIN, kind_name(u->kind));
        number_cell(h, u->packets);
        html_cell(h, HTML_UNSURE, compare_unpaired_text(u->why));
        html_row_end(h);
    }
    html_table_end(h);
    (void)snprintf(text, sizeof text, "%zu more are not listed.", rest);
    if (rest)
        html_paragraph(h, HTML_DIM, text);
}

static void finding_list(struct html *h, const struct compare_document *d)
{
    if (!d->finding_count)
        return;
    html_heading(h, "Findings");
    html_list_begin(h);
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct compare_finding *f = &d->findings[i];
        html_item(h, f->violation ? HTML_BAD : HTML_UNSURE, f->code, f->message, f->advice);
    }
    html_list_end(h);
}

/* "2 points, 2026-11-23 05:31:10 to 05:46:30 UTC": a page of a collector is one of many that look alike. */
static void add_points(const struct compare_document *d, struct strbuf *to)
{
    int64_t first_ns = INT64_MAX, last_ns = INT64_MIN;
    char day[2][SMALL_TEXT_MAX], time[2][SMALL_TEXT_MAX];
    for (size_t i = 0; i < d->capture_count; i++) {
        const struct input *in = &d->captures[i].input;
        if (in->last_ns == 0)
            continue;
        first_ns = in->first_ns < first_ns ? in->first_ns : first_ns;
        last_ns = in->last_ns > last_ns ? in->last_ns : last_ns;
    }
    strbuf_addf(to, "%zu point%s", d->capture_count, d->capture_count == 1 ? "" : "s");
    if (first_ns > last_ns)
        return;
    small_date(first_ns, day[0]);
    small_time(first_ns, time[0]);
    small_date(last_ns, day[1]);
    small_time(last_ns, time[1]);
    bool same_day = strcmp(day[0], day[1]) == 0;
    strbuf_addf(to, ", %s %s to %s%s%s UTC", day[0], time[0], same_day ? "" : day[1], same_day ? "" : " ", time[1]);
}

void report_compare_html(struct out *out, const struct compare_document *d, const struct report_options *o)
{
    struct html h;
    (void)o;
    struct strbuf path = {0};
    if (d->points)
        add_points(d, &path);
    else
        strbuf_addf(&path, "%s to %s", d->captures[0].input.file, d->captures[d->capture_count - 1].input.file);
    html_begin(&h, out, d->points ? "qosmark collect" : "qosmark compare", strbuf_text(&path));
    if (!strbuf_ok(&path))
        out_fail(out, ERR_MEMORY);
    strbuf_done(&path);
    html_summary_verdict(&h, d->verdict, !d->complete, d->verdict_text);
    finding_list(&h, d);
    for (size_t i = 0; i < d->segment_count; i++)
        for (int way = 0; way < COMPARE_BOTH; way++)
            way_table(&h, d, &d->segments[i], (enum compare_way)way);
    for (size_t i = 0; i < d->note_count; i++)
        html_paragraph(&h, HTML_DIM, d->notes[i]);
    unmatched_table(&h, d);
    capture_table(&h, d);
    for (size_t i = 0; i < d->segment_count; i++)
        stream_table(&h, d, &d->segments[i]);
    html_end(&h);
}

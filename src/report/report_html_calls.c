#include "report/report_html.h"

#include <stdio.h>
#include <string.h>

#include "report/report_text.h"
#include "report/view.h"

enum { OPEN_MOST = 6, LEGS_MOST = 4 };

/* Which legs are wrong: "voice from 10.2.0.7 in berlin to cms-01"; each way and class once. */
static void legs(struct page *p, const struct call *c)
{
    struct html *h = &p->html;
    struct strbuf said = {0}, leg = {0};
    size_t count = 0;
    for (size_t i = 0; i < c->stream_count && count <= LEGS_MOST; i++) {
        if (document_verdict(p->document, c->streams[i]) != VERDICT_VIOLATING)
            continue;
        const struct record *r = document_record(p->document, c->streams[i], RECORD_PLAIN, &p->record);
        leg.len = 0;
        strbuf_addf(&leg, "%s from ",
                    *class_name(r->traffic_class) ? class_name(r->traffic_class) : kind_name(r->kind));
        page_end_name(p, r, PAGE_SOURCE, &leg);
        strbuf_adds(&leg, " to ");
        page_end_name(p, r, PAGE_DESTINATION, &leg);
        strbuf_adds(&leg, "; ");
        if (strbuf_ok(&said) && strbuf_ok(&leg) && strstr(strbuf_text(&said), strbuf_text(&leg)))
            continue;
        if (count++ < LEGS_MOST)
            strbuf_add(&said, strbuf_text(&leg), leg.len);
    }
    strbuf_done(&leg);
    if (count == 0) {
        strbuf_done(&said);
        return;
    }
    if (count > LEGS_MOST)
        strbuf_adds(&said, "and others");
    else if (said.len >= 2)
        said.at[said.len -= 2] = '\0';
    html_markup(h, "<span class=\"legs\"><span class=\"bad\">Wrong:</span> ");
    html_take(h, &said);
    html_markup(h, "</span>");
}

static void call_summary(struct page *p, const struct call *c, const struct call_counts *counts)
{
    struct html *h = &p->html;
    char from[VIEW_URI_MAX], to[VIEW_URI_MAX], date[SMALL_TEXT_MAX], time[SMALL_TEXT_MAX], length[SMALL_TEXT_MAX];
    html_markup(h, "<summary>");
    html_markupf(h, "<span class=\"%s\">%s</span> <span class=\"who\">", html_class(page_style(c->verdict)),
                 c->verdict == VERDICT_UNCHECKED ? "\u2013" : page_sign(c->verdict));
    html_text(h, view_uri(c->from, "?", from));
    html_markup(h, " \u2192 ");
    html_text(h, view_uri(c->to, "?", to));
    html_markup(h, "</span> <span class=\"when\">");
    small_date(c->first_ns, date);
    small_time(c->first_ns, time);
    small_duration(c->last_ns - c->first_ns, length);
    html_text(h, date);
    html_markup(h, " ");
    html_text(h, time);
    html_markup(h, " UTC, for ");
    html_text(h, length);
    html_markup(h, " \u00b7 ");
    if (c->verdict == VERDICT_UNCHECKED)
        html_markup(h, "not checked");
    else
        html_markupf(h, "<span class=\"%s\">%zu of %zu streams wrong</span>",
                     html_class(counts->violating ? HTML_BAD : HTML_PLAIN), counts->violating, counts->streams);
    html_markup(h, "</span>");
    legs(p, c);
    html_markup(h, "</summary>\n");
}

static void call_facts(struct page *p, const struct call *c)
{
    const struct {
        const char *term, *text;
    } facts[] = {
        {"", c->id}, {"Call-ID ", c->call_id}, {"from ", c->from}, {"to ", c->to}, {"user agent ", c->user_agent}};
    html_markup(&p->html, "<p class=\"small dim\">");
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        if (!facts[i].text || !*facts[i].text)
            continue;
        html_markup(&p->html, i ? " \u00b7 " : "");
        html_markup(&p->html, facts[i].term);
        html_span(&p->html, HTML_CODE, facts[i].text);
    }
    html_markup(&p->html, "</p>\n");
}

static void axis(struct page *p, const struct call *c)
{
    char first[SMALL_TEXT_MAX], last[SMALL_TEXT_MAX], text[192];
    small_time(c->first_ns, first);
    small_time(c->last_ns, last);
    (void)snprintf(text, sizeof text, "Each bar of marks runs from %s, when the call began, to %s, when it ended.",
                   first, last);
    html_paragraph(&p->html, HTML_DIM, text);
}

/* The wrong ones first; how many there are. */
static size_t call_streams(struct page *p, const struct call *c)
{
    static const enum verdict order[] = {VERDICT_VIOLATING, VERDICT_UNDETERMINED, VERDICT_CONFORMING,
                                         VERDICT_UNCHECKED};
    size_t shown = 0;
    for (size_t v = 0; v < sizeof order / sizeof order[0]; v++) {
        for (size_t i = 0; i < c->stream_count && out_ok(p->html.out); i++) {
            if (!html_plan_shows(&p->plan, c->streams[i]) || document_verdict(p->document, c->streams[i]) != order[v])
                continue;
            if (shown++ == 0)
                page_streams_begin(p, "Streams of the call");
            page_stream_row(p, c->streams[i], c->first_ns, c->last_ns);
        }
    }
    if (shown)
        page_streams_end(p);
    return shown;
}

static void call_block(struct page *p, uint32_t index, bool open, struct call_scratch *scratch)
{
    struct call_counts counts = document_call_counts(p->document, index);
    const struct call *c = document_call(p->document, index, scratch);
    size_t shown;
    html_markupf(&p->html, "<details class=\"call\" id=\"c%u\"%s>", (unsigned)index + 1, open ? " open" : "");
    call_summary(p, c, &counts);
    html_markup(&p->html, "<div>\n");
    call_facts(p, c);
    if (c->stream_count)
        axis(p, c);
    shown = call_streams(p, c);
    page_rest(p, c->stream_count - shown, "streams of this call");
    html_markup(&p->html, "</div></details>\n");
}

void page_calls(struct page *p)
{
    const struct document *d = p->document;
    struct call_scratch scratch;
    if (d->call_count == 0)
        return;
    memset(&scratch, 0, sizeof scratch);
    html_section_begin(&p->html, "calls", "Calls",
                       "The ones with wrong streams first. Open one to see its streams, and their marks over time.");
    for (size_t i = 0; i < p->plan.call_count && out_ok(p->html.out); i++) {
        bool wrong = document_call_counts(d, p->plan.calls[i]).verdict == VERDICT_VIOLATING;
        call_block(p, p->plan.calls[i], wrong && i < OPEN_MOST, &scratch);
    }
    page_rest(p, d->call_count - p->plan.call_count, "calls");
    html_section_end(&p->html);
    call_scratch_done(&scratch);
}

#include "report/report_html.h"

#include <stdio.h>
#include <string.h>

#include "policy/marks.h"
#include "report/report_html_mend.h"
#include "report/report_text.h"
#include "report/view.h"

/* A filter is to be copied whole or not at all; one of many terms is folded, and one of thousands is left to -f json.
 */
enum { FILTER_SHORT = 240, FILTER_MOST = 20000, WAYS_MOST = 4, WAY_MAX = 200 };

/* What a walk over the streams of a finding tells. */
struct finding_facts {
    int64_t first_ns, last_ns;
    bool any;
    uint64_t by_class[CLASS_COUNT];
    struct mend_facts mend;
    char ways[WAYS_MOST][WAY_MAX]; /* "10.2.0.11 in berlin -> cms-01", each once */
    size_t way_count;
    bool more_ways;
};

static void add_time(struct finding_facts *f, int64_t first_ns, int64_t last_ns)
{
    f->first_ns = !f->any || first_ns < f->first_ns ? first_ns : f->first_ns;
    f->last_ns = !f->any || last_ns > f->last_ns ? last_ns : f->last_ns;
    f->any = true;
}

static void add_stream(struct finding_facts *f, const struct document *d, const struct record *r)
{
    dscp_set_t outside = r->verdict == VERDICT_VIOLATING ? marks_outside(d, r) : 0;
    bool timed = false;
    for (uint32_t i = 0; i < r->mark_count; i++) {
        if (!dscp_set_has(outside, r->marks[i].dscp))
            continue;
        add_time(f, r->marks[i].first_ns, r->marks[i].last_ns);
        timed = true;
    }
    if (!timed)
        add_time(f, r->first_ns, r->last_ns);
    f->by_class[r->traffic_class]++;
    mend_add(&f->mend, r);
}

static void add_way(struct page *p, struct finding_facts *f, const struct record *r)
{
    struct strbuf way = {0};
    char text[WAY_MAX];
    page_end_name(p, r, PAGE_SOURCE, &way);
    strbuf_adds(&way, " \u2192 ");
    page_end_name(p, r, PAGE_DESTINATION, &way);
    if (!strbuf_ok(&way))
        out_fail(p->html.out, ERR_MEMORY);
    slice_copy(slice_make(strbuf_text(&way), way.len), text, sizeof text);
    strbuf_done(&way);
    for (size_t i = 0; i < f->way_count; i++)
        if (strcmp(f->ways[i], text) == 0)
            return;
    if (f->way_count == WAYS_MOST)
        f->more_ways = true;
    else
        memcpy(f->ways[f->way_count++], text, sizeof text);
}

static void gather(struct page *p, const struct finding *f, struct finding_facts *to)
{
    memset(to, 0, sizeof *to);
    for (size_t i = 0; i < f->stream_count; i++) {
        if (f->streams[i] >= p->document->record_count)
            continue;
        const struct record *r = document_record(p->document, f->streams[i], RECORD_PLAIN, &p->record);
        add_stream(to, p->document, r);
        if (!to->more_ways)
            add_way(p, to, r);
    }
}

static void term(struct html *h, const char *text)
{
    html_markup(h, "<dt>");
    html_text(h, text);
    html_markup(h, "</dt><dd>");
}

static void since(struct page *p, const struct finding *f, const struct finding_facts *facts)
{
    struct html *h = &p->html;
    char date[SMALL_TEXT_MAX], time[SMALL_TEXT_MAX], length[SMALL_TEXT_MAX];
    if (!facts->any && !f->first.frame)
        return;
    term(h, "Since");
    if (facts->any) {
        small_date(facts->first_ns, date);
        small_time(facts->first_ns, time);
        small_duration(facts->last_ns - facts->first_ns, length);
        html_text(h, date);
        html_markup(h, " ");
        html_text(h, time);
        html_markup(h, " UTC, last seen ");
        html_text(h, length);
        html_markup(h, " later");
    }
    if (f->first.frame) {
        html_markupf(h, "%sfirst in frame %llu", facts->any ? "; " : "", (unsigned long long)f->first.frame);
        if (p->document->input_count > 1) {
            html_markup(h, " of ");
            html_text(h, view_file(p->document, f->first.input));
        }
    }
    html_markup(h, "</dd>\n");
}

static void sureness(struct page *p, const struct finding *f)
{
    static const char *const words[] = {
        [CONFIDENCE_NONE] = "This is what the packets show; no cause is named.",
        [CONFIDENCE_LOW] = "The marks are what the packets show; the cause named is one of several that are possible.",
        [CONFIDENCE_HIGH] = "The marks are what the packets show; the cause named is likely, not proven.",
        [CONFIDENCE_CERTAIN] = "This is what the packets show.",
    };
    term(&p->html, "How sure");
    html_text(&p->html, words[f->confidence]);
    html_markup(&p->html, "</dd>\n");
}

static void where(struct page *p, const struct finding *f, const struct finding_facts *facts)
{
    struct html *h = &p->html;
    char count[SMALL_TEXT_MAX];
    bool any = false;
    if (facts->way_count || (f->subject && *f->subject))
        term(h, "Where");
    for (size_t i = 0; i < facts->way_count; i++) {
        html_markup(h, i ? ", " : "");
        html_text(h, facts->ways[i]);
    }
    if (facts->way_count == 0)
        html_text(h, f->subject);
    html_markup(h, facts->more_ways ? " and others" : "");
    html_markup(h, facts->way_count || (f->subject && *f->subject) ? "</dd>\n" : "");
    for (int c = CLASS_NONE; c < CLASS_COUNT; c++) {
        if (!facts->by_class[c])
            continue;
        if (!any)
            term(h, "What");
        html_markup(h, any ? ", " : "");
        html_text(h, c == CLASS_NONE ? "no class" : class_name((enum traffic_class)c));
        small_count(facts->by_class[c], count);
        html_markupf(h, " (%s %s)", count, plural(facts->by_class[c], "stream", "streams"));
        any = true;
    }
    html_markup(h, any ? "</dd>\n" : "");
}

static void streams(struct page *p, const struct finding *f)
{
    struct html *h = &p->html;
    char count[SMALL_TEXT_MAX];
    term(h, "Seen in");
    if (f->stream_count) {
        small_count(f->stream_count, count);
        html_text(h, count);
        html_text(h, plural(f->stream_count, " stream, ", " streams, "));
    }
    small_count(f->packets, count);
    html_text(h, count);
    html_text(h, plural(f->packets, " packet", " packets"));
    for (size_t i = 0; i < f->stream_count && i < PLAN_FINDING_STREAMS; i++) {
        html_markup(h, i ? " " : ": ");
        page_stream_link(p, f->streams[i]);
    }
    if (f->stream_count > PLAN_FINDING_STREAMS)
        html_markup(h, " \u2026");
    html_markup(h, "</dd>\n");
}

static void filter(struct page *p, const struct finding *f)
{
    size_t len = f->wireshark ? strlen(f->wireshark) : 0;
    if (len == 0)
        return;
    if (len > FILTER_MOST) {
        html_paragraph(&p->html, HTML_DIM, "The Wireshark filter takes many terms; -f json has it.");
        return;
    }
    html_markup(&p->html, len > FILTER_SHORT ? "<details><summary>Wireshark filter</summary>"
                                             : "<p class=\"small dim\">Wireshark filter</p>");
    html_code(&p->html, f->wireshark, true);
    html_markup(&p->html, len > FILTER_SHORT ? "</details>\n" : "");
}

static void card(struct page *p, size_t number, const struct finding *f)
{
    static const char *const causes[] = {[CONFIDENCE_NONE] = "",
                                         [CONFIDENCE_LOW] = "cause uncertain",
                                         [CONFIDENCE_HIGH] = "cause likely",
                                         [CONFIDENCE_CERTAIN] = ""};
    struct html *h = &p->html;
    /* two codes say what could not be seen or is only worth knowing: they accuse nobody */
    bool accuses = f->code != FINDING_NOT_VERIFIABLE && f->code != FINDING_TUNNEL_DIFFERS;
    const char *class = html_class(accuses ? HTML_BAD : HTML_UNSURE);
    struct finding_facts facts;
    gather(p, f, &facts);
    html_markupf(
        h, "<article class=\"card %s\" id=\"f%zu\">\n<h3><span class=\"dim\">%zu.</span> <span class=\"tag %s\">%s ",
        class, number, number, class, accuses ? "\u2717" : "?");
    html_text(h, finding_code_name(f->code));
    html_markup(h, "</span> ");
    html_span(h, HTML_PLAIN, f->subject ? f->subject : "");
    if (*causes[f->confidence]) {
        html_markup(h, " ");
        html_span(h, HTML_DIM, causes[f->confidence]);
    }
    html_markup(h, "</h3>\n<p class=\"what\">");
    html_text(h, f->message);
    html_markup(h, "</p>\n<dl>");
    where(p, f, &facts);
    since(p, f, &facts);
    streams(p, f);
    sureness(p, f);
    html_markup(h, "</dl>\n");
    html_markup(h, "<div class=\"mend\">");
    if (f->advice && *f->advice) {
        html_markup(h, "<p><b>To mend it:</b> ");
        html_prose(h, f->advice);
        html_markup(h, "</p>\n");
    }
    mend_write(p, f->code, &facts.mend);
    html_markup(h, "</div>\n");
    filter(p, f);
    html_markup(h, "</article>\n");
}

void page_findings(struct page *p)
{
    const struct document *d = p->document;
    struct finding_scratch scratch = {.failed = false};
    html_section_begin(&p->html, "findings", "Findings", d->finding_count ? "Worst first." : "");
    if (d->finding_count == 0)
        html_paragraph(&p->html, HTML_PLAIN,
                       d->summary.verdict == SUMMARY_NOTHING_CHECKED ? "None, but nothing was checked either."
                                                                     : "None.");
    for (size_t i = 0; i < p->plan.finding_count && out_ok(p->html.out); i++)
        card(p, i + 1, document_finding(d, i, &scratch));
    if (scratch.failed)
        out_fail(p->html.out, ERR_MEMORY);
    finding_scratch_done(&scratch);
    page_rest(p, d->finding_count - p->plan.finding_count, "findings");
    html_section_end(&p->html);
}

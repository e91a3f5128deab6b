#include "report/report_html.h"

#include <stdio.h>
#include <string.h>

#include "report/formats.h"
#include "report/report_text.h"
#include "report/view.h"
#include "report/view_verdict.h"

enum { INTERFACES_MOST = 6 };

enum html_style page_style(enum verdict v)
{
    static const enum html_style styles[] = {
        [VERDICT_UNCHECKED] = HTML_DIM,
        [VERDICT_CONFORMING] = HTML_GOOD,
        [VERDICT_VIOLATING] = HTML_BAD,
        [VERDICT_UNDETERMINED] = HTML_UNSURE,
    };
    return styles[v];
}

const char *page_sign(enum verdict v)
{
    static const char *const signs[] = {[VERDICT_UNCHECKED] = "",
                                        [VERDICT_CONFORMING] = "\u2713",
                                        [VERDICT_VIOLATING] = "\u2717",
                                        [VERDICT_UNDETERMINED] = "?"};
    return signs[v];
}

const char *page_verdict(enum verdict v)
{
    static const char *const words[] = {[VERDICT_UNCHECKED] = "not checked",
                                        [VERDICT_CONFORMING] = "right",
                                        [VERDICT_VIOLATING] = "wrong",
                                        [VERDICT_UNDETERMINED] = "not known"};
    return words[v];
}

void page_rest(struct page *p, uint64_t rest, const char *what)
{
    char count[SMALL_TEXT_MAX], text[160];
    if (rest == 0)
        return;
    small_count(rest, count);
    (void)snprintf(text, sizeof text, "\u2026 and %s more %s, which this page only counts: -f json has them all.",
                   count, what);
    html_paragraph(&p->html, HTML_DIM, text);
}

/* --- the head of the page ----------------------------------------------------------------------------------------- */

static void verdict_box(struct page *p)
{
    static const enum html_style styles[] = {
        [SUMMARY_NOTHING_CHECKED] = HTML_UNSURE, [SUMMARY_PASS] = HTML_GOOD, [SUMMARY_FAIL] = HTML_BAD};
    const struct document *d = p->document;
    struct view_verdict v = view_verdict(d);
    char word[48], text[sizeof v.sentence + sizeof v.share + 8];
    bool doubtful = d->summary.verdict == SUMMARY_PASS && (v.incomplete || v.mostly_unjudged);
    enum html_style style = doubtful ? HTML_UNSURE : styles[d->summary.verdict];
    (void)snprintf(word, sizeof word, "%s%s:", v.word, v.incomplete ? " (INCOMPLETE)" : "");
    (void)snprintf(text, sizeof text, v.share[0] ? "%s (%s)" : "%s%s", v.sentence, v.share);
    html_verdict(&p->html, style, word, text);
}

/* What makes the verdict less than whole: nobody should find this at the bottom. */
static void incomplete_lines(struct page *p)
{
    const struct document *d = p->document;
    struct html *h = &p->html;
    bool said = false;
    for (size_t i = 0; i < d->input_count; i++) {
        const struct input *in = &d->inputs[i];
        struct strbuf text = {0};
        char dropped[SMALL_TEXT_MAX];
        if (in->complete && in->dropped == 0)
            continue;
        said = true;
        strbuf_adds(&text, "Incomplete: ");
        if (in->complete || !view_problem_names(in))
            strbuf_addf(&text, "%s: ", in->file);
        if (!in->complete)
            strbuf_adds(&text, view_problem(in));
        small_count(in->dropped, dropped);
        if (in->dropped)
            strbuf_addf(&text, "%s%s %s", in->complete ? "" : "; ", dropped,
                        plural(in->dropped, "packet was lost by the capture", "packets were lost by the capture"));
        html_markup(h, "<p class=\"unsure strong\">");
        html_take(h, &text);
        html_markup(h, "</p>\n");
    }
    if (d->limited || (!said && !d->summary.complete))
        html_paragraph(h, HTML_UNSURE, "Incomplete: something was not looked at, or is not counted; see the notes.");
}

static void tile(struct html *h, enum html_style style, uint64_t n, const char *what)
{
    char count[SMALL_TEXT_MAX];
    small_count(n, count);
    html_markup(h, "<li");
    if (n && *html_class(style))
        html_markupf(h, " class=\"%s\"", html_class(style));
    html_markup(h, "><b>");
    html_text(h, count);
    html_markup(h, "</b> ");
    html_text(h, what);
    html_markup(h, "</li>\n");
}

static void tiles(struct page *p)
{
    const struct summary *s = &p->document->summary;
    struct html *h = &p->html;
    html_markup(h, "<ul class=\"tiles\">\n");
    tile(h, HTML_PLAIN, s->streams, plural(s->streams, "stream seen", "streams seen"));
    tile(h, HTML_GOOD, s->conforming, "\u2713 marked rightly");
    tile(h, HTML_BAD, s->violating, "\u2717 marked wrongly");
    tile(h, HTML_UNSURE, s->undetermined, "? could not be judged");
    tile(h, HTML_PLAIN, s->unchecked, "not covered by the policy");
    tile(h, HTML_PLAIN, p->document->call_count, plural(p->document->call_count, "call", "calls"));
    html_markup(h, "</ul>\n");
}

static void navigation(struct page *p)
{
    const struct document *d = p->document;
    const struct {
        const char *id, *title;
        bool there;
        size_t count;
    } links[] = {
        {"marks", "Marks", d->by_class_count > 0 || d->unclassed.streams > 0, 0},
        {"sites", "Sites", d->by_site_count > 0, d->by_site_count},
        {"findings", "Findings", true, d->finding_count},
        {"calls", "Calls", d->call_count > 0, d->call_count},
        {"streams", "Other streams", p->plan.other_count > 0, 0},
        {"quality", "Loss and jitter", view_has_quality(d), 0},
        {"nodes", "Nodes", d->node_count > 0, d->node_count},
        {"unjudged", "Not checked", d->summary.undetermined + d->summary.unchecked > 0, 0},
        {"inputs", p->live_now_ns ? "Interfaces" : "Inputs", d->input_count > 0, d->input_count},
        {"words", "Words", true, 0},
    };
    html_markup(&p->html, "<nav aria-label=\"Sections\">\n");
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        if (!links[i].there)
            continue;
        html_markup(&p->html, "<a href=\"#");
        html_text(&p->html, links[i].id);
        html_markup(&p->html, "\">");
        html_text(&p->html, links[i].title);
        if (links[i].count) {
            char count[SMALL_TEXT_MAX];
            small_count(links[i].count, count);
            html_markup(&p->html, " ");
            html_text(&p->html, count);
        }
        html_markup(&p->html, "</a>\n");
    }
    html_markup(&p->html, "</nav>\n");
}

/* What the page is about, for its title: the file, or how many. */
static void add_subject(const struct document *d, struct strbuf *to)
{
    int64_t first = 0, last = 0;
    bool any = false;
    if (d->input_count == 1)
        strbuf_adds(to, input_point(&d->inputs[0]));
    else if (d->input_count)
        strbuf_addf(to, "%zu captures", d->input_count);
    for (size_t i = 0; i < d->input_count; i++) {
        const struct input *in = &d->inputs[i];
        if (!in->packets)
            continue;
        first = !any || in->first_ns < first ? in->first_ns : first;
        last = !any || in->last_ns > last ? in->last_ns : last;
        any = true;
    }
    if (any) {
        char day[SMALL_TEXT_MAX], time[SMALL_TEXT_MAX], end[SMALL_TEXT_MAX];
        small_date(first, day);
        small_time(first, time);
        strbuf_addf(to, ", %s %s to ", day, time);
        small_date(last, end);
        small_time(last, time);
        strbuf_addf(to, "%s%s%s UTC", strcmp(day, end) ? end : "", strcmp(day, end) ? " " : "", time);
    }
}

static void add_moment(int64_t ns, struct strbuf *to)
{
    char day[SMALL_TEXT_MAX], time[SMALL_TEXT_MAX];
    small_date(ns, day);
    small_time(ns, time);
    strbuf_addf(to, "%s %s", day, time);
}

static void add_live_subject(const struct page *p, struct strbuf *to)
{
    const struct document *d = p->document;
    strbuf_adds(to, "captured live on ");
    for (size_t i = 0; i < d->input_count && i < INTERFACES_MOST; i++) {
        strbuf_adds(to, i ? ", " : "");
        strbuf_adds(to, input_point(&d->inputs[i]));
    }
    if (d->input_count > INTERFACES_MOST)
        strbuf_addf(to, " and %zu more", d->input_count - INTERFACES_MOST);
    strbuf_adds(to, " since ");
    add_moment(p->live_since_ns, to);
    strbuf_adds(to, " UTC, as of ");
    add_moment(p->live_now_ns, to);
    strbuf_adds(to, " UTC. Reload the page for what came since.");
}

static void head(struct page *p, struct out *out)
{
    const struct document *d = p->document;
    struct strbuf subject = {0}, rest = {0};
    if (p->live_now_ns)
        add_live_subject(p, &subject);
    else
        add_subject(d, &subject);
    html_begin(&p->html, out, p->live_now_ns ? "qosmark live" : "qosmark audit", strbuf_text(&subject));
    if (!strbuf_ok(&subject))
        out_fail(out, ERR_MEMORY);
    strbuf_done(&subject);
    verdict_box(p);
    incomplete_lines(p);
    view_rest(d, &rest);
    if (!strbuf_ok(&rest))
        out_fail(out, ERR_MEMORY);
    if (*strbuf_text(&rest)) {
        html_markup(&p->html, "<p>");
        html_take(&p->html, &rest);
        html_markup(&p->html, "</p>\n");
    }
    tiles(p);
    navigation(p);
    page_wrong_first(p);
}

void report_html(struct out *out, const struct document *d, const struct report_options *o)
{
    static void (*const sections[])(struct page * p) = {page_marks,   page_sites,   page_findings, page_calls,
                                                        page_streams, page_quality, page_nodes,    page_unjudged,
                                                        page_notes,   page_policy,  page_inputs,   page_words};
    struct page p = {.document = d, .live_since_ns = o->live_since_ns, .live_now_ns = o->live_now_ns};
    if (html_plan_make(&p.plan, d)) {
        head(&p, out);
        html_markup(&p.html, "<main>\n");
        for (size_t i = 0; i < sizeof sections / sizeof sections[0] && out_ok(out); i++)
            sections[i](&p);
        html_markup(&p.html, "</main>\n");
        html_end(&p.html);
    } else {
        out_fail(out, ERR_MEMORY);
    }
    if (p.record.failed)
        out_fail(out, ERR_MEMORY);
    record_scratch_done(&p.record);
    html_plan_done(&p.plan);
}

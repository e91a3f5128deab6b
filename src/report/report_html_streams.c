#include "report/report_html.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "policy/marks.h"
#include "report/report_text.h"
#include "report/view.h"

/*
 * A stream as a row: what it is, and its marks over time. Each mark has a lane from its first packet to its last, the
 * earliest on top, so that a change in mid-call is a step and re-marking to and fro is two lanes side by side.
 */
enum { LANES_MOST = 8, LANE_HEIGHT = 8, LANE_PITCH = 10 };

/* A lane of one packet among an hour is to be seen all the same. */
static const double lane_least = 0.7; /* percent */

void page_stream_link(struct page *p, uint32_t stream)
{
    if (html_plan_shows(&p->plan, stream))
        html_markupf(&p->html, "<a href=\"#s%u\">#%u</a>", (unsigned)stream, (unsigned)stream);
    else
        html_markupf(&p->html, "#%u", (unsigned)stream);
}

void page_end_name(const struct page *p, const struct record *r, enum page_end which, struct strbuf *to)
{
    const struct document *d = p->document;
    bool source = which == PAGE_SOURCE;
    bool between = r->direction == DIRECTION_BETWEEN_NODES;
    bool is_node = between || r->direction == (source ? DIRECTION_FROM_NODE : DIRECTION_TO_NODE);
    const char *node = view_node(d, between && !source ? r->peer_node : r->node);
    const char *site = view_site(d, r->site);
    char address[ADDR_TEXT_MAX];
    addr_format(source ? &r->src.addr : &r->dst.addr, address);
    if (is_node && node)
        strbuf_adds(to, node);
    else if (site && r->direction != DIRECTION_UNATTRIBUTED && !is_node)
        strbuf_addf(to, "%s in %s", address, site);
    else
        strbuf_adds(to, address);
}

static enum html_style mark_style(const struct document *d, const struct record *r, dscp_t mark)
{
    bool outside = dscp_set_has(marks_outside(d, r), mark);
    switch (r->verdict) {
    case VERDICT_VIOLATING:
    case VERDICT_CONFORMING:
        return outside ? HTML_BAD : HTML_GOOD;
    case VERDICT_UNDETERMINED:
        return outside ? HTML_UNSURE : HTML_PLAIN;
    case VERDICT_UNCHECKED:
        break;
    }
    return HTML_PLAIN;
}

static double share_of_time(int64_t at, int64_t from, int64_t to)
{
    double share = to > from ? 100 * ((double)at - (double)from) / ((double)to - (double)from) : 0;
    return share < 0 ? 0 : share > 100 ? 100 : share;
}

static void timeline(struct page *p, const struct record *r, int64_t from_ns, int64_t to_ns)
{
    uint32_t lanes = r->mark_count < LANES_MOST ? r->mark_count : LANES_MOST;
    html_markupf(&p->html, "<svg class=\"time\" height=\"%u\" aria-hidden=\"true\" focusable=\"false\">",
                 lanes * LANE_PITCH + 2);
    for (uint32_t i = 0; i < lanes; i++) {
        const struct record_mark *m = &r->marks[i];
        double begin = share_of_time(m->first_ns, from_ns, to_ns);
        double end = to_ns > from_ns ? share_of_time(m->last_ns, from_ns, to_ns) : 100;
        begin = begin > 100 - lane_least ? 100 - lane_least : begin;
        end = end < begin + lane_least ? begin + lane_least : end;
        html_markupf(&p->html,
                     "<rect class=\"%s\" x=\"%.2f%%\" y=\"%u\" width=\"%.2f%%\" height=\"%d\"><title>%s</title></rect>",
                     html_class(mark_style(p->document, r, m->dscp)), begin, i * LANE_PITCH + 2, end - begin,
                     LANE_HEIGHT, dscp_name(m->dscp));
    }
    html_markup(&p->html, "</svg>");
}

/* "from 09:00:12 to 09:00:14", where the mark was not there all the time */
static void mark_times(const struct record *r, const struct record_mark *m, char text[static 64])
{
    char first[SMALL_TEXT_MAX], last[SMALL_TEXT_MAX];
    text[0] = '\0';
    if (r->mark_count < 2)
        return;
    small_time(m->first_ns, first);
    small_time(m->last_ns, last);
    if (strcmp(first, last) == 0)
        (void)snprintf(text, 64, "at %.8s", first);
    else
        (void)snprintf(text, 64, "%.8s\u2013%.8s", first, last);
}

static void marks_cell(struct page *p, const struct record *r, int64_t from_ns, int64_t to_ns)
{
    struct html *h = &p->html;
    char text[64];
    uint64_t hidden = 0;
    html_cell_begin(h, HTML_PLAIN);
    if (r->mark_count)
        timeline(p, r, from_ns, to_ns);
    html_markup(h, "<ul class=\"marks\">");
    for (uint32_t i = 0; i < r->mark_count; i++) {
        const struct record_mark *m = &r->marks[i];
        struct page_mark mark = {.dscp = m->dscp, .style = mark_style(p->document, r, m->dscp), .packets = m->packets};
        if (i >= LANES_MOST && mark.style != HTML_BAD) {
            hidden++;
            continue;
        }
        mark_times(r, m, text);
        page_mark_item(p, &mark, r->packets, text);
    }
    if (hidden)
        html_markupf(h, "<li class=\"dim\">%llu more marks</li>", (unsigned long long)hidden);
    html_markup(h, "</ul>");
    if (r->mark_changes > 1)
        html_markupf(h, "<span class=\"dim small\">the mark changed %u times</span>", (unsigned)r->mark_changes);
    html_cell_end(h);
}

/* What has no ports, as ICMP, is shown without. */
static void end_text(const struct endpoint *e, char text[static ENDPOINT_TEXT_MAX])
{
    if (e->port)
        endpoint_format(e, text);
    else
        addr_format(&e->addr, text);
}

static void what_cell(struct page *p, uint32_t stream, const struct record *r)
{
    struct html *h = &p->html;
    char end[ENDPOINT_TEXT_MAX], proto[VIEW_PROTO_MAX];
    struct strbuf text = {0};
    html_markup(h, "<th scope=\"row\">");
    h->column++;
    html_markupf(h, "<span id=\"s%u\" class=\"dim\">#%u</span> ", (unsigned)stream, (unsigned)stream);
    html_text(h, kind_name(r->kind));
    if (*class_name(r->traffic_class)) {
        html_markup(h, " <span class=\"dim\">");
        html_text(h, class_name(r->traffic_class));
        html_markup(h, "</span>");
    }
    html_markup(h, "<div class=\"small dim code\">");
    end_text(&r->src, end);
    strbuf_addf(&text, "%s \u2192 ", end);
    end_text(&r->dst, end);
    view_proto(r->proto, proto);
    strbuf_addf(&text, "%s %s", end, proto);
    if (r->has_ssrc)
        strbuf_addf(&text, " 0x%08x", (unsigned)r->ssrc);
    if (r->codec && *r->codec)
        strbuf_addf(&text, " %s", r->codec);
    html_take(h, &text);
    html_markup(h, "</div></th>");
}

static void way_cell(struct page *p, const struct record *r)
{
    struct strbuf text = {0};
    page_end_name(p, r, PAGE_SOURCE, &text);
    strbuf_adds(&text, " \u2192 ");
    page_end_name(p, r, PAGE_DESTINATION, &text);
    html_cell_begin(&p->html, HTML_PLAIN);
    html_take(&p->html, &text);
    html_cell_end(&p->html);
}

static void rtp_cell(struct page *p, const struct record *r)
{
    char lost[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX];
    html_cell_begin(&p->html, HTML_PLAIN);
    if (r->rtp) {
        small_count(r->rtp->lost, lost);
        small_share(r->rtp->lost, r->rtp->expected, share);
        html_text(&p->html, lost);
        html_markup(&p->html, " lost (");
        html_text(&p->html, share);
        html_markup(&p->html, ")");
        if (r->rtp->clock_rate && r->rtp->jitter_ms >= 0)
            html_markupf(&p->html, ", %.1f ms", r->rtp->jitter_ms);
    }
    html_cell_end(&p->html);
}

static void verdict_cell(struct page *p, const struct record *r)
{
    struct html *h = &p->html;
    html_cell_begin(h, HTML_PLAIN);
    html_markupf(h, "<span class=\"%s\">%s %s</span>", html_class(page_style(r->verdict)), page_sign(r->verdict),
                 page_verdict(r->verdict));
    for (size_t i = 0; i < r->finding_count; i++) {
        html_markup(h, i ? ", " : ": ");
        html_text(h, finding_code_name(r->findings[i].code));
    }
    const char *why = r->verdict == VERDICT_UNDETERMINED || r->verdict == VERDICT_UNCHECKED ? r->reason : "";
    if (why && *why) {
        html_markup(h, "<div class=\"small dim\">");
        html_text(h, why);
        html_markup(h, "</div>");
    }
    html_markup(h, "<div class=\"small dim\">");
    html_text(h, r->evidence && *r->evidence ? r->evidence : "no evidence of what it is");
    html_markup(h, " (");
    html_text(h, confidence_name(r->confidence));
    html_markup(h, ")</div>");
    html_cell_end(h);
}

void page_streams_begin(struct page *p, const char *caption)
{
    static const char *const columns[] = {"stream",          "way",          "expected",
                                          "marks over time", "loss, jitter", "verdict and why"};
    html_table_begin(&p->html, caption, columns, sizeof columns / sizeof columns[0]);
}

void page_stream_row(struct page *p, uint32_t stream, int64_t from_ns, int64_t to_ns)
{
    const struct record *r = document_record(p->document, stream, RECORD_ALL, &p->record);
    char text[SMALL_TEXT_MAX];
    bool own_time = to_ns < from_ns;
    html_row_styled(&p->html, page_style(r->verdict));
    what_cell(p, stream, r);
    way_cell(p, r);
    small_marks(r->expected, r->preferred, text);
    html_cell(&p->html, HTML_PLAIN, r->expected ? text : "");
    marks_cell(p, r, own_time ? r->first_ns : from_ns, own_time ? r->last_ns : to_ns);
    rtp_cell(p, r);
    verdict_cell(p, r);
    html_row_end(&p->html);
}

void page_streams_end(struct page *p)
{
    html_table_end(&p->html);
}

void page_streams(struct page *p)
{
    const struct document *d = p->document;
    size_t shown = 0;
    if (p->plan.other_count == 0)
        return;
    html_section_begin(&p->html, "streams", "Other streams",
                       "Those that belong to no call above, the wrong ones first. Each bar runs from the stream's "
                       "first packet to its last; "
                       "# is the place in the streams of -f json.");
    page_streams_begin(p, "Streams outside the calls above");
    for (size_t i = 0; i < p->plan.other_count && out_ok(p->html.out); i++)
        page_stream_row(p, p->plan.others[i], 1, 0);
    page_streams_end(p);
    for (size_t i = 0; i < d->record_count; i++)
        shown += html_plan_shows(&p->plan, (uint32_t)i);
    page_rest(p, d->record_count - shown, "streams");
    html_section_end(&p->html);
}

#include "report/report_html.h"

#include <stdio.h>
#include <string.h>

#include "report/report_text_rows.h"
#include "report/view.h"

/* The table class by direction by node, and the one by site. */

enum { ROWS_MOST = 300, MARKS_MOST = 12 };

static const char *direction_words(enum direction d)
{
    static const char *const words[DIRECTION_COUNT] = {
        [DIRECTION_UNATTRIBUTED] = "no node",
        [DIRECTION_FROM_NODE] = "from node",
        [DIRECTION_TO_NODE] = "to node",
        [DIRECTION_BETWEEN_NODES] = "between nodes",
    };
    return words[d];
}

void page_mark_item(struct page *p, const struct page_mark *m, uint64_t total, const char *more)
{
    struct html *h = &p->html;
    char count[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX];
    small_count(m->packets, count);
    small_share(m->packets, total, share);
    html_markup(h, "<li");
    if (*html_class(m->style))
        html_markupf(h, " class=\"%s\"", html_class(m->style));
    html_markup(h, ">");
    html_markup(h, html_sign(m->style));
    html_markup(h, *html_sign(m->style) ? " " : "");
    html_markup(h, dscp_is_named(m->dscp) ? "" : "DSCP ");
    html_text(h, dscp_name(m->dscp));
    html_markup(h, ": ");
    html_text(h, count);
    html_markup(h, " <small>(");
    html_text(h, share);
    html_markup(h, ")");
    if (*more) {
        html_markup(h, " ");
        html_text(h, more);
    }
    html_markup(h, "</small></li>");
}

void page_marks_cell(struct page *p, const struct page_mark *marks, size_t n)
{
    struct html_part parts[DSCP_COUNT] = {{.value = 0}};
    uint64_t total = 0, hidden = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        parts[i] = (struct html_part){.label = "", .value = marks[i].packets, .style = marks[i].style};
        total += marks[i].packets;
    }
    html_bar(&p->html, parts, n);
    html_markup(&p->html, "<ul class=\"marks\">");
    for (size_t i = 0; i < n; i++) {
        /* a wrong mark is never among those left out */
        if (i < MARKS_MOST || marks[i].style == HTML_BAD) {
            page_mark_item(p, &marks[i], total, "");
            continue;
        }
        hidden += marks[i].packets;
        count++;
    }
    if (count)
        html_markupf(&p->html, "<li class=\"dim\">%zu more marks %llu</li>", count, (unsigned long long)hidden);
    html_markup(&p->html, "</ul>");
}

/* A mark that is right in one stream and wrong in another is shown as wrong: that is what wants looking at. */
static size_t row_marks(const struct mark_counts *m, bool judged, struct page_mark to[static DSCP_COUNT])
{
    dscp_t order[DSCP_COUNT];
    size_t n = view_by_packets(m->packets, order);
    for (size_t i = 0; i < n; i++) {
        dscp_t mark = order[i];
        to[i] = (struct page_mark){.dscp = mark,
                                   .packets = m->packets[mark],
                                   .style = m->wrong[mark]    ? HTML_BAD
                                            : m->unsure[mark] ? HTML_UNSURE
                                            : judged          ? HTML_GOOD
                                                              : HTML_PLAIN};
    }
    return n;
}

static void count_cell(struct html *h, uint64_t n, enum html_style style)
{
    char text[SMALL_TEXT_MAX];
    small_count(n, text);
    html_cell_begin(h, HTML_NUMBER);
    if (n && style != HTML_PLAIN)
        html_span(h, style, text);
    else
        html_text(h, text);
    html_cell_end(h);
}

static void class_row(struct page *p, const struct class_row *r)
{
    struct html *h = &p->html;
    char text[SMALL_TEXT_MAX], name[64];
    struct page_mark marks[DSCP_COUNT];
    enum verdict v = class_row_verdict(r);
    const char *class_text = class_name(r->row.traffic_class);
    size_t n = row_marks(&r->marks, r->judged, marks);
    html_row_styled(h, page_style(v));
    (void)snprintf(name, sizeof name, "%s%s%s", page_sign(v), *page_sign(v) ? " " : "",
                   *class_text ? class_text : "no class");
    html_row_head(h, HTML_NOWRAP, name);
    html_cell(h, HTML_NOWRAP, direction_words(r->row.direction));
    html_cell(h, HTML_PLAIN, page_verdict(v));
    count_cell(h, r->row.streams, HTML_PLAIN);
    count_cell(h, r->row.violating_streams, HTML_BAD);
    count_cell(h, r->row.packets, HTML_PLAIN);
    count_cell(h, r->row.violating_packets, HTML_BAD);
    small_marks(r->expected, r->preferred, text);
    html_cell(h, HTML_PLAIN, text);
    html_cell_begin(h, HTML_PLAIN);
    page_marks_cell(p, marks, n);
    html_cell_end(h);
    html_row_end(h);
}

static void key(struct page *p)
{
    static const struct {
        enum html_style style;
        const char *text;
    } keys[] = {{HTML_GOOD, "\u2713 as expected"},
                {HTML_BAD, "\u2717 wrong"},
                {HTML_UNSURE, "? not known whether it is"},
                {HTML_PLAIN, "nothing expected"}};
    html_markup(&p->html, "<p>");
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        html_markup(&p->html, "<span class=\"key\"><svg aria-hidden=\"true\" focusable=\"false\">");
        html_markupf(&p->html, "<rect class=\"%s\" width=\"100%%\" height=\"100%%\"/></svg>",
                     html_class(keys[i].style));
        html_text(&p->html, keys[i].text);
        html_markup(&p->html, "</span>");
    }
    html_markup(&p->html, "</p>\n");
}

static bool is_wrong(const struct class_row *r)
{
    return r->row.violating_streams || r->row.violating_packets;
}

static void class_rows(struct page *p, const struct class_table *table, const struct class_table *all)
{
    static const char *const columns[] = {"class",    "direction",      "verdict",  ">streams",  ">wrong streams",
                                          ">packets", ">wrong packets", "expected", "marks seen"};
    bool many = table->count > ROWS_MOST;
    size_t shown = 0;
    uint32_t node = UINT32_MAX;
    html_section_begin(&p->html, "marks", "Marks", "");
    key(p);
    html_table_begin(&p->html, "Each class, in each direction, at each node", columns,
                     sizeof columns / sizeof columns[0]);
    if (many) {
        html_group(&p->html, "all nodes together");
        for (size_t i = 0; i < all->count; i++)
            class_row(p, &all->rows[i]);
    }
    for (size_t i = 0; i < table->count && shown < ROWS_MOST; i++) {
        const struct class_row *r = &table->rows[i];
        if (many && !is_wrong(r))
            continue;
        if (r->row.node != node) {
            const char *name = view_node(p->document, r->row.node);
            html_group(&p->html, name ? name : "no node at either end");
        }
        node = r->row.node;
        class_row(p, r);
        shown++;
    }
    if (table->unclassed.row.streams) {
        html_group(&p->html, "no class in the policy");
        class_row(p, &table->unclassed);
    }
    html_table_end(&p->html);
    page_rest(p, table->count - shown, "rows of single nodes");
    html_section_end(&p->html);
}

void page_marks(struct page *p)
{
    struct class_table table = {0}, all = {0};
    const struct document *d = p->document;
    if (d->by_class_count == 0 && d->unclassed.streams == 0)
        return;
    if (class_table_build(&table, d) && class_table_collapse(&table, &all))
        class_rows(p, &table, &all);
    else
        out_fail(p->html.out, ERR_MEMORY);
    class_table_done(&table);
    class_table_done(&all);
}

static void site_row(struct page *p, const struct summary_row *row)
{
    struct html *h = &p->html;
    const char *name = view_site(p->document, row->site);
    struct page_mark marks[DSCP_COUNT];
    struct mark_counts counts;
    struct strbuf text = {0};
    enum verdict v = row->violating_streams                      ? VERDICT_VIOLATING
                     : row->undetermined_streams >= row->streams ? VERDICT_UNDETERMINED
                                                                 : VERDICT_CONFORMING;
    memcpy(counts.packets, row->by_dscp, sizeof counts.packets);
    memcpy(counts.wrong, row->wrong_by_dscp, sizeof counts.wrong);
    memcpy(counts.unsure, row->unsure_by_dscp, sizeof counts.unsure);
    size_t n = row_marks(&counts, v != VERDICT_UNDETERMINED, marks);
    html_row_styled(h, page_style(v));
    strbuf_addf(&text, "%s\u00a0%s", page_sign(v), name ? name : "-");
    html_row_head(h, HTML_PLAIN, strbuf_text(&text));
    if (!strbuf_ok(&text))
        out_fail(h->out, ERR_MEMORY);
    strbuf_done(&text);
    html_cell(h, HTML_NOWRAP, direction_words(row->direction));
    html_cell(h, HTML_PLAIN, page_verdict(v));
    count_cell(h, row->streams, HTML_PLAIN);
    count_cell(h, row->violating_streams, HTML_BAD);
    count_cell(h, row->packets, HTML_PLAIN);
    count_cell(h, row->violating_packets, HTML_BAD);
    html_cell_begin(h, HTML_PLAIN);
    page_marks_cell(p, marks, n);
    html_cell_end(h);
    html_row_end(h);
}

void page_sites(struct page *p)
{
    static const char *const columns[] = {"site",           "direction", "verdict",        ">streams",
                                          ">wrong streams", ">packets",  ">wrong packets", "marks seen"};
    const struct document *d = p->document;
    if (d->by_site_count == 0)
        return;
    html_section_begin(&p->html, "sites", "Sites", "");
    html_table_begin(&p->html, "Each site, from the nodes to it and from it to them", columns,
                     sizeof columns / sizeof columns[0]);
    size_t shown = d->by_site_count < ROWS_MOST ? d->by_site_count : ROWS_MOST;
    for (size_t i = 0; i < shown; i++)
        site_row(p, &d->by_site[i]);
    html_table_end(&p->html);
    page_rest(p, d->by_site_count - shown, "sites");
    html_section_end(&p->html);
}

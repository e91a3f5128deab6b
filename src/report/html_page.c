#include "report/html_page.h"

#include <stdio.h>
#include <string.h>

static const char style_sheet[] =
    ":root{color-scheme:light "
    "dark;--ink:#1b1f24;--paper:#fff;--line:#d0d7de;--dim:#57606a;--good:#116329;--bad:#a40e26;--unsure:#7d4e00;"
    "--bar-good:#2da44e;--bar-bad:#cf222e;--bar-unsure:#bf8700;--bar-plain:#6e7781}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--paper:#0d1117;--line:#30363d;--dim:#9198a1;--good:#56d364;"
    "--bad:#ff7b72;"
    "--unsure:#e3b341}}\n"
    "body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:72rem;margin:1.5rem "
    "auto;padding:0 1rem}\n"
    "h1{font-size:1.3rem;margin:0}h2{font-size:1.05rem;margin:1.6rem 0 .4rem}p{margin:.4rem 0}\n"
    ".verdict{font-size:1.15rem;border-left:.4rem solid;padding:.4rem .8rem;margin:1rem 0}.verdict "
    "b{margin-right:.5em}\n"
    "table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:600;padding:.3rem 0}\n"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid "
    "var(--line);vertical-align:top}th{font-weight:600;color:var(--dim)}\n"
    ".scroll{overflow-x:auto}.facts td,.facts th{border:0;padding:.1rem .8rem .1rem 0}.facts{width:auto}\n"
    ".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.unsure{color:var(--unsure)}.dim{color:var(--dim)}\n"
    ".number{text-align:right;font-variant-numeric:tabular-nums}.strong{font-weight:600}.code{font-family:ui-monospace,"
    "monospace}\n"
    "svg{width:9rem;height:.7rem;margin-right:.5rem;vertical-align:middle}rect{fill:var(--bar-plain)}rect.good{fill:"
    "var(--bar-good)}"
    "rect.bad{fill:var(--bar-bad)}rect.unsure{fill:var(--bar-unsure)}\n"
    "li{margin:.5rem 0}li .advice{color:var(--dim)}footer{margin:2rem 0;color:var(--dim);font-size:.85rem}\n"
    "@media print{body{max-width:none;margin:0;font-size:10pt}tr,li{break-inside:avoid}*{print-color-adjust:exact}}\n";

static const char *const classes[HTML_STYLE_COUNT] = {
    [HTML_PLAIN] = "",  [HTML_GOOD] = "good",     [HTML_BAD] = "bad",       [HTML_UNSURE] = "unsure",
    [HTML_DIM] = "dim", [HTML_NUMBER] = "number", [HTML_STRONG] = "strong", [HTML_CODE] = "code",
};

void html_escape(struct strbuf *to, const char *text, size_t len)
{
    static const struct {
        char c;
        const char *entity;
    } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
    struct strbuf printable = {0};
    text_printable(&printable, text, len);
    to->failed |= !strbuf_ok(&printable);
    for (const char *p = strbuf_text(&printable); *p; p++) {
        const char *entity = NULL;
        for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
            if (*p == entities[i].c)
                entity = entities[i].entity;
        if (entity)
            strbuf_adds(to, entity);
        else
            strbuf_addc(to, *p);
    }
    strbuf_done(&printable);
}

void html_text(struct html *h, const char *text)
{
    h->safe.len = 0;
    strbuf_adds(&h->safe, "");
    html_escape(&h->safe, text ? text : "", text ? strlen(text) : 0);
    if (!strbuf_ok(&h->safe))
        out_fail(h->out, ERR_MEMORY);
    out_adds(h->out, strbuf_text(&h->safe));
}

/* Markup of our own: never text from elsewhere. */
static void raw(struct html *h, const char *markup)
{
    out_adds(h->out, markup);
}

static void open_tag(struct html *h, const char *tag, enum html_style style)
{
    raw(h, "<");
    raw(h, tag);
    if (*classes[style]) {
        raw(h, " class=\"");
        raw(h, classes[style]);
        raw(h, "\"");
    }
    raw(h, ">");
}

static void element(struct html *h, const char *tag, enum html_style style, const char *text)
{
    open_tag(h, tag, style);
    html_text(h, text);
    raw(h, "</");
    raw(h, tag);
    raw(h, ">");
}

void html_begin(struct html *h, struct out *out, const char *title, const char *subtitle)
{
    *h = (struct html){.out = out};
    raw(h, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'none'; style-src "
           "'unsafe-inline'; "
           "base-uri 'none'; form-action 'none'\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
           "content=\"no-referrer\">\n<title>");
    html_text(h, title);
    if (*subtitle) {
        raw(h, ": ");
        html_text(h, subtitle);
    }
    raw(h, "</title>\n<style>\n");
    raw(h, style_sheet);
    raw(h, "</style>\n</head>\n<body>\n");
    element(h, "h1", HTML_PLAIN, title);
    raw(h, "\n");
    if (*subtitle)
        html_paragraph(h, HTML_DIM, subtitle);
}

void html_end(struct html *h)
{
    raw(h, "<footer>Made by qosmark. This page holds no script and asks nothing of any "
           "network.</footer>\n</body>\n</html>\n");
    strbuf_done(&h->safe);
}

void html_heading(struct html *h, const char *text)
{
    element(h, "h2", HTML_PLAIN, text);
    raw(h, "\n");
}

void html_paragraph(struct html *h, enum html_style style, const char *text)
{
    element(h, "p", style, text);
    raw(h, "\n");
}

void html_verdict(struct html *h, enum html_style style, const char *word, const char *text)
{
    raw(h, "<p class=\"verdict ");
    raw(h, classes[style]);
    raw(h, "\"><b>");
    html_text(h, word);
    raw(h, "</b>");
    html_text(h, text);
    raw(h, "</p>\n");
}

void html_facts_begin(struct html *h)
{
    raw(h, "<table class=\"facts\">\n");
}

void html_fact(struct html *h, const char *term, const char *text)
{
    raw(h, "<tr>");
    element(h, "th", HTML_PLAIN, term);
    element(h, "td", HTML_PLAIN, text);
    raw(h, "</tr>\n");
}

void html_facts_end(struct html *h)
{
    raw(h, "</table>\n");
}

void html_table_begin(struct html *h, const char *caption, const char *const *columns, size_t count)
{
    raw(h, "<div class=\"scroll\"><table>\n");
    if (caption && *caption) {
        element(h, "caption", HTML_PLAIN, caption);
        raw(h, "\n");
    }
    raw(h, "<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        raw(h, "<th scope=\"col\">");
        html_text(h, columns[i]);
        raw(h, "</th>");
    }
    raw(h, "</tr></thead>\n<tbody>\n");
}

void html_row_begin(struct html *h)
{
    raw(h, "<tr>");
}

void html_cell(struct html *h, enum html_style style, const char *text)
{
    element(h, "td", style, text);
}

static void bar(struct html *h, const struct html_part *parts, size_t count, uint64_t total)
{
    double at = 0;
    raw(h, "<svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    for (size_t i = 0; i < count; i++) {
        char rect[160];
        double width = 100 * (double)parts[i].value / (double)total;
        (void)snprintf(rect, sizeof rect, "<rect class=\"%s\" x=\"%.3f\" y=\"0\" width=\"%.3f\" height=\"10\"/>",
                       classes[parts[i].style], at, width);
        raw(h, rect);
        at += width;
    }
    raw(h, "</svg>");
}

void html_cell_bar(struct html *h, const struct html_part *parts, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].value;
    raw(h, "<td>");
    if (total)
        bar(h, parts, count, total);
    for (size_t i = 0; i < count; i++) {
        char number[48];
        open_tag(h, "span", parts[i].style);
        if (i)
            raw(h, ", ");
        html_text(h, parts[i].label);
        (void)snprintf(number, sizeof number, " %llu", (unsigned long long)parts[i].value);
        raw(h, number);
        raw(h, "</span>");
    }
    raw(h, "</td>");
}

void html_row_end(struct html *h)
{
    raw(h, "</tr>\n");
}

void html_table_end(struct html *h)
{
    raw(h, "</tbody></table></div>\n");
}

void html_list_begin(struct html *h)
{
    raw(h, "<ol>\n");
}

void html_item(struct html *h, enum html_style style, const char *word, const char *text, const char *advice)
{
    raw(h, "<li>");
    element(h, "span", style, word);
    raw(h, ": ");
    html_text(h, text);
    if (advice && *advice) {
        raw(h, "<br><span class=\"advice\">&rarr; ");
        html_text(h, advice);
        raw(h, "</span>");
    }
    raw(h, "</li>\n");
}

void html_list_end(struct html *h)
{
    raw(h, "</ol>\n");
}

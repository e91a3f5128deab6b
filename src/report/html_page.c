#include "report/html_page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "report/html_style.h"

/* A table of more columns scrolls on a narrow screen, where its rows as blocks would be longer than anybody reads. */
enum { STACK_COLUMNS_MAX = 14 };

static const char *const classes[HTML_STYLE_COUNT] = {
    [HTML_PLAIN] = "",        [HTML_GOOD] = "good", [HTML_BAD] = "bad",
    [HTML_UNSURE] = "unsure", [HTML_DIM] = "dim",   [HTML_NUMBER] = "number",
    [HTML_STRONG] = "strong", [HTML_CODE] = "code", [HTML_NOWRAP] = "nowrap",
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

void html_take(struct html *h, struct strbuf *text)
{
    if (!strbuf_ok(text))
        out_fail(h->out, ERR_MEMORY);
    html_text(h, strbuf_text(text));
    strbuf_done(text);
    *text = (struct strbuf){0};
}

void html_markup(struct html *h, const char *markup)
{
    out_adds(h->out, markup);
}

void html_markupf(struct html *h, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    out_adds(h->out, text);
}

const char *html_class(enum html_style style)
{
    return classes[style];
}

static void open_tag(struct html *h, const char *tag, enum html_style style)
{
    html_markup(h, "<");
    html_markup(h, tag);
    if (*classes[style]) {
        html_markup(h, " class=\"");
        html_markup(h, classes[style]);
        html_markup(h, "\"");
    }
    html_markup(h, ">");
}

static void element(struct html *h, const char *tag, enum html_style style, const char *text)
{
    open_tag(h, tag, style);
    html_text(h, text);
    html_markup(h, "</");
    html_markup(h, tag);
    html_markup(h, ">");
}

const char *html_sign(enum html_style style)
{
    static const char *const signs[HTML_STYLE_COUNT] = {
        [HTML_GOOD] = "\u2713", [HTML_BAD] = "\u2717", [HTML_UNSURE] = "?"};
    return signs[style] ? signs[style] : "";
}

void html_span(struct html *h, enum html_style style, const char *text)
{
    element(h, "span", style, text);
}

static void slice_text(struct html *h, const char *at, size_t len)
{
    struct strbuf text = {0};
    strbuf_add(&text, at, len);
    html_take(h, &text);
}

void html_prose(struct html *h, const char *text)
{
    for (;;) {
        const char *open = strchr(text, '`');
        const char *close = open ? strchr(open + 1, '`') : NULL;
        if (!close)
            break;
        slice_text(h, text, (size_t)(open - text));
        html_markup(h, "<code>");
        slice_text(h, open + 1, (size_t)(close - open - 1));
        html_markup(h, "</code>");
        text = close + 1;
    }
    html_text(h, text);
}

void html_code(struct html *h, const char *text, bool wrap)
{
    struct slice rest = slice_make(text, strlen(text));
    html_markup(h, wrap ? "<pre class=\"wrap\">" : "<pre tabindex=\"0\">");
    /* line by line: a line feed is a control character to everybody else */
    for (bool first = true; rest.len; first = false) {
        struct slice line = slice_next(&rest, '\n');
        html_markup(h, first ? "" : "\n");
        slice_text(h, line.at, line.len);
    }
    html_markup(h, "</pre>\n");
}

void html_begin(struct html *h, struct out *out, const char *title, const char *subtitle)
{
    *h = (struct html){.out = out};
    html_markup(
        h, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'none'; style-src "
           "'unsafe-inline'; "
           "base-uri 'none'; form-action 'none'\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" "
           "content=\"no-referrer\">\n<title>");
    html_text(h, title);
    if (*subtitle) {
        html_markup(h, ": ");
        html_text(h, subtitle);
    }
    html_markup(h, "</title>\n<style>\n");
    for (const char *const *piece = html_style_sheet; *piece; piece++)
        html_markup(h, *piece);
    html_markup(h, "</style>\n</head>\n<body>\n");
    html_markup(h, html_patterns);
    element(h, "h1", HTML_PLAIN, title);
    html_markup(h, "\n");
    if (*subtitle) {
        html_markup(h, "<p class=\"sub\">");
        html_text(h, subtitle);
        html_markup(h, "</p>\n");
    }
}

void html_end(struct html *h)
{
    html_markup(h, "<footer>Made by qosmark. This page holds no script and asks nothing of any "
                   "network.</footer>\n</body>\n</html>\n");
    strbuf_done(&h->safe);
}

void html_heading(struct html *h, const char *text)
{
    element(h, "h2", HTML_PLAIN, text);
    html_markup(h, "\n");
}

void html_paragraph(struct html *h, enum html_style style, const char *text)
{
    element(h, "p", style, text);
    html_markup(h, "\n");
}

void html_section_begin(struct html *h, const char *id, const char *title, const char *note)
{
    html_markup(h, "<section id=\"");
    html_text(h, id);
    html_markup(h, "\">\n");
    html_heading(h, title);
    if (*note)
        html_paragraph(h, HTML_DIM, note);
}

void html_section_end(struct html *h)
{
    html_markup(h, "</section>\n");
}

void html_verdict(struct html *h, enum html_style style, const char *word, const char *text)
{
    html_markup(h, "<p class=\"verdict ");
    html_markup(h, classes[style]);
    html_markup(h, "\"><i aria-hidden=\"true\">");
    html_markup(h, html_sign(style));
    html_markup(h, "</i><span><b>");
    html_text(h, word);
    html_markup(h, "</b> ");
    html_text(h, text);
    html_markup(h, "</span></p>\n");
}

void html_summary_verdict(struct html *h, enum summary_verdict verdict, bool incomplete, const char *text)
{
    static const struct {
        const char *word;
        enum html_style style;
    } verdicts[] = {
        [SUMMARY_NOTHING_CHECKED] = {"Nothing checked", HTML_UNSURE},
        [SUMMARY_PASS] = {"Pass", HTML_GOOD},
        [SUMMARY_FAIL] = {"Fail", HTML_BAD},
    };
    char word[48];
    (void)snprintf(word, sizeof word, "%s%s:", verdicts[verdict].word, incomplete ? " (INCOMPLETE)" : "");
    html_verdict(h, incomplete && verdict == SUMMARY_PASS ? HTML_UNSURE : verdicts[verdict].style, word, text);
}

void html_facts_begin(struct html *h)
{
    html_markup(h, "<table class=\"facts\">\n<caption class=\"skip\">Details</caption>\n");
}

void html_fact(struct html *h, const char *term, const char *text)
{
    html_markup(h, "<tr>");
    html_markup(h, "<th scope=\"row\">");
    html_text(h, term);
    html_markup(h, "</th>");
    element(h, "td", HTML_PLAIN, text);
    html_markup(h, "</tr>\n");
}

void html_facts_end(struct html *h)
{
    html_markup(h, "</table>\n");
}

static const char *column_name(const char *column)
{
    return column + (*column == '>');
}

void html_table_begin(struct html *h, const char *caption, const char *const *columns, size_t count)
{
    bool stack = count <= STACK_COLUMNS_MAX;
    h->columns = stack ? columns : NULL;
    h->column_count = count;
    /* what scrolls must be reached by the keyboard */
    html_markup(h, stack ? "<div class=\"scroll stack\">" : "<div class=\"scroll\" tabindex=\"0\">");
    html_markup(h, "<table>\n");
    if (caption && *caption) {
        element(h, "caption", HTML_PLAIN, caption);
        html_markup(h, "\n");
    }
    html_markup(h, "<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        html_markup(h, *columns[i] == '>' ? "<th scope=\"col\" class=\"number\">" : "<th scope=\"col\">");
        html_text(h, column_name(columns[i]));
        html_markup(h, "</th>");
    }
    html_markup(h, "</tr></thead>\n<tbody>\n");
}

void html_row_begin(struct html *h)
{
    html_row_styled(h, HTML_PLAIN);
}

void html_row_styled(struct html *h, enum html_style style)
{
    h->column = 0;
    open_tag(h, "tr", style);
}

void html_group(struct html *h, const char *text)
{
    html_markup(h, "</tbody>\n<tbody>\n<tr class=\"group\">");
    html_markupf(h, "<th scope=\"rowgroup\" colspan=\"%zu\">", h->column_count);
    html_text(h, text);
    html_markup(h, "</th></tr>\n");
}

void html_cell_begin(struct html *h, enum html_style style)
{
    html_markup(h, "<td");
    if (*classes[style]) {
        html_markup(h, " class=\"");
        html_markup(h, classes[style]);
        html_markup(h, "\"");
    }
    if (h->columns && h->column < h->column_count && *h->columns[h->column]) {
        html_markup(h, " data-l=\"");
        html_text(h, column_name(h->columns[h->column]));
        html_markup(h, "\"");
    }
    h->column++;
    html_markup(h, ">");
}

void html_cell_end(struct html *h)
{
    html_markup(h, "</td>");
}

void html_cell(struct html *h, enum html_style style, const char *text)
{
    html_cell_begin(h, style);
    html_text(h, text);
    html_cell_end(h);
}

void html_row_head(struct html *h, enum html_style style, const char *text)
{
    h->column++;
    html_markup(h, "<th scope=\"row\"");
    if (*classes[style]) {
        html_markup(h, " class=\"");
        html_markup(h, classes[style]);
        html_markup(h, "\"");
    }
    html_markup(h, ">");
    html_text(h, text);
    html_markup(h, "</th>");
}

void html_bar(struct html *h, const struct html_part *parts, size_t count)
{
    uint64_t total = 0;
    double at = 0;
    for (size_t i = 0; i < count; i++)
        total += parts[i].value;
    if (total == 0)
        return;
    html_markup(h, "<svg class=\"bar\" aria-hidden=\"true\" focusable=\"false\">");
    for (size_t i = 0; i < count; i++) {
        double width = 100 * (double)parts[i].value / (double)total;
        /* in shares of the width, without a view box: a pattern keeps its shape */
        html_markupf(h, "<rect class=\"%s\" x=\"%.2f%%\" width=\"%.2f%%\" height=\"100%%\"/>", classes[parts[i].style],
                     at, width);
        at += width;
    }
    html_markup(h, "</svg>");
}

void html_cell_bar(struct html *h, const struct html_part *parts, size_t count)
{
    html_cell_begin(h, HTML_PLAIN);
    html_bar(h, parts, count);
    for (size_t i = 0; i < count; i++) {
        open_tag(h, "span", parts[i].style);
        if (i)
            html_markup(h, ", ");
        html_markup(h, html_sign(parts[i].style));
        html_markup(h, *html_sign(parts[i].style) ? " " : "");
        html_text(h, parts[i].label);
        html_markupf(h, " %llu", (unsigned long long)parts[i].value);
        html_markup(h, "</span>");
    }
    html_cell_end(h);
}

void html_row_end(struct html *h)
{
    html_markup(h, "</tr>\n");
}

void html_table_end(struct html *h)
{
    h->columns = NULL;
    html_markup(h, "</tbody></table></div>\n");
}

void html_list_begin(struct html *h)
{
    html_markup(h, "<ol>\n");
}

void html_item(struct html *h, enum html_style style, const char *word, const char *text, const char *advice)
{
    html_markup(h, "<li>");
    element(h, "span", style, word);
    html_markup(h, ": ");
    html_text(h, text);
    if (advice && *advice) {
        html_markup(h, "<br><span class=\"advice\">&rarr; ");
        html_text(h, advice);
        html_markup(h, "</span>");
    }
    html_markup(h, "</li>\n");
}

void html_list_end(struct html *h)
{
    html_markup(h, "</ol>\n");
}

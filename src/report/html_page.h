#ifndef QOSMARK_REPORT_HTML_PAGE_H
#define QOSMARK_REPORT_HTML_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "model/record.h"
#include "report/out.h"

/*
 * A report as one HTML file that needs nothing else: no script, no picture, no font, nothing from any network, and a
 * Content-Security-Policy that forbids all of it to whatever might have slipped in. Follows the reader's choice of
 * light or dark, prints, and can be read without colours: a sign stands beside each. On a narrow screen a table's rows
 * become blocks, each cell with the name of its column.
 *
 *     struct html h;
 *     html_begin(&h, out, "qosmark probe", "10.0.4.2");
 *     html_verdict(&h, HTML_BAD, "FAIL", "...");
 *     html_table_begin(&h, "Classes", columns, 3);
 *     html_row_begin(&h); html_cell(&h, HTML_PLAIN, "voice"); ... html_row_end(&h);
 *     html_table_end(&h);
 *     html_end(&h);
 *
 * All text passes text_printable() and then the escaping of HTML. Failures latch in `out`.
 */

enum html_style {
    HTML_PLAIN = 0,
    HTML_GOOD,
    HTML_BAD,
    HTML_UNSURE,
    HTML_DIM,
    HTML_NUMBER,
    HTML_STRONG,
    HTML_CODE,
    HTML_NOWRAP, /* in one line */
    HTML_STYLE_COUNT
};

struct html {
    struct out *out;
    struct strbuf safe;
    const char *const *columns; /* of the table being written, the caller's; NULL where its rows stay rows */
    size_t column_count, column;
};

void html_begin(struct html *h, struct out *out, const char *title, const char *subtitle); /* subtitle may be "" */
void html_end(struct html *h);

void html_text(struct html *h, const char *text); /* escaped; nothing around it */
/* The same of a text being built, which is emptied; without memory that latches. */
void html_take(struct html *h, struct strbuf *text);
/* Escaped, with what stands between backticks as code. */
void html_prose(struct html *h, const char *text);
void html_span(struct html *h, enum html_style style, const char *text);
/* To be copied: as it is, with its lines. `wrap`: one long line, broken where the page ends. */
void html_code(struct html *h, const char *text, bool wrap);
/* Markup of our own, never text from elsewhere; with numbers in it, never with %s of such text. */
void html_markup(struct html *h, const char *markup);
void html_markupf(struct html *h, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *html_class(enum html_style style); /* "" for HTML_PLAIN */
const char *html_sign(enum html_style style);  /* what stands for its colour: a tick, a cross, "?", or "" */

/* A part of the page with an id to link to; `note` is small beside the title, "" for none. */
void html_section_begin(struct html *h, const char *id, const char *title, const char *note);
void html_section_end(struct html *h);
void html_heading(struct html *h, const char *text);
void html_paragraph(struct html *h, enum html_style style, const char *text);
void html_verdict(struct html *h, enum html_style style, const char *word, const char *text);
void html_summary_verdict(struct html *h, enum summary_verdict verdict, bool incomplete, const char *text);

/* Terms and what they are, as a small table without borders. */
void html_facts_begin(struct html *h);
void html_fact(struct html *h, const char *term, const char *text);
void html_facts_end(struct html *h);

/* The columns must last as long as the table; one whose name begins with '>' holds numbers, and stands to the right. */
void html_table_begin(struct html *h, const char *caption, const char *const *columns, size_t count);
void html_row_begin(struct html *h);
void html_row_styled(struct html *h, enum html_style style);
void html_cell(struct html *h, enum html_style style, const char *text);
void html_row_head(struct html *h, enum html_style style, const char *text); /* the cell that names the row */
/* A cell with more in it than text. */
void html_cell_begin(struct html *h, enum html_style style);
void html_cell_end(struct html *h);
/* A line across the table, above the rows that it names. */
void html_group(struct html *h, const char *text);
/* A horizontal bar of shares with its values in words beside it, which is also what a screen reader says. */
struct html_part {
    const char *label;
    uint64_t value;
    enum html_style style;
};
void html_cell_bar(struct html *h, const struct html_part *parts, size_t count);
void html_bar(struct html *h, const struct html_part *parts, size_t count); /* the bar alone; nothing where all is 0 */
void html_row_end(struct html *h);
void html_table_end(struct html *h);

/* A list of things that want reading: a word, a sentence, what to do. */
void html_list_begin(struct html *h);
void html_item(struct html *h, enum html_style style, const char *word, const char *text, const char *advice);
void html_list_end(struct html *h);

/* `text` so that it means itself in HTML text and in a quoted attribute. */
void html_escape(struct strbuf *to, const char *text, size_t len);

#endif

#ifndef QOSMARK_REPORT_REPORT_HTML_H
#define QOSMARK_REPORT_REPORT_HTML_H

#include "model/document.h"
#include "report/html_page.h"
#include "report/report_html_plan.h"

/* The audit as a page: report_html.c puts the sections in order, each in a file of its own. */
struct page {
    struct html html;
    const struct document *document;
    struct html_plan plan;
    struct record_scratch record;
    int64_t live_since_ns, live_now_ns; /* of a live check: when it began, and as of when this is; 0: of files */
};

/* The worst findings in a line each, for the head of the page. */
void page_wrong_first(struct page *p);

/* The sections, in the order of the page. */
void page_marks(struct page *p);
void page_sites(struct page *p);
void page_findings(struct page *p);
void page_calls(struct page *p);
void page_streams(struct page *p);
void page_quality(struct page *p);
void page_nodes(struct page *p);
void page_unjudged(struct page *p);
void page_notes(struct page *p);
void page_policy(struct page *p);
void page_inputs(struct page *p);
void page_words(struct page *p);

/* Small things that several sections need. */
enum html_style page_style(enum verdict v);
const char *page_sign(enum verdict v);                           /* "✓", "✗", "?", "" */
const char *page_verdict(enum verdict v);                        /* "right", "wrong", "not known", "not checked" */
void page_rest(struct page *p, uint64_t rest, const char *what); /* "and 480 more calls, in the JSON report" */
void page_stream_link(struct page *p, uint32_t stream);          /* "#12", a link where the page shows that stream */

/* One mark of several, as bar and list show it. */
struct page_mark {
    dscp_t dscp;
    enum html_style style; /* HTML_PLAIN where nothing is said against or for it */
    uint64_t packets;
};
/* A bar of shares, and under it each mark with its sign, packets and share. */
void page_marks_cell(struct page *p, const struct page_mark *marks, size_t n);
/* "✗ CS0 10 (1%)" as an item of a list of marks; `more` follows in small print, "" for nothing. */
void page_mark_item(struct page *p, const struct page_mark *m, uint64_t total, const char *more);

/* The end of a stream as people call it: its node's name, or its address with the site. Appends. */
enum page_end { PAGE_SOURCE, PAGE_DESTINATION };
void page_end_name(const struct page *p, const struct record *r, enum page_end which, struct strbuf *to);

/* A table of streams; each row has its marks over the time from `from_ns` to `to_ns`; to_ns < from_ns: each over its
 * own. */
void page_streams_begin(struct page *p, const char *caption);
void page_stream_row(struct page *p, uint32_t stream, int64_t from_ns, int64_t to_ns);
void page_streams_end(struct page *p);

#endif

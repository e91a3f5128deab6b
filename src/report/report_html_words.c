#include "report/report_html.h"

/*
 * For whoever got the page by mail: what is wrong, before the tables, and what the words mean, after them.
 */

enum { SHOWN_FIRST = 5 };

/* The worst findings, each a line that leads to its card. */
void page_wrong_first(struct page *p)
{
    const struct document *d = p->document;
    struct html *h = &p->html;
    struct finding_scratch scratch = {.failed = false};
    size_t shown = p->plan.finding_count < SHOWN_FIRST ? p->plan.finding_count : SHOWN_FIRST;
    if (shown == 0)
        return;
    html_markup(h, "<h2>What was found</h2>\n<ol class=\"first\">\n");
    for (size_t i = 0; i < shown && out_ok(h->out); i++) {
        const struct finding *f = document_finding(d, i, &scratch);
        html_markupf(h, "<li><a href=\"#f%zu\">", i + 1);
        html_text(h, finding_code_name(f->code));
        html_markup(h, "</a> ");
        html_text(h, f->message);
        html_markup(h, "</li>\n");
    }
    html_markup(h, "</ol>\n");
    if (d->finding_count > shown)
        html_markupf(h, "<p><a href=\"#findings\">%zu more</a></p>\n", d->finding_count - shown);
    if (scratch.failed)
        out_fail(h->out, ERR_MEMORY);
    finding_scratch_done(&scratch);
}

static void word(struct html *h, const char *term, const char *text)
{
    html_markup(h, "<dt>");
    html_text(h, term);
    html_markup(h, "</dt><dd>");
    html_text(h, text);
    html_markup(h, "</dd>\n");
}

void page_words(struct page *p)
{
    static const struct {
        const char *term, *text;
    } words[] = {
        {"mark", "The DSCP: six bits in the header of each packet that say how urgent it is. Routers and switches put "
                 "packets into queues by it; a packet without its mark waits and is dropped with everything else."},
        {"EF, AF41, AF31, CS3\u2026", "Names of marks, as 46, 34, 26, 24 are their numbers. CS0 is 0: not marked."},
        {"class", "What a packet is for: voice, multimedia (video, slides), signaling and so on. The policy at the end "
                  "of this page says which mark each class should carry."},
        {"node",
         "A conferencing server. What goes \u201cto node\u201d was sent by participants, and carries what is left "
         "of their marks where it was captured; what comes \u201cfrom node\u201d was marked by the server."},
        {"stream", "One direction of one conversation: the voice of one participant, for example. A call has several. "
                   "Streams have numbers, as #12, which are the same in all formats of one report."},
        {"wrong", "At least one packet had another mark than the policy allows, beyond its tolerance."},
        {"not known", "What the stream is, or what its packets mean, could not be told well enough to judge it: it is "
                      "neither right nor wrong."},
        {"bleached", "A device on the way set the mark to 0."},
        {"remarked", "A device on the way, or the sender's settings, wrote another mark."},
        {"SSRC", "The number of an RTP stream, as 0x1234abcd; RTP carries voice and video, RTCP reports on it."},
    };
    html_section_begin(&p->html, "words", "Words", "");
    html_markup(&p->html, "<details><summary>What the words and signs on this page mean</summary>\n<dl>\n");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        word(&p->html, words[i].term, words[i].text);
    html_markup(&p->html, "</dl></details>\n");
    html_section_end(&p->html);
}

#include "report/report_html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report_text.h"
#include "report/unjudged.h"
#include "report/view.h"
#include "report/view_verdict.h"

/* What the verdict rests on: quality, nodes, what could not be judged and why, notes, policy, inputs. */

enum { NODES_MOST = 200, NOTES_MOST = 100, INPUTS_MOST = 100, KINDS_SHOWN = 6 };

static void count_cell(struct html *h, uint64_t n)
{
    char text[SMALL_TEXT_MAX];
    small_count(n, text);
    html_cell(h, HTML_NUMBER, text);
}

static void quality_row(struct page *p, const char *what, enum html_style style, const struct quality *q)
{
    char share[SMALL_TEXT_MAX], jitter[32];
    struct html *h = &p->html;
    small_share(q->packets_lost, q->packets_expected, share);
    (void)snprintf(jitter, sizeof jitter, "%.1f ms", q->jitter_ms);
    html_row_styled(h, style);
    html_row_head(h, HTML_PLAIN, what);
    count_cell(h, q->streams);
    count_cell(h, q->packets_expected);
    count_cell(h, q->packets_lost);
    html_cell(h, HTML_NUMBER, share);
    html_cell(h, HTML_NUMBER, q->jitter_ms >= 0 ? jitter : "not known");
    html_row_end(h);
}

void page_quality(struct page *p)
{
    static const char *const columns[] = {"RTP streams", ">streams",    ">packets expected",
                                          ">lost",       ">share lost", ">jitter"};
    if (!view_has_quality(p->document))
        return;
    html_section_begin(&p->html, "quality", "Loss and jitter", "A comparison, no proof that the marks are the cause.");
    html_table_begin(&p->html, "Rightly against wrongly marked streams", columns, sizeof columns / sizeof columns[0]);
    quality_row(p, "\u2717 wrongly marked", HTML_BAD, &p->document->wrong_quality);
    quality_row(p, "\u2713 rightly marked", HTML_GOOD, &p->document->right_quality);
    html_table_end(&p->html);
    html_section_end(&p->html);
}

/* --- nodes -------------------------------------------------------------------------------------------------------- */

typedef uint64_t kind_counts[KIND_COUNT];

static void count_kind(kind_counts *kinds, size_t nodes, uint32_t node, enum kind kind)
{
    if (node && node <= nodes)
        kinds[node - 1][kind]++;
}

/* Streams by node and kind; NULL without memory. */
static kind_counts *count_services(struct page *p)
{
    const struct document *d = p->document;
    kind_counts *kinds = calloc(d->node_count, sizeof *kinds);
    for (size_t i = 0; kinds && i < d->record_count; i++) {
        const struct record *r = d->judged ? NULL : document_record(d, i, RECORD_PLAIN, &p->record);
        enum kind kind = document_kind(d, i);
        uint32_t node = r ? r->node : d->judged[i].node, peer = r ? r->peer_node : d->judged[i].peer_node;
        count_kind(kinds, d->node_count, node, kind);
        if (peer != node)
            count_kind(kinds, d->node_count, peer, kind);
    }
    return kinds;
}

static void kinds_text(struct html *h, const enum kind *order, size_t n, const uint64_t *counts)
{
    for (size_t i = 0; i < n && i < KINDS_SHOWN; i++) {
        char count[SMALL_TEXT_MAX];
        small_count(counts[order[i]], count);
        html_markup(h, i ? ", " : "");
        html_text(h, kind_name(order[i]));
        html_markup(h, " ");
        html_text(h, count);
    }
    html_markup(h, n > KINDS_SHOWN ? " \u2026" : "");
}

static void node_row(struct page *p, const struct node *n, const uint64_t *kinds)
{
    struct html *h = &p->html;
    struct strbuf text = {0};
    struct unjudged_group group = {.reason = NULL};
    enum kind order[KIND_COUNT];
    html_row_begin(h);
    html_row_head(h, HTML_PLAIN, n->name);
    for (size_t i = 0; i < n->address_count; i++) {
        char address[ADDR_TEXT_MAX];
        addr_format(&n->addresses[i], address);
        strbuf_addf(&text, "%s%s", i ? ", " : "", address);
    }
    html_cell_begin(h, HTML_CODE);
    html_take(h, &text);
    html_cell_end(h);
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *role = role_name((enum node_role)(n->roles & 1u << bit));
        if (*role)
            strbuf_addf(&text, "%s%s", text.len ? ", " : "", role);
    }
    html_cell_begin(h, HTML_PLAIN);
    html_take(h, &text);
    html_cell_end(h);
    memcpy(group.by_kind, kinds, sizeof group.by_kind);
    html_cell_begin(h, HTML_PLAIN);
    kinds_text(h, order, unjudged_kinds(&group, order), kinds);
    html_cell_end(h);
    html_cell_begin(h, HTML_PLAIN);
    if (n->inferred) {
        html_span(h, HTML_UNSURE, "? inferred: ");
        html_text(h, n->evidence && *n->evidence ? n->evidence : "from what it serves");
    } else {
        html_markup(h, "named in the policy or on the command line");
    }
    html_cell_end(h);
    html_row_end(h);
}

void page_nodes(struct page *p)
{
    static const char *const columns[] = {"node", "addresses", "roles", "streams seen", "known from"};
    const struct document *d = p->document;
    bool inferred = false;
    if (d->node_count == 0)
        return;
    kind_counts *kinds = count_services(p);
    if (!kinds) {
        out_fail(p->html.out, ERR_MEMORY);
        return;
    }
    for (size_t i = 0; i < d->node_count; i++)
        inferred = inferred || d->nodes[i].inferred;
    size_t shown = d->node_count < NODES_MOST ? d->node_count : NODES_MOST;
    html_section_begin(&p->html, "nodes", "Nodes",
                       inferred ? "Some are inferred from the capture; -n NAME=ADDRESS names them." : "");
    html_table_begin(&p->html, "Conferencing servers, their roles and services", columns,
                     sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < shown; i++)
        node_row(p, &d->nodes[i], kinds[i]);
    html_table_end(&p->html);
    page_rest(p, d->node_count - shown, "nodes");
    html_section_end(&p->html);
    free(kinds);
}

/* --- what was not judged ------------------------------------------------------------------------------------------ */

static void unjudged_row(struct page *p, const struct unjudged_group *g)
{
    struct html *h = &p->html;
    enum kind order[KIND_COUNT];
    html_row_styled(h, page_style(g->verdict));
    html_cell(h, page_style(g->verdict),
              g->verdict == VERDICT_UNDETERMINED ? "? could not be judged" : "not covered by the policy");
    count_cell(h, g->streams);
    html_cell_begin(h, HTML_PLAIN);
    html_markup(h, g->merged && g->reason ? "e.g. " : "");
    html_text(h, g->reason ? g->reason : "for other reasons, which the streams of -f json have");
    html_cell_end(h);
    html_cell_begin(h, HTML_PLAIN);
    kinds_text(h, order, unjudged_kinds(g, order), g->by_kind);
    html_cell_end(h);
    html_row_end(h);
}

void page_unjudged(struct page *p)
{
    static const char *const columns[] = {"", ">streams", "why", "kinds"};
    struct unjudged *u = unjudged_new(p->document);
    if (!u)
        out_fail(p->html.out, ERR_MEMORY);
    if (u && u->count) {
        html_section_begin(&p->html, "unjudged", "Not checked, and why", "Streams that neither pass nor fail.");
        html_table_begin(&p->html, "Reasons, most streams first", columns, sizeof columns / sizeof columns[0]);
        for (size_t i = 0; i < u->count; i++)
            unjudged_row(p, &u->groups[i]);
        html_table_end(&p->html);
        html_section_end(&p->html);
    }
    unjudged_free(u);
}

void page_notes(struct page *p)
{
    const struct document *d = p->document;
    size_t shown = d->note_count < NOTES_MOST ? d->note_count : NOTES_MOST;
    if (d->note_count == 0)
        return;
    html_section_begin(&p->html, "notes", "Notes", "");
    html_markup(&p->html, "<ul class=\"notes\">\n");
    for (size_t i = 0; i < shown; i++) {
        html_markup(&p->html, "<li>");
        html_prose(&p->html, d->notes[i]);
        html_markup(&p->html, "</li>\n");
    }
    html_markup(&p->html, "</ul>\n");
    page_rest(p, d->note_count - shown, "notes");
    html_section_end(&p->html);
}

/* --- policy and inputs -------------------------------------------------------------------------------------------- */

void page_policy(struct page *p)
{
    static const char *const columns[] = {"class", "expected marks"};
    const struct document *d = p->document;
    struct strbuf note = {0};
    strbuf_adds(&note, d->policy_name ? d->policy_name : "");
    if (d->policy_source && *d->policy_source)
        strbuf_addf(&note, ", %s", d->policy_source);
    html_section_begin(&p->html, "policy", "Policy", strbuf_text(&note));
    if (!strbuf_ok(&note))
        out_fail(p->html.out, ERR_MEMORY);
    strbuf_done(&note);
    html_table_begin(&p->html, "What the policy expects", columns, sizeof columns / sizeof columns[0]);
    for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++) {
        dscp_t marks[DSCP_COUNT];
        struct strbuf text = {0};
        size_t n = view_expected(d->expect[c].marks, d->expect[c].preferred, marks);
        if (n == 0)
            continue;
        for (size_t i = 0; i < n; i++)
            strbuf_addf(&text, "%s%s (%u)", i ? " or " : "", dscp_name(marks[i]), marks[i]);
        html_row_begin(&p->html);
        html_row_head(&p->html, HTML_PLAIN, class_name((enum traffic_class)c));
        html_cell_begin(&p->html, HTML_PLAIN);
        html_take(&p->html, &text);
        html_cell_end(&p->html);
        html_row_end(&p->html);
    }
    html_table_end(&p->html);
    html_section_end(&p->html);
}

static void time_cell(struct html *h, bool known, int64_t ns)
{
    char date[SMALL_TEXT_MAX], time[SMALL_TEXT_MAX], text[2 * SMALL_TEXT_MAX];
    small_date(ns, date);
    small_time(ns, time);
    (void)snprintf(text, sizeof text, "%s %s", date, time);
    html_cell(h, HTML_PLAIN, known ? text : "");
}

static void input_row(struct page *p, const struct input *in)
{
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {{in->truncated, "cut short"},
                 {in->malformed, "malformed"},
                 {in->unsupported, "without IP or not supported"},
                 {in->dropped, "lost by the capture"}};
    struct html *h = &p->html;
    struct strbuf skipped = {0};
    char size[SMALL_TEXT_MAX];
    html_row_styled(h, in->complete && !in->dropped ? HTML_PLAIN : HTML_UNSURE);
    html_row_head(h, HTML_PLAIN, input_point(in));
    count_cell(h, in->packets);
    small_bytes(in->bytes, size);
    html_cell(h, HTML_NUMBER, size);
    time_cell(h, in->packets > 0, in->first_ns);
    time_cell(h, in->packets > 0, in->last_ns);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char count[SMALL_TEXT_MAX];
        small_count(parts[i].n, count);
        if (parts[i].n)
            strbuf_addf(&skipped, "%s%s %s", skipped.len ? ", " : "", count, parts[i].what);
    }
    html_cell_begin(h, HTML_PLAIN);
    html_take(h, &skipped);
    html_cell_end(h);
    html_cell(h, HTML_PLAIN, in->complete ? "whole" : view_problem(in));
    html_row_end(h);
}

void page_inputs(struct page *p)
{
    static const char *const columns[] = {"file",    ">packets", ">size", "first packet (UTC)", "last packet (UTC)",
                                          "skipped", "read"};
    const struct document *d = p->document;
    size_t shown = d->input_count < INPUTS_MOST ? d->input_count : INPUTS_MOST;
    if (d->input_count == 0)
        return;
    html_section_begin(&p->html, "inputs", p->live_now_ns ? "Interfaces" : "Inputs", "");
    html_table_begin(&p->html, p->live_now_ns ? "Interfaces that packets were taken from" : "Captures that were read",
                     columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < shown; i++)
        input_row(p, &d->inputs[i]);
    html_table_end(&p->html);
    page_rest(p, d->input_count - shown, p->live_now_ns ? "interfaces" : "captures");
    html_section_end(&p->html);
}

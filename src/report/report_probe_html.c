#include <stdio.h>

#include "base/clock.h"
#include "report/html_page.h"
#include "report/report_probe.h"
#include "report/view.h"

enum { CELL_MAX = 96 };

static void marks_cell(struct html *h, const struct probe_marks *m, dscp_set_t right, enum probe_change change)
{
    struct html_part parts[DSCP_COUNT + 1];
    dscp_t marks[DSCP_COUNT];
    size_t n = view_by_packets(m->packets, marks);
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct html_part){.label = dscp_name(marks[i]),
                                      .value = m->packets[marks[i]],
                                      .style = change == PROBE_CHANGE_UNKNOWN  ? HTML_UNSURE
                                               : dscp_set_has(right, marks[i]) ? HTML_GOOD
                                                                               : HTML_BAD};
    if (m->unknown)
        parts[n++] = (struct html_part){.label = "unknown", .value = m->unknown, .style = HTML_UNSURE};
    html_cell_bar(h, parts, n);
}

static void loss_cell(struct html *h, int64_t n)
{
    char text[CELL_MAX];
    (void)snprintf(text, sizeof text, "%lld", (long long)n);
    html_cell(h, HTML_NUMBER, n < 0 ? "unknown" : text);
}

static void ms_cell(struct html *h, bool known, double ms)
{
    char text[CELL_MAX];
    (void)snprintf(text, sizeof text, "%.2f", ms);
    html_cell(h, HTML_NUMBER, known ? text : "unknown");
}

static void class_table(struct html *h, const struct probe_document *d)
{
    static const char *const columns[] = {"class",    "sent",        ">packets",   "arrived", "way there", "came back",
                                          "way back", ">lost there", ">lost back", ">lost",   "did it help"};
    static const enum html_style changes[] = {
        [PROBE_CHANGE_UNKNOWN] = HTML_UNSURE, [PROBE_CHANGE_PRESERVED] = HTML_GOOD, [PROBE_CHANGE_CHANGED] = HTML_BAD};
    html_table_begin(h, "Marks and loss", columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        html_row_begin(h);
        html_cell(h, HTML_STRONG, c->name);
        html_cell(h, HTML_PLAIN, dscp_name(c->sent_dscp));
        loss_cell(h, (int64_t)c->sent);
        marks_cell(h, &c->arrived, dscp_set_of(c->sent_dscp), c->forward);
        html_cell(h, changes[c->forward], probe_change_name(c->forward));
        marks_cell(h, &c->returned, c->expected_return, c->reverse);
        html_cell(h, changes[c->reverse], probe_change_name(c->reverse));
        loss_cell(h, c->lost.forward);
        loss_cell(h, c->lost.reverse);
        loss_cell(h, c->lost.round_trip);
        html_cell(h,
                  c->benefit == PROBE_BENEFIT_WORSE    ? HTML_BAD
                  : c->benefit == PROBE_BENEFIT_HELPED ? HTML_GOOD
                                                       : HTML_DIM,
                  probe_benefit_name(c->benefit));
        html_row_end(h);
    }
    html_table_end(h);
}

static void delay_table(struct html *h, const struct probe_document *d)
{
    static const char *const columns[] = {"class",
                                          ">RTT min",
                                          ">median",
                                          ">p95",
                                          ">p99",
                                          ">max",
                                          ">there p95",
                                          ">back p95",
                                          ">jitter there",
                                          ">jitter back",
                                          "against the control"};
    html_table_begin(h, "Delay in milliseconds (one way: above the least of that direction)", columns,
                     sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        bool known = c->rtt_ms.count > 0;
        html_row_begin(h);
        html_cell(h, HTML_STRONG, c->name);
        ms_cell(h, known, c->rtt_ms.min);
        ms_cell(h, known, c->rtt_ms.median);
        ms_cell(h, known, c->rtt_ms.p95);
        ms_cell(h, known, c->rtt_ms.p99);
        ms_cell(h, known, c->rtt_ms.max);
        ms_cell(h, c->forward_ms.count > 0, c->forward_ms.p95);
        ms_cell(h, c->reverse_ms.count > 0, c->reverse_ms.p95);
        ms_cell(h, c->forward_jitter_ms >= 0, c->forward_jitter_ms);
        ms_cell(h, c->reverse_jitter_ms >= 0, c->reverse_jitter_ms);
        html_cell(h, HTML_DIM, c->benefit_reason);
        html_row_end(h);
    }
    html_table_end(h);
}

static void facts(struct html *h, const struct probe_document *d)
{
    char text[CLOCK_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX];
    endpoint_format(&d->target.endpoint, endpoint);
    html_facts_begin(h);
    html_fact(h, "Target", endpoint);
    if (*d->target.node)
        html_fact(h, "Node", d->target.node);
    addr_format(&d->target.source.addr, endpoint);
    html_fact(h, "From", endpoint);
    html_fact(h, "How", d->method);
    html_fact(h, "Sent by", d->engine);
    html_fact(h, "Policy", d->policy_name);
    clock_format(d->begin_ns, text);
    html_fact(h, "Began", text);
    clock_format(d->end_ns, text);
    html_fact(h, "Ended", text);
    html_fact(h, "Behaviour there", d->forward_behaviour);
    html_fact(h, "Behaviour back", d->reverse_behaviour);
    html_facts_end(h);
}

static void one_target(struct html *h, const struct probe_document *d)
{
    html_summary_verdict(h, d->verdict, false, d->verdict_text);
    if (d->finding_count) {
        html_list_begin(h);
        for (size_t i = 0; i < d->finding_count; i++)
            html_item(h, d->findings[i].violation ? HTML_BAD : HTML_UNSURE, d->findings[i].code, d->findings[i].message,
                      d->findings[i].advice);
        html_list_end(h);
    }
    class_table(h, d);
    delay_table(h, d);
    facts(h, d);
    for (size_t i = 0; i < d->note_count; i++)
        html_paragraph(h, HTML_DIM, d->notes[i]);
}

void report_probe_html(struct out *out, const struct probe_report *r)
{
    struct html h;
    html_begin(&h, out, "qosmark probe", r->count == 1 ? r->documents[0]->target.name : "");
    for (size_t i = 0; i < r->count && out_ok(out); i++) {
        if (r->count > 1)
            html_heading(&h, r->documents[i]->target.name);
        one_target(&h, r->documents[i]);
    }
    html_end(&h);
}

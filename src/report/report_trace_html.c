#include <stdio.h>

#include "base/clock.h"
#include "report/html_page.h"
#include "report/report_trace.h"

enum { COLUMNS_MAX = 72 };

static void mark_cell(struct html *h, const struct trace_path *p, uint8_t ttl)
{
    char text[48];
    const struct trace_hop *hop = trace_path_hop(p, ttl);
    if (!hop || hop->reply_count == 0) {
        html_cell(h, HTML_DIM, "silent");
        return;
    }
    int mark = hop->replies[0].quoted_dscp;
    if (mark == TRACE_MARK_UNKNOWN) {
        html_cell(h, HTML_UNSURE, "unknown");
        return;
    }
    bool tunnel = false;
    for (size_t i = 0; i < p->change_count; i++)
        tunnel |= p->changes[i].tunnel && ttl >= p->changes[i].by_ttl && ttl <= p->changes[i].until_ttl;
    bool unsteady = trace_hop_mark(hop) == TRACE_MARK_UNKNOWN;
    (void)snprintf(text, sizeof text, "%s%s", dscp_name((dscp_t)mark),
                   unsteady ? " and others"
                   : tunnel ? " (tunnel)"
                            : "");
    html_cell(h, unsteady || tunnel ? HTML_UNSURE : mark == p->dscp ? HTML_GOOD : HTML_BAD, text);
}

static void router_cells(struct html *h, const struct trace_document *d, const struct trace_path *paths, size_t n,
                         uint8_t ttl)
{
    struct strbuf who = {0}, labels = {0};
    char rtt[32] = "";
    bool first = true;
    for (size_t i = 0; i < n; i++) {
        const struct trace_hop *hop = trace_path_hop(&paths[i], ttl);
        char address[ADDR_TEXT_MAX];
        if (!hop || hop->reply_count == 0)
            continue;
        const struct trace_reply *r = &hop->replies[0];
        addr_format(&r->addr, address);
        for (size_t k = 0; k < r->label_count; k++)
            strbuf_addf(&labels, "%s%s: label %u TC %u", labels.len ? ", " : "", dscp_name(paths[i].dscp),
                        r->labels[k].label, r->labels[k].tc);
        bool known = false;
        for (size_t k = 0; k < i && !known; k++) {
            const struct trace_hop *before = trace_path_hop(&paths[k], ttl);
            known = before && before->reply_count && addr_equal(&before->replies[0].addr, &r->addr);
        }
        if (known)
            continue;
        strbuf_adds(&who, first ? "" : "; ");
        if (!first)
            strbuf_addf(&who, "%s goes by ", dscp_name(paths[i].dscp));
        strbuf_adds(&who, address);
        if (addr_equal(&r->addr, &d->target.addr) || r->answer != TRACE_TIME_EXCEEDED) {
            strbuf_adds(&who, " ");
            report_trace_answer(d, r, &who);
        }
        if (first && r->rtt_ms >= 0)
            (void)snprintf(rtt, sizeof rtt, "%.2f ms", r->rtt_ms);
        first = false;
    }
    html_cell(h, first ? HTML_DIM : HTML_PLAIN, first ? "no answer" : strbuf_text(&who));
    html_cell(h, HTML_NUMBER, rtt);
    html_cell(h, HTML_PLAIN, strbuf_text(&labels));
    if (!strbuf_ok(&who) || !strbuf_ok(&labels))
        out_fail(h->out, ERR_MEMORY);
    strbuf_done(&who);
    strbuf_done(&labels);
}

static void flow_table(struct html *h, const struct trace_document *d, uint16_t flow)
{
    const char *columns[COLUMNS_MAX] = {">hop"};
    char caption[64];
    size_t begin, end, count = 1;
    uint8_t last = 0;
    report_trace_flow(d, flow, &begin, &end);
    if (begin == end)
        return;
    for (size_t i = begin; i < end && count < COLUMNS_MAX - 3; i++) {
        columns[count++] = dscp_name(d->paths[i].dscp);
        if (d->paths[i].hop_count && d->paths[i].hops[d->paths[i].hop_count - 1].ttl > last)
            last = d->paths[i].hops[d->paths[i].hop_count - 1].ttl;
    }
    columns[count++] = "router";
    columns[count++] = ">round trip";
    columns[count++] = "MPLS";
    (void)snprintf(caption, sizeof caption, "Marks quoted on flow %u, source %s %u", flow + 1U,
                   d->target.port ? "port" : "id", d->paths[begin].src_port);
    html_table_begin(h, caption, columns, count);
    for (unsigned ttl = d->paths[begin].hop_count ? d->paths[begin].hops[0].ttl : 1; ttl <= last; ttl++) {
        char text[16];
        html_row_begin(h);
        (void)snprintf(text, sizeof text, "%u", ttl);
        html_cell(h, HTML_NUMBER, text);
        for (size_t i = begin; i < end && i - begin < COLUMNS_MAX - 4; i++)
            mark_cell(h, &d->paths[i], (uint8_t)ttl);
        router_cells(h, d, &d->paths[begin], end - begin, (uint8_t)ttl);
        html_row_end(h);
    }
    html_table_end(h);
}

static void facts(struct html *h, const struct trace_document *d)
{
    char text[ADDR_TEXT_MAX + 64], address[ADDR_TEXT_MAX], when[CLOCK_TEXT_MAX] = "";
    html_facts_begin(h);
    addr_format(&d->target.addr, address);
    (void)snprintf(text, sizeof text, d->target.port ? "%s, %s port %u" : "%s, %s echo", address, d->proto,
                   d->target.port);
    html_fact(h, "Target", text);
    addr_format(&d->target.source, address);
    html_fact(h, "From", address);
    html_fact(h, "Sent through", d->sees_marks ? "raw packets made by libnet" : "a UDP socket");
    if (d->begin_ns)
        clock_format(d->begin_ns, when);
    html_fact(h, "When", when);
    html_fact(h, "Policy", d->policy_name);
    html_fact(h, "Consistent with", d->behaviour);
    html_facts_end(h);
}

static void class_table(struct html *h, const struct trace_document *d)
{
    static const char *const columns[] = {"class", "sent", "last quoted", ">by hop", "verdict"};
    static const enum html_style styles[] = {
        [TRACE_UNKNOWN] = HTML_UNSURE, [TRACE_PRESERVED] = HTML_GOOD, [TRACE_CHANGED] = HTML_BAD};
    html_table_begin(h, "Classes on the first flow", columns, sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct trace_path *p = trace_document_path(d, &d->classes[i], 0);
        char hop[16] = "";
        if (!p)
            continue;
        bool known = p->last_dscp != TRACE_MARK_UNKNOWN;
        if (known)
            (void)snprintf(hop, sizeof hop, "%u", p->last_ttl);
        html_row_begin(h);
        html_cell(h, HTML_STRONG, d->classes[i].name);
        html_cell(h, HTML_PLAIN, dscp_name(d->classes[i].sent_dscp));
        html_cell(h, HTML_PLAIN, known ? dscp_name((dscp_t)p->last_dscp) : "unknown");
        html_cell(h, HTML_NUMBER, hop);
        html_cell(h, styles[p->verdict], trace_verdict_name(p->verdict));
        html_row_end(h);
    }
    html_table_end(h);
}

void report_trace_html(struct out *out, const struct trace_document *d, const struct report_options *o)
{
    struct html h;
    (void)o;
    html_begin(&h, out, "qosmark trace", d->target.name);
    html_summary_verdict(&h, d->verdict, false, d->verdict_text);
    if (*d->arrived_text)
        html_paragraph(&h, HTML_UNSURE, d->arrived_text);
    if (*d->problem)
        html_paragraph(&h, HTML_BAD, d->problem);
    if (d->finding_count) {
        html_heading(&h, "Findings");
        html_list_begin(&h);
        for (size_t i = 0; i < d->finding_count; i++)
            html_item(&h, d->findings[i].violation ? HTML_BAD : HTML_UNSURE, d->findings[i].code,
                      d->findings[i].message, d->findings[i].advice);
        html_list_end(&h);
    }
    class_table(&h, d);
    for (uint16_t flow = 0; flow < d->flow_count; flow++)
        flow_table(&h, d, flow);
    if (d->note_count) {
        html_heading(&h, "Notes");
        for (size_t i = 0; i < d->note_count; i++)
            html_paragraph(&h, HTML_PLAIN, d->notes[i]);
    }
    facts(&h, d);
    html_end(&h);
}

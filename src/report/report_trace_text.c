#include <stdio.h>
#include <string.h>

#include "report/report_text.h"
#include "report/report_trace.h"

enum { WIDTH_LEAST = 80, WIDTH_MOST = 160, COL_MARKS = 6, INDENT = 4 };

static void verdict_line(struct text *t, const struct trace_document *d)
{
    text_verdict(t, d->verdict, false, "", d->verdict_text);
    if (t->options->quiet)
        return;
    if (*d->arrived_text) {
        text_wrap(t, STYLE_UNSURE, 0, d->arrived_text);
        text_end(t);
    }
    if (*d->problem) {
        text_wrap(t, STYLE_BAD, 0, d->problem);
        text_end(t);
    }
}

static void target_line(struct text *t, const struct trace_document *d)
{
    char address[ADDR_TEXT_MAX], source[ADDR_TEXT_MAX];
    addr_format(&d->target.addr, address);
    addr_format(&d->target.source, source);
    text_put(t, STYLE_DIM, "To");
    text_wrap(t, STYLE_BOLD, 0, address);
    if (strcmp(address, d->target.name) != 0) {
        text_put(t, STYLE_PLAIN, " (");
        text_net(t, STYLE_PLAIN, d->target.name, 60);
        text_put(t, STYLE_PLAIN, ")");
    }
    text_wrap(t, STYLE_DIM, 0, "from");
    text_wrap(t, STYLE_DIM, 0, source);
    text_putf(t, STYLE_DIM, ", %s",
              strcmp(d->proto, "udp") == 0   ? "UDP"
              : strcmp(d->proto, "tcp") == 0 ? "TCP SYN"
                                             : "ICMP echo");
    if (d->target.port)
        text_putf(t, STYLE_DIM, " port %u", d->target.port);
    text_wrap(t, STYLE_DIM, 0, d->sees_marks ? "in raw packets (libnet)" : "through a UDP socket");
    text_end(t);
}

/* The paths of one flow as a table: a column a mark, as wide as the longest name in it. */
struct flow_table {
    const struct trace_document *d;
    const struct trace_path *paths;
    size_t n, cell;
};

static size_t column(const struct flow_table *f, size_t i)
{
    return COL_MARKS + i * f->cell;
}

static size_t cell_width(const struct trace_path *paths, size_t n)
{
    size_t longest = 4; /* AF41 */
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(dscp_name(paths[i].dscp));
        longest = len > longest ? len : longest;
        for (size_t k = 0; k < paths[i].hop_count; k++) {
            const struct trace_hop *h = &paths[i].hops[k];
            len = h->reply_count && h->replies[0].quoted_dscp >= 0
                      ? strlen(dscp_name((dscp_t)h->replies[0].quoted_dscp))
                      : 0;
            longest = len > longest ? len : longest;
        }
    }
    return longest + 4;
}

static bool is_tunnel_mark(const struct trace_path *p, uint8_t ttl)
{
    for (size_t i = 0; i < p->change_count; i++)
        if (p->changes[i].tunnel && ttl >= p->changes[i].by_ttl && ttl <= p->changes[i].until_ttl)
            return true;
    return false;
}

static void mark_cell(struct text *t, const struct trace_path *p, const struct trace_hop *h, size_t at)
{
    text_to(t, at);
    if (!h || h->reply_count == 0) {
        text_put(t, STYLE_DIM, "  *");
        return;
    }
    int mark = h->replies[0].quoted_dscp;
    if (mark == TRACE_MARK_UNKNOWN) {
        text_put(t, STYLE_UNSURE, "  ?");
        return;
    }
    bool unsteady = trace_hop_mark(h) == TRACE_MARK_UNKNOWN, tunnel = is_tunnel_mark(p, h->ttl);
    enum style style = unsteady || tunnel ? STYLE_UNSURE : mark == p->dscp ? STYLE_PLAIN : STYLE_BAD;
    text_putf(t, style, "%s %s",
              unsteady          ? "?"
              : tunnel          ? "~"
              : mark == p->dscp ? " "
                                : sign_wrong(t),
              dscp_name((dscp_t)mark));
}

/* The hop of the first path that has an answer there. */
static const struct trace_hop *first_answered(const struct trace_path *paths, size_t n, uint8_t ttl, size_t *ret_path)
{
    for (size_t i = 0; i < n; i++) {
        const struct trace_hop *h = trace_path_hop(&paths[i], ttl);
        if (h && h->reply_count) {
            *ret_path = i;
            return h;
        }
    }
    return NULL;
}

static void address_cell(struct text *t, const struct trace_document *d, const struct trace_reply *r)
{
    char address[ADDR_TEXT_MAX];
    struct strbuf answer = {0};
    addr_format(&r->addr, address);
    report_trace_answer(d, r, &answer);
    if (!strbuf_ok(&answer))
        out_fail(t->out, ERR_MEMORY);
    text_put(t, STYLE_PLAIN, address);
    if (answer.len)
        text_piece(t, STYLE_BOLD, COL_MARKS, strbuf_text(&answer));
    strbuf_done(&answer);
    if (r->translated)
        text_put(t, STYLE_DIM, "  behind NAT");
}

static void rtt_cell(struct text *t, const struct trace_reply *r, size_t end)
{
    char text[32] = "-";
    if (r->rtt_ms >= 0)
        (void)snprintf(text, sizeof text, r->rtt_ms < 10 ? "%.2f ms" : "%.0f ms", r->rtt_ms);
    text_right(t, STYLE_DIM, end, text);
}

/* "MPLS 16005 TC 5" under the hop, once for each mark that has other labels than the one before. */
static void label_lines(struct text *t, const struct trace_path *paths, size_t n, uint8_t ttl)
{
    const struct trace_reply *before = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct trace_hop *h = trace_path_hop(&paths[i], ttl);
        const struct trace_reply *r = h && h->reply_count ? &h->replies[0] : NULL;
        if (!r || r->label_count == 0)
            continue;
        bool same = before && before->label_count == r->label_count;
        for (size_t k = 0; same && k < r->label_count; k++)
            same = before->labels[k].tc == r->labels[k].tc && before->labels[k].label == r->labels[k].label;
        before = r;
        if (same)
            continue;
        text_to(t, COL_MARKS);
        text_putf(t, STYLE_DIM, "%s: MPLS", dscp_name(paths[i].dscp));
        for (size_t k = 0; k < r->label_count; k++)
            text_putf(t, STYLE_DIM, "%s label %u TC %u", k ? "," : "", r->labels[k].label, r->labels[k].tc);
        text_end(t);
    }
}

/* Further addresses of the hop: other answers of the same path, and paths that went elsewhere. */
static void other_addresses(struct text *t, const struct trace_path *paths, size_t n, uint8_t ttl, size_t shown)
{
    const struct trace_hop *main = trace_path_hop(&paths[shown], ttl);
    for (size_t i = shown; i < n; i++) {
        const struct trace_hop *h = trace_path_hop(&paths[i], ttl);
        for (size_t k = 0; h && k < h->reply_count; k++) {
            char address[ADDR_TEXT_MAX];
            if (addr_equal(&h->replies[k].addr, &main->replies[0].addr))
                continue;
            addr_format(&h->replies[k].addr, address);
            text_to(t, COL_MARKS);
            text_putf(t, STYLE_UNSURE, "%s %s %s", dscp_name(paths[i].dscp), k ? "also by" : "goes by", address);
            text_end(t);
        }
    }
}

/* Between the rows: what became of which mark here. */
static void change_line(struct text *t, const struct trace_path *paths, size_t n, uint8_t ttl)
{
    const char *behaviour = NULL;
    bool any = false;
    uint8_t after = UINT8_MAX;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < paths[i].change_count; k++) {
            const struct trace_change *c = &paths[i].changes[k];
            if (c->tunnel || c->by_ttl != ttl)
                continue;
            if (!any) {
                text_to(t, 2);
                text_put(t, STYLE_BAD, t->options->utf8 ? "\u2514\u2500 " : "-- ");
            }
            text_putf(t, STYLE_BAD, "%s%s%s%s", any ? ", " : "", dscp_name(c->from), sign_arrow(t), dscp_name(c->to));
            any = true;
            behaviour = c->behaviour;
            after = c->after_ttl < after ? c->after_ttl : after;
        }
    if (!any)
        return;
    if (after == 0)
        text_wrap(t, STYLE_BAD, 5, "between this host and");
    else {
        char between[48];
        (void)snprintf(between, sizeof between, "between hop %u and", after);
        text_wrap(t, STYLE_BAD, 5, between);
    }
    char hop[48];
    (void)snprintf(hop, sizeof hop, "hop %u", ttl);
    text_wrap(t, STYLE_BAD, 5, hop);
    if (behaviour && strcmp(behaviour, "mixed") != 0 && strcmp(behaviour, "unknown") != 0) {
        char name[64];
        (void)snprintf(name, sizeof name, "(%s)", behaviour);
        text_wrap(t, STYLE_DIM, 5, name);
    }
    text_end(t);
}

static void heading_rows(struct text *t, const struct flow_table *f)
{
    char source[ADDR_TEXT_MAX];
    text_put(t, STYLE_BOLD, " hop  sent:");
    text_end(t);
    text_putf(t, STYLE_DIM, "%4s", "-");
    for (size_t i = 0; i < f->n; i++) {
        text_to(t, column(f, i));
        text_putf(t, STYLE_BOLD, "  %s", dscp_name(f->paths[i].dscp));
    }
    addr_format(&f->d->target.source, source);
    text_to(t, column(f, f->n) + 11);
    text_putf(t, STYLE_DIM, "%s  this host", source);
    text_end(t);
}

static void hop_row(struct text *t, const struct flow_table *f, uint8_t ttl)
{
    size_t shown = 0;
    const struct trace_hop *main = first_answered(f->paths, f->n, ttl, &shown);
    change_line(t, f->paths, f->n, ttl);
    text_putf(t, STYLE_PLAIN, "%4u", ttl);
    for (size_t i = 0; i < f->n; i++)
        mark_cell(t, &f->paths[i], trace_path_hop(&f->paths[i], ttl), column(f, i));
    if (main)
        rtt_cell(t, &main->replies[0], column(f, f->n) + 9);
    text_to(t, column(f, f->n) + 11);
    if (main)
        address_cell(t, f->d, &main->replies[0]);
    else
        text_put(t, STYLE_DIM, "no answer");
    text_end(t);
    if (!main)
        return;
    other_addresses(t, f->paths, f->n, ttl, shown);
    label_lines(t, f->paths, f->n, ttl);
}

static void write_flow(struct text *t, const struct trace_document *d, const struct trace_path *paths, size_t n)
{
    const struct flow_table f = {.d = d, .paths = paths, .n = n, .cell = cell_width(paths, n)};
    uint8_t first = UINT8_MAX, last = 0;
    bool silent = true;
    for (size_t i = 0; i < n; i++) {
        silent &= paths[i].silent_tail && !paths[i].reached;
        if (paths[i].hop_count == 0)
            continue;
        first = paths[i].hops[0].ttl < first ? paths[i].hops[0].ttl : first;
        last = paths[i].hops[paths[i].hop_count - 1].ttl > last ? paths[i].hops[paths[i].hop_count - 1].ttl : last;
    }
    heading_rows(t, &f);
    for (unsigned ttl = first; ttl <= last; ttl++)
        hop_row(t, &f, (uint8_t)ttl);
    if (silent) {
        text_putf(t, STYLE_DIM, "%4s", "...");
        text_to(t, COL_MARKS + 2);
        text_put(t, STYLE_DIM, last ? "nobody beyond answered" : "nobody answered");
        text_end(t);
    }
}

/* What the marks stand for, in the order of the columns. */
static void legend(struct text *t, const struct trace_document *d)
{
    size_t begin, end;
    report_trace_flow(d, 0, &begin, &end);
    for (size_t i = begin; i < end; i++) {
        struct strbuf names = {0};
        report_trace_class_names(d, d->paths[i].dscp, &names);
        if (!strbuf_ok(&names))
            out_fail(t->out, ERR_MEMORY);
        text_put(t, STYLE_DIM, i == begin ? "Marks sent: " : "; ");
        text_wrap(t, STYLE_BOLD, 4, dscp_name(d->paths[i].dscp));
        if (strcmp(strbuf_text(&names), dscp_name(d->paths[i].dscp)) != 0)
            text_wrap(t, STYLE_DIM, 4, strbuf_text(&names));
        strbuf_done(&names);
    }
    text_end(t);
}

static bool flow_is_plain(const struct trace_document *d, uint16_t flow)
{
    size_t begin, end;
    report_trace_flow(d, flow, &begin, &end);
    for (size_t i = begin; i < end; i++)
        for (size_t k = 0; k < d->path_count && d->paths[k].flow == 0; k++)
            if (d->paths[k].dscp == d->paths[i].dscp && !report_trace_same_way(&d->paths[k], &d->paths[i]))
                return false;
    return true;
}

static void section_hops(struct text *t, const struct trace_document *d)
{
    size_t plain = 0;
    for (uint16_t flow = 0; flow < d->flow_count; flow++) {
        size_t begin, end;
        char title[64];
        report_trace_flow(d, flow, &begin, &end);
        if (begin == end)
            continue;
        if (flow > 0 && flow_is_plain(d, flow) && t->options->verbose == 0) {
            plain += d->paths[begin].hop_count > 0;
            continue;
        }
        (void)snprintf(title, sizeof title, flow ? "Another flow, source %s %u" : "Hops",
                       d->target.port ? "port" : "id", d->paths[begin].src_port);
        text_heading(t, title);
        text_end(t);
        write_flow(t, d, &d->paths[begin], end - begin);
    }
    if (plain) {
        char text[96];
        (void)snprintf(text, sizeof text, "%zu more flow%s (other source ports) fared the same.", plain,
                       plain == 1 ? "" : "s");
        text_wrap(t, STYLE_DIM, 0, text);
        text_end(t);
    }
}

static void section_trace_findings(struct text *t, const struct trace_document *d)
{
    if (d->finding_count) {
        text_heading(t, "Findings");
        text_end(t);
    }
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct trace_finding *f = &d->findings[i];
        text_putf(t, f->violation ? STYLE_BAD : STYLE_UNSURE, "  %s %s", f->violation ? sign_wrong(t) : "?", f->code);
        text_end(t);
        text_to(t, INDENT);
        text_wrap(t, STYLE_PLAIN, INDENT, f->message);
        text_end(t);
        if (*f->advice) {
            text_to(t, INDENT);
            text_wrap(t, STYLE_DIM, INDENT, f->advice);
            text_end(t);
        }
    }
}

static size_t width_of(const struct report_options *o)
{
    return o->width < WIDTH_LEAST ? WIDTH_LEAST : o->width > WIDTH_MOST ? WIDTH_MOST : o->width;
}

void report_trace_text(struct out *out, const struct trace_document *d, const struct report_options *o)
{
    struct text t = {.out = out, .options = o, .width = width_of(o)};
    verdict_line(&t, d);
    if (!o->quiet) {
        target_line(&t, d);
        if (d->path_count)
            legend(&t, d);
        section_hops(&t, d);
        section_trace_findings(&t, d);
        text_notes(&t, d->notes, d->note_count);
    }
    strbuf_done(&t.line);
    strbuf_done(&t.escaped);
}

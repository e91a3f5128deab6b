#include <stdio.h>
#include <string.h>

#include "report/report_probe.h"
#include "report/report_text.h"
#include "report/view.h"

enum { WIDTH_LEAST = 80, WIDTH_MOST = 160, INDENT = 4 };

/* Ends of the columns of the table of classes. */
enum { COL_SENT = 24, COL_ARRIVED = 31, COL_RETURNED = 45, COL_LOST = 59, COL_RTT = 68, COL_BENEFIT = 70 };

static const char *fact_word(enum probe_fact f, const char *yes, const char *no, const char *unknown)
{
    return f == PROBE_FACT_YES ? yes : f == PROBE_FACT_NO ? no : unknown;
}

static void target_lines(struct text *t, const struct probe_document *d)
{
    char endpoint[ENDPOINT_TEXT_MAX], source[ADDR_TEXT_MAX], address[ADDR_TEXT_MAX], seconds[SMALL_TEXT_MAX];
    addr_format(&d->target.endpoint.addr, address);
    endpoint_format(&d->target.endpoint, endpoint);
    addr_format(&d->target.source.addr, source);
    text_put(t, STYLE_DIM, "Target:");
    text_wrap(t, STYLE_BOLD, 0, endpoint);
    if (strcmp(address, d->target.name) != 0 && *d->target.name) {
        text_put(t, STYLE_PLAIN, " (");
        text_net(t, STYLE_PLAIN, d->target.name, 60);
        text_put(t, STYLE_PLAIN, ")");
    }
    if (*d->target.node) {
        text_wrap(t, STYLE_PLAIN, 0, "node");
        text_wrap(t, STYLE_PLAIN, 0, d->target.node);
    }
    if (*source) {
        text_wrap(t, STYLE_DIM, 0, "from");
        text_wrap(t, STYLE_DIM, 0, source);
    }
    if (*d->target.interface) {
        text_wrap(t, STYLE_DIM, 0, "on");
        text_wrap(t, STYLE_DIM, 0, d->target.interface);
    }
    small_duration(d->end_ns - d->begin_ns, seconds);
    text_wrap(t, STYLE_DIM, 0, "for");
    text_piece(t, STYLE_DIM, 0, seconds);
    text_end(t);
    text_put(t, STYLE_DIM, "How:");
    text_wrap(t, STYLE_DIM, 0, strcmp(d->method, "stamp") == 0 ? "STAMP" : d->method);
    text_wrap(t, STYLE_DIM, 0,
              strcmp(d->engine, "libnet") == 0
                  ? "in raw packets made by libnet (another local queue than sockets may apply)"
              : strcmp(d->engine, "udp") == 0 ? "through UDP sockets"
                                              : d->engine);
    if (strcmp(d->method, "stamp") == 0 && d->reflector.tlvs != PROBE_FACT_UNKNOWN) {
        text_put(t, STYLE_DIM, ";");
        text_wrap(t, STYLE_DIM, 0, "the reflector");
        text_wrap(t, STYLE_DIM, 0,
                  fact_word(d->reflector.stateful, "counts for itself and", "does not count for itself and", ""));
        text_wrap(t, STYLE_DIM, 0,
                  fact_word(d->reflector.tlvs, "reports the marks that arrive", "reports no marks", ""));
    }
    text_end(t);
}

/* "EF", "EF CS0", "EF CS0 +2", "unknown" */
static void marks_cell(struct text *t, const struct probe_marks *m, enum probe_change change, size_t from, size_t end)
{
    dscp_t marks[DSCP_COUNT];
    char cell[64];
    size_t n = view_by_packets(m->packets, marks);
    enum verdict v = change == PROBE_CHANGE_CHANGED     ? VERDICT_VIOLATING
                     : change == PROBE_CHANGE_PRESERVED ? VERDICT_CONFORMING
                                                        : VERDICT_UNDETERMINED;
    text_to(t, from);
    text_putf(t, style_of(v), "%s ", sign_of(t, v));
    if (n == 0)
        (void)snprintf(cell, sizeof cell, "%s", m->unknown ? "unknown" : "-");
    else if (n == 1)
        (void)snprintf(cell, sizeof cell, "%s", dscp_name(marks[0]));
    else if (n == 2)
        (void)snprintf(cell, sizeof cell, "%s %s", dscp_name(marks[0]), dscp_name(marks[1]));
    else
        (void)snprintf(cell, sizeof cell, "%s %s +%zu", dscp_name(marks[0]), dscp_name(marks[1]), n - 2);
    text_net(t, style_of(v), cell, end - from - 3);
}

static void lost_text(const struct probe_loss *lost, char text[static SMALL_TEXT_MAX])
{
    char a[SMALL_TEXT_MAX], b[SMALL_TEXT_MAX];
    small_count((uint64_t)lost->round_trip, a);
    if (lost->round_trip == 0) {
        (void)snprintf(text, SMALL_TEXT_MAX, "0");
    } else if (lost->forward < 0) {
        (void)snprintf(text, SMALL_TEXT_MAX, "%.40s ?", a);
    } else {
        small_count((uint64_t)lost->forward, a);
        small_count((uint64_t)lost->reverse, b);
        (void)snprintf(text, SMALL_TEXT_MAX, "%.20s + %.20s", a, b);
    }
}

static void ms_text(double ms, char text[static SMALL_TEXT_MAX])
{
    if (ms < 0)
        (void)snprintf(text, SMALL_TEXT_MAX, "-");
    else
        (void)snprintf(text, SMALL_TEXT_MAX, ms < 10 ? "%.2f" : ms < 100 ? "%.1f" : "%.0f", ms);
}

static void class_row(struct text *t, const struct probe_class *c)
{
    static const enum style styles[] = {
        [PROBE_BENEFIT_NONE] = STYLE_DIM,    [PROBE_BENEFIT_INCONCLUSIVE] = STYLE_DIM,
        [PROBE_BENEFIT_HELPED] = STYLE_GOOD, [PROBE_BENEFIT_NO] = STYLE_UNSURE,
        [PROBE_BENEFIT_WORSE] = STYLE_BAD,
    };
    char text[SMALL_TEXT_MAX];
    text_to(t, 2);
    text_net(t, c->control ? STYLE_DIM : STYLE_PLAIN, c->name, COL_SENT - 3);
    text_to(t, COL_SENT);
    text_put(t, STYLE_PLAIN, dscp_name(c->sent_dscp));
    marks_cell(t, &c->arrived, c->forward, COL_ARRIVED, COL_RETURNED);
    marks_cell(t, &c->returned, c->reverse, COL_RETURNED, COL_LOST);
    lost_text(&c->lost, text);
    text_to(t, COL_LOST);
    text_put(t, c->lost.round_trip ? STYLE_UNSURE : STYLE_PLAIN, c->answered ? text : "all");
    ms_text(c->rtt_ms.count ? c->rtt_ms.median : -1, text);
    text_to(t, COL_RTT);
    text_put(t, STYLE_PLAIN, text);
    text_to(t, COL_BENEFIT + 6);
    text_put(t, styles[c->benefit],
             c->benefit == PROBE_BENEFIT_INCONCLUSIVE ? "?"
             : c->benefit == PROBE_BENEFIT_NO         ? "no help"
             : c->benefit                             ? probe_benefit_name(c->benefit)
                                                      : "-");
    text_end(t);
}

static void class_table(struct text *t, const struct probe_document *d)
{
    bool unknown_loss = false, known_loss = false, inconclusive = false;
    char packets[SMALL_TEXT_MAX];
    uint64_t most = 0;
    for (size_t i = 0; i < d->class_count; i++)
        most = d->classes[i].sent > most ? d->classes[i].sent : most;
    small_count(most, packets);
    text_heading(t, "Classes");
    text_putf(t, STYLE_DIM, "  %s %s each", packets, plural(most, "packet", "packets"));
    if (d->load_bps > 0)
        text_putf(t, STYLE_DIM, ", beside %.3g Mbit/s of best-effort load", d->load_bps / 1e6);
    text_end(t);
    text_put(t, STYLE_DIM, "  class");
    text_to(t, COL_SENT);
    text_put(t, STYLE_DIM, "sent");
    text_to(t, COL_ARRIVED);
    text_put(t, STYLE_DIM, "arrived");
    text_to(t, COL_RETURNED);
    text_put(t, STYLE_DIM, "came back");
    text_to(t, COL_LOST);
    text_put(t, STYLE_DIM, "lost");
    text_to(t, COL_RTT);
    text_put(t, STYLE_DIM, "RTT ms");
    text_to(t, COL_BENEFIT + 6);
    text_put(t, STYLE_DIM, "mark");
    text_end(t);
    for (size_t i = 0; i < d->class_count; i++) {
        class_row(t, &d->classes[i]);
        unknown_loss |= d->classes[i].lost.forward < 0 && d->classes[i].answered;
        known_loss |= d->classes[i].lost.forward >= 0 && d->classes[i].lost.round_trip > 0;
        inconclusive |= d->classes[i].benefit == PROBE_BENEFIT_INCONCLUSIVE;
    }
    if (inconclusive) {
        text_to(t, 2);
        text_wrap(t, STYLE_DIM, 2, "mark ?: whether it helped cannot be told; -v says why");
        text_end(t);
    }
    if (unknown_loss && d->lost.forward >= 0) {
        text_to(t, 2);
        text_putf(t, STYLE_DIM, "lost in all: %lld on the way there, %lld on the way back", (long long)d->lost.forward,
                  (long long)d->lost.reverse);
        text_end(t);
    }
    if (known_loss || unknown_loss) {
        text_to(t, 2);
        text_wrap(t, STYLE_DIM, 2,
                  known_loss ? "lost: on the way there + on the way back" : "lost ?: which way is not known");
        text_end(t);
    }
}

static void findings(struct text *t, const struct probe_document *d)
{
    if (d->finding_count == 0)
        return;
    text_heading(t, "Findings");
    text_end(t);
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct probe_finding *f = &d->findings[i];
        char number[SMALL_TEXT_MAX];
        (void)snprintf(number, sizeof number, "%zu.", i + 1);
        text_right(t, STYLE_BOLD, INDENT - 1, number);
        text_to(t, INDENT);
        text_put(t, f->violation ? STYLE_BAD : STYLE_UNSURE, f->code);
        if (f->direction && *f->direction)
            text_putf(t, STYLE_DIM, " (%s)", f->direction);
        text_end(t);
        text_wrap(t, STYLE_PLAIN, INDENT, f->message);
        text_end(t);
        text_advice(t, INDENT, f->advice);
    }
}

static void delay_row(struct text *t, const char *name, const struct probe_spread *s, double jitter)
{
    const double values[] = {s->min, s->median, s->p95, s->p99, s->max};
    char text[SMALL_TEXT_MAX];
    text_to(t, 4);
    text_put(t, STYLE_DIM, name);
    for (size_t i = 0; i < 5; i++) {
        ms_text(s->count ? values[i] : -1, text);
        text_right(t, STYLE_PLAIN, 32 + 9 * i, text);
    }
    ms_text(jitter, text);
    text_right(t, STYLE_PLAIN, 32 + 9 * 5, text);
    text_end(t);
}

static void delays(struct text *t, const struct probe_document *d)
{
    static const char *const heads[] = {"min", "median", "p95", "p99", "max", "jitter"};
    text_heading(t, "Delay");
    text_put(t, STYLE_DIM, "  milliseconds; one way: above the least of that direction");
    text_end(t);
    for (size_t i = 0; i < 6; i++)
        text_right(t, STYLE_DIM, 32 + 9 * i, heads[i]);
    text_end(t);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        text_to(t, 2);
        text_net(t, STYLE_BOLD, c->name, 30);
        text_end(t);
        delay_row(t, "round trip", &c->rtt_ms, -1);
        delay_row(t, "there", &c->forward_ms, c->forward_jitter_ms);
        delay_row(t, "back", &c->reverse_ms, c->reverse_jitter_ms);
    }
}

static void benefits(struct text *t, const struct probe_document *d)
{
    text_heading(t, "Did the mark help?");
    text_end(t);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        if (c->benefit == PROBE_BENEFIT_NONE)
            continue;
        text_to(t, 2);
        text_net(t, STYLE_PLAIN, c->name, 30);
        text_putf(t, STYLE_BOLD, ": %s:", probe_benefit_name(c->benefit));
        text_wrap(t, STYLE_PLAIN, 4, c->benefit_reason);
        text_end(t);
    }
}

static const char *mark_word(int8_t mark, bool answered)
{
    return mark != PROBE_MARK_UNKNOWN ? dscp_name((dscp_t)mark) : answered ? "unknown" : "lost";
}

static void matrix(struct text *t, const struct probe_document *d)
{
    text_heading(t, "Marks");
    text_put(t, STYLE_DIM, "  sent, arrived, came back: packets");
    text_end(t);
    for (size_t i = 0; i < d->class_count; i++) {
        const struct probe_class *c = &d->classes[i];
        for (size_t k = 0; k < c->matrix_count; k++) {
            char count[SMALL_TEXT_MAX];
            const struct probe_matrix_row *row = &c->matrix[k];
            text_to(t, 2);
            text_net(t, STYLE_PLAIN, k ? "" : c->name, 20);
            text_to(t, COL_SENT);
            text_putf(t, STYLE_PLAIN, "%s %s %s", dscp_name(c->sent_dscp), sign_arrow(t),
                      mark_word(row->arrived, row->answered));
            if (row->answered)
                text_putf(t, STYLE_PLAIN, " %s %s", sign_arrow(t), mark_word(row->returned, true));
            small_count(row->packets, count);
            text_right(t, STYLE_PLAIN, 60, count);
            text_end(t);
        }
    }
}

static void strays(struct text *t, const struct probe_document *d)
{
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {
        {d->strays.foreign, "that answer no probe of ours"},
        {d->strays.malformed, "that are no replies"},
        {d->strays.bad_hmac, "signed with another key"},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (parts[i].n && d->packet_count) {
            text_putf(t, STYLE_DIM, "%llu packets came %s and were not counted.", (unsigned long long)parts[i].n,
                      parts[i].what);
            text_end(t);
        }
    for (size_t i = 0; i < d->note_count; i++) {
        text_put(t, STYLE_DIM, "Note:");
        text_wrap(t, STYLE_DIM, 6, d->notes[i]);
        text_end(t);
    }
}

static void document_text(struct text *t, const struct probe_document *d, bool named)
{
    bool heard = false;
    for (size_t i = 0; i < d->class_count; i++)
        heard |= d->classes[i].answered > 0;
    text_verdict(t, d->verdict, false, named ? d->target.name : "", d->verdict_text);
    if (t->options->quiet)
        return;
    target_lines(t, d);
    if (heard) {
        class_table(t, d);
        findings(t, d);
        if (t->options->verbose) {
            delays(t, d);
            benefits(t, d);
            matrix(t, d);
        }
    }
    strays(t, d);
}

void report_probe_text(struct out *out, const struct probe_report *r)
{
    struct text t = {.out = out, .options = &r->options, .width = r->options.width};
    t.width = t.width < WIDTH_LEAST ? WIDTH_LEAST : t.width > WIDTH_MOST ? WIDTH_MOST : t.width;
    for (size_t i = 0; i < r->count && out_ok(out); i++) {
        if (i && !r->options.quiet)
            text_end(&t);
        document_text(&t, r->documents[i], r->set);
    }
    strbuf_done(&t.line);
    strbuf_done(&t.escaped);
}

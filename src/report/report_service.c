#include "report/report_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report_text.h"

enum {
    WIDTH_LEAST = 80,
    WIDTH_MOST = 160,
    PHASES_MAX = 8,
    COLUMN_REQUEST = 2,
    COLUMN_ANSWERED = 28,
    COLUMN_MARKS = 39,
    INDENT = 4
};

struct many {
    struct probe_document *const *documents;
    size_t count;
    const struct probe_document *quoted; /* its reason is in the first line: not said twice */
};

/* Something is expected of it, and it could not be seen. */
static bool is_unknown(const struct probe_document *d)
{
    return d->verdict == SUMMARY_NOTHING_CHECKED && (d->classes[0].expected_return || d->classes[0].answered == 0);
}

static size_t count_verdicts(const struct many *m, enum summary_verdict v)
{
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++)
        n += m->documents[i]->verdict == v;
    return n;
}

enum summary_verdict report_service_verdict(struct probe_document *const *documents, size_t count)
{
    struct many m = {documents, count, NULL};
    if (count_verdicts(&m, SUMMARY_FAIL))
        return SUMMARY_FAIL;
    for (size_t i = 0; i < count; i++)
        if (is_unknown(documents[i]))
            return SUMMARY_NOTHING_CHECKED;
    return count_verdicts(&m, SUMMARY_PASS) ? SUMMARY_PASS : SUMMARY_NOTHING_CHECKED;
}

static const char *name_of(const struct probe_document *d)
{
    return d->target.node[0] ? d->target.node : d->target.name;
}

static void fail_line(struct text *t, const struct many *m)
{
    size_t fail = count_verdicts(m, SUMMARY_FAIL), checked = fail + count_verdicts(m, SUMMARY_PASS);
    text_put(t, STYLE_BAD, "FAIL: ");
    text_net(t, STYLE_BOLD, name_of(m->documents[0]), 40);
    if (fail == checked)
        text_put(t, STYLE_BOLD, " does not answer with the expected marks");
    else
        text_putf(t, STYLE_BOLD, " answers %zu of %zu ways of asking with wrong marks", fail, checked);
}

/* What kept it from being checked: the first reason. */
static void nothing_line(struct text *t, struct many *m)
{
    size_t pass = count_verdicts(m, SUMMARY_PASS), at = 0;
    while (pass && at + 1 < m->count && !is_unknown(m->documents[at]))
        at++;
    m->quoted = m->documents[at];
    text_put(t, STYLE_UNSURE, pass ? "INCOMPLETE: " : "NOTHING CHECKED: ");
    if (pass)
        text_putf(t, STYLE_BOLD, "%zu of %zu ways of asking %s answered with the expected marks, but", pass, m->count,
                  plural(pass, "is", "are"));
    if (t->options->quiet)
        text_putf(t, STYLE_BOLD, "%s%s", pass ? " " : "", text_escape(t, m->documents[at]->verdict_text));
    else
        text_wrap(t, STYLE_BOLD, 0, m->documents[at]->verdict_text);
}

static void verdict_line(struct text *t, struct many *m)
{
    size_t pass = count_verdicts(m, SUMMARY_PASS);
    switch (report_service_verdict(m->documents, m->count)) {
    case SUMMARY_FAIL:
        fail_line(t, m);
        break;
    case SUMMARY_NOTHING_CHECKED:
        nothing_line(t, m);
        break;
    case SUMMARY_PASS:
        text_put(t, STYLE_GOOD, "PASS: ");
        text_net(t, STYLE_BOLD, name_of(m->documents[0]), 40);
        text_put(t, STYLE_BOLD, " answers with the expected marks");
        if (pass < m->count)
            text_putf(t, STYLE_PLAIN, " (%zu of %zu ways of asking; the policy expects nothing of the others)", pass,
                      m->count);
        break;
    }
    text_end(t);
}

static void head_lines(struct text *t, const struct many *m)
{
    const struct probe_document *d = m->documents[0];
    text_put(t, STYLE_DIM, "Target:");
    text_wrap(t, STYLE_DIM, 0, d->target.name);
    if (d->target.node[0] && strcmp(d->target.node, d->target.name) != 0)
        text_piece(t, STYLE_DIM, 0, text_escape(t, d->target.node));
    text_put(t, STYLE_DIM, ". Policy:");
    text_wrap(t, STYLE_DIM, 0, d->policy_name);
    text_put(t, STYLE_DIM, ",");
    text_wrap(t, STYLE_DIM, 0, d->policy_source);
    text_end(t);
}

/* "AF31 20, ✗CS0 2" */
static void marks_piece(struct text *t, size_t indent, const char *label, const struct probe_marks *m,
                        const struct probe_class *c, bool judged)
{
    bool first = true;
    char text[2 * SMALL_TEXT_MAX];
    if (label)
        text_piece(t, STYLE_DIM, indent, label);
    for (dscp_t i = 0; i < DSCP_COUNT; i++) {
        char count[SMALL_TEXT_MAX];
        if (!m->packets[i])
            continue;
        bool wrong = judged && !dscp_set_has(c->expected_return, i);
        small_count(m->packets[i], count);
        if (!first)
            text_put(t, STYLE_PLAIN, ",");
        (void)snprintf(text, sizeof text, "%s%s %s", wrong ? sign_wrong(t) : "", dscp_name(i), count);
        text_piece(t, wrong ? STYLE_BAD : judged ? STYLE_GOOD : STYLE_PLAIN, indent, text);
        first = false;
    }
    if (m->unknown) {
        if (!first)
            text_put(t, STYLE_PLAIN, ",");
        text_piece(t, STYLE_UNSURE, indent, "mark unknown");
        first = false;
    }
    if (first)
        text_piece(t, STYLE_DIM, indent, "-");
}

/* The parts of connections in the order in which they came. */
static size_t phases_of(const struct probe_document *d, const char *phases[static PHASES_MAX])
{
    static const char *const order[] = {"SYN-ACK", "TLS handshake", "data", "FIN"};
    size_t n = 0;
    for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
        for (size_t i = 0; i < d->packet_count; i++) {
            if (d->packets[i].phase && strcmp(d->packets[i].phase, order[k]) == 0) {
                phases[n++] = order[k];
                break;
            }
        }
    }
    return n;
}

static void class_row(struct text *t, const struct probe_document *d, size_t index)
{
    const struct probe_class *c = &d->classes[index];
    bool judged = d->verdict != SUMMARY_NOTHING_CHECKED;
    dscp_set_t seen = probe_marks_set(&c->returned);
    bool alike = (seen & (seen - 1)) == 0;
    const char *phases[PHASES_MAX];
    size_t phase_count = phases_of(d, phases);
    char answered[SMALL_TEXT_MAX], sent[2 * SMALL_TEXT_MAX];
    text_to(t, COLUMN_REQUEST);
    enum verdict v = !judged || probe_marks_known(&c->returned) == 0 ? VERDICT_UNDETERMINED
                     : c->violating                                  ? VERDICT_VIOLATING
                                                                     : VERDICT_CONFORMING;
    text_putf(t, style_of(v), "%s ", sign_of(t, v));
    if (c->control)
        (void)snprintf(sent, sizeof sent, "unmarked");
    else
        (void)snprintf(sent, sizeof sent, "%s %s", c->name, dscp_name(c->sent_dscp));
    text_put(t, STYLE_PLAIN, sent);
    text_to(t, COLUMN_ANSWERED);
    (void)snprintf(answered, sizeof answered, "%llu of %llu", (unsigned long long)c->answered,
                   (unsigned long long)c->sent);
    text_put(t, STYLE_PLAIN, answered);
    text_to(t, COLUMN_MARKS);
    if (phase_count == 0 || (alike && !t->options->verbose)) {
        marks_piece(t, COLUMN_MARKS, NULL, &c->returned, c, judged);
    } else {
        for (size_t k = 0; k < phase_count; k++) {
            struct probe_marks m = probe_document_marks(d, phases[k], (int)index);
            if (k)
                text_put(t, STYLE_PLAIN, ";");
            marks_piece(t, COLUMN_MARKS, phases[k], &m, c, judged);
        }
    }
    text_end(t);
}

static void document_rows(struct text *t, const struct probe_document *d, bool quoted)
{
    char address[ADDR_TEXT_MAX], expected[SMALL_TEXT_MAX];
    small_marks(d->classes[0].expected_return, d->classes[0].preferred_return, expected);
    addr_format(&d->target.endpoint.addr, address);
    text_putf(t, STYLE_BOLD, "%s port %u, %s", address, d->target.endpoint.port, d->method);
    if (d->classes[0].expected_return)
        text_putf(t, STYLE_PLAIN, " (expected %s)", expected);
    text_end(t);
    for (size_t i = 0; i < d->class_count && d->classes[0].sent; i++)
        class_row(t, d, i);
    if (d->verdict == SUMMARY_NOTHING_CHECKED && !quoted) {
        text_to(t, INDENT);
        text_wrap(t, STYLE_UNSURE, INDENT, d->verdict_text);
        text_end(t);
    }
    for (size_t i = 0; i < d->note_count; i++) {
        text_to(t, INDENT);
        text_wrap(t, STYLE_DIM, INDENT, d->notes[i]);
        text_end(t);
    }
}

static void table(struct text *t, const struct many *m)
{
    text_end(t);
    text_to(t, INDENT);
    text_put(t, STYLE_DIM, "request");
    text_to(t, COLUMN_ANSWERED);
    text_put(t, STYLE_DIM, "answered");
    text_to(t, COLUMN_MARKS);
    text_putf(t, STYLE_DIM, "packets that came back (%s wrong)", sign_wrong(t));
    text_end(t);
    for (size_t i = 0; i < m->count; i++)
        document_rows(t, m->documents[i], m->documents[i] == m->quoted);
}

static void finding_head(struct text *t, size_t number, const struct probe_finding *f)
{
    static const char *const causes[] = {[CONFIDENCE_NONE] = "",
                                         [CONFIDENCE_LOW] = "(cause uncertain)",
                                         [CONFIDENCE_HIGH] = "(cause likely)",
                                         [CONFIDENCE_CERTAIN] = ""};
    char text[SMALL_TEXT_MAX];
    (void)snprintf(text, sizeof text, "%zu.", number);
    text_right(t, STYLE_BOLD, INDENT - 1, text);
    text_to(t, INDENT);
    text_put(t, STYLE_BAD, f->code);
    if (*causes[f->confidence])
        text_piece(t, STYLE_DIM, INDENT, causes[f->confidence]);
    text_end(t);
    text_wrap(t, STYLE_PLAIN, INDENT, f->message);
    text_end(t);
}

/* What one cause gives in several ways of asking is one finding. */
static bool same_cause(const struct probe_finding *a, const struct probe_finding *b)
{
    return strcmp(a->code, b->code) == 0 && strcmp(a->advice, b->advice) == 0;
}

static bool found_before(const struct many *m, size_t index, const struct probe_finding *f)
{
    for (size_t i = 0; i < index; i++)
        for (size_t k = 0; k < m->documents[i]->finding_count; k++)
            if (addr_equal(&m->documents[i]->target.endpoint.addr, &m->documents[index]->target.endpoint.addr) &&
                same_cause(&m->documents[i]->findings[k], f))
                return true;
    return false;
}

/* "The same: port 5060, sip over tcp (24 packets); ..." */
static void others_line(struct text *t, const struct many *m, size_t index, const struct probe_finding *f)
{
    bool any = false;
    for (size_t i = index + 1; i < m->count; i++) {
        const struct probe_document *d = m->documents[i];
        for (size_t k = 0; k < d->finding_count; k++) {
            char text[160], packets[SMALL_TEXT_MAX];
            if (!addr_equal(&d->target.endpoint.addr, &m->documents[index]->target.endpoint.addr) ||
                !same_cause(&d->findings[k], f))
                continue;
            small_count(d->findings[k].packets, packets);
            (void)snprintf(text, sizeof text, "%s port %u (%s): %s %s",
                           any ? ";" : "The same:", d->target.endpoint.port, d->method, packets,
                           plural(d->findings[k].packets, "packet", "packets"));
            if (any)
                text_put(t, STYLE_PLAIN, ";");
            text_wrap(t, STYLE_PLAIN, INDENT, any ? text + 2 : text);
            any = true;
        }
    }
    if (any) {
        text_put(t, STYLE_PLAIN, ".");
        text_end(t);
    }
}

static void findings(struct text *t, const struct many *m)
{
    size_t number = 0;
    for (size_t i = 0; i < m->count; i++) {
        for (size_t k = 0; k < m->documents[i]->finding_count; k++) {
            const struct probe_finding *f = &m->documents[i]->findings[k];
            if (found_before(m, i, f))
                continue;
            if (number == 0) {
                text_heading(t, "Findings");
                text_end(t);
            }
            finding_head(t, ++number, f);
            others_line(t, m, i, f);
            text_advice(t, INDENT, f->advice);
        }
    }
}

int report_service_text(struct probe_document *const *documents, size_t count, const struct report_options *o,
                        report_sink sink, void *user)
{
    struct many m = {documents, count, NULL};
    struct out *out = malloc(sizeof *out);
    if (!out)
        return ERR_MEMORY;
    out_init(out, sink, user);
    struct text t = {.out = out, .options = o, .width = o->width};
    t.width = t.width < WIDTH_LEAST ? WIDTH_LEAST : t.width > WIDTH_MOST ? WIDTH_MOST : t.width;
    verdict_line(&t, &m);
    if (!o->quiet) {
        head_lines(&t, &m);
        table(&t, &m);
        findings(&t, &m);
    }
    strbuf_done(&t.line);
    strbuf_done(&t.escaped);
    int r = out_finish(out);
    free(out);
    return r;
}

#include "report/report_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "report/formats.h"
#include "report/view_verdict.h"

enum { WIDTH_LEAST = 80, WIDTH_MOST = 160 };

/* In brackets, and on the next line where the first is full; with -q there is one line, however long. */
static void verdict_share(struct text *t, const char *share)
{
    char text[128];
    (void)snprintf(text, sizeof text, "(%s)", share);
    if (t->options->quiet)
        text_putf(t, STYLE_PLAIN, " %s", text);
    else
        text_piece(t, STYLE_PLAIN, 0, text);
}

static void verdict_line(struct text *t)
{
    static const enum style styles[] = {
        [SUMMARY_NOTHING_CHECKED] = STYLE_UNSURE, [SUMMARY_PASS] = STYLE_GOOD, [SUMMARY_FAIL] = STYLE_BAD};
    enum summary_verdict verdict = t->document->summary.verdict;
    struct view_verdict v = view_verdict(t->document);
    bool doubtful = verdict == SUMMARY_PASS && (v.incomplete || v.mostly_unjudged);
    enum style style = doubtful ? STYLE_UNSURE : styles[verdict];
    text_putf(t, style, "%s%s:", v.word, v.incomplete ? " (INCOMPLETE)" : "");
    text_putf(t, STYLE_BOLD, " %s", v.sentence);
    if (v.share[0])
        verdict_share(t, v.share);
}

/* What makes the verdict less than whole, each on its line: nobody should find this at the bottom. */
static void incomplete_lines(struct text *t)
{
    const struct document *d = t->document;
    const size_t indent = sizeof "INCOMPLETE: " - 1;
    bool said = false;
    for (size_t i = 0; i < d->input_count; i++) {
        const struct input *in = &d->inputs[i];
        char dropped[SMALL_TEXT_MAX];
        if (in->complete && in->dropped == 0)
            continue;
        said = true;
        text_put(t, STYLE_BAD, "INCOMPLETE:");
        text_put(t, STYLE_PLAIN, " ");
        if (in->complete || !view_problem_names(in)) {
            text_wrap(t, STYLE_PLAIN, indent, in->file);
            text_put(t, STYLE_PLAIN, ":");
        }
        if (!in->complete)
            text_wrap(t, STYLE_PLAIN, indent, view_problem(in));
        if (in->dropped) {
            small_count(in->dropped, dropped);
            if (!in->complete)
                text_put(t, STYLE_PLAIN, ";");
            text_wrap(t, STYLE_PLAIN, indent, dropped);
            text_wrap(t, STYLE_PLAIN, indent,
                      plural(in->dropped, "packet was lost by the capture", "packets were lost by the capture"));
        }
        text_end(t);
    }
    if (d->limited || (!said && !d->summary.complete)) {
        text_put(t, STYLE_BAD, "INCOMPLETE:");
        text_wrap(t, STYLE_PLAIN, indent, " something was not looked at, or is not counted; see the notes");
        text_end(t);
    }
}

static void rest_line(struct text *t)
{
    struct strbuf rest = {0};
    view_rest(t->document, &rest);
    if (!strbuf_ok(&rest))
        out_fail(t->out, ERR_MEMORY);
    if (*strbuf_text(&rest)) {
        text_put(t, STYLE_PLAIN, strbuf_text(&rest));
        text_end(t);
    }
    strbuf_done(&rest);
}

static void policy_line(struct text *t)
{
    const struct document *d = t->document;
    if (!d->policy_name || !*d->policy_name)
        return;
    text_put(t, STYLE_DIM, "Policy:");
    text_wrap(t, STYLE_DIM, 0, d->policy_name);
    if (d->policy_source && *d->policy_source) {
        text_put(t, STYLE_DIM, ",");
        text_wrap(t, STYLE_DIM, 0, d->policy_source);
    }
    text_end(t);
}

void section_verdict(struct text *t)
{
    const struct document *d = t->document;
    bool named = t->options->separate && d->input_count == 1;
    verdict_line(t);
    if (named && t->options->quiet) {
        text_put(t, STYLE_DIM, " ");
        text_net(t, STYLE_DIM, d->inputs[0].file, SIZE_MAX);
    }
    text_end(t);
    if (t->options->quiet)
        return;
    if (named) {
        text_put(t, STYLE_DIM, "File:");
        text_wrap(t, STYLE_BOLD, 0, d->inputs[0].file);
        text_end(t);
    }
    incomplete_lines(t);
    rest_line(t);
    policy_line(t);
}

void report_text(struct out *out, const struct document *d, const struct report_options *o)
{
    static void (*const sections[])(struct text * t) = {
        section_verdict, section_classes, section_sites,    section_findings, section_calls,  section_quality,
        section_streams, section_nodes,   section_unjudged, section_notes,    section_inputs,
    };
    struct text t = {.out = out, .document = d, .options = o, .width = o->width};
    t.width = t.width < WIDTH_LEAST ? WIDTH_LEAST : t.width > WIDTH_MOST ? WIDTH_MOST : t.width;
    for (size_t i = 0; i < sizeof sections / sizeof sections[0] && out_ok(out); i++) {
        sections[i](&t);
        if (o->quiet)
            break;
    }
    strbuf_done(&t.line);
    strbuf_done(&t.escaped);
}

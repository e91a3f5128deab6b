#include "report/report_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "report/formats.h"
#include "report/view.h"

enum { WIDTH_LEAST = 80, WIDTH_MOST = 160 };

/* Cut or lost input, whoever noticed it. */
static bool is_incomplete(const struct document *d)
{
    bool whole = d->summary.complete;
    for (size_t i = 0; i < d->input_count; i++)
        whole = whole && d->inputs[i].complete && d->inputs[i].dropped == 0;
    return !whole;
}

/* In brackets, and on the next line where the first is full; with -q there is one line, however long. */
static void verdict_rest(struct text *t, const char *value, const char *what)
{
    char text[2 * SMALL_TEXT_MAX];
    (void)snprintf(text, sizeof text, "(%s %s)", value, what);
    if (t->options->quiet)
        text_putf(t, STYLE_PLAIN, " %s", text);
    else
        text_piece(t, STYLE_PLAIN, 0, text);
}

static void verdict_line(struct text *t)
{
    const struct summary *s = &t->document->summary;
    const char *cut = is_incomplete(t->document) ? " (INCOMPLETE)" : "";
    char count[SMALL_TEXT_MAX], checked[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX];
    small_count(s->checked, checked);
    small_share(s->packets_violating, s->packets_checked, share);
    switch (s->verdict) {
    case SUMMARY_FAIL:
        small_count(s->violating, count);
        text_putf(t, STYLE_BAD, "FAIL%s:", cut);
        text_putf(t, STYLE_BOLD, " %s of %s checked %s %s wrong marks", count, checked,
                  plural(s->checked, "stream", "streams"), plural(s->violating, "carries", "carry"));
        verdict_rest(t, share, "of packets");
        return;
    case SUMMARY_PASS:
        small_count(s->packets_checked, count);
        text_putf(t, *cut ? STYLE_UNSURE : STYLE_GOOD, "PASS%s:", cut);
        text_putf(t, STYLE_BOLD,
                  s->checked == 1 ? " the one checked stream conforms" : " all %s checked streams conform", checked);
        if (s->packets_violating)
            verdict_rest(t, share, "of packets wrong, tolerated");
        else
            verdict_rest(t, count, plural(s->packets_checked, "packet", "packets"));
        return;
    case SUMMARY_NOTHING_CHECKED:
        break;
    }
    small_count(s->streams, count);
    text_putf(t, STYLE_UNSURE, "NOTHING CHECKED%s:", cut);
    if (s->streams == 0)
        text_put(t, STYLE_BOLD, " no stream was seen");
    else if (s->streams == 1)
        text_put(t, STYLE_BOLD, s->undetermined ? " the one stream could not be judged" : " the one stream is of no class in the policy");
    else
        text_putf(t, STYLE_BOLD, s->undetermined ? " none of %s streams could be judged"
                                                 : " none of %s streams is of a class in the policy", count);
}

/* A sentence about a file mostly begins with its name: not said twice then. */
static bool names_itself(const struct input *in)
{
    size_t len = strlen(in->file);
    return in->problem && strncmp(in->problem, in->file, len) == 0 && (in->problem[len] == ' ' || in->problem[len] == ':');
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
        if (in->complete || !names_itself(in)) {
            text_wrap(t, STYLE_PLAIN, indent, in->file);
            text_put(t, STYLE_PLAIN, ":");
        }
        if (!in->complete)
            text_wrap(t, STYLE_PLAIN, indent, in->problem && *in->problem ? in->problem : "not read to its end");
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
    if (!said && !d->summary.complete) {
        text_put(t, STYLE_BAD, "INCOMPLETE:");
        text_wrap(t, STYLE_PLAIN, indent, " the input was not read whole; see the notes");
        text_end(t);
    }
}

/* "28 conform, 3 could not be judged, 14 are not covered by the policy." */
static void rest_line(struct text *t)
{
    const struct summary *s = &t->document->summary;
    bool checked = s->verdict != SUMMARY_NOTHING_CHECKED;
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {
        {s->verdict == SUMMARY_FAIL ? s->conforming : 0, plural(s->conforming, "conforms", "conform")},
        {s->undetermined, "could not be judged"},
        {checked || s->undetermined ? s->unchecked : 0,
         plural(s->unchecked, "is not covered by the policy", "are not covered by the policy")},
    };
    bool any = false;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!parts[i].n)
            continue;
        char count[SMALL_TEXT_MAX];
        small_count(parts[i].n, count);
        text_putf(t, STYLE_PLAIN, "%s%s %s", any ? ", " : "", count, parts[i].what);
        any = true;
    }
    if (any) {
        text_put(t, STYLE_PLAIN, ".");
        text_end(t);
    }
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
    strbuf_done(&t.scratch);
    strbuf_done(&t.escaped);
}

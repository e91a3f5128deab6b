#include "report/view_verdict.h"

#include <stdio.h>
#include <string.h>

#include "report/report_text.h"

static bool is_incomplete(const struct document *d)
{
    bool whole = d->summary.complete;
    for (size_t i = 0; i < d->input_count; i++)
        whole = whole && d->inputs[i].complete && d->inputs[i].dropped == 0;
    return !whole;
}

static void say_fail(const struct summary *s, struct view_verdict *v)
{
    char count[SMALL_TEXT_MAX], checked[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX];
    small_count(s->violating, count);
    small_count(s->checked, checked);
    small_share(s->packets_violating, s->packets_checked, share);
    (void)snprintf(v->sentence, sizeof v->sentence, "%s of %s checked %s %s wrong marks", count, checked,
                   plural(s->checked, "stream", "streams"), plural(s->violating, "carries", "carry"));
    (void)snprintf(v->share, sizeof v->share, "%s of packets", share);
}

/* What could not be judged belongs to the verdict: nobody in a hurry is to take this for all of them. */
static void say_pass_of_some(const struct summary *s, struct view_verdict *v)
{
    char checked[SMALL_TEXT_MAX], all[SMALL_TEXT_MAX], unknown[SMALL_TEXT_MAX];
    small_count(s->checked, checked);
    small_count(s->checked + s->undetermined, all);
    small_count(s->undetermined, unknown);
    (void)snprintf(v->sentence, sizeof v->sentence, "%s%s of %s streams %s; %s could not be judged",
                   v->mostly_unjudged ? "only " : "", checked, all, plural(s->checked, "conforms", "conform"), unknown);
}

static void say_pass(const struct summary *s, struct view_verdict *v)
{
    char packets[SMALL_TEXT_MAX], checked[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX];
    small_count(s->packets_checked, packets);
    small_count(s->checked, checked);
    small_share(s->packets_violating, s->packets_checked, share);
    if (s->undetermined)
        say_pass_of_some(s, v);
    else if (s->checked == 1)
        (void)snprintf(v->sentence, sizeof v->sentence, "the one checked stream conforms");
    else
        (void)snprintf(v->sentence, sizeof v->sentence, "all %s checked streams conform", checked);
    if (s->packets_violating)
        (void)snprintf(v->share, sizeof v->share, "%s of packets wrong, tolerated", share);
    else
        (void)snprintf(v->share, sizeof v->share, "%s %s%s", packets, plural(s->packets_checked, "packet", "packets"),
                       s->undetermined ? " checked" : "");
}

static void say_nothing(const struct summary *s, struct view_verdict *v)
{
    char count[SMALL_TEXT_MAX];
    small_count(s->streams, count);
    if (s->streams == 0)
        (void)snprintf(v->sentence, sizeof v->sentence, "no stream was seen");
    else if (s->streams == 1)
        (void)snprintf(v->sentence, sizeof v->sentence, "%s",
                       s->undetermined ? "the one stream could not be judged"
                                       : "the one stream is of no class in the policy");
    else
        (void)snprintf(v->sentence, sizeof v->sentence,
                       s->undetermined ? "none of %s streams could be judged"
                                       : "none of %s streams is of a class in the policy",
                       count);
}

struct view_verdict view_verdict(const struct document *d)
{
    static const struct {
        const char *word;
        void (*say)(const struct summary *s, struct view_verdict *v);
    } verdicts[] = {
        [SUMMARY_NOTHING_CHECKED] = {"NOTHING CHECKED", say_nothing},
        [SUMMARY_PASS] = {"PASS", say_pass},
        [SUMMARY_FAIL] = {"FAIL", say_fail},
    };
    struct view_verdict v = {.word = verdicts[d->summary.verdict].word, .incomplete = is_incomplete(d)};
    v.mostly_unjudged = d->summary.undetermined > d->summary.checked;
    verdicts[d->summary.verdict].say(&d->summary, &v);
    return v;
}

void view_rest(const struct document *d, struct strbuf *to)
{
    const struct summary *s = &d->summary;
    bool checked = s->verdict != SUMMARY_NOTHING_CHECKED, any = false;
    const struct {
        uint64_t n;
        const char *what;
    } parts[] = {
        {s->verdict == SUMMARY_FAIL ? s->conforming : 0, plural(s->conforming, "conforms", "conform")},
        {s->verdict == SUMMARY_PASS ? 0 : s->undetermined, "could not be judged"},
        {checked || s->undetermined ? s->unchecked : 0,
         plural(s->unchecked, "is not covered by the policy", "are not covered by the policy")},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char count[SMALL_TEXT_MAX];
        if (!parts[i].n)
            continue;
        small_count(parts[i].n, count);
        strbuf_addf(to, "%s%s %s", any ? ", " : "", count, parts[i].what);
        any = true;
    }
    if (any)
        strbuf_addc(to, '.');
}

bool view_problem_names(const struct input *in)
{
    size_t len = strlen(in->file);
    return in->problem && strncmp(in->problem, in->file, len) == 0 &&
           (in->problem[len] == ' ' || in->problem[len] == ':');
}

const char *view_problem(const struct input *in)
{
    return in->problem && *in->problem ? in->problem : "not read to its end";
}

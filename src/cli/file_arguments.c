#include "cli/file_arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static int take_jobs(struct file_arguments *a, const char *value)
{
    char *end;
    errno = 0;
    a->jobs = strtol(value, &end, 10);
    if (errno || *end || end == value || a->jobs < 1 || a->jobs > 1024)
        return cli_fail(EXIT_USAGE, "--jobs is a number of threads from 1 to 1024, not \"%s\"", value);
    return 0;
}

static int take_layer(struct file_arguments *a, const char *value)
{
    a->outer = strcmp(value, "outer") == 0;
    if (!a->outer && strcmp(value, "inner") != 0)
        return cli_fail(EXIT_USAGE, "--layer is inner or outer, not \"%s\"", value);
    return 0;
}

static int take_named(struct file_arguments *a, const struct option_walk *w, file_arguments_own own, void *user)
{
    const char *name = w->spec->name;
    if (strcmp(name, "quiet") == 0)
        a->report.quiet = true;
    else if (strcmp(name, "help") == 0)
        a->help = true;
    else if (strcmp(name, "verbose") == 0)
        a->report.verbose++;
    else if (strcmp(name, "output") == 0)
        a->output = w->value;
    else if (strcmp(name, "jobs") == 0)
        return take_jobs(a, w->value);
    else if (strcmp(name, "layer") == 0)
        return take_layer(a, w->value);
    else if (strcmp(name, "format") == 0)
        return report_format_parse(w->value, &a->report.format)
                   ? 0
                   : cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", w->value);
    else if (strcmp(name, "color") == 0)
        return color_parse(w->value, &a->color)
                   ? 0
                   : cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", w->value);
    else if (own)
        return own(user, w);
    return 0;
}

int file_arguments_take(struct file_arguments *a, int argc, char **argv, const struct option_spec *specs, size_t count,
                        file_arguments_own own, void *user)
{
    a->files = calloc((size_t)argc, sizeof *a->files);
    if (!a->files)
        return cli_fail(EXIT_INPUT, "out of memory");
    struct option_walk w = option_walk_start(argc, argv, specs, count);
    while (option_walk_next(&w)) {
        if (!w.spec) {
            a->stdin_count += strcmp(w.value, "-") == 0;
            a->files[a->file_count++] = w.value;
            continue;
        }
        if (strcmp(w.spec->name, "version") == 0) {
            a->version = true;
            return 0;
        }
        int taken = policy_arguments_take(&a->policy, &w);
        if (taken < 0)
            return cli_fail(EXIT_INPUT, "out of memory");
        a->policy_given = a->policy_given || taken;
        int status = taken || anonymize_arguments_take(&a->anonymize, &w) ? 0 : take_named(a, &w, own, user);
        if (status)
            return status;
    }
    return w.problem[0] ? cli_fail(EXIT_USAGE, "%s", w.problem) : 0;
}

int file_arguments_check(const struct file_arguments *a)
{
    if (a->stdin_count > 1)
        return cli_fail(EXIT_USAGE, "standard input (\"-\") can be read once only");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->report.format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->report.format));
    int status = policy_arguments_spare(&a->policy, "--output", a->output);
    for (size_t i = 0; i < a->file_count && status == 0; i++)
        status = cli_spare_input("--output", a->output, a->files[i]);
    return status ? status : cli_spare_input("--output", a->output, a->anonymize.key);
}

void file_arguments_settle(struct file_arguments *a)
{
    a->report.color = terminal_color(a->color, a->output != NULL);
    a->report.utf8 = terminal_utf8();
    a->report.width = a->output ? 80 : terminal_width();
}

void file_arguments_done(struct file_arguments *a)
{
    policy_arguments_done(&a->policy);
    free(a->files);
}

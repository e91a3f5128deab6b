#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "cli/anonymize_arguments.h"
#include "cli/cli.h"
#include "cli/common.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "engine/compare_run.h"
#include "engine/pipeline.h"
#include "report/report_compare.h"

static const struct option_spec specs[] = {
    POLICY_OPTIONS,
    {"format", 'f', "FORMAT", "text (default), json, jsonl, csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    {"layer", 0, "inner|outer", "which IP header's mark is compared where there are several (default inner)"},
    ANONYMIZE_OPTIONS,
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "streams too; twice for all of them"},
    {"jobs", 'j', "N", "captures read at a time (default one a processor)"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0], FILES_MAX = 64 };

struct compare_arguments {
    struct policy_arguments policy;
    struct anonymize_arguments anonymize;
    const char **files;
    size_t file_count;
    const char *output;
    struct report_options report;
    enum report_format format;
    enum color_choice color;
    bool outer, help, version;
    long jobs;
};

static int take_named(struct compare_arguments *a, const struct option_walk *w)
{
    const char *name = w->spec->name;
    if (strcmp(name, "quiet") == 0) {
        a->report.quiet = true;
    } else if (strcmp(name, "help") == 0) {
        a->help = true;
    } else if (strcmp(name, "verbose") == 0) {
        a->report.verbose++;
    } else if (strcmp(name, "output") == 0) {
        a->output = w->value;
    } else if (strcmp(name, "format") == 0) {
        if (!report_format_parse(w->value, &a->format))
            return cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", w->value);
    } else if (strcmp(name, "color") == 0) {
        if (!color_parse(w->value, &a->color))
            return cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", w->value);
    } else if (strcmp(name, "layer") == 0) {
        a->outer = strcmp(w->value, "outer") == 0;
        if (!a->outer && strcmp(w->value, "inner") != 0)
            return cli_fail(EXIT_USAGE, "--layer is inner or outer, not \"%s\"", w->value);
    } else if (strcmp(name, "jobs") == 0) {
        char *end;
        errno = 0;
        a->jobs = strtol(w->value, &end, 10);
        if (errno || *end || end == w->value || a->jobs < 1 || a->jobs > 1024)
            return cli_fail(EXIT_USAGE, "--jobs is a number of threads from 1 to 1024, not \"%s\"", w->value);
    }
    return 0;
}

static int take_arguments(struct compare_arguments *a, int argc, char **argv)
{
    struct option_walk w = option_walk_start(argc, argv, specs, SPEC_COUNT);
    while (option_walk_next(&w)) {
        if (!w.spec) {
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
        int status = taken || anonymize_arguments_take(&a->anonymize, &w) ? 0 : take_named(a, &w);
        if (status)
            return status;
    }
    return w.problem[0] ? cli_fail(EXIT_USAGE, "%s", w.problem) : 0;
}

/* The same file under whatever name: compared with itself everything is kept, which proves nothing. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static int check_arguments(const struct compare_arguments *a)
{
    size_t stdin_count = 0;
    if (a->file_count < 2)
        return cli_fail(
            EXIT_USAGE,
            "compare needs two captures of the same traffic, in the order of the path: qosmark compare BEFORE AFTER");
    if (a->file_count > FILES_MAX)
        return cli_fail(EXIT_USAGE, "compare takes %d captures at most", FILES_MAX);
    for (size_t i = 0; i < a->file_count; i++) {
        stdin_count += strcmp(a->files[i], "-") == 0;
        for (size_t k = 0; k < i; k++)
            if (is_same_file(a->files[i], a->files[k]) && strcmp(a->files[i], "-") != 0)
                return cli_fail(EXIT_USAGE, "%s is given twice: compared with itself it shows nothing", a->files[i]);
    }
    if (stdin_count > 1)
        return cli_fail(EXIT_USAGE, "standard input (\"-\") can be read once only");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->format));
    return 0;
}

static int status_of(const struct compare_document *d)
{
    if (d->verdict == SUMMARY_FAIL)
        return EXIT_VIOLATION;
    for (size_t i = 0; i < d->capture_count; i++)
        if (!d->captures[i].input.complete)
            return EXIT_INPUT;
    return d->verdict == SUMMARY_PASS ? EXIT_CONFORMS : EXIT_NOTHING;
}

static int write_report(const struct compare_arguments *a, const struct compare_document *d, struct output *output)
{
    struct error error = {0};
    int status = status_of(d);
    for (size_t i = 0; i < d->capture_count; i++)
        if (*d->captures[i].input.problem)
            (void)cli_fail(0, "%s", d->captures[i].input.problem);
    if (report_compare_write(d, a->format, &a->report, output_write, output, &error) < 0) {
        /* where writing failed the commit says why */
        if (!ferror(output->file))
            (void)cli_fail(0, "%s", error.text[0] ? error.text : "the report could not be written");
        output->failed = true;
        status = EXIT_INPUT;
    }
    if (output->written && output_commit(output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    return status;
}

static int compare(const struct compare_arguments *a, const struct policy *policy)
{
    struct output output;
    struct progress progress;
    struct compare_document *document = NULL;
    struct anonymizer *anonymizer = NULL;
    struct error error = {0};
    struct compare_options options = {
        .files = a->files,
        .file_count = a->file_count,
        .policy = policy,
        .outer_layer = a->outer,
        .jobs = a->jobs ? (unsigned)a->jobs : pipeline_processors(),
        .progress = progress_update,
        .progress_user = &progress,
    };
    if (getrandom(&options.key, sizeof options.key, 0) != (ssize_t)sizeof options.key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers: %s", strerror(errno));
    int status = anonymize_arguments_load(&a->anonymize, &anonymizer);
    if (status)
        return status;
    options.anonymizer = anonymizer;
    if (output_open(&output, a->output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    if (status == 0) {
        progress_init(&progress);
        int r = compare_run(&options, &document, &error);
        progress_done(&progress);
        if (r < 0)
            status = cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
        else
            status = write_report(a, document, &output);
    }
    compare_document_free(document);
    anonymizer_free(anonymizer);
    output_abandon(&output);
    return status;
}

int cmd_compare(int argc, char **argv)
{
    struct compare_arguments a = {.color = COLOR_AUTO};
    struct policy *policy = NULL;

    /* a reader that goes away and a limit on the size of files are errors of writing, to be said, not signals */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    a.files = calloc((size_t)argc, sizeof *a.files);
    int status = a.files ? take_arguments(&a, argc, argv) : cli_fail(EXIT_INPUT, "out of memory");
    if (status == 0 && a.version) {
        status = cli_version();
        goto out;
    }
    if (status == 0 && a.help) {
        options_print_help("compare", "BEFORE AFTER...",
                           "What the network did between captures of the same traffic, given in the order of the path: "
                           "marks before and after, "
                           "packet by packet, losses and delay by class. NAT, tunnels, other links and clocks between "
                           "are no hindrance.",
                           specs, SPEC_COUNT);
        goto out;
    }
    if (status == 0)
        status = check_arguments(&a);
    if (status == 0)
        status = policy_arguments_load(&a.policy, &policy);
    if (status)
        goto out;
    a.report.color = terminal_color(a.color, a.output != NULL);
    a.report.utf8 = terminal_utf8();
    a.report.width = a.output ? 80 : terminal_width();
    status = compare(&a, policy);
out:
    policy_free(policy);
    policy_arguments_done(&a.policy);
    free(a.files);
    return status;
}

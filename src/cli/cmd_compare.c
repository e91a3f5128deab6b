#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/file_arguments.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "compare/run.h"
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

/* The same file under whatever name: compared with itself everything is kept, which proves nothing. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return strcmp(a, b) == 0 || (stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

static int check_arguments(const struct file_arguments *a)
{
    if (a->file_count < 2)
        return cli_fail(
            EXIT_USAGE,
            "compare needs two captures of the same traffic, in the order of the path: qosmark compare BEFORE AFTER");
    if (a->file_count > FILES_MAX)
        return cli_fail(EXIT_USAGE, "compare takes %d captures at most", FILES_MAX);
    for (size_t i = 0; i < a->file_count; i++)
        for (size_t k = 0; k < i; k++)
            if (is_same_file(a->files[i], a->files[k]) && strcmp(a->files[i], "-") != 0)
                return cli_fail(EXIT_USAGE, "%s is given twice: compared with itself it shows nothing", a->files[i]);
    return file_arguments_check(a);
}

static int status_of(const struct compare_document *d)
{
    if (d->verdict == SUMMARY_FAIL)
        return EXIT_VIOLATION;
    for (size_t i = 0; i < d->capture_count; i++)
        if (!d->captures[i].input.complete || d->captures[i].left_out)
            return EXIT_INPUT;
    return d->verdict == SUMMARY_PASS ? EXIT_CONFORMS : EXIT_NOTHING;
}

static int write_report(const struct file_arguments *a, const struct compare_document *d, struct output *output)
{
    struct error error = {0};
    int status = status_of(d);
    for (size_t i = 0; i < d->capture_count; i++)
        if (*d->captures[i].input.problem)
            (void)cli_fail(0, "%s", d->captures[i].input.problem);
    if (report_compare_write(d, a->report.format, &a->report, output_write, output, &error) < 0)
        status = cli_report_failed(output, &error);
    if (output->written && output_commit(output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    return status;
}

static int compare(const struct file_arguments *a, const struct policy *policy)
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
        confine_files((struct output *const[]){&output}, 1, a->report.verbose > 0);
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
    struct file_arguments a = {.color = COLOR_AUTO};
    struct policy *policy = NULL;

    int status = file_arguments_take(&a, argc, argv, specs, SPEC_COUNT, NULL, NULL);
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
    file_arguments_settle(&a);
    status = compare(&a, policy);
out:
    policy_free(policy);
    file_arguments_done(&a);
    return status;
}

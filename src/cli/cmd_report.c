#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/anonymize_arguments.h"
#include "cli/cli.h"
#include "cli/common.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "engine/merge.h"
#include "model/document.h"
#include "report/report.h"

static const struct option_spec specs[] = {
    {"policy", 'p', "FILE",
     "judge all records anew by this policy (YAML); without it the verdicts are those that were saved"},
    {"mmp", 0, "FILE", "the server's own `dscp` command lines: judges anew"},
    {"node", 'n', "NAME=ADDR[,ADDR]", "a conferencing node with its addresses: judges anew; may be repeated"},
    {"discover", 0, "DOMAIN", "find the nodes through the domain's SRV and A records: judges anew"},
    {"resolver", 0, "ADDR[:PORT]", "the DNS server to ask for --discover; without it the system's"},
    {"format", 'f', "FORMAT", "text (default), json, jsonl (which can be merged again), csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    ANONYMIZE_OPTIONS,
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "streams too; twice for all that is known of them"},
    {"jobs", 'j', "N", "threads at most; one is enough for this"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

struct report_arguments {
    struct policy_arguments policy;
    struct anonymize_arguments anonymize;
    const char **files;
    size_t file_count;
    const char *output;
    struct report_options report;
    enum color_choice color;
    bool anew, help, version;
};

static int take_jobs(const char *value)
{
    char *end;
    errno = 0;
    long jobs = strtol(value, &end, 10);
    if (errno || *end || end == value || jobs < 1 || jobs > 1024)
        return cli_fail(EXIT_USAGE, "--jobs is a number of threads from 1 to 1024, not \"%s\"", value);
    return 0;
}

static int take_named(struct report_arguments *a, const struct option_walk *w)
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
        return take_jobs(w->value);
    else if (strcmp(name, "format") == 0 && !report_format_parse(w->value, &a->report.format))
        return cli_fail(EXIT_USAGE, "there is no format \"%s\": text, json, jsonl, csv or html", w->value);
    else if (strcmp(name, "color") == 0 && !color_parse(w->value, &a->color))
        return cli_fail(EXIT_USAGE, "--color is auto, always or never, not \"%s\"", w->value);
    return 0;
}

static int take_arguments(struct report_arguments *a, int argc, char **argv)
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
        a->anew = a->anew || taken;
        bool done = taken || anonymize_arguments_take(&a->anonymize, &w);
        int status = done ? 0 : take_named(a, &w);
        if (status)
            return status;
    }
    return w.problem[0] ? cli_fail(EXIT_USAGE, "%s", w.problem) : 0;
}

static int check_arguments(const struct report_arguments *a)
{
    size_t stdin_count = 0;
    for (size_t i = 0; i < a->file_count; i++)
        stdin_count += strcmp(a->files[i], "-") == 0;
    if (a->file_count == 0)
        return cli_fail(EXIT_USAGE, "report needs saved records: qosmark report FILE... (\"-\" is standard input), as "
                                    "`qosmark audit -f jsonl` writes them");
    if (stdin_count > 1)
        return cli_fail(EXIT_USAGE, "standard input (\"-\") can be read once only");
    if (a->report.quiet && a->report.verbose)
        return cli_fail(EXIT_USAGE, "--quiet and --verbose contradict each other");
    if (a->report.quiet && a->report.format != REPORT_TEXT)
        return cli_fail(EXIT_USAGE, "--quiet is for the text report, not for %s", report_format_name(a->report.format));
    return 0;
}

static void say_problem(void *user, const char *sentence)
{
    progress_done(user);
    (void)cli_fail(0, "%s", sentence);
}

/* Writes the report; frees the document. */
static int write_report(const struct report_arguments *a, struct document *d, struct output *output)
{
    struct error error = {0};
    int status = cli_document_status(d);
    if (report_write(d, &a->report, output_write, output, &error) < 0) {
        /* where writing failed the commit says why */
        if (!ferror(output->file))
            (void)cli_fail(0, "%s", error.text[0] ? error.text : "the report could not be written");
        output->failed = true;
        status = EXIT_INPUT;
    }
    document_free(d);
    return status;
}

static int merge(const struct report_arguments *a, struct policy *policy, struct anonymizer *anonymizer,
                 struct output *output)
{
    struct progress progress;
    struct error error = {0};
    struct document *d = NULL;
    struct merge_options options = {.files = a->files,
                                    .file_count = a->file_count,
                                    .policy = policy,
                                    .anonymizer = anonymizer,
                                    .problem = say_problem,
                                    .problem_user = &progress,
                                    .progress = progress_update,
                                    .progress_user = &progress};
    if (getrandom(&options.key, sizeof options.key, 0) != (ssize_t)sizeof options.key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers: %s", strerror(errno));
    progress_init(&progress);
    int r = merge_run(&options, &d, &error);
    progress_done(&progress);
    if (r == ERR_IO) /* each file's problem was said when it was met */
        return EXIT_INPUT;
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
    return write_report(a, d, output);
}

static int report_all(const struct report_arguments *a, struct policy *policy, struct anonymizer *anonymizer)
{
    struct output output;
    struct error error = {0};
    if (output_open(&output, a->output, &error) < 0) {
        output_abandon(&output);
        return cli_fail(EXIT_INPUT, "%s", error.text);
    }
    int status = merge(a, policy, anonymizer, &output);
    if (output.written && output_commit(&output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    output_abandon(&output);
    return status;
}

int cmd_report(int argc, char **argv)
{
    struct report_arguments a = {.color = COLOR_AUTO};
    struct policy *policy = NULL;
    struct anonymizer *anonymizer = NULL;

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
        options_print_help("report", "RECORDS...",
                           "Makes one report of saved records (`audit`, `live` or `report` with -f jsonl, `audit -f "
                           "json`; compressed or\n"
                           "not) of any number of runs, points and days. What is in several of them is counted once.",
                           specs, SPEC_COUNT);
        goto out;
    }
    if (status == 0)
        status = check_arguments(&a);
    if (status == 0 && a.anew)
        status = policy_arguments_load(&a.policy, &policy);
    if (status == 0)
        status = anonymize_arguments_load(&a.anonymize, &anonymizer);
    if (status)
        goto out;
    a.report.color = terminal_color(a.color, a.output != NULL);
    a.report.utf8 = terminal_utf8();
    a.report.width = a.output ? 80 : terminal_width();
    status = report_all(&a, policy, anonymizer);
out:
    anonymizer_free(anonymizer);
    policy_free(policy);
    policy_arguments_done(&a.policy);
    free(a.files);
    return status;
}

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/file_arguments.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "merge/merge.h"
#include "model/document.h"
#include "report/records_read.h"
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

static int check_arguments(const struct file_arguments *a)
{
    if (a->file_count == 0)
        return cli_fail(EXIT_USAGE, "report needs saved records: qosmark report FILE... (\"-\" is standard input), as "
                                    "`qosmark audit -f jsonl` writes them");
    return file_arguments_check(a);
}

static bool memory_ran_out; /* while records were read */

static void *allocate(size_t bytes)
{
    void *at = malloc(bytes);
    memory_ran_out = memory_ran_out || !at;
    return at;
}

static void say_problem(void *user, const char *sentence)
{
    progress_done(user);
    if (!memory_ran_out) /* or what it says of the file is not true */
        (void)cli_fail(0, "%s", sentence);
}

/* Writes the report; frees the document. */
static int write_report(const struct file_arguments *a, struct document *d, struct output *output)
{
    struct error error = {0};
    int status = cli_document_status(d);
    if (report_write(d, &a->report, output_write, output, &error) < 0)
        status = cli_report_failed(output, &error);
    document_free(d);
    return status;
}

static int merge(const struct file_arguments *a, struct policy *policy, struct anonymizer *anonymizer,
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
    records_allocate_with(allocate);
    progress_init(&progress);
    int r = merge_run(&options, &d, &error);
    progress_done(&progress);
    if (memory_ran_out) {
        document_free(r < 0 ? NULL : d);
        return cli_fail(EXIT_INPUT, "out of memory");
    }
    if (r == ERR_IO) /* each file's problem was said when it was met */
        return EXIT_INPUT;
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
    return write_report(a, d, output);
}

static int report_all(const struct file_arguments *a, struct policy *policy, struct anonymizer *anonymizer)
{
    struct output output;
    struct error error = {0};
    if (output_open(&output, a->output, &error) < 0) {
        output_abandon(&output);
        return cli_fail(EXIT_INPUT, "%s", error.text);
    }
    confine_files((struct output *const[]){&output}, 1, a->report.verbose > 0);
    int status = merge(a, policy, anonymizer, &output);
    if (output.written && output_commit(&output, &error) < 0)
        status = cli_fail(EXIT_INPUT, "%s", error.text);
    output_abandon(&output);
    return status;
}

int cmd_report(int argc, char **argv)
{
    struct file_arguments a = {.color = COLOR_AUTO};
    struct policy *policy = NULL;
    struct anonymizer *anonymizer = NULL;

    int status = file_arguments_take(&a, argc, argv, specs, SPEC_COUNT, NULL, NULL);
    if (status == 0 && a.version) {
        status = cli_version();
        goto out;
    }
    if (status == 0 && a.help) {
        options_print_help("report", "RECORDS...",
                           "Makes one report of saved records (`audit`, `live` or `report` with -f jsonl, `audit -f "
                           "json`; compressed or "
                           "not) of any number of runs, points and days. What is in several of them is counted once.",
                           specs, SPEC_COUNT);
        goto out;
    }
    if (status == 0)
        status = check_arguments(&a);
    if (status == 0 && a.policy_given)
        status = policy_arguments_load(&a.policy, &policy);
    if (status == 0)
        status = anonymize_arguments_load(&a.anonymize, &anonymizer);
    if (status)
        goto out;
    file_arguments_settle(&a);
    status = report_all(&a, policy, anonymizer);
out:
    anonymizer_free(anonymizer);
    policy_free(policy);
    file_arguments_done(&a);
    return status;
}

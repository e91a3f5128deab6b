#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cli/audit_violations.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/file_arguments.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "engine/audit_each.h"
#include "engine/pipeline.h"
#include "model/document.h"
#include "report/report.h"

static const struct option_spec specs[] = {
    POLICY_OPTIONS,
    {"format", 'f', "FORMAT", "text (default), json, jsonl, csv or html"},
    {"output", 'o', "FILE", "write the report to a file; it is whole or not there"},
    VIOLATIONS_OPTIONS,
    ANONYMIZE_OPTIONS,
    {"point", 0, "NAME", "what records call the place of the capture (default: the file's name)"},
    {"separate", 0, NULL, "judge each file alone; without it several files are one capture in time order"},
    {"layer", 0, "inner|outer", "which IP header of a tunnel is judged (default inner)"},
    {"ignore-signalling", 0, NULL, "take nothing from SDP: tell voice and video by the packets alone"},
    {"mask-payload-types", 0, NULL, "give no payload type a meaning, not even the static ones of RFC 3551"},
    {"explain", 0, NULL, "with -v: what each feature said of each RTP stream"},
    {"quiet", 'q', NULL, "the verdict line alone"},
    {"verbose", 'v', NULL, "streams too; twice for all that is known of them"},
    {"jobs", 'j', "N", "threads at most (default one a processor); what is found does not depend on it"},
    {"color", 0, "auto|always|never", "colours in the text report (default auto)"},
    {"help", 'h', NULL, "show this"},
    {"version", 0, NULL, "show the version"},
};

enum { SPEC_COUNT = sizeof specs / sizeof specs[0] };

struct audit_arguments {
    struct file_arguments common;
    struct audit_violations violations;
    const char *point;
    bool separate, ignore_signalling, mask_payload_types, explain;
};

static int take_own(void *user, const struct option_walk *w)
{
    struct audit_arguments *a = user;
    const struct {
        const char *name;
        bool *to;
    } flags[] = {{"separate", &a->separate},
                 {"ignore-signalling", &a->ignore_signalling},
                 {"mask-payload-types", &a->mask_payload_types},
                 {"explain", &a->explain}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(w->spec->name, flags[i].name) == 0)
            *flags[i].to = true;
    if (strcmp(w->spec->name, "point") == 0) {
        a->point = w->value;
        return cli_check_point(a->point);
    }
    return audit_violations_take(&a->violations, w);
}

static int check_report(const struct audit_arguments *a)
{
    if (a->separate && a->common.file_count > 1 && a->common.report.format == REPORT_HTML)
        return cli_fail(EXIT_USAGE, "--separate with -f html would write several pages into one: "
                                    "give one file at a time, or leave out --separate");
    if (a->explain && !a->common.report.verbose && a->common.report.format == REPORT_TEXT)
        return cli_fail(EXIT_USAGE,
                        "--explain says something of each stream, which the text report lists with -v only");
    return 0;
}

static int check_arguments(const struct audit_arguments *a)
{
    /* its packets would count twice, as duplicates of one another */
    for (size_t i = 0; i < a->common.file_count && a->common.stdin_count < 2; i++)
        for (size_t j = 0; j < i && !a->separate; j++)
            if (strcmp(a->common.files[i], a->common.files[j]) == 0 && a->common.files[i][0])
                return cli_fail(EXIT_USAGE, "%s is given twice: its packets would count twice", a->common.files[i]);
    if (a->common.file_count == 0)
        return cli_fail(EXIT_USAGE, "audit needs a capture: qosmark audit FILE... (\"-\" is standard input)");
    int status = file_arguments_check(&a->common);
    if (status == 0)
        status = check_report(a);
    if (status)
        return status;
    return audit_violations_check(&a->violations, a->common.files, a->common.file_count, a->separate, a->common.output);
}

/* Of several files judged apart the worst counts: a violation, a failure, a file in which nothing was seen. */
static int worse_status(int a, int b)
{
    static const int rank[] = {
        [EXIT_CONFORMS] = 0, [EXIT_NOTHING] = 1, [EXIT_USAGE] = 2, [EXIT_INPUT] = 3, [EXIT_VIOLATION] = 4};
    return rank[a] >= rank[b] ? a : b;
}

/* What became of an audit; frees the document. */
static int report_audit(const struct audit_arguments *a, int r, struct document *document, const struct error *why,
                        struct output *output)
{
    struct error error = {0};
    if (r < 0)
        return cli_fail(EXIT_INPUT, "%s", why->text[0] ? why->text : error_name(r));

    for (size_t i = 0; i < document->input_count; i++)
        if (document->inputs[i].problem[0])
            (void)cli_fail(0, "%s", document->inputs[i].problem);
    int status = cli_document_status(document);
    if (report_write(document, &a->common.report, output_write, output, &error) < 0)
        status = cli_report_failed(output, &error);
    document_free(document);
    return status;
}

static int audit_together(const struct audit_arguments *a, struct audit_options *options, struct output *output)
{
    struct progress progress;
    struct error error = {0};
    struct document *document = NULL;
    options->progress_user = &progress;
    progress_init(&progress);
    int r = audit_run(options, &document, &error);
    progress_done(&progress);
    return report_audit(a, r, document, &error, output);
}

struct separate_audit {
    const struct audit_arguments *arguments;
    struct output *output;
    struct progress progress;
    int status;
};

static void take_separate(void *user, size_t file, int r, struct document *document, const struct error *error)
{
    struct separate_audit *s = user;
    (void)file;
    progress_done(&s->progress);
    s->status = worse_status(s->status, report_audit(s->arguments, r, document, error, s->output));
}

static int audit_separately(const struct audit_arguments *a, struct audit_options *options, struct output *output)
{
    struct separate_audit s = {.arguments = a, .output = output, .status = EXIT_CONFORMS};
    options->progress_user = &s.progress;
    progress_init(&s.progress);
    int r = audit_each(options, take_separate, &s);
    progress_done(&s.progress);
    return r < 0 ? cli_fail(EXIT_INPUT, "out of memory") : s.status;
}

static void leave_it(int signal_number)
{
    (void)signal(signal_number, output_interrupted);
}

/* `tcpdump -w - | qosmark audit -`: Ctrl-C is meant for the one that captures, whose end is then read, judged and
 * reported. The second one is meant. */
static void leave_interrupt_to_the_capturer(const struct audit_arguments *a)
{
    struct sigaction action = {.sa_handler = leave_it, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < a->common.file_count; i++)
        if (strcmp(a->common.files[i], "-") == 0)
            (void)sigaction(SIGINT, &action, NULL);
}

/* The audit, with what it writes. */
static int audit_to(const struct audit_arguments *a, struct audit_options *options, struct audit_violations *violations)
{
    struct output output;
    struct error error = {0};
    if (output_open(&output, a->common.output, &error) < 0) {
        output_abandon(&output);
        return cli_fail(EXIT_INPUT, "%s", error.text);
    }
    int status = audit_violations_open(violations);
    if (status == 0) {
        struct output *const outputs[] = {&output, violations->path ? &violations->output : NULL};
        confine_files(outputs, 2, a->common.report.verbose > 0);
        options->wrong = violations->path ? &violations->wrong : NULL;
        status = a->separate ? audit_separately(a, options, &output) : audit_together(a, options, &output);
        if (output.written && output_commit(&output, &error) < 0)
            status = cli_fail(EXIT_INPUT, "%s", error.text);
        status = audit_violations_end(violations, status, a->common.report.quiet);
    }
    output_abandon(&output);
    return status;
}

static int audit_all(const struct audit_arguments *a, const struct policy *policy)
{
    struct audit_violations violations = a->violations;
    struct anonymizer *anonymizer = NULL;
    struct audit_options options = {
        .files = a->common.files,
        .file_count = a->common.file_count,
        .point = a->point,
        .policy = policy,
        .outer_layer = a->common.outer,
        .ignore_signalling = a->ignore_signalling,
        .mask_payload_types = a->mask_payload_types,
        .explain = a->explain,
        .jobs = a->common.jobs ? (unsigned)a->common.jobs : pipeline_processors(),
        .progress = progress_update,
    };
    if (getrandom(&options.key, sizeof options.key, 0) != (ssize_t)sizeof options.key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers: %s", strerror(errno));

    int status = anonymize_arguments_load(&a->common.anonymize, &anonymizer);
    options.anonymizer = anonymizer;
    if (status == 0)
        status = audit_to(a, &options, &violations);
    anonymizer_free(anonymizer);
    return status;
}

int cmd_audit(int argc, char **argv)
{
    struct audit_arguments a = {.common = {.color = COLOR_AUTO}};
    struct policy *policy = NULL;

    int status = file_arguments_take(&a.common, argc, argv, specs, SPEC_COUNT, take_own, &a);
    if (status == 0 && a.common.version) {
        status = cli_version();
        goto out;
    }
    if (status == 0 && a.common.help) {
        options_print_help("audit", "FILE...",
                           "Checks captures (pcap, pcapng, compressed or not) against the policy: "
                           "verdict, marks by class and direction, what is wrong and why.",
                           specs, SPEC_COUNT);
        goto out;
    }
    if (status == 0)
        status = check_arguments(&a);
    if (status)
        goto out;
    status = policy_arguments_load(&a.common.policy, &policy);
    if (status)
        goto out;
    file_arguments_settle(&a.common);
    leave_interrupt_to_the_capturer(&a);
    a.common.report.separate = a.separate && a.common.file_count > 1;
    status = audit_all(&a, policy);
out:
    policy_free(policy);
    file_arguments_done(&a.common);
    return status;
}

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cmd_generate.h"
#include "cli/output.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

/* An interrupt ends the work in order: no half file is left, and a wire's streams are counted. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    action.sa_flags = (int)SA_RESETHAND; /* a second one ends it at once */
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* On a terminal, after the first second: how far it is. */
struct progress_line {
    bool enabled, shown;
    time_t begun, last;
};

static bool stop_or_go_on(void *user, uint64_t done, uint64_t total)
{
    struct progress_line *p = user;
    time_t now = time(NULL);
    if (p->enabled && now > p->begun + 1 && now != p->last) {
        p->last = now;
        p->shown = true;
        if (total)
            (void)fprintf(stderr, "\r%llu %% of %llu packets", (unsigned long long)(done * 100 / total),
                          (unsigned long long)total);
        else
            (void)fprintf(stderr, "\r%llu packets", (unsigned long long)done);
    }
    return interrupted != 0;
}

static int status_of(int r)
{
    return r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT;
}

/* Puts in place what was written; the capture first, since the truth is about it. */
static int commit(struct output *capture, struct output *truth, const struct generate_arguments *a)
{
    struct error error = {0};
    if ((a->output && output_commit(capture, &error) < 0) || (a->truth && output_commit(truth, &error) < 0))
        return cli_fail(EXIT_INPUT, "%s", error.text);
    return EXIT_CONFORMS;
}

static int generate(struct generate_arguments *a, const struct policy *policy, struct output *capture,
                    struct output *truth)
{
    struct generate_request *q = &a->request;
    struct generate_result result;
    struct progress_line progress = {.enabled = isatty(STDERR_FILENO) == 1, .begun = time(NULL)};
    struct error error = {0};
    bool to_file = a->output && !q->dry_run, wire = q->way == GENERATE_TO_LINK || q->way == GENERATE_TO_SOCKETS;
    q->policy = policy;
    if (to_file && output_open(capture, a->output, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    if (a->truth && output_open(truth, a->truth, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    q->sink = output_write;
    q->sink_user = capture;
    q->truth = a->truth ? output_write : NULL;
    q->truth_user = truth;
    q->progress = stop_or_go_on;
    q->progress_user = &progress;

    int r = generate_run(q, &result, &error);
    if (progress.shown)
        (void)fputs("\r\033[K", stderr);
    bool to_stdout = to_file && !capture->path, said = r == 0 || (q->dry_run && result.packets);
    int status = r < 0 ? status_of(r) : EXIT_CONFORMS;
    if (r == 0 && result.stopped && !wire)
        return cli_fail(EXIT_INPUT, "interrupted; nothing was written");
    if (status == EXIT_CONFORMS && !q->dry_run)
        status = commit(capture, truth, a);
    if (said && status != EXIT_INPUT)
        generate_print(a, &result, to_stdout ? stderr : stdout);
    if (r < 0) /* where writing failed the commit says why */
        return capture->failed && output_commit(capture, &error) == 0 ? status : cli_fail(status, "%s", error.text);
    return status == EXIT_CONFORMS && result.stopped ? EXIT_INPUT : status;
}

int cmd_generate(int argc, char **argv)
{
    struct generate_arguments a = {.quiet = false};
    struct output capture = {0}, truth = {0};
    struct policy *policy = NULL;
    int status = generate_arguments_take(&a, argc, argv);
    if (status == 0 && a.version) {
        status = cli_version();
    } else if (status == 0 && a.help) {
        generate_print_help();
    } else if (status == 0) {
        catch_signals();
        status = policy_arguments_load(&a.policy, &policy);
        if (status == 0)
            status = generate(&a, policy, &capture, &truth);
    }
    output_abandon(&capture);
    output_abandon(&truth);
    policy_free(policy);
    policy_arguments_done(&a.policy);
    return status;
}

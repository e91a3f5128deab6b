#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/generate_arguments.h"
#include "cli/interrupt.h"
#include "cli/output.h"

/* Each port of the participants is a socket: of what this process may open, all. */
static void allow_sockets(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

/* A file, and why it could not be written: what is said later must not depend on what happened meanwhile. */
struct kept_output {
    struct output output;
    int error_number;
};

static bool write_kept(void *user, const char *bytes, size_t len)
{
    struct kept_output *k = user;
    errno = 0;
    bool written = output_write(&k->output, bytes, len);
    if (!written && k->error_number == 0)
        k->error_number = errno;
    return written;
}

/* The sentence about the one that failed; false where neither did. */
static bool explain(const struct kept_output *k, const char *path, struct error *error)
{
    if (k->error_number)
        (void)error_set(error, ERR_IO, "cannot write %s: %s", k->output.path ? path : "standard output",
                        strerror(k->error_number));
    return k->error_number != 0;
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
    return interrupt_came();
}

/* Whom it hands what is open to: outputs, and whether it goes on onto a network. */
struct confined {
    const struct generate_arguments *a;
    struct kept_output *capture, *truth;
    bool wire;
};

static int confine(void *user, struct error *error)
{
    const struct confined *c = user;
    struct output *const outputs[] = {&c->capture->output, &c->truth->output};
    struct privileges privileges;
    if (!c->wire) {
        confine_files(outputs, 2, c->a->verbose > 0);
        return 0;
    }
    int r = confine_rights(outputs, 2, &privileges, error);
    if (r == 0)
        confine_network(PRIVILEGES_SEND, &privileges, c->a->verbose > 0);
    return r;
}

static int status_of(int r)
{
    return r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT;
}

/* Puts in place what was written; the capture first, since the truth is about it. */
static int commit(struct kept_output *capture, struct kept_output *truth, const struct generate_arguments *a)
{
    struct error error = {0};
    if ((a->output && output_commit(&capture->output, &error) < 0) ||
        (a->truth && output_commit(&truth->output, &error) < 0))
        return cli_fail(EXIT_INPUT, "%s", error.text);
    return EXIT_CONFORMS;
}

static int generate(struct generate_arguments *a, const struct policy *policy, struct kept_output *capture,
                    struct kept_output *truth)
{
    struct generate_request *q = &a->request;
    struct generate_result result;
    struct progress_line progress = {.enabled = isatty(STDERR_FILENO) == 1, .begun = time(NULL)};
    struct error error = {0};
    bool to_file = a->output && !q->dry_run, wire = q->way == GENERATE_TO_LINK || q->way == GENERATE_TO_SOCKETS;
    struct confined confined = {.a = a, .capture = capture, .truth = truth, .wire = wire};
    q->policy = policy;
    if (to_file && output_open(&capture->output, a->output, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    if (a->truth && output_open(&truth->output, a->truth, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    q->sink = write_kept;
    q->sink_user = capture;
    q->truth = a->truth ? write_kept : NULL;
    q->truth_user = truth;
    q->progress = stop_or_go_on;
    q->progress_user = &progress;
    q->opened = q->dry_run ? NULL : confine;
    q->opened_user = &confined;

    int r = generate_run(q, &result, &error);
    if (progress.shown)
        (void)fputs("\r\033[K", stderr);
    bool to_stdout = to_file && !capture->output.path, said = r == 0 || (q->dry_run && result.packets);
    int status = r < 0 ? status_of(r) : EXIT_CONFORMS;
    if (r == 0 && result.stopped && !wire)
        return cli_fail(EXIT_INPUT, "interrupted; nothing was written");
    if (status == EXIT_CONFORMS && !q->dry_run)
        status = commit(capture, truth, a);
    if (said && status != EXIT_INPUT)
        generate_print(a, &result, to_stdout ? stderr : stdout);
    if (r < 0) {
        if (!explain(capture, a->output, &error))
            (void)explain(truth, a->truth, &error);
        return cli_fail(status, "%s", error.text);
    }
    return status == EXIT_CONFORMS && result.stopped ? EXIT_INPUT : status;
}

int cmd_generate(int argc, char **argv)
{
    struct generate_arguments a = {.quiet = false};
    struct kept_output capture = {0}, truth = {0};
    struct policy *policy = NULL;
    int status = generate_arguments_take(&a, argc, argv);
    if (status == 0 && a.version) {
        status = cli_version();
    } else if (status == 0 && a.help) {
        generate_print_help();
    } else if (status == 0) {
        interrupt_catch(); /* no half file is left, and a wire's streams are counted */
        if (a.to)
            allow_sockets();
        status = policy_arguments_load(&a.policy, &policy);
        if (status == 0)
            status = generate(&a, policy, &capture, &truth);
    }
    output_abandon(&capture.output);
    output_abandon(&truth.output);
    policy_free(policy);
    policy_arguments_done(&a.policy);
    return status;
}

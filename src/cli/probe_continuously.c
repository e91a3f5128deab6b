#include "cli/probe_session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/interrupt.h"
#include "http/server.h"

struct forever {
    const struct probe_arguments *a;
    FILE *file;
    struct probe_totals *totals;
    struct http_server *server;
};

static bool gather(void *user, const char *bytes, size_t len)
{
    struct strbuf *to = user;
    strbuf_add(to, bytes, len);
    return strbuf_ok(to);
}

/* What is appended is there whole or not at all: of a record that was cut the next run would not begin a new line. */
static int append(const struct forever *f, const struct strbuf *text)
{
    struct stat st;
    bool regular = fstat(fileno(f->file), &st) == 0 && S_ISREG(st.st_mode);
    if (fwrite(text->at, 1, text->len, f->file) == text->len && fflush(f->file) == 0)
        return EXIT_CONFORMS;
    int why = errno;
    if (regular && f->a->output && ftruncate(fileno(f->file), st.st_size) < 0)
        (void)cli_fail(0, "the last record of %s is not whole", f->a->output);
    return cli_fail(EXIT_INPUT, "cannot write %s: %s", f->a->output ? f->a->output : "standard output", strerror(why));
}

/* A time before the verdict, so that the lines of a day can be told apart. */
static int write_interval(struct forever *f, const struct probe_document *d)
{
    char time[CLOCK_TEXT_MAX];
    struct strbuf text = {0};
    struct error error = {0};
    struct probe_report report = {.documents = &d,
                                  .count = 1,
                                  .set = true,
                                  .packets = f->a->packets,
                                  .format = f->a->format,
                                  .options = f->a->report};
    report.options.quiet = true;
    if (f->a->format == REPORT_TEXT) {
        clock_format(d->begin_ns, time);
        strbuf_addf(&text, "%.19sZ ", time);
    }
    int status = report_probe_write(&report, gather, &text, &error) < 0
                     ? cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : "out of memory")
                     : append(f, &text);
    strbuf_done(&text);
    return status;
}

static int publish(struct forever *f, const struct probe_document *d)
{
    struct strbuf page = {0};
    int status = EXIT_CONFORMS;
    if (!f->server)
        return EXIT_CONFORMS;
    bool made = probe_totals_add(f->totals, d) == 0 && probe_totals_write(f->totals, &page);
    if (!made ||
        http_server_publish(f->server, "/metrics", "text/plain; version=0.0.4; charset=utf-8", page.at, page.len) < 0)
        status = cli_fail(EXIT_INPUT, "out of memory");
    strbuf_done(&page);
    return status;
}

/* The thread that serves /metrics gets the rights that are left, and then the same system calls as this one. */
static int open_forever(struct forever *f, struct privileges *ret)
{
    struct error error = {0};
    f->file = f->a->output ? fopen(f->a->output, "a") : stdout;
    if (!f->file)
        return cli_fail(EXIT_INPUT, "cannot write %s: %s", f->a->output, strerror(errno));
    if (f->a->output)
        (void)setvbuf(f->file, NULL, _IONBF, 0); /* nothing of a record that failed comes later */
    if (confine_rights(NULL, 0, ret, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    if (!f->a->listen)
        return EXIT_CONFORMS;
    f->totals = probe_totals_new();
    if (!f->totals)
        return cli_fail(EXIT_INPUT, "out of memory");
    int r = http_server_start(&f->a->listen_at, &f->server, &error);
    if (r < 0)
        return cli_fail(r == ERR_IO ? EXIT_INPUT : EXIT_USAGE, "%s", error.text);
    static const char none[] = "# no interval is over yet\n";
    return http_server_publish(f->server, "/metrics", "text/plain; version=0.0.4; charset=utf-8", none,
                               sizeof none - 1) < 0
               ? cli_fail(EXIT_INPUT, "out of memory")
               : EXIT_CONFORMS;
}

static void sleep_until(int64_t at_ns)
{
    while (!interrupt_came()) {
        int64_t left = at_ns - clock_monotonic_ns();
        if (left <= 0)
            return;
        if (left > NS_PER_S / 5)
            left = NS_PER_S / 5;
        struct timespec nap = {.tv_sec = left / NS_PER_S, .tv_nsec = (long)(left % NS_PER_S)};
        (void)nanosleep(&nap, NULL);
    }
}

/* A second at least between intervals that found nobody: no target is to be hammered at. */
int probe_continuously(const struct probe_arguments *a, const struct policy *policy, const struct probe_goals *g)
{
    struct forever f = {.a = a};
    struct privileges privileges;
    int status = open_forever(&f, &privileges), worst = EXIT_CONFORMS;
    if (status == EXIT_CONFORMS)
        confine_network(PRIVILEGES_SEND, &privileges, a->report.verbose > 0);
    while (status == EXIT_CONFORMS && !interrupt_came()) {
        int64_t begin = clock_monotonic_ns();
        for (size_t i = 0; i < g->count && status == EXIT_CONFORMS && !interrupt_came(); i++) {
            struct progress progress = {0};
            struct probe_document *d = probe_session_one(a, policy, g, i, &progress, &status);
            if (!d)
                break;
            status = EXIT_CONFORMS;
            bool whole = !interrupt_came(); /* an interval that was cut short is no record */
            if (whole) {
                worst = probe_session_worse(worst, probe_session_status(d));
                status = write_interval(&f, d);
            }
            if (whole && status == EXIT_CONFORMS)
                status = publish(&f, d);
            probe_document_free(d);
        }
        if (status == EXIT_CONFORMS)
            sleep_until(begin + (a->every_ns > NS_PER_S ? a->every_ns : NS_PER_S));
    }
    http_server_stop(f.server);
    probe_totals_free(f.totals);
    if (f.file && f.file != stdout && fclose(f.file) != 0 && status == EXIT_CONFORMS)
        status = cli_fail(EXIT_INPUT, "cannot write %s: %s", a->output, strerror(errno));
    return status == EXIT_CONFORMS ? worst : status;
}

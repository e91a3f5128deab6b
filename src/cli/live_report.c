#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/common.h"
#include "cli/live_session.h"
#include "cli/privileges.h"
#include "report/report_json.h"
#include "report/report_live.h"

/* What is written: lines or records as it goes, reports in between, the report at the end. */

/* Where writing failed, `o` knows which file and why. */
static int fail(struct live_session *s, const struct output *o, const struct error *error)
{
    if (o->why)
        live_say(s, true, "cannot write %s: %s", o->path ? o->path : "standard output", strerror(o->why));
    else
        live_say(s, true, "%s", error->text[0] ? error->text : "the report could not be written");
    s->status = EXIT_INPUT;
    return EXIT_INPUT;
}

int live_report_check(const struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    struct error error = {0};
    struct output output;
    if (!a->output)
        return 0;
    /* opened and given up again: hours later is too late to learn that it cannot be written */
    int r = privileges_act_as(s->user, &error);
    if (r == 0) {
        r = output_open(&output, a->output, &error);
        output_abandon(&output);
        privileges_act_back();
    }
    if (r == ERR_USAGE)
        return cli_fail(EXIT_USAGE, "%s", error.text);
    if (r < 0 && geteuid() == 0)
        return cli_fail(EXIT_INPUT, "%s (as the user %s, whom root becomes; --user NAME is another)", error.text,
                        s->user ? s->user : "nobody");
    return r < 0 ? cli_fail(EXIT_INPUT, "%s", error.text) : 0;
}

int live_report_begin(struct live_session *s)
{
    struct error error = {0};
    if (!s->streaming)
        return 0;
    return output_open(&s->stream, s->arguments->output, &error) < 0 ? cli_fail(EXIT_INPUT, "%s", error.text) : 0;
}

/* ---- as it goes ---- */

static bool flush(struct output *o)
{
    if (fflush(o->file) == 0)
        return true;
    o->why = o->why ? o->why : errno;
    o->failed = true;
    return false;
}

static bool write_file(void *user, const char *bytes, size_t len)
{
    return fwrite(bytes, 1, len, user) == len;
}

/* Nobody reads what is written: the end, as of any program in a pipe. */
static void reader_is_gone(struct live_session *s)
{
    if (s->output_failed)
        return;
    s->output_failed = s->ended = true;
    s->status = EXIT_INPUT;
    (void)cli_fail(0, "cannot write standard output: %s", strerror(errno));
}

/* Where lines for people go: nowhere on a screen, and never between the bytes of a report that a program reads. */
static FILE *lines(const struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    if (s->screen || a->report.quiet || (s->streaming && !s->stream.path))
        return NULL;
    return a->report.format == REPORT_TEXT || s->arguments->output ? stdout : stderr;
}

static int write_leaving(struct live_session *s, const struct live_view *view, struct error *error)
{
    const struct document *d = view->document;
    struct record_scratch record = {0};
    struct call_words words = {0};
    struct out out;
    out_init(&out, output_write, &s->stream);
    struct emit e = {.out = &out};
    for (size_t i = 0; i < view->leaving_count && out_ok(&out); i++) {
        size_t at = view->leaving[i];
        e.comma = false;
        emit_record_of(&e, d, at, document_record(d, at, RECORD_ALL, &record), &words, false);
        out_adds(&out, "\n");
    }
    call_words_done(&words);
    record_scratch_done(&record);
    return out_conclude(&out, error);
}

/* What is written as it goes cannot be any more. Said once. */
static void stream_failed(struct live_session *s, const struct error *error)
{
    if (s->output_failed)
        return;
    if (!s->stream.path) {
        reader_is_gone(s);
    } else {
        s->output_failed = true;
        (void)fail(s, &s->stream, error);
    }
}

void live_report_leaving(struct live_session *s, const struct live_view *view)
{
    struct error error = {0};
    if (!s->streaming || view->leaving_count == 0 || s->output_failed)
        return;
    if (write_leaving(s, view, &error) < 0 || !flush(&s->stream))
        stream_failed(s, &error);
}

void live_report_interval(struct live_session *s, const struct live_view *view)
{
    struct report_options options = s->arguments->report;
    struct error error = {0};
    FILE *to = lines(s);
    if (!view->interval)
        return;
    if (s->streaming) {
        int r = report_interval_write(view, &options, output_write, &s->stream, &error);
        if (r < 0 || !flush(&s->stream))
            stream_failed(s, &error);
    }
    if (!to)
        return;
    options.format = REPORT_TEXT;
    options.color = options.color && to == stdout;
    s->lines_written = s->lines_written || to == stdout;
    if ((report_interval_write(view, &options, write_file, to, &error) < 0 || fflush(to) != 0) && to == stdout)
        reader_is_gone(s);
}

/* A report that follows lines begins after an empty one. */
static bool set_apart(const struct live_session *s, struct output *output)
{
    return output->path || !s->lines_written || output_write(output, "\n", 1);
}

/* A report into a file of its own, or on standard output where `path` is NULL. */
static int write_report(struct live_session *s, const struct live_view *view, const char *path,
                        enum report_format format)
{
    struct report_options options = s->arguments->report;
    struct output output;
    struct error error = {0};
    options.format = format;
    options.color = options.color && !path;
    if (path)
        options.width = 80;
    int r = output_open(&output, path, &error);
    if (r == 0 && set_apart(s, &output))
        r = report_write(view->document, &options, output_write, &output, &error);
    if (r == 0)
        r = output_commit(&output, &error);
    int status = r < 0 ? fail(s, &output, &error) : 0;
    output_abandon(&output);
    return status;
}

/* qosmark-20261122-090000.html, in UTC as all times are, in the current folder. */
static void name_report(const struct live_view *view, enum report_format format, char name[static 64])
{
    time_t seconds = (time_t)(view->now_ns / NS_PER_S);
    struct tm tm = {0};
    char when[32] = "";
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(when, sizeof when, "%Y%m%d-%H%M%S", &tm);
    (void)snprintf(name, 64, "qosmark-%s.%s", when, format == REPORT_TEXT ? "txt" : report_format_name(format));
}

static void write_named(struct live_session *s, const struct live_view *view, enum report_format format)
{
    char name[64];
    int before = s->status;
    name_report(view, format, name);
    if (write_report(s, view, name, format) == 0)
        live_say(s, false, "the report of now is in %s", name);
    s->status = before; /* said, and of no consequence for the check */
}

void live_report_wanted(struct live_session *s, const struct live_view *view)
{
    const struct live_arguments *a = s->arguments;
    struct error error = {0};
    if (s->write_page)
        write_named(s, view, REPORT_HTML);
    if (s->write_report && s->streaming) {
        /* records as they are now; those at the end are the same streams, with more packets */
        if (report_write(view->document, &a->report, output_write, &s->stream, &error) < 0 ||
            !flush(&s->stream))
            (void)fail(s, &s->stream, &error);
    } else if (s->write_report && a->output) {
        if (write_report(s, view, a->output, a->report.format) == 0)
            live_say(s, false, "the report of now is in %s", a->output);
    } else if (s->write_report && s->screen) {
        write_named(s, view, a->report.format);
    } else if (s->write_report) {
        (void)write_report(s, view, NULL, a->report.format);
    }
    s->write_page = s->write_report = false;
}

/* ---- at the end ---- */

int live_report_final(struct live_session *s, const struct live_view *view)
{
    const struct document *d = view->document;
    const char *path = s->arguments->output;
    struct error error = {0};
    for (size_t i = 0; i < d->input_count; i++)
        if (d->inputs[i].problem && d->inputs[i].problem[0] && !d->inputs[i].complete)
            (void)cli_fail(0, "%s", d->inputs[i].problem);
    int status = cli_document_status(d), r = 0;
    /* lines that nobody reads any more do not keep a report out of its file */
    bool writes = !s->output_failed || (path && !s->streaming);
    if (!s->streaming)
        r = output_open(&s->stream, path, &error);
    live_events_second_interrupt();
    if (r == 0 && writes && set_apart(s, &s->stream))
        r = report_write(d, &s->arguments->report, output_write, &s->stream, &error);
    if (r == 0 && writes)
        r = output_commit(&s->stream, &error);
    if (r < 0)
        return fail(s, &s->stream, &error);
    return s->status && status != EXIT_VIOLATION ? s->status : status;
}

void live_report_abandon(struct live_session *s)
{
    if (s->stream.file)
        output_abandon(&s->stream);
}

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/live_session.h"
#include "cli/privileges.h"

/* `sudo qosmark live`: reports belong to who typed it, and a policy in his home can be read again. */
static const char *who_is_behind_root(void)
{
    const char *name = getenv("SUDO_USER");
    const struct passwd *pw = geteuid() == 0 && name && *name ? getpwnam(name) : NULL;
    return pw && pw->pw_uid != 0 ? name : NULL;
}

/* ---- opening: all that takes privileges ---- */

static int open_evidence(struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    struct error error = {0};
    struct evidence_options options = {.path = a->violations,
                                       .max_bytes = a->violations_bytes,
                                       .files = (unsigned)a->violations_files,
                                       .points = a->interfaces,
                                       .point_count = a->interface_count,
                                       .anonymizer = s->anonymizer};
    if (!a->violations)
        return 0;
    int r = privileges_act_as(s->user, &error);
    if (r == 0) {
        r = evidence_open(&options, &s->evidence, &error);
        privileges_act_back();
    }
    if (r < 0 && r != ERR_USAGE && error.text[0] && geteuid() == 0)
        return cli_fail(EXIT_INPUT, "%s (as the user %s, whom root becomes; --user NAME is another)", error.text,
                        s->user ? s->user : "nobody");
    return r < 0 ? cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r))
                 : 0;
}

static int open_run(struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    struct error error = {0};
    struct live_run_options options = {.interfaces = a->interfaces,
                                       .interface_count = a->interface_count,
                                       .point = a->point,
                                       .policy = s->policy,
                                       .filter = a->filter,
                                       .every_packet = a->every_packet,
                                       .promiscuous = a->promiscuous,
                                       .immediate = a->immediate,
                                       .hardware_time = a->hardware_time,
                                       .buffer_bytes = (uint32_t)a->buffer_bytes,
                                       .snap_bytes = (uint32_t)a->snap_bytes,
                                       .interval_ns = a->interval_ns,
                                       .idle_ns = a->idle_ns,
                                       .max_packets = a->packets,
                                       .outer_layer = a->outer,
                                       .ignore_signalling = a->ignore_signalling,
                                       .mask_payload_types = a->mask_payload_types,
                                       .evidence = s->evidence,
                                       .anonymizer = s->anonymizer,
                                       .publish = s->publish};
    if (getrandom(&options.key, sizeof options.key, 0) != (ssize_t)sizeof options.key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers: %s", strerror(errno));
    int r = live_run_open(&options, &s->run, &error);
    return r < 0 ? cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r))
                 : 0;
}

static int open_others(struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    struct notify_options notify = {.kind = NOTIFY_AUTO};
    struct error error = {0};
    int status = anonymize_arguments_load(&a->anonymize, &s->anonymizer);
    if (status)
        return status;
    if (a->log && notify_open(&notify, &s->notify, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    return 0;
}

static int open_pages(struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    struct live_pages_options options = {.listen = a->listen_at, .version = QOSMARK_VERSION};
    struct error error = {0};
    int r = a->listen ? live_pages_start(&options, &s->pages, &error) : 0;
    return r < 0 ? cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r))
                 : 0;
}

/* One line that says what is watched and what was given up. */
static void announce(struct live_session *s, const struct privileges *p)
{
    struct strbuf text = {0};
    strbuf_adds(&text, "watching");
    for (size_t i = 0; i < s->arguments->interface_count; i++)
        strbuf_addf(&text, "%s %s", i ? "," : "", s->arguments->interfaces[i]);
    if (p->user[0])
        strbuf_addf(&text, "; user %s now", p->user);
    if (p->done[PRIVILEGES_CAPABILITIES])
        strbuf_adds(&text, "; no capabilities");
    if (p->done[PRIVILEGES_SYSCALLS])
        strbuf_adds(&text, "; few system calls");
    if (s->notify)
        strbuf_addf(&text, "; findings go to %s", notify_destination(s->notify));
    if (s->publish)
        strbuf_addf(&text, "; messages go to the collectors");
    if (p->missing[0])
        strbuf_addf(&text, " (%s)", p->missing);
    if (s->screen || !s->arguments->report.quiet)
        live_say(s, false, "%s",
                 strbuf_ok(&text) ? strbuf_text(&text) : "watching (what and how is not said: out of memory)");
    strbuf_done(&text);
}

/* Reports of the key w and of SIGUSR1 have a name of their own, in the current folder: where there is a screen. */
static void limit_writing(const struct live_arguments *a, struct privileges *p)
{
    bool named = !a->no_screen && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
    const char *const paths[] = {a->output, a->violations, named ? "./" : NULL};
    privileges_limit_writing(paths, sizeof paths / sizeof paths[0], p);
}

static enum privileges_work work_of(const struct live_arguments *a, bool screen)
{
    if (a->publish.servers)
        return PRIVILEGES_WATCH_PUBLISHING;
    return screen || a->output || a->violations ? PRIVILEGES_WATCH_WRITING : PRIVILEGES_WATCH;
}

static int drop(struct live_session *s, struct privileges *p)
{
    const struct live_arguments *a = s->arguments;
    struct error error = {0};
    int r = privileges_drop_rights(s->user, p, &error);
    if (r < 0)
        return cli_fail(r == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text);
    limit_writing(a, p);
    /* the thread that serves pages gets what is left, and then the same system calls as all */
    int status = open_pages(s);
    if (status == 0)
        status = live_publishing_begin(s);
    if (status == 0)
        status = live_report_begin(s);
    if (status == 0)
        status = live_screen_open(s);
    if (status)
        return status;
    privileges_limit(work_of(a, s->screen != NULL), p);
    return 0;
}

static void say_attempt(void *user, const char *attempt, bool refused)
{
    (void)user;
    (void)printf("%-8s %s\n", refused ? "refused:" : "WORKED:", attempt);
}

static int try_forbidden(const struct live_session *s)
{
    const struct live_arguments *a = s->arguments;
    bool all = privileges_try_forbidden(work_of(a, false), say_attempt, NULL);
    (void)fflush(stdout);
    return all ? EXIT_CONFORMS : cli_fail(EXIT_INPUT, "something that must not work any more still does");
}

/* ---- running ---- */

/* Whoever waits for wrong packets is to know at once that none will come any more, and not at the end of a week. */
static void check_evidence(struct live_session *s)
{
    if (!s->evidence || s->evidence_failed || !evidence_stats(s->evidence).failed)
        return;
    s->evidence_failed = true;
    s->status = EXIT_INPUT;
    live_say(s, true, "%s: no more wrong packets are kept, the check goes on", evidence_problem(s->evidence)->text);
}

static void look(struct live_session *s, const struct live_view *view)
{
    check_evidence(s);
    policy_free(s->policy_before);
    s->policy_before = NULL;
    if (s->pages && live_pages_publish(s->pages, view) < 0)
        live_say(s, true, "the pages could not be renewed: out of memory");
    if (s->notify)
        notify_view(s->notify, view);
    live_publishing_tell(s);
    live_screen_look(s, view);
    live_report_leaving(s, view);
    live_report_interval(s, view);
    live_report_wanted(s, view);
}

static int watch(struct live_session *s)
{
    const struct live_view *view = NULL;
    struct error error = {0};
    int r = LIVE_WOKEN;
    live_screen_draw(s);
    while (!s->ended) {
        r = live_run_next(s->run, s->wake, &view, &error);
        if (r < 0)
            return cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
        if (r == LIVE_LOOK)
            look(s, view);
        if (r == LIVE_OVER)
            break;
        live_events_take(s);
        live_policy_again(s);
    }
    return 0;
}

static void say_evidence(const struct live_session *s)
{
    struct evidence_stats stats = evidence_stats(s->evidence);
    if (stats.not_kept)
        (void)cli_fail(0, "%llu wrong packet%s not kept: there was no room for %s", (unsigned long long)stats.not_kept,
                       stats.not_kept == 1 ? " was" : "s were", stats.not_kept == 1 ? "it" : "them");
    if (stats.not_known)
        (void)cli_fail(0, "%llu more packet%s not kept, and may have been wrong", (unsigned long long)stats.not_known,
                       stats.not_known == 1 ? " was" : "s were");
    if (stats.failed)
        (void)cli_fail(0, "%s does not have all wrong packets: it could not be written to its end",
                       s->arguments->violations);
    if (!s->arguments->report.quiet)
        (void)cli_fail(0, "%llu wrong packet%s in %s%s", (unsigned long long)stats.written,
                       stats.written == 1 ? " is" : "s are", s->arguments->violations,
                       stats.removed   ? " and the files beside it; older ones made room for them"
                       : stats.rotated ? " and the files beside it"
                                       : "");
}

/* The last look and the report. A failure in the middle is told, and what was found until then all the same. */
static int finish(struct live_session *s, int status)
{
    const struct live_view *view = NULL;
    struct error error = {0};
    live_screen_close(s);
    live_events_second_interrupt();
    live_publishing_last(s);
    int r = live_run_finish(s->run, &view, &error);
    if (r < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text[0] ? error.text : error_name(r));
    check_evidence(s);
    if (s->notify)
        notify_view(s->notify, view);
    live_report_interval(s, view);
    if (status) /* else what was said on the way stays */
        s->status = status;
    status = live_report_final(s, view);
    live_publishing_finish(s);
    if (s->evidence)
        say_evidence(s);
    if (s->notify && notify_lost(s->notify))
        (void)cli_fail(0, "%llu message%s not taken by %s", (unsigned long long)notify_lost(s->notify),
                       notify_lost(s->notify) == 1 ? " was" : "s were", notify_destination(s->notify));
    return status;
}

static int run(struct live_session *s)
{
    struct privileges privileges = {0};
    int status = live_report_check(s);
    if (status == 0)
        status = live_events_open(s);
    if (status == 0)
        status = open_others(s);
    if (status == 0)
        status = open_evidence(s);
    if (status == 0)
        status = live_publishing_open(s);
    if (status == 0)
        status = open_run(s);
    if (status == 0)
        status = drop(s, &privileges);
    if (status == 0 && s->arguments->try_forbidden)
        return try_forbidden(s);
    if (status == 0)
        status = live_events_begin(s);
    if (status)
        return status;
    announce(s, &privileges);
    return finish(s, watch(s));
}

static void done(struct live_session *s)
{
    live_screen_close(s);
    live_pages_stop(s->pages);
    live_run_free(s->run);
    live_publishing_close(s);
    evidence_close(s->evidence);
    anonymizer_free(s->anonymizer);
    notify_close(s->notify);
    live_report_abandon(s);
    policy_free(s->policy_before);
    policy_free(s->policy);
    live_events_close(s);
}

int cmd_live(int argc, char **argv)
{
    struct live_arguments a;
    struct live_session s = {.arguments = &a, .signals = -1, .timer = -1, .wake = -1};
    int status = live_arguments_take(&a, argc, argv);
    if (status == 0 && a.version)
        status = cli_version();
    else if (status == 0 && a.help)
        live_arguments_help();
    else if (status == 0 && (status = policy_arguments_load(&a.policy, &s.policy)) == 0) {
        a.report.color = terminal_color(a.color, a.output != NULL);
        a.report.utf8 = terminal_utf8();
        a.report.width = a.output ? 80 : terminal_width();
        s.user = a.user ? a.user : who_is_behind_root();
        s.streaming = a.report.format == REPORT_JSONL;
        status = run(&s);
    }
    done(&s);
    live_arguments_done(&a);
    return status;
}

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/privileges.h"
#include "cli/reflect_arguments.h"
#include "cli/reflect_report.h"
#include "probe/reflector.h"
#include "probe/reflector_loop.h"
#include "probe/stamp_key.h"
#include "probe/udp_socket.h"

enum { SEND_BYTES = 4 << 20 };

/* Everything that runs. */
struct reflect {
    const struct reflect_arguments *arguments;
    struct udp_socket *sockets[REFLECTOR_SOCKETS_MAX];
    struct endpoint listening[REFLECTOR_SOCKETS_MAX];
    size_t socket_count;
    struct stamp_hmac *hmac;
    struct reflector *reflector;
    struct reflector_loop *loop;
    int signals;
    int64_t begin_ns;
};

static void done(struct reflect *r)
{
    for (size_t i = 0; i < r->socket_count; i++)
        udp_socket_free(r->sockets[i]);
    reflector_loop_free(r->loop);
    reflector_free(r->reflector);
    stamp_hmac_free(r->hmac);
    if (r->signals >= 0)
        (void)close(r->signals);
}

static int open_sockets(struct reflect *r)
{
    const struct reflect_arguments *a = r->arguments;
    struct error error = {0};
    for (size_t i = 0; i < a->bind_count; i++) {
        struct udp_config c = {.local = {.addr = a->bind[i], .port = a->port},
                               .ttl = 255,
                               .receive_bytes = REFLECT_RECEIVE_BYTES,
                               .send_bytes = SEND_BYTES};
        int f = udp_socket_new(&c, &r->sockets[r->socket_count], &error);
        /* a machine without IPv6 has no ::1, and nobody asked for it; "any" is what there is */
        bool optional = a->bind[i].version == 6 && i > 0 && (a->bind_default || addr_is_unspecified(&a->bind[i]));
        if (optional && (f == ERR_USAGE || f == ERR_UNSUPPORTED))
            continue;
        if (f < 0)
            return cli_fail(f == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text);
        udp_socket_local(r->sockets[r->socket_count], &r->listening[r->socket_count]);
        r->socket_count++;
    }
    return 0;
}

static int load_key(struct reflect *r, const char *path)
{
    uint8_t key[STAMP_KEY_MAX];
    size_t len = 0;
    struct error error = {0};
    privileges_hide_memory();
    int f = stamp_key_read(path, key, &len, &error);
    if (f == 0)
        f = stamp_hmac_new(key, len, &r->hmac, &error);
    explicit_bzero(key, sizeof key);
    return f < 0 ? cli_fail(f == ERR_IO ? EXIT_INPUT : EXIT_USAGE, "%s", error.text) : 0;
}

/* Signals are read like packets are, so that nothing happens between two of them. */
static int open_signals(struct reflect *r)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR1);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (r->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0)
        return cli_fail(EXIT_INPUT, "signals cannot be waited for: %s", strerror(errno));
    return 0;
}

static int open_all(struct reflect *r)
{
    const struct reflect_arguments *a = r->arguments;
    struct error error = {0};
    int status = a->key_file ? load_key(r, a->key_file) : 0;
    if (status == 0)
        status = open_signals(r);
    if (status == 0)
        status = open_sockets(r);
    if (status)
        return status;
    struct reflector_config config = {.allow = a->allow,
                                      .allow_count = a->allow_count,
                                      .port = a->port,
                                      .stateful = a->stateful,
                                      .max_sessions = a->max_sessions,
                                      .rate = a->rate,
                                      .refuse_marks = a->refuse_marks,
                                      .format = STAMP_NTP,
                                      .hmac = r->hmac};
    if (getrandom(&config.key, sizeof config.key, 0) != (ssize_t)sizeof config.key)
        return cli_fail(EXIT_INPUT, "the system gives no random numbers");
    if (reflector_new(&config, &r->reflector, &error) < 0 ||
        reflector_loop_new(r->reflector, r->sockets, r->socket_count, &r->loop, &error) < 0)
        return cli_fail(EXIT_INPUT, "%s", error.text);
    return 0;
}

/* One line that says who is answered and what was given up. */
static void announce(const struct reflect *r, const struct privileges *p)
{
    const struct reflect_arguments *a = r->arguments;
    (void)fputs("qosmark: answering on UDP", stderr);
    for (size_t i = 0; i < r->socket_count; i++) {
        char text[ENDPOINT_TEXT_MAX];
        endpoint_format(&r->listening[i], text);
        (void)fprintf(stderr, "%s %s", i ? " and" : "", text);
    }
    (void)fprintf(stderr, "%s%s%s", a->stateful ? ", stateful" : "", a->key_file ? ", authenticated" : "",
                  a->allow_count ? "" : ", whoever asks");
    if (p->user[0])
        (void)fprintf(stderr, "; user %s now", p->user);
    if (p->done[PRIVILEGES_CAPABILITIES])
        (void)fputs("; no capabilities", stderr);
    if (p->done[PRIVILEGES_SYSCALLS])
        (void)fputs("; few system calls", stderr);
    (void)fputc('\n', stderr);
}

static int report(const struct reflect *r)
{
    struct strbuf text = {0};
    struct reflect_report all = {.listening = r->listening,
                                 .listening_count = r->socket_count,
                                 .stateful = r->arguments->stateful,
                                 .authenticated = r->hmac != NULL,
                                 .ran_ns = clock_monotonic_ns() - r->begin_ns,
                                 .counts = *reflector_counts(r->reflector),
                                 .sessions = reflector_sessions(r->reflector),
                                 .loop = reflector_loop_counts(r->loop)};
    if (r->arguments->json)
        reflect_report_json(&all, &text);
    else
        reflect_report_text(&all, &text);
    bool written = strbuf_ok(&text) && fputs(strbuf_text(&text), stdout) >= 0 && fflush(stdout) == 0;
    strbuf_done(&text);
    return written ? 0 : cli_fail(EXIT_INPUT, "the counts could not be written: %s", strerror(errno));
}

/* Takes what signals there are. True where one of them ends the program. */
static bool take_signals(struct reflect *r)
{
    struct signalfd_siginfo info;
    bool end = false;
    while (read(r->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGUSR1)
            (void)report(r);
        else
            end = true;
    }
    return end;
}

static int answer(struct reflect *r)
{
    const struct reflect_arguments *a = r->arguments;
    struct error error = {0};
    enum reflector_loop_end why = REFLECTOR_LOOP_WOKEN;
    int64_t deadline = a->duration_ns ? r->begin_ns + a->duration_ns : 0;
    int f;
    do {
        f = reflector_loop_run(r->loop, r->signals, deadline, &why, &error);
    } while (f == 0 && why == REFLECTOR_LOOP_WOKEN && !take_signals(r));
    int status = report(r);
    return f < 0 ? cli_fail(EXIT_INPUT, "%s", error.text) : status;
}

static void say_attempt(void *user, const char *attempt, bool refused)
{
    (void)user;
    (void)printf("%-8s %s\n", refused ? "refused:" : "WORKED:", attempt);
}

static int try_forbidden(void)
{
    bool all = privileges_try_forbidden(PRIVILEGES_ANSWER, say_attempt, NULL);
    (void)fflush(stdout);
    return all ? EXIT_CONFORMS : cli_fail(EXIT_INPUT, "something that must not work any more still does");
}

int cmd_reflect(int argc, char **argv)
{
    struct reflect_arguments a;
    struct privileges privileges = {0};
    struct error error = {0};
    int status = reflect_arguments_take(&a, argc, argv);
    if (status)
        return status;
    if (a.version)
        return cli_version();
    if (a.help) {
        reflect_arguments_help();
        return EXIT_CONFORMS;
    }

    struct reflect r = {.arguments = &a, .signals = -1};
    status = open_all(&r);
    if (status)
        goto out;
    int f = privileges_drop(a.user, &privileges, &error);
    if (f < 0) {
        status = cli_fail(f == ERR_USAGE ? EXIT_USAGE : EXIT_INPUT, "%s", error.text);
        goto out;
    }
    if (privileges.missing[0])
        (void)cli_fail(0, "note: %s", privileges.missing);
    if (a.try_forbidden) {
        status = try_forbidden();
        goto out;
    }
    r.begin_ns = clock_monotonic_ns();
    if (!a.quiet)
        announce(&r, &privileges);
    status = answer(&r);
out:
    done(&r);
    return status;
}

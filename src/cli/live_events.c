#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/live_session.h"

/* Signals, time and keys are read like packets are, one after the other: nothing happens between two instructions. */

int64_t live_clock_ms(void)
{
    return clock_monotonic_ns() / NS_PER_MS;
}

static int watch(const struct live_session *s, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(s->wake, EPOLL_CTL_ADD, fd, &event);
}

/* The terminal that can send signals, whatever the standard streams are. */
static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    (void)close(fd);
    return true;
}

int live_events_open(struct live_session *s)
{
    struct sigaction hangup;
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGWINCH};
    sigset_t set;
    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)sigaddset(&set, numbers[i]);
    /* under `nohup` the end of the terminal is of no consequence */
    s->has_terminal = sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN && has_terminal();
    /* `nohup`, and a shell's background, ignore some of them: what is blocked is read all the same */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || (s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC)) < 0 ||
        (s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) < 0 ||
        (s->wake = epoll_create1(EPOLL_CLOEXEC)) < 0 || watch(s, s->signals) < 0 || watch(s, s->timer) < 0)
        return cli_fail(EXIT_INPUT, "signals cannot be waited for: %s", strerror(errno));
    return 0;
}

int live_events_begin(struct live_session *s)
{
    int64_t ns = s->arguments->duration_ns;
    struct itimerspec end = {.it_value = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)}};
    if (ns && timerfd_settime(s->timer, 0, &end, NULL) < 0)
        return cli_fail(EXIT_INPUT, "--duration cannot be waited for: %s", strerror(errno));
    if (s->screen && watch(s, STDIN_FILENO) < 0)
        return cli_fail(EXIT_INPUT, "keys cannot be waited for: %s", strerror(errno));
    return 0;
}

static void take_signal(struct live_session *s, unsigned number)
{
    switch (number) {
    case SIGHUP:
        /* one name for two things: the terminal was closed, or somebody wants the policy to be read again */
        if (s->has_terminal && !has_terminal())
            s->ended = true;
        else
            s->read_policy = true;
        break;
    case SIGUSR1:
        s->write_report = true;
        break;
    case SIGWINCH:
        live_screen_resized(s);
        break;
    default:
        s->ended = true;
        break;
    }
}

void live_events_take(struct live_session *s)
{
    struct epoll_event events[4];
    struct signalfd_siginfo info;
    uint64_t times;
    int n = epoll_wait(s->wake, events, sizeof events / sizeof events[0], 0);
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd == s->signals) {
            while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info)
                take_signal(s, info.ssi_signo);
        } else if (events[i].data.fd == s->timer) {
            s->ended = s->ended || read(s->timer, &times, sizeof times) == (ssize_t)sizeof times;
        } else {
            live_screen_keys(s);
            /* the terminal is gone: nobody can press q any more */
            s->ended = s->ended || (events[i].events & (EPOLLHUP | EPOLLERR));
        }
    }
}

void live_events_second_interrupt(void)
{
    struct sigaction action = {.sa_handler = output_interrupted};
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void live_events_close(struct live_session *s)
{
    int *const fds[] = {&s->wake, &s->signals, &s->timer};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (*fds[i] >= 0)
            (void)close(*fds[i]);
        *fds[i] = -1;
    }
}

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "probe/service_internal.h"

/* How long a wait lasts before it is asked whether to stop: a signal may come just before poll(). */
enum { SLICE_MS = 100 };

const char *service_outcome_name(enum service_outcome o)
{
    static const char *const names[SERVICE_OUTCOME_COUNT] = {
        [SERVICE_ANSWERED] = "answered",     [SERVICE_ANSWERED_OTHERWISE] = "answered-otherwise",
        [SERVICE_TLS_FAILED] = "tls-failed", [SERVICE_SILENT] = "silent",
        [SERVICE_CLOSED] = "closed",         [SERVICE_NO_CONNECTION] = "no-connection",
        [SERVICE_REFUSED] = "refused",       [SERVICE_UNREACHABLE] = "unreachable",
    };
    return names[o];
}

bool service_exchange_stopped(const struct service_exchange_options *o)
{
    return o->stop && o->stop(o->user);
}

bool service_wait(const struct service_exchange_options *o, int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        int64_t left = deadline_ns - clock_monotonic_ns();
        if (left <= 0 || service_exchange_stopped(o))
            return false;
        struct pollfd p = {.fd = fd, .events = events};
        int64_t ms = left / NS_PER_MS + 1;
        int ready = poll(&p, 1, ms > SLICE_MS ? SLICE_MS : (int)ms);
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

void service_exchange_fail(struct service_exchange *x, int error_number)
{
    static const struct {
        int number;
        enum service_outcome outcome;
        const char *clause;
    } known[] = {
        {ECONNREFUSED, SERVICE_REFUSED, "the port is closed (refused)"},
        {ECONNRESET, SERVICE_CLOSED, "the connection was reset before an answer came"},
        {EPIPE, SERVICE_CLOSED, "the connection was closed before an answer came"},
        {ETIMEDOUT, SERVICE_NO_CONNECTION, "nothing answers"},
        {EHOSTUNREACH, SERVICE_UNREACHABLE, "the network says that the host cannot be reached"},
        {ENETUNREACH, SERVICE_UNREACHABLE, "there is no route to it"},
        {EACCES, SERVICE_UNREACHABLE, "the network or a firewall forbids it"},
        {EPERM, SERVICE_UNREACHABLE, "a firewall of this machine forbids it"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].number == error_number) {
            x->outcome = known[i].outcome;
            (void)snprintf(x->problem, sizeof x->problem, "%s", known[i].clause);
            return;
        }
    }
    x->outcome = SERVICE_UNREACHABLE;
    (void)snprintf(x->problem, sizeof x->problem, "%s", strerror(error_number));
}

int service_exchange_run(const struct service_exchange_options *o, struct service_exchange *ret, struct error *error)
{
    struct service_request r = {.way = o->way, .port = o->server.port};
    slice_copy(slice_make(o->host, strlen(o->host)), r.host, sizeof r.host);
    if (getrandom(r.token, sizeof r.token, 0) != (ssize_t)sizeof r.token)
        return error_set(error, ERR_IO, "the system gives no random numbers: %s", strerror(errno));
    *ret = (struct service_exchange){.outcome = SERVICE_SILENT, .answer_ns = -1, .begin_ns = clock_wall_ns()};
    int status = o->way->transport == SERVICE_UDP ? service_exchange_udp(o, &r, ret, error)
                                                  : service_exchange_tcp(o, &r, ret, error);
    bool in_vain = ret->outcome == SERVICE_SILENT || ret->outcome == SERVICE_NO_CONNECTION;
    if (status == 0 && in_vain && service_exchange_stopped(o)) {
        ret->interrupted = true;
        (void)snprintf(ret->problem, sizeof ret->problem, "%s", SERVICE_INTERRUPTED);
    }
    return status;
}

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/socket_address.h"
#include "probe/service_internal.h"
#include "probe/service_tls.h"

/* How long the server may take to close its side once we have closed ours: its FIN has a mark too. */
#define GOODBYE_NS (500 * NS_PER_MS)

/* Longer than the chain of certificates that any TLS library takes. */
enum { HANDSHAKE_BYTES_MAX = 1 << 20 };

struct connection {
    const struct service_exchange_options *options;
    int fd;
    int64_t deadline_ns; /* monotonic */
    struct service_tls *tls;
    const struct service_request *request;
    struct service_exchange *x;
    size_t len; /* of the answer so far, after TLS */
    char answer[SERVICE_ANSWER_MAX];
};

static void local_of(int fd, struct endpoint *ret)
{
    struct sockaddr_storage from;
    socklen_t len = sizeof from;
    if (getsockname(fd, (struct sockaddr *)&from, &len) == 0)
        (void)socket_address_read((const struct sockaddr *)&from, ret);
}

/* A socket whose very first packet, the SYN, has the mark. */
static int open_socket(const struct service_exchange_options *o, int *ret_fd, struct error *error)
{
    bool v4 = o->server.addr.version == 4;
    int tos = dscp_tos(o->dscp);
    struct sockaddr_storage from;
    int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(error, ERR_IO, "the system gives no IPv%u socket: %s", o->server.addr.version,
                         strerror(errno));
    if (setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof tos) != 0) {
        int r =
            error_set(error, ERR_IO, "the mark %s cannot be set on a socket: %s", dscp_name(o->dscp), strerror(errno));
        (void)close(fd);
        return r;
    }
    if (o->source.version) {
        struct endpoint source = {.addr = o->source};
        socklen_t len = socket_address_write(&source, &from);
        if (bind(fd, (struct sockaddr *)&from, len) != 0) {
            char text[ADDR_TEXT_MAX];
            addr_format(&o->source, text);
            int r = error_set(error, ERR_USAGE, "packets cannot leave from %s: %s", text, strerror(errno));
            (void)close(fd);
            return r;
        }
    }
    *ret_fd = fd;
    return 0;
}

/* True once connected; otherwise the exchange says why not. */
static bool connect_to(struct connection *c, const struct endpoint *server)
{
    struct sockaddr_storage to;
    socklen_t len = socket_address_write(server, &to), size = sizeof(int);
    int64_t begin = clock_monotonic_ns();
    int number = connect(c->fd, (struct sockaddr *)&to, len) == 0 ? 0 : errno;
    local_of(c->fd, &c->x->local);
    if (number == EINPROGRESS) {
        number = ETIMEDOUT;
        if (service_wait(c->options, c->fd, POLLOUT, c->deadline_ns) &&
            getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
            number = errno;
    }
    if (number) {
        service_exchange_fail(c->x, number);
        return false;
    }
    c->x->answer_ns = clock_monotonic_ns() - begin;
    return true;
}

static bool send_all(struct connection *c, const uint8_t *bytes, size_t len)
{
    while (len) {
        ssize_t sent = send(c->fd, bytes, len, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            len -= (size_t)sent;
        } else if (errno == EAGAIN) {
            if (!service_wait(c->options, c->fd, POLLOUT, c->deadline_ns))
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* What TLS wants to have sent. */
static bool flush_tls(struct connection *c)
{
    uint8_t bytes[4096];
    for (size_t n; (n = service_tls_take(c->tls, bytes, sizeof bytes)) > 0;)
        if (!send_all(c, bytes, n))
            return false;
    return true;
}

static bool send_text(struct connection *c, const uint8_t *bytes, size_t len)
{
    struct error ignored;
    if (!c->tls)
        return send_all(c, bytes, len);
    return service_tls_write(c->tls, bytes, len, &ignored) == 0 && flush_tls(c);
}

/* Waits for bytes: how many came, 0 at the end of the stream, -1 when the time is up or the connection broke (errno).
 */
static ssize_t wait_bytes(struct connection *c, uint8_t *bytes, size_t size)
{
    for (;;) {
        if (!service_wait(c->options, c->fd, POLLIN, c->deadline_ns)) {
            errno = EAGAIN;
            return -1;
        }
        ssize_t got = recv(c->fd, bytes, size, 0);
        if (got > 0)
            c->x->any_bytes = true;
        if (got >= 0 || (errno != EAGAIN && errno != EINTR))
            return got;
    }
}

/* The outcome when bytes stopped coming: `got` is what wait_bytes() gave. */
static void stopped(struct connection *c, ssize_t got)
{
    struct service_exchange *x = c->x;
    if (got < 0 && errno != EAGAIN) {
        service_exchange_fail(x, errno);
        return;
    }
    static const char *const clauses[2][2] = {
        {"it accepts the connection but does not answer", "it accepts the connection and closes it without an answer"},
        {"TLS is set up, and then it does not answer",
         "TLS is set up, and then it closes the connection without an answer (does it want a client certificate?)"},
    };
    x->outcome = got == 0 ? SERVICE_CLOSED : SERVICE_SILENT;
    (void)snprintf(x->problem, sizeof x->problem, "%s", clauses[x->tls[0] != 0][got == 0]);
}

static bool handshake(struct connection *c)
{
    struct error error = {0};
    uint8_t bytes[4096];
    size_t len = 0;
    for (;;) {
        int r = service_tls_feed(c->tls, bytes, len, &error);
        c->x->handshake_bytes = service_tls_handshake_bytes(c->tls);
        /* an alert of ours goes out before we give up */
        bool sent = flush_tls(c);
        if (r < 0 && !service_tls_spoken(c->tls)) {
            c->x->outcome = SERVICE_ANSWERED_OTHERWISE;
            (void)snprintf(c->x->problem, sizeof c->x->problem, "it does not speak TLS");
            return false;
        }
        if (r < 0) {
            c->x->outcome = SERVICE_TLS_FAILED;
            (void)snprintf(c->x->problem, sizeof c->x->problem, "the TLS handshake fails: %.120s", error.text);
            return false;
        }
        if (service_tls_ready(c->tls)) {
            (void)snprintf(c->x->tls, sizeof c->x->tls, "%.11s", service_tls_version(c->tls));
            return true;
        }
        if (c->x->handshake_bytes > HANDSHAKE_BYTES_MAX) {
            c->x->outcome = SERVICE_TLS_FAILED;
            (void)snprintf(c->x->problem, sizeof c->x->problem, "the TLS handshake does not end");
            return false;
        }
        ssize_t got = sent ? wait_bytes(c, bytes, sizeof bytes) : -1;
        if (got <= 0) {
            stopped(c, got);
            return false;
        }
        len = (size_t)got;
    }
}

/* Adds what came to the answer, through TLS where there is. */
static void add_answer(struct connection *c, const uint8_t *bytes, size_t len)
{
    struct error ignored;
    size_t room = sizeof c->answer - c->len;
    if (!c->tls) {
        size_t n = len < room ? len : room;
        memcpy(c->answer + c->len, bytes, n);
        c->len += n;
        return;
    }
    if (service_tls_feed(c->tls, bytes, len, &ignored) < 0)
        return;
    for (size_t n; room && (n = service_tls_read(c->tls, c->answer + c->len, room)) > 0; room -= n)
        c->len += n;
}

/* Reads until the answer is whole; the outcome says what came. */
static void read_answer(struct connection *c)
{
    uint8_t bytes[4096];
    char text[SERVICE_TEXT_MAX] = "";
    size_t len = 0;
    for (;;) {
        if (c->tls || len)
            add_answer(c, bytes, len);
        enum service_reply reply = service_reply_read(c->request, slice_make(c->answer, c->len), text);
        bool full = c->len == sizeof c->answer; /* and still no end: enough of it */
        if (full || reply == REPLY_DONE || reply == REPLY_FOREIGN || reply == REPLY_NOT_OURS) {
            c->x->outcome =
                reply == REPLY_DONE || reply == REPLY_INTERIM ? SERVICE_ANSWERED : SERVICE_ANSWERED_OTHERWISE;
            memcpy(c->x->answer, text, sizeof text);
            return;
        }
        ssize_t got = c->tls && service_tls_ended(c->tls) ? 0 : wait_bytes(c, bytes, sizeof bytes);
        if (got <= 0) {
            if (reply == REPLY_INTERIM)
                memcpy(c->x->answer, text, sizeof text);
            stopped(c, got);
            if (reply == REPLY_INTERIM)
                c->x->outcome = SERVICE_ANSWERED;
            return;
        }
        len = (size_t)got;
    }
}

/* Ends it as the protocol wants, and gives the server a moment to send its FIN. */
static void say_goodbye(struct connection *c)
{
    uint8_t bytes[4096];
    const char *goodbye = service_request_goodbye(c->request);
    size_t len = strlen(goodbye);
    c->deadline_ns = clock_monotonic_ns() + GOODBYE_NS;
    if (len) {
        memcpy(bytes, goodbye, len);
        (void)send_text(c, bytes, len);
    }
    if (c->tls) {
        service_tls_close(c->tls);
        (void)flush_tls(c);
    }
    (void)shutdown(c->fd, SHUT_WR);
    while (wait_bytes(c, bytes, sizeof bytes) > 0) {}
}

static void converse(struct connection *c)
{
    uint8_t request[SERVICE_REQUEST_MAX];
    if (!c->tls || handshake(c)) {
        if (send_text(c, request, service_request_write(c->request, request)))
            read_answer(c);
        else
            service_exchange_fail(c->x, errno == EAGAIN ? ETIMEDOUT : errno);
    }
    say_goodbye(c);
}

int service_exchange_tcp(const struct service_exchange_options *o, struct service_request *r,
                         struct service_exchange *ret, struct error *error)
{
    struct connection c = {.options = o,
                           .fd = -1,
                           .request = r,
                           .x = ret,
                           .deadline_ns = clock_monotonic_ns() + o->timeout_ns};
    int status = o->way->transport == SERVICE_TLS ? service_tls_new(o->host, &c.tls, error) : 0;
    if (status == 0)
        status = open_socket(o, &c.fd, error);
    if (status == 0 && connect_to(&c, &o->server)) {
        r->local = ret->local;
        converse(&c);
    }
    if (c.fd >= 0)
        (void)close(c.fd);
    service_tls_free(c.tls);
    return status;
}

#include "probe/trace_net.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/socket_address.h"
#include "probe/trace_net_internal.h"

enum { PORT_FIRST = 34900, PORT_SPAN = 24000, PORT_ATTEMPTS = 64 };

int trace_net_source(const struct addr *target, const struct addr *wanted, struct addr *ret, struct error *error)
{
    struct sockaddr_storage to, own;
    socklen_t len = sizeof own;
    char text[ADDR_TEXT_MAX];
    int r = 0, family = target->version == 4 ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(error, ERR_IO, "no IPv%d socket: %s", target->version, strerror(errno));
    if (wanted->version && wanted->version != target->version) {
        r = error_set(error, ERR_USAGE, "--source is IPv%d, but the target is IPv%d", wanted->version, target->version);
    } else if (wanted->version &&
               bind(fd, (struct sockaddr *)&own, socket_address_write(&(struct endpoint){*wanted, 0}, &own)) != 0) {
        addr_format(wanted, text);
        r = error_set(error, ERR_USAGE, "%s is not an address of this host: %s", text, strerror(errno));
    } else if (connect(fd, (struct sockaddr *)&to, socket_address_write(&(struct endpoint){*target, 9}, &to)) != 0) {
        addr_format(target, text);
        r = error_set(error, ERR_IO, "there is no way to %s from here: %s", text, strerror(errno));
    } else if (getsockname(fd, (struct sockaddr *)&own, &len) != 0) {
        r = error_set(error, ERR_IO, "this host's own address is not known: %s", strerror(errno));
    } else {
        struct endpoint at;
        (void)socket_address_read((const struct sockaddr *)&own, &at);
        *ret = at.addr;
    }
    (void)close(fd);
    return r;
}

static int flow_socket(const struct trace_wire_config *config, uint16_t port)
{
    struct sockaddr_storage own, to;
    int type = config->proto == PROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int fd = socket(config->source.version == 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    socklen_t own_len = socket_address_write(&(struct endpoint){config->source, port}, &own),
              to_len = socket_address_write(&(struct endpoint){config->target, config->port}, &to);
    if (bind(fd, (struct sockaddr *)&own, own_len) == 0 &&
        (config->proto != PROTO_UDP || connect(fd, (struct sockaddr *)&to, to_len) == 0))
        return fd;
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return -1;
}

static void close_flows(struct trace_net *n)
{
    for (size_t i = 0; i < n->flow_count; i++)
        (void)close(n->flow_fds[i]);
    n->flow_count = 0;
}

/* As many ports in a row as there are flows, all of them free. */
static int take_ports(struct trace_net *n, struct error *error)
{
    struct trace_wire_config *c = &n->config;
    if (c->proto == PROTO_ICMP || c->proto == PROTO_ICMPV6) {
        c->source_port = (uint16_t)(c->cookie >> 8);
        return 0;
    }
    for (unsigned attempt = 0; attempt < PORT_ATTEMPTS; attempt++) {
        c->source_port =
            (uint16_t)(PORT_FIRST + (c->cookie % PORT_SPAN + attempt * (unsigned)c->flows * 7U) % PORT_SPAN);
        for (uint16_t flow = 0; flow < c->flows; flow++) {
            int fd = flow_socket(c, (uint16_t)(c->source_port + flow));
            if (fd < 0 && errno != EADDRINUSE && errno != EACCES)
                return error_set(error, ERR_IO, "no socket towards the target: %s", strerror(errno));
            if (fd < 0)
                break;
            n->flow_fds[n->flow_count++] = fd;
        }
        if (n->flow_count == c->flows)
            return 0;
        close_flows(n);
    }
    return error_set(error, ERR_IO, "there are no %u free ports in a row on this host", (unsigned)c->flows);
}

int trace_net_begin(struct trace_wire_config *config, struct trace_net **ret, struct error *error)
{
    struct trace_net *n = calloc(1, sizeof *n);
    if (!n)
        return error_set(error, ERR_MEMORY, "out of memory");
    n->config = *config;
    n->icmp_fd = n->tcp_fd = -1;
    n->sent_ns = calloc(UINT16_MAX + 1U, sizeof *n->sent_ns);
    n->last_of_flow = calloc(TRACE_FLOWS_MAX, sizeof *n->last_of_flow);
    int r = 0;
    if (!n->sent_ns || !n->last_of_flow)
        r = error_set(error, ERR_MEMORY, "out of memory");
    else if (getrandom(&n->config.cookie, sizeof n->config.cookie, 0) != (ssize_t)sizeof n->config.cookie)
        r = error_set(error, ERR_IO, "the system gives no random numbers: %s", strerror(errno));
    else
        r = take_ports(n, error);
    if (r < 0) {
        trace_net_close(n);
        return r;
    }
    *config = n->config;
    *ret = n;
    return 0;
}

void trace_net_close(struct trace_net *n)
{
    if (!n)
        return;
    close_flows(n);
    if (n->icmp_fd >= 0)
        (void)close(n->icmp_fd);
    if (n->tcp_fd >= 0)
        (void)close(n->tcp_fd);
    craft_sender_free(n->sender);
    trace_wire_free(n->wire);
    free(n->last_of_flow);
    free(n->sent_ns);
    free(n);
}

const struct trace_io *trace_net_io(const struct trace_net *n)
{
    return &n->io;
}

uint64_t trace_net_replies(const struct trace_net *n)
{
    return n->replies;
}

int64_t trace_net_stamp(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec ts;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS || c->cmsg_len < CMSG_LEN(sizeof ts))
            continue;
        memcpy(&ts, CMSG_DATA(c), sizeof ts);
        return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
    }
    return 0;
}

int trace_net_receive(int fd, struct net_datagram *d)
{
    struct sockaddr_storage from = {0};
    struct endpoint sender;
    _Alignas(struct cmsghdr) uint8_t control[256];
    struct iovec part = {.iov_base = d->bytes, .iov_len = sizeof d->bytes};
    struct msghdr m = {.msg_name = &from,
                       .msg_namelen = sizeof from,
                       .msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);
    if (n < 0)
        return 0;
    d->len = (size_t)n;
    d->time_ns = trace_net_stamp(&m);
    (void)socket_address_read((const struct sockaddr *)&from, &sender);
    d->from = sender.addr;
    return 1;
}

int64_t trace_net_now(void *user)
{
    (void)user;
    return clock_monotonic_ns();
}

double trace_net_rtt(const struct trace_net *n, uint16_t number, int64_t received_ns)
{
    int64_t sent = n->sent_ns[number], now = received_ns ? received_ns : clock_wall_ns();
    return sent && now >= sent ? (double)(now - sent) / (double)NS_PER_MS : -1;
}

int trace_net_send_result(int cause, const struct addr *target, struct error *error)
{
    char text[ADDR_TEXT_MAX];
    switch (cause) {
    case 0:
        return 0;
    case EAGAIN:
    case ENOBUFS:
    case EINTR:
        return ERR_LIMIT;
    case EPERM:
    case EACCES:
    case EMSGSIZE:
        return error_set(error, ERR_IO, "this host refuses to send the packet: %s", strerror(cause));
    default:
        addr_format(target, text);
        return error_set(error, ERR_INCOMPLETE, "nothing can be sent to %s: %s", text, strerror(cause));
    }
}

size_t trace_net_fds(const struct trace_net *n, struct pollfd to[static NET_FDS_MAX])
{
    size_t count = 0;
    /* a TCP socket that only holds its port would report a hang-up for ever */
    for (size_t i = 0; n->config.proto == PROTO_UDP && i < n->flow_count; i++)
        to[count++] = (struct pollfd){.fd = n->flow_fds[i], .events = POLLIN};
    if (n->icmp_fd >= 0)
        to[count++] = (struct pollfd){.fd = n->icmp_fd, .events = POLLIN};
    if (n->tcp_fd >= 0)
        to[count++] = (struct pollfd){.fd = n->tcp_fd, .events = POLLIN};
    return count;
}

bool trace_net_wait(struct pollfd *fds, size_t count, int64_t wait_ns)
{
    return poll(fds, (nfds_t)count, (int)((wait_ns + NS_PER_MS - 1) / NS_PER_MS)) > 0;
}

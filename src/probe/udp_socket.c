/* sendmmsg() and recvmmsg() are behind this in glibc */
#define _GNU_SOURCE

#include "probe/udp_socket.h"

#include <errno.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "model/socket_address.h"
#include "probe/udp_socket_control.h"

struct udp_socket {
    int fd, version;
    bool connected, mark_by_option;
    bool transmit_times, numbered; /* numbered: the kernel takes our own number for a transmit time */
    int option_mark;               /* what setsockopt() said last, -1 nothing yet */
    uint32_t sent;
    uint32_t numbers_from; /* where it counts by itself: our number of its 0 */
    uint64_t dropped;
    uint32_t dropped_last;
    struct endpoint local;
    /* one batch, so that no call needs room on the stack for it */
    struct mmsghdr messages[UDP_BATCH_MAX];
    struct iovec parts[UDP_BATCH_MAX];
    struct sockaddr_storage names[UDP_BATCH_MAX];
    union udp_control controls[UDP_BATCH_MAX];
};

static int set_int(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value);
}

/* The kernel counts transmit times from the moment that it is asked for numbers. */
static int restart_numbers(struct udp_socket *s)
{
    int flags = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
    s->numbers_from = s->sent;
    if (set_int(s->fd, SOL_SOCKET, SO_TIMESTAMPING, flags) < 0)
        return -1;
    return set_int(s->fd, SOL_SOCKET, SO_TIMESTAMPING, flags | SOF_TIMESTAMPING_OPT_ID);
}

/* What a measurement cannot do without; NULL, or what the kernel refused. */
static const char *set_needed(struct udp_socket *s)
{
    static const struct {
        int version, level, option;
        const char *what;
    } needed[] = {
        {4, IPPROTO_IP, IP_RECVTOS, "the received TOS byte"},
        {4, IPPROTO_IP, IP_PKTINFO, "the received destination address"},
        {6, IPPROTO_IPV6, IPV6_V6ONLY, "IPv6 alone"},
        {6, IPPROTO_IPV6, IPV6_RECVTCLASS, "the received traffic class"},
        {6, IPPROTO_IPV6, IPV6_RECVPKTINFO, "the received destination address"},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (needed[i].version == s->version && set_int(s->fd, needed[i].level, needed[i].option, 1) < 0)
            return needed[i].what;
    return NULL;
}

/* What is told as unknown where the kernel does not do it. */
static void set_wanted(struct udp_socket *s, const struct udp_config *c)
{
    bool v4 = s->version == 4;
    int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
    (void)set_int(s->fd, level, v4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT, 1);
    (void)set_int(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    (void)set_int(s->fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    if (c->ttl)
        (void)set_int(s->fd, level, v4 ? IP_TTL : IPV6_UNICAST_HOPS, c->ttl);
    if (c->icmp_errors)
        (void)set_int(s->fd, level, v4 ? IP_RECVERR : IPV6_RECVERR, 1);
    if (c->path_mtu && v4)
        (void)set_int(s->fd, level, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    if (c->receive_bytes && set_int(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, c->receive_bytes) < 0)
        (void)set_int(s->fd, SOL_SOCKET, SO_RCVBUF, c->receive_bytes);
    if (c->send_bytes && set_int(s->fd, SOL_SOCKET, SO_SNDBUFFORCE, c->send_bytes) < 0)
        (void)set_int(s->fd, SOL_SOCKET, SO_SNDBUF, c->send_bytes);
    s->transmit_times = c->transmit_times && restart_numbers(s) == 0;
    s->numbered = s->transmit_times;
}

static int bind_failed(const struct udp_config *c, int number, struct error *error)
{
    char where[ENDPOINT_TEXT_MAX];
    endpoint_format(&c->local, where);
    switch (number) {
    case EACCES:
        return error_set(error, ERR_IO, "UDP %s: ports below 1024 need root or the capability CAP_NET_BIND_SERVICE",
                         where);
    case EADDRINUSE:
        return error_set(error, ERR_IO, "UDP %s is in use by another program", where);
    case EADDRNOTAVAIL:
        return error_set(error, ERR_USAGE, "UDP %s: this machine has no such address", where);
    default:
        return error_set(error, ERR_IO, "UDP %s: %s", where, strerror(number));
    }
}

static int open_socket(struct udp_socket *s, const struct udp_config *c, struct error *error)
{
    struct sockaddr_storage at;
    s->fd = socket(s->version == 4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return error_set(error, errno == EAFNOSUPPORT ? ERR_UNSUPPORTED : ERR_IO, "no IPv%d socket: %s", s->version,
                         strerror(errno));
    const char *missing = set_needed(s);
    if (missing)
        return error_set(error, ERR_UNSUPPORTED, "this system does not tell %s of UDP packets: %s", missing,
                         strerror(errno));
    set_wanted(s, c);
    if (c->device && setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, c->device, (socklen_t)strlen(c->device)) < 0)
        return error_set(error, errno == EPERM ? ERR_IO : ERR_USAGE, "interface %s: %s", c->device, strerror(errno));

    unsigned index = c->device ? if_nametoindex(c->device) : 0;
    socklen_t len = udp_address_write(&c->local, index, &at);
    if (bind(s->fd, (const struct sockaddr *)&at, len) < 0)
        return bind_failed(c, errno, error);
    if (c->peer.addr.version) {
        char to[ENDPOINT_TEXT_MAX];
        len = udp_address_write(&c->peer, index, &at);
        endpoint_format(&c->peer, to);
        if (connect(s->fd, (const struct sockaddr *)&at, len) < 0)
            return error_set(error, ERR_IO, "%s: %s", to, strerror(errno));
        s->connected = true;
    }
    len = sizeof at;
    if (getsockname(s->fd, (struct sockaddr *)&at, &len) < 0 ||
        !socket_address_read((const struct sockaddr *)&at, &s->local))
        return error_set(error, ERR_IO, "a socket without an address: %s", strerror(errno));
    return 0;
}

int udp_socket_new(const struct udp_config *config, struct udp_socket **ret, struct error *error)
{
    int version = config->local.addr.version ? config->local.addr.version : config->peer.addr.version;
    if ((version != 4 && version != 6) || (config->peer.addr.version && config->peer.addr.version != version))
        return error_set(error, ERR_USAGE, "a socket is for IPv4 or for IPv6");
    struct udp_socket *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    s->fd = -1;
    s->version = version;
    s->option_mark = -1;
    s->mark_by_option = config->mark_by_option;
    struct udp_config complete = *config;
    complete.local.addr.version = (uint8_t)version;
    int r = open_socket(s, &complete, error);
    if (r < 0) {
        udp_socket_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void udp_socket_free(struct udp_socket *s)
{
    if (!s)
        return;
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s);
}

int udp_socket_fd(const struct udp_socket *s)
{
    return s->fd;
}

void udp_socket_local(const struct udp_socket *s, struct endpoint *ret)
{
    *ret = s->local;
}

uint32_t udp_socket_sent_count(const struct udp_socket *s)
{
    return s->sent;
}

uint64_t udp_socket_dropped(const struct udp_socket *s)
{
    return s->dropped;
}

/* What an ICMP message that came for an earlier packet leaves behind in the next call. */
static bool is_icmp_errno(int number)
{
    return number == ECONNREFUSED || number == EHOSTUNREACH || number == ENETUNREACH || number == ENOPROTOOPT ||
           number == EHOSTDOWN || number == EPROTO || number == EMSGSIZE || number == EACCES || number == ENETDOWN;
}

/* ---- receiving ---- */

static void read_message(struct udp_socket *s, size_t i, struct udp_packet *p, int64_t now)
{
    const struct msghdr *m = &s->messages[i].msg_hdr;
    uint32_t dropped = s->dropped_last;

    p->len = s->messages[i].msg_len;
    p->cut = (m->msg_flags & MSG_TRUNC) != 0;
    p->peer = (struct endpoint){0};
    p->local = (struct addr){0};
    p->interface = 0;
    p->to_group = p->tos_known = p->ttl_known = false;
    p->tos = 0;
    p->ttl = 0;
    p->time_source = UDP_TIME_PROGRAM;
    p->time_ns = now;
    (void)socket_address_read((const struct sockaddr *)&s->names[i], &p->peer);
    udp_control_read(m, p, &dropped);
    s->dropped += (uint32_t)(dropped - s->dropped_last);
    s->dropped_last = dropped;
}

int udp_socket_receive(struct udp_socket *s, struct udp_packet *packets, size_t count, struct error *error)
{
    if (count > UDP_BATCH_MAX)
        count = UDP_BATCH_MAX;
    for (size_t i = 0; i < count; i++) {
        s->parts[i] = (struct iovec){.iov_base = packets[i].bytes, .iov_len = packets[i].size};
        s->messages[i].msg_hdr = (struct msghdr){.msg_name = &s->names[i],
                                                 .msg_namelen = sizeof s->names[i],
                                                 .msg_iov = &s->parts[i],
                                                 .msg_iovlen = 1,
                                                 .msg_control = s->controls[i].bytes,
                                                 .msg_controllen = UDP_CONTROL_BYTES};
    }
    for (;;) {
        int n = recvmmsg(s->fd, s->messages, (unsigned)count, MSG_DONTWAIT, NULL);
        if (n >= 0) {
            int64_t now = clock_wall_ns();
            for (int i = 0; i < n; i++)
                read_message(s, (size_t)i, &packets[i], now);
            return n;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        /* reading the error has taken it off the socket, so this ends */
        if (errno != EINTR && !is_icmp_errno(errno))
            return error_set(error, ERR_IO, "receiving: %s", strerror(errno));
    }
}

/* ---- sending ---- */

static void prepare(struct udp_socket *s, const struct udp_packet *packets, size_t count, bool with_mark)
{
    for (size_t i = 0; i < count; i++) {
        struct msghdr *m = &s->messages[i].msg_hdr;
        s->parts[i] = (struct iovec){.iov_base = packets[i].bytes, .iov_len = packets[i].len};
        *m = (struct msghdr){.msg_iov = &s->parts[i], .msg_iovlen = 1, .msg_control = s->controls[i].bytes};
        if (packets[i].peer.addr.version) {
            m->msg_namelen = udp_address_write(&packets[i].peer, packets[i].interface, &s->names[i]);
            m->msg_name = &s->names[i];
        }
        udp_control_write(m, &packets[i], s->version, with_mark);
        if (s->transmit_times && s->numbered)
            udp_control_write_id(m, s->sent + (uint32_t)i);
        if (m->msg_controllen == 0)
            m->msg_control = NULL;
    }
}

/* One packet after the other, with the socket's own mark set for each. */
static int send_by_option(struct udp_socket *s, const struct udp_packet *packets, size_t count)
{
    size_t done = 0;
    while (done < count) {
        int tos = packets[done].tos;
        if (tos != s->option_mark) {
            bool v4 = s->version == 4;
            if (set_int(s->fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, tos) < 0)
                return done ? (int)done : -1;
            s->option_mark = tos;
        }
        if (sendmsg(s->fd, &s->messages[done].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            return done ? (int)done : -1;
        done++;
    }
    return (int)done;
}

static int send_prepared(struct udp_socket *s, const struct udp_packet *packets, size_t count)
{
    prepare(s, packets, count, !s->mark_by_option);
    return s->mark_by_option ? send_by_option(s, packets, count)
                             : sendmmsg(s->fd, s->messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Once a socket: a kernel that knows less. True where it is worth another try. */
static bool do_with_less(struct udp_socket *s)
{
    if (s->numbered) {
        s->numbered = false;
        return restart_numbers(s) == 0;
    }
    if (!s->mark_by_option) {
        s->mark_by_option = true;
        return true;
    }
    return false;
}

int udp_socket_send(struct udp_socket *s, const struct udp_packet *packets, size_t count, int *ret_refused,
                    struct error *error)
{
    bool again = true;
    *ret_refused = 0;
    if (count == 0)
        return 0;
    if (count > UDP_BATCH_MAX)
        count = UDP_BATCH_MAX;
    for (;;) {
        int n = send_prepared(s, packets, count);
        if (n >= 0) {
            s->sent += (uint32_t)n;
            return n;
        }
        int number = errno;
        if (number == EINTR)
            continue;
        if (number == EAGAIN || number == EWOULDBLOCK)
            return 0;
        if (number == EINVAL && s->sent == 0 && do_with_less(s))
            continue;
        if (number == EBADF || number == ENOTSOCK || number == EFAULT)
            return error_set(error, ERR_IO, "sending: %s", strerror(number));
        /* what an ICMP message left behind is reported once, by a call that sends nothing */
        if (is_icmp_errno(number) && again) {
            again = false;
            continue;
        }
        if (s->transmit_times && !s->numbered)
            (void)restart_numbers(s); /* the kernel may have counted what it did not send */
        *ret_refused = number;
        return 0;
    }
}

bool udp_socket_event(struct udp_socket *s, struct udp_event *ret)
{
    union udp_control control;
    struct sockaddr_storage name;
    uint8_t nothing[1];
    for (;;) {
        struct iovec part = {.iov_base = nothing, .iov_len = sizeof nothing};
        struct msghdr m = {.msg_name = &name,
                           .msg_namelen = sizeof name,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
        memset(&name, 0, sizeof name);
        ssize_t n = recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR)
            return false;
        if (n < 0 || !udp_control_read_event(&m, ret))
            continue;
        if (ret->kind == UDP_EVENT_SENT && !s->numbered)
            ret->id += s->numbers_from;
        if (ret->kind == UDP_EVENT_SENT && ret->id - s->sent < UINT32_MAX / 2)
            continue; /* of a packet that was not sent: no time of ours */
        return true;
    }
}

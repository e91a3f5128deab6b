#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <linux/errqueue.h> /* needs struct timespec */

#include "base/clock.h"
#include "model/socket_address.h"
#include "probe/trace_net_internal.h"

enum { BATCH = 256 }; /* strays passed over before the clock is looked at */

/* An ICMP error that answered an earlier probe stays with the socket as a pending error, which the next send would take
 * for its own. */
static void clear_error(int fd)
{
    int pending;
    socklen_t len = sizeof pending;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &len);
}

static int net_send(void *user, const struct trace_probe *p, struct error *error)
{
    struct trace_net *n = user;
    uint8_t payload[TRACE_PAYLOAD_BYTES];
    int fd = n->flow_fds[p->flow], ttl = p->ttl, tos = dscp_tos(p->dscp), cause = 0;
    bool v4 = n->config.target.version == 4;
    int r = setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TTL : IPV6_UNICAST_HOPS, &ttl, sizeof ttl);
    r |= setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof tos);
    if (r != 0)
        return error_set(error, ERR_INCOMPLETE, "TTL or mark cannot be set: %s", strerror(errno));
    trace_wire_payload(&n->config, p->number, payload);
    n->sent_ns[p->number] = clock_wall_ns();
    n->last_of_flow[p->flow] = p->number;
    for (int attempt = 0; attempt < 3; attempt++) {
        clear_error(fd);
        if (send(fd, payload, sizeof payload, MSG_DONTWAIT) >= 0)
            return 0;
        cause = errno;
        if (cause != EHOSTUNREACH && cause != ECONNREFUSED && cause != ENETUNREACH)
            break;
    }
    return trace_net_send_result(cause, &n->config.target, error);
}

/* Which answer an entry of the error queue is. False: none that ends or shows a hop. */
static bool answer_of(const struct sock_extended_err *e, enum trace_answer *ret)
{
    static const struct {
        uint8_t origin, type;
        int16_t code; /* -1: any other */
        enum trace_answer answer;
    } answers[] = {
        {SO_EE_ORIGIN_ICMP, 11, 0, TRACE_TIME_EXCEEDED},    {SO_EE_ORIGIN_ICMP, 3, 3, TRACE_PORT_UNREACHABLE},
        {SO_EE_ORIGIN_ICMP, 3, -1, TRACE_UNREACHABLE},      {SO_EE_ORIGIN_ICMP6, 3, 0, TRACE_TIME_EXCEEDED},
        {SO_EE_ORIGIN_ICMP6, 1, 4, TRACE_PORT_UNREACHABLE}, {SO_EE_ORIGIN_ICMP6, 1, -1, TRACE_UNREACHABLE},
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        if (answers[i].origin != e->ee_origin || answers[i].type != e->ee_type ||
            (answers[i].code >= 0 && answers[i].code != e->ee_code))
            continue;
        *ret = answers[i].answer;
        return true;
    }
    return false;
}

/* Where the quote was too short for the number it is the newest probe's, since then no other is out. */
static uint16_t number_of(struct trace_net *n, size_t flow, const uint8_t *payload, size_t len)
{
    uint16_t number = trace_wire_payload_number(&n->config, payload, len);
    if (number)
        return number;
    bool was_alone = n->one_at_a_time;
    n->one_at_a_time = true;
    return was_alone ? n->last_of_flow[flow] : 0;
}

static bool take_error(struct trace_net *n, size_t flow, struct trace_event *ret)
{
    uint8_t payload[TRACE_PAYLOAD_BYTES];
    _Alignas(struct cmsghdr) uint8_t control[512];
    struct iovec part = {.iov_base = payload, .iov_len = sizeof payload};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t len = recvmsg(n->flow_fds[flow], &m, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (len < 0)
        return false;
    *ret = (struct trace_event){.reply = {.quoted_dscp = TRACE_MARK_UNKNOWN, .quoted_ecn = TRACE_MARK_UNKNOWN}};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        struct sock_extended_err e;
        struct sockaddr_storage offender = {0};
        struct endpoint router;
        bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
        if (!v4 && (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_RECVERR))
            continue;
        size_t size = v4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (c->cmsg_len < CMSG_LEN(sizeof e + size))
            continue;
        memcpy(&e, CMSG_DATA(c), sizeof e);
        memcpy(&offender, CMSG_DATA(c) + sizeof e, size);
        (void)socket_address_read((const struct sockaddr *)&offender, &router);
        ret->reply.addr = router.addr;
        ret->reply.code = e.ee_code;
        if (ret->reply.addr.version && answer_of(&e, &ret->reply.answer))
            ret->number = number_of(n, flow, payload, (size_t)len);
    }
    ret->from_target = addr_equal(&ret->reply.addr, &n->config.target);
    if (ret->number)
        ret->reply.rtt_ms = trace_net_rtt(n, ret->number, trace_net_stamp(&m));
    return true;
}

static bool take_reply(struct trace_net *n, size_t flow, struct trace_event *ret)
{
    struct net_datagram d;
    if (!trace_net_receive(n->flow_fds[flow], &d))
        return false;
    n->replies++;
    *ret = (struct trace_event){.number = trace_wire_payload_number(&n->config, d.bytes, d.len),
                                .reply = {.addr = d.from,
                                          .answer = TRACE_UDP_REPLY,
                                          .quoted_dscp = TRACE_MARK_UNKNOWN,
                                          .quoted_ecn = TRACE_MARK_UNKNOWN},
                                .from_target = true};
    if (ret->number)
        ret->reply.rtt_ms = trace_net_rtt(n, ret->number, d.time_ns);
    return true;
}

static int net_receive(void *user, int64_t wait_ns, struct trace_event *ret, uint64_t *ret_strays, struct error *error)
{
    struct trace_net *n = user;
    struct pollfd fds[NET_FDS_MAX];
    size_t count = trace_net_fds(n, fds); /* those of the flows, in order */
    (void)error;
    if (!trace_net_wait(fds, count, wait_ns))
        return 0;
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; fds[i].revents && k < BATCH && (take_error(n, i, ret) || take_reply(n, i, ret)); k++) {
            if (ret->number)
                return 1;
            ++*ret_strays;
        }
    return 0;
}

static unsigned net_in_flight(void *user)
{
    const struct trace_net *n = user;
    return n->one_at_a_time ? 1 : UINT16_MAX;
}

int trace_net_open_socket(struct trace_wire_config *config, struct trace_net **ret, struct error *error)
{
    struct trace_net *n = NULL;
    int on = 1;
    if (config->proto != PROTO_UDP)
        return error_set(error, ERR_UNSUPPORTED, "without raw packets only UDP can be traced: --proto udp");
    int r = trace_net_begin(config, &n, error);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n->flow_count; i++) {
        bool v4 = config->target.version == 4;
        if (setsockopt(n->flow_fds[i], v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on,
                       sizeof on) != 0) {
            r = error_set(error, ERR_IO, "ICMP errors cannot be read: %s", strerror(errno));
            trace_net_close(n);
            return r;
        }
        (void)setsockopt(n->flow_fds[i], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    }
    n->io = (struct trace_io){
        .user = n, .send = net_send, .receive = net_receive, .now = trace_net_now, .in_flight = net_in_flight};
    *ret = n;
    return 0;
}

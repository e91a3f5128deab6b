#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "model/socket_address.h"
#include "probe/trace_net_internal.h"

enum { BATCH = 256 }; /* strays passed over before the clock is looked at */

static int net_send(void *user, const struct trace_probe *p, struct error *error)
{
    struct trace_net *n = user;
    uint8_t bytes[CRAFT_PACKET_MAX];
    int len = trace_wire_build(n->wire, p, bytes, sizeof bytes, error), cause = 0;
    if (len < 0)
        return ERR_MEMORY;
    n->sent_ns[p->number] = clock_wall_ns();
    int r = craft_sender_send(n->sender, bytes, (size_t)len, &cause, error);
    return r < 0 ? trace_net_send_result(cause, &n->config.target, error) : 0;
}

/* Raw IPv4 sockets hand over the IP header, raw IPv6 ones do not. */
static struct cursor payload_of(const struct trace_net *n, const struct net_datagram *d)
{
    struct cursor c = cur_make(d->bytes, d->len, d->len == sizeof d->bytes);
    if (n->config.target.version == 4) {
        size_t header = (size_t)(cur_peek(&c, 0) & 15) * 4;
        cur_skip(&c, header < 20 ? d->len + 1 : header);
    }
    return c;
}

static void take_labels(const struct quote *q, struct trace_reply *r)
{
    for (size_t i = 0; i < q->label_count && i < TRACE_LABELS_MAX; i++)
        r->labels[r->label_count++] = (struct trace_label){
            .label = q->labels[i].label, .tc = q->labels[i].tc, .ttl = q->labels[i].ttl, .bottom = q->labels[i].bottom};
}

static bool take_quote(const struct trace_net *n, struct cursor icmp, struct trace_event *ret)
{
    struct quote q;
    bool translated = false;
    uint8_t version = n->config.target.version;
    if (version == 4 && !icmp.cut && !quote_checksum_is_right(icmp.at, cur_left(&icmp)))
        return false;
    if (quote_parse(icmp, version, &q) != PARSE_OK || q.kind == QUOTE_OTHER)
        return false;
    ret->number = trace_wire_match_quote(n->wire, &q, &translated);
    if (!ret->number)
        return false;
    ret->reply.answer = q.kind == QUOTE_TIME_EXCEEDED      ? TRACE_TIME_EXCEEDED
                        : q.kind == QUOTE_PORT_UNREACHABLE ? TRACE_PORT_UNREACHABLE
                                                           : TRACE_UNREACHABLE;
    ret->reply.code = q.code;
    ret->reply.quoted_dscp = (int8_t)tos_dscp(q.tos);
    ret->reply.quoted_ecn = (int8_t)tos_ecn(q.tos);
    ret->reply.translated = translated;
    ret->quoted_ttl = q.ttl;
    take_labels(&q, &ret->reply);
    return true;
}

static bool take_icmp(const struct trace_net *n, const struct net_datagram *d, struct trace_event *ret)
{
    struct cursor c = payload_of(n, d);
    if (c.failed)
        return false;
    if (n->config.proto == PROTO_ICMP || n->config.proto == PROTO_ICMPV6) {
        ret->number = trace_wire_match_echo(n->wire, c);
        ret->reply.answer = TRACE_ECHO_REPLY;
        if (ret->number)
            return true;
    }
    return take_quote(n, c, ret);
}

static bool take_tcp(const struct trace_net *n, const struct net_datagram *d, struct trace_event *ret)
{
    struct cursor c = payload_of(n, d);
    if (c.failed || !addr_equal(&d->from, &n->config.target))
        return false;
    ret->number = trace_wire_match_tcp(n->wire, c, &ret->reply.answer);
    return ret->number != 0;
}

/* What a program behind the port sends back. It may hold the probe (an echo service, a reflector), and then says which.
 */
static bool take_udp(struct trace_net *n, const struct net_datagram *d, struct trace_event *ret)
{
    n->replies++;
    ret->number = trace_wire_payload_number(&n->config, d->bytes, d->len);
    ret->reply.answer = TRACE_UDP_REPLY;
    return ret->number != 0;
}

static bool take(struct trace_net *n, int fd, const struct net_datagram *d, struct trace_event *ret)
{
    *ret = (struct trace_event){
        .reply = {.addr = d->from, .quoted_dscp = TRACE_MARK_UNKNOWN, .quoted_ecn = TRACE_MARK_UNKNOWN}};
    if (fd == n->icmp_fd ? !take_icmp(n, d, ret) : fd == n->tcp_fd ? !take_tcp(n, d, ret) : !take_udp(n, d, ret))
        return false;
    ret->from_target = addr_equal(&d->from, &n->config.target);
    ret->reply.rtt_ms = trace_net_rtt(n, ret->number, d->time_ns);
    return true;
}

static int net_receive(void *user, int64_t wait_ns, struct trace_event *ret, uint64_t *ret_strays, struct error *error)
{
    struct trace_net *n = user;
    struct net_datagram d;
    struct pollfd fds[NET_FDS_MAX];
    size_t count = trace_net_fds(n, fds);
    (void)error;
    if (!trace_net_wait(fds, count, wait_ns))
        return 0;
    for (size_t i = 0; i < count; i++)
        for (unsigned k = 0; fds[i].revents && k < BATCH && trace_net_receive(fds[i].fd, &d); k++) {
            if (take(n, fds[i].fd, &d, ret))
                return 1;
            ++*ret_strays;
        }
    return 0;
}

/* Of a busy host's ICMP only errors and, for echoes, replies. */
static void filter_icmp(int fd, uint8_t version)
{
    struct icmp_filter v4 = {.data = ~(1U << 0 | 1U << 3 | 1U << 11 | 1U << 12)};
    struct icmp6_filter v6;
    ICMP6_FILTER_SETBLOCKALL(&v6);
    ICMP6_FILTER_SETPASS(ICMP6_DST_UNREACH, &v6);
    ICMP6_FILTER_SETPASS(ICMP6_TIME_EXCEEDED, &v6);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &v6);
    if (version == 4)
        (void)setsockopt(fd, SOL_RAW, ICMP_FILTER, &v4, sizeof v4);
    else
        (void)setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &v6, sizeof v6);
}

/* Of a busy host's TCP only what comes to the ports of this trace; the kernel drops the rest. */
static void filter_tcp(int fd, const struct trace_wire_config *c)
{
    struct sock_filter v4[] = {
        BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), /* X: bytes of the IPv4 header */
        BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, c->source_port, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, c->source_port + (unsigned)c->flows, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT16_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_filter v6[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, c->source_port, 0, 2),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, c->source_port + (unsigned)c->flows, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT16_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof v4 / sizeof v4[0], .filter = v4};
    if (c->target.version == 6)
        program = (struct sock_fprog){.len = sizeof v6 / sizeof v6[0], .filter = v6};
    (void)setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

static int add_raw(struct trace_net *n, int proto, int *ret_fd, struct error *error)
{
    struct sockaddr_storage own;
    const uint8_t version = n->config.target.version;
    int on = 1, size = 1 << 20;
    int fd = socket(version == 4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);
    if (fd < 0)
        return error_set(error, ERR_UNSUPPORTED, "answers cannot be read: %s", strerror(errno));
    if (proto == IPPROTO_TCP)
        filter_tcp(fd, &n->config);
    else
        filter_icmp(fd, version);
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    (void)bind(fd, (struct sockaddr *)&own, socket_address_write(&(struct endpoint){n->config.source, 0}, &own));
    *ret_fd = fd;
    return 0;
}

int trace_net_open_raw(struct trace_wire_config *config, struct trace_net **ret, struct error *error)
{
    struct trace_net *n = NULL;
    struct craft_sender *sender = NULL;
    int r = craft_sender_open(config->target.version == 4 ? CRAFT_RAW4 : CRAFT_RAW6, NULL, &sender, error);
    if (r < 0)
        return r;
    r = trace_net_begin(config, &n, error);
    if (r < 0) {
        craft_sender_free(sender);
        return r;
    }
    n->sender = sender;
    r = trace_wire_new(config, &n->wire, error);
    if (r >= 0)
        r = add_raw(n, config->target.version == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, &n->icmp_fd, error);
    if (r >= 0 && config->proto == PROTO_TCP)
        r = add_raw(n, IPPROTO_TCP, &n->tcp_fd, error);
    if (r < 0) {
        trace_net_close(n);
        return r;
    }
    n->io = (struct trace_io){.user = n, .send = net_send, .receive = net_receive, .now = trace_net_now};
    *ret = n;
    return 0;
}

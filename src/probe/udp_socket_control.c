/* struct in6_pktinfo (RFC 3542) is behind this in glibc */
#define _GNU_SOURCE

#include "probe/udp_socket_control.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include <linux/errqueue.h> /* wants <time.h> before it */

#include "base/clock.h"
#include "model/socket_address.h"

/* Linux 6.13; older C libraries do not know it */
#ifndef SCM_TS_OPT_ID
#define SCM_TS_OPT_ID 81
#endif

static bool is_link_local(const struct addr *a)
{
    return a->version == 6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

socklen_t udp_address_write(const struct endpoint *e, unsigned interface, struct sockaddr_storage *to)
{
    struct sockaddr_in6 v6;
    socklen_t len = socket_address_write(e, to);
    if (!is_link_local(&e->addr))
        return len;
    /* a link-local address means nothing without its link */
    memcpy(&v6, to, sizeof v6);
    v6.sin6_scope_id = interface;
    memcpy(to, &v6, sizeof v6);
    return len;
}

static void add(struct msghdr *m, int level, int type, const void *data, size_t len)
{
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    uint8_t *to = (uint8_t *)m->msg_control + m->msg_controllen;
    memset(to, 0, CMSG_SPACE(len));
    memcpy(to, &header, sizeof header);
    memcpy(to + CMSG_LEN(0), data, len);
    m->msg_controllen += CMSG_SPACE(len);
}

void udp_control_write(struct msghdr *m, const struct udp_packet *p, int version, bool with_mark)
{
    int tos = p->tos;
    if (with_mark)
        add(m, version == 4 ? IPPROTO_IP : IPPROTO_IPV6, version == 4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof tos);
    if (p->local.version == 0 && p->interface == 0)
        return;
    if (version == 4) {
        struct in_pktinfo info = {.ipi_ifindex = (int)p->interface};
        memcpy(&info.ipi_spec_dst, p->local.bytes, 4);
        add(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = p->interface};
        memcpy(&info.ipi6_addr, p->local.bytes, 16);
        add(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

void udp_control_write_id(struct msghdr *m, uint32_t id)
{
    add(m, SOL_SOCKET, SCM_TS_OPT_ID, &id, sizeof id);
}

/* An int, or the single byte that IP_RECVTOS gives; -1 where it is neither. */
static int number_of(const uint8_t *data, size_t len)
{
    int value = -1;
    if (len == 1)
        return data[0];
    if (len >= sizeof value)
        memcpy(&value, data, sizeof value);
    return value >= 0 && value <= 255 ? value : -1;
}

static void read_local4(const uint8_t *data, size_t len, struct udp_packet *p)
{
    struct in_pktinfo info;
    uint8_t bytes[4];
    if (len < sizeof info)
        return;
    memcpy(&info, data, sizeof info);
    memcpy(bytes, &info.ipi_addr, sizeof bytes);
    p->local = addr_v4(bytes);
    p->interface = (unsigned)info.ipi_ifindex;
    /* for a packet to the host itself the kernel gives its destination twice */
    p->to_group = info.ipi_spec_dst.s_addr != info.ipi_addr.s_addr || addr_is_multicast(&p->local);
}

static void read_local6(const uint8_t *data, size_t len, struct udp_packet *p)
{
    struct in6_pktinfo info;
    uint8_t bytes[16];
    if (len < sizeof info)
        return;
    memcpy(&info, data, sizeof info);
    memcpy(bytes, &info.ipi6_addr, sizeof bytes);
    p->local = addr_v6(bytes);
    p->interface = info.ipi6_ifindex;
    p->to_group = addr_is_multicast(&p->local);
}

static bool read_time(const uint8_t *data, size_t len, int64_t *ret)
{
    struct timespec t;
    if (len < sizeof t)
        return false;
    memcpy(&t, data, sizeof t);
    *ret = (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
    return t.tv_sec != 0 || t.tv_nsec != 0;
}

static void take_tos(const uint8_t *data, size_t len, struct udp_packet *p)
{
    int v = number_of(data, len);
    p->tos_known = v >= 0;
    p->tos = (tos_t)(v >= 0 ? v : 0);
}

static void take_ttl(const uint8_t *data, size_t len, struct udp_packet *p)
{
    int v = number_of(data, len);
    p->ttl_known = v >= 0;
    p->ttl = (uint8_t)(v >= 0 ? v : 0);
}

static void take_time(const uint8_t *data, size_t len, struct udp_packet *p)
{
    if (read_time(data, len, &p->time_ns))
        p->time_source = UDP_TIME_KERNEL;
}

static const struct {
    int level, type;
    void (*take)(const uint8_t *data, size_t len, struct udp_packet *p);
} received[] = {
    {IPPROTO_IP, IP_TOS, take_tos},           {IPPROTO_IPV6, IPV6_TCLASS, take_tos},
    {IPPROTO_IP, IP_TTL, take_ttl},           {IPPROTO_IPV6, IPV6_HOPLIMIT, take_ttl},
    {IPPROTO_IP, IP_PKTINFO, read_local4},    {IPPROTO_IPV6, IPV6_PKTINFO, read_local6},
    {SOL_SOCKET, SCM_TIMESTAMPNS, take_time},
};

/* Steps through control messages: the data of each, with its level and type. */
static const uint8_t *next(const struct msghdr *m, size_t *at, struct cmsghdr *header, size_t *len)
{
    const uint8_t *bytes = m->msg_control;
    if (*at + sizeof *header > m->msg_controllen)
        return NULL;
    memcpy(header, bytes + *at, sizeof *header);
    if (header->cmsg_len < CMSG_LEN(0) || header->cmsg_len > m->msg_controllen - *at)
        return NULL;
    const uint8_t *data = bytes + *at + CMSG_LEN(0);
    *len = header->cmsg_len - CMSG_LEN(0);
    *at += CMSG_SPACE(*len);
    return data;
}

void udp_control_read(const struct msghdr *m, struct udp_packet *p, uint32_t *dropped)
{
    struct cmsghdr header;
    size_t at = 0, len;
    const uint8_t *data;
    while ((data = next(m, &at, &header, &len)) != NULL) {
        for (size_t i = 0; i < sizeof received / sizeof received[0]; i++)
            if (received[i].level == header.cmsg_level && received[i].type == header.cmsg_type)
                received[i].take(data, len, p);
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SO_RXQ_OVFL && len >= sizeof *dropped)
            memcpy(dropped, data, sizeof *dropped);
    }
}

/* What stands behind a struct sock_extended_err: who sent the ICMP message. */
static void read_error(const uint8_t *data, size_t len, struct udp_event *e, uint8_t *origin)
{
    struct sock_extended_err error;
    struct sockaddr_storage from = {0};
    struct endpoint offender;
    if (len < sizeof error)
        return;
    memcpy(&error, data, sizeof error);
    *origin = error.ee_origin;
    e->number = (int)error.ee_errno;
    e->type = error.ee_type;
    e->code = error.ee_code;
    e->id = error.ee_data;
    e->mtu = error.ee_errno == EMSGSIZE ? error.ee_info : 0;
    len -= sizeof error;
    memcpy(&from, data + sizeof error, len < sizeof from ? len : sizeof from);
    if (socket_address_read((const struct sockaddr *)&from, &offender))
        e->offender = offender.addr;
}

bool udp_control_read_event(const struct msghdr *m, struct udp_event *ret)
{
    struct udp_event e = {0};
    struct cmsghdr header;
    size_t at = 0, len;
    const uint8_t *data;
    uint8_t origin = SO_EE_ORIGIN_NONE;
    bool timed = false;

    while ((data = next(m, &at, &header, &len)) != NULL) {
        if (header.cmsg_level == SOL_SOCKET && header.cmsg_type == SCM_TIMESTAMPING)
            timed = read_time(data, len, &e.time_ns); /* the first of three: software */
        else if ((header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_RECVERR) ||
                 (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_RECVERR))
            read_error(data, len, &e, &origin);
    }
    if (origin == SO_EE_ORIGIN_TIMESTAMPING && timed)
        e.kind = UDP_EVENT_SENT;
    else if (origin == SO_EE_ORIGIN_ICMP || origin == SO_EE_ORIGIN_ICMP6 || origin == SO_EE_ORIGIN_LOCAL)
        e.kind = UDP_EVENT_ICMP;
    else
        return false;
    if (m->msg_name && m->msg_namelen) {
        struct sockaddr_storage to;
        memcpy(&to, m->msg_name, sizeof to);
        (void)socket_address_read((const struct sockaddr *)&to, &e.peer);
    }
    *ret = e;
    return true;
}

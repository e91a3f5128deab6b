#include "probe/service_route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* netlink(7): a header of 16 bytes, struct rtmsg of 12, then attributes of 4 bytes and their data, all aligned to 4 and
 * in the byte order of this machine. */
enum { HEADER_BYTES = 16, ROUTE_BYTES = 12, ATTRIBUTE_BYTES = 4, MESSAGE_MAX = 4096 };

static size_t add_address(uint8_t *to, size_t at, uint16_t type, const struct addr *a)
{
    size_t bytes = a->version == 4 ? 4 : 16;
    struct rtattr head = {.rta_len = (unsigned short)(ATTRIBUTE_BYTES + bytes), .rta_type = type};
    memcpy(to + at, &head, sizeof head);
    memcpy(to + at + ATTRIBUTE_BYTES, a->bytes, bytes);
    return at + ATTRIBUTE_BYTES + bytes;
}

static size_t write_request(uint8_t *to, const struct addr *dst, const struct addr *src)
{
    unsigned char bits = dst->version == 4 ? 32 : 128;
    bool with_source = src && src->version == dst->version;
    struct rtmsg route = {.rtm_family = dst->version == 4 ? AF_INET : AF_INET6,
                          .rtm_dst_len = bits,
                          .rtm_src_len = with_source ? bits : 0};
    size_t len = add_address(to, HEADER_BYTES + ROUTE_BYTES, RTA_DST, dst);
    if (with_source)
        len = add_address(to, len, RTA_SRC, src);
    struct nlmsghdr head = {.nlmsg_len = (uint32_t)len, .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST};
    memcpy(to, &head, sizeof head);
    memcpy(to + HEADER_BYTES, &route, sizeof route);
    return len;
}

/* The output interface's index in an answer; 0 with errno where it is an error. */
static unsigned read_answer(const uint8_t *bytes, size_t len)
{
    struct nlmsghdr head;
    int number = EPROTO;
    if (len >= sizeof head) {
        memcpy(&head, bytes, sizeof head);
        if (head.nlmsg_type == NLMSG_ERROR && len >= sizeof head + sizeof number) {
            memcpy(&number, bytes + sizeof head, sizeof number);
            number = -number;
        }
        size_t end = head.nlmsg_len < len ? head.nlmsg_len : len;
        for (size_t at = HEADER_BYTES + ROUTE_BYTES; head.nlmsg_type == RTM_NEWROUTE && at + ATTRIBUTE_BYTES <= end;) {
            struct rtattr attribute;
            uint32_t index;
            memcpy(&attribute, bytes + at, sizeof attribute);
            if (attribute.rta_len < ATTRIBUTE_BYTES || attribute.rta_len > end - at)
                break;
            if (attribute.rta_type == RTA_OIF && attribute.rta_len >= ATTRIBUTE_BYTES + sizeof index) {
                memcpy(&index, bytes + at + ATTRIBUTE_BYTES, sizeof index);
                return index;
            }
            at += (attribute.rta_len + 3u) & ~3u;
        }
    }
    errno = number;
    return 0;
}

int service_route_interface(const struct addr *to, const struct addr *source, char ret[static SERVICE_INTERFACE_MAX],
                            struct error *error)
{
    _Static_assert(SERVICE_INTERFACE_MAX >= IF_NAMESIZE, "room for an interface's name");
    uint8_t bytes[MESSAGE_MAX] = {0};
    char text[ADDR_TEXT_MAX], name[IF_NAMESIZE];
    struct timeval limit = {.tv_sec = 1};
    unsigned index = 0;
    addr_format(to, text);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return error_set(error, ERR_IO, "the system does not tell how %s is reached: %s", text, strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    size_t len = write_request(bytes, to, source);
    ssize_t got = send(fd, bytes, len, 0) == (ssize_t)len ? recv(fd, bytes, sizeof bytes, 0) : -1;
    if (got > 0)
        index = read_answer(bytes, (size_t)got);
    int number = errno;
    (void)close(fd);
    if (index == 0 || !if_indextoname(index, name))
        return error_set(error, ERR_IO, "there is no way to %s from here: %s", text, strerror(index ? errno : number));
    memcpy(ret, name, strlen(name) + 1);
    return 0;
}

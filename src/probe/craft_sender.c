#include "probe/craft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifdef QOSMARK_HAVE_LIBNET

#include <libnet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

struct craft_sender {
    libnet_t *net;
    enum craft_wire wire;
};

/* libnet says in words of its own why it cannot; whether it is the privilege the system tells exactly. */
static bool is_permitted(enum craft_wire wire)
{
    static const int families[] = {[CRAFT_RAW4] = AF_INET, [CRAFT_RAW6] = AF_INET6, [CRAFT_LINK] = AF_PACKET};
    int fd = socket(families[wire], SOCK_RAW | SOCK_CLOEXEC, wire == CRAFT_LINK ? 0 : IPPROTO_RAW);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0 || (errno != EPERM && errno != EACCES);
}

int craft_sender_open(enum craft_wire wire, const char *interface, struct craft_sender **ret, struct error *error)
{
    static const int types[] = {
        [CRAFT_RAW4] = LIBNET_RAW4_ADV, [CRAFT_RAW6] = LIBNET_RAW6_ADV, [CRAFT_LINK] = LIBNET_LINK_ADV};
    char text[LIBNET_ERRBUF_SIZE] = "";
    if (wire == CRAFT_LINK && (!interface || !interface[0]))
        return error_set(error, ERR_USAGE, "which interface the frames are to leave through was not said");
    if (!is_permitted(wire))
        return error_set(error, ERR_UNSUPPORTED,
                         "raw packets need the capability CAP_NET_RAW: run it as root (sudo), or give it once with "
                         "`sudo setcap cap_net_raw+ep $(command -v qosmark)`");
    struct craft_sender *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(error, ERR_MEMORY, "out of memory");
    s->wire = wire;
    s->net = libnet_init(types[wire], wire == CRAFT_LINK ? interface : NULL, text);
    if (!s->net) {
        free(s);
        text[strcspn(text, "\n")] = '\0';
        return error_set(error, ERR_IO, "raw packets cannot be sent: %s", text[0] ? text : "libnet does not say why");
    }
    *ret = s;
    return 0;
}

void craft_sender_free(struct craft_sender *s)
{
    if (!s)
        return;
    libnet_destroy(s->net);
    free(s);
}

/* libnet's own writers tell a failure as text only; its socket tells which one it was. */
static ssize_t send_ip(struct craft_sender *s, const uint8_t *packet, size_t bytes)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const bool is6 = s->wire == CRAFT_RAW6;
    if (bytes < (is6 ? 40U : 20U) || packet[0] >> 4 != (is6 ? 6 : 4)) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&v4.sin_addr, packet + 16, 4);
    memcpy(&v6.sin6_addr, packet + 24, 16);
    const struct sockaddr *to = is6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    return sendto(libnet_getfd(s->net), packet, bytes, MSG_DONTWAIT, to, is6 ? sizeof v6 : sizeof v4);
}

int craft_sender_send(struct craft_sender *s, const uint8_t *packet, size_t bytes, int *ret_errno, struct error *error)
{
    errno = 0;
    ssize_t n =
        s->wire == CRAFT_LINK ? libnet_adv_write_link(s->net, packet, (uint32_t)bytes) : send_ip(s, packet, bytes);
    if (n >= 0 && (size_t)n == bytes)
        return 0;
    int cause = errno ? errno : EIO;
    if (ret_errno)
        *ret_errno = cause;
    return error_set(error, ERR_IO, "a packet could not be sent: %s", strerror(cause));
}

#else

int craft_sender_open(enum craft_wire wire, const char *interface, struct craft_sender **ret, struct error *error)
{
    (void)wire;
    (void)interface;
    (void)ret;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without libnet, which makes packets");
}

void craft_sender_free(struct craft_sender *s)
{
    (void)s;
}

int craft_sender_send(struct craft_sender *s, const uint8_t *packet, size_t bytes, int *ret_errno, struct error *error)
{
    (void)s;
    (void)packet;
    (void)bytes;
    if (ret_errno)
        *ret_errno = ENOSYS;
    return error_set(error, ERR_UNSUPPORTED, "this qosmark was built without libnet, which makes packets");
}

#endif

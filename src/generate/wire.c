#include "generate/wire.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "probe/craft.h"
#include "probe/udp_socket.h"

enum { FULL_WAIT_MS = 20, FULL_TRIES = 100 };

struct port_socket {
    uint16_t port;
    struct udp_socket *socket;
};

struct generate_wire {
    struct craft_sender *link;
    struct addr local, to;
    struct port_socket *sockets; /* by port */
    size_t count, cap;
};

int generate_wire_open_link(const char *interface, struct generate_wire **ret, struct error *error)
{
    struct generate_wire *w;
    w = calloc(1, sizeof *w);
    if (!w)
        return error_set(error, ERR_MEMORY, "out of memory");
    int r = craft_sender_open(CRAFT_LINK, interface, &w->link, error);
    if (r < 0) {
        free(w);
        return r;
    }
    *ret = w;
    return 0;
}

int generate_wire_open_sockets(const struct addr *local, const struct addr *to, struct generate_wire **ret,
                               struct error *error)
{
    struct generate_wire *w = calloc(1, sizeof *w);
    if (!w)
        return error_set(error, ERR_MEMORY, "out of memory");
    w->local = *local;
    w->to = *to;
    *ret = w;
    return 0;
}

static void wait_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* A queue that is full empties itself. */
static int send_frame(struct generate_wire *w, const struct generated *p, struct error *error)
{
    for (int i = 0;; i++) {
        int number = 0;
        int r = craft_sender_send(w->link, p->frame.bytes, p->frame.captured_bytes, &number, error);
        if (r == 0)
            return 1;
        if ((number != ENOBUFS && number != EAGAIN) || i == FULL_TRIES)
            return r;
        wait_ms(FULL_WAIT_MS);
    }
}

static struct udp_socket *socket_of(struct generate_wire *w, uint16_t port, struct error *error)
{
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->sockets[middle].port < port)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < w->count && w->sockets[low].port == port)
        return w->sockets[low].socket;
    const struct udp_config config = {.local = {w->local, port}};
    struct port_socket new = {.port = port};
    if (!grow((void **)&w->sockets, &w->cap, w->count, sizeof *w->sockets)) {
        (void)error_set(error, ERR_MEMORY, "out of memory");
        return NULL;
    }
    if (udp_socket_new(&config, &new.socket, error) < 0)
        return NULL;
    memmove(w->sockets + low + 1, w->sockets + low, (w->count - low) * sizeof *w->sockets);
    w->sockets[low] = new;
    w->count++;
    return new.socket;
}

/* A packet that the kernel refuses (a firewall, no route for a moment) is not sent, and is none that was. */
static int send_payload_to(struct generate_wire *w, const struct generated *p, const struct generate_stream *s,
                           struct error *error)
{
    uint8_t bytes[8192];
    struct udp_socket *socket = socket_of(w, s->src.port, error);
    if (!socket)
        return ERR_IO;
    if (p->payload_len > sizeof bytes)
        return error_set(error, ERR_LIMIT, "a datagram of %zu bytes is not sent", p->payload_len);
    memcpy(bytes, p->payload, p->payload_len);
    const struct udp_packet packet = {
        .bytes = bytes, .len = p->payload_len, .peer = {w->to, s->dst.port}, .tos = p->tos, .tos_known = true};
    for (int i = 0; i < FULL_TRIES; i++) {
        int refused = 0;
        int sent = udp_socket_send(socket, &packet, 1, &refused, error);
        if (sent != 0)
            return sent < 0 ? sent : 1;
        if (refused)
            return error_set(error, ERR_IO, "the system does not send it: %s", strerror(refused));
        struct pollfd ready = {.fd = udp_socket_fd(socket), .events = POLLOUT};
        (void)poll(&ready, 1, FULL_WAIT_MS);
    }
    return error_set(error, ERR_IO, "the system's queue stays full");
}

int generate_wire_send(struct generate_wire *w, const struct generated *p, const struct generate_stream *s,
                       struct error *error)
{
    if (w->link)
        return send_frame(w, p, error);
    return p->payload ? send_payload_to(w, p, s, error) : 0;
}

void generate_wire_free(struct generate_wire *w)
{
    if (!w)
        return;
    craft_sender_free(w->link);
    for (size_t i = 0; i < w->count; i++)
        udp_socket_free(w->sockets[i].socket);
    free(w->sockets);
    free(w);
}

int generate_local_address(const struct addr *to, struct addr *ret, struct error *error)
{
    struct udp_socket *s = NULL;
    struct endpoint local;
    const struct udp_config config = {.local = {{.version = to->version}, 0}, .peer = {*to, 9}};
    struct error inner = {0};
    char text[ADDR_TEXT_MAX];
    addr_format(to, text);
    int r = udp_socket_new(&config, &s, &inner);
    if (r == ERR_MEMORY)
        return error_set(error, r, "out of memory");
    if (r < 0) {
        const char *why = strrchr(inner.text, ':'); /* of "address:port: reason" the reason */
        return error_set(error, r, "there is no way to %s%s", text, why ? why : "");
    }
    udp_socket_local(s, &local);
    udp_socket_free(s);
    *ret = local.addr;
    return addr_is_unspecified(ret) ? error_set(error, ERR_IO, "there is no way to %s", text) : 0;
}

bool generate_link_exists(const char *interface)
{
    return if_nametoindex(interface) != 0;
}

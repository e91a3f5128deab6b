#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "probe/service_internal.h"
#include "probe/udp_socket.h"

/* First wait for an answer before the request is sent again; doubled each time (RFC 3261 §17.1.2.2, RFC 8489 §6.2.1).
 */
#define FIRST_WAIT_NS (500 * NS_PER_MS)

enum { DATAGRAM_BYTES = SERVICE_ANSWER_MAX };

struct conversation {
    const struct service_exchange_options *options;
    struct udp_socket *socket;
    const struct service_request *request;
    struct service_exchange *x;
    int64_t sent_ns; /* monotonic, of the last request */
    int64_t end_ns;  /* when it is given up */
    bool done;
    uint8_t bytes[DATAGRAM_BYTES];
};

static void note_answer(struct conversation *c, const struct udp_packet *p)
{
    struct service_exchange *x = c->x;
    if (x->datagram_count < SERVICE_DATAGRAM_MAX)
        x->datagrams[x->datagram_count++] = (struct service_datagram){p->time_ns, p->tos_known, p->tos};
    if (x->answer_ns < 0)
        x->answer_ns = clock_monotonic_ns() - c->sent_ns;
    x->any_bytes = true;
}

static int receive(struct conversation *c, struct error *error)
{
    /* whoever never stops sending is not waited for beyond the time-out */
    while (clock_monotonic_ns() < c->end_ns) {
        struct udp_packet p = {.bytes = c->bytes, .size = sizeof c->bytes};
        int got = udp_socket_receive(c->socket, &p, 1, error);
        if (got <= 0)
            return got;
        char text[SERVICE_TEXT_MAX] = "";
        enum service_reply reply = service_reply_read(c->request, slice_make(p.bytes, p.len), text);
        if (reply == REPLY_DONE || reply == REPLY_INTERIM)
            note_answer(c, &p);
        else
            c->x->foreign++;
        /* what is no answer is none of the marks that are judged, and the answer may still come: servers send requests
         * of their own too */
        if (reply == REPLY_DONE || (reply == REPLY_FOREIGN && !c->done)) {
            c->x->outcome = reply == REPLY_DONE ? SERVICE_ANSWERED : SERVICE_ANSWERED_OTHERWISE;
            memcpy(c->x->answer, text, sizeof text);
        }
        c->done |= reply == REPLY_DONE;
    }
    return 0;
}

/* Sends the request and waits for answers until `deadline_ns`. 1: answered or an ICMP error settled it; 0: not yet. */
static int ask_once(struct conversation *c, const struct udp_packet *packet, int64_t deadline_ns, struct error *error)
{
    int failed = 0;
    struct udp_event event;
    int sent = udp_socket_send(c->socket, packet, 1, &failed, error);
    if (sent < 0)
        return sent;
    if (sent == 0 && failed) {
        service_exchange_fail(c->x, failed);
        return 1;
    }
    c->x->requests += (uint32_t)sent;
    c->sent_ns = clock_monotonic_ns();
    while (!c->done) {
        bool ready = service_wait(c->options, udp_socket_fd(c->socket), POLLIN, deadline_ns);
        int r = receive(c, error);
        if (r < 0)
            return r;
        if (!c->done && udp_socket_event(c->socket, &event) && event.kind == UDP_EVENT_ICMP) {
            service_exchange_fail(c->x, event.number);
            return 1;
        }
        if (!ready)
            return c->done;
    }
    return 1;
}

static int converse(struct conversation *c, struct error *error)
{
    uint8_t request[SERVICE_REQUEST_MAX];
    struct udp_packet packet = {
        .bytes = request, .len = service_request_write(c->request, request), .tos = dscp_tos(c->options->dscp)};
    int64_t end = clock_monotonic_ns() + c->options->timeout_ns;
    c->end_ns = end;
    for (int64_t wait = FIRST_WAIT_NS; clock_monotonic_ns() < end && !service_exchange_stopped(c->options); wait *= 2) {
        int64_t until = clock_monotonic_ns() + wait;
        int r = ask_once(c, &packet, until < end ? until : end, error);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    if (c->x->outcome == SERVICE_ANSWERED_OTHERWISE)
        return 0;
    c->x->outcome = SERVICE_SILENT;
    (void)snprintf(c->x->problem, sizeof c->x->problem, "no answer came (asked %u time%s)", c->x->requests,
                   c->x->requests == 1 ? "" : "s");
    return 0;
}

int service_exchange_udp(const struct service_exchange_options *o, struct service_request *r,
                         struct service_exchange *ret, struct error *error)
{
    struct conversation c = {.options = o, .request = r, .x = ret};
    struct udp_config config = {.local.addr = o->source, .peer = o->server, .icmp_errors = true};
    if (o->source.version == 0)
        config.local.addr.version = o->server.addr.version;
    int status = udp_socket_new(&config, &c.socket, error);
    if (status < 0)
        return status;
    udp_socket_local(c.socket, &r->local);
    ret->local = r->local;
    status = converse(&c, error);
    udp_socket_free(c.socket);
    return status;
}

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "probe/probe_ask.h"
#include "probe/sender_internal.h"

uint32_t sender_least_size(bool authenticated)
{
    const uint32_t cos = STAMP_TLV_HEADER + 4;
    return authenticated ? STAMP_AUTH_BYTES + cos + STAMP_TLV_HEADER + STAMP_HMAC_BYTES : STAMP_BYTES + cos;
}

uint16_t sender_ssid(const struct sender *s, size_t class_index)
{
    return s->config->ssid ? s->config->ssid : (uint16_t)(s->ssid + class_index);
}

/* The bytes of one probe; 0 where they could not be made. */
static size_t build(struct sender *s, const struct sender_probe *p, uint32_t sequence, int64_t now_ns, uint8_t *bytes,
                    size_t size)
{
    struct stamp_request request = {
        .sequence = sequence,
        .timestamp = stamp_time_write(now_ns, STAMP_NTP),
        .error = stamp_error_from_ns(NS_PER_MS, false, STAMP_NTP),
        .ssid = sender_ssid(s, p->class_index),
    };
    struct stamp_writer w = stamp_request_begin(bytes, size, &request, s->hmac != NULL);
    stamp_cos_add(&w, p->asked);
    if (p->witness) {
        uint8_t question[PROBE_ASK_BYTES];
        probe_ask_write(question);
        stamp_tlv_add(&w, (enum stamp_tlv_type)PROBE_ASK_TYPE, question, sizeof question);
    }
    return stamp_request_end(&w, s->hmac, p->size);
}

static tos_t tos_of(const struct sender_probe *p)
{
    enum { ECT_0 = 2 };
    return (tos_t)(dscp_tos(p->mark) | (p->witness ? ECT_0 : 0));
}

/* 1: sent; 0: refused, with errno in *ret_errno; negative: broken. */
static int put_udp(struct sender *s, struct sender_flow *f, const struct sender_probe *p, uint8_t *bytes, size_t len,
                   int *ret_errno, struct error *error)
{
    struct udp_packet packet = {.bytes = bytes, .len = len, .tos = tos_of(p)};
    (void)s;
    for (int attempt = 0; attempt < 3; attempt++) {
        *ret_errno = 0;
        int n = udp_socket_send(f->socket, &packet, 1, ret_errno, error);
        /* an ICMP error for an earlier packet is reported here once, and is not about this one */
        if (n != 0 || (*ret_errno && *ret_errno != ECONNREFUSED))
            return n;
        if (*ret_errno == 0) {
            struct pollfd wait = {.fd = udp_socket_fd(f->socket), .events = POLLOUT};
            (void)poll(&wait, 1, 20);
            *ret_errno = ENOBUFS;
        }
    }
    return 0;
}

static int put_crafted(struct sender *s, struct sender_flow *f, const struct sender_probe *p, const uint8_t *bytes,
                       size_t len, int *ret_errno, struct error *error)
{
    uint8_t packet[CRAFT_PACKET_MAX];
    struct craft_packet craft = {
        .src = f->local,
        .dst = s->config->target,
        .proto = PROTO_UDP,
        .tos = tos_of(p),
        .ttl = 255,
        .dont_fragment = true,
        .payload = bytes,
        .payload_bytes = len,
    };
    int n = craft_build(s->craft, &craft, packet, sizeof packet, error);
    if (n < 0)
        return n;
    *ret_errno = 0;
    return craft_sender_send(s->wire, packet, (size_t)n, ret_errno, error) < 0 ? 0 : 1;
}

static int write_down(struct sender *s, struct sender_flow *f, const struct sender_probe *p, size_t len, int64_t now_ns,
                      struct error *error)
{
    void *places = f->packets;
    bool room = grow(&places, &f->cap, f->count, sizeof *f->packets);
    f->packets = places;
    struct probe_packet *packet = room ? probe_document_add(s->d) : NULL;
    if (!packet)
        return error_set(error, ERR_MEMORY, "out of memory after %zu packets", s->d->packet_count);
    packet->sent_ns = now_ns;
    packet->round = p->round;
    packet->sequence = sequence_of_place(f->count);
    packet->class_index = (uint16_t)p->class_index;
    packet->flow = (uint16_t)p->flow;
    packet->size_bytes = (uint16_t)len;
    packet->asked = p->asked;
    packet->witness = p->witness;
    f->packets[f->count++] = s->d->packet_count - 1;
    return 0;
}

int sender_send(struct sender *s, const struct sender_probe *p, struct error *error)
{
    struct sender_flow *f = &s->flows[p->flow];
    uint8_t bytes[SENDER_SIZE_MAX];
    int refused = 0;

    int64_t now_ns = clock_wall_ns();
    size_t len = build(s, p, sequence_of_place(f->count), now_ns, bytes, sizeof bytes);
    if (len == 0)
        return error_set(error, ERR_LIMIT, "a probe of %lu bytes could not be made", (unsigned long)p->size);
    int sent = s->config->engine == SENDER_LIBNET ? put_crafted(s, f, p, bytes, len, &refused, error)
                                                  : put_udp(s, f, p, bytes, len, &refused, error);
    if (sent < 0)
        return sent;
    if (sent > 0)
        return write_down(s, f, p, len, now_ns, error);
    s->d->strays.not_sent++;
    if (!s->send_errno)
        s->send_errno = refused;
    return 0;
}

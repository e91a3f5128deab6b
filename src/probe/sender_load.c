#include <string.h>

#include "base/clock.h"
#include "probe/sender_internal.h"

/* As large as packets commonly are, so that a queue measured in packets fills as one measured in bytes. */
enum {
    LOAD_PAYLOAD = 1200,
    LOAD_OVERHEAD_4 = 28,
    LOAD_OVERHEAD_6 = 48,
    LOAD_PORT = 9 /* discard, RFC 863 */,
    BURST_MAX = 64
};

int sender_load_open(struct sender *s, struct error *error)
{
    struct udp_config config = {.local = {.addr = s->config->source}, .device = s->config->device};
    if (s->config->load_bps <= 0)
        return 0;
    if (config.local.addr.version == 0)
        config.local.addr.version = s->config->target.addr.version;
    uint32_t bytes = LOAD_PAYLOAD + (s->config->target.addr.version == 4 ? LOAD_OVERHEAD_4 : LOAD_OVERHEAD_6);
    s->load.gap_ns = (int64_t)(8.0 * bytes * (double)NS_PER_S / s->config->load_bps);
    if (s->load.gap_ns < 1)
        s->load.gap_ns = 1;
    return udp_socket_new(&config, &s->load.socket, error);
}

void sender_load_send(struct sender *s, int64_t now_ns)
{
    static const char text[] = "qosmark probe --load: best-effort traffic beside a measurement";
    uint8_t bytes[LOAD_PAYLOAD] = {0};
    struct udp_packet packets[BURST_MAX];
    size_t due = 0;
    if (!s->load.socket)
        return;
    if (s->load.next_ns == 0 || now_ns - s->load.next_ns > 20 * NS_PER_MS)
        s->load.next_ns = now_ns; /* late by more than that: what was missed is not made up for in one burst */
    memcpy(bytes, text, sizeof text);
    while (due < BURST_MAX && s->load.next_ns <= now_ns) {
        packets[due++] = (struct udp_packet){
            .bytes = bytes, .len = sizeof bytes, .peer = {.addr = s->config->target.addr, .port = LOAD_PORT}};
        s->load.next_ns += s->load.gap_ns;
    }
    /* what the queue does not take is load enough */
    int refused;
    int sent = due ? udp_socket_send(s->load.socket, packets, due, &refused, NULL) : 0;
    s->load.sent += sent > 0 ? (uint64_t)sent : 0;
}

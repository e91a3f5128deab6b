#include "probe/trace_wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    RTP_BYTES = 12,
    COOKIE_AT = RTP_BYTES,
    NUMBER_AT = COOKIE_AT + 8,
    ECHO_COOKIE_AT = 2, /* after the word that makes up for the sequence number */
    ECHO_NUMBER_AT = ECHO_COOKIE_AT + 8,
    ECHO_BYTES = 56, /* as ping sends */
    WINDOW = 64240,
};

/* MSS 1460, SACK permitted, window scale 7: what a SYN of Linux carries, without time stamps */
static const uint8_t syn_options[] = {2, 4, 5, 180, 4, 2, 1, 3, 3, 7, 1, 1};

struct trace_wire {
    struct trace_wire_config config;
    struct craft *craft;
    uint16_t *checksums; /* of the UDP probes, by number */
    uint16_t last;
};

int trace_wire_new(const struct trace_wire_config *config, struct trace_wire **ret, struct error *error)
{
    struct craft *craft = craft_new(error);
    if (!craft)
        return craft_available() ? ERR_MEMORY : ERR_UNSUPPORTED;
    struct trace_wire *w = calloc(1, sizeof *w);
    uint16_t *checksums = calloc(UINT16_MAX + 1U, sizeof *checksums);
    if (!w || !checksums) {
        craft_free(craft);
        free(checksums);
        free(w);
        return error_set(error, ERR_MEMORY, "out of memory");
    }
    *w = (struct trace_wire){.config = *config, .craft = craft, .checksums = checksums};
    *ret = w;
    return 0;
}

void trace_wire_free(struct trace_wire *w)
{
    if (!w)
        return;
    craft_free(w->craft);
    free(w->checksums);
    free(w);
}

static void put(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (bytes - 1 - i) * 8);
}

void trace_wire_payload(const struct trace_wire_config *config, uint16_t number, uint8_t to[static TRACE_PAYLOAD_BYTES])
{
    memset(to, 0xD5, TRACE_PAYLOAD_BYTES); /* silence in A-law */
    to[0] = 0x80;                          /* RFC 3550 §5.1: version 2 */
    to[1] = 8;                             /* PCMA */
    put(to + 2, number, 2);
    put(to + 4, number * 160ULL, 4);
    put(to + 8, config->cookie >> 32, 4);
    put(to + COOKIE_AT, config->cookie, 8);
    put(to + NUMBER_AT, number, 2);
}

static uint16_t number_after_cookie(const struct trace_wire_config *config, const uint8_t *payload, size_t bytes,
                                    size_t at)
{
    if (!payload || bytes < at)
        return 0;
    struct cursor c = cur_make(payload, bytes, true);
    cur_skip(&c, at);
    uint64_t cookie = cur_u64(&c);
    uint16_t number = cur_u16(&c);
    return !c.failed && cookie == config->cookie ? number : 0;
}

uint16_t trace_wire_payload_number(const struct trace_wire_config *config, const uint8_t *payload, size_t bytes)
{
    return number_after_cookie(config, payload, bytes, COOKIE_AT);
}

/* Consecutive numbers from a random one. Number 0 would be replaced by the kernel; the cookie or the ports tell that
 * one. */
static uint16_t ip_id_of(const struct trace_wire *w, uint16_t number)
{
    uint16_t id = (uint16_t)(w->config.cookie + number);
    return id ? id : 1;
}

/* The lower 16 bits count, the upper ones are the trace's own. */
static uint32_t tcp_seq_of(const struct trace_wire *w, uint16_t number)
{
    return (uint32_t)(w->config.cookie >> 32 & 0xFFFF0000) | number;
}

/* The checksum of an echo stays the same when its first word of payload makes up for the sequence number. */
static size_t fill_echo(const struct trace_wire *w, uint16_t number, uint8_t *to)
{
    memset(to, 0, ECHO_BYTES);
    put(to, (uint16_t)~number, 2);
    put(to + ECHO_COOKIE_AT, w->config.cookie, 8);
    put(to + ECHO_NUMBER_AT, number, 2);
    put(to + ECHO_NUMBER_AT + 2, (uint16_t)~number, 2);
    return ECHO_BYTES;
}

int trace_wire_build(struct trace_wire *w, const struct trace_probe *probe, uint8_t *to, size_t size,
                     struct error *error)
{
    const struct trace_wire_config *config = &w->config;
    uint16_t own = (uint16_t)(config->source_port + probe->flow);
    uint8_t payload[TRACE_PAYLOAD_BYTES];
    struct craft_packet p = {
        .src = {.addr = config->source, .port = own},
        .dst = {.addr = config->target, .port = config->port},
        .proto = config->proto,
        .tos = dscp_tos(probe->dscp),
        .ttl = probe->ttl,
        .ip_id = ip_id_of(w, probe->number),
        .flow_label = config->source.version == 6 ? (uint32_t)(config->cookie >> 16 & 0xFFFFF) ^ probe->flow : 0,
        .payload = payload,
    };
    if (config->proto == PROTO_UDP) {
        trace_wire_payload(config, probe->number, payload);
        p.payload_bytes = sizeof payload;
    } else if (config->proto == PROTO_TCP) {
        p.tcp_seq = tcp_seq_of(w, probe->number);
        p.tcp_flags = TCP_SYN;
        p.tcp_window = WINDOW;
        p.tcp_options = syn_options;
        p.tcp_options_bytes = sizeof syn_options;
    } else {
        p.echo_id = own;
        p.echo_seq = probe->number;
        p.payload_bytes = fill_echo(w, probe->number, payload);
    }
    int n = craft_build(w->craft, &p, to, size, error);
    if (n < 0)
        return n;
    size_t udp = config->source.version == 4 ? 20 : 40;
    w->checksums[probe->number] = (uint16_t)(to[udp + 6] << 8 | to[udp + 7]);
    if (probe->number > w->last)
        w->last = probe->number;
    return n;
}

static bool is_flow(const struct trace_wire *w, uint16_t port)
{
    return (uint16_t)(port - w->config.source_port) < w->config.flows;
}

static bool was_sent(const struct trace_wire *w, uint16_t number)
{
    return number > 0 && number <= w->last;
}

/* The number by the IP identification, where there is one. */
static uint16_t number_of_id(const struct trace_wire *w, const struct quote *q)
{
    uint16_t number = (uint16_t)(q->ip_id - (uint16_t)w->config.cookie);
    return q->version == 4 && was_sent(w, number) ? number : 0;
}

/* Without the payload: the checksum names the probe; after a NAT, which changes that, the identification has to do. */
static uint16_t match_udp_header(const struct trace_wire *w, const struct quote *q, bool translated)
{
    uint16_t number = number_of_id(w, q);
    if (number && (translated || w->checksums[number] == q->udp_checksum))
        return number;
    for (number = w->last; !translated && number > 0; number--)
        if (w->checksums[number] == q->udp_checksum)
            return number;
    return 0;
}

uint16_t trace_wire_match_quote(const struct trace_wire *w, const struct quote *q, bool *ret_translated)
{
    const struct trace_wire_config *config = &w->config;
    uint16_t number = 0;
    bool echo = config->proto == PROTO_ICMP || config->proto == PROTO_ICMPV6;
    if (q->version != config->target.version || q->proto != config->proto || q->depth != QUOTE_TRANSPORT)
        return 0;
    bool source = addr_equal(&q->src.addr, &config->source), target = addr_equal(&q->dst.addr, &config->target);
    bool own = source && is_flow(w, echo ? q->echo_id : q->src.port);
    if (echo) {
        number = number_after_cookie(config, q->payload, q->payload_bytes, ECHO_COOKIE_AT);
        if (!number && q->payload_bytes < ECHO_NUMBER_AT + 2 && q->echo_type == (q->version == 4 ? 8 : 128) && own &&
            target)
            number = q->echo_seq;
    } else if (config->proto == PROTO_TCP) {
        /* the upper half of the sequence number is as good as a cookie; ports behind a NAT may be any */
        number = q->tcp_seq >> 16 == tcp_seq_of(w, 0) >> 16 && target && q->dst.port == config->port
                     ? (uint16_t)q->tcp_seq
                     : 0;
    } else {
        number = trace_wire_payload_number(config, q->payload, q->payload_bytes);
        if (!number && q->payload_bytes < NUMBER_AT + 2 && target && q->dst.port == config->port && (own || !source))
            number = match_udp_header(w, q, !own);
    }
    if (!was_sent(w, number))
        return 0;
    *ret_translated = !source;
    return number;
}

uint16_t trace_wire_match_echo(const struct trace_wire *w, struct cursor icmp)
{
    uint8_t type = cur_u8(&icmp);
    cur_skip(&icmp, 3);
    uint16_t id = cur_u16(&icmp), seq = cur_u16(&icmp);
    if (icmp.failed || type != (w->config.target.version == 4 ? 0 : 129) || !is_flow(w, id))
        return 0;
    uint16_t number = number_after_cookie(&w->config, icmp.at, cur_left(&icmp), ECHO_COOKIE_AT);
    return number == seq && was_sent(w, number) ? number : 0;
}

uint16_t trace_wire_match_tcp(const struct trace_wire *w, struct cursor tcp, enum trace_answer *ret_answer)
{
    uint16_t from = cur_u16(&tcp), to = cur_u16(&tcp);
    uint32_t seq = cur_u32(&tcp), ack = cur_u32(&tcp) - 1;
    (void)seq;
    cur_skip(&tcp, 1);
    uint8_t flags = cur_u8(&tcp);
    if (tcp.failed || from != w->config.port || !is_flow(w, to) || !(flags & TCP_ACK) ||
        ack >> 16 != tcp_seq_of(w, 0) >> 16)
        return 0;
    if (!was_sent(w, (uint16_t)ack) || !(flags & (TCP_SYN | TCP_RST)))
        return 0;
    *ret_answer = flags & TCP_RST ? TRACE_RESET : TRACE_SYN_ACK;
    return (uint16_t)ack;
}

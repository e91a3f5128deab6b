#include "generate/internal.h"

#include <string.h>

enum {
    TYPE_SENDER = 200,
    TYPE_RECEIVER = 201,
    TYPE_DESCRIPTION = 202,
    TYPE_BYE = 203,
    ITEM_CNAME = 1,
    BLOCK_BYTES = 24,
    SECURED_TRAILER = 14, /* SRTCP: E and index, authentication tag (RFC 3711 §3.4) */
    PACKET_BYTES = 256,
};

/* RFC 3550 §6.2: five seconds, from half to one and a half of it; the first after half the time. */
#define INTERVAL_NS (5 * NS_PER_S)

/* 1900 to 1970 (RFC 5905 §6). */
#define NTP_OFFSET_S 2208988800U

struct rtcp_source {
    struct rtcp_wish wish;
    struct generate_random random;
    uint32_t sent;
    bool ended;
};

static uint8_t *put16(uint8_t *to, unsigned v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
    return to + 2;
}

static uint8_t *put32(uint8_t *to, uint32_t v)
{
    return put16(put16(to, v >> 16), v & 0xffff);
}

/* Version 2, a count, a type and the length in words less one (RFC 3550 §6.4.1). */
static void put_header(uint8_t *at, unsigned count, uint8_t type, const uint8_t *end)
{
    at[0] = (uint8_t)(0x80 | count);
    at[1] = type;
    (void)put16(at + 2, (unsigned)((end - at) / 4 - 1));
}

/* §6.4.1: nothing lost, some jitter. */
static uint8_t *put_block(struct rtcp_source *r, int64_t now_ns, uint8_t *at)
{
    const struct rtp_source *hears = r->wish.hears;
    struct media_sent s = media_sent(hears, now_ns);
    at = put32(at, s.ssrc);
    at = put32(at, 0);
    at = put32(at, s.highest);
    at = put32(at, (uint32_t)generate_random_between(&r->random, 2, 40));
    at = put32(at, 0); /* no sender report is remembered */
    return put32(at, 0);
}

static uint8_t *put_report(struct rtcp_source *r, int64_t now_ns, uint8_t *begin)
{
    bool sends = r->wish.sends != NULL, hears = r->wish.hears != NULL && media_sent(r->wish.hears, now_ns).packets;
    uint8_t *at = put32(begin + 4, r->wish.ssrc);
    if (sends) {
        struct media_sent s = media_sent(r->wish.sends, now_ns);
        uint64_t fraction = ((uint64_t)(now_ns % NS_PER_S) << 32) / (uint64_t)NS_PER_S;
        at = put32(at, (uint32_t)(now_ns / NS_PER_S) + NTP_OFFSET_S);
        at = put32(at, (uint32_t)fraction);
        at = put32(at, s.timestamp);
        at = put32(at, s.packets);
        at = put32(at, s.octets);
    }
    if (hears)
        at = put_block(r, now_ns, at);
    put_header(begin, hears, sends ? TYPE_SENDER : TYPE_RECEIVER, at);
    return at;
}

/* §6.5: one chunk with a CNAME, ended by one to four zeros. */
static uint8_t *put_description(const struct rtcp_source *r, uint8_t *begin)
{
    size_t n = strlen(r->wish.cname);
    n = n < 100 ? n : 100;
    uint8_t *at = put32(begin + 4, r->wish.ssrc);
    *at++ = ITEM_CNAME;
    *at++ = (uint8_t)n;
    memcpy(at, r->wish.cname, n);
    at += n;
    do
        *at++ = 0;
    while ((at - begin) % 4);
    put_header(begin, 1, TYPE_DESCRIPTION, at);
    return at;
}

static int rtcp_send(struct generator *g, struct source *source)
{
    struct rtcp_source *r = source->state;
    uint8_t packet[PACKET_BYTES];
    uint8_t *at = put_report(r, source->next_ns, packet);
    at = put_description(r, at);
    if (r->ended) {
        uint8_t *bye = at;
        at = put32(bye + 4, r->wish.ssrc);
        put_header(bye, 1, TYPE_BYE, at);
    }
    if (r->wish.secured) {
        /* all after the first eight bytes is encrypted */
        size_t from = generate_random_below(&r->random, sizeof g->noise - sizeof packet);
        at += SECURED_TRAILER;
        memcpy(packet + 8, g->noise + from, (size_t)(at - packet) - 8);
        (void)put32(at - SECURED_TRAILER, 0x80000000U | ++r->sent);
    }
    int sent = send_payload(g, r->wish.stream, source->next_ns, 0, packet, (size_t)(at - packet));
    int64_t next = source->next_ns + generate_random_between(&r->random, INTERVAL_NS / 2, INTERVAL_NS * 3 / 2);
    if (r->ended)
        next = INT64_MAX;
    else if (next >= r->wish.end_ns) {
        next = r->wish.end_ns;
        r->ended = true;
    }
    source->next_ns = next;
    return sent;
}

int rtcp_add(struct generator *g, const struct rtcp_wish *wish)
{
    struct rtcp_source *r = arena_alloc(&g->arena, sizeof *r);
    if (!r)
        return ERR_MEMORY;
    r->wish = *wish;
    generate_random_init(&r->random, g->options.seed, 0x200000000U + wish->stream);
    int64_t first = wish->begin_ns + generate_random_between(&r->random, INTERVAL_NS / 8, INTERVAL_NS / 4);
    if (first >= wish->end_ns)
        first = wish->begin_ns + (wish->end_ns - wish->begin_ns) / 2;
    return call_add_source(g, first, rtcp_send, r) ? 0 : ERR_MEMORY;
}

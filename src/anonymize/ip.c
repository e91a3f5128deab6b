/*
 * IPv4 and IPv6 headers in a frame without identities (RFC 791, RFC 8200).
 */
#include "anonymize/walk.h"

enum {
    IP4_BYTES = 20,
    IP6_BYTES = 40,
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_ROUTER_ALERT = 148,
    NEXT_HOP_BY_HOP = 0,
    NEXT_ROUTING = 43,
    NEXT_FRAGMENT = 44,
    NEXT_DESTINATION = 60,
    EXTENSIONS_MAX = 16,
};

/* Options may hold addresses (record route, source routes, timestamps): all but those that cannot become nothing. */
static void blank_ip4_options(struct anonymize_walk *w, size_t at, size_t end)
{
    while (at < end && w->bytes[at] != OPTION_END) {
        size_t len = w->bytes[at] == OPTION_NOP ? 1 : at + 1 < end ? w->bytes[at + 1] : 0;
        if (len == 0 || len > end - at || (len == 1 && w->bytes[at] != OPTION_NOP))
            break;
        if (w->bytes[at] != OPTION_ROUTER_ALERT)
            anonymize_fill(w, at, OPTION_NOP, len);
        at += len;
    }
    anonymize_fill(w, at, OPTION_END, end - at);
}

/* What follows the packet in its frame is none of it. */
static void end_packet(struct anonymize_walk *w, size_t end)
{
    if (end < w->len)
        w->len = end;
}

static size_t ip4(struct anonymize_walk *w, size_t at)
{
    struct anonymize_sum header;
    if (!anonymize_has(w, at, IP4_BYTES))
        return at;
    size_t bytes = (size_t)(w->bytes[at] & 15) * 4;
    if (bytes < IP4_BYTES || !anonymize_has(w, at, bytes))
        return at;
    uint16_t total = anonymize_u16(w, at + 2), fragment = anonymize_u16(w, at + 6);
    if (total >= bytes) /* 0: not filled in yet */
        end_packet(w, at + total);
    anonymize_sum_open(w, &header, at, 0);
    int64_t change = anonymize_put_address(w, at + 12, 4) + anonymize_put_address(w, at + 16, 4);
    blank_ip4_options(w, at + IP4_BYTES, at + bytes);
    anonymize_sum_close(w, &header, at + 10, false);
    w->layers++;
    if (fragment & 0x1fff)
        return at + bytes; /* what follows is the middle of something */
    return anonymize_transport(w, w->bytes[at + 9], at + bytes, change);
}

/* RFC 5095 type 0, RFC 6275 type 2, RFC 8754 type 4: whole addresses after eight bytes; what follows those goes. */
static bool blank_routing(struct anonymize_walk *w, size_t at, size_t bytes)
{
    uint8_t type = w->bytes[at + 2];
    size_t count = (bytes - 8) / 16;
    if (type != 0 && type != 2 && type != 4)
        return false;
    if (type == 4 && (size_t)w->bytes[at + 4] + 1 < count)
        count = (size_t)w->bytes[at + 4] + 1;
    for (size_t i = 0; i < count; i++)
        (void)anonymize_put_address(w, at + 8 + i * 16, 16);
    anonymize_fill(w, at + 8 + count * 16, 0, bytes - 8 - count * 16);
    return true;
}

/* Options (a home address among them, RFC 6275 §6.3) become padding of the same length. */
static void blank_ip6_options(struct anonymize_walk *w, size_t at, size_t bytes)
{
    const uint8_t pad[2] = {1, (uint8_t)(bytes - 4 > 255 ? 255 : bytes - 4)};
    anonymize_put(w, at + 2, pad, sizeof pad);
    anonymize_fill(w, at + 4, 0, bytes - 4);
}

/* True where the chain goes on behind this header, at *ret_bytes from it. */
static bool pass_extension(struct anonymize_walk *w, uint8_t next, size_t at, size_t *ret_bytes)
{
    if (!anonymize_has(w, at, 8))
        return false;
    size_t bytes = next == NEXT_FRAGMENT ? 8 : ((size_t)w->bytes[at + 1] + 1) * 8;
    *ret_bytes = bytes;
    if (!anonymize_has(w, at, bytes))
        return false;
    if (next == NEXT_ROUTING)
        return blank_routing(w, at, bytes);
    if (next == NEXT_HOP_BY_HOP || next == NEXT_DESTINATION)
        blank_ip6_options(w, at, bytes);
    return true;
}

static size_t ip6(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, IP6_BYTES))
        return at;
    int64_t change = anonymize_put_address(w, at + 8, 16) + anonymize_put_address(w, at + 24, 16);
    uint16_t payload = anonymize_u16(w, at + 4);
    if (payload > 0) /* 0: not filled in yet, or in an option of a jumbogram */
        end_packet(w, at + IP6_BYTES + payload);
    uint8_t next = w->bytes[at + 6];
    size_t bytes;
    at += IP6_BYTES;
    w->layers++;
    for (int i = 0; i < EXTENSIONS_MAX; i++) {
        if (next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING && next != NEXT_FRAGMENT && next != NEXT_DESTINATION)
            return anonymize_transport(w, next, at, change);
        if (!pass_extension(w, next, at, &bytes))
            return at;
        if (next == NEXT_FRAGMENT && (anonymize_u16(w, at + 2) & 0xfff8))
            return at + bytes;
        next = w->bytes[at];
        at += bytes;
    }
    return at;
}

size_t anonymize_ip(struct anonymize_walk *w, size_t at)
{
    if (!anonymize_has(w, at, 1) || !anonymize_go_on(w))
        return at;
    if (!w->quoted && w->layers_max && w->layers == w->layers_max)
        return at; /* what the decoder did not believe */
    if (!w->quoted)
        w->innermost = at;
    return w->bytes[at] >> 4 == 4 ? ip4(w, at) : w->bytes[at] >> 4 == 6 ? ip6(w, at) : at;
}

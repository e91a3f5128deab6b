#include "classify/rtcp.h"

#include <string.h>

#define SRTCP_TRAILER_MIN 8  /* E and index, and the shortest tag (RFC 3711 §3.4) */
#define SRTCP_TRAILER_MAX 32 /* the same with a 16-byte tag (RFC 7714 §9.2) and a key identifier */
#define SRTCP_INDEX_HMAC  14 /* where E lies from the end, with the 80-bit tag of RFC 3711 and RFC 5764 */
#define SRTCP_INDEX_GCM   4  /* and with RFC 7714, where the tag comes before it */

enum rtcp_type {
    RTCP_FIR = 192, /* RFC 2032 §5.2.1, with 193 NACK; 194 and 195 in the IANA registry */
    RTCP_IJ = 195,
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_LAST = 213, /* splicing notification, RFC 8286 */
};

struct rtcp_block {
    uint8_t count, type;
    bool padding;
    struct cursor body; /* after the four bytes of the common header; cut where the capture ended in it */
    uint32_t body_wire_bytes;
};

static bool type_known(uint8_t type)
{
    return (type >= RTCP_FIR && type <= RTCP_IJ) || (type >= RTCP_SR && type <= RTCP_LAST);
}

/* The fewest bytes that a type's counts allow after the common header (RFC 3550 §6.4 to §6.6). */
static uint32_t body_min(uint8_t type, uint8_t count)
{
    switch (type) {
    case RTCP_SR:
        return 24u + 24u * count;
    case RTCP_RR:
        return 4u + 24u * count;
    case RTCP_SDES:
        return 8u * count; /* an SSRC, and a terminator padded to four bytes */
    case RTCP_BYE:
        return 4u * count;
    default:
        return 4;
    }
}

/* The next packet of the compound; false where what comes cannot be one. `*wire` is what is left on the wire. */
static bool next_block(struct cursor *c, uint32_t *wire, struct rtcp_block *ret)
{
    if (*wire < 4 || cur_left(c) < 4)
        return false;
    struct cursor look = *c;
    uint8_t first = cur_u8(&look);
    uint8_t type = cur_u8(&look);
    uint32_t body = 4u * cur_u16(&look);
    uint8_t count = first & 0x1f;
    if (first >> 6 != 2 || !type_known(type) || body > *wire - 4 || body < body_min(type, count))
        return false;
    *wire -= 4 + body;
    *ret = (struct rtcp_block){.count = count, .type = type, .padding = (first & 0x20) != 0, .body_wire_bytes = body};
    ret->body = cur_child(&look, body);
    *c = look;
    return true;
}

static void read_reports(struct cursor *body, uint8_t count, struct rtcp_packet *p)
{
    for (uint8_t i = 0; i < count && p->report_count < RTCP_REPORTS_MAX && !body->failed; i++) {
        uint32_t ssrc = cur_u32(body);
        cur_skip(body, 20);
        if (!body->failed)
            p->reports[p->report_count++] = ssrc;
    }
}

/* RFC 3550 §6.4.1: what was cut off stays 0. */
static void read_sender_report(struct cursor body, uint8_t count, struct rtcp_packet *p)
{
    cur_skip(&body, 4);
    uint64_t ntp = cur_u64(&body);
    uint32_t timestamp = cur_u32(&body);
    if (body.failed)
        return;
    p->has_sender_report = true;
    p->ntp = ntp;
    p->rtp_timestamp = timestamp;
    p->packet_count = cur_u32(&body);
    cur_skip(&body, 4);
    read_reports(&body, count, p);
}

/* RFC 3550 §6.5: chunks of an SSRC and items, ended by a zero and padded to 32 bits. */
static void read_sdes(struct cursor body, uint8_t count, struct rtcp_packet *p)
{
    for (uint8_t i = 0; i < count && cur_left(&body) >= 4; i++) {
        const uint8_t *start = body.at;
        uint32_t ssrc = cur_u32(&body);
        while (cur_left(&body) > 0) {
            uint8_t item = cur_u8(&body);
            if (item == 0)
                break;
            uint8_t len = cur_u8(&body);
            const uint8_t *text = cur_take(&body, len);
            if (item == 1 && text && ssrc == p->sender_ssrc)
                p->cname = slice_make(text, len);
        }
        size_t odd = (size_t)(body.at - start) % 4;
        if (odd && !body.failed)
            cur_skip(&body, 4 - odd);
    }
}

static void read_block(const struct rtcp_block *b, struct rtcp_packet *p)
{
    struct cursor body = b->body;
    switch (b->type) {
    case RTCP_SR:
        read_sender_report(body, b->count, p);
        break;
    case RTCP_RR:
        cur_skip(&body, 4);
        read_reports(&body, b->count, p);
        break;
    case RTCP_SDES:
        read_sdes(body, b->count, p);
        break;
    case RTCP_BYE:
        p->bye = true;
        break;
    default:
        break;
    }
}

/*
 * What follows the last packet that made sense. SRTCP without encryption is the compound, then E (0), the index and
 * the tag; with encryption all but the first eight bytes is noise (RFC 3711 §3.4), and the first packet's length
 * still tells where the next would be.
 */
static bool trailer_is_plain(struct cursor rest, uint32_t rest_wire)
{
    static const uint8_t from_end[] = {SRTCP_INDEX_HMAC, SRTCP_INDEX_GCM};
    if (rest_wire < SRTCP_TRAILER_MIN || rest_wire > SRTCP_TRAILER_MAX || cur_left(&rest) < rest_wire)
        return false;
    for (size_t i = 0; i < sizeof from_end; i++)
        if (rest_wire >= from_end[i] && cur_peek(&rest, rest_wire - from_end[i]) == 0)
            return true; /* E is 0 and the index below 2^24, which no session's reports reach */
    return false;
}

/* RFC 3550 A.2 as far as it holds for reduced-size packets (RFC 5506) and SRTCP. */
enum parse_status rtcp_parse(struct cursor c, uint32_t wire_bytes, struct rtcp_packet *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    struct cursor all = c;
    (void)cur_take(&all, 8);
    if (wire_bytes < 8)
        return PARSE_MALFORMED;
    if (all.failed)
        return cur_status(&all);

    struct rtcp_packet p = {0};
    struct rtcp_block block;
    struct cursor rest = c;
    uint32_t left = wire_bytes;
    bool first = true, plain = true;
    if (!next_block(&rest, &left, &block))
        return PARSE_MALFORMED;
    p.first_type = block.type;
    struct cursor ssrc = c;
    cur_skip(&ssrc, 4);
    p.sender_ssrc = cur_u32(&ssrc);

    /* Read once for sense, then for content: encrypted reports would give a clock that never was. */
    struct cursor probe = rest;
    uint32_t probe_left = left;
    struct rtcp_block next;
    while (probe_left > 0 && next_block(&probe, &probe_left, &next))
        ;
    if (probe_left > 0) {
        bool cut_here = cur_left(&probe) < 4 && c.cut;
        if (!cut_here && probe_left < SRTCP_TRAILER_MIN)
            return PARSE_MALFORMED;
        plain = !cut_here && trailer_is_plain(probe, probe_left);
        p.encrypted = !cut_here && !plain;
    }
    while (plain) {
        read_block(&block, &p);
        if (first && block.type == RTCP_BYE && block.count == 0)
            p.sender_ssrc = 0;
        first = false;
        if (left == 0 || !next_block(&rest, &left, &block))
            break;
    }
    *ret = p;
    return PARSE_OK;
}

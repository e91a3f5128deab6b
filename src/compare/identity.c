#include "compare/identity.h"

#include "base/cursor.h"
#include "classify/rtp.h"
#include "classify/stun.h"

enum {
    STRONG_BYTES = 12,       /* fewer are the same in packets that have nothing to do with one another */
    RTP_REWRITTEN_BYTES = 2, /* version, padding, marker and payload type: a relay may give its own */
};

/* Media inside TURN is the same packet before and after the relay took the framing off (RFC 8656 §12.4). */
static void unwrap_turn(const uint8_t **bytes, uint32_t *captured, uint32_t *wire)
{
    struct turn_channel_data channel;
    struct stun_message message;
    struct slice data = {0};
    uint32_t data_wire = 0;
    struct cursor c = cur_make(*bytes, *captured, *captured < *wire);
    enum media_byte first = media_byte_of(*bytes, *captured);
    if (first == MEDIA_BYTE_TURN_CHANNEL && turn_channel_data_parse(c, *wire, &channel) == PARSE_OK) {
        data = channel.data;
        data_wire = channel.data_wire_bytes;
    } else if (first == MEDIA_BYTE_STUN && stun_parse(c, *wire, &message) == PARSE_OK && message.is_turn) {
        data = message.data;
        data_wire = message.data_wire_bytes;
    }
    if (data.len == 0 || media_byte_of((const uint8_t *)data.at, (uint32_t)data.len) != MEDIA_BYTE_RTP)
        return;
    *bytes = (const uint8_t *)data.at;
    *captured = (uint32_t)data.len;
    *wire = data_wire;
}

static void identify_prefix(const struct hash_key *key, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                            struct compare_identity *ret)
{
    uint32_t used = captured < COMPARE_PREFIX_BYTES ? captured : COMPARE_PREFIX_BYTES;
    if (used < wire && used < COMPARE_PREFIX_BYTES) {
        ret->flags |= COMPARE_IS_SHORT;
        return;
    }
    if (used < STRONG_BYTES)
        ret->flags |= COMPARE_IS_WEAK;
    ret->identity = hash_words(key, (const uint64_t[]){hash_bytes(key, bytes, used), wire}, 2) | 1;
}

static void identify_rtp(const struct hash_key *key, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                         struct compare_identity *ret)
{
    struct cursor c = cur_make(bytes, captured, captured < wire);
    uint64_t first = (uint64_t)COMPARE_RTP << 56;
    cur_skip(&c, RTP_REWRITTEN_BYTES);
    first |= cur_u16(&c);
    uint64_t second = (uint64_t)cur_u32(&c) << 32;
    ret->ssrc = cur_u32(&c);
    second |= ret->ssrc;
    ret->family = COMPARE_RTP;
    if (!compare_ssrc_is_random(ret->ssrc)) {
        identify_prefix(key, bytes, captured, wire, ret);
        return;
    }
    ret->identity = hash_words(key, (const uint64_t[]){first, second}, 2) | 1;
    if (ret->flags & COMPARE_IS_WHOLE)
        ret->check = (uint32_t)hash_bytes(key, bytes + RTP_REWRITTEN_BYTES, captured - RTP_REWRITTEN_BYTES);
}

static void identify_datagram(const struct hash_key *key, const uint8_t *bytes, uint32_t captured, uint32_t wire,
                              struct compare_identity *ret)
{
    static const enum compare_family families[] = {
        [MEDIA_BYTE_OTHER] = COMPARE_PLAIN,        [MEDIA_BYTE_STUN] = COMPARE_STUN,
        [MEDIA_BYTE_ZRTP] = COMPARE_PLAIN,         [MEDIA_BYTE_DTLS] = COMPARE_DTLS,
        [MEDIA_BYTE_TURN_CHANNEL] = COMPARE_PLAIN, [MEDIA_BYTE_RTP] = COMPARE_PLAIN,
        [MEDIA_BYTE_RTCP] = COMPARE_RTCP,
    };
    ret->family = families[media_byte_of(bytes, captured)];
    if (ret->family == COMPARE_RTCP) {
        struct cursor c = cur_make(bytes, captured, true);
        cur_skip(&c, 4);
        ret->ssrc = cur_u32(&c);
    }
    identify_prefix(key, bytes, captured, wire, ret);
}

void compare_identify(const struct hash_key *key, const struct packet *p, struct compare_identity *ret)
{
    const uint8_t *bytes = p->payload;
    uint32_t captured = p->payload_bytes, wire = p->payload_wire_bytes;
    *ret = (struct compare_identity){0};
    for (uint32_t i = 1; i < p->part_count; i++)
        if (tos_dscp(p->parts[i].tos) != tos_dscp(p->parts[0].tos))
            ret->flags |= COMPARE_IS_UNSURE;
    if (p->part_count && p->cut)
        ret->flags |= COMPARE_IS_UNSURE;
    if (!p->ports_known && (p->proto == PROTO_UDP || p->proto == PROTO_TCP)) {
        ret->flags |= COMPARE_IS_SHORT;
        return;
    }
    if (p->proto == PROTO_UDP && captured)
        unwrap_turn(&bytes, &captured, &wire);
    if (captured == wire) {
        ret->flags |= COMPARE_IS_WHOLE;
        ret->check = (uint32_t)hash_bytes(key, bytes, captured);
    }
    if (p->proto == PROTO_TCP) {
        uint64_t numbers = (uint64_t)p->tcp_seq << 32 | p->tcp_ack, rest = (uint64_t)wire << 8 | p->tcp_flags;
        ret->identity = hash_words(key, (const uint64_t[]){numbers, rest}, 2) | 1;
    } else if (p->proto == PROTO_UDP && captured >= 12 && media_byte_of(bytes, captured) == MEDIA_BYTE_RTP) {
        identify_rtp(key, bytes, captured, wire, ret);
    } else {
        identify_datagram(key, bytes, captured, wire, ret);
        if (p->proto != PROTO_UDP)
            ret->family = COMPARE_PLAIN;
    }
}

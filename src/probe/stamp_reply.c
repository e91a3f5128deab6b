#include <string.h>

#include "probe/stamp.h"

/* RFC 8762 §4.3.1 figure 5 and §4.3.2 figure 6, read in order; the fields are the same, the gaps are not. */
static void read_base(struct cursor *c, bool authenticated, struct stamp_reply *r)
{
    r->sequence = cur_u32(c);
    cur_skip(c, authenticated ? 12 : 0);
    uint64_t t3 = cur_u64(c);
    r->error = stamp_error_read(cur_u16(c));
    r->ssid = cur_u16(c);
    cur_skip(c, authenticated ? 4 : 0);
    uint64_t t2 = cur_u64(c);
    cur_skip(c, authenticated ? 8 : 0);
    r->sender_sequence = cur_u32(c);
    cur_skip(c, authenticated ? 12 : 0);
    uint64_t t1 = cur_u64(c);
    r->sender_error = stamp_error_read(cur_u16(c));
    cur_skip(c, authenticated ? 6 : 2);
    r->sender_ttl = cur_u8(c);
    r->sent = stamp_time_read(t3, r->error.format);
    r->received = stamp_time_read(t2, r->error.format);
    r->sender_sent = stamp_time_read(t1, r->sender_error.format);
}

/* The TLVs of a reply that can be answered, and what each one answers. */
static void take_cos(struct cursor v, struct stamp_reply *r)
{
    uint8_t b0 = cur_u8(&v), b1 = cur_u8(&v);
    r->cos = (struct stamp_cos){.answer = STAMP_ANSWERED,
                                .asked = b0 >> 2,
                                .arrived = (dscp_t)((b0 & 3U) << 4 | b1 >> 4),
                                .ecn = b1 >> 2 & 3,
                                .rp = b1 & 3};
}

static void take_timestamp_info(struct cursor v, struct stamp_reply *r)
{
    r->timestamp_info.answer = STAMP_ANSWERED;
    r->timestamp_info.sync_in = cur_u8(&v);
    r->timestamp_info.method_in = cur_u8(&v);
    r->timestamp_info.sync_out = cur_u8(&v);
    r->timestamp_info.method_out = cur_u8(&v);
}

static void take_direct(struct cursor v, struct stamp_reply *r)
{
    r->direct.answer = STAMP_ANSWERED;
    r->direct.sent = cur_u32(&v);
    r->direct.received = cur_u32(&v);
    r->direct.returned = cur_u32(&v);
}

static void take_follow_up(struct cursor v, struct stamp_reply *r)
{
    r->follow_up.answer = STAMP_ANSWERED;
    r->follow_up.sequence = cur_u32(&v);
    r->follow_up.sent = stamp_time_read(cur_u64(&v), r->error.format);
    r->follow_up.method = cur_u8(&v);
    r->follow_up.known = r->follow_up.sent.known;
}

static enum stamp_answer *answer_of(struct stamp_reply *r, uint8_t type)
{
    switch (type) {
    case STAMP_TLV_COS:
        return &r->cos.answer;
    case STAMP_TLV_TIMESTAMP_INFO:
        return &r->timestamp_info.answer;
    case STAMP_TLV_DIRECT:
        return &r->direct.answer;
    case STAMP_TLV_FOLLOW_UP:
        return &r->follow_up.answer;
    default:
        return NULL;
    }
}

static const struct {
    uint8_t type;
    uint16_t len;
    void (*take)(struct cursor value, struct stamp_reply *r);
} answers[] = {
    {STAMP_TLV_COS, 4, take_cos},
    {STAMP_TLV_TIMESTAMP_INFO, 4, take_timestamp_info},
    {STAMP_TLV_DIRECT, 12, take_direct},
    {STAMP_TLV_FOLLOW_UP, 16, take_follow_up},
};

enum { ANSWER_COUNT = sizeof answers / sizeof answers[0] };

/* Of two TLVs of a type the first counts, as it does for the reflector. */
static void take_tlv(const struct stamp_tlv *t, struct stamp_reply *r)
{
    enum stamp_answer *answer = answer_of(r, t->type);
    if (!answer || *answer != STAMP_ABSENT)
        return;
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        if (answers[i].type != t->type)
            continue;
        if (t->flags & STAMP_TLV_M || cur_left(&t->value) != answers[i].len)
            *answer = STAMP_MALFORMED;
        else if (t->flags & STAMP_TLV_U)
            *answer = STAMP_UNRECOGNIZED;
        else
            answers[i].take(t->value, r);
    }
}

/* An old reflector that fills with zeros (or with nothing) instead of echoing leaves bytes that look like TLVs of type
 * 0, which is reserved: nobody's answer, and the end of what can be believed. */
static bool believable(const struct stamp_tlv *t)
{
    return t->type != 0;
}

/* True where the HMAC TLV stands where it has to (§4.8: behind all others but padding) and is right; also where there
 * is none and none is needed. */
static bool tlvs_are_intact(struct cursor c, const uint8_t *sequence, bool authenticated, struct stamp_hmac *hmac)
{
    const uint8_t *first = c.at;
    bool others = false, signed_ = false;
    struct stamp_tlv t;
    while (stamp_tlv_next(&c, &t) && believable(&t)) {
        if (signed_ && t.type != STAMP_TLV_PADDING)
            return false;
        if (t.type == STAMP_TLV_HMAC) {
            if (cur_left(&t.value) != STAMP_HMAC_BYTES ||
                !stamp_hmac_verify(hmac, sequence, 4, first, (size_t)(t.at - first), t.value.at))
                return false;
            signed_ = true;
        } else if (t.type != STAMP_TLV_PADDING) {
            others = true;
        }
    }
    return signed_ || !others || !authenticated;
}

static enum stamp_answer distrusted(enum stamp_answer a)
{
    return a == STAMP_ABSENT ? STAMP_ABSENT : STAMP_UNTRUSTED;
}

/* Nothing that they said stays, so that nobody can take it for an answer. */
static void distrust(struct stamp_reply *r)
{
    r->tlvs = false;
    r->cos = (struct stamp_cos){.answer = distrusted(r->cos.answer)};
    r->timestamp_info = (struct stamp_timestamp_info){.answer = distrusted(r->timestamp_info.answer)};
    r->direct = (struct stamp_direct){.answer = distrusted(r->direct.answer)};
    r->follow_up = (struct stamp_follow_up){.answer = distrusted(r->follow_up.answer)};
}

static void read_tlvs(struct cursor c, const uint8_t *sequence, bool authenticated, struct stamp_hmac *hmac,
                      struct stamp_reply *r)
{
    bool intact = !hmac || tlvs_are_intact(c, sequence, authenticated, hmac);
    struct stamp_tlv t;
    while (stamp_tlv_next(&c, &t) && believable(&t)) {
        if (t.flags & STAMP_TLV_I)
            intact = false;
        take_tlv(&t, r);
        if (t.flags & STAMP_TLV_M)
            break;
        if (!(t.flags & (STAMP_TLV_U | STAMP_TLV_I)))
            r->tlvs = true;
    }
    if (!intact)
        distrust(r);
}

/* RFC 7750 §2.2.1: a TWAMP reflector in that mode puts the received TOS byte behind the Sender TTL, where STAMP has
 * zeros and where a reflector that echoes padding (RFC 6038) puts our own bytes: SSID and zeros. So the bytes behind
 * have to be zero, and with an SSID whose low byte is not an echo never looks like a mark. */
static void read_twamp_tos(struct cursor c, struct stamp_reply *r)
{
    uint8_t tos = cur_u8(&c);
    uint16_t rest = cur_u16(&c);
    if (cur_status(&c) == PARSE_OK && tos != 0 && rest == 0 && !r->tlvs) {
        r->twamp_tos_known = true;
        r->twamp_tos = tos;
    }
}

enum parse_status stamp_reply_parse(struct cursor c, bool authenticated, struct stamp_hmac *hmac,
                                    struct stamp_reply *ret)
{
    size_t base = authenticated ? STAMP_AUTH_BYTES : STAMP_BYTES;
    const uint8_t *bytes = c.at;
    struct cursor tlvs = c;
    struct stamp_reply r = {0};

    if (authenticated && cur_left(&c) < base)
        cur_fail(&c);
    read_base(&c, authenticated, &r);
    if (cur_status(&c) != PARSE_OK)
        return cur_status(&c);
    if (authenticated && hmac && !stamp_hmac_verify(hmac, bytes, STAMP_HMAC_TEXT, NULL, 0, bytes + STAMP_HMAC_TEXT))
        return PARSE_MALFORMED;
    if (cur_left(&tlvs) > base) {
        cur_skip(&tlvs, base);
        read_tlvs(tlvs, bytes, authenticated, hmac, &r);
    }
    read_twamp_tos(c, &r);
    *ret = r;
    return PARSE_OK;
}

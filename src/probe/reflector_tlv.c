#include "probe/reflector_tlv.h"

#include <string.h>

#include "base/bytes.h"
#include "probe/probe_ask.h"

/* What became of one TLV. */
enum verdict { UNDERSTOOD, UNRECOGNIZED, MALFORMED };

/* ---- the types: `value` has the length of the table below ---- */

static enum verdict answer_padding(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    (void)t, (void)value, (void)len;
    return UNDERSTOOD;
}

/* RFC 8972 §4.2.1: the sub-TLVs that ask for an address name neither family; the answer does, in the same room. */
enum {
    SUB_DESTINATION_IP = 4,
    SUB_DESTINATION_IPV4 = 5,
    SUB_DESTINATION_IPV6 = 6,
    SUB_SOURCE_IP = 7,
    SUB_SOURCE_IPV4 = 8,
    SUB_SOURCE_IPV6 = 9
};

static enum verdict answer_address(uint8_t *sub, size_t value_len, const struct addr *a, bool source)
{
    if (value_len != 16)
        return MALFORMED;
    if (a->version == 0)
        return UNRECOGNIZED;
    memcpy(sub + STAMP_TLV_HEADER, a->bytes, 16); /* what an IPv4 address does not use is 0 */
    sub[1] = a->version == 4 ? (source ? SUB_SOURCE_IPV4 : SUB_DESTINATION_IPV4)
                             : (source ? SUB_SOURCE_IPV6 : SUB_DESTINATION_IPV6);
    return UNDERSTOOD;
}

static uint8_t flags_of(enum verdict v)
{
    static const uint8_t flags[] = {[UNDERSTOOD] = 0, [UNRECOGNIZED] = STAMP_TLV_U, [MALFORMED] = STAMP_TLV_M};
    return flags[v];
}

/* RFC 8972 §4.2. A MAC address is not asked of a socket: that sub-TLV is one that we do not know. */
static enum verdict answer_location(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    struct cursor c = cur_make(value + 4, len - 4, false);
    struct stamp_tlv sub;
    store_be16(value, t->port);
    store_be16(value + 2, t->in->peer.port);
    while (stamp_tlv_next(&c, &sub)) {
        uint8_t *at = value + (sub.at - value);
        size_t sub_len = cur_left(&sub.value);
        enum verdict v = sub.type == SUB_DESTINATION_IP ? answer_address(at, sub_len, &t->in->local, false)
                         : sub.type == SUB_SOURCE_IP    ? answer_address(at, sub_len, &t->in->peer.addr, true)
                                                        : UNRECOGNIZED;
        at[0] = flags_of(v);
        if (v == MALFORMED)
            return UNDERSTOOD; /* the sub-TLV is broken, the one around it is not */
    }
    return cur_status(&c) == PARSE_OK ? UNDERSTOOD : MALFORMED;
}

/* RFC 8972 §4.3 */
static enum verdict answer_timestamp_info(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    (void)len;
    uint8_t source = t->clock->synchronized ? STAMP_SYNC_NTP : STAMP_SYNC_FREE_RUNNING;
    value[0] = value[2] = source;
    value[1] = value[3] = STAMP_METHOD_SOFTWARE;
    return UNDERSTOOD;
}

/* RFC 8972 §4.4. A mark that the kernel did not tell is not written as 0: the TLV goes back as one that nobody
 * answered. A second one in the same packet cannot have its wish granted as well. */
static enum verdict answer_cos(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    (void)len;
    if (!t->in->tos_known || t->cos_seen)
        return UNRECOGNIZED;
    t->cos_seen = true;
    t->mark = value[0] >> 2;
    t->mark_asked = !t->refuse_marks;
    stamp_cos_write(value, t->mark, tos_dscp(t->in->tos), tos_ecn(t->in->tos), t->refuse_marks ? 1 : 0);
    return UNDERSTOOD;
}

/* RFC 8972 §4.5; the packets "in profile" are those of the session. Who keeps no session has nothing to tell. */
static enum verdict answer_direct(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    (void)len;
    if (!t->session)
        return UNRECOGNIZED;
    store_be32(value + 4, t->session->received);
    store_be32(value + 8, t->session->returned);
    return UNDERSTOOD;
}

/* Not of the RFC (probe_ask.h): which mark this reply leaves with. A Class of Service TLV behind it may still change
 * that, so the answer is written at the end. */
static enum verdict answer_ask(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    if (t->question || !probe_ask_answer(value, len, 0))
        return UNRECOGNIZED;
    t->question = value;
    return UNDERSTOOD;
}

/* RFC 8972 §4.7: of the reply before this one; zeros where there was none, or nobody remembers. */
static enum verdict answer_follow_up(struct reflector_tlvs *t, uint8_t *value, size_t len)
{
    memset(value, 0, len);
    if (!t->session || !t->session->replied)
        return UNDERSTOOD;
    uint64_t sent = stamp_time_write(t->session->last_sent_ns, t->format);
    store_be32(value, t->session->last_sequence);
    store_be32(value + 4, (uint32_t)(sent >> 32));
    store_be32(value + 8, (uint32_t)sent);
    value[12] = STAMP_METHOD_SOFTWARE;
    return UNDERSTOOD;
}

static const struct known {
    uint8_t type;
    bool any_longer; /* `len` is the least that it has */
    uint16_t len;
    enum verdict (*answer)(struct reflector_tlvs *t, uint8_t *value, size_t len);
} known[] = {
    {STAMP_TLV_PADDING, true, 0, answer_padding},
    {STAMP_TLV_LOCATION, true, 4, answer_location},
    {STAMP_TLV_TIMESTAMP_INFO, false, 4, answer_timestamp_info},
    {STAMP_TLV_COS, false, 4, answer_cos},
    {STAMP_TLV_DIRECT, false, 12, answer_direct},
    {STAMP_TLV_FOLLOW_UP, false, 16, answer_follow_up},
    {STAMP_TLV_HMAC, false, STAMP_HMAC_BYTES, answer_padding}, /* made at the end */
    {PROBE_ASK_TYPE, true, 0, answer_ask},                     /* another length is somebody else's private use */
};

static enum verdict answer_one(struct reflector_tlvs *t, uint8_t type, uint8_t *value, size_t len)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (known[i].type != type)
            continue;
        if (len < known[i].len || (len > known[i].len && !known[i].any_longer))
            return MALFORMED;
        return known[i].answer(t, value, len);
    }
    return UNRECOGNIZED;
}

/* ---- integrity: RFC 8972 §4.8 ---- */

/* The TLVs of a request, as far as they say how it is protected. */
struct protection {
    size_t hmac_at; /* offset of the HMAC TLV */
    bool hmac, misplaced, others;
};

/* TWAMP senders have padding here, often zeros. Type 0 is reserved, so that is where TLVs end and padding begins. */
static bool is_tlv(const struct stamp_tlv *tlv)
{
    return tlv->type != 0;
}

static struct protection look_for_hmac(const uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    struct protection p = {0};
    struct stamp_tlv tlv;
    while (stamp_tlv_next(&c, &tlv) && is_tlv(&tlv)) {
        if (tlv.type == STAMP_TLV_PADDING)
            continue;
        if (p.hmac)
            p.misplaced = true; /* behind it only padding may stand */
        if (tlv.type != STAMP_TLV_HMAC) {
            p.others = true;
        } else if (!p.hmac) {
            p.hmac = true;
            p.hmac_at = (size_t)(tlv.at - bytes);
            p.misplaced = cur_left(&tlv.value) != STAMP_HMAC_BYTES;
        }
    }
    return p;
}

static bool is_intact(const struct reflector_tlvs *t, const struct protection *p, const uint8_t *bytes,
                      const uint8_t *sequence)
{
    if (!p->hmac)
        return !t->authenticated || !p->others;
    return t->hmac && !p->misplaced &&
           stamp_hmac_verify(t->hmac, sequence, 4, bytes, p->hmac_at, bytes + p->hmac_at + STAMP_TLV_HEADER);
}

/* All go back as they came, each with I: so the sender knows that nobody believed them. */
static void distrust(struct reflector_tlvs *t, uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    struct stamp_tlv tlv;
    while (stamp_tlv_next(&c, &tlv) && is_tlv(&tlv)) {
        bytes[tlv.at - bytes] |= STAMP_TLV_I;
        t->untrusted++;
        t->count++;
    }
}

static void answer_all(struct reflector_tlvs *t, uint8_t *bytes, size_t len)
{
    struct cursor c = cur_make(bytes, len, false);
    struct stamp_tlv tlv;
    size_t at = 0;
    while (stamp_tlv_next(&c, &tlv)) {
        if (!is_tlv(&tlv))
            return;
        at = (size_t)(tlv.at - bytes);
        enum verdict v = answer_one(t, tlv.type, bytes + at + STAMP_TLV_HEADER, cur_left(&tlv.value));
        bytes[at] = flags_of(v);
        t->count++;
        t->unrecognized += v == UNRECOGNIZED;
        t->malformed += v == MALFORMED;
        at += STAMP_TLV_HEADER + cur_left(&tlv.value);
        if (v == MALFORMED)
            return; /* §4: what follows a broken TLV is not looked at */
    }
    /* one that claims more than there is; fewer bytes than a header are padding */
    if (len - at >= STAMP_TLV_HEADER && bytes[at + 1] != 0) {
        bytes[at] = STAMP_TLV_M;
        t->count++;
        t->malformed++;
    }
}

int reflector_tlvs_answer(struct reflector_tlvs *t, uint8_t *bytes, size_t len,
                          const uint8_t request_sequence[static 4])
{
    struct protection p = look_for_hmac(bytes, len);
    if (!is_intact(t, &p, bytes, request_sequence)) {
        distrust(t, bytes, len);
        return 0;
    }
    answer_all(t, bytes, len);
    if (t->question)
        (void)probe_ask_answer(t->question, PROBE_ASK_BYTES, dscp_tos(reflector_reply_mark(t)));
    /* anew, over the reply's own sequence number and answers */
    return p.hmac ? stamp_hmac_sign(t->hmac, t->sequence, 4, bytes, p.hmac_at, bytes + p.hmac_at + STAMP_TLV_HEADER)
                  : 0;
}

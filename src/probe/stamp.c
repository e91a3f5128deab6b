#include "probe/stamp.h"

#include <string.h>

#include "base/bytes.h"

/* ---- TLVs: RFC 8972 §4 ---- */

bool stamp_tlv_next(struct cursor *c, struct stamp_tlv *ret)
{
    if (cur_left(c) == 0)
        return false;
    struct stamp_tlv t = {.at = c->at};
    t.flags = cur_u8(c);
    t.type = cur_u8(c);
    uint16_t len = cur_u16(c);
    t.value = cur_child(c, len);
    if (cur_status(c) != PARSE_OK)
        return false;
    *ret = t;
    return true;
}

/* The next `n` bytes of the packet, zeroed; NULL where there is no room. */
static uint8_t *writer_take(struct stamp_writer *w, size_t n)
{
    if (w->failed || w->size - w->len < n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *to = w->at + w->len;
    w->len += n;
    memset(to, 0, n);
    return to;
}

/* RFC 8762 §4.2.1 figure 2, §4.2.2 figure 4; the SSID: RFC 8972 §3 */
struct stamp_writer stamp_request_begin(uint8_t *to, size_t size, const struct stamp_request *r, bool authenticated)
{
    struct stamp_writer w = {.at = to, .size = size, .authenticated = authenticated};
    uint8_t *base = writer_take(&w, authenticated ? STAMP_AUTH_BYTES : STAMP_BYTES);
    if (!base)
        return w;
    uint8_t *times = base + (authenticated ? 16 : 4);
    store_be32(base, r->sequence);
    store_be64(times, r->timestamp);
    store_be16(times + 8, stamp_error_write(r->error));
    store_be16(times + 10, r->ssid);
    return w;
}

void stamp_tlv_add(struct stamp_writer *w, enum stamp_tlv_type type, const void *value, size_t len)
{
    uint8_t *to = len <= UINT16_MAX ? writer_take(w, STAMP_TLV_HEADER + len) : NULL;
    if (!to) {
        w->failed = true;
        return;
    }
    to[0] = STAMP_TLV_U;
    to[1] = (uint8_t)type;
    store_be16(to + 2, (uint16_t)len);
    if (value && len)
        memcpy(to + STAMP_TLV_HEADER, value, len);
}

void stamp_cos_write(uint8_t value[static 4], dscp_t asked, dscp_t arrived, uint8_t ecn, uint8_t rp)
{
    value[0] = (uint8_t)((asked & 63U) << 2 | (arrived & 63U) >> 4);
    value[1] = (uint8_t)((arrived & 15U) << 4 | (ecn & 3U) << 2 | (rp & 3U));
    value[2] = value[3] = 0;
}

void stamp_cos_add(struct stamp_writer *w, dscp_t reply_mark)
{
    uint8_t value[4];
    stamp_cos_write(value, reply_mark, 0, 0, 0);
    stamp_tlv_add(w, STAMP_TLV_COS, value, sizeof value);
}

void stamp_timestamp_info_add(struct stamp_writer *w)
{
    stamp_tlv_add(w, STAMP_TLV_TIMESTAMP_INFO, NULL, 4);
}

void stamp_direct_add(struct stamp_writer *w, uint32_t sent)
{
    uint8_t value[12] = {0};
    store_be32(value, sent);
    stamp_tlv_add(w, STAMP_TLV_DIRECT, value, sizeof value);
}

void stamp_follow_up_add(struct stamp_writer *w)
{
    stamp_tlv_add(w, STAMP_TLV_FOLLOW_UP, NULL, 16);
}

size_t stamp_request_end(struct stamp_writer *w, struct stamp_hmac *hmac, size_t total)
{
    size_t base = w->authenticated ? STAMP_AUTH_BYTES : STAMP_BYTES;
    size_t tlvs = w->len - (w->failed ? w->len : base);
    if (hmac && tlvs) {
        uint8_t digest[STAMP_HMAC_BYTES];
        if (stamp_hmac_sign(hmac, w->at, 4, w->at + base, tlvs, digest) < 0)
            return 0;
        stamp_tlv_add(w, STAMP_TLV_HMAC, digest, sizeof digest);
    }
    while (!w->failed && total >= w->len + STAMP_TLV_HEADER) {
        size_t value = total - w->len - STAMP_TLV_HEADER;
        stamp_tlv_add(w, STAMP_TLV_PADDING, NULL, value < UINT16_MAX ? value : UINT16_MAX);
    }
    if (w->failed)
        return 0;
    if (w->authenticated &&
        (!hmac || stamp_hmac_sign(hmac, w->at, STAMP_HMAC_TEXT, NULL, 0, w->at + STAMP_HMAC_TEXT) < 0))
        return 0;
    return w->len;
}

enum parse_status stamp_request_parse(struct cursor c, bool authenticated, struct stamp_request *ret)
{
    struct stamp_request r = {0};
    bool whole = cur_left(&c) >= (authenticated ? STAMP_AUTH_BYTES : STAMP_BYTES);
    if (authenticated && !whole)
        cur_fail(&c);
    r.sequence = cur_u32(&c);
    if (authenticated)
        cur_skip(&c, 12);
    r.timestamp = cur_u64(&c);
    r.error = stamp_error_read(cur_u16(&c));
    if (whole)
        r.ssid = cur_u16(&c);
    if (cur_status(&c) == PARSE_OK)
        *ret = r;
    return cur_status(&c);
}

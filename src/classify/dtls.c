#include "classify/dtls.h"

#define UNIFIED_MASK      0xe0 /* 001CSLEE, RFC 9147 §4 */
#define UNIFIED_FIXED     0x20
#define EXT_USE_SRTP      14
#define HELLO_CLIENT      1
#define HELLO_SERVER      2
#define CONTENT_HANDSHAKE 22
#define CONTENT_MIN       20
#define CONTENT_MAX       26 /* 24 heartbeat (RFC 6520), 25 tls12_cid (RFC 9146), 26 ACK (RFC 9147) */
#define CONTENT_CID       25

/* The extensions of a hello (RFC 5246 §7.4.1.4). */
static bool extensions_have(struct cursor c, uint16_t wanted)
{
    struct cursor list = cur_child(&c, cur_u16(&c));
    while (cur_left(&list) >= 4) {
        uint16_t type = cur_u16(&list);
        if (type == wanted)
            return true;
        cur_skip(&list, cur_u16(&list));
    }
    return false;
}

/* A handshake message of RFC 6347 §4.2.2; only its first fragment has the hello's beginning. */
static void read_handshake(struct cursor c, struct dtls_datagram *d)
{
    uint8_t type = cur_u8(&c);
    cur_skip(&c, 5); /* length, message_seq */
    uint32_t offset = cur_u24(&c);
    uint32_t fragment = cur_u24(&c);
    if (c.failed)
        return;
    d->handshake_type = type;
    if (offset != 0 || (type != HELLO_CLIENT && type != HELLO_SERVER))
        return;
    c.cut = true; /* the extensions may go on in the next fragment */
    struct cursor body = cur_child(&c, fragment);
    cur_skip(&body, 2 + 32);        /* version, random */
    cur_skip(&body, cur_u8(&body)); /* session_id */
    if (type == HELLO_CLIENT) {
        cur_skip(&body, cur_u8(&body));  /* cookie */
        cur_skip(&body, cur_u16(&body)); /* cipher_suites */
        cur_skip(&body, cur_u8(&body));  /* compression_methods */
    } else {
        cur_skip(&body, 3);
    }
    d->use_srtp = d->use_srtp || extensions_have(body, EXT_USE_SRTP);
}

/* RFC 9147 §4, figure 3. A connection ID's length is not on the wire: such a record's length cannot be read. */
static bool step_unified(struct cursor *c, uint32_t *wire, uint8_t first)
{
    uint32_t header = 1 + ((first & 0x08) ? 2u : 1u);
    if (first & 0x10) {
        *wire = 0;
        return true;
    }
    cur_skip(c, header);
    uint32_t len = *wire > header ? *wire - header : 0;
    if (first & 0x04) {
        header += 2;
        len = cur_u16(c);
    }
    if (c->failed && !c->cut)
        return false;
    if (c->failed) {
        *wire = 0;
        return true;
    }
    if (len < 16 || *wire < header ||
        len > *wire - header) /* §4.2.3: 16 bytes at least, for the sequence number's mask */
        return false;
    *wire -= header + len;
    cur_skip(c, len);
    return true;
}

static bool step_record(struct cursor *c, uint32_t *wire, struct dtls_datagram *d)
{
    uint8_t type = cur_u8(c);
    uint16_t version = cur_u16(c);
    uint16_t epoch = cur_u16(c);
    cur_skip(c, 6);
    if (type == CONTENT_CID && !c->failed) { /* the connection ID's length is not known here */
        *wire = 0;
        if (d->record_count == 0)
            d->content_type = type;
        return version == 0xfefd;
    }
    uint16_t len = cur_u16(c);
    if (c->failed) {
        *wire = c->cut ? 0 : *wire;
        return c->cut;
    }
    if (type < CONTENT_MIN || type > CONTENT_MAX || (version != 0xfeff && version != 0xfefd && version != 0x0100))
        return false;
    if (*wire < 13u || len > *wire - 13)
        return false;
    *wire -= 13u + len;
    if (d->record_count == 0) {
        d->content_type = type;
        d->version = version;
    }
    struct cursor body = cur_child(c, len);
    if (type == CONTENT_HANDSHAKE && epoch == 0 && d->handshake_type == 0)
        read_handshake(body, d);
    return true;
}

enum parse_status dtls_parse(struct cursor c, uint32_t wire_bytes, struct dtls_datagram *ret)
{
    if (wire_bytes > cur_left(&c))
        c.cut = true;
    struct dtls_datagram d = {0};
    struct cursor look = c;
    (void)cur_take(&look, 13);
    if (wire_bytes < 13)
        return PARSE_MALFORMED;
    if (look.failed)
        return cur_status(&look);

    uint32_t left = wire_bytes;
    while (left > 0 && (d.record_count == 0 || cur_left(&c) > 0)) {
        uint8_t first = cur_peek(&c, 0);
        bool unified = (first & UNIFIED_MASK) == UNIFIED_FIXED;
        if (d.record_count == 0 && unified)
            d.content_type = first;
        if (!(unified ? step_unified(&c, &left, first) : step_record(&c, &left, &d)))
            return PARSE_MALFORMED;
        if (d.record_count < UINT8_MAX)
            d.record_count++;
    }
    *ret = d;
    return PARSE_OK;
}

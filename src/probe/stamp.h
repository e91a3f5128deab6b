#ifndef QOSMARK_PROBE_STAMP_H
#define QOSMARK_PROBE_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "model/dscp.h"
#include "probe/stamp_hmac.h"
#include "probe/stamp_time.h"

/*
 * The packets of STAMP (RFC 8762, with SSID and TLVs of RFC 8972; TWAMP-Test of RFC 5357 has the same unauthenticated
 * ones). Bytes in, values out and the other way round: no sockets, no clock, no heap.
 *
 * What a value means that nobody gave is always "not known", never 0: each value of a reply says whether it is known.
 */

#define STAMP_PORT 862

enum {
    STAMP_BYTES = 44,         /* base packet, unauthenticated; the same for request and reply */
    STAMP_AUTH_BYTES = 112,   /* base packet, authenticated */
    STAMP_REQUEST_LEAST = 14, /* what a TWAMP sender without padding sends (RFC 5357 §4.1.2) */
    STAMP_REPLY_LEAST = 41,   /* a reply up to the Sender TTL, as TWAMP reflectors send it (RFC 5357 §4.2.1) */
    STAMP_TLV_HEADER = 4,
    STAMP_PACKET_MAX = 65507,
};

enum stamp_tlv_flag { STAMP_TLV_U = 0x80, STAMP_TLV_M = 0x40, STAMP_TLV_I = 0x20 };

/* RFC 8972 §5.1 */
enum stamp_tlv_type {
    STAMP_TLV_PADDING = 1,
    STAMP_TLV_LOCATION = 2,
    STAMP_TLV_TIMESTAMP_INFO = 3,
    STAMP_TLV_COS = 4,
    STAMP_TLV_DIRECT = 5,
    STAMP_TLV_ACCESS = 6,
    STAMP_TLV_FOLLOW_UP = 7,
    STAMP_TLV_HMAC = 8,
};

/* ---- TLVs ---- */

struct stamp_tlv {
    uint8_t flags, type;
    const uint8_t *at; /* its header; the value begins STAMP_TLV_HEADER later */
    struct cursor value;
};

/* The next TLV of `c`. False at the end, and where the bytes left are no TLV: then cur_status(c) is not PARSE_OK. */
bool stamp_tlv_next(struct cursor *c, struct stamp_tlv *ret);

/* ---- requests ---- */

struct stamp_request {
    uint32_t sequence;
    uint64_t timestamp; /* T1 as on the wire; stamp_time.h makes and reads it */
    struct stamp_error_estimate error;
    /* 0: none. One whose low byte is not 0 lets stamp_reply_parse() tell a TWAMP reflector's echo from a mark */
    uint16_t ssid;
};

/* Builds one request (or, in the reflector, one reply) in the caller's memory; what does not fit latches `failed`. */
struct stamp_writer {
    uint8_t *at;
    size_t size, len;
    bool authenticated, failed;
};

/*
 *     struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, hmac != NULL);
 *     stamp_cos_add(&w, DSCP_EF);
 *     size_t len = stamp_request_end(&w, hmac, 172);
 *
 * end() adds the HMAC TLV where there is an `hmac` and a TLV to protect (RFC 8972 §4.8), then an Extra Padding TLV so
 * that the packet has `total` bytes (0: none; where `total` is out of reach by less than a TLV header the packet is as
 * long as it is), then the base packet's HMAC where it is authenticated. Returns the length, 0 where it did not fit or
 * the HMAC could not be made.
 */
struct stamp_writer stamp_request_begin(uint8_t *to, size_t size, const struct stamp_request *request,
                                        bool authenticated);
/* U set; a value of NULL is zeros */
void stamp_tlv_add(struct stamp_writer *w, enum stamp_tlv_type type, const void *value, size_t len);
void stamp_cos_add(struct stamp_writer *w, dscp_t reply_mark); /* §4.4: DSCP1 */
void stamp_timestamp_info_add(struct stamp_writer *w);         /* §4.3 */
void stamp_direct_add(struct stamp_writer *w, uint32_t sent);  /* §4.5 */
void stamp_follow_up_add(struct stamp_writer *w);              /* §4.7 */
size_t stamp_request_end(struct stamp_writer *w, struct stamp_hmac *hmac, size_t total);

/* What a reflector reads of a request of at least STAMP_REQUEST_LEAST bytes (STAMP_AUTH_BYTES where `authenticated`);
 * the HMAC is not looked at. The SSID is 0 below STAMP_BYTES: those bytes are TWAMP padding. */
enum parse_status stamp_request_parse(struct cursor c, bool authenticated, struct stamp_request *ret);

/* ---- replies ---- */

/* What became of a TLV that was asked. Only STAMP_ANSWERED says anything about the path. */
enum stamp_answer {
    STAMP_ABSENT,       /* the reply does not hold it: a reflector that cuts or zeroes what it does not know */
    STAMP_UNRECOGNIZED, /* it came back with U set, as it was sent: a reflector without this TLV. Never a measurement */
    STAMP_MALFORMED,    /* the reflector (flag M) or this parser found it broken */
    STAMP_UNTRUSTED,    /* flag I, or an HMAC that is missing where it has to be, or wrong */
    STAMP_ANSWERED,
};

/* Class of Service, RFC 8972 §4.4 (bit order: errata and vectors in docs/REFLECT.md). */
struct stamp_cos {
    enum stamp_answer answer;
    /* the rest where answer is STAMP_ANSWERED */
    dscp_t asked;   /* DSCP1: the mark that the reply was asked to carry; compare it with what was sent */
    dscp_t arrived; /* DSCP2: the mark of the request as it arrived at the reflector */
    uint8_t ecn;    /* of the request as it arrived */
    uint8_t rp;     /* 0: the reply left with `asked`. Else it left with another mark: judge the forward way only */
};

struct stamp_timestamp_info {
    enum stamp_answer answer;
    uint8_t sync_in, method_in, sync_out, method_out; /* RFC 8972 §4.3: 0 where the reflector does not tell */
};

struct stamp_direct {
    enum stamp_answer answer;
    uint32_t sent, received, returned; /* S_TxC, R_RxC, R_TxC of §4.5 */
};

struct stamp_follow_up {
    enum stamp_answer answer;
    bool known; /* false: the reflector is stateless, or this was the session's first packet */
    uint32_t sequence;
    struct stamp_instant sent;
    uint8_t method;
};

struct stamp_reply {
    uint32_t sequence; /* the reflector's own where it is stateful, the sender's else */
    uint32_t sender_sequence;
    uint16_t ssid;                       /* 0 from a reflector that knows none */
    struct stamp_instant received, sent; /* T2, T3, by the reflector's clock */
    struct stamp_instant sender_sent;    /* T1, as the reflector read it */
    struct stamp_error_estimate error, sender_error;
    uint8_t sender_ttl; /* TTL or hop limit of the request as it arrived; 0 from reflectors that cannot tell */

    bool tlvs; /* at least one TLV came back understood: the reflector speaks RFC 8972 */
    struct stamp_cos cos;
    struct stamp_timestamp_info timestamp_info;
    struct stamp_direct direct;
    struct stamp_follow_up follow_up;

    /* The TOS byte of the request as it arrived, from a TWAMP reflector with RFC 7750 and no TLVs. Zero there proves
     * nothing, and so is not known. */
    bool twamp_tos_known;
    tos_t twamp_tos;
};

/*
 * Reads a reply of at least STAMP_REPLY_LEAST bytes (STAMP_AUTH_BYTES where `authenticated`). With `hmac`, the HMACs of
 * the base packet and of the TLVs are verified: a wrong one in the base packet makes the reply PARSE_MALFORMED, one in
 * the TLVs makes all TLVs STAMP_UNTRUSTED. Flags are obeyed as RFC 8972 §4 says: U skips that TLV, M ends the list, I
 * discards all.
 */
enum parse_status stamp_reply_parse(struct cursor c, bool authenticated, struct stamp_hmac *hmac,
                                    struct stamp_reply *ret);

/* ---- the reflector's side of the Class of Service TLV ---- */

/* The four bytes of the value; `rp` 0..3. RFC 8972 §4.4: DSCP1(6) DSCP2(6) ECN(2) RP(2) Reserved(16). */
void stamp_cos_write(uint8_t value[static 4], dscp_t asked, dscp_t arrived, uint8_t ecn, uint8_t rp);

#endif

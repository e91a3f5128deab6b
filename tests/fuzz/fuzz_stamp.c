/*
 * Both ends of STAMP. The first byte chooses the mode (bit 0: authenticated, bit 1: stateful, bit 2: sign what the
 * input says, so that what lies behind the HMAC is reached, bit 3: refuse marks, bit 4: PTP, bit 5: IPv6, bit 6: read
 * as a reply); then TOS 1, TTL 1, source 1, and packets, each with its length 2 in front.
 */
#include "base/bytes.h"
#include "base/clock.h"
#include "fuzz.h"
#include "probe/reflector.h"
#include "probe/stamp.h"

enum { AUTHENTICATED = 1, STATEFUL = 2, SIGNED = 4, REFUSES = 8, PTP = 16, IP6 = 32, REPLIES = 64 };
enum { PACKETS_MAX = 64, PACKET_MAX = 2048, GUARD = 0xee };

#define NOW (INT64_C(1795338000) * NS_PER_S)

static const uint8_t secret[] = "a key that everybody knows";

struct run {
    uint8_t mode, tos, ttl, source;
    struct stamp_hmac *hmac; /* NULL: not authenticated, or built without OpenSSL */
    struct reflector *reflector;
    uint64_t fed, bytes_in, bytes_out;
};

static void check_reply(const struct stamp_reply *r)
{
    FUZZ_CHECK(r->cos.answer <= STAMP_ANSWERED && r->direct.answer <= STAMP_ANSWERED);
    FUZZ_CHECK(r->timestamp_info.answer <= STAMP_ANSWERED && r->follow_up.answer <= STAMP_ANSWERED);
    if (r->cos.answer == STAMP_ANSWERED)
        FUZZ_CHECK(r->cos.asked < 64 && r->cos.arrived < 64 && r->cos.ecn < 4 && r->cos.rp < 4);
    FUZZ_CHECK(!r->twamp_tos_known || !r->tlvs);
    FUZZ_CHECK(r->follow_up.answer == STAMP_ANSWERED || !r->follow_up.known);
}

/* Puts right HMACs over what the input says: of the base packet, and of a last TLV that can hold one. */
static void sign(struct run *r, uint8_t *bytes, size_t len)
{
    if (!r->hmac || len < STAMP_AUTH_BYTES)
        return;
    size_t tlv = STAMP_TLV_HEADER + STAMP_HMAC_BYTES, at = len - tlv;
    if (len >= STAMP_AUTH_BYTES + tlv && bytes[at + 1] == STAMP_TLV_HMAC) {
        store_be16(bytes + at + 2, STAMP_HMAC_BYTES);
        FUZZ_CHECK(stamp_hmac_sign(r->hmac, bytes, 4, bytes + STAMP_AUTH_BYTES, at - STAMP_AUTH_BYTES,
                                   bytes + at + STAMP_TLV_HEADER) == 0);
    }
    FUZZ_CHECK(stamp_hmac_sign(r->hmac, bytes, STAMP_HMAC_TEXT, NULL, 0, bytes + STAMP_HMAC_TEXT) == 0);
}

static void run_reply(struct run *r, const uint8_t *bytes, size_t len)
{
    struct stamp_reply reply;
    enum parse_status status = stamp_reply_parse(cur_make(bytes, len, false), r->hmac != NULL, r->hmac, &reply);
    FUZZ_CHECK(status != PARSE_OK || len >= (r->hmac ? (size_t)STAMP_AUTH_BYTES : (size_t)STAMP_REPLY_LEAST));
    if (status == PARSE_OK)
        check_reply(&reply);
}

/* What the sender makes of the answer that the reflector gave. */
static void check_answer(struct run *r, const uint8_t *request, const struct udp_packet *out, size_t len)
{
    struct stamp_request asked;
    struct stamp_reply reply;
    FUZZ_CHECK(out->len == len); /* never more than was received, and never less */
    FUZZ_CHECK(stamp_request_parse(cur_make(request, len, false), r->hmac != NULL, &asked) == PARSE_OK);
    FUZZ_CHECK(stamp_reply_parse(cur_make(out->bytes, out->len, false), r->hmac != NULL, r->hmac, &reply) == PARSE_OK);
    check_reply(&reply);
    FUZZ_CHECK(reply.sender_sequence == asked.sequence);
    FUZZ_CHECK((r->mode & STATEFUL) || reply.sequence == asked.sequence);
    FUZZ_CHECK(reply.sender_ttl == r->ttl);
    if (reply.cos.answer == STAMP_ANSWERED) {
        FUZZ_CHECK(reply.cos.arrived == tos_dscp(r->tos));
        FUZZ_CHECK(reply.cos.rp || tos_dscp(out->tos) == reply.cos.asked);
    }
    FUZZ_CHECK(!reply.twamp_tos_known || reply.twamp_tos == r->tos);
}

static void run_request(struct run *r, uint8_t *bytes, size_t len)
{
    struct endpoint peer = {.addr = {.version = r->mode & IP6 ? 6 : 4, .bytes = {10, 0, 0, r->source}},
                            .port = (uint16_t)(40000 + r->source % 4)};
    struct udp_packet in = {.bytes = bytes,
                            .size = len,
                            .len = len,
                            .peer = peer,
                            .local = {.version = peer.addr.version, .bytes = {10, 0, 0, 2}},
                            .tos_known = true,
                            .tos = r->tos,
                            .ttl_known = true,
                            .ttl = r->ttl,
                            .time_source = UDP_TIME_KERNEL,
                            .time_ns = NOW + (int64_t)r->fed * 1000000};
    uint8_t *request = malloc(len), *reply = malloc(len);
    FUZZ_CHECK((request && reply) || len == 0);
    if (len) {
        memcpy(request, bytes, len);
        memset(reply, GUARD, len);
    }
    struct udp_packet out = {.bytes = reply, .size = len};
    enum reflector_outcome o = reflector_answer(r->reflector, &in, in.time_ns + 100000, &out);
    FUZZ_CHECK(o < REFLECTOR_OUTCOMES);
    r->fed++;
    r->bytes_in += len;
    if (o == REFLECTOR_ANSWERED) {
        r->bytes_out += out.len;
        check_answer(r, request, &out, len);
        /* two reflectors must not talk to each other for ever */
        struct udp_packet back = in;
        back.bytes = reply;
        back.len = out.len;
        back.time_ns = in.time_ns + 200000;
        uint8_t *again = malloc(len);
        struct udp_packet third = {.bytes = again, .size = len};
        FUZZ_CHECK(again);
        if (reflector_answer(r->reflector, &back, back.time_ns + 100000, &third) == REFLECTOR_ANSWERED)
            r->bytes_out += third.len;
        r->fed++;
        r->bytes_in += back.len;
        free(again);
    }
    free(request);
    free(reply);
}

static void run_packets(struct run *r, struct cursor *c)
{
    for (int i = 0; i < PACKETS_MAX && cur_left(c) > 0; i++) {
        size_t len;
        uint16_t claimed = cur_u16(c);
        uint8_t *bytes = fuzz_block(c, claimed % PACKET_MAX, &len);
        if (r->mode & SIGNED)
            sign(r, bytes, len);
        if (r->mode & REPLIES)
            run_reply(r, bytes, len);
        else
            run_request(r, bytes, len);
        free(bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor c = cur_make(data, size, false);
    struct run r = {.mode = cur_u8(&c), .tos = cur_u8(&c), .ttl = cur_u8(&c), .source = cur_u8(&c)};
    if (c.failed)
        return 0;
    if (r.mode & AUTHENTICATED)
        (void)stamp_hmac_new(secret, sizeof secret - 1, &r.hmac, NULL);
    struct reflector_config config = {.port = STAMP_PORT,
                                      .stateful = r.mode & STATEFUL,
                                      .max_sessions = 16,
                                      .refuse_marks = r.mode & REFUSES,
                                      .format = r.mode & PTP ? STAMP_PTP : STAMP_NTP,
                                      .hmac = r.hmac,
                                      .key = {1, 2}};
    FUZZ_CHECK(reflector_new(&config, &r.reflector, NULL) == 0);
    run_packets(&r, &c);
    const struct reflector_counts *counts = reflector_counts(r.reflector);
    uint64_t sum = 0;
    for (int i = 0; i < REFLECTOR_OUTCOMES; i++)
        sum += counts->outcomes[i];
    FUZZ_CHECK(sum == r.fed && counts->bytes_in == r.bytes_in && counts->bytes_out == r.bytes_out);
    FUZZ_CHECK(reflector_sessions(r.reflector).used <= 16);
    reflector_free(r.reflector);
    stamp_hmac_free(r.hmac);
    return 0;
}

#include "testing.h"

#include "probe/stamp.h"

/*
 * RFC 8762 figure 5 by hand: reflector's sequence 3, T3 = 09:00:00.75, error 0x8a01, SSID 0x1234, T2 = 09:00:00.625,
 * sender's sequence 7, T1 = 09:00:00.5 in PTP (its Z bit is set: each end chooses its own), sender's TTL 252. The TLVs
 * follow.
 */
static const uint8_t base[44] = {0,    0,    0,    3,    0xee, 0xad, 0x2d, 0x90, 0xc0, 0, 0,   0, 0x8a, 0x01, 0x12,
                                 0x34, 0xee, 0xad, 0x2d, 0x90, 0xa0, 0,    0,    0,    0, 0,   0, 7,    0x6b, 0x02,
                                 0xaf, 0x10, 0x1d, 0xcd, 0x65, 0x00, 0xca, 0x02, 0,    0, 252, 0, 0,    0};

#define SECOND INT64_C(1795338000)

/* The base packet with bytes behind it. */
static struct stamp_reply reply_with(const uint8_t *tlvs, size_t len)
{
    uint8_t bytes[512];
    struct stamp_reply r;
    memcpy(bytes, base, sizeof base);
    memcpy(bytes + sizeof base, tlvs, len);
    assert_int_equal(stamp_reply_parse(cur_make(bytes, sizeof base + len, false), false, NULL, &r), PARSE_OK);
    return r;
}

#define REPLY_WITH(...) reply_with((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void the_base_packet_is_read_with_each_ends_own_clock_format(void **state)
{
    (void)state;
    struct stamp_reply r;
    assert_int_equal(stamp_reply_parse(cur_make(base, sizeof base, false), false, NULL, &r), PARSE_OK);
    assert_int_equal(r.sequence, 3);
    assert_int_equal(r.sender_sequence, 7);
    assert_int_equal(r.ssid, 0x1234);
    assert_true(r.sent.known && r.received.known && r.sender_sent.known);
    assert_true(r.sent.ns == SECOND * 1000000000 + 750000000);
    assert_true(r.received.ns == SECOND * 1000000000 + 625000000);
    assert_true(r.sender_sent.ns == (INT64_C(0x6b02af10)) * 1000000000 + 500000000);
    assert_int_equal(r.sender_error.format, STAMP_PTP);
    assert_int_equal(r.sender_ttl, 252);
    assert_false(r.tlvs);
    assert_int_equal(r.cos.answer, STAMP_ABSENT);
    assert_false(r.twamp_tos_known);
}

static void the_marks_that_arrived_are_the_vectors(void **state)
{
    (void)state;
    static const struct {
        uint8_t b1, b0;
        dscp_t arrived;
        uint8_t ecn;
    } vectors[] = {{0xe8, 0xba, 46, 2}, {0xe0, 0xba, 46, 0}, {0x20, 0xba, 34, 0}, {0x00, 0xb8, 0, 0}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct stamp_reply r = REPLY_WITH(0x00, 0x04, 0x00, 0x04, vectors[i].b0, vectors[i].b1, 0, 0);
        assert_int_equal(r.cos.answer, STAMP_ANSWERED);
        assert_int_equal(r.cos.asked, 46);
        assert_int_equal(r.cos.arrived, vectors[i].arrived);
        assert_int_equal(r.cos.ecn, vectors[i].ecn);
        assert_int_equal(r.cos.rp, 0);
        assert_true(r.tlvs);
    }
    assert_int_equal(REPLY_WITH(0x00, 0x04, 0x00, 0x04, 0xba, 0xe1, 0, 0).cos.rp, 1);
}

/* The bytes of "EF arrived as CS0" and of a reflector that echoes what it does not know differ in the U flag alone. */
static void an_old_reflectors_echo_is_not_a_bleached_probe(void **state)
{
    (void)state;
    struct stamp_reply r = REPLY_WITH(0x80, 0x04, 0x00, 0x04, 0xb8, 0x00, 0x00, 0x00);
    assert_int_equal(r.cos.answer, STAMP_UNRECOGNIZED);
    assert_false(r.tlvs);
    r = REPLY_WITH(0x00, 0x04, 0x00, 0x04, 0xb8, 0x00, 0x00, 0x00);
    assert_int_equal(r.cos.answer, STAMP_ANSWERED);
    assert_int_equal(r.cos.arrived, 0);
}

static void a_reflector_that_fills_with_zeros_answers_nothing(void **state)
{
    (void)state;
    static const uint8_t zeros[200];
    struct stamp_reply r = reply_with(zeros, sizeof zeros);
    assert_false(r.tlvs);
    assert_int_equal(r.cos.answer, STAMP_ABSENT);
    /* nor does what stands behind such zeros count */
    r = REPLY_WITH(0, 0, 0, 0, 0x00, 0x04, 0x00, 0x04, 0xb8, 0x00, 0x00, 0x00);
    assert_int_equal(r.cos.answer, STAMP_ABSENT);
}

/* RFC 6038 reflects the padding of a request (from its byte 14) behind byte 41 of the reply: our TLVs arrive displaced.
 */
static void a_twamp_reflector_that_echoes_padding_answers_nothing(void **state)
{
    (void)state;
    uint8_t request[152] = {0}, reply[152] = {0};
    struct stamp_reply r;
    struct stamp_request q = {.sequence = 7, .timestamp = 1, .ssid = 0x0101};
    struct stamp_writer w = stamp_request_begin(request, sizeof request, &q, false);
    stamp_cos_add(&w, DSCP_EF);
    size_t len = stamp_request_end(&w, NULL, sizeof request);
    memcpy(reply, base, 41);
    memset(reply + 14, 0, 2);
    memcpy(reply + 41, request + 14, len - 41);
    assert_int_equal(stamp_reply_parse(cur_make(reply, len, false), false, NULL, &r), PARSE_OK);
    assert_false(r.tlvs);
    assert_int_equal(r.cos.answer, STAMP_ABSENT);
    assert_false(r.twamp_tos_known); /* what stands there is our SSID */
}

static void flags_are_obeyed(void **state)
{
    (void)state;
    /* M ends the list: what follows is not looked at */
    struct stamp_reply r = REPLY_WITH(0x40, 0x03, 0, 4, 0, 0, 0, 0, 0x00, 0x04, 0, 4, 0xba, 0xe0, 0, 0);
    assert_int_equal(r.timestamp_info.answer, STAMP_MALFORMED);
    assert_int_equal(r.cos.answer, STAMP_ABSENT);
    /* I discards all, those before it too */
    r = REPLY_WITH(0x00, 0x04, 0, 4, 0xba, 0xe0, 0, 0, 0x20, 0x03, 0, 4, 0, 0, 0, 0);
    assert_int_equal(r.cos.answer, STAMP_UNTRUSTED);
    assert_false(r.tlvs);
    /* U skips that one alone */
    r = REPLY_WITH(0x80, 0x03, 0, 4, 0, 0, 0, 0, 0x00, 0x04, 0, 4, 0xba, 0xe0, 0, 0);
    assert_int_equal(r.timestamp_info.answer, STAMP_UNRECOGNIZED);
    assert_int_equal(r.cos.answer, STAMP_ANSWERED);
    /* a length that is not the type's */
    assert_int_equal(REPLY_WITH(0x00, 0x04, 0, 3, 0xba, 0xe0, 0).cos.answer, STAMP_MALFORMED);
    /* of two the first counts */
    r = REPLY_WITH(0x80, 0x04, 0, 4, 0xb8, 0, 0, 0, 0x00, 0x04, 0, 4, 0xba, 0xe0, 0, 0);
    assert_int_equal(r.cos.answer, STAMP_UNRECOGNIZED);
}

static void the_other_answers(void **state)
{
    (void)state;
    struct stamp_reply r = REPLY_WITH(0, 3, 0, 4, 1, 2, 5, 3, 0, 5, 0, 12, 0, 0, 0, 9, 0, 0, 0, 8, 0, 0, 1, 7, 0, 7, 0,
                                      16, 0, 0, 0, 2, 0xee, 0xad, 0x2d, 0x90, 0x40, 0, 0, 0, 2, 0, 0, 0);
    assert_int_equal(r.timestamp_info.answer, STAMP_ANSWERED);
    assert_int_equal(r.timestamp_info.sync_in, 1);
    assert_int_equal(r.timestamp_info.method_in, 2);
    assert_int_equal(r.timestamp_info.sync_out, 5);
    assert_int_equal(r.timestamp_info.method_out, 3);
    assert_int_equal(r.direct.answer, STAMP_ANSWERED);
    assert_int_equal(r.direct.sent, 9);
    assert_int_equal(r.direct.received, 8);
    assert_int_equal(r.direct.returned, 263);
    assert_int_equal(r.follow_up.answer, STAMP_ANSWERED);
    assert_true(r.follow_up.known);
    assert_int_equal(r.follow_up.sequence, 2);
    assert_int_equal(r.follow_up.method, 2);
    assert_true(r.follow_up.sent.ns == SECOND * 1000000000 + 250000000);
    r = REPLY_WITH(0, 7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(r.follow_up.answer, STAMP_ANSWERED);
    assert_false(r.follow_up.known); /* a stateless reflector's zeros */
}

/* RFC 7750: the received TOS byte behind the Sender TTL, from a TWAMP reflector, also in its 41 bytes and a few more.
 */
static void a_twamp_reflectors_tos_byte(void **state)
{
    (void)state;
    uint8_t bytes[44];
    struct stamp_reply r;
    memcpy(bytes, base, sizeof bytes);
    bytes[41] = 0xb8;
    assert_int_equal(stamp_reply_parse(cur_make(bytes, 44, false), false, NULL, &r), PARSE_OK);
    assert_true(r.twamp_tos_known);
    assert_int_equal(tos_dscp(r.twamp_tos), 46);
    bytes[43] = 1;
    assert_int_equal(stamp_reply_parse(cur_make(bytes, 44, false), false, NULL, &r), PARSE_OK);
    assert_false(r.twamp_tos_known);
}

/* The same values where figure 6 has them; the HMACs by Python's hmac, key "qosmark test key". */
static const uint8_t auth_hmac[] = {0xdd, 0xb0, 0x6b, 0x98, 0x13, 0xc7, 0x4e, 0xdc,
                                    0x0f, 0xaf, 0x88, 0x3d, 0x03, 0x06, 0xe9, 0x97};
static const uint8_t auth_tlvs[] = {0x00, 0x04, 0x00, 0x04, 0xba, 0x20, 0x00, 0x00, 0x00, 0x08, 0x00, 0x10};
static const uint8_t auth_tlv_hmac[] = {0x51, 0xf1, 0xe1, 0xd1, 0x87, 0x19, 0x98, 0xf5,
                                        0x69, 0xda, 0xa5, 0x48, 0xb3, 0x8f, 0xcd, 0x8b};

static size_t authenticated_reply(uint8_t bytes[static 256])
{
    memset(bytes, 0, 256);
    memcpy(bytes, base, 4);
    memcpy(bytes + 16, base + 4, 12);
    memcpy(bytes + 32, base + 16, 8);
    memcpy(bytes + 48, base + 24, 4);
    memcpy(bytes + 64, base + 28, 10);
    bytes[80] = 252;
    memcpy(bytes + 96, auth_hmac, sizeof auth_hmac);
    memcpy(bytes + 112, auth_tlvs, sizeof auth_tlvs);
    memcpy(bytes + 112 + sizeof auth_tlvs, auth_tlv_hmac, sizeof auth_tlv_hmac);
    return 112 + sizeof auth_tlvs + sizeof auth_tlv_hmac;
}

static struct stamp_hmac *hmac_or_skip(void)
{
    struct stamp_hmac *h = NULL;
    if (stamp_hmac_new("qosmark test key", 16, &h, NULL) == ERR_UNSUPPORTED)
        skip();
    assert_non_null(h);
    return h;
}

static void an_authenticated_reply_is_believed_and_each_changed_bit_is_not(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stamp_reply r;
    struct stamp_hmac *h = hmac_or_skip();
    size_t len = authenticated_reply(bytes);
    assert_int_equal(stamp_reply_parse(cur_make(bytes, len, false), true, h, &r), PARSE_OK);
    assert_int_equal(r.sequence, 3);
    assert_int_equal(r.sender_sequence, 7);
    assert_true(r.received.ns == SECOND * 1000000000 + 625000000);
    assert_int_equal(r.sender_ttl, 252);
    assert_int_equal(r.cos.answer, STAMP_ANSWERED);
    assert_int_equal(r.cos.arrived, 34);
    for (size_t bit = 0; bit < len * 8; bit++) {
        if (bit / 8 == 120)
            continue; /* the HMAC TLV's own flags are the only byte that no HMAC covers, and nothing is taken from it */
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        if (bit / 8 < 112) /* the base packet: it is nobody's */
            assert_int_equal(stamp_reply_parse(cur_make(bytes, len, false), true, h, &r), PARSE_MALFORMED);
        else
            assert_true(stamp_reply_parse(cur_make(bytes, len, false), true, h, &r) == PARSE_OK &&
                        r.cos.answer != STAMP_ANSWERED);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    stamp_hmac_free(h);
}

static void tlvs_without_their_hmac_are_not_believed_in_authenticated_mode(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stamp_reply r;
    struct stamp_hmac *h = hmac_or_skip();
    (void)authenticated_reply(bytes);
    assert_int_equal(stamp_reply_parse(cur_make(bytes, 120, false), true, h, &r), PARSE_OK);
    assert_int_equal(r.cos.answer, STAMP_UNTRUSTED);
    stamp_hmac_free(h);
}

/* Follow-Up Telemetry that knows a time (RFC 8972 §4.7), and the flag I, which discards all (§4). */
static void what_a_distrusted_tlv_said_is_not_in_the_reply(void **state)
{
    (void)state;
    static const uint8_t tlvs[] = {0, STAMP_TLV_FOLLOW_UP, 0, 16, 0, 0, 0, 6, 0xee, 0xad, 0x2d, 0x90, 0x80, 0, 0, 0,
                                   2, 0, 0, 0, 0, STAMP_TLV_COS, 0, 4, 0xba, 0xe8, 0, 0};
    uint8_t bytes[STAMP_BYTES + sizeof tlvs];
    struct stamp_reply r;
    memcpy(bytes, base, STAMP_BYTES);
    memcpy(bytes + STAMP_BYTES, tlvs, sizeof tlvs);
    assert_int_equal(stamp_reply_parse(cur_make(bytes, sizeof bytes, false), false, NULL, &r), PARSE_OK);
    assert_int_equal(r.follow_up.answer, STAMP_ANSWERED);
    assert_true(r.follow_up.known);
    bytes[STAMP_BYTES + 20] = STAMP_TLV_I;
    assert_int_equal(stamp_reply_parse(cur_make(bytes, sizeof bytes, false), false, NULL, &r), PARSE_OK);
    assert_int_equal(r.follow_up.answer, STAMP_UNTRUSTED);
    assert_false(r.follow_up.known);
    assert_int_equal(r.follow_up.sequence, 0);
    assert_int_equal(r.cos.answer, STAMP_UNTRUSTED);
    assert_int_equal(r.cos.asked, 0);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    bool authenticated = user != NULL;
    struct stamp_reply r = {.sequence = 99};
    enum parse_status s = stamp_reply_parse(cur_make(prefix, len, false), authenticated, NULL, &r);
    assert_int_equal(s, len >= (authenticated ? 112U : 41U) ? PARSE_OK : PARSE_MALFORMED);
    assert_int_equal(r.sequence, s == PARSE_OK ? 3 : 99);
    size_t whole = authenticated ? 120 : 52;
    assert_int_equal(r.cos.answer, len < whole ? STAMP_ABSENT : STAMP_ANSWERED);
}

static void each_prefix_of_a_reply(void **state)
{
    (void)state;
    uint8_t bytes[256], plain[60];
    size_t len = authenticated_reply(bytes);
    memcpy(plain, base, sizeof base);
    memcpy(plain + 44, bytes + 112, 16);
    for_each_prefix(plain, sizeof plain, parse_prefix, NULL);
    for_each_prefix(bytes, len, parse_prefix, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_packet_is_read_with_each_ends_own_clock_format),
        cmocka_unit_test(the_marks_that_arrived_are_the_vectors),
        cmocka_unit_test(an_old_reflectors_echo_is_not_a_bleached_probe),
        cmocka_unit_test(a_reflector_that_fills_with_zeros_answers_nothing),
        cmocka_unit_test(a_twamp_reflector_that_echoes_padding_answers_nothing),
        cmocka_unit_test(flags_are_obeyed),
        cmocka_unit_test(the_other_answers),
        cmocka_unit_test(a_twamp_reflectors_tos_byte),
        cmocka_unit_test(an_authenticated_reply_is_believed_and_each_changed_bit_is_not),
        cmocka_unit_test(tlvs_without_their_hmac_are_not_believed_in_authenticated_mode),
        cmocka_unit_test(what_a_distrusted_tlv_said_is_not_in_the_reply),
        cmocka_unit_test(each_prefix_of_a_reply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

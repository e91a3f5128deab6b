#include "testing.h"

#include "probe/stamp.h"

/* 2026-11-22T09:00:00.5Z, sequence 7, SSID 0x1234, S=1 Z=0 scale 10 multiplier 1 (RFC 8762 figures 2 and 4, RFC 8972
 * §3). */
static const struct stamp_request request = {
    .sequence = 7, .timestamp = UINT64_C(0xeead2d9080000000), .error = {true, STAMP_NTP, 10, 1}, .ssid = 0x1234};

static const uint8_t cos_ef[] = {0x80, 0x04, 0x00, 0x04, 0xb8, 0x00, 0x00, 0x00};

/* Made with Python's hmac over the bytes of RFC 8762 figure 4, key "qosmark test key". */
static const char key[] = "qosmark test key";
static const uint8_t base_hmac[] = {0x66, 0xf0, 0xbc, 0x24, 0xf3, 0x60, 0xf0, 0x3b,
                                    0xdc, 0x3b, 0xd2, 0xc6, 0x2d, 0x08, 0xa8, 0x82};
static const uint8_t cos_hmac[] = {0x0e, 0x66, 0x1a, 0x57, 0x50, 0x56, 0xec, 0xe9,
                                   0x73, 0x36, 0x6d, 0x67, 0x47, 0xd8, 0x23, 0x98};

static struct stamp_hmac *hmac_or_skip(void)
{
    struct stamp_hmac *h = NULL;
    if (stamp_hmac_new(key, strlen(key), &h, NULL) == ERR_UNSUPPORTED)
        skip();
    assert_non_null(h);
    return h;
}

static void an_unauthenticated_request_is_byte_by_byte_figure_2(void **state)
{
    (void)state;
    static const uint8_t wanted[44] = {0, 0, 0, 7, 0xee, 0xad, 0x2d, 0x90, 0x80, 0, 0, 0, 0x8a, 0x01, 0x12, 0x34};
    uint8_t bytes[256];
    memset(bytes, 0xaa, sizeof bytes);
    struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, false);
    assert_int_equal(stamp_request_end(&w, NULL, 0), 44);
    assert_memory_equal(bytes, wanted, sizeof wanted);
}

static void the_class_of_service_request_is_the_vector(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, false);
    stamp_cos_add(&w, DSCP_EF);
    assert_int_equal(stamp_request_end(&w, NULL, 0), 52);
    assert_memory_equal(bytes + 44, cos_ef, sizeof cos_ef);
}

static void the_class_of_service_answers_are_the_vectors(void **state)
{
    (void)state;
    static const struct {
        dscp_t arrived;
        uint8_t ecn, rp, value[4];
    } vectors[] = {{46, 2, 0, {0xba, 0xe8}}, {46, 0, 0, {0xba, 0xe0}}, {34, 0, 0, {0xba, 0x20}},
                   {0, 0, 0, {0xb8, 0x00}},  {0, 0, 1, {0xb8, 0x01}},  {63, 3, 3, {0xbb, 0xff}}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        uint8_t value[4] = {9, 9, 9, 9};
        stamp_cos_write(value, DSCP_EF, vectors[i].arrived, vectors[i].ecn, vectors[i].rp);
        assert_memory_equal(value, vectors[i].value, 4);
    }
}

static void padding_makes_each_size_that_can_be_made(void **state)
{
    (void)state;
    uint8_t bytes[2000];
    for (size_t total = 52; total < sizeof bytes; total++) {
        struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, false);
        stamp_cos_add(&w, DSCP_EF);
        size_t len = stamp_request_end(&w, NULL, total);
        assert_int_equal(len, total < 56 ? 52 : total); /* less than a TLV header cannot be added */
        if (total < 56)
            continue;
        assert_int_equal(bytes[52], 0x80);
        assert_int_equal(bytes[53], STAMP_TLV_PADDING);
        assert_int_equal(bytes[54] << 8 | bytes[55], (int)total - 56);
    }
}

static void the_largest_packet_can_be_made_and_nothing_larger(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(STAMP_PACKET_MAX);
    assert_non_null(bytes);
    struct stamp_writer w = stamp_request_begin(bytes, STAMP_PACKET_MAX, &request, false);
    assert_int_equal(stamp_request_end(&w, NULL, STAMP_PACKET_MAX), STAMP_PACKET_MAX);
    w = stamp_request_begin(bytes, 100, &request, false);
    assert_int_equal(stamp_request_end(&w, NULL, 101), 0);
    w = stamp_request_begin(bytes, 43, &request, false);
    stamp_cos_add(&w, DSCP_EF);
    assert_int_equal(stamp_request_end(&w, NULL, 0), 0);
    free(bytes);
}

static void an_authenticated_request_is_byte_by_byte_figure_4(void **state)
{
    (void)state;
    static const uint8_t wanted[96] = {0,    0, 0, 7, [16] = 0xee, 0xad, 0x2d, 0x90,
                                       0x80, 0, 0, 0, 0x8a,        0x01, 0x12, 0x34};
    struct stamp_hmac *h = hmac_or_skip();
    uint8_t bytes[256];
    struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, true);
    assert_int_equal(stamp_request_end(&w, h, 0), 112); /* no TLV: none to protect */
    assert_memory_equal(bytes, wanted, sizeof wanted);
    assert_memory_equal(bytes + 96, base_hmac, sizeof base_hmac);
    stamp_hmac_free(h);
}

static void the_hmac_tlv_stands_before_the_padding_and_covers_sequence_and_tlvs(void **state)
{
    (void)state;
    static const uint8_t hmac_header[] = {0x80, 0x08, 0x00, 0x10}, padding_header[] = {0x80, 0x01, 0x00, 56};
    struct stamp_hmac *h = hmac_or_skip();
    uint8_t bytes[256];
    struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, true);
    stamp_cos_add(&w, DSCP_EF);
    assert_int_equal(stamp_request_end(&w, h, 200), 200);
    assert_memory_equal(bytes + 96, base_hmac, sizeof base_hmac);
    assert_memory_equal(bytes + 112, cos_ef, sizeof cos_ef);
    assert_memory_equal(bytes + 120, hmac_header, sizeof hmac_header);
    assert_memory_equal(bytes + 124, cos_hmac, sizeof cos_hmac);
    assert_memory_equal(bytes + 140, padding_header, sizeof padding_header);
    stamp_hmac_free(h);
    w = stamp_request_begin(bytes, sizeof bytes, &request, true);
    assert_int_equal(stamp_request_end(&w, NULL, 0), 0); /* never unsigned by mistake */
}

static void requests_are_read_back(void **state)
{
    (void)state;
    for (int authenticated = 0; authenticated < 2; authenticated++) {
        uint8_t bytes[256];
        struct stamp_request back = {0};
        struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, authenticated);
        assert_int_equal(stamp_request_parse(cur_make(bytes, w.len, false), authenticated, &back), PARSE_OK);
        assert_int_equal(back.sequence, 7);
        assert_true(back.timestamp == request.timestamp);
        assert_int_equal(back.ssid, 0x1234);
        assert_int_equal(stamp_error_write(back.error), 0x8a01);
    }
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    struct stamp_request r = {.sequence = 99};
    bool authenticated = *(bool *)user;
    enum parse_status s = stamp_request_parse(cur_make(prefix, len, false), authenticated, &r);
    assert_int_equal(s, len >= (authenticated ? 112U : 14U) ? PARSE_OK : PARSE_MALFORMED);
    assert_int_equal(r.sequence, s == PARSE_OK ? 7 : 99);
    /* RFC 5357 §4.1.2: below 44 bytes what stands at the SSID is padding of a TWAMP sender */
    assert_int_equal(r.ssid, s == PARSE_OK && len >= 44 ? 0x1234 : 0);
}

static void each_prefix_of_a_request(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (int i = 0; i < 2; i++) {
        bool authenticated = i;
        struct stamp_writer w = stamp_request_begin(bytes, sizeof bytes, &request, authenticated);
        for_each_prefix(bytes, w.len, parse_prefix, &authenticated);
    }
}

static void walk_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct cursor c = cur_make(prefix, len, false);
    struct stamp_tlv t;
    size_t seen = 0;
    while (stamp_tlv_next(&c, &t))
        seen += STAMP_TLV_HEADER + cur_left(&t.value);
    assert_true(seen <= len);
    assert_int_equal(cur_status(&c), seen == len ? PARSE_OK : PARSE_MALFORMED);
}

static void each_prefix_of_some_tlvs(void **state)
{
    (void)state;
    static const uint8_t tlvs[] = {0x80, 0x04, 0, 4, 0xb8, 0, 0, 0,    0x80, 0x01, 0,    0, 0x80,
                                   0x03, 0,    4, 0, 0,    0, 0, 0x80, 0xfe, 0xff, 0xff, 1};
    for_each_prefix(tlvs, sizeof tlvs, walk_prefix, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unauthenticated_request_is_byte_by_byte_figure_2),
        cmocka_unit_test(the_class_of_service_request_is_the_vector),
        cmocka_unit_test(the_class_of_service_answers_are_the_vectors),
        cmocka_unit_test(padding_makes_each_size_that_can_be_made),
        cmocka_unit_test(the_largest_packet_can_be_made_and_nothing_larger),
        cmocka_unit_test(an_authenticated_request_is_byte_by_byte_figure_4),
        cmocka_unit_test(the_hmac_tlv_stands_before_the_padding_and_covers_sequence_and_tlvs),
        cmocka_unit_test(requests_are_read_back),
        cmocka_unit_test(each_prefix_of_a_request),
        cmocka_unit_test(each_prefix_of_some_tlvs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

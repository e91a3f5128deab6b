#include "testing.h"

#include "classify/stun.h"

/* RFC 5769 §2.1, §2.2 and §2.3; their FINGERPRINTs hold. */
static const uint8_t sample_request[] = {
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87,
    0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73, 0x74, 0x20, 0x63, 0x6c,
    0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff, 0x80, 0x29, 0x00, 0x08, 0x93, 0x2f,
    0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09, 0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76,
    0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14, 0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e,
    0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49, 0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf};
static const uint8_t sample_response_v4[] = {
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96};
static const uint8_t sample_response_v6[] = {
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf,
    0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63, 0x74, 0x6f, 0x72, 0x20, 0x00, 0x20,
    0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe,
    0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14, 0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c,
    0x82, 0x92, 0xc2, 0x75, 0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c};

/* RFC 8656 §11.1 by hand: a Send indication to 192.0.2.1:32853 (xored as in RFC 5769) with five bytes of data. */
static const uint8_t send_indication[] = {0x00, 0x16, 0x00, 0x18, 0x21, 0x12, 0xa4, 0x42, 1,    2,    3,
                                          4,    5,    6,    7,    8,    9,    10,   11,   12,   0x00, 0x12,
                                          0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43, 0x00,
                                          0x13, 0x00, 0x05, 'm',  'e',  'd',  'i',  'a',  0,    0,    0};

static enum parse_status parse(const uint8_t *bytes, size_t len, struct stun_message *m)
{
    return stun_parse(cur_make(bytes, len, false), (uint32_t)len, m);
}

static void rfc_5769_request_is_an_ice_check(void **state)
{
    (void)state;
    struct stun_message m;
    assert_int_equal(parse(sample_request, sizeof sample_request, &m), PARSE_OK);
    assert_int_equal(m.method, STUN_BINDING);
    assert_int_equal(m.message_class, STUN_REQUEST);
    assert_int_equal(m.message_bytes, 108);
    assert_false(m.classic);
    assert_false(m.is_turn);
    assert_true(m.ice);
    assert_true(slice_equal(m.software, SLICE("STUN test client")));
    assert_int_equal(m.transaction[0], 0xb7);
    assert_int_equal(m.transaction[11], 0xae);
}

static void rfc_5769_ipv4_response_has_the_mapped_address(void **state)
{
    (void)state;
    struct stun_message m;
    char text[ENDPOINT_TEXT_MAX];
    assert_int_equal(parse(sample_response_v4, sizeof sample_response_v4, &m), PARSE_OK);
    assert_int_equal(m.message_class, STUN_SUCCESS);
    endpoint_format(&m.mapped, text);
    assert_string_equal(text, "192.0.2.1:32853");
    assert_true(slice_equal(m.software, SLICE("test vector")));
}

static void rfc_5769_ipv6_response_has_the_mapped_address(void **state)
{
    (void)state;
    struct stun_message m;
    char text[ENDPOINT_TEXT_MAX];
    assert_int_equal(parse(sample_response_v6, sizeof sample_response_v6, &m), PARSE_OK);
    endpoint_format(&m.mapped, text);
    assert_string_equal(text, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

static void send_indication_gives_peer_and_data(void **state)
{
    (void)state;
    struct stun_message m;
    char text[ENDPOINT_TEXT_MAX];
    assert_int_equal(parse(send_indication, sizeof send_indication, &m), PARSE_OK);
    assert_int_equal(m.method, TURN_SEND);
    assert_int_equal(m.message_class, STUN_INDICATION);
    assert_true(m.is_turn);
    endpoint_format(&m.peer, text);
    assert_string_equal(text, "192.0.2.1:32853");
    assert_true(slice_equal(m.data, SLICE("media")));
    assert_int_equal(m.data_wire_bytes, 5);
}

static void cut_data_keeps_its_length_on_the_wire(void **state)
{
    (void)state;
    struct stun_message m;
    assert_int_equal(stun_parse(cur_make(send_indication, 38, true), sizeof send_indication, &m), PARSE_OK);
    assert_true(slice_equal(m.data, SLICE("me")));
    assert_int_equal(m.data_wire_bytes, 5);
}

/* RFC 8489 §5: the classes of each method. */
static void classes_and_methods_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        uint16_t type, method;
        enum stun_class is;
    } cases[] = {{0x0001, STUN_BINDING, STUN_REQUEST},        {0x0011, STUN_BINDING, STUN_INDICATION},
                 {0x0101, STUN_BINDING, STUN_SUCCESS},        {0x0111, STUN_BINDING, STUN_ERROR},
                 {0x0003, TURN_ALLOCATE, STUN_REQUEST},       {0x0113, TURN_ALLOCATE, STUN_ERROR},
                 {0x0017, TURN_DATA, STUN_INDICATION},        {0x0109, TURN_CHANNEL_BIND, STUN_SUCCESS},
                 {0x000b, TURN_CONNECTION_BIND, STUN_REQUEST}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[20] = {(uint8_t)(cases[i].type >> 8), (uint8_t)cases[i].type, 0, 0, 0x21, 0x12, 0xa4, 0x42};
        struct stun_message m;
        assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_OK);
        assert_int_equal(m.method, cases[i].method);
        assert_int_equal(m.message_class, cases[i].is);
        assert_int_equal(m.is_turn, cases[i].method != STUN_BINDING);
    }
}

/* RFC 3489 §11.1: no cookie; CHANGE-REQUEST. */
static void classic_binding_is_taken_only_when_it_adds_up(void **state)
{
    (void)state;
    uint8_t bytes[28] = {0x00, 0x01, 0x00, 0x08, 9, 9, 9, 9, 9,    9,    9,    9,
                         9,    9,    9,    9,    9, 9, 9, 9, 0x00, 0x03, 0x00, 0x04};
    struct stun_message m;
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_OK);
    assert_true(m.classic);
    bytes[23] = 8; /* the attribute outgrows the message */
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_MALFORMED);
    bytes[23] = 4;
    bytes[1] = 3; /* Allocate did not exist then */
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_MALFORMED);
    bytes[1] = 1;
    bytes[21] = 0x25; /* nor USE-CANDIDATE */
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_MALFORMED);
}

/* RFC 8489 §14 wants each attribute padded; there are clients that leave it away on the last (REALM of five bytes). */
static void the_last_attribute_may_lack_its_padding(void **state)
{
    (void)state;
    uint8_t bytes[29] = {0x00, 0x03, 0x00, 0x09, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x00, 0x14, 0x00, 0x05,
                         'r', 'e', 'a', 'l', 'm'};
    struct stun_message m;
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_OK);
    assert_int_equal(m.method, TURN_ALLOCATE);
    bytes[23] = 6; /* longer than what is left */
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_MALFORMED);
    bytes[23] = 5;
    bytes[1] = 1;
    bytes[4] = 0; /* without the cookie nothing is forgiven */
    assert_int_equal(parse(bytes, sizeof bytes, &m), PARSE_MALFORMED);
}

static void lengths_that_contradict_are_malformed(void **state)
{
    (void)state;
    struct stun_message m = {.method = 99};
    assert_int_equal(parse(sample_request, sizeof sample_request - 4, &m), PARSE_MALFORMED);
    uint8_t odd[24] = {0x00, 0x01, 0x00, 0x03, 0x21, 0x12, 0xa4, 0x42};
    assert_int_equal(parse(odd, 23, &m), PARSE_MALFORMED);
    assert_int_equal(m.method, 99);
}

static void framing_in_tcp_needs_the_cookie(void **state)
{
    (void)state;
    assert_int_equal(stun_message_bytes(sample_request, sizeof sample_request), 108);
    assert_int_equal(stun_message_bytes(sample_request, 7), 0);
    static const uint8_t classic[8] = {0x00, 0x01, 0x00, 0x08};
    assert_int_equal(stun_message_bytes(classic, sizeof classic), 0);
}

/* RFC 8656 §12.4: over UDP the padding may be there or not. */
static void channel_data_is_cut_out(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x40, 0x01, 0x00, 0x05, 'm', 'e', 'd', 'i', 'a', 0, 0, 0};
    struct turn_channel_data d;
    for (size_t len = 9; len <= 12; len++) {
        assert_int_equal(turn_channel_data_parse(cur_make(bytes, len, false), (uint32_t)len, &d), PARSE_OK);
        assert_int_equal(d.channel, 0x4001);
        assert_true(slice_equal(d.data, SLICE("media")));
    }
    assert_int_equal(turn_channel_data_parse(cur_make(bytes, 8, false), 8, &d), PARSE_MALFORMED);
    assert_int_equal(turn_channel_data_parse(cur_make(bytes, 6, true), 12, &d), PARSE_OK);
    assert_true(slice_equal(d.data, SLICE("me")));
    assert_int_equal(d.data_wire_bytes, 5);
    static const uint8_t reserved[] = {0x50, 0x01, 0x00, 0x00};
    assert_int_equal(turn_channel_data_parse(cur_make(reserved, 4, false), 4, &d), PARSE_MALFORMED);
    static const uint8_t long_tail[] = {0x40, 0x01, 0x00, 0x00, 0, 0, 0, 0};
    assert_int_equal(turn_channel_data_parse(cur_make(long_tail, 8, false), 8, &d), PARSE_MALFORMED);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const size_t *all = user;
    struct stun_message m;
    struct turn_channel_data d;
    assert_int_equal(parse(prefix, len, &m), len == *all ? PARSE_OK : PARSE_MALFORMED);
    assert_int_equal(stun_parse(cur_make(prefix, len, true), (uint32_t)*all, &m),
                     len < 20 ? PARSE_TRUNCATED : PARSE_OK);
    (void)turn_channel_data_parse(cur_make(prefix, len, false), (uint32_t)len, &d);
    (void)stun_message_bytes(prefix, len);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    size_t len = sizeof sample_request;
    for_each_prefix(sample_request, len, parse_prefix, &len);
    len = sizeof sample_response_v6;
    for_each_prefix(sample_response_v6, len, parse_prefix, &len);
    len = sizeof send_indication;
    for_each_prefix(send_indication, len, parse_prefix, &len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_5769_request_is_an_ice_check),
        cmocka_unit_test(rfc_5769_ipv4_response_has_the_mapped_address),
        cmocka_unit_test(rfc_5769_ipv6_response_has_the_mapped_address),
        cmocka_unit_test(send_indication_gives_peer_and_data),
        cmocka_unit_test(cut_data_keeps_its_length_on_the_wire),
        cmocka_unit_test(classes_and_methods_are_told_apart),
        cmocka_unit_test(classic_binding_is_taken_only_when_it_adds_up),
        cmocka_unit_test(the_last_attribute_may_lack_its_padding),
        cmocka_unit_test(lengths_that_contradict_are_malformed),
        cmocka_unit_test(framing_in_tcp_needs_the_cookie),
        cmocka_unit_test(channel_data_is_cut_out),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests_name("stun", tests, NULL, NULL);
}

#include "testing.h"

#include "classify/dtls.h"

/* RFC 6347 §4.1, §4.2.2 by hand: a ClientHello (DTLS 1.0 record, 1.2 inside) with supported_groups and use_srtp. */
static const uint8_t client_hello[] = {
    22,   0xfe, 0xff, 0,  0,  0,  0,  0,  0,  0,  0,  0,  75, /* record: handshake, epoch 0, 75 bytes */
    1,    0,    0,    63, 0,  0,  0,  0,  0,  0,  0,  63,     /* ClientHello whole in this fragment */
    0xfe, 0xfd, 1,    2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,   16,   17, 18, 19, 20,
    21,   22,   23,   24, 25, 26, 27, 28, 29, 30, 31, 32, 0,  0,  0,  2,  0xc0, 0x2b, 1,  0, /* no session, no cookie,
                                                                                                one suite, null
                                                                                                compression */
    0,    19,   0,    10, 0,  4,  0,  2,  0,  29,     /* extensions: supported_groups */
    0,    14,   0,    7,  0,  4,  0,  1,  0,  7,  0}; /* use_srtp, RFC 5764 §4.1.1 */

static enum parse_status parse(const uint8_t *bytes, size_t len, struct dtls_datagram *d)
{
    return dtls_parse(cur_make(bytes, len, false), (uint32_t)len, d);
}

static void client_hello_with_use_srtp_is_seen(void **state)
{
    (void)state;
    struct dtls_datagram d;
    assert_int_equal(sizeof client_hello, 13 + 75);
    assert_int_equal(parse(client_hello, sizeof client_hello, &d), PARSE_OK);
    assert_int_equal(d.content_type, 22);
    assert_int_equal(d.version, 0xfeff);
    assert_int_equal(d.handshake_type, 1);
    assert_true(d.use_srtp);
    assert_int_equal(d.record_count, 1);
}

static void client_hello_without_it_is_told_apart(void **state)
{
    (void)state;
    uint8_t other[sizeof client_hello];
    struct dtls_datagram d;
    memcpy(other, client_hello, sizeof other);
    other[sizeof other - 10] = 13; /* signature_algorithms instead */
    assert_int_equal(parse(other, sizeof other, &d), PARSE_OK);
    assert_int_equal(d.handshake_type, 1);
    assert_false(d.use_srtp);
}

static void records_of_a_flight_are_counted(void **state)
{
    (void)state;
    static const uint8_t flight[] = {20, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, /* ChangeCipherSpec */
                                     22, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4};
    struct dtls_datagram d;
    assert_int_equal(parse(flight, sizeof flight, &d), PARSE_OK);
    assert_int_equal(d.record_count, 2);
    assert_int_equal(d.content_type, 20);
    assert_int_equal(d.version, 0xfefd);
    assert_int_equal(d.handshake_type, 0); /* epoch 1 is encrypted */
}

/* RFC 9147 §4: 001CSLEE with S and L set, epoch 3. */
static void unified_header_of_dtls_1_3_is_taken(void **state)
{
    (void)state;
    uint8_t bytes[1 + 2 + 2 + 20] = {0x2f, 0x12, 0x34, 0, 20};
    struct dtls_datagram d;
    assert_int_equal(parse(bytes, sizeof bytes, &d), PARSE_OK);
    assert_int_equal(d.content_type, 0x2f);
    assert_int_equal(d.version, 0);
    bytes[4] = 21; /* longer than the datagram */
    assert_int_equal(parse(bytes, sizeof bytes, &d), PARSE_MALFORMED);
}

static void what_cannot_be_dtls_is_malformed(void **state)
{
    (void)state;
    struct dtls_datagram d = {.version = 7};
    uint8_t bytes[sizeof client_hello];
    memcpy(bytes, client_hello, sizeof bytes);
    bytes[1] = 0x03; /* TLS */
    assert_int_equal(parse(bytes, sizeof bytes, &d), PARSE_MALFORMED);
    memcpy(bytes, client_hello, sizeof bytes);
    bytes[12]++; /* the record outgrows the datagram */
    assert_int_equal(parse(bytes, sizeof bytes, &d), PARSE_MALFORMED);
    bytes[12] -= 2; /* one byte is left over */
    assert_int_equal(parse(bytes, sizeof bytes, &d), PARSE_MALFORMED);
    assert_int_equal(d.version, 7);
}

/* RFC 9146 §4: a connection ID of a length that only the ends know, here 2 bytes. */
static void record_with_a_connection_id_is_named(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {25, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 7, 0xaa, 0xbb, 0, 3, 1, 2, 3};
    struct dtls_datagram d;
    assert_int_equal(parse(bytes, sizeof bytes, &d), PARSE_OK);
    assert_int_equal(d.content_type, 25);
    assert_int_equal(d.version, 0);
    assert_int_equal(d.record_count, 1);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct dtls_datagram d;
    assert_int_equal(parse(prefix, len, &d), len == sizeof client_hello ? PARSE_OK : PARSE_MALFORMED);
    assert_int_equal(dtls_parse(cur_make(prefix, len, true), sizeof client_hello, &d),
                     len < 13 ? PARSE_TRUNCATED : PARSE_OK);
    if (len >= 13)
        assert_int_equal(d.content_type, 22);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    for_each_prefix(client_hello, sizeof client_hello, parse_prefix, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client_hello_with_use_srtp_is_seen), cmocka_unit_test(client_hello_without_it_is_told_apart),
        cmocka_unit_test(records_of_a_flight_are_counted),    cmocka_unit_test(unified_header_of_dtls_1_3_is_taken),
        cmocka_unit_test(what_cannot_be_dtls_is_malformed),   cmocka_unit_test(no_prefix_is_read_beyond_its_end),
        cmocka_unit_test(record_with_a_connection_id_is_named),
    };
    return cmocka_run_group_tests_name("dtls", tests, NULL, NULL);
}

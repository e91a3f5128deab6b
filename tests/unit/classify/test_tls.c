#include "testing.h"

#include "classify/tls.h"
#include "tls_bytes.h"

static void real_client_hello_tells_name_and_protocols(void **state)
{
    (void)state;
    struct tls_hello h;
    assert_int_equal(tls_hello_parse(cur_make(openssl_client_hello, sizeof openssl_client_hello, false), &h), PARSE_OK);
    assert_true(h.client && h.complete);
    assert_int_equal(h.version, 0x0303);
    assert_string_equal(h.server_name, "join.example.com");
    assert_int_equal(h.alpn_count, 2);
    assert_string_equal(h.alpn[0], "xmpp-client");
    assert_string_equal(h.alpn[1], "http/1.1");
}

static void hello_split_over_records_is_put_together(void **state)
{
    (void)state;
    uint8_t split[2048];
    struct tls_hello h;
    size_t len = tls_split_records(openssl_client_hello, sizeof openssl_client_hello, 60, split);
    assert_int_equal(tls_hello_parse(cur_make(split, len, false), &h), PARSE_OK);
    assert_true(h.complete);
    assert_string_equal(h.server_name, "join.example.com");
    assert_int_equal(h.alpn_count, 2);
}

static void server_hello_tells_the_protocol_agreed_on(void **state)
{
    (void)state;
    /* TLS 1.2: version, random, session id, cipher, compression, ALPN "sip/2" (RFC 7301 §3.1) */
    static const uint8_t hello[] = {22, 3,  3,  0,  57, 2,  0,  0,  53,  3,   3,   1,   2,    3,    4,  5,
                                    6,  7,  8,  9,  10, 11, 12, 13, 14,  15,  16,  17,  18,   19,   20, 21,
                                    22, 23, 24, 25, 26, 27, 28, 29, 30,  31,  32,  0,   0xc0, 0x2f, 0,  0,
                                    12, 0,  16, 0,  8,  0,  6,  5,  's', 'i', 'p', '/', '2',  0};
    struct tls_hello h;
    assert_int_equal(tls_hello_parse(cur_make(hello, sizeof hello - 1, false), &h), PARSE_OK);
    assert_false(h.client);
    assert_int_equal(h.alpn_count, 1);
    assert_string_equal(h.alpn[0], "sip/2");
}

static void names_keep_no_byte_that_could_reach_a_terminal(void **state)
{
    (void)state;
    uint8_t evil[sizeof openssl_client_hello];
    struct tls_hello h;
    memcpy(evil, openssl_client_hello, sizeof evil);
    for (size_t i = 0; i + 16 < sizeof evil; i++)
        if (memcmp(evil + i, "join.example.com", 16) == 0)
            memcpy(evil + i, "\x1b[2J\n\"<\x80 ", 9);
    assert_int_equal(tls_hello_parse(cur_make(evil, sizeof evil, false), &h), PARSE_OK);
    assert_string_equal(h.server_name, "??2J?????ple.com");
}

static void what_only_begins_like_tls_is_not_a_hello(void **state)
{
    (void)state;
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40, 0, 0, 0, 0, 0};
    static const uint8_t certificate[] = {22, 3, 3, 0, 10, 11, 0, 0, 6, 0, 0, 3, 1, 2, 3};
    static const uint8_t short_hello[] = {22, 3, 3, 0, 10, 1, 0, 0, 6, 3, 3, 3, 1, 2, 3};
    static const uint8_t dtls[] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 1};
    struct tls_hello h = {.version = 7};
    uint8_t type;
    assert_int_equal(tls_hello_parse(cur_make(alert, sizeof alert, false), &h), PARSE_UNSUPPORTED);
    assert_int_equal(tls_hello_parse(cur_make(certificate, sizeof certificate, false), &h), PARSE_UNSUPPORTED);
    assert_int_equal(tls_hello_parse(cur_make(short_hello, sizeof short_hello, false), &h), PARSE_MALFORMED);
    assert_int_equal(tls_hello_parse(cur_make(dtls, sizeof dtls, false), &h), PARSE_UNSUPPORTED);
    assert_int_equal(h.version, 7);
    assert_true(tls_record_begins(alert, sizeof alert, &type));
    assert_int_equal(type, 21);
    assert_false(tls_record_begins(dtls, sizeof dtls, &type));
}

static void inspect(void *user, const uint8_t *prefix, size_t len)
{
    struct tls_hello h = {.version = 7};
    enum parse_status status = tls_hello_parse(cur_make(prefix, len, false), &h);
    assert_int_equal(status, len < 11 ? PARSE_TRUNCATED : PARSE_OK);
    if (status == PARSE_OK)
        assert_int_equal(h.complete, len == *(size_t *)user);
    else
        assert_int_equal(h.version, 7);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    size_t len = sizeof openssl_client_hello;
    for_each_prefix(openssl_client_hello, len, inspect, &len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_client_hello_tells_name_and_protocols),
        cmocka_unit_test(hello_split_over_records_is_put_together),
        cmocka_unit_test(server_hello_tells_the_protocol_agreed_on),
        cmocka_unit_test(names_keep_no_byte_that_could_reach_a_terminal),
        cmocka_unit_test(what_only_begins_like_tls_is_not_a_hello),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

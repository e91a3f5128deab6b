#include "testing.h"

#include <string.h>

#include "probe/service_tls.h"

/* The TLS client against bytes of RFC 8446 written out; whole handshakes with real servers are in tests/lab/service.py.
 */

static struct service_tls *client(const char *host)
{
    struct service_tls *t = NULL;
    struct error error = {0};
    if (!service_tls_built_in())
        skip();
    assert_int_equal(service_tls_new(host, &t, &error), 0);
    return t;
}

static size_t hello_of(struct service_tls *t, uint8_t *to, size_t size)
{
    struct error error = {0};
    assert_int_equal(service_tls_feed(t, NULL, 0, &error), 0);
    return service_tls_take(t, to, size);
}

static bool has(const uint8_t *bytes, size_t len, const char *what)
{
    for (size_t i = 0; i + strlen(what) <= len; i++)
        if (memcmp(bytes + i, what, strlen(what)) == 0)
            return true;
    return false;
}

static void begins_with_a_client_hello_that_names_the_server(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    struct service_tls *t = client("conf.example.com");
    size_t len = hello_of(t, bytes, sizeof bytes);
    assert_true(len > 50);
    assert_int_equal(bytes[0], 22); /* handshake */
    assert_int_equal(bytes[1], 3);
    assert_int_equal(bytes[5], 1); /* ClientHello */
    assert_true(has(bytes, len, "conf.example.com"));
    assert_false(service_tls_ready(t));
    assert_string_equal(service_tls_version(t), "");
    service_tls_free(t);
}

static void an_address_is_no_server_name(void **state)
{
    (void)state;
    static const char *const hosts[] = {"10.1.1.11", "2001:db8::11"};
    for (size_t i = 0; i < 2; i++) {
        uint8_t bytes[4096];
        struct service_tls *t = client(hosts[i]);
        size_t len = hello_of(t, bytes, sizeof bytes);
        assert_false(has(bytes, len, hosts[i]));
        service_tls_free(t);
    }
}

static void an_alert_is_tls_and_a_refusal(void **state)
{
    (void)state;
    /* alert(21), legacy version 3.3, two bytes: fatal(2) handshake_failure(40) */
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    uint8_t bytes[4096];
    struct error error = {0};
    struct service_tls *t = client("a");
    (void)hello_of(t, bytes, sizeof bytes);
    assert_int_equal(service_tls_feed(t, alert, sizeof alert, &error), ERR_FORMAT);
    assert_true(service_tls_spoken(t));
    assert_non_null(strstr(error.text, "handshake failure"));
    assert_int_equal(service_tls_handshake_bytes(t), sizeof alert);
    service_tls_free(t);
}

static void an_alert_byte_by_byte_is_the_same_alert(void **state)
{
    (void)state;
    static const uint8_t alert[] = {21, 3, 3, 0, 2, 2, 40};
    uint8_t bytes[4096];
    struct error error = {0};
    struct service_tls *t = client("a");
    (void)hello_of(t, bytes, sizeof bytes);
    for (size_t i = 0; i + 1 < sizeof alert; i++)
        assert_int_equal(service_tls_feed(t, alert + i, 1, &error), 0);
    assert_int_equal(service_tls_feed(t, alert + sizeof alert - 1, 1, &error), ERR_FORMAT);
    assert_true(service_tls_spoken(t));
    service_tls_free(t);
}

static void another_protocol_is_not_tls(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    struct error error = {0};
    struct service_tls *t = client("a");
    (void)hello_of(t, bytes, sizeof bytes);
    assert_int_equal(service_tls_feed(t, "SSH-2.0-OpenSSH_9.2\r\n", 21, &error), ERR_FORMAT);
    assert_false(service_tls_spoken(t));
    service_tls_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_with_a_client_hello_that_names_the_server),
        cmocka_unit_test(an_address_is_no_server_name),
        cmocka_unit_test(an_alert_is_tls_and_a_refusal),
        cmocka_unit_test(an_alert_byte_by_byte_is_the_same_alert),
        cmocka_unit_test(another_protocol_is_not_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "model/socket_address.h"

static struct endpoint endpoint_of(const char *text)
{
    struct endpoint e;
    assert_true(endpoint_parse(slice_make(text, strlen(text)), 0, &e));
    return e;
}

/* The C library says what it should be. */
static void ipv4_is_what_inet_pton_makes(void **state)
{
    (void)state;
    struct endpoint e = endpoint_of("192.0.2.7:5061"), back;
    struct sockaddr_storage s;
    struct sockaddr_in in, wanted = {.sin_family = AF_INET, .sin_port = htons(5061)};
    assert_int_equal(inet_pton(AF_INET, "192.0.2.7", &wanted.sin_addr), 1);
    assert_int_equal(socket_address_write(&e, &s), sizeof in);
    memcpy(&in, &s, sizeof in);
    assert_memory_equal(&in, &wanted, sizeof in);
    assert_true(socket_address_read((const struct sockaddr *)&s, &back));
    assert_true(endpoint_equal(&e, &back));
}

static void ipv6_is_what_inet_pton_makes(void **state)
{
    (void)state;
    struct endpoint e = endpoint_of("[2001:db8::7]:3478"), back;
    struct sockaddr_storage s;
    struct sockaddr_in6 in, wanted = {.sin6_family = AF_INET6, .sin6_port = htons(3478)};
    assert_int_equal(inet_pton(AF_INET6, "2001:db8::7", &wanted.sin6_addr), 1);
    assert_int_equal(socket_address_write(&e, &s), sizeof in);
    memcpy(&in, &s, sizeof in);
    assert_memory_equal(&in, &wanted, sizeof in);
    assert_true(socket_address_read((const struct sockaddr *)&s, &back));
    assert_true(endpoint_equal(&e, &back));
}

static void another_family_is_no_endpoint(void **state)
{
    (void)state;
    struct sockaddr_storage s = {.ss_family = AF_UNIX};
    struct endpoint e = endpoint_of("192.0.2.7:5061");
    assert_false(socket_address_read((const struct sockaddr *)&s, &e));
    assert_int_equal(e.addr.version, 0);
    assert_int_equal(e.port, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_is_what_inet_pton_makes),
        cmocka_unit_test(ipv6_is_what_inet_pton_makes),
        cmocka_unit_test(another_family_is_no_endpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

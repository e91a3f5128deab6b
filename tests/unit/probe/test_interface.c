#include "testing.h"

#include <string.h>

#include "probe/interface.h"

static struct addr address_of(const char *text)
{
    struct addr a;
    assert_true(addr_parse(slice_make(text, strlen(text)), &a));
    return a;
}

static void loopback_has_its_address(void **state)
{
    (void)state;
    struct addr a = address_of("127.0.0.1");
    char name[IF_NAMESIZE] = "";
    assert_int_equal(interface_find(&a, name), 1);
    assert_int_not_equal(if_nametoindex(name), 0);
    assert_int_equal(interface_rate(name), 0); /* its driver says nothing */
}

static void address_of_others_is_nobodys_here(void **state)
{
    (void)state;
    struct addr a = address_of("192.0.2.200"), none = {0}; /* TEST-NET-1, RFC 5737 */
    char name[IF_NAMESIZE] = "";
    assert_int_equal(interface_find(&a, name), 0);
    assert_int_equal(interface_find(&none, name), 0);
}

static void no_such_interface_has_no_rate(void **state)
{
    (void)state;
    assert_int_equal(interface_rate("no-such-one"), 0);
    assert_int_equal(interface_rate("../../etc/passwd"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_has_its_address),
        cmocka_unit_test(address_of_others_is_nobodys_here),
        cmocka_unit_test(no_such_interface_has_no_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

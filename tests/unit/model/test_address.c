#include "testing.h"

#include "model/address.h"

static struct addr addr_of(const char *text)
{
    struct addr a;
    assert_true(addr_parse(slice_make(text, strlen(text)), &a));
    return a;
}

static void assert_text(const char *text, const char *expected)
{
    char got[ADDR_TEXT_MAX];
    struct addr a = addr_of(text);
    addr_format(&a, got);
    assert_string_equal(got, expected);
}

static void addresses_are_written_as_rfc_5952_says(void **state)
{
    (void)state;
    assert_text("10.1.1.11", "10.1.1.11");
    /* the examples of RFC 5952 §4 */
    assert_text("2001:0db8::0001", "2001:db8::1");
    assert_text("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");
    assert_text("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
    assert_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
    assert_text("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
    assert_text("2001:DB8::AAAA", "2001:db8::aaaa");
    assert_text("::", "::");
    assert_text("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    struct addr none = {0};
    char got[ADDR_TEXT_MAX] = "x";
    addr_format(&none, got);
    assert_string_equal(got, "");
}

static void a_v4_mapped_address_stays_ipv6(void **state)
{
    (void)state;
    struct addr mapped = addr_of("::ffff:10.0.0.1"), plain = addr_of("10.0.0.1");
    assert_int_equal(mapped.version, 6);
    assert_int_equal(plain.version, 4);
    assert_false(addr_equal(&mapped, &plain));
}

static void what_is_no_address_is_refused_and_leaves_the_result_alone(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.1.2",
        "10.0.0.1 ",
        " 10.0.0.1",
        "1:2:3",
        ":::",
        "2001:db8::g",
        "[::1]",
        "::1%eth0",
        "localhost",
        "10.0.0.1:5060",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "0000000000000000000000000000000000000000000000000000",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct addr a = {.version = 9};
        assert_false(addr_parse(slice_make(bad[i], strlen(bad[i])), &a));
        assert_int_equal(a.version, 9);
    }
    struct addr a;
    /* what follows a NUL is not to be overlooked */
    assert_false(addr_parse(slice_make("10.0.0.1\0.example", 17), &a));
    assert_false(addr_parse(slice_make("10.0.0.1\0", 9), &a));
}

static void private_ranges_end_where_their_rfcs_say(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool private;
    } cases[] = {
        {"9.255.255.255", false},  {"10.0.0.0", true},       {"10.255.255.255", true},  {"172.15.255.255", false},
        {"172.16.0.0", true},      {"172.31.255.255", true}, {"172.32.0.0", false},     {"192.167.255.255", false},
        {"192.168.0.1", true},     {"192.169.0.0", false},   {"100.63.255.255", false}, {"100.64.0.0", true},
        {"100.127.255.255", true}, {"100.128.0.0", false},   {"169.254.1.1", true},     {"198.51.100.1", false},
        {"fc00::1", true},         {"fdff::1", true},        {"fe00::1", false},        {"fe80::1", true},
        {"febf::1", true},         {"fec0::1", false},       {"2001:db8::1", false},    {"::ffff:10.0.0.1", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct addr a;
        assert_true(addr_parse(slice_make(cases[i].text, strlen(cases[i].text)), &a));
        assert_int_equal(addr_is_private(&a), cases[i].private);
    }
}

static void parse_any(void *user, const uint8_t *prefix, size_t len)
{
    struct addr a;
    *(unsigned *)user += addr_parse(slice_make(prefix, len), &a);
}

static void no_prefix_of_an_address_is_read_beyond_its_end(void **state)
{
    (void)state;
    unsigned good = 0;
    for_each_prefix((const uint8_t *)"10.20.30.40", 11, parse_any, &good);
    assert_int_equal(good, 2); /* 10.20.30.4 and the whole */
}

static void ordering_puts_ipv4_first_and_then_goes_by_value(void **state)
{
    (void)state;
    static const char *const sorted[] = {"0.0.0.0", "9.255.0.0", "10.0.0.1",   "10.0.0.2",
                                         "::",      "::1",       "2001:db8::", "ff02::1"};
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 8; j++) {
            struct addr a = addr_of(sorted[i]), b = addr_of(sorted[j]);
            int c = addr_compare(&a, &b);
            assert_true(i < j ? c < 0 : i > j ? c > 0 : c == 0);
            assert_int_equal(addr_equal(&a, &b), i == j);
        }
    }
    struct endpoint x = {addr_of("10.0.0.1"), 5060}, y = {addr_of("10.0.0.1"), 5061}, z = {addr_of("10.0.0.2"), 1};
    assert_true(endpoint_compare(&x, &y) < 0);
    assert_true(endpoint_compare(&z, &y) > 0);
    assert_int_equal(endpoint_compare(&x, &x), 0);
    assert_true(endpoint_equal(&x, &x));
    assert_false(endpoint_equal(&x, &y));
}

static void multicast_and_unspecified_are_known_in_both_versions(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool multicast, unspecified;
    } cases[] = {
        {"224.0.0.1", true, false},  {"239.255.255.255", true, false},
        {"240.0.0.1", false, false}, {"223.255.255.255", false, false},
        {"ff02::1", true, false},    {"fe80::1", false, false},
        {"0.0.0.0", false, true},    {"::", false, true},
        {"::1", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct addr a = addr_of(cases[i].text);
        assert_int_equal(addr_is_multicast(&a), cases[i].multicast);
        assert_int_equal(addr_is_unspecified(&a), cases[i].unspecified);
    }
    struct addr none = {0};
    assert_true(addr_is_unspecified(&none));
    assert_false(addr_is_multicast(&none));
}

static void endpoints_bracket_ipv6_and_the_longest_fits(void **state)
{
    (void)state;
    char text[ENDPOINT_TEXT_MAX];
    struct endpoint e = {addr_of("10.0.0.1"), 5060};
    endpoint_format(&e, text);
    assert_string_equal(text, "10.0.0.1:5060");
    e = (struct endpoint){addr_of("1111:2222:3333:4444:5555:6666:7777:8888"), 65535};
    endpoint_format(&e, text);
    assert_string_equal(text, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535");
}

static bool prefix_of(const char *text, struct prefix *p)
{
    return prefix_parse(slice_make(text, strlen(text)), p);
}

static bool has(const char *prefix, const char *address)
{
    struct prefix p;
    assert_true(prefix_of(prefix, &p));
    struct addr a = addr_of(address);
    return prefix_has(&p, &a);
}

static void a_prefix_holds_what_shares_its_bits(void **state)
{
    (void)state;
    assert_true(has("10.2.0.0/16", "10.2.255.1"));
    assert_false(has("10.2.0.0/16", "10.3.0.0"));
    assert_true(has("10.2.0.128/25", "10.2.0.129"));
    assert_false(has("10.2.0.128/25", "10.2.0.127"));
    assert_true(has("192.168.4.0/22", "192.168.7.255"));
    assert_false(has("192.168.4.0/22", "192.168.8.0"));
    assert_true(has("0.0.0.0/0", "255.255.255.255"));
    assert_true(has("10.0.0.1", "10.0.0.1"));
    assert_false(has("10.0.0.1", "10.0.0.0"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("2001:db8::1/128", "2001:db8::1"));
    assert_true(has("::/0", "2001:db8::1"));
}

static void a_prefix_holds_nothing_of_the_other_version(void **state)
{
    (void)state;
    assert_false(has("0.0.0.0/0", "::"));
    assert_false(has("::/0", "10.0.0.1"));
    assert_false(has("::ffff:0:0/96", "10.0.0.1"));
}

static void a_prefix_with_bits_below_its_length_or_out_of_range_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"10.2.0.1/16",    "10.0.0.0/33", "2001:db8::/129",
                                      "2001:db8::1/64", "10.0.0.0/",   "10.0.0.0/-1",
                                      "10.0.0.0/8/8",   "/8",          "",
                                      "10.0.0.0/8 ",    "10.0.0.0/0x8"};
    struct prefix p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(prefix_of(bad[i], &p));
    assert_true(prefix_of("10.2.0.0/15", &p));
    assert_int_equal(p.len, 15);
}

static bool endpoint_of(const char *text, uint16_t default_port, char shown[static ENDPOINT_TEXT_MAX])
{
    struct endpoint e = {0};
    size_t len = strlen(text);
    char *exact = malloc(len ? len : 1); /* no byte is read beyond its end */
    assert_non_null(exact);
    memcpy(exact, text, len);
    bool ok = endpoint_parse(slice_make(exact, len), default_port, &e);
    free(exact);
    endpoint_format(&e, shown);
    return ok;
}

static void an_endpoint_is_an_address_and_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint16_t default_port;
        const char *shown; /* NULL: refused */
    } cases[] = {
        {"10.0.0.1:5060", 0, "10.0.0.1:5060"},
        {"[2001:db8::1]:5060", 0, "[2001:db8::1]:5060"},
        {"10.0.0.1:5060", 53, "10.0.0.1:5060"},
        {"10.0.0.1", 53, "10.0.0.1:53"},
        {"2001:db8::1", 53, "[2001:db8::1]:53"},
        {"[2001:db8::1]", 53, "[2001:db8::1]:53"},
        {"10.0.0.1", 0, NULL},
        {"2001:db8::1", 0, NULL},
        {"[2001:db8::1]", 0, NULL},
        {"2001:db8::1:5060", 0, NULL},
        {"[10.0.0.1]:53", 0, NULL},
        {"[2001:db8::1:53", 0, NULL},
        {"[2001:db8::1]53", 53, NULL},
        {"[2001:db8::1]:", 53, NULL},
        {"10.0.0.1:", 53, NULL},
        {"10.0.0.1:0", 53, NULL},
        {"10.0.0.1:65536", 53, NULL},
        {"10.0.0.1:53:53", 53, NULL},
        {":53", 53, NULL},
        {"[]:53", 53, NULL},
        {"[", 53, NULL},
        {"", 53, NULL},
        {"53", 53, NULL},
    };
    char shown[ENDPOINT_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(endpoint_of(cases[i].text, cases[i].default_port, shown), cases[i].shown != NULL);
        if (cases[i].shown)
            assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_written_as_rfc_5952_says),
        cmocka_unit_test(a_v4_mapped_address_stays_ipv6),
        cmocka_unit_test(what_is_no_address_is_refused_and_leaves_the_result_alone),
        cmocka_unit_test(private_ranges_end_where_their_rfcs_say),
        cmocka_unit_test(no_prefix_of_an_address_is_read_beyond_its_end),
        cmocka_unit_test(ordering_puts_ipv4_first_and_then_goes_by_value),
        cmocka_unit_test(multicast_and_unspecified_are_known_in_both_versions),
        cmocka_unit_test(endpoints_bracket_ipv6_and_the_longest_fits),
        cmocka_unit_test(an_endpoint_is_an_address_and_a_port),
        cmocka_unit_test(a_prefix_holds_what_shares_its_bits),
        cmocka_unit_test(a_prefix_holds_nothing_of_the_other_version),
        cmocka_unit_test(a_prefix_with_bits_below_its_length_or_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "anonymize/address.h"
#include "anonymize/anonymize.h"
#include "base/text.h"

/* The key and the trace that come with the reference implementation (Crypto-PAn 1.0, Fan and Xu): sample_trace_raw.dat
 * and sample_trace_sanitized.dat, addresses as they are in them. */
static const uint8_t reference_key[ADDRESS_MAP_KEY_BYTES] = {21,  34, 23,  141, 51, 164, 207, 128, 19,  10,  91,
                                                             22,  73, 144, 125, 16, 216, 152, 143, 131, 121, 121,
                                                             101, 39, 98,  87,  76, 45,  42,  132, 34,  2};

static const char *const reference[][2] = {
    {"128.11.68.132", "135.242.180.132"},
    {"129.118.74.4", "134.136.186.123"},
    {"130.132.252.244", "133.68.164.234"},
    {"141.223.7.43", "141.167.8.160"},
    {"141.233.145.108", "141.129.237.235"},
    {"152.163.225.39", "151.140.114.167"},
    {"156.29.3.236", "147.225.12.42"},
    {"165.247.96.84", "162.9.99.234"},
    {"166.107.77.190", "160.132.178.185"},
    {"192.102.249.13", "252.138.62.131"},
    {"192.215.32.125", "252.43.47.189"},
    {"192.233.80.103", "252.25.108.8"},
    {"192.41.57.43", "252.222.221.184"},
    {"193.150.244.223", "253.169.52.216"},
    {"195.205.63.100", "255.186.223.5"},
    {"198.200.171.101", "249.199.68.213"},
    {"198.26.132.101", "249.36.123.202"},
    {"198.36.213.5", "249.7.21.132"},
    {"198.51.77.238", "249.18.186.254"},
    {"199.217.79.101", "248.38.184.213"},
    {"202.49.198.20", "245.206.7.234"},
    {"203.12.160.252", "244.248.163.4"},
    {"204.184.162.189", "243.192.77.90"},
    {"204.202.136.230", "243.178.4.198"},
    {"204.29.20.4", "243.33.20.123"},
    {"205.178.38.67", "242.108.198.51"},
    {"205.188.147.153", "242.96.16.101"},
    {"205.188.248.25", "242.96.88.27"},
    {"205.245.121.43", "242.21.121.163"},
    {"207.105.49.5", "241.118.205.138"},
    {"207.135.65.238", "241.202.129.222"},
    {"207.155.9.214", "241.220.250.22"},
    {"207.188.7.45", "241.255.249.220"},
    {"207.25.71.27", "241.33.119.156"},
    {"207.33.151.131", "241.1.233.131"},
    {"208.147.89.59", "227.237.98.191"},
    {"208.234.120.210", "227.154.67.17"},
    {"208.28.185.184", "227.39.94.90"},
    {"208.52.56.122", "227.8.63.165"},
    {"209.12.231.7", "226.243.167.8"},
    {"209.238.72.3", "226.6.119.243"},
    {"209.246.74.109", "226.22.124.76"},
    {"209.68.60.238", "226.184.220.233"},
    {"209.85.249.6", "226.170.70.6"},
    {"212.120.124.31", "228.135.163.231"},
    {"212.146.8.236", "228.19.4.234"},
    {"212.186.227.154", "228.59.98.98"},
    {"212.204.172.118", "228.71.195.169"},
    {"212.206.130.201", "228.69.242.193"},
    {"216.148.237.145", "235.84.194.111"},
    {"216.157.30.252", "235.89.31.26"},
    {"216.184.159.48", "235.96.225.78"},
    {"216.227.10.221", "235.28.253.36"},
    {"216.254.18.172", "235.7.16.162"},
    {"216.32.132.250", "235.192.139.38"},
    {"216.35.217.178", "235.195.157.81"},
    {"24.0.250.221", "100.15.198.226"},
    {"24.13.62.231", "100.2.192.247"},
    {"24.14.213.138", "100.1.42.141"},
    {"24.5.0.80", "100.9.15.210"},
    {"24.7.198.88", "100.10.6.25"},
    {"24.94.26.44", "100.88.228.35"},
    {"38.15.67.68", "64.3.66.187"},
    {"4.3.88.225", "124.60.155.63"},
    {"63.14.55.111", "95.9.215.7"},
    {"63.195.241.44", "95.179.238.44"},
    {"63.97.7.140", "95.97.9.123"},
    {"64.14.118.196", "0.255.183.58"},
    {"64.34.154.117", "0.221.154.117"},
    {"64.39.15.238", "0.219.7.41"},
    {"10.185.25.118", "117.161.29.118"},
    /* the same over 128 bits: values that other implementations have in their tests */
    {"::1", "78ff:f001:9fc0:20df:8380:b1f1:704:ed"},
    {"::2", "78ff:f001:9fc0:20df:8380:b1f1:704:ef"},
    {"::ffff", "78ff:f001:9fc0:20df:8380:b1f1:704:f838"},
    {"2001:db8::1", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e"},
    {"2001:db8::2", "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c"},
};

static struct addr parse(const char *text)
{
    struct addr a = {0};
    assert_true(addr_parse(slice_make(text, strlen(text)), &a));
    return a;
}

static void assert_maps(struct address_map *m, const char *from, const char *to)
{
    struct addr a = parse(from), mapped = address_map_get(m, &a);
    char text[ADDR_TEXT_MAX];
    addr_format(&mapped, text);
    assert_string_equal(text, to);
}

static struct address_map *map_new(bool plain)
{
    struct address_map *m = NULL;
    assert_int_equal(address_map_new(reference_key, plain, &m, NULL), 0);
    return m;
}

static void the_plain_map_is_that_of_the_reference_implementation(void **state)
{
    (void)state;
    struct address_map *m = map_new(true);
    for (int round = 0; round < 2; round++) /* the second time from the cache */
        for (size_t i = 0; i < sizeof reference / sizeof reference[0]; i++)
            assert_maps(m, reference[i][0], reference[i][1]);
    address_map_free(m);
}

static unsigned common(const struct addr *a, const struct addr *b)
{
    unsigned n = 0, bits = a->version == 4 ? 32 : 128;
    while (n < bits && !((a->bytes[n / 8] ^ b->bytes[n / 8]) >> (7 - n % 8) & 1))
        n++;
    return n;
}

/* Numbers to try, the same in each run (Marsaglia's xorshift). */
static uint32_t next_number(uint32_t *state)
{
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* An address that shares a random number of bits with another. */
static struct addr neighbour(const struct addr *a, uint32_t *state)
{
    struct addr b = *a;
    unsigned bits = a->version == 4 ? 32 : 128, keep = next_number(state) % (bits + 1);
    for (unsigned i = keep; i < bits; i++) {
        bool flip = i == keep || (next_number(state) & 1);
        b.bytes[i / 8] = (uint8_t)(b.bytes[i / 8] ^ (flip ? 0x80U >> (i % 8) : 0U));
    }
    return b;
}

static void common_prefixes_stay_exactly_as_long(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "10.1.1.11", "172.16.0.1", "192.168.255.1", "169.254.1.1",      "100.64.0.1",      "224.0.0.251",
        "127.0.0.1", "0.0.0.0",    "8.8.8.8",       "203.0.113.7",      "2001:db8::1",     "fe80::1",
        "fd00::1",   "ff02::fb",   "::1",           "::ffff:10.1.1.11", "64:ff9b::808:808"};
    uint32_t number = 1;
    struct address_map *m = map_new(false);
    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
        for (int i = 0; i < 2000; i++) {
            struct addr start = parse(seeds[s]), a = neighbour(&start, &number), b = neighbour(&a, &number);
            struct addr to_a = address_map_get(m, &a), to_b = address_map_get(m, &b);
            assert_int_equal(common(&a, &b), common(&to_a, &to_b));
        }
    }
    address_map_free(m);
}

static void assert_stays_in(struct address_map *m, const char *range, const char *address, bool whole)
{
    struct prefix p;
    struct addr a = parse(address), to = address_map_get(m, &a);
    assert_true(prefix_parse(slice_make(range, strlen(range)), &p));
    assert_true(prefix_has(&p, &a));
    assert_true(prefix_has(&p, &to));
    assert_int_equal(addr_equal(&a, &to), whole);
}

static void what_an_address_means_stays_recognisable(void **state)
{
    (void)state;
    struct address_map *m = map_new(false);
    assert_stays_in(m, "10.0.0.0/8", "10.1.1.11", false);
    assert_stays_in(m, "172.16.0.0/12", "172.31.4.5", false);
    assert_stays_in(m, "192.168.0.0/16", "192.168.178.20", false);
    assert_stays_in(m, "100.64.0.0/10", "100.100.1.2", false);
    assert_stays_in(m, "169.254.0.0/16", "169.254.7.7", false);
    assert_stays_in(m, "239.0.0.0/8", "239.192.4.4", false);
    assert_stays_in(m, "224.0.0.0/24", "224.0.0.251", true);
    assert_stays_in(m, "127.0.0.0/8", "127.0.0.1", true);
    assert_stays_in(m, "255.255.255.255/32", "255.255.255.255", true);
    assert_stays_in(m, "2000::/3", "2001:db8:1::11", false);
    assert_stays_in(m, "fd00::/8", "fd12:3456::1", false);
    assert_stays_in(m, "fe80::/64", "fe80::211:22ff:fe33:4455", false);
    assert_stays_in(m, "ff02::/112", "ff02::fb", true);
    assert_stays_in(m, "ff02::/16", "ff02::1:ff33:4455", false); /* holds part of an address */
    assert_maps(m, "::", "::");
    assert_maps(m, "::1", "::1");
    address_map_free(m);
}

/* Small ranges: by chance one address in so many would be its own replacement, or a neighbour's. */
static void no_private_address_stays_near_itself(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        unsigned len;
    } seeds[] = {{"10.1.1.11", 8}, {"172.16.0.1", 12}, {"192.168.0.1", 16}, {"100.64.0.1", 10}, {"169.254.1.1", 16}};
    struct address_map *m = map_new(false);
    uint32_t number = 7;
    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
        for (int i = 0; i < 1000; i++) {
            struct addr a = parse(seeds[s].address);
            uint32_t random = next_number(&number);
            for (unsigned bit = seeds[s].len; bit < 32; bit++)
                a.bytes[bit / 8] = (uint8_t)(a.bytes[bit / 8] ^ (random >> bit & 1 ? 0x80U >> (bit % 8) : 0U));
            struct addr to = address_map_get(m, &a);
            assert_int_equal(common(&a, &to), seeds[s].len);
        }
    }
    address_map_free(m);
}

/* Six of the first sixteen bits stay, since 192.168.0.0/16 does: of a thousand keys one leaves the other ten as they
 * are. */
static void bits_are_flipped_independently(void **state)
{
    (void)state;
    enum { KEYS = 4000 };
    const uint8_t bytes[4] = {198, 51, 100, 12};
    const struct addr from = addr_v4(bytes);
    unsigned same = 0, alike = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        uint8_t key[ADDRESS_MAP_KEY_BYTES] = {(uint8_t)i, (uint8_t)(i >> 8), [16] = (uint8_t)i, (uint8_t)(i >> 8)};
        struct address_map *m = NULL;
        assert_int_equal(address_map_new(key, false, &m, NULL), 0);
        struct addr to = address_map_get(m, &from);
        unsigned flips = (unsigned)(to.bytes[1] ^ bytes[1]);
        same += to.bytes[0] == bytes[0] && flips == 0;
        alike += ((flips >> 4 ^ flips >> 5) & 1) == 0;
        address_map_free(m);
    }
    assert_in_range(same, 0, 15); /* some 200 with the reference's */
    assert_in_range(alike, KEYS * 45 / 100, KEYS * 55 / 100);
}

static void an_ipv4_address_in_an_ipv6_one_is_the_same_as_by_itself(void **state)
{
    (void)state;
    struct address_map *m = map_new(false);
    struct addr plain = parse("10.1.1.11"), mapped = parse("::ffff:10.1.1.11"), nat64 = parse("64:ff9b::a01:10b");
    plain = address_map_get(m, &plain);
    mapped = address_map_get(m, &mapped);
    nat64 = address_map_get(m, &nat64);
    assert_memory_equal(mapped.bytes + 12, plain.bytes, 4);
    assert_memory_equal(nat64.bytes + 12, plain.bytes, 4);
    address_map_free(m);
}

static void a_prefix_holds_what_it_held(void **state)
{
    (void)state;
    struct address_map *m = map_new(false);
    struct prefix p;
    assert_true(prefix_parse(SLICE("203.0.112.0/22"), &p));
    struct prefix to = address_map_prefix(m, &p);
    struct addr inside = parse("203.0.115.200"), outside = parse("203.0.116.1");
    inside = address_map_get(m, &inside);
    outside = address_map_get(m, &outside);
    assert_true(prefix_has(&to, &inside));
    assert_false(prefix_has(&to, &outside));
    address_map_free(m);
}

/* ---- keys ---- */

static int new_with(const void *bytes, size_t len, struct anonymizer **ret, struct error *error)
{
    char path[] = "/tmp/qosmark-key-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    (void)close(fd);
    int r = anonymizer_new(path, ret, error);
    (void)unlink(path);
    return r;
}

static void assert_same_key(const void *one, size_t one_len, const void *two, size_t two_len)
{
    struct anonymizer *a = NULL, *b = NULL;
    struct arena arena = {0};
    struct addr addr = parse("203.0.113.7");
    assert_int_equal(new_with(one, one_len, &a, NULL), 0);
    assert_int_equal(new_with(two, two_len, &b, NULL), 0);
    struct addr from_a = anonymize_addr(a, &addr), from_b = anonymize_addr(b, &addr);
    assert_true(addr_equal(&from_a, &from_b));
    assert_string_equal(anonymize_name(a, ANONYMIZE_USER, "alice", &arena),
                        anonymize_name(b, ANONYMIZE_USER, "alice", &arena));
    anonymizer_free(a);
    anonymizer_free(b);
    arena_done(&arena);
}

static void a_key_is_bytes_or_digits(void **state)
{
    (void)state;
    char digits[2 * sizeof reference_key + 1], with_prefix[sizeof digits + 3];
    for (size_t i = 0; i < sizeof reference_key; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", reference_key[i]);
    (void)snprintf(with_prefix, sizeof with_prefix, "0x%s\n", digits);
    assert_same_key(reference_key, sizeof reference_key, digits, strlen(digits));
    assert_same_key(reference_key, sizeof reference_key, with_prefix, strlen(with_prefix));
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    char text[80];
    struct anonymizer *a = NULL;
    memset(text, 'g', sizeof text);
    for (size_t len = 0; len <= sizeof text; len++) {
        struct error error = {0};
        if (len == ADDRESS_MAP_KEY_BYTES)
            continue; /* any 32 bytes are one */
        assert_int_equal(new_with(text, len, &a, &error), ERR_USAGE);
        assert_non_null(strstr(error.text, "is no key"));
    }
    struct error error = {0};
    assert_int_equal(anonymizer_new("/nonexistent/key", &a, &error), ERR_IO);
    assert_null(a);
}

static void two_random_keys_differ(void **state)
{
    (void)state;
    struct anonymizer *a = NULL, *b = NULL;
    struct arena arena = {0};
    assert_int_equal(anonymizer_new(NULL, &a, NULL), 0);
    assert_int_equal(anonymizer_new(NULL, &b, NULL), 0);
    assert_string_not_equal(anonymize_name(a, ANONYMIZE_CALL, "x", &arena),
                            anonymize_name(b, ANONYMIZE_CALL, "x", &arena));
    anonymizer_free(a);
    anonymizer_free(b);
    arena_done(&arena);
}

/* ---- names ---- */

static struct anonymizer *with_reference_key(void)
{
    struct anonymizer *a = NULL;
    assert_int_equal(new_with(reference_key, sizeof reference_key, &a, NULL), 0);
    return a;
}

/* HMAC-SHA-256 by Python's hmac module: key = hmac(K || 0x0a, "qosmark names"), token = hmac(key || sort, name). */
static void tokens_are_what_another_hmac_gives(void **state)
{
    (void)state;
    struct anonymizer *a = with_reference_key();
    struct arena arena = {0};
    assert_string_equal(anonymize_name(a, ANONYMIZE_USER, "alice", &arena), "user-ee6ae885");
    assert_string_equal(anonymize_name(a, ANONYMIZE_HOST, "Example.COM", &arena), "host-746efb1c");
    assert_string_equal(anonymize_name(a, ANONYMIZE_CALL, "a84b4c76e66710", &arena), "id-8c18a8e31988463e");
    arena_done(&arena);
    anonymizer_free(a);
}

static void assert_uri(struct anonymizer *a, const char *from, const char *format, const char *user, const char *host)
{
    struct arena arena = {0};
    char expected[256];
    const char *u = user ? anonymize_name(a, ANONYMIZE_USER, user, &arena) : NULL;
    const char *h = host ? anonymize_name(a, ANONYMIZE_HOST, host, &arena) : NULL;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(expected, sizeof expected, format, u ? u : h, h);
#pragma GCC diagnostic pop
    assert_string_equal(anonymize_uri(a, from, &arena), expected);
    arena_done(&arena);
}

static void uris_keep_their_shape(void **state)
{
    (void)state;
    struct anonymizer *a = with_reference_key();
    assert_uri(a, "sip:alice@example.com", "sip:%s@%s", "alice", "example.com");
    assert_uri(a, "<sip:alice@EXAMPLE.com:5061;transport=tls>;tag=77", "sip:%s@%s:5061", "alice", "example.com");
    assert_uri(a, "sips:bob@10.2.0.11", "sips:%s@%s", "bob", "10.2.0.11");
    assert_uri(a, "sip:bob@[2001:db8::1]:5060", "sip:%s@[%s]:5060", "bob", "2001:db8::1");
    assert_uri(a, "tel:+49-30-1234;phone-context=x", "tel:%s", "+49-30-1234", NULL);
    assert_uri(a, "sip:conf.example.com", "sip:%s", NULL, "conf.example.com");
    assert_uri(a, "alice@example.com/laptop", "%s@%s", "alice", "example.com");
    assert_uri(a, "10.2.0.11:5060", "%s:5060", NULL, "10.2.0.11");
    assert_uri(a, "[2001:db8::1]:40000", "[%s]:40000", NULL, "2001:db8::1");
    assert_uri(a, "2001:db8::1", "%s", NULL, "2001:db8::1");
    struct arena arena = {0};
    assert_string_equal(anonymize_uri(a, "", &arena), "");
    assert_string_equal(anonymize_uri(a, NULL, &arena), "");
    arena_done(&arena);
    anonymizer_free(a);
}

static void names_of_sorts_and_codecs(void **state)
{
    (void)state;
    struct anonymizer *a = with_reference_key();
    struct arena arena = {0};
    assert_string_equal(anonymize_name(a, ANONYMIZE_CODEC, "opus/48000/2", &arena), "opus/48000/2");
    assert_string_equal(anonymize_name(a, ANONYMIZE_CODEC, "pcma/8000", &arena), "pcma/8000");
    const char *codec = anonymize_name(a, ANONYMIZE_CODEC, "acme-secret/8000", &arena);
    assert_memory_equal(codec, "codec-", 6);
    assert_non_null(strstr(codec, "/8000"));
    assert_null(strstr(anonymize_name(a, ANONYMIZE_CODEC, "opus/48000/acme", &arena), "acme"));
    const char *file = anonymize_name(a, ANONYMIZE_INPUT, "/srv/alice/berlin.pcapng.gz", &arena);
    assert_memory_equal(file, "capture-", 8);
    assert_string_equal(file + strlen(file) - 10, ".pcapng.gz");
    assert_memory_equal(anonymize_name(a, ANONYMIZE_INPUT, "vlan-berlin", &arena), "point-", 6);
    assert_string_equal(anonymize_name(a, ANONYMIZE_INPUT, "standard input", &arena), "standard input");
    assert_memory_equal(anonymize_name(a, ANONYMIZE_INPUT, ".pcap", &arena), "point-", 6);
    assert_string_not_equal(anonymize_name(a, ANONYMIZE_NODE, "x", &arena) + 5,
                            anonymize_name(a, ANONYMIZE_SITE, "x", &arena) + 5);
    arena_done(&arena);
    anonymizer_free(a);
}

static void sentences_lose_addresses(void **state)
{
    (void)state;
    struct anonymizer *a = with_reference_key();
    struct arena arena = {0};
    char expected[256];
    struct addr one = parse("10.1.1.11");
    char text[ADDR_TEXT_MAX];
    one = anonymize_addr(a, &one);
    addr_format(&one, text);
    (void)snprintf(expected, sizeof expected, "frame 12 of %s:5060, (%s).", text, text);
    assert_string_equal(anonymize_sentence(a, "frame 12 of 10.1.1.11:5060, (10.1.1.11).", &arena), expected);
    assert_null(strstr(anonymize_sentence(a, "said \"alice@example.com\".", &arena), "alice"));
    assert_string_equal(anonymize_sentence(a, "SDP m=audio, frame 12: 3.5 ms", &arena),
                        "SDP m=audio, frame 12: 3.5 ms");
    arena_done(&arena);
    anonymizer_free(a);
}

static void mac_addresses_become_local_ones(void **state)
{
    (void)state;
    struct anonymizer *a = with_reference_key();
    uint8_t one[6] = {0x00, 0x50, 0x56, 1, 2, 3}, again[6], group[6] = {0x01, 0x00, 0x5e, 0, 0, 0xfb};
    uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    memcpy(again, one, 6);
    anonymize_mac(a, one);
    anonymize_mac(a, again);
    anonymize_mac(a, group);
    anonymize_mac(a, all);
    assert_memory_equal(one, again, 6);
    assert_int_equal(one[0] & 3, 2);
    assert_int_equal(group[0] & 3, 3);
    assert_int_equal(all[0] & all[5], 0xff);
    anonymizer_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plain_map_is_that_of_the_reference_implementation),
        cmocka_unit_test(common_prefixes_stay_exactly_as_long),
        cmocka_unit_test(what_an_address_means_stays_recognisable),
        cmocka_unit_test(no_private_address_stays_near_itself),
        cmocka_unit_test(bits_are_flipped_independently),
        cmocka_unit_test(an_ipv4_address_in_an_ipv6_one_is_the_same_as_by_itself),
        cmocka_unit_test(a_prefix_holds_what_it_held),
        cmocka_unit_test(a_key_is_bytes_or_digits),
        cmocka_unit_test(what_is_no_key_is_refused),
        cmocka_unit_test(two_random_keys_differ),
        cmocka_unit_test(tokens_are_what_another_hmac_gives),
        cmocka_unit_test(uris_keep_their_shape),
        cmocka_unit_test(names_of_sorts_and_codecs),
        cmocka_unit_test(sentences_lose_addresses),
        cmocka_unit_test(mac_addresses_become_local_ones),
    };
#ifndef QOSMARK_HAVE_OPENSSL
    return 77; /* built without OpenSSL: nothing here can run */
#endif
    return cmocka_run_group_tests(tests, NULL, NULL);
}

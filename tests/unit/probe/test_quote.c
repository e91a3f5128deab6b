#include "testing.h"

#include <stdbool.h>

#include "model/packet.h"
#include "probe/quote.h"

/* An ICMP error under construction. */
struct message {
    uint8_t bytes[512];
    size_t len;
};

static void put(struct message *m, const void *bytes, size_t len)
{
    assert_true(m->len + len <= sizeof m->bytes);
    memcpy(m->bytes + m->len, bytes, len);
    m->len += len;
}

static void put_zeros(struct message *m, size_t len)
{
    assert_true(m->len + len <= sizeof m->bytes);
    memset(m->bytes + m->len, 0, len);
    m->len += len;
}

/* time exceeded, code 0; the two bytes after the checksum hold the length of RFC 4884 (ICMPv4: second, ICMPv6: first)
 */
static const uint8_t v4_exceeded[] = {11, 0, 0xF4, 0xFF, 0, 0, 0, 0}, v6_exceeded[] = {3, 0, 0, 0, 0, 0, 0, 0};

/* RFC 791: TOS 0xB9 (EF, ECT(1)), length 200, id 0x1234, TTL 1, UDP, 192.0.2.1 to 198.51.100.7 */
static const uint8_t v4_header[] = {0x45, 0xB9, 0,   200, 0x12, 0x34, 0x40, 0,  1,   17,
                                    0,    0,    192, 0,   2,    1,    198,  51, 100, 7};
/* RFC 8200: traffic class 0x88 (AF41), flow label 0xABCDE, payload 180, hop limit 1, 2001:db8::1 to 2001:db8:1::7 */
static const uint8_t v6_header[] = {0x68, 0x8A, 0xBC, 0xDE, 0, 180, 17, 1, 0x20, 1, 0x0d, 0xb8, 0,    0,
                                    0,    0,    0,    0,    0, 0,   0,  0, 0,    1, 0x20, 1,    0x0d, 0xb8,
                                    0,    1,    0,    0,    0, 0,   0,  0, 0,    0, 0,    7};
static const uint8_t udp_header[] = {0x9C, 0x40, 0x88, 0x58, 0, 180, 0xBE, 0xEF};
/* RFC 4884 §7 and RFC 4950: version 2; one object of two labels: 16005 TC 5 TTL 1, and 24 TC 3 bottom TTL 254. The
 * checksum is RFC 1071's over the structure: 2000 + 000C + 0101 + 03E8 + 5A01 + 0001 + 87FE = 0x106F5, so 0x06F6, so
 * 0xF909. */
static const uint8_t labels[] = {0x20, 0, 0xF9, 0x09, 0, 12, 1, 1, 0x03, 0xE8, 0x5A, 0x01, 0x00, 0x01, 0x87, 0xFE};

static struct message v4_message(const void *rest, size_t len)
{
    struct message m = {0};
    put(&m, v4_exceeded, sizeof v4_exceeded);
    put(&m, v4_header, sizeof v4_header);
    put(&m, rest, len);
    return m;
}

static struct message v6_message(const void *rest, size_t len)
{
    struct message m = {0};
    put(&m, v6_exceeded, sizeof v6_exceeded);
    put(&m, v6_header, sizeof v6_header);
    put(&m, rest, len);
    return m;
}

static enum parse_status parse(const struct message *m, uint8_t version, struct quote *ret)
{
    return quote_parse(cur_make(m->bytes, m->len, false), version, ret);
}

static void ipv4_header_and_eight_bytes_are_read(void **state)
{
    (void)state;
    struct message m = v4_message(udp_header, sizeof udp_header);
    struct quote q;
    assert_int_equal(parse(&m, 4, &q), PARSE_OK);
    assert_int_equal(q.kind, QUOTE_TIME_EXCEEDED);
    assert_int_equal(tos_dscp(q.tos), 46);
    assert_int_equal(tos_ecn(q.tos), 1);
    assert_int_equal(q.ttl, 1);
    assert_int_equal(q.ip_id, 0x1234);
    assert_int_equal(q.ip_bytes, 200);
    assert_int_equal(q.proto, PROTO_UDP);
    assert_int_equal(q.depth, QUOTE_TRANSPORT);
    assert_int_equal(q.src.port, 40000);
    assert_int_equal(q.dst.port, 34904);
    assert_int_equal(q.udp_checksum, 0xBEEF);
    assert_memory_equal(q.dst.addr.bytes, v4_header + 16, 4);
    assert_null(q.payload);
    assert_false(q.has_extensions);
}

static void ipv6_header_and_payload_are_read(void **state)
{
    (void)state;
    struct message m = v6_message(udp_header, sizeof udp_header);
    put(&m, "payload", 7);
    struct quote q;
    assert_int_equal(parse(&m, 6, &q), PARSE_OK);
    assert_int_equal(tos_dscp(q.tos), 34);
    assert_int_equal(q.flow_label, 0xABCDE);
    assert_int_equal(q.ip_bytes, 220);
    assert_int_equal(q.dst.port, 34904);
    assert_int_equal(q.payload_bytes, 7);
    assert_memory_equal(q.payload, "payload", 7);
}

/* Also a quote too short for ports, or for a whole transport header, has its mark. */
static void short_quotes_keep_their_mark(void **state)
{
    (void)state;
    for (size_t n = 0; n <= sizeof udp_header; n++) {
        struct message m = v4_message(udp_header, n);
        struct quote q;
        assert_int_equal(parse(&m, 4, &q), PARSE_OK);
        assert_int_equal(tos_dscp(q.tos), 46);
        assert_int_equal(q.depth, n == sizeof udp_header ? QUOTE_TRANSPORT : QUOTE_IP);
    }
}

static void ipv6_extension_headers_are_walked(void **state)
{
    (void)state;
    struct message m = {0};
    /* hop by hop (8 bytes), destination options (16), fragment at offset 0, then UDP */
    static const uint8_t chain[] = {60, 0, 1, 4, 0, 0, 0, 0, 44, 1, 1, 12, 0, 0, 0, 0,
                                    0,  0, 0, 0, 0, 0, 0, 0, 17, 0, 0, 1,  0, 0, 0, 9};
    uint8_t header[sizeof v6_header];
    memcpy(header, v6_header, sizeof header);
    header[6] = 0;
    put(&m, v6_exceeded, sizeof v6_exceeded);
    put(&m, header, sizeof header);
    put(&m, chain, sizeof chain);
    put(&m, udp_header, sizeof udp_header);
    struct quote q;
    assert_int_equal(parse(&m, 6, &q), PARSE_OK);
    assert_int_equal(q.proto, PROTO_UDP);
    assert_int_equal(q.dst.port, 34904);
    assert_false(q.later_fragment);
    m.bytes[8 + 40 + 24 + 3] = 0x09; /* offset 8: the transport header is in another fragment */
    assert_int_equal(parse(&m, 6, &q), PARSE_OK);
    assert_true(q.later_fragment);
    assert_int_equal(q.depth, QUOTE_IP);
}

static void check_labels(const struct quote *q)
{
    assert_true(q->has_extensions);
    assert_int_equal(q->label_count, 2);
    assert_int_equal(q->labels[0].label, 16005);
    assert_int_equal(q->labels[0].tc, 5);
    assert_int_equal(q->labels[0].ttl, 1);
    assert_false(q->labels[0].bottom);
    assert_int_equal(q->labels[1].label, 24);
    assert_int_equal(q->labels[1].tc, 3);
    assert_true(q->labels[1].bottom);
}

static void labels_are_found_by_the_length_field(void **state)
{
    (void)state;
    struct quote q;
    struct message m = v4_message(udp_header, sizeof udp_header);
    m.bytes[5] = 32; /* 128 bytes in words of 4 */
    put_zeros(&m, 128 - 28);
    put(&m, labels, sizeof labels);
    assert_int_equal(parse(&m, 4, &q), PARSE_OK);
    check_labels(&q);
    assert_int_equal(q.payload_bytes, 100); /* padding as far as the UDP length goes, never the labels */

    m = v6_message(udp_header, sizeof udp_header);
    m.bytes[4] = 16; /* 128 bytes in words of 8 */
    put_zeros(&m, 128 - 48);
    put(&m, labels, sizeof labels);
    assert_int_equal(parse(&m, 6, &q), PARSE_OK);
    check_labels(&q);
}

/* RFC 4884 §5.5 */
static void labels_of_old_senders_are_found_at_128(void **state)
{
    (void)state;
    struct quote q;
    struct message m = v4_message(udp_header, sizeof udp_header);
    put_zeros(&m, 128 - 28);
    put(&m, labels, sizeof labels);
    assert_int_equal(parse(&m, 4, &q), PARSE_OK);
    check_labels(&q);
    m.bytes[8 + 128 + 9] ^= 1; /* the checksum does not fit: payload that looks like it */
    assert_int_equal(parse(&m, 4, &q), PARSE_OK);
    assert_false(q.has_extensions);
    assert_int_equal(q.label_count, 0);
}

static void bad_extensions_are_part_of_the_quote(void **state)
{
    (void)state;
    struct quote q;
    static const uint8_t bad[][12] = {
        {0x10, 0, 0, 0, 0, 8, 1, 1, 0, 0, 0, 0},  /* version 1 */
        {0x20, 0, 0, 0, 0, 3, 1, 1, 0, 0, 0, 0},  /* an object shorter than its own header */
        {0x20, 0, 0, 0, 0, 80, 1, 1, 0, 0, 0, 0}, /* longer than the structure */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct message m = v4_message(udp_header, sizeof udp_header);
        m.bytes[5] = 32;
        put_zeros(&m, 128 - 28);
        put(&m, bad[i], sizeof bad[i]);
        assert_int_equal(parse(&m, 4, &q), PARSE_OK);
        assert_false(q.has_extensions);
        assert_int_equal(q.label_count, 0);
        assert_int_equal(tos_dscp(q.tos), 46);
    }
    /* RFC 4884 §7: a checksum of 0 means none, where the length field says that a structure is there */
    static const uint8_t unsummed[] = {0x20, 0, 0, 0, 0, 8, 1, 1, 0x03, 0xE8, 0x5B, 0x01};
    struct message m = v4_message(udp_header, sizeof udp_header);
    m.bytes[5] = 32;
    put_zeros(&m, 128 - 28);
    put(&m, unsummed, sizeof unsummed);
    assert_int_equal(parse(&m, 4, &q), PARSE_OK);
    assert_int_equal(q.label_count, 1);
}

static void a_stack_without_end_is_cut(void **state)
{
    (void)state;
    uint8_t structure[4 + 4 + 20 * 4] = {0x20, 0, 0, 0, 0, 84, 1, 1};
    struct message m = v4_message(udp_header, sizeof udp_header);
    m.bytes[5] = 32;
    put_zeros(&m, 128 - 28);
    put(&m, structure, sizeof structure);
    struct quote q;
    assert_int_equal(parse(&m, 4, &q), PARSE_OK);
    assert_int_equal(q.label_count, QUOTE_LABELS_MAX);
    assert_true(q.labels_left_out);
}

static void kinds_of_messages_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        uint8_t version, type, code;
        enum parse_status status;
        enum quote_kind kind;
    } cases[] = {
        {4, 11, 0, PARSE_OK, QUOTE_TIME_EXCEEDED},
        {4, 11, 1, PARSE_OK, QUOTE_OTHER},
        {4, 3, 3, PARSE_OK, QUOTE_PORT_UNREACHABLE},
        {4, 3, 13, PARSE_OK, QUOTE_UNREACHABLE},
        {4, 5, 1, PARSE_OK, QUOTE_OTHER},
        {4, 0, 0, PARSE_UNSUPPORTED, 0},
        {4, 8, 0, PARSE_UNSUPPORTED, 0},
        {6, 3, 0, PARSE_OK, QUOTE_TIME_EXCEEDED},
        {6, 1, 4, PARSE_OK, QUOTE_PORT_UNREACHABLE},
        {6, 1, 1, PARSE_OK, QUOTE_UNREACHABLE},
        {6, 2, 0, PARSE_OK, QUOTE_OTHER},
        {6, 135, 0, PARSE_UNSUPPORTED, 0},
        {6, 11, 0, PARSE_UNSUPPORTED, 0}, /* a type of the other version */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message m = cases[i].version == 4 ? v4_message(udp_header, 8) : v6_message(udp_header, 8);
        struct quote q;
        m.bytes[0] = cases[i].type;
        m.bytes[1] = cases[i].code;
        assert_int_equal(parse(&m, cases[i].version, &q), cases[i].status);
        if (cases[i].status == PARSE_OK)
            assert_int_equal(q.kind, cases[i].kind);
    }
    /* a quote of the other IP version */
    struct message m = {0};
    struct quote q;
    put(&m, v4_exceeded, sizeof v4_exceeded);
    put(&m, v6_header, sizeof v6_header);
    assert_int_equal(parse(&m, 4, &q), PARSE_UNSUPPORTED);
}

static void parse_prefix(void *user, const uint8_t *bytes, size_t len)
{
    struct quote q;
    uint8_t version = *(const uint8_t *)user;
    size_t header = version == 4 ? 28 : 48;
    enum parse_status status = quote_parse(cur_make(bytes, len, false), version, &q);
    assert_int_equal(status, len < header ? PARSE_TRUNCATED : PARSE_OK);
    if (status == PARSE_OK)
        assert_int_equal(tos_dscp(q.tos), version == 4 ? 46 : 34);
}

static void every_prefix_is_safe(void **state)
{
    (void)state;
    uint8_t version = 4;
    struct message m = v4_message(udp_header, sizeof udp_header);
    m.bytes[5] = 32;
    put_zeros(&m, 128 - 28);
    put(&m, labels, sizeof labels);
    for_each_prefix(m.bytes, m.len, parse_prefix, &version);
    version = 6;
    m = v6_message(udp_header, sizeof udp_header);
    m.bytes[4] = 16;
    put_zeros(&m, 128 - 48);
    put(&m, labels, sizeof labels);
    for_each_prefix(m.bytes, m.len, parse_prefix, &version);
}

static void every_single_wrong_byte_is_safe(void **state)
{
    (void)state;
    struct message good = v4_message(udp_header, sizeof udp_header);
    good.bytes[5] = 32;
    put_zeros(&good, 128 - 28);
    put(&good, labels, sizeof labels);
    for (size_t at = 0; at < good.len; at++)
        for (unsigned v = 0; v < 256; v++) {
            struct message m = good;
            struct quote q;
            m.bytes[at] = (uint8_t)v;
            uint8_t *copy = malloc(m.len);
            memcpy(copy, m.bytes, m.len);
            (void)quote_parse(cur_make(copy, m.len, false), 4, &q);
            free(copy);
        }
}

static void checksums_are_those_of_rfc_1071(void **state)
{
    (void)state;
    /* RFC 1071 §3: the words 0001 F203 F4F5 F6F7 add up to DDF2 */
    static const uint8_t example[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7, 0x22, 0x0D};
    assert_true(quote_checksum_is_right(example, sizeof example));
    assert_false(quote_checksum_is_right(example, sizeof example - 2));
    assert_true(quote_checksum_is_right(labels, sizeof labels));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_header_and_eight_bytes_are_read),
        cmocka_unit_test(ipv6_header_and_payload_are_read),
        cmocka_unit_test(short_quotes_keep_their_mark),
        cmocka_unit_test(ipv6_extension_headers_are_walked),
        cmocka_unit_test(labels_are_found_by_the_length_field),
        cmocka_unit_test(labels_of_old_senders_are_found_at_128),
        cmocka_unit_test(bad_extensions_are_part_of_the_quote),
        cmocka_unit_test(a_stack_without_end_is_cut),
        cmocka_unit_test(kinds_of_messages_are_told_apart),
        cmocka_unit_test(every_prefix_is_safe),
        cmocka_unit_test(every_single_wrong_byte_is_safe),
        cmocka_unit_test(checksums_are_those_of_rfc_1071),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "classify/rtcp.h"

/* RFC 3550 §6.4.1 by hand: an SR with one report block, then SDES with a CNAME, 52 + 20 bytes. */
static const uint8_t compound[] = {
    0x81, 0xc8, 0x00, 0x0c, 0x11, 0x22, 0x33, 0x44,                         /* V=2 RC=1 SR, 12 words follow, SSRC */
    0xe1, 0x02, 0x03, 0x04, 0x80, 0x00, 0x00, 0x00,                         /* NTP */
    0x00, 0x01, 0x5f, 0x90, 0x00, 0x00, 0x00, 0x64, 0x00, 0x00, 0x3e, 0x80, /* RTP time, packets, octets */
    0xaa, 0xbb, 0xcc, 0xdd, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x10, /* report on 0xaabbccdd */
    0x00, 0x00, 0x00, 0x05, 0x03, 0x04, 0x80, 0x00, 0x00, 0x00, 0x10, 0x00, 0x81, 0xca, 0x00, 0x04,
    0x11, 0x22, 0x33, 0x44, 0x01, 0x05, 'a',  '@',  'b',  '.',  'c',  0x00, 0x00, 0x00, 0x00, 0x00};

static enum parse_status parse(const uint8_t *bytes, size_t len, struct rtcp_packet *p)
{
    return rtcp_parse(cur_make(bytes, len, false), (uint32_t)len, p);
}

static void sender_report_and_cname_are_read(void **state)
{
    (void)state;
    struct rtcp_packet p;
    assert_int_equal(sizeof compound, 72);
    assert_int_equal(parse(compound, sizeof compound, &p), PARSE_OK);
    assert_int_equal(p.first_type, 200);
    assert_int_equal(p.sender_ssrc, 0x11223344);
    assert_false(p.encrypted);
    assert_true(p.has_sender_report);
    assert_true(p.ntp == 0xe102030480000000u);
    assert_int_equal(p.rtp_timestamp, 90000);
    assert_int_equal(p.packet_count, 100);
    assert_int_equal(p.report_count, 1);
    assert_int_equal(p.reports[0], 0xaabbccdd);
    assert_true(slice_equal(p.cname, SLICE("a@b.c")));
    assert_false(p.bye);
}

static void cname_of_another_source_is_not_taken(void **state)
{
    (void)state;
    uint8_t other[sizeof compound];
    struct rtcp_packet p;
    memcpy(other, compound, sizeof other);
    other[52 + 7] = 0x45;
    assert_int_equal(parse(other, sizeof other, &p), PARSE_OK);
    assert_int_equal(p.cname.len, 0);
}

static void receiver_report_and_bye_are_read(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x80, 0xc9, 0x00, 0x01, 0, 0, 0, 7, 0x81, 0xcb, 0x00, 0x01, 0, 0, 0, 7};
    struct rtcp_packet p;
    assert_int_equal(parse(bytes, sizeof bytes, &p), PARSE_OK);
    assert_int_equal(p.first_type, 201);
    assert_int_equal(p.sender_ssrc, 7);
    assert_false(p.has_sender_report);
    assert_true(p.bye);
}

/* RFC 5506: a picture loss indication (RFC 4585 §6.3.1) alone. */
static void reduced_size_feedback_is_taken(void **state)
{
    (void)state;
    static const uint8_t pli[] = {0x81, 0xce, 0x00, 0x02, 0, 0, 0, 1, 0, 0, 0, 2};
    struct rtcp_packet p;
    assert_int_equal(parse(pli, sizeof pli, &p), PARSE_OK);
    assert_int_equal(p.first_type, 206);
    assert_int_equal(p.sender_ssrc, 1);
    assert_false(p.encrypted);
}

/* RFC 3711 §3.4: the first eight bytes in clear, noise, then E and index, then a tag of ten bytes. */
static void srtcp_shows_its_sender_and_no_report(void **state)
{
    (void)state;
    uint8_t bytes[sizeof compound + 14];
    struct rtcp_packet p;
    memcpy(bytes, compound, sizeof compound);
    for (size_t i = 8; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151u + 13u);
    bytes[sizeof compound] = 0x80;
    assert_int_equal(parse(bytes, sizeof bytes, &p), PARSE_OK);
    assert_true(p.encrypted);
    assert_int_equal(p.sender_ssrc, 0x11223344);
    assert_false(p.has_sender_report);
    assert_int_equal(p.report_count, 0);
    assert_int_equal(p.cname.len, 0);
}

static void a_lone_encrypted_sender_report_gives_no_clock(void **state)
{
    (void)state;
    uint8_t bytes[28 + 14] = {0x80, 0xc8, 0x00, 0x06, 1, 2, 3, 4};
    struct rtcp_packet p;
    for (size_t i = 8; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37u);
    bytes[28] = 0x80;
    assert_int_equal(parse(bytes, sizeof bytes, &p), PARSE_OK);
    assert_true(p.encrypted);
    assert_false(p.has_sender_report);
}

static void srtcp_without_encryption_is_read(void **state)
{
    (void)state;
    uint8_t bytes[sizeof compound + 14] = {0};
    struct rtcp_packet p;
    memcpy(bytes, compound, sizeof compound);
    bytes[sizeof compound + 3] = 1; /* E = 0, index 1 */
    memset(bytes + sizeof compound + 4, 0x5a, 10);
    assert_int_equal(parse(bytes, sizeof bytes, &p), PARSE_OK);
    assert_false(p.encrypted);
    assert_true(p.has_sender_report);
    assert_true(slice_equal(p.cname, SLICE("a@b.c")));
}

static void what_cannot_be_rtcp_is_malformed(void **state)
{
    (void)state;
    struct rtcp_packet p = {.sender_ssrc = 42};
    static const uint8_t version[] = {0x41, 0xc9, 0x00, 0x01, 0, 0, 0, 7};
    static const uint8_t type[] = {0x80, 0xd8, 0x00, 0x01, 0, 0, 0, 7};
    static const uint8_t too_long[] = {0x80, 0xc9, 0x00, 0x02, 0, 0, 0, 7};
    static const uint8_t too_short_for_count[] = {0x82, 0xc9, 0x00, 0x01, 0, 0, 0, 7};
    static const uint8_t trailing[] = {0x80, 0xc9, 0x00, 0x01, 0, 0, 0, 7, 1, 2, 3};
    assert_int_equal(parse(version, sizeof version, &p), PARSE_MALFORMED);
    assert_int_equal(parse(type, sizeof type, &p), PARSE_MALFORMED);
    assert_int_equal(parse(too_long, sizeof too_long, &p), PARSE_MALFORMED);
    assert_int_equal(parse(too_short_for_count, sizeof too_short_for_count, &p), PARSE_MALFORMED);
    assert_int_equal(parse(trailing, sizeof trailing, &p), PARSE_MALFORMED);
    assert_int_equal(p.sender_ssrc, 42);
}

/* 22 bytes: NTP and RTP time are there, but whether what follows makes sense is not known, so no clock is taken. */
static void a_cut_compound_gives_its_sender_alone(void **state)
{
    (void)state;
    struct rtcp_packet p;
    assert_int_equal(rtcp_parse(cur_make(compound, 22, true), sizeof compound, &p), PARSE_OK);
    assert_int_equal(p.sender_ssrc, 0x11223344);
    assert_false(p.has_sender_report);
    assert_int_equal(rtcp_parse(cur_make(compound, 7, true), sizeof compound, &p), PARSE_TRUNCATED);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    (void)user;
    struct rtcp_packet p;
    (void)parse(prefix, len, &p);
    assert_int_equal(rtcp_parse(cur_make(prefix, len, true), sizeof compound, &p),
                     len < 8 ? PARSE_TRUNCATED : PARSE_OK);
    if (len >= 8 && p.cname.len)
        assert_true((const uint8_t *)p.cname.at + p.cname.len <= prefix + len);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    for_each_prefix(compound, sizeof compound, parse_prefix, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sender_report_and_cname_are_read),
        cmocka_unit_test(cname_of_another_source_is_not_taken),
        cmocka_unit_test(receiver_report_and_bye_are_read),
        cmocka_unit_test(reduced_size_feedback_is_taken),
        cmocka_unit_test(srtcp_shows_its_sender_and_no_report),
        cmocka_unit_test(a_lone_encrypted_sender_report_gives_no_clock),
        cmocka_unit_test(srtcp_without_encryption_is_read),
        cmocka_unit_test(what_cannot_be_rtcp_is_malformed),
        cmocka_unit_test(a_cut_compound_gives_its_sender_alone),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
    };
    return cmocka_run_group_tests_name("rtcp", tests, NULL, NULL);
}

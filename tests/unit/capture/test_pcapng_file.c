#include "testing.h"

#include "building.h"

/* draft-ietf-opsawg-pcapng §3 and §4 */

static void block(struct bytes *b, uint32_t code, const struct bytes *body)
{
    size_t padding = -body->len & 3;
    uint32_t total = (uint32_t)(12 + body->len + padding);
    put32(b, code);
    put32(b, total);
    put(b, body->at, body->len);
    put_zeros(b, padding);
    put32(b, total);
}

static void option(struct bytes *b, uint16_t code, uint16_t len, uint64_t value)
{
    put16(b, code);
    put16(b, len);
    put_number(b, value, len);
    put_zeros(b, -(size_t)len & 3);
}

static struct bytes empty_as(const struct bytes *b)
{
    return (struct bytes){.big_endian = b->big_endian};
}

static void section_of(struct bytes *b, uint16_t major, uint16_t minor)
{
    struct bytes body = empty_as(b);
    put32(&body, 0x1a2b3c4d);
    put16(&body, major);
    put16(&body, minor);
    put64(&body, UINT64_MAX);
    block(b, 0x0a0d0d0a, &body);
}

static void section(struct bytes *b)
{
    section_of(b, 1, 0);
}

/* resolution 0x100: no if_tsresol */
static void interface_of(struct bytes *b, uint16_t link_type, uint32_t snap, unsigned resolution, int64_t offset_s)
{
    struct bytes body = empty_as(b);
    put16(&body, link_type);
    put16(&body, 0);
    put32(&body, snap);
    option(&body, 2, 4, 0x30687465); /* if_name, to be stepped over */
    if (resolution < 0x100)
        option(&body, 9, 1, resolution);
    if (offset_s)
        option(&body, 14, 8, (uint64_t)offset_s);
    option(&body, 0, 0, 0);
    block(b, 1, &body);
}

static void interface(struct bytes *b, uint16_t link_type)
{
    interface_of(b, link_type, 0, 0x100, 0);
}

static struct bytes enhanced_body(const struct bytes *b, uint32_t interface, uint64_t time, uint8_t fill,
                                  uint32_t captured, uint32_t wire)
{
    struct bytes body = empty_as(b);
    put32(&body, interface);
    put32(&body, (uint32_t)(time >> 32));
    put32(&body, (uint32_t)time);
    put32(&body, captured);
    put32(&body, wire);
    put_fill(&body, fill, captured);
    put_zeros(&body, -(size_t)captured & 3);
    return body;
}

static void enhanced(struct bytes *b, uint32_t interface, uint64_t time, uint8_t fill, uint32_t captured, uint32_t wire)
{
    struct bytes body = enhanced_body(b, interface, time, fill, captured, wire);
    block(b, 6, &body);
}

static void obsolete(struct bytes *b, uint16_t interface, uint16_t drops, uint64_t time, uint8_t fill,
                     uint32_t captured)
{
    struct bytes body = empty_as(b);
    put16(&body, interface);
    put16(&body, drops);
    put32(&body, (uint32_t)(time >> 32));
    put32(&body, (uint32_t)time);
    put32(&body, captured);
    put32(&body, captured);
    put_fill(&body, fill, captured);
    block(b, 2, &body);
}

static void simple(struct bytes *b, uint8_t fill, uint32_t captured, uint32_t wire)
{
    struct bytes body = empty_as(b);
    put32(&body, wire);
    put_fill(&body, fill, captured);
    block(b, 3, &body);
}

static void statistics(struct bytes *b, uint32_t interface, uint64_t if_drop, uint64_t os_drop)
{
    struct bytes body = empty_as(b);
    put32(&body, interface);
    put64(&body, 0);
    option(&body, 4, 8, 77777); /* isb_ifrecv */
    option(&body, 5, 8, if_drop);
    option(&body, 7, 8, os_drop);
    option(&body, 0, 0, 0);
    block(b, 5, &body);
}

static void other(struct bytes *b, uint32_t code)
{
    struct bytes body = empty_as(b);
    put32(&body, 32473); /* where it is a custom block: the enterprise number for documentation (RFC 5612) */
    put_fill(&body, 'x', 8);
    block(b, code, &body);
}

static struct source *open_bytes(const struct bytes *b)
{
    return open_good(file_write("a.pcapng", b->at, b->len));
}

#define T0 (UINT64_C(1700000000) * 1000000)

static void interfaces_of_several_link_types_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct bytes b = {.big_endian = big};
        section(&b);
        interface(&b, 1);
        interface(&b, 276);
        enhanced(&b, 1, T0 + 1, 0xa1, 61, 61);
        enhanced(&b, 0, T0 + 2, 0xa2, 62, 1500);
        interface(&b, 12); /* raw IP as some systems number it */
        enhanced(&b, 2, T0 + 3, 0xa3, 63, 63);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, 1700000000 * S + 1000, 0xa1, 61, 61, 276);
        expect_frame(s, 2, 1700000000 * S + 2000, 0xa2, 62, 1500, 1);
        expect_frame(s, 3, 1700000000 * S + 3000, 0xa3, 63, 63, 101);
        expect_end(s);
        assert_true(source_input(s, 0)->complete);
        source_free(s);
    }
}

static void each_section_has_its_own_byte_order_and_interfaces(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface(&b, 1);
    interface(&b, 1);
    enhanced(&b, 1, T0, 1, 20, 20);
    b.big_endian = true;
    section_of(&b, 1, 2);
    interface(&b, 113);
    enhanced(&b, 0, T0, 2, 20, 20);
    enhanced(&b, 1, T0, 3, 20, 20); /* that of the section before */
    enhanced(&b, 0, T0, 4, 20, 20);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 20, 20, 1);
    expect_frame(s, 2, 1700000000 * S, 2, 20, 20, 113);
    expect_frame(s, 4, 1700000000 * S, 4, 20, 20, 113);
    expect_end(s);
    assert_int_equal(source_input(s, 0)->unsupported, 1);
    assert_int_equal(source_input(s, 0)->frames, 3);
    source_free(s);
}

static void timestamps_follow_the_resolution_and_offset_of_their_interface(void **state)
{
    (void)state;
    static const struct {
        unsigned resolution;
        int64_t offset_s;
        uint64_t time;
        int64_t ns;
    } cases[] = {
        {0x100, 0, 1700000000123456, 1700000000123456000},
        {6, 0, 1700000000123456, 1700000000123456000},
        {9, 0, 1700000000123456789, 1700000000123456789},
        {3, 0, 1700000000123, 1700000000123000000},
        {0, 0, 1700000000, 1700000000000000000},
        {12, 0, 1700000000987654, 1700000000987}, /* picoseconds, to the nanosecond below */
        {0x80, 0, 1700000000, 1700000000000000000},
        {0x81, 0, 3, 1500000000}, /* halves */
        {0x8a, 0, (UINT64_C(1700000000) << 10) + 512, 1700000000500000000},
        {0xa0, 0, UINT64_C(1700000000) << 32 | 0x40000000, 1700000000250000000},
        {0xa2, 0, UINT64_C(1) << 33, 500000000}, /* finer than 2^-32 */
        {6, 3600, 1000000, 3601000000000},
        {6, -1, 1000000, 0},
        {9, 100, 65536, 100000065536},
        {20, 0, UINT64_C(10000000000000000000), 100000000}, /* 10^-20 */
        {6, INT64_MAX, 0, (INT64_MAX / 2 / S - 1) * S},         /* does not fit: clamped */
        {6, INT64_MIN, 0, -(INT64_MAX / 2 / S - 1) * S},
        {0, 0, UINT64_MAX, (INT64_MAX / 2 / S - 1) * S},
        {0x7f, 0, UINT64_MAX, 0},
        {0xff, 0, UINT64_MAX, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes b = {.big_endian = i % 2};
        section(&b);
        interface_of(&b, 1, 0, cases[i].resolution, cases[i].offset_s);
        enhanced(&b, 0, cases[i].time, 1, 20, 20);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, cases[i].ns, 1, 20, 20, 1);
        source_free(s);
    }
}

static void simple_packets_take_the_first_interface_and_the_time_of_the_packet_before(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface_of(&b, 1, 40, 0x100, 0);
    interface(&b, 113);
    enhanced(&b, 1, T0, 1, 20, 20);
    simple(&b, 2, 40, 1500); /* cut by the snapshot length */
    simple(&b, 3, 33, 33);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 20, 20, 113);
    expect_frame(s, 2, 1700000000 * S, 2, 40, 1500, 1);
    expect_frame(s, 3, 1700000000 * S, 3, 33, 33, 1);
    expect_end(s);
    source_free(s);
}

static void obsolete_packet_blocks_are_read_with_their_drops(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface(&b, 1);
    obsolete(&b, 0, 3, T0, 1, 21);
    obsolete(&b, 0, 0xffff, T0, 2, 22); /* drops not known */
    obsolete(&b, 0, 2, T0, 3, 23);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 21, 21, 1);
    expect_frame(s, 2, 1700000000 * S, 2, 22, 22, 1);
    expect_frame(s, 3, 1700000000 * S, 3, 23, 23, 1);
    expect_end(s);
    assert_int_equal(source_input(s, 0)->dropped, 5);
    source_free(s);
}

static void drops_are_the_latest_statistics_of_each_interface(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface(&b, 1);
    interface(&b, 1);
    statistics(&b, 0, 1, 2);
    statistics(&b, 0, 10, 20); /* since the capture began: not added to those before */
    statistics(&b, 1, 4, UINT64_MAX);
    statistics(&b, 9, 1000, 0); /* no such interface */
    struct bytes body = enhanced_body(&b, 0, T0, 1, 21, 21);
    option(&body, 2, 4, 0); /* epb_flags */
    option(&body, 4, 8, 6); /* epb_dropcount: among the 30 already */
    option(&body, 0, 0, 0);
    block(&b, 6, &body);
    section(&b);
    interface(&b, 1);
    body = enhanced_body(&b, 0, T0, 2, 22, 22);
    option(&body, 4, 8, 100);
    block(&b, 6, &body);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 21, 21, 1);
    expect_frame(s, 2, 1700000000 * S, 2, 22, 22, 1);
    expect_end(s);
    assert_int_equal(source_input(s, 0)->dropped, 10 + 20 + 4 + 100);
    source_free(s);
}

/* Which blocks have a number was found out with tshark 4.0. */
static void numbers_are_those_of_wireshark_with_blocks_that_hold_no_frame(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        bool numbered;
    } blocks[] = {{4, false},    {7, false},         {8, false},          {9, true},      {10, false},   {0x101, false},
                  {0xbad, true}, {0x40000bad, true}, {0x204, true},       {0x208, false}, {0x216, true}, {0x217, false},
                  {0x221, true}, {0x222, false},     {0x80000001, false}, {0x77, false}};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        struct bytes b = {0};
        section(&b);
        interface(&b, 1);
        enhanced(&b, 0, T0, 1, 20, 20);
        other(&b, blocks[i].code);
        enhanced(&b, 0, T0, 2, 20, 20);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, 1700000000 * S, 1, 20, 20, 1);
        expect_frame(s, blocks[i].numbered ? 3 : 2, 1700000000 * S, 2, 20, 20, 1);
        expect_end(s);
        assert_int_equal(source_input(s, 0)->frames, 2);
        assert_int_equal(source_input(s, 0)->unsupported, 0);
        source_free(s);
    }
}

static void a_packet_before_any_interface_is_counted_and_not_handed_out(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    simple(&b, 1, 20, 20);
    enhanced(&b, 0, T0, 2, 20, 20);
    obsolete(&b, 0, 0, T0, 3, 20);
    interface(&b, 1);
    enhanced(&b, 0, T0, 4, 20, 20);
    struct source *s = open_bytes(&b);
    expect_frame(s, 4, 1700000000 * S, 4, 20, 20, 1);
    expect_end(s);
    assert_int_equal(source_input(s, 0)->unsupported, 3);
    source_free(s);
}

static void the_wire_length_is_never_less_than_what_was_captured(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface(&b, 1);
    enhanced(&b, 0, T0, 1, 60, 10);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 60, 60, 1);
    source_free(s);
}

/* Each is put behind one good packet. */
static void raw_block(struct bytes *b, uint32_t code, uint32_t length, size_t room, uint32_t trailer)
{
    put32(b, code);
    put32(b, length);
    put_fill(b, 0, room - 12);
    put32(b, trailer);
}

static void damage_ends_the_file_behind_what_was_good(void **state)
{
    (void)state;
    enum { CASES = 10 };
    static const char *const words[CASES] = {
        "differ (16 and 12)",
        "claims to be 8 bytes long",
        "claims to be 4294967295 bytes long",
        "claims to be longer than its block",
        "is too short for its own fields",
        "is too short for its own fields",
        "pcapng version 2.0",
        "no byte-order magic",
        "claims to be longer than any can be",
        "claims to be 1073741824 bytes long",
    };
    for (size_t i = 0; i < CASES; i++) {
        struct bytes b = {0}, body = {0};
        section(&b);
        interface(&b, 1);
        enhanced(&b, 0, T0, 1, 20, 20);
        switch (i) {
        case 0: raw_block(&b, 0x77, 16, 16, 12); break;
        case 1: raw_block(&b, 0x77, 8, 16, 8); break;
        case 2: raw_block(&b, 6, 0xffffffff, 64, 0xffffffff); break;
        case 3:
            body = enhanced_body(&b, 0, T0, 1, 20, 20);
            body.at[12] = 24; /* captured length */
            block(&b, 6, &body);
            break;
        case 4: raw_block(&b, 6, 28, 28, 28); break;
        case 5: raw_block(&b, 1, 16, 16, 16); break;
        case 6: section_of(&b, 2, 0); break;
        case 7: raw_block(&b, 0x0a0d0d0a, 28, 28, 28); break;
        case 8:
            body = enhanced_body(&b, 0, T0, 1, 20, 20);
            put_fill(&body, 1, 40);
            memcpy(body.at + 12, "\0\0\5\0", 4); /* 320 KiB */
            block(&b, 6, &body);
            break;
        case 9: raw_block(&b, 6, 0x40000000, 64, 0x40000000); break;
        default: break;
        }
        enhanced(&b, 0, T0, 2, 20, 20);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, 1700000000 * S, 1, 20, 20, 1);
        expect_failure(s, "a.pcapng is damaged after packet 1: ");
        if (!strstr(source_input(s, 0)->problem.text, words[i]))
            fail_msg("%s", source_input(s, 0)->problem.text);
        source_free(s);
    }
}

static void an_unknown_block_that_claims_four_gigabytes_is_a_cut_file(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface(&b, 1);
    enhanced(&b, 0, T0, 1, 20, 20);
    raw_block(&b, 0x77, 0xfffffff0, 64, 64);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 20, 20, 1);
    expect_failure(s, "a.pcapng ends in the middle of a block after packet 1 (byte ");
    source_free(s);
}

static void a_block_whose_writer_forgot_the_padding_in_its_length_is_read(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface(&b, 1);
    raw_block(&b, 0x77, 14, 16, 14);
    enhanced(&b, 0, T0, 1, 20, 20);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, 1700000000 * S, 1, 20, 20, 1);
    expect_end(s);
    source_free(s);
}

struct sweep {
    size_t ends[16]; /* where each block ends */
    size_t blocks;
    size_t packet_ends[16]; /* 0 after the last */
};

static void check_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const struct sweep *w = user;
    const char *path = file_write("cut.pcapng", prefix, len);
    if (len < 28) {
        assert_non_null(strstr(open_bad(path), len == 0  ? "cut.pcapng is empty, not a capture"
                                               : len < 4 ? "not a capture"
                                                         : "is cut within its file header"));
        return;
    }
    struct source *s = open_good(path);
    bool at_end = false;
    for (size_t i = 0; i < w->blocks; i++)
        at_end |= w->ends[i] == len;
    uint32_t whole = 0;
    while (w->packet_ends[whole] && w->packet_ends[whole] <= len)
        whole++;
    for (uint32_t i = 0; i < whole; i++)
        expect_frame(s, i + 1, 1700000000 * S, (uint8_t)(i + 1), 20 + i, 20 + i, 1);
    if (at_end) {
        expect_end(s);
        assert_true(source_input(s, 0)->complete);
    } else {
        char words[64];
        (void)snprintf(words, sizeof words, "(byte %zu): what came before it was read", len);
        expect_failure(s, words);
        assert_non_null(strstr(source_input(s, 0)->problem.text, "cut.pcapng ends in the middle of "));
    }
    source_free(s);
}

static void a_file_cut_anywhere_gives_all_whole_packets_and_says_where_it_ends(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct bytes b = {.big_endian = big};
        struct sweep w = {.blocks = 0};
        section(&b);
        w.ends[w.blocks++] = b.len;
        interface(&b, 1);
        w.ends[w.blocks++] = b.len;
        enhanced(&b, 0, T0, 1, 20, 20);
        w.ends[w.blocks++] = w.packet_ends[0] = b.len;
        other(&b, 0x77);
        w.ends[w.blocks++] = b.len;
        simple(&b, 2, 21, 21);
        w.ends[w.blocks++] = w.packet_ends[1] = b.len;
        obsolete(&b, 0, 0, T0, 3, 22);
        w.ends[w.blocks++] = w.packet_ends[2] = b.len;
        statistics(&b, 0, 1, 1);
        w.ends[w.blocks++] = b.len;
        struct bytes body = enhanced_body(&b, 0, T0, 4, 23, 23);
        option(&body, 4, 8, 1);
        block(&b, 6, &body);
        w.ends[w.blocks++] = w.packet_ends[3] = b.len;
        for_each_prefix(b.at, b.len, check_prefix, &w);
    }
}

/* Any byte may be anything: it must end, cleanly. */
static void a_file_with_any_byte_changed_ends_cleanly(void **state)
{
    (void)state;
    struct bytes b = {0};
    section(&b);
    interface_of(&b, 1, 96, 9, 5);
    enhanced(&b, 0, T0, 1, 20, 20);
    simple(&b, 2, 21, 21);
    obsolete(&b, 0, 1, T0, 3, 22);
    statistics(&b, 0, 1, 1);
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < b.len; i++) {
        for (size_t v = 0; v < sizeof values; v++) {
            struct bytes changed = b;
            changed.at[i] = values[v];
            struct error error;
            struct source *s = source_open_file(file_write("changed.pcapng", changed.at, changed.len), &error);
            struct frame f;
            enum source_status status = SOURCE_END;
            for (int n = 0; s && (status = source_next(s, &f)) == SOURCE_FRAME; n++) {
                assert_true(n < 4);
                assert_true(f.wire_bytes >= f.captured_bytes);
            }
            if (s && status == SOURCE_FAILED)
                expect_end(s);
            source_free(s);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_of_several_link_types_are_read_in_both_byte_orders),
        cmocka_unit_test(each_section_has_its_own_byte_order_and_interfaces),
        cmocka_unit_test(timestamps_follow_the_resolution_and_offset_of_their_interface),
        cmocka_unit_test(simple_packets_take_the_first_interface_and_the_time_of_the_packet_before),
        cmocka_unit_test(obsolete_packet_blocks_are_read_with_their_drops),
        cmocka_unit_test(drops_are_the_latest_statistics_of_each_interface),
        cmocka_unit_test(numbers_are_those_of_wireshark_with_blocks_that_hold_no_frame),
        cmocka_unit_test(a_packet_before_any_interface_is_counted_and_not_handed_out),
        cmocka_unit_test(the_wire_length_is_never_less_than_what_was_captured),
        cmocka_unit_test(damage_ends_the_file_behind_what_was_good),
        cmocka_unit_test(an_unknown_block_that_claims_four_gigabytes_is_a_cut_file),
        cmocka_unit_test(a_block_whose_writer_forgot_the_padding_in_its_length_is_read),
        cmocka_unit_test(a_file_cut_anywhere_gives_all_whole_packets_and_says_where_it_ends),
        cmocka_unit_test(a_file_with_any_byte_changed_ends_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, files_done);
}

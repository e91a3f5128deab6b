#include "testing.h"

#include "building.h"

#define MICRO     0xa1b2c3d4u
#define NANO      0xa1b23c4du
#define KUZNETZOV 0xa1b2cd34u

static struct source *open_bytes(const struct bytes *b)
{
    return open_good(file_write("a.pcap", b->at, b->len));
}

static void micro_and_nanoseconds_are_read_in_both_byte_orders(void **state)
{
    (void)state;
    static const struct {
        uint32_t magic;
        bool big_endian;
        int64_t unit_ns;
    } variants[] = {{MICRO, false, 1000}, {MICRO, true, 1000}, {NANO, false, 1}, {NANO, true, 1}};
    for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
        struct bytes b = {.big_endian = variants[i].big_endian};
        pcap_begin(&b, variants[i].magic, 65535, 1);
        pcap_packet(&b, 1700000000, 123456, 0xaa, 60, 60);
        pcap_packet(&b, 1700000001, 999999, 0xbb, 20, 1500);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, 1700000000 * S + 123456 * variants[i].unit_ns, 0xaa, 60, 60, 1);
        expect_frame(s, 2, 1700000001 * S + 999999 * variants[i].unit_ns, 0xbb, 20, 1500, 1);
        expect_end(s);
        const struct source_input *in = source_input(s, 0);
        assert_true(in->complete);
        assert_string_equal(in->problem.text, "");
        assert_int_equal(in->frames, 2);
        assert_int_equal(in->bytes, 1560);
        assert_int_equal(in->first_ns, 1700000000 * S + 123456 * variants[i].unit_ns);
        assert_int_equal(in->last_ns, 1700000001 * S + 999999 * variants[i].unit_ns);
        source_free(s);
    }
}

/* libpcap, sf-pcap.c, struct pcap_sf_patched_pkthdr: interface index, protocol, packet type, padding */
static void the_longer_record_header_of_kuznetzov_is_read(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct bytes b = {.big_endian = big};
        pcap_begin(&b, KUZNETZOV, 65535, 0);
        for (uint8_t i = 0; i < 2; i++) {
            put32(&b, 1000);
            put32(&b, 5u + i);
            put32(&b, 30);
            put32(&b, 40);
            put_zeros(&b, 8);
            put_fill(&b, 0xc0 + i, 30);
        }
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, 1000 * S + 5000, 0xc0, 30, 40, 0);
        expect_frame(s, 2, 1000 * S + 6000, 0xc1, 30, 40, 0);
        expect_end(s);
        source_free(s);
    }
}

static void link_types_are_those_of_the_registry_and_not_of_this_platform(void **state)
{
    (void)state;
    /* in the file, and as handed out: tcpdump.org/linktypes.html; 12 and 14 are DLT_RAW of systems that wrote it as is;
     * the upper bits tell the frame check sequence; 9999 nobody knows */
    static const uint32_t types[][2] = {{1, 1},     {101, 101}, {12, 101},  {14, 101},       {100, 100},   {104, 104},
                                        {113, 113}, {276, 276}, {228, 228}, {0x24000001, 1}, {9999, 9999}, {50, 50}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct bytes b = {0};
        pcap_begin(&b, MICRO, 65535, types[i][0]);
        pcap_packet(&b, 1, 0, 1, 4, 4);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, S, 1, 4, 4, (uint16_t)types[i][1]);
        source_free(s);
    }
}

static void times_after_2038_are_not_before_1970(void **state)
{
    (void)state;
    struct bytes b = {0};
    pcap_begin(&b, MICRO, 65535, 1);
    pcap_packet(&b, 0x90000000, 1, 1, 4, 4);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, INT64_C(0x90000000) * S + 1000, 1, 4, 4, 1);
    source_free(s);
}

static void the_wire_length_is_never_less_than_what_was_captured(void **state)
{
    (void)state;
    struct bytes b = {0};
    pcap_begin(&b, MICRO, 65535, 1);
    pcap_packet(&b, 1, 0, 7, 60, 10);
    struct source *s = open_bytes(&b);
    expect_frame(s, 1, S, 7, 60, 60, 1);
    source_free(s);
}

static void a_packet_longer_than_the_snapshot_length_is_handed_out_whole(void **state)
{
    (void)state;
    static const uint32_t snaps[] = {0, 1, 96, 0x7fffffff, 0xffffffff};
    for (size_t i = 0; i < sizeof snaps / sizeof *snaps; i++) {
        struct bytes b = {0};
        pcap_begin(&b, MICRO, snaps[i], 1);
        pcap_packet(&b, 1, 0, 7, 3000, 3000);
        pcap_packet(&b, 2, 0, 8, 30, 30);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, S, 7, 3000, 3000, 1);
        expect_frame(s, 2, 2 * S, 8, 30, 30, 1);
        expect_end(s);
        source_free(s);
    }
}

static void an_absurd_length_is_damage(void **state)
{
    (void)state;
    static const uint32_t lengths[] = {300000, 0x7fffffff, 0xfffffff0};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct bytes b = {0};
        pcap_begin(&b, MICRO, 0xffffffff, 1);
        pcap_packet(&b, 1, 0, 7, 10, 10);
        put32(&b, 2);
        put32(&b, 0);
        put32(&b, lengths[i]);
        put32(&b, lengths[i]);
        put_fill(&b, 9, 100);
        struct source *s = open_bytes(&b);
        expect_frame(s, 1, S, 7, 10, 10, 1);
        expect_failure(s, "a.pcap is damaged after packet 1: ");
        source_free(s);
    }
}

static void a_file_without_packets_is_complete(void **state)
{
    (void)state;
    struct bytes b = {0};
    pcap_begin(&b, MICRO, 65535, 1);
    struct source *s = open_bytes(&b);
    expect_end(s);
    assert_true(source_input(s, 0)->complete);
    source_free(s);
}

/* At every byte: all whole packets, then the truth about the rest. */
static void check_prefix(void *user, const uint8_t *prefix, size_t len)
{
    const size_t *ends = user; /* where the header and each packet end, 0 after the last */
    const char *path = file_write("cut.pcap", prefix, len);
    if (len < 24) {
        const char *why = open_bad(path);
        assert_non_null(strstr(why, len == 0  ? "cut.pcap is empty"
                                    : len < 4 ? "not a capture"
                                              : "is cut within its file header"));
        return;
    }
    struct source *s = open_good(path);
    size_t whole = 0;
    while (ends[whole + 1] && ends[whole + 1] <= len)
        whole++;
    for (uint32_t i = 0; i < whole; i++)
        expect_frame(s, i + 1, (i + 1) * S, (uint8_t)(0xa0 + i), 10 + i, 100, 1);
    if (ends[whole] == len) {
        expect_end(s);
        assert_true(source_input(s, 0)->complete);
    } else {
        char words[128];
        (void)snprintf(words, sizeof words,
                       "cut.pcap ends in the middle of packet %zu (byte %zu): what came before it was read", whole + 1,
                       len);
        expect_failure(s, words);
    }
    assert_int_equal(source_input(s, 0)->frames, whole);
    source_free(s);
}

static void a_file_cut_anywhere_gives_all_whole_packets_and_says_where_it_ends(void **state)
{
    (void)state;
    struct bytes b = {0};
    size_t ends[8] = {0}, n = 0;
    pcap_begin(&b, MICRO, 65535, 1);
    ends[n++] = b.len;
    for (uint32_t i = 0; i < 4; i++) {
        pcap_packet(&b, i + 1, 0, (uint8_t)(0xa0 + i), 10 + i, 100);
        ends[n++] = b.len;
    }
    for_each_prefix(b.at, b.len, check_prefix, ends);
}

static void an_ancient_version_is_refused_in_words(void **state)
{
    (void)state;
    struct bytes b = {0};
    put32(&b, MICRO);
    put16(&b, 1);
    put16(&b, 0);
    put_zeros(&b, 16);
    const char *why = open_bad(file_write("old.pcap", b.at, b.len));
    assert_non_null(strstr(why, "old.pcap cannot be read as a pcap file: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(micro_and_nanoseconds_are_read_in_both_byte_orders),
        cmocka_unit_test(the_longer_record_header_of_kuznetzov_is_read),
        cmocka_unit_test(link_types_are_those_of_the_registry_and_not_of_this_platform),
        cmocka_unit_test(times_after_2038_are_not_before_1970),
        cmocka_unit_test(the_wire_length_is_never_less_than_what_was_captured),
        cmocka_unit_test(a_packet_longer_than_the_snapshot_length_is_handed_out_whole),
        cmocka_unit_test(an_absurd_length_is_damage),
        cmocka_unit_test(a_file_without_packets_is_complete),
        cmocka_unit_test(a_file_cut_anywhere_gives_all_whole_packets_and_says_where_it_ends),
        cmocka_unit_test(an_ancient_version_is_refused_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, files_done);
}

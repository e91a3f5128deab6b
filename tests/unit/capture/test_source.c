#include "testing.h"

#include <fcntl.h>

#include "building.h"

/* What is not a capture, and several files as one. */

#define MICRO 0xa1b2c3d4u

/* ---- not a capture ---- */

static void what_is_not_a_capture_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t len;
        const char *bytes;
        const char *words;
    } files[] = {
        {"empty.pcap", 0, "", "empty.pcap is empty, not a capture (pcap or pcapng)"},
        {"notes.txt", 12, "hello world\n", "notes.txt is a text file, not a capture (pcap or pcapng)"},
        {"umlaut.txt", 9,
         "gr\xc3\xbc\xc3\x9f"
         "e\r\n",
         "is a text file, not a capture"},
        {"image.png", 16, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG image, not a capture"},
        {"paper.pdf", 9, "%PDF-1.7\n", "is a PDF document, not a capture"},
        {"program", 8, "\177ELF\2\1\1\0", "is a program or library (ELF), not a capture"},
        {"archive.zip", 6, "PK\3\4\x14\0", "is a ZIP archive, not a capture"},
        {"page.html", 15, "<!DOCTYPE html>", "is a web page, not a capture"},
        {"sun.snoop", 16, "snoop\0\0\0\0\0\0\2\0\0\0\4", "is a Sun snoop capture, which is not read here: convert it"},
        {"random", 16, "\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17\20",
         "is of a format that is not known here, not a capture"},
        {"zeros", 32, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
         "is all zeros as far as looked at"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const char *why = open_bad(file_write(files[i].name, files[i].bytes, files[i].len));
        if (!strstr(why, files[i].words))
            fail_msg("\"%s\" does not say \"%s\"", why, files[i].words);
    }
}

static void what_is_compressed_and_not_a_capture_is_named(void **state)
{
    (void)state;
    static uint8_t packed[4096];
    size_t n = compress_bytes("just text\n", 10, archive_write_add_filter_gzip, packed, sizeof packed);
    const char *why = open_bad(file_write("a.gz", packed, n));
    assert_non_null(strstr(why, "a.gz is not a capture: what it holds compressed (gzip) is a text file"));
    n = compress_bytes("", 0, archive_write_add_filter_xz, packed, sizeof packed);
    why = open_bad(file_write("a.xz", packed, n));
    assert_non_null(strstr(why, "a.xz is not a capture: what it holds compressed (xz) is empty"));
    why = open_bad(file_write("bad.gz", "\x1f\x8b\x08\0garbage garbage", 19));
    assert_non_null(strstr(why, "bad.gz cannot be read: gzip: "));
    why = open_bad(file_write("bad.xz",
                              "\xfd"
                              "7zXZ\0garbage garbage",
                              21));
    assert_non_null(strstr(why, "bad.xz cannot be read: xz: "));
}

static void what_cannot_be_opened_is_named(void **state)
{
    (void)state;
    assert_non_null(strstr(open_bad(file_path("nothing")), "nothing does not exist"));
    assert_non_null(strstr(open_bad(P_tmpdir), " is a directory, not a capture"));
    if (geteuid() == 0) {
        print_message("[ SKIPPED  ] no permission: root reads everything\n");
        return;
    }
    const char *path = file_write("secret.pcap", "x", 1);
    assert_int_equal(chmod(path, 0), 0);
    assert_non_null(strstr(open_bad(path), "secret.pcap cannot be opened: Permission denied"));
}

/* ---- ERF ---- */

/* Endace's guide: timestamp 32.32 (little-endian), type, flags, record length, loss counter, wire length */
static void erf_record(struct bytes *b, uint32_t seconds, uint32_t fraction, uint8_t type, unsigned extensions,
                       uint8_t fill, uint16_t captured, uint16_t wire)
{
    bool eth = (type & 0x7f) == 2;
    b->big_endian = false;
    put32(b, fraction);
    put32(b, seconds);
    b->big_endian = true;
    put_number(b, type | (extensions ? 0x80u : 0), 1);
    put_number(b, 4, 1);
    put16(b, (uint16_t)(16 + 8 * extensions + (eth ? 2 : 0) + captured));
    put16(b, 0);
    put16(b, wire);
    for (unsigned i = 0; i < extensions; i++) {
        put_number(b, i + 1 < extensions ? 0x83 : 0x03, 1);
        put_zeros(b, 7);
    }
    put_zeros(b, eth ? 2 : 0);
    put_fill(b, fill, captured);
}

static void erf_records_are_handed_out_as_what_they_carry(void **state)
{
    (void)state;
    struct bytes b = {0};
    erf_record(&b, 1000, 0x80000000, 2, 0, 0xe1, 60, 64);
    erf_record(&b, 1001, 0, 2, 2, 0xe2, 50, 1500);
    erf_record(&b, 1001, 0, 48, 0, 0, 40, 40); /* padding has no number */
    erf_record(&b, 1002, 0, 22, 0, 0x45, 40, 40);
    erf_record(&b, 1003, 0, 23, 0, 0x60, 40, 40);
    erf_record(&b, 1004, 0, 2, 0, 0xe3, 66, 62); /* padded to eight bytes */
    struct source *s = open_good(file_write("a.erf", b.at, b.len));
    expect_frame(s, 1, 1000 * S + S / 2, 0xe1, 60, 64, 1);
    expect_frame(s, 2, 1001 * S, 0xe2, 50, 1500, 1);
    expect_frame(s, 3, 1002 * S, 0x45, 40, 40, 228);
    expect_frame(s, 4, 1003 * S, 0x60, 40, 40, 229);
    expect_frame(s, 5, 1004 * S, 0xe3, 62, 62, 1);
    expect_end(s);
    source_free(s);
}

static void an_erf_record_of_another_type_is_handed_out_whole(void **state)
{
    (void)state;
    struct bytes b = {0};
    for (uint32_t i = 0; i < 3; i++)
        erf_record(&b, 1000 + i, 0, 27, 1, 0, 16, 16);
    struct source *s = open_good(file_write("meta.erf", b.at, b.len));
    struct frame f;
    assert_int_equal(source_next(s, &f), SOURCE_FRAME);
    assert_int_equal(f.link_type, 197);
    assert_int_equal(f.captured_bytes, 16 + 8 + 16);
    assert_int_equal(f.wire_bytes, 16 + 8 + 16);
    assert_memory_equal(f.bytes, b.at, 40);
    source_free(s);
}

static void check_erf_prefix(void *user, const uint8_t *prefix, size_t len)
{
    size_t record = *(const size_t *)user;
    struct error error;
    struct source *s = source_open_file(file_write("cut.erf", prefix, len), &error);
    if (!s) {
        assert_true(len < 3 * record);
        return;
    }
    for (uint32_t i = 0; i < len / record; i++)
        expect_frame(s, i + 1, (1000 + i) * S, (uint8_t)(0xe0 + i), 60, 60, 1);
    if (len % record)
        expect_failure(s, "cut.erf ends in the middle of packet ");
    else
        expect_end(s);
    source_free(s);
}

static void an_erf_file_cut_anywhere_gives_all_whole_records(void **state)
{
    (void)state;
    struct bytes b = {0};
    size_t record = 0;
    for (uint32_t i = 0; i < 5; i++) {
        erf_record(&b, 1000 + i, 0, 2, 0, (uint8_t)(0xe0 + i), 60, 60);
        record = i ? record : b.len;
    }
    for_each_prefix(b.at, b.len, check_erf_prefix, &record);
}

/* ---- several files ---- */

/* A capture whose frame i has `fill` and the time times[i], in seconds. */
static const char *write_capture(const char *name, uint8_t fill, const uint32_t *times, size_t count)
{
    struct bytes b = {0};
    pcap_begin(&b, MICRO, 65535, 1);
    for (size_t i = 0; i < count; i++)
        pcap_packet(&b, times[i], 0, fill, 20, 20);
    return file_write(name, b.at, b.len);
}

static struct source *open_series(const char *const *paths, size_t count)
{
    struct error error = {.text = ""};
    struct source *s = source_open_series(paths, count, &error);
    if (!s)
        fail_msg("%s", error.text);
    return s;
}

static void expect_next(struct source *s, uint32_t input, uint64_t number, uint32_t seconds)
{
    struct frame f;
    assert_int_equal(source_next(s, &f), SOURCE_FRAME);
    assert_int_equal(f.input, input);
    assert_int_equal(f.number, number);
    assert_int_equal(f.time_ns, seconds * S);
}

static void a_rotated_series_is_read_in_time_order_whatever_the_order_of_its_files(void **state)
{
    (void)state;
    static const uint32_t early[] = {1, 2}, middle[] = {2, 3, 4}, late[] = {5};
    const char *paths[] = {write_capture("c", 3, late, 1), write_capture("a", 1, early, 2),
                           write_capture("b", 2, middle, 3)};
    struct source *s = open_series(paths, 3);
    expect_next(s, 1, 1, 1);
    expect_next(s, 1, 2, 2); /* of the file that began earlier, where times are the same */
    expect_next(s, 2, 1, 2);
    expect_next(s, 2, 2, 3);
    expect_next(s, 2, 3, 4);
    expect_next(s, 0, 1, 5);
    expect_end(s);
    assert_int_equal(source_input_count(s), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(source_input(s, i)->name, paths[i]);
        assert_true(source_input(s, i)->complete);
    }
    assert_int_equal(source_input(s, 2)->frames, 3);
    assert_int_equal(source_input(s, 2)->first_ns, 2 * S);
    assert_int_equal(source_input(s, 2)->last_ns, 4 * S);
    source_free(s);
}

static void files_that_overlap_are_merged_by_time(void **state)
{
    (void)state;
    static const uint32_t odd[] = {1, 3, 5, 7}, even[] = {2, 4, 6, 8};
    const char *paths[] = {write_capture("odd", 1, odd, 4), write_capture("even", 2, even, 4)};
    struct source *s = open_series(paths, 2);
    for (uint32_t i = 0; i < 8; i++)
        expect_next(s, i % 2, i / 2 + 1, i + 1);
    expect_end(s);
    source_free(s);
}

static void the_same_file_twice_is_read_twice(void **state)
{
    (void)state;
    static const uint32_t times[] = {1, 2};
    const char *path = write_capture("a", 1, times, 2);
    const char *paths[] = {path, path};
    struct source *s = open_series(paths, 2);
    expect_next(s, 0, 1, 1);
    expect_next(s, 1, 1, 1);
    expect_next(s, 0, 2, 2);
    expect_next(s, 1, 2, 2);
    expect_end(s);
    source_free(s);
}

static void a_file_that_cannot_be_read_does_not_keep_the_others_from_being_read(void **state)
{
    (void)state;
    static const uint32_t times[] = {1, 2};
    struct bytes cut = {0};
    pcap_begin(&cut, MICRO, 65535, 1);
    pcap_packet(&cut, 1, 0, 9, 20, 20);
    const char *paths[] = {file_path("missing"), write_capture("good", 1, times, 2), file_write("text", "text", 4),
                           file_write("cut", cut.at, cut.len - 1), file_write("none", cut.at, 24)};
    struct source *s = open_series(paths, 5);
    struct frame f;
    int failures = 0, frames = 0;
    enum source_status status;
    while ((status = source_next(s, &f)) != SOURCE_END) {
        failures += status == SOURCE_FAILED;
        frames += status == SOURCE_FRAME;
    }
    assert_int_equal(failures, 3);
    assert_int_equal(frames, 2);
    static const bool complete[] = {false, true, false, false, true};
    static const char *const words[] = {"missing does not exist", "", "text is a text file",
                                        "cut ends in the middle of packet 1", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(source_input(s, i)->complete, complete[i]);
        assert_int_equal(strlen(source_input(s, i)->problem.text) == 0, complete[i]);
        assert_non_null(strstr(source_input(s, i)->problem.text, words[i]));
    }
    source_free(s);
}

static void a_series_of_which_nothing_can_be_opened_fails(void **state)
{
    (void)state;
    const char *paths[] = {file_path("missing"), file_write("text", "text", 4)};
    struct error error = {.text = ""};
    assert_null(source_open_series(paths, 2, &error));
    assert_non_null(strstr(error.text, "missing does not exist"));
    assert_null(source_open_series(paths, 0, &error));
}

static void a_file_cut_in_the_middle_of_a_series_fails_where_it_ends(void **state)
{
    (void)state;
    static const uint32_t later[] = {5, 6};
    struct bytes cut = {0};
    pcap_begin(&cut, MICRO, 65535, 1);
    pcap_packet(&cut, 1, 0, 9, 20, 20);
    pcap_packet(&cut, 2, 0, 9, 20, 20);
    const char *paths[] = {file_write("cut", cut.at, cut.len - 3), write_capture("later", 1, later, 2)};
    struct source *s = open_series(paths, 2);
    struct frame f;
    expect_next(s, 0, 1, 1);
    assert_int_equal(source_next(s, &f), SOURCE_FAILED);
    assert_non_null(strstr(source_input(s, 0)->problem.text, "ends in the middle of packet 2"));
    expect_next(s, 1, 1, 5);
    expect_next(s, 1, 2, 6);
    expect_end(s);
    source_free(s);
}

static size_t open_descriptors(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

enum { MANY = 400 };

static const char **write_many(uint32_t step, size_t each)
{
    static char names[MANY][128];
    static const char *paths[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        char name[16];
        uint32_t times[4];
        for (uint32_t k = 0; k < each; k++)
            times[k] = 1 + i * step + k * 1000;
        (void)snprintf(name, sizeof name, "many-%u", i);
        (void)snprintf(names[i], sizeof names[i], "%s", write_capture(name, (uint8_t)i, times, each));
        paths[MANY - 1 - i] = names[i]; /* the last first */
    }
    return paths;
}

static void a_long_series_keeps_few_files_open(void **state)
{
    (void)state;
    size_t before = open_descriptors();
    struct source *s = open_series(write_many(1, 1), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        expect_next(s, MANY - 1 - i, 1, 1 + i);
        assert_true(open_descriptors() - before <= 20);
    }
    expect_end(s);
    assert_int_equal(open_descriptors(), before);
    source_free(s);
}

static void more_files_at_one_time_than_can_be_merged_are_said_not_to_be_read(void **state)
{
    (void)state;
    struct source *s = open_series(write_many(1, 2), MANY);
    struct frame f;
    enum source_status status;
    size_t frames = 0, failures = 0, not_read = 0;
    int64_t before = 0;
    while ((status = source_next(s, &f)) != SOURCE_END) {
        failures += status == SOURCE_FAILED;
        frames += status == SOURCE_FRAME;
        if (status == SOURCE_FRAME) {
            assert_true(f.time_ns >= before);
            before = f.time_ns;
        }
    }
    for (size_t i = 0; i < MANY; i++)
        not_read +=
            strstr(source_input(s, i)->problem.text, "was not read: more than 256 files overlap in time") != NULL;
    assert_int_equal(failures, not_read);
    assert_int_equal(frames, 2 * (MANY - not_read));
    assert_in_range(not_read, 1, MANY - 256);
    source_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_a_capture_is_named),
        cmocka_unit_test(what_is_compressed_and_not_a_capture_is_named),
        cmocka_unit_test(what_cannot_be_opened_is_named),
        cmocka_unit_test(erf_records_are_handed_out_as_what_they_carry),
        cmocka_unit_test(an_erf_record_of_another_type_is_handed_out_whole),
        cmocka_unit_test(an_erf_file_cut_anywhere_gives_all_whole_records),
        cmocka_unit_test(a_rotated_series_is_read_in_time_order_whatever_the_order_of_its_files),
        cmocka_unit_test(files_that_overlap_are_merged_by_time),
        cmocka_unit_test(the_same_file_twice_is_read_twice),
        cmocka_unit_test(a_file_that_cannot_be_read_does_not_keep_the_others_from_being_read),
        cmocka_unit_test(a_series_of_which_nothing_can_be_opened_fails),
        cmocka_unit_test(a_file_cut_in_the_middle_of_a_series_fails_where_it_ends),
        cmocka_unit_test(a_long_series_keeps_few_files_open),
        cmocka_unit_test(more_files_at_one_time_than_can_be_merged_are_said_not_to_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, files_done);
}

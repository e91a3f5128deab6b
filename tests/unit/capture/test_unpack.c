#include "testing.h"

#include <sys/wait.h>

#include "building.h"

/* Compressed captures, and standard input. What libarchive's writer makes is read back; the vectors at the end were
 * made with gzip(1), zstd(1), lz4(1) and xz(1). */

#define MICRO 0xa1b2c3d4u

enum { PACKETS = 300 };

static const struct {
    const char *name;
    int (*add)(struct archive *);
    bool has_check_sum; /* zstd(1) writes one, libarchive does not */
} filters[] = {
#ifdef QOSMARK_HAVE_ZLIB
    {"gzip", archive_write_add_filter_gzip, true},
#else
    {"gzip", archive_write_add_filter_gzip, false}, /* it has, but without zlib nobody looks at it */
#endif
    {"zstd", archive_write_add_filter_zstd, false}, {"xz", archive_write_add_filter_xz, true},
    {"lz4", archive_write_add_filter_lz4, true},    {"bzip2", archive_write_add_filter_bzip2, true},
    {"lzip", archive_write_add_filter_lzip, true},  {"compress", archive_write_add_filter_compress, false},
};

enum { FILTERS = sizeof filters / sizeof *filters };

static struct bytes capture;
static uint8_t packed[1 << 17];

/* Frames that do not compress to nothing, so that a cut takes some. */
static int make_capture(void **state)
{
    (void)state;
    capture.len = 0;
    pcap_begin(&capture, MICRO, 65535, 1);
    uint32_t v = 1;
    for (uint32_t i = 0; i < PACKETS; i++) {
        put32(&capture, 1000 + i);
        put32(&capture, 0);
        put32(&capture, 100);
        put32(&capture, 100);
        for (int k = 0; k < 25; k++)
            put32(&capture, v = v * 1664525 + 1013904223);
    }
    return 0;
}

static uint64_t count_frames(struct source *s, enum source_status *ret_last)
{
    struct frame f;
    uint64_t n = 0;
    while ((*ret_last = source_next(s, &f)) == SOURCE_FRAME) {
        n++;
        assert_int_equal(f.number, n);
        assert_int_equal(f.time_ns, (1000 + (int64_t)n - 1) * S);
        assert_memory_equal(f.bytes, capture.at + 24 + (n - 1) * 116 + 16, 100);
    }
    return n;
}

static void expect_all(struct source *s, uint64_t packets)
{
    enum source_status last;
    assert_int_equal(count_frames(s, &last), packets);
    if (last != SOURCE_END)
        fail_msg("%s", source_input(s, 0)->problem.text);
    assert_true(source_input(s, 0)->complete);
    source_free(s);
}

static void every_compression_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILTERS; i++) {
        size_t n = compress_bytes(capture.at, capture.len, filters[i].add, packed, sizeof packed);
        expect_all(open_good(file_write(filters[i].name, packed, n)), PACKETS);
    }
}

static void what_is_compressed_twice_is_read(void **state)
{
    (void)state;
    static uint8_t twice[1 << 17];
    size_t n = compress_bytes(capture.at, capture.len, archive_write_add_filter_gzip, packed, sizeof packed);
    n = compress_bytes(packed, n, archive_write_add_filter_xz, twice, sizeof twice);
    expect_all(open_good(file_write("a.gz.xz", twice, n)), PACKETS);
}

static void parts_compressed_one_by_one_are_read_as_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILTERS; i++) {
        if (strcmp(filters[i].name, "compress") == 0)
            continue; /* has no end that another could follow */
        size_t half = capture.len / 2;
        size_t n = compress_bytes(capture.at, half, filters[i].add, packed, sizeof packed);
        n += compress_bytes(capture.at + half, capture.len - half, filters[i].add, packed + n, sizeof packed - n);
        expect_all(open_good(file_write(filters[i].name, packed, n)), PACKETS);
    }
}

static void padding_behind_gzip_data_is_not_data(void **state)
{
    (void)state;
    size_t n = compress_bytes(capture.at, capture.len, archive_write_add_filter_gzip, packed, sizeof packed);
    memset(packed + n, 0, 512);
    expect_all(open_good(file_write("tape.gz", packed, n + 512)), PACKETS);
}

static void a_skippable_frame_before_zstd_data_is_skipped(void **state)
{
    (void)state;
    memcpy(packed, "\x50\x2a\x4d\x18\4\0\0\0abcd", 12); /* as pzstd writes: RFC 8878 §3.1.2 */
    size_t n = compress_bytes(capture.at, capture.len, archive_write_add_filter_zstd, packed + 12, sizeof packed - 12);
    expect_all(open_good(file_write("a.zst", packed, 12 + n)), PACKETS);
}

static void compressed_data_cut_short_gives_what_came_before_and_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILTERS; i++) {
        if (strcmp(filters[i].name, "compress") == 0)
            continue; /* no way to tell: it is a capture cut in the middle of a packet then */
        size_t n = compress_bytes(capture.at, capture.len, filters[i].add, packed, sizeof packed);
        struct error error = {.text = ""};
        struct source *s = source_open_file(file_write("a.packed", packed, n - n / 4), &error);
        if (!s) { /* bzip2 and xz work in blocks of which none is whole */
            assert_non_null(strstr(error.text, "a.packed cannot be read: "));
            continue;
        }
        enum source_status last;
        uint64_t got = count_frames(s, &last);
        assert_true(got < PACKETS);
        assert_int_equal(last, SOURCE_FAILED);
        const struct source_input *in = source_input(s, 0);
        assert_false(in->complete);
        char words[96];
        (void)snprintf(words, sizeof words, "a.packed: its %s data is damaged or cut short after packet %d",
                       filters[i].name, (int)got);
        if (!strstr(in->problem.text, words))
            fail_msg("%s", in->problem.text);
        expect_end(s);
        source_free(s);
    }
}

static void damaged_compressed_data_is_never_read_as_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILTERS; i++) {
        if (!filters[i].has_check_sum)
            continue;
        size_t n = compress_bytes(capture.at, capture.len, filters[i].add, packed, sizeof packed);
        for (size_t at = 40; at < n; at += n / 23) {
            packed[at] ^= 0x10;
            struct error error;
            struct source *s = source_open_file(file_write("damaged", packed, n), &error);
            struct frame f;
            enum source_status last = SOURCE_FAILED;
            while (s && (last = source_next(s, &f)) == SOURCE_FRAME)
                continue;
            if (last != SOURCE_FAILED)
                fail_msg("%s with byte %zu of %zu changed was read as complete", filters[i].name, at, n);
            source_free(s);
            packed[at] ^= 0x10;
        }
    }
}

/* Feeds `n` bytes to standard input from another process, in writes of `step` bytes. */
static pid_t feed_stdin(const uint8_t *bytes, size_t n, size_t step)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        for (size_t at = 0; at < n; at += step)
            if (write(ends[1], bytes + at, step < n - at ? step : n - at) < 0)
                _exit(1);
        _exit(0);
    }
    (void)close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    (void)close(ends[0]);
    return child;
}

static void standard_input_is_read_plain_and_compressed_in_any_pieces(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 4096, 1 << 20};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        for (int compressed = 0; compressed < 2; compressed++) {
            size_t n = capture.len;
            const uint8_t *bytes = capture.at;
            if (compressed) {
                n = compress_bytes(capture.at, capture.len, archive_write_add_filter_zstd, packed, sizeof packed);
                bytes = packed;
            }
            pid_t child = feed_stdin(bytes, n, steps[i]);
            struct source *s = open_good("-");
            assert_string_equal(source_input(s, 0)->name, "standard input");
            uint64_t done, total;
            source_progress(s, &done, &total);
            assert_int_equal(total, 0);
            expect_all(s, PACKETS);
            (void)waitpid(child, NULL, 0);
        }
    }
}

static void empty_standard_input_is_said_to_be_empty(void **state)
{
    (void)state;
    pid_t child = feed_stdin(capture.at, 0, 1);
    assert_string_equal(open_bad("-"), "standard input is empty, not a capture (pcap or pcapng)");
    (void)waitpid(child, NULL, 0);
}

static void progress_goes_from_nothing_to_all(void **state)
{
    (void)state;
    size_t n = compress_bytes(capture.at, capture.len, archive_write_add_filter_gzip, packed, sizeof packed);
    const char *paths[] = {file_write("a.pcap", capture.at, capture.len), file_write("b.pcap.gz", packed, n)};
    struct error error;
    struct source *s = source_open_series(paths, 2, &error);
    assert_non_null(s);
    uint64_t done, total, before = 0;
    struct frame f;
    while (source_next(s, &f) == SOURCE_FRAME) {
        source_progress(s, &done, &total);
        assert_true(done >= before && done <= total);
        assert_int_equal(total, capture.len + n);
        before = done;
    }
    source_progress(s, &done, &total);
    assert_int_equal(done, total);
    source_free(s);
}

/* A capture with one packet: 10 bytes "qosmarkqos", at 1700000000.000005, as the programs compressed it. */
static void what_the_programs_themselves_compress_is_read(void **state)
{
    (void)state;
#include "packed_vectors.inc"
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct source *s = open_good(file_write(vectors[i].name, vectors[i].bytes, vectors[i].len));
        struct frame f;
        assert_int_equal(source_next(s, &f), SOURCE_FRAME);
        assert_int_equal(f.time_ns, 1700000000 * S + 5000);
        assert_int_equal(f.captured_bytes, 10);
        assert_memory_equal(f.bytes, "qosmarkqos", 10);
        expect_end(s);
        assert_true(source_input(s, 0)->complete);
        source_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_compression_is_read),
        cmocka_unit_test(what_is_compressed_twice_is_read),
        cmocka_unit_test(parts_compressed_one_by_one_are_read_as_one),
        cmocka_unit_test(padding_behind_gzip_data_is_not_data),
        cmocka_unit_test(a_skippable_frame_before_zstd_data_is_skipped),
        cmocka_unit_test(compressed_data_cut_short_gives_what_came_before_and_says_so),
        cmocka_unit_test(damaged_compressed_data_is_never_read_as_complete),
        cmocka_unit_test(standard_input_is_read_plain_and_compressed_in_any_pieces),
        cmocka_unit_test(empty_standard_input_is_said_to_be_empty),
        cmocka_unit_test(progress_goes_from_nothing_to_all),
        cmocka_unit_test(what_the_programs_themselves_compress_is_read),
    };
    return cmocka_run_group_tests(tests, make_capture, files_done);
}

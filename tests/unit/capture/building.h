#ifndef QOSMARK_TESTS_CAPTURE_BUILDING_H
#define QOSMARK_TESTS_CAPTURE_BUILDING_H

/* Captures made byte by byte, for the tests of this room. Include after testing.h. */
#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/source.h"

struct bytes {
    uint8_t at[1 << 16];
    size_t len;
    bool big_endian;
};

static inline void put(struct bytes *b, const void *bytes, size_t n)
{
    assert_true(b->len + n <= sizeof b->at);
    memcpy(b->at + b->len, bytes, n);
    b->len += n;
}

static inline void put_number(struct bytes *b, uint64_t v, size_t n)
{
    uint8_t raw[8];
    for (size_t i = 0; i < n; i++)
        raw[b->big_endian ? n - 1 - i : i] = (uint8_t)(v >> (8 * i));
    put(b, raw, n);
}

static inline void put16(struct bytes *b, uint16_t v)
{
    put_number(b, v, 2);
}

static inline void put32(struct bytes *b, uint32_t v)
{
    put_number(b, v, 4);
}

static inline void put64(struct bytes *b, uint64_t v)
{
    put_number(b, v, 8);
}

static inline void put_zeros(struct bytes *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(b, "", 1);
}

/* A frame that can be told from others: `n` bytes of the value `fill`. */
static inline void put_fill(struct bytes *b, uint8_t fill, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(b, &fill, 1);
}

/* draft-ietf-opsawg-pcap §4 */
static inline void pcap_begin(struct bytes *b, uint32_t magic, uint32_t snap, uint32_t link_type)
{
    put32(b, magic);
    put16(b, 2);
    put16(b, 4);
    put_zeros(b, 8);
    put32(b, snap);
    put32(b, link_type);
}

static inline void pcap_packet(struct bytes *b, uint32_t seconds, uint32_t fraction, uint8_t fill, uint32_t captured,
                               uint32_t wire)
{
    put32(b, seconds);
    put32(b, fraction);
    put32(b, captured);
    put32(b, wire);
    put_fill(b, fill, captured);
}

/* Files of a test: paths are made by file_path() and everything is removed by files_done(). */
static char files_folder[64];

static inline const char *file_path(const char *name)
{
    static char paths[16][128];
    static unsigned next;
    if (!files_folder[0]) {
        (void)snprintf(files_folder, sizeof files_folder, "%s/qosmark-test-XXXXXX", P_tmpdir);
        assert_non_null(mkdtemp(files_folder));
    }
    char *path = paths[next++ % 16];
    (void)snprintf(path, sizeof paths[0], "%s/%s", files_folder, name);
    return path;
}

static inline const char *file_write(const char *name, const void *bytes, size_t n)
{
    const char *path = file_path(name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline int files_done(void **state)
{
    (void)state;
    char command[96];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", files_folder);
    return files_folder[0] ? system(command) : 0;
}

/* `n` bytes compressed by libarchive's writer with `add_filter`. */
static inline size_t compress_bytes(const void *bytes, size_t n, int (*add_filter)(struct archive *), void *to,
                                    size_t room)
{
    size_t used = 0;
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
    assert_int_equal(add_filter(a), ARCHIVE_OK);
    (void)archive_write_set_bytes_in_last_block(a, 1);
    assert_int_equal(archive_write_open_memory(a, to, room, &used), ARCHIVE_OK);
    archive_entry_set_pathname(e, "data");
    archive_entry_set_filetype(e, AE_IFREG);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, bytes, n), n);
    archive_entry_free(e);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    (void)archive_write_free(a);
    return used;
}

/* Opens a source that must open. */
static inline struct source *open_good(const char *path)
{
    struct error error = {.text = ""};
    struct source *s = source_open_file(path, &error);
    if (!s)
        fail_msg("%s", error.text);
    return s;
}

/* Opens a source that must not, and returns why. */
static inline const char *open_bad(const char *path)
{
    static struct error error;
    error = (struct error){0};
    struct source *s = source_open_file(path, &error);
    assert_null(s);
    return error.text;
}

/* The next frame, which must be there, of `captured` bytes of value `fill`. */
static inline void expect_frame(struct source *s, uint64_t number, int64_t time_ns, uint8_t fill, uint32_t captured,
                                uint32_t wire, uint16_t link_type)
{
    struct frame f = {0};
    assert_int_equal(source_next(s, &f), SOURCE_FRAME);
    assert_int_equal(f.number, number);
    assert_int_equal(f.time_ns, time_ns);
    assert_int_equal(f.captured_bytes, captured);
    assert_int_equal(f.wire_bytes, wire);
    assert_int_equal(f.link_type, link_type);
    for (uint32_t i = 0; i < captured; i++)
        assert_int_equal(f.bytes[i], fill);
}

static inline void expect_end(struct source *s)
{
    struct frame f;
    assert_int_equal(source_next(s, &f), SOURCE_END);
    assert_int_equal(source_next(s, &f), SOURCE_END);
}

/* The end of a single input that is not its proper one, with `words` in the sentence. */
static inline void expect_failure(struct source *s, const char *words)
{
    struct frame f;
    assert_int_equal(source_next(s, &f), SOURCE_FAILED);
    const struct source_input *in = source_input(s, 0);
    assert_false(in->complete);
    if (!strstr(in->problem.text, words))
        fail_msg("\"%s\" does not say \"%s\"", in->problem.text, words);
    expect_end(s);
}

#define S INT64_C(1000000000)

#endif

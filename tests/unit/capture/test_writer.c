#include "testing.h"

#include <stdio.h>
#include <unistd.h>

#include "capture/source.h"
#include "capture/writer.h"

/* Where a writer's bytes go: memory, up to a limit. */
struct sink {
    uint8_t bytes[1 << 20];
    size_t len, limit;
};

static bool take(void *user, const char *bytes, size_t len)
{
    struct sink *s = user;
    if (s->len + len > s->limit)
        return false;
    memcpy(s->bytes + s->len, bytes, len);
    s->len += len;
    return true;
}

static struct sink *sink_new(size_t limit)
{
    struct sink *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->limit = limit;
    return s;
}

static const uint8_t payload[5] = {0xde, 0xad, 0xbe, 0xef, 0x55};

/* 2^32 + 1 s and 2 ns would be beyond pcap; this is 1,700,000,000.000000002 s */
static struct frame frame_at(int64_t time_ns)
{
    return (struct frame){.bytes = payload, .captured_bytes = sizeof payload, .wire_bytes = 1500, .time_ns = time_ns};
}

/* libpcap's savefile format (pcap-savefile(5)), worked out by hand. */
static void pcap_is_written_as_its_manual_says(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x4d, 0x3c, 0xb2, 0xa1, 2, 0,   4,    0, 0, 0,    0,    0,    0,    0,    0,
                                       0,    0,    0,    4,    0, 101, 0,    0, 0, 0x00, 0xf1, 0x53, 0x65, 2,    0,
                                       0,    0,    5,    0,    0, 0,   0xdc, 5, 0, 0,    0xde, 0xad, 0xbe, 0xef, 0x55};
    struct sink *s = sink_new(sizeof s->bytes);
    struct capture_writer *w = capture_writer_new(CAPTURE_PCAP, "somebody", take, s);
    const struct capture_interface i = {.name = "eth0", .link_type = 101};
    uint32_t number = 9;
    struct frame f = frame_at(1700000000000000002);
    assert_int_equal(capture_writer_interface(w, &i, &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(capture_writer_frame(w, number, &f, "no place for it"), 0);
    assert_int_equal(capture_writer_finish(w, NULL), 0);
    assert_int_equal(s->len, sizeof expected);
    assert_memory_equal(s->bytes, expected, sizeof expected);
    capture_writer_free(w);
    free(s);
}

/* draft-ietf-opsawg-pcapng: section, interface with name and nanoseconds, packet with a comment; by hand. */
static void pcapng_is_written_as_its_draft_says(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0x0a, 0x0d, 0x0d, 0x0a, 40,   0,   0,   0,   0x4d, 0x3c, 0x2b, 0x1a, 1, 0,    0,    0,    0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 4,   0,   2,   0,    'm',  'e',  0,    0, 0,    0,    0,    0,    40,   0,
        0,    0,    1,    0,    0,    0,   40,  0,   0,    0,    1,    0,    0, 0,    0,    0,    0,    0,    2,
        0,    3,    0,    'l',  'a',  'n', 0,   9,   0,    1,    0,    9,    0, 0,    0,    0,    0,    0,    0,
        40,   0,    0,    0,    6,    0,   0,   0,   52,   0,    0,    0,    0, 0,    0,    0,    1,    0,    0,
        0,    2,    0,    0,    0,    5,   0,   0,   0,    0xdc, 5,    0,    0, 0xde, 0xad, 0xbe, 0xef, 0x55, 0,
        0,    0,    1,    0,    3,    0,   'w', 'h', 'y',  0,    0,    0,    0, 0,    52,   0,    0,    0};
    struct sink *s = sink_new(sizeof s->bytes);
    struct capture_writer *w = capture_writer_new(CAPTURE_PCAPNG, "me", take, s);
    const struct capture_interface i = {.name = "lan", .link_type = 1};
    uint32_t number;
    struct frame f = frame_at(0x100000002);
    assert_int_equal(capture_writer_interface(w, &i, &number), 0);
    assert_int_equal(capture_writer_frame(w, number, &f, "why"), 0);
    assert_int_equal(capture_writer_finish(w, NULL), 0);
    assert_int_equal(s->len, sizeof expected);
    assert_memory_equal(s->bytes, expected, sizeof expected);
    capture_writer_free(w);
    free(s);
}

/* Several interfaces and more than the buffer holds, read back by the reader of captures. */
static void what_is_written_is_read_back(void **state)
{
    (void)state;
    enum { FRAMES = 1000 };
    struct sink *s = sink_new(sizeof s->bytes);
    struct capture_writer *w = capture_writer_new(CAPTURE_PCAPNG, NULL, take, s);
    const struct capture_interface interfaces[2] = {{.link_type = 1},
                                                    {.name = "b", .description = "c", .link_type = 113}};
    uint8_t bytes[700];
    uint32_t numbers[2];
    char path[] = "/tmp/qosmark-test-writer-XXXXXX";
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (int i = 0; i < 2; i++)
        assert_int_equal(capture_writer_interface(w, &interfaces[i], &numbers[i]), 0);
    for (uint32_t i = 0; i < FRAMES; i++) {
        struct frame f = {
            .bytes = bytes, .captured_bytes = i % 700 + 1, .wire_bytes = i % 700 + 1, .time_ns = 1000000007LL * i};
        assert_int_equal(capture_writer_frame(w, numbers[i % 2], &f, i % 3 ? "" : "a comment"), 0);
    }
    assert_int_equal(capture_writer_finish(w, NULL), 0);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, s->bytes, s->len), (ssize_t)s->len);
    assert_int_equal(close(fd), 0);

    struct error error = {0};
    struct source *source = source_open_file(path, &error);
    assert_non_null(source);
    struct frame f;
    for (uint32_t i = 0; i < FRAMES; i++) {
        assert_int_equal(source_next(source, &f), SOURCE_FRAME);
        assert_int_equal(f.captured_bytes, i % 700 + 1);
        assert_int_equal(f.time_ns, 1000000007LL * i);
        assert_int_equal(f.link_type, i % 2 ? 113 : 1);
        assert_memory_equal(f.bytes, bytes, f.captured_bytes);
    }
    assert_int_equal(source_next(source, &f), SOURCE_END);
    assert_true(source_input(source, 0)->complete);
    source_free(source);
    assert_int_equal(unlink(path), 0);
    capture_writer_free(w);
    free(s);
}

static void a_sink_that_fails_is_told_of(void **state)
{
    (void)state;
    struct sink *s = sink_new(100);
    struct capture_writer *w = capture_writer_new(CAPTURE_PCAPNG, "me", take, s);
    const struct capture_interface i = {.link_type = 1};
    uint32_t number;
    struct error error = {0};
    struct frame f = frame_at(0);
    assert_int_equal(capture_writer_interface(w, &i, &number), 0);
    int r = 0;
    for (int n = 0; n < 10000 && r == 0; n++)
        r = capture_writer_frame(w, number, &f, NULL);
    assert_int_equal(r, ERR_IO);
    assert_int_equal(capture_writer_finish(w, &error), ERR_IO);
    assert_true(error.text[0] != '\0');
    capture_writer_free(w);
    free(s);
}

static void what_a_format_cannot_hold_is_refused(void **state)
{
    (void)state;
    struct sink *s = sink_new(sizeof s->bytes);
    struct capture_writer *w = capture_writer_new(CAPTURE_PCAP, NULL, take, s);
    const struct capture_interface ethernet = {.link_type = 1}, raw = {.link_type = 101};
    uint32_t number;
    struct frame late = frame_at((int64_t)UINT32_MAX * 1000000000 + 1000000000), before = frame_at(-1),
                 now = frame_at(0);
    assert_int_equal(capture_writer_frame(w, 0, &now, NULL), ERR_USAGE);
    assert_int_equal(capture_writer_interface(w, &ethernet, &number), 0);
    assert_int_equal(capture_writer_interface(w, &raw, &number), ERR_USAGE);
    assert_int_equal(capture_writer_interface(w, &ethernet, &number), 0);
    assert_int_equal(capture_writer_frame(w, 0, &late, NULL), ERR_USAGE);
    assert_int_equal(capture_writer_frame(w, 0, &before, NULL), ERR_USAGE);
    assert_int_equal(capture_writer_frame(w, 1, &now, NULL), ERR_USAGE);
    capture_writer_free(w);
    free(s);
}

/* An option says its length in 16 bits: a longer comment is cut where no letter is cut in two. */
static void a_comment_too_long_is_cut_between_letters(void **state)
{
    (void)state;
    enum { LETTERS = 40000 };
    struct sink *s = sink_new(sizeof s->bytes);
    struct capture_writer *w = capture_writer_new(CAPTURE_PCAPNG, NULL, take, s);
    const struct capture_interface i = {.link_type = 1};
    uint32_t number;
    char *comment = malloc(LETTERS * 2 + 2);
    assert_non_null(comment);
    comment[0] = 'x';
    for (int n = 0; n < LETTERS; n++)
        memcpy(comment + 1 + 2 * n, "\xc3\xa9", 2);
    comment[1 + 2 * LETTERS] = '\0';
    struct frame f = frame_at(0);
    assert_int_equal(capture_writer_interface(w, &i, &number), 0);
    assert_int_equal(capture_writer_finish(w, NULL), 0);
    size_t before = s->len;
    assert_int_equal(capture_writer_frame(w, number, &f, comment), 0);
    assert_int_equal(capture_writer_finish(w, NULL), 0);
    const uint8_t *option = s->bytes + before + 28 + 8;
    assert_int_equal(option[0], 1);
    size_t len = option[2] | (size_t)option[3] << 8;
    assert_int_equal(len, 65531); /* 'x' and 32,765 letters of two bytes: one more would be 65,533 */
    assert_int_equal((s->len - before) % 4, 0);
    capture_writer_free(w);
    free(comment);
    free(s);
}

static void the_name_of_a_file_tells_its_format(void **state)
{
    (void)state;
    enum capture_format f;
    assert_int_equal(capture_format_of_name("a.pcap"), CAPTURE_PCAP);
    assert_int_equal(capture_format_of_name("dir.pcapng/A.CAP"), CAPTURE_PCAP);
    assert_int_equal(capture_format_of_name("a.pcapng"), CAPTURE_PCAPNG);
    assert_int_equal(capture_format_of_name("a"), CAPTURE_PCAPNG);
    assert_int_equal(capture_format_of_name(NULL), CAPTURE_PCAPNG);
    assert_true(capture_format_parse(SLICE("pcap"), &f) && f == CAPTURE_PCAP);
    assert_true(capture_format_parse(SLICE("pcapng"), &f) && f == CAPTURE_PCAPNG);
    assert_false(capture_format_parse(SLICE("pcapn"), &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pcap_is_written_as_its_manual_says),
        cmocka_unit_test(pcapng_is_written_as_its_draft_says),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_sink_that_fails_is_told_of),
        cmocka_unit_test(what_a_format_cannot_hold_is_refused),
        cmocka_unit_test(a_comment_too_long_is_cut_between_letters),
        cmocka_unit_test(the_name_of_a_file_tells_its_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

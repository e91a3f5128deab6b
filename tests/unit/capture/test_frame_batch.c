#include "testing.h"

#include "building.h"
#include "capture/frame_batch.h"

/* Batches of frames whose bytes stay where they are: over the ends of what is read at a time, for every format. */

enum { MICRO = (int)0xa1b2c3d4, FRAMES = 3000, LONGEST = 1500 };

struct shape {
    const char *name;
    bool pcapng, big_endian;
};

static const struct shape shapes[] = {
    {"plain.pcap", false, false},
    {"foreign.pcap", false, true},
    {"plain.pcapng", true, false},
    {"foreign.pcapng", true, true},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

static uint32_t length_of(uint64_t number)
{
    return (uint32_t)(number * 7919 % LONGEST);
}

static uint8_t byte_of(uint64_t number, uint32_t i)
{
    return (uint8_t)(number * 31 + i);
}

static void write_bytes(FILE *f, struct bytes *b)
{
    assert_int_equal(fwrite(b->at, 1, b->len, f), b->len);
    b->len = 0;
}

static void put_frame(struct bytes *b, const struct shape *shape, uint64_t number)
{
    uint32_t n = length_of(number), room = 32 + ((n + 3) & ~3u);
    if (shape->pcapng) {
        put32(b, 6);
        put32(b, room);
        put32(b, 0);
        put32(b, 0);
        put32(b, (uint32_t)number);
    } else {
        put32(b, 0);
        put32(b, (uint32_t)number);
    }
    put32(b, n);
    put32(b, n);
    for (uint32_t i = 0; i < n; i++)
        put(b, &(uint8_t){byte_of(number, i)}, 1);
    if (shape->pcapng) {
        put_zeros(b, room - 32 - n);
        put32(b, room);
    }
}

static const char *make_file(const struct shape *shape)
{
    static struct bytes b;
    const char *path = file_path(shape->name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    b = (struct bytes){.big_endian = shape->big_endian};
    if (shape->pcapng) {
        put32(&b, 0x0a0d0d0a);
        put32(&b, 28);
        put32(&b, 0x1a2b3c4d);
        put16(&b, 1);
        put16(&b, 0);
        put64(&b, UINT64_MAX);
        put32(&b, 28);
        put32(&b, 1);
        put32(&b, 20);
        put16(&b, 1);
        put16(&b, 0);
        put32(&b, 0);
        put32(&b, 20);
    } else {
        pcap_begin(&b, (uint32_t)MICRO, 65535, 1);
    }
    for (uint64_t number = 1; number <= FRAMES; number++) {
        put_frame(&b, shape, number);
        write_bytes(f, &b);
    }
    assert_int_equal(fclose(f), 0);
    return path;
}

static void expect_batch(const struct frame_batch *b, uint64_t before)
{
    for (uint32_t k = 0; k < b->count; k++) {
        const struct frame *f = &b->frames[k];
        assert_int_equal(f->number, before + k + 1);
        assert_int_equal(f->captured_bytes, length_of(f->number));
        assert_int_equal(f->time_ns, (int64_t)f->number * 1000);
        assert_int_equal(f->input, 0);
        for (uint32_t i = 0; i < f->captured_bytes; i++)
            assert_int_equal(f->bytes[i], byte_of(f->number, i));
    }
}

static void frames_stay_while_later_batches_are_read(void **state)
{
    (void)state;
    enum { BATCHES = 5 };
    static struct frame_batch batches[BATCHES];
    for (size_t i = 0; i < SHAPES; i++) {
        struct source *s = open_good(make_file(&shapes[i]));
        uint64_t before[BATCHES] = {0}, frames = 0;
        enum source_status status = SOURCE_FRAME;
        for (unsigned n = 0; status == SOURCE_FRAME; n++) {
            struct frame_batch *b = &batches[n % BATCHES];
            before[n % BATCHES] = frames;
            status = source_read(s, 0, b);
            assert_true(status == SOURCE_END || b->count > 0);
            frames += b->count;
            for (unsigned k = 0; k < BATCHES; k++)
                expect_batch(&batches[k], before[k]);
        }
        assert_int_equal(status, SOURCE_END);
        assert_int_equal(frames, FRAMES);
        assert_int_equal(source_read(s, 0, &batches[0]), SOURCE_END);
        assert_int_equal(source_input(s, 0)->frames, FRAMES);
        assert_true(source_input(s, 0)->complete);
        source_free(s); /* before the batches: they keep what they hold */
        for (unsigned k = 0; k < BATCHES; k++)
            frame_batch_done(&batches[k]);
    }
}

static void batches_hold_what_frame_by_frame_reading_gives(void **state)
{
    (void)state;
    static struct frame_batch b;
    for (size_t i = 0; i < SHAPES; i++) {
        const char *path = make_file(&shapes[i]);
        struct source *one = open_good(path), *all = open_good(path);
        while (source_read(all, 0, &b) == SOURCE_FRAME) {
            for (uint32_t k = 0; k < b.count; k++) {
                struct frame f;
                assert_int_equal(source_next(one, &f), SOURCE_FRAME);
                assert_int_equal(f.number, b.frames[k].number);
                assert_int_equal(f.link_type, b.frames[k].link_type);
                assert_int_equal(f.wire_bytes, b.frames[k].wire_bytes);
                assert_int_equal(f.captured_bytes, b.frames[k].captured_bytes);
                assert_memory_equal(f.bytes, b.frames[k].bytes, f.captured_bytes);
            }
        }
        expect_end(one);
        assert_int_equal(source_input(one, 0)->bytes, source_input(all, 0)->bytes);
        source_free(one);
        source_free(all);
        frame_batch_done(&b);
    }
}

static void a_damaged_file_gives_its_frames_and_then_fails_for_good(void **state)
{
    (void)state;
    static struct frame_batch b;
    struct bytes file = {0};
    pcap_begin(&file, (uint32_t)MICRO, 65535, 1);
    pcap_packet(&file, 1, 0, 1, 60, 60);
    pcap_packet(&file, 2, 0, 2, 60, 60);
    struct source *s = open_good(file_write("cut.pcap", file.at, file.len - 1));
    assert_int_equal(source_read(s, 0, &b), SOURCE_FRAME);
    assert_int_equal(b.count, 1);
    assert_int_equal(source_read(s, 0, &b), SOURCE_FAILED);
    assert_int_equal(b.count, 0);
    assert_int_equal(source_read(s, 0, &b), SOURCE_FAILED);
    assert_non_null(strstr(source_input(s, 0)->problem.text, "ends in the middle of packet 2"));
    frame_batch_done(&b);
    source_free(s);
}

/* A ring buffer of a capturing program, or a disk that was full: the file becomes shorter under the reader. */
static void a_file_that_shrinks_while_it_is_read_was_cut(void **state)
{
    (void)state;
    static struct frame_batch b;
    const char *path = make_file(&shapes[0]);
    struct source *s = open_good(path);
    assert_int_equal(source_read(s, 0, &b), SOURCE_FRAME);
    assert_int_equal(truncate(path, 100000), 0);
    enum source_status status;
    while ((status = source_read(s, 0, &b)) == SOURCE_FRAME)
        continue;
    assert_int_equal(status, SOURCE_FAILED);
    assert_non_null(strstr(source_input(s, 0)->problem.text, "ends in the middle of packet"));
    frame_batch_done(&b);
    source_free(s);
}

/* Memory does not grow with the file: chunks that nobody holds are used again. */
static void a_batch_holds_few_chunks(void **state)
{
    (void)state;
    static struct frame_batch b;
    struct source *s = open_good(make_file(&shapes[0]));
    struct chunk *seen[8] = {NULL};
    size_t chunks = 0;
    while (source_read(s, 0, &b) == SOURCE_FRAME)
        for (uint32_t i = 0; i < b.chunk_count; i++) {
            size_t k = 0;
            while (k < chunks && seen[k] != b.chunks[i])
                k++;
            if (k == chunks) {
                assert_true(chunks < 4);
                seen[chunks++] = b.chunks[i];
            }
        }
    assert_true(chunks >= 1);
    frame_batch_done(&b);
    source_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_stay_while_later_batches_are_read),
        cmocka_unit_test(batches_hold_what_frame_by_frame_reading_gives),
        cmocka_unit_test(a_damaged_file_gives_its_frames_and_then_fails_for_good),
        cmocka_unit_test(a_file_that_shrinks_while_it_is_read_was_cut),
        cmocka_unit_test(a_batch_holds_few_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, files_done);
}

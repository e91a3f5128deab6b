/*
 * Capture files as the reader takes them: pcap, pcapng, ERF, and any of them compressed. The input is the file. What is
 * read frame by frame, in batches, and as a series of the file with itself must be the same.
 */
#include "base/hash.h"
#include "capture/frame_batch.h"
#include "capture/source.h"
#include "memory_file.h"

enum { FRAMES_MAX = 50000, FRAME_BYTES_MAX = 128 * 1024 * 1024 };

static const struct hash_key key = {5, 6};

struct seen {
    uint64_t frames, sum;
    bool failed;
};

static void see(struct seen *s, const struct frame *f)
{
    FUZZ_CHECK(f->captured_bytes <= f->wire_bytes);
    FUZZ_CHECK(f->captured_bytes <= FRAME_BYTES_MAX);
    FUZZ_CHECK(f->number >= 1);
    uint64_t words[] = {hash_bytes(&key, f->bytes, f->captured_bytes), (uint64_t)f->time_ns, f->number, f->link_type,
                        f->wire_bytes};
    s->sum += hash_bytes(&key, words, sizeof words);
    s->frames++;
}

static struct seen read_by_frame(struct source *source)
{
    struct seen s = {0};
    struct frame f;
    for (;;) {
        enum source_status status = source_next(source, &f);
        if (status == SOURCE_END || s.frames == FRAMES_MAX)
            return s;
        if (status == SOURCE_FAILED)
            s.failed = true;
        else
            see(&s, &f);
    }
}

static struct seen read_by_batch(struct source *source)
{
    static struct frame_batch batch;
    struct seen s = {0};
    memset(&batch, 0, sizeof batch);
    enum source_status status;
    while ((status = source_read(source, 0, &batch)) == SOURCE_FRAME && s.frames < FRAMES_MAX) {
        FUZZ_CHECK(batch.count >= 1 && batch.count <= FRAME_BATCH_MAX);
        for (uint32_t i = 0; i < batch.count; i++)
            if (s.frames < FRAMES_MAX)
                see(&s, &batch.frames[i]);
    }
    s.failed = status == SOURCE_FAILED;
    frame_batch_done(&batch);
    return s;
}

static void check_input(const struct source *source, const struct seen *s)
{
    const struct source_input *in = source_input(source, 0);
    if (s->frames == FRAMES_MAX)
        return;
    FUZZ_CHECK(in->frames == s->frames);
    FUZZ_CHECK(in->complete == !s->failed);
    FUZZ_CHECK(in->complete == (in->problem.text[0] == 0));
    FUZZ_CHECK(strchr(in->problem.text, '\n') == NULL && strchr(in->problem.text, '\033') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory_file file = memory_file_new(data, size);
    struct error error = {0};
    struct source *source = source_open_file(file.path, &error);
    FUZZ_CHECK(source || error.text[0]);
    if (source) {
        struct seen by_frame = read_by_frame(source);
        check_input(source, &by_frame);
        source_free(source);

        source = source_open_file(file.path, &error);
        FUZZ_CHECK(source);
        struct seen by_batch = read_by_batch(source);
        check_input(source, &by_batch);
        source_free(source);
        FUZZ_CHECK(by_frame.frames == by_batch.frames && by_frame.sum == by_batch.sum);
        FUZZ_CHECK(by_frame.frames == FRAMES_MAX || by_frame.failed == by_batch.failed);

        const char *twice[] = {file.path, file.path};
        source = source_open_series(twice, 2, &error);
        FUZZ_CHECK(source || by_frame.frames == 0);
        struct seen series = source ? read_by_frame(source) : (struct seen){0};
        FUZZ_CHECK(series.frames == FRAMES_MAX || series.sum == 2 * by_frame.sum);
        source_free(source);
    }
    memory_file_free(&file);
    return 0;
}

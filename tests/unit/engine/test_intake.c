#include "testing.h"

#include <stdio.h>

#include "capture/building.h"
#include "engine/audit.h"
#include "engine/pipeline.h"
#include "report/report.h"

/* Many inputs by any number of threads: the report is the same, byte for byte, as that of one thread. */

enum { ETHERNET = 14, IP = 20, UDP = 8, RTP = 12, MICRO = (int)0xa1b2c3d4, LINES_MAX = 1 << 20 };

static struct bytes file;

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static void put_be16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

struct datagram_share {
    uint32_t from, to; /* of the UDP datagram */
    bool more;
};

/* A piece of a UDP datagram from 10.0.0.`host`:4000 to 10.0.9.9:5000. */
static void add_frame(uint32_t us, uint8_t host, uint8_t tos, uint32_t id, const uint8_t *datagram,
                      struct datagram_share s)
{
    uint8_t b[ETHERNET + IP] = {0};
    uint32_t n = s.to - s.from;
    b[12] = 8;
    b[14] = 0x45;
    b[15] = tos;
    put_be16(b + 16, IP + n);
    put_be16(b + 18, id);
    put_be16(b + 20, (s.more ? 0x2000 : 0) | s.from / 8);
    b[22] = 64;
    b[23] = 17;
    memcpy(b + 26, (const uint8_t[]){10, 0, 0, host, 10, 0, 9, 9}, 8);
    put32(&file, 1000 + us / 1000000);
    put32(&file, us % 1000000);
    put32(&file, ETHERNET + IP + n);
    put32(&file, ETHERNET + IP + n);
    put(&file, b, sizeof b);
    put(&file, datagram + s.from, n);
}

enum { VOICE_BYTES = UDP + RTP + 160 };

static void make_voice(uint8_t to[VOICE_BYTES], uint8_t host, uint32_t i)
{
    memset(to, 0, VOICE_BYTES);
    put_be16(to, 4000);
    put_be16(to + 2, 5000);
    put_be16(to + 4, VOICE_BYTES);
    to[8] = 0x80;
    put_be16(to + 10, i);
    put_be16(to + 12, 160 * i >> 16);
    put_be16(to + 14, 160 * i);
    to[19] = host;
}

static const char *end_file(const char *name)
{
    const char *path = file_write(name, file.at, file.len);
    file.len = 0;
    return path;
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

struct text {
    char at[LINES_MAX];
    size_t len;
};

static struct text expected, got;

static bool take_text(void *user, const char *bytes, size_t len)
{
    struct text *t = user;
    assert_true(t->len + len <= sizeof t->at);
    memcpy(t->at + t->len, bytes, len);
    t->len += len;
    return true;
}

struct progress {
    uint64_t calls, done, total;
};

static void take_progress(void *user, uint64_t done, uint64_t total)
{
    struct progress *p = user;
    assert_true(done >= p->done);
    assert_true(done <= total);
    *p = (struct progress){p->calls + 1, done, total};
}

static void report(const char *const *paths, size_t count, unsigned jobs, struct text *to, struct progress *progress)
{
    struct error error = {0};
    struct document *d = NULL;
    struct policy *policy = policy_new_default(&error);
    struct audit_options options = {.files = paths,
                                    .file_count = count,
                                    .policy = policy,
                                    .key = {jobs, 2},
                                    .jobs = jobs,
                                    .progress = progress ? take_progress : NULL,
                                    .progress_user = progress};
    struct report_options how = {.format = REPORT_JSON};
    to->len = 0;
    assert_int_equal(audit_run(&options, &d, &error), 0);
    assert_int_equal(report_write(d, &how, take_text, to, &error), 0);
    document_free(d);
    policy_free(policy);
}

static void expect_same_report(const char *const *paths, size_t count)
{
    static const unsigned jobs[] = {2, 3, 8};
    report(paths, count, 1, &expected, NULL);
    assert_true(expected.len > 0);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++) {
        report(paths, count, jobs[i], &got, NULL);
        assert_int_equal(got.len, expected.len);
        assert_memory_equal(got.at, expected.at, got.len);
    }
}

static void expect_words(const char *words)
{
    expected.at[expected.len < LINES_MAX ? expected.len : LINES_MAX - 1] = 0;
    if (!strstr(expected.at, words))
        fail_msg("the report does not say %s", words);
}

/* Copies of its arguments: file_path() has few places. */
static char names[300][128];
static const char *paths_of[300];

static void remember(size_t i, const char *path)
{
    (void)snprintf(names[i], sizeof names[i], "%s", path);
    paths_of[i] = names[i];
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

/* Twelve files that overlap at random: the packets of each stream are dealt out to them, marks change now and then. */
static void files_that_overlap_give_the_same_report_by_any_number_of_threads(void **state)
{
    (void)state;
    enum { FILES = 12, PACKETS = 250 };
    uint32_t random = 1;
    for (uint32_t round = 0; round < 3; round++) {
        for (size_t f = 0; f < FILES; f++) {
            pcap_begin(&file, (uint32_t)MICRO, 65535, 1);
            uint32_t us = next_random(&random) % 2000000;
            for (uint32_t i = 0; i < PACKETS; i++) {
                uint8_t voice[VOICE_BYTES], host = (uint8_t)(next_random(&random) % 5);
                make_voice(voice, host, us / 20000);
                add_frame(us, host, next_random(&random) % 50 ? 0xb8 : 0, i, voice,
                          (struct datagram_share){0, VOICE_BYTES, false});
                us += next_random(&random) % 3 ? next_random(&random) % 8000 : 0;
            }
            char name[32];
            (void)snprintf(name, sizeof name, "overlap-%zu.pcap", f);
            remember(f, end_file(name));
        }
        expect_same_report(paths_of, FILES);
        expect_words("\"intermittent\"");
    }
}

/* Two interfaces, each with one half of every datagram: neither file has one to itself. */
static void fragments_from_several_files_make_one_datagram(void **state)
{
    (void)state;
    enum { PACKETS = 60, HALF = 96 };
    for (uint32_t half = 0; half < 2; half++) {
        pcap_begin(&file, (uint32_t)MICRO, 65535, 1);
        for (uint32_t i = 0; i < PACKETS; i++) {
            uint8_t voice[VOICE_BYTES];
            make_voice(voice, 1, i);
            struct datagram_share share = {half ? HALF : 0, half ? VOICE_BYTES : HALF, half == 0};
            if (i != 30 || half == 0) /* one stays incomplete */
                add_frame(20000 * i + 500 * half, 1, 0xb8, i + 1, voice, share);
        }
        remember(half, end_file(half ? "second-half.pcap" : "first-half.pcap"));
    }
    expect_same_report(paths_of, 2);
    expect_words("\"packets\": 119,"); /* one stream, of which each fragment counts */
    expect_words("1 fragmented datagram stayed incomplete");
    expect_words("\"payload_types\": [0]");
}

static void a_file_that_breaks_off_does_not_hold_up_the_others(void **state)
{
    (void)state;
    for (size_t f = 0; f < 3; f++) {
        pcap_begin(&file, (uint32_t)MICRO, 65535, 1);
        for (uint32_t i = 0; i < 100; i++) {
            uint8_t voice[VOICE_BYTES];
            make_voice(voice, (uint8_t)f, i);
            add_frame(20000 * i + (uint32_t)f, (uint8_t)f, 0xb8, i, voice,
                      (struct datagram_share){0, VOICE_BYTES, false});
        }
        file.len -= f == 1 ? 5000 : 0;
        remember(f, end_file(f == 0 ? "x.pcap" : f == 1 ? "y.pcap" : "z.pcap"));
    }
    remember(3, "/nonexistent/file.pcap");
    remember(4, file_write("text.pcap", "no capture at all", 17));
    expect_same_report(paths_of, 5);
    expect_words("y.pcap ends in the middle of packet 79");
    expect_words("does not exist");
    expect_words("text.pcap is a text file");
}

static void more_files_at_one_time_than_can_be_open_are_refused_alike(void **state)
{
    (void)state;
    enum { FILES = 270 };
    for (size_t f = 0; f < FILES; f++) {
        pcap_begin(&file, (uint32_t)MICRO, 65535, 1);
        for (uint32_t i = 0; i < 3; i++) {
            uint8_t voice[VOICE_BYTES];
            make_voice(voice, (uint8_t)f, i);
            add_frame(1000000 * i + (uint32_t)f, (uint8_t)f, 0xb8, i, voice,
                      (struct datagram_share){0, VOICE_BYTES, false});
        }
        char name[32];
        (void)snprintf(name, sizeof name, "many-%zu.pcap", f);
        remember(f, end_file(name));
    }
    expect_same_report(paths_of, FILES);
    expect_words("was not read: more than 256 files overlap in time");
}

static void progress_only_grows(void **state)
{
    (void)state;
    /* enough batches for the report of progress: frames without content */
    enum { FRAMES = 256 * 256 * 3 };
    const char *path = file_path("long.pcap");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    pcap_begin(&file, (uint32_t)MICRO, 65535, 1);
    for (uint32_t i = 0; i < FRAMES; i++) {
        pcap_packet(&file, i, 0, 0, 14, 60);
        if (file.len > sizeof file.at / 2) {
            assert_int_equal(fwrite(file.at, 1, file.len, f), file.len);
            file.len = 0;
        }
    }
    assert_int_equal(fwrite(file.at, 1, file.len, f), file.len);
    file.len = 0;
    assert_int_equal(fclose(f), 0);
    for (unsigned jobs = 1; jobs <= 2; jobs++) {
        struct progress progress = {0};
        report(&path, 1, jobs, &expected, &progress);
        assert_true(progress.calls >= 2);
        assert_int_equal(progress.total, 24 + 30 * FRAMES);
    }
}

static void there_is_at_least_one_processor(void **state)
{
    (void)state;
    assert_in_range(pipeline_processors(), 1, 1 << 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_that_overlap_give_the_same_report_by_any_number_of_threads),
        cmocka_unit_test(fragments_from_several_files_make_one_datagram),
        cmocka_unit_test(a_file_that_breaks_off_does_not_hold_up_the_others),
        cmocka_unit_test(more_files_at_one_time_than_can_be_open_are_refused_alike),
        cmocka_unit_test(progress_only_grows),
        cmocka_unit_test(there_is_at_least_one_processor),
    };
    return cmocka_run_group_tests(tests, NULL, files_done);
}

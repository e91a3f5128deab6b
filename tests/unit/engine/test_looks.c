#include "testing.h"

#include <glob.h>
#include <stdio.h>

#include "base/clock.h"
#include "capture/source.h"
#include "decode/decoder.h"
#include "materialise.h"
#include "stream/same_records.h"
#include "stream/table.h"

/* Real captures, packet by packet: looks in the middle, and streams that end, change nothing of what is said at the
 * end. */

enum { FIRST_LOOKS = 1000, LOOKS = 300 };

struct capture {
    struct packet *packets;
    size_t count, cap;
};

static void *kept(const void *bytes, size_t len)
{
    void *copy = malloc(len + 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, bytes, len);
    return copy;
}

static void capture_add(struct capture *c, const struct packet *p)
{
    if (c->count == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 1024;
        c->packets = realloc(c->packets, c->cap * sizeof *c->packets);
        assert_non_null(c->packets);
    }
    struct packet *to = &c->packets[c->count++];
    *to = *p;
    to->payload = kept(p->payload, p->payload_bytes);
    to->parts = p->part_count ? kept(p->parts, p->part_count * sizeof *p->parts) : NULL;
}

static struct capture capture_read(const char *path)
{
    struct error error;
    struct hash_key key = {1, 2};
    struct capture c = {0};
    struct frame frame;
    struct packet p;
    struct source *source = source_open_file(path, &error);
    struct decoder *decoder = decoder_new(&(struct decoder_options){.key = &key});
    if (!source) {
        decoder_free(decoder);
        return c;
    }
    assert_non_null(decoder);
    while (source_next(source, &frame) == SOURCE_FRAME) {
        if (decoder_frame(decoder, &frame, &p) == DECODE_PACKET)
            capture_add(&c, &p);
        while (decoder_expired(decoder, frame.time_ns, &p))
            capture_add(&c, &p);
    }
    while (decoder_expired(decoder, INT64_MAX, &p))
        capture_add(&c, &p);
    decoder_free(decoder);
    source_free(source);
    return c;
}

static void capture_done(struct capture *c)
{
    for (size_t i = 0; i < c->count; i++) {
        free((void *)(uintptr_t)c->packets[i].payload);
        free((void *)(uintptr_t)c->packets[i].parts);
    }
    free(c->packets);
}

static struct document *document_of(struct stream_table *t)
{
    struct document *d = document_new();
    assert_non_null(d);
    assert_int_equal(stream_table_export(t, d), 0);
    assert_true(document_link_calls(d));
    materialise(d);
    return d;
}

static struct document *plain_document(const struct capture *c)
{
    struct stream_table *t = stream_table_new(&(struct stream_options){.key = {1, 2}});
    assert_non_null(t);
    stream_table_packets(t, c->packets, c->count);
    stream_table_finish(t);
    struct document *d = document_of(t);
    stream_table_free(t);
    return d;
}

/* With an argument: the captures that this pattern stands for. */
static const char *pattern = TEST_SOURCE_DIR "/captures/*.pcapng";
static bool own_captures;

static void for_each_capture(void (*test)(const char *path, const struct capture *c))
{
    glob_t paths;
    assert_int_equal(glob(pattern, 0, NULL, &paths), 0);
    assert_true(paths.gl_pathc > 0);
    for (size_t i = 0; i < paths.gl_pathc; i++) {
        struct capture c = capture_read(paths.gl_pathv[i]);
        test(paths.gl_pathv[i], &c);
        capture_done(&c);
    }
    globfree(&paths);
}

/* --- looks -------------------------------------------------------------------------------------------------------- */

static const struct record *same_stream(const struct document *d, const struct record *r)
{
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *o = &d->records[i];
        if (o->first.frame == r->first.frame && o->first_ns == r->first_ns && o->has_ssrc == r->has_ssrc &&
            o->ssrc == r->ssrc && endpoint_equal(&o->src, &r->src) && endpoint_equal(&o->dst, &r->dst))
            return o;
    }
    return NULL;
}

static size_t assert_never_wrong(const char *path, const struct document *end, struct stream_table *t, size_t taken)
{
    struct document *d = document_new();
    struct record_scratch s = {.failed = false};
    uint64_t packets = 0;
    size_t sure = 0;
    assert_non_null(d);
    assert_int_equal(stream_table_export(t, d), 0);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_PLAIN, &s);
        packets += r->packets;
        const struct record *at_end = r->confidence >= CONFIDENCE_HIGH ? same_stream(end, r) : NULL;
        if (!at_end || at_end->confidence < CONFIDENCE_HIGH)
            continue;
        sure++;
        if (at_end->kind != r->kind)
            print_message("%s: after %zu packets, frame %llu: %s, at the end %s\n", path, taken,
                          (unsigned long long)r->first.frame, kind_name(r->kind), kind_name(at_end->kind));
        assert_int_equal(at_end->kind, r->kind);
    }
    record_scratch_done(&s);
    document_free(d);
    return packets ? sure : 0;
}

static size_t all_sure;

static void look_at_prefixes(const char *path, const struct capture *c)
{
    struct document *end = plain_document(c);
    struct stream_table *t = stream_table_new(&(struct stream_options){.key = {1, 2}});
    size_t step = c->count / LOOKS + 1, sure = 0;
    for (size_t i = 0; i < c->count; i++) {
        stream_table_packet(t, &c->packets[i]);
        if (i < FIRST_LOOKS || i % step == 0)
            sure += assert_never_wrong(path, end, t, i + 1);
    }
    all_sure += sure;
    stream_table_finish(t);
    struct document *d = document_of(t);
    assert_same_documents(end, d);
    document_free(d);
    document_free(end);
    stream_table_free(t);
}

static void a_look_in_the_middle_is_never_wrong_and_changes_nothing(void **state)
{
    (void)state;
    for_each_capture(look_at_prefixes);
    assert_true(all_sure > 1000 || !own_captures);
}

/* --- ends --------------------------------------------------------------------------------------------------------- */

static bool same_flow(const struct packet *a, const struct packet *b)
{
    return a->proto == b->proto && ((endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst)) ||
                                    (endpoint_equal(&a->src, &b->dst) && endpoint_equal(&a->dst, &b->src)));
}

/* The longest that a 5-tuple is silent before it goes on: what is silent for longer has ended. */
static int64_t longest_silence(const struct capture *c)
{
    int64_t longest = 0;
    for (size_t i = 0; i < c->count; i++) {
        int64_t now_ns = c->packets[i].time_ns;
        for (size_t k = i; k-- > 0;) {
            if (!same_flow(&c->packets[i], &c->packets[k]))
                continue;
            longest = now_ns - c->packets[k].time_ns > longest ? now_ns - c->packets[k].time_ns : longest;
            break;
        }
    }
    return longest;
}

static size_t ended_before_the_end;

static void let_end(const char *path, const struct capture *c)
{
    (void)path;
    struct document *stayed = plain_document(c);
    int64_t idle_ns = longest_silence(c) + NS_PER_S, last_ns = 0, asked_ns = 0;
    if (idle_ns > 10000000 * NS_PER_S) { /* some capture has packets of 1970 */
        document_free(stayed);
        return;
    }
    struct stream_options o = {.key = {1, 2}, .idle_ns = idle_ns, .tcp_idle_ns = idle_ns};
    struct stream_table *t = stream_table_new(&o);
    assert_non_null(t);
    for (size_t i = 0; i < c->count; i++) {
        int64_t now_ns = c->packets[i].time_ns;
        last_ns = now_ns > last_ns ? now_ns : last_ns;
        if (now_ns - asked_ns >= NS_PER_S / 2)
            assert_int_equal(stream_table_expire(t, asked_ns = now_ns), 0);
        stream_table_packet(t, &c->packets[i]);
    }
    ended_before_the_end += stream_table_ended(t);
    for (int i = 1; i < 5; i++)
        assert_int_equal(stream_table_expire(t, last_ns + i * 20 * idle_ns), 0);
    assert_int_equal(stream_table_stats(t).streams, 0);
    struct document *d = document_of(t);
    assert_same_documents(stayed, d);
    document_free(d);
    document_free(stayed);
    stream_table_free(t);
}

static void streams_that_ended_are_recorded_as_if_they_had_stayed(void **state)
{
    (void)state;
    for_each_capture(let_end);
    assert_true(ended_before_the_end > 0 || !own_captures);
}

int main(int argc, char **argv)
{
    own_captures = argc == 1;
    pattern = own_captures ? pattern : argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_look_in_the_middle_is_never_wrong_and_changes_nothing),
        cmocka_unit_test(streams_that_ended_are_recorded_as_if_they_had_stayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

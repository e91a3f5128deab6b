#include "testing.h"

#include <stdio.h>

#include "stream/sip_stream.h"

struct heard {
    size_t count;
    char call_ids[64][32];
    size_t bodies[64];
    uint64_t frames[64];
    int64_t times_ns[64];
};

static void hear(void *user, const struct sip_message *m, uint64_t frame, int64_t time_ns)
{
    struct heard *h = user;
    assert_true(h->count < 64);
    slice_copy(m->call_id, h->call_ids[h->count], sizeof h->call_ids[0]);
    h->bodies[h->count] = m->body.len;
    h->frames[h->count] = frame;
    h->times_ns[h->count] = time_ns;
    h->count++;
}

static size_t message(char *to, size_t size, const char *call_id, const char *body)
{
    return (size_t)snprintf(
        to, size,
        "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        call_id, strlen(body), body);
}

static void feed(struct sip_stream *s, const void *bytes, size_t len, bool gap, uint64_t frame, struct heard *h)
{
    /* an allocation of exactly its size, so that nothing is read beyond it */
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, bytes, len);
    sip_stream_bytes(s, copy, len, gap, frame, (int64_t)frame * 1000, hear, h);
    free(copy);
}

static void message_cut_anywhere_into_two_segments_is_one_message(void **state)
{
    (void)state;
    char text[1024];
    size_t len = message(text, sizeof text, "one", "v=0\r\ns=-\r\n");
    len += message(text + len, sizeof text - len, "two", "");
    for (size_t cut = 1; cut < len; cut++) {
        struct sip_stream *s = sip_stream_new();
        struct heard h = {0};
        feed(s, text, cut, false, 7, &h);
        feed(s, text + cut, len - cut, false, 8, &h);
        assert_int_equal(h.count, 2);
        assert_string_equal(h.call_ids[0], "one");
        assert_int_equal(h.bodies[0], 10);
        assert_int_equal(h.frames[0], 7);
        assert_int_equal(h.times_ns[0], 7000);
        assert_string_equal(h.call_ids[1], "two");
        sip_stream_free(s);
    }
}

static void message_has_the_frame_of_its_first_byte(void **state)
{
    (void)state;
    char one[512], two[512], three[512], text[2048];
    size_t a = message(one, sizeof one, "one", "v=0\r\n"), b = message(two, sizeof two, "two", "v=0\r\n"),
           c = message(three, sizeof three, "three", "v=0\r\n");
    memcpy(text, one, a);
    memcpy(text + a, two, b);
    memcpy(text + a + b, three, c);
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    feed(s, text, a + 20, false, 1, &h);
    feed(s, text + a + 20, b - 20, false, 2, &h);
    feed(s, text + a + b, c, false, 3, &h);
    assert_int_equal(h.count, 3);
    assert_int_equal(h.frames[0], 1);
    assert_int_equal(h.frames[1], 1);
    assert_int_equal(h.frames[2], 3);
    sip_stream_free(s);
}

static void bytes_one_by_one_are_messages_too(void **state)
{
    (void)state;
    char text[1024];
    size_t len = message(text, sizeof text, "one", "v=0\r\n");
    len += message(text + len, sizeof text - len, "two", "v=0\r\n");
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    for (size_t i = 0; i < len; i++)
        feed(s, text + i, 1, false, i + 1, &h);
    assert_int_equal(h.count, 2);
    assert_int_equal(h.frames[0], 1);
    assert_int_equal(h.frames[1], len / 2 + 1);
    sip_stream_free(s);
}

static void keep_alives_between_messages_are_skipped(void **state)
{
    (void)state;
    char text[1024] = "\r\n\r\n";
    size_t len = 4 + message(text + 4, 500, "one", "");
    memcpy(text + len, "\r\n\r\n\r\n", 6);
    len += 6;
    len += message(text + len, 400, "two", "");
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    feed(s, text, len, false, 1, &h);
    feed(s, "\r\n\r\n", 4, false, 2, &h);
    assert_int_equal(h.count, 2);
    sip_stream_free(s);
}

static void after_a_gap_the_next_start_line_is_found(void **state)
{
    (void)state;
    char text[1024];
    size_t len = message(text, sizeof text, "lost", "v=0\r\ns=-\r\n");
    size_t second = message(text + len, sizeof text - len, "found", "v=0\r\n");
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    feed(s, text, 60, false, 1, &h);
    feed(s, text + 90, len + second - 90, true, 3, &h);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.call_ids[0], "found");
    assert_int_equal(h.frames[0], 3);
    sip_stream_free(s);
}

static void content_length_that_is_too_short_costs_no_other_message(void **state)
{
    (void)state;
    char text[1024];
    int len = snprintf(text, sizeof text,
                       "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: short\r\nContent-Length: 3\r\n\r\nv=0\r\ns=-\r\n");
    size_t all = (size_t)len + message(text + len, sizeof text - (size_t)len, "next", "");
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    feed(s, text, all, false, 1, &h);
    assert_int_equal(h.count, 2);
    assert_string_equal(h.call_ids[1], "next");
    sip_stream_free(s);
}

static void message_beyond_its_cap_is_dropped_and_the_next_one_found(void **state)
{
    (void)state;
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    static char junk[100000];
    char text[512];
    memset(junk, 'j', sizeof junk);
    static const char head[] = "INVITE sip:b@example.com SIP/2.0\r\nCall-ID: big\r\nContent-Length: 262000\r\n\r\n";
    feed(s, head, sizeof head - 1, false, 1, &h);
    for (uint64_t i = 0; i < 3; i++)
        feed(s, junk, sizeof junk, false, 2 + i, &h);
    static const char endless[] =
        "\r\nINVITE sip:b@example.com SIP/2.0\r\nCall-ID: endless\r\nContent-Length: 99999999999\r\n\r\n";
    feed(s, endless, sizeof endless - 1, false, 9, &h);
    size_t len = message(text, sizeof text, "after", "v=0\r\n");
    feed(s, text, len, false, 10, &h);
    assert_true(h.count >= 1);
    assert_string_equal(h.call_ids[h.count - 1], "after");
    assert_int_equal(h.frames[h.count - 1], 10);
    sip_stream_free(s);
}

static void binary_noise_gives_no_message_and_ends(void **state)
{
    (void)state;
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    uint8_t noise[4099];
    uint32_t seed = 1;
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < sizeof noise; i++) {
            seed = seed * 1664525u + 1013904223u;
            noise[i] = (uint8_t)(seed >> 24);
        }
        feed(s, noise, sizeof noise, round % 7 == 0, (uint64_t)round, &h);
    }
    /* a start line that never ends */
    feed(s, "\nINVITE sip:", 12, false, 200, &h);
    memset(noise, 'a', sizeof noise);
    for (int round = 0; round < 10; round++)
        feed(s, noise, sizeof noise, false, 201, &h);
    char text[512] = "\n";
    size_t len = 1 + message(text + 1, sizeof text - 1, "after", "");
    feed(s, text, len, false, 300, &h);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.call_ids[0], "after");
    sip_stream_free(s);
}

/* Each line of the headers is a start line itself: looking at each of them as one would take the square of their number. */
static void start_lines_without_end_are_one_message_given_up(void **state)
{
    (void)state;
    static const char line[] = "SIP/2.0 200 OK\n";
    struct sip_stream *s = sip_stream_new();
    struct heard h = {0};
    uint64_t given_up = 0;
    for (int i = 0; i < 10000; i++)
        given_up += sip_stream_bytes(s, (const uint8_t *)line, sizeof line - 1, false, 1, 1000, hear, &h);
    given_up += sip_stream_bytes(s, (const uint8_t *)"\n", 1, false, 2, 2000, hear, &h);
    assert_int_equal(given_up, 1);
    assert_int_equal(h.count, 0);
    char text[512];
    feed(s, text, message(text, sizeof text, "after", ""), false, 3, &h);
    assert_int_equal(h.count, 1);
    assert_string_equal(h.call_ids[0], "after");
    sip_stream_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_lines_without_end_are_one_message_given_up),
        cmocka_unit_test(message_cut_anywhere_into_two_segments_is_one_message),
        cmocka_unit_test(message_has_the_frame_of_its_first_byte),
        cmocka_unit_test(bytes_one_by_one_are_messages_too),
        cmocka_unit_test(keep_alives_between_messages_are_skipped),
        cmocka_unit_test(after_a_gap_the_next_start_line_is_found),
        cmocka_unit_test(content_length_that_is_too_short_costs_no_other_message),
        cmocka_unit_test(message_beyond_its_cap_is_dropped_and_the_next_one_found),
        cmocka_unit_test(binary_noise_gives_no_message_and_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

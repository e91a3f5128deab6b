#include "testing.h"

#include "seen.h"

/* A sensor whose clock is wrong, or who spreads its streams otherwise than the collector reads them, is joined with
 * nobody: the report has to say why. */

static bool is_noted(const struct seen *s, const char *point, const char *what)
{
    for (size_t i = 0; i < s->note_count; i++)
        if (strstr(s->notes[i], point) && strstr(s->notes[i], what))
            return true;
    return false;
}

/* Of a call that a and b see, what is said where the clock of b is wrong by so much. */
static void a_call_in_windows(int64_t wrong_ns, unsigned partitions, int64_t window_ns, int64_t grace_ns,
                              struct seen *s)
{
    struct world w = {0};
    struct world_packet *packets = calloc(PACKETS, sizeof *packets);
    struct world_sensor a = sensor("a"), b = sensor("b");
    struct world_stream at_a = voice(64), at_b = voice(62);
    assert_non_null(packets);
    b.clock_ns = wrong_ns;
    send(packets, PACKETS, 100, 46, 0);
    world_see(&w, &a, &at_a, packets, PACKETS);
    world_see(&w, &b, &at_b, packets, PACKETS);
    world_present(&w, &a);
    world_present(&w, &b);
    free(packets);
    struct join_options o = {.key = {1, 2}, .partitions = 32, .window_ns = window_ns, .grace_ns = grace_ns};
    struct join *j = join_new(&o);
    struct join_sink sink = sink_of(s);
    *s = (struct seen){.keep_all = true};
    for (size_t i = 0; i < w.count; i++) {
        struct delta *d = &w.messages[i].delta;
        if (d->type == DELTA_INTERVAL)
            d->partitions = strcmp(d->point, "b") == 0 ? partitions : 32;
        assert_int_equal(join_take(j, d, w.messages[i].stored_ns, i + 1), 0);
    }
    assert_int_equal(join_close(j, T0 + 100000 * NS_PER_S, &sink), 0);
    join_free(j);
    world_done(&w);
}

static void a_call(int64_t wrong_ns, unsigned partitions, struct seen *s)
{
    a_call_in_windows(wrong_ns, partitions, WINDOW_NS, 60 * NS_PER_S, s);
}

static void a_clock_that_is_right_is_not_noted(void **state)
{
    struct seen *s = calloc(1, sizeof *s);
    (void)state;
    a_call(0, 32, s);
    assert_int_equal(s->count, 1);
    assert_int_equal(s->note_count, 0);
    free(s);
}

static void a_clock_that_is_wrong_is_noted(void **state)
{
    static const struct {
        int64_t wrong_s;
        const char *what;
    } cases[] = {
        {20, "is ahead of the message bus by more than 2 seconds"},
        {400, "is ahead of the message bus by more than 5 minutes"},
        {7200, "of a time more than an hour from now"},
        {-100, "more than a minute after their time"},
        {-7200, "when the windows of their time were closed"},
    };
    struct seen *s = calloc(1, sizeof *s);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a_call(cases[i].wrong_s * NS_PER_S, 32, s);
        assert_true(is_noted(s, "s/b", cases[i].what));
        assert_false(is_noted(s, "s/a", ""));
        for (size_t k = 0; k < s->count; k++)
            assert_int_equal(s->rows[k].stream.changed + s->rows[k].stream.lost, 0);
    }
    free(s);
}

static void a_sensor_with_other_partitions_is_noted(void **state)
{
    struct seen *s = calloc(1, sizeof *s);
    (void)state;
    a_call(0, 64, s);
    assert_int_equal(s->note_count, 1);
    assert_true(is_noted(s, "s/b", "over 64 partitions and this collector reads 32"));
    free(s);
}

/* The call goes on past the end of a window, whose last block is told up to ten seconds later. */
static void a_grace_that_is_too_short_is_noted(void **state)
{
    struct seen *s = calloc(1, sizeof *s);
    uint64_t sum = 0;
    (void)state;
    a_call_in_windows(0, 32, 60 * NS_PER_S, 2 * NS_PER_S, s);
    assert_true(is_noted(s, "s/a", "--grace is too short"));
    a_call_in_windows(0, 32, 60 * NS_PER_S, 20 * NS_PER_S, s);
    assert_int_equal(s->note_count, 0);
    for (size_t i = 0; i < s->count; i++)
        sum += s->rows[i].stream.matched;
    assert_int_equal(sum, PACKETS);
    free(s);
}

static void a_clock_that_is_set_far_is_noted(void **state)
{
    struct seen *s = calloc(1, sizeof *s);
    struct join *j = new_join(NULL);
    struct join_sink sink = sink_of(s);
    struct delta_block far = {.anchor_ns = T0 - 366 * 24 * 3600 * NS_PER_S, .packets = 1, .seen = {1}};
    struct delta d = {.site = "s", .point = "a", .from_ns = T0, .to_ns = T0 + NS_PER_S, .stream = 1};
    (void)state;
    d.packets = 1;
    d.has_ssrc = true;
    d.kind = KIND_RTP_AUDIO;
    d.blocks = &far;
    d.block_count = 1;
    assert_int_equal(join_take(j, &d, T0 + NS_PER_S, 1), 0);
    assert_int_equal(join_counts(j).left_out, 1);
    assert_int_equal(join_streams_open(j), 0);
    assert_int_equal(join_close(j, T0 + 10000 * NS_PER_S, &sink), 0);
    assert_true(is_noted(s, "s/a", "its clock was set"));
    join_free(j);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_is_right_is_not_noted),      cmocka_unit_test(a_clock_that_is_wrong_is_noted),
        cmocka_unit_test(a_clock_that_is_set_far_is_noted),        cmocka_unit_test(a_grace_that_is_too_short_is_noted),
        cmocka_unit_test(a_sensor_with_other_partitions_is_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "path.h"

/* Which messages came, in which order and how often, and where windows end: it makes no difference. */

static void neither_order_nor_repetition_of_messages_matters(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 500; i < 900; i++)
        p->at_b[i].ns = 0;
    for (size_t i = 1500; i < PACKETS; i++)
        p->at_c[i].dscp = 34;
    path_run(p);
    conclude(&p->w, &p->seen);
    struct seen *other = calloc(1, sizeof *other);
    struct join_sink sink = sink_of(other);
    struct join *j = new_join(NULL);
    for (size_t i = p->w.count; i-- > 0;) {
        take(j, &p->w, i);
        take(j, &p->w, (i * 7) % p->w.count);
    }
    assert_int_equal(join_counts(j).taken, p->w.count);
    assert_int_equal(join_counts(j).repeated, p->w.count);
    assert_int_equal(join_close(j, T0 + 100000 * NS_PER_S, &sink), 0);
    join_free(j);
    assert_int_equal(other->count, p->seen.count);
    for (size_t i = 0; i < other->count; i++) {
        struct strbuf x = {0}, y = {0};
        crossing_write_json(&p->seen.rows[i], &x);
        const struct crossing *same = NULL;
        for (size_t k = 0; k < other->count; k++)
            if (strcmp(other->rows[k].id, p->seen.rows[i].id) == 0)
                same = &other->rows[k];
        assert_non_null(same);
        crossing_write_json(same, &y);
        assert_string_equal(strbuf_text(&x), strbuf_text(&y));
        strbuf_done(&x);
        strbuf_done(&y);
    }
    free(other);
    path_free(p);
}

/* A call of twelve minutes, seen at a and b: what collector x finishes and what y, who takes over from it, finds again
 * from x's checkpoint are together what an undisturbed one finds. */
static void who_takes_over_finds_the_same(void **state)
{
    (void)state;
    enum { LONG = 12 * 60 * PPS };
    struct world w = {0};
    struct world_sensor a = sensor("a"), b = sensor("b");
    struct world_stream sa = voice(64), sb = voice(60);
    struct world_packet *packets = calloc(LONG, sizeof *packets);
    a.to_ns = b.to_ns = T0 + 800 * NS_PER_S;
    send(packets, LONG, 100, 46, 0);
    world_see(&w, &a, &sa, packets, LONG);
    send(packets, LONG, 100, 0, 4 * NS_PER_MS);
    world_see(&w, &b, &sb, packets, LONG);
    world_present(&w, &a);
    world_present(&w, &b);
    free(packets);
    for (size_t i = 1; i < w.count; i++) /* as the bus has them */
        for (size_t k = i; k && w.messages[k].stored_ns < w.messages[k - 1].stored_ns; k--) {
            struct world_message m = w.messages[k];
            w.messages[k] = w.messages[k - 1];
            w.messages[k - 1] = m;
        }
    struct seen *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
    one->keep_all = two->keep_all = true;
    struct join_sink to_one = sink_of(one), to_two = sink_of(two);
    struct join *j = new_join(NULL), *x = new_join(NULL), *y = new_join(NULL);
    struct join_checkpoint kept = join_checkpoint(x);
    for (size_t i = 0; i < w.count; i++) {
        take(j, &w, i);
        assert_int_equal(join_close(j, w.messages[i].stored_ns, &to_one), 0);
    }
    assert_int_equal(join_close(j, T0 + 10000 * NS_PER_S, &to_one), 0);
    size_t killed = w.count * 3 / 5;
    for (size_t i = 0; i < killed; i++) {
        take(x, &w, i);
        assert_int_equal(join_close(x, w.messages[i].stored_ns, &to_two), 0);
        kept = join_checkpoint(x);
    }
    assert_true(kept.sequence > 1 && kept.sequence < killed);
    join_resume(y, &kept);
    for (size_t i = kept.sequence - 1; i < w.count; i++) {
        take(y, &w, i);
        assert_int_equal(join_close(y, w.messages[i].stored_ns, &to_two), 0);
    }
    assert_int_equal(join_close(y, T0 + 10000 * NS_PER_S, &to_two), 0);
    assert_true(one->count >= 3);
    assert_int_equal(one->count, two->count);
    for (size_t i = 0; i < one->count; i++) {
        assert_string_equal(one->rows[i].id, two->rows[i].id);
        assert_int_equal(one->rows[i].stream.matched, two->rows[i].stream.matched);
        assert_int_equal(cell(&one->rows[i], 46, 0), cell(&two->rows[i], 46, 0));
        assert_int_equal(one->rows[i].stream.lost, 0);
        assert_int_equal(one->rows[i].stream_id, one->rows[0].stream_id);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < one->count; i++)
        sum += one->rows[i].stream.matched;
    assert_int_equal(sum, LONG); /* no packet is in two windows, or in none */
    join_free(j);
    join_free(x);
    join_free(y);
    free(one);
    free(two);
    world_done(&w);
}

/* The last block begins before the window ends, and its last 75 packets come in the next one: nothing is left for that.
 */
static void a_stream_that_ends_after_the_begin_of_a_window_counts_once(void **state)
{
    (void)state;
    struct path *p = path_new();
    uint64_t sum = 0;
    p->seen.keep_all = true;
    p->a.to_ns = p->c.to_ns = T0 + 400 * NS_PER_S;
    p->b = p->a;
    p->b.point = "b"; /* as sensors do: intervals end with the windows */
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].ns += 231500 * NS_PER_MS;
        p->at_b[i].ns += 231500 * NS_PER_MS;
        p->at_c[i].ns = 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    for (size_t i = 0; i < p->seen.count; i++)
        sum += p->seen.rows[i].stream.matched;
    assert_int_equal(sum, PACKETS);
    path_free(p);
}

static void what_comes_when_its_window_is_closed_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    struct path *p = path_new();
    path_run(p);
    struct join *j = new_join(NULL);
    struct join_sink sink = sink_of(&p->seen);
    assert_int_equal(join_close(j, T0 + 10000 * NS_PER_S, &sink), 0);
    take(j, &p->w, 0); /* in time when it was sent: whoever takes over reads it once more */
    assert_int_equal(join_counts(j).repeated, 1);
    assert_int_equal(join_counts(j).late, 0);
    assert_int_equal(join_take(j, &p->w.messages[0].delta, T0 + 10000 * NS_PER_S, 8), 0);
    assert_int_equal(join_counts(j).late, 1);
    assert_int_equal(join_streams_open(j), 0);
    struct delta ahead = p->w.messages[0].delta;
    ahead.from_ns += 100000 * NS_PER_S;
    ahead.to_ns += 100000 * NS_PER_S;
    assert_int_equal(join_take(j, &ahead, T0 + 10000 * NS_PER_S, 9), 0);
    assert_int_equal(join_counts(j).too_early, 1);
    join_free(j);
    path_free(p);
}

static void a_cap_is_kept_and_counted(void **state)
{
    (void)state;
    struct path *p = path_new();
    path_run(p);
    struct join_options o = {.key = {1, 2}, .window_ns = WINDOW_NS, .blocks_max = 4};
    struct join *j = join_new(&o);
    struct join_sink sink = sink_of(&p->seen);
    for (size_t i = 0; i < p->w.count; i++)
        take(j, &p->w, i);
    assert_true(join_counts(j).left_out > 0);
    assert_int_equal(join_look(j, &sink), 0);
    assert_true(p->seen.note_count >= 1);
    join_free(j);
    path_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neither_order_nor_repetition_of_messages_matters),
        cmocka_unit_test(who_takes_over_finds_the_same),
        cmocka_unit_test(a_stream_that_ends_after_the_begin_of_a_window_counts_once),
        cmocka_unit_test(what_comes_when_its_window_is_closed_is_counted_and_changes_nothing),
        cmocka_unit_test(a_cap_is_kept_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "path.h"

/* What a segment does to the packets of a stream with sequence numbers: marks and loss. */

static void a_segment_that_bleaches_is_named_to_the_packet(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 0; i < PACKETS; i++)
        p->at_c[i].dscp = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(p->seen.count, 2);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b"), *bc = between(&p->seen, "s/b", "s/c");
    assert_non_null(ab);
    assert_non_null(bc);
    assert_int_equal(cell(ab, 46, 46), PACKETS);
    assert_int_equal(ab->stream.changed, 0);
    assert_int_equal(cell(bc, 46, 0), PACKETS);
    assert_int_equal(bc->stream.changed, PACKETS);
    assert_int_equal(ab->stream.lost + bc->stream.lost, 0);
    assert_true(ab->loss_known);
    assert_int_equal(ab->stream.way, COMPARE_FORWARD);
    assert_int_equal(ab->stream.way_by, COMPARE_WAY_TTL);
    assert_false(ab->stream.way_doubtful);
    assert_int_equal(ab->stream.traffic_class, CLASS_VOICE);
    assert_int_equal(ab->window_ns, T0 - T0 % WINDOW_NS);
    path_free(p);
}

static void a_translator_does_not_part_a_stream(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sb.src = "192.0.2.1:40000";
    p->sc.src = "192.0.2.1:40000";
    for (size_t i = 0; i < PACKETS; i++)
        p->at_b[i].dscp = p->at_c[i].dscp = 10;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_non_null(ab);
    assert_true(ab->stream.translated);
    assert_int_equal(cell(ab, 46, 10), PACKETS);
    assert_false(between(&p->seen, "s/b", "s/c")->stream.translated);
    path_free(p);
}

/* b is started when the sequence numbers have gone round, so that it counts blocks from another begin. */
static void points_that_count_rounds_differently_agree(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 0; i < 600; i++)
        p->at_b[i].ns = 0; /* 65000 + 600 is past 65535 */
    for (size_t i = 0; i < PACKETS; i++)
        p->at_c[i].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.matched, PACKETS - 600);
    assert_int_equal(ab->stream.lost, 0);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], 600);
    path_free(p);
}

static void lost_packets_are_counted_one_by_one(void **state)
{
    (void)state;
    struct path *p = path_new();
    size_t lost = 0;
    for (size_t i = 100; i < PACKETS - 100; i += 83, lost++)
        p->at_b[i].ns = p->at_c[i].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b"), *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(ab->stream.lost, lost);
    assert_int_equal(ab->lost_by_dscp[46], lost);
    assert_int_equal(crossing_sent(ab).sent, PACKETS);
    assert_int_equal(crossing_sent(ab).lost, lost);
    assert_int_equal(ab->slice_ns, WINDOW_NS / CROSSING_SLICES);
    for (size_t i = 0; i < CROSSING_SLICES; i++) /* a minute of five */
        assert_int_equal(ab->slices[i].sent != 0, i * (uint64_t)ab->slice_ns < 70 * NS_PER_S);
    assert_int_equal(bc->stream.lost, 0);
    assert_int_equal(ab->stream.matched, PACKETS - lost);
    path_free(p);
}

static void what_is_seen_further_on_was_not_lost(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 100; i < PACKETS - 100; i += 2)
        p->at_b[i].ns = 0; /* the other half takes another link */
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(between(&p->seen, "s/a", "s/b")->stream.lost, 0);
    assert_int_equal(between(&p->seen, "s/b", "s/c")->stream.lost, 0);
    path_free(p);
}

static void drops_of_a_sensor_are_no_loss_of_the_network(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 1000; i < 1050; i++)
        p->at_b[i].ns = p->at_c[i].ns = 0;
    p->b.drop_at_ns = p->at_a[1000].ns;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.lost, 0);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], 50);
    path_free(p);
}

/* A block of half a second that b did not tell of: in a message that never came, or because nothing of it passed there.
 */
static void a_block_is_missing(bool message_missing, struct seen *seen)
{
    struct path *p = path_new();
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].ns = T0 + 10 * NS_PER_S + (int64_t)i * 2 * NS_PER_MS;
        p->at_b[i].ns = p->at_a[i].ns + 5 * NS_PER_MS;
        p->at_c[i].ns = 0;
    }
    path_run(p);
    for (size_t i = 0, done = 0; i < p->w.count && !done; i++) {
        struct world_message *m = &p->w.messages[i];
        if (m->delta.type != DELTA_STREAM || strcmp(m->delta.point, "b") != 0 || m->delta.block_count < 5)
            continue;
        memmove(&m->blocks[2], &m->blocks[3], (m->delta.block_count - 3) * sizeof m->blocks[0]);
        m->delta.block_count--;
        done = 1;
        for (size_t k = 0; message_missing && k < p->w.count; k++) {
            struct delta *d = &p->w.messages[k].delta;
            d->deltas += d->type == DELTA_INTERVAL && strcmp(d->point, "b") == 0 && d->from_ns == m->delta.from_ns;
        }
    }
    conclude(&p->w, seen);
    path_free(p);
}

static void messages_that_never_came_are_no_loss_of_the_network(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    a_block_is_missing(true, seen);
    assert_int_equal(between(seen, "s/a", "s/b")->stream.lost, 0);
    assert_int_equal(between(seen, "s/a", "s/b")->unresolved[COMPARE_OUTSIDE], 256);
    a_block_is_missing(false, seen);
    assert_int_equal(between(seen, "s/a", "s/b")->stream.lost, 256);
    free(seen);
}

/* b is away for half a minute, and then counts from a new begin under a new start. */
static void a_sensor_that_was_away_has_not_seen_and_nothing_is_lost(void **state)
{
    (void)state;
    struct path *p = path_new();
    struct world_sensor again = p->b;
    p->b.to_ns = p->b.from_ns + 20 * NS_PER_S;
    again.from_ns = p->b.to_ns + 10 * NS_PER_S;
    again.start_ns = again.from_ns;
    path_run(p);
    world_see(&p->w, &again, &p->sb, p->at_b, PACKETS);
    world_present(&p->w, &again);
    size_t seen = 0;
    for (size_t i = 0; i < PACKETS; i++)
        seen += p->at_b[i].ns < p->b.to_ns || p->at_b[i].ns >= again.from_ns;
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.lost, 0);
    assert_int_equal(ab->stream.matched, seen);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], PACKETS - seen);
    for (size_t i = 0; i < p->seen.point_count; i++)
        if (strcmp(p->seen.point_names[i], "s/b") == 0)
            assert_int_equal(p->seen.points[i].starts, 2);
    path_free(p);
}

static void a_long_silence_at_a_point_may_be_another_way(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 1000; i < 1000 + 15 * PPS; i++)
        p->at_b[i].ns = p->at_c[i].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_true(ab->away >= 512); /* the blocks of which b saw nothing */
    assert_true(ab->stream.lost <= 2 * 255);
    assert_int_equal(ab->stream.lost + ab->away, 15 * PPS);
    path_free(p);
}

static void two_streams_of_one_ssrc_stay_apart(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sb.src = p->sc.src = "10.77.0.1:5000";
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_b[i].rtp += 1234567;
        p->at_c[i].rtp += 1234567;
        p->at_b[i].dscp = p->at_c[i].dscp = 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_null(between(&p->seen, "s/a", "s/b"));
    assert_null(between(&p->seen, "s/a", "s/c"));
    assert_non_null(between(&p->seen, "s/b", "s/c"));
    path_free(p);
}

static void one_point_alone_accuses_nobody(void **state)
{
    (void)state;
    struct path *p = path_new();
    world_see(&p->w, &p->a, &p->sa, p->at_a, PACKETS);
    world_present(&p->w, &p->a);
    world_present(&p->w, &p->b);
    conclude(&p->w, &p->seen);
    assert_int_equal(p->seen.count, 0);
    assert_int_equal(p->seen.point_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(p->seen.points[i].alone, strcmp(p->seen.point_names[i], "s/a") == 0);
    path_free(p);
}

static void several_marks_on_both_sides_are_compared_only_where_counts_agree(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].dscp = i % 3 ? 46 : 0;
        p->at_b[i].dscp = i % 3 ? 46 : 0;
        p->at_c[i].dscp = i % 5 ? 46 : 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b"), *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(ab->stream.matched, PACKETS);
    assert_int_equal(ab->stream.changed, 0);
    assert_int_equal(bc->stream.matched, 0);
    assert_int_equal(bc->unresolved[COMPARE_MIXED], PACKETS);
    path_free(p);
}

static void a_mark_that_some_packets_lose_is_counted(void **state)
{
    (void)state;
    struct path *p = path_new();
    size_t bleached = 0;
    for (size_t i = 0; i < PACKETS; i += 7, bleached++)
        p->at_c[i].dscp = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(cell(bc, 46, 0), bleached);
    assert_int_equal(cell(bc, 46, 46), PACKETS - bleached);
    path_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_that_bleaches_is_named_to_the_packet),
        cmocka_unit_test(a_translator_does_not_part_a_stream),
        cmocka_unit_test(points_that_count_rounds_differently_agree),
        cmocka_unit_test(lost_packets_are_counted_one_by_one),
        cmocka_unit_test(what_is_seen_further_on_was_not_lost),
        cmocka_unit_test(drops_of_a_sensor_are_no_loss_of_the_network),
        cmocka_unit_test(messages_that_never_came_are_no_loss_of_the_network),
        cmocka_unit_test(a_sensor_that_was_away_has_not_seen_and_nothing_is_lost),
        cmocka_unit_test(a_long_silence_at_a_point_may_be_another_way),
        cmocka_unit_test(two_streams_of_one_ssrc_stay_apart),
        cmocka_unit_test(one_point_alone_accuses_nobody),
        cmocka_unit_test(several_marks_on_both_sides_are_compared_only_where_counts_agree),
        cmocka_unit_test(a_mark_that_some_packets_lose_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "judged.h"

/* Rows as the collector keeps them, written by hand. */

static const struct hash_key key = {3, 4};

static struct crossing row(const char *first, const char *second, uint64_t stream, dscp_t before, dscp_t after,
                           uint64_t packets)
{
    struct crossing c = {.first = first, .second = second, .stream_id = stream, .loss_known = true};
    c.stream.kind = KIND_RTP_AUDIO;
    c.stream.traffic_class = CLASS_VOICE;
    c.stream.way_by = COMPARE_WAY_TTL;
    c.stream.matched = packets;
    c.stream.changed = before != after ? packets : 0;
    assert_true(crossing_add(&c, before, after, packets));
    return c;
}

static void streams_of_one_segment_are_one_finding(void **state)
{
    (void)state;
    struct fleet_sum *s = fleet_sum_new(&key);
    for (uint64_t i = 1; i <= 40; i++)
        for (int window = 0; window < 3; window++) {
            struct crossing c = row("x/wan-a", "x/wan-b", i, 46, 0, 100);
            c.window_ns = window * 300 * NS_PER_S;
            assert_int_equal(fleet_sum_crossing(s, &c), 0);
            c = row("x/edge", "x/wan-a", i, 46, 46, 100);
            assert_int_equal(fleet_sum_crossing(s, &c), 0);
        }
    struct compare_document *d = judged(s);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(d->finding_count, 1);
    assert_string_equal(d->findings[0].code, "bleached");
    assert_int_equal(d->findings[0].streams, 40);
    assert_int_equal(d->findings[0].packets, 12000);
    assert_non_null(strstr(d->findings[0].message, "Between x/wan-a and x/wan-b"));
    assert_non_null(strstr(d->findings[0].message, "12000 packets of 40 streams of voice"));
    assert_int_equal(d->segment_count, 2);
    assert_string_equal(d->segments[0].rows[COMPARE_BOTH].behaviour, "preserved");
    assert_string_equal(d->segments[1].rows[COMPARE_BOTH].behaviour, "bleach-dscp");
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct report_options o = {.width = 100};
        struct strbuf text = written(d, (enum report_format)f, &o);
        assert_non_null(strstr(strbuf_text(&text), "wan-b"));
        strbuf_done(&text);
    }
    compare_document_free(d);
    fleet_sum_free(s);
}

static void a_segment_of_which_nothing_is_known_fails_nobody(void **state)
{
    (void)state;
    struct fleet_sum *s = fleet_sum_new(&key);
    struct crossing good = row("a", "b", 1, 46, 46, 100), nothing = row("b", "c", 1, 46, 46, 100);
    nothing.cell_count = 0;
    nothing.stream.matched = 0;
    nothing.unresolved[COMPARE_MIXED] = 100;
    assert_int_equal(fleet_sum_crossing(s, &good), 0);
    assert_int_equal(fleet_sum_crossing(s, &nothing), 0);
    struct compare_document *d = judged(s);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_non_null(strstr(d->verdict_text, "nothing is known of 1 of 2 segments"));
    compare_document_free(d);
    fleet_sum_free(s);
}

static void nothing_at_all_and_unmarked_packets_are_nothing_checked(void **state)
{
    (void)state;
    struct fleet_sum *s = fleet_sum_new(&key);
    struct compare_document *d = judged(s);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    struct report_options o = {.width = 100};
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct strbuf text = written(d, (enum report_format)f, &o);
        strbuf_done(&text);
    }
    compare_document_free(d);
    struct crossing unmarked = row("a", "b", 1, 0, 0, 100);
    assert_int_equal(fleet_sum_crossing(s, &unmarked), 0);
    d = judged(s);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    compare_document_free(d);
    fleet_sum_free(s);
}

static void who_is_away_is_told_of(void **state)
{
    (void)state;
    struct fleet_sum *s = fleet_sum_new(&key);
    for (unsigned partition = 0; partition < 3; partition++) {
        struct fleet_point p = {.name = "a",
                                .partition = partition,
                                .first_ns = 0,
                                .last_ns = 300 * NS_PER_S,
                                .present_ns = 260 * NS_PER_S,
                                .dropped = 7,
                                .packets = 10};
        assert_int_equal(fleet_sum_point(s, &p), 0);
    }
    struct compare_document *d = judged(s);
    assert_int_equal(d->captures[0].input.dropped, 7); /* of the point, whatever the partition that says so */
    assert_int_equal(d->captures[0].taken, 30);
    assert_false(d->complete);
    assert_true(d->note_count >= 2);
    assert_non_null(strstr(d->notes[0], "told nothing of 40 of 300 seconds"));
    compare_document_free(d);
    fleet_sum_free(s);
}

/* One collector of several, on machines of their own: nobody takes its share for the whole. */
static void a_share_of_the_partitions_is_called_one(void **state)
{
    (void)state;
    for (unsigned has = 30; has <= 32; has++) {
        struct fleet_sum *s = fleet_sum_new(&key);
        struct crossing kept = row("a", "b", 1, 46, 46, 100);
        assert_int_equal(fleet_sum_crossing(s, &kept), 0);
        for (unsigned partition = 0; partition < has; partition++) {
            struct fleet_point p = {.name = "a", .partition = partition, .partitions = 32, .packets = 10};
            assert_int_equal(fleet_sum_point(s, &p), 0);
            assert_int_equal(fleet_sum_point(s, &p), 0); /* in another window */
        }
        struct compare_document *d = judged(s);
        char text[32];
        snprintf(text, sizeof text, "; of %u of 32 partitions", has);
        assert_int_equal(d->verdict, SUMMARY_PASS);
        assert_int_equal(strstr(d->verdict_text, text) != NULL, has < 32);
        assert_int_equal(strstr(d->verdict_text, "partitions") != NULL, has < 32);
        assert_int_equal(d->complete, has == 32);
        compare_document_free(d);
        fleet_sum_free(s);
    }
}

/* Two ways side by side, and packets that take turns: what one point lacks the other one has. */
static void what_appears_as_well_is_not_lost(void **state)
{
    (void)state;
    for (uint64_t appeared = 9; appeared <= 10; appeared++) {
        struct crossing c = row("a", "b", 1, 46, 46, 500);
        struct strbuf text = {0};
        c.loss_known = true;
        c.stream.lost = 100;
        c.appeared = appeared;
        assert_int_equal(crossing_loss_is_known(&c), appeared < 10);
        crossing_write_json(&c, &text);
        assert_int_equal(strstr(strbuf_text(&text), "\"lost\":100") != NULL, appeared < 10);
        assert_int_equal(strstr(strbuf_text(&text), "\"lost\":null") != NULL, appeared == 10);
        strbuf_done(&text);
    }
}

static void rows_go_into_text_and_back(void **state)
{
    (void)state;
    struct crossing c = row("a", "b", 1, 46, 0, 5), back = {0};
    uint64_t counts[4] = {0, 7, 0, 9}, read[4] = {0};
    struct strbuf text = {0};
    assert_true(crossing_add(&c, 34, 34, 3));
    crossing_cells_text(&c, &text);
    assert_string_equal(strbuf_text(&text), "34>34:3 46>0:5");
    assert_true(crossing_cells_parse(slice_make(text.at, text.len), &back));
    assert_int_equal(back.cell_count, 2);
    assert_int_equal(back.cells[1].packets, 5);
    text.len = 0;
    crossing_counts_text(counts, 4, &text);
    assert_string_equal(strbuf_text(&text), "1:7 3:9");
    assert_true(crossing_counts_parse(slice_make(text.at, text.len), read, 4));
    assert_memory_equal(counts, read, sizeof counts);
    assert_false(crossing_counts_parse(SLICE("4:1"), read, 4));
    assert_false(crossing_cells_parse(SLICE("64>0:1"), &back));
    assert_false(crossing_cells_parse(SLICE("46>0"), &back));
    strbuf_done(&text);
}

static void buckets_of_delay_are_in_order(void **state)
{
    (void)state;
    assert_int_equal(crossing_bucket(0), 0);
    assert_int_equal(crossing_bucket(1e12), CROSSING_DELAYS - 1);
    for (double ns = 20000; ns < 5e9; ns *= 1.3) {
        double ms = crossing_bucket_ms(crossing_bucket(ns));
        assert_true(ms > ns / 1e6 * 0.8 && ms < ns / 1e6 * 1.25);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_of_one_segment_are_one_finding),
        cmocka_unit_test(a_segment_of_which_nothing_is_known_fails_nobody),
        cmocka_unit_test(nothing_at_all_and_unmarked_packets_are_nothing_checked),
        cmocka_unit_test(who_is_away_is_told_of),
        cmocka_unit_test(a_share_of_the_partitions_is_called_one),
        cmocka_unit_test(what_appears_as_well_is_not_lost),
        cmocka_unit_test(rows_go_into_text_and_back),
        cmocka_unit_test(buckets_of_delay_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/clock.h"
#include "live/tally.h"

static struct live_tally t;
static struct document d;
static struct node nodes[2] = {{.name = "cms-01"}, {.name = "cms-02"}};
static struct summary_row rows[4];
static struct arena arena;

static int start(void **state)
{
    (void)state;
    memset(rows, 0, sizeof rows);
    d = (struct document){.nodes = nodes, .node_count = 2, .by_class = rows};
    live_tally_begin(&t, 1000 * NS_PER_S, 50 * NS_PER_S);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    live_tally_done(&t);
    arena_done(&arena);
    return 0;
}

/* `right` packets with EF and `wrong` with CS0, since the beginning. */
static void set(size_t i, uint32_t node, uint64_t right, uint64_t wrong)
{
    rows[i].traffic_class = CLASS_VOICE;
    rows[i].direction = DIRECTION_FROM_NODE;
    rows[i].node = node;
    rows[i].by_dscp[46] = right;
    rows[i].by_dscp[0] = rows[i].wrong_by_dscp[0] = wrong;
    rows[i].packets = right + wrong;
    d.by_class_count = i + 1;
}

static uint32_t newest(const uint32_t *at, size_t ago)
{
    return at[LIVE_SERIES_SECONDS - 1 - ago];
}

static void series_hold_what_came_in_each_second(void **state)
{
    (void)state;
    set(0, 1, 100, 0);
    assert_int_equal(live_tally_look(&t, &d, 50 * NS_PER_S + NS_PER_S / 2, false), 0);
    set(0, 1, 150, 10);
    assert_int_equal(live_tally_look(&t, &d, 50 * NS_PER_S + NS_PER_S * 9 / 10, false), 0);
    assert_int_equal(t.series_count, 1);
    assert_int_equal(newest(t.series[0].right, 0), 150);
    assert_int_equal(newest(t.series[0].wrong, 0), 10);
    set(0, 1, 200, 10);
    assert_int_equal(live_tally_look(&t, &d, 51 * NS_PER_S, false), 0);
    assert_int_equal(newest(t.series[0].right, 0), 50);
    assert_int_equal(newest(t.series[0].right, 1), 150);
    assert_int_equal(newest(t.series[0].wrong, 0), 0);
    /* four seconds without a look: what came, came evenly */
    set(0, 1, 300, 10);
    assert_int_equal(live_tally_look(&t, &d, 55 * NS_PER_S, false), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(newest(t.series[0].right, i), 25);
    assert_int_equal(newest(t.series[0].right, 4), 50);
    /* so long that all of it has passed */
    set(0, 1, 300, 310);
    assert_int_equal(live_tally_look(&t, &d, 1055 * NS_PER_S, false), 0);
    uint64_t sum = 0;
    for (size_t i = 0; i < LIVE_SERIES_SECONDS; i++) {
        assert_int_equal(t.series[0].right[i], 0);
        sum += t.series[0].wrong[i];
    }
    assert_int_equal(sum, 300);
}

static void packets_that_turned_out_to_be_of_another_class_do_not_count_backwards(void **state)
{
    (void)state;
    set(0, 1, 100, 0);
    assert_int_equal(live_tally_look(&t, &d, 51 * NS_PER_S, false), 0);
    set(0, 1, 40, 0);
    assert_int_equal(live_tally_look(&t, &d, 52 * NS_PER_S, false), 0);
    assert_int_equal(newest(t.series[0].right, 0), 0);
    set(0, 1, 60, 0);
    assert_int_equal(live_tally_look(&t, &d, 53 * NS_PER_S, false), 0);
    assert_int_equal(newest(t.series[0].right, 0), 20);
}

static void another_policy_makes_no_packets(void **state)
{
    (void)state;
    set(0, 1, 100, 0);
    assert_int_equal(live_tally_look(&t, &d, 51 * NS_PER_S, false), 0);
    set(0, 1, 0, 100);
    assert_int_equal(live_tally_look(&t, &d, 52 * NS_PER_S, true), 0);
    assert_int_equal(newest(t.series[0].wrong, 0), 0);
    set(0, 1, 0, 105);
    assert_int_equal(live_tally_look(&t, &d, 53 * NS_PER_S, false), 0);
    assert_int_equal(newest(t.series[0].wrong, 0), 5);
}

static void an_interval_is_the_difference_by_nodes_name(void **state)
{
    (void)state;
    const struct live_interval *i;
    struct live_totals totals = {.streams_ever = 4,
                                 .streams_ended = 1,
                                 .packets = 160,
                                 .packets_checked = 150,
                                 .packets_violating = 10,
                                 .dropped_kernel = 7};
    set(0, 1, 100, 0);
    set(1, 2, 40, 10);
    assert_int_equal(live_tally_interval(&t, &d, &totals, 1010 * NS_PER_S, &arena, &i), 0);
    assert_int_equal(i->from_ns, 1000 * NS_PER_S);
    assert_int_equal(i->until_ns, 1010 * NS_PER_S);
    assert_int_equal(i->by_class_count, 2);
    assert_int_equal(i->by_class[1].wrong_by_dscp[0], 10);
    assert_int_equal(i->new_streams, 4);
    assert_int_equal(i->packets, 160);
    assert_int_equal(i->dropped_kernel, 7);

    /* the nodes were inferred anew, in another order; nothing came for one of them */
    nodes[0].name = "cms-02";
    nodes[1].name = "cms-01";
    set(0, 1, 45, 10);
    set(1, 2, 100, 0);
    totals = (struct live_totals){.streams_ever = 5,
                                  .streams_ended = 3,
                                  .packets = 165,
                                  .packets_checked = 155,
                                  .packets_violating = 10,
                                  .dropped_kernel = 7};
    assert_int_equal(live_tally_interval(&t, &d, &totals, 1020 * NS_PER_S, &arena, &i), 0);
    assert_int_equal(i->from_ns, 1010 * NS_PER_S);
    assert_int_equal(i->by_class_count, 1);
    assert_int_equal(i->by_class[0].node, 1);
    assert_int_equal(i->by_class[0].packets, 5);
    assert_int_equal(i->by_class[0].by_dscp[46], 5);
    assert_int_equal(i->by_class[0].wrong_by_dscp[0], 0);
    assert_int_equal(i->new_streams, 1);
    assert_int_equal(i->ended_streams, 2);
    assert_int_equal(i->packets_violating, 0);
    assert_int_equal(i->dropped_kernel, 0);
    nodes[0].name = "cms-01";
    nodes[1].name = "cms-02";
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(series_hold_what_came_in_each_second, start, stop),
        cmocka_unit_test_setup_teardown(packets_that_turned_out_to_be_of_another_class_do_not_count_backwards, start,
                                        stop),
        cmocka_unit_test_setup_teardown(another_policy_makes_no_packets, start, stop),
        cmocka_unit_test_setup_teardown(an_interval_is_the_difference_by_nodes_name, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

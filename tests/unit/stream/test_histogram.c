#include "testing.h"

#include "stream/histogram.h"

static void add(struct histogram *m, tos_t tos, uint64_t frame)
{
    struct mark_event e = {.tos = tos, .bytes = 100, .frame = {frame, 0}, .time_ns = (int64_t)frame * 1000};
    histogram_add(m, &e);
}

static void each_mark_keeps_its_count_and_its_place_in_time(void **state)
{
    (void)state;
    struct histogram m = {0};
    struct record_mark out[3];
    add(&m, 0xb8, 10); /* EF */
    add(&m, 0xba, 11); /* EF with ECT(0): the same mark */
    add(&m, 0x00, 12);
    add(&m, 0x88, 13); /* AF41 */
    add(&m, 0xb8, 14);

    assert_int_equal(histogram_count(&m), 3);
    histogram_copy(&m, out);
    assert_int_equal(out[0].dscp, 46);
    assert_int_equal(out[0].packets, 3);
    assert_int_equal(out[0].bytes, 300);
    assert_int_equal(out[0].first.frame, 10);
    assert_int_equal(out[0].last.frame, 14);
    assert_int_equal(out[1].dscp, 0);
    assert_int_equal(out[1].first.frame, 12);
    assert_int_equal(out[2].dscp, 34);
    assert_int_equal(m.changes, 3);
    assert_int_equal(m.ecn[0], 4);
    assert_int_equal(m.ecn[2], 1);
    histogram_done(&m);
}

static void all_64_marks_are_counted_apart(void **state)
{
    (void)state;
    struct histogram m = {0};
    struct record_mark out[64];
    for (unsigned dscp = 0; dscp < 64; dscp++)
        for (unsigned n = 0; n <= dscp; n++)
            add(&m, dscp_tos((dscp_t)dscp), 1 + dscp);
    assert_int_equal(histogram_count(&m), 64);
    histogram_copy(&m, out);
    for (unsigned dscp = 0; dscp < 64; dscp++) {
        assert_int_equal(out[dscp].dscp, dscp);
        assert_int_equal(out[dscp].packets, dscp + 1);
    }
    histogram_done(&m);
}

static void merging_adds_counts_and_keeps_the_order_of_appearance(void **state)
{
    (void)state;
    struct histogram a = {0}, b = {0};
    struct record_mark out[2];
    add(&a, 0xb8, 20);
    add(&a, 0xb8, 21);
    add(&b, 0x00, 10);
    add(&b, 0xb8, 30);
    histogram_merge(&a, &b);
    assert_int_equal(histogram_count(&a), 2);
    histogram_copy(&a, out);
    assert_int_equal(out[0].dscp, 0);
    assert_int_equal(out[0].first.frame, 10);
    assert_int_equal(out[1].dscp, 46);
    assert_int_equal(out[1].packets, 3);
    assert_int_equal(out[1].first.frame, 20);
    assert_int_equal(out[1].last.frame, 30);
    histogram_done(&a);
    histogram_done(&b);
}

static void merging_into_nothing_is_a_copy(void **state)
{
    (void)state;
    struct histogram a = {0}, b = {0};
    add(&b, 0x88, 5);
    histogram_merge(&a, &b);
    assert_int_equal(histogram_count(&a), 1);
    assert_int_equal(a.one.dscp, 34);
    assert_int_equal(a.changes, 0);
    histogram_done(&a);
    histogram_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mark_keeps_its_count_and_its_place_in_time),
        cmocka_unit_test(all_64_marks_are_counted_apart),
        cmocka_unit_test(merging_adds_counts_and_keeps_the_order_of_appearance),
        cmocka_unit_test(merging_into_nothing_is_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

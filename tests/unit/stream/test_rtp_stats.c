#include "testing.h"

#include "stream/rtp_stats.h"

#define MS 1000000LL

static void add(struct rtp_stats *s, uint16_t sequence, uint32_t timestamp, int64_t time_ns)
{
    struct rtp_header h = {.sequence = sequence, .timestamp = timestamp};
    rtp_stats_add(s, &h, time_ns);
}

static struct rtp_figures figures(const struct rtp_stats *s)
{
    struct rtp_figures f;
    rtp_stats_figures(s, &f);
    return f;
}

static void a_clean_stream_loses_nothing_across_the_wrap(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    for (unsigned i = 0; i < 200; i++)
        add(&s, (uint16_t)(65500 + i), 160 * i, 20 * MS * i);
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.expected, 200);
    assert_int_equal(f.lost, 0);
    assert_int_equal(f.reordered, 0);
    assert_int_equal(f.duplicates, 0);
}

static void missing_numbers_are_lost(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    for (unsigned i = 0; i < 100; i++)
        if (i % 10 != 5)
            add(&s, (uint16_t)i, 160 * i, 20 * MS * i);
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.expected, 100);
    assert_int_equal(f.lost, 10);
    assert_true(f.max_gap_ms > 39.9 && f.max_gap_ms < 40.1);
}

static void a_late_packet_is_reordered_not_lost(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    static const uint16_t order[] = {1, 2, 4, 3, 5};
    for (unsigned i = 0; i < 5; i++)
        add(&s, order[i], 160u * order[i], 20 * MS * i);
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.expected, 5);
    assert_int_equal(f.lost, 0);
    assert_int_equal(f.reordered, 1);
}

static void a_packet_seen_twice_is_a_duplicate_and_covers_no_loss(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    static const uint16_t order[] = {1, 2, 2, 2, 5, 4, 4};
    for (unsigned i = 0; i < 7; i++)
        add(&s, order[i], 160u * order[i], 20 * MS * i);
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.expected, 5);
    assert_int_equal(f.lost, 1); /* number 3 */
    assert_int_equal(f.duplicates, 3);
    assert_int_equal(f.reordered, 1);
}

static void a_sender_that_starts_anew_is_not_loss(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    for (unsigned i = 0; i < 50; i++)
        add(&s, (uint16_t)(100 + i), 160 * i, 20 * MS * i);
    for (unsigned i = 0; i < 50; i++)
        add(&s, (uint16_t)(40000 + i), 160 * i, 20 * MS * (50 + i));
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.expected, 100);
    assert_int_equal(f.lost, 0);
}

static void the_packet_before_the_first_one_seen_moves_the_base(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    static const uint16_t order[] = {11, 10, 12, 13};
    for (unsigned i = 0; i < 4; i++)
        add(&s, order[i], 160u * order[i], 20 * MS * i);
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.expected, 4);
    assert_int_equal(f.lost, 0);
}

/* RFC 3550 A.8 by hand: 8 kHz, packets of 20 ms; the third comes 8 ms late, so D = 64, then -64, then 0.
 * J: 0 -> 64/16 = 4 -> 4 + (64 - 4)/16 = 7.75 -> 7.75 - 7.75/16 = 7.265625 units = 0.908203 ms. */
static void jitter_follows_rfc_3550(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    rtp_stats_clock(&s, 8000);
    add(&s, 1, 0, 0);
    add(&s, 2, 160, 20 * MS);
    add(&s, 3, 320, 48 * MS);
    add(&s, 4, 480, 60 * MS);
    add(&s, 5, 640, 80 * MS);
    struct rtp_figures f = figures(&s);
    assert_int_equal(f.clock_rate, 8000);
    assert_true(f.jitter_ms > 0.90820 && f.jitter_ms < 0.90821);
}

/* The RFC counts each packet, those that share a timestamp too: two packets 1 ms apart with one timestamp at 90 kHz
 * are D = 90 units, J = 90/16 = 5.625 units = 0.0625 ms. */
static void packets_of_one_frame_count_as_the_rfc_says(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    rtp_stats_clock(&s, 90000);
    add(&s, 1, 3000, 0);
    add(&s, 2, 3000, MS);
    assert_true(figures(&s).jitter_ms > 0.06249 && figures(&s).jitter_ms < 0.06251);
}

static void without_a_clock_the_jitter_is_not_known(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    add(&s, 1, 0, 0);
    add(&s, 2, 160, 20 * MS);
    assert_true(figures(&s).jitter_ms < 0);
    assert_int_equal(figures(&s).clock_rate, 0);
}

static void nothing_seen_is_nothing_expected(void **state)
{
    (void)state;
    struct rtp_stats s = {0};
    assert_int_equal(figures(&s).expected, 0);
    assert_int_equal(figures(&s).lost, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_stream_loses_nothing_across_the_wrap),
        cmocka_unit_test(missing_numbers_are_lost),
        cmocka_unit_test(a_late_packet_is_reordered_not_lost),
        cmocka_unit_test(a_packet_seen_twice_is_a_duplicate_and_covers_no_loss),
        cmocka_unit_test(a_sender_that_starts_anew_is_not_loss),
        cmocka_unit_test(the_packet_before_the_first_one_seen_moves_the_base),
        cmocka_unit_test(jitter_follows_rfc_3550),
        cmocka_unit_test(packets_of_one_frame_count_as_the_rfc_says),
        cmocka_unit_test(without_a_clock_the_jitter_is_not_known),
        cmocka_unit_test(nothing_seen_is_nothing_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

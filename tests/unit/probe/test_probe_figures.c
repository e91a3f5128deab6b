#include "testing.h"

#include <math.h>

#include "base/clock.h"
#include "probe/probe_figures.h"

enum { VOICE, VIDEO, CONTROL, CLASSES };

static struct probe_document *document(void)
{
    struct probe_document *d = probe_document_new();
    assert_non_null(d);
    d->classes = arena_alloc(&d->arena, CLASSES * sizeof *d->classes);
    assert_non_null(d->classes);
    d->class_count = CLASSES;
    d->classes[VOICE] = (struct probe_class){.name = "voice", .sent_dscp = 46, .size_bytes = 172};
    d->classes[VIDEO] = (struct probe_class){.name = "multimedia", .sent_dscp = 34, .size_bytes = 172};
    d->classes[CONTROL] = (struct probe_class){.name = "control", .control = true, .size_bytes = 172};
    return d;
}

/* Packets of one flow and stateful reflector: `at` in ms, one-way times in ms. */
static struct probe_packet *add(struct probe_document *d, uint16_t class_index, uint32_t round, double at_ms,
                                double there_ms, double back_ms)
{
    static const int8_t marks[] = {46, 34, 0};
    struct probe_packet *p = probe_document_add(d);
    assert_non_null(p);
    p->class_index = class_index;
    p->round = round;
    p->sequence = (uint32_t)(d->packet_count == 1 ? 0 : d->packet_count);
    p->reflected = (uint32_t)d->packet_count - 1;
    p->sent_ns = (int64_t)(at_ms * (double)NS_PER_MS);
    p->forward_ns = (int64_t)(there_ms * (double)NS_PER_MS);
    p->reverse_ns = (int64_t)(back_ms * (double)NS_PER_MS);
    p->rtt_ns = p->forward_ns + p->reverse_ns;
    p->arrived = p->returned = p->replied = marks[class_index];
    p->answered = true;
    p->size_bytes = 172;
    return p;
}

static void near(double got, double expected)
{
    if (fabs(got - expected) > 0.0005)
        fail_msg("%.6f is not %.6f", got, expected);
}

static void marks_are_counted_with_unknown_apart(void **state)
{
    (void)state;
    struct probe_document *d = document();
    for (uint32_t i = 0; i < 4; i++)
        (void)add(d, VOICE, i, i, 1, 1);
    d->packets[1].arrived = 0;
    d->packets[2].arrived = PROBE_MARK_UNKNOWN;
    d->packets[3].answered = false;
    d->packets[3].arrived = d->packets[3].returned = PROBE_MARK_UNKNOWN;
    (void)add(d, VOICE, 4, 4, 1, 1);
    d->packets[4].witness = true;
    assert_int_equal(probe_figures_count(d), 0);
    const struct probe_class *c = &d->classes[VOICE];
    assert_int_equal(c->sent, 4);
    assert_int_equal(c->answered, 3);
    assert_int_equal(c->arrived.packets[46], 1);
    assert_int_equal(c->arrived.packets[0], 1);
    assert_int_equal(c->arrived.unknown, 1);
    assert_int_equal(c->returned.packets[46], 3);
    assert_int_equal(c->matrix_count, 4);
    uint64_t total = 0;
    bool lost = false;
    for (size_t i = 0; i < c->matrix_count; i++) {
        total += c->matrix[i].packets;
        lost |= !c->matrix[i].answered && c->matrix[i].arrived == PROBE_MARK_UNKNOWN;
    }
    assert_int_equal(total, 4);
    assert_true(lost);
    probe_document_free(d);
}

static void delays_leave_the_clocks_offset_out(void **state)
{
    (void)state;
    struct probe_document *d = document();
    const double there[] = {5, 7, 6, 15}, back[] = {1, 1, 2, 1};
    for (uint32_t i = 0; i < 4; i++)
        (void)add(d, VOICE, i, 20 * i, there[i] + 1000, back[i] - 1000);
    assert_int_equal(probe_figures_count(d), 0);
    const struct probe_class *c = &d->classes[VOICE];
    near(c->rtt_ms.min, 6);
    near(c->rtt_ms.max, 16);
    near(c->forward_ms.min, 0);
    near(c->forward_ms.max, 10);
    near(c->reverse_ms.max, 1);
    /* RFC 3550: |D| = 2, 1, 9 */
    double j = 0;
    const double differences[] = {2, 1, 9};
    for (int i = 0; i < 3; i++)
        j += (differences[i] - j) / 16;
    near(c->forward_jitter_ms, j);
    assert_true(d->classes[VIDEO].forward_jitter_ms < 0);
    assert_int_equal(d->classes[VIDEO].rtt_ms.count, 0);
    probe_document_free(d);
}

/* A clock that runs 50 ppm fast is 6 ms ahead after two minutes, and no packet waited that long. */
static void a_clock_that_drifts_is_no_queue(void **state)
{
    (void)state;
    struct probe_document *d = document();
    for (uint32_t i = 0; i < 1200; i++) {
        double at = 100.0 * i, drift = at * 50e-6;
        (void)add(d, VOICE, i, at, 5 + drift + (i % 7 == 0 ? 0.5 : 0), 5 - drift);
    }
    assert_int_equal(probe_figures_count(d), 0);
    assert_true(d->classes[VOICE].forward_ms.max < 0.6);
    assert_true(d->classes[VOICE].reverse_ms.max < 0.1);
    probe_document_free(d);
}

/* And a queue that fills on the way there for two minutes is one. */
static void a_queue_that_fills_is_no_clock(void **state)
{
    (void)state;
    struct probe_document *d = document();
    for (uint32_t i = 0; i < 1200; i++)
        (void)add(d, VOICE, i, 100.0 * i, 5 + 10.0 * i / 1200, 5);
    assert_int_equal(probe_figures_count(d), 0);
    assert_true(d->classes[VOICE].forward_ms.max > 4);
    probe_document_free(d);
}

/* No packet can be longer on one way than on both: a reflector whose clock is set in the middle, or that makes its
 * times up, is no jitter. A queue of the same size on the other hand is in the round trip too. */
static void times_that_contradict_the_round_trip_are_not_known(void **state)
{
    (void)state;
    struct probe_document *set = document(), *queue = document(), *wild = document();
    for (uint32_t i = 0; i < 20; i++) {
        double step = i < 10 ? 0 : 3600000, wait = i % 2 ? 3000 : 0;
        (void)add(set, VOICE, i, 20 * i, 5 + step, 5 - step);
        (void)add(queue, VOICE, i, 20 * i, 5 + wait, 5);
        add(wild, VOICE, i, 20 * i, 5, 5)->forward_ns = ((int64_t)(i % 3) - 1) * (INT64_MAX / 4);
    }
    const struct probe_document *const impossible[] = {set, wild};
    assert_int_equal(probe_figures_count(set), 0);
    assert_int_equal(probe_figures_count(wild), 0);
    assert_int_equal(probe_figures_count(queue), 0);
    for (int k = 0; k < 2; k++) {
        const struct probe_class *c = &impossible[k]->classes[VOICE];
        assert_true(c->forward_jitter_ms < 0 && c->reverse_jitter_ms < 0);
        assert_int_equal(c->forward_ms.count, 0);
        assert_int_equal(impossible[k]->note_count, 1);
        near(c->rtt_ms.max, 10);
    }
    assert_true(queue->classes[VOICE].forward_jitter_ms > 1000);
    assert_int_equal(queue->note_count, 0);
    probe_document_free(set);
    probe_document_free(queue);
    probe_document_free(wild);
}

static void rounds_are_compared_with_their_control(void **state)
{
    (void)state;
    struct probe_document *d = document();
    for (uint32_t i = 0; i < 40; i++) {
        double queue = 10 + 5 * sin(i); /* the control waits; voice does not, video 2 ms less than the control */
        (void)add(d, VOICE, i, 20 * i, 1, 1);
        (void)add(d, VIDEO, i, 20 * i, queue - 2, 1);
        (void)add(d, CONTROL, i, 20 * i, queue, 1);
    }
    assert_int_equal(probe_figures_count(d), 0);
    assert_true(d->classes[VOICE].delay_ms.known);
    assert_true(d->classes[VOICE].delay_ms.high < -5);
    near(d->classes[VIDEO].delay_ms.estimate, -2);
    near(d->classes[VIDEO].delay_ms.low, -2);
    assert_true(d->classes[VOICE].control_queue_ms > 5);
    assert_false(d->classes[CONTROL].delay_ms.known);
    probe_document_free(d);
}

static void a_control_of_another_size_is_not_compared(void **state)
{
    (void)state;
    struct probe_document *d = document();
    d->classes[VIDEO].size_bytes = 1052;
    d->classes[CONTROL].size_bytes = 0;
    for (uint32_t i = 0; i < 40; i++) {
        bool large = i % 2;
        (void)add(d, VOICE, i, 20 * i, 1, 1);
        add(d, VIDEO, i, 20 * i, 2, 1)->size_bytes = 1052;
        add(d, CONTROL, i, 20 * i, large ? 2 : 1, 1)->size_bytes = large ? 1052 : 172;
    }
    assert_int_equal(probe_figures_count(d), 0);
    near(d->classes[VOICE].delay_ms.estimate, 0);
    near(d->classes[VIDEO].delay_ms.estimate, 0);
    probe_document_free(d);
}

static void loss_each_way_needs_a_reflector_that_counts(void **state)
{
    (void)state;
    struct probe_document *d = document();
    uint32_t counted = 0;
    for (uint32_t i = 0; i < 20; i++) {
        struct probe_packet *p = add(d, VOICE, i, i, 1, 1);
        bool there = i == 5 || i == 6, back = i == 9;
        p->reflected = there ? 0 : counted;
        counted += !there;
        p->answered = !there && !back;
    }
    assert_int_equal(probe_figures_count(d), 0);
    assert_int_equal(d->reflector.stateful, PROBE_FACT_YES);
    assert_int_equal(d->classes[VOICE].lost.forward, 2);
    assert_int_equal(d->classes[VOICE].lost.reverse, 1);
    for (size_t i = 0; i < d->packet_count; i++)
        d->packets[i].reflected = d->packets[i].sequence;
    assert_int_equal(probe_figures_count(d), 0);
    assert_int_equal(d->reflector.stateful, PROBE_FACT_NO);
    assert_int_equal(d->classes[VOICE].lost.forward, -1);
    assert_int_equal(d->classes[VOICE].lost.reverse, -1);
    assert_int_equal(d->classes[VOICE].lost.round_trip, 3);
    probe_document_free(d);
}

static void nothing_sent_is_nothing_known(void **state)
{
    (void)state;
    struct probe_document *d = document();
    assert_int_equal(probe_figures_count(d), 0);
    assert_int_equal(d->classes[VOICE].sent, 0);
    assert_int_equal(d->classes[VOICE].matrix_count, 0);
    assert_int_equal(d->reflector.stateful, PROBE_FACT_UNKNOWN);
    probe_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_counted_with_unknown_apart),
        cmocka_unit_test(delays_leave_the_clocks_offset_out),
        cmocka_unit_test(a_clock_that_drifts_is_no_queue),
        cmocka_unit_test(a_queue_that_fills_is_no_clock),
        cmocka_unit_test(times_that_contradict_the_round_trip_are_not_known),
        cmocka_unit_test(rounds_are_compared_with_their_control),
        cmocka_unit_test(a_control_of_another_size_is_not_compared),
        cmocka_unit_test(loss_each_way_needs_a_reflector_that_counts),
        cmocka_unit_test(nothing_sent_is_nothing_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

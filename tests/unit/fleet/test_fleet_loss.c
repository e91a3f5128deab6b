#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "judged.h"

/* Rows as the collector keeps them, with losses that the test deals out itself. */

enum { HOSTS = 5, WINDOWS = 2, VOICE = CLASS_VOICE, VIDEO = CLASS_MULTIMEDIA };

#define WINDOW_NS (320 * NS_PER_S)

static const struct hash_key key = {3, 4};

/* What one stream of a class met between s/a and s/b: so many packets in each slice, so many of them lost. */
static struct crossing row(int class, int host, int window, uint32_t sent, uint32_t lost)
{
    char text[ENDPOINT_TEXT_MAX];
    struct crossing c = {.first = "s/a", .second = "s/b", .loss_known = true, .slice_ns = WINDOW_NS / CROSSING_SLICES};
    dscp_t mark = class == VOICE ? 46 : 34;
    c.window_ns = window * WINDOW_NS;
    c.stream_id = (uint64_t)(host * 100 + class);
    c.stream.kind = class == VOICE ? KIND_RTP_AUDIO : KIND_RTP_VIDEO;
    c.stream.traffic_class = (enum traffic_class) class;
    c.stream.way_by = COMPARE_WAY_TTL;
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "10.0.%d.1:5000", host);
        assert_true(endpoint_parse(slice_make(text, strlen(text)), 0, &c.stream.src[i]));
        assert_true(endpoint_parse(SLICE("10.9.0.1:6000"), 0, &c.stream.dst[i]));
    }
    for (size_t i = 0; i < CROSSING_SLICES; i++)
        crossing_slice_add(&c, c.window_ns + (int64_t)i * c.slice_ns, sent, lost);
    c.stream.matched = CROSSING_SLICES * (uint64_t)(sent - lost);
    c.stream.lost = c.lost_by_dscp[mark] = CROSSING_SLICES * (uint64_t)lost;
    assert_true(crossing_add(&c, mark, mark, c.stream.matched));
    return c;
}

static struct fleet_sum *sum_of(uint32_t voice_lost, uint32_t video_lost)
{
    struct fleet_sum *s = fleet_sum_new(&key);
    for (int window = 0; window < WINDOWS; window++)
        for (int host = 0; host < HOSTS; host++) {
            struct crossing voice = row(VOICE, host, window, 1000, voice_lost);
            struct crossing video = row(VIDEO, host, window, 1000, video_lost);
            assert_int_equal(fleet_sum_crossing(s, &voice), 0);
            assert_int_equal(fleet_sum_crossing(s, &video), 0);
        }
    return s;
}

/* Judges, and frees the sums. */
static struct compare_document *document(struct fleet_sum *s)
{
    struct compare_document *d = judged(s);
    fleet_sum_free(s);
    return d;
}

static struct strbuf report(const struct compare_document *d, enum report_format format)
{
    struct report_options o = {.width = 160};
    return written(d, format, &o);
}

static void a_policed_class_is_a_finding_of_its_segment(void **state)
{
    (void)state;
    struct fleet_sum *s = sum_of(50, 1);
    struct crossing healthy = row(VOICE, 1, 0, 1000, 0);
    healthy.first = "s/0"; /* before all others */
    healthy.second = "s/a";
    assert_int_equal(fleet_sum_crossing(s, &healthy), 0);
    struct compare_document *d = document(s);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 1);
    const struct compare_finding *f = &d->findings[0];
    const struct compare_segment *x = &d->segments[f->segment];
    assert_string_equal(f->code, "class-loss");
    assert_false(f->violation);
    assert_int_equal(f->classes, 1U << VOICE);
    assert_string_equal(d->captures[x->first].input.file, "s/a");
    assert_string_equal(d->captures[x->second].input.file, "s/b");
    /* 5 % of 160,000 against 0.1 % */
    assert_int_equal(f->packets, 8000);
    assert_non_null(strstr(f->message, "voice loses more than the rest: 5.00 % (8000 of 160000 packets: 8000 EF) "
                                       "against 0.10 % (160 of 160000)"));
    assert_non_null(strstr(f->message, "32 of 32 parts"));
    for (int format = 0; format < REPORT_FORMAT_COUNT; format++) {
        struct strbuf text = report(d, (enum report_format)format);
        const char *wanted = format == REPORT_CSV ? "8000" : "class-loss";
        assert_non_null(strstr(strbuf_text(&text), wanted));
        strbuf_done(&text);
    }
    compare_document_free(d);
}

static void equal_losses_are_shown_and_accuse_nobody(void **state)
{
    (void)state;
    struct compare_document *d = document(sum_of(20, 20));
    assert_int_equal(d->finding_count, 0);
    assert_int_equal(d->segments[0].rows[COMPARE_FORWARD].classes[VOICE].lost, 3200);
    assert_true(d->segments[0].rows[COMPARE_FORWARD].classes[VOICE].test.done);
    compare_document_free(d);
}

static void what_sensors_missed_is_no_loss(void **state)
{
    (void)state;
    struct fleet_sum *s = sum_of(50, 0);
    struct crossing c = row(VIDEO, 1, 0, 1000, 0);
    c.appeared = 5000; /* behind the segment, and not before it */
    assert_int_equal(fleet_sum_crossing(s, &c), 0);
    struct compare_document *d = document(s);
    assert_int_equal(d->finding_count, 0);
    assert_false(d->segments[0].rows[COMPARE_FORWARD].loss_known);
    assert_non_null(strstr(d->segments[0].rows[COMPARE_FORWARD].loss_reason, "5000 packets"));
    struct strbuf text = report(d, REPORT_TEXT);
    assert_non_null(strstr(strbuf_text(&text), "unknown"));
    strbuf_done(&text);
    compare_document_free(d);
}

static void where_nothing_is_missing_nothing_was_lost(void **state)
{
    (void)state;
    struct fleet_sum *s = sum_of(0, 0);
    struct crossing c = row(VIDEO, 1, 0, 1000, 0);
    c.appeared = 5;
    assert_int_equal(fleet_sum_crossing(s, &c), 0);
    struct compare_document *d = document(s);
    assert_true(d->segments[0].rows[COMPARE_FORWARD].loss_known);
    assert_int_equal(d->segments[0].rows[COMPARE_FORWARD].lost, 0);
    compare_document_free(d);
}

static void packets_whose_fate_is_unknown_keep_a_class_out(void **state)
{
    (void)state;
    for (int away = 0; away < 2; away++) {
        struct fleet_sum *s = sum_of(50, 0);
        struct crossing c = row(VOICE, 1, 0, 1000, 50);
        c.unresolved[COMPARE_OUTSIDE] = 20000; /* of 176,000 */
        c.away = away ? 20000 : 0;             /* an outage is known to be one */
        assert_int_equal(fleet_sum_crossing(s, &c), 0);
        struct compare_document *d = document(s);
        assert_int_equal(d->finding_count, (size_t)away);
        compare_document_free(d);
    }
}

static void of_what_has_no_numbers_no_loss_is_told(void **state)
{
    (void)state;
    struct fleet_sum *s = sum_of(0, 0);
    struct crossing c = {.first = "s/a", .second = "s/b", .stream_id = 9};
    c.stream.kind = KIND_SIP;
    c.stream.traffic_class = CLASS_SIGNALING;
    c.stream.matched = 500;
    assert_true(crossing_add(&c, 24, 24, 500));
    assert_int_equal(fleet_sum_crossing(s, &c), 0);
    struct compare_document *d = document(s);
    const struct compare_row *r = &d->segments[0].rows[COMPARE_FORWARD];
    assert_true(r->loss_known);
    assert_true(r->classes[CLASS_SIGNALING].loss_unknown);
    assert_false(r->classes[VOICE].loss_unknown);
    compare_document_free(d);
}

/* More slices of time than are kept: they become longer, and nothing is lost of them. */
static void a_month_is_judged_like_a_minute(void **state)
{
    (void)state;
    struct fleet_sum *s = fleet_sum_new(&key);
    for (int window = 0; window < 400; window++) {
        int at = window * 179 % 400; /* in no order */
        struct crossing voice = row(VOICE, at % 7, at, 100, at % 4 ? 3 : 0), video = row(VIDEO, at % 7, at, 100, 0);
        assert_int_equal(fleet_sum_crossing(s, &voice), 0);
        assert_int_equal(fleet_sum_crossing(s, &video), 0);
    }
    struct compare_document *d = document(s);
    assert_int_equal(d->finding_count, 1);
    const struct compare_loss_test *t = &d->segments[0].rows[COMPARE_FORWARD].classes[VOICE].test;
    assert_int_equal(t->sent, 400 * CROSSING_SLICES * 100);
    assert_int_equal(t->other_sent, 400 * CROSSING_SLICES * 100);
    assert_int_equal(t->lost, 300 * CROSSING_SLICES * 3);
    assert_in_range(t->slices_more, 64, 256);
    assert_int_equal(t->slices_less, 0);
    compare_document_free(d);
}

static void slices_go_into_text_and_back(void **state)
{
    (void)state;
    struct crossing c = {.slice_ns = 18750000000, .window_ns = 300 * NS_PER_S}, back = {0};
    struct strbuf text = {0};
    crossing_slices_text(&c, &text);
    assert_string_equal(strbuf_text(&text), "");
    crossing_slice_add(&c, 300 * NS_PER_S, 512, 0);
    crossing_slice_add(&c, 320 * NS_PER_S, 500, 12);
    crossing_slice_add(&c, 0, 1, 0);                /* before the window: a clock that was set */
    crossing_slice_add(&c, 9000 * NS_PER_S, 1, 0); /* and behind it */
    crossing_slices_text(&c, &text);
    assert_string_equal(strbuf_text(&text), "18750000000 0:513 1:500/12 15:1");
    assert_true(crossing_slices_parse(slice_make(text.at, text.len), &back));
    assert_memory_equal(back.slices, c.slices, sizeof c.slices);
    assert_int_equal(back.slice_ns, c.slice_ns);
    assert_int_equal(crossing_sent(&back).sent, 1014);
    assert_int_equal(crossing_sent(&back).lost, 12);
    static const char *const wrong[] = {"x", "5 16:1", "5 1", "5 1:", "5 1:2/3", "5 1:2/", "-1 0:1", "5 1:9999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(crossing_slices_parse(slice_make(wrong[i], strlen(wrong[i])), &back), i == 5);
    strbuf_done(&text);
}

/* A history is somebody's file: no number in it is believed to be small. */
static void numbers_out_of_the_ordinary_are_left_out(void **state)
{
    (void)state;
    struct fleet_sum *s = fleet_sum_new(&key);
    static const int64_t numbers[] = {INT64_MAX, INT64_MIN, -1, 0, INT64_MAX / 2 - 1, INT64_MAX / 128};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < 6; k++) {
            struct crossing c = row(VOICE, 1, 1, 100, 1);
            c.window_ns = numbers[i];
            c.slice_ns = numbers[k];
            assert_int_equal(fleet_sum_crossing(s, &c), 0);
        }
    compare_document_free(document(s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policed_class_is_a_finding_of_its_segment),
        cmocka_unit_test(equal_losses_are_shown_and_accuse_nobody),
        cmocka_unit_test(what_sensors_missed_is_no_loss),
        cmocka_unit_test(where_nothing_is_missing_nothing_was_lost),
        cmocka_unit_test(packets_whose_fate_is_unknown_keep_a_class_out),
        cmocka_unit_test(of_what_has_no_numbers_no_loss_is_told),
        cmocka_unit_test(a_month_is_judged_like_a_minute),
        cmocka_unit_test(slices_go_into_text_and_back),
        cmocka_unit_test(numbers_out_of_the_ordinary_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <jansson.h>

#include "report/report_live.h"
#include "sample.h"

/* The sample's document (sample.h), as a look at two interfaces shows it. */
struct look {
    struct sample sample;
    struct live_point points[2];
    struct live_finding findings[3];
    struct summary_row rows[2];
    struct live_interval interval;
    struct live_view view;
};

static void look_open(struct look *l)
{
    memset(l, 0, sizeof *l);
    sample_open(&l->sample);
    l->points[0] = (struct live_point){"eth0", LIVE_POINT_UP, SAMPLE_T0, "", 10000, 2000000, 34, 5};
    l->points[1] = (struct live_point){"eth1", LIVE_POINT_DOWN, SAMPLE_T0 + SECONDS(3), "the cable is out", 5, 400, 0, 0};
    const struct finding f = l->sample.findings[0];
    l->findings[0] = (struct live_finding){
        1, "bleached site berlin", f, SAMPLE_T0 + SECONDS(15), SAMPLE_T0 + SECONDS(19), 0, false, false};
    l->findings[1] = (struct live_finding){2,     "one-way cms-01", f, SAMPLE_T0 + SECONDS(5), SAMPLE_T0 + SECONDS(6),
                                           SAMPLE_T0 + SECONDS(20), false, true};
    l->findings[1].finding.code = FINDING_ONE_WAY;
    l->findings[1].finding.subject = "cms-01";
    l->findings[2] = (struct live_finding){
        3, "remarked x", f, SAMPLE_T0 + SECONDS(10), SAMPLE_T0 + SECONDS(19), 0, false, false};
    l->rows[0] = (struct summary_row){.traffic_class = CLASS_VOICE, .direction = DIRECTION_TO_NODE, .node = 1, .streams = 1,
                                      .packets = 500, .violating_streams = 1, .violating_packets = 120,
                                      .by_dscp = {[0] = 120, [46] = 380}, .wrong_by_dscp = {[0] = 120},
                                      .expected = dscp_set_of(46), .preferred = 46, .judged = true};
    l->rows[1] = (struct summary_row){.traffic_class = CLASS_SIGNALING, .direction = DIRECTION_FROM_NODE, .node = 1,
                                      .streams = 2, .packets = 12, .by_dscp = {[24] = 12},
                                      .expected = dscp_set_of(24), .preferred = 24, .judged = true};
    l->interval = (struct live_interval){.from_ns = SAMPLE_T0 + SECONDS(10), .until_ns = SAMPLE_T0 + SECONDS(20),
                                         .by_class = l->rows, .by_class_count = 2, .new_streams = 3, .ended_streams = 1,
                                         .packets = 600, .packets_checked = 512, .packets_violating = 120,
                                         .dropped_kernel = 34};
    l->view = (struct live_view){.began_ns = SAMPLE_T0, .now_ns = SAMPLE_T0 + SECONDS(20), .document = l->sample.document,
                                 .active_streams = 4, .points = l->points, .point_count = 2,
                                 .active_by_verdict = {1, 1, 1, 1}, .ended_by_verdict = {5, 6, 7, 8},
                                 .findings = l->findings, .finding_count = 3, .interval = &l->interval};
}

static void look_close(struct look *l)
{
    sample_close(&l->sample);
}

static struct strbuf interval_of(const struct look *l, const struct report_options *o)
{
    struct strbuf b = {0};
    struct error error = {.text = ""};
    assert_int_equal(report_interval_write(&l->view, o, sample_sink, &b, &error), 0);
    assert_true(strbuf_ok(&b));
    return b;
}

static json_t *parse(struct strbuf *b)
{
    json_error_t error;
    json_t *j = json_loads(strbuf_text(b), 0, &error);
    if (!j)
        fail_msg("%s: %s", error.text, strbuf_text(b));
    strbuf_done(b);
    return j;
}

static json_int_t number(json_t *object, const char *key)
{
    json_t *v = json_object_get(object, key);
    assert_true(json_is_integer(v));
    return json_integer_value(v);
}

static const char *text(json_t *object, const char *key)
{
    json_t *v = json_object_get(object, key);
    assert_true(json_is_string(v));
    return json_string_value(v);
}

static void an_interval_is_one_line_of_json_with_what_came_in_it(void **state)
{
    (void)state;
    const struct report_options o = {.format = REPORT_JSONL};
    struct look l;
    look_open(&l);
    struct strbuf b = interval_of(&l, &o);
    assert_ptr_equal(strchr(strbuf_text(&b), '\n'), strbuf_text(&b) + b.len - 1);
    json_t *j = parse(&b);
    assert_string_equal(text(j, "schema"), "qosmark.interval/1");
    assert_string_equal(text(j, "from"), "2026-11-22T09:00:10.000000000Z");
    assert_string_equal(text(j, "until"), "2026-11-22T09:00:20.000000000Z");
    assert_string_equal(text(j, "verdict"), "fail");
    assert_true(json_is_false(json_object_get(j, "complete")));
    assert_int_equal(number(j, "packets"), 600);
    assert_int_equal(number(j, "packets_checked"), 512);
    assert_int_equal(number(j, "packets_violating"), 120);
    assert_int_equal(number(json_object_get(j, "dropped"), "kernel"), 34);
    assert_int_equal(number(json_object_get(j, "dropped"), "interface"), 0);
    assert_int_equal(number(json_object_get(j, "streams"), "active"), 4);
    assert_int_equal(number(json_object_get(j, "streams"), "new"), 3);
    assert_int_equal(number(json_object_get(j, "streams"), "ended"), 1);
    json_t *row = json_array_get(json_object_get(j, "by_class"), 0);
    assert_string_equal(text(row, "class"), "voice");
    assert_string_equal(text(row, "node"), "cms-01");
    assert_int_equal(number(row, "violating_packets"), 120);
    assert_string_equal(text(json_array_get(json_object_get(row, "dscp"), 1), "name"), "CS0");
    json_t *point = json_array_get(json_object_get(j, "points"), 1);
    assert_string_equal(text(point, "point"), "eth1");
    assert_string_equal(text(point, "state"), "down");
    assert_string_equal(text(point, "problem"), "the cable is out");
    /* opened in the interval: not the one of its very beginning, which the interval before it has */
    json_t *findings = json_object_get(j, "findings");
    assert_int_equal(number(findings, "open"), 2);
    assert_int_equal(json_array_size(json_object_get(findings, "opened")), 1);
    assert_int_equal(number(json_array_get(json_object_get(findings, "opened"), 0), "id"), 1);
    assert_int_equal(json_array_size(json_object_get(findings, "closed")), 1);
    json_t *closed = json_array_get(json_object_get(findings, "closed"), 0);
    assert_string_equal(text(closed, "state"), "closed");
    assert_string_equal(text(closed, "closed"), "2026-11-22T09:00:20.000000000Z");
    assert_string_equal(text(json_object_get(closed, "finding"), "code"), "one-way");
    json_decref(j);
    look_close(&l);
}

static void the_verdict_of_an_interval_is_its_own(void **state)
{
    (void)state;
    const struct report_options o = {.format = REPORT_JSONL};
    static const struct {
        uint64_t checked, violating;
        const char *verdict;
    } cases[] = {{0, 0, "nothing-checked"}, {10, 0, "pass"}, {10, 1, "fail"}};
    struct look l;
    look_open(&l);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        l.interval.packets_checked = cases[i].checked;
        l.interval.packets_violating = cases[i].violating;
        struct strbuf b = interval_of(&l, &o);
        json_t *j = parse(&b);
        assert_string_equal(text(j, "verdict"), cases[i].verdict);
        json_decref(j);
    }
    look_close(&l);
}

static void nothing_is_written_between_two_intervals(void **state)
{
    (void)state;
    const struct report_options o = {.format = REPORT_TEXT, .width = 100};
    struct look l;
    look_open(&l);
    l.view.interval = NULL;
    struct strbuf b = interval_of(&l, &o);
    assert_int_equal(b.len, 0);
    strbuf_done(&b);
    look_close(&l);
}

static void people_get_a_few_short_lines(void **state)
{
    (void)state;
    const struct report_options o = {.format = REPORT_TEXT, .width = 100};
    struct look l;
    look_open(&l);
    struct strbuf b = interval_of(&l, &o);
    const char *lines = strbuf_text(&b);
    assert_non_null(strstr(lines, "09:00:20Z  ! FAIL"));
    assert_non_null(strstr(lines, "voice to node 500 !120 wrong: CS0"));
    assert_non_null(strstr(lines, "signaling from node 12"));
    assert_non_null(strstr(lines, "34 packets dropped by the kernel"));
    assert_non_null(strstr(lines, "eth1 is down: the cable is out"));
    assert_non_null(strstr(lines, "opened: bleached, site berlin:"));
    assert_non_null(strstr(lines, "closed: one-way, cms-01:"));
    assert_null(strstr(lines, "remarked")); /* neither opened nor closed in it */
    for (const char *p = lines; *p; p = strchr(p, '\n') + 1)
        assert_true(strcspn(p, "\n") <= 100);
    strbuf_done(&b);

    l.points[1].problem = "the interface eth1 is gone";
    b = interval_of(&l, &o);
    assert_non_null(strstr(strbuf_text(&b), "\n           the interface eth1 is gone\n"));
    strbuf_done(&b);

    /* while all is well it is one line */
    l.interval = (struct live_interval){.from_ns = SAMPLE_T0 + SECONDS(20), .until_ns = SAMPLE_T0 + SECONDS(30),
                                        .by_class = &l.rows[1], .by_class_count = 1, .packets = 12, .packets_checked = 12};
    l.points[1].state = LIVE_POINT_UP;
    b = interval_of(&l, &o);
    assert_string_equal(strbuf_text(&b), "09:00:30Z  + pass  signaling from node 12; 4 streams\n");
    strbuf_done(&b);
    look_close(&l);
}

static void hostile_text_is_inert_in_lines_and_in_json(void **state)
{
    (void)state;
    const struct report_options text_options = {.format = REPORT_TEXT, .width = 80, .utf8 = true},
                                json_options = {.format = REPORT_JSONL};
    struct look l;
    look_open(&l);
    l.points[1].name = l.points[1].problem = l.findings[0].key = HOSTILE;
    l.findings[0].finding.message = l.findings[0].finding.subject = HOSTILE;
    l.sample.nodes[0].name = HOSTILE;
    struct strbuf b = interval_of(&l, &text_options);
    for (const char *p = strbuf_text(&b); *p; p++)
        assert_true((unsigned char)*p >= 0x20 || *p == '\n');
    assert_null(strstr(strbuf_text(&b), "\nPASS"));
    strbuf_done(&b);
    b = interval_of(&l, &json_options);
    assert_ptr_equal(strchr(strbuf_text(&b), '\n'), strbuf_text(&b) + b.len - 1);
    json_decref(parse(&b));
    look_close(&l);
}

static void the_summary_has_all_but_the_streams(void **state)
{
    (void)state;
    struct look l;
    struct strbuf b = {0};
    look_open(&l);
    assert_int_equal(report_summary_write(&l.view, sample_sink, &b, NULL), 0);
    json_t *j = parse(&b);
    assert_string_equal(text(j, "schema"), "qosmark.summary/1");
    assert_string_equal(text(json_object_get(j, "summary"), "verdict"), "fail");
    assert_int_equal(json_array_size(json_object_get(j, "by_class")), 3);
    assert_int_equal(json_array_size(json_object_get(j, "by_site")), 1);
    assert_int_equal(json_array_size(json_object_get(j, "findings")), 3);
    assert_int_equal(number(json_object_get(json_object_get(j, "streams"), "ended"), "undetermined"), 8);
    assert_int_equal(number(json_object_get(j, "streams"), "listed"), 4);
    json_decref(j);
    look_close(&l);
}

static json_t *streams_of(const struct look *l, size_t offset, size_t limit)
{
    struct strbuf b = {0};
    assert_int_equal(report_streams_write(&l->view, offset, limit, sample_sink, &b, NULL), 0);
    return parse(&b);
}

static void streams_come_in_pages(void **state)
{
    (void)state;
    static const struct {
        size_t offset, limit, count;
    } cases[] = {{0, 100, 4}, {0, 2, 2}, {3, 2, 1}, {4, 2, 0}, {SIZE_MAX, SIZE_MAX, 0}, {1, SIZE_MAX, 3}, {0, 0, 0}};
    struct look l;
    look_open(&l);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *j = streams_of(&l, cases[i].offset, cases[i].limit), *streams = json_object_get(j, "streams");
        assert_string_equal(text(j, "schema"), "qosmark.streams/1");
        assert_int_equal(number(j, "total"), 4);
        assert_int_equal(json_array_size(streams), cases[i].count);
        if (cases[i].offset == 3)
            assert_string_equal(text(json_array_get(streams, 0), "kind"), "dns");
        if (cases[i].count)
            assert_string_equal(text(json_array_get(streams, 0), "schema"), "qosmark.stream/1");
        json_decref(j);
    }
    look_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_interval_is_one_line_of_json_with_what_came_in_it),
                                       cmocka_unit_test(the_verdict_of_an_interval_is_its_own),
                                       cmocka_unit_test(nothing_is_written_between_two_intervals),
                                       cmocka_unit_test(people_get_a_few_short_lines),
                                       cmocka_unit_test(hostile_text_is_inert_in_lines_and_in_json),
                                       cmocka_unit_test(the_summary_has_all_but_the_streams),
                                       cmocka_unit_test(streams_come_in_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <jansson.h>

#include "report/report_probe.h"

static bool take(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return true;
}

static bool refuse(void *user, const char *bytes, size_t len)
{
    (void)user;
    (void)bytes;
    (void)len;
    return false;
}

static const struct probe_matrix_row rows[] = {
    {.arrived = 0, .returned = 46, .answered = true, .packets = 7},
    {.arrived = PROBE_MARK_UNKNOWN, .returned = PROBE_MARK_UNKNOWN, .answered = false, .packets = 3},
};

static struct probe_document *document(const char *name)
{
    struct probe_document *d = probe_document_new();
    assert_non_null(d);
    static const uint8_t address[4] = {10, 0, 4, 2};
    d->target.name = name;
    d->target.endpoint = (struct endpoint){.addr = addr_v4(address), .port = 862};
    d->method = "stamp";
    d->engine = "udp";
    d->verdict = SUMMARY_FAIL;
    d->verdict_text = "the way there changes the mark of 1 of 1 class";
    d->classes = arena_alloc(&d->arena, 2 * sizeof *d->classes);
    d->class_count = 2;
    d->classes[0] = (struct probe_class){
        .name = "voice",
        .traffic_class = CLASS_VOICE,
        .sent_dscp = 46,
        .expected_return = dscp_set_of(46),
        .preferred_return = 46,
        .sent = 10,
        .answered = 7,
        .matrix = rows,
        .matrix_count = 2,
        .lost = {-1, -1, 3},
        .forward = PROBE_CHANGE_CHANGED,
        .reverse = PROBE_CHANGE_UNKNOWN,
        .forward_reason = "",
        .reverse_reason = "because",
        .benefit_reason = "",
        .rtt_ms = {.count = 7, .min = 1, .median = 2.0004, .p95 = 3, .p99 = 4, .max = 5},
        .forward_jitter_ms = -1,
        .reverse_jitter_ms = 0.25,
    };
    d->classes[0].arrived.packets[0] = 7;
    d->classes[0].returned.unknown = 7;
    d->classes[1] = (struct probe_class){
        .name = "control", .control = true, .forward_reason = "", .reverse_reason = "", .benefit_reason = ""};
    return d;
}

static struct strbuf write_as(struct probe_document *d, enum report_format format, bool set)
{
    struct strbuf text = {0};
    const struct probe_document *const documents[] = {d};
    struct probe_report r = {
        .documents = documents, .count = 1, .set = set, .format = format, .options = {.width = 80}};
    assert_int_equal(report_probe_write(&r, take, &text, NULL), 0);
    return text;
}

static void json_says_null_where_nothing_is_known(void **state)
{
    (void)state;
    struct probe_document *d = document("10.0.4.2");
    struct strbuf text = write_as(d, REPORT_JSON, false);
    json_t *o = json_loads(strbuf_text(&text), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "schema")), "qosmark.probe/1");
    json_t *c = json_array_get(json_object_get(o, "classes"), 0);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(c, "arrived"), 0), "dscp")), 0);
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(c, "returned"), 0), "dscp")));
    assert_true(json_is_null(json_object_get(json_object_get(c, "lost"), "forward")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(c, "lost"), "round_trip")), 3);
    assert_true(json_is_null(json_object_get(json_object_get(c, "jitter_ms"), "forward")));
    assert_true(json_real_value(json_object_get(json_object_get(c, "rtt_ms"), "median")) == 2.0);
    json_t *lost = json_array_get(json_object_get(c, "matrix"), 1);
    assert_true(json_is_null(json_object_get(lost, "arrived")) && json_is_false(json_object_get(lost, "answered")));
    assert_true(json_is_null(json_object_get(json_object_get(o, "reflector"), "stateful")));
    assert_true(json_is_null(
        json_object_get(json_object_get(json_array_get(json_object_get(o, "classes"), 1), "rtt_ms"), "min")));
    json_decref(o);
    strbuf_done(&text);
    probe_document_free(d);
}

static void a_set_holds_its_probes(void **state)
{
    (void)state;
    struct probe_document *d = document("node");
    struct strbuf text = write_as(d, REPORT_JSON, true);
    json_t *o = json_loads(strbuf_text(&text), 0, NULL);
    assert_string_equal(json_string_value(json_object_get(o, "schema")), "qosmark.probe-set/1");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "summary"), "verdict")), "fail");
    assert_int_equal(json_array_size(json_object_get(o, "probes")), 1);
    json_decref(o);
    strbuf_done(&text);
    probe_document_free(d);
}

static void no_name_reaches_a_terminal_or_a_page_as_it_is(void **state)
{
    (void)state;
    struct probe_document *d = document("evil\x1b[2J<b>\",x");
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct strbuf text = write_as(d, (enum report_format)f, true);
        assert_null(strchr(strbuf_text(&text), '\x1b'));
        if (f == REPORT_HTML)
            assert_null(strstr(strbuf_text(&text), "<b>\""));
        if (f == REPORT_CSV)
            assert_non_null(strstr(strbuf_text(&text), "\"evil\\x1B[2J<b>\"\",x\""));
        strbuf_done(&text);
    }
    probe_document_free(d);
}

static void no_name_is_a_formula_in_a_spreadsheet(void **state)
{
    (void)state;
    static const struct {
        const char *name, *field;
    } names[] = {{"=1+1", ",'=1+1,"}, {"@a,b", ",\"'@a,b\","}, {"-2", ",'-2,"}, {"\uff1d1", ",'\uff1d1,"}, {"a=1", ",a=1,"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct probe_document *d = document(names[i].name);
        struct strbuf text = write_as(d, REPORT_CSV, false);
        assert_non_null(strstr(strbuf_text(&text), names[i].field));
        strbuf_done(&text);
        probe_document_free(d);
    }
}

static void a_sink_that_refuses_is_an_error(void **state)
{
    (void)state;
    struct probe_document *d = document("10.0.4.2");
    const struct probe_document *const documents[] = {d};
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct probe_report r = {
            .documents = documents, .count = 1, .format = (enum report_format)f, .options = {.width = 80}};
        struct error error = {0};
        assert_int_equal(report_probe_write(&r, refuse, NULL, &error), ERR_IO);
        assert_true(error.text[0]);
    }
    probe_document_free(d);
}

static void lines_of_text_fit_eighty_columns(void **state)
{
    (void)state;
    struct probe_document *d = document("10.0.4.2");
    struct strbuf text = write_as(d, REPORT_TEXT, false);
    struct slice rest = slice_make(text.at, text.len);
    while (rest.len)
        assert_true(slice_next(&rest, '\n').len <= 80);
    assert_non_null(strstr(strbuf_text(&text), "FAIL:"));
    assert_non_null(strstr(strbuf_text(&text), "CS0"));
    assert_non_null(strstr(strbuf_text(&text), "unknown"));
    strbuf_done(&text);
    probe_document_free(d);
}

static void totals_add_up_and_series_are_bounded(void **state)
{
    (void)state;
    struct probe_document *d = document("any\"name");
    struct probe_totals *t = probe_totals_new();
    struct strbuf text = {0};
    for (int i = 0; i < 3; i++)
        assert_int_equal(probe_totals_add(t, d), 0);
    assert_true(probe_totals_write(t, &text));
    const char *page = strbuf_text(&text);
    assert_non_null(strstr(page, "qosmark_probe_sent_packets_total{target=\"10.0.4.2:862\",class=\"voice\"} 30\n"));
    assert_non_null(strstr(page, "direction=\"forward\",dscp=\"0\"} 21\n"));
    assert_non_null(strstr(page, "direction=\"reverse\",dscp=\"unknown\"} 21\n"));
    assert_non_null(strstr(
        page, "qosmark_probe_mark_preserved{target=\"10.0.4.2:862\",class=\"voice\",direction=\"forward\"} 0\n"));
    assert_null(
        strstr(page, "qosmark_probe_mark_preserved{target=\"10.0.4.2:862\",class=\"voice\",direction=\"reverse\"}"));
    assert_non_null(strstr(page, "quantile=\"0.5\"} 0.0020004\n"));
    strbuf_done(&text);
    probe_totals_free(t);
    probe_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_says_null_where_nothing_is_known),
        cmocka_unit_test(a_set_holds_its_probes),
        cmocka_unit_test(no_name_reaches_a_terminal_or_a_page_as_it_is),
        cmocka_unit_test(no_name_is_a_formula_in_a_spreadsheet),
        cmocka_unit_test(a_sink_that_refuses_is_an_error),
        cmocka_unit_test(lines_of_text_fit_eighty_columns),
        cmocka_unit_test(totals_add_up_and_series_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

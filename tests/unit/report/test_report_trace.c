#include "testing.h"

#include <jansson.h>

#include "policy/judge_trace.h"
#include "report/report_trace.h"
#include "trace_sample.h"

static bool add(void *user, const char *bytes, size_t len)
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

static struct strbuf render(const struct trace_document *d, enum report_format format, bool quiet, bool utf8)
{
    struct report_options o = {.quiet = quiet, .utf8 = utf8, .width = 80};
    struct strbuf to = {0};
    assert_int_equal(report_trace_write(d, format, &o, add, &to, NULL), 0);
    assert_true(strbuf_ok(&to));
    return to;
}

/* Bleached from hop 3 on, on flow 0; another flow that takes another way and keeps its marks. */
static struct trace_document *judged_sample(void)
{
    struct trace_document *d = sample_trace(4);
    sample_flow(d, 0, 0, 4, 3, to_zero);
    sample_flow(d, 1, 4, 4, 0, NULL);
    d->paths[1].hops[1].replies[0].labels[0] = (struct trace_label){.label = 16005, .tc = 5, .ttl = 1, .bottom = true};
    d->paths[1].hops[1].replies[0].label_count = 1;
    d->begin_ns = 1795338000000000000;
    assert_int_equal(judge_trace(d), 0);
    return d;
}

static void text_shows_marks_where_they_were_and_the_change_between(void **state)
{
    (void)state;
    struct trace_document *d = judged_sample();
    struct strbuf t = render(d, REPORT_TEXT, false, true);
    static const char *const lines[] = {
        "FAIL: 4 of 4 classes are re-marked on the way, between hop 2",
        "To 10.0.4.1 (conf.example.com) from 10.0.0.9, UDP port 34904 in raw packets",
        "Marks sent: CS0 control; EF voice; AF41 multimedia, multimedia-streaming; AF31",
        "   2    CS0     EF      AF41    AF31    3.00 ms  10.0.2.1\n",
        "      EF: MPLS label 16005 TC 5\n",
        "  \u2514\u2500 EF\u2192CS0, AF41\u2192CS0, AF31\u2192CS0 between hop 2 and hop 3 (bleach-dscp)\n",
        "   3    CS0   \u2717 CS0   \u2717 CS0   \u2717 CS0     4.50 ms  10.0.3.1\n",
        "   4    CS0   \u2717 CS0   \u2717 CS0   \u2717 CS0     6.00 ms  10.0.4.1\n      target (port unreachable)\n",
        "Another flow, source port 40001\n",
        "   3    CS0     EF      AF41    AF31    4.50 ms  10.0.3.2\n",
        "  \u2717 bleached\n",
    };
    const char *at = t.at;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        at = strstr(at, lines[i]);
        if (!at)
            fail_msg("not there, or not in this order: %s\nin: %s", lines[i], t.at);
    }
    strbuf_done(&t);
    t = render(d, REPORT_TEXT, true, true);
    assert_ptr_equal(strchr(t.at, '\n'), t.at + t.len - 1); /* one line */
    strbuf_done(&t);
    trace_document_free(d);
}

static void text_is_ascii_where_the_terminal_is(void **state)
{
    (void)state;
    struct trace_document *d = judged_sample();
    struct strbuf t = render(d, REPORT_TEXT, false, false);
    for (size_t i = 0; i < t.len; i++)
        assert_true((unsigned char)t.at[i] < 0x80);
    assert_non_null(strstr(t.at, "EF->CS0"));
    strbuf_done(&t);
    trace_document_free(d);
}

/* DESIGN's qosmark.trace/1: a hop that did not answer has a null address, what is not known is null */
static void json_has_the_keys_of_the_contract(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_path(d, 0, 0, 0, 4, MARKS(0, SILENT, 0, 0));
    sample_path(d, 0, 46, 0, 4, MARKS(46, SILENT, 0, 0));
    assert_int_equal(judge_trace(d), 0);
    struct strbuf t = render(d, REPORT_JSON, false, true);
    json_t *o = json_loads(t.at, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "schema")), "qosmark.trace/1");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "target"), "addr")), "10.0.4.1");
    assert_string_equal(json_string_value(json_object_get(json_object_get(o, "summary"), "verdict")), "fail");
    json_t *classes = json_object_get(o, "classes");
    assert_int_equal(json_array_size(classes), 2); /* no path sent the marks of the others */
    json_t *voice = json_array_get(classes, 1);
    assert_string_equal(json_string_value(json_object_get(voice, "class")), "voice");
    assert_int_equal(json_integer_value(json_object_get(voice, "sent_dscp")), 46);
    json_t *hops = json_object_get(voice, "hops");
    assert_int_equal(json_array_size(hops), 4);
    json_t *silent = json_array_get(hops, 1), *third = json_array_get(hops, 2);
    assert_true(json_is_null(json_object_get(silent, "addr")));
    assert_true(json_is_null(json_object_get(silent, "quoted_dscp")));
    assert_true(json_is_null(json_object_get(silent, "rtt_ms")));
    assert_string_equal(json_string_value(json_object_get(third, "addr")), "10.0.3.1");
    assert_int_equal(json_integer_value(json_object_get(third, "quoted_dscp")), 0);
    assert_true(json_is_array(json_object_get(third, "mpls")));
    json_t *change = json_array_get(json_object_get(voice, "changes"), 0);
    assert_int_equal(json_integer_value(json_object_get(change, "after_hop")), 1);
    assert_int_equal(json_integer_value(json_object_get(change, "by_hop")), 3);
    assert_int_equal(json_integer_value(json_object_get(change, "from")), 46);
    assert_int_equal(json_integer_value(json_object_get(change, "to")), 0);
    assert_string_equal(json_string_value(json_object_get(change, "behaviour")), "bleach-dscp");
    json_decref(o);
    strbuf_done(&t);
    t = render(d, REPORT_JSONL, false, true);
    assert_ptr_equal(strchr(t.at, '\n'), t.at + t.len - 1);
    strbuf_done(&t);
    trace_document_free(d);
}

static void csv_has_a_row_for_each_class_flow_and_hop(void **state)
{
    (void)state;
    struct trace_document *d = judged_sample();
    struct strbuf t = render(d, REPORT_CSV, false, true);
    size_t rows = 0, commas = 0;
    for (size_t i = 0; i < t.len; i++) {
        commas += t.at[i] == ',';
        if (t.at[i] == '\n') {
            assert_int_equal(commas, 13);
            commas = 0;
            rows++;
        }
    }
    assert_int_equal(rows, 1 + 2 * 5 * 4);
    assert_non_null(strstr(t.at, "\nvoice,46,1,40000,2,10.0.2.1,46,EF,0,3.000,time-exceeded,16005:5,1,1\n"));
    strbuf_done(&t);
    trace_document_free(d);
}

static void names_from_outside_are_escaped(void **state)
{
    (void)state;
    struct trace_document *d = judged_sample();
    d->target.name = "<script>\x1b[31m&\"";
    d->policy_name = "\x1b]0;title\x07";
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct strbuf t = render(d, (enum report_format)f, false, true);
        assert_null(strchr(t.at, '\x1b'));
        assert_null(strchr(t.at, '\x07'));
        if (f == REPORT_HTML)
            assert_null(strstr(t.at, "<script"));
        strbuf_done(&t);
    }
    trace_document_free(d);
}

static void a_report_that_cannot_be_written_says_so(void **state)
{
    (void)state;
    struct trace_document *d = judged_sample();
    struct report_options o = {.width = 80};
    for (int f = 0; f < REPORT_FORMAT_COUNT; f++) {
        struct error error = {0};
        assert_int_equal(report_trace_write(d, (enum report_format)f, &o, refuse, NULL, &error), ERR_IO);
        assert_string_not_equal(error.text, "");
    }
    trace_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_shows_marks_where_they_were_and_the_change_between),
        cmocka_unit_test(text_is_ascii_where_the_terminal_is),
        cmocka_unit_test(json_has_the_keys_of_the_contract),
        cmocka_unit_test(csv_has_a_row_for_each_class_flow_and_hop),
        cmocka_unit_test(names_from_outside_are_escaped),
        cmocka_unit_test(a_report_that_cannot_be_written_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/clock.h"
#include "judged.h"

/* Marks that are changed on purpose: how that is written down, and what becomes of it. */

#define HEAD "version: 1\npaths:\n  - name: carrier\n    points: [x/a, x/b, y/c]\n    remarks:\n"
#define THERE_AND_BACK                                                                                                 \
    HEAD "      - {from: x/a, to: x/b, marks: {EF: CS5, 34: AF31}}\n      - from: x/b\n        to: x/a\n        "      \
         "marks:\n"                                                                                                    \
         "          CS5: EF\n      - {from: x/b, to: y/c, marks: {cs5: ef}}\n"

static struct topology *topology_of(const char *yaml)
{
    struct topology *t = NULL;
    struct error error = {.text = ""};
    if (topology_read(slice_make(yaml, strlen(yaml)), "t.yaml", &t, &error) < 0)
        fail_msg("%s", error.text);
    return t;
}

static void each_mistake_has_a_sentence_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *sentence;
    } cases[] = {
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: CS5}, why: no}\n",
         "t.yaml:6:48: one of `remarks` has `from`, `to` and `marks`, and nothing else"},
        {HEAD "      - {from: x/a, to: x/q, marks: {EF: CS5}}\n",
         "t.yaml:6:25: 'x/q' is not in the `points` of this path"},
        {HEAD "      - {from: a, to: x/b, marks: {EF: CS5}}\n", "t.yaml:6:16: 'a' is not in the `points` of this path"},
        {HEAD "      - {from: x/a, to: y/c, marks: {EF: CS5}}\n",
         "t.yaml:6:9: x/a and y/c are not neighbours on this path"},
        {HEAD "      - {from: x/a, to: x/a, marks: {EF: CS5}}\n",
         "t.yaml:6:9: x/a and x/a are not neighbours on this path"},
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: CS9}}\n",
         "t.yaml:6:42: 'CS9' is no mark: a name such as EF, or a number from 0 to 63"},
        {HEAD "      - {from: x/a, to: x/b, marks: {high: CS5}}\n",
         "t.yaml:6:38: 'high' is no mark: a name such as EF, or a number from 0 to 63"},
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: 0xB8}}\n",
         "t.yaml:6:42: 184 is no DSCP, which is from 0 to 63; as a TOS byte it would be EF"},
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: [CS5]}}\n",
         "t.yaml:6:42: a mark is a name or a number from 0 to 63, not a list"},
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: CS5, 46: CS4}}\n",
         "t.yaml:6:47: what becomes of EF from x/a to x/b stands in line 6 already"},
        {HEAD "      - {from: x/a, to: x/b, from: x/b, marks: {EF: CS5}}\n", "t.yaml:6:30: `from` is there twice"},
        {"version: 1\npaths:\n  - points: [x/a, x/b]\n    points: [x/c]\n", "t.yaml:4:5: `points` is there twice"},
        {"version: 1\npaths:\n  - points: [x/a, x/b]\nversion: 1\n", "t.yaml:4:1: `version` is there twice"},
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: CS5}}\n      - {from: x/a, to: x/b, marks: {EF: CS5}}\n",
         "t.yaml:7:38: what becomes of EF from x/a to x/b stands in line 6 already"},
        {HEAD "      - {from: x/a, to: x/b, marks: {EF: 46}}\n",
         "t.yaml:6:42: EF stays EF: that is so without being said"},
        {HEAD "      - {from: x/a, to: x/b}\n", "t.yaml:6:9: `marks` is missing"},
        {HEAD "      - {from: x/a, marks: {EF: CS5}}\n", "t.yaml:6:9: `to` is missing"},
        {HEAD "      - {from: x/a, to: x/b, marks: {}}\n",
         "t.yaml:6:37: `marks` is a mapping of marks before to marks after, as {EF: CS5}"},
        {HEAD "      - {from: [x/a], to: x/b, marks: {EF: CS5}}\n",
         "t.yaml:6:16: `from` is a point of the path, \"SITE/POINT\""},
        {HEAD "      - EF\n", "t.yaml:6:9: one of `remarks` is a mapping with `from`, `to` and `marks`"},
        {"version: 1\npaths:\n  - points: [x/a, b]\n    remarks: [{from: x/a, to: b, marks: {EF: CS5}}]\n",
         "t.yaml:4:31: a point of `remarks` is \"SITE/POINT\", here and in `points`: b is that of any site"},
        {"version: 1\npaths:\n  - points: [x/a, x/b]\n    remarks: {EF: CS5}\n", "t.yaml:4:14: `remarks` is a list"},
        {"version: 1\npaths:\n  - points: [x/a, x/b]\n    remark: []\n",
         "t.yaml:4:5: a path has `name`, `points` and `remarks`, and nothing else"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct topology *t = NULL;
        struct error error = {.text = ""};
        assert_int_equal(topology_read(slice_make(cases[i].yaml, strlen(cases[i].yaml)), "t.yaml", &t, &error),
                         ERR_USAGE);
        assert_string_equal(error.text, cases[i].sentence);
    }
}

static void what_is_said_along_a_path_is_put_together(void **state)
{
    (void)state;
    struct topology *t = topology_of(THERE_AND_BACK);
    struct topology_wanted w;
    topology_wanted(t, "x/a", "x/b", &w);
    assert_true(w.said[0] && w.said[1]);
    assert_true(topology_wants(&w, COMPARE_FORWARD, false, 46, 40));
    assert_true(topology_wants(&w, COMPARE_FORWARD, false, 34, 26));
    assert_false(topology_wants(&w, COMPARE_FORWARD, false, 46, 0));
    assert_false(topology_wants(&w, COMPARE_FORWARD, false, 46, 46));
    assert_false(topology_wants(&w, COMPARE_FORWARD, false, 40, 46)); /* that is the way back */
    assert_true(topology_wants(&w, COMPARE_BACKWARD, false, 40, 46));
    assert_false(topology_wants(&w, COMPARE_BACKWARD, false, 26, 34)); /* said of the way there alone */
    assert_true(topology_wants(&w, COMPARE_BACKWARD, true, 26, 34));   /* unless nobody knows which way it is */
    assert_true(topology_is_unmet(&w, COMPARE_FORWARD, false, 46));
    assert_false(topology_is_unmet(&w, COMPARE_FORWARD, true, 46));
    assert_false(topology_is_unmet(&w, COMPARE_FORWARD, false, 26));
    /* where the point between saw nothing: EF becomes CS5, and that EF */
    topology_wanted(t, "x/a", "y/c", &w);
    assert_false(topology_wants(&w, COMPARE_FORWARD, false, 46, 40));
    assert_false(topology_is_unmet(&w, COMPARE_FORWARD, false, 46));
    assert_true(topology_wants(&w, COMPARE_FORWARD, false, 34, 26));
    assert_true(topology_wants(&w, COMPARE_FORWARD, false, 40, 46));
    /* the same seen from the other end */
    topology_wanted(t, "x/b", "x/a", &w);
    assert_true(topology_wants(&w, COMPARE_BACKWARD, false, 46, 40));
    /* points of other sites with the same name are others */
    topology_wanted(t, "z/a", "x/b", &w);
    assert_false(w.said[0] || w.said[1]);
    topology_wanted(NULL, "x/a", "x/b", &w);
    assert_false(w.said[0] || w.said[1]);
    topology_free(t);
}

/* Two paths with the same ends: which of them packets took nothing tells. */
static void of_several_paths_any_may_be_it(void **state)
{
    (void)state;
    struct topology *t = topology_of("version: 1\npaths:\n  - points: [x/a, x/m, x/b]\n    remarks:\n"
                                     "      - {from: x/a, to: x/m, marks: {EF: CS5}}\n  - points: [x/a, x/n, x/b]\n");
    struct topology_wanted w;
    topology_wanted(t, "x/a", "x/b", &w);
    assert_true(topology_wants(&w, COMPARE_FORWARD, false, 46, 40));
    assert_false(topology_is_unmet(&w, COMPARE_FORWARD, false, 46));
    topology_free(t);
}

/* ---- in a report ---- */

static const struct hash_key key = {3, 4};

static void add(struct fleet_sum *s, uint64_t stream, enum compare_way way, dscp_t before, dscp_t after, bool doubtful)
{
    struct crossing c = {.first = "x/a", .second = "x/b", .stream_id = stream, .loss_known = true};
    c.stream.kind = KIND_RTP_AUDIO;
    c.stream.traffic_class = CLASS_VOICE;
    c.stream.way = way;
    c.stream.way_by = doubtful ? COMPARE_WAY_ASSUMED : COMPARE_WAY_TTL;
    c.stream.way_doubtful = doubtful;
    c.stream.matched = 100;
    c.stream.changed = before != after ? 100 : 0;
    assert_true(crossing_add(&c, before, after, 100));
    assert_int_equal(fleet_sum_crossing(s, &c), 0);
}

static struct compare_document *conclude(struct fleet_sum *s)
{
    struct compare_document *d = judged(s);
    fleet_sum_free(s);
    return d;
}

static void expect_in(const struct compare_document *d, enum report_format format, const char *const *texts)
{
    struct report_options o = {.width = 120, .verbose = 1};
    struct strbuf text = written(d, format, &o);
    for (; *texts; texts++)
        if (!strstr(strbuf_text(&text), *texts))
            fail_msg("'%s' is not in: %s", *texts, strbuf_text(&text));
    strbuf_done(&text);
}

static struct fleet_sum *sum_with(const struct topology *t)
{
    struct fleet_sum *s = fleet_sum_new(&key);
    fleet_sum_topology(s, t);
    return s;
}

static void what_is_wanted_is_no_finding(void **state)
{
    (void)state;
    struct topology *t = topology_of(THERE_AND_BACK);
    struct fleet_sum *s = sum_with(t);
    add(s, 1, COMPARE_FORWARD, 46, 40, false);
    add(s, 2, COMPARE_BACKWARD, 40, 46, false);
    add(s, 3, COMPARE_BACKWARD, 26, 34, true); /* the way there, as it may well be */
    struct compare_document *d = conclude(s);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 0);
    assert_int_equal(d->segments[0].rows[COMPARE_BOTH].changed, 300);
    assert_int_equal(d->segments[0].rows[COMPARE_BOTH].wanted, 300);
    assert_non_null(strstr(d->verdict_text, "or have the ones that the topology says (300 of them)"));
    expect_in(d, REPORT_TEXT, (const char *const[]){"EF->CS5 wanted", "100 of the changed ones are wanted", NULL});
    expect_in(d, REPORT_HTML, (const char *const[]){"EF to CS5, wanted", NULL});
    expect_in(d, REPORT_JSONL,
              (const char *const[]){"\"wanted\": 300",
                                    "\"declared\": [{\"direction\": \"forward\", \"before\": 34, \"after\": [26]}",
                                    "\"verdict\": \"pass\"", NULL});
    expect_in(d, REPORT_CSV, (const char *const[]){",wanted\r\n", "46,EF,40,CS5,100,100\r\n", NULL});
    compare_document_free(d);
    topology_free(t);
}

static void what_does_something_else_stays_a_finding(void **state)
{
    (void)state;
    struct topology *t = topology_of(THERE_AND_BACK);
    struct fleet_sum *s = sum_with(t);
    add(s, 1, COMPARE_FORWARD, 46, 40, false);
    add(s, 2, COMPARE_FORWARD, 46, 0, false);
    add(s, 3, COMPARE_BACKWARD, 46, 40, false); /* said of the other way */
    struct compare_document *d = conclude(s);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_non_null(strstr(d->verdict_text, "200 of 300 packets changed their mark"));
    assert_int_equal(d->finding_count, 2);
    assert_string_equal(d->findings[0].code, "bleached");
    assert_int_equal(d->findings[0].packets, 100);
    assert_non_null(strstr(d->findings[0].message, "the topology says that EF becomes CS5"));
    assert_int_equal(d->findings[1].way, COMPARE_BACKWARD);
    assert_int_equal(d->findings[1].packets, 100);
    assert_null(strstr(d->findings[1].message, "topology"));
    compare_document_free(d);
    topology_free(t);
}

static void what_is_not_done_is_told_and_fails_nobody(void **state)
{
    (void)state;
    struct topology *t = topology_of(THERE_AND_BACK);
    struct fleet_sum *s = sum_with(t);
    add(s, 1, COMPARE_FORWARD, 46, 46, false);
    add(s, 2, COMPARE_FORWARD, 46, 46, true); /* may be the way back, of which nothing is said */
    add(s, 3, COMPARE_BACKWARD, 46, 46, false);
    struct compare_document *d = conclude(s);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 1);
    assert_string_equal(d->findings[0].code, "not-remarked");
    assert_false(d->findings[0].violation);
    assert_int_equal(d->findings[0].packets, 100);
    assert_non_null(
        strstr(d->findings[0].message,
               "the topology says that EF becomes CS5, and 100 packets of 2 streams of voice kept the mark"));
    compare_document_free(d);
    topology_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_a_sentence_with_its_place),
        cmocka_unit_test(what_is_said_along_a_path_is_put_together),
        cmocka_unit_test(of_several_paths_any_may_be_it),
        cmocka_unit_test(what_is_wanted_is_no_finding),
        cmocka_unit_test(what_does_something_else_stays_a_finding),
        cmocka_unit_test(what_is_not_done_is_told_and_fails_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

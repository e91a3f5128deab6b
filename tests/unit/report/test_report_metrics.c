#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "report/report_metrics.h"
#include "sample.h"

/* A run whose document is made of rows alone. */
struct run {
    struct document *document;
    struct summary_row rows[4];
    struct live_row by_point[4];
    struct live_point points[2];
    struct live_finding findings[2];
    struct live_metrics *metrics;
    struct live_view view;
    struct strbuf page;
};

/* Policies are told apart by where they are and nothing else. */
static const char policies[2];
static const struct policy *policy_number(size_t i)
{
    return (const struct policy *)(const void *)&policies[i];
}

static void run_open(struct run *r)
{
    memset(r, 0, sizeof *r);
    r->document = document_new();
    r->metrics = live_metrics_new();
    assert_true(r->document && r->metrics);
    r->document->by_class = r->rows;
    r->document->expect[CLASS_VOICE] = (struct expectation_row){dscp_set_of(46), 46};
    r->points[0] = (struct live_point){.name = "eth0", .problem = ""};
    r->view = (struct live_view){.began_ns = SAMPLE_T0, .now_ns = SAMPLE_T0, .document = r->document, .points = r->points,
                                 .point_count = 1, .findings = r->findings, .policy = policy_number(0)};
}

static void run_close(struct run *r)
{
    strbuf_done(&r->page);
    live_metrics_free(r->metrics);
    document_free(r->document);
}

static void set_rows(struct run *r, size_t count)
{
    r->document->by_class_count = count;
}

static void look(struct run *r)
{
    const struct live_process process = {.version = "9.8.7", .resident_bytes = 4096};
    r->view.now_ns += SECONDS(1) / 2;
    r->view.clock_ns += SECONDS(1) / 2;
    assert_int_equal(live_metrics_add(r->metrics, &r->view), 0);
    r->page.len = 0;
    assert_true(live_metrics_write(r->metrics, &r->view, &process, &r->page));
}

/* The value of a sample by its whole name with labels; fails where there is none, or more than one. */
static double value(const struct run *r, const char *sample)
{
    const char *found = NULL;
    for (const char *p = strbuf_text(&r->page); *p; p += strcspn(p, "\n") + 1) {
        size_t len = strlen(sample);
        if (strncmp(p, sample, len) == 0 && p[len] == ' ') {
            assert_null(found);
            found = p + len + 1;
        }
    }
    if (!found)
        fail_msg("no sample %s in\n%s", sample, strbuf_text(&r->page));
    return strtod(found, NULL);
}

static bool has(const struct run *r, const char *part)
{
    return strstr(strbuf_text(&r->page), part) != NULL;
}

#define VOICE_EF  "qosmark_packets_total{class=\"voice\",direction=\"to-node\",node=\"\",dscp=\"46\",point=\"eth0\"}"
#define VOICE_CS0 "qosmark_packets_total{class=\"voice\",direction=\"to-node\",node=\"\",dscp=\"0\",point=\"eth0\"}"
#define VOICE_BAD "qosmark_violating_packets_total{class=\"voice\",direction=\"to-node\",node=\"\",point=\"eth0\"}"
#define VIDEO_EF  "qosmark_packets_total{class=\"multimedia\",direction=\"to-node\",node=\"\",dscp=\"46\",point=\"eth0\"}"
#define VIDEO_BAD "qosmark_violating_packets_total{class=\"multimedia\",direction=\"to-node\",node=\"\",point=\"eth0\"}"

static struct summary_row row_of(enum traffic_class c, uint64_t ef, uint64_t cs0, uint64_t violating)
{
    return (struct summary_row){.traffic_class = c, .direction = DIRECTION_TO_NODE, .packets = ef + cs0,
                                .violating_packets = violating, .by_dscp = {[46] = ef, [0] = cs0}};
}

static void counters_grow_with_what_was_seen(void **state)
{
    (void)state;
    struct run r;
    run_open(&r);
    r.rows[0] = row_of(CLASS_VOICE, 100, 5, 5);
    set_rows(&r, 1);
    look(&r);
    assert_true(value(&r, VOICE_EF) == 100);
    assert_true(value(&r, VOICE_CS0) == 5);
    assert_true(value(&r, VOICE_BAD) == 5);
    r.rows[0] = row_of(CLASS_VOICE, 150, 6, 6);
    look(&r);
    assert_true(value(&r, VOICE_EF) == 150);
    assert_true(value(&r, VOICE_CS0) == 6);
    assert_true(value(&r, VOICE_BAD) == 6);
    run_close(&r);
}

static void counters_do_not_go_down_when_a_stream_changes_its_class(void **state)
{
    (void)state;
    struct run r;
    run_open(&r);
    r.rows[0] = row_of(CLASS_VOICE, 1000, 0, 0);
    set_rows(&r, 1);
    look(&r);
    /* 900 of them were video all along, wrong as such; 50 more of voice came */
    r.rows[0] = row_of(CLASS_VOICE, 150, 0, 0);
    r.rows[1] = row_of(CLASS_MULTIMEDIA, 900, 0, 900);
    set_rows(&r, 2);
    look(&r);
    assert_true(value(&r, VOICE_EF) == 1000);
    assert_true(value(&r, VIDEO_EF) == 900);
    assert_true(value(&r, VIDEO_BAD) == 900);
    /* and what comes then counts at once, without a debt to be paid first */
    r.rows[0] = row_of(CLASS_VOICE, 160, 0, 0);
    look(&r);
    assert_true(value(&r, VOICE_EF) == 1010);
    run_close(&r);
}

static void a_row_that_comes_back_is_not_counted_again(void **state)
{
    (void)state;
    struct run r;
    run_open(&r);
    r.rows[0] = row_of(CLASS_VOICE, 1000, 0, 0);
    set_rows(&r, 1);
    look(&r);
    set_rows(&r, 0);
    look(&r);
    assert_true(value(&r, VOICE_EF) == 1000);
    r.rows[0] = row_of(CLASS_VOICE, 1020, 0, 0);
    set_rows(&r, 1);
    look(&r);
    assert_true(value(&r, VOICE_EF) == 1020);
    run_close(&r);
}

static void what_another_policy_says_of_old_packets_is_no_news(void **state)
{
    (void)state;
    struct run r;
    run_open(&r);
    r.rows[0] = row_of(CLASS_VOICE, 1000, 0, 0);
    set_rows(&r, 1);
    look(&r);
    r.view.policy = policy_number(1);
    r.rows[0] = row_of(CLASS_VOICE, 1000, 0, 1000);
    look(&r);
    assert_true(value(&r, VOICE_BAD) == 0);
    r.rows[0] = row_of(CLASS_VOICE, 1030, 0, 1030);
    look(&r);
    assert_true(value(&r, VOICE_BAD) == 30);
    assert_true(value(&r, VOICE_EF) == 1030);
    run_close(&r);
}

static void points_are_told_apart(void **state)
{
    (void)state;
    struct run r;
    run_open(&r);
    r.points[1] = (struct live_point){.name = "eth1", .state = LIVE_POINT_DOWN, .problem = "", .packets = 7, .bytes = 700,
                                      .dropped_kernel = 3, .dropped_interface = 4};
    r.view.point_count = 2;
    r.by_point[0] = (struct live_row){0, row_of(CLASS_VOICE, 10, 0, 0)};
    r.by_point[1] = (struct live_row){1, row_of(CLASS_VOICE, 20, 0, 20)};
    r.view.rows = r.by_point;
    r.view.row_count = 2;
    look(&r);
    assert_true(value(&r, VOICE_EF) == 10);
    assert_true(value(&r, "qosmark_packets_total{class=\"voice\",direction=\"to-node\",node=\"\",dscp=\"46\",point=\"eth1\"}") == 20);
    assert_true(value(&r, "qosmark_point_up{point=\"eth0\"}") == 1);
    assert_true(value(&r, "qosmark_point_up{point=\"eth1\"}") == 0);
    assert_true(value(&r, "qosmark_point_kernel_dropped_packets_total{point=\"eth1\"}") == 3);
    assert_true(value(&r, "qosmark_point_interface_dropped_packets_total{point=\"eth1\"}") == 4);
    /* an interface that comes back may count from 0 again */
    r.points[1].dropped_kernel = 1;
    look(&r);
    assert_true(value(&r, "qosmark_point_kernel_dropped_packets_total{point=\"eth1\"}") == 3);
    r.points[1].dropped_kernel = 2;
    look(&r);
    assert_true(value(&r, "qosmark_point_kernel_dropped_packets_total{point=\"eth1\"}") == 4);
    run_close(&r);
}

static void silence_is_counted_from_the_last_packet_of_a_class(void **state)
{
    (void)state;
    static const char silence[] = "qosmark_class_silence_seconds{class=\"voice\"}",
                      seen[] = "qosmark_class_seen{class=\"voice\"}";
    struct run r;
    run_open(&r);
    look(&r); /* half a second after the beginning */
    assert_true(value(&r, silence) == 0.5 && value(&r, seen) == 0);
    r.rows[0] = row_of(CLASS_VOICE, 1, 0, 0);
    set_rows(&r, 1);
    look(&r);
    assert_true(value(&r, silence) == 0 && value(&r, seen) == 1);
    look(&r);
    look(&r);
    assert_true(value(&r, silence) == 1 && value(&r, seen) == 1);
    assert_false(has(&r, "seen{class=\"multimedia\"}")); /* of which nothing is expected */
    run_close(&r);
}

static void findings_and_streams_are_gauges_by_code_and_verdict(void **state)
{
    (void)state;
    struct run r;
    run_open(&r);
    r.findings[0] = (struct live_finding){.finding = {.code = FINDING_BLEACHED}, .opened_ns = 1, .opened_now = true};
    r.findings[1] = (struct live_finding){.finding = {.code = FINDING_BLEACHED}, .opened_ns = 1, .closed_ns = 2};
    r.view.finding_count = 2;
    r.view.active_by_verdict[VERDICT_VIOLATING] = 7;
    r.view.ended_by_verdict[VERDICT_CONFORMING] = 9;
    look(&r);
    assert_true(value(&r, "qosmark_findings_open{code=\"bleached\"}") == 1);
    assert_true(value(&r, "qosmark_findings_open{code=\"one-way\"}") == 0);
    assert_true(value(&r, "qosmark_findings_opened_total{code=\"bleached\"}") == 1);
    assert_true(value(&r, "qosmark_streams_active{verdict=\"violating\"}") == 7);
    assert_true(value(&r, "qosmark_streams_ended_total{verdict=\"conforming\"}") == 9);
    assert_true(value(&r, "qosmark_build_info{version=\"9.8.7\"}") == 1);
    assert_true(value(&r, "qosmark_resident_memory_bytes") == 4096);
    run_close(&r);
}

static void a_hostile_name_stays_inside_its_label(void **state)
{
    (void)state;
    static struct node nodes[] = {{.name = "a\"} 1\nqosmark_up 1 \\"}};
    struct run r;
    run_open(&r);
    r.document->nodes = nodes;
    r.document->node_count = 1;
    r.rows[0] = row_of(CLASS_VOICE, 1, 0, 0);
    r.rows[0].node = 1;
    set_rows(&r, 1);
    look(&r);
    /* text_printable() makes \x0A of the line end, and \x5C or a plain one of the backslash; both are escaped then */
    assert_true(has(&r, "node=\"a\\\"} 1\\\\x0Aqosmark_up 1 \\\\"));
    assert_false(has(&r, "\nqosmark_up 1"));
    run_close(&r);
}

/* 300 nodes with every mark: more than anybody has, and as many as a forger of addresses likes. */
static void many_nodes_and_marks_stay_within_bounds_and_none_is_lost(void **state)
{
    (void)state;
    enum { NODES = 300 };
    static struct node nodes[NODES];
    static char names[NODES][16];
    static struct summary_row rows[NODES];
    struct run r;
    run_open(&r);
    for (size_t i = 0; i < NODES; i++) {
        (void)snprintf(names[i], sizeof names[i], "node-%zu", i);
        nodes[i].name = names[i];
        rows[i] = (struct summary_row){.traffic_class = CLASS_VOICE, .direction = DIRECTION_TO_NODE, .node = (uint32_t)i + 1};
    }
    r.document->nodes = nodes;
    r.document->node_count = NODES;
    r.document->by_class = rows;
    set_rows(&r, NODES);
    for (int round = 1; round <= 3; round++) {
        uint64_t sent = 0, told = 0, samples = 0;
        for (size_t i = 0; i < NODES; i++) {
            for (unsigned d = 0; d < DSCP_COUNT; d++)
                rows[i].by_dscp[d] += d + i;
            rows[i].violating_packets += i;
        }
        for (size_t i = 0; i < NODES; i++)
            for (unsigned d = 0; d < DSCP_COUNT; d++)
                sent += rows[i].by_dscp[d];
        look(&r);
        for (const char *p = strbuf_text(&r.page); *p; p += strcspn(p, "\n") + 1) {
            if (strncmp(p, "qosmark_packets_total{", 22) != 0 && strncmp(p, "qosmark_violating_", 18) != 0)
                continue;
            samples++;
            if (p[8] == 'p')
                told += strtoull(strstr(p, "} ") + 2, NULL, 10);
        }
        assert_int_equal(told, sent);
        assert_true(samples <= LIVE_METRICS_SERIES + 2 * CLASS_COUNT * DIRECTION_COUNT);
        assert_true(has(&r, "node=\"(other)\",dscp=\"other\""));
        assert_true(r.page.len < 1 << 20);
    }
    run_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counters_grow_with_what_was_seen),
                                       cmocka_unit_test(counters_do_not_go_down_when_a_stream_changes_its_class),
                                       cmocka_unit_test(a_row_that_comes_back_is_not_counted_again),
                                       cmocka_unit_test(what_another_policy_says_of_old_packets_is_no_news),
                                       cmocka_unit_test(points_are_told_apart),
                                       cmocka_unit_test(silence_is_counted_from_the_last_packet_of_a_class),
                                       cmocka_unit_test(findings_and_streams_are_gauges_by_code_and_verdict),
                                       cmocka_unit_test(a_hostile_name_stays_inside_its_label),
                                       cmocka_unit_test(many_nodes_and_marks_stay_within_bounds_and_none_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

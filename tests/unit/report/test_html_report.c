#include "sample.h"

#include "report/html_page.h"
#include "report/report_html_plan.h"

/* The page of an audit: what stands in it, what is left out of a large one, and what a hostile name becomes. Looks and
 * figures are held against JSON and a browser by tests/golden/html_page.py. */

static const struct report_options html = {.format = REPORT_HTML};

static size_t count(const char *page, const char *what)
{
    size_t n = 0;
    for (const char *p = page; (p = strstr(p, what)) != NULL; p++)
        n++;
    return n;
}

static void expect_text(const struct strbuf *page, const char *what)
{
    if (!strstr(strbuf_text(page), what))
        fail_msg("the page does not say: %s", what);
}

static void the_verdict_comes_first_and_names_what_is_incomplete(void **state)
{
    struct sample *s = *state;
    struct strbuf page = sample_write(s->document, &html);
    const char *text = strbuf_text(&page);
    expect_text(&page, "FAIL (INCOMPLETE):");
    expect_text(&page, "1 of 2 checked streams carries wrong marks (0.7% of packets)");
    expect_text(&page, "b.pcapng: the file ends in the middle of packet 201; 42 packets were lost by the capture");
    assert_true(strstr(text, "class=\"verdict bad\"") < strstr(text, "<section"));
    strbuf_done(&page);
}

static void a_finding_says_what_where_since_when_how_sure_and_in_which_streams(void **state)
{
    struct sample *s = *state;
    struct strbuf page = sample_write(s->document, &html);
    expect_text(&page, "What comes from site berlin loses its mark: consistent with Bleach-DSCP.");
    expect_text(&page, "10.2.0.7 in berlin \u2192 cms-01");
    /* the first packet with the wrong mark, seven seconds in, and its last, a second later */
    expect_text(&page, "2026-11-22 09:00:07 UTC, last seen 1.0s later; first in frame 700 of a.pcapng");
    expect_text(&page, "likely, not proven");
    expect_text(&page, "<a href=\"#s0\">#0</a>");
    expect_text(&page, "id=\"s0\"");
    expect_text(&page, "Trust DSCP on the uplink of berlin.");
    expect_text(&page, "mls qos trust dscp");
    expect_text(&page, "New-NetQosPolicy -Name &quot;voice EF&quot;");
    expect_text(&page, "-IPSrcPortMatchCondition 34904 -DSCPAction 46 -NetworkProfile All");
    expect_text(&page, " permit udp host 10.2.0.7 eq 34904 any");
    expect_text(&page, "  set dscp ef");
    expect_text(&page, "ip.src == 10.2.0.7 &amp;&amp; ip.dsfield.dscp == 0");
    strbuf_done(&page);
}

/* The page of a live check says of when it is; that of files does not. */
static void a_live_page_says_since_when_and_as_of_when(void **state)
{
    static const struct report_options live = {.format = REPORT_HTML,
                                               .live_since_ns = 1795338000 * (int64_t)1000000000,
                                               .live_now_ns = 1795341661 * (int64_t)1000000000};
    struct sample *s = *state;
    struct strbuf page = sample_write(s->document, &live);
    expect_text(&page, "qosmark live");
    expect_text(&page,
                "captured live on a.pcapng, b.pcapng since 2026-11-22 09:00:00 UTC, as of 2026-11-22 10:01:01 UTC.");
    strbuf_done(&page);
    page = sample_write(s->document, &html);
    expect_text(&page, "qosmark audit");
    assert_null(strstr(strbuf_text(&page), "captured live"));
    strbuf_done(&page);
}

/* What a node sends wrongly is typed on the node, and nowhere else. */
static void a_node_is_told_its_own_command(void **state)
{
    struct sample *s = *state;
    struct record *r = &s->document->records[1];
    r->verdict = VERDICT_VIOLATING;
    r->expected = dscp_set_of(46);
    r->preferred = 46;
    s->finding_streams[0] = 1;
    s->findings[0].code = FINDING_NEVER_MARKED;
    struct strbuf page = sample_write(s->document, &html);
    expect_text(&page, "dscp 4 voice 0x2E  # EF, on cms-01");
    assert_int_equal(count(strbuf_text(&page), "New-NetQosPolicy"), 0);
    assert_int_equal(count(strbuf_text(&page), "access-list"), 0);
    strbuf_done(&page);
}

/* Voice and video from the same ports: no rule by port may be proposed for either. */
static void classes_that_share_ports_are_not_told_apart_by_port(void **state)
{
    struct sample *s = *state;
    struct record *r = &s->document->records[2];
    uint32_t both[] = {0, 2};
    r->src = s->document->records[0].src;
    r->dst = s->document->records[0].dst;
    r->verdict = VERDICT_VIOLATING;
    r->traffic_class = CLASS_MULTIMEDIA;
    r->expected = dscp_set_of(34);
    r->preferred = 34;
    s->findings[0].streams = both;
    s->findings[0].stream_count = 2;
    struct strbuf page = sample_write(s->document, &html);
    assert_int_equal(count(strbuf_text(&page), "permit udp host 10.2.0.7"), 0);
    expect_text(&page, "shares its ports with another class");
    strbuf_done(&page);
}

static void a_call_says_who_talked_to_whom_and_which_leg_is_wrong(void **state)
{
    struct sample *s = *state;
    struct strbuf page = sample_write(s->document, &html);
    expect_text(&page, "alice@example.com \u2192 room@conf.example.com");
    expect_text(&page, "1 of 2 streams wrong");
    expect_text(&page, "voice from 10.2.0.7 in berlin to cms-01</span>");
    expect_text(&page, "a84b4c76e66710");
    strbuf_done(&page);
}

/* 990 packets with EF over 20 of the call's 723 seconds, 10 with CS0 from second 7 to second 8. */
static void a_timeline_has_a_lane_for_each_mark_where_it_was_seen(void **state)
{
    struct sample *s = *state;
    struct strbuf page = sample_write(s->document, &html);
    expect_text(&page,
                "<rect class=\"good\" x=\"0.00%\" y=\"2\" width=\"2.77%\" height=\"8\"><title>EF</title></rect>"
                "<rect class=\"bad\" x=\"0.97%\" y=\"12\" width=\"0.70%\" height=\"8\"><title>CS0</title></rect>");
    expect_text(&page, "09:00:07\u201309:00:08");
    strbuf_done(&page);
}

static void hostile_names_stay_text(void **state)
{
    struct sample *s = *state;
    sample_make_hostile(s);
    struct strbuf page = sample_write(s->document, &html);
    const char *text = strbuf_text(&page);
    assert_int_equal(count(text, "<script"), 0);
    assert_int_equal(count(text, "\x1b"), 0);
    assert_int_equal(count(text, "\r"), 0);
    assert_int_equal(count(text, "\xe2\x80\xae"), 0);
    assert_true(count(text, "&lt;script&gt;alert(1)&lt;/script&gt;") > 10);
    strbuf_done(&page);
}

static void a_document_of_nothing_is_a_page_that_does_not_pass(void **state)
{
    (void)state;
    struct document *d = document_new();
    assert_non_null(d);
    struct strbuf page = sample_write(d, &html);
    expect_text(&page, "NOTHING CHECKED");
    expect_text(&page, "None, but nothing was checked either.");
    assert_int_equal(count(strbuf_text(&page), "verdict good"), 0);
    strbuf_done(&page);
    document_free(d);
}

/* --- what a large document shows ---------------------------------------------------------------------------------- */

enum { MANY = 3000 };

static struct document *many_streams(void)
{
    struct document *d = document_new();
    assert_non_null(d);
    d->records = calloc(MANY, sizeof *d->records);
    assert_non_null(d->records);
    d->record_count = MANY;
    for (size_t i = 0; i < MANY; i++) {
        struct record *r = &d->records[i];
        r->evidence = r->unknown_reason = r->codec = r->repairs = r->server_name = r->reason = "";
        r->verdict = i % 3 == 0 ? VERDICT_CONFORMING : i % 3 == 1 ? VERDICT_VIOLATING : VERDICT_UNDETERMINED;
        r->violating_packets = i % 3 == 1 ? i : 0;
        r->packets = MANY;
    }
    return d;
}

static void of_many_streams_those_with_most_wrong_packets_are_shown(void **state)
{
    (void)state;
    struct document *d = many_streams();
    struct html_plan plan;
    assert_true(html_plan_make(&plan, d));
    assert_int_equal(plan.other_count, PLAN_OTHERS);
    /* 2998 is the last that i % 3 == 1; the 250 greatest of them go down in steps of three */
    for (size_t i = 0; i < PLAN_OTHERS; i++)
        assert_int_equal(plan.others[i], 2998 - 3 * i);
    assert_true(html_plan_shows(&plan, 2998));
    assert_false(html_plan_shows(&plan, 2999));
    assert_false(html_plan_shows(&plan, 2998 - 3 * PLAN_OTHERS));
    html_plan_done(&plan);
    struct strbuf page = sample_write(d, &html);
    assert_int_equal(count(strbuf_text(&page), "<span id=\"s"), PLAN_OTHERS);
    expect_text(&page, "and 2,750 more streams, which this page only counts");
    strbuf_done(&page);
    document_free(d);
}

static void what_a_finding_names_is_shown_however_small(void **state)
{
    (void)state;
    struct document *d = many_streams();
    const uint32_t named[] = {3, 1, MANY + 5};
    struct finding finding = {.code = FINDING_BLEACHED,
                              .message = "m",
                              .advice = "",
                              .wireshark = "",
                              .subject = "",
                              .streams = named,
                              .stream_count = 3};
    struct html_plan plan;
    d->findings = &finding;
    d->finding_count = 1;
    assert_true(html_plan_make(&plan, d));
    assert_true(html_plan_shows(&plan, 1));
    assert_true(html_plan_shows(&plan, 3));
    assert_int_equal(plan.other_count, PLAN_OTHERS);
    /* wrong before right */
    assert_int_equal(plan.others[PLAN_OTHERS - 1], 3);
    html_plan_done(&plan);
    d->findings = NULL;
    d->finding_count = 0;
    document_free(d);
}

static void of_many_calls_those_with_most_wrong_streams_are_shown(void **state)
{
    (void)state;
    enum { CALLS = 500 };
    struct document *d = many_streams();
    struct call *calls = calloc(CALLS, sizeof *calls);
    struct html_plan plan;
    assert_non_null(calls);
    d->calls = calls;
    d->call_count = d->calls_given = CALLS;
    /* six streams a call: two of them wrong, but in call 77 all, and in call 78 none */
    for (size_t i = 0; i < MANY; i++) {
        d->records[i].call = (uint32_t)(i / 6 + 1);
        if (i / 6 == 77)
            d->records[i].verdict = VERDICT_VIOLATING;
        if (i / 6 == 78)
            d->records[i].verdict = VERDICT_CONFORMING;
    }
    assert_true(document_link_calls(d));
    assert_true(html_plan_make(&plan, d));
    assert_int_equal(plan.call_count, PLAN_CALLS);
    assert_int_equal(plan.calls[0], 77);
    for (size_t i = 0; i < PLAN_CALLS; i++)
        assert_true(plan.calls[i] != 78);
    assert_true(html_plan_shows(&plan, 77 * 6 + 5));
    html_plan_done(&plan);
    d->calls = NULL;
    d->calls_given = d->call_count = 0;
    free(calls);
    document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(the_verdict_comes_first_and_names_what_is_incomplete),
        WITH_SAMPLE(a_finding_says_what_where_since_when_how_sure_and_in_which_streams),
        WITH_SAMPLE(a_live_page_says_since_when_and_as_of_when),
        WITH_SAMPLE(a_node_is_told_its_own_command),
        WITH_SAMPLE(classes_that_share_ports_are_not_told_apart_by_port),
        WITH_SAMPLE(a_call_says_who_talked_to_whom_and_which_leg_is_wrong),
        WITH_SAMPLE(a_timeline_has_a_lane_for_each_mark_where_it_was_seen),
        WITH_SAMPLE(hostile_names_stay_text),
        cmocka_unit_test(a_document_of_nothing_is_a_page_that_does_not_pass),
        cmocka_unit_test(of_many_streams_those_with_most_wrong_packets_are_shown),
        cmocka_unit_test(what_a_finding_names_is_shown_however_small),
        cmocka_unit_test(of_many_calls_those_with_most_wrong_streams_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "base/clock.h"
#include "live/findings.h"

/* Documents with findings as arrays, and a clock that the test moves. */

static struct live_findings *f;
static struct document d;
static struct finding findings[4];
static struct arena arena;
static struct live_moment moment;
static const struct live_finding *shown;
static size_t count;

static struct finding wrong(enum finding_code code, const char *subject, uint64_t packets)
{
    return (struct finding){.code = code,
                            .message = "what is wrong",
                            .advice = "what to do",
                            .wireshark = "udp",
                            .subject = subject,
                            .packets = packets};
}

static int start(void **state)
{
    (void)state;
    d = (struct document){.key = {1, 2}, .findings = findings};
    moment = (struct live_moment){.now_ns = 1000 * NS_PER_S, .clock_ns = 5 * NS_PER_S};
    f = live_findings_new();
    return f ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    live_findings_free(f);
    arena_done(&arena);
    return 0;
}

/* The next look, `ms` later, of a document with the first `n` findings. */
static void look(int64_t ms, size_t n)
{
    moment.now_ns += ms * NS_PER_MS;
    moment.clock_ns += ms * NS_PER_MS;
    d.finding_count = n;
    assert_int_equal(live_findings_look(f, &d, &moment), 0);
    arena_done(&arena);
    assert_int_equal(live_findings_view(f, &arena, &shown, &count), 0);
}

static void a_finding_opens_once_and_closes_30_s_after_its_last_wrong_packet(void **state)
{
    (void)state;
    look(500, 0);
    assert_int_equal(count, 0);
    findings[0] = wrong(FINDING_BLEACHED, "berlin", 5);
    look(500, 1);
    assert_int_equal(count, 1);
    assert_true(shown[0].opened_now);
    assert_string_equal(shown[0].key, "bleached berlin");
    assert_int_equal(shown[0].opened_ns, moment.now_ns);
    assert_int_equal(shown[0].closed_ns, 0);
    uint64_t id = shown[0].id;
    findings[0].packets = 10;
    look(500, 1);
    int64_t last = moment.now_ns;
    assert_false(shown[0].opened_now);
    assert_int_equal(shown[0].last_wrong_ns, last);
    assert_int_equal(shown[0].finding.packets, 10);
    look(29000, 1);
    assert_int_equal(shown[0].closed_ns, 0);
    look(1000, 1);
    assert_true(shown[0].closed_now);
    assert_int_equal(shown[0].closed_ns, moment.now_ns);
    assert_int_equal(shown[0].last_wrong_ns, last);
    look(500, 1); /* closed, and still in the document */
    assert_int_equal(count, 1);
    assert_false(shown[0].closed_now);
    assert_int_equal(shown[0].id, id);
    findings[0].packets = 11;
    look(500, 1);
    assert_int_equal(count, 1);
    assert_true(shown[0].opened_now);
    assert_int_not_equal(shown[0].id, id);
    assert_int_equal(shown[0].closed_ns, 0);
}

static void what_became_another_finding_closes_soon(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_BLEACHED, "10.2.0.7", 30);
    look(500, 1);
    findings[0] = wrong(FINDING_BLEACHED, "berlin", 30);
    look(500, 1);
    assert_int_equal(count, 2);
    assert_string_equal(shown[0].key, "bleached berlin"); /* what the document has comes first */
    assert_int_equal(shown[1].closed_ns, 0);
    assert_int_equal(shown[1].finding.stream_count, 0);
    findings[0].packets = 50;
    look(3000, 1);
    assert_int_equal(count, 2);
    assert_true(shown[1].closed_now);
    look(500, 1);
    assert_int_equal(count, 1);
    assert_int_equal(shown[0].closed_ns, 0);
}

/* A regrouping that is taken back at the next look is no new finding. */
static void a_finding_that_is_away_for_a_look_keeps_its_id(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_BLEACHED, "berlin", 5);
    look(500, 1);
    uint64_t id = shown[0].id;
    look(500, 0);
    assert_int_equal(count, 1);
    assert_false(shown[0].closed_now);
    findings[0].packets = 9;
    look(500, 1);
    assert_int_equal(count, 1);
    assert_int_equal(shown[0].id, id);
    assert_false(shown[0].opened_now);
    assert_int_equal(shown[0].last_wrong_ns, moment.now_ns);
}

/* With two or three packets it is not clear yet what is wrong. */
static void a_finding_of_few_packets_opens_when_it_is_still_there_at_the_next_look(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_ONE_WAY, "10.2.0.7", 4);
    look(500, 1);
    assert_int_equal(count, 0);
    look(500, 1);
    assert_int_equal(count, 1);
    assert_true(shown[0].opened_now);
    findings[0] = wrong(FINDING_NEVER_MARKED, "10.2.0.8", 1);
    look(500, 1);
    findings[0] = wrong(FINDING_BLEACHED, "berlin", 9);
    look(500, 1);
    assert_int_equal(count, 2); /* never-marked was nothing */
    assert_string_equal(shown[0].key, "bleached berlin");
    assert_true(shown[0].opened_now);
    assert_string_equal(shown[1].key, "one-way 10.2.0.7");
}

static void findings_of_one_key_are_one_with_the_words_of_the_worse(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_REMARKED, "cms-01", 30);
    findings[0].message = "the worse one";
    findings[1] = wrong(FINDING_REMARKED, "cms-01", 3);
    look(500, 2);
    assert_int_equal(count, 1);
    assert_int_equal(shown[0].finding.packets, 33);
    assert_string_equal(shown[0].finding.message, "the worse one");
    findings[1].packets = 4; /* wrong packets of either keep it open */
    look(29500, 2);
    findings[1].packets = 5;
    look(29500, 2);
    assert_int_equal(shown[0].closed_ns, 0);
}

static void open_ones_come_first_and_worst_first(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_NEVER_MARKED, "a", 100);
    findings[1] = wrong(FINDING_BLEACHED, "b", 50);
    findings[2] = wrong(FINDING_ONE_WAY, "c", 10);
    look(500, 3);
    findings[1].packets++;
    findings[2].packets++;
    look(20000, 3);
    look(10000, 3);
    assert_int_equal(count, 3);
    assert_string_equal(shown[0].finding.subject, "b");
    assert_string_equal(shown[1].finding.subject, "c");
    assert_string_equal(shown[2].finding.subject, "a");
    assert_true(shown[2].closed_now);
}

/* By another policy the same packets may be wrong that were right: that is no wrong packet of now. */
static void another_policy_makes_no_wrong_packets(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_BLEACHED, "berlin", 5);
    look(500, 1);
    int64_t last = moment.now_ns;
    findings[0].packets = 300;
    moment.rebase = true;
    look(500, 1);
    assert_int_equal(shown[0].last_wrong_ns, last);
    moment.rebase = false;
    look(500, 1);
    assert_int_equal(shown[0].last_wrong_ns, last);
    findings[0].packets = 301;
    look(500, 1);
    assert_int_equal(shown[0].last_wrong_ns, moment.now_ns);
}

/* When streams are forgotten, a count may shrink: from there on every further packet counts. */
static void a_count_that_shrank_is_counted_from_there(void **state)
{
    (void)state;
    findings[0] = wrong(FINDING_BLEACHED, "berlin", 100);
    look(500, 1);
    findings[0].packets = 40;
    look(500, 1);
    int64_t before = moment.now_ns;
    assert_true(shown[0].last_wrong_ns < before);
    findings[0].packets = 41;
    look(500, 1);
    assert_int_equal(shown[0].last_wrong_ns, moment.now_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_finding_opens_once_and_closes_30_s_after_its_last_wrong_packet, start, stop),
        cmocka_unit_test_setup_teardown(what_became_another_finding_closes_soon, start, stop),
        cmocka_unit_test_setup_teardown(a_finding_that_is_away_for_a_look_keeps_its_id, start, stop),
        cmocka_unit_test_setup_teardown(a_finding_of_few_packets_opens_when_it_is_still_there_at_the_next_look, start,
                                        stop),
        cmocka_unit_test_setup_teardown(findings_of_one_key_are_one_with_the_words_of_the_worse, start, stop),
        cmocka_unit_test_setup_teardown(open_ones_come_first_and_worst_first, start, stop),
        cmocka_unit_test_setup_teardown(another_policy_makes_no_wrong_packets, start, stop),
        cmocka_unit_test_setup_teardown(a_count_that_shrank_is_counted_from_there, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

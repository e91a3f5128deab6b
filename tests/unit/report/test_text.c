#include "text_sample.h"

/* The verdict, what stands below it, and the table of marks. */

static void assert_quiet(const struct document *d, const char *expected)
{
    struct strbuf b = text_of(d, (struct report_options){.quiet = true});
    assert_string_equal(strbuf_text(&b), expected);
    strbuf_done(&b);
}

static void quiet_is_the_verdict_line_alone(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    assert_quiet(d, "FAIL (INCOMPLETE): 1 of 2 checked streams carries wrong marks (0.7% of packets)\n");
    d->summary = (struct summary){SUMMARY_FAIL, true, 40, 30, 18, 12, 0, 10, 48000, 4800};
    d->input_count = 1;
    assert_quiet(d, "FAIL: 12 of 30 checked streams carry wrong marks (10% of packets)\n");
    d->summary = (struct summary){SUMMARY_PASS, true, 40, 30, 30, 0, 0, 10, 1234567, 0};
    assert_quiet(d, "PASS: all 30 checked streams conform (1,234,567 packets)\n");
    d->summary = (struct summary){SUMMARY_PASS, true, 1, 1, 1, 0, 0, 0, 48000, 3};
    assert_quiet(d, "PASS: the one checked stream conforms (<0.1% of packets wrong, tolerated)\n");
    d->summary = (struct summary){SUMMARY_PASS, true, 24, 8, 8, 0, 2, 14, 1200, 0};
    assert_quiet(d, "PASS: 8 of 10 streams conform; 2 could not be judged (1,200 packets checked)\n");
    d->summary = (struct summary){SUMMARY_PASS, true, 10, 1, 1, 0, 9, 0, 1, 0};
    assert_quiet(d, "PASS: only 1 of 10 streams conforms; 9 could not be judged (1 packet checked)\n");
    d->summary = (struct summary){SUMMARY_NOTHING_CHECKED, true, 7, 0, 0, 0, 0, 7, 0, 0};
    assert_quiet(d, "NOTHING CHECKED: none of 7 streams is of a class in the policy\n");
    d->summary = (struct summary){SUMMARY_NOTHING_CHECKED, true, 7, 0, 0, 0, 3, 4, 0, 0};
    assert_quiet(d, "NOTHING CHECKED: none of 7 streams could be judged\n");
    d->summary = (struct summary){SUMMARY_NOTHING_CHECKED, true, 1, 0, 0, 0, 1, 0, 0, 0};
    assert_quiet(d, "NOTHING CHECKED: the one stream could not be judged\n");
    d->summary = (struct summary){SUMMARY_NOTHING_CHECKED, true, 1, 0, 0, 0, 0, 1, 0, 0};
    assert_quiet(d, "NOTHING CHECKED: the one stream is of no class in the policy\n");
    d->summary = (struct summary){SUMMARY_NOTHING_CHECKED, true, 0, 0, 0, 0, 0, 0, 0, 0};
    assert_quiet(d, "NOTHING CHECKED: no stream was seen\n");
}

static void reports_of_files_apart_say_which_file_is_meant(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    d->input_count = 1;
    d->summary = (struct summary){SUMMARY_PASS, true, 1, 1, 1, 0, 0, 0, 10, 0};
    struct strbuf b = text_of(d, (struct report_options){.quiet = true, .separate = true});
    assert_string_equal(strbuf_text(&b), "PASS: the one checked stream conforms (10 packets) a.pcapng\n");
    strbuf_done(&b);
    b = text_of(d, (struct report_options){.separate = true});
    assert_has(&b, "conforms (10 packets)\nFile: a.pcapng\n");
    strbuf_done(&b);
}

static void a_problem_that_begins_with_its_file_does_not_name_it_twice(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    d->input_count = 1;
    s->inputs[0].complete = false;
    s->inputs[0].problem = "a.pcapng does not exist";
    struct strbuf b = text_of(d, (struct report_options){0});
    assert_has(&b, "\nINCOMPLETE: a.pcapng does not exist\n");
    s->inputs[0].problem = "a.pcapng.gz is another";
    strbuf_done(&b);
    b = text_of(d, (struct report_options){0});
    assert_has(&b, "\nINCOMPLETE: a.pcapng: a.pcapng.gz is another\n");
    strbuf_done(&b);
}

static void a_pass_of_incomplete_input_says_so_in_its_first_line(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    d->input_count = 1;
    d->summary = (struct summary){SUMMARY_PASS, false, 1, 1, 1, 0, 0, 0, 10, 0};
    assert_quiet(d, "PASS (INCOMPLETE): the one checked stream conforms (10 packets)\n");
    /* packets lost by the capture, although the file is whole */
    d->summary.complete = true;
    s->inputs[0].dropped = 1;
    assert_quiet(d, "PASS (INCOMPLETE): the one checked stream conforms (10 packets)\n");
    struct strbuf b = text_of(d, (struct report_options){0});
    assert_has(&b, "\nINCOMPLETE: a.pcapng: 1 packet was lost by the capture\n");
    strbuf_done(&b);
    /* and what a limit left out is another cause, said beside it */
    d->limited = true;
    b = text_of(d, (struct report_options){0});
    assert_has(&b, "lost by the capture\nINCOMPLETE: something was not looked at");
    strbuf_done(&b);
}

static void a_pass_of_few_streams_has_not_the_colour_of_a_pass(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    d->input_count = 1;
    d->summary = (struct summary){SUMMARY_PASS, true, 10, 4, 4, 0, 6, 0, 1200, 0};
    struct strbuf b = text_of(d, (struct report_options){.color = true});
    assert_has(&b, "\x1b[33mPASS:\x1b[0m");
    strbuf_done(&b);
    d->summary = (struct summary){SUMMARY_PASS, true, 10, 6, 6, 0, 4, 0, 1200, 0};
    b = text_of(d, (struct report_options){.color = true});
    assert_has(&b, "\x1b[32mPASS:\x1b[0m");
    /* it stands in the first line, and not again in that of the rest */
    assert_null(strstr(strbuf_text(&b), "\n4 could not"));
    strbuf_done(&b);
}

static void the_sections_come_in_the_order_of_a_reader_in_a_hurry(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.verbose = 1});
    static const char *const order[] = {
        "FAIL",    "INCOMPLETE: b.pcapng", "class",   "\nSites", "\nFindings", "\nCalls", "\nRTP quality", "\nStreams",
        "\nNodes", "\nNot judged",         "\nNotes", "\nInputs"};
    for (size_t i = 1; i < sizeof order / sizeof order[0]; i++)
        assert_before(&b, order[i - 1], order[i]);
    strbuf_done(&b);
}

static void what_is_incomplete_is_said_below_the_verdict_with_its_cause(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 120});
    assert_has(
        &b, "\nINCOMPLETE: b.pcapng: the file ends in the middle of packet 201; 42 packets were lost by the capture\n");
    strbuf_done(&b);
}

static void the_table_shows_shares_and_signs_the_wrong_ones_without_colour(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "\ncms-01\n");
    assert_has(&b, "  + voice  from node        1      500  AF41/CS1/EF  EF 100%\n");
    assert_has(&b, "  ! voice  to node          1    1,000  EF           EF 99%  !CS0 1%\n");
    strbuf_done(&b);
    b = text_of(s->document, (struct report_options){.utf8 = true});
    assert_has(&b, "\xe2\x9c\x97 voice  to node");
    assert_has(&b, "EF 99%  \xe2\x9c\x97"
                   "CS0 1%\n");
    strbuf_done(&b);
}

static void marks_of_a_stream_that_was_not_judged_are_never_called_wrong(void **state)
{
    struct sample *s = *state;
    struct summary_row *row = &s->by_class[0];
    s->document->records[0].verdict = VERDICT_UNDETERMINED;
    s->document->records[0].reason = "media in a TCP connection";
    row->violating_streams = 0;
    row->undetermined_streams = 1;
    memcpy(row->unsure_by_dscp, row->wrong_by_dscp, sizeof row->unsure_by_dscp);
    memset(row->wrong_by_dscp, 0, sizeof row->wrong_by_dscp);
    row->judged = false;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "  ? voice  to node          1    1,000  EF           EF 99%  ?CS0 1%\n");
    assert_has_not(&b, "!CS0");
    strbuf_done(&b);
}

static void a_priority_mark_taken_without_right_is_shown_although_no_class_expects_it(void **state)
{
    struct sample *s = *state;
    struct record *r = &s->document->records[3];
    s->marks[4].dscp = 46;
    s->by_class[2].by_dscp[11] = 0;
    s->by_class[2].by_dscp[46] = 2;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has_not(&b, "no node at either end");
    strbuf_done(&b);
    r->verdict = VERDICT_VIOLATING;
    r->violating_packets = 2;
    s->by_class[2].violating_streams = 1;
    s->by_class[2].violating_packets = 2;
    s->by_class[2].wrong_by_dscp[46] = 2;
    b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "no node at either end\n");
    assert_has(&b, "  ! no class  -                1        2  -            !EF 100%\n");
    strbuf_done(&b);
    /* nor is it left out where the table has no row for it */
    s->document->by_class_count = 2;
    s->document->unclassed = s->by_class[2];
    b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "no class in the policy\n  ! no class  -                1        2  -            !EF 100%\n");
    strbuf_done(&b);
}

static void a_wrong_mark_is_not_among_those_left_out(void **state)
{
    struct sample *s = *state;
    struct summary_row *row = &s->by_class[0];
    /* eight marks with more packets than the wrong one, and one with fewer */
    for (size_t m = 50; m < 58; m++) {
        row->by_dscp[m] = 100;
    }
    row->by_dscp[60] = 1;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 160});
    assert_has(&b, "!CS0 0.6%");
    assert_has(&b, "+1 more");
    strbuf_done(&b);
}

static void of_a_stream_without_right_to_it_only_the_priority_mark_is_wrong(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    struct record *r = &d->records[3];
    s->marks[6] = s->marks[7] = s->marks[4];
    s->marks[6].dscp = 46;
    s->marks[7].dscp = 8;
    r->marks = &s->marks[6];
    r->mark_count = 2;
    r->verdict = VERDICT_VIOLATING;
    struct strbuf b = text_of(d, (struct report_options){.verbose = 1});
    assert_has(&b, "2 packets: CS1 50%  !EF 50%\n");
    strbuf_done(&b);
    /* where no class expects either, all but 0 */
    d->expect[CLASS_VOICE].marks = 0;
    b = text_of(d, (struct report_options){.verbose = 1});
    assert_has(&b, "2 packets: !CS1 50%  !EF 50%\n");
    strbuf_done(&b);
}

static void a_share_is_never_rounded_to_all_or_nothing(void **state)
{
    struct sample *s = *state;
    s->by_class[0].packets = 1000000;
    s->by_class[0].by_dscp[46] = 999999;
    s->by_class[0].by_dscp[0] = 1;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "1,000,000");
    assert_has(&b, "EF >99.9%  !CS0 <0.1%\n");
    strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(quiet_is_the_verdict_line_alone),
        WITH_SAMPLE(reports_of_files_apart_say_which_file_is_meant),
        WITH_SAMPLE(a_problem_that_begins_with_its_file_does_not_name_it_twice),
        WITH_SAMPLE(a_pass_of_incomplete_input_says_so_in_its_first_line),
        WITH_SAMPLE(a_pass_of_few_streams_has_not_the_colour_of_a_pass),
        WITH_SAMPLE(the_sections_come_in_the_order_of_a_reader_in_a_hurry),
        WITH_SAMPLE(what_is_incomplete_is_said_below_the_verdict_with_its_cause),
        WITH_SAMPLE(the_table_shows_shares_and_signs_the_wrong_ones_without_colour),
        WITH_SAMPLE(marks_of_a_stream_that_was_not_judged_are_never_called_wrong),
        WITH_SAMPLE(a_priority_mark_taken_without_right_is_shown_although_no_class_expects_it),
        WITH_SAMPLE(a_wrong_mark_is_not_among_those_left_out),
        WITH_SAMPLE(of_a_stream_without_right_to_it_only_the_priority_mark_is_wrong),
        WITH_SAMPLE(a_share_is_never_rounded_to_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "sample.h"

#include <stdio.h>

static int open_sample(void **state)
{
    struct sample *s = malloc(sizeof *s);
    assert_non_null(s);
    sample_open(s);
    *state = s;
    return 0;
}

static int close_sample(void **state)
{
    sample_close(*state);
    free(*state);
    return 0;
}

static struct strbuf text_of(const struct document *d, struct report_options o)
{
    o.format = REPORT_TEXT;
    o.width = o.width ? o.width : 80;
    return sample_write(d, &o);
}

static void assert_has(const struct strbuf *b, const char *expected)
{
    if (!strstr(strbuf_text(b), expected))
        print_error("\"%s\" is not in:\n%s\n", expected, strbuf_text(b));
    assert_non_null(strstr(strbuf_text(b), expected));
}

static void assert_has_not(const struct strbuf *b, const char *text)
{
    if (strstr(strbuf_text(b), text))
        print_error("\"%s\" is in:\n%s\n", text, strbuf_text(b));
    assert_null(strstr(strbuf_text(b), text));
}

/* `first` stands somewhere before `second`. */
static void assert_before(const struct strbuf *b, const char *first, const char *second)
{
    assert_has(b, first);
    assert_has(b, second);
    assert_true(strstr(strbuf_text(b), first) < strstr(strbuf_text(b), second));
}

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

static void a_finding_has_its_cause_count_frame_advice_and_filter(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 100});
    assert_has(&b, " 1. bleached: site berlin (cause likely)\n"
                   "    What comes from site berlin loses its mark: consistent with Bleach-DSCP.\n"
                   "    1 stream, 10 packets, first in frame 700 of a.pcapng\n"
                   "    -> Trust DSCP on the uplink of berlin.\n"
                   "    ip.src == 10.2.0.7 && ip.dsfield.dscp == 0\n");
    strbuf_done(&b);
    s->document->input_count = 1; /* then the frame needs no file */
    s->findings[0].confidence = CONFIDENCE_CERTAIN;
    b = text_of(s->document, (struct report_options){.width = 100, .verbose = 1});
    assert_has(&b, " 1. bleached: site berlin\n");
    assert_has(&b, "    1 stream, 10 packets, first in frame 700\n    stream #0\n");
    strbuf_done(&b);
}

static void a_filter_of_thousands_of_characters_is_left_to_verbose(void **state)
{
    struct sample *s = *state;
    char filter[3001];
    memset(filter, 'x', sizeof filter - 1);
    filter[sizeof filter - 1] = '\0';
    s->findings[0].wireshark = filter;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 100});
    assert_has(&b, "The filter takes many terms; -v shows it.");
    assert_null(strstr(strbuf_text(&b), "xxx"));
    strbuf_done(&b);
    b = text_of(s->document, (struct report_options){.width = 100, .verbose = 1});
    assert_has(&b, filter);
    strbuf_done(&b);
}

static void a_filter_and_a_command_stay_in_one_piece(void **state)
{
    static const char filter[] =
        "ip.src == 10.1.1.13 && (udp.srcport == 33000 || udp.srcport == 33002 || tcp.srcport == 5061) "
        "&& (ip.dsfield.dscp == 11 || ip.dsfield.dscp == 8)";
    struct sample *s = *state;
    s->findings[0].wireshark = filter;
    s->findings[0].advice = "On the node that was named in the line above type this: `dscp 4 voice 0x2E` and restart.";
    struct strbuf b = text_of(s->document, (struct report_options){0});
    char line[400];
    (void)snprintf(line, sizeof line, "\n    %s\n", filter);
    assert_has(&b, line);
    assert_has(&b, "`dscp 4 voice 0x2E`");
    strbuf_done(&b);
}

static void calls_show_who_when_and_how_many_streams_are_wrong(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "\nCalls  on 2026-11-22\n");
    assert_has(&b, "  ! 1 of 2  09:00:00  12m03s  alice@example.com -> room@conf.example.com\n");
    strbuf_done(&b);
    s->calls[0].to = "sip:room@conf.example.com;transport=tcp;x=y?Subject=z";
    b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "  alice@example.com -> room@conf.example.com\n");
    strbuf_done(&b);
    b = text_of(s->document, (struct report_options){.verbose = 1});
    assert_has(&b, "    call-1, Call-ID a84b4c76e66710, Acano CallBridge\n");
    strbuf_done(&b);
}

static void a_long_name_is_cut_only_where_the_other_needs_the_room(void **state)
{
    struct sample *s = *state;
    s->calls[0].from =
        "sip:somebody.with.a.long.name@example.com"; /* 37 columns without its scheme, of the 50 there are */
    s->calls[0].to = "sip:7@b.c";
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "  somebody.with.a.long.name@example.com -> 7@b.c\n");
    strbuf_done(&b);
    s->calls[0].to = "sip:somebody.else.with.a.long.name@example.com";
    b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "  somebody.with.a.long... -> somebody.else.with.a...\n");
    strbuf_done(&b);
}

static void a_session_without_signalling_shows_its_ends(void **state)
{
    struct sample *s = *state;
    s->calls[0].from = s->calls[0].to = s->calls[0].call_id = "";
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "12m03s  10.2.0.7 -> 10.1.1.11\n");
    strbuf_done(&b);
}

static void quality_is_compared_only_where_both_sides_exist(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has(&b, "wrongly marked       1 stream     0.3% lost   jitter 0.4 ms\n");
    assert_has(&b, "rightly marked       1 stream       0% lost\n");
    strbuf_done(&b);
    s->document->wrong_quality.streams = 0;
    b = text_of(s->document, (struct report_options){0});
    assert_has_not(&b, "quality");
    strbuf_done(&b);
}

static void what_was_not_judged_is_counted_by_its_reason(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 100});
    assert_has(&b, "  ?       1  9 packets are too few to tell voice from video (rtp-unknown)\n");
    assert_has(&b, "          1  the policy has no class for dns\n");
    strbuf_done(&b);
}

static void reasons_that_differ_in_a_number_are_one_line(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    d->records[1].verdict = d->records[2].verdict = VERDICT_UNDETERMINED;
    d->records[1].reason = "3 packets, and the policy asks for at least 10";
    d->records[2].reason = "9 packets, and the policy asks for at least 10";
    struct strbuf b = text_of(d, (struct report_options){.width = 120});
    assert_has(&b, "  ?       2  e.g. 3 packets, and the policy asks for at least 10 (rtp-audio 1, rtp-unknown 1)\n");
    strbuf_done(&b);
}

static void what_could_not_be_judged_comes_before_what_need_not_be_and_many_before_few(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    static const char *const reasons[] = {"unchecked one", "undetermined one", "undetermined two", "undetermined two"};
    for (size_t i = 0; i < 4; i++) {
        d->records[i].verdict = i ? VERDICT_UNDETERMINED : VERDICT_UNCHECKED;
        d->records[i].reason = reasons[i];
    }
    struct strbuf b = text_of(d, (struct report_options){0});
    assert_before(&b, "2  undetermined two", "1  undetermined one");
    assert_before(&b, "1  undetermined one", "1  unchecked one");
    strbuf_done(&b);
}

static void nodes_say_that_they_were_inferred_and_from_what(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 100});
    assert_has(&b, "  cms-01  10.1.1.11, 2001:db8::11; callbridge, xmpp; inferred: answers SIP on 5060\n");
    strbuf_done(&b);
    s->nodes[0].inferred = false;
    b = text_of(s->document, (struct report_options){.width = 100});
    assert_has(&b, "  cms-01  10.1.1.11, 2001:db8::11; callbridge, xmpp\n");
    assert_has_not(&b, "inferred:");
    strbuf_done(&b);
}

static void inputs_say_what_was_skipped_and_lost(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 100});
    assert_has(&b, "  a.pcapng: 2,000 packets, 344 kB, 2026-11-22 09:00:00 to 09:01:00 UTC\n"
                   "    skipped: 3 cut short, 1 malformed, 20 without IP or not supported\n");
    assert_has(&b, "    lost by the capture: 42\n    INCOMPLETE: the file ends in the middle of packet 201\n");
    strbuf_done(&b);
}

static void streams_appear_on_demand_the_wrong_ones_first(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){0});
    assert_has_not(&b, "Streams");
    assert_has_not(&b, "0x1234abcd");
    strbuf_done(&b);
    b = text_of(s->document, (struct report_options){.verbose = 1, .width = 100});
    assert_has(&b, "  ! #0    rtp-audio (voice) 10.2.0.7:34904 -> 10.1.1.11:20000 0x1234abcd\n"
                   "          1,000 packets: EF 99%  !CS0 1%, expected EF\n"
                   "          SDP m=audio, frame 12 (certain)\n");
    assert_before(&b, "#0    rtp-audio", "#2    rtp-unknown");
    assert_before(&b, "#2    rtp-unknown", "#1    rtp-audio");
    assert_before(&b, "#1    rtp-audio", "#3    dns");
    assert_has_not(&b, "opus");
    strbuf_done(&b);
    b = text_of(s->document, (struct report_options){.verbose = 2, .width = 120});
    assert_has(&b, "codec opus/48000, payload type 108, 101, lost 3, reordered 1, duplicated 2, jitter 0.4 ms, longest "
                   "gap 41 ms\n");
    assert_has(&b, "ECT(1) 1, ECT(0) 90, CE 9, mark changes 2\n");
    assert_has(&b, "outer mark CS0, packets whose outer mark differs 500, VLAN priority 5, MPLS traffic class 0\n");
    strbuf_done(&b);
}

static void an_explanation_is_shown_line_by_line_with_its_stream(void **state)
{
    struct sample *s = *state;
    s->document->records[0].explanation = "SDP: audio\nclock: 48000 Hz\x1b[2J";
    struct strbuf b = text_of(s->document, (struct report_options){.verbose = 1});
    assert_has(&b, "(certain)\n          SDP: audio\n          clock: 48000 Hz\\x1B[2J\n");
    strbuf_done(&b);
}

static void long_lists_are_cut_and_say_by_how_much(void **state)
{
    enum { MANY = 5000 };
    struct sample *s = *state;
    struct document *d = s->document;
    struct call *calls = arena_alloc(&d->arena, MANY * sizeof *calls);
    struct finding *findings = arena_alloc(&d->arena, MANY * sizeof *findings);
    struct record *records = realloc(d->records, MANY * sizeof *records);
    assert_true(calls && findings && records);
    for (size_t i = 0; i < MANY; i++) {
        calls[i] = s->calls[0];
        findings[i] = s->findings[0];
        if (i >= 4)
            records[i] = records[1];
        records[i].call = (uint32_t)i + 1;
        records[i].verdict = i == MANY - 1 ? VERDICT_VIOLATING : VERDICT_CONFORMING;
    }
    calls[MANY - 1].from = "sip:last@example.com";
    d->calls = calls;
    d->findings = findings;
    d->records = records;
    d->call_count = d->calls_given = d->finding_count = d->record_count = MANY;
    assert_true(document_link_calls(d));
    struct strbuf b = text_of(d, (struct report_options){0});
    assert_has(&b, "... and 4,985 more calls (-vv shows all)\n");
    assert_has(&b, "... and 4,975 more findings (-vv shows all)\n");
    assert_before(&b, "last@example.com", "alice@example.com"); /* the wrong one is not among those left out */
    size_t lines = 0;
    for (const char *p = b.at; *p; p++)
        lines += *p == '\n';
    assert_true(lines < 250);
    strbuf_done(&b);
    b = text_of(d, (struct report_options){.verbose = 1});
    assert_has(&b, "... and 4,800 more streams (-vv shows all)\n");
    strbuf_done(&b);
}

static void a_table_of_many_nodes_keeps_the_wrong_rows(void **state)
{
    enum { NODES = 60 };
    struct sample *s = *state;
    struct document *d = s->document;
    struct node *nodes = arena_alloc(&d->arena, NODES * sizeof *nodes);
    struct summary_row *rows = arena_alloc(&d->arena, NODES * sizeof *rows);
    assert_true(nodes && rows);
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i] = (struct node){arena_printf(&d->arena, "node-%u", (unsigned)i), s->node_addrs, 1, 0, false, ""};
        rows[i] = s->by_class[1];
        rows[i].node = i + 1;
    }
    rows[40] = s->by_class[0];
    rows[40].node = 41;
    d->nodes = nodes;
    d->node_count = NODES;
    d->by_class = rows;
    d->by_class_count = NODES;
    struct strbuf b = text_of(d, (struct report_options){0});
    assert_has(&b, "all nodes together\n  + voice  from node       59   29,500  ");
    assert_has(&b, "\nnode-40\n  ! voice  to node");
    assert_has_not(&b, "\nnode-39\n");
    assert_has(&b, "... and 59 more rows of single nodes (-v shows them)\n");
    strbuf_done(&b);
    b = text_of(d, (struct report_options){.verbose = 1});
    assert_has(&b, "\nnode-59\n");
    assert_has_not(&b, "all nodes together");
    assert_has_not(&b, "more rows");
    strbuf_done(&b);
}

/* Columns of each line, with the colours taken out. */
static void assert_width(const struct strbuf *b, size_t width)
{
    char line[4096];
    size_t len = 0;
    for (const char *p = strbuf_text(b); *p; p++) {
        if (*p == '\x1b') {
            p = strchr(p, 'm');
            assert_non_null(p);
        } else if (*p != '\n') {
            assert_true(len + 1 < sizeof line);
            line[len++] = *p;
        } else {
            line[len] = '\0';
            if (text_columns(line) > width && !strstr(line, " == "))
                print_error("%zu columns: %s\n", text_columns(line), line);
            assert_true(text_columns(line) <= width || strstr(line, " == "));
            assert_true(len == 0 || line[len - 1] != ' ');
            len = 0;
        }
    }
    assert_int_equal(len, 0);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    static const unsigned widths[] = {80, 81, 97, 120, 160};
    struct sample *s = *state;
    struct document *d = s->document;
    d->records[2].reason =
        "a reason that goes on for quite a while: neither the clock rate, nor the shared timestamps, nor the "
        "sizes say what it is";
    s->findings[0].message = "averyveryveryverylongwordthatnobodywouldtypebutthatafilenamecouldverywellbe/"
                             "averyveryveryverylongwordthatnobodywouldtypebutthatafilenamecouldverywellbe/"
                             "averyveryveryverylongwordthatnobodywouldtypebutthatafilenamecouldverywellbe/";
    s->calls[0].from =
        "sip:\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0"
        "\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0@very.long.branch.example.com";
    s->nodes[0].name = "a-node-with-a-name-that-somebody-thought-would-be-a-good-idea";
    s->sites[0].name = "a-site-with-a-name-that-somebody-thought-would-be-a-good-idea";
    s->inputs[0].file =
        "captures/2026/11/22/a-very-long-name-of-a-capture-file-that-rotates-every-hour-000123.pcapng.gz";
    d->records[1].expected = ~(dscp_set_t)0;
    for (size_t i = 0; i < DSCP_COUNT; i++)
        s->by_class[1].by_dscp[i] = 1 + i;
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        for (unsigned bits = 0; bits < 16; bits++) {
            struct strbuf b =
                text_of(d, (struct report_options){
                               .width = widths[w], .verbose = (int)(bits % 4), .utf8 = bits & 4, .color = bits & 8});
            assert_width(&b, widths[w]);
            strbuf_done(&b);
        }
    }
}

static void a_width_below_80_is_taken_as_80(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 20});
    struct strbuf at_80 = text_of(s->document, (struct report_options){.width = 80});
    assert_string_equal(b.at, at_80.at);
    strbuf_done(&b);
    strbuf_done(&at_80);
}

static void colour_adds_escapes_and_nothing_else(void **state)
{
    struct sample *s = *state;
    struct strbuf plain = text_of(s->document, (struct report_options){.verbose = 2});
    struct strbuf coloured = text_of(s->document, (struct report_options){.verbose = 2, .color = true});
    struct strbuf stripped = {0};
    for (const char *p = coloured.at; *p; p++) {
        if (*p == '\x1b') {
            assert_int_equal(p[1], '[');
            p = strchr(p, 'm');
            assert_non_null(p);
        } else {
            strbuf_addc(&stripped, *p);
        }
    }
    assert_string_equal(stripped.at, plain.at);
    assert_null(strchr(plain.at, '\x1b'));
    assert_has(&coloured, "\x1b[1;31mFAIL (INCOMPLETE):\x1b[0m");
    assert_has(&coloured, "\x1b[1;31m!CS0 1%\x1b[0m");
    /* no line leaves a colour on */
    for (const char *p = coloured.at, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        const char *last = NULL;
        for (const char *at = p; at < end; at++)
            last = *at == '\x1b' ? at : last;
        assert_true(!last || strncmp(last, "\x1b[0m", 4) == 0);
    }
    strbuf_done(&plain);
    strbuf_done(&coloured);
    strbuf_done(&stripped);
}

static void hostile_text_reaches_the_terminal_as_plain_text(void **state)
{
    struct sample *s = *state;
    sample_make_hostile(s);
    for (unsigned bits = 0; bits < 8; bits++) {
        struct strbuf b = text_of(s->document, (struct report_options){.verbose = (int)(bits % 4), .utf8 = bits & 4});
        for (const unsigned char *p = (const unsigned char *)b.at; *p; p++) {
            assert_true(*p >= 0x20 || *p == '\n');
            assert_true(*p < 0x7f || bits & 4); /* without UTF-8 nothing beyond ASCII: 0x9b would be a control */
        }
        assert_null(strstr(b.at, "\xe2\x80\xae"));
        assert_null(strstr(b.at, "\nPASS"));
        assert_has(&b, "\\x1B[2J");
        strbuf_done(&b);
    }
}

static void an_empty_document_has_a_verdict_and_little_else(void **state)
{
    (void)state;
    struct document *d = document_new();
    d->summary.complete = true;
    struct strbuf b = text_of(d, (struct report_options){.verbose = 2, .color = true, .utf8 = true});
    assert_string_equal(b.at, "\x1b[33mNOTHING CHECKED:\x1b[0m\x1b[1m no stream was seen\x1b[0m\n");
    strbuf_done(&b);
    document_free(d);
}

static void every_verdict_direction_and_code_can_be_shown(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    for (int i = 0; i < FINDING_CODE_COUNT; i++) {
        d->records[0].verdict = d->calls[0].verdict = (enum verdict)(i % 4);
        d->records[0].direction = s->by_class[0].direction = (enum direction)(i % DIRECTION_COUNT);
        d->records[0].traffic_class = s->by_class[0].traffic_class = (enum traffic_class)(i % CLASS_COUNT);
        d->records[3].kind = (enum kind)(i % KIND_COUNT);
        d->records[3].confidence = s->findings[0].confidence = (enum confidence)(i % 4);
        s->findings[0].code = s->stream_finding[0].code = (enum finding_code)i;
        struct strbuf b = text_of(d, (struct report_options){.verbose = 2});
        assert_has(&b, finding_code_name((enum finding_code)i));
        assert_width(&b, 80);
        strbuf_done(&b);
    }
}

int main(void)
{
#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, open_sample, close_sample)
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
        WITH_SAMPLE(a_finding_has_its_cause_count_frame_advice_and_filter),
        WITH_SAMPLE(a_filter_of_thousands_of_characters_is_left_to_verbose),
        WITH_SAMPLE(a_filter_and_a_command_stay_in_one_piece),
        WITH_SAMPLE(calls_show_who_when_and_how_many_streams_are_wrong),
        WITH_SAMPLE(a_long_name_is_cut_only_where_the_other_needs_the_room),
        WITH_SAMPLE(a_session_without_signalling_shows_its_ends),
        WITH_SAMPLE(quality_is_compared_only_where_both_sides_exist),
        WITH_SAMPLE(what_was_not_judged_is_counted_by_its_reason),
        WITH_SAMPLE(reasons_that_differ_in_a_number_are_one_line),
        WITH_SAMPLE(what_could_not_be_judged_comes_before_what_need_not_be_and_many_before_few),
        WITH_SAMPLE(nodes_say_that_they_were_inferred_and_from_what),
        WITH_SAMPLE(inputs_say_what_was_skipped_and_lost),
        WITH_SAMPLE(streams_appear_on_demand_the_wrong_ones_first),
        WITH_SAMPLE(an_explanation_is_shown_line_by_line_with_its_stream),
        WITH_SAMPLE(long_lists_are_cut_and_say_by_how_much),
        WITH_SAMPLE(a_table_of_many_nodes_keeps_the_wrong_rows),
        WITH_SAMPLE(no_line_is_wider_than_the_terminal),
        WITH_SAMPLE(a_width_below_80_is_taken_as_80),
        WITH_SAMPLE(colour_adds_escapes_and_nothing_else),
        WITH_SAMPLE(hostile_text_reaches_the_terminal_as_plain_text),
        cmocka_unit_test(an_empty_document_has_a_verdict_and_little_else),
        WITH_SAMPLE(every_verdict_direction_and_code_can_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "text_sample.h"

#include <stdio.h>

/* Findings, calls, quality, what was not judged, nodes, inputs, streams. */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

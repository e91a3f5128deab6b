/* Wrong marks that accuse nobody, and the near misses that do. */
#include "testing.h"

#include "base/clock.h"
#include "judging.h"

#define CMS   "10.1.1.11"
#define PHONE "10.2.0.7"

static const char reference[] =
    "version: 1\nname: t\nnodes:\n  - {name: cms-01, addresses: [10.1.1.11]}\n"
    "expect:\n  voice: EF\n  multimedia: AF41\n  signaling: [AF31, CS3]\n  low-latency: AF31\n";

enum { NONE = 0, AF11 = 10, AF31 = 26, AF41 = 34, EF = 46 };

static int start(void **state)
{
    (void)state;
    return start_with(reference);
}

static struct record *last(void)
{
    return &d->records[d->record_count - 1];
}

/* Two marks of which `copies` packets were seen with both. */
static void two_copies(const struct run runs[static 2], uint64_t copies, dscp_t before, dscp_t after, bool in_order)
{
    set_runs(d, add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, EF, 1), runs, 2);
    last()->copies_differ = copies;
    last()->copies = (struct copied_marks){.before = before, .after = after, .in_order = in_order};
}

static void both_marks_of_copies_are_named(void **state)
{
    (void)state;
    two_copies((struct run[2]){{NONE, 100}, {EF, 100}}, 100, NONE, EF, true);
    two_copies((struct run[2]){{EF, 100}, {NONE, 100}}, 100, EF, NONE, false);
    judge(d, p);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(d->records[i].verdict, VERDICT_UNDETERMINED);
    assert_non_null(strstr(d->records[0].reason, "CS0 and then EF"));
    assert_non_null(strstr(d->records[1].reason, "EF and CS0,"));
    two_copies((struct run[2]){{DSCP_VOICE_ADMIT, 100}, {EF, 100}}, 100, DSCP_VOICE_ADMIT, EF, true);
    judge(d, p);
    assert_non_null(strstr(d->records[2].reason, "VOICE-ADMIT and then EF"));
    assert_non_null(strstr(d->records[2].reason, "is not known here")); /* the longest there is, and not cut */
    two_copies((struct run[2]){{DSCP_VOICE_ADMIT, 100}, {EF, 100}}, 100, DSCP_VOICE_ADMIT, EF, true);
    last()->copies.before_hops = 255;
    last()->copies.after_hops = 254;
    judge(d, p);
    assert_non_null(strstr(d->records[3].reason,
                           "VOICE-ADMIT with hop limit 255 and then EF with hop limit 254: a router between"));
    assert_non_null(strstr(d->records[3].reason, "the policy holds is not known"));
}

static void the_fewer_of_the_two_say_whether_they_are_copies(void **state)
{
    (void)state;
    two_copies((struct run[2]){{NONE, 400}, {EF, 130}}, 130, NONE, EF, true); /* the port lost most of one side */
    two_copies((struct run[2]){{NONE, 130}, {EF, 400}}, 130, NONE, EF, true);
    two_copies((struct run[2]){{NONE, 400}, {EF, 400}}, 20, NONE, EF, true);
    two_copies((struct run[2]){{NONE, 400}, {EF, 130}}, 60, NONE, EF, true);
    judge(d, p);
    const enum verdict wanted[] = {VERDICT_UNDETERMINED, VERDICT_UNDETERMINED, VERDICT_VIOLATING, VERDICT_VIOLATING};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(d->records[i].verdict, wanted[i]);
}

static void one_pair_among_a_thousand_packets_excuses_nothing(void **state)
{
    (void)state;
    two_copies((struct run[2]){{NONE, 1000}, {EF, 1}}, 1, NONE, EF, true);
    two_copies((struct run[2]){{NONE, 20}, {EF, 1}}, 1, NONE, EF, true);
    two_copies((struct run[2]){{NONE, 10000}, {EF, 10}}, 10, NONE, EF, true);
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[1].verdict, VERDICT_UNDETERMINED);
    assert_int_equal(d->records[2].verdict, VERDICT_UNDETERMINED);
}

static void copies_of_two_wrong_marks_excuse_nothing(void **state)
{
    (void)state;
    two_copies((struct run[2]){{NONE, 100}, {AF11, 100}}, 100, NONE, AF11, true);
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
    diagnose(d, p);
    assert_int_equal(d->finding_count, 1);
    assert_int_equal(d->findings[0].code, FINDING_REMARKED);
    assert_non_null(strstr(d->findings[0].message, "CS0 or AF11 instead of EF"));
    assert_non_null(strstr(d->records[0].findings[0].message, "two copies, CS0 and then AF11"));
}

static struct record *connection(const struct run *runs, size_t n, dscp_set_t data)
{
    set_runs(d, add(d, KIND_SIP_TLS, PHONE, 40000, CMS, 5061, AF31, 1), runs, n);
    last()->data_marks = data;
    return last();
}

static void a_direction_without_any_data_accuses_nobody(void **state)
{
    (void)state;
    const struct run runs[] = {{NONE, 12}};
    connection(runs, 1, 0)->no_data = true;
    connection(runs, 1, 0);
    connection((struct run[]){{AF31, 12}}, 1, 0)->no_data = true;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
    assert_non_null(strstr(d->records[0].reason, "none of its TCP segments carries data"));
    assert_int_equal(d->records[1].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[2].verdict, VERDICT_CONFORMING);
}

static void segments_without_data_accuse_nobody(void **state)
{
    (void)state;
    const struct run runs[] = {{NONE, 1}, {AF31, 20}, {NONE, 2}};
    connection(runs, 3, dscp_set_of(AF31));
    connection(runs, 3, dscp_set_of(AF31) | dscp_set_of(NONE));
    connection(runs, 3, 0);
    connection(runs, 3, dscp_set_of(AF31))->proto = PROTO_UDP;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
    assert_non_null(strstr(d->records[0].reason, "only TCP segments without data"));
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(d->records[i].verdict, VERDICT_VIOLATING);
}

static struct record *in_turn(const struct run runs[static 2], uint8_t types, double gap_ms)
{
    struct rtp_figures *f = arena_alloc(&d->arena, sizeof *f);
    assert_non_null(f);
    *f = (struct rtp_figures){90000, 400, 0, 0, 0, 1.0, 9000};
    set_runs(d, add(d, KIND_RTP_VIDEO, PHONE, 30000, CMS, 20000, EF, 1), runs, 2);
    last()->payload_type_count = types;
    last()->rtp = f;
    struct record_mark *marks = arena_alloc(&d->arena, 2 * sizeof *marks);
    assert_non_null(marks);
    memcpy(marks, last()->marks, 2 * sizeof *marks);
    marks[1].first_ns += (int64_t)gap_ms * NS_PER_MS;
    last()->marks = marks;
    return last();
}

static void one_ssrc_may_be_voice_and_then_video(void **state)
{
    (void)state;
    const struct run runs[2] = {{EF, 100}, {AF41, 300}};
    const struct run cleared[2] = {{NONE, 100}, {AF41, 300}};
    in_turn(runs, 2, 9000);
    in_turn(runs, 1, 9000);  /* one payload type: one medium */
    in_turn(runs, 2, 40);    /* a silence, but none where the mark changes: a pause in speech */
    in_turn(cleared, 2, 9000); /* the mark of no media */
    in_turn(runs, 2, 9000)->mark_changes = 3;
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
    assert_non_null(strstr(d->records[0].reason, "two media"));
    for (size_t i = 1; i < 5; i++)
        assert_int_equal(d->records[i].verdict, VERDICT_VIOLATING);
}

/* Voice in AF41 on a 5-tuple of its own, where WebRTC would be right with it: after how long, how long a silence and
 * how many lost packets of how many. */
static struct record *voice_as_of_webrtc(int64_t seconds, double gap_ms, uint64_t lost)
{
    struct rtp_figures *f = arena_alloc(&d->arena, sizeof *f);
    struct record *r = add(d, KIND_RTP_AUDIO, PHONE, 30000, CMS, 20000, AF41, 50 * (uint64_t)seconds);
    assert_non_null(f);
    *f = (struct rtp_figures){
        .clock_rate = 48000, .expected = 50 * (uint64_t)seconds, .lost = lost, .max_gap_ms = gap_ms};
    r->rtp = f;
    r->last_ns = seconds * NS_PER_S;
    return r;
}

/* An input of which nothing was filtered: it shows ARP. */
static struct input *whole_input(void)
{
    d->inputs = arena_alloc(&d->arena, sizeof *d->inputs);
    assert_non_null(d->inputs);
    *d->inputs = (struct input){.file = "a.pcap", .problem = "", .complete = true, .unsupported = 1};
    d->input_count = 1;
    return d->inputs;
}

static void media_that_ran_for_long_without_stun_is_no_webrtc(void **state)
{
    (void)state;
    (void)whole_input();
    policy_free(p);
    p = policy_of("version: 1\nname: t\nexpect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n"
                  "map: {webrtc: multimedia-streaming}\n");
    (void)voice_as_of_webrtc(31, 20, 0);
    (void)voice_as_of_webrtc(120, 20, 299);
    (void)voice_as_of_webrtc(100, 29000, 0);
    size_t accused = d->record_count;
    (void)voice_as_of_webrtc(29, 20, 0);
    (void)voice_as_of_webrtc(120, 20, 301); /* a twentieth is missing, of STUN perhaps all */
    (void)voice_as_of_webrtc(59, 29500, 0);
    (void)voice_as_of_webrtc(600, 31000, 0);
    (void)voice_as_of_webrtc(600, -1, 0); /* joined of saved pieces: not known */
    voice_as_of_webrtc(120, 20, 0)->rtp = NULL;
    voice_as_of_webrtc(120, 20, 0)->over_turn = true;
    voice_as_of_webrtc(120, 20, 0)->proto = PROTO_TCP;
    judge(d, p);
    for (size_t i = 0; i < d->record_count; i++) {
        assert_int_equal(d->records[i].verdict, i < accused ? VERDICT_VIOLATING : VERDICT_UNDETERMINED);
        assert_non_null(strstr(d->records[i].reason, i < accused ? "it is none" : "would tell"));
    }
}

static void what_goes_with_media_tells_whether_it_may_be_webrtc(void **state)
{
    static const struct {
        enum kind beside;
        enum verdict verdict;
    } cases[] = {
        {KIND_STUN, VERDICT_UNDETERMINED},  {KIND_TURN, VERDICT_UNDETERMINED},  {KIND_DTLS, VERDICT_UNDETERMINED},
        {KIND_OTHER, VERDICT_UNDETERMINED}, /* STUN that was cut short is not known */
        {KIND_RTCP, VERDICT_VIOLATING},     {KIND_RTP_VIDEO, VERDICT_VIOLATING}};
    (void)state;
    struct input *in = whole_input();
    policy_free(p);
    p = policy_of("version: 1\nname: t\nexpect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n"
                  "map: {webrtc: multimedia-streaming, stun: none, turn: none, dtls: none}\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t conversation = voice_as_of_webrtc(60, 20, 0)->conversation;
        add(d, cases[i].beside, CMS, 20000, PHONE, 30000, AF41, 10)->conversation = conversation;
    }
    judge(d, p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(d->records[2 * i].verdict, cases[i].verdict);
    in->dropped = 1;
    judge(d, p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(d->records[2 * i].verdict, VERDICT_UNDETERMINED);
    in->dropped = 0;
    d->limited = true;
    judge(d, p);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(d->records[2 * i].verdict, VERDICT_UNDETERMINED);
}

static void a_capture_of_only_calls_tells_nothing_of_stun(void **state)
{
    static const enum kind kinds[] = {KIND_RTCP, KIND_SIP, KIND_SIP_TLS, KIND_OTHER, KIND_DNS};
    (void)state;
    policy_free(p);
    p = policy_of("version: 1\nname: t\nexpect:\n  voice: EF\n  multimedia: AF41\n  multimedia-streaming: AF41\n"
                  "map: {webrtc: multimedia-streaming}\n");
    (void)voice_as_of_webrtc(60, 20, 0);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        judge(d, p);
        assert_int_equal(d->records[0].verdict, VERDICT_UNDETERMINED);
        (void)add(d, kinds[i], CMS, 40000, PHONE, 40000, NONE, 10);
    }
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
}

static void a_priority_mark_that_was_set_or_cleared_between_copies_is_no_theft(void **state)
{
    (void)state;
    for (int copies = 0; copies < 2; copies++) {
        set_runs(d, add(d, KIND_SSH, PHONE, 40000, CMS, 22, EF, 1), (struct run[]){{EF, 100}, {NONE, 100}}, 2);
        last()->copies_differ = copies ? 100 : 0;
        last()->copies = copies ? (struct copied_marks){EF, NONE, true, 0, 0} : (struct copied_marks){0};
    }
    judge(d, p);
    assert_int_equal(d->records[0].verdict, VERDICT_VIOLATING);
    assert_int_equal(d->records[1].verdict, VERDICT_UNDETERMINED);
    assert_non_null(strstr(d->records[1].reason, "EF and then CS0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_marks_of_copies_are_named, start, stop),
        cmocka_unit_test_setup_teardown(the_fewer_of_the_two_say_whether_they_are_copies, start, stop),
        cmocka_unit_test_setup_teardown(copies_of_two_wrong_marks_excuse_nothing, start, stop),
        cmocka_unit_test_setup_teardown(one_pair_among_a_thousand_packets_excuses_nothing, start, stop),
        cmocka_unit_test_setup_teardown(a_direction_without_any_data_accuses_nobody, start, stop),
        cmocka_unit_test_setup_teardown(segments_without_data_accuse_nobody, start, stop),
        cmocka_unit_test_setup_teardown(one_ssrc_may_be_voice_and_then_video, start, stop),
        cmocka_unit_test_setup_teardown(media_that_ran_for_long_without_stun_is_no_webrtc, start, stop),
        cmocka_unit_test_setup_teardown(a_capture_of_only_calls_tells_nothing_of_stun, start, stop),
        cmocka_unit_test_setup_teardown(what_goes_with_media_tells_whether_it_may_be_webrtc, start, stop),
        cmocka_unit_test_setup_teardown(a_priority_mark_that_was_set_or_cleared_between_copies_is_no_theft, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

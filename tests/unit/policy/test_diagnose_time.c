#include "testing.h"

#include "diagnosing.h"

/* Marks that change in mid-call, and what goes along with media. */

/* over time */

static void a_clean_change_is_named_with_its_frame(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    set_runs(d, stream(KIND_RTP_VIDEO, BERLIN1, CMS, 34), (struct run[]){{34, 500}, {0, 500}}, 2);
    const struct finding *f = only(FINDING_CHANGED_MIDSTREAM, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 2);
    assert_int_equal(f->packets, 1000);
    assert_int_equal(f->first.frame, 501);
    assert_true(says(f, "from EF to CS0 at frame 501"));
}

static void signalling_that_is_seen_changed_later_belongs_to_the_event(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    struct record *sip = stream(KIND_SIP, BERLIN1, CMS, 26);
    set_runs(d, sip, (struct run[]){{26, 4}, {0, 1}}, 2);
    struct record_mark *marks = arena_alloc(&d->arena, 2 * sizeof *marks);
    assert_non_null(marks);
    memcpy(marks, sip->marks, 2 * sizeof *marks);
    marks[1].first_ns = marks[1].last_ns = sip->last_ns = 20000000000; /* BYE */
    sip->marks = marks;
    struct record *later = stream(KIND_RTP_VIDEO, BERLIN1, CMS, 0); /* a second call after the change */
    later->first_ns = 30000000000;
    const struct finding *f = only(FINDING_CHANGED_MIDSTREAM, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 3);
}

static void changes_a_minute_apart_are_two_findings(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 5000}}, 2);
    set_runs(d, stream(KIND_RTP_VIDEO, BERLIN2, CMS, 34), (struct run[]){{34, 4000}, {0, 500}}, 2);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_CHANGED_MIDSTREAM, NULL), 2);
}

static void a_few_unmarked_packets_at_the_start_are_only_that(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_SIP_TLS, CMS, CMS2, 26), (struct run[]){{0, 3}, {26, 97}}, 2);
    const struct finding *f = only(FINDING_UNMARKED_START, "cms-01");
    assert_int_equal(f->packets, 3);
}

static void unmarked_packets_that_come_back_are_not_a_start(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, CMS, CMS2, 46), (struct run[]){{0, 3}, {46, 97}, {0, 1}, {46, 100}}, 4);
    only(FINDING_INTERMITTENT, "cms-01 -> cms-02");
}

static void marks_to_and_fro_are_intermittent(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46),
             (struct run[]){{46, 50}, {0, 50}, {46, 50}, {0, 50}, {46, 50}}, 5);
    only(FINDING_INTERMITTENT, BERLIN1 " -> cms-01");
}

/* companions */

static void rtcp_unlike_its_rtp_is_named(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, CMS, BERLIN1, 46);
    stream(KIND_RTCP, CMS, BERLIN1, 0)->media_kinds = 1u << KIND_RTP_AUDIO;
    const struct finding *f = only(FINDING_RTCP_DIFFERS, "cms-01");
    assert_int_equal(f->stream_count, 1);
    assert_true(says(f, "RTCP"));
}

static void rtcp_like_its_wrong_rtp_shares_its_cause(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 0, 0, 0);
    stream(KIND_RTCP, BERLIN1, CMS, 0)->media_kinds = 1u << KIND_RTP_AUDIO;
    const struct finding *f = only(FINDING_ONE_WAY, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 4);
}

static void rtcp_of_a_changed_stream_goes_with_the_change(void **state)
{
    (void)state;
    set_runs(d, stream(KIND_RTP_AUDIO, BERLIN1, CMS, 46), (struct run[]){{46, 500}, {0, 500}}, 2);
    struct record *r = stream(KIND_RTCP, BERLIN1, CMS, 46);
    r->media_kinds = 1u << KIND_RTP_AUDIO;
    set_runs(d, r, (struct run[]){{46, 3}, {0, 2}}, 2);
    const struct finding *f = only(FINDING_CHANGED_MIDSTREAM, BERLIN1 " -> cms-01");
    assert_int_equal(f->stream_count, 2);
}

static void an_unmarked_handshake_before_marked_media_is_a_start(void **state)
{
    (void)state;
    struct record *r = stream(KIND_DTLS, CMS, BERLIN1, 0);
    r->media_kinds = 1u << KIND_RTP_AUDIO;
    r->last_ns = 100000000;
    stream(KIND_RTP_AUDIO, CMS, BERLIN1, 46);
    only(FINDING_UNMARKED_START, "cms-01");
}

static void rtcp_alone_is_judged_like_any_stream(void **state)
{
    (void)state;
    stream(KIND_RTCP, BERLIN1, CMS, 34)->media_kinds = 1u << KIND_RTP_AUDIO;
    only(FINDING_REMARKED, BERLIN1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clean_change_is_named_with_its_frame),
        TEST(signalling_that_is_seen_changed_later_belongs_to_the_event),
        TEST(changes_a_minute_apart_are_two_findings),
        TEST(a_few_unmarked_packets_at_the_start_are_only_that),
        TEST(unmarked_packets_that_come_back_are_not_a_start),
        TEST(marks_to_and_fro_are_intermittent),
        TEST(rtcp_unlike_its_rtp_is_named),
        TEST(rtcp_like_its_wrong_rtp_shares_its_cause),
        TEST(rtcp_of_a_changed_stream_goes_with_the_change),
        TEST(an_unmarked_handshake_before_marked_media_is_a_start),
        TEST(rtcp_alone_is_judged_like_any_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

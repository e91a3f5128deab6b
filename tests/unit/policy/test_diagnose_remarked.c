#include "testing.h"

#include "diagnosing.h"

/* Marks that are wrong and not CS0: which arithmetic, habit or mix-up explains them. */

/* unshifted */

static void shifted_marks_with_their_rest_in_ecn_are_unshifted(void **state)
{
    (void)state;
    ecn(stream(KIND_RTP_AUDIO, CMS2, BERLIN1, 11), 2);
    ecn(stream(KIND_RTP_VIDEO, CMS2, BERLIN1, 8), 2);
    ecn(stream(KIND_SIP, CMS2, PARIS1, 6), 2);
    stream(KIND_SIP_TLS, CMS2, PARIS2, 6); /* TCP: Linux keeps the ECN bits to itself */
    const struct finding *f = only(FINDING_UNSHIFTED, "cms-02");
    assert_int_equal(f->stream_count, 4);
    assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
    assert_non_null(strstr(f->advice, "`dscp 4 voice 0x2E`"));
}

static void video_that_leaves_with_the_shifted_mark_of_voice_is_unshifted_too(void **state)
{
    (void)state;
    ecn(stream(KIND_RTP_AUDIO, CMS2, BERLIN1, 11), 2);
    ecn(stream(KIND_RTP_VIDEO, CMS2, BERLIN1, 11), 2);
    const struct finding *f = only(FINDING_UNSHIFTED, "cms-02");
    assert_int_equal(f->stream_count, 2);
}

static void a_shifted_mark_without_ecn_is_not_unshifted(void **state)
{
    (void)state;
    stream(KIND_RTP_VIDEO, BERLIN1, CMS, 8); /* CS1: somebody takes it for scavenger traffic */
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_UNSHIFTED, NULL), 0);
    assert_int_equal(d->findings[0].code, FINDING_REMARKED);
}

static void other_marks_with_ecn_are_not_unshifted(void **state)
{
    (void)state;
    ecn(stream(KIND_RTP_AUDIO, BERLIN1, CMS, 10), 2);
    diagnose(d, p);
    assert_int_equal(findings_of(d, FINDING_UNSHIFTED, NULL), 0);
}

static void two_shifted_classes_are_unshifted_without_ecn(void **state)
{
    (void)state;
    leg(CMS2, BERLIN1, 11, 8, 6);
    const struct finding *f = only(FINDING_UNSHIFTED, "cms-02");
    assert_int_equal(f->confidence, CONFIDENCE_HIGH);
}

/* arithmetic behaviours */

static void cleared_precedence_in_all_classes_is_tos_precedence_bleached(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 6, 2, 2);
    leg(BERLIN2, CMS, 6, 2, 2);
    const struct finding *f = only(FINDING_TOS_PRECEDENCE_BLEACHED, "berlin");
    assert_true(says(f, "consistent with Bleach-ToS-Precedence"));
    assert_int_equal(f->confidence, CONFIDENCE_HIGH);
}

static void one_class_alone_is_named_with_low_confidence(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, BERLIN1, CMS, 6);
    const struct finding *f = only(FINDING_TOS_PRECEDENCE_BLEACHED, BERLIN1);
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
    assert_true(says(f, "one class alone does not prove it"));
}

static void cleared_precedence_in_one_class_beside_a_right_one_is_remarked(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 6, 34, 26);
    only(FINDING_REMARKED, BERLIN1);
}

static void cleared_low_bits_in_all_classes_are_low_bits_bleached(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 40, 32, 24);
    const struct finding *f = only(FINDING_LOW_BITS_BLEACHED, BERLIN1);
    assert_true(says(f, "Wi-Fi"));
}

static void one_other_precedence_in_all_classes_is_tos_precedence_remarked(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 22, 18, 18);
    const struct finding *f = only(FINDING_TOS_PRECEDENCE_REMARKED, BERLIN1);
    assert_true(says(f, "set to 2"));
}

static void two_precedences_are_not_one_behaviour(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 14, 18, 26);
    diagnose(d, p);
    assert_explained(d);
    assert_int_equal(findings_of(d, FINDING_TOS_PRECEDENCE_REMARKED, NULL), 0);
}

/* remarked, class-swapped */

static void the_default_of_cucm_is_named(void **state)
{
    (void)state;
    right_leg(CMS, BERLIN1);
    leg(BERLIN1, CMS, 34, 34, 24);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM service parameter default"));
    assert_true(says(f, "voice AF41 instead of EF"));
    assert_int_equal(f->stream_count, 2);
}

static void telepresence_audio_and_video_in_cs4_is_cucm_and_not_low_bits(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 32, 32, 24);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM"));
}

static void video_alone_in_cs4_beside_right_voice_is_cucm(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 46, 32, 26); /* video alone in CS4, voice right: no path clears the low bits of one and not of EF */
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM"));
    assert_int_equal(f->confidence, CONFIDENCE_HIGH);
}

static void video_alone_in_cs4_may_be_cucm_or_cleared_low_bits(void **state)
{
    (void)state;
    add(d, KIND_RTP_VIDEO, BERLIN1, 30002, CMS, 20002, 32, 100);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_true(says(f, "CUCM"));
    assert_true(says(f, "or with Bleach-low"));
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
}

static void a_few_packets_name_no_cause_with_confidence(void **state)
{
    (void)state;
    add(d, KIND_SIP, BERLIN1, 5060, CMS, 5060, 40, 4);
    assert_int_equal(only(FINDING_REMARKED, BERLIN1)->confidence, CONFIDENCE_LOW);
}

static void several_hosts_with_one_default_are_one_line(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 34, 34, 24);
    leg(BERLIN2, CMS, 34, 34, 24);
    const struct finding *f = only(FINDING_REMARKED, "berlin");
    assert_int_equal(f->stream_count, 4);
}

static void values_are_named_with_who_uses_them(void **state)
{
    (void)state;
    static const struct {
        enum kind kind;
        dscp_t seen;
        const char *who;
    } cases[] = {
        {KIND_RTP_VIDEO, 36, "Jabber"},   {KIND_RTP_VIDEO, 18, "Teams"},   {KIND_SIP, 40, "RFC 4594"},
        {KIND_RTP_VIDEO, 52, "slip"},     {KIND_SIP, 38, "slip"},          {KIND_RTP_VIDEO, 22, "slip"},
        {KIND_RTP_AUDIO, 44, "RFC 5865"}, {KIND_RTP_AUDIO, 48, "Wi-Fi"},   {KIND_XMPP_CLIENT, 24, "Expressway"},
        {KIND_RTP_AUDIO, 8, "lowest"},    {KIND_RTP_AUDIO, 4, "RFC 1349"}, {KIND_RTP_AUDIO, 26, "another class"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        document_free(d);
        d = document_new();
        assert_non_null(d);
        stream(cases[i].kind, BERLIN1, CMS, cases[i].seen);
        assert_true(says(only(FINDING_REMARKED, BERLIN1), cases[i].who));
    }
}

static void one_value_for_media_and_signalling_is_one_cause(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 20, 20, 20);
    leg(BERLIN2, CMS, 20, 20, 20);
    const struct finding *f = only(FINDING_REMARKED, "berlin");
    assert_int_equal(f->stream_count, 6);
    assert_true(says(f, "Re-mark-DSCP to one value"));
}

static void webrtc_audio_with_the_mark_of_streaming_is_told_the_option(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, CMS, BERLIN1, 34)->webrtc = true;
    use("version: 1\nexpect:\n  voice: EF\n  multimedia: AF42\n  multimedia-streaming: AF41\n");
    assert_true(says(only(FINDING_REMARKED, CMS), "multimedia-streaming"));
}

static void a_value_that_nobody_uses_is_remarked_without_a_name(void **state)
{
    (void)state;
    stream(KIND_RTP_AUDIO, BERLIN1, CMS, 33);
    const struct finding *f = only(FINDING_REMARKED, BERLIN1);
    assert_int_equal(f->confidence, CONFIDENCE_LOW);
}

static void voice_and_video_with_each_others_mark_are_swapped(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 34, 46, 26);
    const struct finding *f = only(FINDING_CLASS_SWAPPED, BERLIN1);
    assert_int_equal(f->stream_count, 2);
}

static void video_with_the_mark_of_voice_is_swapped(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 46, 46, 26);
    const struct finding *f = only(FINDING_CLASS_SWAPPED, BERLIN1);
    assert_non_null(strstr(f->message, "Video from " BERLIN1 " carries the mark of voice (multimedia EF instead of"));
}

static void a_node_whose_voice_carries_the_mark_of_video_is_told_its_line(void **state)
{
    (void)state;
    leg(CMS, BERLIN1, 34, 34, 26);
    leg(CMS, PARIS1, 34, 34, 26);
    const struct finding *f = only(FINDING_CLASS_SWAPPED, "cms-01");
    assert_non_null(strstr(f->advice, "`dscp 4 voice 0x2E`"));
    assert_non_null(strstr(f->message, "Voice from cms-01 carries the mark of video"));
}

static void voice_and_video_with_each_others_marks_are_one_finding(void **state)
{
    (void)state;
    leg(BERLIN1, CMS, 34, 46, 26);
    const struct finding *f = only(FINDING_CLASS_SWAPPED, BERLIN1);
    assert_non_null(strstr(f->message, "Voice and video from " BERLIN1 " carry each other's marks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(shifted_marks_with_their_rest_in_ecn_are_unshifted),
        TEST(a_shifted_mark_without_ecn_is_not_unshifted),
        TEST(other_marks_with_ecn_are_not_unshifted),
        TEST(two_shifted_classes_are_unshifted_without_ecn),
        TEST(cleared_precedence_in_all_classes_is_tos_precedence_bleached),
        TEST(one_class_alone_is_named_with_low_confidence),
        TEST(cleared_precedence_in_one_class_beside_a_right_one_is_remarked),
        TEST(cleared_low_bits_in_all_classes_are_low_bits_bleached),
        TEST(one_other_precedence_in_all_classes_is_tos_precedence_remarked),
        TEST(two_precedences_are_not_one_behaviour),
        TEST(the_default_of_cucm_is_named),
        TEST(telepresence_audio_and_video_in_cs4_is_cucm_and_not_low_bits),
        TEST(video_alone_in_cs4_beside_right_voice_is_cucm),
        TEST(video_alone_in_cs4_may_be_cucm_or_cleared_low_bits),
        TEST(a_few_packets_name_no_cause_with_confidence),
        TEST(several_hosts_with_one_default_are_one_line),
        TEST(values_are_named_with_who_uses_them),
        TEST(one_value_for_media_and_signalling_is_one_cause),
        TEST(webrtc_audio_with_the_mark_of_streaming_is_told_the_option),
        TEST(a_value_that_nobody_uses_is_remarked_without_a_name),
        TEST(voice_and_video_with_each_others_mark_are_swapped),
        TEST(video_with_the_mark_of_voice_is_swapped),
        TEST(voice_and_video_with_each_others_marks_are_one_finding),
        TEST(a_node_whose_voice_carries_the_mark_of_video_is_told_its_line),
        TEST(video_that_leaves_with_the_shifted_mark_of_voice_is_unshifted_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

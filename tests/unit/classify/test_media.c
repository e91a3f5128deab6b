#include "media_sender.h"

#include "classify/rtp_probation.h"

/* What a stream says by itself: audio, video, neither, or not yet. */

static void nothing_is_said_of_nothing(void **state)
{
    (void)state;
    struct media_features f = {0};
    struct media_decision d = decide(&f, false);
    assert_int_equal(d.judgement.kind, KIND_RTP_UNKNOWN);
    assert_int_equal(d.judgement.confidence, CONFIDENCE_NONE);
    assert_string_equal(d.codec, "");
    assert_string_equal(d.repairs, "");
}

static void narrowband_audio_is_sure_within_thirty_packets(void **state)
{
    (void)state;
    struct sender s = sender(100, 1);
    audio(&s, 30, 160, 20 * MS, 160);
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_int_equal(decide(&s.f, true).clock_rate, 8000);
}

static void high_bitrate_stereo_is_audio_for_all_its_size(void **state)
{
    (void)state;
    struct sender s = sender(97, 2);
    audio(&s, 50, 960, 20 * MS, 1275);
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_int_equal(decide(&s.f, true).clock_rate, 48000);
}

static void silence_left_out_changes_nothing(void **state)
{
    (void)state;
    struct sender s = sender(97, 3);
    for (int i = 0; i < 6; i++) {
        audio(&s, 15, 960, 20 * MS, 80);
        step(&s, 960 * 40, 800 * MS);
    }
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
}

static void comfort_noise_between_speech_changes_nothing(void **state)
{
    (void)state;
    struct sender s = sender(8, 4);
    for (int i = 0; i < 40; i++) {
        s.h.payload_type = i % 4 == 3 ? 13 : 8;
        audio(&s, 3, s.h.payload_type == 13 ? 800 : 160, s.h.payload_type == 13 ? 100 * MS : 20 * MS, 160);
    }
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_string_equal(decide(&s.f, false).codec, "PCMA/8000");
    assert_string_equal(decide(&s.f, true).codec, "");
}

static void video_in_pieces_is_sure(void **state)
{
    (void)state;
    struct sender s = sender(96, 5);
    video(&s, 20, 33, 4, 1100);
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_CERTAIN);
    assert_int_equal(decide(&s.f, true).clock_rate, 90000);
}

static void one_packet_a_frame_is_still_video(void **state)
{
    (void)state;
    struct sender s = sender(96, 6);
    video(&s, 30, 33, 1, 180);
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
}

static void two_frames_a_second_are_still_video(void **state)
{
    (void)state;
    struct sender s = sender(96, 7);
    video(&s, 12, 500, 1, 300);
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
}

static void frames_sent_out_of_order_are_video(void **state)
{
    (void)state;
    struct sender s = sender(96, 8);
    static const int order[] = {0, 3, 1, 2}; /* I P B B, decoded before they are shown */
    for (int i = 0; i < 120; i++) {
        s.h.timestamp = 3600u * (uint32_t)(i - i % 4 + order[i % 4]);
        send(&s, 400, true);
        s.now_ns += 40 * MS;
    }
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
}

/* AAC-LATM with a clock of 90 kHz, as conferencing servers offer it: 1024 samples of 48 kHz are 1920 ticks. */
static void audio_with_the_clock_of_video_is_audio(void **state)
{
    (void)state;
    static const struct {
        uint32_t ticks;
        int64_t ns;
    } frames[] = {{1920, 21333333}, {2880, 32000000}, {2160, 24000000},
                  {960, 10666667},  {900, 10000000},  {3840, 42666667}};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct sender s = sender(107, 9);
        for (int n = 0; n < 150; n++) {
            struct media_decision d = decide(&s.f, true);
            assert_false(d.judgement.kind == KIND_RTP_VIDEO && d.judgement.confidence >= CONFIDENCE_HIGH);
            send(&s, 120 + noise(&s, 40), true);
            step(&s, frames[i].ticks, frames[i].ns);
        }
        assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_LOW);
    }
}

/* 20 ms at 90 kHz is two frames of AAC-LD or a picture at 50 a second: only the sizes differ, so nobody can say. */
static void what_may_be_either_is_never_more_than_low(void **state)
{
    (void)state;
    static const struct {
        uint32_t ticks, bytes, spread;
        enum kind kind;
    } cases[] = {
        {1800, 160, 10, KIND_RTP_AUDIO},   {1800, 300, 400, KIND_RTP_VIDEO}, {1800, 200, 66, KIND_RTP_UNKNOWN},
        {3600, 160, 10, KIND_RTP_UNKNOWN}, /* 40 ms: 25 pictures a second are as likely */
        {3600, 300, 400, KIND_RTP_VIDEO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sender s = sender(107, 10);
        for (int k = 0; k < 200; k++)
            audio(&s, 1, cases[i].ticks, cases[i].ticks * MS / 90, cases[i].bytes + noise(&s, cases[i].spread));
        struct media_decision d = decide(&s.f, true);
        assert_int_equal(d.judgement.kind, cases[i].kind);
        assert_true(d.judgement.confidence <= CONFIDENCE_LOW);
    }
}

static void the_first_packets_of_latm_are_not_taken_for_video(void **state)
{
    (void)state;
    for (int packets = 3; packets < 60; packets++) {
        struct sender s = sender(107, 30);
        for (int k = 0; k < packets / 2; k++) {
            send(&s, 160, true);
            step(&s, 1800, packets % 2 ? 20 * MS : k % 3 * 20 * MS); /* by the clock, or badly delayed */
        }
        assert_int_not_equal(decide(&s.f, true).judgement.kind, KIND_RTP_VIDEO);
    }
}

/* RFC 6416 §6.1: a frame larger than a packet is cut, and its pieces share the timestamp; the marker ends it. */
static void audio_frames_in_pieces_are_audio(void **state)
{
    (void)state;
    static const uint32_t ticks[] = {1920, 1024}; /* AAC of 1024 samples at 48 kHz by a clock of 90 kHz and its own */
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        struct sender s = sender(96, 31);
        for (int k = 0; k < 150; k++) {
            send(&s, 1400, false);
            send(&s, 400, true);
            step(&s, ticks[i], 1024 * MS / 48);
        }
        assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_LOW);
    }
}

static void a_transport_stream_is_video_and_studio_pcm_is_not(void **state)
{
    (void)state;
    struct sender stream = sender(96, 32), studio = sender(96, 33);
    audio(&stream, 500, 450, 5 * MS, 1316);
    audio(&studio, 2500, 96, 1 * MS, 576);
    assert_decided(&stream.f, KIND_RTP_VIDEO, CONFIDENCE_LOW);
    assert_decided(&studio.f, KIND_RTP_AUDIO, CONFIDENCE_LOW);
    assert_int_equal(decide(&studio.f, true).clock_rate, 96000);
}

static void small_slices_are_video(void **state)
{
    (void)state;
    struct sender s = sender(96, 34);
    for (int frame = 0; frame < 40; frame++) {
        for (int k = 0; k < 8; k++)
            send(&s, 150 + noise(&s, 30), false);
        step(&s, 4500, 50 * MS);
    }
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
}

/* RED and its codec, FEC and what it protects: two payload types by turns are one stream. */
static void payload_types_by_turns_are_one_stream(void **state)
{
    (void)state;
    struct sender voice = sender(96, 35), picture = sender(96, 36);
    for (int i = 0; i < 120; i++) {
        voice.h.payload_type = i % 3 ? 111 : 63;
        audio(&voice, 1, 960, 20 * MS, 90);
        picture.h.payload_type = i % 2 ? 102 : 103;
        send(&picture, 1100, i % 4 == 3);
        if (i % 4 == 3)
            step(&picture, 3000, 33 * MS);
    }
    assert_decided(&voice.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_decided(&picture.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
}

static void payload_types_by_turns_leave_probation(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    struct sender s = sender(96, 43);
    int packets = 0;
    for (bool accepted = false; !accepted && packets < 12; packets++) {
        s.h.payload_type = packets % 2 ? 63 : 111;
        accepted = rtp_probation_update(&p, &s.h, s.now_ns) == RTP_PROBATION_ACCEPTED;
        s.h.sequence++;
        step(&s, 960, 20 * MS);
    }
    assert_in_range(packets, 5, 8); /* more than the four that suffice for one type */
}

static void an_answer_in_brief_is_the_same_answer(void **state)
{
    (void)state;
    struct sender s = sender(96, 42);
    for (int i = 0; i < 60; i++) {
        video(&s, 1, 33, i % 3 + 1, 900);
        struct media_context context = {.mask_payload_types = true},
                             brief = {.mask_payload_types = true, .in_brief = true};
        struct media_decision d, b;
        media_decide(&s.f, &context, &d);
        media_decide(&s.f, &brief, &b);
        assert_int_equal(d.judgement.kind, b.judgement.kind);
        assert_int_equal(d.judgement.confidence, b.judgement.confidence);
        assert_int_equal(d.clock_rate, b.clock_rate);
    }
}

static void telephone_events_alone_are_audio(void **state)
{
    (void)state;
    struct sender s = sender(101, 11);
    for (int i = 0; i < 8; i++) {
        send(&s, 4, i == 0);
        s.now_ns += 20 * MS;
    }
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
}

static void padding_probes_are_never_more_than_low(void **state)
{
    (void)state;
    struct sender s = sender(97, 12);
    s.h.padding = true;
    for (int i = 0; i < 30; i++) {
        send(&s, 255, false);
        s.now_ns += MS;
    }
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_LOW);
    assert_int_equal(decide(&s.f, true).judgement.confidence, CONFIDENCE_LOW);
}

static void a_channel_that_counts_milliseconds_is_not_known(void **state)
{
    (void)state;
    struct sender s = sender(110, 13);
    audio(&s, 60, 50, 50 * MS, 40);
    assert_decided(&s.f, KIND_RTP_UNKNOWN, CONFIDENCE_NONE);
}

/* What some other protocol counts there: the payload type of G.711 is a number like any other then. */
static void a_channel_that_counts_microseconds_is_not_known(void **state)
{
    (void)state;
    struct sender s = sender(8, 14);
    audio(&s, 400, 20000, 20 * MS, 40);
    assert_decided(&s.f, KIND_RTP_UNKNOWN, CONFIDENCE_NONE);
}

static void a_flat_wall_clock_leaves_the_steps(void **state)
{
    (void)state;
    struct sender voice = sender(100, 14), picture = sender(96, 15);
    audio(&voice, 30, 320, 0, 80);
    video(&picture, 12, 0, 3, 1000);
    for (int i = 0; i < 60; i++) {
        if (i % 3 == 0)
            picture.h.timestamp += 3000;
        send(&picture, 1000, i % 3 == 2);
    }
    assert_decided(&voice.f, KIND_RTP_AUDIO, CONFIDENCE_LOW);
    assert_decided(&picture.f, KIND_RTP_VIDEO, CONFIDENCE_LOW);
}

static void a_static_type_that_the_clock_denies_is_not_believed(void **state)
{
    (void)state;
    struct sender s = sender(8, 16);
    video(&s, 30, 33, 3, 1000);
    struct media_decision d = decide(&s.f, false);
    assert_int_equal(d.judgement.kind, KIND_RTP_VIDEO);
    assert_string_equal(d.codec, "");
}

static void masked_types_have_no_meaning(void **state)
{
    (void)state;
    struct sender s = sender(34, 17);
    audio(&s, 4, 160, 0, 20);
    assert_int_equal(decide(&s.f, true).judgement.kind == KIND_RTP_VIDEO, false);
}

static void the_senders_own_clock_decides(void **state)
{
    (void)state;
    struct sender s = sender(96, 18);
    for (int i = 0; i < 3; i++) {
        send(&s, 300, false);
        step(&s, 3333, 0);
    }
    struct media_context context = {.sender_report_clock_rate = 90000};
    struct media_decision d;
    media_decide(&s.f, &context, &d);
    assert_int_equal(d.judgement.kind, KIND_RTP_VIDEO);
    assert_int_equal(d.clock_rate, 90000);
    context.sender_report_clock_rate = 48000;
    media_decide(&s.f, &context, &d);
    assert_int_equal(d.judgement.kind, KIND_RTP_AUDIO);
}

static void a_change_of_codec_begins_anew(void **state)
{
    (void)state;
    struct sender s = sender(100, 22);
    audio(&s, 200, 160, 20 * MS, 160);
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    s.h.payload_type = 96;
    video(&s, 40, 33, 3, 1000);
    assert_decided(&s.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
    assert_int_equal(s.f.packets, 320);
}

static void a_key_pressed_does_not_make_a_new_codec(void **state)
{
    (void)state;
    struct sender s = sender(0, 23);
    audio(&s, 50, 160, 20 * MS, 160);
    s.h.payload_type = 101;
    for (int i = 0; i < 20; i++)
        send(&s, 4, false);
    s.h.payload_type = 0;
    audio(&s, 50, 160, 20 * MS, 160);
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_int_equal(s.f.main_type, 0);
    assert_true(s.f.counted >= 100);
}

static void loss_reordering_and_duplicates_change_nothing(void **state)
{
    (void)state;
    struct sender voice = sender(100, 24), picture = sender(96, 25);
    struct rtp_header held = {0};
    for (int i = 0; i < 400; i++) {
        struct sender *s = i % 2 ? &voice : &picture;
        s->h.payload_bytes = s == &voice ? 80 : 1000;
        s->h.marker = s == &picture && i % 6 == 4;
        if (noise(s, 5) && !(i % 9 == 0)) {
            media_observe(&s->f, &s->h, s->now_ns);
            if (i % 11 == 0)
                media_observe(&s->f, &s->h, s->now_ns + 1);
        } else if (s == &voice) {
            if (held.ssrc)
                media_observe(&s->f, &held, s->now_ns);
            held = s->h;
        }
        s->h.sequence++;
        if (s == &voice)
            step(s, 320, 20 * MS);
        else if (i % 6 == 4)
            step(s, 3060, 34 * MS);
    }
    assert_decided(&voice.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_decided(&picture.f, KIND_RTP_VIDEO, CONFIDENCE_HIGH);
}

static void a_million_packets_overflow_nothing(void **state)
{
    (void)state;
    struct sender s = sender(96, 26);
    for (int i = 0; i < 10; i++)
        audio(&s, 100000, 960, 20 * MS, 160);
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
    assert_int_equal(s.f.packets, 1000000);
}

static void a_wall_clock_that_jumps_is_borne(void **state)
{
    (void)state;
    struct sender s = sender(96, 27);
    for (int i = 0; i < 5; i++) {
        audio(&s, 30, 960, 20 * MS, 160);
        s.now_ns += i % 2 ? -3600000 * MS : 7200000 * MS;
    }
    assert_decided(&s.f, KIND_RTP_AUDIO, CONFIDENCE_HIGH);
}

static void explain_names_every_feature(void **state)
{
    (void)state;
    struct sender s = sender(96, 28);
    struct media_context context = {0};
    struct strbuf b = {0};
    video(&s, 20, 33, 3, 1000);
    media_explain(&s.f, &context, &b);
    assert_true(strbuf_ok(&b));
    static const char *const wanted[] = {"rtp-video", "clock", "shared timestamps", "timestamp step", "marker",
                                         "size",      "sum"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_non_null(strstr(strbuf_text(&b), wanted[i]));
    strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_said_of_nothing),
        cmocka_unit_test(narrowband_audio_is_sure_within_thirty_packets),
        cmocka_unit_test(high_bitrate_stereo_is_audio_for_all_its_size),
        cmocka_unit_test(silence_left_out_changes_nothing),
        cmocka_unit_test(comfort_noise_between_speech_changes_nothing),
        cmocka_unit_test(video_in_pieces_is_sure),
        cmocka_unit_test(one_packet_a_frame_is_still_video),
        cmocka_unit_test(two_frames_a_second_are_still_video),
        cmocka_unit_test(frames_sent_out_of_order_are_video),
        cmocka_unit_test(audio_with_the_clock_of_video_is_audio),
        cmocka_unit_test(what_may_be_either_is_never_more_than_low),
        cmocka_unit_test(the_first_packets_of_latm_are_not_taken_for_video),
        cmocka_unit_test(audio_frames_in_pieces_are_audio),
        cmocka_unit_test(a_transport_stream_is_video_and_studio_pcm_is_not),
        cmocka_unit_test(small_slices_are_video),
        cmocka_unit_test(payload_types_by_turns_are_one_stream),
        cmocka_unit_test(payload_types_by_turns_leave_probation),
        cmocka_unit_test(an_answer_in_brief_is_the_same_answer),
        cmocka_unit_test(telephone_events_alone_are_audio),
        cmocka_unit_test(padding_probes_are_never_more_than_low),
        cmocka_unit_test(a_channel_that_counts_milliseconds_is_not_known),
        cmocka_unit_test(a_channel_that_counts_microseconds_is_not_known),
        cmocka_unit_test(a_flat_wall_clock_leaves_the_steps),
        cmocka_unit_test(a_static_type_that_the_clock_denies_is_not_believed),
        cmocka_unit_test(masked_types_have_no_meaning),
        cmocka_unit_test(the_senders_own_clock_decides),
        cmocka_unit_test(a_change_of_codec_begins_anew),
        cmocka_unit_test(a_key_pressed_does_not_make_a_new_codec),
        cmocka_unit_test(loss_reordering_and_duplicates_change_nothing),
        cmocka_unit_test(a_million_packets_overflow_nothing),
        cmocka_unit_test(a_wall_clock_that_jumps_is_borne),
        cmocka_unit_test(explain_names_every_feature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

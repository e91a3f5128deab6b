#include "testing.h"

#include "classify/media.h"
#include "classify/rtp_probation.h"

#define MS 1000000LL

/* A sender: what it will send next. Streams are made by rule, so that each test says which trap it is about; streams of
 * real software are in tests/accuracy. */
struct sender {
    struct media_features f;
    struct rtp_header h;
    int64_t now_ns;
    uint32_t noise;
};

static uint32_t noise(struct sender *s, uint32_t below)
{
    s->noise = s->noise * 1664525u + 1013904223u;
    return (s->noise >> 8) % below;
}

static struct sender sender(uint8_t payload_type, uint32_t ssrc)
{
    return (struct sender){.h = {.payload_type = payload_type,
                                 .sequence = 65500,
                                 .timestamp = 0xffff0000u,
                                 .ssrc = ssrc,
                                 .header_bytes = 12},
                           .now_ns = 1000000 * MS,
                           .noise = ssrc};
}

static void send(struct sender *s, uint32_t bytes, bool marker)
{
    s->h.payload_bytes = bytes;
    s->h.marker = marker;
    media_observe(&s->f, &s->h, s->now_ns + noise(s, 3) * MS);
    s->h.sequence++;
}

static void step(struct sender *s, uint32_t ticks, int64_t ns)
{
    s->h.timestamp += ticks;
    s->now_ns += ns;
}

static void audio(struct sender *s, int packets, uint32_t ticks, int64_t ns, uint32_t bytes)
{
    for (int i = 0; i < packets; i++) {
        send(s, bytes, false);
        step(s, ticks, ns);
    }
}

/* Camera timestamps are milliseconds at 90 kHz; `pieces` packets a frame, the marker on the last. */
static void video(struct sender *s, int frames, int64_t frame_ms, int pieces, uint32_t bytes)
{
    for (int i = 0; i < frames; i++) {
        uint32_t ms = (uint32_t)frame_ms + noise(s, 2);
        for (int k = 0; k < pieces; k++)
            send(s, bytes, k == pieces - 1);
        step(s, ms * 90, ms * MS);
    }
}

static struct media_decision decide(const struct media_features *f, bool masked)
{
    struct media_context context = {.mask_payload_types = masked};
    struct media_decision d;
    media_decide(f, &context, &d);
    return d;
}

static void assert_decided(const struct media_features *f, enum kind kind, enum confidence at_least)
{
    struct media_decision d = decide(f, true);
    if (d.judgement.kind != kind || d.judgement.confidence < at_least)
        print_message("%s (%s): %s\n", kind_name(d.judgement.kind), confidence_name(d.judgement.confidence),
                      d.judgement.evidence);
    assert_int_equal(d.judgement.kind, kind);
    assert_true(d.judgement.confidence >= at_least);
    assert_true(strlen(d.judgement.evidence) > 0);
}

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

/* 50 frames a second, or 20 ms of AAC: nobody can say. */
/* 20 ms at 90 kHz is two frames of AAC-LD or a picture at 50 a second; only the sizes differ. */
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

/* Too little to tell by itself: what the other direction is known as speaks for it. */
static struct sender undecided(uint8_t payload_type)
{
    struct sender s = sender(payload_type, 37);
    for (int i = 0; i < 4; i++) {
        send(&s, 300, false);
        step(&s, 7777, 1);
    }
    assert_decided(&s.f, KIND_RTP_UNKNOWN, CONFIDENCE_NONE);
    return s;
}

static enum kind kind_beside(const struct sender *s, const struct sender *a, const struct sender *b, bool one_medium)
{
    struct media_context context = {.reverse = {&a->f, b ? &b->f : NULL},
                                    .reverse_count = b ? 2 : 1,
                                    .one_medium = one_medium,
                                    .mask_payload_types = true};
    struct media_decision d;
    media_decide(&s->f, &context, &d);
    assert_true(d.judgement.confidence <= CONFIDENCE_LOW);
    return d.judgement.kind;
}

static void the_other_direction_speaks_for_a_stream_that_says_nothing(void **state)
{
    (void)state;
    struct sender voice = sender(100, 38), picture = sender(96, 39), same = undecided(96), other = undecided(97);
    audio(&voice, 60, 960, 20 * MS, 90);
    video(&picture, 30, 33, 3, 1000);
    assert_int_equal(kind_beside(&same, &picture, NULL, false), KIND_RTP_VIDEO);
    assert_int_equal(kind_beside(&same, &picture, &voice, false), KIND_RTP_VIDEO);
    assert_int_equal(kind_beside(&other, &picture, NULL, false), KIND_RTP_UNKNOWN); /* BUNDLE: another type */
    assert_int_equal(kind_beside(&other, &picture, NULL, true), KIND_RTP_VIDEO);    /* one m-line */
    assert_int_equal(kind_beside(&other, &picture, &voice, true), KIND_RTP_UNKNOWN);
}

static void the_other_direction_does_not_speak_against_a_streams_own_packets(void **state)
{
    (void)state;
    struct sender voice = sender(96, 40), picture = sender(96, 41);
    audio(&voice, 60, 960, 20 * MS, 90);
    video(&picture, 30, 33, 3, 1000);
    struct media_context context = {
        .reverse = {&picture.f}, .reverse_count = 1, .one_medium = true, .mask_payload_types = true};
    struct media_decision d;
    media_decide(&voice.f, &context, &d);
    assert_int_equal(d.judgement.kind, KIND_RTP_AUDIO);
    assert_int_equal(d.judgement.confidence, CONFIDENCE_CERTAIN);
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

static void a_channel_that_counts_milliseconds_is_data(void **state)
{
    (void)state;
    struct sender s = sender(110, 13);
    audio(&s, 60, 50, 50 * MS, 40);
    assert_decided(&s.f, KIND_RTP_DATA, CONFIDENCE_LOW);
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

/* RFC 4588 §4: another SSRC and sequence, the timestamps of what is sent again. */
static void retransmissions_go_with_what_they_repair(void **state)
{
    (void)state;
    struct sender s = sender(96, 19), rtx = sender(97, 20), other = sender(98, 21);
    s.h.timestamp = 0x7fffff00;
    other.h.timestamp = 0x12345678;
    for (int i = 0; i < 30; i++) {
        video(&s, 1, 33, 3, 1000);
        rtx.h.timestamp = s.h.timestamp - 2970;
        other.h.timestamp += 2970;
        rtx.now_ns = other.now_ns = s.now_ns;
        if (i % 7 == 3) {
            send(&rtx, 1002, false);
            send(&other, 1002, false);
        }
    }
    struct media_context context = {.siblings = {&s.f}, .sibling_count = 1, .mask_payload_types = true};
    struct media_decision d;
    media_decide(&rtx.f, &context, &d);
    assert_int_equal(d.judgement.kind, KIND_RTP_VIDEO);
    assert_int_equal(d.judgement.confidence, CONFIDENCE_LOW); /* of four packets */
    assert_string_equal(d.repairs, "rtx");
    media_decide(&other.f, &context, &d);
    assert_string_equal(d.repairs, "");
    media_decide(&s.f, &context, &d);
    assert_string_equal(d.repairs, "");
}

/* A chance hit of timestamps, one in 8000, must not make a picture's pieces repair of a voice. */
static void pieces_of_a_picture_do_not_repair_a_voice(void **state)
{
    (void)state;
    struct sender voice = sender(111, 52), picture = sender(96, 53);
    voice.h.timestamp = picture.h.timestamp = 0x40000000;
    audio(&voice, 60, 960, 20 * MS, 90);
    picture.now_ns = voice.now_ns;
    for (int i = 0; i < 4; i++)
        send(&picture, 1100, false);
    struct media_context context = {.siblings = {&voice.f}, .sibling_count = 1, .mask_payload_types = true};
    struct media_decision d;
    media_decide(&picture.f, &context, &d);
    assert_int_not_equal(d.judgement.kind, KIND_RTP_AUDIO);
}

static void streams_that_all_begin_at_zero_do_not_repair_each_other(void **state)
{
    (void)state;
    struct sender voice = sender(111, 50), picture = sender(96, 51);
    voice.h.timestamp = picture.h.timestamp = 0;
    audio(&voice, 60, 960, 20 * MS, 90);
    picture.now_ns = voice.now_ns;
    for (int i = 0; i < 4; i++)
        send(&picture, 300, false);
    struct media_context context = {.siblings = {&voice.f}, .sibling_count = 1, .mask_payload_types = true};
    struct media_decision d;
    media_decide(&picture.f, &context, &d);
    assert_string_equal(d.repairs, "");
    assert_int_equal(d.judgement.kind, KIND_RTP_UNKNOWN);
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
        cmocka_unit_test(the_other_direction_speaks_for_a_stream_that_says_nothing),
        cmocka_unit_test(the_other_direction_does_not_speak_against_a_streams_own_packets),
        cmocka_unit_test(an_answer_in_brief_is_the_same_answer),
        cmocka_unit_test(telephone_events_alone_are_audio),
        cmocka_unit_test(padding_probes_are_never_more_than_low),
        cmocka_unit_test(a_channel_that_counts_milliseconds_is_data),
        cmocka_unit_test(a_flat_wall_clock_leaves_the_steps),
        cmocka_unit_test(a_static_type_that_the_clock_denies_is_not_believed),
        cmocka_unit_test(masked_types_have_no_meaning),
        cmocka_unit_test(the_senders_own_clock_decides),
        cmocka_unit_test(retransmissions_go_with_what_they_repair),
        cmocka_unit_test(pieces_of_a_picture_do_not_repair_a_voice),
        cmocka_unit_test(streams_that_all_begin_at_zero_do_not_repair_each_other),
        cmocka_unit_test(a_change_of_codec_begins_anew),
        cmocka_unit_test(a_key_pressed_does_not_make_a_new_codec),
        cmocka_unit_test(loss_reordering_and_duplicates_change_nothing),
        cmocka_unit_test(a_million_packets_overflow_nothing),
        cmocka_unit_test(a_wall_clock_that_jumps_is_borne),
        cmocka_unit_test(explain_names_every_feature),
    };
    return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}

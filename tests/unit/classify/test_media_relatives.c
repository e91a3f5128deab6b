#include "media_sender.h"

/* What other streams say of one: the other direction, and what it repairs. */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_other_direction_speaks_for_a_stream_that_says_nothing),
        cmocka_unit_test(the_other_direction_does_not_speak_against_a_streams_own_packets),
        cmocka_unit_test(retransmissions_go_with_what_they_repair),
        cmocka_unit_test(pieces_of_a_picture_do_not_repair_a_voice),
        cmocka_unit_test(streams_that_all_begin_at_zero_do_not_repair_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

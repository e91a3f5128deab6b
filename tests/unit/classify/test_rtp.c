#include "testing.h"

#include "classify/rtp.h"
#include "classify/rtp_probation.h"

/* RFC 3550 §5.1, figure: V=2 P=0 X=0 CC=2 M=1 PT=96, sequence 0x1234, timestamp 0x00010203, SSRC, two CSRCs, payload.
 */
static const uint8_t with_csrcs[] = {0x82, 0xe0, 0x12, 0x34, 0x00, 0x01, 0x02, 0x03, 0xde, 0xad, 0xbe, 0xef,
                                     0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0xaa, 0xbb, 0xcc};

/* §5.3.1 with RFC 8285's one-byte profile: X=1, one word of extension, two bytes of payload. */
static const uint8_t with_extension[] = {0x90, 0x6f, 0x00, 0x07, 0x00, 0x00, 0x03, 0xc0, 0x11, 0x22, 0x33,
                                         0x44, 0xbe, 0xde, 0x00, 0x01, 0x10, 0x80, 0x00, 0x00, 0xf8, 0xff};

static struct cursor whole(const uint8_t *bytes, size_t len)
{
    return cur_make(bytes, len, false);
}

static void fixed_header_and_csrcs_are_read(void **state)
{
    (void)state;
    struct rtp_header h;
    assert_int_equal(rtp_parse(whole(with_csrcs, sizeof with_csrcs), sizeof with_csrcs, &h), PARSE_OK);
    assert_false(h.padding);
    assert_false(h.extension);
    assert_true(h.marker);
    assert_int_equal(h.csrc_count, 2);
    assert_int_equal(h.payload_type, 96);
    assert_int_equal(h.sequence, 0x1234);
    assert_int_equal(h.timestamp, 0x00010203);
    assert_int_equal(h.ssrc, 0xdeadbeef);
    assert_int_equal(h.header_bytes, 20);
    assert_int_equal(h.payload_bytes, 3);
}

static void extension_is_measured(void **state)
{
    (void)state;
    struct rtp_header h;
    assert_int_equal(rtp_parse(whole(with_extension, sizeof with_extension), sizeof with_extension, &h), PARSE_OK);
    assert_true(h.extension);
    assert_int_equal(h.extension_profile, 0xbede);
    assert_int_equal(h.extension_bytes, 4);
    assert_int_equal(h.header_bytes, 20);
    assert_int_equal(h.payload_bytes, 2);
}

static void csrcs_beyond_the_end_are_malformed(void **state)
{
    (void)state;
    struct rtp_header h;
    assert_int_equal(rtp_parse(whole(with_csrcs, 18), 18, &h), PARSE_MALFORMED);
}

static void extension_beyond_the_end_is_malformed(void **state)
{
    (void)state;
    struct rtp_header h;
    assert_int_equal(rtp_parse(whole(with_extension, 18), 18, &h), PARSE_MALFORMED);
    assert_int_equal(rtp_parse(whole(with_extension, 14), 14, &h), PARSE_MALFORMED);
}

/* Snapshot length 64 leaves 22 bytes after Ethernet, IPv4 and UDP. */
static void a_cut_extension_leaves_the_fixed_header(void **state)
{
    (void)state;
    static const uint8_t cut[22] = {0x95, 0x60, 0x00, 0x01, 0, 0, 0, 2, 0, 0, 0, 3};
    struct rtp_header h;
    assert_int_equal(rtp_parse(cur_make(cut, sizeof cut, true), 1200, &h), PARSE_OK);
    assert_int_equal(h.sequence, 1);
    assert_int_equal(h.timestamp, 2);
    assert_int_equal(h.ssrc, 3);
    assert_int_equal(h.header_bytes, 12 + 5 * 4 + 4);
    assert_int_equal(h.extension_profile, 0);
    assert_int_equal(h.payload_bytes, 1200 - 36);
    assert_int_equal(rtp_parse(cur_make(cut, 11, true), 1200, &h), PARSE_TRUNCATED);
}

static void other_versions_and_short_datagrams_are_malformed(void **state)
{
    (void)state;
    uint8_t bytes[12] = {0x40};
    struct rtp_header h;
    assert_int_equal(rtp_parse(whole(bytes, 12), 12, &h), PARSE_MALFORMED);
    bytes[0] = 0x80;
    assert_int_equal(rtp_parse(whole(bytes, 12), 12, &h), PARSE_OK);
    assert_int_equal(rtp_parse(whole(bytes, 11), 11, &h), PARSE_MALFORMED);
}

static void output_is_untouched_on_failure(void **state)
{
    (void)state;
    struct rtp_header h = {.ssrc = 42};
    assert_int_equal(rtp_parse(whole(with_csrcs, 18), 18, &h), PARSE_MALFORMED);
    assert_int_equal(h.ssrc, 42);
}

static void payload_types_of_rtcp_are_not_plausible(void **state)
{
    (void)state;
    struct rtp_header h;
    uint8_t bytes[16] = {0x80, 72};
    assert_false(rtp_plausible(whole(bytes, sizeof bytes), sizeof bytes, &h));
    bytes[1] = 0x80 | 95;
    assert_false(rtp_plausible(whole(bytes, sizeof bytes), sizeof bytes, &h));
    bytes[1] = 96;
    assert_true(rtp_plausible(whole(bytes, sizeof bytes), sizeof bytes, &h));
    bytes[1] = 63;
    assert_true(rtp_plausible(whole(bytes, sizeof bytes), sizeof bytes, &h));
}

static void padding_without_room_is_not_plausible(void **state)
{
    (void)state;
    struct rtp_header h;
    const uint8_t bytes[12] = {0xa0, 96};
    assert_false(rtp_plausible(whole(bytes, sizeof bytes), sizeof bytes, &h));
}

/* RFC 7983 §7 and RFC 5761 §4. */
static void first_byte_demultiplexes(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[2];
        enum media_byte is;
    } cases[] = {
        {{0, 1}, MEDIA_BYTE_STUN},          {{3, 0}, MEDIA_BYTE_STUN},          {{4, 0}, MEDIA_BYTE_OTHER},
        {{16, 0}, MEDIA_BYTE_ZRTP},         {{20, 254}, MEDIA_BYTE_DTLS},       {{63, 0}, MEDIA_BYTE_DTLS},
        {{64, 0}, MEDIA_BYTE_TURN_CHANNEL}, {{79, 0}, MEDIA_BYTE_TURN_CHANNEL}, {{80, 0}, MEDIA_BYTE_OTHER},
        {{128, 0}, MEDIA_BYTE_RTP},         {{191, 111}, MEDIA_BYTE_RTP},       {{128, 191}, MEDIA_BYTE_RTP},
        {{128, 192}, MEDIA_BYTE_RTCP},      {{129, 200}, MEDIA_BYTE_RTCP},      {{128, 223}, MEDIA_BYTE_RTCP},
        {{128, 224}, MEDIA_BYTE_RTP},       {{192, 0}, MEDIA_BYTE_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(media_byte_of(cases[i].bytes, 2), cases[i].is);
    assert_int_equal(media_byte_of(cases[9].bytes, 1), MEDIA_BYTE_OTHER);
}

static void parse_prefix(void *user, const uint8_t *prefix, size_t len)
{
    struct rtp_header h;
    const size_t *all = user;
    (void)rtp_parse(cur_make(prefix, len, false), (uint32_t)len, &h);
    enum parse_status s = rtp_parse(cur_make(prefix, len, true), (uint32_t)*all, &h);
    assert_int_equal(s, len < 12 ? PARSE_TRUNCATED : PARSE_OK);
    (void)rtp_plausible(cur_make(prefix, len, false), (uint32_t)len, &h);
    (void)media_byte_of(prefix, (uint32_t)len);
}

static void no_prefix_is_read_beyond_its_end(void **state)
{
    (void)state;
    size_t len = sizeof with_csrcs;
    for_each_prefix(with_csrcs, len, parse_prefix, &len);
    len = sizeof with_extension;
    for_each_prefix(with_extension, len, parse_prefix, &len);
}

/* ---- probation ------------------------------------------------------------------------------------------------------
 */

static struct rtp_header packet(uint32_t ssrc, int sequence, uint32_t timestamp)
{
    return (struct rtp_header){.payload_type = 96,
                               .sequence = (uint16_t)sequence,
                               .timestamp = timestamp,
                               .ssrc = ssrc,
                               .header_bytes = 12,
                               .payload_bytes = 160};
}

#define MS 1000000LL

static void audio_is_accepted_at_the_fourth_packet(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    for (int i = 0; i < 4; i++) {
        struct rtp_header h = packet(7, 65534 + i, 0xffffff00u + 160u * (uint32_t)i);
        assert_int_equal(rtp_probation_update(&p, &h, i * 20 * MS),
                         i < 3 ? RTP_PROBATION_UNDECIDED : RTP_PROBATION_ACCEPTED);
    }
}

static void a_frozen_timestamp_takes_six(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    for (int i = 0; i < 6; i++) {
        struct rtp_header h = packet(7, i, 1000);
        assert_int_equal(rtp_probation_update(&p, &h, i * MS),
                         i < 5 ? RTP_PROBATION_UNDECIDED : RTP_PROBATION_ACCEPTED);
    }
}

static void interleaved_streams_are_both_accepted(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    int audio = 0, video = 0;
    for (int i = 0; i < 6; i++) {
        struct rtp_header a = packet(1, 100 + i, 960u * (uint32_t)i), v = packet(2, 900 + i, 3000u * (uint32_t)i);
        audio += rtp_probation_update(&p, &a, i * 20 * MS) == RTP_PROBATION_ACCEPTED;
        video += rtp_probation_update(&p, &v, i * 20 * MS + MS) == RTP_PROBATION_ACCEPTED;
    }
    assert_int_equal(audio, 3);
    assert_int_equal(video, 3);
}

static void a_third_stream_does_not_push_the_others_out(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    bool accepted[3] = {false};
    for (int i = 0; i < 20; i++) {
        for (uint32_t s = 0; s < 3; s++) {
            struct rtp_header h = packet(s + 1, i, 960u * (uint32_t)i);
            if (!accepted[s])
                accepted[s] = rtp_probation_update(&p, &h, i * 20 * MS + s) == RTP_PROBATION_ACCEPTED;
        }
    }
    assert_true(accepted[0] && accepted[1] && accepted[2]);
}

static void loss_and_reordering_delay_but_do_not_prevent(void **state)
{
    (void)state;
    static const int order[] = {0, 2, 1, 4, 6, 5, 9, 8, 12, 11, 14, 13, 17, 16, 19, 18, 22};
    struct rtp_probation p = {0};
    enum rtp_probation_verdict v = RTP_PROBATION_UNDECIDED;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct rtp_header h = packet(7, order[i], 160u * (uint32_t)order[i]);
        v = rtp_probation_update(&p, &h, (int64_t)i * 20 * MS);
        assert_false(i < 3 && v == RTP_PROBATION_ACCEPTED);
    }
    assert_int_equal(v, RTP_PROBATION_ACCEPTED);
}

static void the_same_packet_again_and_again_is_not_rtp(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    struct rtp_header h = packet(7, 5, 1000);
    for (int i = 0; i < 100; i++)
        assert_int_not_equal(rtp_probation_update(&p, &h, i * MS), RTP_PROBATION_ACCEPTED);
}

static void noise_is_rejected(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    uint32_t x = 12345;
    enum rtp_probation_verdict v = RTP_PROBATION_UNDECIDED;
    for (int i = 0; i < 200; i++) {
        x = x * 1664525u + 1013904223u;
        struct rtp_header h = packet(x, (int)(x >> 7), x * 31u);
        v = rtp_probation_update(&p, &h, i * MS);
        assert_int_not_equal(v, RTP_PROBATION_ACCEPTED);
    }
    assert_int_equal(v, RTP_PROBATION_REJECTED);
}

/* A constant word where the SSRC is, a counter where the sequence is, and noise where the timestamp is. */
static void a_counter_with_a_random_timestamp_is_rejected(void **state)
{
    (void)state;
    struct rtp_probation p = {0};
    uint32_t x = 99;
    enum rtp_probation_verdict v = RTP_PROBATION_UNDECIDED;
    for (int i = 0; i < 200; i++) {
        x = x * 1664525u + 1013904223u;
        struct rtp_header h = packet(0x01020304, i, x);
        v = rtp_probation_update(&p, &h, i * MS);
        assert_int_not_equal(v, RTP_PROBATION_ACCEPTED);
    }
    assert_int_equal(v, RTP_PROBATION_REJECTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fixed_header_and_csrcs_are_read),
        cmocka_unit_test(extension_is_measured),
        cmocka_unit_test(csrcs_beyond_the_end_are_malformed),
        cmocka_unit_test(extension_beyond_the_end_is_malformed),
        cmocka_unit_test(a_cut_extension_leaves_the_fixed_header),
        cmocka_unit_test(other_versions_and_short_datagrams_are_malformed),
        cmocka_unit_test(output_is_untouched_on_failure),
        cmocka_unit_test(payload_types_of_rtcp_are_not_plausible),
        cmocka_unit_test(padding_without_room_is_not_plausible),
        cmocka_unit_test(first_byte_demultiplexes),
        cmocka_unit_test(no_prefix_is_read_beyond_its_end),
        cmocka_unit_test(audio_is_accepted_at_the_fourth_packet),
        cmocka_unit_test(a_frozen_timestamp_takes_six),
        cmocka_unit_test(interleaved_streams_are_both_accepted),
        cmocka_unit_test(a_third_stream_does_not_push_the_others_out),
        cmocka_unit_test(loss_and_reordering_delay_but_do_not_prevent),
        cmocka_unit_test(the_same_packet_again_and_again_is_not_rtp),
        cmocka_unit_test(noise_is_rejected),
        cmocka_unit_test(a_counter_with_a_random_timestamp_is_rejected),
    };
    return cmocka_run_group_tests_name("rtp", tests, NULL, NULL);
}

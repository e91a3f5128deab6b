#include "testing.h"

#include <stdio.h>

#include "stream/traffic.h"

/* What becomes of streams on probation, of RTCP, and of what SDP announced, when all packets were seen. */

#define S (1000 * MS)

static const struct record *only_other(const struct document *d)
{
    const struct record *found = NULL;
    for (size_t i = 0; i < d->record_count; i++) {
        if (d->records[i].kind == KIND_OTHER) {
            assert_null(found);
            found = &d->records[i];
        }
    }
    return found;
}

static void send_voice_at(struct sender *s, struct endpoint a, struct endpoint b, dscp_t dscp, uint32_t ssrc, unsigned packets, int64_t begin_ns)
{
    for (unsigned i = 0; i < packets; i++)
        send_rtp(s, a, b, dscp, ssrc, 0, (uint16_t)(1000 + i), 5000 + 160 * i, 160, begin_ns + 20 * MS * i);
}

static void a_stream_is_found_after_strays_of_many_ssrcs(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    for (uint32_t i = 0; i < 100; i++)
        send_rtp(&s, a, b, (dscp_t)(i % 2 ? 46 : 10), 0x1000 + i * 77, 96, (uint16_t)(i * 999), i * 7777777, 50, i * S);
    send_voice_at(&s, a, b, 0, 9, 50, 200 * S);
    struct document *d = sender_finish(&s);
    const struct record *voice = record_with(d, KIND_RTP_AUDIO, 9), *other = only_other(d);
    assert_non_null(voice);
    assert_int_equal(voice->packets, 50);
    /* those strays that were still on probation in the end are RTP by their neighbour; the others are beside it */
    assert_non_null(other);
    assert_int_equal(other->mark_count, 2);
    document_free(d);
}

static void an_ssrc_that_finds_no_place_again_and_again_is_counted(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    for (unsigned i = 0; i < 40; i++)
        for (uint32_t k = 0; k < 16; k++) /* all places, and never two numbers in a row */
            send_rtp(&s, a, b, 46, 0x1000 + k * 77, 96, (uint16_t)(i * 999), i * 7777777 + k, 50, 100 * MS * i);
    for (uint32_t i = 0; i < 100; i++) /* noise */
        send_rtp(&s, a, b, 46, 0x90000 + i * 77, 96, (uint16_t)(i * 999), i * 7777777, 50, 4 * S);
    for (uint32_t i = 0; i < 100; i++) /* another protocol: the same bytes in many packets */
        send_rtp(&s, a, b, 46, 0x80000 + i % 2, 96, (uint16_t)(i % 2 ? 2560 : 36962 + i % 4 * 999), i * 7777777, 50,
                 4 * S);
    assert_int_equal(stream_table_stats(s.t).probation_full, 0);
    send_voice_at(&s, a, b, 0, 9, 10, 4 * S);
    assert_int_equal(stream_table_stats(s.t).probation_full, 10 - 3);
    stream_table_free(s.t);
}

static void candidates_that_are_active_keep_their_place(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    uint32_t x = 5;
    for (unsigned i = 0; i < 60; i++) {
        send_rtp(&s, a, b, 46, 9, 0, (uint16_t)i, 160 * i, 160, 20 * MS * i);
        for (unsigned k = 0; k < 30; k++) {
            x = x * 1664525u + 1013904223u;
            send_rtp(&s, a, b, 0, x, 96, (uint16_t)(x >> 16), x ^ 99, 50, 20 * MS * i + k * 1000);
        }
    }
    struct document *d = sender_finish(&s);
    assert_non_null(record_with(d, KIND_RTP_AUDIO, 9));
    assert_int_equal(record_with(d, KIND_RTP_AUDIO, 9)->packets, 60);
    document_free(d);
}

static void candidates_stay_where_they_are_when_all_times_are_equal(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    for (uint32_t i = 0; i < 1000; i++)
        send_rtp(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 0, i * 7919, 96, (uint16_t)(i * 31), i * 99991, 50, 5);
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 1);
    document_free(d);
}

static void a_clock_that_steps_back_frees_places_too(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    for (uint32_t i = 0; i < 16; i++)
        send_rtp(&s, a, b, 46, 0x1000 + i * 77, 96, (uint16_t)(i * 999), i * 7777777, 50, 1000 * S);
    send_voice_at(&s, a, b, 46, 9, 50, 10 * S);
    struct document *d = sender_finish(&s);
    assert_non_null(record_with(d, KIND_RTP_AUDIO, 9));
    document_free(d);
}

static void rtcp_of_many_participants_is_found_beside_noise(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4001), b = at("10.0.0.2", 5001);
    /* an empty RR and an SDES with the CNAME "abc" (RFC 3550 §6.4.2, §6.5) */
    uint8_t compound[] = {0x80, 201, 0, 1, 0, 0, 0, 0, 0x81, 202, 0, 3, 0, 0, 0, 0, 1, 3, 'a', 'b', 'c', 0, 0, 0};
    for (uint8_t i = 1; i <= 100; i++) {
        compound[7] = compound[15] = i;
        send_udp(&s, a, b, 46, compound, sizeof compound, i * 10 * MS);
    }
    struct document *d = sender_finish(&s);
    for (uint32_t ssrc = 1; ssrc <= 100; ssrc++)
        assert_non_null(record_with(d, KIND_RTCP, ssrc));
    document_free(d);
}

static void rtcp_belongs_to_its_own_flow_where_all_flows_have_one_ssrc(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    const uint8_t sr[28] = {0x80, 200, 0, 6, 0, 0, 0, 9};
    for (unsigned i = 0; i < 20; i++) {
        struct endpoint a = at("10.0.0.1", (uint16_t)(4000 + 2 * i)), b = at("10.0.0.2", (uint16_t)(5000 + 2 * i));
        bool video = i % 2;
        for (unsigned k = 0; k < 60; k++)
            send_rtp(&s, a, b, 46, 9, video ? 34 : 0, (uint16_t)k, video ? 3600 * (k / 4) : 160 * k, video ? 1000 : 160,
                     video ? 40 * MS * (k / 4) + k % 4 * 100000 : 20 * MS * k);
        send_udp(&s, a, b, 46, sr, sizeof sr, 2 * S);
    }
    struct document *d = sender_finish(&s);
    unsigned seen = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        if (d->records[i].kind != KIND_RTCP)
            continue;
        bool video = d->records[i].src.port % 4 == 2;
        assert_int_equal(d->records[i].media_kinds, 1u << (video ? KIND_RTP_VIDEO : KIND_RTP_AUDIO));
        seen++;
    }
    assert_int_equal(seen, 20);
    document_free(d);
}

/* An SR without report blocks (RFC 3550 §6.4.1), `seconds` after the first, of a source of 90 kHz. */
static void send_report(struct sender *s, struct endpoint a, struct endpoint b, uint32_t seconds)
{
    uint32_t ntp = 3900000000u + seconds, rtp = seconds * 90000u; /* comes round after 13 hours */
    const uint8_t sr[28] = {0x80, 200, 0, 6, 0, 0, 0, 9, (uint8_t)(ntp >> 24), (uint8_t)(ntp >> 16), (uint8_t)(ntp >> 8), (uint8_t)ntp, 0, 0, 0, 0,
                            (uint8_t)(rtp >> 24), (uint8_t)(rtp >> 16), (uint8_t)(rtp >> 8), (uint8_t)rtp};
    send_udp(s, a, b, 34, sr, sizeof sr, seconds * S);
}

static void sender_reports_of_a_day_give_the_clock_rate_of_their_first_hour(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    send_report(&s, a, b, 0);
    for (unsigned i = 0; i < 100; i++)
        send_rtp(&s, a, b, 34, 9, 96, (uint16_t)i, 3600 * (i / 4), 1000, 40 * MS * (i / 4) + i % 4 * 100000);
    send_report(&s, a, b, 10);
    send_report(&s, a, b, 65075); /* the timestamp has advanced by 24,000 a second, modulo 2^32 */
    struct document *d = sender_finish(&s);
    const struct record *r = record_with(d, KIND_RTP_VIDEO, 9);
    assert_non_null(r);
    assert_int_equal(r->rtp->clock_rate, 90000);
    document_free(d);
}

/* --- what SDP announced ------------------------------------------------------------------------------------------- */

static void send_invite(struct sender *s, const char *lines)
{
    char text[2048], sdp[1024];
    int body = snprintf(sdp, sizeof sdp, "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n%s", lines);
    int n = snprintf(text, sizeof text,
                     "INVITE sip:b@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@10.0.0.1>;tag=1\r\n"
                     "To: <sip:b@10.0.0.2>\r\nCall-ID: abc@10.0.0.1\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n"
                     "Content-Length: %d\r\n\r\n%s",
                     body, sdp);
    send_udp(s, at("10.0.0.1", 5060), at("10.0.0.2", 5060), 26, text, (size_t)n, 0);
}

static void what_sdp_announces_is_that_even_where_no_byte_tells(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    uint8_t secret[40] = {0xff, 1, 2, 3};
    send_invite(&s, "m=application 4912 UDP/BFCP *\r\n");
    for (uint8_t i = 0; i < 10; i++) {
        secret[20] = i;
        send_udp(&s, at("10.0.0.2", 6912), at("10.0.0.1", 4912), 0, secret, sizeof secret, S + i * 100 * MS);
    }
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 2);
    assert_int_equal(d->records[1].kind, KIND_BFCP);
    assert_int_equal(d->records[1].call, 1);
    document_free(d);
}

/* A Binding request with USERNAME and ICE's PRIORITY (RFC 8445 §7.1.1), and a DTLS handshake record of no content. */
static void send_ice_and_dtls(struct sender *s, struct endpoint a, struct endpoint b)
{
    const uint8_t check[] = {0x00, 0x01, 0x00, 0x10, 0x21, 0x12, 0xa4, 0x42, 1,    2,    3,    4,    5, 6, 7, 8, 9, 10, 11, 12,
                             0x00, 0x06, 0x00, 0x04, 'a',  ':',  'b',  'c',  0x00, 0x24, 0x00, 0x04, 0, 0, 0, 1};
    uint8_t shake[13 + 12] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    send_udp(s, a, b, 46, check, sizeof check, S);
    send_udp(s, a, b, 46, shake, sizeof shake, S + 10 * MS);
}

static void media_with_ice_and_dtls_is_webrtc_only_where_no_sdp_was_seen(void **state)
{
    (void)state;
    for (int with_sdp = 0; with_sdp < 2; with_sdp++) {
        struct sender s = sender_new(NULL);
        struct endpoint a = at("10.0.0.2", 6000), b = at("10.0.0.1", 4000);
        if (with_sdp)
            send_invite(&s, "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n");
        send_ice_and_dtls(&s, a, b);
        send_voice_at(&s, a, b, 46, 9, 50, 2 * S);
        struct document *d = sender_finish(&s);
        const struct record *voice = record_with(d, KIND_RTP_AUDIO, 9);
        assert_non_null(voice);
        assert_int_equal(voice->webrtc, !with_sdp);
        document_free(d);
    }
}

static void a_document_can_be_made_more_than_once(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    send_voice(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, 9, 50);
    stream_table_finish(s.t);
    for (int i = 0; i < 3; i++) {
        struct document *d = document_new();
        assert_non_null(d);
        struct record_scratch scratch = {.failed = false};
        assert_int_equal(stream_table_export(s.t, d), 0);
        assert_int_equal(d->record_count, 1);
        assert_int_equal(document_record(d, 0, RECORD_ALL, &scratch)->packets, 50);
        record_scratch_done(&scratch);
        document_free(d);
    }
    stream_table_free(s.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_found_after_strays_of_many_ssrcs),
        cmocka_unit_test(an_ssrc_that_finds_no_place_again_and_again_is_counted),
        cmocka_unit_test(candidates_that_are_active_keep_their_place),
        cmocka_unit_test(candidates_stay_where_they_are_when_all_times_are_equal),
        cmocka_unit_test(a_clock_that_steps_back_frees_places_too),
        cmocka_unit_test(rtcp_of_many_participants_is_found_beside_noise),
        cmocka_unit_test(rtcp_belongs_to_its_own_flow_where_all_flows_have_one_ssrc),
        cmocka_unit_test(sender_reports_of_a_day_give_the_clock_rate_of_their_first_hour),
        cmocka_unit_test(what_sdp_announces_is_that_even_where_no_byte_tells),
        cmocka_unit_test(media_with_ice_and_dtls_is_webrtc_only_where_no_sdp_was_seen),
        cmocka_unit_test(a_document_can_be_made_more_than_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <stdio.h>

#include "stream/traffic.h"

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void voice_is_found_without_sdp(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    send_voice(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, 0x11223344, 100);
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 1);
    const struct record *r = record_with(d, KIND_RTP_AUDIO, 0x11223344);
    assert_non_null(r);
    assert_int_equal(r->packets, 100);
    assert_int_equal(r->mark_count, 1);
    assert_int_equal(r->marks[0].dscp, 46);
    assert_int_equal(r->rtp->expected, 100);
    assert_int_equal(r->rtp->lost, 0);
    assert_int_equal(r->rtp->clock_rate, 8000);
    assert_int_equal(d->call_count, 1);
    document_free(d);
}

static void two_ssrcs_of_one_5_tuple_are_two_streams(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("2001:db8::1", 4000), b = at("2001:db8::2", 5000);
    for (unsigned i = 0; i < 60; i++) {
        send_rtp(&s, a, b, 46, 1, 111, (uint16_t)i, 960 * i, 100, 20 * MS * i);
        send_rtp(&s, a, b, 34, 2, 96, (uint16_t)(500 + i), 3000 * (i / 3), 1100, 20 * MS * i);
    }
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct record *r = &d->records[i];
        assert_true(kind_is_rtp(r->kind));
        assert_int_equal(r->packets, 60);
        assert_int_equal(r->marks[0].dscp, r->ssrc == 1 ? 46 : 34);
    }
    assert_int_equal(d->records[0].conversation, d->records[1].conversation);
    document_free(d);
}

static void a_single_packet_that_looks_like_rtp_is_not_called_rtp(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    send_rtp(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 0, 7, 0, 1, 2, 160, 0);
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 1);
    assert_int_equal(d->records[0].kind, KIND_OTHER);
    assert_false(d->records[0].has_ssrc);
    document_free(d);
}

static void noise_with_a_new_ssrc_in_each_packet_is_one_stream_that_is_not_rtp(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    uint32_t x = 12345;
    for (unsigned i = 0; i < 3000; i++) {
        x = x * 1664525u + 1013904223u;
        send_rtp(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), (dscp_t)(i % 3), x, (uint8_t)(x >> 8 & 63), (uint16_t)(x >> 16), x ^ 99, 50,
                 MS * i);
    }
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 1);
    assert_int_equal(d->records[0].kind, KIND_OTHER);
    assert_int_equal(d->records[0].mark_count, 3);
    document_free(d);
}

static void any_bytes_are_counted_once(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    uint32_t x = 1;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bytes[64];
        for (size_t k = 0; k < sizeof bytes; k++) {
            x = x * 1664525u + 1013904223u;
            bytes[k] = (uint8_t)(x >> 24);
        }
        bytes[0] = (uint8_t)(i * 7); /* each first byte of RFC 7983, evenly */
        send_udp(&s, at("10.0.0.1", (uint16_t)(4000 + x % 50)), at("10.0.0.2", 5000), (dscp_t)(x >> 26), bytes, x >> 16 & 63, MS * i);
    }
    document_free(sender_finish(&s));
}

static void any_tcp_segments_are_counted_once(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    uint32_t x = 77;
    for (unsigned i = 0; i < 20000; i++) {
        char bytes[64];
        for (size_t k = 0; k < sizeof bytes; k++) {
            x = x * 1664525u + 1013904223u;
            bytes[k] = (char)(x >> 24);
        }
        send_tcp(&s, at("10.0.0.1", (uint16_t)(4000 + x % 50)), at("10.0.0.2", 5000), (uint8_t)(x >> 3 & 31), x & 0xffff, bytes, x >> 20 & 63);
    }
    document_free(sender_finish(&s));
}

static void rtcp_goes_with_the_media_of_its_sender(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 4000), b = at("10.0.0.2", 5000);
    /* SR without report blocks: V=2, PT 200, length 6 words, SSRC 9 (RFC 3550 §6.4.1) */
    const uint8_t sr[28] = {0x80, 200, 0, 6, 0, 0, 0, 9};
    send_voice(&s, a, b, 46, 9, 50);
    send_udp(&s, a, b, 0, sr, sizeof sr, 900 * MS);
    struct document *d = sender_finish(&s);
    const struct record *r = record_with(d, KIND_RTCP, 9);
    assert_non_null(r);
    assert_int_equal(r->media_kinds, 1u << KIND_RTP_AUDIO);
    assert_int_equal(r->call, record_with(d, KIND_RTP_AUDIO, 9)->call);
    document_free(d);
}

static void rtcp_beside_its_media_is_found_on_the_next_port(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    const uint8_t rr[8] = {0x80, 201, 0, 1, 0, 0, 0, 1}; /* an empty RR: SSRC 1 sends nothing itself */
    send_voice(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, 9, 50);
    send_udp(&s, at("10.0.0.2", 5001), at("10.0.0.1", 4001), 46, rr, sizeof rr, 900 * MS);
    struct document *d = sender_finish(&s);
    const struct record *r = record_with(d, KIND_RTCP, 1);
    assert_non_null(r);
    assert_int_equal(r->media_kinds, 1u << KIND_RTP_AUDIO);
    document_free(d);
}

static void every_fragment_counts_its_own_mark(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    const uint8_t text[4] = {1, 2, 3, 4};
    const struct packet_part parts[3] = {{.frame = 5, .time_ns = 5, .ip_bytes = 1500, .tos = 0xb8},
                                         {.frame = 6, .time_ns = 6, .ip_bytes = 1500, .tos = 0xb8},
                                         {.frame = 8, .time_ns = 8, .ip_bytes = 200, .tos = 0x00}};
    struct packet p = packet_of(&s, PROTO_UDP, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, text, sizeof text, 8);
    p.parts = parts;
    p.part_count = 3;
    stream_table_packet(s.t, &p);
    s.fed = 3;
    struct document *d = sender_finish(&s);
    assert_int_equal(d->record_count, 1);
    assert_true(d->records[0].fragmented);
    assert_int_equal(d->records[0].bytes, 3200);
    assert_int_equal(d->records[0].mark_count, 2);
    assert_int_equal(d->records[0].marks[0].packets, 2);
    assert_int_equal(d->records[0].marks[1].first.frame, 8);
    document_free(d);
}

static void inner_and_outer_marks_are_kept_apart(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    for (unsigned i = 0; i < 10; i++) {
        struct packet p = packet_of(&s, PROTO_UDP, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, "x", 1, MS * i);
        p.layer_count = 2;
        p.layer_tos[0] = i < 4 ? 0x00 : 0xb8;
        p.layer_tos[1] = 0xb8;
        stream_table_packet(s.t, &p);
        s.fed++;
    }
    struct document *d = sender_finish(&s);
    const struct record *r = &d->records[0];
    assert_int_equal(r->mark_count, 1);
    assert_int_equal(r->outer_count, 2);
    assert_int_equal(r->outer_differs, 4);
    assert_int_equal(r->outer_differs_first.frame, 1);
    assert_int_equal(r->tunnel_depth, 1);
    document_free(d);
}

static void the_mark_of_a_mirror_session_is_not_held_against_the_traffic(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    for (unsigned i = 0; i < 10; i++) {
        struct packet p = packet_of(&s, PROTO_UDP, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, "x", 1, MS * i);
        p.layer_count = 2;
        p.mirror_layers = 1;
        p.layer_tos[1] = 0xb8;
        stream_table_packet(s.t, &p);
        s.fed++;
    }
    struct document *d = sender_finish(&s);
    assert_int_equal(d->records[0].outer_count, 1);
    assert_int_equal(d->records[0].outer_differs, 0);
    document_free(d);
}

static void streams_beyond_the_cap_are_counted_not_forgotten(void **state)
{
    (void)state;
    struct stream_options options = {.key = {1, 2}, .max_streams = 10};
    struct sender s = sender_new(&options);
    for (unsigned i = 0; i < 100; i++)
        send_udp(&s, at("10.0.0.1", (uint16_t)(4000 + i)), at("10.0.0.2", 5000), 0, "?", 1, MS * i);
    assert_int_equal(stream_table_stats(s.t).untracked_packets, 90);
    document_free(sender_finish(&s));
}

/* --- signalling --------------------------------------------------------------------------------------------------- */

static size_t invite(char *to, size_t size, const char *via)
{
    static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
                              "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"
                              "m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n";
    int n = snprintf(to, size,
                     "INVITE sip:b@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/%s 10.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@10.0.0.1>;tag=1\r\n"
                     "To: <sip:b@10.0.0.2>\r\nCall-ID: abc@10.0.0.1\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     via, sizeof sdp - 1, sdp);
    return (size_t)n;
}

/* The same payload type is audio on one m-line and video on the other: the port decides. */
static void expect_call(struct document *d)
{
    const struct record *audio = record_with(d, KIND_RTP_AUDIO, 1), *video = record_with(d, KIND_RTP_VIDEO, 2);
    assert_non_null(audio);
    assert_non_null(video);
    assert_int_equal(audio->confidence, CONFIDENCE_CERTAIN);
    assert_string_equal(audio->codec, "opus/48000");
    assert_int_equal(video->confidence, CONFIDENCE_CERTAIN);
    assert_string_equal(video->codec, "H264/90000");
    assert_int_equal(d->call_count, 1);
    assert_string_equal(d->calls[0].call_id, "abc@10.0.0.1");
    assert_int_equal(audio->call, 1);
    assert_int_equal(video->call, 1);
}

static void send_short_media(struct sender *s)
{
    for (unsigned i = 0; i < 3; i++) {
        send_rtp(s, at("10.0.0.2", 6000), at("10.0.0.1", 4000), 46, 1, 96, (uint16_t)i, 960 * i, 80, 1000 * MS + 20 * MS * i);
        send_rtp(s, at("10.0.0.2", 6002), at("10.0.0.1", 4002), 34, 2, 96, (uint16_t)i, 3000 * i, 900, 1000 * MS + 20 * MS * i);
    }
}

static void sdp_over_udp_names_media_from_its_first_packets(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    char text[2048];
    size_t len = invite(text, sizeof text, "UDP");
    send_udp(&s, at("10.0.0.1", 5060), at("10.0.0.2", 5060), 26, text, len, 0);
    send_short_media(&s);
    struct document *d = sender_finish(&s);
    expect_call(d);
    assert_int_equal(d->records[0].kind, KIND_SIP);
    document_free(d);
}

static void an_invite_in_tcp_segments_out_of_order_is_put_together(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct endpoint a = at("10.0.0.1", 41000), b = at("10.0.0.2", 5060);
    char text[2048];
    size_t len = invite(text, sizeof text, "TCP");
    send_tcp(&s, a, b, TCP_SYN, 99, "", 0);
    send_tcp(&s, b, a, TCP_SYN | TCP_ACK, 7, "", 0);
    send_tcp(&s, a, b, TCP_ACK, 100, text, 150);
    send_tcp(&s, a, b, TCP_ACK, 100 + 300, text + 300, len - 300);
    send_tcp(&s, a, b, TCP_ACK, 100 + 150, text + 150, 150);
    send_short_media(&s);
    struct document *d = sender_finish(&s);
    expect_call(d);
    document_free(d);
}

/* A first packet of a type that SDP does not list (comfort noise, an event) does not make the rest unannounced. */
static void the_payload_type_of_most_packets_is_looked_for_in_sdp(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    char text[2048];
    size_t len = invite(text, sizeof text, "UDP");
    send_udp(&s, at("10.0.0.1", 5060), at("10.0.0.2", 5060), 26, text, len, 0);
    send_rtp(&s, at("10.0.0.2", 6000), at("10.0.0.1", 4000), 46, 1, 13, 0, 0, 1, 1000 * MS);
    for (unsigned i = 1; i < 3; i++)
        send_rtp(&s, at("10.0.0.2", 6000), at("10.0.0.1", 4000), 46, 1, 96, (uint16_t)i, 960 * i, 80, 1000 * MS + 20 * MS * i);
    struct document *d = sender_finish(&s);
    const struct record *audio = record_with(d, KIND_RTP_AUDIO, 1);
    assert_non_null(audio);
    assert_int_equal(audio->packets, 3);
    assert_string_equal(audio->codec, "opus/48000");
    document_free(d);
}

/* What a port stands for is asked only where no content was there to tell. */
static void content_read_from_its_beginning_outweighs_the_port(void **state)
{
    (void)state;
    static const char chat[] = "WA\1\5\0\0\x17\xf8\5\1\xa5\x91\x89\xfc\x0fsomething else than XML";
    for (int with_content = 0; with_content < 2; with_content++) {
        struct sender s = sender_new(NULL);
        struct endpoint a = at("10.0.0.1", 41000), b = at("10.0.0.2", 5222);
        send_tcp(&s, a, b, TCP_SYN, 99, "", 0);
        send_tcp(&s, b, a, TCP_SYN | TCP_ACK, 7, "", 0);
        if (with_content)
            send_tcp(&s, a, b, TCP_ACK, 100, chat, sizeof chat - 1);
        struct document *d = sender_finish(&s);
        assert_int_equal(d->records[0].kind, with_content ? KIND_OTHER : KIND_XMPP_CLIENT);
        assert_int_equal(d->records[0].confidence, with_content ? CONFIDENCE_NONE : CONFIDENCE_LOW);
        document_free(d);
    }
}

static void with_signalling_ignored_sdp_says_nothing(void **state)
{
    (void)state;
    struct stream_options options = {.key = {1, 2}, .ignore_signalling = true};
    struct sender s = sender_new(&options);
    char text[2048];
    size_t len = invite(text, sizeof text, "UDP");
    send_udp(&s, at("10.0.0.1", 5060), at("10.0.0.2", 5060), 26, text, len, 0);
    send_short_media(&s);
    struct document *d = sender_finish(&s);
    for (size_t i = 0; i < d->record_count; i++)
        assert_true(d->records[i].confidence < CONFIDENCE_CERTAIN || !kind_is_rtp(d->records[i].kind));
    assert_int_equal(d->records[0].kind, KIND_SIP);
    document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(voice_is_found_without_sdp),
        cmocka_unit_test(two_ssrcs_of_one_5_tuple_are_two_streams),
        cmocka_unit_test(a_single_packet_that_looks_like_rtp_is_not_called_rtp),
        cmocka_unit_test(noise_with_a_new_ssrc_in_each_packet_is_one_stream_that_is_not_rtp),
        cmocka_unit_test(any_bytes_are_counted_once),
        cmocka_unit_test(any_tcp_segments_are_counted_once),
        cmocka_unit_test(rtcp_goes_with_the_media_of_its_sender),
        cmocka_unit_test(rtcp_beside_its_media_is_found_on_the_next_port),
        cmocka_unit_test(every_fragment_counts_its_own_mark),
        cmocka_unit_test(inner_and_outer_marks_are_kept_apart),
        cmocka_unit_test(the_mark_of_a_mirror_session_is_not_held_against_the_traffic),
        cmocka_unit_test(streams_beyond_the_cap_are_counted_not_forgotten),
        cmocka_unit_test(sdp_over_udp_names_media_from_its_first_packets),
        cmocka_unit_test(an_invite_in_tcp_segments_out_of_order_is_put_together),
        cmocka_unit_test(the_payload_type_of_most_packets_is_looked_for_in_sdp),
        cmocka_unit_test(content_read_from_its_beginning_outweighs_the_port),
        cmocka_unit_test(with_signalling_ignored_sdp_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

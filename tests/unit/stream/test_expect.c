#include "testing.h"

#include "stream/plain_call.h"

/* Which announced line a stream is held to, by its ends, its payload type and its SSRC. */

static void media_both_ways_is_certain_and_says_why(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    assert_string_equal(a.judgement.evidence, "SDP m=audio, frame 4");
    assert_string_equal(a.codec, "PCMU/8000");
    assert_string_equal(a.repairs, "");
    assert_int_equal(a.clock_rate, 8000);
    assert_int_equal(a.call, 1);
    assert_true(ask(&k, (struct wire){"10.0.0.2", 53002, "10.0.0.1", 53000, 32, 2, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_VIDEO);
    assert_string_equal(a.judgement.evidence, "SDP m=video, frame 1");
    talk_end(&k);
}

static void one_exact_end_is_enough(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    /* Bob sends from a port of its own; Alice's packets reach Bob's NAT, whose address no SDP names */
    assert_true(ask(&k, (struct wire){"10.0.0.2", 7777, "10.0.0.1", 49170, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "203.0.113.9", 61234, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    talk_end(&k);
}

static void payload_type_that_nobody_listed_has_no_answer(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 96, 1, 1, 60, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 31, 1, 1, 60, 0, 0}, &a));
    hang_up(&k);
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 96, 1, 1, 60, 0, 0}, &a));
    talk_end(&k);
}

static void refused_line_is_expected_at_neither_end(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    assert_false(ask(&k, (struct wire){"10.0.0.2", 5555, "10.0.0.1", 51372, 31, 1, 10, 60, 0, 0}, &a));
    talk_end(&k);
}

static void another_host_with_the_same_ports_is_not_the_call(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    assert_false(ask(&k, (struct wire){"10.9.9.9", 49170, "10.8.8.8", 1234, 0, 1, 1, 60, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49172, "10.8.8.8", 1234, 0, 1, 1, 60, 0, 0}, &a));
    talk_end(&k);
}

static void rtcp_is_found_one_port_up_and_belongs_to_its_media(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49171, "10.0.0.2", 49921, -1, 1, 1, 60, true, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    assert_true(a.rtcp_on_own_port);
    /* RTP on the RTCP port was never announced */
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49171, "10.0.0.2", 49921, 0, 1, 1, 60, false, 0}, &a));
    enum kind kind;
    struct endpoint src = host("10.7.7.7", 1), dst = host("10.0.0.2", 49921);
    assert_true(expect_table_announced(k.table, 17, &src, &dst, NS_PER_S, &kind));
    assert_int_equal(kind, KIND_RTCP);
    talk_end(&k);
}

static void odd_port_of_an_announced_line_is_not_rtcp(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k,
        (struct line){
            .start = "INVITE",
            .sdp = SDP(
                "10.0.0.1") "m=audio 34904 RTP/AVP 108 100\r\na=rtpmap:108 opus/48000/2\r\na=rtpmap:100 G7221/32000\r\n"
                            "m=video 34906 RTP/AVP 100\r\na=rtpmap:100 VP8/90000\r\na=content:main\r\n"
                            "m=video 34908 RTP/AVP 100\r\na=rtpmap:100 VP8/90000\r\na=content:slides\r\n"
                            "m=application 34910 UDP/UDT/IX *\r\nm=application 34912 UDP/BFCP *\r\n"
                            "m=application 34913 RTP/AVP 100\r\na=rtpmap:100 H224/4800\r\n"});
    static const struct {
        uint16_t port;
        int payload_type;
        enum kind kind;
        const char *codec;
    } wanted[] = {{34904, 100, KIND_RTP_AUDIO, "G7221/32000"},
                  {34904, 108, KIND_RTP_AUDIO, "opus/48000"},
                  {34906, 100, KIND_RTP_VIDEO, "VP8/90000"},
                  {34908, 100, KIND_RTP_SLIDES, "VP8/90000"},
                  {34913, 100, KIND_RTP_DATA, "H224/4800"},
                  {34910, -1, KIND_IX, ""},
                  {34912, -1, KIND_BFCP, ""}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_true(ask(
            &k, (struct wire){"10.0.0.2", 20000, "10.0.0.1", wanted[i].port, wanted[i].payload_type, 1, 1, 60, 0, 0},
            &a));
        assert_int_equal(a.judgement.kind, wanted[i].kind);
        assert_string_equal(a.codec, wanted[i].codec);
    }
    enum kind kind;
    struct endpoint src = host("10.0.0.2", 20000), dst = host("10.0.0.1", 34913);
    assert_true(expect_table_announced(k.table, 17, &src, &dst, NS_PER_S, &kind));
    assert_int_equal(kind, KIND_RTP_DATA);
    /* RTP where a floor is controlled is no such thing */
    assert_false(ask(&k, (struct wire){"10.0.0.2", 20000, "10.0.0.1", 34912, 100, 1, 1, 60, 0, 0}, &a));
    talk_end(&k);
}

static void nat_on_both_sides_is_matched_by_the_port_pair(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    /* signalling comes from the NATs' addresses, the SDP says what is behind them */
    say(&k, (struct line){
                .start = "INVITE",
                .src = "203.0.113.1",
                .dst = "198.51.100.2",
                .sdp = SDP(
                    "192.168.1.5") "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"});
    say(&k, (struct line){
                .start = "200 OK",
                .to_tag = "b",
                .src = "198.51.100.2",
                .dst = "203.0.113.1",
                .sdp = SDP(
                    "192.168.7.7") "m=audio 5000 RTP/AVP 0\r\nm=video 5002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"});
    assert_true(ask(&k, (struct wire){"203.0.113.1", 4002, "198.51.100.2", 5002, 97, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_VIDEO);
    assert_int_equal(a.judgement.confidence, CONFIDENCE_HIGH);
    assert_true(ask(&k, (struct wire){"198.51.100.2", 5000, "203.0.113.1", 4000, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    /* ports crosswise, or of another m-line, are another conversation */
    assert_false(ask(&k, (struct wire){"203.0.113.1", 5000, "198.51.100.2", 4000, 97, 1, 1, 60, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"203.0.113.1", 4000, "198.51.100.2", 5002, 97, 1, 1, 60, 0, 0}, &a));
    /* the same ports between hosts that no signalling came from are little to go by */
    if (ask(&k, (struct wire){"10.5.5.5", 4000, "10.6.6.6", 5000, 0, 1, 1, 60, 0, 0}, &a))
        assert_int_equal(a.judgement.confidence, CONFIDENCE_LOW);
    talk_end(&k);
}

#define WEB(address, port, ssrcs_a, ssrcs_v)                                                                           \
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"                                      \
    "m=audio " port " UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 " address                                                      \
    "\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n" ssrcs_a "m=video " port                               \
    " UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 " address                                                                    \
    "\r\na=mid:1\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" ssrcs_v      \
    "m=video " port " UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 " address                                                    \
    "\r\na=mid:2\r\na=rtcp-mux\r\na=content:slides\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 "    \
    "apt=96\r\n"

static void bundle_is_told_apart_by_payload_type_and_ssrc_or_not_at_all(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE",
                          .sdp = WEB("10.0.0.1", "50000", "a=ssrc:11 cname:x\r\n",
                                     "a=ssrc:22 cname:x\r\n") "a=ssrc:33 cname:x\r\n"});
    say(&k, (struct line){.start = "200 OK", .to_tag = "b", .sdp = WEB("10.0.0.2", "60000", "", "")});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 50000, "10.0.0.2", 60000, 111, 999, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 50000, "10.0.0.2", 60000, 96, 22, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_VIDEO);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 50000, "10.0.0.2", 60000, 97, 33, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_SLIDES);
    assert_string_equal(a.repairs, "rtx");
    /* camera or screen: the SDP does not say */
    assert_false(ask(&k, (struct wire){"10.0.0.1", 50000, "10.0.0.2", 60000, 96, 999, 1, 60, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.2", 60000, "10.0.0.1", 50000, 96, 5, 1, 60, 0, 0}, &a));
    /* behind a NAT the SSRC alone finds it */
    assert_true(ask(&k, (struct wire){"203.0.113.1", 1, "203.0.113.2", 2, 96, 22, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_HIGH);
    enum kind kind;
    struct endpoint src = host("10.7.7.7", 1), dst = host("10.0.0.2", 60000);
    assert_true(expect_table_announced(k.table, 17, &src, &dst, NS_PER_S, &kind));
    assert_int_equal(kind, KIND_RTP_UNKNOWN);
    talk_end(&k);
}

static void candidate_is_a_place_of_its_line(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){
                .start = "INVITE",
                .sdp = SDP("0.0.0.0") "m=audio 9 RTP/AVP 0\r\na=candidate:1 1 udp 1 10.0.0.1 4000 typ "
                                      "host\r\na=candidate:2 1 udp 1 198.51.100.1 40000 typ relay\r\na=rtcp-mux\r\n"});
    assert_true(ask(&k, (struct wire){"10.7.7.7", 1, "198.51.100.1", 40000, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    assert_false(ask(&k, (struct wire){"10.7.7.7", 1, "0.0.0.0", 9, 0, 1, 1, 60, 0, 0}, &a));
    talk_end(&k);
}

static void reused_port_means_what_was_announced_last(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    /* the first call's BYE was not captured */
    say(&k, (struct line){.start = "INVITE",
                          .call_id = "one",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/90000\r\n"});
    k.now = 1000;
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "c",
                          .call_id = "two",
                          .sdp = SDP("10.0.0.1") "m=video 4000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.7", 1, "10.0.0.1", 4000, 97, 1, 10, 900, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    assert_true(ask(&k, (struct wire){"10.0.0.7", 1, "10.0.0.1", 4000, 97, 2, 1001, 1900, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_VIDEO);
    assert_int_equal(a.judgement.confidence, CONFIDENCE_HIGH);
    assert_int_equal(a.call, 2);
    assert_false(ask(&k, (struct wire){"10.0.0.7", 1, "10.0.0.1", 4000, 97, 3, 600, 1500, 0, 0}, &a));
    talk_end(&k);
}

static void ends_that_contradict_each_other_follow_the_pair_or_nobody(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE",
                          .call_id = "one",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .to_tag = "b",
                          .call_id = "one",
                          .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"});
    /* a call that runs elsewhere, with Bob's port announced as video again */
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "c",
                          .call_id = "two",
                          .src = "10.0.0.2",
                          .dst = "10.0.0.3",
                          .sdp = SDP("10.0.0.2") "m=video 5000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 4000, "10.0.0.2", 5000, 97, 1, 10, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    talk_end(&k);
}

static void stream_that_began_long_before_the_sdp_is_high_at_best(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    k.now = 300;
    plain_call(&k); /* a session refresh in the middle of the capture */
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 0, 700, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_HIGH);
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 0, 310, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 0, 200, 0, 0}, &a));
    talk_end(&k);
}

static void transport_has_to_be_the_line_s(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE",
                          .sdp = SDP("10.0.0.1") "m=application 5070 TCP/BFCP *\r\nm=audio 4000 RTP/AVP 0\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 5070, -1, 0, 1, 60, false, true}, &a));
    assert_int_equal(a.judgement.kind, KIND_BFCP);
    assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 5070, -1, 0, 1, 60, false, false}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 4000, -1, 0, 1, 60, false, true}, &a));
    talk_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_both_ways_is_certain_and_says_why),
        cmocka_unit_test(one_exact_end_is_enough),
        cmocka_unit_test(payload_type_that_nobody_listed_has_no_answer),
        cmocka_unit_test(refused_line_is_expected_at_neither_end),
        cmocka_unit_test(another_host_with_the_same_ports_is_not_the_call),
        cmocka_unit_test(rtcp_is_found_one_port_up_and_belongs_to_its_media),
        cmocka_unit_test(odd_port_of_an_announced_line_is_not_rtcp),
        cmocka_unit_test(nat_on_both_sides_is_matched_by_the_port_pair),
        cmocka_unit_test(bundle_is_told_apart_by_payload_type_and_ssrc_or_not_at_all),
        cmocka_unit_test(candidate_is_a_place_of_its_line),
        cmocka_unit_test(reused_port_means_what_was_announced_last),
        cmocka_unit_test(ends_that_contradict_each_other_follow_the_pair_or_nobody),
        cmocka_unit_test(stream_that_began_long_before_the_sdp_is_high_at_best),
        cmocka_unit_test(transport_has_to_be_the_line_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

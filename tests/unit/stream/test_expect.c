#include "testing.h"

#include "stream/sip_talk.h"

#define SDP(address) "v=0\r\no=- 1 1 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n"

/* RFC 3264 §10.1, with ports of our own */
static const char alice[] = SDP("10.0.0.1") "m=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                                            "m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"
                                            "m=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n";
static const char bob[] = SDP("10.0.0.2") "m=audio 49920 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
                                          "m=video 0 RTP/AVP 31\r\n"
                                          "m=video 53002 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n";

static void plain_call(struct talk *k)
{
    say(k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE", .sdp = alice});
    say(k, (struct line){.start = "100 Trying", .from_tag = "a", .cseq = "1 INVITE"});
    say(k, (struct line){.start = "180 Ringing", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE"});
    say(k, (struct line){.start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE", .sdp = bob});
    say(k, (struct line){.start = "ACK", .from_tag = "a", .to_tag = "b", .cseq = "1 ACK", .branch = "ack"});
}

static void hang_up(struct talk *k)
{
    say(k, (struct line){.start = "BYE", .from_tag = "a", .to_tag = "b", .cseq = "99 BYE"});
    say(k, (struct line){.start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "99 BYE"});
}

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
            .from_tag = "a",
            .cseq = "1 INVITE",
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

static void late_offer_is_answered_by_the_ack(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE"});
    say(&k, (struct line){.start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE", .sdp = bob});
    say(&k, (struct line){
                .start = "ACK",
                .from_tag = "a",
                .to_tag = "b",
                .cseq = "1 ACK",
                .branch = "other",
                .sdp = SDP("10.0.0.1") "m=audio 49170 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    /* the ACK refused the video that the 200 offered */
    assert_false(ask(&k, (struct wire){"10.0.0.1", 4, "10.0.0.2", 53002, 32, 1, 10, 60, 0, 0}, &a));
    talk_end(&k);
}

static void prack_answers_an_offer_in_a_reliable_response(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE"});
    say(&k,
        (struct line){.start = "183 Session Progress", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE", .sdp = bob});
    say(&k, (struct line){
                .start = "PRACK",
                .from_tag = "a",
                .to_tag = "b",
                .cseq = "2 PRACK",
                .sdp = SDP("10.0.0.1") "m=audio 49170 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    say(&k, (struct line){.start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "2 PRACK"});
    say(&k, (struct line){.start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE"});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 1, 60, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.1", 4, "10.0.0.2", 53002, 32, 1, 10, 60, 0, 0}, &a));
    talk_end(&k);
}

static void early_stream_keeps_its_meaning_after_a_reinvite(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "1 INVITE",
                          .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"});
    k.now = 100;
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "2 INVITE",
                          .sdp = SDP("10.0.0.1") "m=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"});
    k.now = 100.2;
    say(&k, (struct line){.start = "200 OK",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "2 INVITE",
                          .sdp = SDP("10.0.0.2") "m=video 5000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 4000, "10.0.0.2", 5000, 96, 1, 1, 100.1, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_AUDIO);
    assert_string_equal(a.codec, "opus/48000");
    assert_true(ask(&k, (struct wire){"10.0.0.1", 4000, "10.0.0.2", 5000, 96, 2, 100.3, 200, 0, 0}, &a));
    assert_int_equal(a.judgement.kind, KIND_RTP_VIDEO);
    assert_string_equal(a.codec, "VP8/90000");
    /* one that ran through both is neither */
    assert_false(ask(&k, (struct wire){"10.0.0.1", 4000, "10.0.0.2", 5000, 96, 3, 50, 150, 0, 0}, &a));
    talk_end(&k);
}

static void update_moves_the_port_and_a_refused_reinvite_does_not(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    k.now = 50;
    say(&k,
        (struct line){
            .start = "UPDATE",
            .from_tag = "b",
            .to_tag = "a",
            .cseq = "7 UPDATE",
            .src = "10.0.0.2",
            .dst = "10.0.0.1",
            .sdp = SDP("10.0.0.2") "m=audio 60000 RTP/AVP 8\r\nm=video 0 RTP/AVP 31\r\nm=video 53002 RTP/AVP 32\r\n"});
    say(&k,
        (struct line){
            .start = "200 OK",
            .from_tag = "b",
            .to_tag = "a",
            .cseq = "7 UPDATE",
            .src = "10.0.0.1",
            .dst = "10.0.0.2",
            .sdp = SDP("10.0.0.1") "m=audio 49170 RTP/AVP 8\r\nm=video 0 RTP/AVP 31\r\nm=video 53000 RTP/AVP 32\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 60000, 8, 1, 51, 80, 0, 0}, &a));
    assert_string_equal(a.codec, "PCMA/8000");
    assert_false(ask(&k, (struct wire){"10.0.0.1", 1, "10.0.0.2", 49920, 0, 1, 60, 80, 0, 0}, &a));
    k.now = 100;
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "2 INVITE",
                          .sdp = SDP("10.0.0.1") "m=audio 12000 RTP/AVP 8\r\n"});
    say(&k, (struct line){.start = "488 Not Acceptable Here", .from_tag = "a", .to_tag = "b", .cseq = "2 INVITE"});
    assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 12000, 8, 1, 120, 180, 0, 0}, &a));
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 60000, 8, 1, 120, 180, 0, 0}, &a));
    talk_end(&k);
}

static void answers_of_a_fork_each_have_their_meaning(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE", .sdp = alice});
    say(&k, (struct line){
                .start = "183 Session Progress",
                .from_tag = "a",
                .to_tag = "b1",
                .cseq = "1 INVITE",
                .sdp = SDP("10.0.0.3") "m=audio 6000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    say(&k,
        (struct line){
            .start = "200 OK",
            .from_tag = "a",
            .to_tag = "b2",
            .cseq = "1 INVITE",
            .sdp = SDP("10.0.0.4") "m=audio 7000 RTP/AVP 0\r\nm=video 7002 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.3", 6000, 0, 1, 1, 2, 0, 0}, &a));
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.4", 7000, 0, 1, 1, 60, 0, 0}, &a));
    /* what one branch refused the other took: it is expected */
    assert_true(ask(&k, (struct wire){"10.0.0.4", 7002, "10.0.0.1", 51372, 31, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    /* what both refused is not */
    assert_false(ask(&k, (struct wire){"10.0.0.4", 7004, "10.0.0.1", 53000, 32, 1, 10, 60, 0, 0}, &a));
    /* the end of one branch leaves the other */
    say(&k, (struct line){
                .start = "200 OK",
                .from_tag = "a",
                .to_tag = "b1",
                .cseq = "1 INVITE",
                .sdp = SDP("10.0.0.3") "m=audio 6000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    k.now = 20;
    say(&k, (struct line){.start = "BYE", .from_tag = "a", .to_tag = "b1", .cseq = "2 BYE"});
    assert_false(ask(&k, (struct wire){"10.7.7.7", 1, "10.0.0.3", 6000, 0, 1, 40, 60, 0, 0}, &a));
    assert_true(ask(&k, (struct wire){"10.0.0.4", 7000, "10.0.0.1", 49170, 0, 1, 40, 60, 0, 0}, &a));
    talk_end(&k);
}

static void bye_ends_it_for_streams_that_begin_later(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    plain_call(&k);
    k.now = 30;
    hang_up(&k);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 1, 1, 31, 0, 0}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 49920, 0, 2, 40, 60, 0, 0}, &a));
    enum kind kind;
    struct endpoint src = host("10.0.0.1", 49170), dst = host("10.0.0.2", 49920);
    assert_true(expect_table_announced(k.table, 17, &src, &dst, 20 * NS_PER_S, &kind));
    assert_false(expect_table_announced(k.table, 17, &src, &dst, 40 * NS_PER_S, &kind));
    talk_end(&k);
}

static void cancel_ends_an_offer_and_a_crossing_200_revives_it(void **state)
{
    (void)state;
    for (int crossing = 0; crossing < 2; crossing++) {
        struct talk k = talk_begin();
        struct expect_answer a;
        say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE", .sdp = alice});
        say(&k, (struct line){.start = "CANCEL", .from_tag = "a", .cseq = "1 CANCEL", .branch = "1 INVITE"});
        if (crossing)
            say(&k, (struct line){.start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE", .sdp = bob});
        else
            say(&k,
                (struct line){.start = "487 Request Terminated", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE"});
        bool found = ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 49170, 0, 1, 20, 40, 0, 0}, &a);
        assert_int_equal(found, crossing);
        talk_end(&k);
    }
}

static void retransmissions_are_taken_once(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    plain_call(&k);
    uint64_t generation = expect_table_generation(k.table);
    plain_call(&k);
    assert_int_equal(expect_table_generation(k.table), generation);
    assert_int_equal(expect_table_call_count(k.table), 1);
    talk_end(&k);
}

static void proxy_that_rewrites_addresses_has_two_legs_in_one_call(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    /* both hops on one host, as when the proxy is a container beside the phones */
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .src = "10.0.0.1",
                          .dst = "10.0.0.9",
                          .branch = "hop1",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .src = "10.0.0.9",
                          .dst = "10.0.0.1",
                          .branch = "hop2",
                          .sdp = SDP("10.0.0.9") "m=audio 30000 RTP/AVP 0\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "1 INVITE",
                          .src = "10.0.0.1",
                          .dst = "10.0.0.9",
                          .branch = "hop2",
                          .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 0\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "1 INVITE",
                          .src = "10.0.0.9",
                          .dst = "10.0.0.1",
                          .branch = "hop1",
                          .sdp = SDP("10.0.0.9") "m=audio 30002 RTP/AVP 0\r\n"});
    assert_int_equal(expect_table_call_count(k.table), 1);
    assert_true(ask(&k, (struct wire){"10.0.0.1", 4000, "10.0.0.9", 30002, 0, 1, 10, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    assert_true(ask(&k, (struct wire){"10.0.0.9", 30000, "10.0.0.2", 5000, 0, 1, 10, 60, 0, 0}, &a));
    assert_int_equal(a.judgement.confidence, CONFIDENCE_CERTAIN);
    talk_end(&k);
}

static void back_to_back_agent_makes_two_calls_and_each_stream_has_its_own(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    static const struct {
        const char *call_id, *a, *b, *from_tag, *to_tag, *offer, *answer;
    } legs[] = {{"one", "10.0.0.1", "10.0.0.9", "a", "m1", SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n",
                 SDP("10.0.0.9") "m=audio 30000 RTP/AVP 0\r\n"},
                {"two", "10.0.0.9", "10.0.0.2", "m2", "b", SDP("10.0.0.9") "m=audio 30002 RTP/AVP 0\r\n",
                 SDP("10.0.0.2") "m=audio 5000 RTP/AVP 0\r\n"}};
    for (size_t i = 0; i < 2; i++)
        say(&k, (struct line){.start = "INVITE",
                              .from_tag = legs[i].from_tag,
                              .cseq = "1 INVITE",
                              .call_id = legs[i].call_id,
                              .src = legs[i].a,
                              .dst = legs[i].b,
                              .sdp = legs[i].offer});
    for (size_t i = 2; i-- > 0;)
        say(&k, (struct line){.start = "200 OK",
                              .from_tag = legs[i].from_tag,
                              .to_tag = legs[i].to_tag,
                              .cseq = "1 INVITE",
                              .call_id = legs[i].call_id,
                              .src = legs[i].b,
                              .dst = legs[i].a,
                              .sdp = legs[i].answer});
    assert_int_equal(expect_table_call_count(k.table), 2);
    assert_true(ask(&k, (struct wire){"10.0.0.9", 30000, "10.0.0.1", 4000, 0, 1, 10, 60, 0, 0}, &a));
    assert_int_equal(a.call, 1);
    assert_true(ask(&k, (struct wire){"10.0.0.9", 30002, "10.0.0.2", 5000, 0, 1, 10, 60, 0, 0}, &a));
    assert_int_equal(a.call, 2);
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
                .from_tag = "a",
                .cseq = "1 INVITE",
                .src = "203.0.113.1",
                .dst = "198.51.100.2",
                .sdp = SDP(
                    "192.168.1.5") "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\n"});
    say(&k, (struct line){
                .start = "200 OK",
                .from_tag = "a",
                .to_tag = "b",
                .cseq = "1 INVITE",
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
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .sdp = WEB("10.0.0.1", "50000", "a=ssrc:11 cname:x\r\n",
                                     "a=ssrc:22 cname:x\r\n") "a=ssrc:33 cname:x\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "1 INVITE",
                          .sdp = WEB("10.0.0.2", "60000", "", "")});
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
                .from_tag = "a",
                .cseq = "1 INVITE",
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
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .call_id = "one",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 MP4A-LATM/90000\r\n"});
    k.now = 1000;
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "c",
                          .cseq = "1 INVITE",
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
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .call_id = "one",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .from_tag = "a",
                          .to_tag = "b",
                          .cseq = "1 INVITE",
                          .call_id = "one",
                          .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 97\r\na=rtpmap:97 opus/48000/2\r\n"});
    /* a call that runs elsewhere, with Bob's port announced as video again */
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "c",
                          .cseq = "1 INVITE",
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
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .sdp = SDP("10.0.0.1") "m=application 5070 TCP/BFCP *\r\nm=audio 4000 RTP/AVP 0\r\n"});
    assert_true(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 5070, -1, 0, 1, 60, false, true}, &a));
    assert_int_equal(a.judgement.kind, KIND_BFCP);
    assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 5070, -1, 0, 1, 60, false, false}, &a));
    assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 4000, -1, 0, 1, 60, false, true}, &a));
    talk_end(&k);
}

static void capabilities_and_rejections_announce_nothing(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "OPTIONS", .from_tag = "a", .cseq = "1 OPTIONS", .call_id = "o"});
    say(&k, (struct line){
                .start = "200 OK", .from_tag = "a", .to_tag = "b", .cseq = "1 OPTIONS", .call_id = "o", .sdp = bob});
    say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE"});
    say(&k, (struct line){
                .start = "488 Not Acceptable Here", .from_tag = "a", .to_tag = "b", .cseq = "1 INVITE", .sdp = bob});
    assert_false(ask(&k, (struct wire){"10.0.0.1", 1, "10.0.0.2", 49920, 0, 1, 1, 60, 0, 0}, &a));
    assert_int_equal(expect_table_call_count(k.table), 1);
    talk_end(&k);
}

static void call_says_who_and_when(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct arena arena = {0};
    struct call call;
    plain_call(&k);
    k.now = 30;
    hang_up(&k);
    assert_true(expect_table_call(k.table, 0, &arena, &call));
    assert_string_equal(call.id, "call-1");
    assert_string_equal(call.call_id, "call");
    assert_string_equal(call.from, "sip:a@example.com");
    assert_string_equal(call.to, "sip:b@example.com");
    assert_string_equal(call.user_agent, "test");
    assert_int_equal(call.first_ns, 1000000);
    assert_true(call.last_ns > 30 * NS_PER_S);
    assert_false(expect_table_call(k.table, 1, &arena, &call));
    arena_done(&arena);
    talk_end(&k);
}

static void one_hostile_call_stays_within_its_caps(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    char sdp[256], cseq[32];
    for (int i = 1; i <= 3000; i++) {
        (void)snprintf(sdp, sizeof sdp, SDP("10.0.0.1") "m=audio %d RTP/AVP 0\r\n", 1000 + i * 2);
        (void)snprintf(cseq, sizeof cseq, "%d INVITE", i);
        say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = cseq, .sdp = sdp});
    }
    struct expect_stats stats = expect_table_stats(k.table);
    assert_int_equal(stats.calls, 1);
    assert_true(stats.dropped_media >= 3000 - 512);
    assert_true(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 1002, 0, 1, 1, 60, 0, 0}, &a));
    talk_end(&k);
}

static void calls_beyond_the_cap_are_counted(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct sip_message m = {.request = true,
                            .method = SLICE("INVITE"),
                            .from = SLICE("sip:a@example.com"),
                            .to = SLICE("sip:b@example.com"),
                            .from_tag = SLICE("a"),
                            .cseq = 1};
    struct endpoint src = host("10.0.0.1", 5060), dst = host("10.0.0.2", 5060);
    m.to_tag = m.contact = m.branch = m.user_agent = m.content_type = m.body = (struct slice){"", 0};
    for (int i = 0; i < 66000; i++) {
        char id[16];
        m.call_id = (struct slice){id, (size_t)snprintf(id, sizeof id, "%d", i)};
        expect_table_message(k.table, &m, &src, &dst, 1, 0, i);
    }
    struct expect_stats stats = expect_table_stats(k.table);
    assert_int_equal(stats.calls, 65536);
    assert_int_equal(stats.dropped_calls, 66000 - 65536);
    talk_end(&k);
}

static void endpoint_that_everybody_announces_is_answered_in_bounded_time(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    char id[32];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(id, sizeof id, "c%d", i);
        say(&k, (struct line){.start = "INVITE",
                              .from_tag = "a",
                              .cseq = "1 INVITE",
                              .call_id = id,
                              .sdp = i % 2 ? SDP("10.0.0.1") "m=audio 4000 RTP/AVP 97\r\n"
                                           : SDP("10.0.0.1") "m=video 4000 RTP/AVP 97\r\n"});
    }
    for (int i = 0; i < 200; i++)
        assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 4000, 97, 1, 1, 60, 0, 0}, &a) &&
                     a.judgement.confidence == CONFIDENCE_CERTAIN);
    talk_end(&k);
}

static void more_lines_at_an_end_than_are_looked_at_are_no_answer_and_it_says_so(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    char id[32];
    const struct wire voice = {"10.0.0.2", 1, "10.0.0.1", 4000, 0, 1, 1, 60, 0, 0};
    const struct wire elsewhere = {"10.0.0.2", 1, "10.0.0.1", 4002, 0, 1, 1, 60, 0, 0};
    for (int i = 0; i < 64; i++) {
        (void)snprintf(id, sizeof id, "c%d", i);
        say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE", .call_id = id,
                              .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    }
    assert_true(ask(&k, voice, &a));
    assert_false(a.too_many);
    say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE", .call_id = "one more",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    assert_false(ask(&k, voice, &a));
    assert_true(a.too_many);
    assert_false(ask(&k, elsewhere, &a));
    assert_false(a.too_many);
    talk_end(&k);
}

static void answers_of_a_fork_beyond_the_cap_are_counted(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    char tag[32];
    say(&k, (struct line){.start = "INVITE",
                          .from_tag = "a",
                          .cseq = "1 INVITE",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    for (int i = 0; i < 20; i++) {
        assert_int_equal(expect_table_stats(k.table).dropped_media, i > 16 ? i - 16 : 0);
        (void)snprintf(tag, sizeof tag, "b%d", i);
        say(&k, (struct line){.start = "183 Progress", .from_tag = "a", .to_tag = tag, .cseq = "1 INVITE",
                              .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 0\r\n"});
    }
    talk_end(&k);
}

static void ssrcs_beyond_the_cap_are_counted(void **state)
{
    (void)state;
    enum { LINES = 24, SSRCS = 32, CAP = 262144 };
    struct talk k = talk_begin();
    char sdp[32768] = SDP("10.0.0.1"), id[32];
    size_t len = strlen(sdp), calls = CAP / (LINES * SSRCS);
    for (unsigned i = 0; i < LINES; i++) {
        len += (size_t)snprintf(sdp + len, sizeof sdp - len, "m=audio %u RTP/AVP 0\r\n", 4000 + 2 * i);
        for (unsigned j = 0; j < SSRCS; j++)
            len += (size_t)snprintf(sdp + len, sizeof sdp - len, "a=ssrc:%u cname:x\r\n", 1000 * i + j);
    }
    assert_true(len < sizeof sdp - 1);
    for (size_t i = 0; i <= calls; i++) {
        assert_int_equal(expect_table_stats(k.table).dropped_media, 0);
        (void)snprintf(id, sizeof id, "s%zu", i);
        say(&k, (struct line){.start = "INVITE", .from_tag = "a", .cseq = "1 INVITE", .call_id = id, .sdp = sdp});
    }
    assert_int_equal(expect_table_stats(k.table).dropped_media, LINES - CAP % (LINES * SSRCS) / SSRCS);
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
        cmocka_unit_test(late_offer_is_answered_by_the_ack),
        cmocka_unit_test(prack_answers_an_offer_in_a_reliable_response),
        cmocka_unit_test(early_stream_keeps_its_meaning_after_a_reinvite),
        cmocka_unit_test(update_moves_the_port_and_a_refused_reinvite_does_not),
        cmocka_unit_test(answers_of_a_fork_each_have_their_meaning),
        cmocka_unit_test(bye_ends_it_for_streams_that_begin_later),
        cmocka_unit_test(cancel_ends_an_offer_and_a_crossing_200_revives_it),
        cmocka_unit_test(retransmissions_are_taken_once),
        cmocka_unit_test(proxy_that_rewrites_addresses_has_two_legs_in_one_call),
        cmocka_unit_test(back_to_back_agent_makes_two_calls_and_each_stream_has_its_own),
        cmocka_unit_test(nat_on_both_sides_is_matched_by_the_port_pair),
        cmocka_unit_test(bundle_is_told_apart_by_payload_type_and_ssrc_or_not_at_all),
        cmocka_unit_test(candidate_is_a_place_of_its_line),
        cmocka_unit_test(reused_port_means_what_was_announced_last),
        cmocka_unit_test(ends_that_contradict_each_other_follow_the_pair_or_nobody),
        cmocka_unit_test(stream_that_began_long_before_the_sdp_is_high_at_best),
        cmocka_unit_test(transport_has_to_be_the_line_s),
        cmocka_unit_test(capabilities_and_rejections_announce_nothing),
        cmocka_unit_test(call_says_who_and_when),
        cmocka_unit_test(one_hostile_call_stays_within_its_caps),
        cmocka_unit_test(calls_beyond_the_cap_are_counted),
        cmocka_unit_test(endpoint_that_everybody_announces_is_answered_in_bounded_time),
        cmocka_unit_test(more_lines_at_an_end_than_are_looked_at_are_no_answer_and_it_says_so),
        cmocka_unit_test(answers_of_a_fork_beyond_the_cap_are_counted),
        cmocka_unit_test(ssrcs_beyond_the_cap_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "stream/plain_call.h"

/* Which of its offers and answers a dialog means, and when. */

static void late_offer_is_answered_by_the_ack(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE"});
    say(&k, (struct line){.start = "200 OK", .to_tag = "b", .sdp = bob});
    say(&k, (struct line){
                .start = "ACK",
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
    say(&k, (struct line){.start = "INVITE"});
    say(&k, (struct line){.start = "183 Session Progress", .to_tag = "b", .sdp = bob});
    say(&k, (struct line){
                .start = "PRACK",
                .to_tag = "b",
                .cseq = "2 PRACK",
                .sdp = SDP("10.0.0.1") "m=audio 49170 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    say(&k, (struct line){.start = "200 OK", .to_tag = "b", .cseq = "2 PRACK"});
    say(&k, (struct line){.start = "200 OK", .to_tag = "b"});
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
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .to_tag = "b",
                          .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n"});
    k.now = 100;
    say(&k, (struct line){.start = "INVITE",
                          .to_tag = "b",
                          .cseq = "2 INVITE",
                          .sdp = SDP("10.0.0.1") "m=video 4000 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"});
    k.now = 100.2;
    say(&k, (struct line){.start = "200 OK",
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
                          .to_tag = "b",
                          .cseq = "2 INVITE",
                          .sdp = SDP("10.0.0.1") "m=audio 12000 RTP/AVP 8\r\n"});
    say(&k, (struct line){.start = "488 Not Acceptable Here", .to_tag = "b", .cseq = "2 INVITE"});
    assert_false(ask(&k, (struct wire){"10.0.0.2", 1, "10.0.0.1", 12000, 8, 1, 120, 180, 0, 0}, &a));
    assert_true(ask(&k, (struct wire){"10.0.0.1", 49170, "10.0.0.2", 60000, 8, 1, 120, 180, 0, 0}, &a));
    talk_end(&k);
}

static void answers_of_a_fork_each_have_their_meaning(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "INVITE", .sdp = alice});
    say(&k, (struct line){
                .start = "183 Session Progress",
                .to_tag = "b1",
                .sdp = SDP("10.0.0.3") "m=audio 6000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    say(&k,
        (struct line){
            .start = "200 OK",
            .to_tag = "b2",
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
                .to_tag = "b1",
                .sdp = SDP("10.0.0.3") "m=audio 6000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"});
    k.now = 20;
    say(&k, (struct line){.start = "BYE", .to_tag = "b1", .cseq = "2 BYE"});
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
        say(&k, (struct line){.start = "INVITE", .sdp = alice});
        say(&k, (struct line){.start = "CANCEL", .cseq = "1 CANCEL", .branch = "1 INVITE"});
        if (crossing)
            say(&k, (struct line){.start = "200 OK", .to_tag = "b", .sdp = bob});
        else
            say(&k, (struct line){.start = "487 Request Terminated", .to_tag = "b"});
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
                          .src = "10.0.0.1",
                          .dst = "10.0.0.9",
                          .branch = "hop1",
                          .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    say(&k, (struct line){.start = "INVITE",
                          .src = "10.0.0.9",
                          .dst = "10.0.0.1",
                          .branch = "hop2",
                          .sdp = SDP("10.0.0.9") "m=audio 30000 RTP/AVP 0\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .to_tag = "b",
                          .src = "10.0.0.1",
                          .dst = "10.0.0.9",
                          .branch = "hop2",
                          .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 0\r\n"});
    say(&k, (struct line){.start = "200 OK",
                          .to_tag = "b",
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
                              .call_id = legs[i].call_id,
                              .src = legs[i].a,
                              .dst = legs[i].b,
                              .sdp = legs[i].offer});
    for (size_t i = 2; i-- > 0;)
        say(&k, (struct line){.start = "200 OK",
                              .from_tag = legs[i].from_tag,
                              .to_tag = legs[i].to_tag,
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

static void capabilities_and_rejections_announce_nothing(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    say(&k, (struct line){.start = "OPTIONS", .cseq = "1 OPTIONS", .call_id = "o"});
    say(&k, (struct line){.start = "200 OK", .to_tag = "b", .cseq = "1 OPTIONS", .call_id = "o", .sdp = bob});
    say(&k, (struct line){.start = "INVITE"});
    say(&k, (struct line){.start = "488 Not Acceptable Here", .to_tag = "b", .sdp = bob});
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(capabilities_and_rejections_announce_nothing),
        cmocka_unit_test(call_says_who_and_when),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "stream/plain_call.h"

/* What one sender of SIP messages can make it hold, or look at, at most. */

static void one_hostile_call_stays_within_its_caps(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer a;
    char sdp[256], cseq[32];
    for (int i = 1; i <= 3000; i++) {
        (void)snprintf(sdp, sizeof sdp, SDP("10.0.0.1") "m=audio %d RTP/AVP 0\r\n", 1000 + i * 2);
        (void)snprintf(cseq, sizeof cseq, "%d INVITE", i);
        say(&k, (struct line){.start = "INVITE", .cseq = cseq, .sdp = sdp});
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
        say(&k, (struct line){.start = "INVITE", .call_id = id, .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    }
    assert_true(ask(&k, voice, &a));
    assert_false(a.too_many);
    say(&k,
        (struct line){.start = "INVITE", .call_id = "one more", .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
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
    say(&k, (struct line){.start = "INVITE", .sdp = SDP("10.0.0.1") "m=audio 4000 RTP/AVP 0\r\n"});
    for (int i = 0; i < 20; i++) {
        assert_int_equal(expect_table_stats(k.table).dropped_media, i > 16 ? i - 16 : 0);
        (void)snprintf(tag, sizeof tag, "b%d", i);
        say(&k,
            (struct line){.start = "183 Progress", .to_tag = tag, .sdp = SDP("10.0.0.2") "m=audio 5000 RTP/AVP 0\r\n"});
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
        say(&k, (struct line){.start = "INVITE", .call_id = id, .sdp = sdp});
    }
    assert_int_equal(expect_table_stats(k.table).dropped_media, LINES - CAP % (LINES * SSRCS) / SSRCS);
    talk_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hostile_call_stays_within_its_caps),
        cmocka_unit_test(calls_beyond_the_cap_are_counted),
        cmocka_unit_test(endpoint_that_everybody_announces_is_answered_in_bounded_time),
        cmocka_unit_test(more_lines_at_an_end_than_are_looked_at_are_no_answer_and_it_says_so),
        cmocka_unit_test(answers_of_a_fork_beyond_the_cap_are_counted),
        cmocka_unit_test(ssrcs_beyond_the_cap_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <stdlib.h>

#include "stream/dialog.h"
#include "stream/sip_talk.h"

/* Calls that are over make room for others; those that go on are answered for as before. */

static const char *sdp_at(char to[static 200], uint16_t port)
{
    (void)snprintf(to, 200,
                   "v=0\r\no=- 1 1 IN IP4 10.1.0.1\r\ns=-\r\nc=IN IP4 10.1.0.1\r\nt=0 0\r\nm=audio %u RTP/AVP "
                   "108\r\na=rtpmap:108 opus/48000/2\r\na=ssrc:%u cname:x\r\n",
                   port, port);
    return to;
}

static void set_up(struct talk *k, const char *id, uint16_t port)
{
    char offer[200], answer[200];
    say(k, (struct line){.start = "INVITE", .call_id = id, .sdp = sdp_at(offer, port)});
    say(k, (struct line){.start = "200 OK", .to_tag = "b", .call_id = id, .sdp = sdp_at(answer, (uint16_t)(port + 2))});
}

static void bye(struct talk *k, const char *id)
{
    say(k, (struct line){.start = "BYE", .to_tag = "b", .cseq = "2 BYE", .call_id = id});
}

static struct wire media_to(const struct talk *k, uint16_t port)
{
    return (struct wire){"10.1.0.1", (uint16_t)(port + 2), "10.1.0.1", port, 108, 7, k->now, k->now + 1, false, false};
}

static bool forget(struct talk *k, const uint8_t *used)
{
    uint8_t *none = calloc(expect_table_call_count(k->table) / 8 + 1, 1);
    assert_non_null(none);
    bool ok = expect_table_forget(k->table, (int64_t)(k->now * 1e9), used ? used : none);
    free(none);
    return ok;
}

static void the_table_goes_on_learning_after_any_number_of_calls(void **state)
{
    (void)state;
    enum { ALL = 100000 };
    struct talk k = talk_begin();
    struct expect_answer answer;
    size_t most = 0;
    set_up(&k, "that-goes-on", 10000);
    for (unsigned i = 0; i < ALL; i++) {
        char id[32];
        uint16_t port = (uint16_t)(20000 + 4 * (i % 10000));
        (void)snprintf(id, sizeof id, "call-%u", i);
        k.now += 0.1;
        set_up(&k, id, port);
        if (i % 997 == 0) {
            struct wire w = media_to(&k, port);
            assert_true(ask(&k, w, &answer));
            assert_string_equal(answer.codec, "opus/48000");
            assert_int_equal(answer.call, expect_table_call_count(k.table));
            w = media_to(&k, 10000);
            assert_true(ask(&k, w, &answer));
            assert_int_equal(answer.call, 1);
        }
        bye(&k, id);
        if (expect_table_is_due(k.table, (int64_t)(k.now * 1e9), true))
            assert_true(forget(&k, NULL));
        size_t calls = expect_table_call_count(k.table);
        most = calls > most ? calls : most;
    }
    assert_int_equal(expect_table_stats(k.table).calls, ALL + 1);
    assert_int_equal(expect_table_stats(k.table).dropped_calls, 0);
    assert_int_equal(expect_table_stats(k.table).dropped_media, 0);
    assert_in_range(most, 1000, 6000); /* ten a second, for two minutes and until it is worth the while */
    assert_in_range(k.table->transaction_count, 1, 4 * most);
    talk_end(&k);
}

static void a_call_that_is_used_stays_and_the_last_to_be_heard_of_go_last(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer answer;
    uint8_t used = 0;
    set_up(&k, "used", 10000);
    set_up(&k, "over", 11000);
    set_up(&k, "open", 12000);
    bye(&k, "used");
    bye(&k, "over");
    struct wire w = media_to(&k, 10000);
    uint8_t type = 108;
    struct expect_query q = {.proto = 17,
                             .src = host(w.src, w.sport),
                             .dst = host(w.dst, w.dport),
                             .payload_types = &type,
                             .payload_type_count = 1,
                             .first_ns = 0,
                             .last_ns = (int64_t)(k.now * 1e9)};
    expect_table_use(k.table, &q, &used);
    assert_int_equal(used, 1);
    assert_true(forget(&k, &used));
    assert_int_equal(expect_table_call_count(k.table), 3); /* a moment after the BYE */
    k.now += 1000;
    assert_true(forget(&k, &used));
    assert_int_equal(expect_table_call_count(k.table), 2);
    assert_true(ask(&k, media_to(&k, 12000), &answer));
    assert_int_equal(answer.call, 2);
    w.from = w.until = 0.01;
    assert_true(ask(&k, w, &answer));
    assert_int_equal(answer.call, 1);
    assert_true(forget(&k, NULL));
    assert_int_equal(expect_table_call_count(k.table), 1);
    /* its answers, BYE included, find it under its new number */
    bye(&k, "open");
    k.now += 1000;
    assert_true(forget(&k, NULL));
    assert_int_equal(expect_table_call_count(k.table), 0);
    assert_int_equal(k.table->line_count + k.table->format_count + k.table->ssrc_count + k.table->description_count, 0);
    assert_int_equal(pool_used(&k.table->cards.pool), 0);
    talk_end(&k);
}

static void a_flood_of_invites_leaves_room_for_calls(void **state)
{
    (void)state;
    struct talk k = talk_begin();
    struct expect_answer answer;
    for (unsigned i = 0; i < CALLS_MAX + 20000; i++) {
        char id[32], offer[200];
        (void)snprintf(id, sizeof id, "flood-%u", i);
        say(&k, (struct line){.start = "INVITE", .call_id = id, .sdp = sdp_at(offer, (uint16_t)(20000 + i % 20000))});
        if (expect_table_is_due(k.table, (int64_t)(k.now * 1e9), true))
            assert_true(forget(&k, NULL));
    }
    set_up(&k, "a call", 10000);
    assert_true(ask(&k, media_to(&k, 10000), &answer));
    assert_int_equal(expect_table_stats(k.table).dropped_calls, 0);
    /* whose place that was is counted: every call but those still there, none of which was over */
    assert_int_equal(expect_table_stats(k.table).forgotten_calls,
                     CALLS_MAX + 20000 + 1 - expect_table_call_count(k.table));
    talk_end(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_goes_on_learning_after_any_number_of_calls),
        cmocka_unit_test(a_call_that_is_used_stays_and_the_last_to_be_heard_of_go_last),
        cmocka_unit_test(a_flood_of_invites_leaves_room_for_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

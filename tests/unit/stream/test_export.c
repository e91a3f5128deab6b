#include "testing.h"

#include <stdio.h>

#include "stream/traffic.h"

/* The table as a document whose records are made when they are looked at. */

static void freed(void *what)
{
    stream_table_free(what);
}

/* Two voice calls and a stray packet, in a table that is the document's. */
static struct document *two_calls(bool explain)
{
    struct sender s = sender_new(NULL);
    struct document *d = document_new();
    assert_non_null(d);
    send_voice(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, 9, 50);
    send_voice(&s, at("10.0.0.2", 5000), at("10.0.0.1", 4000), 0, 10, 40);
    send_voice(&s, at("10.0.0.3", 4000), at("10.0.0.2", 6000), 46, 11, 5);
    send_udp(&s, at("10.0.0.4", 4000), at("10.0.0.5", 6000), 8, "hello", 5, 7 * MS);
    stream_table_finish(s.t);
    assert_int_equal(stream_table_export(s.t, d), 0);
    d->explain = explain;
    document_own(d, s.t, freed);
    assert_true(document_link_calls(d));
    assert_int_equal(d->record_count, 4);
    return d;
}

static void a_record_says_the_same_however_often_and_in_whatever_order_it_is_made(void **state)
{
    (void)state;
    struct document *d = two_calls(false);
    struct record_scratch a = {.failed = false}, b = {.failed = false};
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_ALL, &a);
        (void)document_record(d, d->record_count - 1 - i, RECORD_ALL, &b);
        const struct record *again = document_record(d, i, RECORD_ALL, &b);
        assert_string_equal(r->evidence, again->evidence);
        assert_string_equal(r->codec, again->codec);
        assert_int_equal(r->packets, again->packets);
        assert_int_equal(r->marks[0].packets, again->marks[0].packets);
        assert_int_equal(r->kind, document_kind(d, i));
        assert_int_equal(r->call, d->call_of[i]);
    }
    record_scratch_done(&a);
    record_scratch_done(&b);
    document_free(d);
}

static void without_words_a_record_lacks_nothing_else(void **state)
{
    (void)state;
    struct document *d = two_calls(true);
    struct record_scratch a = {.failed = false}, b = {.failed = false};
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *plain = document_record(d, i, RECORD_PLAIN, &a), *all = document_record(d, i, RECORD_ALL, &b);
        assert_string_equal(plain->evidence, "");
        assert_string_equal(plain->codec, "");
        assert_null(plain->explanation);
        assert_int_equal(plain->kind, all->kind);
        assert_int_equal(plain->confidence, all->confidence);
        assert_int_equal(plain->packets, all->packets);
        assert_int_equal(plain->ssrc, all->ssrc);
        assert_int_equal(plain->rtp != NULL, all->rtp != NULL);
        if (plain->rtp) {
            assert_int_equal(plain->rtp->clock_rate, all->rtp->clock_rate);
            assert_true(plain->rtp->jitter_ms <= all->rtp->jitter_ms && plain->rtp->jitter_ms >= all->rtp->jitter_ms);
            assert_string_equal(all->codec, "PCMU/8000");
            assert_non_null(all->explanation);
        } else {
            assert_null(all->explanation);
        }
        assert_string_equal(document_record(d, i, RECORD_REASON, &a)->unknown_reason, all->unknown_reason);
    }
    record_scratch_done(&a);
    record_scratch_done(&b);
    document_free(d);
}

static void a_session_without_signalling_is_a_call_of_its_streams(void **state)
{
    (void)state;
    struct document *d = two_calls(false);
    struct call_scratch s;
    memset(&s, 0, sizeof s);
    assert_int_equal(d->call_count, 2);
    assert_int_equal(d->calls_given, 0);
    const struct call *c = document_call(d, 0, &s);
    assert_string_equal(c->id, "call-1");
    assert_string_equal(c->from, "10.0.0.1:4000");
    assert_string_equal(c->to, "10.0.0.2:5000");
    assert_int_equal(c->stream_count, 2);
    assert_int_equal(c->first_ns, 0);
    assert_int_equal(c->last_ns, 49 * 20 * MS);
    c = document_call(d, 1, &s);
    assert_string_equal(c->from, "10.0.0.3:4000");
    assert_int_equal(c->stream_count, 1);
    call_scratch_done(&s);
    document_free(d);
}

static void streams_that_are_not_known_for_one_reason_have_one_number(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct document *d = document_new();
    struct record_scratch scratch = {.failed = false};
    assert_non_null(d);
    for (uint16_t i = 0; i < 20; i++) { /* a dynamic payload type and too little to tell */
        for (uint16_t k = 0; k < 6; k++)
            send_rtp(&s, at("10.0.0.1", (uint16_t)(4000 + i)), at("10.0.0.2", 5000), 46, 7u + i, 100, k, 500u * k, 100, 20 * MS * k);
        send_udp(&s, at("10.0.0.4", (uint16_t)(4000 + i)), at("10.0.0.5", 6000), 8, "hello", 5, 7 * MS);
    }
    stream_table_finish(s.t);
    assert_int_equal(stream_table_export(s.t, d), 0);
    document_own(d, s.t, freed);
    assert_int_equal(d->record_count, 40);
    size_t unknown = 0;
    for (size_t i = 0; i < d->record_count; i++) {
        char own[EVIDENCE_MAX];
        const char *first = NULL;
        assert_int_not_equal(d->unknown[i], UNKNOWN_OTHER);
        (void)snprintf(own, sizeof own, "%s", document_record(d, i, RECORD_REASON, &scratch)->unknown_reason);
        for (size_t k = 0; k < i && !first; k++)
            if (d->unknown[k] == d->unknown[i])
                first = document_record(d, k, RECORD_REASON, &scratch)->unknown_reason;
        assert_true(!first || strcmp(first, own) == 0);
        unknown += own[0] != '\0';
    }
    assert_true(unknown >= 20);
    record_scratch_done(&scratch);
    document_free(d);
}

static void a_snapshot_of_a_table_that_goes_on_is_one_of_that_moment(void **state)
{
    (void)state;
    struct sender s = sender_new(NULL);
    struct record_scratch scratch = {.failed = false};
    for (unsigned packets = 20; packets <= 60; packets += 20) {
        struct document *d = document_new();
        assert_non_null(d);
        for (unsigned i = packets - 20; i < packets; i++)
            send_rtp(&s, at("10.0.0.1", 4000), at("10.0.0.2", 5000), 46, 9, 0, (uint16_t)i, 160 * i, 160, 20 * MS * i);
        stream_table_finish(s.t);
        assert_int_equal(stream_table_export(s.t, d), 0);
        assert_int_equal(d->record_count, 1);
        assert_int_equal(document_record(d, 0, RECORD_PLAIN, &scratch)->packets, packets);
        document_free(d);
    }
    record_scratch_done(&scratch);
    stream_table_free(s.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_says_the_same_however_often_and_in_whatever_order_it_is_made),
        cmocka_unit_test(without_words_a_record_lacks_nothing_else),
        cmocka_unit_test(a_session_without_signalling_is_a_call_of_its_streams),
        cmocka_unit_test(streams_that_are_not_known_for_one_reason_have_one_number),
        cmocka_unit_test(a_snapshot_of_a_table_that_goes_on_is_one_of_that_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "reflector_fixture.h"

/* RFC 8762 figure 5 with the times of the fixture, the clock not synchronized, its error not known. */
static void the_reply_is_byte_by_byte_figure_5(void **state)
{
    (void)state;
    static const uint8_t wanted[44] = {0, 0,    0,    7,    0xee, 0xad, 0x2d, 0x90, 0xc0, 0,    0,
                                       0, 0x00, 0x01, 0x12, 0x34, 0xee, 0xad, 0x2d, 0x90, 0xa0, 0,
                                       0, 0,    0,    0,    0,    7,    0xee, 0xad, 0x2d, 0x90, 0x80,
                                       0, 0,    0,    0x8a, 0x01, 0,    0,    252,  0,    0,    0};
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){0});
    exchange_with(&x, NULL, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    assert_memory_equal(x.reply, wanted, sizeof wanted);
    assert_true(endpoint_equal(&x.out.peer, &x.in.peer));
    assert_true(addr_equal(&x.out.local, &x.in.local));
    assert_int_equal(x.out.tos, 46 << 2); /* the mark that came, without its ECN */
    reflector_free(r);
}

static void the_clock_says_how_good_it_is(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_reply reply;
    struct reflector *r = reflector_of((struct reflector_config){.format = STAMP_PTP});
    reflector_set_clock(r, &(struct stamp_clock){.synchronized = true, .error_ns = 1000000});
    exchange_with(&x, NULL, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), false, NULL, &reply), PARSE_OK);
    assert_true(reply.error.synchronized);
    assert_int_equal(reply.error.format, STAMP_PTP);
    assert_true(stamp_error_seconds(reply.error) >= 0.001 && stamp_error_seconds(reply.error) < 0.00102);
    assert_true(reply.received.ns == T2 && reply.sent.ns == T3);
    assert_int_equal(reply.sender_error.format, STAMP_NTP); /* each end its own */
    reflector_free(r);
}

/* RFC 5357: a TWAMP reply ends with the Sender TTL, in byte 40. What is shorter has no room for an answer of its size.
 */
static void twamp_light_senders_of_each_size_get_as_much_as_they_sent(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){0});
    for (size_t len = 0; len <= 1400; len++) {
        struct stamp_reply reply;
        exchange_with(&x, NULL, 0);
        x.in.len = len;
        enum reflector_outcome o = exchange_run(&x, r, T3);
        assert_int_equal(o, len < 41 ? REFLECTOR_TOO_SHORT : REFLECTOR_ANSWERED);
        if (o != REFLECTOR_ANSWERED)
            continue;
        assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), false, NULL, &reply), PARSE_OK);
        assert_int_equal(reply.sender_sequence, 7);
        assert_int_equal(reply.sender_ttl, 252);
        for (size_t i = 44; i < len; i++)
            assert_int_equal(x.reply[i], 0); /* its padding, as it came */
    }
    assert_int_equal(reflector_counts(r)->outcomes[REFLECTOR_TOO_SHORT], 41);
    assert_int_equal(reflector_counts(r)->bytes_out, (41 + 1400) * 1360 / 2);
    reflector_free(r);
}

static void a_mark_that_the_kernel_did_not_tell_is_unknown_and_never_0(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_reply reply;
    struct reflector *r = reflector_of((struct reflector_config){0});
    EXCHANGE_WITH(&x, 0x80, 0x04, 0, 4, 0xb8, 0, 0, 0);
    x.in.tos_known = false;
    x.in.tos = 0;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), false, NULL, &reply), PARSE_OK);
    assert_int_equal(reply.cos.answer, STAMP_UNRECOGNIZED);
    assert_int_equal(reflector_counts(r)->mark_unknown, 1);
    assert_int_equal(reflector_counts(r)->marks[0], 0);
    reflector_free(r);
}

static void only_listed_networks_are_answered(void **state)
{
    (void)state;
    struct exchange x;
    struct prefix allow[2];
    assert_true(prefix_parse(SLICE("10.0.1.0/24"), &allow[0]) && prefix_parse(SLICE("2001:db8::/32"), &allow[1]));
    struct reflector *r = reflector_of((struct reflector_config){.allow = allow, .allow_count = 2});
    exchange_with(&x, NULL, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_NOT_ALLOWED);
    x.in.peer.addr.bytes[2] = 1;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    x.in.peer.addr = (struct addr){.version = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    x.in.peer.addr.bytes[3] = 0xb9;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_NOT_ALLOWED);
    reflector_free(r);
}

static unsigned answered_of(struct reflector *r, struct exchange *x, unsigned count, int64_t now)
{
    unsigned answered = 0;
    for (unsigned i = 0; i < count; i++)
        answered += exchange_run(x, r, now) == REFLECTOR_ANSWERED;
    return answered;
}

static void the_rate_is_limited_a_source(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){.rate = 100});
    exchange_with(&x, NULL, 0);
    assert_int_equal(answered_of(r, &x, 1000, T3), 100);                /* a burst of a second's worth */
    assert_int_equal(answered_of(r, &x, 1000, T3 + NS_PER_S / 10), 10); /* then as they come */
    x.in.peer.port++;
    assert_int_equal(answered_of(r, &x, 1000, T3 + NS_PER_S / 10), 0); /* another port is the same source */
    x.in.peer.addr.bytes[3]++;
    assert_int_equal(answered_of(r, &x, 1000, T3 + NS_PER_S / 10), 100); /* another address is not */
    assert_int_equal(answered_of(r, &x, 1000, T3 - NS_PER_S), 0);        /* a clock that steps back gives nothing */
    assert_int_equal(answered_of(r, &x, 1000, T3), 100);
    assert_int_equal(answered_of(r, &x, 1000, T3 + 3600 * NS_PER_S), 100); /* and an hour no more than a burst */
    x.in.peer.addr = (struct addr){.version = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    assert_int_equal(answered_of(r, &x, 60, T3), 60);
    x.in.peer.addr.bytes[8] = 9; /* another address of the same /64 */
    assert_int_equal(answered_of(r, &x, 60, T3), 40);
    x.in.peer.addr.bytes[7] = 9;
    assert_int_equal(answered_of(r, &x, 60, T3), 60);
    reflector_free(r);
}

static void a_stateful_reflector_counts_each_session_by_itself(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_reply reply;
    struct reflector *r = reflector_of((struct reflector_config){.stateful = true});
    exchange_with(&x, NULL, 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
        assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), false, NULL, &reply), PARSE_OK);
        assert_int_equal(reply.sequence, i);
        assert_int_equal(reply.sender_sequence, 7);
    }
    /* each of these is another session */
    void *fields[] = {&x.in.peer.port, &x.in.peer.addr.bytes[3], &x.in.local.bytes[3], &x.request[15]};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        ++*(uint8_t *)fields[i];
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
        assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), false, NULL, &reply), PARSE_OK);
        assert_int_equal(reply.sequence, 0);
        --*(uint8_t *)fields[i];
    }
    assert_int_equal(reflector_sessions(r).created, 5);
    /* after a quarter of an hour nobody remembers */
    assert_int_equal(exchange_run(&x, r, T3 + 901 * NS_PER_S), REFLECTOR_ANSWERED);
    assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), false, NULL, &reply), PARSE_OK);
    assert_int_equal(reply.sequence, 0);
    reflector_free(r);
}

static void sessions_are_bounded_and_those_in_use_are_kept(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){.stateful = true, .max_sessions = 8});
    exchange_with(&x, NULL, 0);
    for (int port = 0; port < 8; port++) {
        x.in.peer.port = (uint16_t)(40000 + port);
        assert_int_equal(answered_of(r, &x, 2, T3), 2);
    }
    x.in.peer.port = 50000;
    assert_int_equal(exchange_run(&x, r, T3 + 5 * NS_PER_S), REFLECTOR_NO_SESSION);
    x.in.peer.port = 40000;
    assert_int_equal(exchange_run(&x, r, T3 + 5 * NS_PER_S), REFLECTOR_ANSWERED);
    assert_int_equal(reflector_sessions(r).used, 8);
    reflector_free(r);
}

/* ---- never for ever ---- */

static void no_reply_of_a_reflector_is_answered(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){0}),
                     *ptp = reflector_of((struct reflector_config){.format = STAMP_PTP});
    for (int i = 0; i < 2; i++) {
        exchange_with(&x, NULL, 0);
        assert_int_equal(exchange_run(&x, i ? ptp : r, T3), REFLECTOR_ANSWERED);
        memcpy(x.request, x.reply, x.in.len); /* it comes back, from any port, to a reflector with any clock */
        memset(x.reply, 0xee, sizeof x.reply);
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_LOOKS_REPLIED);
        assert_int_equal(exchange_run(&x, r, T3 + 86400 * NS_PER_S), REFLECTOR_LOOKS_REPLIED);
    }
    reflector_free(r);
    reflector_free(ptp);
}

static void nothing_from_a_reflectors_port_is_answered(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){.port = 5000});
    static const uint16_t ports[] = {862, 5000, 0};
    exchange_with(&x, NULL, 0);
    for (size_t i = 0; i < 3; i++) {
        x.in.peer.port = ports[i];
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_LOOKS_REPLIED);
    }
    x.in.peer.port = 863;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    reflector_free(r);
}

/* TWAMP senders pad with what they like; that is not a reply. */
static void padding_is_not_taken_for_a_reply(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){0});
    static const uint8_t fillings[] = {0x00, 0xff, 0x55, 0x01};
    for (size_t i = 0; i < sizeof fillings; i++) {
        exchange_with(&x, NULL, 0);
        memset(x.request + 14, fillings[i], 30);
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    }
    exchange_with(&x, NULL, 0);
    for (int i = 14; i < 44; i++)
        x.request[i] = (uint8_t)i;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    reflector_free(r);
}

static void groups_and_nobody_are_not_answered(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){0});
    exchange_with(&x, NULL, 0);
    x.in.to_group = true;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_TO_GROUP);
    x.in.to_group = false;
    x.in.peer.addr.bytes[0] = 224;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_TO_GROUP);
    x.in.peer.addr = (struct addr){.version = 4};
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_TO_GROUP);
    exchange_with(&x, NULL, 0);
    x.in.cut = true;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_CUT);
    reflector_free(r);
}

static void each_outcome_has_its_name(void **state)
{
    (void)state;
    for (int o = 0; o < REFLECTOR_OUTCOMES; o++) {
        assert_true(strlen(reflector_outcome_name((enum reflector_outcome)o)) > 2);
        assert_true(strlen(reflector_outcome_text((enum reflector_outcome)o)) > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reply_is_byte_by_byte_figure_5),
        cmocka_unit_test(the_clock_says_how_good_it_is),
        cmocka_unit_test(twamp_light_senders_of_each_size_get_as_much_as_they_sent),
        cmocka_unit_test(a_mark_that_the_kernel_did_not_tell_is_unknown_and_never_0),
        cmocka_unit_test(only_listed_networks_are_answered),
        cmocka_unit_test(the_rate_is_limited_a_source),
        cmocka_unit_test(a_stateful_reflector_counts_each_session_by_itself),
        cmocka_unit_test(sessions_are_bounded_and_those_in_use_are_kept),
        cmocka_unit_test(no_reply_of_a_reflector_is_answered),
        cmocka_unit_test(nothing_from_a_reflectors_port_is_answered),
        cmocka_unit_test(padding_is_not_taken_for_a_reply),
        cmocka_unit_test(groups_and_nobody_are_not_answered),
        cmocka_unit_test(each_outcome_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

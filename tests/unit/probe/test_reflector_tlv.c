#include "testing.h"

#include "reflector_fixture.h"

/* The bytes that came back behind the base packet of a request with these TLVs. */
#define ANSWER(config, ...)                                                                                            \
    do {                                                                                                               \
        struct reflector *r_ = reflector_of(config);                                                                   \
        EXCHANGE_WITH(&x, __VA_ARGS__);                                                                                \
        assert_int_equal(exchange_run(&x, r_, T3), REFLECTOR_ANSWERED);                                                \
        reflector_free(r_);                                                                                            \
    } while (0)

#define WANTED(...)                                                                                                    \
    assert_memory_equal(x.reply + 44, ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__}))

static const struct reflector_config stateless;

static void the_mark_that_arrived_comes_back_as_in_the_vectors(void **state)
{
    (void)state;
    static const struct {
        tos_t tos;
        uint8_t b0, b1;
    } vectors[] = {{46 << 2 | 2, 0xba, 0xe8}, {46 << 2, 0xba, 0xe0}, {34 << 2, 0xba, 0x20}, {0, 0xb8, 0x00}};
    struct exchange x;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct reflector *r = reflector_of(stateless);
        EXCHANGE_WITH(&x, 0x80, 0x04, 0x00, 0x04, 0xb8, 0x00, 0x00, 0x00);
        x.in.tos = vectors[i].tos;
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
        WANTED(0x00, 0x04, 0x00, 0x04, vectors[i].b0, vectors[i].b1, 0x00, 0x00);
        assert_int_equal(x.out.tos, 46 << 2); /* DSCP1, with RP = 0 */
        reflector_free(r);
    }
}

static void a_reflector_that_does_not_grant_the_mark_says_so(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){.refuse_marks = true});
    EXCHANGE_WITH(&x, 0x80, 0x04, 0x00, 0x04, 0xb8, 0x00, 0x00, 0x00);
    x.in.tos = 34 << 2;
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    WANTED(0x00, 0x04, 0x00, 0x04, 0xba, 0x21, 0x00, 0x00);
    assert_int_equal(x.out.tos, 34 << 2);
    reflector_free(r);
}

static void what_is_not_known_comes_back_with_u_and_as_it_was(void **state)
{
    (void)state;
    struct exchange x;
    ANSWER(stateless, 0x00, 0xc8, 0, 3, 1, 2, 3, 0x80, 0x06, 0, 4, 0x10, 0x01, 0, 0, 0x80, 0x04, 0, 4, 0xb8, 0, 0, 0);
    WANTED(0x80, 0xc8, 0, 3, 1, 2, 3, 0x80, 0x06, 0, 4, 0x10, 0x01, 0, 0, 0x00, 0x04, 0, 4, 0xba, 0xe8, 0, 0);
}

/* docs/REFLECT.md: the question of type 253, answered with the byte that the reply leaves with */
static void the_mark_of_the_reply_is_told_to_who_asks(void **state)
{
    (void)state;
    struct exchange x;
    /* behind a wish for AF41, which is granted */
    ANSWER(stateless, 0x80, 4, 0, 4, 0x88, 0, 0, 0, 0x80, 253, 0, 8, 'q', 'o', 's', 'm', 0, 0, 0, 0);
    WANTED(0x00, 4, 0, 4, 0x8a, 0xe8, 0, 0, 0x00, 253, 0, 8, 'q', 'o', 's', 'm', 0x88, 1, 0, 0);
    assert_int_equal(x.out.tos, 0x88);
    /* ... which is not granted: the mark that arrived, EF */
    ANSWER((struct reflector_config){.refuse_marks = true}, 0x80, 4, 0, 4, 0x88, 0, 0, 0, 0x80, 253, 0, 8, 'q', 'o',
           's', 'm', 0, 0, 0, 0);
    WANTED(0x00, 4, 0, 4, 0x8a, 0xe9, 0, 0, 0x00, 253, 0, 8, 'q', 'o', 's', 'm', 0xb8, 1, 0, 0);
    assert_int_equal(x.out.tos, 0xb8);
    /* without a wish */
    ANSWER(stateless, 0x80, 253, 0, 8, 'q', 'o', 's', 'm', 0, 0, 0, 0);
    WANTED(0x00, 253, 0, 8, 'q', 'o', 's', 'm', 0xb8, 1, 0, 0);
    /* before the wish, and twice */
    ANSWER(stateless, 0x80, 253, 0, 8, 'q', 'o', 's', 'm', 0, 0, 0, 0, 0x80, 4, 0, 4, 0x88, 0, 0, 0);
    WANTED(0x00, 253, 0, 8, 'q', 'o', 's', 'm', 0x88, 1, 0, 0, 0x00, 4, 0, 4, 0x8a, 0xe8, 0, 0);
    ANSWER(stateless, 0x80, 253, 0, 8, 'q', 'o', 's', 'm', 0, 0, 0, 0, 0x80, 253, 0, 8, 'q', 'o', 's', 'm', 0, 0, 0, 0);
    WANTED(0x00, 253, 0, 8, 'q', 'o', 's', 'm', 0xb8, 1, 0, 0, 0x80, 253, 0, 8, 'q', 'o', 's', 'm', 0, 0, 0, 0);
}

static void another_private_use_of_the_type_comes_back_with_u_and_as_it_was(void **state)
{
    (void)state;
    struct exchange x;
    ANSWER(stateless, 0x80, 253, 0, 8, 'p', 'r', 'i', 'v', 1, 2, 3, 4);
    WANTED(0x80, 253, 0, 8, 'p', 'r', 'i', 'v', 1, 2, 3, 4);
    ANSWER(stateless, 0x80, 253, 0, 4, 'q', 'o', 's', 'm', 0x80, 4, 0, 4, 0xb8, 0, 0, 0);
    WANTED(0x80, 253, 0, 4, 'q', 'o', 's', 'm', 0x00, 4, 0, 4, 0xba, 0xe8, 0, 0);
    ANSWER(stateless, 0x80, 253, 0, 0);
    WANTED(0x80, 253, 0, 0);
}

static void behind_a_malformed_tlv_nothing_is_touched(void **state)
{
    (void)state;
    struct exchange x;
    /* a length that is not the type's */
    ANSWER(stateless, 0x80, 0x04, 0, 3, 0xb8, 0, 0, 0x80, 0x04, 0, 4, 0xb8, 0, 0, 0);
    WANTED(0x40, 0x04, 0, 3, 0xb8, 0, 0, 0x80, 0x04, 0, 4, 0xb8, 0, 0, 0);
    /* more than there is */
    ANSWER(stateless, 0x80, 0x01, 0, 1, 9, 0x80, 0x04, 0, 5, 0xb8, 0, 0, 0);
    WANTED(0x00, 0x01, 0, 1, 9, 0x40, 0x04, 0, 5, 0xb8, 0, 0, 0);
    ANSWER(stateless, 0x80, 0x01, 0xff, 0xff);
    WANTED(0x40, 0x01, 0xff, 0xff);
    /* too little for a header is padding */
    ANSWER(stateless, 0x80, 0x01, 0, 0, 0x80, 0x04, 0);
    WANTED(0x00, 0x01, 0, 0, 0x80, 0x04, 0);
}

static void the_location_is_told_in_the_room_that_was_given(void **state)
{
    (void)state;
    struct exchange x;
    /* ports; destination IP (type 4) and source IP (7) become the IPv4 ones (5, 8); a MAC address (1) is not known */
    ANSWER(stateless, 0x80, 2, 0, 56, 0, 0, 0, 0, 0x80, 4, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80,
           7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    WANTED(0x00, 2, 0, 56, 0x03, 0x5e, 0x9c, 0x40, 0x00, 5, 0, 16, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0x00, 8, 0, 16, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    ANSWER(stateless, 0x80, 2, 0, 4, 0, 0, 0, 0);
    WANTED(0x00, 2, 0, 4, 0x03, 0x5e, 0x9c, 0x40);
    ANSWER(stateless, 0x80, 2, 0, 3, 0, 0, 0);
    WANTED(0x40, 2, 0, 3, 0, 0, 0);
    /* a sub-TLV that is broken, and one that is cut */
    ANSWER(stateless, 0x80, 2, 0, 12, 0, 0, 0, 0, 0x80, 4, 0, 4, 0, 0, 0, 0);
    WANTED(0x00, 2, 0, 12, 0x03, 0x5e, 0x9c, 0x40, 0x40, 4, 0, 4, 0, 0, 0, 0);
    ANSWER(stateless, 0x80, 2, 0, 8, 0, 0, 0, 0, 0x80, 4, 0, 16);
    assert_int_equal(x.reply[44], 0x40);
}

static void ipv6_addresses_are_told_too(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of(stateless);
    EXCHANGE_WITH(&x, 0x80, 2, 0, 24, 0, 0, 0, 0, 0x80, 7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    x.in.peer.addr = (struct addr){.version = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}};
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    WANTED(0x00, 2, 0, 24, 0x03, 0x5e, 0x9c, 0x40, 0x00, 9, 0, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 7);
    reflector_free(r);
}

/* RFC 8972 tables 8 and 9: 1 NTP, 5 local free-running; 2 software. */
static void the_clock_is_told(void **state)
{
    (void)state;
    struct exchange x;
    ANSWER(stateless, 0x80, 3, 0, 4, 0, 0, 0, 0);
    WANTED(0x00, 3, 0, 4, 5, 2, 5, 2);
    struct reflector *r = reflector_of(stateless);
    reflector_set_clock(r, &(struct stamp_clock){.synchronized = true, .error_ns = 1});
    EXCHANGE_WITH(&x, 0x80, 3, 0, 4, 0, 0, 0, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    WANTED(0x00, 3, 0, 4, 1, 2, 1, 2);
    reflector_free(r);
}

static void who_keeps_no_session_tells_no_counts(void **state)
{
    (void)state;
    struct exchange x;
    ANSWER(stateless, 0x80, 5, 0, 12, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 7, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
           11, 12, 13, 14, 15, 16);
    WANTED(0x80, 5, 0, 12, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x00, 7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           0, 0);
}

static void a_session_tells_its_counts_and_when_it_answered_last(void **state)
{
    (void)state;
    struct exchange x;
    struct reflector *r = reflector_of((struct reflector_config){.stateful = true});
    for (int i = 0; i < 2; i++) {
        EXCHANGE_WITH(&x, 0x80, 5, 0, 12, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                      0, 0, 0, 0, 0, 0, 0);
        assert_int_equal(exchange_run(&x, r, T3 + i * NS_PER_S), REFLECTOR_ANSWERED);
        if (i == 0)
            WANTED(0x00, 5, 0, 12, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x00, 7, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                   0, 0, 0, 0, 0);
        else /* the first reply: sequence 0, at T3 */
            WANTED(0x00, 5, 0, 12, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 2, 0x00, 7, 0, 16, 0, 0, 0, 0, 0xee, 0xad, 0x2d,
                   0x90, 0xc0, 0, 0, 0, 2, 0, 0, 0);
    }
    reflector_free(r);
}

static void a_second_wish_for_a_mark_is_not_granted_and_says_so(void **state)
{
    (void)state;
    struct exchange x;
    ANSWER(stateless, 0x80, 4, 0, 4, 0xb8, 0, 0, 0, 0x80, 4, 0, 4, 0x88, 0, 0, 0);
    WANTED(0x00, 4, 0, 4, 0xba, 0xe8, 0, 0, 0x80, 4, 0, 4, 0x88, 0, 0, 0);
    assert_int_equal(x.out.tos, 46 << 2);
}

/* ---- HMAC ---- */

static struct stamp_hmac *hmac_or_skip(const char *key)
{
    struct stamp_hmac *h = NULL;
    if (stamp_hmac_new(key, strlen(key), &h, NULL) == ERR_UNSUPPORTED)
        skip();
    assert_non_null(h);
    return h;
}

static void authenticated_requests_get_authentic_replies(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_reply reply;
    struct stamp_hmac *h = hmac_or_skip("qosmark test key");
    struct reflector *r = reflector_of((struct reflector_config){.hmac = h, .stateful = true});
    for (uint32_t i = 0; i < 2; i++) {
        struct stamp_writer w = exchange_begin(&x, true);
        stamp_cos_add(&w, DSCP_AF41);
        x.in.len = stamp_request_end(&w, h, 300);
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
        assert_int_equal(stamp_reply_parse(cur_make(x.reply, x.out.len, false), true, h, &reply), PARSE_OK);
        assert_int_equal(reply.sequence, i);
        assert_int_equal(reply.sender_sequence, 7);
        assert_int_equal(reply.ssid, 0x1234);
        assert_int_equal(reply.sender_ttl, 252);
        assert_true(reply.sender_sent.known && reply.received.ns == T2 && reply.sent.ns == T3);
        assert_int_equal(reply.cos.answer, STAMP_ANSWERED); /* so the TLVs' HMAC is right too */
        assert_int_equal(reply.cos.arrived, 46);
        assert_int_equal(x.out.tos, 34 << 2);
    }
    reflector_free(r);
    stamp_hmac_free(h);
}

static void another_key_gets_silence(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_hmac *h = hmac_or_skip("qosmark test key"), *other = hmac_or_skip("another");
    struct reflector *r = reflector_of((struct reflector_config){.hmac = h});
    struct stamp_writer w = exchange_begin(&x, true);
    x.in.len = stamp_request_end(&w, other, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_WRONG_HMAC);
    w = exchange_begin(&x, false); /* an unauthenticated request, too short and long enough */
    x.in.len = stamp_request_end(&w, NULL, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_TOO_SHORT);
    w = exchange_begin(&x, false);
    x.in.len = stamp_request_end(&w, NULL, 300);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_WRONG_HMAC);
    reflector_free(r);
    stamp_hmac_free(h);
    stamp_hmac_free(other);
}

static void an_authentic_reply_is_not_answered_either(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_hmac *h = hmac_or_skip("qosmark test key");
    struct reflector *r = reflector_of((struct reflector_config){.hmac = h});
    struct stamp_writer w = exchange_begin(&x, true);
    x.in.len = stamp_request_end(&w, h, 0);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    memcpy(x.request, x.reply, x.in.len);
    memset(x.reply, 0xee, sizeof x.reply);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_LOOKS_REPLIED);
    reflector_free(r);
    stamp_hmac_free(h);
}

/* RFC 8972 §4.8: TLVs that are not what their sender signed go back untouched, each with I. */
static void changed_tlvs_go_back_with_i_and_unanswered(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_hmac *h = hmac_or_skip("qosmark test key");
    struct reflector *r = reflector_of((struct reflector_config){.hmac = h});
    enum { CHANGED_VALUE, CHANGED_HMAC, NO_HMAC, HMAC_FIRST, CASES };
    for (int i = 0; i < CASES; i++) {
        struct stamp_writer w = exchange_begin(&x, true);
        uint8_t digest[STAMP_HMAC_BYTES];
        if (i == HMAC_FIRST) {
            assert_int_equal(stamp_hmac_sign(h, x.request, 4, NULL, 0, digest), 0);
            stamp_tlv_add(&w, STAMP_TLV_HMAC, digest, sizeof digest);
        }
        stamp_cos_add(&w, DSCP_EF);
        if (i < NO_HMAC) {
            assert_int_equal(stamp_hmac_sign(h, x.request, 4, x.request + 112, 8, digest), 0);
            digest[0] ^= i == CHANGED_HMAC;
            stamp_tlv_add(&w, STAMP_TLV_HMAC, digest, sizeof digest);
        }
        x.request[116] ^= i == CHANGED_VALUE ? 4 : 0;
        assert_int_equal(stamp_hmac_sign(h, x.request, STAMP_HMAC_TEXT, NULL, 0, x.request + 96), 0);
        x.in.len = w.len;
        assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
        size_t at = 112;
        while (at < x.in.len) {
            size_t len = 4 + (size_t)(x.request[at + 2] << 8 | x.request[at + 3]);
            assert_int_equal(x.reply[at], 0x80 | 0x20);
            assert_memory_equal(x.reply + at + 1, x.request + at + 1, len - 1);
            at += len;
        }
        assert_int_equal(x.out.tos, 46 << 2); /* no wish of theirs was granted: the mark that came */
    }
    assert_int_equal(reflector_counts(r)->tlvs_untrusted, 7);
    reflector_free(r);
    stamp_hmac_free(h);
}

/* An extended packet in authenticated mode with padding alone needs no HMAC TLV (§4.8). */
static void padding_alone_needs_no_hmac(void **state)
{
    (void)state;
    struct exchange x;
    struct stamp_hmac *h = hmac_or_skip("qosmark test key");
    struct reflector *r = reflector_of((struct reflector_config){.hmac = h});
    struct stamp_writer w = exchange_begin(&x, true);
    x.in.len = stamp_request_end(&w, h, 200);
    assert_int_equal(x.in.len, 200);
    assert_int_equal(exchange_run(&x, r, T3), REFLECTOR_ANSWERED);
    assert_int_equal(x.reply[112], 0x00);
    reflector_free(r);
    stamp_hmac_free(h);
}

/* Who has no key cannot verify; so nothing is answered that might have been changed. */
static void an_hmac_tlv_without_a_key_is_not_believed(void **state)
{
    (void)state;
    struct exchange x;
    ANSWER(stateless, 0x80, 4, 0, 4, 0xb8, 0, 0, 0, 0x80, 8, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
           16);
    WANTED(0xa0, 4, 0, 4, 0xb8, 0, 0, 0, 0xa0, 8, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
}

static void answer_prefix(void *user, const uint8_t *prefix, size_t len)
{
    struct exchange x;
    struct reflector *r = user;
    exchange_with(&x, prefix, len);
    uint8_t *exact = malloc(x.in.len), *out = malloc(x.in.len);
    assert_non_null(exact);
    assert_non_null(out);
    memcpy(exact, x.request, x.in.len);
    x.in.bytes = exact;
    x.out.bytes = out;
    assert_int_equal(reflector_answer(r, &x.in, T3, &x.out), REFLECTOR_ANSWERED);
    assert_int_equal(x.out.len, 44 + len);
    free(exact);
    free(out);
}

static void each_prefix_of_all_tlvs_in_memory_of_its_size(void **state)
{
    (void)state;
    static const uint8_t tlvs[] = {
        0x80, 4,    0, 4, 0xb8, 0, 0, 0,  0x80, 3, 0, 4, 0, 0, 0,  0,  0x80, 2,  0,  24, 0,  0,    0, 0, 0x80, 7, 0, 16,
        0,    0,    0, 0, 0,    0, 0, 0,  0,    0, 0, 0, 0, 0, 0,  0,  0x80, 5,  0,  12, 0,  0,    0, 9, 0,    0, 0, 0,
        0,    0,    0, 0, 0x80, 7, 0, 16, 0,    0, 0, 0, 0, 0, 0,  0,  0,    0,  0,  0,  0,  0,    0, 0, 0x80, 9, 0, 1,
        1,    0x80, 8, 0, 16,   1, 2, 3,  4,    5, 6, 7, 8, 9, 10, 11, 12,   13, 14, 15, 16, 0x80, 1, 0, 2,    0, 0};
    for (int stateful = 0; stateful < 2; stateful++) {
        struct reflector *r = reflector_of((struct reflector_config){.stateful = stateful});
        for_each_prefix(tlvs, sizeof tlvs, answer_prefix, r);
        reflector_free(r);
    }
}

/* Whatever stands behind the base packet: the reply is as long as it, and what is no TLV of ours is there unchanged. */
static void noise_is_answered_without_harm(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252U;
    struct reflector *r = reflector_of((struct reflector_config){.stateful = true});
    for (int i = 0; i < 20000; i++) {
        uint8_t noise[300];
        for (size_t k = 0; k < sizeof noise; k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            /* small numbers, so that types and lengths are often ones that exist */
            noise[k] = (uint8_t)(seed >> 32 & (seed >> 60 < 12 ? 0x0f : 0xff));
        }
        answer_prefix(r, noise, (size_t)(seed >> 20) % sizeof noise);
    }
    reflector_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mark_that_arrived_comes_back_as_in_the_vectors),
        cmocka_unit_test(a_reflector_that_does_not_grant_the_mark_says_so),
        cmocka_unit_test(what_is_not_known_comes_back_with_u_and_as_it_was),
        cmocka_unit_test(the_mark_of_the_reply_is_told_to_who_asks),
        cmocka_unit_test(another_private_use_of_the_type_comes_back_with_u_and_as_it_was),
        cmocka_unit_test(behind_a_malformed_tlv_nothing_is_touched),
        cmocka_unit_test(the_location_is_told_in_the_room_that_was_given),
        cmocka_unit_test(ipv6_addresses_are_told_too),
        cmocka_unit_test(the_clock_is_told),
        cmocka_unit_test(who_keeps_no_session_tells_no_counts),
        cmocka_unit_test(a_session_tells_its_counts_and_when_it_answered_last),
        cmocka_unit_test(a_second_wish_for_a_mark_is_not_granted_and_says_so),
        cmocka_unit_test(authenticated_requests_get_authentic_replies),
        cmocka_unit_test(another_key_gets_silence),
        cmocka_unit_test(an_authentic_reply_is_not_answered_either),
        cmocka_unit_test(changed_tlvs_go_back_with_i_and_unanswered),
        cmocka_unit_test(padding_alone_needs_no_hmac),
        cmocka_unit_test(an_hmac_tlv_without_a_key_is_not_believed),
        cmocka_unit_test(each_prefix_of_all_tlvs_in_memory_of_its_size),
        cmocka_unit_test(noise_is_answered_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

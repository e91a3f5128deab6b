#include "testing.h"

#include <stdlib.h>
#include <string.h>

#include "base/slots.h"
#include "stream/dialog.h"
#include "stream/table.h"

/*
 * Somebody who knows the key chooses 5-tuples and Call-IDs that all fall into one place of a table. With that key each
 * of them walks past all the others, with any other key they are like random ones: so what the key is worth is shown,
 * and that it is used.
 */
enum { CHOSEN = 1500, PLACE_BITS = 11, PLACES = 1 << PLACE_BITS };

static const struct hash_key known = {0, 0}, drawn = {0x9ae16a3b2f90404f, 0xc949d7c7509e6557};

/* The i-th 5-tuple that somebody might try. */
static struct packet tuple(uint64_t i)
{
    struct packet p = {.proto = PROTO_UDP, .ports_known = true, .payload_wire_bytes = 100, .ip_bytes = 128};
    p.src.addr = (struct addr){.version = 4, .bytes = {11, (uint8_t)(i >> 32), (uint8_t)(i >> 24), (uint8_t)(i >> 16)}};
    p.src.port = (uint16_t)i;
    p.dst.addr = (struct addr){.version = 4, .bytes = {10, 1, 1, 11}};
    p.dst.port = 5060;
    return p;
}

/* 5-tuples that begin at the same place of a table as large as theirs becomes, under the known key. */
static void choose_tuples(struct packet chosen[static CHOSEN])
{
    size_t n = 0;
    for (uint64_t i = 0; n < CHOSEN; i++) {
        struct packet p = tuple(i);
        if ((stream_packet_hash(&known, &p) & (PLACES - 1)) == 0)
            chosen[n++] = p;
    }
}

/* How far a search walks in a table of these tags at most, and on the average. */
static size_t longest_walk(const struct packet *packets, const struct hash_key *key, size_t *ret_sum)
{
    struct slots s = {0};
    size_t longest = 0;
    *ret_sum = 0;
    for (uint32_t i = 0; i < CHOSEN; i++)
        assert_true(slots_add(&s, (uint32_t)stream_packet_hash(key, &packets[i]), i));
    assert_int_equal(s.mask, PLACES - 1);
    for (uint32_t i = 0; i < CHOSEN; i++) {
        uint32_t tag = (uint32_t)stream_packet_hash(key, &packets[i]), at = slots_first(&s, tag);
        size_t walk = 1;
        for (; s.at[at].item != i + 1; at = (at + 1) & s.mask)
            walk++;
        longest = walk > longest ? walk : longest;
        *ret_sum += walk;
    }
    slots_done(&s);
    return longest;
}

static void chosen_five_tuples_collide_under_no_key_but_the_one_they_were_chosen_for(void **state)
{
    (void)state;
    static struct packet chosen[CHOSEN];
    size_t sum;
    choose_tuples(chosen);
    assert_int_equal(longest_walk(chosen, &known, &sum), CHOSEN);
    assert_true(sum > (size_t)CHOSEN * CHOSEN / 2);
    /* Knuth, TAOCP 6.4: at a load of 0.73 a search that finds takes (1 + 1 / (1 - 0.73)) / 2 = 2.4 places */
    size_t longest = longest_walk(chosen, &drawn, &sum);
    assert_true(longest < 100);
    assert_true(sum < 4 * (size_t)CHOSEN);
}

/* A day of keys: that it was one good one would be luck. */
static void any_other_key_will_do(void **state)
{
    (void)state;
    static struct packet chosen[CHOSEN];
    size_t sum;
    choose_tuples(chosen);
    for (uint64_t k = 1; k <= 50; k++) {
        struct hash_key key = {k, k << 32};
        assert_true(longest_walk(chosen, &key, &sum) < 200);
        assert_true(sum < 6 * (size_t)CHOSEN);
    }
}

static void the_table_uses_the_key_that_it_is_given(void **state)
{
    (void)state;
    struct packet p = tuple(7);
    assert_true(stream_packet_hash(&known, &p) != stream_packet_hash(&drawn, &p));
    struct packet back = p;
    back.src = p.dst;
    back.dst = p.src;
    assert_true(stream_packet_hash(&drawn, &p) == stream_packet_hash(&drawn, &back));
    /* IPv6 has another way through */
    p.src.addr = p.dst.addr = (struct addr){.version = 6, .bytes = {0x20, 1, 0xd, 0xb8}};
    assert_true(stream_packet_hash(&known, &p) != stream_packet_hash(&drawn, &p));
}

/* What the table says does not tell which key it has. */
static char *said_with(const struct hash_key *key, const struct packet *packets)
{
    struct stream_options options = {.key = *key};
    struct stream_table *t = stream_table_new(&options);
    struct document *d = document_new();
    struct record_scratch scratch = {0};
    struct strbuf said = {0};
    assert_non_null(t);
    assert_non_null(d);
    for (size_t i = 0; i < CHOSEN; i++) {
        struct packet p = packets[i];
        p.time_ns = (int64_t)i * 1000;
        p.frame = i + 1;
        stream_table_packet(t, &p);
    }
    stream_table_finish(t);
    assert_int_equal(stream_table_export(t, d), 0);
    assert_int_equal(d->record_count, CHOSEN);
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = document_record(d, i, RECORD_ALL, &scratch);
        char src[ADDR_TEXT_MAX];
        addr_format(&r->src.addr, src);
        strbuf_addf(&said, "%s %u %lld\n", src, r->src.port, (long long)r->first_ns);
    }
    record_scratch_done(&scratch);
    document_free(d);
    stream_table_free(t);
    assert_true(strbuf_ok(&said));
    return said.at;
}

static void what_is_reported_and_in_which_order_does_not_depend_on_the_key(void **state)
{
    (void)state;
    static struct packet chosen[CHOSEN];
    choose_tuples(chosen);
    char *one = said_with(&known, chosen), *other = said_with(&drawn, chosen);
    assert_string_equal(one, other);
    free(one);
    free(other);
}

/* The same of what SDP announces where, and of calls by their Call-ID. */
static void what_sip_messages_choose_is_hashed_with_the_key_as_well(void **state)
{
    (void)state;
    struct expect_table *a = expect_table_new(&known), *b = expect_table_new(&drawn);
    struct endpoint e = {{.version = 4, .bytes = {10, 2, 0, 7}}, 20000};
    assert_true(expect_hash(a, KEY_CALL_ID, "abc", 3) != expect_hash(b, KEY_CALL_ID, "abc", 3));
    assert_true(expect_hash_endpoint(a, &e) != expect_hash_endpoint(b, &e));
    assert_true(expect_hash_port_pair(a, 1, 2) != expect_hash_port_pair(b, 1, 2));
    expect_table_free(a);
    expect_table_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_five_tuples_collide_under_no_key_but_the_one_they_were_chosen_for),
        cmocka_unit_test(any_other_key_will_do),
        cmocka_unit_test(the_table_uses_the_key_that_it_is_given),
        cmocka_unit_test(what_is_reported_and_in_which_order_does_not_depend_on_the_key),
        cmocka_unit_test(what_sip_messages_choose_is_hashed_with_the_key_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

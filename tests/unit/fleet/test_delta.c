#include "testing.h"

#include <inttypes.h>
#include <stdio.h>

#include "fleet/delta.h"

/* A voice stream with two blocks: one whole, one of which numbers 0 and 255 came, and 255 twice. */
static const struct delta_block two_blocks[] = {
    {.number = 258,
     .anchor_ns = 1763888400123456789,
     .anchor_rtp = 4000000000u,
     .anchor_sequence = 513,
     .packets = 256,
     .seen = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
     .marks = {{46, 250}, {0, 6}},
     .mark_count = 2},
    {.number = 259,
     .anchor_ns = 1763888405123456789,
     .anchor_sequence = 768,
     .packets = 2,
     .copies = 1,
     .late = true,
     .seen = {1, [31] = 0x80},
     .marks = {{46, 1}},
     .mark_count = 1,
     .other = 1},
};

static struct delta voice(void)
{
    struct delta d = {.type = DELTA_STREAM,
                      .site = "berlin",
                      .point = "cms-1:eth0",
                      .start_ns = 1763888000000000001,
                      .interval = 40,
                      .from_ns = 1763888400000000000,
                      .to_ns = 1763888410000000000,
                      .stream = 17,
                      .dropped_kernel = 3,
                      .dropped_interface = 4,
                      .proto = 17,
                      .has_ssrc = true,
                      .ssrc = 0xdeadbeef,
                      .payload_types = {111, 13},
                      .payload_type_count = 2,
                      .kind = KIND_RTP_AUDIO,
                      .traffic_class = CLASS_VOICE,
                      .confidence = CONFIDENCE_CERTAIN,
                      .direction = DIRECTION_FROM_NODE,
                      .node = "cms \"one\"",
                      .peer_site = "m\xc3\xbcnchen",
                      .call = 0x0123456789abcdef,
                      .began = true,
                      .packets = 259,
                      .bytes = 51800,
                      .first_ns = 1763888400123456789,
                      .last_ns = 1763888405200000000,
                      .marks = {{46, 252}, {0, 7}},
                      .mark_count = 2,
                      .ecn = {1, 2, 3, 253},
                      .expected = dscp_set_of(46) | dscp_set_of(34),
                      .preferred = 46,
                      .verdict = VERDICT_VIOLATING,
                      .tunnel_depth = 1,
                      .ttl_lowest = 61,
                      .ttl_highest = 62,
                      .clock_rate = 48000,
                      .jitter_ms = 0.5,
                      .digests = {0, 7, 4294967295u},
                      .digest_count = 3,
                      .blocks = two_blocks,
                      .block_count = 2,
                      .unblocked = 9};
    assert_true(endpoint_parse(SLICE("10.0.0.1:5004"), 0, &d.src));
    assert_true(endpoint_parse(SLICE("[2001:db8::1]:6000"), 0, &d.dst));
    return d;
}

static struct delta interval_end(void)
{
    return (struct delta){.type = DELTA_INTERVAL,
                          .site = "berlin",
                          .point = "cms-1:eth0",
                          .start_ns = 1763888000000000001,
                          .interval = 40,
                          .from_ns = 1763888400000000000,
                          .to_ns = 1763888410000000000,
                          .dropped_kernel = 1,
                          .deltas = 12,
                          .frames = 100000,
                          .unpublished = 5,
                          .partition = 31,
                          .partitions = 32,
                          .last = true};
}

/* Written, and read again. */
static const struct delta *round_trip(const struct delta *d, struct delta_scratch *to)
{
    struct strbuf text = {0};
    struct error error = {0};
    assert_int_equal(delta_write(d, &text), 0);
    memset(to, 0xa5, sizeof *to);
    if (delta_read(strbuf_text(&text), text.len, to, &error) < 0)
        fail_msg("%s: %s", error.text, strbuf_text(&text));
    strbuf_done(&text);
    return &to->delta;
}

static void assert_same_stream(const struct delta *a, const struct delta *b)
{
    assert_true(endpoint_equal(&a->src, &b->src) && endpoint_equal(&a->dst, &b->dst));
    assert_int_equal(a->ssrc, b->ssrc);
    assert_int_equal(a->has_ssrc, b->has_ssrc);
    assert_int_equal(a->payload_type_count, b->payload_type_count);
    assert_memory_equal(a->payload_types, b->payload_types, sizeof a->payload_types);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->traffic_class, b->traffic_class);
    assert_int_equal(a->confidence, b->confidence);
    assert_int_equal(a->direction, b->direction);
    assert_string_equal(a->node, b->node);
    assert_string_equal(a->peer_site, b->peer_site);
    assert_true(a->call == b->call && a->began == b->began && a->ended == b->ended);
}

static void assert_same_counts(const struct delta *a, const struct delta *b)
{
    assert_true(a->packets == b->packets && a->bytes == b->bytes);
    assert_true(a->first_ns == b->first_ns && a->last_ns == b->last_ns);
    assert_int_equal(a->mark_count, b->mark_count);
    for (uint8_t i = 0; i < a->mark_count; i++)
        assert_true(a->marks[i].dscp == b->marks[i].dscp && a->marks[i].packets == b->marks[i].packets);
    assert_memory_equal(a->ecn, b->ecn, sizeof a->ecn);
    assert_true(a->expected == b->expected && a->preferred == b->preferred && a->verdict == b->verdict);
    assert_true(a->copies_differ == b->copies_differ && a->over_turn == b->over_turn);
    assert_true(a->tunnel_depth == b->tunnel_depth && a->clock_rate == b->clock_rate);
    assert_true(a->ttl_lowest == b->ttl_lowest && a->ttl_highest == b->ttl_highest);
    assert_float_equal(a->jitter_ms, b->jitter_ms, 0.0005);
    assert_int_equal(a->digest_count, b->digest_count);
    assert_memory_equal(a->digests, b->digests, sizeof a->digests);
}

static void assert_same_blocks(const struct delta *a, const struct delta *b)
{
    assert_int_equal(a->block_count, b->block_count);
    assert_true(a->unblocked == b->unblocked);
    for (size_t i = 0; i < a->block_count; i++) {
        const struct delta_block *x = &a->blocks[i], *y = &b->blocks[i];
        assert_true(x->number == y->number && x->anchor_ns == y->anchor_ns && x->anchor_rtp == y->anchor_rtp);
        assert_true(x->anchor_sequence == y->anchor_sequence && x->packets == y->packets && x->copies == y->copies);
        assert_int_equal(x->late, y->late);
        assert_memory_equal(x->seen, y->seen, sizeof x->seen);
        assert_true(x->mark_count == y->mark_count && x->other == y->other);
        for (uint8_t k = 0; k < x->mark_count; k++)
            assert_true(x->marks[k].dscp == y->marks[k].dscp && x->marks[k].packets == y->marks[k].packets);
    }
}

static void a_stream_is_read_as_it_was_written(void **state)
{
    static struct delta_scratch scratch;
    struct delta d = voice();
    const struct delta *r = round_trip(&d, &scratch);
    (void)state;
    assert_int_equal(r->type, DELTA_STREAM);
    assert_string_equal(r->site, "berlin");
    assert_string_equal(r->point, "cms-1:eth0");
    assert_true(r->start_ns == d.start_ns && r->interval == 40 && r->stream == 17);
    assert_true(r->from_ns == d.from_ns && r->to_ns == d.to_ns);
    assert_true(r->dropped_kernel == 3 && r->dropped_interface == 4);
    assert_same_stream(&d, r);
    assert_same_counts(&d, r);
    assert_same_blocks(&d, r);
}

static void a_stream_that_only_ended_has_no_times(void **state)
{
    static struct delta_scratch scratch;
    struct delta d = voice();
    (void)state;
    d.packets = d.bytes = d.unblocked = 0;
    d.mark_count = d.digest_count = 0;
    d.block_count = 0;
    d.ended = true;
    d.first_ns = d.last_ns = 0;
    d.ttl_lowest = d.ttl_highest = 0;
    d.jitter_ms = -1;
    const struct delta *r = round_trip(&d, &scratch);
    assert_true(r->ended && r->packets == 0 && r->first_ns == 0);
    assert_true(r->jitter_ms < 0);
    assert_same_stream(&d, r);
}

/* `from` of the message in `text` becomes `to`; the sentence, where that is refused. */
static void assert_refused(const struct delta *d, const char *from, const char *to, const char *why)
{
    static struct delta_scratch scratch;
    struct strbuf text = {0}, changed = {0};
    struct error error = {0};
    assert_int_equal(delta_write(d, &text), 0);
    const char *at = strstr(strbuf_text(&text), from);
    if (!at)
        fail_msg("%s is not in %s", from, strbuf_text(&text));
    strbuf_add(&changed, text.at, (size_t)(at - text.at));
    strbuf_adds(&changed, to);
    strbuf_adds(&changed, at + strlen(from));
    assert_int_equal(delta_read(strbuf_text(&changed), changed.len, &scratch, &error), ERR_FORMAT);
    if (!strstr(error.text, why))
        fail_msg("%s, and not %s", error.text, why);
    strbuf_done(&text);
    strbuf_done(&changed);
}

/* Of a sensor that knows nothing of digests; and of one without packets, which has none. */
static void a_message_without_digests_can_be_read(void **state)
{
    static struct delta_scratch scratch;
    struct delta d = voice();
    struct strbuf text = {0};
    (void)state;
    d.digest_count = 0;
    assert_int_equal(delta_write(&d, &text), 0);
    assert_null(strstr(strbuf_text(&text), "digests"));
    strbuf_done(&text);
    assert_int_equal(round_trip(&d, &scratch)->digest_count, 0);
    d.packets = d.unblocked = 1;
    d.marks[0].packets = d.mark_count = 1;
    d.digest_count = 2;
    assert_refused(&d, "\"digests\": [0", "\"digests\": [0", "one a packet");
}

static void the_end_of_an_interval_is_read_as_it_was_written(void **state)
{
    static struct delta_scratch scratch;
    struct delta d = interval_end();
    const struct delta *r = round_trip(&d, &scratch);
    (void)state;
    assert_int_equal(r->type, DELTA_INTERVAL);
    assert_true(r->deltas == 12 && r->frames == 100000 && r->unpublished == 5 && r->last);
    assert_true(r->partition == 31 && r->partitions == 32 && r->stream == 0 && r->dropped_kernel == 1);
}

static void ids_differ_where_what_is_told_does(void **state)
{
    struct delta d[7];
    char id[7][DELTA_ID_MAX];
    (void)state;
    for (unsigned i = 0; i < 5; i++)
        d[i] = voice();
    d[1].stream++;
    d[2].interval++;
    d[3].start_ns++;
    d[4].point[0] = 'd';
    d[5] = d[6] = interval_end();
    d[6].partition--;
    for (unsigned i = 0; i < 7; i++)
        delta_id(&d[i], id[i]);
    for (unsigned i = 0; i < 7; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(id[i], id[k]);
    assert_string_equal(id[0], "berlin cms-1:eth0 187a96ca5f930001 28 11"); /* python: hex(1763888000000000001) */
}

static void what_no_sensor_says_is_refused(void **state)
{
    struct delta d = voice(), i = interval_end();
    (void)state;
    assert_refused(&d, "delta/1", "delta/2", "qosmark.delta/1");
    assert_refused(&d, "\"type\": \"stream\"", "\"type\": \"strem\"", "type");
    assert_refused(&d, "\"site\": \"berlin\"", "\"site\": \"a.b\"", "site");
    assert_refused(&d, "\"site\": \"berlin\"", "\"site\": \"a/b\"", "site");
    assert_refused(&d, "\"site\": \"berlin\"", "\"site\": \">\"", "site");
    assert_refused(&d, "\"interval\": 40", "\"interval\": 41", "\"id\"");
    assert_refused(&d, "\"interval\": 40", "\"interval\": -1", "interval");
    assert_refused(&d, "\"stream\": 17", "\"stream\": 0", "stream");
    assert_refused(&d, "0xdeadbeef", "0xdeadbeeg", "ssrc");
    assert_refused(&d, "[111, 13]", "[111, 130]", "payload_types");
    assert_refused(&d, "[111, 13]", "[1, 2, 3, 4, 5, 6, 7, 8, 9]", "payload_types");
    assert_refused(&d, "\"packets\": 259", "\"packets\": 260", "count differently");
    assert_refused(&d, "{\"dscp\": 0, \"packets\": 7}", "{\"dscp\": 46, \"packets\": 7}", "twice");
    assert_refused(&d, "{\"dscp\": 0, \"packets\": 7}", "{\"dscp\": 64, \"packets\": 7}", "63");
    assert_refused(&d, "\"lowest\": 61", "\"lowest\": 63", "hop limit");
    assert_refused(&d, "[0, 7, 4294967295]", "[0, 7, 4294967296]", "digests");
    assert_refused(&d, "[0, 7, 4294967295]", "[7, 7, 4294967295]", "digests");
    assert_refused(&d, "[0, 7, 4294967295]", "[7, 0]", "digests");
    assert_refused(&d, "[0, 7, 4294967295]", "[-1]", "digests");
    assert_refused(&d, "[0, 7, 4294967295]", "[1.5]", "digests");
    assert_refused(&d, "[0, 7, 4294967295]", "[1, 2, 3, 4, 5]", "digests");
    assert_refused(&d, "[0, 7, 4294967295]", "\"0\"", "digests");
    assert_refused(&d, "\"number\": 258", "\"number\": 259", "anchor");
    assert_refused(&d, "\"sequence\": 768", "\"sequence\": 769", "anchor");
    assert_refused(&d, "\"packets\": 2, \"seen\"", "\"packets\": 3, \"seen\"", "seen");
    assert_refused(&d, "\"other\": 1", "\"other\": 2", "add up");
    assert_refused(&d, "0123456789abcdef\", \"began\"", "0123456789abcde\", \"began\"", "call");
    assert_refused(&i, "\"partition\": 31", "\"partition\": 32", "partition");
    assert_refused(&i, "\"to\": \"2025", "\"to\": \"2024", "before it begins");
}

static void read_prefix(void *user, const uint8_t *prefix, size_t len)
{
    static struct delta_scratch scratch;
    const size_t *whole = user;
    int r = delta_read((const char *)prefix, len, &scratch, NULL);
    assert_int_equal(r, len == *whole ? 0 : ERR_FORMAT);
}

static void every_beginning_of_a_message_is_refused(void **state)
{
    struct delta d = voice();
    struct strbuf text = {0};
    (void)state;
    assert_int_equal(delta_write(&d, &text), 0);
    for_each_prefix((const uint8_t *)text.at, text.len, read_prefix, &text.len);
    strbuf_done(&text);
}

static void a_message_of_any_size_that_may_be_sent_can_be_read(void **state)
{
    static struct delta_block blocks[DELTA_BLOCKS_MAX];
    static struct delta_scratch scratch;
    struct delta d = voice();
    struct strbuf text = {0};
    (void)state;
    for (size_t i = 0; i < DELTA_BLOCKS_MAX; i++) {
        blocks[i] = (struct delta_block){.number = ((uint64_t)1 << 40) + i,
                                         .anchor_ns = d.from_ns,
                                         .anchor_rtp = UINT32_MAX,
                                         .anchor_sequence = (uint16_t)(i % 256 * 256 + 255),
                                         .packets = 255,
                                         .copies = UINT32_MAX,
                                         .late = true,
                                         .marks = {{63, 50}, {62, 50}, {61, 50}, {60, 50}},
                                         .mark_count = 4,
                                         .other = 55};
        memset(blocks[i].seen, 0xff, sizeof blocks[i].seen);
        blocks[i].seen[0] = 0xfe;
    }
    d.blocks = blocks;
    d.block_count = DELTA_BLOCKS_MAX;
    assert_int_equal(delta_write(&d, &text), 0);
    assert_true(text.len <= DELTA_BYTES_MAX);
    strbuf_done(&text);
    assert_same_blocks(&d, round_trip(&d, &scratch));
}

static void names_are_what_a_subject_can_hold(void **state)
{
    (void)state;
    assert_true(delta_name_is_good("wan-a:eth0"));
    assert_true(delta_name_is_good("A_1"));
    assert_true(delta_name_is_good("a/b"));
    assert_true(delta_site_is_good("A_1"));
    assert_false(delta_site_is_good("a/b"));
    assert_false(delta_site_is_good("a.b"));
    assert_false(delta_name_is_good(""));
    assert_false(delta_name_is_good("a.b"));
    assert_false(delta_name_is_good("*"));
    assert_false(delta_name_is_good("a b"));
    assert_false(delta_name_is_good("m\xc3\xbcnchen"));
    assert_false(delta_name_is_good("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_read_as_it_was_written),
        cmocka_unit_test(a_stream_that_only_ended_has_no_times),
        cmocka_unit_test(a_message_without_digests_can_be_read),
        cmocka_unit_test(the_end_of_an_interval_is_read_as_it_was_written),
        cmocka_unit_test(ids_differ_where_what_is_told_does),
        cmocka_unit_test(what_no_sensor_says_is_refused),
        cmocka_unit_test(every_beginning_of_a_message_is_refused),
        cmocka_unit_test(a_message_of_any_size_that_may_be_sent_can_be_read),
        cmocka_unit_test(names_are_what_a_subject_can_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

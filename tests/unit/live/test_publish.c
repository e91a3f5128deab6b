#include "testing.h"

#include <stdio.h>

#include "base/clock.h"
#include "fleet/delta.h"
#include "live/publish.h"
#include "stream/table.h"

static const int64_t T0 = 1767603600 * NS_PER_S; /* a multiple of ten seconds */

/* What came of it: sums, and each id once. */
struct told {
    struct hash_key key;
    uint64_t ids[10000];
    size_t count, streams, ends;
    uint64_t packets, announced;
    bool last;
    uint64_t newest;
};

static struct told told;

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool take(void *user, struct slice subject, struct slice id, struct slice body)
{
    static struct delta_scratch scratch;
    struct told *t = user;
    struct error error = {0};
    assert_true(slice_starts(subject, SLICE("qosmark.v1.")));
    if (delta_read(body.at, body.len, &scratch, &error) < 0)
        fail_msg("%s", error.text);
    assert_true(t->count < sizeof t->ids / sizeof t->ids[0]);
    t->ids[t->count++] = hash_bytes(&t->key, id.at, id.len);
    const struct delta *d = &scratch.delta;
    assert_true(d->interval >= t->newest && d->to_ns >= d->from_ns);
    t->newest = d->interval;
    t->packets += d->packets;
    t->streams += d->type == DELTA_STREAM;
    t->ends += d->type == DELTA_INTERVAL;
    t->announced += d->deltas;
    t->last = t->last || d->last;
    return true;
}

static void assert_each_id_once(void)
{
    qsort(told.ids, told.count, sizeof told.ids[0], by_value);
    for (size_t i = 1; i < told.count; i++)
        assert_true(told.ids[i] != told.ids[i - 1]);
}

struct sensor {
    struct stream_table *table;
    struct live_publish *publish;
    uint64_t sent;
};

static const char *const points[] = {"edge-1"};

static struct sensor sensor_new(int64_t idle_ns)
{
    struct stream_options streams = {.key = {1, 2}, .idle_ns = idle_ns};
    struct live_publish_options options = {.site = "berlin",
                                           .points = points,
                                           .point_count = 1,
                                           .idle_ns = idle_ns,
                                           .tell_max = 200,
                                           .start_ns = T0 + 1,
                                           .sink = take,
                                           .user = &told};
    told = (struct told){.key = {3, 4}};
    struct sensor s = {.table = stream_table_new(&streams), .publish = live_publish_new(&options)};
    assert_non_null(s.table);
    assert_non_null(s.publish);
    return s;
}

static void sensor_free(struct sensor *s)
{
    live_publish_free(s->publish);
    stream_table_free(s->table);
}

/* A packet of each of the 5-tuples from `from` to `until`. */
static void send(struct sensor *s, uint32_t from, uint32_t until, int64_t ns)
{
    for (uint32_t i = from; i < until; i++) {
        struct packet p = {.frame = s->sent + 1, .time_ns = T0 + ns, .ip_bytes = 100, .proto = PROTO_UDP};
        p.tos = 184;
        p.ttl = 60;
        p.layer_count = 1;
        p.ports_known = true;
        p.payload = (const uint8_t *)"x";
        p.payload_bytes = p.payload_wire_bytes = 1;
        uint32_t token;
        p.src.addr.version = p.dst.addr.version = 4;
        p.src.addr.bytes[2] = (uint8_t)(i >> 16);
        p.src.port = (uint16_t)i;
        p.dst.port = 9;
        stream_table_packets_to(s->table, &p, 1, &token);
        live_publish_packet(s->publish, token, &p);
        s->sent++;
    }
}

static void look(struct sensor *s, int64_t ns, bool last)
{
    struct live_point point = {.name = "edge-1", .packets = s->sent};
    struct document *d = document_new();
    assert_non_null(d);
    assert_int_equal(stream_table_export(s->table, d), 0);
    assert_int_equal(live_publish_look(s->publish, s->table, d, &point, T0 + ns, last), 0);
    document_free(d);
    assert_int_equal(stream_table_expire(s->table, T0 + ns), 0);
    stream_table_forget(s->table, stream_table_ended(s->table));
}

static void intervals_end_at_multiples_of_their_length(void **state)
{
    struct sensor s = sensor_new(0);
    (void)state;
    send(&s, 0, 10, NS_PER_S);
    look(&s, 9 * NS_PER_S, false);
    assert_int_equal(told.count, 0);
    look(&s, 10 * NS_PER_S, false);
    assert_true(told.streams == 10 && told.ends == 32 && told.packets == 10 && told.announced == 10);
    look(&s, 19 * NS_PER_S, false);
    assert_int_equal(told.ends, 32);
    look(&s, 20 * NS_PER_S, false);
    assert_true(told.streams == 10 && told.ends == 64); /* nothing came, and that is told too */
    look(&s, 21 * NS_PER_S, true);
    assert_true(told.last && told.ends == 96 && told.packets == 10);
    assert_each_id_once();
    sensor_free(&s);
}

static void many_streams_are_told_over_several_looks_and_each_packet_once(void **state)
{
    struct sensor s = sensor_new(0);
    int64_t ns = 10 * NS_PER_S;
    (void)state;
    send(&s, 0, 450, NS_PER_S);
    for (unsigned i = 0; i < 3; i++, ns += NS_PER_S / 2) {
        look(&s, ns, false);
        send(&s, 0, 450, ns); /* meanwhile they go on */
    }
    assert_true(told.ends == 32 && told.announced == 450 && told.streams == 450);
    look(&s, 20 * NS_PER_S, false);
    send(&s, 0, 450, 20 * NS_PER_S + 1);
    look(&s, 21 * NS_PER_S, true); /* in the middle of telling */
    assert_int_equal(told.packets, s.sent);
    assert_int_equal(told.announced, told.streams);
    assert_true(told.last);
    assert_each_id_once();
    sensor_free(&s);
}

/* Streams that leave the table sooner than an interval ends are told before. */
static void what_ends_early_is_told_in_time(void **state)
{
    struct sensor s = sensor_new(2 * NS_PER_S);
    (void)state;
    for (uint32_t i = 0; i < 60; i++) { /* a new stream each half second, whose place others take */
        send(&s, i, i + 1, i * NS_PER_S / 2);
        look(&s, i * NS_PER_S / 2, false);
    }
    look(&s, 31 * NS_PER_S, true);
    assert_int_equal(told.packets, 60);
    assert_int_equal(told.announced, told.streams);
    assert_int_equal(live_publish_stats(s.publish).lost, 0);
    assert_each_id_once();
    sensor_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_end_at_multiples_of_their_length),
        cmocka_unit_test(many_streams_are_told_over_several_looks_and_each_packet_once),
        cmocka_unit_test(what_ends_early_is_told_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

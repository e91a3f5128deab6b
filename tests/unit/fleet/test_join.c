#include "testing.h"

#include "seen.h"

/* One path: a, b and c, where the test says what happens to each packet on the way. */

struct path {
    struct world w;
    struct world_sensor a, b, c;
    struct world_stream sa, sb, sc;
    struct world_packet at_a[PACKETS], at_b[PACKETS], at_c[PACKETS];
    struct seen seen;
};

static struct path *path_new(void)
{
    struct path *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->a = sensor("a");
    p->b = sensor("b");
    p->c = sensor("c");
    p->b.phase_ns += 3 * NS_PER_S; /* nobody begins intervals together */
    p->b.from_ns = p->b.from_ns - 7 * NS_PER_S;
    p->c.phase_ns += 6 * NS_PER_S;
    p->c.from_ns = p->c.from_ns - 4 * NS_PER_S;
    p->sa = voice(64);
    p->sb = voice(62);
    p->sc = voice(60);
    send(p->at_a, PACKETS, 65000, 46, 0);
    send(p->at_b, PACKETS, 65000, 46, 5 * NS_PER_MS);
    send(p->at_c, PACKETS, 65000, 46, 9 * NS_PER_MS);
    return p;
}

static void path_run(struct path *p)
{
    world_see(&p->w, &p->a, &p->sa, p->at_a, PACKETS);
    world_see(&p->w, &p->b, &p->sb, p->at_b, PACKETS);
    world_see(&p->w, &p->c, &p->sc, p->at_c, PACKETS);
    world_present(&p->w, &p->a);
    world_present(&p->w, &p->b);
    world_present(&p->w, &p->c);
}

static void path_free(struct path *p)
{
    world_done(&p->w);
    free(p);
}

static void a_segment_that_bleaches_is_named_to_the_packet(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 0; i < PACKETS; i++)
        p->at_c[i].dscp = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(p->seen.count, 2);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b"), *bc = between(&p->seen, "s/b", "s/c");
    assert_non_null(ab);
    assert_non_null(bc);
    assert_int_equal(cell(ab, 46, 46), PACKETS);
    assert_int_equal(ab->stream.changed, 0);
    assert_int_equal(cell(bc, 46, 0), PACKETS);
    assert_int_equal(bc->stream.changed, PACKETS);
    assert_int_equal(ab->stream.lost + bc->stream.lost, 0);
    assert_true(ab->loss_known);
    assert_int_equal(ab->stream.way, COMPARE_FORWARD);
    assert_int_equal(ab->stream.way_by, COMPARE_WAY_TTL);
    assert_false(ab->stream.way_doubtful);
    assert_int_equal(ab->stream.traffic_class, CLASS_VOICE);
    assert_int_equal(ab->window_ns, T0 - T0 % WINDOW_NS);
    path_free(p);
}

static void neither_order_nor_repetition_of_messages_matters(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 500; i < 900; i++)
        p->at_b[i].ns = 0;
    for (size_t i = 1500; i < PACKETS; i++)
        p->at_c[i].dscp = 34;
    path_run(p);
    conclude(&p->w, &p->seen);
    struct seen *other = calloc(1, sizeof *other);
    struct join_sink sink = sink_of(other);
    struct join *j = new_join(NULL);
    for (size_t i = p->w.count; i-- > 0;) {
        take(j, &p->w, i);
        take(j, &p->w, (i * 7) % p->w.count);
    }
    assert_int_equal(join_counts(j).taken, p->w.count);
    assert_int_equal(join_counts(j).repeated, p->w.count);
    assert_int_equal(join_close(j, T0 + 100000 * NS_PER_S, &sink), 0);
    join_free(j);
    assert_int_equal(other->count, p->seen.count);
    for (size_t i = 0; i < other->count; i++) {
        struct strbuf x = {0}, y = {0};
        crossing_write_json(&p->seen.rows[i], &x);
        const struct crossing *same = NULL;
        for (size_t k = 0; k < other->count; k++)
            if (strcmp(other->rows[k].id, p->seen.rows[i].id) == 0)
                same = &other->rows[k];
        assert_non_null(same);
        crossing_write_json(same, &y);
        assert_string_equal(strbuf_text(&x), strbuf_text(&y));
        strbuf_done(&x);
        strbuf_done(&y);
    }
    free(other);
    path_free(p);
}

static void a_translator_does_not_part_a_stream(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sb.src = "192.0.2.1:40000";
    p->sc.src = "192.0.2.1:40000";
    for (size_t i = 0; i < PACKETS; i++)
        p->at_b[i].dscp = p->at_c[i].dscp = 10;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_non_null(ab);
    assert_true(ab->stream.translated);
    assert_int_equal(cell(ab, 46, 10), PACKETS);
    assert_false(between(&p->seen, "s/b", "s/c")->stream.translated);
    path_free(p);
}

/* b is started when the sequence numbers have gone round, so that it counts blocks from another begin. */
static void points_that_count_rounds_differently_agree(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 0; i < 600; i++)
        p->at_b[i].ns = 0; /* 65000 + 600 is past 65535 */
    for (size_t i = 0; i < PACKETS; i++)
        p->at_c[i].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.matched, PACKETS - 600);
    assert_int_equal(ab->stream.lost, 0);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], 600);
    path_free(p);
}

static void lost_packets_are_counted_one_by_one(void **state)
{
    (void)state;
    struct path *p = path_new();
    size_t lost = 0;
    for (size_t i = 100; i < PACKETS - 100; i += 83, lost++)
        p->at_b[i].ns = p->at_c[i].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b"), *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(ab->stream.lost, lost);
    assert_int_equal(ab->lost_by_dscp[46], lost);
    assert_int_equal(crossing_sent(ab).sent, PACKETS);
    assert_int_equal(crossing_sent(ab).lost, lost);
    assert_int_equal(ab->slice_ns, WINDOW_NS / CROSSING_SLICES);
    for (size_t i = 0; i < CROSSING_SLICES; i++) /* a minute of five */
        assert_int_equal(ab->slices[i].sent != 0, i * (uint64_t)ab->slice_ns < 70 * NS_PER_S);
    assert_int_equal(bc->stream.lost, 0);
    assert_int_equal(ab->stream.matched, PACKETS - lost);
    path_free(p);
}

static void what_is_seen_further_on_was_not_lost(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 100; i < PACKETS - 100; i += 2)
        p->at_b[i].ns = 0; /* the other half takes another link */
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(between(&p->seen, "s/a", "s/b")->stream.lost, 0);
    assert_int_equal(between(&p->seen, "s/b", "s/c")->stream.lost, 0);
    path_free(p);
}

static void drops_of_a_sensor_are_no_loss_of_the_network(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 1000; i < 1050; i++)
        p->at_b[i].ns = p->at_c[i].ns = 0;
    p->b.drop_at_ns = p->at_a[1000].ns;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.lost, 0);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], 50);
    path_free(p);
}

/* A block of half a second that b did not tell of: in a message that never came, or because nothing of it passed there.
 */
static void a_block_is_missing(bool message_missing, struct seen *seen)
{
    struct path *p = path_new();
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].ns = T0 + 10 * NS_PER_S + (int64_t)i * 2 * NS_PER_MS;
        p->at_b[i].ns = p->at_a[i].ns + 5 * NS_PER_MS;
        p->at_c[i].ns = 0;
    }
    path_run(p);
    for (size_t i = 0, done = 0; i < p->w.count && !done; i++) {
        struct world_message *m = &p->w.messages[i];
        if (m->delta.type != DELTA_STREAM || strcmp(m->delta.point, "b") != 0 || m->delta.block_count < 5)
            continue;
        memmove(&m->blocks[2], &m->blocks[3], (m->delta.block_count - 3) * sizeof m->blocks[0]);
        m->delta.block_count--;
        done = 1;
        for (size_t k = 0; message_missing && k < p->w.count; k++) {
            struct delta *d = &p->w.messages[k].delta;
            d->deltas += d->type == DELTA_INTERVAL && strcmp(d->point, "b") == 0 && d->from_ns == m->delta.from_ns;
        }
    }
    conclude(&p->w, seen);
    path_free(p);
}

static void messages_that_never_came_are_no_loss_of_the_network(void **state)
{
    (void)state;
    struct seen *seen = calloc(1, sizeof *seen);
    a_block_is_missing(true, seen);
    assert_int_equal(between(seen, "s/a", "s/b")->stream.lost, 0);
    assert_int_equal(between(seen, "s/a", "s/b")->unresolved[COMPARE_OUTSIDE], 256);
    a_block_is_missing(false, seen);
    assert_int_equal(between(seen, "s/a", "s/b")->stream.lost, 256);
    free(seen);
}

/* b is away for half a minute, and then counts from a new begin under a new start. */
static void a_sensor_that_was_away_has_not_seen_and_nothing_is_lost(void **state)
{
    (void)state;
    struct path *p = path_new();
    struct world_sensor again = p->b;
    p->b.to_ns = p->b.from_ns + 20 * NS_PER_S;
    again.from_ns = p->b.to_ns + 10 * NS_PER_S;
    again.start_ns = again.from_ns;
    path_run(p);
    world_see(&p->w, &again, &p->sb, p->at_b, PACKETS);
    world_present(&p->w, &again);
    size_t seen = 0;
    for (size_t i = 0; i < PACKETS; i++)
        seen += p->at_b[i].ns < p->b.to_ns || p->at_b[i].ns >= again.from_ns;
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.lost, 0);
    assert_int_equal(ab->stream.matched, seen);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], PACKETS - seen);
    for (size_t i = 0; i < p->seen.point_count; i++)
        if (strcmp(p->seen.point_names[i], "s/b") == 0)
            assert_int_equal(p->seen.points[i].starts, 2);
    path_free(p);
}

static void a_long_silence_at_a_point_may_be_another_way(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 1000; i < 1000 + 15 * PPS; i++)
        p->at_b[i].ns = p->at_c[i].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_true(ab->away >= 512); /* the blocks of which b saw nothing */
    assert_true(ab->stream.lost <= 2 * 255);
    assert_int_equal(ab->stream.lost + ab->away, 15 * PPS);
    path_free(p);
}

static void two_streams_of_one_ssrc_stay_apart(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sb.src = p->sc.src = "10.77.0.1:5000";
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_b[i].rtp += 1234567;
        p->at_c[i].rtp += 1234567;
        p->at_b[i].dscp = p->at_c[i].dscp = 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_null(between(&p->seen, "s/a", "s/b"));
    assert_null(between(&p->seen, "s/a", "s/c"));
    assert_non_null(between(&p->seen, "s/b", "s/c"));
    path_free(p);
}

static void one_point_alone_accuses_nobody(void **state)
{
    (void)state;
    struct path *p = path_new();
    world_see(&p->w, &p->a, &p->sa, p->at_a, PACKETS);
    world_present(&p->w, &p->a);
    world_present(&p->w, &p->b);
    conclude(&p->w, &p->seen);
    assert_int_equal(p->seen.count, 0);
    assert_int_equal(p->seen.point_count, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(p->seen.points[i].alone, strcmp(p->seen.point_names[i], "s/a") == 0);
    path_free(p);
}

static void clocks_that_differ_are_no_delay(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->b.clock_ns = 1700 * NS_PER_MS;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_true(ab->clock_known);
    assert_true(llabs(ab->offset_ns - 1705 * NS_PER_MS) < NS_PER_MS);
    uint64_t samples = 0;
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        samples += ab->delays[i];
    assert_true(samples >= PACKETS / 256 - 1);
    assert_int_equal(ab->delays[0], samples);
    assert_int_equal(p->seen.note_count, 0);
    path_free(p);
}

static void a_clock_that_is_set_is_noticed_and_is_no_delay(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 1500; i < PACKETS; i++)
        p->at_b[i].ns += 400 * NS_PER_MS; /* as b's clock shows it, in the middle */
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    for (size_t i = 20; i < CROSSING_DELAYS; i++)
        assert_int_equal(ab->delays[i], 0);
    assert_true(p->seen.note_count >= 1);
    assert_non_null(strstr(p->seen.notes[0], "400 ms"));
    assert_int_equal(ab->stream.lost, 0);
    path_free(p);
}

static void queues_are_delay(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 1000; i < 1600; i++)
        p->at_b[i].ns += 50 * NS_PER_MS;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    uint64_t late = 0;
    for (size_t i = 0; i < CROSSING_DELAYS; i++)
        late += crossing_bucket_ms(i) > 40 && crossing_bucket_ms(i) < 60 ? ab->delays[i] : 0;
    assert_true(late >= 2);
    path_free(p);
}

static void the_way_is_that_of_the_hop_limits(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sa.ttl = 60;
    p->sb.ttl = 62;
    p->sc.ttl = 64;
    send(p->at_c, PACKETS, 65000, 46, 0);
    send(p->at_b, PACKETS, 65000, 46, 5 * NS_PER_MS);
    send(p->at_a, PACKETS, 65000, 0, 9 * NS_PER_MS);
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.way, COMPARE_BACKWARD);
    assert_int_equal(cell(ab, 46, 0), PACKETS); /* before and after are those of the packet on its way */
    path_free(p);
}

static void equal_hop_limits_leave_the_order_unknown(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sb.ttl = 64;
    for (size_t i = 0; i < PACKETS; i++)
        p->at_b[i].dscp = p->at_c[i].dscp = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_non_null(ab);
    assert_true(ab->stream.way_doubtful);
    assert_int_equal(ab->stream.way_by, COMPARE_WAY_ASSUMED);
    path_free(p);
}

/* A relay sends from its own address, with a hop limit of its own: higher than what came in, and no way back. */
static void the_hop_limit_of_a_relay_tells_nothing(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sb = p->sc = voice(70);
    p->sb.src = p->sc.src = "10.9.0.1:40000"; /* where the packets of a went to */
    p->sb.dst = p->sc.dst = "10.6.0.1:40002";
    for (size_t i = 0; i < PACKETS; i++)
        p->at_b[i].dscp = p->at_c[i].dscp = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_non_null(between(&p->seen, "s/a", "s/b"));
    assert_true(between(&p->seen, "s/a", "s/b")->stream.way_doubtful);
    path_free(p);
}

static void a_topology_tells_who_is_beside_whom(void **state)
{
    (void)state;
    static const char yaml[] = "version: 1\npaths:\n  - name: x\n    points: [c, s/a, b]\n";
    struct topology *t = NULL;
    struct error error;
    struct path *p = path_new();
    assert_int_equal(topology_read(SLICE(yaml), "t.yaml", &t, &error), 0);
    p->sc.ttl = 66;
    path_run(p);
    conclude_with(&p->w, t, &p->seen);
    assert_int_equal(p->seen.count, 2);
    assert_non_null(between(&p->seen, "s/c", "s/a"));
    assert_int_equal(between(&p->seen, "s/a", "s/b")->stream.way, COMPARE_FORWARD);
    topology_free(t);
    path_free(p);
}

/* ---- without sequence numbers ---- */

static struct world_stream signaling(uint8_t ttl)
{
    return (struct world_stream){"10.0.0.1:5060", "10.9.0.1:5060", 0, ttl, 6, KIND_SIP, CLASS_SIGNALING};
}

static void without_numbers_a_change_of_all_packets_is_seen(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sa = signaling(64);
    p->sb = signaling(63);
    p->sc = signaling(62);
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].dscp = p->at_b[i].dscp = 26;
        p->at_c[i].dscp = 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(cell(between(&p->seen, "s/a", "s/b"), 26, 26), PACKETS);
    const struct crossing *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(cell(bc, 26, 0), PACKETS);
    assert_false(bc->loss_known);
    path_free(p);
}

/* The host begins to mark in the middle; b came in when it did. Nobody changed a mark. */
static void without_numbers_who_came_later_proves_nothing(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sa = signaling(64);
    p->sb = signaling(63);
    p->sc = signaling(62);
    for (size_t i = 0; i < PACKETS; i++)
        p->at_a[i].dscp = p->at_b[i].dscp = p->at_c[i].dscp = i < PACKETS / 2 ? 0 : 26;
    p->b.from_ns += 40 * NS_PER_S;
    path_run(p);
    conclude(&p->w, &p->seen);
    for (size_t i = 0; i < p->seen.count; i++)
        assert_int_equal(p->seen.rows[i].stream.changed, 0);
    path_free(p);
}

/* a saw the unmarked half, and b the marked one. */
static void without_numbers_two_times_are_no_change(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sa = signaling(64);
    p->sb = signaling(63);
    p->sc = signaling(62);
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].dscp = p->at_b[i].dscp = i < PACKETS / 2 ? 0 : 26;
        p->at_c[i].ns = 0;
        if (i < PACKETS / 2)
            p->at_b[i].ns = 0;
        else
            p->at_a[i].ns = 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b");
    assert_int_equal(ab->stream.changed, 0);
    assert_int_equal(ab->unresolved[COMPARE_OUTSIDE], PACKETS / 2);
    path_free(p);
}

static void without_numbers_one_strange_packet_proves_nothing(void **state)
{
    (void)state;
    struct path *p = path_new();
    p->sa = signaling(64);
    p->sb = signaling(63);
    p->sc = signaling(62);
    p->at_b[77].dscp = 0; /* a reset that something on the way sent */
    p->at_a[77].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(between(&p->seen, "s/a", "s/b")->stream.changed, 0);
    path_free(p);
}

/* ---- blocks with several marks ---- */

static void several_marks_on_both_sides_are_compared_only_where_counts_agree(void **state)
{
    (void)state;
    struct path *p = path_new();
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].dscp = i % 3 ? 46 : 0;
        p->at_b[i].dscp = i % 3 ? 46 : 0;
        p->at_c[i].dscp = i % 5 ? 46 : 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *ab = between(&p->seen, "s/a", "s/b"), *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(ab->stream.matched, PACKETS);
    assert_int_equal(ab->stream.changed, 0);
    assert_int_equal(bc->stream.matched, 0);
    assert_int_equal(bc->unresolved[COMPARE_MIXED], PACKETS);
    path_free(p);
}

static void a_mark_that_some_packets_lose_is_counted(void **state)
{
    (void)state;
    struct path *p = path_new();
    size_t bleached = 0;
    for (size_t i = 0; i < PACKETS; i += 7, bleached++)
        p->at_c[i].dscp = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    const struct crossing *bc = between(&p->seen, "s/b", "s/c");
    assert_int_equal(cell(bc, 46, 0), bleached);
    assert_int_equal(cell(bc, 46, 46), PACKETS - bleached);
    path_free(p);
}

/* ---- windows ---- */

/* A call of twelve minutes, seen at a and b: what collector x finishes and what y, who takes over from it, finds again
 * from x's checkpoint are together what an undisturbed one finds. */
static void who_takes_over_finds_the_same(void **state)
{
    (void)state;
    enum { LONG = 12 * 60 * PPS };
    struct world w = {0};
    struct world_sensor a = sensor("a"), b = sensor("b");
    struct world_stream sa = voice(64), sb = voice(60);
    struct world_packet *packets = calloc(LONG, sizeof *packets);
    a.to_ns = b.to_ns = T0 + 800 * NS_PER_S;
    send(packets, LONG, 100, 46, 0);
    world_see(&w, &a, &sa, packets, LONG);
    send(packets, LONG, 100, 0, 4 * NS_PER_MS);
    world_see(&w, &b, &sb, packets, LONG);
    world_present(&w, &a);
    world_present(&w, &b);
    free(packets);
    for (size_t i = 1; i < w.count; i++) /* as the bus has them */
        for (size_t k = i; k && w.messages[k].stored_ns < w.messages[k - 1].stored_ns; k--) {
            struct world_message m = w.messages[k];
            w.messages[k] = w.messages[k - 1];
            w.messages[k - 1] = m;
        }
    struct seen *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
    one->keep_all = two->keep_all = true;
    struct join_sink to_one = sink_of(one), to_two = sink_of(two);
    struct join *j = new_join(NULL), *x = new_join(NULL), *y = new_join(NULL);
    struct join_checkpoint kept = join_checkpoint(x);
    for (size_t i = 0; i < w.count; i++) {
        take(j, &w, i);
        assert_int_equal(join_close(j, w.messages[i].stored_ns, &to_one), 0);
    }
    assert_int_equal(join_close(j, T0 + 10000 * NS_PER_S, &to_one), 0);
    size_t killed = w.count * 3 / 5;
    for (size_t i = 0; i < killed; i++) {
        take(x, &w, i);
        assert_int_equal(join_close(x, w.messages[i].stored_ns, &to_two), 0);
        kept = join_checkpoint(x);
    }
    assert_true(kept.sequence > 1 && kept.sequence < killed);
    join_resume(y, &kept);
    for (size_t i = kept.sequence - 1; i < w.count; i++) {
        take(y, &w, i);
        assert_int_equal(join_close(y, w.messages[i].stored_ns, &to_two), 0);
    }
    assert_int_equal(join_close(y, T0 + 10000 * NS_PER_S, &to_two), 0);
    assert_true(one->count >= 3);
    assert_int_equal(one->count, two->count);
    for (size_t i = 0; i < one->count; i++) {
        assert_string_equal(one->rows[i].id, two->rows[i].id);
        assert_int_equal(one->rows[i].stream.matched, two->rows[i].stream.matched);
        assert_int_equal(cell(&one->rows[i], 46, 0), cell(&two->rows[i], 46, 0));
        assert_int_equal(one->rows[i].stream.lost, 0);
        assert_int_equal(one->rows[i].stream_id, one->rows[0].stream_id);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < one->count; i++)
        sum += one->rows[i].stream.matched;
    assert_int_equal(sum, LONG); /* no packet is in two windows, or in none */
    join_free(j);
    join_free(x);
    join_free(y);
    free(one);
    free(two);
    world_done(&w);
}

/* The last block begins before the window ends, and its last 75 packets come in the next one: nothing is left for that.
 */
static void a_stream_that_ends_after_the_begin_of_a_window_counts_once(void **state)
{
    (void)state;
    struct path *p = path_new();
    uint64_t sum = 0;
    p->seen.keep_all = true;
    p->a.to_ns = p->c.to_ns = T0 + 400 * NS_PER_S;
    p->b = p->a;
    p->b.point = "b"; /* as sensors do: intervals end with the windows */
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].ns += 231500 * NS_PER_MS;
        p->at_b[i].ns += 231500 * NS_PER_MS;
        p->at_c[i].ns = 0;
    }
    path_run(p);
    conclude(&p->w, &p->seen);
    for (size_t i = 0; i < p->seen.count; i++)
        sum += p->seen.rows[i].stream.matched;
    assert_int_equal(sum, PACKETS);
    path_free(p);
}

static void what_comes_when_its_window_is_closed_is_counted_and_changes_nothing(void **state)
{
    (void)state;
    struct path *p = path_new();
    path_run(p);
    struct join *j = new_join(NULL);
    struct join_sink sink = sink_of(&p->seen);
    assert_int_equal(join_close(j, T0 + 10000 * NS_PER_S, &sink), 0);
    take(j, &p->w, 0); /* in time when it was sent: whoever takes over reads it once more */
    assert_int_equal(join_counts(j).repeated, 1);
    assert_int_equal(join_counts(j).late, 0);
    assert_int_equal(join_take(j, &p->w.messages[0].delta, T0 + 10000 * NS_PER_S, 8), 0);
    assert_int_equal(join_counts(j).late, 1);
    assert_int_equal(join_streams_open(j), 0);
    struct delta ahead = p->w.messages[0].delta;
    ahead.from_ns += 100000 * NS_PER_S;
    ahead.to_ns += 100000 * NS_PER_S;
    assert_int_equal(join_take(j, &ahead, T0 + 10000 * NS_PER_S, 9), 0);
    assert_int_equal(join_counts(j).too_early, 1);
    join_free(j);
    path_free(p);
}

static void a_cap_is_kept_and_counted(void **state)
{
    (void)state;
    struct path *p = path_new();
    path_run(p);
    struct join_options o = {.key = {1, 2}, .window_ns = WINDOW_NS, .blocks_max = 4};
    struct join *j = join_new(&o);
    struct join_sink sink = sink_of(&p->seen);
    for (size_t i = 0; i < p->w.count; i++)
        take(j, &p->w, i);
    assert_true(join_counts(j).left_out > 0);
    assert_int_equal(join_look(j, &sink), 0);
    assert_true(p->seen.note_count >= 1);
    join_free(j);
    path_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_that_bleaches_is_named_to_the_packet),
        cmocka_unit_test(neither_order_nor_repetition_of_messages_matters),
        cmocka_unit_test(a_translator_does_not_part_a_stream),
        cmocka_unit_test(points_that_count_rounds_differently_agree),
        cmocka_unit_test(lost_packets_are_counted_one_by_one),
        cmocka_unit_test(what_is_seen_further_on_was_not_lost),
        cmocka_unit_test(drops_of_a_sensor_are_no_loss_of_the_network),
        cmocka_unit_test(messages_that_never_came_are_no_loss_of_the_network),
        cmocka_unit_test(a_sensor_that_was_away_has_not_seen_and_nothing_is_lost),
        cmocka_unit_test(a_long_silence_at_a_point_may_be_another_way),
        cmocka_unit_test(two_streams_of_one_ssrc_stay_apart),
        cmocka_unit_test(one_point_alone_accuses_nobody),
        cmocka_unit_test(clocks_that_differ_are_no_delay),
        cmocka_unit_test(a_clock_that_is_set_is_noticed_and_is_no_delay),
        cmocka_unit_test(queues_are_delay),
        cmocka_unit_test(the_way_is_that_of_the_hop_limits),
        cmocka_unit_test(equal_hop_limits_leave_the_order_unknown),
        cmocka_unit_test(a_topology_tells_who_is_beside_whom),
        cmocka_unit_test(without_numbers_a_change_of_all_packets_is_seen),
        cmocka_unit_test(without_numbers_who_came_later_proves_nothing),
        cmocka_unit_test(the_hop_limit_of_a_relay_tells_nothing),
        cmocka_unit_test(without_numbers_two_times_are_no_change),
        cmocka_unit_test(without_numbers_one_strange_packet_proves_nothing),
        cmocka_unit_test(several_marks_on_both_sides_are_compared_only_where_counts_agree),
        cmocka_unit_test(a_mark_that_some_packets_lose_is_counted),
        cmocka_unit_test(who_takes_over_finds_the_same),
        cmocka_unit_test(a_stream_that_ends_after_the_begin_of_a_window_counts_once),
        cmocka_unit_test(what_comes_when_its_window_is_closed_is_counted_and_changes_nothing),
        cmocka_unit_test(a_cap_is_kept_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

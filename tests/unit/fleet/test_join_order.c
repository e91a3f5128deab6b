#include "testing.h"

#include "path.h"

/* In which order points are passed, and when: hop limits, a topology, clocks. */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_that_differ_are_no_delay),
        cmocka_unit_test(a_clock_that_is_set_is_noticed_and_is_no_delay),
        cmocka_unit_test(queues_are_delay),
        cmocka_unit_test(the_way_is_that_of_the_hop_limits),
        cmocka_unit_test(equal_hop_limits_leave_the_order_unknown),
        cmocka_unit_test(the_hop_limit_of_a_relay_tells_nothing),
        cmocka_unit_test(a_topology_tells_who_is_beside_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

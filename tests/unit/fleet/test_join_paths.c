#include "testing.h"

#include "seen.h"

/* Packets that are seen at places which do not lie on one way: nothing is said of a segment that there is not. */

enum { STREAMS_MAX = 4 };

struct crowd {
    struct world w;
    struct world_sensor sensors[STREAMS_MAX];
    struct world_packet packets[PACKETS];
    struct seen seen;
};

static struct crowd *crowd_new(void)
{
    struct crowd *c = calloc(1, sizeof *c);
    assert_non_null(c);
    return c;
}

/* The stream at a point: marked so, so late; of each hundred packets `lost` are missing, other ones at each point. */
static void see(struct crowd *c, const struct world_sensor *s, const struct world_stream *st, dscp_t dscp,
                int64_t late_ms, size_t lost)
{
    send(c->packets, PACKETS, 100, dscp, late_ms * NS_PER_MS);
    for (size_t i = 100; i + 100 < PACKETS; i++)
        if ((i + (size_t)late_ms) % 100 < lost)
            c->packets[i].ns = 0;
    world_see(&c->w, s, st, c->packets, PACKETS);
}

static struct world_sensor at_site(const char *site, const char *point)
{
    struct world_sensor s = sensor(point);
    s.site = site;
    return s;
}

static void finish(struct crowd *c, const struct topology *t)
{
    conclude_with(&c->w, t, &c->seen);
    world_done(&c->w);
}

static struct world_stream leg(uint8_t ttl, const char *src, const char *dst)
{
    struct world_stream s = voice(ttl);
    s.src = src;
    s.dst = dst;
    return s;
}

/* A conference server sends the packets of a speaker to two listeners; on the way to one of them they lose their mark,
 * and both ways lose packets of their own. */
static void two_listeners_are_no_segment(void **state)
{
    (void)state;
    static const char server[] = "198.51.100.9:10000", first[] = "10.1.0.5:5000", second[] = "203.0.113.5:6000";
    for (int edge = 0; edge < 2; edge++) {
        for (int listeners_behind_one_address = 0; listeners_behind_one_address < 2; listeners_behind_one_address++) {
            const char *other = listeners_behind_one_address ? "10.1.0.5:5002" : second;
            struct crowd *c = crowd_new();
            struct world_sensor e = sensor("e"), one = at_site("berlin", "m"), two = at_site("paris", "m");
            struct world_stream to_one = leg(63, server, first), to_two = leg(63, server, other);
            if (edge) {
                see(c, &e, &to_one, 46, 0, 0);
                see(c, &e, &to_two, 46, 0, 0);
            }
            to_one.ttl = 60;
            to_two.ttl = edge ? 61 : 58; /* the public address is behind the private one: no translator does that */
            see(c, &one, &to_one, 0, 5, 2);
            see(c, &two, &to_two, 46, 9, 3);
            if (edge)
                world_present(&c->w, &e);
            world_present(&c->w, &one);
            world_present(&c->w, &two);
            finish(c, NULL);
            assert_int_equal(c->seen.count, edge ? 2 : 0);
            for (size_t i = 0; i < c->seen.point_count; i++)
                assert_int_equal(c->seen.points[i].alone, edge ? 0 : 1);
            if (edge) {
                const struct crossing *x = between(&c->seen, "berlin/m", "s/e"),
                                      *y = between(&c->seen, "paris/m", "s/e");
                assert_int_equal(cell(x, 46, 0), x->stream.matched);
                assert_int_equal(y->stream.changed, 0);
                assert_int_equal(x->stream.lost,
                                 2 * (PACKETS / 100 - 2)); /* what the other listener got is lost here */
                assert_int_equal(y->stream.lost, 3 * (PACKETS / 100 - 2));
            }
            free(c);
        }
    }
}

/* What comes in, and what goes out to two: three ways. */
static void what_a_server_gets_and_sends_are_ways_of_their_own(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    struct world_sensor in = at_site("in", "m"), one = at_site("berlin", "m"), two = at_site("paris", "m");
    struct world_stream speaker = leg(62, "10.7.0.1:4000", "198.51.100.9:10000"),
                        first = leg(60, "198.51.100.9:10000", "10.1.0.5:5000"),
                        second = leg(61, "198.51.100.9:10000", "10.2.0.5:5000");
    see(c, &in, &speaker, 46, 0, 0);
    see(c, &one, &first, 0, 5, 2);
    see(c, &two, &second, 34, 9, 3);
    world_present(&c->w, &in);
    world_present(&c->w, &one);
    world_present(&c->w, &two);
    finish(c, NULL);
    assert_int_equal(c->seen.count, 0);
    free(c);
}

static void multicast_forks(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    struct world_sensor one = at_site("berlin", "m"), two = at_site("paris", "m");
    struct world_stream first = leg(62, "10.7.0.1:4000", "239.1.1.1:5000"), second = first;
    second.ttl = 60;
    see(c, &one, &first, 0, 5, 2);
    see(c, &two, &second, 46, 9, 3);
    world_present(&c->w, &one);
    world_present(&c->w, &two);
    finish(c, NULL);
    assert_int_equal(c->seen.count, 0);
    free(c);
}

/* A device that begins each call with the same SSRC, numbers and time calls two others. */
static void calls_that_begin_alike_are_no_segment(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    struct world_sensor a = sensor("a"), b = sensor("b"), d = sensor("d");
    struct world_stream first = leg(64, "10.0.0.1:5000", "10.1.0.5:5000"),
                        second = leg(64, "10.0.0.1:5000", "10.2.0.5:7000");
    see(c, &a, &first, 46, 0, 0);
    see(c, &a, &second, 46, 3000, 0);
    first.ttl = 62;
    second.ttl = 61;
    see(c, &b, &first, 0, 5, 0);
    see(c, &d, &second, 46, 3005, 2);
    world_present(&c->w, &a);
    world_present(&c->w, &b);
    world_present(&c->w, &d);
    finish(c, NULL);
    assert_int_equal(c->seen.count, 2);
    assert_non_null(between(&c->seen, "s/a", "s/b"));
    assert_non_null(between(&c->seen, "s/a", "s/d"));
    assert_int_equal(between(&c->seen, "s/a", "s/b")->stream.lost, 0);
    free(c);
}

/* From outside to a host behind a translator, which is a point itself. */
static void a_translated_destination_is_one_way(void **state)
{
    (void)state;
    static const char peer[] = "198.51.100.9:5000", outside[] = "203.0.113.4:7777", inside[] = "192.168.1.7:6000";
    struct crowd *c = crowd_new();
    struct world_sensor wan = sensor("wan"), gw = sensor("gw"), lan = sensor("lan");
    struct world_stream steps[] = {leg(60, peer, outside), leg(59, peer, outside), leg(58, peer, inside),
                                   leg(57, peer, inside)};
    see(c, &wan, &steps[0], 46, 0, 0);
    see(c, &gw, &steps[1], 46, 1, 0);
    see(c, &gw, &steps[2], 46, 1, 0);
    see(c, &lan, &steps[3], 0, 2, 3);
    world_present(&c->w, &wan);
    world_present(&c->w, &gw);
    world_present(&c->w, &lan);
    finish(c, NULL);
    const struct crossing *x = between(&c->seen, "s/gw", "s/lan");
    assert_non_null(between(&c->seen, "s/gw", "s/wan"));
    assert_non_null(x);
    assert_int_equal(x->stream.way, COMPARE_FORWARD);
    assert_int_equal(cell(x, 46, 0), x->stream.matched);
    assert_int_equal(x->stream.lost, 3 * (PACKETS / 100 - 2));
    free(c);
}

/* A phone in each of two offices that have the same private addresses, and one server: without more than counts and hop
 * limits, which may be anything. */
static void one_private_address_may_be_two_hosts(void **state)
{
    (void)state;
    static const uint8_t ttls[][2] = {{64, 64}, {128, 64}, {64, 128}, {64, 63}};
    for (size_t i = 0; i < 4; i++) {
        struct crowd *c = crowd_new();
        struct world_sensor one = at_site("berlin", "lan"), two = at_site("paris", "lan");
        struct world_stream phone = {"192.168.1.10:5060", "203.0.113.5:5060", 0, 0, 17, KIND_SIP, CLASS_SIGNALING};
        phone.ttl = ttls[i][0];
        see(c, &one, &phone, 24, 0, 0);
        phone.ttl = ttls[i][1];
        see(c, &two, &phone, 0, 700, 0);
        world_present(&c->w, &one);
        world_present(&c->w, &two);
        finish(c, NULL);
        assert_int_equal(c->seen.count, 1);
        assert_int_equal(c->seen.rows[0].stream.changed, 0);
        assert_int_equal(c->seen.rows[0].unresolved[COMPARE_UNPROVEN], PACKETS);
        free(c);
    }
}

static struct topology *topology_of(const char *yaml)
{
    struct topology *t = NULL;
    struct error error;
    assert_int_equal(topology_read(slice_make(yaml, strlen(yaml)), "t.yaml", &t, &error), 0);
    return t;
}

/* "edge" alone is a point in berlin and one in paris: neither is meant. */
static void a_name_that_two_sites_have_is_no_place_in_a_path(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    struct topology *t = topology_of("version: 1\npaths:\n  - points: [edge, core]\n");
    struct world_sensor berlin = at_site("berlin", "edge"), core = at_site("hq", "core"),
                        paris = at_site("paris", "edge");
    struct world_stream first = voice(64), second = voice(62), third = voice(60);
    see(c, &berlin, &first, 46, 0, 0);
    see(c, &core, &second, 46, 5, 0);
    see(c, &paris, &third, 0, 9, 0);
    world_present(&c->w, &berlin);
    world_present(&c->w, &core);
    world_present(&c->w, &paris);
    finish(c, t);
    assert_int_equal(c->seen.count, 0);
    topology_free(t);
    free(c);
}

/* c is behind b, and the file has it before. */
static void a_topology_that_hop_limits_contradict_is_noted(void **state)
{
    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        struct crowd *c = crowd_new();
        struct topology *t = topology_of(wrong ? "version: 1\npaths:\n  - points: [a, c, b]\n"
                                               : "version: 1\npaths:\n  - points: [c, b, a]\n");
        struct world_sensor at[] = {sensor("a"), sensor("b"), sensor("c")};
        for (uint8_t i = 0; i < 3; i++) {
            struct world_stream st = voice((uint8_t)(64 - i));
            see(c, &at[i], &st, 46, i, 0);
        }
        for (size_t i = 0; i < 3; i++)
            world_present(&c->w, &at[i]);
        finish(c, t);
        assert_int_equal(c->seen.count, 2);
        assert_int_equal(c->seen.note_count, wrong);
        if (wrong)
            assert_non_null(strstr(c->seen.notes[0], "the order of s/c and s/b on the path"));
        topology_free(t);
        free(c);
    }
}

/* Multicast forks behind a: of the two ways one is followed, and the other one is not passed over in silence. Nor are
 * points of which a topology knows nothing. */
static void points_beside_the_path_are_noted(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        size_t rows, notes;
    } cases[] = {{"version: 1\npaths:\n  - points: [a, b]\n  - points: [a, c]\n", 1, 1},
                 {"version: 1\npaths:\n  - points: [a, b, c]\n", 2, 0},
                 {"version: 1\npaths:\n  - points: [x, y]\n", 0, 3}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct crowd *c = crowd_new();
        struct topology *t = topology_of(cases[k].yaml);
        struct world_sensor at[] = {sensor("a"), sensor("b"), sensor("c")};
        for (uint8_t i = 0; i < 3; i++) {
            struct world_stream st = leg((uint8_t)(64 - i), "10.0.0.1:5000", "239.1.1.1:5004");
            see(c, &at[i], &st, 46, i, 0);
        }
        for (size_t i = 0; i < 3; i++)
            world_present(&c->w, &at[i]);
        finish(c, t);
        assert_int_equal(c->seen.count, cases[k].rows);
        assert_int_equal(c->seen.note_count, cases[k].notes);
        if (k == 0)
            assert_non_null(strstr(c->seen.notes[0], "s/c saw streams that other points saw too"));
        topology_free(t);
        free(c);
    }
}

/* b saw nothing of one whole round of sequence numbers, and cannot know that it did not. The host has another mark by
 * then. `gaps`: b lacks the first packet of each block, too. */
static void see_another_round(bool gaps)
{
    enum { ONE = 256, ALL = 600, ROUND = 65536 };
    struct crowd *c = crowd_new();
    struct world_sensor a = sensor("a"), b = sensor("b");
    struct world_stream first = voice(64), second = voice(62);
    for (size_t i = 0; i < ALL; i++)
        c->packets[i] = (struct world_packet){T0 + 10 * NS_PER_S + (int64_t)i * NS_PER_MS, (uint16_t)i,
                                              (uint32_t)(77777 + 160 * i), 46};
    world_see(&c->w, &a, &first, c->packets, ALL);
    for (size_t i = 0; i < ALL; i++)
        c->packets[i] =
            (struct world_packet){T0 + 10 * NS_PER_S + (int64_t)(i < ONE ? i : i + ROUND) * NS_PER_MS, (uint16_t)i,
                                  (uint32_t)(77777 + 160 * (i < ONE ? i : i + ROUND)), i < ONE ? 46 : 0};
    for (size_t i = ONE; gaps && i < ALL; i += ONE)
        c->packets[i].ns = 0;
    world_see(&c->w, &b, &second, c->packets, ALL);
    world_present(&c->w, &a);
    world_present(&c->w, &b);
    finish(c, NULL);
    assert_int_equal(c->seen.count, 1);
    assert_int_equal(c->seen.rows[0].stream.matched, ONE);
    assert_int_equal(c->seen.rows[0].stream.changed, 0);
    assert_int_equal(c->seen.rows[0].stream.lost, 0);
    assert_int_equal(c->seen.rows[0].unresolved[COMPARE_OUTSIDE], ALL - ONE);
    free(c);
}

static void another_round_of_numbers_is_not_compared(void **state)
{
    (void)state;
    see_another_round(false);
    see_another_round(true);
}

/* Each side of a relay is a path of the file: neither is left out for the other one. */
static void paths_on_both_sides_of_a_relay_are_judged(void **state)
{
    (void)state;
    struct crowd *c = crowd_new();
    struct topology *t = topology_of("version: 1\npaths:\n  - points: [a, b]\n  - points: [c, d]\n");
    struct world_sensor at[] = {sensor("a"), sensor("b"), sensor("c"), sensor("d")};
    for (uint8_t i = 0; i < 4; i++) {
        struct world_stream st =
            i < 2 ? voice((uint8_t)(64 - i)) : leg((uint8_t)(70 - i), "10.9.0.1:40000", "10.6.0.1:40002");
        see(c, &at[i], &st, i == 3 ? 0 : 46, i, 0);
    }
    for (size_t i = 0; i < 4; i++)
        world_present(&c->w, &at[i]);
    finish(c, t);
    assert_int_equal(c->seen.count, 2);
    assert_int_equal(between(&c->seen, "s/a", "s/b")->stream.matched, PACKETS);
    assert_int_equal(between(&c->seen, "s/c", "s/d")->stream.changed, PACKETS);
    topology_free(t);
    free(c);
}

/* Two numbers that no host sent, and b counts its blocks a round further on: what a saw since then has no block there.
 */
static void a_stray_number_is_no_loss(void **state)
{
    (void)state;
    enum { UNTIL = 300, ALL = 1200 };
    struct crowd *c = crowd_new();
    struct world_sensor a = sensor("a"), b = sensor("b");
    struct world_stream first = voice(64), second = voice(62);
    send(c->packets, ALL, 0, 46, 0);
    world_see(&c->w, &a, &first, c->packets, ALL);
    memmove(&c->packets[UNTIL + 2], &c->packets[UNTIL], (ALL - UNTIL) * sizeof *c->packets);
    for (size_t i = UNTIL; i < UNTIL + 2; i++) {
        c->packets[i] = c->packets[UNTIL - 1];
        c->packets[i].sequence = (uint16_t)(UNTIL + 20000 * (i - UNTIL + 1));
    }
    world_see(&c->w, &b, &second, c->packets, ALL + 2);
    world_present(&c->w, &a);
    world_present(&c->w, &b);
    finish(c, NULL);
    assert_int_equal(c->seen.count, 1);
    assert_true(c->seen.rows[0].stream.matched >= UNTIL);
    assert_int_equal(c->seen.rows[0].stream.lost, 0);
    assert_int_equal(c->seen.rows[0].away, 0);
    assert_int_equal(c->seen.rows[0].unresolved[COMPARE_OUTSIDE], ALL - c->seen.rows[0].stream.matched);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_listeners_are_no_segment),
        cmocka_unit_test(what_a_server_gets_and_sends_are_ways_of_their_own),
        cmocka_unit_test(multicast_forks),
        cmocka_unit_test(calls_that_begin_alike_are_no_segment),
        cmocka_unit_test(a_translated_destination_is_one_way),
        cmocka_unit_test(one_private_address_may_be_two_hosts),
        cmocka_unit_test(another_round_of_numbers_is_not_compared),
        cmocka_unit_test(a_stray_number_is_no_loss),
        cmocka_unit_test(paths_on_both_sides_of_a_relay_are_judged),
        cmocka_unit_test(a_name_that_two_sites_have_is_no_place_in_a_path),
        cmocka_unit_test(a_topology_that_hop_limits_contradict_is_noted),
        cmocka_unit_test(points_beside_the_path_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

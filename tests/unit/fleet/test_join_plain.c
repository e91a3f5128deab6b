#include "testing.h"

#include "path.h"

/* Streams without sequence numbers: only counts can be compared. */

static struct world_stream signaling(uint8_t ttl)
{
    return (struct world_stream){"10.0.0.1:5060", "10.9.0.1:5060", 0, ttl, 6, KIND_SIP, CLASS_SIGNALING};
}

static struct path *signaling_path(void)
{
    struct path *p = path_new();
    p->sa = signaling(64);
    p->sb = signaling(63);
    p->sc = signaling(62);
    return p;
}

static void without_numbers_a_change_of_all_packets_is_seen(void **state)
{
    (void)state;
    struct path *p = signaling_path();
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
    struct path *p = signaling_path();
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
    struct path *p = signaling_path();
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
    struct path *p = signaling_path();
    p->at_b[77].dscp = 0; /* a reset that something on the way sent */
    p->at_a[77].ns = 0;
    path_run(p);
    conclude(&p->w, &p->seen);
    assert_int_equal(between(&p->seen, "s/a", "s/b")->stream.changed, 0);
    path_free(p);
}

/* What numbered streams tell of the clocks holds for the others, both ways. */
static void without_numbers_clocks_that_differ_are_known_from_media(void **state)
{
    (void)state;
    for (int with_media = 0; with_media < 2; with_media++) {
        struct path *p = path_new();
        struct world_stream there = signaling(64), there_b = signaling(63);
        struct world_stream back_b = {"10.9.0.1:5070", "10.0.0.1:5070", 0, 64, 17, KIND_SIP, CLASS_SIGNALING};
        struct world_stream back_a = back_b;
        back_a.ttl = 63;
        p->b.clock_ns = 25 * NS_PER_S;
        p->b.from_ns = p->a.from_ns = T0 - 30 * NS_PER_S;
        struct world_packet late[PACKETS];
        memcpy(late, p->at_a, sizeof late);
        for (size_t i = 0; i < PACKETS; i++)
            late[i].ns += 5 * NS_PER_MS;
        world_see(&p->w, &p->a, &there, p->at_a, PACKETS);
        world_see(&p->w, &p->b, &there_b, p->at_b, PACKETS);
        world_see(&p->w, &p->b, &back_b, p->at_a, PACKETS);
        world_see(&p->w, &p->a, &back_a, late, PACKETS);
        if (with_media) {
            world_see(&p->w, &p->a, &p->sa, p->at_a, PACKETS);
            world_see(&p->w, &p->b, &p->sb, p->at_b, PACKETS);
        }
        world_present(&p->w, &p->a);
        world_present(&p->w, &p->b);
        conclude(&p->w, &p->seen);
        unsigned plain = 0;
        for (size_t i = 0; i < p->seen.count; i++) {
            const struct crossing *c = &p->seen.rows[i];
            if (c->stream.kind != KIND_SIP)
                continue;
            plain++;
            assert_int_equal(c->stream.matched, with_media ? PACKETS : 0);
            assert_int_equal(c->unresolved[COMPARE_OUTSIDE], with_media ? 0 : PACKETS);
        }
        assert_int_equal(plain, 2);
        path_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_numbers_a_change_of_all_packets_is_seen),
        cmocka_unit_test(without_numbers_who_came_later_proves_nothing),
        cmocka_unit_test(without_numbers_two_times_are_no_change),
        cmocka_unit_test(without_numbers_one_strange_packet_proves_nothing),
        cmocka_unit_test(without_numbers_clocks_that_differ_are_known_from_media),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

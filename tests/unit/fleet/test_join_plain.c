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

/* ---- private addresses that two sites have ---- */

/* What two points of two sites saw. */
struct two_sites {
    const char *dst;
    uint8_t proto;
    enum kind kind;
    uint32_t near, far; /* connections */
    const char *far_site;
    const char *topology;
    bool joined;
};

static void two_sites(const struct two_sites *x)
{
    struct path *p = path_new();
    struct world_stream near = {"192.168.1.10:5060", x->dst, 0, 64, x->proto, x->kind, CLASS_SIGNALING};
    struct world_stream far = near;
    struct topology *t = NULL;
    struct error error;
    far.ttl = 63;
    p->a.site = "berlin";
    p->b.site = x->far_site ? x->far_site : "paris";
    for (size_t i = 0; i < PACKETS; i++) {
        p->at_a[i].dscp = 26;
        p->at_b[i].dscp = 0;
    }
    world_see_connection(&p->w, &p->a, &near, x->near, p->at_a, PACKETS);
    world_see_connection(&p->w, &p->b, &far, x->far, p->at_b, PACKETS);
    world_present(&p->w, &p->a);
    world_present(&p->w, &p->b);
    if (x->topology)
        assert_int_equal(topology_read(slice_make(x->topology, strlen(x->topology)), "t.yaml", &t, &error), 0);
    conclude_with(&p->w, t, &p->seen);
    assert_int_equal(p->seen.count, 1);
    assert_int_equal(p->seen.rows[0].stream.changed, x->joined ? PACKETS : 0);
    assert_int_equal(p->seen.rows[0].unresolved[COMPARE_UNPROVEN], x->joined ? 0 : PACKETS);
    assert_false(p->seen.rows[0].loss_known);
    topology_free(t);
    path_free(p);
}

static void packets_that_both_saw_make_it_one_stream(void **state)
{
    (void)state;
    static const struct two_sites cases[] = {
        {"203.0.113.5:5060", 6, KIND_SIP, 1, 2, NULL, NULL, false}, /* two hosts; or a proxy between */
        {"203.0.113.5:5060", 6, KIND_SIP, 1, 1, NULL, NULL, true},
        {"10.1.1.1:5060", 6, KIND_SIP, 1, 2, NULL, NULL, false},
        {"203.0.113.5:5222", 6, KIND_XMPP_CLIENT, 1, 1, NULL, NULL, true},
        {"203.0.113.5:5060", 17, KIND_SIP, 1, 2, NULL, NULL, false},
        {"203.0.113.5:5060", 17, KIND_SIP, 1, 1, NULL, NULL, true},
        {"203.0.113.5:3478", 17, KIND_STUN, 1, 1, NULL, NULL, true},
        {"203.0.113.5:9999", 17, KIND_OTHER, 1, 1, NULL, NULL, false}, /* twins say the same */
        {"203.0.113.5:5060", 6, KIND_SIP, 0, 0, NULL, NULL, false},    /* sensors that tell no digests */
        {"203.0.113.5:5060", 6, KIND_SIP, 1, 0, NULL, NULL, false},
        {"203.0.113.5:5060", 6, KIND_SIP, 0, 0, "berlin", NULL, true},
        {"203.0.113.5:5060", 6, KIND_SIP, 1, 2, NULL, "version: 1\npaths:\n  - points: [a, b]\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        two_sites(&cases[i]);
}

/* A message that both repeat is no proof; two are. */
static void one_packet_alike_proves_nothing(void **state)
{
    (void)state;
    for (unsigned alike = 0; alike < 3; alike++) {
        struct path *p = path_new();
        struct world_stream near = {"192.168.1.10:5060", "203.0.113.5:5060", 0, 64, 6, KIND_SIP, CLASS_SIGNALING};
        struct world_stream far = near;
        far.ttl = 63;
        p->a.site = "berlin";
        p->b.site = "paris";
        world_see_connection(&p->w, &p->a, &near, 7, p->at_a, PACKETS);
        world_see_connection(&p->w, &p->b, &far, 8, p->at_b, PACKETS);
        for (size_t i = 0; i < p->w.count; i++) {
            struct delta *d = &p->w.messages[i].delta;
            for (unsigned k = 0; k < alike; k++)
                digest_keep(d->digests, &d->digest_count, DELTA_DIGESTS_MAX, 100 + k);
        }
        world_present(&p->w, &p->a);
        world_present(&p->w, &p->b);
        conclude(&p->w, &p->seen);
        assert_int_equal(p->seen.count, 1);
        assert_int_equal(p->seen.rows[0].stream.matched, alike == 2 ? PACKETS : 0);
        path_free(p);
    }
}

/* Both sensors began in the middle of a connection; and one of them started again. */
static void sensors_that_began_in_the_middle_prove_it_too(void **state)
{
    (void)state;
    for (int again = 0; again < 2; again++) {
        struct path *p = path_new();
        struct world_stream near = {"192.168.1.10:5060", "203.0.113.5:5060", 0, 64, 6, KIND_SIP, CLASS_SIGNALING};
        struct world_stream far = near;
        struct world_sensor later = p->b;
        far.ttl = 63;
        p->a.site = "berlin";
        p->b.site = later.site = "paris";
        p->a.from_ns += 30 * NS_PER_S;
        p->b.from_ns += 40 * NS_PER_S;
        later.from_ns = p->b.to_ns = p->b.from_ns + (again ? 20 : 80) * NS_PER_S;
        later.to_ns = T0 + 120 * NS_PER_S;
        later.start_ns = later.from_ns;
        world_see_connection(&p->w, &p->a, &near, 7, p->at_a, PACKETS);
        world_see_connection(&p->w, &p->b, &far, 7, p->at_b, PACKETS);
        world_see_connection(&p->w, &later, &far, 7, p->at_b, PACKETS);
        world_present(&p->w, &p->a);
        world_present(&p->w, &p->b);
        world_present(&p->w, &later);
        conclude(&p->w, &p->seen);
        assert_int_equal(p->seen.count, 1);
        assert_int_equal(p->seen.rows[0].unresolved[COMPARE_UNPROVEN], 0);
        assert_true(p->seen.rows[0].stream.matched > PACKETS / 2);
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
        cmocka_unit_test(packets_that_both_saw_make_it_one_stream),
        cmocka_unit_test(one_packet_alike_proves_nothing),
        cmocka_unit_test(sensors_that_began_in_the_middle_prove_it_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

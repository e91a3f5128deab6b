#include "testing.h"

#include "probe/probe_loss.h"

enum { MOST = 400 };

/* A network and a reflector, by hand: packets of one flow, of which some are lost there and some on the way back. */
struct course {
    struct loss_probe probes[MOST];
    enum loss_way truth[MOST], ways[MOST];
    size_t n;
    int64_t forward, reverse;
};

enum reflector { STATELESS, PER_SESSION, PER_FLOW };

/* `fate` says of each packet: '.' answered, '>' lost there, '<' lost back. Sessions take turns in the flow. */
static void run(struct course *c, const char *fate, unsigned sessions, enum reflector kind)
{
    uint32_t counted[8] = {0}, in_session[8] = {0}, all = 0;
    *c = (struct course){.n = strlen(fate)};
    for (size_t i = 0; i < c->n; i++) {
        unsigned s = (unsigned)(i % sessions);
        struct loss_probe *p = &c->probes[i];
        p->sequence = (uint32_t)(i ? i + 1 : 0);
        p->flow_place = (uint32_t)i;
        p->session_place = in_session[s]++;
        if (fate[i] == '>') {
            c->truth[i] = LOSS_WAY_FORWARD;
            continue;
        }
        p->reflected = kind == STATELESS ? p->sequence : kind == PER_SESSION ? counted[s] : all;
        counted[s]++;
        all++;
        p->answered = fate[i] == '.';
        c->truth[i] = p->answered ? LOSS_WAY_NONE : LOSS_WAY_REVERSE;
        if (!p->answered)
            p->reflected = 0;
    }
}

static void the_way_of_counting_shows_also_where_nothing_is_lost(void **state)
{
    (void)state;
    struct course c;
    run(&c, "....", 1, STATELESS);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_NONE);
    run(&c, "....", 1, PER_SESSION);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_PER_SESSION);
    run(&c, "............", 3, PER_SESSION);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_PER_SESSION);
    run(&c, "............", 3, PER_FLOW);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_PER_FLOW);
}

/* A stateless reflector whose network loses replies looks like a stateful one to whoever leaves no gap in the numbers.
 */
static void a_stateless_reflector_is_told_from_one_that_loses_only_back(void **state)
{
    (void)state;
    struct course c;
    run(&c, ".<..<<..<.", 1, STATELESS);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_NONE);
    run(&c, ".<..<<..<.", 1, PER_SESSION);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_PER_SESSION);
}

static void one_reply_tells_nothing(void **state)
{
    (void)state;
    struct course c;
    run(&c, ".>>>", 1, PER_SESSION);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_UNKNOWN);
    run(&c, "<<<<", 1, PER_SESSION);
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_UNKNOWN);
}

static void numbers_out_of_nowhere_are_unknown(void **state)
{
    (void)state;
    struct course c;
    run(&c, "......", 1, PER_SESSION);
    for (size_t i = 0; i < c.n; i++)
        c.probes[i].reflected += 1000;
    assert_int_equal(loss_counting_of(c.probes, c.n), LOSS_COUNTING_UNKNOWN);
}

static void attribute(struct course *c)
{
    loss_attribute(c->probes, c->n, c->ways, &c->forward, &c->reverse);
}

static void single_losses_are_given_to_their_direction(void **state)
{
    (void)state;
    struct course c;
    run(&c, "..>..<...>>...<<..", 1, PER_SESSION);
    attribute(&c);
    assert_int_equal(c.forward, 3);
    assert_int_equal(c.reverse, 3);
    assert_memory_equal(c.ways, c.truth, c.n * sizeof c.ways[0]);
}

/* Of "><" between two replies it is known that one went each way, and not which. */
static void a_mixed_run_is_counted_and_not_attributed(void **state)
{
    (void)state;
    struct course c;
    run(&c, "..><.", 1, PER_SESSION);
    attribute(&c);
    assert_int_equal(c.forward, 1);
    assert_int_equal(c.reverse, 1);
    assert_int_equal(c.ways[2], LOSS_WAY_UNKNOWN);
    assert_int_equal(c.ways[3], LOSS_WAY_UNKNOWN);
}

static void losses_at_the_end_are_unknown(void **state)
{
    (void)state;
    struct course c;
    run(&c, "..>..<", 1, PER_SESSION);
    attribute(&c);
    assert_int_equal(c.forward, -1);
    assert_int_equal(c.reverse, -1);
    assert_int_equal(c.ways[5], LOSS_WAY_UNKNOWN);
    assert_int_equal(c.ways[2], LOSS_WAY_FORWARD);
}

/* Two packets change places before the reflector counts them; one other is lost each way. */
static void reordering_leaves_the_sums(void **state)
{
    (void)state;
    struct course c;
    run(&c, "....<...>..", 1, PER_SESSION);
    uint32_t swap = c.probes[1].reflected;
    c.probes[1].reflected = c.probes[2].reflected;
    c.probes[2].reflected = swap;
    attribute(&c);
    assert_int_equal(c.forward, 1);
    assert_int_equal(c.reverse, 1);
}

static void a_reflector_that_began_anew_leaves_it_unknown(void **state)
{
    (void)state;
    struct course c;
    run(&c, "..........", 1, PER_SESSION);
    for (size_t i = 5; i < c.n; i++)
        c.probes[i].reflected -= 5;
    attribute(&c);
    assert_int_equal(c.forward, -1);
    assert_int_equal(c.reverse, -1);
}

/* Whatever is lost, the sums are right where they are known, and no packet is given to the wrong direction. */
static void random_losses_are_never_given_to_the_wrong_direction(void **state)
{
    (void)state;
    uint64_t x = 3;
    for (int round = 0; round < 300; round++) {
        char fate[MOST + 1] = "";
        struct course c;
        size_t n = 20 + (size_t)round;
        int64_t forward = 0, reverse = 0;
        for (size_t i = 0; i < n; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            unsigned r = (unsigned)(x >> 33) % 10;
            fate[i] = r == 0 ? '>' : r == 1 ? '<' : '.';
        }
        fate[n - 1] = '.';
        for (size_t i = 0; i < n; i++) {
            forward += fate[i] == '>';
            reverse += fate[i] == '<';
        }
        run(&c, fate, 1, PER_SESSION);
        attribute(&c);
        assert_int_equal(c.forward, forward);
        assert_int_equal(c.reverse, reverse);
        for (size_t i = 0; i < n; i++)
            assert_true(c.ways[i] == c.truth[i] || c.ways[i] == LOSS_WAY_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_way_of_counting_shows_also_where_nothing_is_lost),
        cmocka_unit_test(a_stateless_reflector_is_told_from_one_that_loses_only_back),
        cmocka_unit_test(one_reply_tells_nothing),
        cmocka_unit_test(numbers_out_of_nowhere_are_unknown),
        cmocka_unit_test(single_losses_are_given_to_their_direction),
        cmocka_unit_test(a_mixed_run_is_counted_and_not_attributed),
        cmocka_unit_test(losses_at_the_end_are_unknown),
        cmocka_unit_test(reordering_leaves_the_sums),
        cmocka_unit_test(a_reflector_that_began_anew_leaves_it_unknown),
        cmocka_unit_test(random_losses_are_never_given_to_the_wrong_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

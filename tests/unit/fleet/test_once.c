#include "testing.h"

#include "held_up.h"

/*
 * However sensors and collectors are held up: no packet is counted twice. Packets go through real meters; their
 * messages come late, out of order and again; collectors look at any time, die, go on from an old checkpoint, and wake
 * up and write what another one has written since. What they write goes into a history with the rules of store/store.h,
 * and whatever the moment, no segment has more packets than both of its points saw.
 */

enum { SEEDS = 75 };

/* ---- the history: store/store.h ---- */

static bool *told_for_good(unsigned partition, int64_t window_ns)
{
    int64_t i = (window_ns - T0) / WINDOW_NS + 3;
    assert_in_range(i, 0, WINDOWS_MAX - 1);
    return &world.told[partition][i];
}

static int on_begin(void *user, int64_t window_ns, bool final)
{
    unsigned partition = *(const unsigned *)user;
    size_t n = 0;
    (void) final;
    world.refused = *told_for_good(partition, window_ns);
    for (size_t i = 0; i < world.row_count; i++)
        if (world.rows[i].final || world.rows[i].partition != partition || world.rows[i].window_ns != window_ns)
            world.rows[n++] = world.rows[i];
    world.row_count = n;
    return 0;
}

static unsigned point_of(const char *name)
{
    unsigned p = 0;
    while (strcmp(names[p], name) != 0)
        assert_true(++p < POINTS);
    return p;
}

static int on_crossing(void *user, const struct crossing *c)
{
    if (world.refused)
        return 0;
    size_t at = 0;
    while (at < world.row_count && strcmp(world.rows[at].id, c->id) != 0)
        at++;
    assert_true(at < ROWS_MAX);
    /* two rows of one key in one look: one of them would be lost */
    assert_true(at == world.row_count);
    world.row_count++;
    unsigned near = point_of(c->first), far = point_of(c->second);
    assert_true(near < far);
    struct row r = {.partition = *(const unsigned *)user,
                    .window_ns = c->window_ns,
                    .final = c->final,
                    .near = far == near + 1 ? near : POINTS,
                    .stream = c->stream.src[0].port - 5000u,
                    .matched = c->stream.matched,
                    .changed = c->stream.changed,
                    .lost = c->stream.lost,
                    .aside = c->unresolved[COMPARE_MIXED] + c->unresolved[COMPARE_COPIES_DIFFER]};
    memcpy(r.id, c->id, sizeof r.id);
    assert_true(r.stream < STREAMS);
    world.rows[at] = r;
    return 0;
}

static int on_point(void *user, const struct fleet_point *p)
{
    if (p->final)
        *told_for_good(*(const unsigned *)user, p->window_ns) = true;
    return 0;
}

static int on_note(void *user, int64_t window_ns, const char *text)
{
    (void)user;
    (void)window_ns;
    (void)text;
    return 0;
}

/* ---- the truth ---- */

/* Packets that passed both points, and those that passed the first only; a copy is one more packet. */
static void truth(unsigned stream, unsigned near, uint64_t *both, uint64_t *only)
{
    const struct stream *s = &world.streams[stream];
    *both = *only = 0;
    for (uint32_t i = 0; i < s->sent; i++) {
        uint8_t a = s->seen[near][i], b = s->seen[near + 1][i];
        *both += a < b ? a : b;
        *only += a > b ? (uint64_t)(a - b) : 0;
    }
}

struct sums {
    uint64_t matched, lost;
};

static struct sums check_rows(void)
{
    struct sums all = {0};
    for (unsigned k = 0; k < STREAMS; k++)
        for (unsigned near = 0; near + 1 < POINTS; near++) {
            uint64_t both, only, matched = 0, changed = 0, lost = 0, aside = 0;
            truth(k, near, &both, &only);
            for (size_t i = 0; i < world.row_count; i++) {
                const struct row *r = &world.rows[i];
                if (r->stream != k || r->near != near)
                    continue;
                matched += r->matched;
                changed += r->changed;
                lost += r->lost;
                aside += r->aside;
            }
            if (matched + aside > both || lost > only)
                fail_msg("seed %u, stream %u, segment %u: %llu and %llu of %llu packets, %llu of %llu lost", world.seed,
                         k, near, (unsigned long long)matched, (unsigned long long)aside, (unsigned long long)both,
                         (unsigned long long)lost, (unsigned long long)only);
            assert_true(changed == (near == 1 && world.schedule.bleaches ? matched : 0));
            all.matched += matched;
            all.lost += lost;
        }
    return all;
}

/* ---- collectors ---- */

struct collector {
    struct join *join;
    size_t next; /* message */
    int64_t bus_ns;
    struct join_checkpoint kept;
};

static struct join *new_join(unsigned partition)
{
    struct join_options o = {.key = {1, 2}, .partition = partition, .window_ns = WINDOW_NS, .grace_ns = GRACE_NS};
    struct join *j = join_new(&o);
    assert_non_null(j);
    return j;
}

static void take(struct collector *c, size_t i, unsigned partition)
{
    const struct message *m = &world.messages[i];
    if (m->partition == partition)
        assert_int_equal(join_take(c->join, &m->delta, m->stored_ns, i + 1), 0);
}

static void write(struct collector *c, unsigned partition, bool look)
{
    struct join_sink sink = {on_begin, on_crossing, on_point, on_note, &partition};
    assert_int_equal(join_close(c->join, c->bus_ns, &sink), 0);
    if (look)
        assert_int_equal(join_look(c->join, &sink), 0);
    if (!one_in(4)) /* the bus may be away */
        c->kept = join_checkpoint(c->join);
}

/* Somebody else goes on where the one before would have to. */
static void take_over(struct collector *c, unsigned partition)
{
    c->join = new_join(partition);
    c->next = 0;
    if (!c->kept.sequence)
        return;
    join_resume(c->join, &c->kept);
    c->next = c->kept.sequence - 1;
}

static void collect(unsigned partition, bool disturbed)
{
    struct collector c = {.join = new_join(partition)}, asleep = {.join = NULL};
    unsigned deaths = 0;
    size_t reached = 0;
    while (c.next < world.message_count) {
        take(&c, c.next, partition);
        c.bus_ns = world.messages[c.next++].stored_ns;
        reached = c.next > reached ? c.next : reached;
        if (disturbed && one_in(20))
            take(&c, chance(c.next), partition); /* once more */
        if (!one_in(disturbed ? 15 : 40))
            continue;
        write(&c, partition, c.next >= reached);
        (void)check_rows();
        if (disturbed && deaths < 6 && one_in(10)) {
            deaths++;
            join_free(asleep.join);
            asleep = c; /* stopped, not dead */
            take_over(&c, partition);
        }
        if (asleep.join && one_in(30)) {
            write(&asleep, partition, true);
            (void)check_rows();
            join_free(asleep.join);
            asleep.join = NULL;
        }
    }
    write(&c, partition, true);
    (void)check_rows();
    c.bus_ns += 1000 * NS_PER_S;
    write(&c, partition, true);
    join_free(c.join);
    join_free(asleep.join);
}

static struct sums run(unsigned seed, const struct schedule *schedule, bool disturbed)
{
    chance_state = seed;
    world.seed = seed;
    world.schedule = *schedule;
    world.row_count = world.message_count = 0;
    memset(world.told, 0, sizeof world.told);
    send_all();
    for (unsigned i = 0; i < schedule->partitions; i++)
        collect(i, disturbed);
    struct sums sums = check_rows();
    for (size_t i = 0; i < world.row_count; i++)
        assert_true(world.rows[i].final);
    for (size_t i = 0; i < world.message_count; i++)
        free(world.messages[i].blocks);
    return sums;
}

/* ---- the tests ---- */

static void add_truth(struct sums *to)
{
    uint64_t both, only;
    for (unsigned k = 0; k < STREAMS; k++)
        for (unsigned near = 0; world.streams[k].numbered && near + 1 < POINTS; near++) {
            truth(k, near, &both, &only);
            to->matched += both;
            to->lost += only;
        }
}

static void nothing_fails_and_each_packet_is_counted_once(void **state)
{
    struct sums told = {0}, sent = {0};
    (void)state;
    for (unsigned seed = 1; seed <= SEEDS / 3; seed++) {
        struct schedule s = {.partitions = 1 + seed % PARTITIONS_MOST, .bleaches = seed % 2, .lossy = seed % 3 == 0};
        struct sums one = run(seed, &s, false);
        told.matched += one.matched;
        told.lost += one.lost;
        add_truth(&sent);
    }
    /* but for blocks whose first packet is in one window here and in the next there */
    assert_true(told.matched * 100 >= sent.matched * 97);
    /* and but for those around the begin and the end, and of the stream of a packet a second */
    assert_true(told.lost * 100 >= sent.lost * 92);
}

static void whatever_fails_no_packet_is_counted_twice(void **state)
{
    uint64_t matched = 0;
    (void)state;
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        chance_state = seed * 7919;
        struct schedule s = {.partitions = 1 + (unsigned)chance(PARTITIONS_MOST),
                             .lossy = one_in(2),
                             .copies = one_in(3),
                             .reorders = one_in(3),
                             .stalls = one_in(2),
                             .kinds_waver = one_in(3),
                             .bleaches = one_in(2),
                             .pauses = one_in(2)};
        for (unsigned p = 0; p < POINTS; p++)
            s.clock_ns[p] = one_in(2) ? 0 : (int64_t)chance(8 * NS_PER_S) - 4 * NS_PER_S;
        matched += run(seed, &s, true).matched;
    }
    assert_true(matched > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_fails_and_each_packet_is_counted_once),
        cmocka_unit_test(whatever_fails_no_packet_is_counted_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

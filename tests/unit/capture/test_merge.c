#include "testing.h"

#include "capture/merge.h"

enum { INPUTS = 7, FRAMES = 40 };

/* Times as captures have them: mostly forwards, now and then a step back, many the same. */
static int64_t times[INPUTS][FRAMES];
static size_t lengths[INPUTS];

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

static void make_times(uint32_t seed)
{
    for (size_t i = 0; i < INPUTS; i++) {
        int64_t t = next_random(&seed) % 60;
        lengths[i] = next_random(&seed) % (FRAMES + 1);
        for (size_t k = 0; k < FRAMES; k++) {
            times[i][k] = t;
            t += (int64_t)(next_random(&seed) % 5) - (next_random(&seed) % 8 == 0 ? 4 : 0);
        }
    }
}

struct taken {
    uint32_t input;
    size_t frame;
};

/* By the words of merge.h, without a heap: who is active, whose frame is the least. */
static size_t by_hand(struct taken *to)
{
    bool active[INPUTS] = {false}, started[INPUTS] = {false};
    size_t at[INPUTS] = {0}, n = 0;
    for (;;) {
        int best = -1, waits = -1;
        for (int i = 0; i < INPUTS; i++) {
            if (!started[i] && lengths[i] && (waits < 0 || times[i][0] < times[waits][0]))
                waits = i;
            if (!active[i] || at[i] == lengths[i])
                continue;
            if (best < 0 || times[i][at[i]] < times[best][at[best]] ||
                (times[i][at[i]] == times[best][at[best]] &&
                 (times[i][0] < times[best][0] || (times[i][0] == times[best][0] && i < best))))
                best = i;
        }
        if (waits >= 0 && (best < 0 || times[waits][0] < times[best][at[best]])) {
            started[waits] = active[waits] = true;
            continue;
        }
        if (best < 0)
            return n;
        to[n++] = (struct taken){(uint32_t)best, at[best]++};
    }
}

static struct merge begin(void)
{
    struct merge m;
    assert_true(merge_init(&m, INPUTS));
    for (uint32_t i = 0; i < INPUTS; i++)
        if (lengths[i])
            merge_wait(&m, i, times[i][0]);
    merge_start(&m);
    return m;
}

static void add_due(struct merge *m)
{
    struct merge_input due;
    while (merge_take_due(m, &due))
        merge_add(m, &due);
}

static size_t one_by_one(struct taken *to)
{
    struct merge m = begin();
    size_t at[INPUTS] = {0}, n = 0;
    for (add_due(&m); merge_top(&m); add_due(&m)) {
        uint32_t i = merge_top(&m)->input;
        to[n++] = (struct taken){i, at[i]++};
        if (at[i] < lengths[i])
            merge_advance(&m, times[i][at[i]]);
        else
            merge_end(&m);
    }
    merge_done(&m);
    return n;
}

/* Several of one input at a time, as merge_limit() allows. */
static size_t in_runs(struct taken *to)
{
    struct merge m = begin();
    size_t at[INPUTS] = {0}, n = 0;
    for (add_due(&m); merge_top(&m); add_due(&m)) {
        uint32_t i = merge_top(&m)->input, rank = merge_top(&m)->rank;
        struct merge_input limit;
        bool limited = merge_limit(&m, &limit);
        do
            to[n++] = (struct taken){i, at[i]++};
        while (at[i] < lengths[i] && (!limited || times[i][at[i]] < limit.time_ns ||
                                      (times[i][at[i]] == limit.time_ns && rank < limit.rank)));
        if (at[i] < lengths[i])
            merge_advance(&m, times[i][at[i]]);
        else
            merge_end(&m);
    }
    merge_done(&m);
    return n;
}

static void frames_come_by_time_and_within_an_input_as_they_are(void **state)
{
    (void)state;
    static struct taken expected[INPUTS * FRAMES], single[INPUTS * FRAMES], runs[INPUTS * FRAMES];
    for (uint32_t seed = 1; seed <= 500; seed++) {
        make_times(seed);
        size_t n = by_hand(expected);
        assert_int_equal(one_by_one(single), n);
        assert_int_equal(in_runs(runs), n);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(single[i].input, expected[i].input);
            assert_int_equal(single[i].frame, expected[i].frame);
            assert_int_equal(runs[i].input, expected[i].input);
            assert_int_equal(runs[i].frame, expected[i].frame);
        }
    }
}

static void an_input_alone_has_no_limit(void **state)
{
    (void)state;
    struct merge m;
    struct merge_input due, limit;
    assert_true(merge_init(&m, 2));
    merge_wait(&m, 1, 50);
    merge_start(&m);
    assert_null(merge_top(&m));
    assert_true(merge_take_due(&m, &due));
    assert_int_equal(due.input, 1);
    merge_add(&m, &due);
    assert_false(merge_limit(&m, &limit));
    assert_false(merge_take_due(&m, &due));
    merge_end(&m);
    assert_null(merge_top(&m));
    merge_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_come_by_time_and_within_an_input_as_they_are),
        cmocka_unit_test(an_input_alone_has_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

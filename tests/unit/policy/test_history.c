#include "testing.h"

#include <math.h>

#include "building.h"
#include "policy/history.h"

/*
 * The truth is what a document of all streams says: one that lists only some of them, with a history of the others,
 * has to have the same sums.
 */

#define CMS    "10.1.1.11"
#define CMS2   "10.1.1.12"
#define PHONE  "10.2.0.7"
#define PHONE2 "10.3.0.9"

static const char reference[] =
    "version: 1\nname: t\n"
    "nodes:\n  - {name: cms-01, addresses: [10.1.1.11]}\n  - {name: cms-02, addresses: [10.1.1.12]}\n"
    "sites:\n  - {name: berlin, prefixes: [10.2.0.0/16]}\n  - {name: oslo, prefixes: [10.3.0.0/16]}\n"
    "expect:\n  voice: EF\n  multimedia: AF41\n  signaling: [AF31, CS3]\n  low-latency: AF31\n";

static struct policy *p;
static struct rtp_figures figures[4];

static int start(void **state)
{
    (void)state;
    p = policy_of(reference);
    for (int i = 0; i < 4; i++)
        figures[i] = (struct rtp_figures){
            .clock_rate = 48000, .expected = 100, .lost = (uint64_t)i, .jitter_ms = 1.0 + i, .max_gap_ms = 20};
    return 0;
}

static int stop(void **state)
{
    (void)state;
    policy_free(p);
    return 0;
}

/* Sixty streams of several classes, directions, sites and marks, some of them wrong; which of them begins with `from`.
 */
enum { ALL = 60 };

static void add_one(struct document *d, int i)
{
    static const enum kind kinds[] = {KIND_RTP_AUDIO, KIND_RTP_VIDEO, KIND_SIP, KIND_RTP_UNKNOWN, KIND_OTHER};
    static const dscp_t right[] = {46, 34, 26, 0, 0};
    int k = i % 5;
    const char *node = i % 3 ? CMS : CMS2, *phone = i % 2 ? PHONE : PHONE2;
    dscp_t mark = i % 7 == 0 ? 0 : i % 11 == 0 ? 8 : right[k];
    uint16_t port = (uint16_t)(20000 + i);
    struct record *r = i % 4 < 2 ? add(d, kinds[k], node, 5000, phone, port, mark, 100)
                                 : add(d, kinds[k], phone, port, node, 5000, mark, 100);
    /* what a stream is does not depend on which others there are */
    r->conversation = (uint32_t)i;
    r->ssrc = 0x10000000u + (uint32_t)i;
    r->first = (struct frame_ref){1 + 10 * (uint64_t)i, (uint32_t)(i % 2)};
    r->input = (uint32_t)(i % 2);
    if (k < 2)
        r->rtp = &figures[i % 4];
    if (i == 4)
        set_runs(d, r, (struct run[]){{46, 40}, {0, 60}}, 2); /* a priority mark of something that is no media */
}

static struct document *document_of(const uint8_t *left_out, size_t inputs)
{
    struct document *d = document_new();
    assert_non_null(d);
    d->key = (struct hash_key){1, 2};
    d->inputs = arena_alloc(&d->arena, (inputs + 1) * sizeof *d->inputs);
    d->input_count = inputs;
    for (size_t i = 0; i < inputs; i++)
        d->inputs[i] = (struct input){.file = i ? "eth1" : "eth0", .problem = "", .complete = true};
    for (int i = 0; i < ALL; i++)
        if (!left_out || !left_out[i])
            add_one(d, i);
    for (size_t i = 0; i < d->record_count && inputs == 1; i++)
        d->records[i].input = d->records[i].first.input = 0;
    judge(d, p);
    assert_int_equal(diagnose_document(d, p), 0);
    return d;
}

static void assert_rows_equal(const struct summary_row *a, size_t na, const struct summary_row *b, size_t nb)
{
    assert_int_equal(na, nb);
    for (size_t i = 0; i < na; i++)
        assert_memory_equal(&a[i], &b[i], sizeof a[i]);
}

static void assert_sums_equal(const struct document *a, const struct document *b)
{
    assert_memory_equal(&a->summary, &b->summary, sizeof a->summary);
    assert_rows_equal(a->by_class, a->by_class_count, b->by_class, b->by_class_count);
    assert_rows_equal(a->by_site, a->by_site_count, b->by_site, b->by_site_count);
    assert_memory_equal(&a->unclassed, &b->unclassed, sizeof a->unclassed);
    assert_int_equal(a->right_quality.streams, b->right_quality.streams);
    assert_int_equal(a->wrong_quality.packets_lost, b->wrong_quality.packets_lost);
    assert_true(fabs(a->right_quality.jitter_ms - b->right_quality.jitter_ms) < 0.001);
    assert_true(fabs(a->wrong_quality.jitter_ms - b->wrong_quality.jitter_ms) < 0.001);
}

static uint64_t packets_of(const struct document *d, enum finding_code code, const char *subject)
{
    struct finding_scratch s = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < d->finding_count; i++) {
        const struct finding *f = document_finding(d, i, &s);
        sum += f->code == code && strcmp(f->subject, subject) == 0 ? f->packets : 0;
    }
    finding_scratch_done(&s);
    return sum;
}

static uint64_t packets_of_all(const struct document *d)
{
    struct finding_scratch s = {0};
    uint64_t sum = 0;
    for (size_t i = 0; i < d->finding_count; i++)
        sum += document_finding(d, i, &s)->packets;
    finding_scratch_done(&s);
    return sum;
}

/* Forgets `step` streams after the other, each time from the document that lists what is left, as a live check does. */
static void forget_in_steps(struct history *h, uint8_t *gone, int until, int step, size_t inputs)
{
    for (int from = 0; from < until; from += step) {
        uint8_t chosen[ALL] = {0};
        struct document *d = document_of(gone, inputs);
        assert_int_equal(history_apply(h, d), 0); /* as it was shown */
        for (int i = 0; i < step && from + i < until; i++) {
            chosen[i] = 1; /* the first of those that are left */
            gone[from + i] = 1;
        }
        assert_int_equal(history_fold(h, d, chosen), 0);
        document_free(d);
    }
}

static void sums_with_a_history_are_those_of_all_streams(void **state)
{
    (void)state;
    static const int until[] = {1, 20, 59, 60};
    struct document *all = document_of(NULL, 1);
    for (size_t u = 0; u < sizeof until / sizeof until[0]; u++) {
        uint8_t gone[ALL] = {0};
        struct history *h = history_new(1);
        forget_in_steps(h, gone, until[u], 7, 1);
        struct document *rest = document_of(gone, 1);
        size_t notes = rest->note_count;
        assert_int_equal(history_apply(h, rest), 0);
        assert_sums_equal(rest, all);
        assert_int_equal(rest->record_count, ALL - until[u]);
        assert_int_equal(history_streams(h), until[u]);
        assert_int_equal(rest->note_count, notes + 1);
        assert_non_null(strstr(rest->notes[notes], "no longer listed"));
        assert_int_equal(packets_of_all(rest), packets_of_all(all));
        document_free(rest);
        history_free(h);
    }
    document_free(all);
}

static void rows_by_point_add_up_to_those_of_all_points(void **state)
{
    (void)state;
    const struct live_row *rows, *rows_all;
    size_t n, n_all;
    uint8_t gone[ALL] = {0};
    struct history *h = history_new(2), *empty = history_new(2);
    struct document *all = document_of(NULL, 2);
    assert_int_equal(history_rows(empty, all, &rows_all, &n_all), 0);
    forget_in_steps(h, gone, 30, 10, 2);
    struct document *rest = document_of(gone, 2);
    assert_int_equal(history_apply(h, rest), 0);
    assert_int_equal(history_rows(h, rest, &rows, &n), 0);
    assert_sums_equal(rest, all);
    assert_int_equal(n, n_all);
    uint64_t packets = 0;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rows[i].point, rows_all[i].point);
        assert_memory_equal(&rows[i].row, &rows_all[i].row, sizeof rows[i].row);
        packets += rows[i].row.packets;
    }
    for (size_t i = 0; i < all->by_class_count; i++)
        packets -= all->by_class[i].packets;
    assert_int_equal(packets, 0);
    document_free(rest);
    document_free(all);
    history_free(h);
    history_free(empty);
}

static void a_finding_goes_on_when_its_streams_are_forgotten(void **state)
{
    (void)state;
    struct document *d = document_new();
    struct finding_scratch s = {0};
    uint8_t chosen[8] = {0};
    struct history *h = history_new(1);
    for (uint16_t i = 0; i < 4; i++) {
        add(d, KIND_RTP_AUDIO, CMS, (uint16_t)(20000 + i), PHONE, (uint16_t)(30000 + i), 8, 100);
        add(d, KIND_RTP_VIDEO, CMS, (uint16_t)(21000 + i), PHONE, (uint16_t)(31000 + i), 8, 50);
    }
    judge(d, p);
    assert_int_equal(diagnose_document(d, p), 0);
    assert_int_equal(packets_of(d, FINDING_REMARKED, "cms-01"), 600);
    chosen[0] = chosen[1] = 1;
    assert_int_equal(history_fold(h, d, chosen), 0);
    memset(chosen, 1, sizeof chosen);
    document_free(d);

    /* what is left of it is the same finding, with all its packets */
    d = document_new();
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 8, 100);
    add(d, KIND_RTP_VIDEO, CMS, 21000, PHONE, 31000, 8, 50);
    judge(d, p);
    assert_int_equal(diagnose_document(d, p), 0);
    assert_int_equal(history_apply(h, d), 0);
    assert_int_equal(d->finding_count, 1);
    const struct finding *f = document_finding(d, 0, &s);
    assert_int_equal(f->packets, 300);
    assert_int_equal(f->stream_count, 2);
    assert_non_null(strstr(f->message, "150 packets of 2 streams that ended"));
    finding_scratch_done(&s);
    document_free(d);

    /* and when nothing is left, it is still told */
    d = document_new();
    judge(d, p);
    assert_int_equal(diagnose_document(d, p), 0);
    assert_int_equal(history_apply(h, d), 0);
    assert_int_equal(d->finding_count, 1);
    s = (struct finding_scratch){0};
    f = document_finding(d, 0, &s);
    assert_int_equal(f->code, FINDING_REMARKED);
    assert_string_equal(f->subject, "cms-01");
    assert_int_equal(f->packets, 150);
    assert_int_equal(f->stream_count, 0);
    assert_int_equal(f->first.frame, 1);
    assert_int_equal(d->summary.verdict, SUMMARY_FAIL);
    finding_scratch_done(&s);
    document_free(d);
    history_free(h);
}

static void another_policy_does_not_count_what_it_cannot_judge(void **state)
{
    (void)state;
    uint8_t gone[ALL] = {0};
    struct history *h = history_new(1);
    uint64_t verdicts[LIVE_VERDICTS], sum = 0;
    forget_in_steps(h, gone, 40, 40, 1);
    history_turn(h);
    struct document *rest = document_of(gone, 1), *alone = document_of(gone, 1);
    assert_int_equal(history_apply(h, rest), 0);
    assert_int_equal(rest->summary.streams, 20);
    assert_int_equal(rest->finding_count, alone->finding_count);
    assert_rows_equal(rest->by_class, rest->by_class_count, alone->by_class, alone->by_class_count);
    assert_false(rest->summary.complete);
    assert_non_null(strstr(rest->notes[rest->note_count - 1], "40 streams that ended before the policy"));
    assert_int_equal(history_streams(h), 40);
    history_verdicts(h, verdicts);
    for (int i = 0; i < LIVE_VERDICTS; i++)
        sum += verdicts[i];
    assert_int_equal(sum, 40);
    document_free(rest);
    document_free(alone);
    history_free(h);
}

/* A node that had been inferred may be inferred no more when its streams are forgotten. */
static void rows_of_a_node_that_is_not_known_any_more_are_kept(void **state)
{
    (void)state;
    uint8_t chosen[1] = {1};
    struct history *h = history_new(1);
    struct document *d = document_new();
    add(d, KIND_RTP_AUDIO, CMS, 20000, PHONE, 30000, 46, 100);
    judge(d, p);
    assert_int_equal(history_fold(h, d, chosen), 0);
    document_free(d);
    d = document_new();
    struct policy *without = policy_of("version: 1\nexpect: {voice: EF}\n");
    judge(d, without);
    assert_int_equal(diagnose_document(d, without), 0);
    assert_int_equal(history_apply(h, d), 0);
    assert_int_equal(d->by_class_count, 1);
    assert_int_equal(d->by_class[0].node, 0);
    assert_int_equal(d->by_class[0].packets, 100);
    assert_int_equal(d->by_class[0].direction, DIRECTION_FROM_NODE);
    assert_int_equal(d->summary.verdict, SUMMARY_PASS);
    document_free(d);
    policy_free(without);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_with_a_history_are_those_of_all_streams, start, stop),
        cmocka_unit_test_setup_teardown(rows_by_point_add_up_to_those_of_all_points, start, stop),
        cmocka_unit_test_setup_teardown(a_finding_goes_on_when_its_streams_are_forgotten, start, stop),
        cmocka_unit_test_setup_teardown(another_policy_does_not_count_what_it_cannot_judge, start, stop),
        cmocka_unit_test_setup_teardown(rows_of_a_node_that_is_not_known_any_more_are_kept, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

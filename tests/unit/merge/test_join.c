#include "testing.h"

#include "merge/join.h"

enum { AF = 34, EF = 46 };

struct piece {
    struct record record;
    struct record_mark marks[2];
    struct rtp_figures rtp;
};

/* `right` packets EF, then `wrong` packets 0, in `seconds` from `at` on. */
static struct piece piece(int64_t at, int64_t seconds, uint64_t right, uint64_t wrong, enum verdict verdict)
{
    int64_t from = at * 1000000000, until = (at + seconds) * 1000000000;
    struct piece p = {.record = {.kind = KIND_RTP_AUDIO,
                                 .traffic_class = CLASS_VOICE,
                                 .confidence = CONFIDENCE_HIGH,
                                 .evidence = "",
                                 .unknown_reason = "",
                                 .codec = "",
                                 .repairs = "",
                                 .server_name = "",
                                 .reason = "",
                                 .expected = dscp_set_of(EF),
                                 .preferred = EF,
                                 .verdict = verdict,
                                 .packets = right + wrong,
                                 .bytes = 100 * (right + wrong),
                                 .first_ns = from,
                                 .last_ns = until,
                                 .vlan_pcp = -1,
                                 .mpls_tc = -1},
                      .rtp = {8000, right + wrong + 1, 1, 0, 0, 2.0, 40}};
    uint32_t n = 0;
    if (right)
        p.marks[n++] = (struct record_mark){
            EF, right, 100 * right, {1, 0}, {(uint64_t)at + right, 0}, from, wrong ? (from + until) / 2 : until};
    if (wrong)
        p.marks[n++] = (struct record_mark){
            0, wrong, 100 * wrong, {2, 0}, {(uint64_t)at + right + wrong, 0}, right ? (from + until) / 2 : from, until};
    p.record.mark_count = n;
    p.record.mark_changes = right && wrong;
    p.record.violating_packets = verdict == VERDICT_VIOLATING || verdict == VERDICT_CONFORMING ? wrong : 0;
    return p;
}

static struct record joined;
static struct arena arena;

static const struct record *join(struct piece *a, struct piece *b)
{
    a->record.marks = a->marks;
    b->record.marks = b->marks;
    a->record.rtp = &a->rtp;
    b->record.rtp = &b->rtp;
    struct record pieces[2] = {a->record, b->record};
    assert_true(merge_join(&arena, pieces, 2, &joined));
    return &joined;
}

static int teardown(void **state)
{
    (void)state;
    arena_done(&arena);
    arena = (struct arena){0};
    return 0;
}

static void marks_add_up_and_changes_between_pieces_count(void **state)
{
    struct piece a = piece(0, 10, 90, 10, VERDICT_VIOLATING), b = piece(20, 10, 50, 0, VERDICT_CONFORMING);
    const struct record *r = join(&a, &b);
    (void)state;
    assert_int_equal(r->packets, 150);
    assert_int_equal(r->bytes, 15000);
    assert_int_equal(r->mark_count, 2);
    assert_int_equal(r->marks[0].dscp, EF);
    assert_int_equal(r->marks[0].packets, 140);
    assert_true(r->marks[0].last_ns == b.record.last_ns);
    assert_int_equal(r->marks[1].packets, 10);
    /* EF to 0 in the first, and from 0 to EF between the two */
    assert_int_equal(r->mark_changes, 2);
    assert_true(r->first_ns == 0 && r->last_ns == 30000000000);
}

static void figures_of_rtp_are_what_can_be_known(void **state)
{
    struct piece a = piece(0, 10, 300, 0, VERDICT_CONFORMING), b = piece(20, 10, 100, 0, VERDICT_CONFORMING);
    (void)state;
    b.rtp.jitter_ms = 6.0;
    const struct record *r = join(&a, &b);
    assert_int_equal(r->rtp->expected, 402);
    assert_int_equal(r->rtp->lost, 2);
    assert_true(r->rtp->jitter_ms > 2.999 && r->rtp->jitter_ms < 3.001);  /* (300 * 2 + 100 * 6) / 400 */
    assert_true(r->rtp->max_gap_ms > 9999 && r->rtp->max_gap_ms < 10001); /* the ten seconds between them */
    b.rtp.jitter_ms = -1;
    assert_true(join(&a, &b)->rtp->jitter_ms < 0);
    b.rtp = (struct rtp_figures){48000, 101, 1, 0, 0, 1.0, 40};
    assert_int_equal(join(&a, &b)->rtp->clock_rate, 0);
    assert_true(joined.rtp->jitter_ms < 0);
}

static void a_verdict_follows_from_those_of_the_pieces(void **state)
{
    static const struct {
        struct {
            uint64_t right, wrong;
            enum verdict verdict;
        } a, b;
        enum verdict verdict;
        uint64_t violating;
    } cases[] = {
        {{100, 0, VERDICT_CONFORMING}, {100, 0, VERDICT_CONFORMING}, VERDICT_CONFORMING, 0},
        {{100, 1, VERDICT_CONFORMING}, {100, 0, VERDICT_CONFORMING}, VERDICT_CONFORMING, 1}, /* within a tolerance */
        {{100, 0, VERDICT_CONFORMING}, {50, 50, VERDICT_VIOLATING}, VERDICT_VIOLATING, 50},
        {{0, 100, VERDICT_VIOLATING}, {100, 0, VERDICT_CONFORMING}, VERDICT_VIOLATING, 100},
        {{3, 0, VERDICT_UNDETERMINED},
         {100, 0, VERDICT_CONFORMING},
         VERDICT_CONFORMING,
         0}, /* too few packets, all right */
        {{2, 1, VERDICT_UNDETERMINED}, {100, 0, VERDICT_CONFORMING}, VERDICT_UNDETERMINED, 0},
        {{3, 0, VERDICT_UNDETERMINED}, {3, 0, VERDICT_UNDETERMINED}, VERDICT_UNDETERMINED, 0},
        {{0, 3, VERDICT_UNDETERMINED}, {0, 100, VERDICT_VIOLATING}, VERDICT_VIOLATING, 103},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct piece a = piece(0, 10, cases[i].a.right, cases[i].a.wrong, cases[i].a.verdict);
        struct piece b = piece(20, 10, cases[i].b.right, cases[i].b.wrong, cases[i].b.verdict);
        const struct record *r = join(&a, &b);
        assert_int_equal(r->verdict, cases[i].verdict);
        assert_int_equal(r->violating_packets, cases[i].violating);
    }
}

/* A piece of one mark does not say whether that was on data: it must not excuse the other's. */
static void marks_of_data_are_those_of_all_pieces(void **state)
{
    (void)state;
    struct piece wrong = piece(0, 10, 0, 100, VERDICT_VIOLATING);
    struct piece mixed = piece(10, 10, 100, 2, VERDICT_UNDETERMINED);
    struct piece right = piece(20, 10, 100, 0, VERDICT_CONFORMING);
    wrong.record.proto = mixed.record.proto = right.record.proto = 6;
    mixed.record.data_marks = dscp_set_of(EF);
    assert_int_equal(join(&wrong, &mixed)->data_marks, dscp_set_of(EF) | dscp_set_of(0));
    assert_int_equal(join(&mixed, &right)->data_marks, dscp_set_of(EF));
    assert_int_equal(join(&right, &right)->data_marks, 0);
    right.record.no_data = true; /* only acknowledged so far: what comes later may carry data */
    assert_true(join(&right, &right)->no_data);
    assert_false(join(&right, &wrong)->no_data);
    assert_int_equal(join(&wrong, &right)->data_marks, dscp_set_of(0));
    right.record.no_data = false;
}

static void copies_are_named_as_in_the_piece_that_has_most(void **state)
{
    (void)state;
    struct piece a = piece(0, 10, 100, 100, VERDICT_UNDETERMINED), b = piece(10, 10, 50, 50, VERDICT_UNDETERMINED);
    a.record.copies_differ = 100;
    a.record.copies = (struct copied_marks){0, EF, true, 64, 63};
    b.record.copies_differ = 7;
    b.record.copies = (struct copied_marks){AF, EF, false, 0, 0};
    const struct record *r = join(&b, &a);
    assert_int_equal(r->copies_differ, 107);
    assert_int_equal(r->copies.before, 0);
    assert_true(r->copies.in_order);
    assert_int_equal(r->copies.before_hops, 64);
}

static void what_was_expected_otherwise_stays_apart(void **state)
{
    struct piece a = piece(0, 10, 1, 0, VERDICT_CONFORMING), b = a;
    (void)state;
    assert_true(merge_can_join(&a.record, &b.record));
    b.record.expected = dscp_set_of(AF);
    assert_false(merge_can_join(&a.record, &b.record));
    b = a;
    b.record.kind = KIND_RTP_UNKNOWN;
    assert_false(merge_can_join(&a.record, &b.record));
    b = a;
    b.record.node = 1;
    assert_false(merge_can_join(&a.record, &b.record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(marks_add_up_and_changes_between_pieces_count, teardown),
        cmocka_unit_test_teardown(figures_of_rtp_are_what_can_be_known, teardown),
        cmocka_unit_test_teardown(a_verdict_follows_from_those_of_the_pieces, teardown),
        cmocka_unit_test_teardown(marks_of_data_are_those_of_all_pieces, teardown),
        cmocka_unit_test_teardown(copies_are_named_as_in_the_piece_that_has_most, teardown),
        cmocka_unit_test_teardown(what_was_expected_otherwise_stays_apart, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "policy/judge_compare.h"

static struct policy *policy;

static int make_policy(void **state)
{
    struct error error = {0};
    (void)state;
    policy = policy_new_default(&error);
    return policy ? 0 : -1;
}

static int free_policy(void **state)
{
    (void)state;
    policy_free(policy);
    return 0;
}

/* Captures "a", "b"..., one fewer segments, nothing in them. */
static struct compare_document *sample(size_t captures)
{
    struct compare_document *d = compare_document_new();
    assert_non_null(d);
    d->capture_count = captures;
    d->captures = arena_alloc(&d->arena, captures * sizeof *d->captures);
    d->segment_count = captures - 1;
    d->segments = d->whole = arena_alloc(&d->arena, d->segment_count * sizeof *d->segments);
    for (size_t i = 0; i < captures; i++) {
        d->captures[i].input.file = compare_document_text(d, "%c", (int)('a' + i));
        d->captures[i].input.problem = "";
    }
    for (uint32_t i = 0; i < d->segment_count; i++) {
        d->segments[i].first = i;
        d->segments[i].second = i + 1;
        for (int row = 0; row < COMPARE_ROWS; row++) {
            d->segments[i].rows[row].loss_known = true;
            d->segments[i].rows[row].behaviour = d->segments[i].rows[row].loss_reason = "";
        }
    }
    return d;
}

static void put(struct compare_document *d, size_t segment, enum compare_way way, enum traffic_class class,
                dscp_t before, dscp_t after, uint64_t packets)
{
    enum compare_way rows[] = {way, COMPARE_BOTH};
    for (size_t i = 0; i < 2; i++) {
        struct compare_row *row = &d->segments[segment].rows[rows[i]];
        struct compare_class *c = &row->classes[class];
        struct compare_cell *cells = arena_alloc(&d->arena, (c->cell_count + 1) * sizeof *cells);
        assert_non_null(cells);
        for (size_t k = 0; k < c->cell_count; k++)
            cells[k] = c->cells[k];
        cells[c->cell_count++] = (struct compare_cell){
            .before = before, .after = after, .packets = packets, .first_before = 10, .first_after = 20};
        c->cells = cells;
        c->matched += packets;
        c->changed += before != after ? packets : 0;
        row->matched += packets;
        row->changed += before != after ? packets : 0;
    }
}

static void kept_marks_pass(void **state)
{
    (void)state;
    struct compare_document *d = sample(2);
    put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 46, 46, 100);
    put(d, 0, COMPARE_FORWARD, CLASS_NONE, 0, 0, 50);
    assert_int_equal(judge_compare(d, policy), 0);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 0);
    assert_string_equal(d->segments[0].rows[COMPARE_BOTH].behaviour, "preserved");
    compare_document_free(d);
}

static void of_unmarked_packets_nothing_is_passed(void **state)
{
    (void)state;
    struct compare_document *d = sample(2);
    put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 0, 0, 100);
    assert_int_equal(judge_compare(d, policy), 0);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_string_equal(d->segments[0].rows[COMPARE_BOTH].behaviour, "unknown");
    compare_document_free(d);
}

static void a_segment_without_a_match_is_not_passed(void **state)
{
    (void)state;
    struct compare_document *d = sample(3);
    put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 46, 46, 100);
    assert_int_equal(judge_compare(d, policy), 0);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_non_null(strstr(d->verdict_text, "no packet of b was found in c"));
    compare_document_free(d);
}

/* RFC 9435 §4: what each behaviour makes of EF and AF41. */
static void each_kind_of_change_has_its_code(void **state)
{
    (void)state;
    static const struct {
        dscp_t ef, af41;
        const char *code, *behaviour;
    } cases[] = {
        {0, 0, "bleached", "bleach-dscp"},
        {46 & 7, 34 & 7, "tos-precedence-bleached", "bleach-tos-precedence"},
        {46 & 56, 34 & 56, "low-bits-bleached", "bleach-low"},
        {2 << 3 | (46 & 7), 2 << 3 | (34 & 7), "tos-precedence-remarked", "remark-tos"},
        {46 >> 2, 34 >> 2, "unshifted", NULL},
        {10, 10, "remarked", "remark-dscp"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct compare_document *d = sample(2);
        put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 46, cases[i].ef, 100);
        put(d, 0, COMPARE_FORWARD, CLASS_MULTIMEDIA, 34, cases[i].af41, 300);
        assert_int_equal(judge_compare(d, policy), 0);
        assert_int_equal(d->verdict, SUMMARY_FAIL);
        assert_int_equal(d->finding_count, 1);
        assert_string_equal(d->findings[0].code, cases[i].code);
        assert_int_equal(d->findings[0].packets, 400);
        assert_int_equal(d->findings[0].classes, 1U << CLASS_VOICE | 1U << CLASS_MULTIMEDIA);
        assert_int_equal(d->findings[0].first_before, 10);
        assert_true(d->findings[0].violation);
        if (cases[i].behaviour)
            assert_string_equal(d->segments[0].rows[COMPARE_FORWARD].behaviour, cases[i].behaviour);
        compare_document_free(d);
    }
}

static void the_segment_and_the_way_are_named(void **state)
{
    (void)state;
    struct compare_document *d = sample(3);
    put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 46, 46, 100);
    put(d, 1, COMPARE_FORWARD, CLASS_VOICE, 46, 46, 100);
    put(d, 1, COMPARE_BACKWARD, CLASS_VOICE, 46, 0, 60);
    put(d, 1, COMPARE_BACKWARD, CLASS_VOICE, 46, 46, 40);
    assert_int_equal(judge_compare(d, policy), 0);
    assert_int_equal(d->finding_count, 1);
    assert_int_equal(d->findings[0].segment, 1);
    assert_int_equal(d->findings[0].way, COMPARE_BACKWARD);
    assert_non_null(strstr(d->findings[0].message, "Between c and b"));
    assert_non_null(strstr(d->findings[0].message, "40 others"));
    assert_non_null(strstr(d->verdict_text, "between b and c"));
    compare_document_free(d);
}

/* A device that marks what came unmarked changes marks too, and is told apart in words. */
static void marking_on_purpose_is_said(void **state)
{
    (void)state;
    struct compare_document *d = sample(2);
    put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 0, 46, 100);
    assert_int_equal(judge_compare(d, policy), 0);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_string_equal(d->findings[0].code, "remarked");
    assert_non_null(strstr(d->findings[0].message, "the policy expects the new mark"));
    compare_document_free(d);
}

static void loss_is_a_finding_only_where_it_differs_and_is_known(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++)
        for (int more = 0; more < 2; more++) {
            struct compare_document *d = sample(2);
            put(d, 0, COMPARE_FORWARD, CLASS_VOICE, 46, 46, 900);
            struct compare_row *row = &d->segments[0].rows[COMPARE_FORWARD];
            struct compare_class *c = &row->classes[CLASS_VOICE];
            row->loss_known = known;
            c->lost = c->lost_by_dscp[46] = 100;
            c->test = (struct compare_loss_test){.done = true,
                                                 .differs = true,
                                                 .low = more ? 0.05 : -0.2,
                                                 .high = more ? 0.2 : -0.05,
                                                 .slices_more = 20,
                                                 .lost = 100,
                                                 .sent = 1000,
                                                 .other_sent = 1000};
            assert_int_equal(judge_compare(d, policy), 0);
            assert_int_equal(d->finding_count, known && more);
            assert_int_equal(d->verdict, SUMMARY_PASS);
            compare_document_free(d);
        }
}

static void what_is_beyond_the_list_is_counted(void **state)
{
    (void)state;
    enum { SEGMENTS = COMPARE_FINDINGS_MAX + 88 };
    struct compare_document *d = sample(SEGMENTS + 1);
    for (size_t i = 0; i < SEGMENTS; i++)
        put(d, i, COMPARE_FORWARD, CLASS_VOICE, 46, 0, 100);
    assert_int_equal(judge_compare(d, policy), 0);
    assert_int_equal(d->finding_count, COMPARE_FINDINGS_MAX);
    assert_int_equal(d->note_count, 1);
    assert_string_equal(d->notes[0], "88 more findings are not listed");
    compare_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_marks_pass),
        cmocka_unit_test(of_unmarked_packets_nothing_is_passed),
        cmocka_unit_test(a_segment_without_a_match_is_not_passed),
        cmocka_unit_test(each_kind_of_change_has_its_code),
        cmocka_unit_test(the_segment_and_the_way_are_named),
        cmocka_unit_test(marking_on_purpose_is_said),
        cmocka_unit_test(loss_is_a_finding_only_where_it_differs_and_is_known),
        cmocka_unit_test(what_is_beyond_the_list_is_counted),
    };
    return cmocka_run_group_tests(tests, make_policy, free_policy);
}

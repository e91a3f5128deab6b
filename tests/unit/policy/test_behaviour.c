#include "testing.h"

#include "policy/behaviour.h"

static bool is_consistent(enum behaviour b, dscp_t sent, dscp_t seen)
{
    struct behaviour_pair pair = {dscp_set_of(sent), seen};
    return behaviour_consistent(&pair, 1) >> b & 1;
}

static void each_rule_holds_for_all_64_values_and_no_other(void **state)
{
    (void)state;
    for (unsigned sent = 0; sent < 64; sent++) {
        for (unsigned seen = 0; seen < 64; seen++) {
            bool high = sent >= 48;
            dscp_t x = (dscp_t)sent, y = (dscp_t)seen;
            assert_int_equal(is_consistent(BEHAVIOUR_PRESERVED, x, y), sent == seen);
            assert_int_equal(is_consistent(BEHAVIOUR_BLEACH_DSCP, x, y), seen == 0);
            assert_int_equal(is_consistent(BEHAVIOUR_BLEACH_TOS_PRECEDENCE, x, y), seen == sent % 8);
            assert_int_equal(is_consistent(BEHAVIOUR_BLEACH_SOME_TOS, x, y), seen == (high ? sent : sent % 8));
            assert_int_equal(is_consistent(BEHAVIOUR_BLEACH_LOW, x, y), seen == sent / 8 * 8);
            assert_int_equal(is_consistent(BEHAVIOUR_BLEACH_SOME_LOW, x, y), seen == (high ? sent : sent / 8 * 8));
            assert_int_equal(is_consistent(BEHAVIOUR_REMARK_TOS, x, y),
                             seen % 8 == sent % 8 && seen != sent && seen >= 8);
            assert_int_equal(is_consistent(BEHAVIOUR_REMARK_DSCP, x, y), seen != sent && seen != 0);
        }
    }
}

static void the_table_of_rfc_9435_is_reproduced(void **state)
{
    (void)state;
    static const struct {
        enum behaviour behaviour;
        dscp_t seen[4]; /* of EF, AF41, AF31, CS3 */
    } rows[] = {
        {BEHAVIOUR_BLEACH_DSCP, {0, 0, 0, 0}},     {BEHAVIOUR_BLEACH_TOS_PRECEDENCE, {6, 2, 2, 0}},
        {BEHAVIOUR_BLEACH_LOW, {40, 32, 24, 24}},  {BEHAVIOUR_REMARK_TOS, {14, 10, 10, 8}},
        {BEHAVIOUR_REMARK_TOS, {62, 58, 58, 56}},  {BEHAVIOUR_PRESERVED, {46, 34, 26, 24}},
        {BEHAVIOUR_REMARK_DSCP, {34, 34, 26, 24}}, {BEHAVIOUR_MIXED, {0, 34, 26, 24}},
        {BEHAVIOUR_MIXED, {40, 2, 26, 0}},
    };
    static const dscp_t sent[4] = {46, 34, 26, 24};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct behaviour_pair pairs[4];
        for (int k = 0; k < 4; k++)
            pairs[k] = (struct behaviour_pair){dscp_set_of(sent[k]), rows[i].seen[k]};
        assert_string_equal(behaviour_name(behaviour_of(pairs, 4)), behaviour_name(rows[i].behaviour));
    }
}

static void network_control_tells_the_some_variants_apart(void **state)
{
    (void)state;
    struct behaviour_pair tos[] = {{dscp_set_of(46), 6}, {dscp_set_of(48), 48}};
    struct behaviour_pair low[] = {{dscp_set_of(46), 40}, {dscp_set_of(50), 50}};
    assert_int_equal(behaviour_of(tos, 2), BEHAVIOUR_BLEACH_SOME_TOS);
    assert_int_equal(behaviour_of(low, 2), BEHAVIOUR_BLEACH_SOME_LOW);
}

static void the_unmarked_control_counts_towards_the_name(void **state)
{
    (void)state;
    struct behaviour_pair kept[] = {{dscp_set_of(46), 14}, {dscp_set_of(0), 0}};
    struct behaviour_pair set[] = {{dscp_set_of(46), 14}, {dscp_set_of(0), 8}};
    assert_int_equal(behaviour_of(kept, 2), BEHAVIOUR_REMARK_DSCP);
    assert_int_equal(behaviour_of(set, 2), BEHAVIOUR_REMARK_TOS);
}

static void one_mark_with_two_outcomes_is_mixed_and_nothing_is_unknown(void **state)
{
    (void)state;
    struct behaviour_pair pairs[] = {{dscp_set_of(46), 46}, {dscp_set_of(46), 34}};
    assert_int_equal(behaviour_of(pairs, 2), BEHAVIOUR_MIXED);
    assert_int_equal(behaviour_of(pairs, 0), BEHAVIOUR_UNKNOWN);
}

static void an_expectation_of_several_marks_fits_by_any_of_them(void **state)
{
    (void)state;
    dscp_set_t signalling = dscp_set_of(26) | dscp_set_of(24);
    struct behaviour_pair pairs[] = {{dscp_set_of(46), 6}, {signalling, 0}};
    assert_int_equal(behaviour_of(pairs, 2), BEHAVIOUR_BLEACH_TOS_PRECEDENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_holds_for_all_64_values_and_no_other),
        cmocka_unit_test(the_table_of_rfc_9435_is_reproduced),
        cmocka_unit_test(network_control_tells_the_some_variants_apart),
        cmocka_unit_test(the_unmarked_control_counts_towards_the_name),
        cmocka_unit_test(one_mark_with_two_outcomes_is_mixed_and_nothing_is_unknown),
        cmocka_unit_test(an_expectation_of_several_marks_fits_by_any_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

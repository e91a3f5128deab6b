#include "testing.h"

#include "policy/judge_trace.h"
#include "trace_sample.h"

static void judge(struct trace_document *d)
{
    assert_int_equal(judge_trace(d), 0);
}

static size_t violations(const struct trace_document *d)
{
    size_t n = 0;
    for (size_t i = 0; i < d->finding_count; i++)
        n += d->findings[i].violation;
    return n;
}

static void kept_marks_pass(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_flow(d, 0, 0, 4, 0, NULL);
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->checked, 4);
    assert_int_equal(d->changed, 0);
    assert_int_equal(d->finding_count, 0);
    assert_string_equal(d->behaviour, "preserved");
    assert_string_equal(d->arrived_text, "");
    trace_document_free(d);
}

/* One segment that changes all classes is one finding, with the name of what all of them together show. */
static void one_cause_is_one_finding(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_flow(d, 0, 0, 4, 3, without_precedence);
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(d->finding_count, 1);
    const struct trace_finding *f = &d->findings[0];
    assert_string_equal(f->code, "tos-precedence-bleached");
    assert_string_equal(f->behaviour, "bleach-tos-precedence");
    assert_int_equal(f->after_ttl, 2);
    assert_int_equal(f->by_ttl, 3);
    assert_int_equal(f->classes, 0x1E);
    assert_true(f->violation);
    assert_int_equal(f->confidence, CONFIDENCE_CERTAIN);
    for (size_t i = 1; i < 4; i++) {
        const struct trace_path *p = &d->paths[i];
        assert_int_equal(p->verdict, TRACE_CHANGED);
        assert_int_equal(p->change_count, 1);
        assert_int_equal(p->changes[0].after_ttl, 2);
        assert_int_equal(p->changes[0].by_ttl, 3);
        assert_string_equal(p->changes[0].behaviour, "bleach-tos-precedence");
        assert_int_equal(p->last_dscp, p->dscp & 7);
    }
    assert_int_equal(d->paths[0].verdict, TRACE_PRESERVED);
    trace_document_free(d);
}

static void a_change_on_this_host_is_named_so(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(3);
    sample_flow(d, 0, 0, 3, 1, to_zero);
    judge(d);
    assert_int_equal(d->finding_count, 1);
    assert_int_equal(d->findings[0].after_ttl, 0);
    assert_int_equal(d->findings[0].by_ttl, 1);
    assert_string_equal(d->findings[0].behaviour, "bleach-dscp");
    assert_non_null(strstr(d->findings[0].message, "Between this host and hop 1 (10.0.1.1)"));
    trace_document_free(d);
}

static void silent_hops_widen_the_segment(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(5);
    sample_path(d, 0, 0, 0, 5, MARKS(0, SILENT, NO_MARK, 0, 0));
    sample_path(d, 0, 46, 0, 5, MARKS(46, SILENT, NO_MARK, 0, 0));
    judge(d);
    assert_int_equal(violations(d), 1);
    assert_int_equal(d->findings[0].after_ttl, 1);
    assert_int_equal(d->findings[0].by_ttl, 4);
    assert_non_null(strstr(d->findings[0].message, "hops 2 to 3 between them quote nothing"));
    trace_document_free(d);
}

/* A hop that was silent for one class and not for another: what the other one saw narrows the segment for both. */
static void classes_narrow_a_segment_together(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, 0));
    sample_path(d, 0, 46, 0, 4, MARKS(46, 0, 0, 0));
    sample_path(d, 0, 34, 0, 4, MARKS(SILENT, SILENT, 0, 0));
    judge(d);
    assert_int_equal(d->finding_count, 1);
    assert_int_equal(d->findings[0].after_ttl, 1);
    assert_int_equal(d->findings[0].by_ttl, 2);
    assert_int_equal(d->findings[0].classes, 0x0E);
    assert_int_equal(d->paths[2].changes[0].after_ttl, 0); /* what this class itself shows stays as wide as it is */
    assert_int_equal(d->paths[2].changes[0].by_ttl, 3);
    trace_document_free(d);
}

static void two_causes_are_two_findings(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(5);
    sample_path(d, 0, 0, 0, 5, MARKS(0, 0, 0, 0, 0));
    sample_path(d, 0, 46, 0, 5, MARKS(46, 40, 40, 0, 0));
    sample_path(d, 0, 34, 0, 5, MARKS(34, 32, 32, 0, 0));
    judge(d);
    assert_int_equal(d->finding_count, 2);
    assert_string_equal(d->findings[0].code, "low-bits-bleached");
    assert_string_equal(d->findings[0].behaviour, "bleach-low");
    assert_string_equal(d->findings[1].code, "bleached");
    assert_int_equal(d->findings[1].after_ttl, 3);
    assert_string_equal(d->behaviour, "bleach-dscp"); /* what comes out at the end */
    assert_non_null(strstr(d->verdict_text, "in 2 places"));
    trace_document_free(d);
}

static void a_mark_that_comes_back_accuses_nobody(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(5);
    sample_path(d, 0, 0, 0, 5, MARKS(0, 0, 0, 0, 0));
    sample_path(d, 0, 46, 0, 5, MARKS(46, 0, 0, 46, 46));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 1);
    assert_string_equal(d->findings[0].code, "tunnel-differs");
    assert_false(d->findings[0].violation);
    const struct trace_change *c = &d->paths[1].changes[0];
    assert_int_equal(d->paths[1].change_count, 1);
    assert_true(c->tunnel);
    assert_int_equal(c->after_ttl, 1);
    assert_int_equal(c->by_ttl, 2);
    assert_int_equal(c->until_ttl, 3);
    assert_int_equal(d->paths[1].verdict, TRACE_PRESERVED);
    trace_document_free(d);
}

/* Back from the tunnel, and then changed: the change lies behind the last hop with the old mark. */
static void a_change_behind_a_tunnel_is_where_the_mark_was_last_seen(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(6);
    sample_path(d, 0, 0, 0, 6, MARKS(0, 0, 0, 0, 0, 0));
    sample_path(d, 0, 46, 0, 6, MARKS(46, 10, 46, 46, 0, 0));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(violations(d), 1);
    assert_int_equal(d->finding_count, 2);
    assert_int_equal(d->findings[0].after_ttl, 4); /* violations first */
    assert_int_equal(d->findings[0].by_ttl, 5);
    assert_int_equal(d->findings[1].by_ttl, 2);
    trace_document_free(d);
}

static void a_change_seen_by_the_last_router_alone_is_less_sure(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(6);
    sample_path(d, 0, 0, 0, 3, MARKS(0, 0, 0));
    sample_path(d, 0, 46, 0, 3, MARKS(46, 46, 0));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(d->findings[0].confidence, CONFIDENCE_HIGH);
    assert_non_null(strstr(d->arrived_text, "The target did not answer"));
    trace_document_free(d);
}

/* Unmarked packets that get a mark are worth a word, but no class of the policy was changed. */
static void a_changed_control_alone_is_no_violation(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(3);
    sample_path(d, 0, 0, 0, 3, MARKS(0, 8, 8));
    sample_path(d, 0, 46, 0, 3, MARKS(46, 46, 46));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 1);
    assert_false(d->findings[0].violation);
    assert_string_equal(d->findings[0].code, "remarked");
    trace_document_free(d);
}

/* RFC 9435: with EF alone this might be Re-mark-ToS too; the control, which becomes CS1 as well, makes it a
 * Re-mark-DSCP. */
static void the_control_counts_towards_the_name(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(3);
    sample_path(d, 0, 0, 0, 3, MARKS(0, 8, 8));
    sample_path(d, 0, 34, 0, 3, MARKS(34, 8, 8));
    judge(d);
    assert_string_equal(d->behaviour, "remark-dscp");
    assert_string_equal(d->findings[0].behaviour, "remark-dscp");
    assert_int_equal(d->findings[0].classes, 0x0D);
    trace_document_free(d);
}

static void nothing_quoted_is_nothing_checked(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(3);
    sample_path(d, 0, 0, 0, 3, MARKS(NO_MARK, NO_MARK, NO_MARK));
    sample_path(d, 0, 46, 0, 3, MARKS(NO_MARK, SILENT, NO_MARK));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_int_equal(d->unknown, 4);
    assert_string_equal(d->behaviour, "unknown");
    assert_int_equal(d->finding_count, 0);
    trace_document_free(d);
    d = sample_trace(3); /* nobody at all */
    sample_path(d, 0, 0, 0, 0, MARKS(0));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    trace_document_free(d);
}

/* Marks on the way are known, the target's are not: the classes pass as far as that goes, and it says how far. */
static void a_pass_says_how_far_it_goes(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    d->proto = "tcp";
    sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, NO_MARK));
    sample_path(d, 0, 46, 0, 4, MARKS(46, 46, 46, NO_MARK));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_non_null(strstr(d->arrived_text, "hop 3 (10.0.3.1)"));
    assert_non_null(strstr(d->verdict_text, "as far as it is known"));
    trace_document_free(d);
}

static void parallel_paths_of_which_one_remarks(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_flow(d, 0, 0, 4, 0, NULL);
    sample_flow(d, 1, 2, 4, 3, to_zero); /* hop 2 is the other router */
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(violations(d), 1);
    assert_int_equal(d->findings[0].flows, 2);
    assert_int_equal(d->findings[0].after.bytes[3], 2);
    assert_non_null(strstr(d->findings[0].message, "on 1 of 2 flows"));
    assert_string_equal(d->findings[0].behaviour, "bleach-dscp"); /* flow 0 does not go through there */
    assert_int_equal(d->note_count, 1);
    assert_non_null(strstr(d->notes[0], "Load is shared by port: from hop 2 on"));
    trace_document_free(d);
}

/* The flows beside the first are traced with one mark: they say nothing of what happens to the others. */
static void flows_without_the_mark_are_no_parallel_paths(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(3);
    sample_path(d, 0, 0, 0, 3, MARKS(0, 0, 0));
    sample_path(d, 0, 46, 0, 3, MARKS(46, 46, 46));
    sample_path(d, 0, 34, 0, 3, MARKS(34, 46, 46));
    sample_path(d, 1, 46, 0, 3, MARKS(46, 46, 46));
    judge(d);
    assert_int_equal(d->finding_count, 1);
    assert_int_equal(d->findings[0].flows, 1);
    assert_null(strstr(d->findings[0].message, "flows"));
    trace_document_free(d);
}

static void both_ways_that_remark_at_one_router_are_one_finding(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(5);
    sample_flow(d, 0, 0, 5, 4, to_zero);
    sample_flow(d, 1, 2, 5, 4, to_zero); /* apart at hop 2, together again at hop 3 */
    judge(d);
    assert_int_equal(d->finding_count, 1);
    assert_int_equal(d->findings[0].flows, 3);
    assert_null(strstr(d->findings[0].message, "flows"));
    trace_document_free(d);
}

static void a_class_that_goes_another_way_is_flagged(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, 0));
    sample_path(d, 0, 46, 2, 4, MARKS(46, 46, 46, 46));
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 1);
    assert_string_equal(d->findings[0].code, "path-diverges");
    assert_int_equal(d->findings[0].by_ttl, 2);
    assert_int_equal(d->findings[0].classes, 2);
    trace_document_free(d);
}

/* EF is dropped behind hop 2, the rest reaches the target. */
static void a_mark_that_gets_no_further_is_no_pass(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, 0));
    struct trace_path *p = sample_path(d, 0, 46, 0, 4, MARKS(46, 46, SILENT, SILENT));
    p->hops[2].sent = p->hops[3].sent = 3;
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(d->finding_count, 1);
    assert_string_equal(d->findings[0].code, "class-lost");
    assert_int_equal(d->findings[0].after_ttl, 2);
    assert_int_equal(d->findings[0].by_ttl, 3);
    assert_non_null(strstr(d->verdict_text, "packets of voice get no further than hop 2 (10.0.2.1)"));
    assert_non_null(strstr(d->arrived_text, "nobody answered packets of voice"));
    trace_document_free(d);

    /* the same as the engine leaves it, without the tail; interrupted, it says nothing */
    for (int interrupted = 0; interrupted < 2; interrupted++) {
        d = sample_trace(4);
        sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, 0));
        sample_path(d, 0, 46, 0, 2, MARKS(46, 46));
        d->interrupted = interrupted;
        judge(d);
        assert_int_equal(d->finding_count, !interrupted);
        assert_int_equal(d->verdict, interrupted ? SUMMARY_PASS : SUMMARY_FAIL);
        trace_document_free(d);
    }

    /* one hop may be one that limits its errors: told, and nobody is accused; so it is where it was asked too little */
    for (int few = 0; few < 2; few++) {
        d = sample_trace(4);
        sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, 0));
        p = sample_path(d, 0, 46, 0, 4, MARKS(46, 46, few ? SILENT : 46, SILENT));
        p->hops[3].sent = 3;
        judge(d);
        assert_int_equal(d->verdict, SUMMARY_PASS);
        assert_int_equal(d->finding_count, 1);
        assert_int_equal(d->findings[0].confidence, CONFIDENCE_LOW);
        trace_document_free(d);
    }
    /* nobody reaches it: that is the target's silence */
    d = sample_trace(4);
    sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, SILENT));
    p = sample_path(d, 0, 46, 0, 4, MARKS(46, 46, SILENT, SILENT));
    p->hops[2].sent = p->hops[3].sent = 3;
    judge(d);
    assert_int_equal(d->finding_count, 0);
    trace_document_free(d);
}

static void answers_that_differ_are_intermittent(void **state)
{
    (void)state;
    for (int comes_back = 0; comes_back < 2; comes_back++) {
        struct trace_document *d = sample_trace(4);
        sample_path(d, 0, 0, 0, 4, MARKS(0, 0, 0, 0));
        struct trace_path *p = sample_path(d, 0, 46, 0, 4, MARKS(46, 46, 46, comes_back ? 46 : SILENT));
        p->hops[2].replies[1] = p->hops[2].replies[0];
        p->hops[2].replies[1].quoted_dscp = 0;
        p->hops[2].reply_count = 2;
        judge(d);
        assert_int_equal(d->finding_count, 1);
        assert_string_equal(d->findings[0].code, "intermittent");
        assert_int_equal(d->findings[0].violation, !comes_back);
        assert_int_equal(d->verdict, comes_back ? SUMMARY_PASS : SUMMARY_FAIL);
        trace_document_free(d);
    }
}

static void labels_nat_and_ecn_are_noted(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(4);
    sample_flow(d, 0, 0, 4, 0, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct trace_reply *r = &d->paths[i].hops[2].replies[0];
        r->labels[0] = (struct trace_label){.label = 16005, .tc = 0, .ttl = 1, .bottom = true};
        r->label_count = 1;
        r->translated = true;
    }
    d->paths[1].hops[3].replies[0].quoted_ecn = 3;
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->note_count, 3);
    assert_non_null(strstr(d->notes[0], "From hop 3 on, quotes show another source"));
    assert_non_null(strstr(d->notes[1], "CE"));
    assert_non_null(strstr(d->notes[2], "same traffic class"));
    trace_document_free(d);
    d = sample_trace(4); /* a label for each mark: nothing to say */
    sample_flow(d, 0, 0, 4, 0, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct trace_reply *r = &d->paths[i].hops[2].replies[0];
        r->labels[0] = (struct trace_label){.label = 16005, .tc = d->paths[i].dscp >> 3 & 7, .ttl = 1, .bottom = true};
        r->label_count = 1;
    }
    judge(d);
    assert_int_equal(d->note_count, 0);
    trace_document_free(d);
}

/* Of a path that changes a mark at each of thirty hops 24 places are told. */
static void what_is_beyond_the_list_is_counted(void **state)
{
    (void)state;
    struct trace_document *d = sample_trace(30);
    int zero[30], other[30];
    for (int i = 0; i < 30; i++) {
        zero[i] = 0;
        other[i] = i + 1;
    }
    sample_path(d, 0, 0, 0, 30, zero);
    sample_path(d, 0, 46, 0, 30, other);
    judge(d);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(d->finding_count, 24);
    assert_int_equal(d->note_count, 1);
    assert_string_equal(d->notes[0], "6 more findings are not listed");
    trace_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_marks_pass),
        cmocka_unit_test(one_cause_is_one_finding),
        cmocka_unit_test(a_change_on_this_host_is_named_so),
        cmocka_unit_test(silent_hops_widen_the_segment),
        cmocka_unit_test(classes_narrow_a_segment_together),
        cmocka_unit_test(two_causes_are_two_findings),
        cmocka_unit_test(a_mark_that_comes_back_accuses_nobody),
        cmocka_unit_test(a_change_behind_a_tunnel_is_where_the_mark_was_last_seen),
        cmocka_unit_test(a_change_seen_by_the_last_router_alone_is_less_sure),
        cmocka_unit_test(a_changed_control_alone_is_no_violation),
        cmocka_unit_test(the_control_counts_towards_the_name),
        cmocka_unit_test(nothing_quoted_is_nothing_checked),
        cmocka_unit_test(a_pass_says_how_far_it_goes),
        cmocka_unit_test(parallel_paths_of_which_one_remarks),
        cmocka_unit_test(flows_without_the_mark_are_no_parallel_paths),
        cmocka_unit_test(both_ways_that_remark_at_one_router_are_one_finding),
        cmocka_unit_test(a_class_that_goes_another_way_is_flagged),
        cmocka_unit_test(a_mark_that_gets_no_further_is_no_pass),
        cmocka_unit_test(answers_that_differ_are_intermittent),
        cmocka_unit_test(labels_nat_and_ecn_are_noted),
        cmocka_unit_test(what_is_beyond_the_list_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

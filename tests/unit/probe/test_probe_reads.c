#include "testing.h"

#include "probe/probe_obey.h"
#include "probe/probe_reads.h"

/* Reflectors, and whether the way there clears DSCP, or the whole byte. */
enum reflector { READS, READS_WITHOUT_ECN, QOSMARK, CLEARS_FLAGS, CLEARS_FLAGS_AND_READS, COPIES_ASKED, SAYS_ZERO };
enum path { KEEPS, BLEACHES_DSCP, BLEACHES_BYTE };

static const dscp_t marks[] = {46, 34, 26, 0};
enum { MARKS = 4, EACH = 10 };

static void send(struct probe_document *d, enum reflector r, enum path path, uint16_t class_index, dscp_t asked,
                 bool witness)
{
    struct probe_packet *p = probe_document_add(d);
    assert_non_null(p);
    dscp_t arrived = path == KEEPS ? marks[class_index] : 0;
    int8_t ecn = witness && path != BLEACHES_BYTE ? 2 : 0;
    p->class_index = class_index;
    p->asked = asked;
    p->answered = true;
    p->witness = witness;
    p->returned = p->replied = (int8_t)asked;
    p->arrived = (int8_t)(r == CLEARS_FLAGS || r == SAYS_ZERO ? 0 : r == COPIES_ASKED ? asked : arrived);
    p->arrived_ecn = r == READS || r == QOSMARK || r == CLEARS_FLAGS_AND_READS ? ecn : 0;
    p->echoed = witness && (r == CLEARS_FLAGS || r == CLEARS_FLAGS_AND_READS);
    p->told = witness && r == QOSMARK;
}

static void expect(enum reflector r, enum path path, enum probe_reads_ask ask, enum probe_fact reads,
                   enum probe_why forward)
{
    struct probe_document *d = probe_document_new();
    assert_non_null(d);
    d->reflector.tlvs = PROBE_FACT_YES;
    d->classes = arena_alloc(&d->arena, MARKS * sizeof *d->classes);
    d->class_count = MARKS;
    for (uint16_t i = 0; i < MARKS; i++)
        d->classes[i] = (struct probe_class){.sent_dscp = marks[i], .control = marks[i] == 0};
    for (int n = 0; n < EACH; n++)
        for (uint16_t i = 0; i < MARKS; i++)
            send(d, r, path, i, marks[i], false);
    assert_int_equal(probe_reads_ask(d), ask);
    for (int n = 0; n < 3; n++)
        for (uint16_t i = 0; i < MARKS; i++)
            send(d, r, path, MARKS - 1, ask == PROBE_READS_ALL_KEPT ? DSCP_LE : marks[i], true);
    for (int again = 0; again < 2; again++) { /* what was taken back stays so */
        probe_reads_decide(d);
        assert_int_equal(probe_obey_decide(d, NULL), 0);
        assert_int_equal(d->reflector.reads, reads);
        for (size_t i = 0; i < d->packet_count; i++) {
            assert_int_equal(d->packets[i].why_forward, forward);
            assert_int_equal(d->packets[i].arrived == PROBE_MARK_UNKNOWN, forward != PROBE_WHY_NONE);
            if (forward != PROBE_WHY_NONE)
                assert_int_equal(d->packets[i].replied, PROBE_MARK_UNKNOWN);
        }
    }
    probe_document_free(d);
}

static void marks_that_arrive_as_sent_are_believed_where_witnesses_arrive_as_sent_too(void **state)
{
    (void)state;
    expect(READS, KEEPS, PROBE_READS_ALL_KEPT, PROBE_FACT_YES, PROBE_WHY_NONE);
    expect(READS_WITHOUT_ECN, KEEPS, PROBE_READS_ALL_KEPT, PROBE_FACT_YES, PROBE_WHY_NONE);
    expect(QOSMARK, KEEPS, PROBE_READS_ALL_KEPT, PROBE_FACT_YES, PROBE_WHY_NONE);
    expect(CLEARS_FLAGS_AND_READS, KEEPS, PROBE_READS_ALL_KEPT, PROBE_FACT_YES, PROBE_WHY_NONE);
}

static void a_reflector_that_copies_the_mark_asked_for_passes_no_path(void **state)
{
    (void)state;
    expect(COPIES_ASKED, KEEPS, PROBE_READS_ALL_KEPT, PROBE_FACT_NO, PROBE_WHY_COPIED);
    expect(COPIES_ASKED, BLEACHES_DSCP, PROBE_READS_ALL_KEPT, PROBE_FACT_NO, PROBE_WHY_COPIED);
}

static void an_echo_without_u_accuses_no_path(void **state)
{
    (void)state;
    expect(CLEARS_FLAGS, KEEPS, PROBE_READS_SAME_MARK, PROBE_FACT_NO, PROBE_WHY_ECHO);
    expect(CLEARS_FLAGS, BLEACHES_DSCP, PROBE_READS_SAME_MARK, PROBE_FACT_NO, PROBE_WHY_ECHO);
}

static void a_bleaching_path_is_certain_where_ecn_or_the_reflector_bears_witness(void **state)
{
    (void)state;
    expect(READS, BLEACHES_DSCP, PROBE_READS_SAME_MARK, PROBE_FACT_YES, PROBE_WHY_NONE);
    expect(CLEARS_FLAGS_AND_READS, BLEACHES_DSCP, PROBE_READS_SAME_MARK, PROBE_FACT_YES, PROBE_WHY_NONE);
    expect(QOSMARK, BLEACHES_BYTE, PROBE_READS_SAME_MARK, PROBE_FACT_YES, PROBE_WHY_NONE);
}

static void where_nothing_of_the_byte_arrives_nobody_is_accused(void **state)
{
    (void)state;
    expect(READS, BLEACHES_BYTE, PROBE_READS_SAME_MARK, PROBE_FACT_NO, PROBE_WHY_UNREAD);
    expect(READS_WITHOUT_ECN, BLEACHES_DSCP, PROBE_READS_SAME_MARK, PROBE_FACT_NO, PROBE_WHY_UNREAD);
    expect(SAYS_ZERO, KEEPS, PROBE_READS_SAME_MARK, PROBE_FACT_NO, PROBE_WHY_UNREAD);
}

static void without_witnesses_zeros_alone_accuse_nobody(void **state)
{
    (void)state;
    struct probe_document *d = probe_document_new();
    assert_non_null(d);
    d->classes = arena_alloc(&d->arena, MARKS * sizeof *d->classes);
    d->class_count = MARKS;
    for (uint16_t i = 0; i < MARKS; i++) {
        d->classes[i] = (struct probe_class){.sent_dscp = marks[i], .control = marks[i] == 0};
        send(d, SAYS_ZERO, KEEPS, i, marks[i], false);
    }
    probe_reads_decide(d);
    for (size_t i = 0; i < d->packet_count; i++)
        assert_int_equal(d->packets[i].why_forward, PROBE_WHY_UNREAD);
    probe_document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_that_arrive_as_sent_are_believed_where_witnesses_arrive_as_sent_too),
        cmocka_unit_test(a_reflector_that_copies_the_mark_asked_for_passes_no_path),
        cmocka_unit_test(an_echo_without_u_accuses_no_path),
        cmocka_unit_test(a_bleaching_path_is_certain_where_ecn_or_the_reflector_bears_witness),
        cmocka_unit_test(where_nothing_of_the_byte_arrives_nobody_is_accused),
        cmocka_unit_test(without_witnesses_zeros_alone_accuse_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "probe/probe_ask.h"
#include "probe/probe_obey.h"

/* A path there, a reflector, and a path back, by hand. */
typedef dscp_t path(dscp_t mark);
enum reflector { OBEYS, COPIES, OWN_MARK_0, OWN_MARK_16, OBEYS_AND_TELLS, OWN_MARK_AND_TELLS, REFUSES };

static dscp_t keeps(dscp_t x)
{
    return x;
}
static dscp_t bleaches(dscp_t x)
{
    (void)x;
    return 0;
}
static dscp_t clears_precedence(dscp_t x)
{
    return x & 7;
}
static dscp_t clears_low(dscp_t x)
{
    return x & 56;
}
static dscp_t bleaches_ef(dscp_t x)
{
    return x == 46 ? 0 : x;
}

static const dscp_t marks[] = {46, 34, 26, 0};
enum { MARKS = 4, EACH = 10 };

struct world {
    path *there, *back;
    enum reflector reflector;
    bool ask; /* what probe_obey_decide() wanted */
};

static void send(struct probe_document *d, const struct world *w, uint16_t class_index, dscp_t sent, dscp_t asked,
                 bool witness)
{
    struct probe_packet *p = probe_document_add(d);
    assert_non_null(p);
    dscp_t arrived = w->there(sent);
    dscp_t replied = w->reflector == OBEYS || w->reflector == OBEYS_AND_TELLS ? asked
                     : w->reflector == COPIES || w->reflector == REFUSES      ? arrived
                     : w->reflector == OWN_MARK_16                            ? 16
                                                                              : 0;
    p->class_index = class_index;
    p->asked = asked;
    p->answered = true;
    p->arrived = (int8_t)arrived;
    p->returned = (int8_t)w->back(replied);
    p->replied = (int8_t)asked; /* what RP = 0 claims */
    p->witness = witness;
    if (w->reflector == REFUSES) {
        p->why_reverse = PROBE_WHY_REFUSED;
        p->replied = PROBE_MARK_UNKNOWN;
    }
    if (witness && (w->reflector == OBEYS_AND_TELLS || w->reflector == OWN_MARK_AND_TELLS)) {
        p->told = true;
        p->replied = (int8_t)replied;
    }
}

/* As the sender does it: classes, then witnesses where they are wanted. */
static struct probe_document *probe(struct world *w)
{
    struct probe_document *d = probe_document_new();
    assert_non_null(d);
    d->reflector.tlvs = PROBE_FACT_YES;
    d->classes = arena_alloc(&d->arena, MARKS * sizeof *d->classes);
    d->class_count = MARKS;
    for (int n = 0; n < EACH; n++)
        for (uint16_t i = 0; i < MARKS; i++)
            send(d, w, i, marks[i], marks[i], false);
    assert_int_equal(probe_obey_decide(d, &w->ask), 0);
    for (int n = 0; w->ask && n < 3; n++)
        for (uint16_t i = 0; i < MARKS; i++)
            send(d, w, MARKS - 1, 0, marks[i], true);
    if (w->ask)
        assert_int_equal(probe_obey_decide(d, NULL), 0);
    return d;
}

/* How many packets of a class have a known mark on the way back, and how many of those were changed. */
static void judge(const struct probe_document *d, uint16_t class_index, int *ret_known, int *ret_changed)
{
    *ret_known = *ret_changed = 0;
    for (size_t i = 0; i < d->packet_count; i++) {
        const struct probe_packet *p = &d->packets[i];
        if (p->class_index != class_index || p->witness || p->replied == PROBE_MARK_UNKNOWN)
            continue;
        ++*ret_known;
        *ret_changed += p->returned != p->replied;
    }
}

static void expect(struct world w, enum probe_fact obeys, int known, int changed, bool ask)
{
    int got_known, got_changed;
    struct probe_document *d = probe(&w);
    judge(d, 0, &got_known, &got_changed);
    assert_int_equal(d->reflector.obeys, obeys);
    assert_int_equal(got_known, known);
    assert_int_equal(got_changed, changed);
    assert_int_equal(w.ask, ask);
    probe_document_free(d);
}

static void a_clean_path_needs_no_question(void **state)
{
    (void)state;
    expect((struct world){keeps, keeps, OBEYS, false}, PROBE_FACT_UNKNOWN, EACH, 0, false);
    expect((struct world){keeps, keeps, COPIES, false}, PROBE_FACT_UNKNOWN, EACH, 0, false);
}

static void a_way_back_that_leaves_differences_convicts_itself(void **state)
{
    (void)state;
    expect((struct world){keeps, clears_precedence, OBEYS, false}, PROBE_FACT_UNKNOWN, EACH, EACH, false);
    expect((struct world){keeps, bleaches_ef, OBEYS, false}, PROBE_FACT_UNKNOWN, EACH, EACH, false);
}

static void a_way_there_that_changes_does_not_hide_an_obedient_reflector(void **state)
{
    (void)state;
    expect((struct world){bleaches, keeps, OBEYS, false}, PROBE_FACT_YES, EACH, 0, false);
    expect((struct world){bleaches, clears_precedence, OBEYS, false}, PROBE_FACT_YES, EACH, EACH, false);
    expect((struct world){clears_low, keeps, OBEYS, false}, PROBE_FACT_YES, EACH, 0, false);
    /* both classes that arrive alike come back alike: only witnesses tell */
    expect((struct world){clears_precedence, clears_precedence, OBEYS, false}, PROBE_FACT_YES, EACH, EACH, true);
}

/* Bleached there, and the reflector copies what arrived: the way back is innocent and must not be accused. */
static void a_reflector_that_copies_is_no_bleaching_way_back(void **state)
{
    (void)state;
    expect((struct world){clears_precedence, keeps, COPIES, false}, PROBE_FACT_NO, 0, 0, true);
    expect((struct world){bleaches_ef, keeps, COPIES, false}, PROBE_FACT_NO, 0, 0, true);
    expect((struct world){bleaches, keeps, COPIES, false}, PROBE_FACT_UNKNOWN, 0, 0, true);
}

static void a_reflector_with_a_mark_of_its_own_accuses_nobody(void **state)
{
    (void)state;
    expect((struct world){keeps, keeps, OWN_MARK_0, false}, PROBE_FACT_UNKNOWN, 0, 0, true);
    expect((struct world){keeps, keeps, OWN_MARK_16, false}, PROBE_FACT_UNKNOWN, 0, 0, true);
    expect((struct world){bleaches, keeps, OWN_MARK_0, false}, PROBE_FACT_UNKNOWN, 0, 0, true);
}

static void a_way_back_that_bleaches_all_needs_the_reflectors_word(void **state)
{
    (void)state;
    expect((struct world){keeps, bleaches, OBEYS, false}, PROBE_FACT_UNKNOWN, 0, 0, true);
    expect((struct world){keeps, bleaches, OBEYS_AND_TELLS, false}, PROBE_FACT_YES, EACH, EACH, true);
    expect((struct world){bleaches, bleaches, OBEYS_AND_TELLS, false}, PROBE_FACT_YES, EACH, EACH, true);
    expect((struct world){keeps, keeps, OWN_MARK_AND_TELLS, false}, PROBE_FACT_NO, 0, 0, true);
}

static void a_refusal_is_believed(void **state)
{
    (void)state;
    expect((struct world){bleaches, keeps, REFUSES, false}, PROBE_FACT_NO, 0, 0, false);
}

/* Half of the replies are bleached by one of two paths, and the reflector has one mark for all: still nobody is
 * accused. */
static void parallel_paths_do_not_prove_obedience(void **state)
{
    (void)state;
    struct world w = {keeps, keeps, OWN_MARK_16, false};
    struct probe_document *d = probe_document_new();
    int known, changed;
    d->reflector.tlvs = PROBE_FACT_YES;
    d->classes = arena_alloc(&d->arena, MARKS * sizeof *d->classes);
    d->class_count = MARKS;
    uint32_t x = 1;
    for (int n = 0; n < EACH; n++) {
        for (uint16_t i = 0; i < MARKS; i++) {
            x = x * 1664525u + 1013904223u;
            w.back = x >> 31 ? bleaches : keeps;
            send(d, &w, i, marks[i], marks[i], false);
        }
    }
    assert_int_equal(probe_obey_decide(d, &w.ask), 0);
    judge(d, 0, &known, &changed);
    assert_int_equal(known, 0);
    probe_document_free(d);
}

static void the_question_has_its_bytes_and_only_it_is_answered(void **state)
{
    (void)state;
    static const uint8_t question[8] = {'q', 'o', 's', 'm', 0, 0, 0, 0};
    uint8_t value[PROBE_ASK_BYTES];
    tos_t tos;
    probe_ask_write(value);
    assert_memory_equal(value, question, sizeof question);
    assert_false(probe_ask_read(value, sizeof value, &tos));
    assert_true(probe_ask_answer(value, sizeof value, 0xb8));
    assert_true(probe_ask_read(value, sizeof value, &tos));
    assert_int_equal(tos, 0xb8);
    uint8_t other[8] = "private";
    assert_false(probe_ask_answer(other, sizeof other, 0xb8));
    assert_string_equal((char *)other, "private");
    assert_false(probe_ask_answer(value, 7, 0xb8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_path_needs_no_question),
        cmocka_unit_test(a_way_back_that_leaves_differences_convicts_itself),
        cmocka_unit_test(a_way_there_that_changes_does_not_hide_an_obedient_reflector),
        cmocka_unit_test(a_reflector_that_copies_is_no_bleaching_way_back),
        cmocka_unit_test(a_reflector_with_a_mark_of_its_own_accuses_nobody),
        cmocka_unit_test(a_way_back_that_bleaches_all_needs_the_reflectors_word),
        cmocka_unit_test(a_refusal_is_believed),
        cmocka_unit_test(parallel_paths_do_not_prove_obedience),
        cmocka_unit_test(the_question_has_its_bytes_and_only_it_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "policy/judge_probe.h"

/* Documents as the engine leaves them to be judged: packets with marks, figures of delay where a test needs them. */

typedef dscp_t path(dscp_t mark);

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
static dscp_t sets_precedence_2(dscp_t x)
{
    return (dscp_t)(16 | (x & 7));
}
static dscp_t clears_low(dscp_t x)
{
    return x & 56;
}
static dscp_t sets_10(dscp_t x)
{
    (void)x;
    return 10;
}
static dscp_t bleaches_ef(dscp_t x)
{
    return x == 46 ? 0 : x;
}

static const struct {
    const char *name;
    enum traffic_class traffic_class;
    dscp_t mark;
} classes[] = {{"voice", CLASS_VOICE, 46},
               {"multimedia", CLASS_MULTIMEDIA, 34},
               {"signaling", CLASS_SIGNALING, 24},
               {"control", CLASS_NONE, 0}};

enum { CLASSES = 4, FLOWS = 8 };

static struct probe_document *document(path *there, path *back, unsigned each)
{
    struct probe_document *d = probe_document_new();
    assert_non_null(d);
    d->classes = arena_alloc(&d->arena, CLASSES * sizeof *d->classes);
    d->class_count = CLASSES;
    for (size_t i = 0; i < CLASSES; i++)
        d->classes[i] = (struct probe_class){.name = classes[i].name,
                                             .traffic_class = classes[i].traffic_class,
                                             .control = classes[i].mark == 0,
                                             .sent_dscp = classes[i].mark,
                                             .lost = {0},
                                             .sent = each,
                                             .answered = each};
    for (unsigned n = 0; n < each; n++) {
        for (uint16_t i = 0; i < CLASSES; i++) {
            struct probe_packet *p = probe_document_add(d);
            assert_non_null(p);
            p->class_index = i;
            p->round = n;
            p->flow = (uint16_t)(n % FLOWS);
            p->sent_ns = n;
            p->answered = true;
            p->asked = classes[i].mark;
            p->arrived = (int8_t)there(classes[i].mark);
            p->replied = (int8_t)classes[i].mark;
            p->returned = (int8_t)back(classes[i].mark);
        }
    }
    return d;
}

static const struct probe_finding *finding(const struct probe_document *d, const char *code)
{
    for (size_t i = 0; i < d->finding_count; i++)
        if (strcmp(d->findings[i].code, code) == 0)
            return &d->findings[i];
    return NULL;
}

/* The same where it has to be there; what is returned otherwise is only for the compiler, which does not know that the
 * assertion ends the test. */
static const struct probe_finding *expected(const struct probe_document *d, const char *code)
{
    static const struct probe_finding none = {.message = "", .direction = ""};
    const struct probe_finding *f = finding(d, code);
    assert_non_null(f);
    return f ? f : &none;
}

static unsigned violations(const struct probe_document *d)
{
    unsigned n = 0;
    for (size_t i = 0; i < d->finding_count; i++)
        n += d->findings[i].violation;
    return n;
}

static void a_clean_path_passes_without_a_word(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 10);
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 0);
    assert_string_equal(d->forward_behaviour, "preserved");
    assert_string_equal(d->reverse_behaviour, "preserved");
    probe_document_free(d);
}

static void each_behaviour_is_named_with_its_code(void **state)
{
    (void)state;
    static const struct {
        path *path;
        const char *behaviour, *code;
    } rows[] = {
        {bleaches, "bleach-dscp", "bleached"},
        {clears_precedence, "bleach-tos-precedence", "tos-precedence-bleached"},
        {sets_precedence_2, "remark-tos", "tos-precedence-remarked"},
        {clears_low, "bleach-low", "low-bits-bleached"},
        {sets_10, "remark-dscp", "remarked"},
        {bleaches_ef, "mixed", "bleached"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (int way = 0; way < 2; way++) {
            struct probe_document *d = document(way ? keeps : rows[i].path, way ? rows[i].path : keeps, 10);
            assert_int_equal(judge_probe(d), 0);
            assert_int_equal(d->verdict, SUMMARY_FAIL);
            assert_string_equal(way ? d->reverse_behaviour : d->forward_behaviour, rows[i].behaviour);
            assert_string_equal(way ? d->forward_behaviour : d->reverse_behaviour, "preserved");
            const struct probe_finding *f = expected(d, rows[i].code);
            assert_string_equal(f->direction, way ? "reverse" : "forward");
            assert_non_null(finding(d, "one-way"));
            assert_int_equal(violations(d), 1);
            probe_document_free(d);
        }
    }
}

static void one_cause_is_one_finding(void **state)
{
    (void)state;
    struct probe_document *d = document(bleaches, bleaches, 10);
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(violations(d), 2);
    assert_null(finding(d, "one-way"));
    const struct probe_finding *f = expected(d, "bleached");
    assert_int_equal(f->class_count, 3);
    assert_int_equal(f->packets, 30);
    probe_document_free(d);
}

static void make_unknown(struct probe_document *d, enum probe_why why)
{
    for (size_t i = 0; i < d->packet_count; i++) {
        d->packets[i].arrived = d->packets[i].replied = PROBE_MARK_UNKNOWN;
        d->packets[i].why_forward = d->packets[i].why_reverse = (uint8_t)why;
        d->packets[i].returned = 0;
    }
}

/* An old reflector: the TLV as it was sent, replies unmarked. Nobody is accused, and nothing has passed. */
static void what_is_not_known_neither_passes_nor_fails(void **state)
{
    (void)state;
    static const enum probe_why whys[] = {PROBE_WHY_NO_TLV, PROBE_WHY_U_FLAG, PROBE_WHY_BAD_TLV};
    for (size_t i = 0; i < 3; i++) {
        struct probe_document *d = document(keeps, keeps, 10);
        make_unknown(d, whys[i]);
        assert_int_equal(judge_probe(d), 0);
        assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
        assert_int_equal(violations(d), 0);
        assert_string_equal(d->forward_behaviour, "unknown");
        assert_true(d->classes[0].forward_reason[0] && d->classes[0].reverse_reason[0]);
        assert_non_null(finding(d, "not-verifiable"));
        probe_document_free(d);
    }
}

static void two_packets_are_no_ground(void **state)
{
    (void)state;
    struct probe_document *d = document(bleaches, keeps, 2);
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->classes[0].forward, PROBE_CHANGE_UNKNOWN);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    probe_document_free(d);
}

static void a_tolerance_is_kept(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 100);
    d->packets[0].arrived = 0;
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->classes[0].forward, PROBE_CHANGE_CHANGED);
    d->classes[0].tolerance = 0.01;
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->classes[0].forward, PROBE_CHANGE_PRESERVED);
    probe_document_free(d);
}

static void parallel_paths_show_by_flow(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 80);
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].flow & 1)
            d->packets[i].arrived = 0;
    assert_int_equal(judge_probe(d), 0);
    const struct probe_finding *f = expected(d, "intermittent");
    assert_non_null(f);
    assert_non_null(strstr(f->message, "5-tuple, as with parallel paths"));
    assert_non_null(strstr(f->message, "Bleach-DSCP"));
    assert_int_equal(f->class_count, 3);
    probe_document_free(d);
}

static void one_change_in_time_is_no_parallel_path(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 80);
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].round >= 30)
            d->packets[i].arrived = 0;
    assert_int_equal(judge_probe(d), 0);
    assert_non_null(finding(d, "changed-midstream"));
    assert_null(finding(d, "intermittent"));
    probe_document_free(d);
}

static void limits_are_part_of_the_verdict(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 10);
    d->limits.max_rtt_ms = 200;
    d->limits.max_loss = 0.1;
    d->limits.max_jitter_ms = 5;
    d->classes[0].rtt_ms = (struct probe_spread){.count = 10, .p95 = 199};
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    d->classes[0].rtt_ms.p95 = 201;
    d->classes[1].lost.round_trip = 2;
    d->classes[2].reverse_jitter_ms = 6;
    d->classes[3].rtt_ms = (struct probe_spread){.count = 10, .p95 = 900}; /* the control is no class */
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_int_equal(expected(d, "round-trip-too-long")->class_count, 1);
    assert_non_null(finding(d, "too-much-loss"));
    assert_non_null(finding(d, "too-much-jitter"));
    probe_document_free(d);
}

/* A filter that drops EF: what is left is kept, and that must not be all that is said. */
static void a_class_that_is_lost_as_a_whole_is_no_pass(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 20);
    for (size_t i = 0; i < d->packet_count; i++)
        if (d->packets[i].class_index == 0)
            d->packets[i].answered = false;
    d->classes[0].answered = 0;
    d->classes[0].lost = (struct probe_loss){-1, -1, 20};
    d->limits = (struct probe_limits){-1, -1, -1};
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    const struct probe_finding *f = expected(d, "class-lost");
    assert_true(f->violation);
    assert_int_equal(f->class_count, 1);
    assert_true(d->classes[0].violating);
    assert_non_null(strstr(d->verdict_text, "1 of 3 classes gets no answer at all"));
    assert_null(strstr(d->verdict_text, "limit"));
    d->limits.max_loss = 0.01;
    assert_int_equal(judge_probe(d), 0);
    expected(d, "too-much-loss");
    /* nobody answers at all: that says nothing of the class */
    for (size_t i = 0; i < CLASSES; i++)
        d->classes[i].answered = 0;
    for (size_t i = 0; i < d->packet_count; i++)
        d->packets[i].answered = false;
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(violations(d), 0);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    probe_document_free(d);
}

static void a_reflector_that_may_not_look_is_a_doubt(void **state)
{
    (void)state;
    struct probe_document *d = document(bleaches, keeps, 10);
    d->reflector.reads = PROBE_FACT_NO;
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(expected(d, "bleached")->confidence, CONFIDENCE_LOW);
    assert_non_null(strstr(expected(d, "bleached")->message, "does not look at it"));
    d->reflector.reads = PROBE_FACT_YES;
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(expected(d, "bleached")->confidence, CONFIDENCE_HIGH);
    probe_document_free(d);
}

static void limits_alone_can_be_checked(void **state)
{
    (void)state;
    struct probe_document *d = document(keeps, keeps, 10);
    make_unknown(d, PROBE_WHY_NO_TLV);
    d->limits.max_rtt_ms = 200;
    d->classes[0].rtt_ms = (struct probe_spread){.count = 10, .p95 = 1};
    assert_int_equal(judge_probe(d), 0);
    assert_int_equal(d->verdict, SUMMARY_PASS);
    probe_document_free(d);
}

static enum probe_benefit benefit(struct probe_interval delay, struct probe_interval loss, double queue_ms,
                                  double control_loss)
{
    struct probe_document *d = document(keeps, keeps, 3);
    struct probe_class *c = &d->classes[0];
    c->delay_ms = delay;
    c->loss_share = loss;
    c->control_queue_ms = queue_ms;
    c->control_loss_share = control_loss;
    judge_probe_benefit(d, c);
    enum probe_benefit b = c->benefit;
    probe_document_free(d);
    return b;
}

static void a_mark_helps_only_where_chance_and_trifles_do_not_explain_it(void **state)
{
    (void)state;
    const struct probe_interval none = {.known = true, .low = -0.03, .high = 0.03}, unknown = {0};
#define DELAY(e, l, h) ((struct probe_interval){.known = true, .estimate = (e), .low = (l), .high = (h)})
    assert_int_equal(benefit(DELAY(-20, -25, -15), none, 22, 0), PROBE_BENEFIT_HELPED);
    assert_int_equal(benefit(DELAY(0.1, -0.5, 0.7), none, 22, 0), PROBE_BENEFIT_NO);
    assert_int_equal(benefit(DELAY(30, 20, 40), none, 22, 0), PROBE_BENEFIT_WORSE);
    /* significant and of no account */
    assert_int_equal(benefit(DELAY(-0.004, -0.006, -0.002), none, 0.01, 0), PROBE_BENEFIT_INCONCLUSIVE);
    /* a wide interval excludes nothing */
    assert_int_equal(benefit(DELAY(-3, -19, 4), none, 22, 0), PROBE_BENEFIT_INCONCLUSIVE);
    /* nobody waited */
    assert_int_equal(benefit(DELAY(0, -0.01, 0.01), none, 0.02, 0), PROBE_BENEFIT_INCONCLUSIVE);
    assert_int_equal(benefit(DELAY(0, -0.1, 0.1), DELAY(-0.3, -0.4, -0.2), 5, 0.3), PROBE_BENEFIT_HELPED);
    assert_int_equal(benefit(DELAY(-4, -5, -3), DELAY(0.3, 0.2, 0.4), 5, 0), PROBE_BENEFIT_WORSE);
    assert_int_equal(benefit(unknown, unknown, -1, -1), PROBE_BENEFIT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_path_passes_without_a_word),
        cmocka_unit_test(each_behaviour_is_named_with_its_code),
        cmocka_unit_test(one_cause_is_one_finding),
        cmocka_unit_test(what_is_not_known_neither_passes_nor_fails),
        cmocka_unit_test(two_packets_are_no_ground),
        cmocka_unit_test(a_tolerance_is_kept),
        cmocka_unit_test(parallel_paths_show_by_flow),
        cmocka_unit_test(one_change_in_time_is_no_parallel_path),
        cmocka_unit_test(limits_are_part_of_the_verdict),
        cmocka_unit_test(a_class_that_is_lost_as_a_whole_is_no_pass),
        cmocka_unit_test(a_reflector_that_may_not_look_is_a_doubt),
        cmocka_unit_test(limits_alone_can_be_checked),
        cmocka_unit_test(a_mark_helps_only_where_chance_and_trifles_do_not_explain_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

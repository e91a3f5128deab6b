#include "testing.h"

#include "engine/service_judge.h"
#include "probe/probe_figures.h"

/* Verdict and cause from packets put together by hand: five rounds, each a marked and an unmarked connection. */

enum { ROUNDS = 5, AF31 = 26, CS3 = 24, EF = 46 };

static const char *const phases[] = {"SYN-ACK", "data", "FIN"};

static const struct service_way *way_of(enum service s, enum service_transport t)
{
    for (size_t i = 0; i < SERVICE_WAYS; i++)
        if (service_ways[i].service == s && service_ways[i].transport == t)
            return &service_ways[i];
    return NULL;
}

static struct service_plan signaling(void)
{
    return (struct service_plan){.traffic_class = CLASS_SIGNALING,
                                 .expected = dscp_set_of(AF31),
                                 .preferred = AF31,
                                 .sent = AF31,
                                 .min_packets = 1,
                                 .control = true};
}

static struct probe_document *empty(const struct service_plan *plan)
{
    const uint8_t bytes[4] = {10, 1, 1, 11};
    struct probe_document *d = probe_document_new();
    d->target.endpoint = (struct endpoint){addr_v4(bytes), 5060};
    d->method = "sip over tcp";
    d->class_count = plan->control ? 2 : 1;
    d->classes = arena_alloc(&d->arena, 2 * sizeof *d->classes);
    d->classes[0] = (struct probe_class){.name = "signaling",
                                         .traffic_class = plan->traffic_class,
                                         .sent_dscp = plan->sent,
                                         .expected_return = plan->expected,
                                         .preferred_return = plan->preferred,
                                         .tolerance = plan->tolerance};
    d->classes[1] = (struct probe_class){.name = "control", .control = true, .expected_return = plan->expected};
    return d;
}

static void add(struct probe_document *d, uint16_t class_index, uint32_t round, const char *phase, int mark, bool extra)
{
    struct probe_packet *p = probe_document_add(d);
    p->class_index = class_index;
    p->round = round;
    p->phase = phase;
    p->answered = true;
    p->returned = (int8_t)mark;
    p->extra = extra;
}

/* Judges; the marks of the three parts of marked and of unmarked connections. */
static struct probe_document *judge_tcp(const struct service_plan *plan, const int marked[3], const int control[3])
{
    struct probe_document *d = empty(plan);
    struct service_facts facts = {
        .way = way_of(SERVICE_SIP, SERVICE_TCP), .plan = *plan, .judged = 2 * ROUNDS, .unanswered = "", .unseen = ""};
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (int part = 0; part < 3; part++)
            add(d, 0, round, phases[part], marked[part], part > 0);
        for (int part = 0; plan->control && part < 3; part++)
            add(d, 1, round, phases[part], control[part], part > 0);
    }
    assert_int_equal(probe_figures_count(d), 0);
    assert_int_equal(service_judge(d, &facts), 0);
    return d;
}

static struct probe_document *judge_same(const int marks[3])
{
    struct service_plan plan = signaling();
    return judge_tcp(&plan, marks, marks);
}

static void all_marked_passes_and_forward_stays_unknown(void **state)
{
    (void)state;
    struct probe_document *d = judge_same((const int[]){AF31, AF31, AF31});
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 0);
    assert_int_equal(d->classes[0].forward, PROBE_CHANGE_UNKNOWN);
    assert_int_equal(d->classes[0].reverse, PROBE_CHANGE_PRESERVED);
    assert_string_equal(d->forward_behaviour, "unknown");
    assert_string_equal(d->verdict_text,
                        "all 30 packets that came back carried AF31, whether it was asked with a mark or without");
    probe_document_free(d);
}

static void each_signature_has_its_code(void **state)
{
    (void)state;
    static const struct {
        int marks[3];
        const char *code;
        uint64_t packets;
    } cases[] = {
        {{0, 0, 0}, "never-marked", 30},
        {{CS3, CS3, CS3}, "remarked", 30}, /* a known default; AF31 & 56 would be CS3 too */
        {{2, 2, 2}, "tos-precedence-bleached", 30},
        {{6, 6, 6}, "unshifted", 30},
        {{EF, EF, EF}, "remarked", 30},
        {{0, AF31, AF31}, "unmarked-start", 10},
        {{CS3, AF31, AF31}, "changed-midstream", 10},
        {{AF31, 0, AF31}, "changed-midstream", 10},
        {{AF31, AF31, 0}, "changed-midstream", 10},
        {{0, CS3, AF31}, "changed-midstream", 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct probe_document *d = judge_same(cases[i].marks);
        assert_int_equal(d->verdict, SUMMARY_FAIL);
        assert_int_equal(d->finding_count, 1);
        assert_string_equal(d->findings[0].code, cases[i].code);
        assert_int_equal(d->findings[0].packets, cases[i].packets);
        assert_true(d->findings[0].violation);
        assert_non_null(strstr(d->findings[0].advice, "`dscp 4 signaling 0x1A`"));
        assert_int_equal(d->classes[0].reverse, PROBE_CHANGE_UNKNOWN); /* the path may be innocent */
        assert_true(d->classes[0].violating);
        probe_document_free(d);
    }
}

static void a_wrong_mark_on_everything_accuses_nobody_for_sure(void **state)
{
    (void)state;
    struct probe_document *d = judge_same((const int[]){0, 0, 0});
    assert_int_equal(d->findings[0].confidence, CONFIDENCE_LOW);
    assert_non_null(strstr(d->findings[0].advice, "either the server"));
    assert_non_null(strstr(d->findings[0].advice, "on the way back"));
    assert_non_null(strstr(d->findings[0].advice, "capture at the server"));
    probe_document_free(d);
}

static void a_server_that_repeats_the_marks_of_requests_does_not_pass(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    struct probe_document *d = judge_tcp(&plan, (const int[]){AF31, AF31, AF31}, (const int[]){0, 0, 0});
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_string_equal(d->findings[0].code, "reflected");
    assert_int_equal(d->findings[0].packets, 15);
    assert_int_equal(d->findings[0].confidence, CONFIDENCE_HIGH);
    assert_false(d->classes[0].violating);
    assert_true(d->classes[1].violating);
    probe_document_free(d);
}

static void a_syn_ack_alone_may_repeat_the_mark_of_the_syn(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    struct probe_document *d = judge_tcp(&plan, (const int[]){AF31, AF31, AF31}, (const int[]){0, AF31, AF31});
    assert_string_equal(d->findings[0].code, "reflected");
    assert_int_equal(d->findings[0].packets, 5);
    probe_document_free(d);
}

static void chance_is_no_reflection(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    struct probe_document *d = empty(&plan);
    struct service_facts facts = {
        .way = way_of(SERVICE_SIP, SERVICE_TCP), .plan = plan, .judged = 2 * ROUNDS, .unanswered = "", .unseen = ""};
    /* all marked connections took the good path, two of five unmarked ones the bad one */
    for (uint32_t round = 0; round < ROUNDS; round++) {
        for (int part = 0; part < 3; part++) {
            add(d, 0, round, phases[part], AF31, part > 0);
            add(d, 1, round, phases[part], round < 2 ? 0 : AF31, part > 0);
        }
    }
    assert_int_equal(probe_figures_count(d), 0);
    assert_int_equal(service_judge(d, &facts), 0);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    assert_string_equal(d->findings[0].code, "intermittent");
    assert_int_equal(d->findings[0].packets, 6);
    assert_int_equal(d->findings[0].confidence, CONFIDENCE_LOW);
    probe_document_free(d);
}

static void an_order_in_few_connections_is_not_sure(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    for (uint64_t judged = 2; judged <= 3; judged++) {
        struct probe_document *d = empty(&plan);
        struct service_facts facts = {
            .way = way_of(SERVICE_SIP, SERVICE_TCP), .plan = plan, .judged = judged, .unanswered = "", .unseen = ""};
        for (uint16_t i = 0; i < judged; i++)
            for (int part = 0; part < 3; part++)
                add(d, i % 2, i / 2, phases[part], part ? AF31 : 0, part > 0);
        assert_int_equal(probe_figures_count(d), 0);
        assert_int_equal(service_judge(d, &facts), 0);
        assert_string_equal(d->findings[0].code, "unmarked-start");
        assert_int_equal(d->findings[0].confidence, judged == 2 ? CONFIDENCE_LOW : CONFIDENCE_HIGH);
        probe_document_free(d);
    }
}

static void any_of_the_expected_marks_is_right(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    plan.expected |= dscp_set_of(CS3);
    struct probe_document *d = judge_tcp(&plan, (const int[]){AF31, CS3, CS3}, (const int[]){CS3, CS3, CS3});
    assert_int_equal(d->verdict, SUMMARY_PASS);
    probe_document_free(d);
}

static void tolerance_and_least_packets_are_the_policys(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    plan.tolerance = 0.4;
    struct probe_document *d = judge_tcp(&plan, (const int[]){0, AF31, AF31}, (const int[]){0, AF31, AF31});
    assert_int_equal(d->verdict, SUMMARY_PASS);
    assert_int_equal(d->finding_count, 0);
    probe_document_free(d);
    plan.tolerance = 0.3;
    d = judge_tcp(&plan, (const int[]){0, AF31, AF31}, (const int[]){0, AF31, AF31});
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    probe_document_free(d);
    plan.min_packets = 31;
    d = judge_tcp(&plan, (const int[]){0, AF31, AF31}, (const int[]){0, AF31, AF31});
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_int_equal(d->finding_count, 0);
    probe_document_free(d);
}

static void what_is_not_known_is_neither_passed_nor_failed(void **state)
{
    (void)state;
    struct service_plan plan = signaling(), none = signaling();
    static const int unknown[] = {PROBE_MARK_UNKNOWN, PROBE_MARK_UNKNOWN, PROBE_MARK_UNKNOWN};
    struct probe_document *d = judge_tcp(&plan, unknown, unknown);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_int_equal(d->classes[0].reverse, PROBE_CHANGE_UNKNOWN);
    assert_false(d->classes[0].violating);
    probe_document_free(d);
    none.expected = 0;
    none.control = false;
    none.traffic_class = CLASS_OAM;
    d = judge_tcp(&none, (const int[]){0, 0, 0}, NULL);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_non_null(strstr(d->verdict_text, "the policy expects nothing of oa&m"));
    probe_document_free(d);
    none.any = true;
    d = judge_tcp(&none, (const int[]){0, 5, 63}, NULL);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_non_null(strstr(d->verdict_text, "the policy allows oa&m any mark"));
    probe_document_free(d);
}

static void some_right_marks_are_not_enough_where_others_are_not_known(void **state)
{
    (void)state;
    static const int unknown[] = {PROBE_MARK_UNKNOWN, PROBE_MARK_UNKNOWN, PROBE_MARK_UNKNOWN};
    static const int right[] = {AF31, AF31, AF31}, wrong[] = {0, 0, 0};
    struct service_plan plan = signaling();
    struct probe_document *d = judge_tcp(&plan, right, unknown);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_non_null(strstr(d->verdict_text, "are not known"));
    assert_int_equal(d->finding_count, 0);
    probe_document_free(d);
    /* what is wrong is wrong all the same */
    d = judge_tcp(&plan, unknown, wrong);
    assert_int_equal(d->verdict, SUMMARY_FAIL);
    probe_document_free(d);
}

static void requests_that_are_dropped_for_their_mark_do_not_pass(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    for (uint16_t lost = 0; lost < 2; lost++) {
        struct probe_document *d = empty(&plan);
        struct service_facts facts = {
            .way = way_of(SERVICE_SIP, SERVICE_TCP), .plan = plan, .judged = ROUNDS, .unanswered = "", .unseen = ""};
        for (uint32_t round = 0; round < ROUNDS; round++) {
            for (int part = 0; part < 3; part++)
                add(d, !lost, round, phases[part], AF31, part > 0);
            struct probe_packet *p = probe_document_add(d);
            p->class_index = lost;
            p->round = round;
        }
        assert_int_equal(probe_figures_count(d), 0);
        assert_int_equal(service_judge(d, &facts), 0);
        assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
        assert_non_null(
            strstr(d->verdict_text, lost ? "no unmarked request was answered" : "no marked request was answered"));
        probe_document_free(d);
    }
}

static void nobody_answering_says_why(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    struct probe_document *d = empty(&plan);
    struct service_facts facts = {.way = way_of(SERVICE_SIP, SERVICE_TCP),
                                  .plan = plan,
                                  .unanswered = "the port is closed (refused)",
                                  .unseen = ""};
    assert_int_equal(service_judge(d, &facts), 0);
    assert_int_equal(d->verdict, SUMMARY_NOTHING_CHECKED);
    assert_string_equal(d->problem, "10.1.1.11 port 5060 (sip over tcp): the port is closed (refused)");
    probe_document_free(d);
}

static void video_without_its_lower_bits_is_named(void **state)
{
    (void)state;
    struct service_plan plan = {
        .traffic_class = CLASS_MULTIMEDIA, .expected = dscp_set_of(34), .preferred = 34, .sent = 34, .min_packets = 1};
    struct probe_document *d = judge_tcp(&plan, (const int[]){32, 32, 32}, NULL); /* 34 & 56 */
    assert_string_equal(d->findings[0].code, "low-bits-bleached");
    probe_document_free(d);
}

static void ipv6_is_told_the_command_of_ipv6(void **state)
{
    (void)state;
    struct service_plan plan = signaling();
    struct probe_document *d = empty(&plan);
    struct service_facts facts = {
        .way = way_of(SERVICE_SIP, SERVICE_UDP), .plan = plan, .judged = 2, .unanswered = "", .unseen = ""};
    assert_true(addr_parse(SLICE("2001:db8::11"), &d->target.endpoint.addr));
    add(d, 0, 0, NULL, 0, false);
    add(d, 1, 0, NULL, 0, false);
    assert_int_equal(probe_figures_count(d), 0);
    assert_int_equal(service_judge(d, &facts), 0);
    assert_non_null(strstr(d->findings[0].advice, "`dscp 6 signaling 0x1A`"));
    probe_document_free(d);
}

static void plans_come_from_the_policy(void **state)
{
    (void)state;
    struct error error = {0};
    struct policy *p = policy_new_default(&error);
    struct service_plan sip = service_plan_for(p, way_of(SERVICE_SIP, SERVICE_TLS), CLASS_NONE, 4);
    assert_int_equal(sip.traffic_class, CLASS_SIGNALING);
    assert_int_equal(sip.sent, AF31);
    assert_true(sip.control);
    assert_int_equal(service_plan_for(p, way_of(SERVICE_XMPP, SERVICE_TCP), CLASS_NONE, 6).traffic_class,
                     CLASS_LOW_LATENCY);
    struct service_plan web = service_plan_for(p, way_of(SERVICE_HTTPS, SERVICE_TLS), CLASS_NONE, 4);
    assert_int_equal(web.traffic_class, CLASS_OAM);
    assert_int_equal(web.expected, 0);
    assert_false(web.control);
    struct service_plan stun = service_plan_for(p, way_of(SERVICE_STUN, SERVICE_UDP), CLASS_NONE, 4);
    assert_int_equal(stun.traffic_class, CLASS_VOICE);
    assert_true(stun.expected == (dscp_set_of(EF) | dscp_set_of(34)));
    stun = service_plan_for(p, way_of(SERVICE_STUN, SERVICE_UDP), CLASS_MULTIMEDIA, 4);
    assert_true(stun.expected == dscp_set_of(34));
    policy_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_marked_passes_and_forward_stays_unknown),
        cmocka_unit_test(each_signature_has_its_code),
        cmocka_unit_test(a_wrong_mark_on_everything_accuses_nobody_for_sure),
        cmocka_unit_test(a_server_that_repeats_the_marks_of_requests_does_not_pass),
        cmocka_unit_test(a_syn_ack_alone_may_repeat_the_mark_of_the_syn),
        cmocka_unit_test(chance_is_no_reflection),
        cmocka_unit_test(an_order_in_few_connections_is_not_sure),
        cmocka_unit_test(any_of_the_expected_marks_is_right),
        cmocka_unit_test(tolerance_and_least_packets_are_the_policys),
        cmocka_unit_test(what_is_not_known_is_neither_passed_nor_failed),
        cmocka_unit_test(some_right_marks_are_not_enough_where_others_are_not_known),
        cmocka_unit_test(requests_that_are_dropped_for_their_mark_do_not_pass),
        cmocka_unit_test(nobody_answering_says_why),
        cmocka_unit_test(video_without_its_lower_bits_is_named),
        cmocka_unit_test(ipv6_is_told_the_command_of_ipv6),
        cmocka_unit_test(plans_come_from_the_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

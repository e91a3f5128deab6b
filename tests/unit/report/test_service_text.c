#include "testing.h"

#include "report/report_probe.h"
#include "report/report_service.h"

/* The text of `probe --service`, from documents made by hand. */

struct sink {
    char text[16384];
    size_t len;
};

static bool to_sink(void *user, const char *bytes, size_t len)
{
    struct sink *s = user;
    assert_true(s->len + len < sizeof s->text);
    memcpy(s->text + s->len, bytes, len);
    s->len += len;
    s->text[s->len] = '\0';
    return true;
}

enum { AF31 = 26 };

/* Three packets of a marked connection, three of an unmarked one. */
static struct probe_document *document(enum summary_verdict verdict, dscp_t syn_ack, dscp_t rest)
{
    static const char *const phases[] = {"SYN-ACK", "data", "FIN"};
    const uint8_t bytes[4] = {10, 1, 1, 11};
    struct probe_document *d = probe_document_new();
    d->policy_name = "reference";
    d->policy_source = "built in";
    d->target.name = "conf.example.com";
    d->target.endpoint = (struct endpoint){addr_v4(bytes), 5060};
    d->method = "sip over tcp";
    d->verdict = verdict;
    d->verdict_text = verdict == SUMMARY_NOTHING_CHECKED ? "its marks are not known" : "";
    d->class_count = 2;
    d->classes = arena_alloc(&d->arena, 2 * sizeof *d->classes);
    for (uint16_t i = 0; i < 2; i++) {
        d->classes[i] = (struct probe_class){.name = i ? "control" : "signaling",
                                             .control = i == 1,
                                             .sent_dscp = i ? 0 : AF31,
                                             .expected_return = dscp_set_of(AF31),
                                             .preferred_return = AF31,
                                             .sent = 1,
                                             .answered = 1,
                                             .violating = verdict == SUMMARY_FAIL};
        for (int part = 0; part < 3; part++) {
            struct probe_packet *p = probe_document_add(d);
            p->class_index = i;
            p->phase = phases[part];
            p->answered = true;
            p->extra = part > 0;
            p->returned = (int8_t)(part ? rest : syn_ack);
            d->classes[i].returned.packets[part ? rest : syn_ack]++;
        }
    }
    return d;
}

static const char *text_of(struct probe_document *const *documents, size_t count, bool quiet, int verbose)
{
    static struct sink s;
    struct report_options o = {.quiet = quiet, .verbose = verbose, .width = 80};
    s.len = 0;
    assert_int_equal(report_service_text(documents, count, &o, to_sink, &s), 0);
    size_t column = 0;
    for (size_t i = 0; i < s.len; i++) {
        column = s.text[i] == '\n' ? 0 : column + 1;
        assert_true(quiet || column <= 80);
    }
    return s.text;
}

static void a_set_in_json_has_the_verdict_it_is_told(void **state)
{
    (void)state;
    static struct sink s;
    struct probe_document *d[2] = {document(SUMMARY_PASS, AF31, AF31), document(SUMMARY_NOTHING_CHECKED, 0, 0)};
    for (size_t i = 0; i < 2; i++) /* the policy expects nothing of it: no cause for an incomplete verdict */
        d[1]->classes[i].expected_return = 0;
    enum summary_verdict verdict = report_service_verdict(d, 2);
    struct probe_report r = {
        .documents = (const struct probe_document *const *)d, .count = 2, .set = true, .format = REPORT_JSON};
    struct error error = {0};
    assert_int_equal(verdict, SUMMARY_PASS);
    for (int told = 0; told < 2; told++) {
        const char *first = "\"summary\": {\"verdict\": \"nothing-checked\"}";
        s.len = 0;
        r.verdict = told ? &verdict : NULL;
        assert_int_equal(report_probe_write(&r, to_sink, &s, &error), 0);
        assert_non_null(strstr(s.text, told ? "\"summary\": {\"verdict\": \"pass\"}" : first));
    }
    probe_document_free(d[0]);
    probe_document_free(d[1]);
}

static void parts_are_shown_where_they_differ(void **state)
{
    (void)state;
    struct probe_document *d = document(SUMMARY_FAIL, 0, AF31);
    const char *text = text_of(&d, 1, false, 0);
    assert_ptr_equal(strstr(text, "FAIL: conf.example.com does not answer with the expected marks\n"), text);
    assert_non_null(strstr(text, "SYN-ACK !CS0 1; data AF31 1; FIN AF31 1"));
    probe_document_free(d);
}

static void parts_that_are_alike_are_one_unless_asked_for(void **state)
{
    (void)state;
    struct probe_document *d = document(SUMMARY_PASS, AF31, AF31);
    assert_non_null(strstr(text_of(&d, 1, false, 0), "1 of 1     AF31 3\n"));
    assert_null(strstr(text_of(&d, 1, false, 0), "SYN-ACK"));
    assert_non_null(strstr(text_of(&d, 1, false, 1), "SYN-ACK AF31 1; data AF31 1; FIN AF31 1"));
    probe_document_free(d);
}

static void one_that_could_not_be_judged_keeps_the_rest_from_passing(void **state)
{
    (void)state;
    struct probe_document *two[] = {document(SUMMARY_PASS, AF31, AF31), document(SUMMARY_NOTHING_CHECKED, AF31, AF31)};
    assert_int_equal(report_service_verdict(two, 2), SUMMARY_NOTHING_CHECKED);
    const char *text = text_of(two, 2, false, 0);
    assert_ptr_equal(strstr(text, "INCOMPLETE: 1 of 2 ways of asking is answered with the expected marks, but its"),
                     text);
    /* the same, but the policy expects nothing of it: no reason not to pass */
    two[1]->classes[0].expected_return = 0;
    assert_int_equal(report_service_verdict(two, 2), SUMMARY_PASS);
    two[1]->classes[0].answered = 0;
    assert_int_equal(report_service_verdict(two, 2), SUMMARY_NOTHING_CHECKED);
    two[0]->verdict = SUMMARY_FAIL;
    assert_int_equal(report_service_verdict(two, 2), SUMMARY_FAIL);
    probe_document_free(two[0]);
    probe_document_free(two[1]);
}

static void quiet_is_one_line(void **state)
{
    (void)state;
    static const enum summary_verdict verdicts[] = {SUMMARY_PASS, SUMMARY_FAIL, SUMMARY_NOTHING_CHECKED};
    for (size_t i = 0; i < 3; i++) {
        struct probe_document *d = document(verdicts[i], AF31, AF31);
        const char *text = text_of(&d, 1, true, 0);
        assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
        probe_document_free(d);
    }
}

static void what_the_network_says_cannot_drive_a_terminal(void **state)
{
    (void)state;
    struct probe_document *d = document(SUMMARY_FAIL, 0, 0);
    d->target.name = "a\x1b[2Jb";
    d->target.node = "n\x1b]0;x\x07";
    assert_true(probe_document_note(d, "it answers: %s", "SIP/2.0 200 \x1b[31mOK\x9b"));
    struct probe_finding f = {.code = "never-marked", .message = "m\x1b", .advice = "a\x1b\r"};
    d->findings = &f;
    d->finding_count = 1;
    const char *text = text_of(&d, 1, false, 2);
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
    probe_document_free(d);
}

static void one_cause_in_several_ways_is_one_finding(void **state)
{
    (void)state;
    struct probe_document *two[] = {document(SUMMARY_FAIL, 0, 0), document(SUMMARY_FAIL, 0, 0)};
    struct probe_finding f = {.code = "never-marked", .message = "No mark.", .advice = "Type it.", .packets = 6};
    for (size_t i = 0; i < 2; i++) {
        two[i]->findings = &f;
        two[i]->finding_count = 1;
    }
    two[1]->target.endpoint.port = 5061;
    two[1]->method = "sip over tls";
    const char *text = text_of(two, 2, false, 0);
    assert_non_null(strstr(text, "The same: port 5061 (sip over tls): 6 packets."));
    assert_null(strstr(strstr(text, "never-marked") + 1, "never-marked"));
    probe_document_free(two[0]);
    probe_document_free(two[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_in_json_has_the_verdict_it_is_told),
        cmocka_unit_test(parts_are_shown_where_they_differ),
        cmocka_unit_test(parts_that_are_alike_are_one_unless_asked_for),
        cmocka_unit_test(one_that_could_not_be_judged_keeps_the_rest_from_passing),
        cmocka_unit_test(quiet_is_one_line),
        cmocka_unit_test(what_the_network_says_cannot_drive_a_terminal),
        cmocka_unit_test(one_cause_in_several_ways_is_one_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

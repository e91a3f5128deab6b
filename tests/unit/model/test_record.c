#include "testing.h"

#include "model/document.h"

static struct document *document_with(size_t records, size_t calls)
{
    struct document *d = document_new();
    assert_non_null(d);
    d->records = calloc(records + 1, sizeof *d->records);
    d->record_count = records;
    d->calls = arena_alloc(&d->arena, (calls + 1) * sizeof *d->calls);
    d->call_count = d->calls_given = calls;
    assert_non_null(d->records);
    assert_non_null(d->calls);
    return d;
}

static void a_new_document_is_empty_and_has_no_null_text(void **state)
{
    (void)state;
    struct document *d = document_new();
    assert_non_null(d);
    assert_string_equal(d->policy_name, "");
    assert_string_equal(d->policy_source, "");
    assert_int_equal(d->record_count, 0);
    assert_true(document_link_calls(d));
    document_free(d);
    document_free(NULL);
}

static void notes_are_kept_in_order(void **state)
{
    (void)state;
    struct document *d = document_new();
    for (int i = 0; i < 20; i++)
        assert_true(document_note(d, "note %d of %s", i, "many"));
    assert_int_equal(d->note_count, 20);
    assert_string_equal(d->notes[0], "note 0 of many");
    assert_string_equal(d->notes[19], "note 19 of many");
    document_free(d);
}

static void calls_get_their_streams_in_the_order_of_the_records(void **state)
{
    (void)state;
    struct document *d = document_with(6, 3);
    const uint32_t call_of[6] = {2, 1, 0, 2, 1, 2};
    for (size_t i = 0; i < 6; i++)
        d->records[i].call = call_of[i];
    assert_true(document_link_calls(d));
    assert_int_equal(d->calls[0].stream_count, 2);
    assert_int_equal(d->calls[0].streams[0], 1);
    assert_int_equal(d->calls[0].streams[1], 4);
    assert_int_equal(d->calls[1].stream_count, 3);
    assert_int_equal(d->calls[1].streams[0], 0);
    assert_int_equal(d->calls[1].streams[1], 3);
    assert_int_equal(d->calls[1].streams[2], 5);
    assert_int_equal(d->calls[2].stream_count, 0);
    /* once more gives the same: verdicts are known only later */
    d->records[1].verdict = VERDICT_CONFORMING;
    assert_true(document_link_calls(d));
    assert_int_equal(d->calls[0].stream_count, 2);
    assert_int_equal(d->calls[0].verdict, VERDICT_CONFORMING);
    document_free(d);
}

static void a_call_lasts_as_long_as_its_streams(void **state)
{
    (void)state;
    struct document *d = document_with(3, 2);
    d->calls[0].first_ns = d->calls[1].first_ns = 1000;
    d->calls[0].last_ns = 1500; /* its INVITE was answered, and no BYE was seen */
    d->calls[1].last_ns = 9000; /* its signalling ends last */
    d->records[0].call = d->records[1].call = 1;
    d->records[2].call = 2;
    d->records[0].last_ns = 8000;
    d->records[1].last_ns = 7000;
    d->records[2].last_ns = 6000;
    assert_true(document_link_calls(d));
    assert_int_equal(d->calls[0].first_ns, 1000);
    assert_int_equal(d->calls[0].last_ns, 8000);
    assert_int_equal(d->calls[1].last_ns, 9000);
    document_free(d);
}

static void a_call_is_as_bad_as_its_worst_stream(void **state)
{
    (void)state;
    static const struct {
        enum verdict a, b, call;
    } cases[] = {
        {VERDICT_UNCHECKED, VERDICT_UNCHECKED, VERDICT_UNCHECKED},
        {VERDICT_UNCHECKED, VERDICT_CONFORMING, VERDICT_CONFORMING},
        {VERDICT_UNDETERMINED, VERDICT_CONFORMING, VERDICT_UNDETERMINED},
        {VERDICT_UNDETERMINED, VERDICT_UNCHECKED, VERDICT_UNDETERMINED},
        {VERDICT_VIOLATING, VERDICT_UNDETERMINED, VERDICT_VIOLATING},
        {VERDICT_CONFORMING, VERDICT_VIOLATING, VERDICT_VIOLATING},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int swap = 0; swap < 2; swap++) {
            struct document *d = document_with(2, 1);
            d->records[swap].verdict = cases[i].a;
            d->records[!swap].verdict = cases[i].b;
            d->records[0].call = d->records[1].call = 1;
            assert_true(document_link_calls(d));
            assert_int_equal(d->calls[0].verdict, cases[i].call);
            document_free(d);
        }
    }
}

static void every_finding_code_has_the_name_users_script_against(void **state)
{
    (void)state;
    static const char *const names[] = {
        "bleached",
        "tos-precedence-bleached",
        "tos-precedence-remarked",
        "low-bits-bleached",
        "remarked",
        "unshifted",
        "never-marked",
        "one-way",
        "changed-midstream",
        "intermittent",
        "unmarked-start",
        "rtcp-differs",
        "class-swapped",
        "tunnel-differs",
        "unentitled-priority",
        "not-verifiable",
    };
    assert_true(FINDING_CODE_COUNT >= sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        enum finding_code code;
        assert_true(finding_code_parse(slice_make(names[i], strlen(names[i])), &code));
        assert_string_equal(finding_code_name(code), names[i]);
    }
    for (int i = 0; i < FINDING_CODE_COUNT; i++)
        assert_non_null(finding_code_name((enum finding_code)i));
    enum finding_code code;
    assert_false(finding_code_parse(SLICE("bleach"), &code));
    assert_false(finding_code_parse(SLICE(""), &code));
}

static void directions_and_verdicts_have_the_words_of_the_record(void **state)
{
    (void)state;
    assert_string_equal(direction_name(DIRECTION_FROM_NODE), "from-node");
    assert_string_equal(direction_name(DIRECTION_TO_NODE), "to-node");
    assert_string_equal(direction_name(DIRECTION_BETWEEN_NODES), "between-nodes");
    assert_string_equal(direction_name(DIRECTION_UNATTRIBUTED), "unattributed");
    assert_string_equal(verdict_name(VERDICT_CONFORMING), "conforming");
    assert_string_equal(verdict_name(VERDICT_VIOLATING), "violating");
    assert_string_equal(verdict_name(VERDICT_UNDETERMINED), "undetermined");
    assert_string_equal(verdict_name(VERDICT_UNCHECKED), "unchecked");
}

static void roles_parse_back_and_two_at_once_have_no_name(void **state)
{
    (void)state;
    unsigned named = 0;
    for (unsigned bit = 0; bit < 32; bit++) {
        const char *name = role_name((enum node_role)(1u << bit));
        enum node_role got;
        if (!*name)
            continue;
        named++;
        assert_true(role_parse(slice_make(name, strlen(name)), &got));
        assert_int_equal(got, 1u << bit);
    }
    assert_int_equal(named, 9);
    assert_string_equal(role_name((enum node_role)(ROLE_XMPP | ROLE_TURN)), "");
    enum node_role got;
    assert_false(role_parse(SLICE("bridge"), &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_document_is_empty_and_has_no_null_text),
        cmocka_unit_test(notes_are_kept_in_order),
        cmocka_unit_test(calls_get_their_streams_in_the_order_of_the_records),
        cmocka_unit_test(a_call_lasts_as_long_as_its_streams),
        cmocka_unit_test(a_call_is_as_bad_as_its_worst_stream),
        cmocka_unit_test(every_finding_code_has_the_name_users_script_against),
        cmocka_unit_test(directions_and_verdicts_have_the_words_of_the_record),
        cmocka_unit_test(roles_parse_back_and_two_at_once_have_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <stdio.h>

#include "model/dscp.h"
#include "model/kind.h"

/* IANA "Differentiated Services Field Codepoints (DSCP)", pools 1 and 3 with RFC 5865 and RFC 8622. */
static const struct {
    dscp_t dscp;
    const char *name;
} registry[] = {
    {0, "CS0"},   {8, "CS1"},   {16, "CS2"},  {24, "CS3"},         {32, "CS4"},  {40, "CS5"},
    {48, "CS6"},  {56, "CS7"},  {10, "AF11"}, {12, "AF12"},        {14, "AF13"}, {18, "AF21"},
    {20, "AF22"}, {22, "AF23"}, {26, "AF31"}, {28, "AF32"},        {30, "AF33"}, {34, "AF41"},
    {36, "AF42"}, {38, "AF43"}, {46, "EF"},   {44, "VOICE-ADMIT"}, {1, "LE"},
};
enum { REGISTERED = sizeof registry / sizeof registry[0] };

static void names_are_those_of_the_registry_and_the_rest_are_numbers(void **state)
{
    (void)state;
    unsigned named = 0;
    for (size_t i = 0; i < REGISTERED; i++) {
        assert_string_equal(dscp_name(registry[i].dscp), registry[i].name);
        assert_true(dscp_is_named(registry[i].dscp));
    }
    for (unsigned d = 0; d < DSCP_COUNT; d++) {
        char number[8];
        (void)snprintf(number, sizeof number, "%u", d);
        if (dscp_is_named((dscp_t)d))
            named++;
        else
            assert_string_equal(dscp_name((dscp_t)d), number);
        assert_true(strlen(dscp_name((dscp_t)d)) < DSCP_NAME_MAX);
    }
    assert_int_equal(named, REGISTERED);
}

static bool parse(const char *text, dscp_t *ret, int *number)
{
    return dscp_parse(slice_make(text, strlen(text)), ret, number);
}

static void every_name_and_number_parses_back(void **state)
{
    (void)state;
    for (unsigned d = 0; d < DSCP_COUNT; d++) {
        char text[16];
        dscp_t got = 99;
        int number = 0;
        assert_true(parse(dscp_name((dscp_t)d), &got, &number));
        assert_int_equal(got, d);
        (void)snprintf(text, sizeof text, "%u", d);
        assert_true(parse(text, &got, &number));
        assert_int_equal(got, d);
        (void)snprintf(text, sizeof text, "0x%X", d);
        assert_true(parse(text, &got, &number));
        assert_int_equal(got, d);
    }
}

static void names_parse_in_any_case_and_by_their_old_names(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        dscp_t dscp;
    } good[] = {{"ef", 46}, {"Af41", 34}, {"voice-admit", 44}, {"le", 1}, {"BE", 0}, {"Default", 0}, {"0X2e", 46}};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        dscp_t got = 99;
        int number;
        assert_true(parse(good[i].text, &got, &number));
        assert_int_equal(got, good[i].dscp);
    }
}

static void a_tos_byte_is_refused_and_its_value_handed_back(void **state)
{
    (void)state;
    dscp_t got = 99;
    int number = 0;
    assert_false(parse("0xB8", &got, &number));
    assert_int_equal(number, 184);
    assert_false(parse("64", &got, &number));
    assert_int_equal(number, 64);
    assert_false(parse("99999999999999999999", &got, &number));
    assert_true(number > 63);
    assert_int_equal(got, 99);
}

static void what_is_no_mark_is_refused_as_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "AF44", "AF", "0x", "-1", "46 ", "4 6", "x2e", "EFF", "0x2g", "1.5"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        dscp_t got = 99;
        int number = 0;
        assert_false(parse(bad[i], &got, &number));
        assert_int_equal(number, -1);
        assert_int_equal(got, 99);
    }
}

static void the_tos_byte_has_the_mark_above_and_ecn_below(void **state)
{
    (void)state;
    for (unsigned tos = 0xb8; tos <= 0xbb; tos++) {
        assert_int_equal(tos_dscp((tos_t)tos), DSCP_EF);
        assert_int_equal(tos_ecn((tos_t)tos), tos - 0xb8);
    }
    assert_int_equal(dscp_tos(DSCP_EF), 0xb8);
    assert_int_equal(dscp_tos(63), 0xfc);
    /* 0x2E typed where DSCP was meant and sent as the byte: DSCP 11, ECN 2 */
    assert_int_equal(tos_dscp(0x2e), 11);
    assert_int_equal(tos_ecn(0x2e), 2);
}

static void a_set_holds_each_of_the_64_marks_apart(void **state)
{
    (void)state;
    for (unsigned a = 0; a < DSCP_COUNT; a++)
        for (unsigned b = 0; b < DSCP_COUNT; b++)
            assert_int_equal(dscp_set_has(dscp_set_of((dscp_t)a), (dscp_t)b), a == b);
}

static void every_kind_and_class_has_a_name_that_parses_back(void **state)
{
    (void)state;
    for (int k = 0; k < KIND_COUNT; k++) {
        enum kind got = KIND_COUNT;
        const char *name = kind_name((enum kind)k);
        assert_true(kind_parse(slice_make(name, strlen(name)), &got));
        assert_int_equal(got, k);
    }
    for (int c = 1; c < CLASS_COUNT; c++) {
        enum traffic_class got = CLASS_NONE;
        const char *name = class_name((enum traffic_class)c);
        assert_true(class_parse(slice_make(name, strlen(name)), &got));
        assert_int_equal(got, c);
    }
    enum kind kind;
    enum traffic_class class;
    assert_false(kind_parse(SLICE("rtp"), &kind));
    assert_false(class_parse(SLICE(""), &class));
    assert_string_equal(class_name(CLASS_OAM), "oa&m");
    assert_string_equal(confidence_name(CONFIDENCE_CERTAIN), "certain");
    assert_string_equal(confidence_name(CONFIDENCE_NONE), "none");
}

static void only_the_five_rtp_kinds_are_rtp(void **state)
{
    (void)state;
    for (int k = 0; k < KIND_COUNT; k++)
        assert_int_equal(kind_is_rtp((enum kind)k), strncmp(kind_name((enum kind)k), "rtp-", 4) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_the_registry_and_the_rest_are_numbers),
        cmocka_unit_test(every_name_and_number_parses_back),
        cmocka_unit_test(names_parse_in_any_case_and_by_their_old_names),
        cmocka_unit_test(a_tos_byte_is_refused_and_its_value_handed_back),
        cmocka_unit_test(what_is_no_mark_is_refused_as_no_number),
        cmocka_unit_test(the_tos_byte_has_the_mark_above_and_ecn_below),
        cmocka_unit_test(a_set_holds_each_of_the_64_marks_apart),
        cmocka_unit_test(every_kind_and_class_has_a_name_that_parses_back),
        cmocka_unit_test(only_the_five_rtp_kinds_are_rtp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "model/record.h"
#include "generate/fault.h"

static int parse(const char *text, struct generate_fault *f, struct error *e)
{
    *e = (struct error){0};
    return generate_fault_parse(slice_make(text, strlen(text)), f, e);
}

static void a_fault_is_named_like_its_finding(void **state)
{
    (void)state;
    for (int k = 0; k < FAULT_KIND_COUNT; k++) {
        enum finding_code code;
        const char *name = generate_fault_name((enum generate_fault_kind)k);
        assert_true(finding_code_parse(slice_make(name, strlen(name)), &code));
        struct generate_fault f;
        struct error e;
        assert_int_equal(parse(name, &f, &e), 0);
        assert_int_equal(f.kind, k);
    }
}

static void arguments_and_places_are_read(void **state)
{
    (void)state;
    struct generate_fault f;
    struct error e;
    assert_int_equal(parse("bleached:berlin", &f, &e), 0);
    assert_int_equal(f.kind, FAULT_BLEACHED);
    assert_string_equal(f.place, "berlin");
    assert_int_equal(parse("swapped", &f, &e), 0);
    assert_int_equal(f.kind, FAULT_CLASS_SWAPPED);
    assert_int_equal(parse("unmarked-start:5@oslo", &f, &e), 0);
    assert_int_equal(f.packets, 5);
    assert_string_equal(f.place, "oslo");
    assert_int_equal(parse("changed-midstream:1.5s", &f, &e), 0);
    assert_true(f.after_ns == 1500000000);
    assert_string_equal(f.place, "");
    assert_int_equal(parse("remarked:CS5", &f, &e), 0);
    assert_int_equal(f.value, 40);
    assert_int_equal(parse("remarked:0x28@a", &f, &e), 0);
    assert_int_equal(f.value, 40);
    assert_int_equal(parse("intermittent:0.25%", &f, &e), 0);
    assert_int_equal(f.parts_per_million, 2500);
    assert_int_equal(parse("tos-precedence-remarked:7", &f, &e), 0);
    assert_int_equal(f.value, 7);
}

static void what_makes_no_sense_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *text, *word;
    } cases[] = {
        {"", "bleached, "},
        {"bleeched", "did you mean \"bleached\""},
        {"bleached:", "missing"},
        {"bleached@", "missing"},
        {"bleached:a@b", "twice"},
        {"unmarked-start:0", "1 to 20"},
        {"unmarked-start:21", "changed-midstream"},
        {"unmarked-start:x", "packets"},
        {"intermittent:0", "above 0%"},
        {"intermittent:100%", "below 100%"},
        {"intermittent:1.00001", "share"},
        {"changed-midstream:10", "10s"},
        {"remarked:0", "bleached"},
        {"remarked:64", "mark"},
        {"remarked:0xB8", "mark"},
        {"tos-precedence-remarked:8", "1 to 7"},
        {"tos-precedence-remarked:0", "1 to 7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct generate_fault f = {.kind = FAULT_KIND_COUNT};
        struct error e;
        assert_int_equal(parse(cases[i].text, &f, &e), ERR_USAGE);
        assert_non_null(strstr(e.text, cases[i].word));
        assert_int_equal(f.kind, FAULT_KIND_COUNT);
    }
}

static void times_and_shares_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } times[] = {{"10s", 10000000000}, {"500ms", 500000000},  {"0.5s", 500000000},
                 {"2m", 120000000000}, {"1h", 3600000000000}, {"250us", 250000},
                 {"7ns", 7},           {"1.25ms", 1250000},   {"0s", 0}};
    static const char *const wrong[] = {"",    "10",  "s",    "1.s", ".5s",      "1.2345s",
                                        "-1s", "1 s", "1e3s", "10x", "99999999h"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        int64_t ns = -1;
        assert_true(generate_duration_parse(slice_make(times[i].text, strlen(times[i].text)), &ns));
        assert_true(ns == times[i].ns);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t ns = -1;
        assert_false(generate_duration_parse(slice_make(wrong[i], strlen(wrong[i])), &ns));
        assert_true(ns == -1);
    }
    uint32_t ppm = 0;
    assert_true(generate_percent_parse(SLICE("100%"), &ppm) && ppm == 1000000);
    assert_true(generate_percent_parse(SLICE("0.0001"), &ppm) && ppm == 1);
    assert_true(generate_percent_parse(SLICE("12.5%"), &ppm) && ppm == 125000);
    assert_false(generate_percent_parse(SLICE("100.1%"), &ppm));
    assert_false(generate_percent_parse(SLICE("101"), &ppm));
    assert_false(generate_percent_parse(SLICE("%"), &ppm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_named_like_its_finding),
        cmocka_unit_test(arguments_and_places_are_read),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_a_sentence),
        cmocka_unit_test(times_and_shares_have_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include <jansson.h>
#include <math.h>

#include "report/emit.h"
#include "report/report_json.h"

/* What is emitted is held against jansson, which writes the small documents and reads JSON strictly. */

static struct strbuf written;

static bool keep(void *user, const char *bytes, size_t len)
{
    (void)user;
    strbuf_add(&written, bytes, len);
    return true;
}

/* One value by itself; the text is good until the next one. */
#define EMITTED(call)                                                                                                  \
    do {                                                                                                               \
        static struct out out;                                                                                         \
        struct emit *e = &(struct emit){.out = &out};                                                                  \
        written.len = 0;                                                                                               \
        out_init(&out, keep, NULL);                                                                                    \
        call;                                                                                                          \
        assert_int_equal(out_finish(&out), 0);                                                                         \
        strbuf_addc(&written, '\0');                                                                                   \
        written.len--;                                                                                                 \
        emit_done(e);                                                                                                  \
    } while (0)

static void assert_as_tree(json_t *tree)
{
    char *text = json_dumps(tree, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    assert_non_null(text);
    assert_string_equal(written.at, text);
    free(text);
    json_decref(tree);
}

static void texts_are_written_as_the_tree_writes_them(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "a", "plain ascii, of more than eight letters ~", "\"", "\\", "seven77\"", "eight888\\", "a\"b\\c/d", "tab\there", "\x7f",
        "\x1b[2J", "Z\xc3\xbcrich", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xc3(", "\xe2\x80\xaegnp", "a\n", "\x01\x02", "12345678\xff",
        "\x9b!", "!#", " ", "\x1f", "[]{}:,",
    };
    struct js js = {.document = NULL};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        EMITTED(emit_text(e, texts[i]));
        assert_as_tree(js_string(&js, slice_make(texts[i], strlen(texts[i]))));
    }
    EMITTED(emit_text(e, NULL));
    assert_string_equal(written.at, "\"\"");
    EMITTED(emit_text_or_null(e, ""));
    assert_string_equal(written.at, "null");
    js_done(&js);
}

static void every_byte_at_every_place_of_a_word_is_written_as_the_tree_writes_it(void **state)
{
    (void)state;
    struct js js = {.document = NULL};
    for (size_t len = 1; len <= 17; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 1; byte < 256; byte++) {
                char text[32];
                memset(text, 'x', len);
                text[at] = (char)byte;
                EMITTED(emit_slice(e, slice_make(text, len)));
                assert_as_tree(js_string(&js, slice_make(text, len)));
            }
        }
    }
    js_done(&js);
}

static void numbers_are_written_as_the_tree_writes_them(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 9, 10, 99, 100, 65535, 4294967296, 999999999999, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        EMITTED(emit_count(e, numbers[i]));
        assert_as_tree(json_integer(numbers[i] > INT64_MAX ? INT64_MAX : (json_int_t)numbers[i]));
    }
    EMITTED(emit_number(e, INT64_MIN));
    assert_as_tree(json_integer(INT64_MIN));
    EMITTED(emit_number(e, -7));
    assert_as_tree(json_integer(-7));
}

static void milliseconds_are_written_as_the_tree_writes_them(void **state)
{
    (void)state;
    static const double times[] = {0,     0.0004, 0.0005, 0.001, 0.0109, 0.1,  0.41,   1,    1.5,       20,       41.0,      99.9999,
                                   100.1, 999.25, 1e6,    1e9,   123456789.012, 1e11, 999999999999.0, 1e12, -0.001, -1, HUGE_VAL, HUGE_VAL - HUGE_VAL};
    struct js js = {.document = NULL};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        json_t *o = json_object();
        js_ms(&js, o, "ms", times[i]);
        EMITTED(emit_ms(e, times[i]));
        assert_as_tree(json_incref(json_object_get(o, "ms")));
        json_decref(o);
    }
    for (unsigned us = 0; us < 20000; us += 7) {
        json_t *o = json_object();
        js_ms(&js, o, "ms", us / 1000.0);
        EMITTED(emit_ms(e, us / 1000.0));
        assert_as_tree(json_incref(json_object_get(o, "ms")));
        json_decref(o);
    }
    js_done(&js);
}

static void times_are_written_as_the_clock_formats_them(void **state)
{
    (void)state;
    static const int64_t times[] = {0,  1,         999999999, 1000000000, -1, -999999999, -1000000000, -1000000001, 1795338000123456789,
                                    16, 951782400000000000, 4102444800000000007, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char text[CLOCK_TEXT_MAX];
        clock_format(times[i], text);
        EMITTED(emit_time(e, true, times[i]));
        assert_as_tree(json_string(text));
    }
    EMITTED(emit_time(e, false, 5));
    assert_string_equal(written.at, "null");
    /* more seconds than are remembered, and back */
    struct emit *other = &(struct emit){.comma = false};
    static struct out out;
    other->out = &out;
    for (int round = 0; round < 2; round++) {
        for (int64_t s = 0; s < 100; s++) {
            char text[CLOCK_TEXT_MAX];
            written.len = 0;
            out_init(&out, keep, NULL);
            other->comma = false;
            emit_time(other, true, s * NS_PER_S + 5);
            assert_int_equal(out_finish(&out), 0);
            strbuf_addc(&written, '\0');
            clock_format(s * NS_PER_S + 5, text);
            assert_memory_equal(written.at + 1, text, strlen(text));
        }
    }
    emit_done(other);
}

static void addresses_and_ssrcs_are_strings(void **state)
{
    (void)state;
    static const char *const addresses[] = {"0.0.0.0", "10.1.1.11", "255.255.255.255", "::", "2001:db8::1", "::ffff:10.0.0.1"};
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX];
        assert_true(addr_parse(slice_make(addresses[i], strlen(addresses[i])), &a));
        addr_format(&a, text);
        EMITTED(emit_address(e, &a));
        assert_as_tree(json_string(text));
    }
    EMITTED(emit_address(e, &(struct addr){.version = 0}));
    assert_string_equal(written.at, "null");
    EMITTED(emit_ssrc(e, 0x1234abcd));
    assert_string_equal(written.at, "\"0x1234abcd\"");
    EMITTED(emit_ssrc(e, 7));
    assert_string_equal(written.at, "\"0x00000007\"");
}

static void nest(struct emit *e)
{
    emit_open(e, '{');
    emit_key(e, "a");
    emit_open(e, '[');
    emit_close(e, ']');
    emit_key(e, "b");
    emit_open(e, '[');
    for (unsigned i = 0; i < 3; i++) {
        emit_open(e, '{');
        emit_close(e, '}');
        emit_count(e, i);
        emit_bool(e, i == 1);
        emit_null(e);
    }
    emit_close(e, ']');
    emit_key_named(e, "c \"d\"");
    emit_number(e, -1);
    emit_key(e, "e");
    emit_text(e, "f");
    emit_close(e, '}');
}

static void nesting_has_the_trees_separators(void **state)
{
    (void)state;
    EMITTED(nest(e));
    assert_string_equal(written.at, "{\"a\": [], \"b\": [{}, 0, false, null, {}, 1, true, null, {}, 2, false, null], "
                                    "\"c \\\"d\\\"\": -1, \"e\": \"f\"}");
    json_error_t error;
    json_t *tree = json_loads(written.at, 0, &error);
    assert_non_null(tree);
    assert_as_tree(tree);
}

static void what_is_longer_than_a_block_stays_whole(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, 'x', sizeof text - 1);
    text[50000] = '"';
    for (size_t lead = 0; lead < 40; lead++) {
        EMITTED({
            emit_open(e, '[');
            for (size_t i = 0; i < 32 * 1024 / 4 - lead; i++)
                emit_count(e, 10);
            emit_text(e, text + lead);
            emit_close(e, ']');
        });
        json_error_t error;
        json_t *tree = json_loadb(written.at, written.len, 0, &error);
        assert_non_null(tree);
        assert_string_equal(json_string_value(json_array_get(tree, json_array_size(tree) - 1)), text + lead);
        json_decref(tree);
    }
    strbuf_done(&written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_written_as_the_tree_writes_them),
        cmocka_unit_test(every_byte_at_every_place_of_a_word_is_written_as_the_tree_writes_it),
        cmocka_unit_test(numbers_are_written_as_the_tree_writes_them),
        cmocka_unit_test(milliseconds_are_written_as_the_tree_writes_them),
        cmocka_unit_test(times_are_written_as_the_clock_formats_them),
        cmocka_unit_test(addresses_and_ssrcs_are_strings),
        cmocka_unit_test(nesting_has_the_trees_separators),
        cmocka_unit_test(what_is_longer_than_a_block_stays_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

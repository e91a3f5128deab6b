#include "testing.h"

#include "base/text.h"

static struct slice slice_of(const char *text)
{
    return slice_make(text, strlen(text));
}

static void assert_slice(struct slice s, const char *expected)
{
    assert_int_equal(s.len, strlen(expected));
    if (s.len)
        assert_memory_equal(s.at, expected, s.len);
}

static void slices_compare_by_bytes_and_by_ascii_case(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("abc"), slice_of("abc")));
    assert_false(slice_equal(SLICE("abc"), SLICE("abC")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
    assert_true(slice_equal(slice_make(NULL, 0), SLICE("")));
    assert_true(slice_equal_nocase(SLICE("Content-Length"), SLICE("cONTENT-lENGTH")));
    /* '[' is '{' with the bit that ASCII letters differ in */
    assert_false(slice_equal_nocase(SLICE("["), SLICE("{")));
    assert_false(slice_equal_nocase(SLICE("@"), SLICE("`")));
    assert_true(slice_starts(SLICE("a=rtpmap:97"), SLICE("a=rtp")));
    assert_false(slice_starts(SLICE("a="), SLICE("a=rtp")));
    assert_true(slice_starts_nocase(SLICE("SIP/2.0 200"), SLICE("sip/")));
    assert_true(slice_starts(SLICE(""), slice_make(NULL, 0)));
}

static void trimming_takes_blanks_at_both_ends_only(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t a b\r\n")), "a b");
    assert_slice(slice_trim(SLICE(" \r\n\t ")), "");
    assert_slice(slice_trim(slice_make(NULL, 0)), "");
}

static void next_gives_each_piece_the_empty_ones_too(void **state)
{
    (void)state;
    struct slice rest = SLICE("a,,b");
    assert_slice(slice_next(&rest, ','), "a");
    assert_slice(slice_next(&rest, ','), "");
    assert_slice(slice_next(&rest, ','), "b");
    assert_int_equal(rest.len, 0);
    assert_slice(slice_next(&rest, ','), "");
    rest = slice_make(NULL, 0);
    assert_slice(slice_next(&rest, ','), "");
}

static void numbers_fill_the_slice_and_stay_below_their_limit(void **state)
{
    (void)state;
    uint64_t n = 7;
    assert_true(slice_number(SLICE("0"), 65535, &n));
    assert_int_equal(n, 0);
    assert_true(slice_number(SLICE("00065535"), 65535, &n));
    assert_int_equal(n, 65535);
    assert_true(slice_number(SLICE("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    n = 7;
    assert_false(slice_number(SLICE("65536"), 65535, &n));
    assert_false(slice_number(SLICE("18446744073709551616"), UINT64_MAX, &n));
    assert_false(slice_number(SLICE("99999999999999999999999"), UINT64_MAX, &n));
    assert_false(slice_number(SLICE(""), 10, &n));
    assert_false(slice_number(SLICE("-1"), 10, &n));
    assert_false(slice_number(SLICE(" 1"), 10, &n));
    assert_false(slice_number(SLICE("1x"), 10, &n));
    assert_false(slice_number(SLICE("9"), 5, &n));
    assert_int_equal(n, 7);
}

static void copies_are_cut_and_terminated_and_hold_no_nul(void **state)
{
    (void)state;
    char to[5];
    slice_copy(SLICE("abcdefgh"), to, sizeof to);
    assert_string_equal(to, "abcd");
    slice_copy(slice_make("a\0b", 3), to, sizeof to);
    assert_string_equal(to, "a?b");
    slice_copy(slice_make(NULL, 0), to, 1);
    assert_string_equal(to, "");
}

static void a_strbuf_grows_and_stays_terminated(void **state)
{
    (void)state;
    struct strbuf b = {0};
    assert_string_equal(strbuf_text(&b), "");
    for (int i = 0; i < 1000; i++)
        strbuf_addc(&b, 'x');
    strbuf_adds(&b, "yz");
    strbuf_addf(&b, "%d-%s", 42, "end");
    assert_true(strbuf_ok(&b));
    assert_int_equal(b.len, 1000 + 2 + 6);
    assert_string_equal(strbuf_text(&b) + 998, "xxyz42-end");
    strbuf_done(&b);
    assert_string_equal(strbuf_text(&b), "");
}

static void a_strbuf_latches_a_length_that_cannot_be(void **state)
{
    (void)state;
    struct strbuf b = {0};
    strbuf_adds(&b, "kept");
    strbuf_add(&b, "", SIZE_MAX / 2);
    assert_false(strbuf_ok(&b));
    strbuf_adds(&b, "dropped");
    assert_string_equal(strbuf_text(&b), "kept");
    strbuf_done(&b);
}

static void assert_printable(const char *text, size_t len, const char *expected)
{
    /* an exact-size copy, so that a read beyond the end is seen */
    char *copy = malloc(len ? len : 1);
    struct strbuf b = {0};
    assert_non_null(copy);
    memcpy(copy, text, len);
    text_printable(&b, copy, len);
    assert_string_equal(strbuf_text(&b), expected);
    strbuf_done(&b);
    free(copy);
}

#define PRINTABLE(literal, expected) assert_printable(literal, sizeof(literal) - 1, expected)

static void plain_and_accented_text_passes_unchanged(void **state)
{
    (void)state;
    PRINTABLE("", "");
    PRINTABLE("sip:alice@example.com", "sip:alice@example.com");
    PRINTABLE("J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80", "J\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void control_characters_become_their_bytes(void **state)
{
    (void)state;
    PRINTABLE("a\0b", "a\\x00b");
    PRINTABLE("\x1b[31mred\r\n\t", "\\x1B[31mred\\x0D\\x0A\\x09");
    PRINTABLE("\x7f", "\\x7F");
    PRINTABLE("\xc2\x9b"
              "31m",
              "\\xC2\\x9B31m"); /* C1: CSI as UTF-8 */
}

static void what_reorders_or_hides_text_becomes_its_bytes(void **state)
{
    (void)state;
    PRINTABLE("a\xe2\x80\xae"
              "b",
              "a\\xE2\\x80\\xAE"
              "b");                                        /* U+202E right-to-left override */
    PRINTABLE("\xe2\x81\xa6", "\\xE2\\x81\\xA6");          /* U+2066 left-to-right isolate */
    PRINTABLE("\xe2\x80\x8b", "\\xE2\\x80\\x8B");          /* U+200B zero width space */
    PRINTABLE("\xd8\x9c", "\\xD8\\x9C");                   /* U+061C Arabic letter mark, the one outside that block */
    PRINTABLE("\xe2\x80\xa8", "\\xE2\\x80\\xA8");          /* U+2028 line separator */
    PRINTABLE("\xef\xbb\xbf", "\\xEF\\xBB\\xBF");          /* U+FEFF byte order mark */
    PRINTABLE("\xf3\xa0\x81\xa1", "\\xF3\\xA0\\x81\\xA1"); /* U+E0061 tag */
    PRINTABLE("\xc2\xad", "\\xC2\\xAD");                   /* U+00AD soft hyphen */
}

/* RFC 3629: overlong forms, surrogates, beyond U+10FFFF, stray and missing continuation bytes */
static void broken_utf8_becomes_its_bytes(void **state)
{
    (void)state;
    PRINTABLE("\xff", "\\xFF");
    PRINTABLE("\x80"
              "a",
              "\\x80"
              "a");
    PRINTABLE("\xc0\xaf", "\\xC0\\xAF");
    PRINTABLE("\xe0\x80\xaf", "\\xE0\\x80\\xAF");
    PRINTABLE("\xed\xa0\x80", "\\xED\\xA0\\x80");
    PRINTABLE("\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80");
    PRINTABLE("\xe2\x82", "\\xE2\\x82");
    PRINTABLE("\xe2"
              "ab",
              "\\xE2"
              "ab");
    PRINTABLE("\xc3", "\\xC3");
}

static void columns_count_letters_and_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("J\xc3\xbcrgen"), 6);
    assert_int_equal(text_columns("e\xcc\x81"), 1);                /* e with U+0301 combining acute accent */
    assert_int_equal(text_columns("\xe4\xbc\x9a\xe8\xad\xb0"), 4); /* two CJK ideographs */
    assert_int_equal(text_columns("\xf0\x9f\x98\x80"), 2);         /* U+1F600 */
    assert_int_equal(text_columns("\xe2\x86\x92"), 1);             /* the arrow of our own reports */
}

static void what_fits_ends_before_the_letter_that_does_not(void **state)
{
    (void)state;
    assert_int_equal(text_fit("abcdef", 4), 4);
    assert_int_equal(text_fit("abc", 10), 3);
    assert_int_equal(text_fit("abc", 0), 0);
    assert_int_equal(text_fit("\xc3\xbc\xc3\xbc", 1), 2);
    assert_int_equal(text_fit("\xe4\xbc\x9a\xe8\xad\xb0", 3), 3); /* half an ideograph does not fit */
}

static void a_line_ends_between_words_and_takes_one_that_is_too_long(void **state)
{
    (void)state;
    const char *text = "abc de fghijklm n";
    const char *at = text;
    assert_int_equal(text_line(&at, 6), 6); /* exactly full */
    assert_ptr_equal(at, text + 7);
    assert_int_equal(text_line(&at, 6), 8);
    assert_string_equal(at, "n");
    assert_int_equal(text_line(&at, 6), 1);
    assert_string_equal(at, "");
    assert_int_equal(text_line(&at, 6), 0);
    at = text;
    assert_int_equal(text_line(&at, 5), 3);
    assert_ptr_equal(at, text + 4);
}

static void the_nearest_word_is_proposed_and_a_far_one_is_not(void **state)
{
    (void)state;
    static const char *const words[] = {"voice", "multimedia", "signaling", "low-latency"};
    assert_string_equal(text_nearest("signalling", words, 4), "signaling");
    assert_string_equal(text_nearest("vioce", words, 4), "voice");
    assert_string_equal(text_nearest("MULTIMEDIA", words, 4), "multimedia");
    assert_null(text_nearest("banana", words, 4));
    assert_null(text_nearest("x", words, 0));
}

static void a_fixed_strbuf_takes_no_memory_and_says_when_it_is_full(void **state)
{
    (void)state;
    char memory[8];
    struct strbuf b = strbuf_fixed(memory, sizeof memory);
    assert_string_equal(strbuf_text(&b), "");
    strbuf_adds(&b, "seven b");
    assert_true(strbuf_ok(&b));
    assert_ptr_equal(b.at, memory);
    strbuf_addc(&b, '.');
    assert_false(strbuf_ok(&b));
    assert_string_equal(memory, "seven b");
    strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_by_bytes_and_by_ascii_case),
        cmocka_unit_test(trimming_takes_blanks_at_both_ends_only),
        cmocka_unit_test(next_gives_each_piece_the_empty_ones_too),
        cmocka_unit_test(numbers_fill_the_slice_and_stay_below_their_limit),
        cmocka_unit_test(copies_are_cut_and_terminated_and_hold_no_nul),
        cmocka_unit_test(a_strbuf_grows_and_stays_terminated),
        cmocka_unit_test(a_strbuf_latches_a_length_that_cannot_be),
        cmocka_unit_test(a_fixed_strbuf_takes_no_memory_and_says_when_it_is_full),
        cmocka_unit_test(plain_and_accented_text_passes_unchanged),
        cmocka_unit_test(control_characters_become_their_bytes),
        cmocka_unit_test(what_reorders_or_hides_text_becomes_its_bytes),
        cmocka_unit_test(broken_utf8_becomes_its_bytes),
        cmocka_unit_test(columns_count_letters_and_not_bytes),
        cmocka_unit_test(what_fits_ends_before_the_letter_that_does_not),
        cmocka_unit_test(a_line_ends_between_words_and_takes_one_that_is_too_long),
        cmocka_unit_test(the_nearest_word_is_proposed_and_a_far_one_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "testing.h"

#include "report/html_page.h"

static bool take(void *user, const char *bytes, size_t len)
{
    strbuf_add(user, bytes, len);
    return true;
}

static void what_came_from_the_network_stays_text(void **state)
{
    (void)state;
    struct strbuf to = {0};
    static const char evil[] = "<script>alert('x')</script>&\"\x1b[31m\xff";
    html_escape(&to, evil, sizeof evil - 1);
    assert_string_equal(strbuf_text(&to), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;\\x1B[31m\\xFF");
    strbuf_done(&to);
}

static void count(const char *page, const char *what, int expected)
{
    int n = 0;
    for (const char *p = page; (p = strstr(p, what)) != NULL; p++)
        n++;
    if (n != expected)
        fail_msg("%d times %s instead of %d", n, what, expected);
}

/* Every text of a page goes through the same door: none of them opens a tag, and the page asks for nothing. */
static void a_page_of_hostile_words_is_a_page(void **state)
{
    (void)state;
    static const char evil[] = "</td><img src=x onerror=1>\"'";
    const char *const columns[] = {evil, "b"};
    const struct html_part parts[] = {{evil, 3, HTML_BAD}, {"EF", 0, HTML_GOOD}};
    struct strbuf page = {0};
    struct out out;
    struct html h;
    out_init(&out, take, &page);
    html_begin(&h, &out, evil, evil);
    html_verdict(&h, HTML_BAD, evil, evil);
    html_heading(&h, evil);
    html_paragraph(&h, HTML_DIM, evil);
    html_facts_begin(&h);
    html_fact(&h, evil, evil);
    html_facts_end(&h);
    html_table_begin(&h, evil, columns, 2);
    html_row_begin(&h);
    html_cell(&h, HTML_NUMBER, evil);
    html_cell_bar(&h, parts, 2);
    html_row_end(&h);
    html_row_styled(&h, HTML_BAD);
    html_row_head(&h, HTML_PLAIN, evil);
    html_cell_begin(&h, HTML_PLAIN);
    html_prose(&h, evil);
    html_span(&h, HTML_DIM, evil);
    html_code(&h, evil, false);
    html_cell_end(&h);
    html_row_end(&h);
    html_group(&h, evil);
    html_table_end(&h);
    html_section_begin(&h, "id", evil, evil);
    html_section_end(&h);
    html_list_begin(&h);
    html_item(&h, HTML_BAD, evil, evil, evil);
    html_list_end(&h);
    html_end(&h);
    assert_int_equal(out_finish(&out), 0);
    const char *text = strbuf_text(&page);
    count(text, "<img", 0);
    count(text, "<script", 0);
    /* each of the 24 texts once, and the first column's name beside its one plain cell */
    count(text, "onerror=1&gt;", 25);
    count(text, "http-equiv=\"Content-Security-Policy\"", 1);
    count(text, "default-src 'none'", 1);
    count(text, "://", 0);
    count(text, "<td", 4);
    count(text, "</td>", 4);
    count(text, "<table", 2);
    count(text, "</table>", 2);
    count(text, "<rect", 2);
    strbuf_done(&page);
}

static void a_bar_of_nothing_is_no_bar(void **state)
{
    (void)state;
    const struct html_part parts[] = {{"EF", 0, HTML_GOOD}};
    struct strbuf page = {0};
    struct out out;
    struct html h = {.out = &out};
    out_init(&out, take, &page);
    html_cell_bar(&h, parts, 1);
    html_cell_bar(&h, parts, 0);
    assert_int_equal(out_finish(&out), 0);
    count(strbuf_text(&page), "<svg", 0);
    strbuf_done(&h.safe);
    strbuf_done(&page);
}

static void commands_in_a_sentence_are_code(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"type `dscp 4 voice 0x2E`, then `a<b`.", "type <code>dscp 4 voice 0x2E</code>, then <code>a&lt;b</code>."},
        {"`all`", "<code>all</code>"},
        {"one ` alone", "one ` alone"},
        {"`a` and ` alone", "<code>a</code> and ` alone"},
        {"``", "<code></code>"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct strbuf page = {0};
        struct out out;
        struct html h = {.out = &out};
        out_init(&out, take, &page);
        html_prose(&h, cases[i].text);
        assert_int_equal(out_finish(&out), 0);
        assert_string_equal(strbuf_text(&page), cases[i].expected);
        strbuf_done(&h.safe);
        strbuf_done(&page);
    }
}

static void lines_to_be_copied_stay_lines(void **state)
{
    (void)state;
    struct strbuf page = {0};
    struct out out;
    struct html h = {.out = &out};
    out_init(&out, take, &page);
    html_code(&h, "interface X\n mls qos trust dscp\n\x1b[2J", false);
    assert_int_equal(out_finish(&out), 0);
    assert_string_equal(strbuf_text(&page), "<pre tabindex=\"0\">interface X\n mls qos trust dscp\n\\x1B[2J</pre>\n");
    strbuf_done(&h.safe);
    strbuf_done(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_from_the_network_stays_text),
        cmocka_unit_test(a_page_of_hostile_words_is_a_page),
        cmocka_unit_test(a_bar_of_nothing_is_no_bar),
        cmocka_unit_test(commands_in_a_sentence_are_code),
        cmocka_unit_test(lines_to_be_copied_stay_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

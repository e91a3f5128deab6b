#include "testing.h"

#include <stdio.h>

#include "cli/screen/backend.h"
#include "cli/screen/screen.h"
#include "report/sample.h"

/* The sample's document (report/sample.h), as a look at two interfaces shows it, on a canvas: no terminal is needed. */
struct shot {
    struct sample sample;
    struct live_point points[2];
    struct live_finding findings[2];
    struct live_series series[1];
    struct live_view view;
    struct screen *screen;
};

static void shot_open(struct shot *l, bool utf8)
{
    memset(l, 0, sizeof *l);
    sample_open(&l->sample);
    l->points[0] = (struct live_point){"eth0", LIVE_POINT_UP, SAMPLE_T0, "", 10000, 2000000, 34, 5};
    l->points[1] =
        (struct live_point){"eth1", LIVE_POINT_DOWN, SAMPLE_T0 + SECONDS(8), "the cable is out", 5, 400, 0, 0};
    const struct finding f = l->sample.findings[0];
    l->findings[0] = (struct live_finding){
        1, "bleached site berlin", f, SAMPLE_T0 + SECONDS(5), SAMPLE_T0 + SECONDS(19), 0, false, false};
    l->findings[1] = (struct live_finding){
        2, "one-way cms-01", f, SAMPLE_T0 + SECONDS(5), SAMPLE_T0 + SECONDS(6), SAMPLE_T0 + SECONDS(14), false, false};
    l->findings[1].finding.code = FINDING_ONE_WAY;
    l->findings[1].finding.subject = "cms-01";
    l->series[0] = (struct live_series){.traffic_class = CLASS_VOICE, .direction = DIRECTION_TO_NODE};
    for (size_t i = LIVE_SERIES_SECONDS - 30; i < LIVE_SERIES_SECONDS; i++)
        l->series[0].right[i] = 50;
    l->series[0].wrong[LIVE_SERIES_SECONDS - 2] = 50;
    l->view = (struct live_view){.began_ns = SAMPLE_T0,
                                 .now_ns = SAMPLE_T0 + SECONDS(20),
                                 .document = l->sample.document,
                                 .active_streams = 4,
                                 .points = l->points,
                                 .point_count = 2,
                                 .findings = l->findings,
                                 .finding_count = 2,
                                 .series = l->series,
                                 .series_count = 1};
    l->screen = screen_new(utf8);
    assert_non_null(l->screen);
}

static void shot_close(struct shot *l)
{
    screen_free(l->screen);
    sample_close(&l->sample);
}

/* The rows as text, a line each; the selected one begins with '>'. */
static struct strbuf drawn(struct shot *l, size_t rows, size_t columns)
{
    struct strbuf b = {0};
    const struct canvas *c = screen_draw(l->screen, rows, columns, 0);
    assert_non_null(c);
    assert_false(c->failed);
    assert_int_equal(c->row_count, rows);
    for (size_t i = 0; i < c->row_count; i++) {
        const char *text = strbuf_text(&c->rows[i].text);
        assert_true(text_columns(text) <= columns);
        strbuf_addf(&b, "%s%s\n", c->rows[i].selected ? ">" : "", text);
    }
    assert_true(strbuf_ok(&b));
    return b;
}

static void assert_shows(struct shot *l, size_t rows, size_t columns, const char *text, bool wanted)
{
    struct strbuf b = drawn(l, rows, columns);
    if ((strstr(strbuf_text(&b), text) != NULL) != wanted)
        fail_msg("%s \"%s\":\n%s", wanted ? "not shown:" : "shown:", text, strbuf_text(&b));
    strbuf_done(&b);
}

static void shows(struct shot *l, const char *text)
{
    assert_shows(l, 24, 80, text, true);
}

static void shows_not(struct shot *l, const char *text)
{
    assert_shows(l, 24, 80, text, false);
}

static void press_all(struct shot *l, const char *keys)
{
    for (; *keys; keys++)
        assert_int_equal(screen_press(l->screen, *keys), SCREEN_NOTHING);
}

static void the_first_page_says_verdict_points_classes_and_streams(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    shows(&l, "waiting for the first packets");
    screen_look(l.screen, &l.view, 0);
    shows(&l, " FAIL ");
    shows(&l, "incomplete:");
    shows(&l, "eth0 500 packets/s"); /* 10,000 packets in 20 s */
    shows(&l, "39 dropped");         /* by kernel and interface */
    shows(&l, "eth1 DOWN for 12s");
    shows(&l, "bleached for 15s: What comes from site berlin");
    shows(&l, "!CS0 1% EF 99%"); /* the class: the wrong mark first, with its share */
    shows(&l, "4 streams, worst first");
    shows(&l, ">! cms-01 10.2.0.7:34904");
    /* worst first: violating, undetermined, conforming, unchecked */
    struct strbuf b = drawn(&l, 30, 120);
    const char *rows[] = {"\n>! ", "\n? ", "\n+ cms", "\n  ", NULL};
    const char *at = strstr(strbuf_text(&b), "source");
    for (size_t i = 0; rows[i]; i++) {
        at = strstr(at, rows[i]);
        assert_non_null(at);
    }
    strbuf_done(&b);
    shot_close(&l);
}

static void letters_beyond_ascii_only_where_the_terminal_has_them(void **state)
{
    (void)state;
    for (int utf8 = 0; utf8 < 2; utf8++) {
        static const char keys[] = "f\x1b"
                                   "c\x1b?";
        struct shot l;
        shot_open(&l, utf8);
        screen_look(l.screen, &l.view, 0);
        for (const char *key = keys;; key++) {
            struct strbuf b = drawn(&l, 40, 120);
            bool beyond = false;
            for (const char *p = strbuf_text(&b); *p; p++)
                beyond = beyond || (unsigned char)*p >= 0x80;
            if (key == keys)
                assert_int_equal(beyond, utf8);
            if (!utf8)
                assert_false(beyond);
            strbuf_done(&b);
            if (!*key)
                break;
            (void)screen_press(l.screen, *key == '\x1b' ? BACKEND_KEY_ESCAPE : *key);
        }
        shot_close(&l);
    }
}

static void a_wrong_cell_of_the_sparkline_is_told_without_colour(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    struct strbuf b = drawn(&l, 40, 160);
    const char *line = strstr(strbuf_text(&b), "! voice");
    assert_non_null(line);
    char text[512];
    slice_copy(slice_make(line, strcspn(line, "\n")), text, sizeof text);
    assert_non_null(strchr(strstr(text, "EF 99%"), '!'));
    strbuf_done(&b);
    l.series[0].wrong[LIVE_SERIES_SECONDS - 2] = 0;
    screen_look(l.screen, &l.view, 0);
    b = drawn(&l, 40, 160);
    line = strstr(strbuf_text(&b), "! voice");
    slice_copy(slice_make(line, strcspn(line, "\n")), text, sizeof text);
    assert_null(strchr(strstr(text, "EF 99%"), '!'));
    assert_non_null(strpbrk(strstr(text, "EF 99%"), "#+=-"));
    strbuf_done(&b);
    shot_close(&l);
}

static void the_filter_works_as_it_is_typed_and_escape_clears_it(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    press_all(&l, "/DNS");
    shows(&l, "filter: DNS");
    shows(&l, "10.9.9.1");
    shows_not(&l, "10.2.0.7");
    (void)screen_press(l.screen, BACKEND_KEY_BACKSPACE);
    (void)screen_press(l.screen, BACKEND_KEY_BACKSPACE);
    (void)screen_press(l.screen, BACKEND_KEY_BACKSPACE);
    shows(&l, "10.2.0.7");
    /* letters are letters while it is typed: q does not quit */
    press_all(&l, "alice@");
    shows(&l, "10.2.0.7"); /* by a party of its call */
    shows_not(&l, "10.9.9.1");
    (void)screen_press(l.screen, BACKEND_KEY_ENTER);
    screen_look(l.screen, &l.view, 0); /* a new look with the filter in force */
    shows(&l, "2 with \"alice@\"");
    shows_not(&l, "10.9.9.1");
    (void)screen_press(l.screen, BACKEND_KEY_ESCAPE);
    screen_look(l.screen, &l.view, 0);
    shows(&l, "10.9.9.1");
    for (const char *word = "cs0"; word; word = NULL) { /* a mark */
        press_all(&l, "/");
        press_all(&l, word);
        shows(&l, "10.2.0.7:34904");
        shows_not(&l, "10.9.9.1");
    }
    shot_close(&l);
}

static void the_selection_stays_on_its_stream(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    struct strbuf first = drawn(&l, 24, 80);
    strbuf_done(&first);
    press_all(&l, "jjj");
    shows(&l, ">  ");
    shows(&l, "10.9.9.1:40000");
    struct record *records = l.sample.document->records;
    /* what was last is now by far the worst */
    records[3].verdict = VERDICT_VIOLATING;
    records[3].violating_packets = records[3].packets;
    screen_look(l.screen, &l.view, 1000000);
    struct strbuf b = drawn(&l, 30, 120);
    const char *selected = strstr(strbuf_text(&b), "\n>!");
    assert_non_null(selected);
    assert_non_null(strstr(selected, "10.9.9.1:40000"));
    assert_true(strstr(selected, "10.9.9.1:40000") < strchr(selected + 1, '\n'));
    strbuf_done(&b);
    shot_close(&l);
}

static void one_stream_shows_marks_figures_evidence_and_filter(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    (void)screen_press(l.screen, BACKEND_KEY_ENTER);
    screen_look(l.screen, &l.view, 0);
    assert_shows(&l, 40, 100, "SDP m=audio, frame 12 (certain)", true);
    assert_shows(&l, 40, 100, "10.2.0.7:34904 -> 10.1.1.11:20000", true);
    assert_shows(&l, 40, 100, "ssrc 0x1234abcd", true);
    assert_shows(&l, 40, 100, "violating, expected EF, 10 of 1,000 packets wrong", true);
    assert_shows(&l, 40, 100, "09:00:07 to 09:00:08", true); /* when the wrong mark was there */
    assert_shows(&l, 40, 100, "changed 2 times", true);
    assert_shows(&l, 40, 100, "3 of 1003 packets lost (0.3%)", true);
    assert_shows(&l, 40, 100, "jitter 0.41 ms", true);
    assert_shows(&l, 40, 100, "udp.srcport == 34904 && ip.dsfield.dscp == 0", true);
    assert_shows(&l, 40, 100, "10 of 1000 packets have DSCP 0", true);
    /* on a small screen it can be scrolled to its end and not beyond */
    for (int i = 0; i < 100; i++)
        (void)screen_press(l.screen, BACKEND_KEY_DOWN);
    assert_shows(&l, 12, 80, "Wireshark", true);
    (void)screen_press(l.screen, BACKEND_KEY_HOME);
    assert_shows(&l, 12, 80, "10.2.0.7:34904", true);
    (void)screen_press(l.screen, BACKEND_KEY_ESCAPE);
    shows(&l, "4 streams");
    shot_close(&l);
}

static void findings_are_listed_open_ones_first_with_advice(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    press_all(&l, "f");
    shows(&l, "2 findings, 1 open");
    shows(&l, "open 15s");
    shows(&l, "closed 6s ago");
    shows(&l, "site berlin");
    shows(&l, "Trust DSCP on the uplink of berlin.");
    shows(&l, "ip.src == 10.2.0.7");
    press_all(&l, "j");
    shows(&l, "closed 09:00:14");
    shot_close(&l);
}

static void a_call_shows_its_streams(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    press_all(&l, "c");
    shows(&l, "1 call, worst first");
    shows(&l, "sip:alice@");
    shows(&l, "09:00:00");
    (void)screen_press(l.screen, BACKEND_KEY_ENTER);
    shows(&l, "10.2.0.7:34904");
    shows_not(&l, "10.9.9.1");
    shot_close(&l);
}

static void paused_it_stands_still(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    press_all(&l, "p");
    shows(&l, "PAUSED, capture goes on");
    l.view.now_ns += SECONDS(100);
    screen_look(l.screen, &l.view, 0);
    shows(&l, "bleached for 15s");
    press_all(&l, "p");
    screen_look(l.screen, &l.view, 0);
    shows_not(&l, "PAUSED");
    shows(&l, "bleached for 1m55s");
    shot_close(&l);
}

static void sorting_goes_round_and_back(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    press_all(&l, "s");
    screen_look(l.screen, &l.view, 0);
    shows(&l, "by packets");
    shows(&l, "packets^");
    press_all(&l, "r");
    screen_look(l.screen, &l.view, 0);
    struct strbuf b = drawn(&l, 24, 80);
    assert_non_null(strstr(strbuf_text(&b), "reversed"));
    assert_non_null(strstr(strbuf_text(&b), ">  ")); /* DNS has the fewest packets, and no verdict */
    strbuf_done(&b);
    press_all(&l, "rS");
    screen_look(l.screen, &l.view, 0);
    shows(&l, "worst first");
    shot_close(&l);
}

static void keys_ask_for_writing_and_for_the_end(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    assert_int_equal(screen_press(l.screen, 'w'), SCREEN_WRITE);
    screen_say(l.screen, 0, false, "the report of now is in %s", "x.html");
    shows(&l, "the report of now is in x.html");
    assert_int_equal(screen_press(l.screen, BACKEND_KEY_HELP), SCREEN_NOTHING);
    shows_not(&l, "the report of now");
    shows(&l, "the screen stands still");
    assert_int_equal(screen_press(l.screen, 'q'), SCREEN_QUIT);
    shot_close(&l);
}

/* Every page at every size from nothing up: nothing is drawn beyond an edge, and nothing crashes. */
static void every_size_is_survived(void **state)
{
    static const int pages[] = {0, BACKEND_KEY_ENTER, 'f', 'c', '?', '/'};
    (void)state;
    for (size_t p = 0; p < sizeof pages / sizeof pages[0]; p++) {
        struct shot l;
        shot_open(&l, p % 2);
        screen_look(l.screen, &l.view, 0);
        if (pages[p])
            (void)screen_press(l.screen, pages[p]);
        screen_look(l.screen, &l.view, 0);
        for (size_t rows = 0; rows <= 26; rows++) {
            for (size_t columns = 0; columns <= 130; columns += columns < 30 ? 1 : 7) {
                struct strbuf b = drawn(&l, rows, columns);
                strbuf_done(&b);
            }
        }
        shot_close(&l);
    }
}

static void at_twenty_by_five_the_verdict_and_the_worst_stream_are_there(void **state)
{
    struct shot l;
    (void)state;
    shot_open(&l, false);
    screen_look(l.screen, &l.view, 0);
    assert_shows(&l, 5, 20, " FAIL ", true);
    assert_shows(&l, 5, 20, ">!", true);
    assert_shows(&l, 5, 20, "10.2.0", true);
    assert_shows(&l, 5, 20, "!CS0", true);
    shot_close(&l);
}

static void hostile_names_reach_no_terminal(void **state)
{
    static const int pages[] = {0, BACKEND_KEY_ENTER, 'f', 'c'};
    (void)state;
    for (size_t p = 0; p < 2 * sizeof pages / sizeof pages[0]; p++) {
        struct shot l;
        shot_open(&l, p % 2);
        sample_make_hostile(&l.sample);
        l.findings[0].finding = l.findings[1].finding = l.sample.findings[0];
        l.points[0].name = l.points[1].problem = HOSTILE;
        screen_look(l.screen, &l.view, 0);
        if (pages[p / 2])
            (void)screen_press(l.screen, pages[p / 2]);
        screen_look(l.screen, &l.view, 0);
        struct strbuf b = drawn(&l, 60, 200);
        for (const char *c = strbuf_text(&b); *c; c++)
            assert_false(((unsigned char)*c < ' ' && *c != '\n') || *c == 0x7f);
        assert_null(strstr(strbuf_text(&b), "\xe2\x80\xae")); /* right-to-left override */
        assert_null(strstr(strbuf_text(&b), "\nPASS: all"));
        strbuf_done(&b);
        shot_close(&l);
    }
}

/* Two letters of East Asia take four columns; a family emoji takes no more than it is given. */
static void wide_letters_are_cut_by_columns(void **state)
{
    struct canvas c = {0};
    (void)state;
    assert_true(canvas_begin(&c, 2, 10, true));
    canvas_net(&c, LOOK_PLAIN, "\u4f1a\u8b70\u5ba4\u4e00\u4e8c\u4e09", 7);
    assert_string_equal(strbuf_text(&c.rows[0].text), "\u4f1a\u8b70\u5ba4\u2026");
    canvas_to(&c, 9);
    canvas_put(&c, LOOK_PLAIN, "\u4f1a"); /* half of it does not fit */
    assert_int_equal(canvas_left(&c), 0);
    canvas_done(&c);
}

static void long_words_wrap_within_their_rows(void **state)
{
    struct canvas c = {0};
    (void)state;
    assert_true(canvas_begin(&c, 4, 12, false));
    canvas_put(&c, LOOK_DIM, " what");
    canvas_to(&c, 6);
    canvas_wrap(&c, LOOK_PLAIN, 6, 2, "one two abcdefghijkl end more");
    assert_string_equal(strbuf_text(&c.rows[0].text), " what one");
    assert_string_equal(strbuf_text(&c.rows[1].text), "      two");
    assert_string_equal(strbuf_text(&c.rows[2].text), "      abcdef");
    assert_string_equal(strbuf_text(&c.rows[3].text), "");
    canvas_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_page_says_verdict_points_classes_and_streams),
        cmocka_unit_test(letters_beyond_ascii_only_where_the_terminal_has_them),
        cmocka_unit_test(a_wrong_cell_of_the_sparkline_is_told_without_colour),
        cmocka_unit_test(the_filter_works_as_it_is_typed_and_escape_clears_it),
        cmocka_unit_test(the_selection_stays_on_its_stream),
        cmocka_unit_test(one_stream_shows_marks_figures_evidence_and_filter),
        cmocka_unit_test(findings_are_listed_open_ones_first_with_advice),
        cmocka_unit_test(a_call_shows_its_streams),
        cmocka_unit_test(paused_it_stands_still),
        cmocka_unit_test(sorting_goes_round_and_back),
        cmocka_unit_test(keys_ask_for_writing_and_for_the_end),
        cmocka_unit_test(every_size_is_survived),
        cmocka_unit_test(at_twenty_by_five_the_verdict_and_the_worst_stream_are_there),
        cmocka_unit_test(hostile_names_reach_no_terminal),
        cmocka_unit_test(wide_letters_are_cut_by_columns),
        cmocka_unit_test(long_words_wrap_within_their_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

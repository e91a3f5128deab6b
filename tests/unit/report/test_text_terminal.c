#include "text_sample.h"

/* Widths, colours, and text from the network on a terminal. */

/* Columns of each line, with the colours taken out. */
static void assert_width(const struct strbuf *b, size_t width)
{
    char line[4096];
    size_t len = 0;
    for (const char *p = strbuf_text(b); *p; p++) {
        if (*p == '\x1b') {
            p = strchr(p, 'm');
            assert_non_null(p);
        } else if (*p != '\n') {
            assert_true(len + 1 < sizeof line);
            line[len++] = *p;
        } else {
            line[len] = '\0';
            if (text_columns(line) > width && !strstr(line, " == "))
                print_error("%zu columns: %s\n", text_columns(line), line);
            assert_true(text_columns(line) <= width || strstr(line, " == "));
            assert_true(len == 0 || line[len - 1] != ' ');
            len = 0;
        }
    }
    assert_int_equal(len, 0);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
    static const unsigned widths[] = {80, 81, 97, 120, 160};
    struct sample *s = *state;
    struct document *d = s->document;
    d->records[2].reason =
        "a reason that goes on for quite a while: neither the clock rate, nor the shared timestamps, nor the "
        "sizes say what it is";
    s->findings[0].message = "averyveryveryverylongwordthatnobodywouldtypebutthatafilenamecouldverywellbe/"
                             "averyveryveryverylongwordthatnobodywouldtypebutthatafilenamecouldverywellbe/"
                             "averyveryveryverylongwordthatnobodywouldtypebutthatafilenamecouldverywellbe/";
    s->calls[0].from =
        "sip:\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0"
        "\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0\xe4\xbc\x9a\xe8\xad\xb0@very.long.branch.example.com";
    s->nodes[0].name = "a-node-with-a-name-that-somebody-thought-would-be-a-good-idea";
    s->sites[0].name = "a-site-with-a-name-that-somebody-thought-would-be-a-good-idea";
    s->inputs[0].file =
        "captures/2026/11/22/a-very-long-name-of-a-capture-file-that-rotates-every-hour-000123.pcapng.gz";
    d->records[1].expected = ~(dscp_set_t)0;
    for (size_t i = 0; i < DSCP_COUNT; i++)
        s->by_class[1].by_dscp[i] = 1 + i;
    for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++) {
        for (unsigned bits = 0; bits < 16; bits++) {
            struct strbuf b =
                text_of(d, (struct report_options){
                               .width = widths[w], .verbose = (int)(bits % 4), .utf8 = bits & 4, .color = bits & 8});
            assert_width(&b, widths[w]);
            strbuf_done(&b);
        }
    }
}

static void a_width_below_80_is_taken_as_80(void **state)
{
    struct sample *s = *state;
    struct strbuf b = text_of(s->document, (struct report_options){.width = 20});
    struct strbuf at_80 = text_of(s->document, (struct report_options){.width = 80});
    assert_string_equal(b.at, at_80.at);
    strbuf_done(&b);
    strbuf_done(&at_80);
}

static void colour_adds_escapes_and_nothing_else(void **state)
{
    struct sample *s = *state;
    struct strbuf plain = text_of(s->document, (struct report_options){.verbose = 2});
    struct strbuf coloured = text_of(s->document, (struct report_options){.verbose = 2, .color = true});
    struct strbuf stripped = {0};
    for (const char *p = coloured.at; *p; p++) {
        if (*p == '\x1b') {
            assert_int_equal(p[1], '[');
            p = strchr(p, 'm');
            assert_non_null(p);
        } else {
            strbuf_addc(&stripped, *p);
        }
    }
    assert_string_equal(stripped.at, plain.at);
    assert_null(strchr(plain.at, '\x1b'));
    assert_has(&coloured, "\x1b[1;31mFAIL (INCOMPLETE):\x1b[0m");
    assert_has(&coloured, "\x1b[1;31m!CS0 1%\x1b[0m");
    /* no line leaves a colour on */
    for (const char *p = coloured.at, *end; *p; p = end + 1) {
        end = strchr(p, '\n');
        const char *last = NULL;
        for (const char *at = p; at < end; at++)
            last = *at == '\x1b' ? at : last;
        assert_true(!last || strncmp(last, "\x1b[0m", 4) == 0);
    }
    strbuf_done(&plain);
    strbuf_done(&coloured);
    strbuf_done(&stripped);
}

static void hostile_text_reaches_the_terminal_as_plain_text(void **state)
{
    struct sample *s = *state;
    sample_make_hostile(s);
    for (unsigned bits = 0; bits < 8; bits++) {
        struct strbuf b = text_of(s->document, (struct report_options){.verbose = (int)(bits % 4), .utf8 = bits & 4});
        for (const unsigned char *p = (const unsigned char *)b.at; *p; p++) {
            assert_true(*p >= 0x20 || *p == '\n');
            assert_true(*p < 0x7f || bits & 4); /* without UTF-8 nothing beyond ASCII: 0x9b would be a control */
        }
        assert_null(strstr(b.at, "\xe2\x80\xae"));
        assert_null(strstr(b.at, "\nPASS"));
        assert_has(&b, "\\x1B[2J");
        strbuf_done(&b);
    }
}

static void an_empty_document_has_a_verdict_and_little_else(void **state)
{
    (void)state;
    struct document *d = document_new();
    d->summary.complete = true;
    struct strbuf b = text_of(d, (struct report_options){.verbose = 2, .color = true, .utf8 = true});
    assert_string_equal(b.at, "\x1b[33mNOTHING CHECKED:\x1b[0m\x1b[1m no stream was seen\x1b[0m\n");
    strbuf_done(&b);
    document_free(d);
}

static void every_verdict_direction_and_code_can_be_shown(void **state)
{
    struct sample *s = *state;
    struct document *d = s->document;
    for (int i = 0; i < FINDING_CODE_COUNT; i++) {
        d->records[0].verdict = d->calls[0].verdict = (enum verdict)(i % 4);
        d->records[0].direction = s->by_class[0].direction = (enum direction)(i % DIRECTION_COUNT);
        d->records[0].traffic_class = s->by_class[0].traffic_class = (enum traffic_class)(i % CLASS_COUNT);
        d->records[3].kind = (enum kind)(i % KIND_COUNT);
        d->records[3].confidence = s->findings[0].confidence = (enum confidence)(i % 4);
        s->findings[0].code = s->stream_finding[0].code = (enum finding_code)i;
        struct strbuf b = text_of(d, (struct report_options){.verbose = 2});
        assert_has(&b, finding_code_name((enum finding_code)i));
        assert_width(&b, 80);
        strbuf_done(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SAMPLE(no_line_is_wider_than_the_terminal),
        WITH_SAMPLE(a_width_below_80_is_taken_as_80),
        WITH_SAMPLE(colour_adds_escapes_and_nothing_else),
        WITH_SAMPLE(hostile_text_reaches_the_terminal_as_plain_text),
        cmocka_unit_test(an_empty_document_has_a_verdict_and_little_else),
        WITH_SAMPLE(every_verdict_direction_and_code_can_be_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

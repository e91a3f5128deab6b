#ifndef QOSMARK_TESTS_REPORT_TEXT_SAMPLE_H
#define QOSMARK_TESTS_REPORT_TEXT_SAMPLE_H

/* The text that is made of the sample, and what it is asked. */
#include "sample.h"

static inline struct strbuf text_of(const struct document *d, struct report_options o)
{
    o.format = REPORT_TEXT;
    o.width = o.width ? o.width : 80;
    return sample_write(d, &o);
}

static inline void assert_has(const struct strbuf *b, const char *expected)
{
    if (!strstr(strbuf_text(b), expected))
        print_error("\"%s\" is not in:\n%s\n", expected, strbuf_text(b));
    assert_non_null(strstr(strbuf_text(b), expected));
}

static inline void assert_has_not(const struct strbuf *b, const char *text)
{
    if (strstr(strbuf_text(b), text))
        print_error("\"%s\" is in:\n%s\n", text, strbuf_text(b));
    assert_null(strstr(strbuf_text(b), text));
}

/* `first` stands somewhere before `second`. */
static inline void assert_before(const struct strbuf *b, const char *first, const char *second)
{
    assert_has(b, first);
    assert_has(b, second);
    assert_true(strstr(strbuf_text(b), first) < strstr(strbuf_text(b), second));
}


#endif

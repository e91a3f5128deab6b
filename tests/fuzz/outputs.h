#ifndef QOSMARK_TESTS_FUZZ_OUTPUTS_H
#define QOSMARK_TESTS_FUZZ_OUTPUTS_H

/* What must hold of every report, whatever was in the packets that it is about. */
#include <jansson.h>

#include "base/text.h"
#include "fuzz.h"

/* A sink into memory, as report_sink and capture_sink have it. `user` is a struct strbuf. */
static inline bool fuzz_sink(void *user, const char *bytes, size_t len)
{
    struct strbuf *to = user;
    strbuf_add(to, bytes, len);
    return strbuf_ok(to);
}

/* The bytes of a UTF-8 sequence that may be shown; 0 for one that may not: broken, a control, a change of direction. */
FUZZ_UNTRACED static inline size_t fuzz_letter(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7f ? 1 : 0;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < n)
        return 0;
    uint32_t letter = p[0] & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        letter = letter << 6 | (p[i] & 0x3f);
    }
    bool longer = (n == 3 && letter < 0x800) || (n == 4 && letter < 0x10000);
    bool reorders = (letter >= 0x202a && letter <= 0x202e) || (letter >= 0x2066 && letter <= 0x2069) ||
                    letter == 0x200e || letter == 0x200f || letter == 0x061c;
    bool control = letter < 0xa0 || letter == 0x2028 || letter == 0x2029 || letter == 0xfeff;
    return longer || reorders || control || letter > 0x10ffff || (letter >= 0xd800 && letter <= 0xdfff) ? 0 : n;
}

/* Lines of text that no terminal obeys: but for colours where there are to be some, and CR where a format has it. */
FUZZ_UNTRACED static inline void fuzz_check_text(const char *text, size_t len, bool colors, bool carriage_returns)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t i = 0; i < len;) {
        if (p[i] == '\n' || (carriage_returns && p[i] == '\r' && i + 1 < len && p[i + 1] == '\n')) {
            i++;
        } else if (colors && p[i] == 033) {
            FUZZ_CHECK(i + 1 < len && p[i + 1] == '[');
            for (i += 2; i < len && (p[i] == ';' || (p[i] >= '0' && p[i] <= '9')); i++)
                continue;
            FUZZ_CHECK(i < len && p[i] == 'm');
            i++;
        } else {
            size_t n = fuzz_letter(p + i, len - i);
            FUZZ_CHECK(n > 0);
            i += n;
        }
    }
}

/* One JSON document, without keys that come twice; to be given back with json_decref(). */
static inline json_t *fuzz_check_json(const char *text, size_t len)
{
    fuzz_check_text(text, len, false, false);
    json_error_t error;
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        fprintf(stderr, "%d:%d: %s\n", error.line, error.column, error.text);
    FUZZ_CHECK(value);
    return value;
}

/* A JSON document in each line; how many. */
FUZZ_UNTRACED static inline size_t fuzz_check_json_lines(const char *text, size_t len)
{
    size_t lines = 0;
    FUZZ_CHECK(len == 0 || text[len - 1] == '\n');
    for (const char *at = text, *end = text + len; at < end; lines++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        json_decref(fuzz_check_json(at, (size_t)(stop - at)));
        at = stop + 1;
    }
    return lines;
}

/* RFC 4180: rows of as many fields as the first has, none of which a spreadsheet takes for a formula; how many rows. */
FUZZ_UNTRACED static inline size_t fuzz_check_csv(const char *text, size_t len)
{
    fuzz_check_text(text, len, false, true);
    size_t rows = 0, columns = 0, fields = 1;
    for (size_t i = 0; i < len;) {
        bool quoted = text[i] == '"';
        i += quoted;
        FUZZ_CHECK(i == len || !strchr("=+-@\t", text[i]));
        while (i < len &&
               (quoted ? !(text[i] == '"' && (i + 1 == len || text[i + 1] != '"')) : !strchr(",\r\n", text[i]))) {
            FUZZ_CHECK(quoted || text[i] != '"');
            i += quoted && text[i] == '"' ? 2 : 1;
        }
        i += quoted;
        FUZZ_CHECK(i < len && (text[i] == ',' || text[i] == '\r' || text[i] == '\n'));
        if (text[i] == ',') {
            fields++;
            i++;
            continue;
        }
        i += text[i] == '\r' ? 2 : 1;
        FUZZ_CHECK(columns == 0 || fields == columns);
        columns = fields;
        fields = 1;
        rows++;
    }
    return rows;
}

/* Nothing in the page that acts or fetches, and no markup but what the reports use. */
FUZZ_UNTRACED static inline void fuzz_check_html(const char *text, size_t len)
{
    static const char *const tags[] = {
        "html",    "head",    "meta",    "title", "style", "body", "main",   "header",   "footer",   "nav",
        "section", "details", "summary", "h1",    "h2",    "h3",   "h4",     "p",        "pre",      "code",
        "span",    "div",     "a",       "ul",    "ol",    "li",   "table",  "caption",  "colgroup", "col",
        "thead",   "tbody",   "tr",      "th",    "td",    "b",    "i",      "em",       "strong",   "small",
        "br",      "hr",      "dl",      "dt",    "dd",    "abbr", "time",   "article",  "svg",      "defs",
        "pattern", "rect",    "text",    "line",  "path",  "g",    "circle", "polyline", "figure",   "figcaption"};
    fuzz_check_text(text, len, false, false);
    for (const char *at = text, *end = text + len; (at = memchr(at, '<', (size_t)(end - at))) != NULL;) {
        at++;
        if (strncmp(at, "!doctype", 8) == 0 || strncmp(at, "!DOCTYPE", 8) == 0)
            continue;
        at += *at == '/';
        size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789");
        bool known = false;
        for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
            known = known || (strlen(tags[i]) == n && memcmp(tags[i], at, n) == 0);
        if (!known)
            fprintf(stderr, "<%.40s\n", at);
        FUZZ_CHECK(known);
        FUZZ_CHECK(memchr(at, '>', (size_t)(end - at)));
    }
}

/* A whole number in a JSON object. */
static inline uint64_t fuzz_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    FUZZ_CHECK(json_is_integer(value) && json_integer_value(value) >= 0);
    return (uint64_t)json_integer_value(value);
}

static inline const char *fuzz_word(const json_t *object, const char *key)
{
    const char *word = json_string_value(json_object_get(object, key));
    FUZZ_CHECK(word);
    return word;
}

static inline bool fuzz_is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

#define FUZZ_ONE_OF(word, ...)                                                                                         \
    fuzz_is_one_of(word, (const char *const[]){__VA_ARGS__},                                                           \
                   sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

#endif

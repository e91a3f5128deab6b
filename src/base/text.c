#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool same_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (lower(a[i]) != lower(b[i]))
            return false;
    return true;
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

bool slice_equal_nocase(struct slice a, struct slice b)
{
    return a.len == b.len && same_nocase(a.at, b.at, a.len);
}

bool slice_starts(struct slice text, struct slice prefix)
{
    return text.len >= prefix.len && (prefix.len == 0 || memcmp(text.at, prefix.at, prefix.len) == 0);
}

bool slice_starts_nocase(struct slice text, struct slice prefix)
{
    return text.len >= prefix.len && same_nocase(text.at, prefix.at, prefix.len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice slice_trim(struct slice text)
{
    while (text.len && is_blank(text.at[0])) {
        text.at++;
        text.len--;
    }
    while (text.len && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

struct slice slice_next(struct slice *rest, char separator)
{
    struct slice piece = *rest;
    const char *found = rest->len ? memchr(rest->at, separator, rest->len) : NULL;
    if (!found) {
        rest->at = rest->len ? rest->at + rest->len : rest->at;
        rest->len = 0;
        return piece;
    }
    piece.len = (size_t)(found - rest->at);
    rest->at = found + 1;
    rest->len -= piece.len + 1;
    return piece;
}

bool slice_number(struct slice text, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(text.at[i] - '0');
        if (digit > max || v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return true;
}

void slice_copy(struct slice text, char *to, size_t size)
{
    size_t n = text.len < size - 1 ? text.len : size - 1;
    for (size_t i = 0; i < n; i++)
        to[i] = text.at[i] ? text.at[i] : '?';
    to[n] = '\0';
}

struct strbuf strbuf_fixed(char *memory, size_t bytes)
{
    memory[0] = '\0';
    return (struct strbuf){.at = memory, .cap = bytes, .fixed = true};
}

void strbuf_done(struct strbuf *b)
{
    if (!b->fixed)
        free(b->at);
    *b = (struct strbuf){0};
}

static bool strbuf_reserve(struct strbuf *b, size_t more)
{
    if (b->failed || more > SIZE_MAX / 4 - b->len) {
        b->failed = true;
        return false;
    }
    if (b->len + more + 1 <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < b->len + more + 1)
        cap *= 2;
    char *at = b->fixed ? NULL : realloc(b->at, cap);
    if (!at) {
        b->failed = true;
        return false;
    }
    b->at = at;
    b->cap = cap;
    return true;
}

void strbuf_add(struct strbuf *b, const char *text, size_t len)
{
    if (!strbuf_reserve(b, len))
        return;
    if (len)
        memcpy(b->at + b->len, text, len);
    b->len += len;
    b->at[b->len] = '\0';
}

void strbuf_adds(struct strbuf *b, const char *text)
{
    strbuf_add(b, text, strlen(text));
}

void strbuf_addc(struct strbuf *b, char c)
{
    strbuf_add(b, &c, 1);
}

void strbuf_addf(struct strbuf *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0)
        b->failed = true;
    else if (strbuf_reserve(b, (size_t)n)) {
        (void)vsnprintf(b->at + b->len, (size_t)n + 1, format, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

bool strbuf_ok(const struct strbuf *b)
{
    return !b->failed;
}

const char *strbuf_text(const struct strbuf *b)
{
    return b->at ? b->at : "";
}

enum { UTF8_BYTES_MAX = 4 };

/* What a first byte says of the length of its sequence; 0 for what begins none. */
static size_t utf8_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first >= 0xf5)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Length of the valid UTF-8 sequence at `p` (RFC 3629 §3) and its code point; 0 where there is none. */
static size_t utf8_sequence(const unsigned char *p, size_t left, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = utf8_length(p[0]);
    if (n == 0 || n > left)
        return 0;
    uint32_t code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (p[i] & 0x3fu);
    }
    if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *ret = code;
    return n;
}

struct code_range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct code_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Controls, and what a reader cannot see or that reorders what he sees (Unicode bidirectional controls, line and
 * paragraph separators, joiners, tags). */
static bool is_unprintable(uint32_t code)
{
    static const struct code_range hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},   {0x200b, 0x200f},
        {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };
    return in_ranges(code, hidden, sizeof hidden / sizeof hidden[0]);
}

/* Unicode Standard Annex 11 (East Asian Width W and F) and the combining blocks, as blocks: near enough to align. */
static size_t code_columns(uint32_t code)
{
    static const struct code_range combining[] = {
        {0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    static const struct code_range wide[] = {
        {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
    };
    if (code < 0x300)
        return 1;
    if (in_ranges(code, combining, sizeof combining / sizeof combining[0]))
        return 0;
    return in_ranges(code, wide, sizeof wide / sizeof wide[0]) ? 2 : 1;
}

static void add_printable(struct strbuf *to, const char *text, size_t len, bool ascii)
{
    const unsigned char *p = (const unsigned char *)text;
    size_t left = len;
    while (left) {
        size_t plain = 0; /* most text is plain ASCII: copied as one piece */
        while (plain < left && p[plain] >= 0x20 && p[plain] < 0x7f)
            plain++;
        strbuf_add(to, (const char *)p, plain);
        p += plain;
        left -= plain;
        if (left == 0)
            break;
        uint32_t code = 0;
        size_t n = utf8_sequence(p, left, &code);
        if (n && !ascii && !is_unprintable(code)) {
            strbuf_add(to, (const char *)p, n);
        } else {
            n = n ? n : 1;
            for (size_t i = 0; i < n; i++)
                strbuf_addf(to, "\\x%02X", p[i]);
        }
        p += n;
        left -= n;
    }
}

void text_printable(struct strbuf *to, const char *text, size_t len)
{
    add_printable(to, text, len, false);
}

void text_printable_ascii(struct strbuf *to, const char *text, size_t len)
{
    add_printable(to, text, len, true);
}

/* Steps over one code point, or over one byte of what is no UTF-8, and says how many columns it takes. */
static size_t step_columns(const char **text, size_t left)
{
    uint32_t code = 0xfffd;
    size_t n = utf8_sequence((const unsigned char *)*text, left, &code);
    *text += n ? n : 1;
    return code_columns(code);
}

size_t text_columns(const char *text)
{
    const char *end = text + strlen(text);
    size_t n = 0;
    while (text < end)
        n += step_columns(&text, (size_t)(end - text));
    return n;
}

size_t text_fit(const char *text, size_t columns)
{
    const char *at = text;
    while (*at) { /* never to the end of a text that is far longer */
        const char *next = at;
        size_t n = step_columns(&next, strnlen(at, UTF8_BYTES_MAX));
        if (n > columns)
            break;
        columns -= n;
        at = next;
    }
    return (size_t)(at - text);
}

size_t text_line(const char **text, size_t columns)
{
    const char *from = *text, *end = from;
    while (*end) {
        const char *word = end == from ? end : end + 1;
        const char *next = word + strcspn(word, " ");
        if (end != from && (size_t)(next - from) > columns)
            break;
        end = next;
    }
    *text = end + (*end == ' ');
    return (size_t)(end - from);
}

/* Levenshtein distance with words cut at 31 characters, which is longer than any key here. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[32];
    size_t na = strnlen(a, 31), nb = strnlen(b, 31);
    for (size_t j = 0; j <= nb; j++)
        row[j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            size_t change = diagonal + (lower(a[i - 1]) != lower(b[j - 1]));
            diagonal = row[j];
            size_t least = row[j] + 1 < row[j - 1] + 1 ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < least ? change : least;
        }
    }
    return row[nb];
}

const char *text_nearest(const char *word, const char *const *words, size_t n)
{
    const char *best = NULL;
    size_t best_distance = 1 + strlen(word) / 3;
    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(word, words[i]);
        if (d <= best_distance && (best == NULL || d < best_distance)) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}

int text_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

char *text_decimal(char *to, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

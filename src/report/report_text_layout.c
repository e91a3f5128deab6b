#include "report/report_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const style_codes[STYLE_COUNT] = {
    [STYLE_PLAIN] = "",         [STYLE_BOLD] = "\x1b[1m",    [STYLE_DIM] = "\x1b[2m",   [STYLE_GOOD] = "\x1b[32m",
    [STYLE_BAD] = "\x1b[1;31m", [STYLE_UNSURE] = "\x1b[33m", [STYLE_CODE] = "\x1b[36m",
};

const char *sign_wrong(const struct text *t)
{
    return t->options->utf8 ? "\u2717" : "!";
}

const char *sign_of(const struct text *t, enum verdict v)
{
    switch (v) {
    case VERDICT_VIOLATING:
        return sign_wrong(t);
    case VERDICT_CONFORMING:
        return t->options->utf8 ? "\u2713" : "+";
    case VERDICT_UNDETERMINED:
        return "?";
    case VERDICT_UNCHECKED:
        break;
    }
    return "";
}

const char *sign_arrow(const struct text *t)
{
    return t->options->utf8 ? "\u2192" : "->";
}

const char *sign_more(const struct text *t)
{
    return t->options->utf8 ? "\u2026" : "...";
}

enum style style_of(enum verdict v)
{
    static const enum style styles[] = {
        [VERDICT_UNCHECKED] = STYLE_DIM,
        [VERDICT_CONFORMING] = STYLE_GOOD,
        [VERDICT_VIOLATING] = STYLE_BAD,
        [VERDICT_UNDETERMINED] = STYLE_UNSURE,
    };
    return styles[v];
}

/* Escaped where it is: to be cut into words, or short. */
static char *escape(struct text *t, const char *text)
{
    t->escaped.len = 0;
    if (text && t->options->utf8)
        text_printable(&t->escaped, text, strlen(text));
    else if (text) /* a terminal of eight bits takes the second byte of some letters for a control character */
        text_printable_ascii(&t->escaped, text, strlen(text));
    return t->escaped.len ? t->escaped.at : NULL;
}

const char *text_escape(struct text *t, const char *text)
{
    const char *safe = escape(t, text);
    return safe ? safe : "";
}

static void put_bytes(struct text *t, enum style style, const char *text, size_t len)
{
    static const char reset[] = "\x1b[0m";
    bool coloured = t->options->color && style != STYLE_PLAIN && len;
    if (coloured && style == t->style && t->line.len && t->line.len == t->style_end)
        t->line.len -= sizeof reset - 1; /* the colour goes on */
    else if (coloured)
        strbuf_adds(&t->line, style_codes[style]);
    strbuf_add(&t->line, text, len);
    if (coloured) {
        strbuf_adds(&t->line, reset);
        t->style = style;
        t->style_end = t->line.len;
    }
}

void text_put(struct text *t, enum style style, const char *text)
{
    put_bytes(t, style, text, strlen(text));
    t->columns += text_columns(text);
}

void text_putf(struct text *t, enum style style, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    text_put(t, style, text);
}

void text_net(struct text *t, enum style style, const char *text, size_t max)
{
    char *safe = escape(t, text);
    if (!safe || text_columns(safe) <= max) {
        text_put(t, style, safe ? safe : "");
        return;
    }
    size_t more = text_columns(sign_more(t));
    safe[text_fit(safe, max > more ? max - more : 0)] = '\0';
    text_put(t, style, safe);
    text_put(t, style, sign_more(t));
}

static void put_spaces(struct text *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        strbuf_addc(&t->line, ' ');
    t->columns += n;
}

void text_to(struct text *t, size_t column)
{
    if (t->columns < column)
        put_spaces(t, column - t->columns);
}

void text_right(struct text *t, enum style style, size_t end, const char *text)
{
    size_t need = text_columns(text);
    text_to(t, end > need ? end - need : 0);
    text_put(t, style, text);
}

void text_end(struct text *t)
{
    while (t->line.len && t->line.at[t->line.len - 1] == ' ')
        t->line.len--;
    if (!strbuf_ok(&t->line) || !strbuf_ok(&t->escaped))
        out_fail(t->out, ERR_MEMORY);
    if (t->line.len)
        out_add(t->out, t->line.at, t->line.len);
    out_adds(t->out, "\n");
    t->line.len = 0;
    t->columns = 0;
    t->style_end = 0;
}

void text_heading(struct text *t, const char *title)
{
    text_end(t);
    text_put(t, STYLE_BOLD, title);
}

/* Adds a word after a separating space, on the next line where it does not fit on this one. A word wider than a whole
 * line is broken at the edge, unless it has to stay whole. */
static void put_word(struct text *t, enum style style, size_t indent, const char *word, bool whole)
{
    const size_t width = t->width - 1; /* a comma may follow */
    bool blank = t->line.len && t->line.at[t->line.len - 1] != ' ';
    bool fits = t->columns + blank <= width && !word[text_fit(word, width - t->columns - blank)];
    if (!fits && t->columns > indent) {
        text_end(t);
        text_to(t, indent);
        blank = false;
    }
    if (blank)
        text_put(t, style, " ");
    while (!whole && width > t->columns) {
        size_t n = text_fit(word, width - t->columns);
        if (n == 0 || word[n] == '\0')
            break;
        /* a path is broken behind a slash, where there is one in the second half */
        for (size_t at = n; at > n / 2; at--) {
            if (word[at - 1] == '/') {
                n = at;
                break;
            }
        }
        put_bytes(t, style, word, n);
        word += n;
        text_end(t);
        text_to(t, indent);
    }
    text_put(t, style, word);
}

/* Ends the word that begins at `p` and returns what follows it; `*ret_whole` for a command between backticks. */
static char *cut_word(char *p, bool *ret_whole)
{
    size_t n = strcspn(p, " ");
    const char *tick = memchr(p, '`', n);
    const char *close = tick ? strchr(tick + 1, '`') : NULL;
    if (close)
        n = (size_t)(close - p) + 1 + strcspn(close + 1, " ");
    *ret_whole = close != NULL;
    char *rest = p + n;
    if (*rest)
        *rest++ = '\0';
    return rest + strspn(rest, " ");
}

void text_wrap(struct text *t, enum style style, size_t indent, const char *text)
{
    /* cut into words where it is: nothing below escapes another text */
    char *rest = escape(t, text);
    if (t->columns == 0)
        text_to(t, indent);
    for (char *p = rest; p && *p; p = rest) {
        bool whole;
        rest = cut_word(p, &whole);
        if (*p)
            put_word(t, style, indent, p, whole);
    }
}

void text_piece(struct text *t, enum style style, size_t indent, const char *text)
{
    put_word(t, style, indent, text, true);
}

size_t rows_shown(const struct text *t, size_t n, size_t few, size_t some)
{
    size_t cap = t->options->verbose <= 0 ? few : t->options->verbose == 1 ? some : n;
    /* a line that says "one more" takes the place of that one */
    return n <= cap + 1 ? n : cap;
}

void text_rest(struct text *t, size_t indent, uint64_t rest, const char *what)
{
    if (!rest)
        return;
    char count[SMALL_TEXT_MAX];
    small_count(rest, count);
    text_to(t, indent);
    text_putf(t, STYLE_DIM, "%s and %s more %s (-vv shows all)", sign_more(t), count, what);
    text_end(t);
}

void text_advice(struct text *t, size_t indent, const char *advice)
{
    if (!advice || !*advice)
        return;
    size_t behind = indent + text_columns(sign_arrow(t)) + 1;
    text_to(t, indent);
    text_put(t, STYLE_GOOD, sign_arrow(t));
    text_to(t, behind);
    text_wrap(t, STYLE_PLAIN, behind, advice);
    text_end(t);
}

void text_notes(struct text *t, const char *const *notes, size_t count)
{
    enum { INDENT_NOTES = 2 };
    if (count == 0)
        return;
    text_heading(t, "Notes");
    text_end(t);
    for (size_t i = 0; i < count && out_ok(t->out); i++) {
        text_to(t, INDENT_NOTES);
        text_put(t, STYLE_PLAIN, "- ");
        text_wrap(t, STYLE_PLAIN, INDENT_NOTES + 2, notes[i]);
        text_end(t);
    }
}

void text_verdict(struct text *t, enum summary_verdict verdict, bool incomplete, const char *about,
                  const char *sentence)
{
    static const struct {
        const char *word;
        enum style style;
    } verdicts[] = {
        [SUMMARY_NOTHING_CHECKED] = {"NOTHING CHECKED", STYLE_UNSURE},
        [SUMMARY_PASS] = {"PASS", STYLE_GOOD},
        [SUMMARY_FAIL] = {"FAIL", STYLE_BAD},
    };
    text_putf(t, incomplete && verdict == SUMMARY_PASS ? STYLE_UNSURE : verdicts[verdict].style, "%s%s:",
              verdicts[verdict].word, incomplete ? " (INCOMPLETE)" : "");
    if (t->options->quiet) {
        text_put(t, STYLE_PLAIN, " ");
        if (*about) {
            text_net(t, STYLE_PLAIN, about, 200);
            text_put(t, STYLE_PLAIN, ": ");
        }
        text_net(t, STYLE_PLAIN, sentence, 4000);
    } else {
        text_wrap(t, STYLE_BOLD, 0, sentence);
    }
    text_end(t);
}

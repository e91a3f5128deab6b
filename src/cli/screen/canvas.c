#include "cli/screen/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool canvas_begin(struct canvas *c, size_t rows, size_t columns, bool utf8)
{
    if (rows > c->row_cap) {
        struct canvas_row *grown = realloc(c->rows, rows * sizeof *grown);
        if (!grown)
            return false;
        memset(grown + c->row_cap, 0, (rows - c->row_cap) * sizeof *grown);
        c->rows = grown;
        c->row_cap = rows;
    }
    for (size_t i = 0; i < c->row_cap; i++) {
        struct canvas_row *r = &c->rows[i];
        r->text.len = 0;
        r->text.failed = false;
        r->run_count = r->columns = 0;
        r->selected = r->filled = false;
        strbuf_adds(&r->text, "");
    }
    c->row_count = rows;
    c->column_count = columns;
    c->utf8 = utf8;
    c->at = 0;
    c->failed = false;
    return true;
}

void canvas_done(struct canvas *c)
{
    for (size_t i = 0; i < c->row_cap; i++) {
        strbuf_done(&c->rows[i].text);
        free(c->rows[i].runs);
    }
    free(c->rows);
    strbuf_done(&c->escaped);
    *c = (struct canvas){0};
}

void canvas_row(struct canvas *c, size_t row)
{
    c->at = row;
}

void canvas_next(struct canvas *c)
{
    c->at++;
}

bool canvas_inside(const struct canvas *c)
{
    return c->at < c->row_count;
}

size_t canvas_left(const struct canvas *c)
{
    return canvas_inside(c) ? c->column_count - c->rows[c->at].columns : 0;
}

void canvas_select(struct canvas *c)
{
    if (canvas_inside(c))
        c->rows[c->at].selected = c->rows[c->at].filled = true;
}

void canvas_fill(struct canvas *c)
{
    if (canvas_inside(c))
        c->rows[c->at].filled = true;
}

static void begin_run(struct canvas *c, struct canvas_row *r, enum look look)
{
    if (r->run_count && r->runs[r->run_count - 1].look == look)
        return;
    if (r->run_count == r->run_cap) {
        size_t cap = r->run_cap ? 2 * r->run_cap : 16;
        struct canvas_run *grown = realloc(r->runs, cap * sizeof *grown);
        if (!grown) {
            c->failed = true; /* the text goes on in the look before */
            return;
        }
        r->runs = grown;
        r->run_cap = cap;
    }
    r->runs[r->run_count++] = (struct canvas_run){.begin = r->text.len, .look = look};
}

/* Valid, printable UTF-8 of `len` bytes that fits into the row. */
static void put_bytes(struct canvas *c, enum look look, const char *text, size_t len, size_t columns)
{
    struct canvas_row *r = &c->rows[c->at];
    if (len == 0)
        return;
    begin_run(c, r, look);
    strbuf_add(&r->text, text, len);
    r->columns += columns;
    c->failed = c->failed || !strbuf_ok(&r->text);
}

void canvas_put(struct canvas *c, enum look look, const char *text)
{
    size_t left = canvas_left(c), columns = text_columns(text);
    if (left == 0)
        return;
    if (columns <= left) {
        put_bytes(c, look, text, strlen(text), columns);
        return;
    }
    put_bytes(c, look, text, text_fit(text, left), left);
    /* a wide letter may not fit into the last column: the row is full all the same */
    c->rows[c->at].columns = c->column_count;
}

void canvas_putf(struct canvas *c, enum look look, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    canvas_put(c, look, text);
}

/* Escaped for this terminal: no control characters, and nothing beyond ASCII where it has no UTF-8. NULL where nothing
 * is left. */
static char *escape(struct canvas *c, const char *text)
{
    c->escaped.len = 0;
    if (text && c->utf8)
        text_printable(&c->escaped, text, strlen(text));
    else if (text)
        text_printable_ascii(&c->escaped, text, strlen(text));
    bool ok = strbuf_ok(&c->escaped);
    c->failed = c->failed || !ok;
    c->escaped.failed = false;
    return ok && c->escaped.len ? c->escaped.at : NULL;
}

const char *canvas_more(const struct canvas *c)
{
    return c->utf8 ? "\u2026" : "~";
}

const char *canvas_arrow(const struct canvas *c)
{
    return c->utf8 ? "\u2192" : "->";
}

const char *canvas_dot(const struct canvas *c)
{
    return c->utf8 ? " \u00b7 " : " | ";
}

void canvas_net(struct canvas *c, enum look look, const char *text, size_t max)
{
    size_t left = canvas_left(c);
    char *safe = escape(c, text);
    if (!safe)
        return;
    if (max > left)
        max = left;
    size_t columns = text_columns(safe);
    if (columns <= max) {
        put_bytes(c, look, safe, strlen(safe), columns);
        return;
    }
    if (max == 0)
        return;
    size_t len = text_fit(safe, max - 1);
    safe[len] = '\0';
    put_bytes(c, look, safe, len, text_columns(safe));
    canvas_put(c, look, canvas_more(c));
}

void canvas_to(struct canvas *c, size_t column)
{
    static const char blanks[] = "                                ";
    if (!canvas_inside(c))
        return;
    if (column > c->column_count)
        column = c->column_count;
    struct canvas_row *r = &c->rows[c->at];
    /* blanks take the look of what was before them where that goes on, as in a row of column names */
    enum look look = r->run_count && r->runs[r->run_count - 1].look == LOOK_HEAD ? LOOK_HEAD : LOOK_PLAIN;
    while (r->columns < column) {
        size_t n = column - r->columns < sizeof blanks - 1 ? column - r->columns : sizeof blanks - 1;
        put_bytes(c, look, blanks, n, n);
    }
}

void canvas_right(struct canvas *c, enum look look, size_t end, const char *text)
{
    size_t need = text_columns(text);
    canvas_to(c, end > need ? end - need : 0);
    canvas_put(c, look, text);
}

void canvas_wrap(struct canvas *c, enum look look, size_t indent, size_t last, const char *text)
{
    char *rest = escape(c, text);
    if (!rest)
        return;
    size_t width = c->column_count;
    while (*rest && canvas_inside(c)) {
        size_t n = strcspn(rest, " ");
        char after = rest[n];
        rest[n] = '\0';
        struct canvas_row *r = &c->rows[c->at];
        size_t need = text_columns(rest);
        bool blank = r->text.len && r->text.at[r->text.len - 1] != ' ';
        if (r->columns + blank + need > width && r->columns > indent && c->at < last) {
            canvas_next(c);
            canvas_to(c, indent);
            blank = false;
        }
        if (blank)
            canvas_put(c, look, " ");
        size_t fits = text_fit(rest, canvas_left(c));
        canvas_put(c, look, rest);
        if (fits < n && fits && c->at < last) { /* wider than a whole row */
            rest[n] = after;
            rest += fits;
            canvas_next(c);
            canvas_to(c, indent);
            continue;
        }
        if (fits < n)
            return;
        rest += n;
        if (after)
            rest++;
    }
}

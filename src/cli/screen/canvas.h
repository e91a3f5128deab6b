#ifndef QOSMARK_CLI_SCREEN_CANVAS_H
#define QOSMARK_CLI_SCREEN_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/*
 * A screen as rows of styled text, made without knowing any terminal: what is drawn can be tested as text, and one
 * small file (terminal_ncurses.c) brings it to a terminal. What does not fit is cut at the edge, never wrapped by
 * accident.
 */

enum look {
    LOOK_PLAIN = 0,
    LOOK_BOLD,
    LOOK_DIM,
    LOOK_GOOD,
    LOOK_BAD,
    LOOK_UNSURE,
    LOOK_CODE,
    LOOK_HEAD,  /* the names of columns */
    LOOK_KEY,   /* the name of a key */
    LOOK_ALERT, /* a word that must not be missed */
    LOOK_COUNT
};

struct canvas_run {
    size_t begin; /* byte of the row's text */
    enum look look;
};

struct canvas_row {
    struct strbuf text;
    struct canvas_run *runs;
    size_t run_count, run_cap;
    size_t columns; /* that the text takes */
    bool selected;  /* the whole row is drawn in reverse */
    bool filled;    /* the last look goes on to the edge */
};

struct canvas {
    size_t row_count, column_count;
    bool utf8;
    struct canvas_row *rows;
    size_t row_cap;
    size_t at; /* the row that is written to */
    struct strbuf escaped;
    bool failed; /* something is missing for want of memory */
};

bool canvas_begin(struct canvas *c, size_t rows, size_t columns, bool utf8); /* empty; false without memory */
void canvas_done(struct canvas *c);

void canvas_row(struct canvas *c, size_t row); /* goes on at the end of that row */
void canvas_next(struct canvas *c);
bool canvas_inside(const struct canvas *c); /* the row at hand is on the screen */
size_t canvas_left(const struct canvas *c); /* columns left in it */
void canvas_select(struct canvas *c);       /* the row at hand is the selected one */
void canvas_fill(struct canvas *c);         /* its last look goes on to the edge */

/* canvas_put() takes words of our own; canvas_net() any: it escapes, and cuts to `max` columns with a sign. */
void canvas_put(struct canvas *c, enum look look, const char *text);
void canvas_putf(struct canvas *c, enum look look, const char *format, ...) __attribute__((format(printf, 3, 4)));
void canvas_net(struct canvas *c, enum look look, const char *text, size_t max);

void canvas_to(struct canvas *c, size_t column);                                   /* blanks up to that column */
void canvas_right(struct canvas *c, enum look look, size_t end, const char *text); /* ends before column `end` */
/* Any text, escaped, over as many rows as it takes from the one at hand on, all but the first from column `indent`, at
 * most down to row `last`. Stays in the last one. */
void canvas_wrap(struct canvas *c, enum look look, size_t indent, size_t last, const char *text);

/* Signs in characters that the terminal has. */
const char *canvas_more(const struct canvas *c);  /* an ellipsis */
const char *canvas_arrow(const struct canvas *c); /* to the right */
const char *canvas_dot(const struct canvas *c);   /* between two things */

#endif

#ifndef QOSMARK_CLI_SCREEN_DRAW_H
#define QOSMARK_CLI_SCREEN_DRAW_H

#include "cli/screen/canvas.h"
#include "cli/screen/shown.h"

/* The pages of the screen: from what is shown to rows of text. Nothing here knows a terminal, or the time. */

enum page { PAGE_STREAMS = 0, PAGE_STREAM, PAGE_FINDINGS, PAGE_CALLS, PAGE_HELP, PAGE_COUNT };

/* A list that is longer than the screen. The selection stays on the same thing while the order moves. */
struct list {
    uint64_t selected; /* its id; 0: the first */
    size_t index;      /* where that is at present */
    size_t top;        /* the first row that is shown */
    size_t page_rows;  /* how many were shown */
};

/* What is to be drawn. */
struct drawing {
    struct canvas *canvas;
    const struct shown *shown;
    enum page page;
    const char *filter; /* "" for none */
    bool typing;        /* the filter is being typed */
    bool paused;
    const char *message; /* on the last row instead of the keys; "" */
    bool message_bad;
    const size_t *visible; /* indices of shown.streams that the filter leaves */
    size_t visible_count;
    struct list *list;                 /* of this page */
    size_t *scroll;                    /* of a page of text; brought back to where there is any */
    const struct shown_stream *stream; /* PAGE_STREAM: which one; NULL where it has ended */
};

void draw(const struct drawing *d);

/* ---- parts; each begins at the canvas's row at hand and leaves it behind its last ---- */
void draw_top(const struct drawing *d, size_t last);
void draw_classes(const struct drawing *d, size_t most);
void draw_streams(const struct drawing *d, size_t last);
void draw_stream(const struct drawing *d, size_t last);
void draw_findings(const struct drawing *d, size_t last);
void draw_calls(const struct drawing *d, size_t last);
void draw_help(const struct drawing *d, size_t last);
void draw_keys(const struct drawing *d);

/* ---- pieces ---- */
const char *draw_sign(const struct canvas *c, enum verdict v);
enum look draw_look(enum verdict v);
void draw_duration(int64_t ns, char text[static 32]); /* 12s, 3m05s, 2h10m */
void draw_count(uint64_t n, char text[static 32]);    /* 48,000; 1.2M where that is long */
void draw_rate(double per_second, const char *unit, char text[static 32]);
/* Marks, those that are wrong first, with their shares; at most `max` columns. */
void draw_marks(struct canvas *c, const struct shown_mark *marks, size_t count, uint64_t packets, size_t max);
void draw_sparkline(struct canvas *c, const struct live_series *s, int64_t now_ns, size_t seconds, size_t width);
size_t draw_sparkline_seconds(int64_t ran_ns); /* how far back it reaches: of a short run not over what was not */
/* Brings top and index of a list to what there is: `count` rows, of which `room` can be shown. */
void draw_place(struct list *l, size_t count, size_t room);
/* Rows made apart, of which those that fit are shown from *scroll on. */
bool draw_text_begin(struct canvas *text, const struct canvas *like);
void draw_text_end(struct canvas *to, struct canvas *text, size_t last, size_t *scroll);

#endif

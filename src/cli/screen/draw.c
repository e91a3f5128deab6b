#include "cli/screen/draw.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

const char *draw_sign(const struct canvas *c, enum verdict v)
{
    static const char *const signs[][2] = {[VERDICT_UNCHECKED] = {" ", " "},
                                           [VERDICT_CONFORMING] = {"+", "\u2713"},
                                           [VERDICT_VIOLATING] = {"!", "\u2717"},
                                           [VERDICT_UNDETERMINED] = {"?", "?"}};
    return signs[v][c->utf8];
}

enum look draw_look(enum verdict v)
{
    static const enum look looks[] = {[VERDICT_UNCHECKED] = LOOK_DIM,
                                      [VERDICT_CONFORMING] = LOOK_GOOD,
                                      [VERDICT_VIOLATING] = LOOK_BAD,
                                      [VERDICT_UNDETERMINED] = LOOK_UNSURE};
    return looks[v];
}

void draw_duration(int64_t ns, char text[static 32])
{
    unsigned long long s = ns > 0 ? (unsigned long long)(ns / NS_PER_S) : 0;
    if (s < 60)
        (void)snprintf(text, 32, "%llus", s);
    else if (s < 3600)
        (void)snprintf(text, 32, "%llum%02llus", s / 60, s % 60);
    else if (s < 86400)
        (void)snprintf(text, 32, "%lluh%02llum", s / 3600, s / 60 % 60);
    else
        (void)snprintf(text, 32, "%llud%02lluh", s / 86400, s / 3600 % 24);
}

void draw_count(uint64_t n, char text[static 32])
{
    static const char units[] = {'k', 'M', 'G', 'T', 'P', 'E'};
    double v = (double)n;
    size_t u = 0;
    if (n < 100000) {
        if (n < 1000)
            (void)snprintf(text, 32, "%u", (unsigned)n);
        else
            (void)snprintf(text, 32, "%u,%03u", (unsigned)(n / 1000), (unsigned)(n % 1000));
        return;
    }
    for (v /= 1000; v >= 999.5 && u + 1 < sizeof units; u++)
        v /= 1000;
    (void)snprintf(text, 32, v < 9.995 ? "%.2f%c" : v < 99.95 ? "%.1f%c" : "%.0f%c", v, units[u]);
}

void draw_rate(double per_second, const char *unit, char text[static 32])
{
    static const char *const prefixes[] = {"", "k", "M", "G", "T"};
    size_t p = 0;
    while (per_second >= 9999.5 && p + 1 < sizeof prefixes / sizeof prefixes[0]) {
        per_second /= 1000;
        p++;
    }
    (void)snprintf(text, 32, p && per_second < 99.95 ? "%.1f %s%s" : "%.0f %s%s", per_second, prefixes[p], unit);
}

static void share_text(uint64_t n, uint64_t total, char text[static 16])
{
    double share = total ? 100 * (double)n / (double)total : 0;
    if (n == 0 || n >= total)
        (void)snprintf(text, 16, "%s", n ? "100%" : "0%");
    else if (share < 1)
        (void)snprintf(text, 16, "<1%%");
    else if (share > 99)
        (void)snprintf(text, 16, ">99%%");
    else
        (void)snprintf(text, 16, "%.0f%%", share);
}

static int mark_rank(const struct shown_mark *m)
{
    return m->verdict == VERDICT_VIOLATING ? 0 : m->verdict == VERDICT_UNDETERMINED ? 1 : 2;
}

/* Indices of the marks in the order in which they are shown: a wrong one is never among those left out. */
static size_t marks_in_order(const struct shown_mark *marks, size_t count, size_t order[static DSCP_COUNT])
{
    size_t n = count < DSCP_COUNT ? count : DSCP_COUNT;
    for (size_t i = 0; i < n; i++) {
        size_t at = i;
        for (; at > 0; at--) {
            const struct shown_mark *a = &marks[order[at - 1]], *b = &marks[i];
            int ra = mark_rank(a), rb = mark_rank(b);
            if (ra < rb || (ra == rb && a->packets >= b->packets))
                break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    return n;
}

void draw_marks(struct canvas *c, const struct shown_mark *marks, size_t count, uint64_t packets, size_t max)
{
    size_t order[DSCP_COUNT], n = marks_in_order(marks, count, order), used = 0;
    if (max > canvas_left(c))
        max = canvas_left(c);
    for (size_t i = 0; i < n; i++) {
        const struct shown_mark *m = &marks[order[i]];
        bool plain = m->verdict == VERDICT_CONFORMING || m->verdict == VERDICT_UNCHECKED;
        char share[16] = "", piece[64];
        if (count > 1)
            share_text(m->packets, packets, share);
        (void)snprintf(piece, sizeof piece, "%s%s%s%s", plain ? "" : draw_sign(c, m->verdict), dscp_name(m->dscp),
                       *share ? " " : "", share);
        size_t need = text_columns(piece) + (i ? 1 : 0), rest = i + 1 < n ? 1 : 0;
        if (used + need + rest > max) {
            if (used == 0)
                canvas_net(c, draw_look(plain ? VERDICT_UNCHECKED : m->verdict), piece, max);
            else if (used < max)
                canvas_put(c, LOOK_DIM, canvas_more(c));
            return;
        }
        if (i)
            canvas_put(c, LOOK_PLAIN, " ");
        canvas_put(c, plain ? LOOK_PLAIN : draw_look(m->verdict), piece);
        used += need;
    }
}

/* ---- sparkline ---- */

struct bucket {
    uint64_t right, wrong, unsure;
    unsigned seconds;
};

static double bucket_rate(const struct bucket *b)
{
    return b->seconds ? (double)(b->right + b->wrong + b->unsure) / b->seconds : 0;
}

size_t draw_sparkline_seconds(int64_t ran_ns)
{
    static const size_t windows[] = {60, 120, LIVE_SERIES_SECONDS};
    size_t i = 0;
    while (i + 1 < sizeof windows / sizeof windows[0] && ran_ns > (int64_t)windows[i] * NS_PER_S)
        i++;
    return windows[i];
}

void draw_sparkline(struct canvas *c, const struct live_series *s, int64_t now_ns, size_t seconds, size_t width)
{
    static const char *const levels[2][9] = {
        {" ", ".", ".", ":", ":", "-", "=", "+", "#"},
        {" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"}};
    struct bucket buckets[LIVE_SERIES_SECONDS] = {0};
    double most = 0;
    if (!s || width == 0)
        return;
    if (width > seconds)
        width = seconds;
    /* cells end at whole multiples of their length, so that what was drawn only moves, and does not flicker */
    int64_t each = (int64_t)((seconds + width - 1) / width), now_s = now_ns / NS_PER_S;
    for (size_t i = 0; i < LIVE_SERIES_SECONDS; i++) {
        int64_t second = now_s - (int64_t)(LIVE_SERIES_SECONDS - 1 - i), back = now_s / each - second / each;
        if (back < 0 || back >= (int64_t)width)
            continue;
        struct bucket *b = &buckets[width - 1 - (size_t)back];
        b->right += s->right[i];
        b->wrong += s->wrong[i];
        b->unsure += s->unsure[i];
        b->seconds++;
    }
    for (size_t i = 0; i < width; i++)
        most = bucket_rate(&buckets[i]) > most ? bucket_rate(&buckets[i]) : most;
    for (size_t i = 0; i < width; i++) {
        double share = most > 0 ? bucket_rate(&buckets[i]) / most : 0;
        size_t level = share > 0 ? 1 + (size_t)(share * 7.0 + 0.5) : 0;
        bool wrong = buckets[i].wrong != 0;
        enum look look = wrong ? LOOK_BAD : buckets[i].unsure && !buckets[i].right ? LOOK_UNSURE : LOOK_GOOD;
        canvas_put(c, look, wrong && !c->utf8 ? "!" : levels[c->utf8][level > 8 ? 8 : level]);
    }
}

/* ---- lists and pages of text ---- */

void draw_place(struct list *l, size_t count, size_t room)
{
    l->page_rows = room;
    if (l->index >= count)
        l->index = count ? count - 1 : 0;
    if (room == 0)
        return;
    if (l->index < l->top)
        l->top = l->index;
    if (l->index >= l->top + room)
        l->top = l->index - room + 1;
    if (l->top + room > count)
        l->top = count > room ? count - room : 0;
}

enum { TEXT_ROWS = 200 };

bool draw_text_begin(struct canvas *text, const struct canvas *like)
{
    *text = (struct canvas){0};
    return canvas_begin(text, TEXT_ROWS, like->column_count, like->utf8);
}

static void copy_row(struct canvas *to, const struct canvas_row *from)
{
    for (size_t i = 0; i < from->run_count; i++) {
        size_t end = i + 1 < from->run_count ? from->runs[i + 1].begin : from->text.len;
        char piece[1024];
        slice_copy(slice_make(from->text.at + from->runs[i].begin, end - from->runs[i].begin), piece, sizeof piece);
        canvas_put(to, from->runs[i].look, piece);
    }
    if (from->filled)
        canvas_fill(to);
}

void draw_text_end(struct canvas *to, struct canvas *text, size_t last, size_t *scroll)
{
    size_t used = text->at + 1 < text->row_count ? text->at + 1 : text->row_count;
    while (used && text->rows[used - 1].text.len == 0)
        used--;
    size_t room = last + 1 > to->at ? last + 1 - to->at : 0;
    if (*scroll + room > used)
        *scroll = used > room ? used - room : 0;
    for (size_t i = *scroll; i < used && to->at <= last; i++) {
        copy_row(to, &text->rows[i]);
        bool more = to->at == last && i + 1 < used;
        if (more && to->column_count > 2) {
            canvas_to(to, to->column_count - 1);
            canvas_put(to, LOOK_DIM, to->utf8 ? "\u2193" : "v");
        }
        canvas_next(to);
    }
    to->failed = to->failed || text->failed;
    canvas_done(text);
}

/* ---- the whole ---- */

enum { STREAMS_LEAST = 8 };

void draw(const struct drawing *d)
{
    static void (*const pages[PAGE_COUNT])(const struct drawing *d, size_t last) = {[PAGE_STREAMS] = draw_streams,
                                                                                    [PAGE_STREAM] = draw_stream,
                                                                                    [PAGE_FINDINGS] = draw_findings,
                                                                                    [PAGE_CALLS] = draw_calls,
                                                                                    [PAGE_HELP] = draw_help};
    struct canvas *c = d->canvas;
    size_t rows = c->row_count;
    if (rows == 0 || c->column_count == 0)
        return;
    canvas_row(c, 0);
    /* where there is little room the list has it */
    draw_top(d, rows >= 10 ? 3 : 0);
    if (d->page == PAGE_STREAMS && rows >= 14) {
        size_t left = rows - c->at - 1, half = left / 2;
        draw_classes(d, left - half >= STREAMS_LEAST ? half : left - STREAMS_LEAST);
    }
    if (rows >= 3)
        pages[d->page](d, rows - 2);
    draw_keys(d);
}

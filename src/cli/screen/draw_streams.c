#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/screen/draw.h"

/* The list of streams. Columns that do not fit are left out, the least needed first; what is left grows to what its
 * texts need. */

enum column {
    COLUMN_NODE,
    COLUMN_SRC,
    COLUMN_DST,
    COLUMN_CLASS,
    COLUMN_KIND,
    COLUMN_MARKS,
    COLUMN_PACKETS,
    COLUMN_LOSS,
    COLUMN_JITTER,
    COLUMN_VERDICT,
    COLUMN_COUNT
};

struct column_kind {
    const char *name;
    size_t least, most;
    int importance;          /* the smallest goes first */
    bool right;              /* numbers */
    enum stream_order order; /* that sorts by it; ORDER_COUNT for none */
};

static const struct column_kind kinds[COLUMN_COUNT] = {
    [COLUMN_NODE] = {"node", 6, 16, 5, false, ORDER_NODE},
    [COLUMN_SRC] = {"source", 15, 47, 9, false, ORDER_SOURCE},
    [COLUMN_DST] = {"destination", 15, 47, 8, false, ORDER_DESTINATION},
    [COLUMN_CLASS] = {"class", 10, 20, 2, false, ORDER_CLASS},
    [COLUMN_KIND] = {"kind", 9, 14, 6, false, ORDER_COUNT},
    [COLUMN_MARKS] = {"marks", 12, 40, 10, false, ORDER_COUNT},
    [COLUMN_PACKETS] = {"packets", 7, 8, 7, true, ORDER_PACKETS},
    [COLUMN_LOSS] = {"loss", 5, 6, 4, true, ORDER_LOSS},
    [COLUMN_JITTER] = {"jitter", 6, 8, 3, true, ORDER_JITTER},
    [COLUMN_VERDICT] = {"verdict", 9, 12, 1, false, ORDER_WORST},
};

static void cell_text(const struct shown_stream *s, enum column k, char text[static 64])
{
    static const char *const verdicts[] = {[VERDICT_UNCHECKED] = "unchecked",
                                           [VERDICT_CONFORMING] = "conforming",
                                           [VERDICT_VIOLATING] = "violating",
                                           [VERDICT_UNDETERMINED] = "undetermined"};
    text[0] = '\0';
    switch (k) {
    case COLUMN_NODE:
        (void)snprintf(text, 64, "%s", s->node);
        break;
    case COLUMN_SRC:
        (void)snprintf(text, 64, "%s", s->src);
        break;
    case COLUMN_DST:
        (void)snprintf(text, 64, "%s", s->dst);
        break;
    case COLUMN_CLASS:
        (void)snprintf(text, 64, "%s", class_name(s->traffic_class));
        break;
    case COLUMN_KIND:
        (void)snprintf(text, 64, "%s", kind_name(s->kind));
        break;
    case COLUMN_PACKETS:
        draw_count(s->packets, text);
        break;
    case COLUMN_LOSS:
        if (s->has_rtp && s->rtp.expected)
            (void)snprintf(text, 64, s->rtp.lost ? "%.1f%%" : "%.0f%%",
                           100 * (double)s->rtp.lost / (double)s->rtp.expected);
        break;
    case COLUMN_JITTER:
        if (s->has_rtp && s->rtp.jitter_ms >= 0)
            (void)snprintf(text, 64, "%.1fms", s->rtp.jitter_ms);
        break;
    case COLUMN_VERDICT:
        (void)snprintf(text, 64, "%s", verdicts[s->verdict]);
        break;
    case COLUMN_MARKS:
    case COLUMN_COUNT:
        break;
    }
}

static size_t marks_width(const struct shown_stream *s)
{
    size_t n = s->mark_count < SHOWN_MARKS ? s->mark_count : SHOWN_MARKS, width = 0;
    for (size_t i = 0; i < n; i++)
        width += strlen(dscp_name(s->marks[i].dscp)) + (s->marks[i].verdict != VERDICT_CONFORMING) + (n > 1 ? 6 : 0);
    return width;
}

struct widths {
    size_t of[COLUMN_COUNT]; /* 0: not shown */
    size_t wanted[COLUMN_COUNT];
};

static void want(struct widths *w, const struct drawing *d)
{
    enum { LOOKED_AT = 300 };
    size_t n = d->visible_count < LOOKED_AT ? d->visible_count : LOOKED_AT;
    for (size_t k = 0; k < COLUMN_COUNT; k++)
        w->wanted[k] = kinds[k].least;
    for (size_t i = 0; i < n; i++) {
        const struct shown_stream *s = &d->shown->streams[d->visible[i]];
        for (size_t k = 0; k < COLUMN_COUNT; k++) {
            char text[64];
            cell_text(s, (enum column)k, text);
            size_t need = k == COLUMN_MARKS ? marks_width(s) : text_columns(text);
            need = need > kinds[k].most ? kinds[k].most : need;
            w->wanted[k] = need > w->wanted[k] ? need : w->wanted[k];
        }
    }
}

static struct widths measure(const struct drawing *d)
{
    enum { SIGN = 2, MARKS_SMALL = 9 };
    struct widths w = {0};
    size_t width = d->canvas->column_count, used = SIGN;
    want(&w, d);
    for (size_t k = 0; k < COLUMN_COUNT; k++) {
        w.of[k] = kinds[k].least;
        used += w.of[k] + 1;
    }
    while (used > width + 1) {
        size_t least = COLUMN_COUNT;
        for (size_t k = 0; k < COLUMN_COUNT; k++)
            if (w.of[k] && (least == COLUMN_COUNT || kinds[k].importance < kinds[least].importance))
                least = k;
        if (least == COLUMN_MARKS || least == COLUMN_COUNT)
            break;
        /* on the smallest of screens the source says who, cut short */
        if (least == COLUMN_SRC && width >= SIGN + MARKS_SMALL + 1 + 6) {
            w.of[COLUMN_MARKS] = MARKS_SMALL;
            w.of[COLUMN_SRC] = width - SIGN - MARKS_SMALL - 1;
            return w;
        }
        used -= w.of[least] + 1;
        w.of[least] = 0;
    }
    /* what is left over goes round, a column each, until nobody wants more */
    for (bool any = true; any && used <= width;) {
        any = false;
        for (size_t k = 0; k < COLUMN_COUNT && used <= width; k++) {
            if (w.of[k] && w.of[k] < w.wanted[k]) {
                w.of[k]++;
                used++;
                any = true;
            }
        }
    }
    return w;
}

static void head(const struct drawing *d, const struct widths *w)
{
    struct canvas *c = d->canvas;
    enum stream_order order = d->shown->taken.order;
    size_t at = 2;
    canvas_put(c, LOOK_HEAD, "  ");
    for (size_t k = 0; k < COLUMN_COUNT; k++) {
        if (!w->of[k])
            continue;
        char name[32];
        const char *sorted = kinds[k].order != order ? "" : c->utf8 ? "\u25bc" : "^";
        (void)snprintf(name, sizeof name, "%s%s", kinds[k].name, sorted);
        canvas_to(c, at);
        if (kinds[k].right)
            canvas_right(c, LOOK_HEAD, at + w->of[k], name);
        else
            canvas_net(c, LOOK_HEAD, name, w->of[k]);
        at += w->of[k] + 1;
    }
    canvas_fill(c);
    canvas_next(c);
}

static void row(const struct drawing *d, const struct widths *w, const struct shown_stream *s, bool selected)
{
    enum { SILENT_S = 5 };
    struct canvas *c = d->canvas;
    bool silent = d->shown->now_ns - s->last_ns > SILENT_S * NS_PER_S;
    size_t at = 2;
    if (selected)
        canvas_select(c);
    canvas_put(c, draw_look(s->verdict), draw_sign(c, s->verdict));
    for (size_t k = 0; k < COLUMN_COUNT; k++) {
        char text[64];
        if (!w->of[k])
            continue;
        canvas_to(c, at);
        cell_text(s, (enum column)k, text);
        enum look look = k == COLUMN_VERDICT ? draw_look(s->verdict) : silent ? LOOK_DIM : LOOK_PLAIN;
        if (k == COLUMN_MARKS)
            draw_marks(c, s->marks, s->mark_count < SHOWN_MARKS ? s->mark_count : SHOWN_MARKS, s->packets, w->of[k]);
        else if (kinds[k].right)
            canvas_right(c, look, at + w->of[k], text);
        else
            canvas_net(c, look, text, w->of[k]);
        at += w->of[k] + 1;
    }
    canvas_next(c);
}

/* "12 streams, worst first", and what is not in the list. */
static void title(const struct drawing *d)
{
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    char count[32];
    draw_count(s->stream_total, count);
    canvas_putf(c, LOOK_BOLD, " %s stream%s", count, s->stream_total == 1 ? "" : "s");
    if (*d->filter) {
        draw_count(*s->taken_filter ? s->stream_matching : d->visible_count, count);
        canvas_putf(c, LOOK_UNSURE, ", %s with \"", count);
        canvas_net(c, LOOK_UNSURE, d->filter, 24);
        canvas_put(c, LOOK_UNSURE, "\"");
    }
    canvas_putf(c, LOOK_DIM, ", %s%s", s->taken.order == ORDER_WORST ? "" : "by ", stream_order_name(s->taken.order));
    if (s->taken.reversed)
        canvas_put(c, LOOK_DIM, ", reversed");
    uint64_t listed = d->visible_count, matching = *d->filter ? s->stream_matching : s->stream_total;
    if (matching > listed && s->stream_count == SHOWN_STREAMS) {
        draw_count(matching - listed, count);
        canvas_putf(c, LOOK_DIM, "; %s more not listed", count);
    }
    if (s->forgotten) {
        draw_count(s->forgotten, count);
        canvas_putf(c, LOOK_DIM, "; %s ended and only counted", count);
    }
    canvas_next(c);
}

void draw_streams(const struct drawing *d, size_t last)
{
    struct canvas *c = d->canvas;
    if (!d->shown->there || c->at > last)
        return;
    if (last > c->at + 4)
        title(d);
    struct widths w = measure(d);
    head(d, &w);
    size_t room = last + 1 > c->at ? last + 1 - c->at : 0;
    draw_place(d->list, d->visible_count, room);
    for (size_t i = 0; i < room && d->list->top + i < d->visible_count; i++) {
        size_t at = d->list->top + i;
        row(d, &w, &d->shown->streams[d->visible[at]], at == d->list->index);
    }
    if (d->visible_count == 0 && room) {
        if (*d->filter)
            canvas_put(c, LOOK_DIM, "  no stream has this in its addresses, node, class, kind, marks or call");
        else
            canvas_put(c, LOOK_DIM, "  no stream yet");
        canvas_next(c);
    }
}

#include <stdio.h>
#include <string.h>

#include "cli/screen/draw.h"
#include "report/report_text.h"

/* What is always there: the verdict, the points, what is wrong now; and the keys at the bottom. */

static void verdict_row(const struct drawing *d)
{
    static const enum look looks[] = {
        [SUMMARY_NOTHING_CHECKED] = LOOK_UNSURE, [SUMMARY_PASS] = LOOK_GOOD, [SUMMARY_FAIL] = LOOK_ALERT};
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    char ran[32], right[80];
    draw_duration(s->now_ns - s->began_ns, ran);
    (void)snprintf(right, sizeof right, "%s%s", d->paused ? "PAUSED, capture goes on  " : "", ran);
    size_t end = c->column_count, right_width = text_columns(right);
    canvas_putf(c, looks[s->summary], " %s ", s->verdict.word);
    if (s->verdict.incomplete)
        canvas_put(c, LOOK_BAD, " incomplete:");
    canvas_put(c, LOOK_PLAIN, " ");
    size_t room = canvas_left(c) > right_width + 1 ? canvas_left(c) - right_width - 1 : 0;
    char sentence[500];
    (void)snprintf(sentence, sizeof sentence, "%s%s%s%s%s", s->verdict.sentence, *s->verdict.share ? ", " : "",
                   s->verdict.share, *s->rest ? "; " : "", s->rest);
    canvas_net(c, LOOK_BOLD, sentence, room);
    if (canvas_left(c) > right_width)
        canvas_right(c, d->paused ? LOOK_UNSURE : LOOK_DIM, end, right);
    canvas_next(c);
}

static void point_piece(const struct drawing *d, const struct shown_point *p)
{
    struct canvas *c = d->canvas;
    char text[32], since[32];
    canvas_net(c, LOOK_BOLD, p->name, 20);
    if (p->state != LIVE_POINT_UP) {
        draw_duration(d->shown->now_ns - p->state_since_ns, since);
        canvas_putf(c, LOOK_BAD, " %s %s", p->state == LIVE_POINT_DOWN ? "DOWN for" : "GONE for", since);
    } else {
        draw_rate(p->packets_per_s, "packets/s", text);
        canvas_putf(c, LOOK_PLAIN, " %s", text);
        draw_rate(p->bits_per_s, "bit/s", text);
        canvas_putf(c, LOOK_DIM, " %s", text);
    }
    draw_count(p->dropped, text);
    if (p->dropped)
        canvas_putf(c, p->dropped_lately ? LOOK_ALERT : LOOK_BAD, " %s dropped", text);
    else
        canvas_put(c, LOOK_DIM, " no drops");
}

static bool point_matters(const struct shown_point *p)
{
    return p->state != LIVE_POINT_UP || p->dropped_lately;
}

/* Points in one row, those in trouble first; what does not fit is counted. */
static void points_row(const struct drawing *d)
{
    enum { ONE_POINT = 30, REST = 8 };
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    size_t shown = 0;
    canvas_put(c, LOOK_PLAIN, " ");
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < s->point_count; i++) {
            if (point_matters(&s->points[i]) != (pass == 0))
                continue;
            if (shown && canvas_left(c) < ONE_POINT + REST)
                continue;
            if (shown)
                canvas_put(c, LOOK_DIM, canvas_dot(c));
            point_piece(d, &s->points[i]);
            shown++;
        }
    }
    if (shown < s->point_count)
        canvas_putf(c, LOOK_DIM, "%s+%zu more", canvas_dot(c), s->point_count - shown);
    canvas_next(c);
}

/* The worst of what is wrong at present, or else what is to be known. */
static void finding_row(const struct drawing *d)
{
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    const struct shown_finding *f = s->finding_count && s->findings[0].closed_ns == 0 ? &s->findings[0] : NULL;
    canvas_put(c, LOOK_PLAIN, " ");
    if (f && d->page != PAGE_FINDINGS) {
        char since[32];
        canvas_putf(c, LOOK_BAD, "%s ", draw_sign(c, VERDICT_VIOLATING));
        canvas_put(c, LOOK_BAD, finding_code_name(f->code));
        draw_duration(s->now_ns - f->opened_ns, since);
        if (f->opened_ns)
            canvas_putf(c, LOOK_BAD, " for %s", since);
        canvas_put(c, LOOK_PLAIN, ": ");
        char rest[48] = "";
        if (s->open_count > 1)
            (void)snprintf(rest, sizeof rest, "  (f: all %zu)", s->open_count);
        size_t need = text_columns(rest);
        canvas_net(c, LOOK_PLAIN, f->message, canvas_left(c) > need ? canvas_left(c) - need : 0);
        canvas_put(c, LOOK_DIM, rest);
    } else if (s->finding_total && d->page != PAGE_FINDINGS) {
        canvas_putf(c, LOOK_GOOD, "no finding is open");
        canvas_putf(c, LOOK_DIM, "; %zu closed (f)", s->finding_total - s->open_count);
    } else if (s->note_count) {
        canvas_put(c, LOOK_DIM, "note: ");
        canvas_net(c, LOOK_DIM, s->notes[0], canvas_left(c));
    }
    canvas_next(c);
}

void draw_top(const struct drawing *d, size_t last)
{
    struct canvas *c = d->canvas;
    if (!d->shown->there) {
        canvas_put(c, LOOK_DIM, " waiting for the first packets");
        canvas_row(c, last ? last : 1);
        return;
    }
    verdict_row(d);
    if (last >= 1)
        points_row(d);
    if (last >= 2)
        finding_row(d);
}

/* ---- the last row ---- */

struct key_help {
    const char *key, *what;
};

static const struct key_help stream_keys[] = {{"Enter", "stream"}, {"/", "filter"}, {"f", "findings"}, {"c", "calls"},
                                              {"s", "sort"},       {"p", "pause"},  {"w", "write"},    {"?", "help"},
                                              {"q", "quit"},       {NULL, NULL}};
static const struct key_help list_keys[] = {
    {"Esc", "back"}, {"Enter", "its streams"}, {"p", "pause"}, {"w", "write"}, {"?", "help"}, {"q", "quit"},
    {NULL, NULL}};
static const struct key_help finding_keys[] = {{"Esc", "back"}, {"p", "pause"}, {"w", "write"},
                                               {"?", "help"},   {"q", "quit"},  {NULL, NULL}};
static const struct key_help text_keys[] = {{"Esc", "back"}, {"up/down", "scroll"}, {"p", "pause"},
                                            {"w", "write"},  {"q", "quit"},         {NULL, NULL}};

static const struct key_help *const keys_of[PAGE_COUNT] = {[PAGE_STREAMS] = stream_keys,
                                                           [PAGE_STREAM] = text_keys,
                                                           [PAGE_FINDINGS] = finding_keys,
                                                           [PAGE_CALLS] = list_keys,
                                                           [PAGE_HELP] = text_keys};

void draw_keys(const struct drawing *d)
{
    struct canvas *c = d->canvas;
    canvas_row(c, c->row_count - 1);
    if (c->row_count < 2)
        return;
    if (d->typing) {
        canvas_put(c, LOOK_KEY, "filter:");
        canvas_put(c, LOOK_PLAIN, " ");
        canvas_net(c, LOOK_BOLD, d->filter, canvas_left(c) > 30 ? canvas_left(c) - 24 : canvas_left(c));
        canvas_put(c, LOOK_BOLD, "_");
        canvas_put(c, LOOK_DIM, "  Enter keeps, Esc clears");
        return;
    }
    if (*d->message) {
        canvas_net(c, d->message_bad ? LOOK_BAD : LOOK_GOOD, d->message, canvas_left(c));
        return;
    }
    for (const struct key_help *k = keys_of[d->page]; k->key; k++) {
        if (canvas_left(c) < strlen(k->key) + strlen(k->what) + 2)
            break;
        canvas_put(c, LOOK_KEY, k->key);
        canvas_putf(c, LOOK_DIM, " %s ", k->what);
    }
}

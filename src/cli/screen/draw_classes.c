#include <stdio.h>
#include <string.h>

#include "cli/screen/draw.h"
#include "report/report_text.h"

/* Class by direction: the marks seen, and packets over the last minutes. */

static const char *direction_word(enum direction d)
{
    static const char *const names[DIRECTION_COUNT] = {[DIRECTION_UNATTRIBUTED] = "no node",
                                                       [DIRECTION_FROM_NODE] = "from node",
                                                       [DIRECTION_TO_NODE] = "to node",
                                                       [DIRECTION_BETWEEN_NODES] = "between"};
    return names[d];
}

struct columns {
    size_t class_at, direction_at, packets_end, expected_at, seen_at, spark_at, spark_width;
};

static struct columns measure(size_t width)
{
    struct columns k = {.class_at = 2};
    bool narrow = width < 90;
    k.direction_at = k.class_at + (width < 60 ? 11 : narrow ? 13 : 21);
    k.packets_end = k.direction_at + 10 + 7;
    k.expected_at = k.packets_end + 2;
    k.seen_at = k.expected_at + 10;
    size_t rest = width > k.seen_at ? width - k.seen_at : 0;
    k.spark_width = rest > 34 ? rest * 2 / 5 : 0;
    if (k.spark_width > 60)
        k.spark_width = 60;
    k.spark_at = width - k.spark_width;
    return k;
}

static void head(struct canvas *c, const struct columns *k, size_t seconds)
{
    canvas_put(c, LOOK_HEAD, "  class");
    canvas_to(c, k->direction_at);
    canvas_put(c, LOOK_HEAD, "direction");
    canvas_right(c, LOOK_HEAD, k->packets_end, "packets");
    canvas_to(c, k->expected_at);
    canvas_put(c, LOOK_HEAD, "expected");
    canvas_to(c, k->seen_at);
    canvas_putf(c, LOOK_HEAD, "seen (%s wrong)", draw_sign(c, VERDICT_VIOLATING));
    if (k->spark_width >= 12) {
        canvas_to(c, k->spark_at);
        canvas_putf(c, LOOK_HEAD, "last %zu min", seconds / 60);
    }
    canvas_fill(c);
    canvas_next(c);
}

static enum verdict verdict_of(const struct shown_class *r)
{
    if (r->violating_streams)
        return VERDICT_VIOLATING;
    for (size_t m = 0; m < DSCP_COUNT; m++)
        if (r->unsure_by_dscp[m])
            return r->judged ? VERDICT_CONFORMING : VERDICT_UNDETERMINED;
    return r->judged ? VERDICT_CONFORMING : VERDICT_UNCHECKED;
}

static void row(const struct drawing *d, const struct columns *k, const struct shown_class *r)
{
    struct canvas *c = d->canvas;
    struct shown_mark marks[DSCP_COUNT];
    size_t n = 0;
    uint64_t total = 0;
    char text[SMALL_TEXT_MAX], count[32];
    for (size_t m = 0; m < DSCP_COUNT; m++) {
        total += r->by_dscp[m];
        if (r->by_dscp[m])
            marks[n++] = (struct shown_mark){.dscp = (dscp_t)m,
                                             .packets = r->by_dscp[m],
                                             .verdict = r->wrong_by_dscp[m]    ? VERDICT_VIOLATING
                                                        : r->unsure_by_dscp[m] ? VERDICT_UNDETERMINED
                                                                               : VERDICT_CONFORMING};
    }
    enum verdict v = verdict_of(r);
    const char *name = class_name(r->traffic_class);
    canvas_put(c, draw_look(v), draw_sign(c, v));
    canvas_to(c, k->class_at);
    canvas_net(c, *name ? LOOK_PLAIN : LOOK_DIM, *name ? name : "no class", k->direction_at - k->class_at - 1);
    canvas_to(c, k->direction_at);
    canvas_put(c, LOOK_PLAIN, direction_word(r->direction));
    draw_count(r->packets, count);
    canvas_right(c, LOOK_PLAIN, k->packets_end, count);
    canvas_to(c, k->expected_at);
    small_marks(r->expected, r->preferred, text);
    canvas_net(c, LOOK_DIM, text, 9);
    canvas_to(c, k->seen_at);
    size_t room = k->spark_at > k->seen_at + 1 ? k->spark_at - k->seen_at - (k->spark_width ? 1 : 0) : 0;
    draw_marks(c, marks, n, total, room);
    if (k->spark_width) {
        canvas_to(c, k->spark_at);
        draw_sparkline(c, r->series, d->shown->now_ns, draw_sparkline_seconds(d->shown->now_ns - d->shown->began_ns),
                       k->spark_width);
    }
    canvas_next(c);
}

static bool matters(const struct shown_class *r)
{
    return r->traffic_class != CLASS_NONE || r->violating_streams;
}

void draw_classes(const struct drawing *d, size_t most)
{
    struct canvas *c = d->canvas;
    const struct shown *s = d->shown;
    struct columns k = measure(c->column_count);
    size_t count = 0, shown = 0;
    for (size_t i = 0; i < s->class_count; i++)
        count += matters(&s->classes[i]);
    if (count == 0 || most < 3)
        return;
    head(c, &k, draw_sparkline_seconds(s->now_ns - s->began_ns));
    /* the wrong ones are never among those left out */
    size_t room = count + 1 <= most ? count : most - 2, wrong = 0;
    for (size_t i = 0; i < s->class_count; i++)
        wrong += s->classes[i].violating_streams != 0;
    size_t right_room = room > wrong ? room - wrong : 0;
    for (size_t i = 0; i < s->class_count && shown < room; i++) {
        if (!matters(&s->classes[i]))
            continue;
        if (!s->classes[i].violating_streams) {
            if (right_room == 0)
                continue;
            right_room--;
        }
        row(d, &k, &s->classes[i]);
        shown++;
    }
    if (shown < count) {
        canvas_putf(c, LOOK_DIM, "  %s and %zu more", canvas_more(c), count - shown);
        canvas_next(c);
    }
}

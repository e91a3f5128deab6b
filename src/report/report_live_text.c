#include "report/report_live_internal.h"

#include <stdio.h>
#include <string.h>

#include "report/report_text.h"
#include "report/view.h"

/*
 * An interval in lines for people: one while all is well, and one more for each thing to know.
 *
 *     09:00:10Z  + pass  voice from node 480, to node 500; signaling to node 12; 14 streams (2 new, 1 ended)
 *     09:00:20Z  ! FAIL  voice from node 480, to node 500 !120 CS0; 14 streams
 *                34 packets dropped by the kernel at eth0
 *                opened: bleached, site berlin: ...
 */

enum {
    INDENT = 11,
    INDENT_ROWS = INDENT + 8,
    MARKS_NAMED = 3,
    FINDINGS_NAMED = 10,
    WIDTH_LEAST = 60,
    WIDTH_MOST = 160
};

static const char *const directions[DIRECTION_COUNT] = {
    [DIRECTION_FROM_NODE] = "from node",
    [DIRECTION_TO_NODE] = "to node",
    [DIRECTION_BETWEEN_NODES] = "between nodes",
    [DIRECTION_UNATTRIBUTED] = "elsewhere",
};

/* One class and direction, of all nodes. */
static struct summary_row sum_of(const struct live_interval *in, enum traffic_class c, enum direction d)
{
    struct summary_row sum = {.traffic_class = c, .direction = d};
    for (size_t i = 0; i < in->by_class_count; i++) {
        const struct summary_row *r = &in->by_class[i];
        if (r->traffic_class != c || r->direction != d)
            continue;
        sum.packets += r->packets;
        sum.violating_packets += r->violating_packets;
        for (size_t m = 0; m < DSCP_COUNT; m++) {
            sum.wrong_by_dscp[m] += r->wrong_by_dscp[m];
            sum.unsure_by_dscp[m] += r->unsure_by_dscp[m];
        }
    }
    return sum;
}

/* "!120 CS0 AF41": how many are wrong, and with which marks. */
static void put_wrong(struct text *t, const struct summary_row *sum)
{
    char count[SMALL_TEXT_MAX], text[SMALL_TEXT_MAX + 4 * DSCP_NAME_MAX + 16];
    dscp_t marks[DSCP_COUNT];
    size_t n = view_by_packets(sum->wrong_by_dscp, marks);
    small_count(sum->violating_packets, count);
    int len = snprintf(text, sizeof text, "%s%s wrong", sign_wrong(t), count);
    for (size_t i = 0; i < n && i < MARKS_NAMED && len > 0 && (size_t)len < sizeof text; i++)
        len += snprintf(text + len, sizeof text - (size_t)len, "%s %s", i ? "" : ":", dscp_name(marks[i]));
    text_piece(t, STYLE_BAD, INDENT_ROWS, text);
    if (n > MARKS_NAMED)
        text_piece(t, STYLE_BAD, INDENT_ROWS, sign_more(t));
}

static void put_unsure(struct text *t, const struct summary_row *sum)
{
    char count[SMALL_TEXT_MAX], text[SMALL_TEXT_MAX + 16];
    uint64_t unsure = 0;
    for (size_t m = 0; m < DSCP_COUNT; m++)
        unsure += sum->unsure_by_dscp[m];
    if (!unsure)
        return;
    small_count(unsure, count);
    (void)snprintf(text, sizeof text, "?%s not known", count);
    text_piece(t, STYLE_UNSURE, INDENT_ROWS, text);
}

/* The classes that had packets, as pieces of one sentence; false where there were none. */
static bool put_classes(struct text *t, const struct live_interval *in)
{
    bool any = false;
    for (int c = CLASS_NONE; c < CLASS_COUNT; c++) {
        bool named = false;
        for (int d = 0; d < DIRECTION_COUNT; d++) {
            /* what belongs to no node last, as everywhere */
            enum direction direction = (enum direction)((d + 1) % DIRECTION_COUNT);
            struct summary_row sum = sum_of(in, (enum traffic_class)c, direction);
            char count[SMALL_TEXT_MAX], text[2 * SMALL_TEXT_MAX];
            if (!sum.packets)
                continue;
            if (!named && any)
                text_put(t, STYLE_PLAIN, ";");
            else if (named)
                text_put(t, STYLE_PLAIN, ",");
            if (!named)
                text_piece(t, STYLE_BOLD, INDENT_ROWS,
                           c == CLASS_NONE ? "no class" : class_name((enum traffic_class)c));
            small_count(sum.packets, count);
            (void)snprintf(text, sizeof text, "%s %s", directions[direction], count);
            text_piece(t, STYLE_PLAIN, INDENT_ROWS, text);
            if (sum.violating_packets)
                put_wrong(t, &sum);
            put_unsure(t, &sum);
            named = any = true;
        }
    }
    return any;
}

static void put_streams(struct text *t, const struct live_view *v)
{
    char active[SMALL_TEXT_MAX], text[3 * SMALL_TEXT_MAX];
    small_count(v->active_streams, active);
    (void)snprintf(text, sizeof text, "%s %s", active, plural(v->active_streams, "stream", "streams"));
    text_piece(t, STYLE_DIM, INDENT_ROWS, text);
    const struct live_interval *in = v->interval;
    char fresh[SMALL_TEXT_MAX], ended[SMALL_TEXT_MAX];
    small_count(in->new_streams, fresh);
    small_count(in->ended_streams, ended);
    if (in->new_streams && in->ended_streams)
        (void)snprintf(text, sizeof text, "(%s new, %s ended)", fresh, ended);
    else if (in->new_streams || in->ended_streams)
        (void)snprintf(text, sizeof text, "(%s %s)", in->new_streams ? fresh : ended,
                       in->new_streams ? "new" : "ended");
    else
        return;
    text_piece(t, STYLE_DIM, INDENT_ROWS, text);
}

static void verdict_line(struct text *t, const struct live_view *v)
{
    static const struct {
        const char *word;
        enum verdict verdict;
    } words[] = {
        [SUMMARY_PASS] = {"pass", VERDICT_CONFORMING},
        [SUMMARY_FAIL] = {"FAIL", VERDICT_VIOLATING},
        [SUMMARY_NOTHING_CHECKED] = {"-", VERDICT_UNCHECKED},
    };
    enum summary_verdict verdict = live_interval_verdict(v->interval);
    enum style style = style_of(words[verdict].verdict);
    char when[SMALL_TEXT_MAX];
    small_time(v->interval->until_ns, when);
    text_putf(t, STYLE_DIM, "%sZ", when);
    text_to(t, INDENT);
    text_put(t, style, sign_of(t, words[verdict].verdict));
    text_to(t, INDENT + 2);
    text_put(t, style, words[verdict].word);
    text_to(t, INDENT_ROWS);
    if (!put_classes(t, v->interval))
        text_put(t, STYLE_DIM, v->interval->packets ? "nothing of a class of the policy" : "no packets");
    text_put(t, STYLE_PLAIN, ";");
    put_streams(t, v);
    text_end(t);
}

static void drop_lines(struct text *t, const struct live_view *v)
{
    const struct {
        uint64_t packets;
        const char *by;
    } drops[] = {{v->interval->dropped_kernel, "kernel"}, {v->interval->dropped_interface, "interface"}};
    for (size_t i = 0; i < sizeof drops / sizeof drops[0]; i++) {
        char count[SMALL_TEXT_MAX];
        if (!drops[i].packets)
            continue;
        small_count(drops[i].packets, count);
        text_to(t, INDENT);
        text_putf(t, STYLE_BAD, "%s %s dropped by the %s:", count, plural(drops[i].packets, "packet", "packets"),
                  drops[i].by);
        text_wrap(t, STYLE_PLAIN, INDENT, "what was in them is not known, and the verdict is incomplete");
        text_end(t);
    }
    for (size_t i = 0; i < v->point_count; i++) {
        const struct live_point *p = &v->points[i];
        if (p->state == LIVE_POINT_UP)
            continue;
        text_to(t, INDENT);
        /* a problem that names the interface is the whole sentence */
        bool whole = p->problem && strstr(p->problem, p->name);
        if (!whole) {
            text_net(t, STYLE_BAD, p->name, 40);
            text_putf(t, STYLE_BAD, " is %s%s", live_state_name(p->state), p->problem && *p->problem ? ":" : "");
        }
        text_wrap(t, whole ? STYLE_BAD : STYLE_PLAIN, INDENT, p->problem);
        text_end(t);
    }
}

static void finding_line(struct text *t, const char *word, enum style style, const struct finding *f)
{
    text_to(t, INDENT);
    text_putf(t, style, "%s: %s", word, finding_code_name(f->code));
    if (f->subject && *f->subject) {
        text_put(t, STYLE_PLAIN, ",");
        text_wrap(t, STYLE_BOLD, INDENT, f->subject);
    }
    text_put(t, STYLE_PLAIN, ":");
    text_wrap(t, STYLE_PLAIN, INDENT, f->message);
    text_end(t);
}

static void finding_lines(struct text *t, const struct live_view *v)
{
    size_t named = 0;
    uint64_t rest = 0;
    for (size_t i = 0; i < v->finding_count; i++) {
        const struct live_finding *f = &v->findings[i];
        bool opened = live_opened_in(f, v->interval), closed = live_closed_in(f, v->interval);
        if (!opened && !closed)
            continue;
        if (named == FINDINGS_NAMED) {
            rest++;
            continue;
        }
        named++;
        if (opened)
            finding_line(t, "opened", STYLE_BAD, &f->finding);
        if (closed)
            finding_line(t, "closed", STYLE_GOOD, &f->finding);
    }
    if (!rest)
        return;
    text_to(t, INDENT);
    text_putf(t, STYLE_DIM, "and %llu more findings", (unsigned long long)rest);
    text_end(t);
}

void live_interval_text(struct out *out, const struct live_view *v, const struct report_options *o)
{
    struct text t = {.out = out, .document = v->document, .options = o, .width = o->width};
    t.width = t.width < WIDTH_LEAST ? WIDTH_LEAST : t.width > WIDTH_MOST ? WIDTH_MOST : t.width;
    verdict_line(&t, v);
    if (!o->quiet) {
        drop_lines(&t, v);
        finding_lines(&t, v);
    }
    strbuf_done(&t.line);
    strbuf_done(&t.escaped);
}

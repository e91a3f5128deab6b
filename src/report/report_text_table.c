#include "report/report_text_rows.h"

#include <stdio.h>
#include <string.h>

#include "report/view.h"

/* The table class by direction by node, and the one by site. */

#define NO_CLASS "no class"

enum { ROWS_FEW = 40, MARKS_SHOWN = 6, INDENT = 2, GAP = 2, SEEN_LEAST = 16 };

void text_marks(struct text *t, size_t indent, const struct mark_counts *m, size_t limit)
{
    dscp_t marks[DSCP_COUNT];
    size_t n = view_by_packets(m->packets, marks);
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += m->packets[marks[i]];
    /* a wrong mark is never among those left out */
    size_t shown = n <= limit ? n : limit;
    for (size_t i = shown; i < n; i++)
        if (m->wrong[marks[i]])
            shown = i + 1;
    for (size_t i = 0; i < shown; i++) {
        char share[SMALL_TEXT_MAX], piece[2 * SMALL_TEXT_MAX];
        enum verdict v = m->wrong[marks[i]]    ? VERDICT_VIOLATING
                         : m->unsure[marks[i]] ? VERDICT_UNDETERMINED
                                               : VERDICT_UNCHECKED;
        bool plain = v == VERDICT_UNCHECKED;
        small_share(m->packets[marks[i]], total, share);
        (void)snprintf(piece, sizeof piece, "%s%s %s", plain ? "" : sign_of(t, v), dscp_name(marks[i]), share);
        if (i && t->columns + 2 + text_columns(piece) <= t->width)
            text_put(t, STYLE_PLAIN, "  ");
        text_piece(t, plain ? STYLE_PLAIN : style_of(v), indent, piece);
    }
    if (n > shown) {
        char more[SMALL_TEXT_MAX];
        (void)snprintf(more, sizeof more, "+%zu more", n - shown);
        text_piece(t, STYLE_DIM, indent, more);
    }
}

/* What the policy has no class for is in this table only where it is wrong or everything is asked for: otherwise
 * section_unjudged() has it. */
static bool row_matters(const struct text *t, const struct class_row *r)
{
    return r->row.traffic_class != CLASS_NONE || r->row.violating_streams || t->options->verbose >= 2;
}

static bool row_is_wrong(const struct class_row *r)
{
    return r->row.violating_streams || r->row.violating_packets;
}

static const char *short_direction(enum direction d)
{
    static const char *const names[DIRECTION_COUNT] = {
        [DIRECTION_UNATTRIBUTED] = "-",
        [DIRECTION_FROM_NODE] = "from node",
        [DIRECTION_TO_NODE] = "to node",
        [DIRECTION_BETWEEN_NODES] = "between",
    };
    return names[d];
}

struct widths {
    size_t class_end, direction_end, streams_end, packets_end, expected_end;
};

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void widen(struct widths *w, const struct class_row *r)
{
    char text[SMALL_TEXT_MAX];
    const char *name = class_name(r->row.traffic_class);
    w->class_end = max_size(w->class_end, *name ? strlen(name) : sizeof NO_CLASS - 1);
    small_count(r->row.streams, text);
    w->streams_end = max_size(w->streams_end, strlen(text));
    small_count(r->row.packets, text);
    w->packets_end = max_size(w->packets_end, strlen(text));
    small_marks(r->expected, r->preferred, text);
    w->expected_end = max_size(w->expected_end, strlen(text));
}

/* First the widths of the columns, then where they end. */
static struct widths measure(const struct text *t, const struct class_table *a, const struct class_table *b)
{
    struct widths w = {.class_end = strlen("class"),
                       .direction_end = strlen("from node"),
                       .streams_end = strlen("streams"),
                       .packets_end = strlen("packets"),
                       .expected_end = strlen("expected")};
    for (size_t i = 0; i < a->count; i++)
        if (row_matters(t, &a->rows[i]))
            widen(&w, &a->rows[i]);
    for (size_t i = 0; i < b->count; i++)
        if (row_matters(t, &b->rows[i]))
            widen(&w, &b->rows[i]);
    if (a->unclassed.row.streams)
        widen(&w, &a->unclassed);
    w.class_end += INDENT + 2;
    w.direction_end += w.class_end + GAP;
    w.streams_end += w.direction_end + GAP;
    w.packets_end += w.streams_end + GAP;
    w.expected_end += w.packets_end + GAP;
    if (w.expected_end + GAP + SEEN_LEAST > t->width)
        w.expected_end = t->width - GAP - SEEN_LEAST;
    return w;
}

static void class_row_line(struct text *t, const struct class_row *r, const struct widths *w)
{
    char text[SMALL_TEXT_MAX];
    enum verdict v = class_row_verdict(r);
    const char *name = class_name(r->row.traffic_class);
    text_to(t, INDENT);
    text_put(t, style_of(v), sign_of(t, v));
    text_to(t, INDENT + 2);
    text_put(t, STYLE_PLAIN, *name ? name : NO_CLASS);
    text_to(t, w->class_end + GAP);
    text_put(t, STYLE_PLAIN, short_direction(r->row.direction));
    small_count(r->row.streams, text);
    text_right(t, STYLE_PLAIN, w->streams_end, text);
    small_count(r->row.packets, text);
    text_right(t, STYLE_PLAIN, w->packets_end, text);
    small_marks(r->expected, r->preferred, text);
    text_to(t, w->packets_end + GAP);
    text_put(t, STYLE_PLAIN, text);
    text_to(t, w->expected_end + GAP);
    text_marks(t, w->expected_end + GAP, &r->marks, MARKS_SHOWN);
    text_end(t);
}

static void class_head(struct text *t, const struct widths *w, bool unsure)
{
    text_end(t);
    text_to(t, INDENT + 2);
    text_put(t, STYLE_DIM, "class");
    text_to(t, w->class_end + GAP);
    text_put(t, STYLE_DIM, "direction");
    text_right(t, STYLE_DIM, w->streams_end, "streams");
    text_right(t, STYLE_DIM, w->packets_end, "packets");
    text_to(t, w->packets_end + GAP);
    text_put(t, STYLE_DIM, "expected");
    text_to(t, w->expected_end + GAP);
    bool room = w->expected_end + GAP + text_columns("seen (! wrong, ? unknown)") <= t->width;
    text_putf(t, STYLE_DIM, "seen (%s wrong%s)", sign_wrong(t), unsure && room ? ", ? unknown" : "");
    text_end(t);
}

static void group_line(struct text *t, const char *name)
{
    text_net(t, STYLE_BOLD, name, t->width);
    text_end(t);
}

/* The rows under their nodes, at most `most`; how many were shown. */
static size_t node_rows(struct text *t, const struct class_table *table, const struct widths *w, bool only_wrong,
                        size_t most)
{
    size_t shown = 0;
    uint32_t node = UINT32_MAX;
    for (size_t i = 0; i < table->count && shown < most; i++) {
        const struct class_row *r = &table->rows[i];
        if (!row_matters(t, r) || (only_wrong && !row_is_wrong(r)))
            continue;
        if (r->row.node != node) {
            const char *name = view_node(t->document, r->row.node);
            group_line(t, name ? name : "no node at either end");
        }
        node = r->row.node;
        class_row_line(t, r, w);
        shown++;
    }
    return shown;
}

static void class_rows(struct text *t, const struct class_table *table, const struct class_table *all)
{
    size_t matter = 0;
    bool unsure = false;
    for (size_t i = 0; i < table->count; i++) {
        matter += row_matters(t, &table->rows[i]);
        for (size_t m = 0; m < DSCP_COUNT; m++)
            unsure = unsure || table->rows[i].marks.unsure[m];
    }
    if (matter == 0 && table->unclassed.row.streams == 0)
        return;
    bool many = t->options->verbose == 0 && matter > ROWS_FEW;
    struct widths w = measure(t, table, all);
    class_head(t, &w, unsure);
    if (many) {
        group_line(t, "all nodes together");
        for (size_t i = 0; i < all->count; i++)
            if (row_matters(t, &all->rows[i]))
                class_row_line(t, &all->rows[i], &w);
    }
    size_t shown = node_rows(t, table, &w, many, many ? ROWS_FEW : matter);
    if (table->unclassed.row.streams) {
        group_line(t, "no class in the policy");
        class_row_line(t, &table->unclassed, &w);
    }
    if (shown < matter) {
        text_putf(t, STYLE_DIM, "%s and %zu more rows of single nodes (-v shows them)", sign_more(t), matter - shown);
        text_end(t);
    }
}

void section_classes(struct text *t)
{
    struct class_table table = {0}, all = {0};
    if (class_table_build(&table, t->document) && class_table_collapse(&table, &all))
        class_rows(t, &table, &all);
    else
        out_fail(t->out, ERR_MEMORY);
    class_table_done(&table);
    class_table_done(&all);
}

static void site_line(struct text *t, const struct summary_row *row, size_t name_end)
{
    const char *name = view_site(t->document, row->site);
    char wrong[SMALL_TEXT_MAX], all[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX], piece[SMALL_TEXT_MAX + 4];
    enum verdict v = row->violating_streams                      ? VERDICT_VIOLATING
                     : row->undetermined_streams >= row->streams ? VERDICT_UNDETERMINED
                                                                 : VERDICT_CONFORMING;
    text_to(t, INDENT);
    text_put(t, style_of(v), sign_of(t, v));
    text_to(t, INDENT + 2);
    text_net(t, STYLE_PLAIN, name ? name : "-", name_end - INDENT - 2);
    text_to(t, name_end + GAP);
    text_put(t, STYLE_PLAIN, short_direction(row->direction));
    text_to(t, name_end + GAP + strlen("from node") + GAP);
    small_count(row->streams, all);
    if (row->violating_streams) {
        small_count(row->violating_streams, wrong);
        text_putf(t, STYLE_BAD, "%s of %s %s wrong", wrong, all, plural(row->streams, "stream", "streams"));
        small_count(row->violating_packets, wrong);
        small_share(row->violating_packets, row->packets, share);
        text_put(t, STYLE_PLAIN, ",");
        text_piece(t, STYLE_PLAIN, INDENT + 4, wrong);
        text_piece(t, STYLE_PLAIN, INDENT + 4, plural(row->violating_packets, "packet", "packets"));
        (void)snprintf(piece, sizeof piece, "(%s)", share);
        text_piece(t, STYLE_PLAIN, INDENT + 4, piece);
    } else {
        text_putf(t, STYLE_PLAIN, "%s %s, none wrong", all, plural(row->streams, "stream", "streams"));
    }
    text_end(t);
}

void section_sites(struct text *t)
{
    const struct document *d = t->document;
    if (d->by_site_count == 0)
        return;
    size_t name_end = 0;
    for (size_t i = 0; i < d->by_site_count; i++) {
        const char *name = view_site(d, d->by_site[i].site);
        name_end = max_size(name_end, INDENT + 2 + text_columns(text_escape(t, name)));
    }
    name_end = name_end > 28 ? 28 : name_end;
    text_heading(t, "Sites");
    text_end(t);
    size_t shown = rows_shown(t, d->by_site_count, ROWS_FEW, d->by_site_count);
    for (size_t i = 0; i < shown && out_ok(t->out); i++)
        site_line(t, &d->by_site[i], name_end);
    text_rest(t, INDENT, d->by_site_count - shown, "sites");
}

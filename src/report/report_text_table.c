#include "report/report_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/view.h"

/* The table class by direction by node, and the one by site. */

enum { ROWS_FEW = 24, MARKS_SHOWN = 6, INDENT = 2, GAP = 2, SEEN_LEAST = 16 };

#define NO_CLASS "no class"

struct class_row {
    const struct summary_row *row;
    struct mark_counts marks;
    dscp_set_t expected;
    dscp_t preferred;
    bool judged; /* some record of it was */
};

struct class_table {
    struct class_row *rows; /* sorted: by node, class, direction */
    size_t count;
    size_t *index; /* 1 + where the row of (class, direction, node) is; 0 for none */
};

void marks_add(struct mark_counts *m, const struct document *d, const struct record *r)
{
    dscp_set_t outside = view_outside(d, r);
    for (uint32_t i = 0; i < r->mark_count; i++) {
        dscp_t mark = r->marks[i].dscp & 63;
        m->packets[mark] += r->marks[i].packets;
        if (!dscp_set_has(outside, mark))
            continue;
        if (r->verdict == VERDICT_UNDETERMINED)
            m->unsure[mark] += r->marks[i].packets;
        else if (r->verdict != VERDICT_UNCHECKED)
            m->wrong[mark] += r->marks[i].packets;
    }
}

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

static size_t slot_of(const struct document *d, enum traffic_class c, enum direction direction, uint32_t node)
{
    size_t at = node <= d->node_count ? node : 0;
    return (at * CLASS_COUNT + (size_t)c) * DIRECTION_COUNT + (size_t)direction;
}

/* Nodes in the order of the document, what has no node last; classes in their order, what has none last. */
static int compare_rows(const void *a, const void *b)
{
    const struct summary_row *x = ((const struct class_row *)a)->row, *y = ((const struct class_row *)b)->row;
    uint32_t node_x = x->node - 1, node_y = y->node - 1; /* none wraps to the greatest */
    if (node_x != node_y)
        return node_x < node_y ? -1 : 1;
    unsigned class_x = (unsigned)x->traffic_class - 1, class_y = (unsigned)y->traffic_class - 1;
    if (class_x != class_y)
        return class_x < class_y ? -1 : 1;
    return (x->direction > y->direction) - (x->direction < y->direction);
}

static void note_record(struct class_row *row, const struct document *d, const struct record *r)
{
    if (r->expected && !row->expected)
        row->preferred = r->preferred;
    row->expected |= r->expected;
    row->judged = row->judged || r->verdict == VERDICT_CONFORMING || r->verdict == VERDICT_VIOLATING;
    marks_add(&row->marks, d, r);
}

static bool table_build(struct class_table *table, const struct document *d)
{
    table->count = d->by_class_count;
    table->rows = calloc(d->by_class_count + 1, sizeof *table->rows);
    table->index = calloc((d->node_count + 1) * CLASS_COUNT * DIRECTION_COUNT, sizeof *table->index);
    if (!table->rows || !table->index)
        return false;
    for (size_t i = 0; i < table->count; i++)
        table->rows[i].row = &d->by_class[i];
    qsort(table->rows, table->count, sizeof *table->rows, compare_rows);
    for (size_t i = 0; i < table->count; i++) {
        const struct summary_row *row = table->rows[i].row;
        table->index[slot_of(d, row->traffic_class, row->direction, row->node)] = i + 1;
    }
    for (size_t i = 0; i < d->record_count; i++) {
        const struct record *r = &d->records[i];
        size_t at = table->index[slot_of(d, r->traffic_class, r->direction, r->node)];
        if (at)
            note_record(&table->rows[at - 1], d, r);
    }
    /* the row's own counts are what JSON shows: where records are missing the signs are, never the packets */
    for (size_t i = 0; i < table->count; i++)
        memcpy(table->rows[i].marks.packets, table->rows[i].row->by_dscp, sizeof table->rows[i].marks.packets);
    return true;
}

static void table_done(struct class_table *table)
{
    free(table->rows);
    free(table->index);
}

static enum verdict row_verdict(const struct class_row *r)
{
    if (r->row->violating_streams)
        return VERDICT_VIOLATING;
    if (r->judged)
        return VERDICT_CONFORMING;
    return r->row->undetermined_streams ? VERDICT_UNDETERMINED : VERDICT_UNCHECKED;
}

/* What the policy has no class for is in this table only where it is wrong or everything is asked for: otherwise
 * section_unjudged() has it. */
static bool row_matters(const struct text *t, const struct class_row *r)
{
    return r->row->traffic_class != CLASS_NONE || r->row->violating_streams || t->options->verbose >= 2;
}

static bool row_shown(const struct text *t, const struct class_row *r, bool only_wrong)
{
    return row_matters(t, r) && (!only_wrong || r->row->violating_streams || r->row->violating_packets);
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

static struct widths measure(const struct text *t, const struct class_table *table, bool only_wrong)
{
    size_t class_w = sizeof "class" - 1, streams_w = sizeof "streams" - 1, packets_w = sizeof "packets" - 1;
    size_t expected_w = sizeof "expected" - 1;
    for (size_t i = 0; i < table->count; i++) {
        const struct class_row *r = &table->rows[i];
        char text[SMALL_TEXT_MAX];
        if (!row_shown(t, r, only_wrong))
            continue;
        const char *name = class_name(r->row->traffic_class);
        class_w = max_size(class_w, *name ? strlen(name) : sizeof NO_CLASS - 1);
        small_count(r->row->streams, text);
        streams_w = max_size(streams_w, strlen(text));
        small_count(r->row->packets, text);
        packets_w = max_size(packets_w, strlen(text));
        small_marks(r->expected, r->preferred, text);
        expected_w = max_size(expected_w, strlen(text));
    }
    struct widths w;
    w.class_end = INDENT + 2 + class_w;
    w.direction_end = w.class_end + GAP + strlen("from node");
    w.streams_end = w.direction_end + GAP + streams_w;
    w.packets_end = w.streams_end + GAP + packets_w;
    w.expected_end = w.packets_end + GAP + expected_w;
    if (w.expected_end + GAP + SEEN_LEAST > t->width)
        w.expected_end = t->width - GAP - SEEN_LEAST;
    return w;
}

static void class_row_line(struct text *t, const struct class_row *r, const struct widths *w)
{
    char text[SMALL_TEXT_MAX];
    enum verdict v = row_verdict(r);
    const char *name = class_name(r->row->traffic_class);
    text_to(t, INDENT);
    text_put(t, style_of(v), sign_of(t, v));
    text_to(t, INDENT + 2);
    text_put(t, STYLE_PLAIN, *name ? name : NO_CLASS);
    text_to(t, w->class_end + GAP);
    text_put(t, STYLE_PLAIN, short_direction(r->row->direction));
    small_count(r->row->streams, text);
    text_right(t, STYLE_PLAIN, w->streams_end, text);
    small_count(r->row->packets, text);
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
    text_putf(t, STYLE_DIM, "seen (%s wrong)", sign_wrong(t));
    if (unsure && t->columns + strlen(" (? unknown)") <= t->width)
        text_put(t, STYLE_DIM, " (? unknown)");
    text_end(t);
}

static void class_rows(struct text *t, const struct class_table *table)
{
    size_t matter = 0, shown = 0;
    bool unsure = false;
    for (size_t i = 0; i < table->count; i++) {
        matter += row_matters(t, &table->rows[i]);
        for (size_t m = 0; m < DSCP_COUNT; m++)
            unsure = unsure || table->rows[i].marks.unsure[m];
    }
    if (matter == 0)
        return;
    bool only_wrong = t->options->verbose == 0 && matter > ROWS_FEW;
    struct widths w = measure(t, table, only_wrong);
    class_head(t, &w, unsure);
    uint32_t node = UINT32_MAX;
    for (size_t i = 0; i < table->count; i++) {
        const struct class_row *r = &table->rows[i];
        if (!row_shown(t, r, only_wrong))
            continue;
        if (r->row->node != node) {
            const char *name = view_node(t->document, r->row->node);
            text_net(t, STYLE_BOLD, name ? name : "no node at either end", t->width);
            text_end(t);
        }
        node = r->row->node;
        class_row_line(t, r, &w);
        shown++;
    }
    if (shown < matter) {
        text_putf(t, STYLE_DIM, "%s and %zu more rows without a wrong mark (-v shows them)", sign_more(t), matter - shown);
        text_end(t);
    }
}

void section_classes(struct text *t)
{
    struct class_table table = {0};
    if (table_build(&table, t->document))
        class_rows(t, &table);
    else
        out_fail(t->out, ERR_MEMORY);
    table_done(&table);
}

static void site_line(struct text *t, const struct summary_row *row, size_t name_end)
{
    const char *name = view_site(t->document, row->site);
    char wrong[SMALL_TEXT_MAX], all[SMALL_TEXT_MAX], share[SMALL_TEXT_MAX], piece[SMALL_TEXT_MAX + 4];
    enum verdict v = row->violating_streams                        ? VERDICT_VIOLATING
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

#include "report/report_text_rows.h"

#include <stdlib.h>
#include <string.h>

#include "report/view.h"

/* Nodes in the order of the document, what has no node last; classes in their order, what has none last. */
static int compare_rows(const void *a, const void *b)
{
    const struct summary_row *x = &((const struct class_row *)a)->row, *y = &((const struct class_row *)b)->row;
    uint32_t node_x = x->node - 1, node_y = y->node - 1; /* none wraps to the greatest */
    if (node_x != node_y)
        return node_x < node_y ? -1 : 1;
    unsigned class_x = (unsigned)x->traffic_class - 1, class_y = (unsigned)y->traffic_class - 1;
    if (class_x != class_y)
        return class_x < class_y ? -1 : 1;
    return (x->direction > y->direction) - (x->direction < y->direction);
}

static void add_expected(struct class_row *row, dscp_set_t expected, dscp_t preferred)
{
    if (expected && !row->expected)
        row->preferred = preferred;
    row->expected |= expected;
}

static struct class_row class_row_of(const struct summary_row *from)
{
    struct class_row row = {
        .row = *from, .expected = from->expected, .preferred = from->preferred, .judged = from->judged};
    memcpy(row.marks.packets, from->by_dscp, sizeof row.marks.packets);
    memcpy(row.marks.wrong, from->wrong_by_dscp, sizeof row.marks.wrong);
    memcpy(row.marks.unsure, from->unsure_by_dscp, sizeof row.marks.unsure);
    return row;
}

bool class_table_build(struct class_table *table, const struct document *d)
{
    *table = (struct class_table){.count = d->by_class_count, .unclassed = class_row_of(&d->unclassed)};
    table->rows = calloc(d->by_class_count + 1, sizeof *table->rows);
    if (!table->rows)
        return false;
    for (size_t i = 0; i < table->count; i++)
        table->rows[i] = class_row_of(&d->by_class[i]);
    qsort(table->rows, table->count, sizeof *table->rows, compare_rows);
    return true;
}

static void merge_row(struct class_row *to, const struct class_row *from)
{
    to->row.traffic_class = from->row.traffic_class;
    to->row.direction = from->row.direction;
    to->row.streams += from->row.streams;
    to->row.packets += from->row.packets;
    to->row.violating_streams += from->row.violating_streams;
    to->row.undetermined_streams += from->row.undetermined_streams;
    to->row.violating_packets += from->row.violating_packets;
    for (size_t m = 0; m < DSCP_COUNT; m++) {
        to->marks.packets[m] += from->marks.packets[m];
        to->marks.wrong[m] += from->marks.wrong[m];
        to->marks.unsure[m] += from->marks.unsure[m];
    }
    add_expected(to, from->expected, from->preferred);
    to->judged = to->judged || from->judged;
}

bool class_table_collapse(const struct class_table *table, struct class_table *ret)
{
    *ret = (struct class_table){0};
    ret->rows = calloc((size_t)CLASS_COUNT * (size_t)DIRECTION_COUNT, sizeof *ret->rows);
    if (!ret->rows)
        return false;
    for (size_t i = 0; i < table->count; i++) {
        const struct class_row *r = &table->rows[i];
        size_t at = 0;
        while (at < ret->count && (ret->rows[at].row.traffic_class != r->row.traffic_class ||
                                   ret->rows[at].row.direction != r->row.direction))
            at++;
        ret->count += at == ret->count;
        merge_row(&ret->rows[at], r);
    }
    qsort(ret->rows, ret->count, sizeof *ret->rows, compare_rows);
    return true;
}

void class_table_done(struct class_table *table)
{
    free(table->rows);
}

enum verdict class_row_verdict(const struct class_row *r)
{
    if (r->row.violating_streams)
        return VERDICT_VIOLATING;
    /* a row that shows a mark which may be wrong is not ticked for the others in it */
    bool doubted = false;
    for (size_t i = 0; i < sizeof r->marks.unsure / sizeof r->marks.unsure[0]; i++)
        doubted = doubted || r->marks.unsure[i];
    if (r->judged && !doubted)
        return VERDICT_CONFORMING;
    return r->row.undetermined_streams ? VERDICT_UNDETERMINED : VERDICT_UNCHECKED;
}

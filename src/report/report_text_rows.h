#ifndef QOSMARK_REPORT_REPORT_TEXT_ROWS_H
#define QOSMARK_REPORT_REPORT_TEXT_ROWS_H

#include "report/report_text.h"

/* The rows of the table class by direction by node, in the order and the form in which they are shown. */

struct class_row {
    struct summary_row row;
    struct mark_counts marks;
    dscp_set_t expected;
    dscp_t preferred;
    bool judged; /* some stream of it was */
};

struct class_table {
    struct class_row *rows; /* by node, class, direction */
    size_t count;
    struct class_row unclassed; /* violating streams that no class covers and no row counts; streams == 0: none */
};

/* False without memory. class_table_done() frees what there is either way. */
bool class_table_build(struct class_table *table, const struct document *d);
/* The same rows with all nodes in one: by class and direction. */
bool class_table_collapse(const struct class_table *table, struct class_table *ret);
void class_table_done(struct class_table *table);

enum verdict class_row_verdict(const struct class_row *r);

#endif

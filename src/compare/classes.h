#ifndef QOSMARK_COMPARE_CLASSES_H
#define QOSMARK_COMPARE_CLASSES_H

#include "compare/point.h"
#include "policy/policy.h"

struct stream_table;

/* Gives the streams of a point the kind and class that the audit of the same capture finds. The table is finished. 0 or
 * ERR_MEMORY. */
int compare_classes_find(struct compare_point *p, struct stream_table *table, const struct policy *policy);

#endif
